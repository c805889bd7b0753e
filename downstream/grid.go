package downstream

import (
	"math"
	"slices"
)

// grid is where looks may be, in seconds.
type grid struct {
	least  float64 // between two looks
	known  float64 // samples it comes from
	at     []float64
	before []float64 // probability that the change came at or before
	moment []float64 // and its expected moment, summed
	late   []float64 // probability that it came so long before that a look now is late
}

// newGrid makes places half of the least distance apart, or a small part of the
// age.
func newGrid(t table, least float64) *grid {
	g := &grid{least: least, known: t.known, at: []float64{0}, before: []float64{0}, moment: []float64{0}}
	part := min(1.0/250, scale(t.edges[1])/4)
	sum, moment, cell := 0.0, 0.0, 0
	end := t.edges[len(t.mass)]
	for low := 0.0; low < end; {
		high := min(end, low+max(least/2, low*part))
		for ; cell < len(t.mass); cell++ {
			a, b := max(low, t.edges[cell]), min(high, t.edges[cell+1])
			m := t.mass[cell] * max(0, b-a) / (t.edges[cell+1] - t.edges[cell])
			sum, moment = sum+m, moment+m*(a+b)/2
			if t.edges[cell+1] > high {
				break
			}
		}
		g.at, g.before, g.moment = append(g.at, high), append(g.before, sum), append(g.moment, moment)
		low = high
	}
	for _, at := range g.at {
		g.late = append(g.late, g.by(min(at/1.1, at-least)))
	}
	return g
}

// by is the probability that the change came at or before an age.
func (g *grid) by(age float64) float64 {
	k, _ := slices.BinarySearch(g.at, age)
	if k == 0 || k == len(g.at) {
		return g.before[min(k, len(g.at)-1)]
	}
	share := (age - g.at[k-1]) / (g.at[k] - g.at[k-1])
	return g.before[k-1] + share*(g.before[k]-g.before[k-1])
}

// plan is the optimum at these prices, by a dynamic programme from the end:
// the places of its looks.
func (g *grid) plan(p prices) []int {
	n := len(g.at)
	cost, next := make([]float64, n), make([]int, n)
	for i := n - 2; i >= 0; i-- {
		cost[i], next[i] = math.Inf(1), n-1
		left := p.look * (1 - g.before[i])
		k := i
		for j := i + 1; j < n; j++ {
			gap := g.at[j] - g.at[i]
			if gap < g.least && j < n-1 {
				continue
			}
			for k < j && g.at[k] < 10*gap {
				k++
			}
			c := left + g.waits(i, j)
			if c > cost[i] {
				break // later is only worse
			}
			c += cost[j]
			if gap > g.least {
				c += p.late*max(0, g.late[j]-g.before[i]) + p.wide*(g.before[k]-g.before[i])
			}
			if c < cost[i] {
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

// waits is how long those that change between two looks wait, in the mean of
// all.
func (g *grid) waits(i, j int) float64 {
	return (g.before[j]-g.before[i])*g.at[j] - (g.moment[j] - g.moment[i])
}

// weigh is what a plan costs in the mean: its looks, and more for all that it
// does not keep.
func (g *grid) weigh(looks []int) float64 {
	var calls, waits, late, wide float64
	i := 0
	for _, j := range looks {
		calls += 1 - g.before[i]
		waits += g.waits(i, j)
		if gap := g.at[j] - g.at[i]; gap > g.least {
			late += max(0, g.late[j]-g.before[i])
			wide += max(0, g.by(min(g.at[j], 10*gap))-g.before[i])
		}
		i = j
	}
	mean := g.moment[len(g.at)-1]
	even := mean / max(calls-0.5, 0.5) / 2
	unsure := min(1, enough/g.known)
	broken := max(1, late/(lateShare-lateMargin-lateUnsure*unsure)) *
		max(1, wide/wideShare) *
		max(1, waits/even/(evenShare-evenUnsure*unsure)) *
		max(1, calls/((dearShare-dearMargin-dearUnsure*unsure)*mean/g.least+1))
	return math.Pow(calls, 1-cheapUnsure*unsure) * math.Pow(broken, 8)
}
