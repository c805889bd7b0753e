package engine

import (
	"context"
	"slices"

	"pagbot/activation"
)

// A target that lets a person in does not say because of which activation. So
// what another one opened there before is no standing access, and at the end of
// one the other may be why it still lets them in. Whichever ends last is watched
// until the access is gone.

// owing marks in what begins an activation the targets that another activation
// of the same person has opened.
func (e *Engine) owing(ctx context.Context, in activation.Input) (_ activation.Input, err error) {
	switch q := in.(type) {
	case activation.Ask:
		q.Facts.Targets, err = e.owed(ctx, q.Person, q.Facts.Targets)
		return q, err
	case activation.Notice:
		q.Targets, err = e.owed(ctx, q.Person, q.Targets)
		return q, err
	}
	return in, nil
}

func (e *Engine) owed(ctx context.Context, p activation.Person, targets []activation.Target) ([]activation.Target, error) {
	all, err := e.Find(ctx, "person:"+account(p))
	targets = slices.Clone(targets)
	for i, t := range targets {
		targets[i].Owed = slices.ContainsFunc(all, func(o activation.Activation) bool { return o.Opens(t.ID) })
	}
	return targets, err
}

// overlaps tells an activation that has ended which of its targets another one
// of the same person opens as well, and longer.
func (e *Engine) overlaps(ctx context.Context, a activation.Activation) error {
	if a.Phase != activation.Verifying {
		return nil
	}
	all, err := e.Find(ctx, "person:"+account(a.Person))
	if err != nil {
		return err
	}
	for _, t := range a.Targets {
		i := slices.IndexFunc(all, func(o activation.Activation) bool {
			return o.ID != a.ID && o.Opens(t.ID) && (o.Ended.IsZero() || o.Ended.After(a.Ended))
		})
		if t.Removal.Settled() || i < 0 {
			continue
		}
		if _, err := e.Tell(ctx, a.ID, activation.Overlap{Target: t.ID, By: all[i].Group}); err != nil {
			return err
		}
	}
	return nil
}
