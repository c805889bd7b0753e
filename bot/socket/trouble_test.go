package socket

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// most is the largest number of times within any window of d.
func most(times []time.Time, d time.Duration) int {
	n := 0
	for i := range times {
		k := i
		for k < len(times) && times[k].Sub(times[i]) < d {
			k++
		}
		n = max(n, k-i)
	}
	return n
}

// Slack ends every connection at once, in each of its ways: that must not
// become thousands of opens.
func TestStormIsBounded(t *testing.T) {
	for name, link := range map[string]func(int, *side) bool{
		"disconnect after hello": func(_ int, s *side) bool {
			s.say(`{"type":"hello","num_connections":1}`)
			s.disconnect("refresh_requested")
			s.close()
			return true
		},
		"disconnect instead of hello": func(_ int, s *side) bool { s.disconnect("warning"); s.close(); return true },
		"closed at once":              func(_ int, s *side) bool { _ = s.ws.Close(); return true },
		"no hello":                    func(int, *side) bool { return true },
	} {
		t.Run(name, func(t *testing.T) {
			in(t, func(_ *Config, p *peer) { p.link = link }, func(w *world) {
				w.pass(time.Hour)
				opens := w.opened()
				first, later := most(opens, time.Minute), most(opens[len(opens)/4:], time.Minute)
				if first > 20 || later > 12 || len(opens) > 400 {
					w.Errorf("%d opens in an hour, at most %d a minute, later %d", len(opens), first, later)
				}
				w.Logf("%d opens in an hour, at most %d a minute, later %d", len(opens), first, later)
				if h := w.loop.Health(); (h.Hellos > 0) != (name == "disconnect after hello") {
					w.Errorf("%d hellos", h.Hellos)
				}
				w.mu.Lock()
				w.link = nil
				w.mu.Unlock()
				w.within(3*time.Minute, "recovery", func() bool { return w.loop.Health().Live() == 2 })
			})
		})
	}
}

// Only a minute of life proves that all is well.
func TestBackoffIsReset(t *testing.T) {
	in(t, func(_ *Config, p *peer) {
		p.open = func(n int, w http.ResponseWriter) bool {
			if n <= 12 {
				w.WriteHeader(http.StatusBadGateway)
			}
			return n <= 12
		}
	}, func(w *world) {
		w.within(15*time.Minute, "two connections", func() bool { return w.loop.Health().Live() == 2 })
		w.pass(settled + time.Second)
		for range 3 { // no pause is left from before
			for i := range w.count() {
				w.side(i).close()
			}
			w.within(4*time.Second, "two new ones", func() bool { return w.loop.Health().Live() == 2 })
			w.pass(settled + time.Second)
		}
	})
}

func TestSocketModeSwitchedOff(t *testing.T) {
	in(t, nil, func(w *world) {
		w.up()
		w.pass(5 * time.Minute)
		before := len(w.opened())
		w.mu.Lock()
		w.link = func(_ int, s *side) bool { s.disconnect("link_disabled"); s.close(); return true }
		w.mu.Unlock()
		for i := range 2 {
			w.side(i).disconnect("link_disabled")
			w.side(i).close()
		}
		w.pass(30 * time.Minute)
		if n := len(w.opened()) - before; n < 5 || n > 11 {
			w.Errorf("%d opens in half an hour, want one every few minutes", n)
		}
		if h := w.loop.Health(); !strings.Contains(h.Alarm, "switch it on") || h.Live() != 0 || h.NextOpen.IsZero() {
			w.Errorf("health %+v", h)
		}
		w.mu.Lock()
		w.link = nil
		w.mu.Unlock()
		w.within(10*time.Minute, "recovery", func() bool { return w.loop.Health().Live() == 2 })
		if h := w.loop.Health(); h.Alarm != "" {
			w.Errorf("the alarm %q stays", h.Alarm)
		}
	})
}

// At the cap Slack says so instead of hello. Nothing is opened for half a
// minute, by neither slot, and what is surplus is closed.
func TestCapReached(t *testing.T) {
	in(t, nil, func(w *world) {
		w.up()
		w.pass(2 * time.Minute)
		full := true
		w.mu.Lock()
		w.link = func(n int, s *side) bool {
			w.mu.Lock()
			defer w.mu.Unlock()
			if !full || n == 2 {
				return false
			}
			s.disconnect("too_many_websockets")
			_ = s.ws.Close()
			return true
		}
		w.mu.Unlock()
		w.side(0).disconnect("warning") // replaced by 2; now 0 is surplus
		w.pass(time.Second)
		w.side(1).disconnect("warning") // finds the cap reached
		w.within(5*time.Second, "the surplus closed", w.side(0).isDead)
		if !w.side(0).closedWell() || w.side(1).isDead() {
			w.Error("the wrong connection was closed, or without a farewell")
		}
		w.pass(5 * time.Minute)
		opens := w.opened()
		for i := 4; i < len(opens); i++ {
			if d := opens[i].Sub(opens[i-1]); d < 30*time.Second {
				w.Errorf("opened again %v after the cap was reached", d)
			}
		}
		if h := w.loop.Health(); !strings.Contains(h.Alarm, "10 connections") {
			w.Errorf("alarm %q", h.Alarm)
		}
		w.mu.Lock()
		full = false
		w.mu.Unlock()
		w.within(90*time.Second, "two connections", func() bool { return w.loop.Health().Live() >= 2 })
	})
}

func TestGhostsAreSuspected(t *testing.T) {
	in(t, func(_ *Config, p *peer) {
		p.link = func(n int, s *side) bool {
			s.say(fmt.Sprintf(`{"type":"hello","num_connections":%d}`, n+4))
			return true
		}
	}, func(w *world) {
		w.up()
		if h := w.loop.Health(); h.Ghosts != 3 {
			w.Errorf("%d ghosts suspected, want 3", h.Ghosts)
		}
	})
}

func TestFatalRefusals(t *testing.T) {
	for code := range fatal {
		t.Run(code, func(t *testing.T) {
			in(t, func(_ *Config, p *peer) {
				p.open = func(n int, w http.ResponseWriter) bool {
					if n <= 2 {
						return false
					}
					fmt.Fprintf(w, `{"ok":false,"error":%q}`, code)
					return true
				}
			}, func(w *world) {
				w.up() // it begins well; then the token is revoked
				w.side(0).disconnect("warning")
				w.within(10*time.Second, "the end", func() bool { return w.alive() == 0 })
				err := w.stop()
				var no *Fatal
				if !errors.As(err, &no) || no.Code != code || no.Say == "" || len(w.opened()) != 3 {
					w.Errorf("Run returned %v after %d opens", err, len(w.opened()))
				}
				if !w.side(1).closedWell() {
					w.Error("the other connection got no farewell")
				}
			})
		})
	}
}

// What may pass is tried again, in reasonable intervals.
func TestPassingTroubles(t *testing.T) {
	for name, answer := range map[string]func(w http.ResponseWriter){
		"internal_error": func(w http.ResponseWriter) { fmt.Fprint(w, `{"ok":false,"error":"internal_error"}`) },
		"no error":       func(w http.ResponseWriter) { fmt.Fprint(w, `{"ok":false}`) },
		"html":           func(w http.ResponseWriter) { w.WriteHeader(503); fmt.Fprint(w, `<html>`) },
		"empty":          func(http.ResponseWriter) {},
		"no url":         func(w http.ResponseWriter) { fmt.Fprint(w, `{"ok":true}`) },
		"bad url":        func(w http.ResponseWriter) { fmt.Fprint(w, `{"ok":true,"url":"wss://%zz?ticket=secret-9"}`) },
		"other scheme":   func(w http.ResponseWriter) { fmt.Fprint(w, `{"ok":true,"url":"http://x/?ticket=secret-9"}`) },
		"ticket refused": func(w http.ResponseWriter) { fmt.Fprint(w, `{"ok":true,"url":"ws://slack.test/no?ticket=secret-9"}`) },
		"hung":           func(http.ResponseWriter) { nap(8 * time.Second) },
		"reset":          func(http.ResponseWriter) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			in(t, func(_ *Config, p *peer) {
				p.open = func(n int, w http.ResponseWriter) bool {
					if n <= 4 {
						answer(w)
					}
					return n <= 4
				}
			}, func(w *world) {
				w.within(time.Minute, "two connections", func() bool { return w.loop.Health().Live() == 2 })
				if h := w.loop.Health(); h.Refused != uint64(len(w.opened())-2) || h.Trouble != "" {
					w.Errorf("health %+v", h)
				}
				if strings.Contains(w.log.String(), "secret-") {
					w.Error("the log holds a ticket")
				}
			})
		})
	}
}

// A pause that Slack names is kept, by both slots.
func TestRetryAfter(t *testing.T) {
	in(t, func(_ *Config, p *peer) {
		p.open = func(n int, w http.ResponseWriter) bool {
			if n == 1 {
				w.Header().Set("Retry-After", "45")
				w.WriteHeader(http.StatusTooManyRequests)
			}
			return n == 1
		}
	}, func(w *world) {
		w.within(50*time.Second, "two connections", func() bool { return w.loop.Health().Live() == 2 })
		opens := w.opened()
		if d := opens[1].Sub(opens[0]); d < 45*time.Second || len(opens) != 3 {
			w.Errorf("%d opens, the second after %v", len(opens), d)
		}
	})
}

// A hung call while Slack is about to end both connections leaves no gap.
func TestHungOpenDuringRefresh(t *testing.T) {
	in(t, func(_ *Config, p *peer) {
		p.open = func(n int, _ http.ResponseWriter) bool {
			if n == 3 {
				nap(time.Minute)
			}
			return n == 3
		}
	}, func(w *world) {
		w.up()
		w.pass(2 * time.Minute)
		for i := range 2 {
			go func() { w.side(i).disconnect("warning"); nap(10 * time.Second); w.side(i).close() }()
		}
		for range 300 {
			w.pass(100 * time.Millisecond)
			if h := w.loop.Health(); h.Live() == 0 {
				w.Fatalf("deaf: %+v", h)
			}
		}
		if h := w.loop.Health(); h.Live() != 2 || len(h.Connections) != 2 {
			w.Errorf("health %+v", h)
		}
	})
}
