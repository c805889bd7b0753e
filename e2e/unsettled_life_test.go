package e2e

import (
	"testing"
	"time"

	"pagbot/internal/demo"
)

// TestUnsettledLife: asked for, approved, effective, warned, over and gone.
func TestUnsettledLife(t *testing.T) {
	plays(t, setup{}, func(w *town) {
		if err := w.Person(demo.Requester).OpenHome(); err != nil {
			w.t.Fatal(err)
		}
		w.decides(demo.Approver, w.awaits(), "approve")
		w.sees(demo.Requester, w.mine(demo.Requester), time.Minute, "You have devops-admins")
		w.wholeLife()
		w.oneCard("and gone", "@requester", "devops-admins")
		w.did(map[string]int{"selfActivate": 1, "decide": 1})
		w.closes(true)
	})
}
