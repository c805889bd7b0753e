package e2e

import (
	"strings"
	"testing"
	"time"

	"pagbot/activation"
	"pagbot/internal/demo"
	"pagbot/sim/entra"
)

// doubts are answers that leave it open whether Entra did as it was asked; late
// ones come after it did.
var doubts = map[string]entra.Fault{
	"504 and done":   {Do: entra.DoStatus, Status: 504, Late: true},
	"504, not done":  {Do: entra.DoStatus, Status: 504},
	"500 and done":   {Do: entra.DoStatus, Status: 500, Late: true},
	"hangs and done": {Do: entra.DoHang, Late: true},
	"hangs":          {Do: entra.DoHang},
	"reset and done": {Do: entra.DoReset, Late: true},
	"reset":          {Do: entra.DoReset},
	"cut off":        {Do: entra.DoCut, Late: true},
	"empty and done": {Do: entra.DoEmpty, Late: true},
	"html":           {Do: entra.DoHTML, Late: true},
}

// inDoubt runs a test once for every doubtful answer to one kind of write.
func inDoubt(t *testing.T, method, path string, f func(*town, func())) {
	for _, name := range doubted {
		fault := doubts[name]
		t.Run(name, func(t *testing.T) {
			fault.Method, fault.Path, fault.Times = method, path, 1
			inTown(t, setup{}, func(w *town) { f(w, func() { w.Entra.Inject(fault) }) })
		})
	}
}

// once checks that PIM accepted each of the named writes exactly once, however
// often it was asked.
func (w *town) once(actions ...string) {
	w.t.Helper()
	got := map[string]int{}
	for _, r := range w.Entra.Writes() {
		// A fault that is not late keeps the call from doing anything.
		if r.Status < 400 && r.Fault == "" || r.Fault != "" && r.Status != 0 && r.Status < 400 {
			action := r.Action
			if strings.Contains(r.Path, "/stages/") {
				action = "decide"
			}
			got[action]++
		}
	}
	for _, a := range actions {
		if got[a] != 1 {
			w.t.Errorf("%s was done %d times: %+v", a, got[a], w.Entra.Writes())
		}
	}
}

// TestActivateInDoubt: exactly one activation, whatever Entra's answer was.
func TestActivateInDoubt(t *testing.T) {
	inDoubt(t, "POST", "assignmentScheduleRequests", func(w *town, strike func()) {
		strike()
		w.types(demo.Requester, `/pag activate release-managers 2h "release 42 is stuck"`)
		w.signs(demo.Requester, w.Channel.ID, demo.Releasers)
		w.sees(demo.Requester, w.mine(demo.Requester), 5*time.Minute, "You have release-managers")
		w.wholeLife()
		w.once("selfActivate")
		w.outcome(activation.Expired)
	})
}

// TestApproveInDoubt: exactly one decision.
func TestApproveInDoubt(t *testing.T) {
	inDoubt(t, "PATCH", "/stages/", func(w *town, strike func()) {
		card := w.awaits()
		strike()
		w.decides(demo.Approver, card, "approve")
		w.sees(demo.Requester, w.mine(demo.Requester), 5*time.Minute, "You have devops-admins")
		w.wholeLife()
		w.once("selfActivate", "decide")
		w.outcome(activation.Expired)
	})
}

// TestDeactivateInDoubt: exactly one end.
func TestDeactivateInDoubt(t *testing.T) {
	inDoubt(t, "POST", "assignmentScheduleRequests", func(w *town, strike func()) {
		w.gets(demo.Releasers, "2h")
		w.sees(demo.Requester, w.mine(demo.Requester), time.Hour, "took effect in Azure DevOps")
		strike()
		w.types(demo.Requester, "/pag deactivate")
		w.sees(demo.Requester, w.mine(demo.Requester), 5*time.Minute, "ended at", "ended early")
		w.sees(demo.Requester, w.mine(demo.Requester), 2*time.Hour, "over and gone")
		w.once("selfActivate", "selfDeactivate")
		w.outcome(activation.EndedSoon)
	})
}

// TestEntraDownDuringAsk: Entra answers nothing while somebody asks. They are
// served when it is back, or told.
func TestEntraDownDuringAsk(t *testing.T) {
	for name, away := range map[string]time.Duration{"for seconds": 5 * time.Second, "for long": 2 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			inTown(t, setup{}, func(w *town) {
				w.pass(time.Minute) // what was read at the start is stale
				back := w.Entra.Inject(entra.Fault{Do: entra.DoStatus, Status: 503})
				w.types(demo.Requester, `/pag activate vault-readers 2h "rotate keys"`)
				w.pass(away)
				back()
				if away > time.Minute {
					w.sees(demo.Requester, w.Channel.ID, 2*time.Minute, "Entra doesn't answer at the moment", "Try again in a few minutes")
					w.types(demo.Requester, `/pag activate vault-readers 2h "rotate keys"`)
				}
				w.signs(demo.Requester, w.Channel.ID, demo.Vault)
				w.sees(demo.Requester, w.mine(demo.Requester), 2*time.Minute, "You have vault-readers")
				w.wrote(map[string]int{"selfActivate": 1})
			})
		})
	}
}

// TestEntraDownAtDeed: Entra is away when the confirmed deed is to be done, and
// comes back within the warrant's life.
func TestEntraDownAtDeed(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		w.types(demo.Requester, `/pag activate release-managers 2h "release 42 is stuck"`)
		ask := w.sees(demo.Requester, w.Channel.ID, time.Minute, "Confirm in browser")
		back := w.Entra.Inject(entra.Fault{Path: "/v1.0/", Do: entra.DoStatus, Status: 503})
		t.Log(w.confirms(demo.Requester, w.browser(), w.link(ask)))
		w.pass(3 * time.Minute)
		back()
		w.sees(demo.Requester, w.mine(demo.Requester), 5*time.Minute, "You have release-managers")
		w.wholeLife()
		w.once("selfActivate")
		w.outcome(activation.Expired)
	})
}

// TestEntraThrottles: a 429 with Retry-After on the write is waited out.
func TestEntraThrottles(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		w.Entra.Inject(entra.Fault{Method: "POST", Path: "assignmentScheduleRequests", Do: entra.DoStatus, Status: 429, RetryAfter: "30", Times: 2})
		w.types(demo.Requester, `/pag activate release-managers 2h "release 42 is stuck"`)
		w.signs(demo.Requester, w.Channel.ID, demo.Releasers)
		w.sees(demo.Requester, w.mine(demo.Requester), 3*time.Minute, "You have release-managers")
		for _, r := range w.Entra.History() {
			if r.Early {
				t.Errorf("came before the time that it was told: %s %s", r.Method, r.Path)
			}
		}
		w.once("selfActivate")
	})
}
