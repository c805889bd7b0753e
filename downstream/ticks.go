package downstream

import (
	"cmp"
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
func ticks(past []Latency) (tick, bool) {
	past = past[max(0, len(past)-tickRecall):]
	for period := tickMost; period >= tickLeast; period -= time.Minute {
		if moment, ok := agree(past, period); ok {
			return tick{period, moment}, true
		}
	}
	return tick{}, false
}

// tick is a period, and a moment modulo it.
type tick struct{ period, moment time.Duration }

// agree reports whether the changes may all have happened at one moment modulo
// the period, and which.
func agree(past []Latency, period time.Duration) (time.Duration, bool) {
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
		return 0, false
	}
	slices.SortFunc(ends, func(a, b end) int { return cmp.Or(cmp.Compare(a.at, b.at), b.open-a.open) })
	most, open, moment := over, over, time.Duration(0)
	for _, e := range ends {
		if open += e.open; open > most {
			most, moment = open, e.at+slack
		}
	}
	return moment, float64(most) >= tickShare*float64(n)
}

// modulo is the time of a moment since the last multiple of the period.
func modulo(t time.Time, period time.Duration) time.Duration {
	return time.Duration(t.UnixNano() % int64(period))
}

// shifted moves what was measured to where it would lie after this turn, had
// the target ticked then as it did.
func shifted(past []Latency, turn time.Time, t tick) []sample {
	past = past[max(0, len(past)-tickRecall):]
	next := (t.moment - modulo(turn, t.period) + t.period) % t.period
	all := samplesOf(past, turn)
	for i, l := range past {
		s := &all[i]
		if l.Censored() {
			continue
		}
		// It was seen after the tick, or a little before where that comes early.
		early := t.period / 20
		off := modulo(l.At.Add(l.By+early-t.moment), t.period) - early
		by := next + off
		if by <= 0 {
			by += t.period
		}
		s.by = by.Seconds()
		s.after = max(0, s.by-(l.By-l.After).Seconds())
	}
	return all
}
