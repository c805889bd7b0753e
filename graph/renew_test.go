package graph

import (
	"testing"
	"time"

	"pagbot/activation"
	"pagbot/sim/entra"
)

// renews is a renewal of what has just been ended, and when that was.
func (w *world) renews() (activation.Activation, time.Time) {
	a := w.active()
	pass(10 * time.Minute)
	a, _ = w.through(w.finishing(a, activation.End))
	if a.Outcome != activation.EndedSoon {
		w.t.Fatalf("not ended: %s", a.Phase)
	}
	return w.asked(func(q *activation.Ask) { q.ID, q.Tag, q.After = "next", "NEXT", a.ID }), a.Ended
}

// A renewal is sent once, within two seconds of when PIM takes it, however long
// PIM needs to forget what was ended.
func TestRenewalFillsTheGap(t *testing.T) {
	for _, forgets := range []time.Duration{0, 12 * time.Second, 50 * time.Second} {
		inWorld(t, func(t *testing.T, w *world) {
			w.Turn(func(d *entra.Dials) { d.Reactivate = forgets })
			a, ended := w.renews()
			before := len(w.Writes())
			a, _ = w.through(a)
			sent := w.Writes()[before:]
			if len(sent) != 1 || !did(sent[0]) || a.Request.ID == "" {
				t.Fatalf("PIM forgets in %s: %d writes, %s %v", forgets, len(sent), a.Phase, a.Refusal)
			}
			slack := 2 * time.Second
			if forgets > readLag {
				slack = lookSoon + time.Second
			}
			if gap := a.Request.Created.Sub(ended); gap < forgets-time.Second || gap > forgets+slack {
				t.Errorf("PIM forgets in %s, and it was sent after %s", forgets, gap)
			}
		})
	}
}

// What stays active is another one, made in the portal meanwhile: the renewal
// does not wait for its end, and says until when it is.
func TestRenewalMeetsAnother(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, _ := w.renews()
		pass(20 * time.Second)
		_, err := w.Portal(w.requester.ID).Activate(w.group.ID, "member", 2*time.Hour, "portal")
		w.must(err)
		pass(5 * time.Second)
		began := time.Now()
		a, _ = w.through(a)
		if a.Refusal == nil || a.Refusal.Code != activation.AlreadyActive || a.Refusal.Until.IsZero() {
			t.Errorf("%s %+v", a.Phase, a.Refusal)
		}
		if took := time.Since(began); took < roomMost || took > roomMost+lookSoon+time.Second {
			t.Errorf("refused after %s", took)
		}
	})
}
