package downstream

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// Learned is when to look at a target, as its past teaches: ages, rising.
// After the last the steps are geometric again.
type Learned struct{ looks []time.Duration }

// Learn makes a plan for one turn from what was measured before, oldest first;
// nil while that is too little, or tells nothing of what comes now. cache is how
// fast looking makes sense at all.
func Learn(past []Latency, turn time.Time, cache time.Duration) *Learned {
	least := max(step, cache)
	if len(past) < enough || surprised(past, least) {
		return nil
	}
	if tick, ok := ticks(past); ok {
		return planned(newTable(shifted(past, turn, tick)), least)
	}
	return planned(newTable(samplesOf(past, turn)), least)
}

// A target has changed its ways when so many of the latest intervals are far
// too wide: they came where nobody looked.
const (
	latest     = 12
	surprising = 5
)

func surprised(past []Latency, least time.Duration) bool {
	n := 0
	for _, l := range past[len(past)-latest:] {
		if !l.Censored() && l.By-l.After > 2*max(least, l.By/10) {
			n++
		}
	}
	return n >= surprising
}

// next is the wait until the next planned look, zero beyond the last.
func (l *Learned) next(age time.Duration) time.Duration {
	if l == nil {
		return 0
	}
	if i, _ := slices.BinarySearch(l.looks, age+step/2); i < len(l.looks) {
		return max(step, l.looks[i]-age)
	}
	return 0
}

// What must be kept, in the mean of all lives: the rest is cheapness.
const (
	lateShare = 0.05 // are told later than a tenth of the delay, at most
	wideShare = 0.10 // have an interval wider than that
	evenShare = 1.0  // is the lateness over that of as many looks at even distances
	dearShare = 0.25 // of the calls that looking as fast as possible makes
)

// A plan aims at better than that, as it comes from what is known only: always,
// and by so much more while it is just enough. Then cheapness counts less, too.
const (
	lateMargin, lateUnsure = 0.005, 0.025
	evenUnsure             = 0.3
	dearMargin, dearUnsure = 0.005, 0.03
	cheapUnsure            = 0.6
)

// prices are what a look costs, and a life that is told late or with a wide
// interval, in seconds of waiting.
type prices struct{ look, late, wide float64 }

// planned is the cheapest plan that keeps what it must, or comes nearest. It is
// sought among all prices, then by chance around the best, ever nearer.
func planned(t table, least time.Duration) *Learned {
	g := newGrid(t, least.Seconds())
	best := offer{burden: math.Inf(1)}
	for late := 8.0; late < 1000; late *= 3 {
		for look := 0.3; look < 80; look *= 1.7 {
			best = g.better(best, prices{look, late, late / 4})
		}
	}
	const tries = 120
	chance := rand.New(rand.NewPCG(1, 2)) // the same each time
	for i := range tries {
		far := 0.5 * (1 - float64(i)/tries)
		near := func(x float64) float64 { return x * math.Exp(far*chance.NormFloat64()) }
		best = g.better(best, prices{near(best.look), near(best.late), near(best.wide)})
	}
	l := &Learned{}
	for _, i := range best.looks {
		l.looks = append(l.looks, time.Duration(g.at[i]*float64(time.Second)))
	}
	return l
}

// offer is a plan, the prices it comes from, and how heavy it is.
type offer struct {
	prices
	looks  []int
	burden float64
}

// better is the lighter one of the best so far and the optimum at some prices.
func (g *grid) better(best offer, p prices) offer {
	looks := g.plan(p)
	if burden := g.weigh(looks); burden < best.burden {
		return offer{p, looks, burden}
	}
	return best
}
