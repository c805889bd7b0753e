package e2e

import (
	"maps"
	"strings"
	"testing"
	"time"

	"pagbot/internal/demo"
	"pagbot/sim/entra"
)

// TestLapsedByOutage: what a person wants, and a kept session is enough for, is
// not done in its time because Entra takes nothing. They read that, and not that
// it was they who did not confirm it; and it is not done later.
func TestLapsedByOutage(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		r, dm := demo.Requester, w.mine(demo.Requester)
		during := func(command string) {
			back := w.Entra.Inject(entra.Fault{Method: "POST", Path: "assignmentScheduleRequests", Do: entra.DoStatus, Status: 503})
			w.types(r, command)
			w.pass(20 * time.Minute)
			back()
		}
		late := "It was not done in time, so I stopped trying; Entra has not taken it"
		w.keepsSession(r)
		during(`/pag activate release-managers 1h "release 42"`)
		w.sees(r, w.Channel.ID, time.Minute, "release-managers: "+late)
		w.awaits()
		w.keepsSession(r)
		during(`/pag deactivate devops-admins`)
		w.sees(r, dm, time.Minute, "I could not withdraw your request for devops-admins. "+late)
		w.pass(10 * time.Minute)
		if text := w.read(r, w.Channel.ID) + w.read(r, dm); strings.Contains(text, "didn't confirm") {
			t.Error(text)
		}
		w.took(map[string]int{"selfActivate": 1})
	})
}

// took checks what Entra took; what it refused does not count.
func (w *town) took(want map[string]int) {
	w.t.Helper()
	got := map[string]int{}
	for _, r := range w.Entra.Writes() {
		if r.Status < 400 {
			got[r.Action]++
		}
	}
	if !maps.Equal(got, want) {
		w.t.Errorf("Entra took %v, want %v", got, want)
	}
}
