package socket

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// world is a loop and its Slack in a bubble of virtual time.
type world struct {
	*testing.T
	*peer
	loop *Loop
	net  *network
	log  *logged
	stop func() error // cancels the loop and returns what Run did
}

type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// bare acknowledges everything at once.
func bare(_ context.Context, _ Envelope, answer func(any, error)) { answer(nil, nil) }

// each handles an envelope in a goroutine of its own.
func each(handle func(context.Context, Envelope) (any, error)) func(context.Context, Envelope, func(any, error)) {
	return func(ctx context.Context, e Envelope, answer func(any, error)) {
		go func() { answer(handle(ctx, e)) }()
	}
}

// in runs a test in a bubble. prepare may change the configuration and the peer
// before anything connects.
func in(t *testing.T, prepare func(*Config, *peer), test func(*world)) {
	synctest.Test(t, func(t *testing.T) {
		p := &peer{host: "slack.test", life: 3600, acks: map[string][]seen{}}
		w := &world{T: t, peer: p, net: newNetwork(), log: &logged{}}
		cfg := Config{
			AppToken: "xapp-test", APIURL: "http://slack.test/api/", Dial: w.net.Dial, Handle: bare,
			Log: slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		}
		if prepare != nil {
			prepare(&cfg, p)
		}
		var err error
		if w.loop, err = New(cfg); err != nil {
			t.Fatal(err)
		}
		server := &http.Server{Handler: p}
		go func() { _ = server.Serve(w.net) }()
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- w.loop.Run(ctx) }()
		w.stop = sync.OnceValue(func() error { cancel(); return <-ended })
		defer func() {
			err := w.stop()
			if t.Failed() {
				t.Logf("Run: %v\n%s", err, w.log)
			}
			_ = server.Close()
			_ = w.net.Close()
			for _, s := range p.sides {
				_ = s.ws.Close()
				s.mu.Lock()
				if s.stuck != nil {
					close(s.stuck)
				}
				s.mu.Unlock()
			}
			time.Sleep(time.Minute) // lets stragglers of the test itself end
		}()
		test(w)
	})
}

// up waits until both connections are there.
func (w *world) up() {
	w.Helper()
	w.pass(3 * time.Second)
	if h := w.loop.Health(); h.Live() != 2 || w.alive() != 2 {
		w.Fatalf("want two live connections, have %+v", h)
	}
}

// pass lets time pass, and everything happen that is due.
func (w *world) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// nap is for the peer's own goroutines.
func nap(d time.Duration) { time.Sleep(d) }

// within waits for something to become true.
func (w *world) within(d time.Duration, what string, ok func() bool) time.Duration {
	w.Helper()
	start := time.Now()
	for !ok() {
		if time.Since(start) > d {
			w.Fatalf("not within %v: %s; health %+v", d, what, w.loop.Health())
		}
		time.Sleep(50 * time.Millisecond)
	}
	return time.Since(start)
}

// sent is an envelope on its way to the bot.
type sent struct {
	id string
	on int
	at time.Time
}

// clicks sends an envelope every 100 ms, each to any one live connection as
// Slack does, until the context ends.
func (w *world) clicks(ctx context.Context) []sent {
	var all []sent
	for i := 0; ctx.Err() == nil; i++ {
		time.Sleep(100 * time.Millisecond)
		for k := range w.count() {
			s := w.side((i + k) % w.count())
			if s.deliver(slash(slashID(i))) {
				all = append(all, sent{slashID(i), s.n, time.Now()})
				break
			}
		}
	}
	return all
}

// answered checks that every envelope was acknowledged in time, and on the
// connection that it came on.
func (w *world) answered(all []sent, within time.Duration) {
	w.Helper()
	strayed := 0
	for _, e := range all {
		a := w.acked(e.id)
		if len(a) == 0 {
			w.Errorf("%s, sent on %d at %v, was lost", e.id, e.on, e.at)
			continue
		}
		if d := a[0].at.Sub(e.at); d > within {
			w.Errorf("%s was acknowledged after %v", e.id, d)
		}
		if !slices.ContainsFunc(a, func(a seen) bool { return a.on == e.on }) {
			strayed++
			side := w.side(e.on)
			w.Logf("%s sent on %d at %v, acks %+v; born %v ended %v %v", e.id, e.on, e.at, a, side.born, side.ended, side.end)
		}
	}
	if strayed > 0 {
		w.Errorf("%d of %d were acknowledged on another connection", strayed, len(all))
	}
	w.Logf("%d envelopes over %d connections", len(all), w.count())
}
