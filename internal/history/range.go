package history

import (
	"fmt"
	"math"
	"slices"
	"time"

	"pagbot/activation"
	"pagbot/downstream"
)

// Few is how many measurements are too few to say what is usual.
const Few = 5

// Range is what is known of a length: it lies in (Low, High]. High is 0 where
// it has no end that anybody saw.
type Range struct{ Low, High time.Duration }

// Quantile is the length that a share p of the measured changes did not exceed,
// as a range: each of them lies somewhere between its After and its By, so
// their k-th shortest lies between the k-th shortest After and the k-th
// shortest By, whatever the truth is.
func Quantile(all []downstream.Latency, p float64) Range {
	if len(all) == 0 {
		return Range{}
	}
	const never = time.Duration(math.MaxInt64)
	var after, by []time.Duration
	for _, l := range all {
		after = append(after, l.After)
		if l.Censored() {
			l.By = never
		}
		by = append(by, l.By)
	}
	slices.Sort(after)
	slices.Sort(by)
	k := min(max(int(math.Ceil(p*float64(len(all))-1e-9)), 1), len(all)) - 1
	r := Range{after[k], by[k]}
	if r.High == never {
		r.High = 0
	}
	return r
}

// Usual is how long it takes in four of five cases, from the sooner half of
// what is left out to the later one. Where more than a tenth was not seen to
// the end, it is what half of them exceeded. Without [Few] measurements nothing
// is usual, and the boolean is false.
func Usual(all []downstream.Latency) (Range, bool) {
	if len(all) < Few {
		return Range{}, false
	}
	r := Range{Quantile(all, 0.1).Low, Quantile(all, 0.9).High}
	if r.High == 0 {
		r.Low = Quantile(all, 0.5).Low
	}
	return r, true
}

// Usually says what [Usual] finds, in words that begin in the middle of a
// sentence; empty if nothing is usual.
func Usually(all []downstream.Latency) string {
	r, ok := Usual(all)
	switch {
	case !ok:
		return ""
	case r.High == 0:
		return fmt.Sprintf("often %s here, %d seen", r, len(all))
	}
	return fmt.Sprintf("usually %s here, %d seen", r, len(all))
}

// Usually is for whoever waits for a target now.
func (b *Book) Usually(target string, toward activation.Direction) string {
	return Usually(b.History(target, toward))
}

// String is the range as people say it: "7–22 min". Its ends are rounded
// outwards, so that it never claims more than is known.
func (r Range) String() string {
	if r.High == 0 {
		return "more than " + length(r.Low, down)
	}
	low, high := length(r.Low, down), length(r.High, up)
	var n, m int
	var unit, same string
	switch {
	case r.Low <= 0:
		return "at most " + high
	case low == high:
		return high
	}
	// "7–22 min", but "50 s – 3 min".
	if a, _ := fmt.Sscanf(low, "%d %s", &n, &unit); a == 2 && low == fmt.Sprintf("%d %s", n, unit) {
		if b, _ := fmt.Sscanf(high, "%d %s", &m, &same); b == 2 && unit == same && high == fmt.Sprintf("%d %s", m, same) {
			return fmt.Sprintf("%d–%d %s", n, m, unit)
		}
	}
	return low + " – " + high
}

func down(d, to time.Duration) time.Duration { return d.Truncate(to) }

func up(d, to time.Duration) time.Duration { return (d + to - 1).Truncate(to) }

// length is a duration as people say it, rounded one way.
func length(d time.Duration, round func(d, to time.Duration) time.Duration) string {
	if s := round(d, time.Second); s < time.Minute {
		return fmt.Sprintf("%d s", int(s.Seconds()))
	}
	d = round(d, time.Minute)
	h, m := int(d.Hours()), int(d.Minutes())%60
	switch {
	case h == 0:
		return fmt.Sprintf("%d min", m)
	case m == 0:
		return fmt.Sprintf("%d h", h)
	}
	return fmt.Sprintf("%d h %d min", h, m)
}

// Length is a duration as people say it.
func Length(d time.Duration) string { return length(d, down) }
