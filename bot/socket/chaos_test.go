package socket

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// trouble makes one thing go wrong on one connection, as the dice fall.
func (w *world) trouble(dice *rand.Rand, s *side) {
	reasons := []string{"warning", "refresh_requested", "too_many_websockets", "a reason of next year"}
	switch dice.IntN(6) {
	case 0, 1:
		wait := time.Duration(dice.IntN(15)) * time.Second
		s.disconnect(reasons[dice.IntN(len(reasons))])
		go func() { nap(wait); s.close() }()
	case 2:
		s.close()
	case 3:
		s.broken()
		_ = s.ws.Close()
	case 4:
		s.broken()
		s.mu.Lock()
		if s.stuck == nil && !s.dead {
			s.stuck, s.closing = make(chan struct{}), true
		}
		s.mu.Unlock()
	case 5:
		w.net.down.Store(true)
		wait := time.Duration(dice.IntN(40)) * time.Second
		go func() { nap(wait); w.net.down.Store(false) }()
	}
}

// broken notes when the test broke a connection first.
func (s *side) broken() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cut.IsZero() {
		s.cut = time.Now()
	}
}

// A quarter of an hour of random troubles under clicks, and then peace. Every click
// that reached us was acknowledged on some connection, unless the test broke the
// one that its ack was on, or is counted as lost because there was none for a
// minute; and two connections are there again.
func TestRandomTroubles(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			dice := rand.New(rand.NewPCG(seed, 7))
			var fails atomic.Bool
			in(t, func(c *Config, p *peer) {
				p.life = float64(dice.IntN(600))
				p.open = func(_ int, w http.ResponseWriter) bool {
					if fails.Load() {
						w.WriteHeader(http.StatusInternalServerError)
					}
					return fails.Load()
				}
				c.Handle = each(func(context.Context, Envelope) (any, error) { time.Sleep(10 * time.Millisecond); return nil, nil })
			}, func(w *world) {
				ctx, cancel := context.WithTimeout(w.Context(), 15*time.Minute)
				defer cancel()
				clicked := make(chan []sent, 1)
				go func() { clicked <- w.clicks(ctx) }()
				for ctx.Err() == nil {
					time.Sleep(time.Duration(1+dice.IntN(40)) * time.Second)
					fails.Store(dice.IntN(5) == 0)
					if n := w.count(); n > 0 {
						w.trouble(dice, w.side(max(0, n-1-dice.IntN(3))))
					}
				}
				fails.Store(false)
				all := <-clicked
				w.within(5*time.Minute, "two connections", func() bool { return w.loop.Health().Live() == 2 })
				w.pass(2 * time.Minute)
				w.accounted(all)
			})
		})
	}
}

// accounted checks the books of a troubled time.
func (w *world) accounted(all []sent) {
	w.Helper()
	missing := 0
	for _, e := range all {
		s := w.side(e.on)
		underWay := e.at.Add(20*time.Millisecond).After(s.cut) && !e.at.After(s.cut)
		if len(w.acked(e.id)) == 0 && !underWay {
			missing++
		}
	}
	h := w.loop.Health()
	if uint64(missing) > h.Lost || h.Unacked != 0 || h.Waiting != 0 || int(h.Envelopes) != len(all) {
		w.Errorf("%d of %d clicks unacknowledged; health %+v", missing, len(all), h)
	}
	if n := len(h.Connections); n > 4 {
		w.Errorf("%d connections held", n)
	}
	if n := most(w.opened(), time.Minute); n > 25 {
		w.Errorf("%d opens in a minute", n)
	}
	synctest.Wait()
	w.Logf("%d clicks, %d lost, %d strayed, %d opens, %d hellos", len(all), missing, h.Strayed, h.Opens, h.Hellos)
}
