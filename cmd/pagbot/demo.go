package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"pagbot/engine"
	"pagbot/internal/app"
	"pagbot/internal/demo"
)

// demoFlags are the ways to look at pagbot without Slack or Entra.
type demoFlags struct {
	script                  string
	worldsOnly, json, watch bool
	speed                   float64
}

func demoCommand() *cobra.Command {
	var f demoFlags
	c := &cobra.Command{Use: "demo", Short: "Try the bot in a simulated company, on this machine only", Args: cobra.NoArgs}
	c.Flags().StringVar(&f.script, "script", "", "play a story ("+strings.Join(demo.Scripts(), ", ")+") and print what each person sees")
	c.Flags().Lookup("script").NoOptDefVal = "story"
	c.Flags().BoolVar(&f.worldsOnly, "worlds-only", false, "serve the simulated Slack, Entra and targets, without the bot")
	c.Flags().BoolVar(&f.json, "json", false, "with --worlds-only: print addresses and tokens as one JSON object")
	c.Flags().BoolVar(&f.watch, "watch", false, "configure the bot to watch only, without sign-in")
	c.Flags().Float64Var(&f.speed, "speed", 0, "how many times faster the world's time runs (default: the script's own, else 1)")
	c.RunE = func(c *cobra.Command, _ []string) error { return runDemo(c.Context(), c.OutOrStdout(), f) }
	return c
}

// company is the simulated company, being served.
type company struct {
	*demo.Worlds
	clock  engine.Clock
	epoch  time.Time
	dir    string
	config string // path of the bot's configuration
	caPath string
	ca     []byte
	others *demo.Others // only when the worlds alone are served
}

func runDemo(ctx context.Context, out io.Writer, f demoFlags) error {
	if f.script != "" && !slices.Contains(demo.Scripts(), f.script) {
		return fmt.Errorf("there is no script %q: choose one of %s", f.script, strings.Join(demo.Scripts(), ", "))
	}
	switch {
	case f.speed < 0:
		return errors.New("--speed: time runs forward only: leave it out, or name a number such as 60")
	case f.json && !f.worldsOnly, f.script != "" && f.worldsOnly:
		return errors.New("--json goes with --worlds-only, and --script without it")
	}
	if f.speed == 0 {
		f.speed = 1
		if f.script != "" {
			f.speed = demo.Speed(f.script)
		}
	}
	dir, err := os.MkdirTemp("", "pagbot-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	c, stop, err := open(dir, f)
	if err != nil {
		return err
	}
	defer stop()
	switch {
	case f.worldsOnly:
		return c.show(ctx, out, f.json)
	case f.script != "":
		return c.play(ctx, out, f.script)
	}
	b := &process{company: c}
	if err := b.Start(ctx); err != nil {
		return err
	}
	defer b.Kill()
	return c.show(ctx, out, false)
}

// open founds and serves the company on loopback.
func open(dir string, f demoFlags) (*company, func(), error) {
	place, listeners, ca, err := demo.Loopback()
	if err != nil {
		return nil, nil, err
	}
	// The pages' port is the bot's: it is only kept free until then.
	pages := listeners[place.Pages]
	_ = pages.Close()
	c := &company{dir: dir, ca: ca, epoch: time.Now().UTC(), caPath: filepath.Join(dir, "ca.pem")}
	if f.script != "" {
		// The story begins on a Tuesday morning.
		c.epoch = time.Date(2026, 12, 1, 8, 55, 0, 0, time.UTC)
	}
	c.clock = engine.ScaledClock(c.epoch, f.speed)
	if c.Worlds, err = demo.Found(place, demo.Clocks{World: c.clock.Now}); err != nil {
		return nil, nil, err
	}
	if err := os.WriteFile(c.caPath, ca, 0o600); err != nil {
		return nil, nil, err
	}
	if c.config, err = c.Configure(dir, pages.Addr().String(), c.caPath, f.watch); err != nil {
		return nil, nil, err
	}
	if f.worldsOnly {
		if c.others, err = c.ServeOthers(demo.Clocks{World: c.clock.Now}); err != nil {
			return nil, nil, err
		}
	}
	var servers []*http.Server
	for url, h := range c.Handlers() {
		s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
		servers = append(servers, s)
		go func(l net.Listener) { _ = s.Serve(l) }(listeners[url])
	}
	return c, func() {
		c.Worlds.Close()
		if c.others != nil {
			c.others.Close()
		}
		for _, s := range servers {
			_ = s.Close()
		}
	}, nil
}

// show prints where everything is, and serves until the context ends.
func (c *company) show(ctx context.Context, out io.Writer, asJSON bool) error {
	info := map[string]any{
		"urls":   c.Place,
		"manage": map[string]string{"slack": c.Place.Slack + "/manage/", "entra": c.Place.Graph + "/manage/", "devops": c.Place.DevOps + "/manage/"},
		"slack":  map[string]any{"api": c.Place.Slack + "/api/", "app_token": c.App.AppToken, "bot_token": c.App.BotToken, "team": c.Team.ID, "channel": c.Channel.ID},
		"entra": map[string]any{"tenant": c.Entra.Tenant(), "ca": c.caPath, "reader": map[string]string{"client_id": c.Reader.ID, "client_secret": c.Reader.Secret},
			"signin": map[string]string{"client_id": c.SignIn.ID, "client_secret": c.SignIn.Secret}},
		"people": c.People, "groups": c.Groups, "config": c.config,
		"world": worldFlag(c.clock),
	}
	if c.others != nil {
		info["targets"], info["client"] = c.others.Systems, map[string]string{"client_id": c.others.Client.ID}
	}
	if asJSON {
		if err := json.NewEncoder(out).Encode(info); err != nil {
			return err
		}
	} else {
		next := "The bot is running in it. Ask it with:\n  pagbot status --config " + c.config
		if c.others != nil {
			next = "Run the bot with:\n  pagbot serve --config " + c.config + " --world " + worldFlag(c.clock)
		}
		fmt.Fprintf(out, "Workspace      %s/  (open it in a browser)\nSlack          %s/api/  (people act below /manage/)\nGraph          %s\nAuthority      %s  (trust %s)\nAzure DevOps   %s\nConfiguration  %s\n\n%s\nCtrl-C ends the company.\n",
			c.Place.Slack, c.Place.Slack, c.Place.Graph, c.Place.Authority, c.caPath, c.Place.DevOps, c.config, next)
	}
	if c.others != nil && !asJSON {
		for _, name := range slices.Sorted(maps.Keys(c.others.Systems)) {
			fmt.Fprintf(out, "%-14s %s\n", name, c.others.Systems[name].API)
		}
	}
	<-ctx.Done()
	return nil
}

// play plays the script with the bot as a process of its own.
func (c *company) play(ctx context.Context, out io.Writer, script string) error {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(c.ca)
	people := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}}
	b := &process{company: c}
	defer b.Kill()
	s := &demo.Stage{Worlds: c.Worlds, Bot: b, Clock: c.clock, Out: out, HTTP: people, Config: c.config, Run: c.run}
	err := s.Play(ctx, script)
	if ctx.Err() != nil {
		return errors.New("the story was interrupted")
	}
	if err != nil {
		err = fmt.Errorf("%w\n\nWhat the bot logged:\n%s", err, b.tail())
	}
	return err
}

// run runs this same program as an administrator would on the bot's machine.
func (c *company) run(ctx context.Context, args ...string) (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	out, err := exec.CommandContext(ctx, self, append(args, "--config", c.config)...).CombinedOutput()
	return string(out), err
}

// process is the bot as a child process: this same program, serving.
type process struct {
	*company
	cmd *exec.Cmd
}

// Start implements demo.Bot: it returns when the bot serves.
func (p *process) Start(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	log, err := os.OpenFile(p.logPath(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	p.cmd = exec.Command(self, "serve", "--config", p.config, "--world", worldFlag(p.clock))
	p.cmd.Stdout, p.cmd.Stderr = log, log
	if err := p.cmd.Start(); err != nil {
		return err
	}
	for range 200 {
		if p.hears(ctx) {
			return nil
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return errors.New("the bot did not start:\n" + p.tail())
}

// hears reports whether the bot serves and Slack can reach it.
func (p *process) hears(ctx context.Context) bool {
	b, err := app.Ask(ctx, filepath.Join(p.dir, "state"), "/status")
	var s struct {
		Slack struct{ Connections []struct{ State string } } `json:"slack"`
	}
	if err != nil || json.Unmarshal(b, &s) != nil {
		return false
	}
	for _, c := range s.Slack.Connections {
		if c.State == "live" {
			return true
		}
	}
	return false
}

// Kill implements demo.Bot.
func (p *process) Kill() error {
	if p.cmd == nil || p.cmd.Process == nil {
		return nil
	}
	err := p.cmd.Process.Signal(syscall.SIGKILL)
	_ = p.cmd.Wait()
	p.cmd = nil
	return err
}

func (p *process) logPath() string { return filepath.Join(p.dir, "bot.log") }

func (p *process) tail() string {
	b, _ := os.ReadFile(p.logPath())
	return string(b[max(0, len(b)-4000):])
}
