package downstream

import (
	"math"
	"slices"
	"time"
)

// floor is the exact optimum for a known distribution: no schedule of looks on
// a lattice, whoever makes it, loses less with as few calls. It minimises (mean
// loss + price × mean calls) by a dynamic programme over the moments of looks;
// every price gives one point of the lower hull. The loss of a life is how late
// it is told, in seconds, and a fine if its interval is wider than the
// tolerance.
type floor struct {
	step  time.Duration
	fine  float64
	count []float64 // lives whose change is at or before i steps
	sum   []float64 // their delays, in seconds
}

func newFloor(delays []time.Duration, step time.Duration, fine float64) *floor {
	delays = slices.Sorted(slices.Values(delays))
	n := int(delays[len(delays)-1]/step) + 2
	f := &floor{step, fine, make([]float64, n), make([]float64, n)}
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

// best is the mean calls and the mean loss of the optimum at a price.
func (f *floor) best(price float64) (calls, late float64) {
	n := len(f.count)
	total := f.count[n-1]
	cost, next := make([]float64, n), make([]int, n)
	for i := n - 2; i >= 0; i-- {
		left := price * (total - f.count[i]) // the next look is made in these lives
		for j := i + 1; j < n; j++ {
			c := left + f.loss(i, j) + cost[j]
			if j == i+1 || c < cost[i] {
				cost[i], next[i] = c, j
			}
		}
	}
	for i := 0; i < n-1; i = next[i] {
		calls += total - f.count[i]
		late += f.loss(i, next[i])
	}
	return calls / total, late / total
}

// loss is what all lives that change between two looks lose together.
func (f *floor) loss(i, j int) float64 {
	loss := (f.count[j]-f.count[i])*float64(j)*f.step.Seconds() - (f.sum[j] - f.sum[i])
	if j > i+1 { // one step is always tolerable
		loss += f.fine * max(0, f.count[min(j, 10*(j-i))]-f.count[i])
	}
	return loss
}

// lossAt is the least mean loss with so many calls in the mean; callsAt the
// least mean calls with that loss. Between two points of the hull both may
// be mixed.
func (f *floor) lossAt(calls float64) float64 {
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
