package bot

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"pagbot/activation"
)

// One person may have several accounts, as for the day and for administration.
// Which of them acts is theirs to say: by a word of the command, or in the form.
// Where nothing is said, it is the one that they used last for that group, and
// else the one that is eligible for it.

// with keeps of a person's accounts the one that they named; all if they named
// none.
func (s someone) with(typed string) (someone, error) {
	if typed == "" {
		return s, nil
	}
	named := func(fits func(name string) bool) (some []activation.Person) {
		for _, p := range s.accounts {
			if fits(fold(p.Name)) || strings.EqualFold(p.Object, typed) {
				some = append(some, p)
			}
		}
		return some
	}
	typed = fold(strings.TrimPrefix(typed, "@"))
	own := named(func(name string) bool {
		local, _, _ := strings.Cut(name, "@")
		return name == typed || local == typed
	})
	if len(own) == 0 {
		own = named(func(name string) bool { return strings.HasPrefix(name, typed) })
	}
	if len(own) != 1 {
		return s, complaint(sayWhichAccount(typed, s.accounts))
	}
	s.accounts = own
	return s, nil
}

// ableWith chooses among several accounts, of which the facts are known, the one
// that an ask for a group is made with.
func (b *Bot) ableWith(ctx context.Context, g Group, access activation.Access, s someone, all []activation.Facts) (int, error) {
	able := func(f activation.Facts) bool { return f.Eligible || f.Pending || !f.Active.IsZero() }
	if len(all) > 1 {
		last, err := b.lastUsed(ctx, s, g.ID, access)
		if err != nil {
			return 0, err
		}
		if i := slices.IndexFunc(s.accounts, last.SameAccount); i >= 0 && able(all[i]) {
			return i, nil
		}
	}
	if i := slices.IndexFunc(all, func(f activation.Facts) bool { return f.Eligible }); i >= 0 {
		return i, nil
	}
	return max(0, slices.IndexFunc(all, able)), nil
}

// lastUsed is the account with which a person asked for a group last; the zero
// Person if they never did.
func (b *Bot) lastUsed(ctx context.Context, s someone, group string, access activation.Access) (activation.Person, error) {
	all, err := b.lately(ctx, s)
	i := slices.IndexFunc(all, func(a activation.Activation) bool {
		return a.Access == access && strings.EqualFold(a.Group.ID, group)
	})
	if err != nil || i < 0 {
		return activation.Person{}, err
	}
	return all[i].Person, nil
}

// several reports whether a person has more accounts than this one, so that it
// must be named.
func (b *Bot) several(p activation.Person) bool {
	if b.People == nil {
		return false
	}
	if q, ok := b.People.ByObject(p.Tenant, p.Object); ok {
		p = q
	}
	return p.Slack.ID != "" && len(b.People.BySlack(p.Slack)) > 1
}

// naming adds to a message which of their accounts a person reads it about,
// where they have several.
func (b *Bot) naming(m message, p activation.Person) message {
	if b.several(p) && len(m.blocks) > 0 {
		m.blocks = append(m.blocks, note(sayWithAccount(p)))
	}
	return m
}

// otherAccount names the account with which a person could have what they were
// refused, as far as that is known without asking anybody.
func (b *Bot) otherAccount(a activation.Activation, e activation.Effect) string {
	if e.Refusal == nil || e.Refusal.Code != activation.NotEligible {
		return ""
	}
	list, _ := b.remembered(b.slackOf(a.Person))
	for _, m := range list {
		if m.access == a.Access && strings.EqualFold(m.group.ID, a.Group.ID) && !m.account.SameAccount(a.Person) {
			return sayOtherAccount(m.account)
		}
	}
	return ""
}

// deciding reads which of their accounts an approver chose in the form. Judged
// is who may decide now; the form may be older.
func deciding(v slack.View, judged []activation.Person) (activation.Person, error) {
	object := picked(v, inAccount)
	for _, p := range judged {
		if object == "" || strings.EqualFold(p.Object, object) {
			return p, nil
		}
	}
	return activation.Person{}, activation.Refusal{Code: activation.NotApprover}
}

// accountInput lets an approver choose among their accounts.
func accountInput(accounts []activation.Person) *slack.InputBlock {
	in := slack.NewOptionsSelectBlockElement(slack.OptTypeStatic, nil, "v")
	for _, p := range accounts {
		in.Options = append(in.Options, slack.NewOptionBlockObject(p.Object, words(clip(activation.Visible(accountName(p)), optionText)), nil))
	}
	in.InitialOption = in.Options[0]
	return slack.NewInputBlock(inAccount, words(sayFormAccount), nil, in)
}

// lastUse is when a person asked for it last; zero: never.
func lastUse(all []activation.Activation, m may) time.Time {
	for _, a := range all {
		if a.Access == m.access && strings.EqualFold(a.Group.ID, m.group.ID) && a.Person.SameAccount(m.account) {
			return a.Began
		}
	}
	return time.Time{}
}
