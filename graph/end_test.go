package graph

import (
	"testing"
	"time"

	"pagbot/activation"
	"pagbot/sim/entra"
)

// active is an activation that PIM grants.
func (w *world) active() activation.Activation {
	w.t.Helper()
	a, _ := w.through(w.asked())
	for range 20 {
		pass(2 * time.Second)
		r := w.watch.Do(w.t.Context(), a, activation.Effect{Kind: activation.WatchPIM})
		if a = w.tell(a, r.Tell); a.Phase == activation.Active {
			return a
		}
	}
	w.t.Fatalf("never active: %s %+v", a.Phase, a.Refusal)
	return a
}

func (w *world) finishing(a activation.Activation, d activation.Deed) activation.Activation {
	w.t.Helper()
	a = w.tell(a, activation.Finish{By: w.person(w.requester), Warrant: w.warrant(a, d, w.requester, "")})
	if len(a.Deeds) != 1 {
		w.t.Fatalf("no %s is pending in %s", d, a.Phase)
	}
	return a
}

func TestEnd(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a := w.active()
		pass(10 * time.Minute)
		a, all := w.through(w.finishing(a, activation.End))
		if a.Outcome != activation.EndedSoon || len(all) != 1 || w.creates("selfDeactivate") != 1 {
			t.Errorf("%s after %d attempts", a.Outcome, len(all))
		}
		pass(5 * time.Second)
		if w.Member(w.group.ID, w.requester.ID, time.Now()) {
			t.Error("still a member")
		}
	})
}

func TestEndWaitsForMinuteFive(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a := w.active()
		a = w.finishing(a, activation.End)
		r := w.do(a)
		trouble, ok := r.Tell.(activation.Trouble)
		if !ok || trouble.Why.Code != activation.TooEarly || !r.Again.Equal(a.From.Add(5*time.Minute)) || !trouble.Why.Until.Equal(r.Again) {
			t.Fatalf("report %+v", r)
		}
		a, _ = w.through(a)
		if a.Outcome != activation.EndedSoon || time.Since(a.From) > 5*time.Minute+10*time.Second {
			t.Errorf("%s after %v", a.Outcome, time.Since(a.From))
		}
	})
}

func TestEndOfWhatIsGone(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a := w.active()
		pass(10 * time.Minute)
		a = w.finishing(a, activation.End)
		_, err := w.Portal(w.requester.ID).Deactivate(w.group.ID, "member")
		w.must(err)
		pass(20 * time.Second)
		if a, all := w.through(a); a.Outcome != activation.EndedSoon {
			t.Errorf("%+v", all)
		}
	})
}

// Right after an activation PIM may not know of it: not a reason to say gone.
func TestEndDoesNotBelieveAStray(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a := w.active()
		pass(10 * time.Minute)
		a = w.finishing(a, activation.End)
		w.Inject(entra.Fault{Method: "POST", Path: "assignmentScheduleRequests", Do: entra.DoStatus, Status: 400, Code: "RoleAssignmentDoesNotExist", Times: 1})
		a, all := w.through(a)
		if a.Outcome != activation.EndedSoon || len(all) != 2 || w.creates("selfDeactivate") != 1 {
			t.Errorf("%s, %+v", a.Outcome, all)
		}
	})
}

func TestCancel(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.settings(w.approval)
		a, _ := w.through(w.asked())
		if a.Phase != activation.AwaitingApproval {
			t.Fatalf("phase %s", a.Phase)
		}
		a, _ = w.through(w.finishing(a, activation.Cancel))
		if a.Outcome != activation.Withdrawn {
			t.Errorf("outcome %s", a.Outcome)
		}
		q, err := w.reader.Request(t.Context(), a.Request.ID)
		if err != nil || q.Kind() != activation.CalledOff {
			t.Errorf("%+v %v", q, err)
		}
	})
}

func TestCancelRaces(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.settings(w.approval)
		a, _ := w.through(w.asked())
		a = w.finishing(a, activation.Cancel)
		w.must(w.Portal(w.approver.ID).Decide(a.Request.ID, true, "fine"))
		if r := w.do(a); refusal(r).Code != activation.NotPending {
			t.Errorf("after the decision: %+v", r)
		}
	})
	inWorld(t, func(t *testing.T, w *world) {
		w.settings(w.approval)
		a, _ := w.through(w.asked())
		a = w.finishing(a, activation.Cancel)
		w.must(w.Portal(w.requester.ID).Cancel(a.Request.ID))
		if a, _ := w.through(a); a.Outcome != activation.Withdrawn {
			t.Errorf("cancelled in the portal too: %s", a.Outcome)
		}
	})
}
