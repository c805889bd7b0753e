package storetest

import (
	"fmt"
	"sync"
	"time"

	"pagbot/store"
)

var orders = map[string]func(*bench){
	"Order/one at a time, oldest first":           oneAtATime,
	"Order/one due later holds up the rest":       laterHoldsUp,
	"Order/one that waits steps aside":            stepsAside,
	"Order/one whose waiting ran out is back":     waitRanOut,
	"Order/a lost lease goes before the rest":     lostGoesFirst,
	"Order/lanes have their own":                  orderPerLane,
	"Order/a replaced one keeps its place":        keepsPlace,
	"Order/a withdrawn one lets the next through": withdrawnFirst,
}

func oneAtATime(b *bench) {
	b.commit(add(ordered("x1", "x"), ordered("x2", "x"), ordered("y1", "y"), ordered("x3", "x")))
	got := b.claim("deed", 9, "x1", "y1")
	b.claim("deed", 9)
	b.next("deed", "", at(Lease))
	b.commit(done(got[0]))
	x2 := b.one("deed", "x2")
	b.commit(postpone(x2)) // due at once, and the oldest still
	b.commit(done(b.one("deed", "x2")))
	b.one("deed", "x3")
}

func laterHoldsUp(b *bench) {
	x1 := ordered("x1", "x")
	x1.Due = start.Add(time.Minute)
	b.commit(add(x1, ordered("x2", "x")))
	b.claim("deed", 9)
	b.next("deed", "", at(time.Minute))
	b.pass(time.Minute)
	b.one("deed", "x1")
}

func stepsAside(b *bench) {
	b.commit(add(ordered("x1", "x"), ordered("x2", "x"), ordered("x3", "x")))
	x1 := b.one("deed", "x1")
	x1.Wait = "sign-in"
	b.commit(postpone(x1))
	x2 := b.one("deed", "x2")
	b.commit(store.Turn{Release: []string{"sign-in"}})
	b.claim("deed", 9) // one at a time, also for the older one
	b.commit(done(x2))
	b.commit(done(b.one("deed", "x1")))
	b.one("deed", "x3")
}

func waitRanOut(b *bench) {
	x1, x3 := ordered("x1", "x"), ordered("x3", "x")
	x1.Wait, x1.Until = "sign-in", start.Add(time.Minute)
	x3.Wait, x3.Until = "sign-in", start.Add(time.Minute)
	b.commit(add(x1, ordered("x2", "x"), x3))
	x2 := b.one("deed", "x2")
	b.pass(time.Minute)
	b.claim("deed", 9)
	if _, next, _ := b.s.Claim(b.Context(), "deed", "", 9); !next.Equal(at(Lease)) {
		b.Fatalf("claim next at %v: nothing to claim before %v", next, at(Lease))
	}
	b.commit(done(x2))
	b.commit(done(b.one("deed", "x1")))
	b.one("deed", "x3")
}

func lostGoesFirst(b *bench) {
	b.commit(add(ordered("x1", "x"), ordered("x2", "x")))
	b.commit(postpone(b.one("deed", "x1")))
	b.one("deed", "x1")
	b.commit(add(ordered("x3", "x")))
	b.pass(Lease)
	same(b, "tries", b.one("deed", "x1").Tries, 1)
}

func orderPerLane(b *bench) {
	other := ordered("x1", "x")
	other.Lane = "say"
	b.commit(add(ordered("x1", "x"), other))
	b.one("deed", "x1")
	b.one("say", "x1")
}

func keepsPlace(b *bench) {
	b.commit(add(ordered("x1", "x"), ordered("x2", "x")))
	b.commit(replace(ordered("x1", "x")))
	x1 := b.one("deed", "x1")
	b.commit(replace(ordered("x1", "y")))
	b.claim("deed", 9)
	b.commit(done(x1))
	same(b, "order", b.one("deed", "x1").Order, "x")
}

func withdrawnFirst(b *bench) {
	x1 := ordered("x1", "x")
	x1.Due = start.Add(time.Hour)
	b.commit(add(x1, ordered("x2", "x")))
	b.commit(done(x1))
	b.one("deed", "x2")
}

var claims = map[string]func(*bench){
	"Claim/a lease runs out":          leaseRunsOut,
	"Claim/the fence holds":           fenceHolds,
	"Claim/each job once, 16 workers": eachOnce,
}

func leaseRunsOut(b *bench) {
	b.commit(add(job("deed", "a")))
	first := b.one("deed", "a")
	same(b, "tries", first.Tries, 0)
	b.pass(Lease - time.Microsecond)
	b.claim("deed", 9)
	b.pass(time.Microsecond)
	second := b.one("deed", "a")
	same(b, "tries", second.Tries, 1)
	if second.Fence <= first.Fence {
		b.Fatalf("fence %d after %d", second.Fence, first.Fence)
	}
	b.refused(done(first), store.ErrFence)
	b.refused(postpone(first), store.ErrFence)
	b.pass(Lease) // late, but nobody else took it
	b.commit(done(second))
	b.refused(done(second), store.ErrFence)
}

// No fence fits a job that is new under an old key.
func fenceHolds(b *bench) {
	b.commit(add(job("deed", "a")))
	old := b.one("deed", "a")
	b.commit(done(old))
	b.commit(add(job("deed", "a")))
	b.refused(done(old), store.ErrFence)
	now := b.one("deed", "a")
	b.refused(done(old), store.ErrFence)
	b.commit(done(now))
}

func eachOnce(b *bench) {
	const n = 400
	var turn store.Turn
	for i := range n {
		turn.Add = append(turn.Add, ordered(fmt.Sprint(i), fmt.Sprint(i%50)))
	}
	b.commit(turn)
	var mu sync.Mutex
	seen, last := map[string]int{}, map[string]int{}
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for {
				jobs, _, err := b.s.Claim(b.Context(), "deed", "", 3)
				mu.Lock()
				for _, j := range jobs {
					var i int
					_, _ = fmt.Sscan(j.Key, &i)
					if seen[j.Key]++; i < last[j.Order] {
						b.Errorf("%s after %d", j.Key, last[j.Order])
					}
					last[j.Order] = i
				}
				finished := len(seen) == n
				mu.Unlock()
				for _, j := range jobs {
					if err == nil {
						err = b.s.Commit(b.Context(), done(j))
					}
				}
				if err != nil {
					b.Error(err)
				}
				if finished || err != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	for key, times := range seen {
		if times != 1 {
			b.Errorf("%s claimed %d times", key, times)
		}
	}
}
