package bot

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"pagbot/activation"
)

// Preset is a name for groups that are often asked for together.
type Preset struct {
	Name   string
	Groups []string
	Length time.Duration // zero: as said, or the usual
}

// severalMost is how many groups one ask may name.
const severalMost = 10

// groupsOf finds the groups that an order names: one, several with commas, or a
// preset. What it does not know is a complaint: nothing at all is asked then.
func (b *Bot) groupsOf(o *order) ([]Group, error) {
	names := strings.FieldsFunc(o.group, func(r rune) bool { return r == ',' })
	if i := slices.IndexFunc(b.Presets, func(p Preset) bool { return strings.EqualFold(p.Name, o.group) }); i >= 0 {
		names = b.Presets[i].Groups
		if o.length == 0 && o.until == "" {
			o.length = b.Presets[i].Length
		}
	}
	var all []Group
	for _, n := range names {
		g, closest := b.named(strings.TrimSpace(n))
		if g == nil {
			return nil, complaint(sayUnknownGroup(n, closest))
		}
		if !slices.ContainsFunc(all, func(h Group) bool { return h.ID == g.ID }) {
			all = append(all, *g)
		}
	}
	switch {
	case len(all) == 0:
		return nil, complaint(sayUnknownGroup(o.group, ""))
	case len(all) > severalMost:
		return nil, complain(saySeveralMost, severalMost)
	}
	return all, nil
}

// askAll asks for several groups at once: each is an activation of its own, and
// those that nothing forbids are confirmed with one sign-in.
func (b *Bot) askAll(ctx context.Context, k activation.Kept, reply string, o order, groups []Group, s someone) (string, activation.Input, error) {
	all := make(activation.Asks, len(groups))
	work, inner := errgroup.WithContext(ctx)
	for i, g := range groups {
		work.Go(func() (err error) { all[i], err = b.gather(inner, o, g, s, k.At); return err })
	}
	if err := work.Wait(); err != nil {
		return "", nil, err
	}
	for i := range all {
		part := b.part(k, i)
		all[i].ID, all[i].Tag, all[i].Reply = derive("ask", part.ID, 10), strings.ToUpper(derive("tag", part.ID, 4)), reply
	}
	b.bundle(ctx, all, k.At, s)
	for i, q := range all {
		all[i].Warrant = b.mint(b.part(k, i), asked(q), activation.Submit, "", q.Person, q.Warrant.Proof)
	}
	return "", all, nil
}

// part is an envelope's share of one of several asks: a warrant is of one deed.
func (b *Bot) part(k activation.Kept, i int) activation.Kept {
	k.ID = fmt.Sprintf("%s/%d", k.ID, i+1)
	return k
}

// bundle puts together what one sign-in confirms: the asks of one account that
// nothing forbids, with the strongest proof that one of them needs. Without a
// kept session all of them are confirmed at once, too.
func (b *Bot) bundle(ctx context.Context, all activation.Asks, now time.Time, s someone) {
	for _, p := range s.accounts {
		var ids []string
		proof := activation.Session
		if kept, _, ok := b.SignIn.SignedIn(ctx, s.slack); !ok || !kept.SameAccount(p) {
			proof = activation.Fresh
		}
		mine := func(q activation.Ask) bool {
			return q.Person.SameAccount(p) && activation.Judge(q, q.Facts, now).Refusal() == nil
		}
		for _, q := range all {
			if mine(q) {
				ids = append(ids, q.ID)
				if q.Warrant.Proof == activation.Fresh {
					proof = activation.Fresh
				}
			}
		}
		if len(ids) < 2 {
			continue
		}
		for i := range all {
			if mine(all[i]) {
				all[i].Batch, all[i].Warrant.Proof = ids, proof
			}
		}
	}
}

// together loads what was asked for in one batch and still waits for a sign-in:
// the activation itself first, and their warrants.
func (m *Mouth) together(ctx context.Context, a activation.Activation) ([]activation.Activation, []activation.Warrant) {
	var all []activation.Activation
	var warrants []activation.Warrant
	for _, id := range a.Batch {
		other := a
		if id != a.ID {
			var err error
			if other, err = m.Engine.Load(ctx, id); err != nil || other.ID == "" {
				m.Log.Warn("one of a batch can't be read", "activation", id, "err", err)
				continue
			}
		}
		if other.Phase != activation.Asked {
			continue
		}
		all = append(all, other)
		for _, d := range other.Deeds {
			if d.Warrant.Deed == activation.Submit && d.Needs {
				warrants = append(warrants, d.Warrant)
			}
		}
	}
	return all, warrants
}

// askedTogether says how a batch stands, with one link for all of it.
func (m *Mouth) askedTogether(ctx context.Context, a activation.Activation) (message, bool) {
	all, warrants := m.together(ctx, a)
	if len(all) == 0 {
		return message{}, false
	}
	if len(warrants) > 0 && m.SignIn != nil {
		return linked(saySignForAll(all, warrants[0].Expires)+m.surprises(ctx, all...), sayConfirm, m.SignIn.Link(warrants[0], warrants[1:]...)), true
	}
	return plain(sayAskedAll(all) + m.surprises(ctx, all...)), true
}
