package bot

import (
	"context"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"pagbot/activation"
)

// ask gathers the facts for an ask. Whether they suffice is for Decide to say.
func (b *Bot) ask(ctx context.Context, k activation.Kept, reply string, o order, s someone, say teller) (string, activation.Input, error) {
	choices, err := b.choices(&o, s)
	if err == nil {
		err = fits(o.reason, o.ticket)
	}
	if err != nil {
		return "", nil, say(plain(err.Error()))
	}
	if len(choices) > 1 {
		return b.askAll(ctx, k, reply, o, choices, s)
	}
	one := choices[0]
	q, err := b.gather(ctx, o.of(one), one.group, one.who, k.At)
	if err != nil {
		return "", nil, err
	}
	q.ID, q.Tag, q.Reply = derive("ask", k.ID, 10), strings.ToUpper(derive("tag", k.ID, 4)), reply
	q.Warrant = b.mint(k, asked(q), activation.Submit, "", q.Person, q.Warrant.Proof)
	return q.ID, q, nil
}

// gather makes an ask of an order and of what PIM knows. Its warrant is not
// minted yet: it only says which proof it will need.
func (b *Bot) gather(ctx context.Context, o order, g Group, s someone, now time.Time) (activation.Ask, error) {
	facts, p, err := b.facts(ctx, g, o.access, s)
	if err != nil {
		return activation.Ask{}, err
	}
	q := b.wanted(o, g, facts.Settings, now, s.zone)
	facts.TicketUnfit, facts.TicketForm = q.Facts.TicketUnfit, q.Facts.TicketForm
	if err := b.rivals(ctx, &facts, g, s); err != nil {
		return activation.Ask{}, err
	}
	q.Person, q.Facts = p, facts
	q.Warrant.Proof = activation.ProofFor(activation.Submit, q.Access, facts.Settings, g.Proof)
	if g.CheckTicket != nil {
		q.Facts.Checked = b.checkedTicket(ctx, g, q, now)
	}
	return q, nil
}

// checkedTicket asks the ticket system about an ask that nothing else forbids:
// it must not tell of tickets to who may not ask.
func (b *Bot) checkedTicket(ctx context.Context, g Group, q activation.Ask, now time.Time) *activation.Checked {
	var c activation.Checked
	if activation.Judge(q, q.Facts, now).Refusal() == nil {
		if c = g.CheckTicket(ctx, q.Ticket); c.Says == activation.CantTell {
			b.Log.Warn("the ticket system does not tell", "group", g.Name, "why", c.Why, "allowed", c.Lax)
		}
	}
	return &c
}

// asked is the activation that an ask is about to begin, as far as its terms go.
func asked(q activation.Ask) activation.Activation {
	return activation.Activation{Person: q.Person, Group: q.Group, Access: q.Access, Length: activation.Duration(q.Length), Until: q.Until, Start: q.Start,
		Reason: q.Reason, Ticket: q.Ticket, After: q.After, Leaves: q.Leaves, Settings: q.Facts.Settings}
}

// usual is the length when none was said: an hour, or less if PIM allows less.
func usual(s activation.Settings) time.Duration {
	if limit := time.Duration(s.Max); limit > 0 {
		return min(time.Hour, limit)
	}
	return time.Hour
}

// mint makes the warrant of one deed, the same for the same envelope.
func (b *Bot) mint(k activation.Kept, a activation.Activation, d activation.Deed, reason string, by activation.Person, proof activation.Proof) activation.Warrant {
	expires := k.At.Add(b.World(warrantLife))
	if d == activation.End && a.Ends.After(expires) {
		expires = a.Ends
	}
	return b.mintUntil(expires, k, a, d, reason, by, proof)
}

func (b *Bot) mintUntil(expires time.Time, k activation.Kept, a activation.Activation, d activation.Deed, reason string, by activation.Person, proof activation.Proof) activation.Warrant {
	return b.SignIn.Mint(activation.Warrant{Actor: by, Deed: d, Digest: a.Terms(d, reason).Digest(), Proof: proof, Envelope: k.ID, Clicked: k.At, Expires: expires})
}

// facts reads what PIM knows of each of the person's accounts, all at once, and
// takes the account that the ask is made with.
func (b *Bot) facts(ctx context.Context, g Group, access activation.Access, s someone) (activation.Facts, activation.Person, error) {
	all := make([]activation.Facts, len(s.accounts))
	var settings activation.Settings
	work, inner := errgroup.WithContext(ctx)
	work.Go(func() (err error) {
		if settings, err = b.Directory.Settings(inner, g.ID, access); err == nil && settings.NeedsApproval {
			b.approversOf(inner, activation.Activation{Group: g.Group, Access: access, Settings: settings}, decidersWait) // for the card
		}
		return err
	})
	for i, p := range s.accounts {
		f := &all[i]
		f.Targets, f.Lead, f.Remind, f.Quorum = g.Targets[access], g.Lead, g.Remind, g.Quorum
		work.Go(func() error { return b.eligible(inner, f, g, access, p) })
		work.Go(func() error { return b.running(inner, f, g, access, p) })
		work.Go(func() error { return b.waiting(inner, f, g, access, p) })
	}
	if err := work.Wait(); err != nil {
		return activation.Facts{}, activation.Person{}, err
	}
	i, err := b.ableWith(ctx, g, access, s, all)
	all[i].Settings = settings
	return all[i], s.accounts[i], err
}

func (b *Bot) eligible(ctx context.Context, f *activation.Facts, g Group, access activation.Access, p activation.Person) error {
	list, err := b.Directory.Eligible(ctx, p)
	best := -1
	for _, e := range list {
		if e.Access == access && strings.EqualFold(e.Group.ID, g.ID) {
			f.Eligible = true
		}
		other, ok := b.group(e.Group.ID)
		if d := distance(other.Name, g.Name); ok && (best < 0 || d < best) {
			best, f.Closest = d, other.Name
		}
	}
	return err
}

func (b *Bot) running(ctx context.Context, f *activation.Facts, g Group, access activation.Access, p activation.Person) error {
	list, err := b.Directory.InstancesOf(ctx, g.ID, p.Object)
	for _, i := range list {
		if i.Access == access {
			switch {
			case i.Ends.IsZero():
				f.Active = forever // assigned, not activated
			case i.Ends.After(b.Now()): // else PIM has not forgotten it yet
				f.Active = i.Ends
			}
		}
	}
	return err
}

func (b *Bot) waiting(ctx context.Context, f *activation.Facts, g Group, access activation.Access, p activation.Person) error {
	list, err := b.Directory.RequestsOf(ctx, g.ID, p.Object)
	for _, r := range list {
		switch k := r.Kind(); {
		case r.Access != access:
		case k == activation.AtApproval || k == activation.InFuture:
			f.Pending = true
		case k == activation.SaidNo || k == activation.CalledOff:
			f.Vain = append(f.Vain, r.Created)
		}
	}
	return err
}

// named finds a group by name, alias or id; else it names the closest, if one
// is at all like what was typed.
func (b *Bot) named(typed string) (*Group, string) {
	best, closest := -1, ""
	for i, g := range b.Groups {
		for _, n := range append([]string{g.Name, g.ID}, g.Aliases...) {
			if strings.EqualFold(n, strings.TrimPrefix(typed, "#")) {
				return &b.Groups[i], ""
			}
			if d := distance(n, typed); alike(n, typed, d) && (best < 0 || d < best) {
				best, closest = d, g.Name
			}
		}
	}
	return nil, closest
}
