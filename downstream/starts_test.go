package downstream

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pagbot/activation"
	"pgregory.net/rapid"
)

// began notes when each activation's deed was done, by application.
type began struct {
	mu   sync.Mutex
	apps map[string][]time.Time
}

func (b *began) Do(_ context.Context, a activation.Activation, _ activation.Effect) activation.Report {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, t := range a.Targets {
		b.apps[t.App] = append(b.apps[t.App], time.Now())
	}
	return activation.Report{}
}

func (b *began) Look(context.Context, activation.Activation, activation.Effect) activation.Report {
	return activation.Report{Absent: true}
}

// begin does one deed as the engine would, and returns how long it was said to
// take and how long it took.
func (s *Starts) begin(ctx context.Context, i int, deed activation.Deed, approval bool, apps ...string) (said, took time.Duration) {
	a := activation.Activation{ID: fmt.Sprint(i), Access: activation.Member, Settings: activation.Settings{NeedsApproval: approval}}
	for _, app := range apps {
		a.Targets = append(a.Targets, activation.Target{ID: app, App: app})
	}
	e := activation.Effect{Kind: activation.DoDeed, Deed: deed, Warrant: fmt.Sprint("w", i)}
	asked := time.Now()
	for {
		r := s.Do(ctx, a, e)
		if r.Finished() {
			return said, time.Since(asked)
		}
		if t, ok := r.Tell.(activation.Trouble); ok && said == 0 {
			said = t.Why.Until.Sub(asked)
		}
		time.Sleep(time.Until(r.Again))
	}
}

// Never do more than five begin within ten seconds behind one application,
// whoever asks when; and what was said is what happens.
func TestNobodyFallsOffTheCliff(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		n := rapid.IntRange(1, 40).Draw(r, "activations")
		after := rapid.SliceOfN(rapid.IntRange(0, 20000), n, n).Draw(r, "after")
		apps := rapid.SliceOfN(rapid.SampledFrom([][]string{{"aws"}, {"crm"}, {"aws", "crm"}}), n, n).Draw(r, "behind")
		synctest.Test(t, func(t *testing.T) {
			b := &began{apps: map[string][]time.Time{}}
			s := NewStarts(b, time.Now)
			var all sync.WaitGroup
			for i := range n {
				all.Go(func() {
					time.Sleep(time.Duration(after[i]) * time.Millisecond)
					if said, took := s.begin(t.Context(), i, activation.Submit, false, apps[i]...); said != took {
						r.Errorf("%d was told to begin in %v, and did in %v", i, said, took)
					}
				})
			}
			all.Wait()
			for app, starts := range b.apps {
				slices.SortFunc(starts, time.Time.Compare)
				for i := 5; i < len(starts); i++ {
					if d := starts[i].Sub(starts[i-5]); d <= 10*time.Second {
						r.Errorf("six began within %v behind %s", d, app)
					}
				}
			}
		})
	})
}

// Only what makes Entra write waits for a turn.
func TestWhatNeedsNoTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewStarts(&began{apps: map[string][]time.Time{}}, time.Now)
		for i := range startsTogether {
			if _, took := s.begin(t.Context(), i, activation.Submit, false, "aws"); took != 0 {
				t.Errorf("number %d waited %v", i, took)
			}
		}
		for _, c := range []struct {
			deed     activation.Deed
			approval bool
			app      string
			waits    bool
		}{
			{activation.Submit, false, "aws", true},
			{activation.Approve, true, "aws", true},
			{activation.Submit, true, "aws", false}, // it begins with the approval
			{activation.Deny, true, "aws", false},
			{activation.End, false, "aws", false},
			{activation.Submit, false, "", false},
			{activation.Submit, false, "crm", false},
		} {
			go func() {
				if _, took := s.begin(t.Context(), 100+len(c.deed)+len(c.app), c.deed, c.approval, c.app); took > 0 != c.waits {
					t.Errorf("%+v waited %v", c, took)
				}
			}()
		}
		time.Sleep(time.Minute)
	})
}

// Who comes back late, as after a sign-in, takes a new turn: the old one may
// have been used.
func TestAMissedTurnIsTakenAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewStarts(&began{apps: map[string][]time.Time{}}, time.Now)
		for i := range startsTogether {
			s.begin(t.Context(), i, activation.Submit, false, "aws")
		}
		time.Sleep(8 * time.Second)
		if _, took := s.begin(t.Context(), 0, activation.Submit, false, "aws"); took != 3*time.Second {
			t.Errorf("began again after %v", took)
		}
	})
}

// looking is a hand that finds no room for a while.
type looking struct {
	*began
	until time.Time
}

func (l looking) Do(ctx context.Context, a activation.Activation, e activation.Effect) activation.Report {
	if now := time.Now(); now.Before(l.until) {
		return activation.Report{Again: now.Add(time.Second)}
	}
	return l.began.Do(ctx, a, e)
}

// A renewal that looks each second whether PIM has room uses up no turns: it
// begins when there is room, and four others beside it need not wait.
func TestWhoOnlyLooksTakesNoTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewStarts(looking{&began{apps: map[string][]time.Time{}}, time.Now().Add(12 * time.Second)}, time.Now)
		if said, took := s.begin(t.Context(), 0, activation.Submit, false, "aws"); said != 0 || took != 12*time.Second {
			t.Errorf("began after %s, paced by %s", took, said)
		}
		for i := range 4 {
			if _, took := s.begin(t.Context(), i+1, activation.Submit, false, "aws"); took != 0 {
				t.Errorf("the %d. beside it waits %s", i+1, took)
			}
		}
	})
}
