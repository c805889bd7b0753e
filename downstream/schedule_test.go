package downstream

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestNext(t *testing.T) {
	quiet := Limits{Quiet: 3 * time.Minute}
	for _, c := range []struct {
		name   string
		age    time.Duration
		l      Limits
		doubts int
		retry  time.Duration
		want   time.Duration
	}{
		{name: "at once", want: 5 * time.Second},
		{name: "a tenth", age: 10 * time.Minute, want: time.Minute},
		{name: "capped while somebody waits", age: 2 * time.Hour, want: 5 * time.Minute},
		{name: "slower afterwards", age: 10 * time.Hour, want: 15 * time.Minute},
		{name: "before the turn", age: -time.Hour, want: time.Hour},
		{name: "just before the turn", age: -time.Second, want: 5 * time.Second},
		{name: "quiet", age: time.Second, l: quiet, want: 179 * time.Second},
		{name: "quiet is over", age: 3 * time.Minute, l: quiet, want: 18 * time.Second},
		{name: "cache", l: Limits{Cache: 5 * time.Minute}, want: 5 * time.Minute},
		{name: "rate", l: Limits{Rate: time.Minute}, want: time.Minute},
		{name: "first doubt", doubts: 1, want: 15 * time.Second},
		{name: "third doubt", doubts: 3, want: time.Minute},
		{name: "many doubts", doubts: 1000, want: 5 * time.Minute},
		{name: "asked to wait", retry: 20 * time.Minute, want: 20 * time.Minute},
	} {
		if got := Next(c.age, c.l, nil, c.doubts, c.retry); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestNextKeepsItsPromises(t *testing.T) {
	span := func(most time.Duration) *rapid.Generator[time.Duration] {
		return rapid.Custom(func(t *rapid.T) time.Duration { return time.Duration(rapid.Int64Range(0, int64(most)).Draw(t, "d")) })
	}
	rapid.Check(t, func(t *rapid.T) {
		l := Limits{Cache: span(10*time.Minute).Draw(t, "cache"), Quiet: span(time.Hour).Draw(t, "quiet"), Rate: span(time.Minute).Draw(t, "rate")}
		age, retry := span(24*time.Hour).Draw(t, "age"), span(time.Hour).Draw(t, "retry")
		doubts := rapid.IntRange(0, 100).Draw(t, "doubts")
		var learned *Learned
		if rapid.Bool().Draw(t, "learned") {
			learned = &Learned{}
			for at := time.Duration(0); len(learned.looks) < 30; at += span(soonCap).Draw(t, "gap") {
				learned.looks = append(learned.looks, at)
			}
		}
		next := Next(age, l, learned, doubts, retry)
		if floor := max(step, l.Cache, l.Rate, retry); next < floor {
			t.Fatalf("%v is faster than %v", next, floor)
		}
		if age+next < l.Quiet {
			t.Fatalf("looks at %v, before anything was ever seen at %v", age+next, l.Quiet)
		}
		most := max(lateCap, l.Cache, l.Rate, retry, l.Quiet-age)
		if next > most {
			t.Fatalf("waits %v, at most %v", next, most)
		}
		// The interval is never much wider than a tenth of the latency.
		if age > time.Minute && doubts == 0 && learned == nil && next > max(age/10, l.Cache, l.Rate, retry, l.Quiet-age) {
			t.Fatalf("waits %v at the age of %v", next, age)
		}
	})
}

// An hour of waiting must stay cheap for the target.
func TestQuestionsInAnHour(t *testing.T) {
	n := 0
	for age := time.Duration(0); age < time.Hour; age += Next(age, Limits{}, nil, 0, 0) {
		n++
	}
	if n < 40 || n > 65 {
		t.Errorf("%d questions in the first hour", n)
	}
}
