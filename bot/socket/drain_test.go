package socket

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// Told to stop under clicks: what was kept is acknowledged, what comes
// afterwards gets its short answer, and both connections end with a farewell.
func TestStopUnderClicks(t *testing.T) {
	var mu sync.Mutex
	kept := map[string]bool{}
	in(t, func(c *Config, _ *peer) {
		c.Busy = "Restarting, try again in a moment."
		c.Handle = each(func(_ context.Context, e Envelope) (any, error) {
			time.Sleep(660 * time.Millisecond)
			mu.Lock()
			defer mu.Unlock()
			kept[e.ID] = true
			return nil, nil
		})
	}, func(w *world) {
		w.up()
		ctx, cancel := context.WithCancel(w.Context())
		clicked := make(chan []sent, 1)
		go func() { clicked <- w.clicks(ctx) }()
		time.Sleep(30*time.Second + 50*time.Millisecond)
		if err := w.stop(); err != nil {
			w.Errorf("Run returned %v", err)
		}
		cancel()
		all := <-clicked
		refused := 0
		for _, e := range all {
			a := w.acked(e.id)
			switch {
			case len(a) != 1 || a[0].on != e.on:
				w.Errorf("%s: acks %+v, want one on %d", e.id, a, e.on)
			case strings.Contains(string(a[0].payload), "Restarting"):
				refused++
			case !kept[e.id]:
				w.Errorf("%s was acknowledged and not kept", e.id)
			}
		}
		if refused < 5 || refused > 8 || len(all) < 300 {
			w.Errorf("%d clicks, %d of them refused", len(all), refused)
		}
		for i := range 2 {
			if !w.side(i).closedWell() {
				w.Errorf("connection %d ended with %v", i, w.side(i).end)
			}
		}
		if h := w.loop.Health(); len(h.Connections) != 0 || h.Unacked != 0 {
			w.Errorf("health %+v", h)
		}
	})
}

// A handler that hangs holds the end up for so long, and no longer; then its
// context ends, and the loop says that it gave up.
func TestStopWithHungHandler(t *testing.T) {
	in(t, func(c *Config, _ *peer) {
		c.Drain = 4 * time.Second
		c.Handle = each(func(ctx context.Context, _ Envelope) (any, error) {
			<-ctx.Done()
			time.Sleep(time.Hour)
			return nil, nil
		})
	}, func(w *world) {
		w.up()
		w.side(0).say(click("hung"))
		synctest.Wait()
		start := time.Now()
		err := w.stop()
		if d := time.Since(start); d < 4*time.Second || d > 8*time.Second {
			w.Errorf("stopped after %v", d)
		}
		if err == nil || !strings.Contains(err.Error(), "1 envelopes") {
			w.Errorf("Run returned %v", err)
		}
		time.Sleep(2 * time.Hour)
	})
}

// A peer that never answers the farewell doesn't hold the end up for long.
func TestStopWithDeafPeer(t *testing.T) {
	in(t, nil, func(w *world) {
		w.up()
		for i := range 2 {
			s := w.side(i)
			s.mu.Lock()
			s.stuck = make(chan struct{})
			s.mu.Unlock()
			s.say(click("wakes-the-reader-of-the-peer"))
		}
		start := time.Now()
		_ = w.stop()
		if d := time.Since(start); d > closeTimeout+writeTimeout+oweTimeout {
			w.Errorf("stopped after %v", d)
		}
	})
}

// Told to stop while it still connects.
func TestStopWhileConnecting(t *testing.T) {
	for _, after := range []time.Duration{0, time.Millisecond, 500 * time.Millisecond, 1100 * time.Millisecond} {
		in(t, func(_ *Config, p *peer) { p.link = func(int, *side) bool { return true } }, func(w *world) {
			time.Sleep(after)
			if err := w.stop(); err != nil {
				w.Errorf("Run returned %v", err)
			}
			if err := w.loop.Run(w.Context()); err == nil {
				w.Error("Run ran twice")
			}
		})
	}
}

func TestConfiguration(t *testing.T) {
	good := Config{AppToken: "xapp-test", Handle: bare}
	if _, err := New(good); err != nil {
		t.Fatal(err)
	}
	for want, spoil := range map[string]func(*Config){
		"connections:write": func(c *Config) { c.AppToken = "xoxb-test" },
		"Handle":            func(c *Config) { c.Handle = nil },
		"slash at its end":  func(c *Config) { c.APIURL = "https://slack.com/api" },
		"at most 3":         func(c *Config) { c.Connections = 4 },
	} {
		bad := good
		spoil(&bad)
		if _, err := New(bad); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("New returned %v, want one line about %q", err, want)
		}
	}
}
