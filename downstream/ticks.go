package downstream

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// Ticks: some targets change at fixed moments only, a whole number of minutes
// apart. Then it is not the delay that repeats but the moment.
const (
	tickLeast  = 2 * time.Minute
	tickMost   = 2 * time.Hour
	tickRecall = 64  // what ticked long ago may tick otherwise by now
	tickShare  = 0.9 // of the changes must agree
	tickChance = 0.3 // and an interval must be narrower than this part of the period
)

// ticks finds the period of a target that changes at ticks: there is a moment
// modulo the period which lies in nearly all the intervals. The longest such
// period counts, as its parts agree too.
func ticks(past []Latency) (time.Duration, bool) {
	past = past[max(0, len(past)-tickRecall):]
	for period := tickMost; period >= tickLeast; period -= time.Minute {
		if agree(past, period) {
			return period, true
		}
	}
	return 0, false
}

// agree reports whether the changes may all have happened at one moment modulo
// the period.
func agree(past []Latency, period time.Duration) bool {
	type end struct {
		at   time.Duration
		open int
	}
	var ends []end
	slack := period / 40 // a tick is not always as late
	n, wide, over := 0, 0.0, 0
	for _, l := range past {
		if l.Censored() {
			continue
		}
		n++
		width := l.By - l.After + 2*slack
		wide += float64(width) / float64(period)
		if width >= period {
			over++
			continue
		}
		a := modulo(l.At.Add(l.After-slack), period)
		ends = append(ends, end{a, 1})
		if b := a + width; b < period {
			ends = append(ends, end{b, -1})
		} else {
			over++ // it lies across the end of the period: open from the beginning
			ends = append(ends, end{b - period, -1})
		}
	}
	if n < enough*2/3 || wide/float64(n) > tickChance {
		return false
	}
	slices.SortFunc(ends, func(a, b end) int { return cmp.Or(cmp.Compare(a.at, b.at), b.open-a.open) })
	most, open := over, over
	for _, e := range ends {
		open += e.open
		most = max(most, open)
	}
	return float64(most) >= tickShare*float64(n)
}

// modulo is the time of a moment since the last multiple of the period.
func modulo(t time.Time, period time.Duration) time.Duration {
	return time.Duration(t.UnixNano() % int64(period))
}

// shifted moves what was measured to where it would lie after this turn, had
// the target ticked then as it did.
func shifted(past []Latency, turn time.Time, period time.Duration) []sample {
	var all []sample
	for i, s := range samplesOf(past[max(0, len(past)-tickRecall):], turn) {
		l := past[max(0, len(past)-tickRecall)+i]
		if !math.IsInf(s.by, 1) {
			by := modulo(l.At.Add(l.By).Add(-time.Duration(turn.UnixNano()%int64(period))), period)
			if by == 0 {
				by = period
			}
			s.by = by.Seconds()
			s.after = max(0, s.by-(l.By-l.After).Seconds())
		}
		all = append(all, s)
	}
	return all
}
