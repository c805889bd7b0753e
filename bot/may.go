package bot

import (
	"cmp"
	"context"
	"slices"
	"sort"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"pagbot/activation"
)

// may is one thing that a person may activate with one of their accounts.
type may struct {
	group   Group
	access  activation.Access
	account activation.Person
}

// known is what a person may activate as it was last read. It answers while they
// type; what they then ask for is judged anew.
type known struct {
	list []may
	at   time.Time // wire
}

const (
	knownFresh = time.Minute // not read again before
	knownLife  = time.Hour   // better than nothing, if it can't be read
)

// mayActivate lists what a person may activate among the groups that we look
// after: all of their accounts are read at once.
func (b *Bot) mayActivate(ctx context.Context, s someone) ([]may, error) {
	b.mu.Lock()
	had := b.knows[s.slack.ID]
	b.mu.Unlock()
	if time.Since(had.at) < knownFresh {
		return had.list, nil
	}
	lists := make([][]activation.Eligibility, len(s.accounts))
	work, inner := errgroup.WithContext(ctx)
	for i, p := range s.accounts {
		work.Go(func() (err error) { lists[i], err = b.Directory.Eligible(inner, p); return err })
	}
	if err := work.Wait(); err != nil {
		if time.Since(had.at) < knownLife {
			return had.list, nil
		}
		return nil, err
	}
	var all []may
	for i, list := range lists {
		for _, e := range list {
			if g, ok := b.group(e.Group.ID); ok {
				all = append(all, may{g, e.Access, s.accounts[i]})
			}
		}
	}
	last, err := b.lately(ctx, s)
	if err != nil {
		return nil, err
	}
	sort.SliceStable(all, func(i, k int) bool { // a generic sort is compiled anew for each type
		x, y := all[i], all[k]
		return cmp.Or(strings.Compare(fold(x.group.Name), fold(y.group.Name)), strings.Compare(string(x.access), string(y.access)),
			lastUse(last, y).Compare(lastUse(last, x))) < 0
	})
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.knows) > 10_000 {
		clear(b.knows)
	}
	b.knows[s.slack.ID] = known{all, time.Now()}
	return all, nil
}

// remembered is what is known of a person without asking anybody.
func (b *Bot) remembered(user string) (list []may, read bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	k, read := b.knows[user]
	return k.list, read
}

// value names it in a form: the group, the access and, by the beginning of its
// id, the account.
func (m may) value() string {
	return strings.Join([]string{m.group.ID, string(m.access[:1]), head(m.account.Object)}, "|")
}

func head(s string) string { return s[:min(len(s), 8)] }

// chosen reads such a value back, among the accounts of the person who sent it.
func chosen(value string, s someone) (group string, access activation.Access, who someone) {
	parts := append(strings.Split(value, "|"), "", "")
	access = activation.Member
	if parts[1] == "o" {
		access = activation.Owner
	}
	who = s
	if own := slices.DeleteFunc(slices.Clone(s.accounts), func(p activation.Person) bool { return parts[2] == "" || head(p.Object) != parts[2] }); len(own) > 0 {
		who.accounts = own
	}
	return parts[0], access, who
}

// matching are those of a list that fit what was typed: first those whose name
// begins with it.
func matching(list []may, typed string) []may {
	typed = fold(strings.TrimSpace(typed))
	var first, then []may
	for _, m := range list {
		names := append([]string{fold(m.group.Name)}, m.group.Aliases...)
		has := func(test func(name, typed string) bool) bool {
			return slices.ContainsFunc(names, func(n string) bool { return test(fold(n), typed) })
		}
		switch {
		case has(strings.HasPrefix):
			first = append(first, m)
		case has(strings.Contains):
			then = append(then, m)
		}
	}
	return append(first, then...)
}
