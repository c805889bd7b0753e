package engine

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pagbot/activation"
)

// A call that hangs is cut while the job is still leased, and is then looked
// for: never do two hands do one deed.
func TestHandThatHangsIsCutWithinItsLease(t *testing.T) {
	var calls tally
	var took time.Duration
	deeds := hand{
		do: func(ctx context.Context, a activation.Activation, e activation.Effect) activation.Report {
			defer calls.begin("do")()
			began := time.Now()
			<-ctx.Done()
			took = time.Since(began)
			return activation.Report{Unsure: true, Err: ctx.Err()}
		},
		look: func(ctx context.Context, a activation.Activation, e activation.Effect) activation.Report {
			defer calls.begin("look")()
			return submitted(a, e)
		},
	}
	inLab(t, deeds, nil, func(l *lab) {
		l.ask("a1", activation.Session)
		l.sleep(5 * time.Minute)
		if took != handTime || calls.most != 1 || !slices.Equal(calls.calls(), []string{"do", "look"}) {
			t.Errorf("%v, %d at once, cut after %v", calls.calls(), calls.most, took)
		}
		l.is("a1", activation.Provisioning)
	})
}

// A hand that does not even listen to its context outlives the lease. No second
// one begins beside it, and its answer counts although the lease is lost.
func TestHandThatOutlivesItsLease(t *testing.T) {
	var calls tally
	deeds := hand{
		do: func(_ context.Context, a activation.Activation, e activation.Effect) activation.Report {
			defer calls.begin("do")()
			time.Sleep(5 * time.Minute)
			return submitted(a, e)
		},
		look: func(_ context.Context, a activation.Activation, e activation.Effect) activation.Report {
			defer calls.begin("look")()
			return activation.Report{Absent: true}
		},
	}
	inLab(t, deeds, nil, func(l *lab) {
		l.ask("a1", activation.Session)
		l.sleep(10 * time.Minute)
		if calls.most != 1 || !slices.Equal(calls.calls(), []string{"do"}) {
			t.Errorf("%v, %d at once", calls.calls(), calls.most)
		}
		l.is("a1", activation.Provisioning)
		if n := count(l.events("a1"), "submitted"); n != 1 {
			t.Errorf("submitted %d times", n)
		}
	})
}

// The sign-in comes while the hand is just about to say that it needs one.
func TestReleaseOfWhatIsInHandIsNotLost(t *testing.T) {
	var mu sync.Mutex
	var token bool
	deeds := hand{do: func(_ context.Context, a activation.Activation, e activation.Effect) activation.Report {
		mu.Lock()
		had := token
		mu.Unlock()
		time.Sleep(3 * time.Second) // on the way back
		d, _ := a.Deed(e.Warrant)
		if !had {
			return activation.Report{Tell: activation.StepUp{Warrant: e.Warrant}, Wait: d.Warrant.Wait(), Until: d.Warrant.Expires}
		}
		return submitted(a, e)
	}}
	inLab(t, deeds, nil, func(l *lab) {
		w := l.ask("a1", activation.Session)
		l.sleep(time.Second)
		mu.Lock()
		token = true
		mu.Unlock()
		if err := l.Release(l.ctx, w.Wait()); err != nil {
			t.Fatal(err)
		}
		l.sleep(10 * time.Second)
		l.is("a1", activation.Provisioning)
	})
}

// Nobody signs in: the deed is never tried, and its end is told when its
// warrant dies, not earlier.
func TestWaitThatRunsOutLapses(t *testing.T) {
	deeds := hand{do: func(context.Context, activation.Activation, activation.Effect) activation.Report {
		t.Error("done without a sign-in")
		return activation.Report{}
	}}
	inLab(t, deeds, nil, func(l *lab) {
		l.ask("a1", activation.Fresh)
		l.sleep(15*time.Minute - time.Second)
		l.is("a1", activation.Asked)
		l.sleep(2 * time.Second)
		l.is("a1", activation.Closed)
		if got := l.events("a1"); !slices.Equal(got, []string{"asked", "lapsed", "closed"}) {
			t.Error(got)
		}
	})
}

// What may have been done is looked for until it is certain, also if looking is
// throttled or breaks.
func TestUnsureIsLookedForUntilCertain(t *testing.T) {
	var calls tally
	script := []func() activation.Report{
		func() activation.Report { return activation.Report{After: 5 * time.Second} },
		func() activation.Report { panic("broken look") },
		func() activation.Report { return activation.Report{Absent: true} },
	}
	deeds := hand{
		do: func(_ context.Context, a activation.Activation, e activation.Effect) activation.Report {
			calls.begin("do")()
			if count(calls.calls(), "do") == 1 {
				panic("after it was sent?")
			}
			return submitted(a, e)
		},
		look: func(context.Context, activation.Activation, activation.Effect) activation.Report {
			calls.begin("look")()
			next := script[0]
			script = script[1:]
			return next()
		},
	}
	inLab(t, deeds, nil, func(l *lab) {
		l.ask("a1", activation.Session)
		l.sleep(2 * time.Minute)
		if got := calls.calls(); !slices.Equal(got, []string{"do", "look", "look", "look", "do"}) {
			t.Error(got)
		}
		l.is("a1", activation.Provisioning)
	})
}

// What a dead warrant has perhaps done is still looked for, and counts.
func TestDeadWarrantMayHaveBeenUsed(t *testing.T) {
	deeds := hand{
		do: func(context.Context, activation.Activation, activation.Effect) activation.Report {
			return activation.Report{Unsure: true, Again: time.Now().Add(20 * time.Minute)}
		},
		look: func(_ context.Context, a activation.Activation, e activation.Effect) activation.Report {
			return submitted(a, e)
		},
	}
	inLab(t, deeds, nil, func(l *lab) {
		l.ask("a1", activation.Session)
		l.sleep(25 * time.Minute)
		l.is("a1", activation.Provisioning)
	})
}

// A backup is put back that was made after the click and before the deed.
func TestRestoredBackupLooksBeforeItSubmits(t *testing.T) {
	var mu sync.Mutex
	done, times := false, 0
	deeds := hand{
		do: func(_ context.Context, a activation.Activation, e activation.Effect) activation.Report {
			mu.Lock()
			defer mu.Unlock()
			done, times = true, times+1
			return submitted(a, e)
		},
		look: func(_ context.Context, a activation.Activation, e activation.Effect) activation.Report {
			mu.Lock()
			defer mu.Unlock()
			if done {
				return submitted(a, e)
			}
			return activation.Report{Again: time.Now().Add(5 * time.Second)} // not certain yet
		},
	}
	inLab(t, deeds, nil, func(l *lab) {
		w := l.ask("a1", activation.Fresh)
		l.sleep(time.Second)
		l.stop()
		backup := l.path
		l.path = copied(t, backup)
		l.start(deeds, nil) // lives on, and is lost
		if err := l.Release(l.ctx, w.Wait()); err != nil {
			t.Fatal(err)
		}
		l.sleep(time.Minute)
		l.is("a1", activation.Provisioning) // what is not yet certain keeps nobody waiting
		l.stop()
		l.path = backup
		l.start(deeds, nil)
		if err := l.Release(l.ctx, w.Wait()); err != nil {
			t.Fatal(err)
		}
		l.sleep(time.Minute)
		l.is("a1", activation.Provisioning)
		if times != 1 {
			t.Errorf("submitted %d times", times)
		}
	})
}

// A stop in the middle of a call leaves the deed to the next process, which
// looks first.
func TestStopInTheMiddleOfADeed(t *testing.T) {
	var calls tally
	deeds := hand{
		do: func(ctx context.Context, a activation.Activation, e activation.Effect) activation.Report {
			calls.begin("do")()
			<-ctx.Done()
			return activation.Report{Unsure: true, Err: ctx.Err()}
		},
		look: func(_ context.Context, a activation.Activation, e activation.Effect) activation.Report {
			calls.begin("look")()
			return submitted(a, e)
		},
	}
	inLab(t, deeds, nil, func(l *lab) {
		l.ask("a1", activation.Session)
		synctest.Wait()
		l.stop()
		l.start(deeds, nil)
		l.sleep(time.Second)
		if got := calls.calls(); !slices.Equal(got, []string{"do", "look"}) {
			t.Error(got)
		}
		l.is("a1", activation.Provisioning)
	})
}
