package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pagbot/activation"
	"pagbot/store"
)

// A message that breaks its hand is given up in the end; those behind it are
// said, and in their order.
func TestMessageThatBreaksItsHand(t *testing.T) {
	var mu sync.Mutex
	var said []string
	say := hand{do: func(_ context.Context, _ activation.Activation, e activation.Effect) activation.Report {
		if e.Kind == activation.Whisper {
			panic("words fail")
		}
		mu.Lock()
		defer mu.Unlock()
		said = append(said, string(e.Kind)+" "+string(e.Topic))
		return activation.Report{}
	}}
	deeds := hand{do: func(_ context.Context, a activation.Activation, e activation.Effect) activation.Report {
		return submitted(a, e)
	}}
	inLab(t, deeds, func(c *Config) {
		for _, k := range []activation.Kind{activation.Whisper, activation.Card, activation.DM} {
			c.Hands[k] = say
		}
	}, func(l *lab) {
		l.ask("a1", activation.Session)
		l.sleep(time.Second)
		if _, err := l.Tell(l.ctx, "a1", activation.Saw{Looked: true, Present: &activation.Instance{From: time.Now(), Ends: time.Now().Add(time.Hour)}, At: time.Now()}); err != nil {
			t.Fatal(err)
		}
		l.sleep(5 * time.Minute)
		if want := []string{"card ", "dm active"}; !slices.Equal(slices.Compact(said), want) { // a card may be sent again
			t.Errorf("said %q, not %q", said, want)
		}
	})
}

// A hand that wants to be asked again at once, or in the past, is not asked
// without a pause.
func TestHandThatWantsNoPause(t *testing.T) {
	var calls tally
	eager := hand{do: func(context.Context, activation.Activation, activation.Effect) activation.Report {
		calls.begin("look")()
		return activation.Report{Again: time.Now().Add(-time.Hour)}
	}}
	inLab(t, hand{}, func(c *Config) { c.Hands[activation.Probe] = eager }, func(l *lab) {
		l.ask("a1", activation.Fresh, func(q *activation.Ask) { q.Facts.Targets = []activation.Target{{ID: "devops", Kind: "devops"}} })
		l.sleep(10 * time.Second)
		if n := len(calls.calls()); n < 50 || n > int(10*time.Second/breath)+1 {
			t.Errorf("asked %d times in ten seconds", n)
		}
	})
}

// Deeds without a hand (the sign-in was configured away) lapse with their
// warrants.
func TestDeedWithoutHandLapses(t *testing.T) {
	inLab(t, hand{}, func(c *Config) { delete(c.Hands, activation.DoDeed) }, func(l *lab) {
		l.ask("a1", activation.Session)
		l.sleep(16 * time.Minute)
		l.is("a1", activation.Closed)
	})
}

// Fifty turns on one activation at once: each is decided on the one before.
func TestTurnsOfOneActivationFollowEachOther(t *testing.T) {
	inLab(t, hand{}, nil, func(l *lab) {
		l.ask("a1", activation.Fresh)
		var wg sync.WaitGroup
		for i := range 50 {
			wg.Go(func() {
				by := activation.Person{Tenant: "t", Object: fmt.Sprint("stranger", i)}
				if _, err := l.Tell(l.ctx, "a1", activation.Finish{By: by, Warrant: activation.Warrant{ID: fmt.Sprint(i)}}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if n := count(l.events("a1"), "turned_away"); n != 50 {
			t.Errorf("%d of 50 were decided", n)
		}
	})
}

// A receipt that was written meanwhile (by a second hand, after a lost lease)
// is written over, together with the news; it does not go round for ever.
func TestReceiptThatMovedMeanwhile(t *testing.T) {
	var l *lab
	deeds := hand{do: func(ctx context.Context, a activation.Activation, e activation.Effect) activation.Report {
		doc := store.Doc{Kind: kindReceipt, Key: receiptOf(a.ID, e.Key), Body: []byte(`"other"`)}
		if err := l.Store.Commit(ctx, store.Turn{Docs: []store.Doc{doc}}); err != nil {
			t.Error(err)
		}
		r := submitted(a, e)
		r.Receipt = raw("mine")
		return r
	}}
	inLab(t, deeds, nil, func(made *lab) {
		l = made
		w := l.ask("a1", activation.Session)
		l.sleep(time.Second)
		l.is("a1", activation.Provisioning)
		if got, err := l.Receipt(l.ctx, "a1", "deed/"+w.ID); err != nil || string(got) != `"mine"` {
			t.Errorf("%s, %v", got, err)
		}
	})
}

// A warrant is spent by one job.
func TestWarrantIsSpentOnce(t *testing.T) {
	deeds := hand{do: func(_ context.Context, a activation.Activation, e activation.Effect) activation.Report {
		return submitted(a, e)
	}}
	inLab(t, deeds, nil, func(l *lab) {
		l.ask("a1", activation.Session)
		l.sleep(time.Second)
		l.ask("a2", activation.Session, func(q *activation.Ask) { q.Warrant.ID = "w-a1" })
		l.sleep(time.Second)
		l.is("a1", activation.Provisioning)
		l.is("a2", activation.Closed)
		if a, err := l.Load(l.ctx, "a2"); err != nil || a.Refusal == nil || a.Refusal.Code != activation.WarrantBad || !strings.Contains(a.Refusal.Text, "a1/") {
			t.Errorf("%+v, %v", a.Refusal, err)
		}
	})
}

// Of two that hold the same grant neither ends the other; an older one is over.
func TestSucceedEndsOnlyTheOlder(t *testing.T) {
	inLab(t, hand{}, nil, func(l *lab) {
		from := time.Now()
		for i, id := range []string{"old", "one", "two"} {
			at := from.Add(time.Duration(min(i, 1)) * time.Minute)
			n := activation.Notice{ID: id, Person: requester, Group: group, Access: activation.Member, Instance: activation.Instance{From: at, Ends: at.Add(time.Hour)}}
			if _, err := l.Tell(l.ctx, id, n); err != nil {
				t.Fatal(err)
			}
		}
		l.sleep(time.Second)
		l.is("old", activation.Closed)
		l.is("one", activation.Active)
		l.is("two", activation.Active)
	})
}

// The store fails for a while: nothing is lost, nothing spins.
func TestStoreThatFailsForAWhile(t *testing.T) {
	var mu sync.Mutex
	failing, commits := false, 0
	deeds := hand{do: func(_ context.Context, a activation.Activation, e activation.Effect) activation.Report {
		return submitted(a, e)
	}}
	inLab(t, deeds, func(c *Config) {
		c.Store = flaky{c.Store, func() bool {
			mu.Lock()
			defer mu.Unlock()
			commits++
			return failing
		}}
	}, func(l *lab) {
		set := func(to bool) { mu.Lock(); failing, commits = to, 0; mu.Unlock() }
		w := l.ask("a1", activation.Fresh)
		set(true)
		if err := l.Release(l.ctx, w.Wait()); err == nil {
			t.Error("released in a store that fails")
		}
		l.sleep(10 * time.Minute)
		if commits > 10*60*6 {
			t.Errorf("%d commits were tried in ten minutes", commits)
		}
		set(false)
		if err := l.Release(l.ctx, w.Wait()); err != nil {
			t.Fatal(err)
		}
		l.sleep(3 * time.Minute)
		l.is("a1", activation.Provisioning)
	})
}

// flaky is a store whose disk is sometimes full.
type flaky struct {
	store.Store
	full func() bool
}

var errFull = errors.New("no space left on device")

func (f flaky) Commit(ctx context.Context, t store.Turn) error {
	if f.full() {
		return errFull
	}
	return f.Store.Commit(ctx, t)
}

// A look that waits for another's news is woken by it, and made when it is due
// without any.
func TestLookThatWaitsForNews(t *testing.T) {
	var looks []time.Duration
	inLab(t, hand{}, func(c *Config) {
		began := time.Now()
		c.Hands[activation.Probe] = hand{do: func(context.Context, activation.Activation, activation.Effect) activation.Report {
			looks = append(looks, time.Since(began).Round(time.Second))
			due := time.Now().Add(5 * time.Minute)
			return activation.Report{Wait: "look/a1", Again: due, Until: due}
		}}
	}, func(l *lab) {
		l.ask("a1", activation.Fresh, func(q *activation.Ask) { q.Facts.Targets = []activation.Target{{ID: "devops", Kind: "devops"}} })
		l.sleep(6 * time.Minute)
		if err := l.Release(l.ctx, "look/a1"); err != nil {
			t.Fatal(err)
		}
		l.sleep(5*time.Minute + time.Second)
	})
	if want := []time.Duration{0, 5 * time.Minute, 6 * time.Minute, 11 * time.Minute}; !slices.Equal(looks, want) {
		t.Errorf("looked at %v, not at %v", looks, want)
	}
}
