package downstream

import (
	"math"
	"slices"
	"time"
)

// floor is what no schedule of looks can go below, whoever makes it and however
// well it knows the distribution, if it keeps what a plan must keep: so many
// told too late, so many wide intervals, and told no later in the mean than by
// as many looks at even distances.
//
// For any price of a call and any fines, a dynamic programme over the moments of
// looks finds the least of lateness + fines + price × calls. A schedule that
// keeps everything can't be below that: this is a line that its calls must be
// beyond. The line that is furthest is sought.
type floor struct {
	least      int       // steps between two looks
	count, sum []float64 // share of lives whose change is at or before i steps; their delays, in seconds
	cost       []float64
	mean       float64
}

const lattice = step / 2 // of moments

func newFloor(delays []time.Duration) *floor {
	delays = slices.Sorted(slices.Values(delays))
	n := int(delays[len(delays)-1]/lattice) + 2
	f := &floor{least: int(step / lattice), count: make([]float64, n), sum: make([]float64, n), cost: make([]float64, n)}
	k, sum, each := 0, 0.0, 1/float64(len(delays))
	for i := range n {
		for k < len(delays) && delays[k] <= time.Duration(i)*lattice {
			sum += delays[k].Seconds() * each
			k++
		}
		f.count[i], f.sum[i] = float64(k)*each, sum
	}
	f.mean = sum
	return f
}

// above reports by how much the lateness of so many calls at even distances is
// below the line of some prices: if it is, so few calls can't keep everything.
func (f *floor) above(p prices, calls float64) float64 {
	even := f.mean / (calls - 0.5) / 2
	return f.best(p.look, p.late, p.wide) - p.late*lateShare - p.wide*wideShare - even - p.look*calls
}

// calls is the least mean number of calls. How far a line is has one summit, but
// with edges: it is climbed from several sides.
func (f *floor) calls() float64 {
	calls := 1.0
	for _, at := range []prices{{0.5, 20, 10}, {2, 150, 20}, {10, 300, 80}, {40, 900, 250}} {
		calls = f.climb(at, calls)
	}
	return calls
}

// climb raises the number of calls as far as lines around some prices do.
func (f *floor) climb(at prices, calls float64) float64 {
	for by := 1.8; by > 1.005; {
		best, to := f.above(at, calls), at
		for _, p := range []prices{
			{at.look * by, at.late, at.wide}, {at.look / by, at.late, at.wide},
			{at.look, at.late * by, at.wide}, {at.look, at.late / by, at.wide},
			{at.look, at.late, at.wide * by}, {at.look, at.late, at.wide / by},
		} {
			if above := f.above(p, calls); above > best {
				best, to = above, p
			}
		}
		if to == at {
			by = math.Sqrt(by)
		}
		for at = to; best > 0; best = f.above(at, calls) {
			calls += 0.02
		}
	}
	return calls
}

// best is the least of lateness, fines and price of all schedules.
func (f *floor) best(price, late, wide float64) float64 {
	last := len(f.count) - 1
	f.cost[last] = 0
	for i := last - 1; i >= 0; i-- {
		f.cost[i] = math.Inf(1)
		left := price * (1 - f.count[i]) // the next look is made in these lives
		for j := min(i+f.least, last); j <= last; j++ {
			wait := (f.count[j]-f.count[i])*float64(j)*lattice.Seconds() - (f.sum[j] - f.sum[i])
			if left+wait > f.cost[i] {
				break // to look even later only makes it worse
			}
			c := left + wait + f.cost[j]
			if j > i+f.least {
				tooLate := min(j-f.least, j*10/11)
				c += late*max(0, f.count[max(i, tooLate)]-f.count[i]) + wide*max(0, f.count[min(j, 10*(j-i))]-f.count[i])
			}
			f.cost[i] = min(f.cost[i], c)
		}
	}
	return f.cost[0]
}
