package socket

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func slow(d time.Duration) func(context.Context, Envelope, func(any, error)) {
	return each(func(context.Context, Envelope) (any, error) { time.Sleep(d); return nil, nil })
}

// A peer that takes everything in and says nothing is replaced after 30 s, and
// only then closed, with a farewell.
func TestSilentPeer(t *testing.T) {
	in(t, func(_ *Config, p *peer) { p.life = 0 }, func(w *world) {
		w.up()
		time.Sleep(2 * time.Minute)
		mute := w.side(0)
		mute.mute.Store(true)
		since := time.Now()
		w.within(45*time.Second, "a replacement", func() bool {
			if w.count() == 2 && mute.isDead() {
				w.Fatal("closed before it was replaced")
			}
			return w.count() == 3
		})
		w.within(10*time.Second, "the end of the silent one", mute.isDead)
		if d := time.Since(since); d < 20*time.Second || !mute.closedWell() {
			w.Errorf("closed after %v with %v", d, mute.end)
		}
	})
}

// Slack closes right behind an envelope. Its ack goes out before the echo of
// the farewell, and on another connection too, as this one may not be read.
func TestEnvelopeJustBeforeTheFarewell(t *testing.T) {
	in(t, func(c *Config, _ *peer) { c.Handle = slow(500 * time.Millisecond) }, func(w *world) {
		w.up()
		w.side(0).say(slash("last"))
		w.side(0).close()
		w.pass(2 * time.Second)
		on := map[int]int{}
		for _, a := range w.acked("last") {
			on[a.on]++
		}
		if len(on) != 2 || on[0] != 1 || !w.side(0).closedWell() {
			w.Errorf("acks on %v, ended with %v", on, w.side(0).end)
		}
	})
}

// Our farewell waits for the ack of what came at the last moment.
func TestFarewellWaitsForWhatIsOwed(t *testing.T) {
	in(t, func(c *Config, _ *peer) { c.Handle = slow(time.Second) }, func(w *world) {
		w.up()
		w.side(0).disconnect("warning")
		w.within(5*time.Second, "a replacement", func() bool { return w.loop.Health().Hellos == 3 })
		for range 3 { // until its grace is over
			time.Sleep((graceAsked - 300*time.Millisecond) / 3)
			w.side(0).say(slash("last"))
		}
		w.pass(5 * time.Second)
		a := w.acked("last")
		if len(a) != 3 || a[2].on != 0 || !w.side(0).closedWell() {
			w.Errorf("acks %+v, ended with %v", a, w.side(0).end)
		}
	})
}

// Acks of a burst whose connection breaks down in the middle of them.
func TestBreakDownUnderAcks(t *testing.T) {
	for n := range 20 {
		gate := make(chan struct{})
		in(t, func(c *Config, _ *peer) {
			gate = make(chan struct{})
			c.Handle = each(func(context.Context, Envelope) (any, error) { <-gate; return nil, nil })
		}, func(w *world) {
			w.up()
			for i := range 100 {
				w.side(0).say(slash(slashID(i)))
			}
			synctest.Wait()
			if n%2 == 0 {
				close(gate)
			}
			_ = w.side(0).ws.Close()
			if n%2 == 1 {
				close(gate)
			}
			w.pass(3 * time.Second)
			for i := range 100 {
				if len(w.acked(slashID(i))) == 0 {
					w.Errorf("%s was not acknowledged", slashID(i))
				}
			}
		})
	}
}

// Slack asks for every connection soon and closes none: what is kept must stay
// far from its cap of ten.
func TestNeverManyConnections(t *testing.T) {
	in(t, func(_ *Config, p *peer) {
		p.life = 0
		p.link = func(_ int, s *side) bool {
			go func() { nap(6 * time.Second); s.disconnect("refresh_requested") }()
			return false
		}
	}, func(w *world) {
		w.up()
		for range 600 {
			w.pass(time.Second)
			if n := w.alive(); n > 3*w.loop.cfg.Connections {
				w.Fatalf("%d connections at once", n)
			}
		}
		if w.count() < 100 {
			w.Errorf("only %d connections in ten minutes", w.count())
		}
	})
}
