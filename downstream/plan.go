package downstream

import (
	"math"
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
	if period, ok := ticks(past); ok {
		return planned(newTable(shifted(past, turn, period)), least)
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
	lateShare = 0.05  // are told later than a tenth of the delay, at most
	wideShare = 0.10  // have an interval wider than that
	evenShare = 1.0   // is the lateness over that of as many looks at even distances
	dearShare = 0.225 // of the calls that looking as fast as possible makes
)

// A plan aims at better than that, as it comes from what is known only: always,
// and by so much more while it is just enough.
const (
	lateMargin, lateUnsure = 0.008, 0.022
	evenMargin, evenUnsure = 0.03, 0.2
)

// The plan is sought among these prices of a look and fines of a life told late
// or with a wide interval, in seconds of waiting: first in wide steps, then in
// narrow ones around the best.
const (
	cheap, dear  = 0.1, 80.0
	light, heavy = 3.0, 200.0
)

// planned is the cheapest plan that keeps what it must, or comes nearest.
func planned(t table, least time.Duration) *Learned {
	g := newGrid(t, least.Seconds())
	best := offer{burden: math.Inf(1)}
	best = g.search(best, light, heavy, 2, cheap, dear, 1.6)
	fine, price := best.fine, best.price
	best = g.search(best, fine/1.5, fine*1.6, 1.22, price/1.5, price*1.6, 1.1)
	l := &Learned{}
	for _, i := range best.looks {
		l.looks = append(l.looks, time.Duration(g.at[i]*float64(time.Second)))
	}
	return l
}

// offer is a plan, where it was found, and how heavy it is.
type offer struct {
	looks               []int
	fine, price, burden float64
}

// search looks for a lighter plan than the best so far.
func (g *grid) search(best offer, light, heavy, byFine, cheap, dear, byPrice float64) offer {
	for fine := light; fine <= heavy; fine *= byFine {
		for price := cheap; price <= dear; price *= byPrice {
			looks := g.plan(price, fine)
			if burden := g.weigh(looks); burden < best.burden {
				best = offer{looks, fine, price, burden}
			}
		}
	}
	return best
}
