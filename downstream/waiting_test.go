package downstream

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// policies are compared in this order; each must be better than those before.
func policies() []struct {
	name string
	make policy
} {
	return []struct {
		name string
		make policy
	}{
		{"fixed 5 s", func([]Latency, time.Time) func(time.Duration) time.Duration {
			return func(time.Duration) time.Duration { return step }
		}},
		{"geometric", func([]Latency, time.Time) func(time.Duration) time.Duration {
			return func(age time.Duration) time.Duration { return Next(age, Limits{}, 0, 0) }
		}},
	}
}

// waited is what a policy costs on a nature, after it has seen some lives.
type waited struct {
	calls, late, p95 float64 // mean calls; mean and p95 of the lateness in seconds
	ratio            float64 // p95 of lateness over tolerance
	width            float64 // p95 of the published interval over tolerance
	vsFixed          float64 // calls over those of every 5 s
	vsFloor          float64 // calls over the optimum's at the same lateness
	lateVsFloor      float64 // lateness over the optimum's at the same calls
	lateVsEven       float64 // lateness over that of a fixed interval with the same calls
}

const trials = 1500

func measureWaiting(of nature, p policy, lives int) waited {
	l := begin(of)
	for range lives {
		l.remember(l.live(p))
	}
	var all []sight
	for range trials {
		all = append(all, l.live(p))
	}
	var w waited
	var late, ratio, width []float64
	var unknown []time.Duration
	var every5, delays float64
	for _, s := range all {
		w.calls += float64(s.calls) / trials
		w.late += s.late.Seconds() / trials
		late = append(late, s.late.Seconds())
		ratio = append(ratio, float64(s.late)/float64(s.tolerance()))
		width = append(width, float64(s.width)/float64(s.tolerance()))
		unknown = append(unknown, s.unknown)
		every5 += float64((s.delay+step-1)/step) / trials
		delays += s.delay.Seconds() / trials
	}
	w.p95, w.ratio, w.width = at95(late), at95(ratio), at95(width)
	w.vsFixed = w.calls / every5
	f := newFloor(unknown, step)
	w.vsFloor, w.lateVsFloor = w.calls/f.callsAt(w.late), w.late/f.lateAt(w.calls)
	// A fixed interval makes delay/interval + 1/2 calls, and is half of it late.
	w.lateVsEven = w.late / (delays / max(w.calls-0.5, 0.5) / 2)
	return w
}

func at95(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)*95/100]
}

func (w waited) String() string {
	return fmt.Sprintf("%6.1f %7.1f %7.1f %6.2f %6.2f %7.3f %7.2f %8.2f %7.2f", w.calls, w.late, w.p95, w.ratio, w.width, w.vsFixed, w.vsFloor, w.lateVsFloor, w.lateVsEven)
}

// TestWaitingTable prints what each policy costs on each nature.
func TestWaitingTable(t *testing.T) {
	var b strings.Builder
	fmt.Fprintf(&b, "%-36s %-22s %6s %7s %7s %6s %6s %7s %7s %8s %7s\n", "nature", "policy, after lives", "calls", "late s", "p95 s", "p95/t", "w95/t", "/fixed", "/floor", "l/floor", "l/even")
	for _, of := range natures() {
		for _, p := range policies() {
			for _, lives := range []int{0, 30, 1000} {
				if lives > 0 && !strings.HasPrefix(p.name, "learn") {
					continue
				}
				w := measureWaiting(of, p.make, lives)
				fmt.Fprintf(&b, "%-36s %-22s %s\n", of.name, fmt.Sprintf("%s, %d", p.name, lives), w)
			}
		}
	}
	t.Log("\n" + b.String())
}
