package engine

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pagbot/activation"
)

// Whoever is told of commits learns of each that came after the last signal,
// also of one that comes at once.
func TestCommittedMissesNothing(t *testing.T) {
	inLab(t, hand{}, nil, func(l *lab) {
		ctx, cancel := context.WithCancel(l.ctx)
		defer cancel()
		for i := range 200 {
			wake := l.Committed(ctx)
			if err := l.Release(l.ctx, "nobody"); err != nil {
				t.Fatal(err)
			}
			for range 3 {
				select {
				case <-wake:
				case <-time.After(time.Hour):
					t.Fatalf("missed a commit, watcher %d", i)
				}
				if err := l.Release(l.ctx, "nobody"); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}

// Settled waits for the deed's end, whatever it is, and no longer than asked.
func TestSettled(t *testing.T) {
	deeds := hand{do: func(_ context.Context, a activation.Activation, e activation.Effect) activation.Report {
		time.Sleep(20 * time.Second)
		return submitted(a, e)
	}}
	inLab(t, deeds, nil, func(l *lab) {
		w := l.ask("a1", activation.Session)
		ctx, cancel := context.WithTimeout(l.ctx, 5*time.Second)
		defer cancel()
		if a, err := l.Settled(ctx, "a1", w.ID); !errors.Is(err, context.DeadlineExceeded) || a.Phase != activation.Asked {
			t.Errorf("%s, %v", a.Phase, err)
		}
		began := time.Now()
		if a, err := l.Settled(l.ctx, "a1", w.ID); err != nil || a.Phase != activation.Provisioning || time.Since(began) > 16*time.Second {
			t.Errorf("%s after %v, %v", a.Phase, time.Since(began), err)
		}
		if a, err := l.Settled(l.ctx, "nobody", "none"); err != nil || a.ID != "" {
			t.Errorf("%v, %v", a, err)
		}
	})
}

// A warrant is found as long as anybody may ask for it: pending, and spent.
func TestWarrantIsFound(t *testing.T) {
	deeds := hand{do: func(_ context.Context, a activation.Activation, e activation.Effect) activation.Report {
		return submitted(a, e)
	}}
	inLab(t, deeds, nil, func(l *lab) {
		w := l.ask("a1", activation.Fresh)
		if a, p, known, err := l.Warrant(l.ctx, w.ID); err != nil || !known || a.ID != "a1" || p.Warrant.ID != w.ID {
			t.Error(a.ID, p, known, err)
		}
		if err := l.Release(l.ctx, w.Wait()); err != nil {
			t.Fatal(err)
		}
		l.sleep(time.Second)
		if a, p, known, err := l.Warrant(l.ctx, w.ID); err != nil || !known || a.ID != "a1" || p.Warrant.ID != "" {
			t.Error(a.ID, p, known, err)
		}
		if _, _, known, err := l.Warrant(l.ctx, "other"); err != nil || known {
			t.Error(known, err)
		}
	})
}

// An index of more than one page is read whole.
func TestFindReadsAllPages(t *testing.T) {
	inLab(t, hand{}, nil, func(l *lab) {
		for i := range 401 {
			l.ask("a"+string(rune('0'+i%10))+time.Duration(i).String(), activation.Fresh)
		}
		if all, err := l.Find(l.ctx, "open"); err != nil || len(all) != 401 {
			t.Errorf("%d, %v", len(all), err)
		}
	})
}

// The world's clock has no monotonic part: it must see that the machine slept
// or that its clock was set.
func TestClockFollowsTheWall(t *testing.T) {
	if began, epoch, _ := RealClock().Origin(); began != began.Round(0) || epoch != epoch.Round(0) {
		t.Error("runs on the monotonic clock")
	}
}

func TestClockConverts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := RealClock()
		fast := ScaledClock(time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC), 60)
		time.Sleep(time.Minute)
		if !c.Now().Equal(time.Now()) || !fast.Now().Equal(time.Date(2026, 1, 5, 10, 0, 0, 0, time.UTC)) {
			t.Error(c.Now(), fast.Now())
		}
		if fast.Wire(time.Hour) != time.Minute || fast.World(time.Minute) != time.Hour || c.Wire(time.Hour) != time.Hour {
			t.Error("world and wire")
		}
		shared := SharedClock(fast.Origin())
		began := time.Now()
		shared.until(t.Context(), shared.Now().Add(30*time.Minute), nil)
		if d := time.Since(began); d < 30*time.Second || d > 31*time.Second {
			t.Errorf("half an hour of the world took %v", d)
		}
		wake := make(chan struct{}, 1)
		wake <- struct{}{}
		shared.until(t.Context(), time.Time{}, wake)
		if time.Since(began) > 31*time.Second {
			t.Error("was not woken")
		}
	})
}

// What began or ended on a day is found under it, also when it is closed, and
// whoever wants to know is told of every change.
func TestDaysAndChanges(t *testing.T) {
	var seen []uint64
	deeds := hand{do: func(_ context.Context, a activation.Activation, e activation.Effect) activation.Report {
		return submitted(a, e)
	}}
	var mu sync.Mutex
	inLab(t, deeds, func(c *Config) {
		c.Changed = func(a activation.Activation) {
			mu.Lock()
			defer mu.Unlock()
			seen = append(seen, a.Seq)
		}
	}, func(l *lab) {
		l.ask("a1", activation.Session)
		l.sleep(time.Second)
		from := l.Clock.Now()
		_, err := l.Tell(l.ctx, "a1", activation.Saw{Looked: true, At: from, Present: &activation.Instance{From: from, Ends: from.Add(25 * time.Hour)}})
		if err != nil {
			t.Fatal(err)
		}
		l.sleep(25 * time.Hour)
		a, err := l.Tell(l.ctx, "a1", activation.Saw{Looked: true, At: l.Clock.Now()})
		if err != nil || a.Ended.IsZero() {
			t.Fatal(a.Phase, err)
		}
		for day, want := range map[string]int{Day(from): 1, Day(a.Ended): 1, Day(from.AddDate(0, 0, -1)): 0} {
			if all, err := l.Find(l.ctx, day); err != nil || len(all) != want {
				t.Errorf("%s: %d, %v", day, len(all), err)
			}
		}
		mu.Lock()
		defer mu.Unlock()
		slices.Sort(seen)
		if len(seen) == 0 || seen[len(seen)-1] != a.Seq || len(slices.Compact(slices.Clone(seen))) != len(seen) {
			t.Errorf("told of %v, the last is %d", seen, a.Seq)
		}
	})
}
