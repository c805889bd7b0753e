package downstream

import (
	"math"
	"math/rand/v2"
	"time"
)

// nature is how a target takes its time, drawn anew for each life: the delays
// of the book, by name and seed.
type nature struct {
	name string
	seed uint64
	// draw gives the delay of one life, and what of it nobody could know
	// beforehand: all, except on a target whose ticks are known.
	draw func(r *rand.Rand, turn time.Time) (delay, unknown time.Duration)
}

const noon = 12 * time.Hour

// epoch is when the simulated targets began to tick.
var epoch = time.Date(2026, 1, 5, 0, 7, 13, 0, time.UTC)

func between(r *rand.Rand, low, high time.Duration) time.Duration {
	return low + time.Duration(r.Float64()*float64(high-low))
}

// free is a delay of which nothing is known beforehand.
func free(draw func(r *rand.Rand) time.Duration) func(*rand.Rand, time.Time) (time.Duration, time.Duration) {
	return func(r *rand.Rand, _ time.Time) (time.Duration, time.Duration) {
		d := draw(r)
		return d, d
	}
}

// ticking is a copy that follows at fixed moments, a little late each time.
func ticking(period, jitter time.Duration) func(*rand.Rand, time.Time) (time.Duration, time.Duration) {
	return func(r *rand.Rand, turn time.Time) (time.Duration, time.Duration) {
		since := turn.Sub(epoch) % period
		late := between(r, 0, jitter)
		return period - since + late, late
	}
}

func natures() []nature {
	return []nature{
		{"scim 2-10 min", 1, free(func(r *rand.Rand) time.Duration { return between(r, 2*time.Minute, 10*time.Minute) })},
		{"scim with the 40 min cycle", 2, free(func(r *rand.Rand) time.Duration {
			if r.Float64() < 0.75 {
				return between(r, 2*time.Minute, 10*time.Minute)
			}
			return between(r, 10*time.Minute, 50*time.Minute)
		})},
		{"devops, any time in an hour", 3, free(func(r *rand.Rand) time.Duration { return between(r, 0, time.Hour) })},
		{"devops, half sign in again", 4, free(func(r *rand.Rand) time.Duration {
			hour := between(r, 0, time.Hour)
			if r.Float64() < 0.5 {
				return min(hour, 20*time.Second+time.Duration(r.ExpFloat64()*float64(4*time.Minute)))
			}
			return hour
		})},
		{"intune 1-15 min", 5, free(func(r *rand.Rand) time.Duration { return between(r, time.Minute, 15*time.Minute) })},
		{"intune lognormal, median 6 min", 6, free(func(r *rand.Rand) time.Duration {
			return min(2*time.Hour, time.Duration(float64(6*time.Minute)*math.Exp(0.7*r.NormFloat64())))
		})},
		{"ticks of 40 min, 10 s late at most", 7, ticking(40*time.Minute, 10*time.Second)},
		{"ticks of an hour, 30 s late at most", 8, ticking(time.Hour, 30*time.Second)},
		{"ticks of 15 min, 5 s late at most", 9, ticking(15*time.Minute, 5*time.Second)},
	}
}

// past lives of a nature are made by a policy that learns as it goes.
type lived struct {
	past  []Latency
	turn  time.Time
	rand  *rand.Rand
	of    nature
	calls int
}

func begin(of nature) *lived {
	return &lived{of: of, rand: rand.New(rand.NewPCG(of.seed, 7)), turn: epoch.Add(noon)}
}

// policy gives the wait until the next look, at an age, for one life.
type policy func(past []Latency, turn time.Time) func(age time.Duration) time.Duration

// sight is what one life cost.
type sight struct {
	delay, unknown time.Duration // when it truly came
	calls          int
	late, width    time.Duration // of telling; of the published interval
}

// live is one life: look by the policy until it is there.
func (l *lived) live(p policy) sight {
	l.turn = l.turn.Add(time.Duration(l.rand.ExpFloat64() * float64(90*time.Minute)))
	delay, unknown := l.of.draw(l.rand, l.turn)
	next := p(l.past, l.turn)
	s := sight{delay: delay, unknown: unknown}
	last, age := time.Duration(0), time.Duration(0)
	for {
		age += next(age)
		s.calls++
		if age >= delay {
			break
		}
		last = age
	}
	s.late, s.width = age-delay, age-last
	l.calls += s.calls
	return s
}

// remember puts a life into the past.
func (l *lived) remember(s sight) {
	by := s.delay + s.late
	l.past = append(l.past, Latency{At: l.turn, After: by - s.width, By: by})
}
