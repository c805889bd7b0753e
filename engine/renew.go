package engine

import (
	"context"

	"pagbot/activation"
	"pagbot/store"
)

// held keeps the submit of a renewal or switch back until what is before it has
// ended, and refuses it if that will not end.
func (e *Engine) held(ctx context.Context, a activation.Activation, f activation.Effect) (activation.Report, bool, error) {
	if f.Deed != activation.Submit || a.After == "" {
		return activation.Report{}, false, nil
	}
	before, err := e.Load(ctx, a.After)
	if err != nil {
		return activation.Report{}, false, err
	}
	switch wait, no := a.Held(before); {
	case no != nil:
		return activation.Report{Tell: activation.Done{Warrant: f.Warrant, Refusal: no, At: e.Clock.Now()}}, true, nil
	case wait != "":
		return activation.Report{Wait: wait}, true, nil
	}
	return activation.Report{}, false, nil
}

// free lets go what waits for the end of an activation. That it has ended is
// stored by now: who looks from here on sees it.
func (e *Engine) free(ctx context.Context, j store.Job, a activation.Activation) error {
	wait := activation.AtEnd(a.ID)
	e.inHand.release(wait)
	return e.commit(ctx, store.Turn{Done: []store.Job{j}, Release: []string{wait}})
}

// renew tells both activations of a renewal in one commit. If the ask is
// refused, the running one is not told to end.
func (e *Engine) renew(ctx context.Context, r activation.Renewal, f fate) error {
	return e.tellEach(ctx, []told{{r.Ask.ID, r.Ask}, {r.Ask.After, r.Finish}}, true, f)
}
