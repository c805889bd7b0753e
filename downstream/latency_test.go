package downstream

import (
	"slices"
	"testing"
	"time"

	"pagbot/activation"
)

func TestLatencies(t *testing.T) {
	from := time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)
	ended := from.Add(2 * time.Hour)
	min := func(at time.Time, m int) time.Time { return at.Add(time.Duration(m) * time.Minute) }
	span := func(s activation.State, after, by time.Time) activation.Span {
		return activation.Span{State: s, After: after, By: by, Level: activation.L2}
	}
	a := activation.Activation{ID: "a1", Group: activation.Group{ID: "g1"}, From: from, Ended: ended, Targets: []activation.Target{
		{ID: "both", Grant: span(activation.Effective, min(from, 8), min(from, 9)), Removal: span(activation.Gone, min(ended, 30), min(ended, 33))},
		{ID: "never", Grant: span(activation.NeverCame, min(from, 115), time.Time{}), Removal: span(activation.NeverCame, time.Time{}, time.Time{})},
		{ID: "lasting", Grant: span(activation.Works, time.Time{}, min(from, 1)), Removal: span(activation.NotProven, min(ended, 1400), time.Time{})},
		{ID: "had", Grant: span(activation.HadAlready, time.Time{}, from), Removal: span(activation.HadAlready, time.Time{}, from)},
		{ID: "ended", Grant: span(activation.Waiting, min(from, 110), time.Time{}), Removal: span(activation.NeverCame, time.Time{}, min(ended, 1))},
		{ID: "kept open", Removal: activation.Span{State: activation.Superseded, Via: "db-readers", Level: activation.L2, After: from, By: min(ended, 40), Still: min(ended, 32)}},
		{ID: "again", Grant: span(activation.Works, time.Time{}, min(from, 1)), Removal: activation.Span{State: activation.Superseded, Level: activation.L2, After: from, By: min(ended, 40), Still: min(ended, 32)}},
		{ID: "blind", Grant: span(activation.NeverCame, time.Time{}, time.Time{})}, // nobody could ever tell
	}}
	entry := func(target string, toward activation.Direction, at time.Time, after, by int) Latency {
		return Latency{Activation: "a1", Group: "g1", Target: target, Toward: toward, Level: activation.L2, At: at,
			After: time.Duration(after) * time.Minute, By: time.Duration(by) * time.Minute}
	}
	want := []Latency{
		entry("both", activation.Grant, from, 8, 9), entry("both", activation.Removal, ended, 30, 33),
		entry("never", activation.Grant, from, 115, 0), entry("lasting", activation.Removal, ended, 1400, 0),
		entry("ended", activation.Grant, from, 110, 0), entry("again", activation.Removal, ended, 32, 0),
	}
	if got := Latencies(a); !slices.Equal(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// Of what never comes it is known, but for a half, how long it took at least,
// at the price of a few lines in the journal.
func TestWhatNeverComesIsMeasured(t *testing.T) {
	from := time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)
	a := activation.Activation{ID: "a1", Phase: activation.Active, From: from, Ends: from.Add(4 * time.Hour),
		Targets: []activation.Target{{ID: "devops", Level: activation.L2, Grant: activation.Span{State: activation.Waiting, After: from.Add(-time.Minute)}}}}
	lines := 0
	tell := func(in activation.Input, at time.Time) {
		for _, e := range activation.Decide(a, in, at) {
			a = activation.Apply(a, e)
			if _, ok := e.(activation.EvStill); ok {
				lines++
			}
		}
	}
	for at := from; at.Before(a.Ends); at = at.Add(20 * time.Second) {
		tell(activation.Probed{Target: "devops", Direction: activation.Grant, Answer: activation.Answer{Says: activation.No, Level: activation.L2, Sent: at, Received: at}}, at)
	}
	tell(activation.Saw{Looked: true, At: a.Ends.Add(time.Minute)}, a.Ends.Add(time.Minute))
	all := Latencies(a)
	if len(all) != 1 || !all[0].Censored() || all[0].After < 2*time.Hour || all[0].After > 4*time.Hour || lines > 9 {
		t.Errorf("%d lines: %+v", lines, all)
	}
}
