package graph

import (
	"context"
	"time"

	"pagbot/activation"
)

// PIM activates nothing anew while it still shows what was deactivated: 12 s in
// the one sample there is. A renewal waits for exactly that, and no longer.
const (
	roomSoon = time.Second     // between looks at first
	roomMost = 3 * time.Minute // then something else is active
)

// occupied keeps a renewal from being submitted while PIM shows the activation
// that it renews: the read costs nothing, a refused request stands in the audit.
func (t *attempt) occupied(ctx context.Context) (activation.Report, bool) {
	if t.w.Deed != activation.Submit || !t.a.Renews() {
		return activation.Report{}, false
	}
	i, err := t.reader.instanceOf(ctx, t.a)
	if err != nil {
		return t.later(err), true
	}
	if i == nil {
		return activation.Report{}, false
	}
	return t.makesRoom(nil)
}

// makesRoom lets a renewal wait until PIM has forgotten what it renews.
func (t *attempt) makesRoom(cause error) (activation.Report, bool) {
	if !t.a.Renews() {
		return activation.Report{}, false
	}
	if t.mem.Since.IsZero() {
		t.mem.Since = t.now
	}
	waited := t.now.Sub(t.mem.Since)
	if waited > roomMost {
		return activation.Report{}, false
	}
	r := t.later(cause)
	if r.After, r.Again = 0, t.now.Add(roomSoon); waited > readLag {
		r.Again = t.now.Add(lookSoon)
	}
	return r, true
}
