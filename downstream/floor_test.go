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
// beyond. The highest of all lines counts.
type floor struct {
	least         int       // steps between two looks
	count, sum    []float64 // share of lives whose change is at or before i steps; their delays, in seconds
	cost          []float64
	mean          float64
	price, beyond []float64 // the lines
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
	for _, wide := range []float64{0, 0.3} {
		for share := 5.0; share < 500; share *= 1.3 {
			f.line(1e5, 1e5*share, wide) // so dear that lateness does not matter
		}
		for fine := 10.0; fine < 700; fine *= 1.4 {
			for price := 0.2; price < 50; price *= 1.2 {
				f.line(price, fine, wide)
			}
		}
	}
	return f
}

// line adds what follows from a price, a fine for too late, and a part of it for
// too wide.
func (f *floor) line(price, fine, wide float64) {
	f.price = append(f.price, price)
	f.beyond = append(f.beyond, f.best(price, fine, fine*wide)-fine*(lateShare+wide*wideShare))
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

// calls is the least mean number of calls.
func (f *floor) calls() float64 {
	calls := 1.0
	for ; ; calls += 0.02 {
		even := f.mean / (calls - 0.5) / 2
		below := false
		for i, p := range f.price {
			below = below || even+p*calls < f.beyond[i]
		}
		if !below {
			return calls
		}
	}
}
