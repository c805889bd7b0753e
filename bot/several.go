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
	for i, g := range all {
		for _, h := range all[:i] {
			if g.excludes(h.ID) {
				return nil, complaint(sayTogether(h.Name, g.Name))
			}
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

// choice is one of the things that one ask is for.
type choice struct {
	group  Group
	access activation.Access
	who    someone // with the account that was chosen, or all that may be meant
}

// choices are what an order is for: as typed, or as chosen in the form.
func (b *Bot) choices(o *order, s someone) (all []choice, err error) {
	if o.chosen == nil {
		groups, err := b.groupsOf(o)
		for _, g := range groups {
			all = append(all, choice{g, o.access, s})
		}
		return all, err
	}
	for i, value := range o.chosen {
		if slices.Contains(o.chosen[:i], value) {
			continue
		}
		id, access, who := chosen(value, s)
		g, ok := b.group(id)
		if !ok {
			return nil, complaint(sayFormNoGroup)
		}
		all = append(all, choice{g, access, who})
	}
	if len(o.chosen) == 0 || len(o.chosen) > severalMost {
		return nil, complain(saySeveralMost, severalMost)
	}
	return all, nil
}

// of is an order as it goes for one choice.
func (o order) of(c choice) order {
	o.access = c.access
	return o
}

// askAll asks for several groups at once: each is an activation of its own, and
// those that nothing forbids are confirmed with one sign-in.
func (b *Bot) askAll(ctx context.Context, k activation.Kept, reply string, o order, choices []choice, s someone) (string, activation.Input, error) {
	all := make(activation.Asks, len(choices))
	work, inner := errgroup.WithContext(ctx)
	for i, c := range choices {
		work.Go(func() (err error) { all[i], err = b.gather(inner, o.of(c), c.group, c.who, k.At); return err })
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
		if !b.SignIn.Kept(ctx, p) {
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

// batch loads what was asked for together, as it stands now; of one ask only
// itself.
func (b *Bot) batch(ctx context.Context, a activation.Activation) []activation.Activation {
	if len(a.Batch) == 0 {
		return []activation.Activation{a}
	}
	var all []activation.Activation
	for _, id := range a.Batch {
		other := a
		if id != a.ID {
			var err error
			if other, err = b.Engine.Load(ctx, id); err != nil || other.ID == "" {
				b.Log.Warn("one of a batch can't be read", "activation", id, "err", err)
				continue
			}
		}
		all = append(all, other)
	}
	return all
}

// together are those of a batch that PIM has not been asked for yet, and the
// warrants that wait for a sign-in.
func (b *Bot) together(ctx context.Context, a activation.Activation) ([]activation.Activation, []activation.Warrant) {
	var all []activation.Activation
	var warrants []activation.Warrant
	for _, other := range b.batch(ctx, a) {
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
func (b *Bot) askedTogether(ctx context.Context, a activation.Activation) (message, bool) {
	all, warrants := b.together(ctx, a)
	if len(all) == 0 {
		return message{}, false
	}
	if len(warrants) > 0 && b.SignIn != nil {
		return linked(saySignForAll(all, warrants[0].Expires)+b.surprises(ctx, all...), sayConfirm, b.SignIn.Link(warrants[0], warrants[1:]...), a.ID), true
	}
	return plain(sayAskedAll(all) + b.surprises(ctx, all...)), true
}
