// Package slack is a simulated Slack: Web API, Socket Mode and the people who
// use both. It speaks HTTP and WebSocket only, is strict where the real one is,
// and lies in the ways in which the real one was seen to lie (see Dials and
// Fault). Everything that came in or went out is in its History.
//
// A World is a library first: make it with New, fill it with AddTeam, AddUser,
// AddChannel and AddApp, act as people through Person, and serve Handler on any
// listener. The same is reachable over HTTP below /manage/.
//
// Two clocks: Config.Now stamps messages; limits and deadlines (acks, triggers,
// response URLs, rate limits) run on the time package, so that a bubble of
// virtual time fakes them and a demo's faster time leaves them alone.
package slack

import (
	"context"
	"encoding/base32"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// Config is how a World begins.
type Config struct {
	Seed    uint64           // seeds ids, tokens and the choice of connections
	Now     func() time.Time // stamps messages; time.Now if nil
	BaseURL string           // such as "http://slack.test"; if empty, the Host header of each request decides
	Dials   *Dials           // Defaults() if nil
}

// World is one simulated Slack with any number of teams and apps.
type World struct {
	cfg    Config
	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	wg     sync.WaitGroup // every goroutine of ours, and every socket's handler
	mux    *http.ServeMux

	mu         sync.Mutex // guards all below; never held during a socket write
	closed     bool
	base       string // BaseURL, or learned from the first request
	rng        *rand.Rand
	dials      *Dials // never changed, only replaced
	faults     []*Fault
	teams      map[string]*Team
	users      map[string]*User
	mails      map[string][]*User // users by e-mail; nil after a change
	channels   map[string]*channel
	usergroups map[string]*Usergroup
	files      map[string]*file
	uploads    map[string]*file // by their URL's path
	apps       []*app           // in order of installation
	views      map[string]*view
	stacks     map[string][]*view // open modals of a user, the top one last
	urls       map[string]*responseURL
	triggers   map[string]*trigger
	buckets    map[string]*bucket
	sent       map[string]*delivery // by envelope id
	forgotten  int                  // entries before the first of history
	history    []*Entry
	lastTS     int64 // microseconds, so that no two messages share one
	lastConn   int
	changed    chan struct{} // closed at the next change; nil if nobody waits for it
}

// New makes an empty World. Close it, or its goroutines live on.
func New(cfg Config) *World {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	w := &World{
		cfg: cfg, base: cfg.BaseURL,
		rng:   rand.New(rand.NewPCG(cfg.Seed, 0x51ac)),
		teams: map[string]*Team{}, users: map[string]*User{}, channels: map[string]*channel{},
		usergroups: map[string]*Usergroup{}, files: map[string]*file{}, uploads: map[string]*file{},
		views: map[string]*view{}, stacks: map[string][]*view{},
		urls: map[string]*responseURL{}, triggers: map[string]*trigger{}, buckets: map[string]*bucket{},
		sent: map[string]*delivery{},
	}
	d := Defaults()
	if cfg.Dials != nil {
		d = cfg.Dials.copy()
	}
	w.dials = &d
	w.ctx, w.cancel = context.WithCancel(context.Background())
	w.mux = http.NewServeMux()
	w.mux.HandleFunc("/api/{method}", w.serveAPI)
	w.mux.HandleFunc("/link/", w.serveLink)
	w.mux.HandleFunc("/commands/{team}/{id}/{secret}", w.serveResponseURL)
	w.mux.HandleFunc("/actions/{team}/{id}/{secret}", w.serveResponseURL)
	w.mux.HandleFunc("/app/{team}/{id}/{secret}", w.serveResponseURL)
	w.mux.HandleFunc("/upload/v1/{secret}", w.serveUpload)
	w.mux.HandleFunc("GET /files-pri/{id}/{name}", w.serveFile)
	w.manage()
	return w
}

// Handler serves /api/, /link/, the response URLs, files and /manage/.
func (w *World) Handler() http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		if w.base == "" {
			w.base = "http://" + r.Host
		}
		w.mu.Unlock()
		w.mux.ServeHTTP(rw, r)
	})
}

// Close drops every socket, lets every waiting call go, and returns when all
// goroutines have ended.
func (w *World) Close() {
	w.mu.Lock()
	w.closed = true
	w.cancel()
	for _, a := range w.apps {
		for _, c := range a.conns {
			c.drop()
		}
	}
	w.touch()
	w.mu.Unlock()
	w.wg.Wait()
}

// spawn starts a goroutine that Close waits for; it reports false after Close.
// The caller holds the lock.
func (w *World) spawn(f func()) bool {
	if w.closed {
		return false
	}
	w.wg.Go(f)
	return true
}

// touch wakes everybody who waits for a change. The caller holds the lock.
func (w *World) touch() {
	if w.changed != nil {
		close(w.changed)
		w.changed = nil
	}
}

// pause waits on the time package's clock and reports whether it may go on.
func (w *World) pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil && w.ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
	case <-w.ctx.Done():
	}
	return false
}

var ids = base32.NewEncoding("ABCDEFGHJKLMNPQRSTUVWXYZ23456789").WithPadding(base32.NoPadding)

// id makes an id like "U7F3K…". The caller holds the lock, as for all below.
func (w *World) id(prefix string) string { return prefix + w.secret(6) }

func (w *World) secret(bytes int) string {
	b := make([]byte, bytes)
	for i := range b {
		b[i] = byte(w.rng.Uint32())
	}
	return ids.EncodeToString(b)
}

func (w *World) uuid() string {
	b := make([]byte, 16)
	for i := range b {
		b[i] = byte(w.rng.Uint32())
	}
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// stamp makes a message's ts: the world's time, never twice.
func (w *World) stamp() string {
	at := max(w.cfg.Now().UnixMicro(), w.lastTS+1)
	w.lastTS = at
	return fmt.Sprintf("%d.%06d", at/1e6, at%1e6)
}
