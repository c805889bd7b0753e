package socket

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestEnvelopeAndAnswers(t *testing.T) {
	var got sync.Map
	answers := map[string]any{
		"bare": nil, "text": map[string]string{"text": "Request sent"},
		"raw": json.RawMessage(`{"response_action":"clear"}`),
	}
	in(t, func(c *Config, _ *peer) {
		c.Handle = each(func(_ context.Context, e Envelope) (any, error) {
			got.Store(e.ID, e)
			return answers[e.ID], nil
		})
	}, func(w *world) {
		w.up()
		event := `{"envelope_id":"bare","type":"events_api","retry_attempt":2,"retry_reason":"timeout","accepts_response_payload":false,"payload":{"a": 1}}`
		w.side(0).say(event)
		w.side(1).say(slash("text"))
		w.side(1).say(slash("raw"))
		synctest.Wait()
		e, _ := got.Load("bare")
		want := Envelope{ID: "bare", Type: "events_api", Raw: []byte(event), Received: time.Now()}
		if fmt.Sprint(e) != fmt.Sprint(want) {
			w.Errorf("got %v, want %v", e, want)
		}
		for id, payload := range map[string]string{"bare": "", "text": `{"text":"Request sent"}`, "raw": `{"response_action":"clear"}`} {
			if a := w.acked(id); len(a) != 1 || string(a[0].payload) != payload {
				w.Errorf("%s: acks %+v, want one with %q", id, a, payload)
			}
		}
	})
}

// A copy is handed over and acknowledged like the first: which of them was
// kept only the store knows.
func TestSameEnvelopeTwice(t *testing.T) {
	var calls atomic.Int64
	in(t, func(c *Config, _ *peer) {
		c.Handle = each(func(context.Context, Envelope) (any, error) { calls.Add(1); return nil, nil })
	}, func(w *world) {
		w.up()
		w.side(0).say(slash("twice"))
		w.side(1).say(slash("twice"))
		synctest.Wait()
		a := w.acked("twice")
		if calls.Load() != 2 || len(a) != 2 || a[0].on == a[1].on {
			w.Errorf("%d calls, acks %+v; want each copy acknowledged where it came", calls.Load(), a)
		}
	})
}

// A slow handler delays its own ack, nobody else's, and keeps nothing alive
// from being heard.
func TestSlowHandlerBlocksNobody(t *testing.T) {
	in(t, func(c *Config, _ *peer) {
		c.Handle = each(func(_ context.Context, e Envelope) (any, error) {
			if e.ID == "slow" {
				time.Sleep(50 * time.Second)
			}
			return nil, nil
		})
	}, func(w *world) {
		w.up()
		w.side(0).say(slash("slow"))
		w.side(0).say(slash("fast"))
		synctest.Wait()
		if len(w.acked("fast")) != 1 || w.loop.Health().Unacked != 1 {
			w.Errorf("acks %+v, health %+v", w.acked("fast"), w.loop.Health())
		}
		time.Sleep(time.Minute)
		if a := w.acked("slow"); len(a) != 1 || a[0].on != 0 || w.count() != 2 {
			w.Errorf("acks %+v over %d connections", a, w.count())
		}
		if h := w.loop.Health(); h.Late != 1 || h.Unacked != 0 {
			w.Errorf("health %+v", h)
		}
	})
}

func TestFailedHandlerIsNotAcknowledged(t *testing.T) {
	in(t, func(c *Config, _ *peer) {
		c.Handle = func(_ context.Context, e Envelope, answer func(any, error)) {
			var ack any
			var err error
			switch e.ID {
			case "error":
				err = errors.New("the disk is full")
			case "panic":
				panic("at the disk")
			case "strange":
				ack = func() {}
			case "large":
				ack = strings.Repeat("x", MaxAck-len(`{"envelope_id":"large","payload":""}`))
			case "largest":
				ack = strings.Repeat("x", MaxAck-1-len(`{"envelope_id":"largest","payload":""}`))
			}
			answer(ack, err)
			answer(nil, nil) // one answer too many
		}
	}, func(w *world) {
		w.up()
		bad := []string{"error", "panic", "strange", "large"}
		for _, id := range bad {
			w.side(0).say(slash(id))
		}
		w.side(0).say("no JSON at all")
		w.side(0).say(`{"type":"a kind of next year"}`)
		w.side(0).say(slash("largest"))
		w.side(0).say(slash("fine"))
		synctest.Wait()
		for _, id := range bad {
			if a := w.acked(id); len(a) != 0 {
				w.Errorf("%s was acknowledged %d times", id, len(a))
			}
		}
		if len(w.acked("fine")) != 1 || len(w.acked("largest")) != 1 {
			w.Error("the good ones were not acknowledged")
		}
		if h := w.loop.Health(); h.Failed != 4 || h.Unreadable != 1 || h.Live() != 2 {
			w.Errorf("health %+v", h)
		}
		if !strings.Contains(w.log.String(), "acknowledge empty and answer by response_url") {
			w.Error("the log doesn't say what to do about the large one")
		}
	})
}

// Too many at once: a slash command gets its short answer, a click none.
func TestBudgetUsedUp(t *testing.T) {
	release := make(chan struct{})
	in(t, func(c *Config, _ *peer) {
		release = make(chan struct{})
		c.InFlight, c.Busy = 2, "Busy, try again in a moment."
		c.Handle = each(func(context.Context, Envelope) (any, error) { <-release; return nil, nil })
	}, func(w *world) {
		w.up()
		for _, e := range []string{slash("a"), click("b"), slash("c"), click("d")} {
			w.side(0).say(e)
		}
		synctest.Wait()
		if a := w.acked("c"); len(a) != 1 || !strings.Contains(string(a[0].payload), "Busy") {
			w.Errorf("acks %+v, want the short answer", a)
		}
		close(release)
		synctest.Wait()
		if len(w.acked("a")) != 1 || len(w.acked("b")) != 1 || len(w.acked("d")) != 0 || w.loop.Health().Busy != 2 {
			w.Errorf("health %+v", w.loop.Health())
		}
		w.side(0).say(click("e"))
		synctest.Wait()
		if len(w.acked("e")) != 1 {
			w.Error("the budget was not given back")
		}
	})
}

// When the connection is gone before its ack, another takes it; when there is
// none, the next one does.
func TestAckOfDeadConnection(t *testing.T) {
	slow := func(_ context.Context, _ Envelope) (any, error) { time.Sleep(time.Second); return nil, nil }
	in(t, func(c *Config, _ *peer) { c.Handle = each(slow) }, func(w *world) {
		w.up()
		w.side(0).say(slash("one"))
		synctest.Wait()
		_ = w.side(0).ws.Close() // no farewell
		time.Sleep(1500 * time.Millisecond)
		if a := w.acked("one"); len(a) != 1 || a[0].on == 0 || w.loop.Health().Strayed != 1 {
			w.Errorf("acks %+v, health %+v", a, w.loop.Health())
		}
		time.Sleep(2 * time.Minute)
		w.net.down.Store(true)
		w.side(1).say(slash("two"))
		synctest.Wait()
		for i := range w.count() {
			_ = w.side(i).ws.Close()
		}
		time.Sleep(5 * time.Second)
		if h := w.loop.Health(); h.Waiting != 1 || h.Live() != 0 {
			w.Errorf("health %+v", h)
		}
		w.net.down.Store(false)
		w.within(20*time.Second, "the ack", func() bool { return len(w.acked("two")) == 1 })
	})
}

// A write that fails replaces the connection, and its acks go elsewhere.
func TestWriteFails(t *testing.T) {
	var broken atomic.Bool
	in(t, func(c *Config, _ *peer) {
		dial := c.Dial
		c.Dial = func(ctx context.Context, n, a string) (net.Conn, error) {
			conn, err := dial(ctx, n, a)
			return &faulty{conn, &broken}, err
		}
	}, func(w *world) {
		w.up()
		time.Sleep(2 * time.Minute)
		broken.Store(true)
		w.side(0).say(slash("one"))
		w.within(3*time.Second, "the ack elsewhere", func() bool {
			a := w.acked("one")
			return len(a) > 0 && a[0].on != 0
		})
		time.Sleep(30 * time.Second)
		if h := w.loop.Health(); h.Live() != 2 || len(h.Connections) != 2 {
			w.Errorf("health %+v", h)
		}
	})
}

// faulty fails one write.
type faulty struct {
	net.Conn
	broken *atomic.Bool
}

func (f *faulty) Write(b []byte) (int, error) {
	if f.broken.CompareAndSwap(true, false) {
		return 0, errors.New("no route to host")
	}
	return f.Conn.Write(b)
}
