package downstream

import (
	"math"
	"sort"
	"time"
)

// Learned is when to look at a target, as its past teaches: ages, rising.
// After the last the steps are geometric again.
type Learned struct{ looks []time.Duration }

// Learn makes a plan for one turn from what was measured before, oldest first;
// nil while that is too little. cache is how fast looking makes sense at all.
func Learn(past []Latency, turn time.Time, cache time.Duration) *Learned {
	if len(past) < enough {
		return nil
	}
	all := samplesOf(past, turn)
	if period, ok := ticks(past); ok {
		all = shifted(past, turn, period)
	}
	return planned(newTable(all), max(step, cache))
}

// next is the wait until the next planned look, zero beyond the last.
func (l *Learned) next(age time.Duration) time.Duration {
	if l == nil {
		return 0
	}
	for _, at := range l.looks {
		if at-age >= step {
			return at - age
		}
	}
	return 0
}

// What a plan must keep, and the range in which its price is looked for.
const (
	promise = 0.045 // so many published intervals may be wider than the tolerance
	cheap   = 0.02  // seconds of waiting that one look saves, at least
	dear    = 2000  // and at most
)

// fines are what an interval that is too wide may count, in seconds of waiting.
var fines = []float64{5, 40}

// planned is the best plan that keeps the promise; nil if there is none.
func planned(t table, least time.Duration) *Learned {
	g := newGrid(t, least.Seconds())
	var best []int
	lowest := math.Inf(1)
	for _, fine := range fines {
		for low, high := cheap, float64(dear); high/low > 1.5; {
			price := math.Sqrt(low * high)
			looks := g.plan(price, fine)
			burden, keeps := g.weigh(looks)
			if !keeps {
				high = price
				continue
			}
			low = price
			if burden < lowest {
				lowest, best = burden, looks
			}
		}
	}
	if best == nil {
		return nil
	}
	l := &Learned{}
	for _, i := range best {
		l.looks = append(l.looks, time.Duration(g.at[i]*float64(time.Second)))
	}
	return l
}

// grid is where looks may be, in seconds: each cell of a table in parts.
type grid struct {
	least  float64
	at     []float64
	before []float64 // probability that the change came at or before
	moment []float64 // and its expected moment, summed
}

// A cell has at least fewest parts, if it is not too narrow, so that the end of
// what comes together can be met; and at most parts.
const (
	fewest = 6
	parts  = 40
)

func newGrid(t table, least float64) *grid {
	g := &grid{least: least, at: []float64{0}, before: []float64{0}, moment: []float64{0}}
	sum, moment := 0.0, 0.0
	for i, m := range t.mass {
		low, high := t.edges[i], t.edges[i+1]
		n := max(1, min(parts, math.Floor((high-low)/max(least, low/24))), min(fewest, math.Floor((high-low)/2)))
		for k := range int(n) {
			a, b := low+(high-low)*float64(k)/n, low+(high-low)*float64(k+1)/n
			sum += m / n
			moment += m / n * (a + b) / 2
			g.at, g.before, g.moment = append(g.at, b), append(g.before, sum), append(g.moment, moment)
		}
	}
	return g
}

// plan is the optimum at a price, by a dynamic programme from the end: the
// places of its looks.
func (g *grid) plan(price, fine float64) []int {
	n := len(g.at)
	cost, next := make([]float64, n), make([]int, n)
	for i := n - 2; i >= 0; i-- {
		cost[i], next[i] = math.Inf(1), n-1
		left := price * (1 - g.before[i])
		for j := i + 1; j < n; j++ {
			gap := g.at[j] - g.at[i]
			if gap < g.least && j < n-1 {
				continue
			}
			if c := left + g.late(i, j) + fine*g.wide(i, j) + cost[j]; c < cost[i] {
				cost[i], next[i] = c, j
			}
			if gap > soonCap.Seconds() {
				break
			}
		}
	}
	var looks []int
	for i := 0; i < n-1; i = next[i] {
		looks = append(looks, next[i])
	}
	return looks
}

// late is how long those that change between two looks wait, in the mean of
// all.
func (g *grid) late(i, j int) float64 {
	return (g.before[j]-g.before[i])*g.at[j] - (g.moment[j] - g.moment[i])
}

// wide is how many of those have an interval wider than a tenth of their delay,
// if looking faster makes sense at all.
func (g *grid) wide(i, j int) float64 {
	gap := g.at[j] - g.at[i]
	to := min(g.at[j], 10*gap)
	if gap <= 1.5*g.least || to <= g.at[i] {
		return 0
	}
	k := max(1, sort.SearchFloat64s(g.at, to))
	share := (to - g.at[k-1]) / (g.at[k] - g.at[k-1])
	return g.before[k-1] - g.before[i] + share*(g.before[k]-g.before[k-1])
}

// weigh is what a plan costs in the mean: its looks, and more if as many looks
// at even distances would tell sooner; and whether it keeps the promise.
func (g *grid) weigh(looks []int) (burden float64, keeps bool) {
	var calls, late, wide float64
	i := 0
	for _, j := range looks {
		calls += 1 - g.before[i]
		late += g.late(i, j)
		wide += g.wide(i, j)
		i = j
	}
	even := g.moment[len(g.at)-1] / max(calls-0.5, 0.5) / 2
	ratio := max(1, late/even/0.95)
	return calls * ratio * ratio, wide <= promise
}
