package downstream

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// policies are compared in this order; each must be better than those before.
// A fresh one is made for each series of lives.
var policies = []struct {
	name string
	make func() policy
}{
	{"fixed 5 s", func() policy {
		return func([]Latency, time.Time) func(time.Duration) time.Duration {
			return func(time.Duration) time.Duration { return step }
		}
	}},
	{"geometric", func() policy {
		return func([]Latency, time.Time) func(time.Duration) time.Duration { return after(nil) }
	}},
	{"table", func() policy {
		return learner(func(past []Latency, turn time.Time) *Learned {
			if len(past) < enough {
				return nil
			}
			return planned(newTable(samplesOf(past, turn)), step)
		}, func([]Latency) bool { return false })
	}},
	{"table and ticks", func() policy {
		return learner(func(past []Latency, turn time.Time) *Learned { return Learn(past, turn, 0) },
			func(past []Latency) bool { _, ticking := ticks(past); return ticking })
	}},
}

// learner follows plans. One that does not depend on the turn is kept for a few
// lives: that saves the test its time.
func learner(learn func([]Latency, time.Time) *Learned, anew func([]Latency) bool) policy {
	var plan *Learned
	of := -1
	return func(past []Latency, turn time.Time) func(time.Duration) time.Duration {
		if n := len(past); of < 0 || n > of+of/20 || anew(past) {
			of, plan = n, learn(past, turn)
		}
		return after(plan)
	}
}

func after(plan *Learned) func(time.Duration) time.Duration {
	return func(age time.Duration) time.Duration {
		if d := plan.next(age); d > 0 {
			return d
		}
		return Next(age, Limits{}, nil, 0, 0)
	}
}

// waited is what a policy costs on a nature, after it has seen some lives.
type waited struct {
	calls, late, p95 float64 // mean calls; mean and p95 of the lateness in seconds
	wide             float64 // share of intervals wider than the tolerance
	ratio, width     float64 // p95 of lateness and of the interval over the tolerance
	vsFixed          float64 // calls over those of every 5 s
	vsEven           float64 // lateness over that of a fixed interval with as many calls
}

func measureWaiting(of nature, p policy, lives, trials int) waited {
	l := begin(of)
	for range lives {
		l.remember(l.live(p))
	}
	var w waited
	var late, ratio, width []float64
	var every5, delays float64
	n := float64(trials)
	for range trials {
		s := l.live(p)
		tolerance := max(step, s.delay/10)
		w.calls += float64(s.calls) / n
		w.late += s.late.Seconds() / n
		if s.width > tolerance {
			w.wide += 1 / n
		}
		late = append(late, s.late.Seconds())
		ratio = append(ratio, float64(s.late)/float64(tolerance))
		width = append(width, float64(s.width)/float64(tolerance))
		every5 += float64((s.delay+step-1)/step) / n
		delays += s.delay.Seconds() / n
	}
	w.p95, w.ratio, w.width = at95(late), at95(ratio), at95(width)
	w.vsFixed = w.calls / every5
	// A fixed interval makes delay/interval + 1/2 calls, and is half of it late.
	w.vsEven = w.late / (delays / max(w.calls-0.5, 0.5) / 2)
	return w
}

// against compares with the exact optimum: calls over the least with the same
// lateness and as many wide intervals, and lateness over the least with as many
// calls.
func (w waited) against(of nature) (calls, late float64) {
	l := begin(of)
	var unknown []time.Duration
	ticking := false
	for range 4000 {
		l.turn = l.turn.Add(37 * time.Minute)
		delay, u := of.draw(l.rand, l.turn)
		unknown = append(unknown, u)
		ticking = ticking || u != delay
	}
	// Any fine gives a lower bound of the calls; the highest is the best one.
	f := newFloor(unknown, step, 0)
	least := f.callsAt(w.late)
	if !ticking { // where the ticks are known, the floor knows less than the delay
		for _, fine := range fines {
			least = max(least, newFloor(unknown, step, fine).callsAt(w.late+fine*w.wide))
		}
	}
	return w.calls / least, w.late / f.lossAt(w.calls)
}

func at95(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)*95/100]
}

func (w waited) String() string {
	return fmt.Sprintf("%.1f calls, told %.1f s late (p95 %.1f s), interval p95 %.2f of the tolerance, %.3f of the calls every 5 s", w.calls, w.late, w.p95, w.width, w.vsFixed)
}

// BenchmarkWaiting measures each policy on each nature, after so many lives.
func BenchmarkWaiting(b *testing.B) {
	for _, of := range natures() {
		for i, p := range policies {
			for _, lives := range []int{0, enough, recall} {
				if (i < 2) != (lives == 0) {
					continue
				}
				b.Run(fmt.Sprintf("%s/%s/after=%d", of.name, p.name, lives), func(b *testing.B) {
					var w waited
					for b.Loop() {
						w = measureWaiting(of, p.make(), lives, 300)
					}
					b.ReportMetric(0, "ns/op")
					calls, late := w.against(of)
					for _, m := range []struct {
						is   float64
						name string
					}{{w.calls, "calls"}, {w.late, "late_s"}, {w.p95, "late_p95_s"}, {w.ratio, "late_p95/tolerance"}, {w.width, "interval_p95/tolerance"},
						{w.vsFixed, "calls_vs_fixed"}, {calls, "calls_vs_floor"}, {late, "late_vs_floor"}, {w.vsEven, "late_vs_even"}} {
						b.ReportMetric(m.is, m.name)
					}
				})
			}
		}
	}
}

// TestWaitingIsWorthLearning holds every later policy to be better than the one
// before, and prints by how much.
func TestWaitingIsWorthLearning(t *testing.T) {
	t.Parallel()
	for _, of := range natures() {
		blind := measureWaiting(of, policies[1].make(), 0, 100)
		table := measureWaiting(of, policies[2].make(), enough, 100)
		both := measureWaiting(of, policies[3].make(), enough, 40)
		t.Logf("%s\n  geometric: %v\n  table:     %v\n  and ticks: %v", of.name, blind, table, both)
		if blind.vsFixed > 0.45 || blind.ratio > 1 || blind.width > 1 {
			t.Errorf("%s, nothing known: %v", of.name, blind)
		}
		if table.late*table.calls > blind.late*blind.calls || table.late > blind.late || table.vsFixed > 0.4 {
			t.Errorf("%s: the table is no better", of.name)
		}
		if strings.HasPrefix(of.name, "ticks") && (both.vsFixed > 0.06 || both.late > table.late || both.calls > table.calls/2) {
			t.Errorf("%s: to know the ticks does not help", of.name)
		}
	}
}
