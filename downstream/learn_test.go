package downstream

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"pagbot/activation"
)

// pastOf makes measurements a day apart, each a minute wide.
func pastOf(n int, turn time.Time, delay func(i int) time.Duration) []Latency {
	all := make([]Latency, n)
	for i := range all {
		d := delay(i)
		all[i] = Latency{At: turn.Add(time.Duration(i-n) * 24 * time.Hour), After: d - time.Minute, By: d}
	}
	return all
}

func around(middle time.Duration) func(int) time.Duration {
	r := rand.New(rand.NewPCG(1, 2))
	return func(int) time.Duration { return between(r, middle*8/10, middle*12/10) }
}

// within counts the looks between two ages.
func (l *Learned) within(from, to time.Duration) (n int) {
	for _, at := range l.looks {
		if at > from && at <= to {
			n++
		}
	}
	return n
}

func TestTooLittleTeachesNothing(t *testing.T) {
	if l := Learn(pastOf(enough-1, epoch, around(time.Hour)), epoch, 0); l != nil {
		t.Errorf("learned %v", l.looks)
	}
}

func TestPlansLookWhereItComes(t *testing.T) {
	l := Learn(pastOf(60, epoch, around(30*time.Minute)), epoch, 0)
	if l == nil {
		t.Fatal("nothing learned")
	}
	before, there := l.within(0, 20*time.Minute), l.within(22*time.Minute, 38*time.Minute)
	if there < 5 || before > there {
		t.Errorf("%d looks before it ever came, %d where it comes: %v", before, there, l.looks)
	}
}

// What is new counts more than what was long ago.
func TestTheOldFades(t *testing.T) {
	old := pastOf(100, epoch.Add(-200*24*time.Hour), around(10*time.Minute))
	l := Learn(append(old, pastOf(100, epoch, around(30*time.Minute))...), epoch, 0)
	if was, is := l.within(8*time.Minute, 12*time.Minute), l.within(24*time.Minute, 36*time.Minute); is < 2*was {
		t.Errorf("%d looks where it came, %d where it comes: %v", was, is, l.looks)
	}
}

// What came where nobody looked, again and again, is no longer what was learned.
func TestAChangeIsNoticed(t *testing.T) {
	past := pastOf(100, epoch, around(30*time.Minute))
	for i := range past[95:] {
		if l := Learn(past, epoch, 0); l == nil {
			t.Fatalf("forgotten after %d surprises", i)
		}
		past[95+i].After, past[95+i].By = 0, 20*time.Minute
	}
	if l := Learn(past, epoch, 0); l != nil {
		t.Errorf("still follows the old plan: %v", l.looks)
	}
}

// A look that came a little late does not cost the next one.
func TestLateLooksSkipNone(t *testing.T) {
	l := &Learned{looks: []time.Duration{100 * time.Second, 105 * time.Second, 110 * time.Second}}
	if got := l.next(100*time.Second + 300*time.Millisecond); got != step {
		t.Errorf("waits %v, want %v", got, step)
	}
}

// A life that was given up before the change says that it may take longer.
func TestTheCensoredCount(t *testing.T) {
	past := pastOf(100, epoch, func(i int) time.Duration { return time.Duration(2+i*37%100) * time.Minute })
	whole := newTable(samplesOf(past, epoch))
	for i := range past {
		if i%2 == 0 {
			past[i].After, past[i].By = 3*time.Minute, 0
		}
	}
	some := newTable(samplesOf(past, epoch))
	if early, late := share(whole, 50*60), share(some, 50*60); early < 0.4 || late > early || late < early-0.1 {
		t.Errorf("%.2f came within 50 min; if half of all were given up after three, %.2f", early, late)
	}
	sum := some.later
	for _, m := range some.mass {
		sum += m
	}
	if sum < 0.999 || sum > 1.001 {
		t.Errorf("all together are %v", sum)
	}
}

// share is how many come until a moment.
func share(t table, until float64) (sum float64) {
	for i, m := range t.mass {
		if t.edges[i+1] <= until {
			sum += m
		}
	}
	return sum
}

func TestTicksAreFound(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, period := range []time.Duration{15 * time.Minute, 40 * time.Minute, time.Hour} {
		var ticking, free []Latency
		tick := period * 7 / 10 // after a multiple of the period
		for i := range 40 {
			turn := epoch.Add(time.Duration(i) * 5 * time.Hour).Add(between(r, 0, 5*time.Hour))
			by := (2*period + tick - modulo(turn, period)) % period
			late := between(r, 0, by/10)
			ticking = append(ticking, Latency{At: turn, After: by - by/10 + late, By: by + late})
			by = between(r, 0, period)
			free = append(free, Latency{At: turn, After: by * 9 / 10, By: by})
		}
		if got, ok := ticks(ticking); !ok || got.period != period {
			t.Errorf("ticks of %v: found %v, %v", period, got, ok)
		}
		if got, ok := ticks(free); ok {
			t.Errorf("any time within %v: found ticks of %v", period, got)
		}
	}
}

// Whenever a turn comes, all that was measured lies around the tick that follows
// it, and none a period away.
func TestTicksAreMovedToTheNext(t *testing.T) {
	of := natures()[8]
	l, p := begin(of), policies[1].make()
	for range 2 * enough {
		l.remember(l.live(p))
	}
	ticks, ok := ticks(l.past)
	if !ok {
		t.Fatal("no ticks found")
	}
	for after := time.Minute; after < ticks.period-time.Minute; after += time.Second {
		turn := l.turn.Truncate(ticks.period).Add(modulo(epoch, ticks.period) + ticks.period - after)
		for _, s := range shifted(l.past, turn, ticks) {
			if s.after > after.Seconds()+30 || s.by < after.Seconds()-30 {
				t.Fatalf("a tick comes in %v; one that was measured is moved to %.0f–%.0f s", after, s.after, s.by)
			}
		}
	}
}

// A watch follows what its history teaches, each direction its own.
func TestWatchFollowsItsHistory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newAsked(t, Limits{})
		asked := 0
		x.w.c.History = func(target string, toward activation.Direction) []Latency {
			asked++
			if target != "devops" || toward != activation.Grant {
				t.Errorf("asked for %s, %s", target, toward)
			}
			return pastOf(60, time.Now(), around(30*time.Minute))
		}
		x.answer(false)
		began := time.Now()
		for time.Since(began) < 20*time.Minute {
			x.do(t)
		}
		early := x.p.calls()
		for time.Since(began) < 40*time.Minute {
			x.do(t)
		}
		if all := x.p.calls(); early > 15 || all-early < early || asked != 1 {
			t.Errorf("%d calls before it ever came, %d until it always has; asked %d times", early, all-early, asked)
		}
	})
}
