package graph

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"pagbot/activation"
	"pagbot/sim/entra"
)

// watched carries the watch as the engine would, until stop says so; it counts
// the looks.
func (w *world) watched(a activation.Activation, stop func(activation.Activation) bool) (activation.Activation, int) {
	w.t.Helper()
	e := activation.Effect{Kind: activation.WatchPIM}
	for n := 1; n < 5000; n++ {
		r := w.watch.Do(w.t.Context(), a, e)
		a = w.tell(a, r.Tell)
		if stop(a) {
			return a, n
		}
		if r.Finished() {
			w.t.Fatalf("stopped looking in %s", a.Phase)
		}
		e.Memory = r.Memory
		pass(max(time.Until(r.Again), r.After, 0))
	}
	w.t.Fatalf("never: %s", a.Phase)
	return a, 0
}

func in(p activation.Phase) func(activation.Activation) bool {
	return func(a activation.Activation) bool { return a.Phase == p }
}

func TestWatchALife(t *testing.T) {
	for _, lag := range []time.Duration{0, 12 * time.Second, 29 * time.Second} {
		inWorld(t, func(t *testing.T, w *world) {
			w.Turn(func(d *entra.Dials) { d.ReadLag = lag })
			a, _ := w.through(w.asked())
			a, n := w.watched(a, in(activation.Active))
			if a.Ends.Sub(a.From) != 2*time.Hour || n > 10 {
				t.Errorf("lag %v: %v to %v after %d looks", lag, a.From, a.Ends, n)
			}
			a, n = w.watched(a, in(activation.Closed))
			if a.Outcome != activation.Expired || !a.Ended.Equal(a.Ends) {
				t.Errorf("lag %v: %s at %v, not %v", lag, a.Outcome, a.Ended, a.Ends)
			}
			if late := time.Since(a.Ends); late > lag+5*time.Second || n > 140 {
				t.Errorf("lag %v: noticed %v late, after %d looks", lag, late, n)
			}
		})
	}
}

func TestWatchNoticesRevocation(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a := w.active()
		pass(20 * time.Minute)
		_, err := w.Portal(w.admin.ID).Remove(w.group.ID, "member", w.requester.ID, "incident over")
		w.must(err)
		began := time.Now()
		a, _ = w.watched(a, in(activation.Closed))
		if a.Outcome != activation.Revoked || time.Since(began) > 3*time.Minute {
			t.Errorf("%s after %v", a.Outcome, time.Since(began))
		}
	})
}

// Twenty who are active in a group cost PIM as much as one while it is read
// anyway; what such a reading shows is not believed twice, nor after a newer one.
func TestOneQuestionForAllOfAGroup(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a := w.active()
		pass(20 * time.Minute)
		const people, minutes = 20, 10
		memory := make([]json.RawMessage, people)
		before := w.calls()
		for range minutes {
			_, err := w.reader.Instances(t.Context(), a.Group.ID)
			w.must(err)
			for i := range memory {
				r := w.watch.Do(t.Context(), a, activation.Effect{Kind: activation.WatchPIM, Memory: memory[i]})
				memory[i] = r.Memory
				if r.Tell != nil || r.Err != nil {
					t.Fatalf("report %+v", r)
				}
			}
			pass(time.Minute)
		}
		if n := w.calls() - before; n != minutes {
			t.Errorf("%d calls for %d readings of the group", n, minutes)
		}
		w.Turn(func(d *entra.Dials) { d.ReadLag = time.Hour }) // the group's reading is from before
		_, err := w.reader.Instances(t.Context(), a.Group.ID)
		w.must(err)
		w.Turn(func(d *entra.Dials) { d.ReadLag = 0 })
		e := activation.Effect{Kind: activation.WatchPIM, Memory: memory[0]}
		for range 3 {
			r := w.watch.Do(t.Context(), a, e)
			if r.Tell != nil {
				t.Fatalf("believed a reading from before: %+v", r.Tell)
			}
			e.Memory = r.Memory
			pass(time.Until(r.Again))
		}
	})
}

// A single read that finds nothing is no end: PIM's reads lag, and err.
func TestWatchDoesNotBelieveOneEmptyRead(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a := w.active()
		pass(20 * time.Minute)
		e := activation.Effect{Kind: activation.WatchPIM}
		w.Turn(func(d *entra.Dials) { d.ReadLag = time.Hour }) // the read is from before
		r := w.watch.Do(t.Context(), a, e)
		if r.Tell != nil || time.Until(r.Again) != readLag {
			t.Fatalf("report %+v", r)
		}
		w.Turn(func(d *entra.Dials) { d.ReadLag = 0 })
		pass(readLag)
		e.Memory = r.Memory
		r = w.watch.Do(t.Context(), a, e)
		if r.Tell != nil || strings.Contains(string(r.Memory), "missed") {
			t.Errorf("it is there again: %+v %s", r, r.Memory)
		}
		w.Turn(func(d *entra.Dials) { d.ReadLag = time.Hour })
		for range 2 {
			pass(readLag)
			e.Memory = r.Memory
			r = w.watch.Do(t.Context(), a, e)
		}
		saw, ok := r.Tell.(activation.Saw)
		if !ok || !saw.Looked || saw.Present != nil {
			t.Errorf("two reads half a minute apart: %+v", r)
		}
	})
}

func TestWatchAnApproval(t *testing.T) {
	for answer, want := range map[string]activation.Outcome{"deny": activation.Denied, "cancel": activation.Withdrawn, "nobody": activation.TimedOut} {
		inWorld(t, func(t *testing.T, w *world) {
			a := w.awaiting()
			a.Request.Created = time.Now()
			switch answer {
			case "deny":
				w.must(w.Portal(w.second.ID).Decide(a.Request.ID, false, "no"))
			case "cancel":
				w.must(w.Portal(w.requester.ID).Cancel(a.Request.ID))
			}
			began := time.Now()
			a, n := w.watched(a, in(activation.Closed))
			if a.Outcome != want {
				t.Errorf("%s: %s", answer, a.Outcome)
			}
			if polls := float64(n) / (time.Since(began).Minutes() + 1); polls > 3 {
				t.Errorf("%s: %.1f looks a minute", answer, polls)
			}
		})
	}
	inWorld(t, func(t *testing.T, w *world) {
		a := w.awaiting()
		w.must(w.Portal(w.second.ID).Decide(a.Request.ID, true, "fine"))
		a, _ = w.watched(a, in(activation.Active))
		if a.Decision == nil || !a.Decision.Approve || a.Decision.Here {
			t.Errorf("decision %+v", a.Decision)
		}
	})
}

func TestWatchFailedProvisioning(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.Turn(func(d *entra.Dials) {
			d.Created, d.SettleTo, d.Provision = "PendingProvisioning", "Failed", time.Minute
		})
		a, _ := w.through(w.asked())
		if a.Phase != activation.Provisioning {
			t.Fatalf("phase %s", a.Phase)
		}
		if a, _ = w.watched(a, in(activation.Closed)); a.Outcome != activation.Failed {
			t.Errorf("outcome %s", a.Outcome)
		}
	})
}

func TestWatchAWatched(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		_, err := w.Portal(w.requester.ID).Activate(w.group.ID, "member", time.Hour, "in the portal")
		w.must(err)
		pass(10 * time.Second)
		all, err := w.reader.Instances(t.Context(), w.group.ID)
		if err != nil || len(all) != 1 || all[0].Person.Name != w.requester.UPN || all[0].Group.Name != "devops-admins" {
			t.Fatalf("%+v %v", all, err)
		}
		i := all[0]
		a := w.tell(activation.Activation{}, activation.Notice{ID: "act-2", Person: i.Person, Group: i.Group, Access: i.Access, Instance: i})
		if a, _ = w.watched(a, in(activation.Closed)); a.Outcome != activation.Expired {
			t.Errorf("outcome %s", a.Outcome)
		}
	})
}

// Five failures in a row are said once, and their end is said too.
func TestWatchInTrouble(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a := w.active()
		disarm := w.Inject(entra.Fault{Path: "assignmentScheduleInstances", Do: entra.DoStatus, Status: 403, Code: "PermissionScopeNotGranted"})
		e := activation.Effect{Kind: activation.WatchPIM}
		told := 0
		step := func() activation.Report {
			r := w.watch.Do(t.Context(), a, e)
			e.Memory = r.Memory
			pass(max(time.Until(r.Again), r.After))
			return r
		}
		for range 12 {
			r := step()
			if r.Finished() || r.Err == nil {
				t.Fatalf("report %+v", r)
			}
			if x, ok := r.Tell.(activation.Trouble); ok && x.Why.Code == activation.ConsentMissing {
				told++
			}
		}
		disarm()
		if told != 1 {
			t.Errorf("told %d times", told)
		}
		r := step()
		if x, ok := r.Tell.(activation.Trouble); !ok || !x.Cleared {
			t.Errorf("report %+v", r)
		}
		if r := step(); r.Tell != nil {
			t.Errorf("report %+v", r)
		}
	})
}

func TestWatchThrottled(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a := w.active()
		w.Inject(entra.Fault{Method: "GET", Do: entra.DoStatus, Status: 429, RetryAfter: "3600"})
		began := time.Now()
		r := w.watch.Do(t.Context(), a, activation.Effect{Kind: activation.WatchPIM})
		if r.After != time.Hour || time.Since(began) > 10*time.Second {
			t.Errorf("report %+v after %v", r, time.Since(began))
		}
	})
}

func TestNothingLeftToWatch(t *testing.T) {
	for _, p := range []activation.Phase{activation.Asked, activation.Verifying, activation.Closed} {
		r := NewWatch(nil).Do(t.Context(), activation.Activation{Phase: p}, activation.Effect{Kind: activation.WatchPIM})
		if !r.Finished() || r.Tell != nil {
			t.Errorf("%s: %+v", p, r)
		}
	}
}
