// Package e2e runs the real bot, wired as in production, in a company that does
// not exist, over real HTTP, TLS and WebSocket in one bubble of virtual time.
package e2e

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pagbot/internal/app"
	"pagbot/internal/demo"
	"pagbot/sim/browser"
	"pagbot/sim/pipe"
	"pagbot/sim/slack"
	"pagbot/sim/slack/official"
)

// town is the company with the bot in it.
type town struct {
	*demo.Worlds
	t        testing.TB
	net      pipe.Net
	cert     tls.Certificate
	trust    *tls.Config
	dir      string
	cfg      *app.Config
	bot      *app.App
	stop     func() // ends the bot as SIGTERM would
	place    demo.Place
	tlsHosts []string                                                          // that serve TLS, besides those of every town
	dial     func(ctx context.Context, network, addr string) (net.Conn, error) // the bot's; nil: straight into the network
	more     *systems                                                          // further targets, where a story has them
	used     map[string]bool                                                   // links that were confirmed
}

// setup are the choices of a town.
type setup struct {
	watch bool
	found func(*demo.Worlds)                    // changes the company before the bot starts
	yaml  func(w *demo.Worlds, s string) string // changes the configuration
	files map[string]string                     // beside the configuration
	also  func() map[string]http.Handler        // further hosts
}

// inTown runs a test in a bubble with the company and the bot.
func inTown(t *testing.T, s setup, f func(*town)) {
	t.Helper()
	t.Parallel() // most of a life is waiting for the disk
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		w := &town{t: t, dir: dir}
		defer w.open(s)()
		defer w.judge()
		w.start()
		defer func() { w.stop() }()
		f(w)
	})
}

// judge has Slack's own types judge all that was said and sent.
func (w *town) judge() {
	w.t.Helper()
	for _, err := range append(official.Said(w.Slack), official.Sent(w.Slack)...) {
		w.t.Error(err)
	}
}

// open founds the company and serves it; the returned function closes it.
func (w *town) open(s setup) (closeAll func()) {
	w.used = map[string]bool{}
	if w.place == (demo.Place{}) {
		w.place = demo.Place{Slack: "http://slack.test", Graph: "http://graph.test", Authority: "https://login.test", DevOps: "http://devops.test", Pages: "https://pag.test"}
	}
	var err error
	if w.Worlds, err = demo.Found(w.place, demo.Clocks{}); err != nil {
		w.t.Fatal(err)
	}
	if s.found != nil {
		s.found(w.Worlds)
	}
	var pem []byte
	if w.cert, pem, err = demo.Certificate(append(w.tlsHosts, "login.test", "pag.test")...); err != nil {
		w.t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	w.trust = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	var stops []func()
	for url, h := range w.Handlers() {
		scheme, host, _ := strings.Cut(url, "://")
		var l net.Listener = w.net.Listen(host)
		if scheme == "https" {
			l = w.tls(l)
		}
		stops = append(stops, pipe.Serve(l, h))
	}
	if s.also != nil {
		for host, h := range s.also() {
			stops = append(stops, pipe.Serve(w.net.Listen(host), h))
		}
	}
	if err := s.writes(w.dir); err != nil {
		w.t.Fatal(err)
	}
	path, err := w.Configure(w.dir, "pag.test:443", "", s.watch)
	if err != nil {
		w.t.Fatal(err)
	}
	if s.yaml != nil {
		w.configure(path, s.yaml)
	}
	if w.cfg, err = app.Load(path); err != nil {
		w.t.Fatal(err)
	}
	return func() {
		w.Worlds.Close()
		for _, stop := range stops {
			stop()
		}
	}
}

// configure rewrites the configuration file.
func (w *town) configure(path string, change func(*demo.Worlds, string) string) {
	b, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, []byte(change(w.Worlds, string(b))), 0o600)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *town) tls(l net.Listener) net.Listener {
	return tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{w.cert}})
}

func (w *town) transport() *http.Transport {
	t := w.net.Transport()
	t.TLSClientConfig = w.trust.Clone()
	return t
}

// start runs the bot until stop is called.
func (w *town) start() {
	w.t.Helper()
	w.begin()
	synctest.Wait()
}

// begin is start outside of a bubble.
func (w *town) begin() {
	w.t.Helper()
	tr := w.transport()
	if w.dial != nil {
		tr.DialContext = w.dial
	}
	var err error
	w.bot, err = app.Open(w.t.Context(), w.cfg, app.Options{Transport: tr, Log: slog.New(slog.NewTextHandler(w.t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})),
		Listen: w.listen})
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.bot.Start(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	bot := w.bot
	go func() { done <- bot.Run(ctx) }()
	w.stop = func() {
		cancel()
		if err := <-done; err != nil && ctx.Err() == nil {
			w.t.Errorf("the bot stopped: %v", err)
		}
		bot.Close()
		tr.CloseIdleConnections()
		w.stop = func() {}
	}
}

// listen puts the bot's listeners on the network in memory: its pages behind
// TLS, as a proxy would, its control socket plainly.
func (w *town) listen(network, addr string) (net.Listener, error) {
	if network == "unix" {
		return w.net.Listen("control"), nil
	}
	return w.tls(w.net.Listen(addr)), nil
}

// sees waits until a person sees a message that holds all of the words in a
// channel, and returns it. It fails after the given time of the world.
func (w *town) sees(name, channel string, within time.Duration, words ...string) slack.Message {
	w.t.Helper()
	person := w.Person(name)
	ctx, cancel := context.WithTimeout(w.t.Context(), within)
	defer cancel()
	var found slack.Message
	err := w.Slack.Wait(ctx, func(s slack.Snapshot) bool {
		for _, m := range s.Messages(person.ID, channel) {
			if holds(person.Text(m), words) {
				found = m
				return true
			}
		}
		return false
	})
	if err != nil {
		w.t.Fatalf("after %s %s does not see %q; there is:\n%s", within, name, words, w.read(name, channel))
	}
	return found
}

func holds(text string, words []string) bool {
	for _, w := range words {
		if !strings.Contains(text, w) {
			return false
		}
	}
	return true
}

// read is all that a person sees in a channel.
func (w *town) read(name, channel string) string {
	var b strings.Builder
	for _, m := range w.Person(name).Messages(channel) {
		b.WriteString(w.Person(name).Text(m) + "\n---\n")
	}
	return b.String()
}

// types runs a command in the card channel.
func (w *town) types(name, text string) {
	w.t.Helper()
	if r, err := w.Person(name).Command(w.t.Context(), w.Channel.ID, text); err != nil || r.Error != "" {
		w.t.Fatalf("%s types %s: %v %s", name, text, err, r.Error)
	}
}

// presses clicks a button of a message and returns what comes of it.
func (w *town) presses(name string, m slack.Message, action string) slack.Reply {
	w.t.Helper()
	r, err := w.Person(name).Click(w.t.Context(), m.Channel, m.TS, action)
	if err != nil || r.Error != "" {
		w.t.Fatalf("%s presses %s: %v %s", name, action, err, r.Error)
	}
	return r
}

// confirms goes through the browser as a person does: the link, the sign-in,
// the confirmation. It returns what the last page says.
func (w *town) confirms(name string, b *browser.Browser, link string) string {
	w.t.Helper()
	w.used[link] = true
	text, err := demo.Confirm(b, link, "adm-"+name+"@contoso.example")
	if err != nil {
		w.t.Fatalf("%s in the browser: %v", name, err)
	}
	return text
}

func (w *town) browser() *browser.Browser { return browser.New(&http.Client{Transport: w.transport()}) }

// fills confirms the form that opens in front of a person, which must show the
// words, with a reason of their own ("": the form has none).
func (w *town) fills(name, reason string, words ...string) {
	w.t.Helper()
	person := w.Person(name)
	ctx, cancel := context.WithTimeout(w.t.Context(), 10*time.Second)
	defer cancel()
	var view slack.View
	if err := w.Slack.Wait(ctx, func(s slack.Snapshot) bool {
		for _, v := range s.Views(person.ID) {
			view = v
		}
		return view.ID != ""
	}); err != nil {
		w.t.Fatalf("no form opens for %s; in the channel:\n%s", name, w.read(name, w.Channel.ID))
	}
	if text := person.ViewText(view); !holds(text, words) {
		w.t.Fatalf("the form does not show %q:\n%s", words, text)
	}
	values := map[string]any{}
	if reason != "" {
		values["reason"] = reason
	}
	r, err := person.Submit(w.t.Context(), view.ID, values)
	if err != nil || r.Error != "" || len(r.Errors) > 0 {
		w.t.Fatalf("%s confirms the form: %v %s %v", name, err, r.Error, r.Errors)
	}
}
