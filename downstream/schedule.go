package downstream

import "time"

// The shape of the schedule. Geometric steps make the published interval about
// a tenth of the latency, whatever the latency is, for some 55 questions in
// the first hour. What a target's past teaches takes their place (see Learn).
const (
	step      = 5 * time.Second
	soon      = 4 * time.Hour // so long a person may still wait for it
	soonCap   = 5 * time.Minute
	lateCap   = 15 * time.Minute
	doubtStep = 15 * time.Second // after one can't tell; twice as long after the next
)

// Next says how long to wait before a target is asked again. age is the time
// since the turn that is measured (PIM's grant, or the end); a negative age
// waits for the turn. learned may be nil. doubts counts the can't-tells since the last sound
// answer, retry is what the target asked for. All durations are world time,
// also those in l.
func Next(age time.Duration, l Limits, learned *Learned, doubts int, retry time.Duration) time.Duration {
	most := soonCap
	if age > soon {
		most = lateCap
	}
	next := min(max(step, age/10), most)
	if planned := learned.next(age); planned > 0 {
		next = planned
	}
	if age < 0 {
		next = max(step, -age)
	}
	if age+next < l.Quiet {
		next = l.Quiet - age
	}
	if doubts > 0 {
		next = max(next, min(doubtStep<<min(doubts-1, 10), soonCap))
	}
	return max(next, l.Cache, l.Rate, retry)
}
