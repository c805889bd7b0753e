package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"pagbot/activation"
)

const (
	// readLag is how long PIM's reads may show what is over, or not what is new.
	readLag = 30 * time.Second
	// forgets is how long PIM may show what was left in a switch; then it is
	// something else.
	forgets = 3 * time.Minute
)

// excludes are the groups that nobody must have beside this one.
func (e *Engine) excludes(group string) (all []Watched) {
	i := slices.IndexFunc(e.Groups, func(g Watched) bool { return strings.EqualFold(g.Group.ID, group) })
	if i < 0 {
		return nil
	}
	for _, g := range e.Groups {
		if slices.ContainsFunc(e.Groups[i].Excludes, func(id string) bool { return strings.EqualFold(id, g.Group.ID) }) {
			all = append(all, g)
		}
	}
	return all
}

// barred is the last look before a deed that gives access: what excludes it must
// be neither with us nor with PIM, which may know of it from elsewhere.
func (e *Engine) barred(ctx context.Context, a activation.Activation, f activation.Effect) (activation.Report, bool, error) {
	others := e.excludes(a.Group.ID)
	if len(others) == 0 || f.Deed != activation.Submit && f.Deed != activation.Approve {
		return activation.Report{}, false, nil
	}
	rival, err := e.rival(ctx, a, f.Deed, others)
	if err == nil && rival == nil {
		var now time.Time
		if rival, now, err = e.granted(ctx, a, f.Deed, others); err != nil {
			return activation.Report{Again: e.in(5 * time.Second), Err: fmt.Errorf("whether what excludes it is active: %w", err)}, true, nil
		}
		if rival != nil && f.Deed == activation.Submit && e.lingers(ctx, a, *rival, now) {
			return activation.Report{Again: e.in(time.Second)}, true, nil
		}
	}
	if err != nil || rival == nil {
		return activation.Report{}, false, err
	}
	no := rival.Excludes()
	return activation.Report{Tell: activation.Done{Warrant: f.Warrant, Refusal: &no, At: e.Clock.Now()}}, true, nil
}

// rival finds what excludes a among our own: what PIM has, or is being sent.
func (e *Engine) rival(ctx context.Context, a activation.Activation, d activation.Deed, others []Watched) (*activation.Activation, error) {
	open, err := e.Find(ctx, "open")
	if err != nil {
		return nil, err
	}
	for _, o := range open {
		if o.ID == a.ID || !o.Person.Same(a.Person) || !among(others, o.Group.ID) || !a.Meets(o, e.Clock.Now()) {
			continue
		}
		counts := true
		switch o.Phase {
		case activation.Verifying:
			continue
		case activation.Asked:
			counts, err = e.sent(ctx, o)
		case activation.AwaitingApproval:
			if d == activation.Approve { // of two that wait, the first may be approved
				counts, err = e.sent(ctx, o)
			}
		}
		if err != nil || counts {
			return &o, err
		}
	}
	return nil, nil
}

// granted finds what excludes a in PIM, and says when that was read.
func (e *Engine) granted(ctx context.Context, a activation.Activation, d activation.Deed, others []Watched) (*activation.Activation, time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, handTime)
	defer cancel()
	now := e.Clock.Now()
	for _, g := range others {
		instances, err := e.PIM.Instances(ctx, g.Group.ID)
		if err != nil {
			return nil, now, err
		}
		requests, err := e.PIM.Requests(ctx, g.Group.ID)
		if err != nil {
			return nil, now, err
		}
		for _, n := range notices(g, instances, requests, now) {
			o := e.shown(n, now)
			waits := o.Phase == activation.AwaitingApproval && d == activation.Approve
			if !waits && o.Person.Same(a.Person) && a.Meets(o, now) {
				return &o, now, nil
			}
		}
	}
	return nil, now, nil
}

// lingers reports whether what PIM shows is what was left for a, and is over: its
// reads lag.
func (e *Engine) lingers(ctx context.Context, a, shown activation.Activation, now time.Time) bool {
	left, err := e.Load(ctx, a.After)
	if err != nil || a.After == "" || left.Key() != shown.Key() {
		return false
	}
	over := left.Ended
	if over.IsZero() {
		over = left.ClosedAt // withdrawn
	}
	return !over.IsZero() && !shown.From.After(over) && now.Before(over.Add(forgets))
}

// shown is what PIM shows, as the activation that it would be noticed as.
func (e *Engine) shown(n activation.Notice, now time.Time) activation.Activation {
	a := activation.Apply(activation.Activation{}, activation.EvNoticed{Person: n.Person, Group: n.Group, Access: n.Access, Request: n.Request,
		From: n.Instance.From, Ends: n.Instance.Ends, At: now})
	if e.Named != nil {
		a = e.Named(a)
	}
	return a
}

// clashes tells activations that are active at once and exclude each other:
// somebody went round the rule, elsewhere.
func (e *Engine) clashes(ctx context.Context) error {
	if !slices.ContainsFunc(e.Groups, func(g Watched) bool { return len(g.Excludes) > 0 }) {
		return nil
	}
	open, err := e.Find(ctx, "open")
	if err != nil {
		return err
	}
	// What is older than PIM's reads lag, and still shown, was there together.
	now := e.Clock.Now()
	open = slices.DeleteFunc(open, func(a activation.Activation) bool {
		runs := a.Phase == activation.Active || a.Phase == activation.Ending
		return !runs || now.Before(a.From.Add(readLag)) || !a.Ends.IsZero() && !now.Before(a.Ends)
	})
	for _, a := range open {
		others := e.excludes(a.Group.ID)
		for _, o := range open {
			if !among(others, o.Group.ID) || !o.Person.Same(a.Person) || strings.EqualFold(a.Clash.ID, o.Group.ID) {
				continue
			}
			there, err := e.there(ctx, a, o)
			if err == nil && there {
				_, err = e.Tell(ctx, a.ID, activation.Clash{With: o.Group})
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// there reports whether PIM grants all of these now.
func (e *Engine) there(ctx context.Context, all ...activation.Activation) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, handTime)
	defer cancel()
	for _, a := range all {
		instances, err := e.PIM.Instances(ctx, a.Group.ID)
		if err != nil || !slices.ContainsFunc(instances, func(i activation.Instance) bool {
			return i.Access == a.Access && i.Person.SameAccount(a.Person)
		}) {
			return false, err
		}
	}
	return true, nil
}

func among(groups []Watched, id string) bool {
	return slices.ContainsFunc(groups, func(g Watched) bool { return strings.EqualFold(g.Group.ID, id) })
}
