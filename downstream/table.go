package downstream

import (
	"math"
	"slices"
	"time"
)

// What is remembered of past measurements.
const (
	enough   = 30                  // below that nothing is learned
	recall   = 400                 // the most recent ones that count
	halfLife = 30 * 24 * time.Hour // an old one counts half after that
	rounds   = 12                  // of making the table agree with itself; more would believe chance
)

// table is a life table: how probable it is that the change comes in each of
// the cells between the edges, in seconds, or later than the last.
type table struct {
	edges []float64
	mass  []float64 // of each cell; one less than edges
	later float64
}

// sample is one measurement in seconds: the change came within (after, by], or
// later than after.
type sample struct {
	after, by float64
	weight    float64
}

// samplesOf takes the most recent measurements before a turn, weighed by age.
func samplesOf(past []Latency, turn time.Time) []sample {
	var all []sample
	for _, l := range past[max(0, len(past)-recall):] {
		s := sample{after: l.After.Seconds(), by: l.By.Seconds(), weight: math.Exp2(-turn.Sub(l.At).Hours() / halfLife.Hours())}
		if l.Censored() {
			s.by = math.Inf(1)
		}
		all = append(all, s)
	}
	return all
}

// newTable estimates the distribution from samples that are only known to lie
// in intervals, some of which have no upper end: each sample is shared out over
// the cells that it may lie in, in the proportion of what all samples together
// say of those cells (Turnbull's estimate, stopped early so that it stays
// smooth). A small share of the mass goes to every moment, as the geometric
// steps would have it: what was never seen may happen yet.
func newTable(all []sample) table {
	t := table{edges: edgesOf(all)}
	n := len(t.edges) - 1
	t.mass = make([]float64, n)
	for i := range n {
		t.mass[i] = (t.edges[i+1] - t.edges[i]) / t.edges[n]
	}
	t.later = 1.0 / float64(n)
	total := 0.0
	for _, s := range all {
		total += s.weight
	}
	for range rounds {
		t = t.again(all, total)
	}
	doubt := 1 / (total + 2)
	span := math.Log1p(t.edges[n] / step.Seconds())
	for i := range n {
		log := math.Log1p(t.edges[i+1]/step.Seconds()) - math.Log1p(t.edges[i]/step.Seconds())
		t.mass[i] = (1-2*doubt)*t.mass[i] + doubt/2*log/span
	}
	t.mass[n-1] += doubt
	t.mass[1] += doubt / 2
	t.later = (1 - 2*doubt) * t.later
	return t
}

// edgesOf makes cells that hold about as many ends of samples each: narrow
// where much happens.
func edgesOf(all []sample) []float64 {
	var ends []float64
	for _, s := range all {
		ends = append(ends, s.after)
		if !math.IsInf(s.by, 1) {
			ends = append(ends, s.by)
		}
	}
	slices.Sort(ends)
	every := max(1, int(math.Sqrt(float64(len(ends)))))
	low := ends[0]
	edges := []float64{0}
	if low > 8 {
		edges = append(edges, low*7/8)
	}
	for i := 0; i < len(ends); i += every {
		if ends[i]-edges[len(edges)-1] >= 1 {
			edges = append(edges, ends[i])
		}
	}
	last := ends[len(ends)-1]
	if last > edges[len(edges)-1] {
		edges = append(edges, last)
	}
	return append(edges, last*9/8+1)
}

// again shares every sample out once.
func (t table) again(all []sample, total float64) table {
	n := len(t.mass)
	next := table{edges: t.edges, mass: make([]float64, n)}
	share := make([]float64, n)
	for _, s := range all {
		first, _ := slices.BinarySearch(t.edges, s.after)
		first = max(0, first-1)
		sum, last := 0.0, first
		for i := first; i < n && t.edges[i] < s.by; i++ {
			low, high := max(t.edges[i], s.after), min(t.edges[i+1], s.by)
			share[i] = t.mass[i] * max(0, high-low) / (t.edges[i+1] - t.edges[i])
			sum, last = sum+share[i], i+1
		}
		if math.IsInf(s.by, 1) {
			sum += t.later
		}
		if sum <= 0 {
			continue
		}
		for i := first; i < last; i++ {
			next.mass[i] += s.weight / total * share[i] / sum
		}
		if math.IsInf(s.by, 1) {
			next.later += s.weight / total * t.later / sum
		}
	}
	return next
}
