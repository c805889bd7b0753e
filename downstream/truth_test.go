package downstream

import (
	"fmt"
	"runtime"
	"testing"
)

// tallied is what all lives together come to.
type tallied struct {
	verdict
	lives int
}

func (t *tallied) add(v verdict) {
	t.lives++
	for _, x := range []struct {
		sum *int
		one int
	}{
		{&t.falseEffective, v.falseEffective}, {&t.falseGone, v.falseGone}, {&t.missed, v.missed}, {&t.came, v.came}, {&t.cameSaid, v.cameSaid},
		{&t.went, v.went}, {&t.wentSaid, v.wentSaid}, {&t.stayed, v.stayed}, {&t.stayedSaid, v.stayedSaid}, {&t.alarms, v.alarms}, {&t.deaf, v.deaf},
	} {
		*x.sum += x.one
	}
	t.ratios, t.widths = append(t.ratios, v.ratios...), append(t.widths, v.widths...)
}

// liveAll lives so many lives, on as many processors as there are. What one
// meets depends on its number only.
func liveAll(t *testing.T, lives int, sabotage func(*fate)) *tallied {
	all := natures()
	pasts := pasts(all)
	verdicts := make([]verdict, lives)
	workers := runtime.GOMAXPROCS(0)
	t.Run("lives", func(t *testing.T) {
		for w := range workers {
			t.Run(fmt.Sprint(w), func(t *testing.T) {
				t.Parallel()
				for i := w; i < lives; i += workers {
					verdicts[i] = liveOne(t, uint64(i), all, pasts, sabotage)
				}
			})
		}
	})
	sum := &tallied{}
	for i, v := range verdicts {
		sum.add(v)
		if v.why != "" && sum.why == "" {
			sum.why = fmt.Sprintf("life %d: %s", i, v.why)
		}
	}
	return sum
}

// TestTruth holds what the Watch and the core tell of ten thousand activations
// against what was true, in a world that lies in wait: delays of all the named
// natures and beyond them, replicas that disagree, answers that are given again,
// access that was there before, effects and removals that never come, targets
// that hang or answer with pages, refusals and throttles, restarts in the wrong
// moment, people who sign in again, turns that are noticed late.
//
// The ratio is the width of a published interval over what is tolerable: 5 s, a
// tenth of the delay, or what a cache or disagreeing replicas make of it. The
// time in which nobody could be asked, or nothing had been noticed, counts for
// the second ratio only.
func TestTruth(t *testing.T) {
	t.Parallel()
	x := liveAll(t, truthLives, nil)
	fmt.Printf("lives: %d (without the race detector 10000)\n", x.lives)
	for _, n := range []struct {
		name string
		is   int
	}{{"false_effective", x.falseEffective}, {"false_gone", x.falseGone}, {"interval_misses", x.missed},
		{"false_alarms", x.alarms}, {"missing_alarms", x.deaf}} {
		fmt.Printf("%s: %d\n", n.name, n.is)
		if n.is != 0 {
			t.Errorf("%s: %d", n.name, n.is)
		}
	}
	for _, s := range []struct {
		name     string
		said, of int
	}{{"effects_said", x.cameSaid, x.came}, {"removals_said", x.wentSaid, x.went}, {"not_proven_said", x.stayedSaid, x.stayed}} {
		share := float64(s.said) / float64(s.of)
		fmt.Printf("%s: %.4f\n", s.name, share)
		if !(share >= 0.99) {
			t.Errorf("%s: %d of %d", s.name, s.said, s.of)
		}
	}
	net, gross := at95(x.ratios), at95(x.widths)
	fmt.Printf("interval_p95_ratio: %.3f\ninterval_p95_ratio_with_silence: %.3f\n", net, gross)
	if net > 1 {
		t.Errorf("interval_p95_ratio: %.3f", net)
	}
	if x.why != "" {
		t.Log(x.why)
	}
}

// A test that can't fail proves nothing: each of these lies is noticed.
func TestTruthNoticesLies(t *testing.T) {
	t.Parallel()
	for _, s := range []struct {
		name  string
		lie   func(*fate)
		found func(*tallied) int
	}{
		{"what was received is called effective", func(f *fate) { f.lie = claimsMore }, func(x *tallied) int { return x.falseEffective }},
		{"contrary answers are dated later", func(f *fate) { f.lie = datesLater }, func(x *tallied) int { return x.missed }},
		{"a failure is read as a no", func(f *fate) { f.lie = takesDoubtsForNo }, func(x *tallied) int { return x.falseGone }},
		{"a single yes is believed where replicas disagree", func(f *fate) { f.limits.Confirm = 1 }, func(x *tallied) int { return x.falseEffective }},
		{"a target is asked half as often as its cache allows", func(f *fate) { f.limits.Cache = max(2*f.cache, 5*step) }, func(x *tallied) int {
			return int(max(0, 100*(at95(x.ratios)-1)))
		}},
	} {
		t.Run(s.name, func(t *testing.T) {
			if x := liveAll(t, lyingLives, s.lie); s.found(x) == 0 {
				t.Error("nobody noticed")
			}
		})
	}
}
