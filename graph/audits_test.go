package graph

import (
	"testing"
	"time"

	"pagbot/activation"
	"pagbot/sim/entra"
)

// elsewhere is an activation on which somebody decided in Entra.
func (w *world) elsewhere(by entra.User, approve bool) activation.Activation {
	w.t.Helper()
	a := w.awaiting()
	pass(10 * time.Minute)
	w.must(w.Portal(by.ID).Decide(a.Request.ID, approve, "in the portal"))
	a, _ = w.watched(a, func(a activation.Activation) bool { return a.Decision != nil })
	return a
}

// learned asks the audit log as the engine would, for an hour at most.
func (w *world) learned(a activation.Activation) (_ activation.Activation, looks int) {
	w.t.Helper()
	hand, e := NewAudits(w.reader), activation.Effect{Kind: activation.WatchWho}
	for activation.Wants(a, e, time.Now()) {
		looks++
		r := hand.Do(w.t.Context(), a, e)
		if a = w.tell(a, r.Tell); r.Finished() {
			break
		}
		pass(max(time.Until(r.Again), r.After, time.Second))
	}
	return a, looks
}

// TestAuditsNameTheDecider: the log tells minutes later who it was, however it
// calls things; an approval of another request is not taken for it.
func TestAuditsNameTheDecider(t *testing.T) {
	for name, turn := range map[string]func(*entra.Dials){
		"as published":         func(*entra.Dials) {},
		"of groups":            func(d *entra.Dials) { d.AuditsSayGroup = true },
		"without the request":  func(d *entra.Dials) { d.AuditNoRequest = true },
		"a quarter of an hour": func(d *entra.Dials) { d.AuditDelay = 15 * time.Minute },
		"in odd cases":         func(d *entra.Dials) { d.Pascal = true },
	} {
		for _, approve := range []bool{true, false} {
			inWorld(t, func(t *testing.T, w *world) {
				w.must(w.ChangeApp(w.readerApp.ID, func(a *entra.App) { a.Roles = append(a.Roles, "AuditLog.Read.All") }))
				w.Turn(turn)
				a, looks := w.learned(w.elsewhere(w.second, approve))
				if a.Decision.By.Object != w.second.ID || a.Decision.By.Name != w.second.UPN || a.Decision.Approve != approve {
					t.Errorf("%s, %v: %+v after %d looks", name, approve, a.Decision, looks)
				}
			})
		}
	}
}

// TestAuditsWithoutPermission: a reader that may not read the log asks once, and
// nothing is said.
func TestAuditsWithoutPermission(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		if a, looks := w.learned(w.elsewhere(w.second, true)); looks != 1 || a.Decision.By.Object != "" {
			t.Errorf("%d looks, by %+v", looks, a.Decision.By)
		}
	})
}
