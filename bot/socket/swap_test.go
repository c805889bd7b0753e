package socket

import (
	"context"
	"testing"
	"time"
)

func TestTwoConnectionsApart(t *testing.T) {
	in(t, nil, func(w *world) {
		w.up()
		opens := w.opened()
		if len(opens) != 2 || opens[1].Sub(opens[0]) < spacing {
			w.Errorf("opens at %v, want two, a second apart", opens)
		}
		if h := w.loop.Health(); h.Ghosts != 0 || h.Hellos != 2 || h.Opens != 2 {
			w.Errorf("health %+v", h)
		}
	})
}

// Whatever the reason, the replacement comes first, and what still arrives on
// the old connection is acknowledged there.
func TestReplacedOnEveryReason(t *testing.T) {
	for _, reason := range []string{"warning", "refresh_requested", "a reason of next year", ""} {
		t.Run(reason, func(t *testing.T) {
			in(t, nil, func(w *world) {
				w.up()
				time.Sleep(90 * time.Second)
				old := w.side(0)
				old.disconnect(reason)
				w.within(2*time.Second, "a replacement", func() bool { return w.count() == 3 })
				for i := range 10 {
					time.Sleep(time.Second)
					old.say(slash(slashID(i)))
				}
				time.Sleep(time.Second) // an ack that could cross the close would go out twice
				if old.isDead() {
					w.Fatal("the old connection was closed before Slack closed it")
				}
				old.close()
				w.within(time.Second, "the end of the old connection", func() bool { return w.alive() == 2 })
				for i := range 10 {
					if a := w.acked(slashID(i)); len(a) != 1 || a[0].on != 0 {
						w.Errorf("%s: acks %+v, want one on connection 0", slashID(i), a)
					}
				}
				if n := len(w.opened()); n != 3 {
					w.Errorf("%d opens, want 3", n)
				}
			})
		})
	}
}

// Slack asked, and never closes: then we do, in good order.
func TestOldConnectionIsClosedByUs(t *testing.T) {
	in(t, nil, func(w *world) {
		w.up()
		old := w.side(1)
		time.Sleep(time.Minute)
		old.disconnect("warning")
		asked := time.Now()
		w.within(time.Minute, "the end of the old connection", old.isDead)
		if d := old.ended.Sub(asked); d < 10*time.Second || d > graceAsked+5*time.Second || !old.closedWell() {
			w.Errorf("closed after %v with %v", d, old.end)
		}
	})
}

// Connections are replaced before Slack's own limit, and never both at once.
func TestReplacedBeforeTheyGrowOld(t *testing.T) {
	in(t, nil, func(w *world) {
		ctx, cancel := context.WithTimeout(w.Context(), 5*time.Hour)
		defer cancel()
		for ctx.Err() == nil { // Slack ends what is an hour old
			time.Sleep(10 * time.Second)
			for i := range w.count() {
				if s := w.side(i); !s.isDead() && time.Since(s.born) > time.Hour {
					s.close()
				}
			}
		}
		opens := w.opened()
		for i := 2; i < len(opens); i++ {
			if d := opens[i].Sub(opens[i-1]); d < 20*time.Minute {
				w.Errorf("open %d came only %v after the one before", i, d)
			}
		}
		if n := len(opens); n < 10 || n > 13 {
			w.Errorf("%d opens in five hours", n)
		}
		for i := range w.count() {
			if s := w.side(i); s.isDead() && s.ended.Sub(s.born) < 25*time.Minute {
				w.Errorf("connection %d lived only %v", i, s.ended.Sub(s.born))
			}
		}
	})
}

// The scenario of the books: a refresh every 20 s, with and without a warning,
// under steady clicks. None may be lost, late, or acknowledged elsewhere.
func TestRefreshEvery20sUnderClicks(t *testing.T) {
	for _, warn := range []bool{true, false} {
		in(t, func(_ *Config, p *peer) { p.life = 0 }, func(w *world) {
			w.up()
			ctx, cancel := context.WithTimeout(w.Context(), 10*time.Minute)
			defer cancel()
			go func() {
				for i := 0; ctx.Err() == nil; i++ {
					go w.refresh(i, warn)
					time.Sleep(10 * time.Second) // each of the two every 20 s
				}
			}()
			all := w.clicks(ctx)
			time.Sleep(time.Minute)
			w.answered(all, time.Second)
			if len(all) < 5900 || w.count() < 55 {
				w.Errorf("%d clicks, %d connections: the test tested little", len(all), w.count())
			}
		})
	}
}

// refresh ends a connection as Slack does.
func (w *world) refresh(n int, warn bool) {
	s := w.side(n)
	if s == nil {
		return
	}
	if warn {
		s.disconnect("warning")
		time.Sleep(10 * time.Second)
	}
	s.disconnect("refresh_requested")
	time.Sleep(5 * time.Second)
	s.close()
}

// A peer that neither reads nor writes is replaced first, and closed second.
func TestHalfOpenPeer(t *testing.T) {
	in(t, nil, func(w *world) {
		w.up()
		time.Sleep(2 * time.Minute)
		dead := w.side(0)
		dead.mu.Lock()
		dead.stuck = make(chan struct{})
		dead.mu.Unlock()
		dead.say(click("wakes-the-reader-of-the-peer"))
		took := w.within(45*time.Second, "a replacement", func() bool { return w.count() == 3 })
		w.Logf("replaced after %v", took)
		w.within(20*time.Second, "two connections again", func() bool {
			h := w.loop.Health()
			return h.Live() == 2 && len(h.Connections) == 2
		})
	})
}

// Slow is not dead: a peer that answers pings after 15 s is kept.
func TestLatePongsAreLife(t *testing.T) {
	in(t, func(_ *Config, p *peer) {
		p.life = 0
		p.link = func(_ int, s *side) bool {
			s.ws.SetPingHandler(func(text string) error {
				go func() {
					time.Sleep(15 * time.Second)
					_ = s.ws.WriteControl(10, []byte(text), time.Now().Add(time.Second))
				}()
				return nil
			})
			return false
		}
	}, func(w *world) {
		w.up()
		time.Sleep(10 * time.Minute)
		if w.count() != 2 {
			w.Errorf("%d connections were made, want 2", w.count())
		}
	})
}
