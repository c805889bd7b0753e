package target

import (
	"fmt"
	"testing"
	"time"
)

// newJob is a copy with its job, whose first cycle comes in half an hour.
func newJob(t *testing.T, pushes bool, keys ...string) (*world, *Job) {
	follow := Provisioning()
	follow.Push.Off = !pushes
	x := newWorld(t, follow, keys...)
	first := x.at.Add(30 * time.Minute)
	x.follow.Phase = first.Sub(first.Truncate(follow.Tick))
	x.known, x.keys = map[string]*replica{}, nil // of before the phase was known
	for _, k := range keys {
		x.of(k)
	}
	var j *Job
	x.Do(func() { j = x.Provision() })
	j.Turn(func(d *JobDials) { d.LogLag = 0 })
	return x, j
}

// An application that takes nothing from Entra brings its job into quarantine:
// cycles come rarer and rarer, down to one a day; nothing is pushed; the first
// cycle after it is mended ends it.
func TestQuarantine(t *testing.T) {
	x, j := newJob(t, false, "g/a")
	x.join("g/a", 5*time.Minute, 0)
	j.Turn(func(d *JobDials) { d.Refuses, d.Quarantine = true, 2 })
	var waits []time.Duration
	for range 9 {
		s := j.State()
		x.at = j.c.NextTick()
		if next := j.State(); !next.Next.IsZero() {
			waits = append(waits, next.Next.Sub(next.Last).Round(time.Minute))
			if q := !next.Quarantined.IsZero(); q != (next.Failed >= 2) {
				t.Errorf("after %d cycles in vain: quarantined %v (before: %+v)", next.Failed, q, s)
			}
		}
	}
	if got := fmt.Sprint(waits); got != "[40m0s 1h20m0s 2h40m0s 5h20m0s 10h40m0s 21h20m0s 24h0m0s 24h0m0s 24h0m0s]" {
		t.Errorf("cycles: %s", got)
	}
	if x.Knows("g/a", x.at) {
		t.Error("written although the application refuses")
	}
	j.Turn(func(d *JobDials) { d.Refuses = false })
	if j.State().Quarantined.IsZero() {
		t.Error("the quarantine ended before a cycle")
	}
	x.at = j.c.NextTick()
	if s := j.State(); !s.Quarantined.IsZero() || s.Next.Sub(s.Last) != 40*time.Minute || !x.Knows("g/a", x.at) {
		t.Errorf("mended: %+v", s)
	}
	var wrote, failed int
	for _, w := range j.Log() {
		if w.Code == "" && w.Added && w.At.Equal(x.at) {
			wrote++
		} else if w.Code != "" && w.At.Before(x.at) {
			failed++
		}
	}
	if wrote != 1 || failed != 9 {
		t.Errorf("%d rows of what was written, %d of what was not", wrote, failed)
	}
}

// A quarantine of four weeks ends the job.
func TestQuarantineDisables(t *testing.T) {
	x, j := newJob(t, false, "g/a")
	j.Turn(func(d *JobDials) { d.Refuses = true })
	x.at = x.at.Add(30 * 24 * time.Hour)
	x.join("g/a", 0, 0)
	j.Turn(func(d *JobDials) { d.Refuses = false })
	x.at = x.at.Add(7 * 24 * time.Hour)
	if !j.State().Disabled || x.Knows("g/a", x.at) {
		t.Errorf("after 37 days: %+v", j.State())
	}
}

// What was on its way when the application began to refuse does not arrive, and
// in quarantine nothing new is on its way.
func TestRefusedPushIsLost(t *testing.T) {
	x, j := newJob(t, true, "g/a", "g/b")
	x.join("g/a", 0, 0)
	x.at = x.at.Add(time.Minute)
	j.Turn(func(d *JobDials) { d.Refuses, d.Quarantine = true, 1 })
	x.at = x.at.Add(20 * time.Minute)
	if _, _, ever := x.TrueEffect("g/a"); ever {
		t.Error("it was written")
	}
	x.at = j.c.NextTick()
	j.Turn(func(d *JobDials) { d.Refuses = false })
	x.join("g/b", time.Minute, 0) // still in quarantine
	x.at = x.at.Add(15 * time.Minute)
	if _, _, ever := x.TrueEffect("g/b"); ever || j.State().Quarantined.IsZero() {
		t.Error("something was pushed in quarantine")
	}
	x.at = j.c.NextTick()
	if !x.Knows("g/a", x.at) || !x.Knows("g/b", x.at) {
		t.Error("the cycle did not write them")
	}
}

// On demand a member is there at once; asked again, there is nothing to do; who
// is no member is not written, nor whom a directory that lags does not know.
func TestDemand(t *testing.T) {
	x, j := newJob(t, true, "g/a", "g/b", "g/c")
	x.join("g/a", 10*time.Second, 0)
	x.at = x.at.Add(20 * time.Second)
	ask := func(who, want string) {
		t.Helper()
		if result, code := j.Demand("g", []string{who}); result+" "+code != want {
			t.Errorf("%s: %s %s, want %s", who, result, code, want)
		}
	}
	j.Turn(func(d *JobDials) { d.DemandLag = 15 * time.Second })
	ask("a", "Skipped NotEffectivelyEntitled")
	j.Turn(func(d *JobDials) { d.DemandLag = 0 })
	ask("a", "Success ")
	ask("A", "Skipped RedundantExport")
	ask("b", "Skipped NotEffectivelyEntitled")
	ask("stranger", "Skipped NotEffectivelyEntitled")
	if !x.Knows("g/a", x.at) || x.Knows("g/b", x.at) || len(j.Log()) != 1 {
		t.Errorf("a %v, b %v, log %+v", x.Knows("g/a", x.at), x.Knows("g/b", x.at), j.Log())
	}
	j.Turn(func(d *JobDials) { d.LogLag = time.Minute })
	if n := len(j.Log()); n != 0 {
		t.Errorf("%d rows at once", n)
	}
}

// What is not settled, both ways: removal on demand, in quarantine, and whose
// budget it is.
func TestDemandUnsettled(t *testing.T) {
	for _, on := range []bool{false, true} {
		x, j := newJob(t, true, "g/a", "g/b")
		x.join("g/a", -time.Minute, 10*time.Minute)
		x.follow.Push.Off = true
		j.Turn(func(d *JobDials) { d.DemandRemoves, d.DemandHeld, d.DemandShares = on, on, on })
		x.follow.Push.Off, x.follow.Push.Cliff, x.follow.Push.Window = false, 1, time.Hour
		if r, c := j.Demand("g", []string{"a"}); r != DemandDone {
			t.Fatalf("%v: %s %s", on, r, c)
		}
		x.join("g/b", 5*time.Minute, 0)
		x.at = x.at.Add(11 * time.Minute)
		_, _, pushed := x.TrueEffect("g/b")
		if pushed == on {
			t.Errorf("%v: a demand is of the fast path's budget: %v", on, !pushed)
		}
		if r, _ := j.Demand("g", []string{"a"}); (r == DemandDone) != on || x.Knows("g/a", x.at) == on {
			t.Errorf("%v: after the end: %s", on, r)
		}
		j.Turn(func(d *JobDials) { d.Refuses, d.Quarantine = true, 1 })
		x.join("g/a", 0, 0)
		x.at = j.c.NextTick()
		if r, c := j.Demand("g", []string{"a"}); r != DemandFailed || c != refusedCode {
			t.Errorf("refused: %s %s", r, c)
		}
		j.Turn(func(d *JobDials) { d.Refuses = false })
		if r, _ := j.Demand("g", []string{"a"}); (r == DemandFailed) != on {
			t.Errorf("%v: in quarantine: %s", on, r)
		}
	}
}
