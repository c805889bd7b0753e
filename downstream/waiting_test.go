package downstream

import (
	"fmt"
	"maps"
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
			if len(past) < enough || surprised(past, step) {
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
		if n := len(past); of < 0 || n > of+of/10 || anew(past) {
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

// waited is what a policy costs on a nature, after it has seen some lives: in
// new lives, of several pasts.
type waited struct {
	calls, late, p95 float64 // mean calls; mean and p95 of the lateness in seconds
	ratio, width     float64 // p95 of lateness and of the interval over the tolerance
	tooLate, tooWide float64 // the shares that are over it
	vsFixed          float64 // calls over those of every 5 s
	vsEven           float64 // lateness over that of a fixed interval with as many calls
}

// measureWaiting has a policy learn from lives that another led, and counts in
// trials after them, once for each of so many pasts.
func measureWaiting(of nature, led, make func() policy, lives, pasts, trials int) (w waited) {
	var late, ratio, width []float64
	var calls, every5 float64
	for range pasts {
		of.seed += 100
		l, p := begin(of), led()
		for range lives {
			l.remember(l.live(p))
		}
		p = make()
		var mine, lateness, delays float64
		for range trials {
			s := l.live(p)
			tolerance := max(step, s.delay/10)
			late = append(late, s.late.Seconds())
			ratio = append(ratio, float64(s.late)/float64(tolerance))
			width = append(width, float64(s.width)/float64(tolerance))
			mine += float64(s.calls)
			lateness += s.late.Seconds()
			delays += s.delay.Seconds()
			every5 += float64((s.delay + step - 1) / step)
		}
		n := float64(trials)
		calls += mine
		w.late += lateness / n / float64(pasts)
		// A fixed interval makes delay/interval + 1/2 calls, and is half of it late.
		w.vsEven += lateness / (delays / max(mine/n-0.5, 0.5) / 2) / float64(pasts)
	}
	w.tooLate, w.tooWide = over(ratio), over(width)
	w.p95, w.ratio, w.width = at95(late), at95(ratio), at95(width)
	w.calls, w.vsFixed = calls/float64(pasts*trials), calls/every5
	return w
}

// floorOf is the least number of calls on a nature, for what a plan must keep. Of
// few draws the optimum would know each.
func floorOf(of nature) float64 {
	l := begin(of)
	var delays []time.Duration
	for range 1_000_000 {
		delay, _ := of.draw(l.rand, l.turn)
		delays = append(delays, delay)
	}
	return newFloor(delays).calls()
}

func at95(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)*95/100]
}

// over is the share of what is over the tolerance.
func over(all []float64) (share float64) {
	for _, x := range all {
		if x > 1.0001 {
			share += 1 / float64(len(all))
		}
	}
	return share
}

func (w waited) String() string {
	return fmt.Sprintf("%.1f calls (%.3f of every 5 s), told %.1f s late (p95 %.1f s, %.2f of the tolerance, %.2f of even looks), %.3f too late, %.3f too wide",
		w.calls, w.vsFixed, w.late, w.p95, w.ratio, w.vsEven, w.tooLate, w.tooWide)
}

func (of nature) ticks() bool { return strings.HasPrefix(of.name, "ticks") }

// BenchmarkWaiting measures each policy on each nature, after so many lives,
// beside what none can go below.
func BenchmarkWaiting(b *testing.B) {
	for _, of := range natures() {
		least := 0.0
		for i, p := range policies {
			for _, lives := range []int{0, enough, recall} {
				if (i < 2) != (lives == 0) || i == 3 && !of.ticks() {
					continue // without ticks the last is as the one before
				}
				b.Run(fmt.Sprintf("%s/%s/after=%d", of.name, p.name, lives), func(b *testing.B) {
					led, pasts, trials := p.make, 8, 2000
					if lives == enough {
						pasts = 40
					}
					if i == 3 {
						led, pasts, trials = policies[1].make, 3, 40 // with a plan for each
					}
					var w waited
					for b.Loop() {
						w = measureWaiting(of, led, p.make, lives, pasts, trials)
					}
					b.ReportMetric(0, "ns/op")
					if !of.ticks() && least == 0 {
						least = floorOf(of)
					}
					if !of.ticks() {
						b.ReportMetric(w.calls/least, "calls_vs_floor")
						if lives == recall && w.calls > 1.3*least {
							b.Errorf("%.1f calls, where %.1f would do", w.calls, least)
						}
					}
					for _, m := range []struct {
						is   float64
						name string
					}{{w.calls, "calls"}, {w.late, "late_s"}, {w.p95, "late_p95_s"}, {w.ratio, "late_p95/tolerance"}, {w.width, "interval_p95/tolerance"},
						{w.tooLate, "too_late"}, {w.tooWide, "too_wide"}, {w.vsFixed, "calls_vs_fixed"}, {w.vsEven, "late_vs_even"}} {
						b.ReportMetric(m.is, m.name)
					}
				})
			}
		}
	}
}

// TestWaiting holds what is promised of waiting: on each nature, in lives that
// were not learned from, drawn by chance: a little more is allowed for that. Of
// each figure the worst is printed. How near the optimum is, BenchmarkWaiting
// holds.
func TestWaiting(t *testing.T) {
	t.Parallel()
	worst := map[string]float64{}
	holds := func(of nature, name string, is, most float64) {
		worst[name] = max(worst[name], is)
		if !(is <= most) {
			t.Errorf("%s, %s: %.3f, at most %.3f", of.name, name, is, most)
		}
	}
	geometric, table, ticks := policies[1].make, policies[2].make, policies[3].make
	for _, of := range natures()[:waitNatures] {
		blind := measureWaiting(of, geometric, geometric, 0, 1, 200)
		holds(of, "calls_vs_fixed_at_first", blind.vsFixed, 0.45)
		holds(of, "lateness_p95_ratio_at_first", blind.ratio, 1)
		if of.ticks() {
			known := measureWaiting(of, geometric, ticks, enough, 1, 10)
			t.Logf("%s\n  geometric: %v\n  ticks:     %v", of.name, blind, known)
			holds(of, "known_ticks_calls_vs_fixed", known.vsFixed, 0.06)
			holds(of, "known_ticks_lateness_p95_ratio", known.ratio, 1)
			continue
		}
		some := measureWaiting(of, geometric, table, enough, waitPasts, 2000)
		many := measureWaiting(of, geometric, table, recall, 6, 4000)
		t.Logf("%s\n  geometric:  %v\n  after %d:   %v\n  after %d: %v", of.name, blind, enough, some, recall, many)
		holds(of, "calls_vs_fixed_after_30", some.vsFixed, 0.25)
		holds(of, "lateness_p95_ratio_after_30", some.ratio, 1)
		holds(of, "lateness_vs_even_after_30", some.vsEven, 1.15)
		holds(of, "calls_vs_fixed_after_1000", many.vsFixed, 0.25)
		holds(of, "lateness_p95_ratio_after_1000", many.ratio, 1)
		holds(of, "lateness_vs_even_after_1000", many.vsEven, 1.02)
		holds(of, "too_wide_after_1000", many.tooWide, wideShare)
		if some.late*some.calls > 0.6*blind.late*blind.calls {
			t.Errorf("%s: to know the past does not help", of.name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(worst)) {
		fmt.Printf("%s: %.3f\n", name, worst[name])
	}
}
