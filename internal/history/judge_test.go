package history

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"pagbot/downstream"
)

// taken are measurements from pairs of minutes (after, by); by 0 was not seen.
func taken(pairs ...int) (all []downstream.Latency) {
	for i := 0; i < len(pairs); i += 2 {
		all = append(all, downstream.Latency{After: time.Duration(pairs[i]) * time.Minute, By: time.Duration(pairs[i+1]) * time.Minute})
	}
	return all
}

func times(n int, all ...downstream.Latency) (list []downstream.Latency) {
	for range n {
		list = append(list, all...)
	}
	return list
}

func TestJudgementSaysWhatIsKnown(t *testing.T) {
	in := times(41, taken(7, 8)...)
	for _, c := range []struct {
		name string
		all  []downstream.Latency
		want string
	}{
		{"none", nil, "can't tell: nothing measured yet"},
		{"all in time", in, "met: 41 of 41 within 15 min (100 %)"},
		{"few", taken(7, 8, 1, 15), "met: 2 of 2 within 15 min (100 %); few so far"},
		{"the book's own example", append(taken(20, 22, 14, 16), in...), "missed: 41 of 43 within 15 min (95–97 %); 1 later; 1 can't be told: not looked at closely enough"},
		{"exactly at the limit is in time", taken(14, 15, 14, 15, 14, 15, 14, 15, 0, 15), "met: 5 of 5 within 15 min (100 %)"},
		{"asked at the limit and still not there is late", append(taken(15, 16), in...), "missed: 41 of 42 within 15 min (97 %); 1 later"},
		{"never seen, but long enough to know", append(taken(110, 0), in...), "missed: 41 of 42 within 15 min (97 %); 1 later"},
		{"ended too soon", append(taken(9, 0), in...), "can't tell: 41 of 42 within 15 min (97–100 %); 1 can't be told: not watched long enough"},
		{"blind", append(taken(0, 0, 0, 0), in...), "can't tell: 41 of 43 within 15 min (95–100 %); 2 can't be told: nothing was learned"},
		{"mixed", append(taken(0, 0, 9, 0, 9, 0, 14, 16), in...), "can't tell: 41 of 45 within 15 min (91–100 %); 4 can't be told: 1 not looked at closely enough, 2 not watched long enough, 1 nothing was learned"},
		{"one late of many is not a hundred percent", append(times(999, taken(7, 8)...), taken(20, 22)...), "missed: 999 of 1000 within 15 min (99 %); 1 later"},
	} {
		if got := Judge(c.all, 15*time.Minute).String(); got != c.want {
			t.Errorf("%s:\n%s\nand not\n%s", c.name, got, c.want)
		}
	}
	if got := Judge(in, 0).String(); got != "not required" {
		t.Error(got)
	}
}

// latencies draws true delays and what a watcher that looks now and then knows
// of them.
func latencies(t *rapid.T) (truth []time.Duration, all []downstream.Latency) {
	minutes := func(name string, most int) time.Duration {
		return time.Duration(rapid.IntRange(1, most).Draw(t, name)) * time.Minute
	}
	for range rapid.IntRange(1, 30).Draw(t, "n") {
		took, gap, stop := minutes("took", 100), minutes("gap", 40), minutes("stop", 150)
		l := downstream.Latency{}
		for at := gap; at <= stop && l.By == 0; at += gap {
			if at < took {
				l.After = at
			} else {
				l.By = at
			}
		}
		truth, all = append(truth, took), append(all, l)
	}
	return truth, all
}

// Whatever the truth is, a verdict and a range agree with it.
func TestNothingIsClaimedThatIsNotTrue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		truth, all := latencies(t)
		within := time.Duration(rapid.IntRange(1, 120).Draw(t, "within")) * time.Minute
		kept := 0
		for _, d := range truth {
			if d <= within {
				kept++
			}
		}
		j := Judge(all, within)
		if j.In > kept || j.Late > len(truth)-kept || j.All() != len(truth) {
			t.Fatalf("%d of %d were in time, and it says %+v", kept, len(truth), j)
		}
		if v := j.Verdict(); v == Met && kept < len(truth) || v == Missed && kept == len(truth) {
			t.Fatalf("%d of %d were in time, and it says %s", kept, len(truth), v)
		}
		p := rapid.Float64Range(0.01, 1).Draw(t, "p")
		r, below := Quantile(all, p), 0.0
		exact := quantile(truth, p)
		for _, d := range truth {
			if d <= exact {
				below++
			}
		}
		if exact <= r.Low || r.High != 0 && exact > r.High || below < p*float64(len(truth))-1e-6 {
			t.Fatalf("%v of the true ones is %s, and it says %+v", p, exact, r)
		}
	})
}

// quantile is the shortest of the lengths that a share of all does not exceed.
func quantile(all []time.Duration, p float64) time.Duration {
	best := time.Duration(0)
	for _, d := range all {
		n := 0.0
		for _, e := range all {
			if e <= d {
				n++
			}
		}
		if n >= p*float64(len(all))-1e-9 && (best == 0 || d < best) {
			best = d
		}
	}
	return best
}

func TestUsual(t *testing.T) {
	four := taken(7, 8, 9, 10, 11, 12, 13, 14)
	if _, ok := Usual(four); ok {
		t.Error("four are too few to be usual")
	}
	for _, c := range []struct {
		all  []downstream.Latency
		want string
	}{
		{append(taken(20, 22), four...), "7–22 min"},
		{append(taken(100, 110), times(5, four...)...), "7–14 min"}, // one of 21 is not usual
		{times(5, taken(0, 1)...), "at most 1 min"},
		{append(taken(40, 0, 50, 0), four...), "more than 11 min"},
		{times(6, taken(30, 95)...), "30 min – 1 h 35 min"},
	} {
		if r, ok := Usual(c.all); !ok || r.String() != c.want {
			t.Errorf("%q, want %q", r, c.want)
		}
	}
}

func TestRangeRoundsOutwards(t *testing.T) {
	for _, c := range []struct {
		low, high time.Duration
		want      string
	}{
		{90 * time.Second, 100 * time.Second, "1–2 min"},
		{9500 * time.Millisecond, 10500 * time.Millisecond, "9–11 s"},
		{50 * time.Second, 61 * time.Second, "50 s – 2 min"},
		{time.Hour, time.Hour + time.Second, "1 h – 1 h 1 min"},
		{2 * time.Hour, 3 * time.Hour, "2–3 h"},
		{time.Hour, 0, "more than 1 h"},
		{time.Minute, time.Minute, "1 min"},
	} {
		if got := (Range{c.low, c.high}).String(); got != c.want {
			t.Errorf("%s to %s: %q, want %q", c.low, c.high, got, c.want)
		}
	}
}
