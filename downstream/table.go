package downstream

import (
	"math"
	"slices"
	"time"
)

// What is remembered of past measurements.
const (
	enough   = 30                  // below that nothing is learned
	recall   = 1000                // the most recent ones that count
	halfLife = 30 * 24 * time.Hour // an old one counts half after that
	rounds   = 6                   // of making the table agree with itself

	wider    = 0.42  // smoothing, as a part of how much the samples differ
	widest   = 0.5   // and at most, of the age, when just enough are known
	finest   = 0.002 // cells, as a part of the age
	coarsest = 0.02
	beyond   = 3 // so many times what was ever seen may it take

	// So many samples may be of another kind: of any magnitude, or at any moment
	// until the last that was seen. Where all are much alike they are fewer, but
	// some always.
	doubted  = 1.0
	evenly   = 2.5
	various  = 0.6
	untimely = 0.3
)

// table is a life table: how probable it is that the change comes in each of
// the cells between the edges, in seconds, or later than the last.
type table struct {
	edges []float64
	mass  []float64 // of each cell; one less than edges
	later float64
	known float64 // so many samples it comes from
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
// say of those cells (Turnbull's estimate, stopped early). That would believe
// chance, so it is smoothed, the less the more is known; and a small share of
// the mass goes to every age, also beyond what was ever seen.
func newTable(all []sample) table {
	last, total := step.Seconds(), 0.0
	for _, s := range all {
		last, total = max(last, s.after), total+s.weight
		if !math.IsInf(s.by, 1) {
			last = max(last, s.by)
		}
	}
	differ := spread(all)
	width := min(wider*differ*math.Pow(enough/total, 0.5), widest*math.Pow(enough/total, 0.33))
	cell := min(max(width/4, finest), coarsest)
	n := int((scale(beyond*last)+width)/cell) + 2
	t := table{edges: make([]float64, n+1), mass: make([]float64, n), later: 1 / float64(n+1), known: total}
	for i := range n {
		t.edges[i+1] = unscale(float64(i+1) * cell)
		t.mass[i] = 1 / float64(n+1)
	}
	for range rounds {
		t = t.again(all, total)
	}
	t.smooth(int(width / cell))
	doubt := min(1, differ*differ/various/various) / (total + 2)
	strange, even := max(doubted*doubt, untimely/(total+2)), evenly*doubt
	for i := range t.mass {
		t.mass[i] *= 1 - strange - even
		t.mass[i] += strange / float64(n)
		t.mass[i] += even * max(0, min(t.edges[i+1], last)-t.edges[i]) / last
	}
	t.later *= 1 - strange - even
	return t
}

// The table is even in this scale of age: relative, but not among the first
// seconds.
func scale(seconds float64) float64 { return math.Log1p(seconds / 60) }
func unscale(x float64) float64     { return 60 * math.Expm1(x) }

// spread is by how much the samples differ, in the scale of the table.
func spread(all []sample) float64 {
	var n, sum, squares float64
	for _, s := range all {
		if !math.IsInf(s.by, 1) {
			x := (scale(s.after) + scale(s.by)) / 2
			n, sum, squares = n+s.weight, sum+s.weight*x, squares+s.weight*x*x
		}
	}
	if n == 0 {
		return 1
	}
	return math.Sqrt(max(0, squares/n-sum/n*sum/n))
}

// smooth spreads the mass of each cell over its neighbours, the nearer the more.
func (t *table) smooth(width int) {
	out := make([]float64, len(t.mass))
	for i, m := range t.mass {
		from, to := max(0, i-width), min(len(out)-1, i+width)
		sum := 0.0
		for j := from; j <= to; j++ {
			sum += float64(width + 1 - max(i-j, j-i))
		}
		for j := from; j <= to; j++ {
			out[j] += m * float64(width+1-max(i-j, j-i)) / sum
		}
	}
	t.mass = out
}

// again shares every sample out once.
func (t table) again(all []sample, total float64) table {
	n := len(t.mass)
	next := table{edges: t.edges, mass: make([]float64, n), known: t.known}
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
