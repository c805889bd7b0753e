package graph

import (
	"fmt"
	"testing"
	"time"

	"pagbot/activation"
	"pagbot/sim/entra"
)

// Every write is tested both ways: it failed and was not done, and it failed
// but was done. Either way PIM ends with exactly one of it.

var badAnswers = []entra.Fault{
	{Do: entra.DoHang}, {Do: entra.DoReset}, {Do: entra.DoCut}, {Do: entra.DoHTML}, {Do: entra.DoEmpty},
	{Do: entra.DoStatus, Status: 503}, {Do: entra.DoStatus, Status: 504}, {Do: entra.DoStatus, Status: 500},
	{Do: entra.DoBare, Status: 500}, {Do: entra.DoString, Status: 503}, {Do: entra.DoNoMessage, Status: 502},
}

func eachBadAnswer(t *testing.T, method, path string, test func(*testing.T, *world, func())) {
	for _, f := range badAnswers {
		for _, late := range []bool{false, true} {
			if f.Do == entra.DoCut && !late {
				continue // nothing to break off
			}
			for _, lag := range []time.Duration{0, 20 * time.Second} {
				t.Run(fmt.Sprintf("%s%d/done=%v/lag=%v", f.Do, f.Status, late, lag), func(t *testing.T) {
					inWorld(t, func(t *testing.T, w *world) {
						test(t, w, func() {
							w.Turn(func(d *entra.Dials) { d.ReadLag = lag })
							f.Method, f.Path, f.Late, f.Times = method, path, late, 1
							w.Inject(f)
						})
					})
				})
			}
		}
	}
}

func TestUnsureSubmit(t *testing.T) {
	eachBadAnswer(t, "POST", "assignmentScheduleRequests", func(t *testing.T, w *world, arm func()) {
		a := w.asked()
		arm()
		a, all := w.through(a)
		if a.Request.ID == "" || !all[0].Unsure {
			t.Errorf("phase %s after %+v", a.Phase, all)
		}
		if n := w.creates("selfActivate"); n != 1 {
			t.Errorf("%d activations", n)
		}
	})
}

func TestUnsureEnd(t *testing.T) {
	eachBadAnswer(t, "POST", "assignmentScheduleRequests", func(t *testing.T, w *world, arm func()) {
		a := w.active()
		pass(10 * time.Minute)
		a = w.finishing(a, activation.End)
		arm()
		a, all := w.through(a)
		if a.Outcome != activation.EndedSoon || !all[0].Unsure {
			t.Errorf("outcome %q after %+v", a.Outcome, all)
		}
		if n := w.creates("selfDeactivate"); n != 1 {
			t.Errorf("%d deactivations", n)
		}
	})
}

func TestUnsureCancel(t *testing.T) {
	eachBadAnswer(t, "POST", "/cancel", func(t *testing.T, w *world, arm func()) {
		a := w.finishing(w.awaiting(), activation.Cancel)
		arm()
		a, all := w.through(a)
		if a.Outcome != activation.Withdrawn {
			t.Errorf("outcome %q after %+v", a.Outcome, all)
		}
	})
}

func TestUnsureDecision(t *testing.T) {
	for _, approve := range []bool{true, false} {
		t.Run(fmt.Sprintf("approve=%v", approve), func(t *testing.T) {
			eachBadAnswer(t, "PATCH", "/stages/", func(t *testing.T, w *world, arm func()) {
				a := w.awaiting()
				pass(time.Minute) // so that a lagging read knows the request
				a = w.voted(a, approve, w.approver)
				arm()
				a, all := w.through(a)
				if a.Decision == nil || a.Decision.Approve != approve || a.Decision.By.Object != w.approver.ID {
					t.Errorf("decision %+v after %+v", a.Decision, all)
				}
				n := 0
				for _, r := range w.Writes() {
					if r.Method == "PATCH" && r.Status == 204 {
						n++
					}
				}
				if n != 1 {
					t.Errorf("%d decisions", n)
				}
			})
		})
	}
}

// A crash leaves no memory: the next process looks out the lag before it says
// that nothing was done.
func TestLookAfterACrash(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a := w.asked()
		w.Turn(func(d *entra.Dials) { d.ReadLag = 25 * time.Second })
		w.do(a) // done, and the process dies before it can say so
		e := effect(a.Deeds[0].Warrant.ID)
		for range 20 {
			r := w.deeds.Look(t.Context(), a, e)
			if r.Absent {
				t.Fatal("called absent what is only not shown yet")
			}
			if r.Tell != nil {
				a = w.tell(a, r.Tell)
				break
			}
			e.Memory = r.Memory
			pass(time.Until(r.Again))
		}
		if a.Request.ID == "" {
			t.Error("never found")
		}
	})
	inWorld(t, func(t *testing.T, w *world) {
		a := w.asked()
		e := effect(a.Deeds[0].Warrant.ID)
		began := time.Now()
		for r := w.deeds.Look(t.Context(), a, e); !r.Absent; r = w.deeds.Look(t.Context(), a, e) {
			e.Memory = r.Memory
			pass(time.Until(r.Again))
		}
		if d := time.Since(began); d < readLag || d > readLag+lookSoon {
			t.Errorf("absent after %v", d)
		}
	})
}

// Duplicates: PIM has ours already, although nobody ever heard of it.
func TestDuplicateIsOurs(t *testing.T) {
	for _, code := range []string{"RoleAssignmentExists", "RoleAssignmentRequestExists", "PendingRoleAssignmentRequest"} {
		inWorld(t, func(t *testing.T, w *world) {
			a := w.asked()
			w.do(a)
			pass(5 * time.Second)
			w.Inject(entra.Fault{Method: "POST", Path: "assignmentScheduleRequests", Do: entra.DoStatus, Status: 400, Code: code})
			b, all := w.through(a)
			if b.Request.ID == "" || len(all) != 1 || w.creates("selfActivate") != 1 {
				t.Errorf("%s: %+v", code, all)
			}
		})
	}
}
