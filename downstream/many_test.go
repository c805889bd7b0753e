package downstream

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pagbot/activation"
)

// crowd is many lives on the targets of one watch, followed by as few workers
// as an engine has.
type crowd struct {
	w       *Watch
	workers chan struct{}
	mu      sync.Mutex
	wakes   map[string]chan struct{}
	gone    sync.WaitGroup
}

func newCrowd(t *testing.T, c Config) *crowd {
	t.Helper()
	x := &crowd{workers: make(chan struct{}, 64), wakes: map[string]chan struct{}{}}
	c.Wake = func(name string) {
		x.mu.Lock()
		defer x.mu.Unlock()
		if x.wakes[name] != nil {
			close(x.wakes[name])
			delete(x.wakes, name)
		}
	}
	var err error
	if x.w, err = NewWatch(c); err != nil {
		t.Fatal(err)
	}
	return x
}

// follow looks for one person until there is news or the context ends.
func (x *crowd) follow(ctx context.Context, i int, target string, turn time.Time, told func(activation.Probed)) {
	a := activation.Activation{ID: fmt.Sprint(i), Person: someone(i), Phase: activation.Active, Began: turn.Add(-time.Minute), From: turn,
		Targets: []activation.Target{{ID: target, Grant: activation.Span{State: activation.Waiting, After: turn.Add(-time.Second)}}}}
	e := activation.Effect{Kind: activation.Probe, Target: target, Toward: activation.Grant}
	x.gone.Go(func() {
		for ctx.Err() == nil {
			x.workers <- struct{}{}
			r := x.w.Do(ctx, a, e)
			<-x.workers
			if p, ok := r.Tell.(activation.Probed); ok {
				told(p)
			}
			if r.Finished() {
				return
			}
			e.Memory = r.Memory
			due := time.Until(r.Again)
			if r.After > 0 {
				due = r.After
			}
			x.rest(ctx, r.Wait, due)
		}
	})
}

func (x *crowd) rest(ctx context.Context, name string, due time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, due)
	defer cancel()
	wake := make(chan struct{})
	if name != "" {
		x.mu.Lock()
		x.wakes[name] = wake
		x.mu.Unlock()
	}
	select {
	case <-wake:
	case <-ctx.Done():
	}
}

// counting is a probe that notes when each person was asked about.
type counting struct {
	limits Limits
	is     func(now time.Time) bool
	mu     sync.Mutex
	calls  []time.Time
	asked  map[string][]time.Time
}

func (c *counting) Limits() Limits { return c.limits }

func (c *counting) Check(_ context.Context, who []activation.Person) ([]activation.Answer, error) {
	now := time.Now()
	c.mu.Lock()
	c.calls = append(c.calls, now)
	all := make([]activation.Answer, len(who))
	for i, p := range who {
		c.asked[p.Object] = append(c.asked[p.Object], now)
		all[i] = yesNo(c.is != nil && c.is(now), activation.L2, "evidence", now, now.Add(200*time.Millisecond))
	}
	c.mu.Unlock()
	time.Sleep(200 * time.Millisecond)
	return all, nil
}

// Of five thousand who wait nobody waits longer for a look than the schedule
// says and N × Rate / Batch; the target keeps its pace; and a target where
// nobody else waits answers at once.
func TestFiveThousandWait(t *testing.T) {
	t.Parallel()
	const n = waiters
	for _, l := range []Limits{{Rate: 200 * time.Millisecond}, {Rate: 2 * time.Second, Batch: 20}} {
		l.Level, l.Rate = activation.L2, l.Rate*5000/n // fewer wait as long where the pace is as much slower
		synctest.Test(t, func(t *testing.T) {
			busy := &counting{limits: l, asked: map[string][]time.Time{}}
			free := &counting{limits: l, asked: map[string][]time.Time{}}
			x := newCrowd(t, Config{Probes: map[string]Probe{"busy": busy, "free": free}})
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Minute)
			defer cancel()
			began := time.Now()
			for i := range n {
				x.follow(ctx, i, "busy", began, func(activation.Probed) {})
			}
			time.Sleep(time.Minute)
			x.follow(ctx, n, "free", time.Now(), func(activation.Probed) {})
			time.Sleep(40 * time.Minute)
			every := x.w.Every("busy", time.Hour)
			x.gone.Wait()
			ended := time.Now()
			time.Sleep(time.Minute) // the last calls come back

			for _, p := range []*counting{busy, free} {
				p.mu.Lock()
				defer p.mu.Unlock()
			}
			crowd := n * l.Rate / time.Duration(max(1, l.Batch))
			worst := time.Duration(0)
			for i := range n {
				last := began
				for _, at := range append(busy.asked[someone(i).Object], ended) {
					worst = max(worst, at.Sub(last))
					last = at
				}
			}
			t.Logf("bound: %v in line, on top of the schedule's %v; longest without a look: %v; cards may say every %v; %d calls", crowd, soonCap, worst, every, len(busy.calls))
			if bound := soonCap + crowd + crowd/20; worst > bound {
				t.Errorf("somebody waited %v for a look, the bound is %v", worst, bound)
			}
			if every < worst*8/10 || every > worst*12/10 {
				t.Errorf("cards would say every %v, it is %v", every, worst)
			}
			if most := int(50*time.Minute/l.Rate) + 1; len(busy.calls) > most || len(busy.calls) < most*9/10 {
				t.Errorf("%d calls in 50 minutes, the target allows %d", len(busy.calls), most)
			}
			for i, at := range busy.calls[1:] {
				if at.Sub(busy.calls[i]) < l.Rate {
					t.Fatalf("calls %v apart", at.Sub(busy.calls[i]))
				}
			}
			if first := free.calls[0].Sub(began); first > time.Minute+6*time.Second {
				t.Errorf("the target where nobody waits was first asked after %v", first)
			}
		})
	}
}

// shared lets some wait for one tick and returns the calls that it took, and how
// long after the tick the last of them was told.
func shared(t *testing.T, n int, l Limits, history []Latency) (calls int, last time.Duration) {
	l.Level = activation.L2
	synctest.Test(t, func(t *testing.T) {
		const period = 40 * time.Minute
		began := time.Now()
		tick := began.Add(period)
		p := &counting{limits: l, asked: map[string][]time.Time{}, is: func(now time.Time) bool { return now.After(tick) }}
		var all []Latency
		for _, h := range history {
			h.At = h.At.Add(tick.Add(-1000 * period).Sub(epoch)) // as if it ticked so all the time
			all = append(all, h)
		}
		x := newCrowd(t, Config{Probes: map[string]Probe{"ticks": p}, History: func(string, activation.Direction) []Latency { return all }})
		ctx, cancel := context.WithTimeout(t.Context(), 3*period)
		defer cancel()
		for i := range n {
			x.follow(ctx, i, "ticks", time.Now(), func(activation.Probed) {
				p.mu.Lock()
				defer p.mu.Unlock()
				last = time.Since(tick)
			})
			time.Sleep(period / time.Duration(n+1))
		}
		x.gone.Wait()
		time.Sleep(time.Minute)
		p.mu.Lock()
		defer p.mu.Unlock()
		calls = len(p.calls)
	})
	return calls, last
}

// Twenty who wait for one tick: the news of one is a reason to look at the
// others, one call serves several, and known ticks are waited for.
func TestTwentyShareATick(t *testing.T) {
	l := begin(natures()[6])
	for range 60 {
		l.remember(l.live(policies[1].make()))
	}
	const n = 20
	every5 := n * 20 * 60 / 5.0 // they wait twenty minutes in the mean
	single, told := shared(t, n, Limits{Rate: 200 * time.Millisecond}, nil)
	batch, _ := shared(t, n, Limits{Rate: 200 * time.Millisecond, Batch: n}, nil)
	known, toldKnown := shared(t, n, Limits{Rate: 200 * time.Millisecond}, l.past)
	t.Logf("calls of those every 5 s: %.3f nothing known, %.3f in batches, %.3f with known ticks; the last was told after %v, %v",
		float64(single)/every5, float64(batch)/every5, float64(known)/every5, told, toldKnown)
	if float64(batch) > 0.6*float64(single) || float64(known)/every5 > 0.05 || told > 45*time.Second || toldKnown > 45*time.Second {
		t.Errorf("sharing does not help")
	}
}
