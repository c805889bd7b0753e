package downstream

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"pagbot/activation"
)

// asked is a measure of one target by a watch whose probe says what the test
// wants, attempt after attempt.
type asked struct {
	w    *Watch
	p    *scripted
	a    activation.Activation
	e    activation.Effect
	says func(now time.Time) (activation.Answer, error)
}

func newAsked(t *testing.T, l Limits) *asked {
	t.Helper()
	x := &asked{e: activation.Effect{Kind: activation.Probe, Target: "devops", Toward: activation.Grant},
		a: activation.Activation{Person: requester, Phase: activation.Active, Began: time.Now(), From: time.Now(),
			Targets: []activation.Target{{ID: "devops"}}}}
	l.Level = activation.L2
	x.p = &scripted{limits: l, do: func(context.Context, []activation.Person) ([]activation.Answer, error) {
		a, err := x.says(time.Now())
		return []activation.Answer{a}, err
	}}
	w, err := NewWatch(Config{Probes: map[string]Probe{"devops": x.p}, World: func(d time.Duration) time.Duration { return 10 * d }})
	if err != nil {
		t.Fatal(err)
	}
	x.w = w
	return x
}

func (x *asked) answer(is bool) { x.at(is, activation.L2) }

func (x *asked) at(is bool, level activation.Level) {
	x.says = func(now time.Time) (activation.Answer, error) { return yesNo(is, level, "evidence", now, now), nil }
}

func (x *asked) fails(why string, after time.Duration) {
	x.says = func(time.Time) (activation.Answer, error) { return activation.Answer{}, &Fault{Why: why, After: after} }
}

// do makes one attempt, keeps its memory, and waits until the next is due.
func (x *asked) do(t *testing.T) (activation.Report, *activation.Probed) {
	t.Helper()
	r := x.w.Look(t.Context(), x.a, x.e)
	x.e.Memory = r.Memory
	var news *activation.Probed
	if p, ok := r.Tell.(activation.Probed); ok {
		news = &p
		for _, ev := range activation.Decide(x.a, p, time.Now()) {
			x.a = activation.Apply(x.a, ev)
		}
	}
	if !r.Again.IsZero() {
		time.Sleep(time.Until(r.Again))
	}
	time.Sleep(r.After)
	return r, news
}

func TestControlIsOneSoundAnswer(t *testing.T) {
	for _, is := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			x := newAsked(t, Limits{})
			x.a.Phase, x.a.From = activation.AwaitingApproval, time.Time{}
			x.fails("it is out of order", 0)
			if r, news := x.do(t); news == nil || r.Finished() {
				t.Errorf("a new doubt: %+v", r)
			}
			if r, news := x.do(t); news != nil || r.Finished() {
				t.Errorf("the same doubt: %+v", r)
			}
			x.answer(is)
			if r, news := x.do(t); news == nil || !r.Finished() || (news.Answer.Says == activation.Yes) != is {
				t.Errorf("a sound answer: %+v", r)
			}
		})
	}
}

// While PIM may have granted it already, a yes is no control.
func TestControlWhileItMoves(t *testing.T) {
	for _, a := range []activation.Activation{{Phase: activation.Provisioning}, {Phase: activation.AwaitingApproval, Decision: &activation.Decision{Approve: true}}} {
		synctest.Test(t, func(t *testing.T) {
			x := newAsked(t, Limits{})
			x.a.Phase, x.a.Decision, x.a.From = a.Phase, a.Decision, time.Time{}
			x.answer(true)
			if r, news := x.do(t); news != nil || r.Finished() {
				t.Errorf("%+v", r)
			}
			x.answer(false)
			if r, news := x.do(t); news == nil || !r.Finished() {
				t.Errorf("%+v", r)
			}
		})
	}
}

func TestOnlyTheFirstNoIsNews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newAsked(t, Limits{})
		x.answer(false)
		if _, news := x.do(t); news == nil {
			t.Error("the first no after nothing is news")
		}
		var last time.Time
		for range 5 {
			last = time.Now()
			if r, news := x.do(t); news != nil || r.Finished() {
				t.Errorf("again a no: %+v", r)
			}
		}
		x.answer(true)
		r, news := x.do(t)
		if news == nil || !r.Finished() || !news.Last.Equal(last) {
			t.Errorf("%+v, want the last no of %v", r, last)
		}
		if s := x.a.Targets[0].Grant; s.State != activation.Effective || !s.After.Equal(last) {
			t.Errorf("%+v", s)
		}
	})
}

func TestYesBeforeTheTurnIsNoEffect(t *testing.T) {
	for _, toward := range []activation.Direction{activation.Grant, activation.Removal} {
		synctest.Test(t, func(t *testing.T) {
			x := newAsked(t, Limits{})
			x.e.Toward = toward
			turn := time.Now().Add(time.Minute)
			x.a.From, x.a.Ended = turn, turn
			x.answer(toward == activation.Grant)
			r, news := x.do(t)
			if news != nil || r.Finished() || time.Now().Before(turn) {
				t.Errorf("%s: %+v", toward, r)
			}
			if r, news = x.do(t); news == nil || !r.Finished() {
				t.Errorf("%s, after the turn: %+v", toward, r)
			}
		})
	}
}

func TestConfirmation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newAsked(t, Limits{Confirm: 3})
		steps := []bool{false, true, true, false, true, true}
		var first, last time.Time
		for i, is := range steps {
			switch i {
			case 3:
				last = time.Now()
			case 4:
				first = time.Now()
			}
			x.answer(is)
			if r, news := x.do(t); r.Finished() || i > 0 && news != nil {
				t.Fatalf("step %d: %+v", i, r)
			}
		}
		// A doubt is not a contradiction, but it may have been the no of the copy
		// that the next answers don't come from: a run has none in it.
		x.fails("it is out of order", 0)
		x.do(t)
		x.answer(true)
		for range 2 {
			if r, news := x.do(t); news != nil || r.Finished() {
				t.Fatalf("two in a row after a doubt: %+v", r)
			}
		}
		r, news := x.do(t)
		if news == nil || !r.Finished() || !news.Answer.Sent.Equal(first) || !news.Last.Equal(last) {
			t.Errorf("%+v, want the first of the run (%v) and the no of %v", r, first, last)
		}
	})
}

// A no of the policy engine says nothing of what the target has received.
func TestLastIsOfTheLevelOrBelow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newAsked(t, Limits{})
		x.at(false, activation.L1)
		x.do(t)
		low := time.Now()
		x.do(t)
		x.at(false, activation.L2)
		x.do(t)
		x.at(true, activation.L1)
		if _, news := x.do(t); news == nil || !news.Last.Equal(low) {
			t.Errorf("%+v, want %v", news, low)
		}
	})
}

func TestDoubtsAreToldOnceWhenTheyLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newAsked(t, Limits{})
		x.answer(false)
		x.do(t)
		told := 0
		for i := range 8 {
			x.fails([]string{"it is out of order", "no answer in time"}[i%2], 0)
			if _, news := x.do(t); news != nil {
				told++
				if i < 2 {
					t.Errorf("told after %d doubts", i+1)
				}
			}
		}
		if told != 1 || x.a.Targets[0].Grant.Doubt == "" {
			t.Errorf("told %d times, %+v", told, x.a.Targets[0].Grant)
		}
		x.answer(false)
		if _, news := x.do(t); news == nil || x.a.Targets[0].Grant.Doubt != "" {
			t.Errorf("the end of a told doubt: %+v", x.a.Targets[0].Grant)
		}
	})
}

func TestRetryAfterIsWireTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newAsked(t, Limits{})
		x.fails(tooFast, 40*time.Second)
		r := x.w.Do(t.Context(), x.a, x.e)
		if r.After != 40*time.Second || !r.Again.IsZero() {
			t.Errorf("%+v", r)
		}
		time.Sleep(10 * time.Second)
		if again := x.w.Do(t.Context(), x.a, x.e); again.After != 30*time.Second || len(x.p.began) != 1 {
			t.Errorf("while the target wants peace: %+v, %d calls", again, len(x.p.began))
		}
	})
}

func TestQuietBeforeTheObservedMinimum(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newAsked(t, Limits{Quiet: 10 * time.Minute})
		x.answer(false)
		began := time.Now()
		x.do(t) // without any no, one is taken at once
		if len(x.p.began) != 1 || time.Since(began) < 10*time.Minute {
			t.Errorf("%d calls in %v", len(x.p.began), time.Since(began))
		}
		y := newAsked(t, Limits{Quiet: 10 * time.Minute})
		y.a.Targets[0].Grant = activation.Span{State: activation.Waiting, After: time.Now().Add(-time.Minute)}
		if r, _ := y.do(t); len(y.p.began) != 0 || r.Finished() {
			t.Errorf("%d calls although a no is known, %+v", len(y.p.began), r)
		}
	})
}

func TestRemovalIsMirrored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newAsked(t, Limits{})
		x.e.Toward, x.a.Ended, x.a.Phase = activation.Removal, time.Now(), activation.Verifying
		x.a.Targets[0].Removal = activation.Span{State: activation.Waiting}
		x.answer(true)
		if r, news := x.do(t); news == nil || r.Finished() {
			t.Errorf("still there: %+v", r)
		}
		last := time.Now()
		x.do(t)
		x.answer(false)
		r, news := x.do(t)
		if s := x.a.Targets[0].Removal; news == nil || !r.Finished() || s.State != activation.Gone || !s.After.Equal(last) {
			t.Errorf("gone: %+v, %+v", r, s)
		}
	})
}

func TestWhatCannotBeAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newAsked(t, Limits{})
		x.answer(true)
		other := x.e
		other.Target = "sold"
		if r := x.w.Do(t.Context(), x.a, other); r.Finished() || r.Tell != nil || len(x.p.began) > 0 {
			t.Errorf("a target that is not configured: %+v", r)
		}
		early := x.e
		early.Toward = activation.Removal
		if r := x.w.Do(t.Context(), x.a, early); !r.Finished() || r.Err == nil {
			t.Errorf("a removal before the end: %+v", r)
		}
		if r := x.w.Do(t.Context(), x.a, activation.Effect{Kind: activation.Card}); r.Err == nil {
			t.Errorf("another's effect: %+v", r)
		}
		stop, cancel := context.WithCancel(t.Context())
		cancel()
		x.p.do = func(ctx context.Context, _ []activation.Person) ([]activation.Answer, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		x.e.Memory = json.RawMessage(`{"doubts":2}`)
		if r := x.w.Do(stop, x.a, x.e); r.Tell != nil || r.Finished() || string(r.Memory) != `{"doubts":2}` || !errors.Is(r.Err, context.Canceled) {
			t.Errorf("told to stop: %+v", r)
		}
	})
}

// A memory that can't be read costs nothing but width.
func TestBrokenMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newAsked(t, Limits{})
		x.e.Memory = json.RawMessage(`{"run":"x"`)
		x.answer(true)
		if r, news := x.do(t); news == nil || !r.Finished() {
			t.Errorf("%+v", r)
		}
	})
}

func TestTargetsWithOneProbeShareItsBudget(t *testing.T) {
	p := &scripted{do: noes}
	w, err := NewWatch(Config{Probes: map[string]Probe{"a": p, "b": p, "c": &scripted{do: noes}}})
	if err != nil || w.lines["a"] != w.lines["b"] || w.lines["a"] == w.lines["c"] {
		t.Errorf("%v, %v", w, err)
	}
	if _, err := NewWatch(Config{Probes: map[string]Probe{"a": nil}}); err == nil {
		t.Error("a target without a probe")
	}
}

// Nobody is alarmed of what is gone since the last look: one falls between the
// moment when it is overdue and the alarm.
func TestLooksBeforeTheAlarm(t *testing.T) {
	for _, within := range []time.Duration{7 * time.Minute, time.Hour, 3 * time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			x := newAsked(t, Limits{})
			ended := time.Now()
			x.e.Toward, x.a.Ended, x.a.Phase = activation.Removal, ended, activation.Verifying
			x.a.Targets[0].Within, x.a.Targets[0].Removal = activation.Duration(within), activation.Span{State: activation.Waiting}
			x.answer(true)
			for time.Since(ended) < within+time.Minute {
				x.do(t)
			}
			between := 0
			for _, at := range x.p.began {
				if since := at.Sub(ended); since > within && since < within+time.Minute {
					between++
				}
			}
			if between == 0 {
				t.Errorf("%d looks in the minute after %v", between, within)
			}
		})
	}
}
