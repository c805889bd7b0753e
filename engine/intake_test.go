package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"pagbot/activation"
)

// reader is a Reader of which a test writes what it needs.
type reader func(context.Context, activation.Kept) (string, activation.Input, error)

func (r reader) Read(ctx context.Context, k activation.Kept) (string, activation.Input, error) {
	return r(ctx, k)
}

func reading(r reader) func(*Config) { return func(c *Config) { c.Reader = r } }

// An envelope that comes again, at once or after it was decided, is one.
func TestEnvelopeIsKeptOnce(t *testing.T) {
	var reads tally
	inLab(t, hand{}, reading(func(_ context.Context, k activation.Kept) (string, activation.Input, error) {
		reads.begin(k.ID)()
		return "", nil, nil
	}), func(l *lab) {
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if err := wait(l.ctx, l.Engine, "e1", []byte(`{}`)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		l.sleep(time.Hour)
		if err := wait(l.ctx, l.Engine, "e1", []byte(`{}`)); err != nil {
			t.Error(err)
		}
		l.sleep(time.Minute)
		if got := reads.calls(); len(got) != 1 {
			t.Error(got)
		}
	})
}

// What is not kept is not acknowledged.
func TestKeepThatFails(t *testing.T) {
	inLab(t, hand{}, nil, func(l *lab) {
		ended, end := context.WithCancel(l.ctx)
		end()
		for name, err := range map[string]error{
			"ended":    wait(ended, l.Engine, "e1", []byte(`{}`)),
			"nameless": wait(l.ctx, l.Engine, "", []byte(`{}`)),
		} {
			if err == nil {
				t.Errorf("%s: acknowledged", name)
			}
		}
	})
}

// An envelope that can't be understood is tried five times; at the last the
// reader is told that it is. It keeps no other waiting, and one that breaks the
// reader is treated alike.
func TestEnvelopeThatCantBeUnderstood(t *testing.T) {
	var reads tally
	inLab(t, hand{}, reading(func(_ context.Context, k activation.Kept) (string, activation.Input, error) {
		reads.begin(fmt.Sprint(k.ID, " ", k.Last))()
		switch k.ID {
		case "bad":
			return "", nil, errors.New("Entra does not answer")
		case "worse":
			panic("index out of range")
		}
		return "", nil, nil
	}), func(l *lab) {
		for _, id := range []string{"bad", "worse", "good"} {
			if err := wait(l.ctx, l.Engine, id, []byte(`{}`)); err != nil {
				t.Fatal(err)
			}
		}
		l.sleep(time.Hour)
		got := reads.calls()
		for what, n := range map[string]int{"bad false": 4, "bad true": 1, "worse false": 4, "worse true": 1, "good false": 1} {
			if count(got, what) != n {
				t.Errorf("%s: %d times", what, count(got, what))
			}
		}
	})
}

// Readers that hang are cut, and meanwhile other envelopes are read.
func TestReaderThatHangs(t *testing.T) {
	var reads tally
	inLab(t, hand{}, reading(func(ctx context.Context, k activation.Kept) (string, activation.Input, error) {
		reads.begin(k.ID)()
		if k.ID != "quick" {
			<-ctx.Done()
			return "", nil, ctx.Err()
		}
		return "", nil, nil
	}), func(l *lab) {
		for i := range 10 {
			if err := wait(l.ctx, l.Engine, fmt.Sprint("slow", i), []byte(`{}`)); err != nil {
				t.Fatal(err)
			}
		}
		l.sleep(time.Second)
		if err := wait(l.ctx, l.Engine, "quick", []byte(`{}`)); err != nil {
			t.Fatal(err)
		}
		l.sleep(time.Second)
		if !slices.Contains(reads.calls(), "quick") {
			t.Error("waits behind those that hang")
		}
		l.sleep(15 * time.Minute)
		if n := count(reads.calls(), "slow1"); n != readTries {
			t.Errorf("tried %d times", n)
		}
	})
}

// A crowd's envelopes are all decided, each once.
func TestCrowd(t *testing.T) {
	const crowd = 300
	var mu sync.Mutex
	writes := map[string]int{}
	deeds := hand{do: func(_ context.Context, a activation.Activation, e activation.Effect) activation.Report {
		mu.Lock()
		defer mu.Unlock()
		writes[a.ID]++
		return submitted(a, e)
	}}
	inLab(t, deeds, reading(func(_ context.Context, k activation.Kept) (string, activation.Input, error) {
		who := activation.Person{Tenant: "t", Object: k.ID}
		return "a-" + k.ID, activation.Ask{ID: "a-" + k.ID, Tag: k.ID, Person: who, Group: group, Access: activation.Member, Length: length,
			Warrant: activation.Warrant{ID: "w-" + k.ID, Actor: who, Deed: activation.Submit, Proof: activation.Session, Clicked: k.At, Expires: k.At.Add(time.Hour)},
			Facts:   activation.Facts{Eligible: true}}, nil
	}), func(l *lab) {
		var wg sync.WaitGroup
		for i := range crowd {
			wg.Go(func() {
				if err := wait(l.ctx, l.Engine, fmt.Sprint("e", i), []byte(`{}`)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		l.sleep(time.Minute)
		for i := range crowd {
			l.is(fmt.Sprint("a-e", i), activation.Provisioning)
			if n := writes[fmt.Sprint("a-e", i)]; n != 1 {
				t.Errorf("%d was submitted %d times", i, n)
			}
		}
	})
}
