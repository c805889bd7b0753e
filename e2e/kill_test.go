package e2e

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"pagbot/engine"
	"pagbot/internal/app"
	"pagbot/internal/demo"
	"pagbot/sim/devops"
	"pagbot/sim/slack"
)

// serveEnv makes this test binary the bot: configuration, and the world's clock.
const (
	serveEnv = "PAGBOT_E2E_SERVE"
	killsEnv = "PAGBOT_E2E_KILLS"
	seedEnv  = "PAGBOT_E2E_SEED"
	fast     = 120 // times as fast the worlds run
)

// TestBotProcess is the bot as a process of its own, started by TestKilled. By
// itself it is nothing.
func TestBotProcess(t *testing.T) {
	spec := strings.Split(os.Getenv(serveEnv), "|")
	if len(spec) != 3 {
		return
	}
	began, err := time.Parse(time.RFC3339Nano, spec[1])
	if err != nil {
		t.Fatal(err)
	}
	epoch, err := time.Parse(time.RFC3339Nano, spec[2])
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	go func() { // whoever started us is gone: so are we
		_, _ = os.Stdin.Read(make([]byte, 1))
		os.Exit(1)
	}()
	cfg, err := app.Load(spec[0])
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	bot, err := app.Open(ctx, cfg, app.Options{Clock: engine.SharedClock(began, epoch, fast), Log: log})
	if err != nil {
		t.Fatal(err)
	}
	defer bot.Close()
	if err := bot.Check(ctx); err != nil {
		t.Fatal(err)
	}
	if err := bot.Run(ctx); err != nil && ctx.Err() == nil {
		t.Fatal(err)
	}
}

// site is the company on real sockets, with the bot as a process beside it.
type site struct {
	*town
	clock  engine.Clock
	config string
	http   *http.Client // the people's browsers
	log    *os.File

	mu    sync.Mutex
	child *exec.Cmd
	stdin *os.File
}

func newSite(t *testing.T) *site {
	place, listeners, ca, err := demo.Loopback()
	if err != nil {
		t.Fatal(err)
	}
	s := &site{town: &town{t: t, dir: t.TempDir()}, clock: engine.ScaledClock(time.Now(), fast)}
	if s.Worlds, err = demo.Found(place, demo.Clocks{World: s.clock.Now}); err != nil {
		t.Fatal(err)
	}
	o := s.DevOps.Org("contoso")
	o.Grant, o.Revoke = devops.Delay{Min: time.Minute, Max: 4 * time.Minute}, devops.Delay{Min: 2 * time.Minute, Max: 5 * time.Minute}
	// Who stands in the organization anyway would never be seen to lose it.
	if err := s.Entra.RemoveTie(s.Groups[demo.Standing].ID, "member", s.Account(demo.Approver)); err != nil {
		t.Fatal(err)
	}
	pages := listeners[place.Pages].Addr().String()
	_ = listeners[place.Pages].Close() // the bot's
	s.serves(listeners)
	path := filepath.Join(s.dir, "ca.pem")
	if err := os.WriteFile(path, ca, 0o600); err != nil {
		t.Fatal(err)
	}
	if s.config, err = s.Configure(s.dir, pages, path, false); err != nil {
		t.Fatal(err)
	}
	if s.cfg, err = app.Load(s.config); err != nil {
		t.Fatal(err)
	}
	if s.log, err = os.Create(filepath.Join(s.dir, "bot.log")); err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	s.http = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}}
	t.Cleanup(func() { s.kill(); s.Worlds.Close(); s.http.CloseIdleConnections(); _ = s.log.Close() })
	return s
}

func (s *site) serves(listeners map[string]net.Listener) {
	for url, h := range s.Handlers() {
		server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
		go func() { _ = server.Serve(listeners[url]) }()
		s.t.Cleanup(func() { _ = server.Close() })
	}
}

// starts starts the bot and waits until it is connected.
func (s *site) starts() {
	s.mu.Lock()
	defer s.mu.Unlock()
	self, err := os.Executable()
	if err != nil {
		s.t.Fatal(err)
	}
	began, epoch, _ := s.clock.Origin()
	s.child = exec.Command(self, "-test.run=^TestBotProcess$", "-test.timeout=0")
	s.child.Env = append(os.Environ(), fmt.Sprintf("%s=%s|%s|%s", serveEnv, s.config, began.Format(time.RFC3339Nano), epoch.Format(time.RFC3339Nano)))
	s.child.Stdout, s.child.Stderr = s.log, s.log
	in, out, err := os.Pipe()
	if err != nil {
		s.t.Fatal(err)
	}
	s.child.Stdin, s.stdin = in, out
	if err := s.child.Start(); err != nil {
		s.t.Fatal(err)
	}
	_ = in.Close()
}

// kill is kill -9, by pid.
func (s *site) kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.child == nil {
		return
	}
	_ = s.child.Process.Kill()
	_ = s.child.Wait()
	_ = s.stdin.Close()
	s.child = nil
}

// ends stops the bot as SIGTERM does.
func (s *site) ends() {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.child.Process.Signal(syscall.SIGTERM)
	if err := s.child.Wait(); err != nil {
		s.t.Errorf("the bot, asked to stop: %v", err)
	}
	_ = s.stdin.Close()
	s.child = nil
}

// serving waits until the bot answers its control socket.
func (s *site) serving(ctx context.Context) bool {
	return until(ctx, 20*time.Second, func() bool { _, err := s.open(ctx); return err == nil })
}

// open counts the bot's open activations.
func (s *site) open(ctx context.Context) (int, error) {
	body, err := app.Ask(ctx, s.cfg.StateDir(), "/status")
	var status struct{ Open []any }
	if err == nil {
		err = json.Unmarshal(body, &status)
	}
	return len(status.Open), err
}

// until asks again and again whether something holds, on real time.
func until(ctx context.Context, within time.Duration, holds func() bool) bool {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	tick := time.NewTicker(40 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return false
		}
	}
	return true
}

// TestKilled kills the bot with -9 at random moments under clicks. What Slack
// acknowledged is done or answered; every deed stands once in Entra's history;
// every journal folds to what is stored; nothing is left over.
func TestKilled(t *testing.T) {
	kills, seed := 5, uint64(time.Now().UnixNano())
	if n, err := strconv.Atoi(os.Getenv(killsEnv)); err == nil {
		kills = n
	}
	if n, err := strconv.ParseUint(os.Getenv(seedEnv), 10, 64); err == nil {
		seed = n
	}
	t.Logf("seed %d", seed)
	began := time.Now()
	s := newSite(t)
	s.starts()
	if !s.serving(t.Context()) {
		t.Fatalf("the bot does not start:\n%s", s.tail())
	}
	c := newCrowd(s)
	c.signIn()
	working, stop := context.WithCancel(t.Context())
	var people sync.WaitGroup
	people.Go(func() { c.works(working, demo.Requester, demo.DevOpsAdmins) })
	people.Go(func() { c.works(working, demo.Requester, demo.Vault) })
	people.Go(func() { c.works(working, demo.Approver, demo.Releasers) })
	people.Go(func() { c.works(working, demo.Second, demo.Releasers) })
	r := rand.New(rand.NewPCG(seed, 1))
	for range kills {
		if !s.serving(t.Context()) {
			t.Fatalf("the bot does not come back:\n%s", s.tail())
		}
		<-time.After(time.Duration(50+r.IntN(900)) * time.Millisecond)
		s.kill()
		<-time.After(time.Duration(r.IntN(200)) * time.Millisecond)
		s.starts()
	}
	stop()
	people.Wait()
	closed := func() bool { n, err := s.open(t.Context()); return err == nil && n == 0 }
	if !until(t.Context(), 30*time.Second, closed) {
		c.cleans()
	}
	if !until(t.Context(), 2*time.Minute, closed) {
		body, _ := app.Ask(t.Context(), s.cfg.StateDir(), "/status")
		t.Errorf("not everything closes: %s\n%s", body, s.tail())
	}
	s.quiet()
	s.ends()
	c.settled()
	t.Logf("%d kills, %d deeds, %d intentions, %d clicks and commands that had to be repeated, %.0f s", kills, len(s.Entra.Writes()), c.n, c.repeats, time.Since(began).Seconds())
}

// quiet waits until Slack has heard nothing for a while: what remained to be
// said, one message a second, is said, and what is over was dropped when its turn
// came.
func (s *site) quiet() {
	said, since := 0, time.Now()
	until(s.t.Context(), 2*time.Minute, func() bool {
		if n := len(s.Slack.History(slack.Query{Kind: "call"})); n != said {
			said, since = n, time.Now()
		}
		return time.Since(since) > 20*time.Minute/fast
	})
}

func (s *site) tail() string {
	b, _ := os.ReadFile(s.log.Name())
	return string(b[max(0, len(b)-4000):])
}
