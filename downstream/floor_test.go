package downstream

import (
	"math"
	"slices"
	"time"
)

// floor is the exact optimum for a known distribution: no schedule of looks on
// a lattice, whoever makes it, tells sooner with as few calls. It minimises
// (mean lateness + price × mean calls) by a dynamic programme over the moments
// of looks; every price gives one point of the lower hull.
type floor struct {
	step  time.Duration
	count []float64 // lives whose change is at or before i steps
	sum   []float64 // their delays, in seconds
}

func newFloor(delays []time.Duration, step time.Duration) *floor {
	delays = slices.Sorted(slices.Values(delays))
	n := int(delays[len(delays)-1]/step) + 2
	f := &floor{step, make([]float64, n), make([]float64, n)}
	k, sum := 0, 0.0
	for i := range n {
		for k < len(delays) && delays[k] <= time.Duration(i)*step {
			sum += delays[k].Seconds()
			k++
		}
		f.count[i], f.sum[i] = float64(k), sum
	}
	return f
}

// best is the mean calls and the mean lateness, in seconds, of the optimum at a
// price.
func (f *floor) best(price float64) (calls, late float64) {
	n := len(f.count)
	total := f.count[n-1]
	cost, next := make([]float64, n), make([]int, n)
	for i := n - 2; i >= 0; i-- {
		left := price * (total - f.count[i]) // the next look is made in these lives
		for j := i + 1; j < n; j++ {
			c := left + f.lateness(i, j) + cost[j]
			if j == i+1 || c < cost[i] {
				cost[i], next[i] = c, j
			}
		}
	}
	for i := 0; i < n-1; i = next[i] {
		calls += total - f.count[i]
		late += f.lateness(i, next[i])
	}
	return calls / total, late / total
}

// lateness is what all lives that change between two looks wait together.
func (f *floor) lateness(i, j int) float64 {
	return (f.count[j]-f.count[i])*float64(j)*f.step.Seconds() - (f.sum[j] - f.sum[i])
}

// lateAt is the least mean lateness with so many calls in the mean; callsAt the
// least mean calls with that lateness. Between two points of the hull both may
// be mixed.
func (f *floor) lateAt(calls float64) float64 {
	c0, l0, c1, l1 := f.around(func(c, _ float64) bool { return c <= calls })
	return mix(calls, c0, c1, l0, l1)
}

func (f *floor) callsAt(late float64) float64 {
	c0, l0, c1, l1 := f.around(func(_, l float64) bool { return l >= late })
	return mix(late, l0, l1, c0, c1)
}

// around finds the two neighbouring points of the hull between which cheap
// turns from true to false.
func (f *floor) around(cheap func(calls, late float64) bool) (c0, l0, c1, l1 float64) {
	low, high := 1e-3, 1e6 // a low price buys many calls
	c0, l0 = f.best(high)
	c1, l1 = f.best(low)
	for range 40 {
		mid := low * math.Sqrt(high/low)
		if c, l := f.best(mid); cheap(c, l) {
			high, c0, l0 = mid, c, l
		} else {
			low, c1, l1 = mid, c, l
		}
		if high/low < 1.0005 {
			break
		}
	}
	return c0, l0, c1, l1
}

// mix is y at x on the line through two points, and not beyond them.
func mix(x, x0, x1, y0, y1 float64) float64 {
	if x0 == x1 {
		return y0
	}
	share := min(max((x-x0)/(x1-x0), 0), 1)
	return y0 + share*(y1-y0)
}
