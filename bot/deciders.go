package bot

import (
	"context"
	"slices"
	"strings"
	"time"

	"pagbot/activation"
)

// Who may decide is read while the ask is made, so that the card can name them
// at once: it calls people when it is posted, and never by an edit. It is for
// naming only; who presses a button is judged by what PIM says then.

const (
	decidersFresh = 5 * time.Minute // not read again before
	decidersLife  = time.Hour       // better than nobody, if they can't be read
	decidersWait  = 2 * time.Second // a card does not wait longer for names
	decidersTime  = 30 * time.Second
)

// deciders are the approvers of one access to a group, as they were last read,
// and a reading that is under way.
type deciders struct {
	people []activation.Person // nil: not read yet
	at     time.Time           // wire
	done   chan struct{}       // closed when the reading is over; nil: none is
}

// approversOf names the approvers from memory, or reads them; nil if that takes
// too long, or fails. Whoever comes meanwhile waits for the same reading.
func (b *Bot) approversOf(ctx context.Context, a activation.Activation, wait time.Duration) []activation.Person {
	key := fold(a.Group.ID + "/" + string(a.Access))
	b.mu.Lock()
	d := b.decides[key]
	if time.Since(d.at) < decidersFresh {
		b.mu.Unlock()
		return d.people
	}
	if b.decides == nil {
		b.decides = map[string]deciders{}
	}
	if d.done == nil {
		d.done = make(chan struct{})
		b.decides[key] = d
		go b.readApprovers(ctx, key, a, d.done)
	}
	b.mu.Unlock()
	late := time.NewTimer(wait)
	defer late.Stop()
	select {
	case <-d.done:
	case <-late.C:
	case <-ctx.Done():
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if d = b.decides[key]; time.Since(d.at) < decidersLife {
		return d.people
	}
	return nil
}

func (b *Bot) readApprovers(ctx context.Context, key string, a activation.Activation, done chan struct{}) {
	ctx, cancel := context.WithTimeout(ctx, decidersTime)
	defer cancel()
	settings, err := b.Directory.Settings(ctx, a.Group.ID, a.Access)
	if err != nil {
		settings = a.Settings
	}
	people, err := b.Directory.Approvers(ctx, settings)
	if err != nil {
		b.Log.Warn("the approvers can't be read; nobody new is named", "group", a.Group.ID, "err", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	d := b.decides[key]
	if d.done = nil; err == nil {
		d.people, d.at = append([]activation.Person{}, people...), time.Now()
	}
	b.decides[key] = d
	close(done)
}

// approverNames are those who may decide, groups expanded, as long as it takes
// to read them. None if that can't be done.
func (b *Bot) approverNames(ctx context.Context, a activation.Activation) []string {
	return b.callable(a, b.approversOf(ctx, a, decidersTime))
}

// callable names each person once, if any are known, those first whom Slack can call, and nobody
// who can't decide: neither the requester nor who has agreed already.
func (b *Bot) callable(a activation.Activation, people []activation.Person) []string {
	var named []activation.Person
	for _, p := range people {
		if q, ok := b.People.ByObject(p.Tenant, p.Object); ok {
			p = q
		}
		if !p.Same(a.Person) && !a.Agrees(p) && !slices.ContainsFunc(named, p.Same) {
			named = append(named, p)
		}
	}
	slices.SortStableFunc(named, func(p, q activation.Person) int {
		return strings.Compare(q.Slack.ID, "") - strings.Compare(p.Slack.ID, "")
	})
	if people == nil {
		return nil // not known
	}
	names := []string{}
	for _, p := range named {
		names = append(names, who(p))
	}
	return names
}

// tooFew warns that nobody could approve what is asked for, or fewer than must. It
// waits for no reading: who asks has had them read a moment ago, if that can be done.
func (b *Bot) tooFew(ctx context.Context, a activation.Activation) []string {
	if !a.Settings.NeedsApproval {
		return nil
	}
	people := b.approversOf(ctx, a, 0)
	g, _ := b.group(a.Group.ID)
	if n := len(b.callable(a, people)); people != nil && n < max(1, g.Quorum) {
		return []string{sayTooFew(g, n)}
	}
	return nil
}

// decidersOf are the names for a card that waits for an approver.
func (b *Bot) decidersOf(ctx context.Context, a activation.Activation) []string {
	if a.Phase != activation.AwaitingApproval {
		return nil
	}
	return b.callable(a, b.approversOf(ctx, a, decidersWait))
}
