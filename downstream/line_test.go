package downstream

import (
	"context"
	"log/slog"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pagbot/activation"
)

// scripted is a probe that does what a test says.
type scripted struct {
	limits Limits
	do     func(ctx context.Context, who []activation.Person) ([]activation.Answer, error)
	mu     sync.Mutex
	began  []time.Time
	sizes  []int
}

func (s *scripted) Limits() Limits { return s.limits }

func (s *scripted) Check(ctx context.Context, who []activation.Person) ([]activation.Answer, error) {
	s.mu.Lock()
	s.began = append(s.began, time.Now())
	s.sizes = append(s.sizes, len(who))
	s.mu.Unlock()
	return s.do(ctx, who)
}

func (s *scripted) calls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.began)
}

func noes(_ context.Context, who []activation.Person) ([]activation.Answer, error) {
	all := make([]activation.Answer, len(who))
	for i, p := range who {
		all[i] = yesNo(false, activation.L1, p.Object, time.Now(), time.Now())
	}
	return all, nil
}

func someone(i int) activation.Person {
	return activation.Person{Tenant: tenantID, Object: "object-" + strconv.Itoa(i), Name: "person"}
}

func quietLine(p Probe) *line { return newLine(p, slog.New(slog.DiscardHandler)) }

func TestLineBatchesAndKeepsTheGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &scripted{limits: Limits{Level: activation.L1, Batch: 4, Rate: time.Second}, do: noes}
		l := quietLine(p)
		var wg sync.WaitGroup
		for i := range 10 {
			wg.Go(func() {
				r, err := l.ask(t.Context(), someone(i), false)
				if err != nil || r.answer.Evidence != someone(i).Object {
					t.Errorf("person %d got %+v, %v", i, r.answer, err)
				}
			})
		}
		wg.Wait()
		total := 0
		for i, n := range p.sizes {
			total += n
			if i > 0 && p.began[i].Sub(p.began[i-1]) < time.Second {
				t.Errorf("calls %v apart", p.began[i].Sub(p.began[i-1]))
			}
		}
		if len(p.sizes) != 3 || total != 10 {
			t.Errorf("batches of %v", p.sizes)
		}
	})
}

// One 429 silences everybody's questions to that target.
func TestLineSharesThePause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &scripted{limits: Limits{Level: activation.L1}, do: func(context.Context, []activation.Person) ([]activation.Answer, error) {
			return nil, &Fault{Why: tooFast, After: time.Minute}
		}}
		l := quietLine(p)
		var wg sync.WaitGroup
		for i := range 6 {
			wg.Go(func() {
				if r, err := l.ask(t.Context(), someone(i), false); err != nil || r.retry <= 0 || r.retry > time.Minute {
					t.Errorf("%+v, %v", r, err)
				}
			})
		}
		wg.Wait()
		if n := len(p.began); n > width {
			t.Errorf("%d calls, though the first said to wait", n)
		}
		if l.paused() != time.Minute {
			t.Errorf("paused for %v", l.paused())
		}
	})
}

func TestLineSurvivesItsProbe(t *testing.T) {
	bad := map[string]func(context.Context, []activation.Person) ([]activation.Answer, error){
		"panics":       func(context.Context, []activation.Person) ([]activation.Answer, error) { panic("boom") },
		"says nothing": func(context.Context, []activation.Person) ([]activation.Answer, error) { return nil, nil },
		"answers too much": func(ctx context.Context, who []activation.Person) ([]activation.Answer, error) {
			return noes(ctx, append(who, who...))
		},
		"has no moments": func(context.Context, []activation.Person) ([]activation.Answer, error) {
			return []activation.Answer{{Says: activation.No}}, nil
		},
		"claims too much": func(context.Context, []activation.Person) ([]activation.Answer, error) {
			return []activation.Answer{yesNo(true, activation.L3, "x", time.Now(), time.Now())}, nil
		},
		"has no evidence": func(context.Context, []activation.Person) ([]activation.Answer, error) {
			return []activation.Answer{yesNo(true, activation.L1, "", time.Now(), time.Now())}, nil
		},
		"hangs": func(ctx context.Context, _ []activation.Person) ([]activation.Answer, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		},
	}
	for name, do := range bad {
		synctest.Test(t, func(t *testing.T) {
			l := quietLine(&scripted{limits: Limits{Level: activation.L1, Timeout: 7 * time.Second}, do: do})
			began := time.Now()
			r, err := l.ask(t.Context(), requester, false)
			if err != nil || r.answer.Says != activation.CantTell || r.answer.Why == "" {
				t.Errorf("a probe that %s: %+v, %v", name, r.answer, err)
			}
			if took := time.Since(began); took > 7*time.Second+gather {
				t.Errorf("a probe that %s took %v", name, took)
			}
		})
	}
}

// A probe that ignores its deadline can't pile up calls or waiting people.
func TestLineBoundsAProbeThatNeverReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		p := &scripted{limits: Limits{Level: activation.L1, Timeout: time.Second}, do: func(ctx context.Context, who []activation.Person) ([]activation.Answer, error) {
			<-release
			return noes(ctx, who)
		}}
		l := quietLine(p)
		for i := range 3 * width {
			if r, err := l.ask(t.Context(), someone(i), false); err != nil || r.answer.Says != activation.CantTell {
				t.Errorf("%+v, %v", r, err)
			}
		}
		if p.calls() != width {
			t.Errorf("%d calls hang, at most %d may", p.calls(), width)
		}
		close(release)
		time.Sleep(time.Minute)
		if r, _ := l.ask(t.Context(), requester, false); r.answer.Says != activation.No {
			t.Errorf("after the probe came back: %+v", r)
		}
	})
}

func TestLineLetsGoWhenToldToStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &scripted{limits: Limits{Level: activation.L1, Rate: time.Hour}, do: noes}
		l := quietLine(p)
		if _, err := l.ask(t.Context(), requester, false); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := l.ask(ctx, requester, false); err == nil {
			t.Error("an answer out of nothing")
		}
		time.Sleep(2 * time.Hour)
		if len(p.began) != 1 {
			t.Errorf("%d calls for one person who still waited", len(p.began))
		}
	})
}
