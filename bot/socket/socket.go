package socket

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// The loop's times and sizes. They were chosen, not learned from Slack; tests
// run in virtual time and need no others.
const (
	openTimeout  = 5 * time.Second  // apps.connections.open: half of the time that a warning leaves
	dialTimeout  = 10 * time.Second // TCP, TLS and upgrade
	helloTimeout = 10 * time.Second
	writeTimeout = 10 * time.Second
	closeTimeout = 5 * time.Second // for the peer's half of the closing handshake
	oweTimeout   = 3 * time.Second // for handlers, before a connection is closed; Slack waits no longer for an ack

	pingEvery = 10 * time.Second
	silence   = pingEvery + 20*time.Second // a ping unanswered for 20 s, and no other frame either

	spacing    = time.Second // between two opens of this process
	backoffMin = 500 * time.Millisecond
	backoffMax = time.Minute
	settled    = time.Minute     // a connection that lived so long ends the backoff
	polite     = 5 * time.Second // a refresh after so long is no failure

	graceAsked = 20 * time.Second // Slack closes about 10 s after it asked; let it, for who closes crosses what is under way
	graceAged  = 30 * time.Second // beyond the age that Slack named: nobody asked, so Slack may close it in its own time
	minMargin  = time.Minute      // replaced so long before Slack's own limit, at least
	maxMargin  = 2 * time.Minute  // and at most
	orphanLife = time.Minute      // how long an ack waits for a connection when there is none
	maxFrame   = 1 << 20          // of what Slack sends
	wireBuffer = 32 << 10         // above MaxAck, so that an ack is never cut into several frames
	ackIsLate  = 3 * time.Second  // Slack's deadline
	roundTrip  = time.Second / 2  // to Slack and back, generously
	capPause   = 30 * time.Second // at least, after too_many_websockets
	linkPause  = 3 * time.Minute  // at least, after link_disabled
	maxRetry   = 15 * time.Minute // of a Retry-After that we believe
)

// MaxAck is the size in bytes at which Slack silently ignores an
// acknowledgement. One that would be as large is refused and logged; send an
// empty one and the large answer by response_url instead.
const MaxAck = 20 << 10

// Envelope is one delivery of Slack's.
type Envelope struct {
	ID       string    // the id to acknowledge; the same one may come twice
	Type     string    // slash_commands, interactive, events_api, or what Slack invents next
	Raw      []byte    // the whole frame
	Received time.Time // when it was read; Slack waits three seconds from about then
}

// Config says how to reach Slack and who takes the envelopes.
type Config struct {
	AppToken string                                                            // the app-level token (xapp-…) with connections:write
	APIURL   string                                                            // default https://slack.com/api/
	Client   *http.Client                                                      // for apps.connections.open; nil: one that dials with Dial. An *http.Transport's TLS settings hold for the sockets too
	Dial     func(ctx context.Context, network, addr string) (net.Conn, error) // nil: a net.Dialer, through the environment's proxy

	// Handle is called for each envelope by the goroutine that reads the
	// connection: it passes the envelope on to who keeps it durably, and does not
	// wait. answer may be called from anywhere, once; what comes after the first
	// call is ignored. Its ack is the acknowledgement's payload, nil for a bare
	// one. After an error the envelope is not acknowledged: Slack tells the
	// person, or sends the event again. The context ends only when the loop gives
	// up waiting.
	Handle func(ctx context.Context, e Envelope, answer func(ack any, err error))

	Connections int           // default 2
	InFlight    int           // envelopes being handled at once, default 4096
	Busy        string        // what a slash command is told that can't be taken; empty: it stays unacknowledged
	Drain       time.Duration // how long Run waits for handlers when it is told to stop, default 10 s
	Log         *slog.Logger  // nil: no log
}

func (cfg *Config) validate() error {
	if !strings.HasPrefix(cfg.AppToken, "xapp-") {
		return errors.New("socket: the app-level token must begin with xapp-; make one under Basic Information, App-Level Tokens, with the scope connections:write")
	}
	if cfg.Handle == nil {
		return errors.New("socket: Config.Handle is missing")
	}
	if cfg.APIURL == "" {
		cfg.APIURL = "https://slack.com/api/"
	}
	u, err := url.Parse(cfg.APIURL)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") || !strings.HasSuffix(u.Path, "/") {
		return fmt.Errorf("socket: the API's URL %q must look like https://slack.com/api/, with the slash at its end", cfg.APIURL)
	}
	if cfg.Connections == 0 {
		cfg.Connections = 2
	}
	if cfg.Connections < 1 || cfg.Connections > 3 {
		return fmt.Errorf("socket: %d connections: take 2, or at most 3, as Slack allows an app 10 and a swap may hold three for each", cfg.Connections)
	}
	if cfg.InFlight <= 0 {
		cfg.InFlight = 4096
	}
	if cfg.Drain <= 0 {
		cfg.Drain = 10 * time.Second
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Client == nil {
		cfg.Client = &http.Client{Transport: &http.Transport{
			Proxy: cfg.proxy(), DialContext: cfg.Dial, ForceAttemptHTTP2: true,
			TLSHandshakeTimeout: dialTimeout, IdleConnTimeout: time.Minute,
		}}
	}
	return nil
}

// proxy is the environment's, except for one who brought a dialer: that one
// knows the way.
func (cfg *Config) proxy() func(*http.Request) (*url.URL, error) {
	if cfg.Dial != nil {
		return nil
	}
	return http.ProxyFromEnvironment
}

// Loop keeps the connections. All its methods may be called at any time.
type Loop struct {
	cfg       Config
	gate      gate
	ownClient bool
	hurry     chan struct{} // a receiver that retires an old connection does so at once
	tasks     sync.WaitGroup

	mu      sync.Mutex
	started bool
	closing bool                // no envelope is taken any more
	idle    chan struct{}       // closed once closing and nothing is in flight
	taken   int                 // envelopes in flight
	conns   map[*conn]*standing // all that are not over
	orphans []ack               // acks that no connection could take
	stats   Counts
}

// New checks the configuration; it connects nothing.
func New(cfg Config) (*Loop, error) {
	own := cfg.Client == nil
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	return &Loop{cfg: cfg, ownClient: own, hurry: make(chan struct{}), idle: make(chan struct{}), conns: map[*conn]*standing{}}, nil
}

// Run connects and stays connected until ctx ends. Then it takes no more
// envelopes, waits for the handlers, sends their acknowledgements, closes the
// connections and returns nil, or an error that says how many envelopes it
// gave up on. It returns a *Fatal when Slack refuses the token for good. It
// can be called once.
func (l *Loop) Run(ctx context.Context) error {
	l.mu.Lock()
	again := l.started
	l.started = true
	l.mu.Unlock()
	if again {
		return errors.New("socket: Run was called before; make a new Loop")
	}
	if l.ownClient {
		defer l.cfg.Client.CloseIdleConnections()
	}
	handling, giveUp := context.WithCancel(context.WithoutCancel(ctx))
	defer giveUp()
	slots, sctx := errgroup.WithContext(ctx)
	for i := range l.cfg.Connections {
		s := &slot{loop: l, id: i, handling: handling}
		slots.Go(func() error { return s.run(sctx) })
	}
	err := slots.Wait()
	return errors.Join(err, l.drain(giveUp))
}

// drain ends the loop. The connections are read until the very end: what comes
// now still gets its short answer.
func (l *Loop) drain(giveUp func()) error {
	l.mu.Lock()
	l.closing = true
	if l.taken == 0 {
		close(l.idle)
	}
	l.mu.Unlock()
	select {
	case <-l.idle:
	case <-time.After(l.cfg.Drain):
		giveUp()
	}
	for _, c := range l.held() {
		c.leave()
	}
	l.tasks.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.taken > 0 || len(l.orphans) > 0 {
		return fmt.Errorf("socket: stopped with %d envelopes still being handled and %d acknowledgements unsent", l.taken, len(l.orphans))
	}
	return nil
}
