package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"pagbot/internal/demo"
)

// The tests run the real program: this test binary, which is main when it is
// told so. Nothing else has its exit code and its standard error.
const beMain = "PAGBOT_TEST_IS_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(beMain) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// office is the company, served on loopback, with a configuration for a bot.
type office struct {
	*demo.Worlds
	t       *testing.T
	dir     string
	config  string
	servers map[string]*http.Server
}

// found founds the company; change may change it before it is served.
func found(t *testing.T, change func(*demo.Worlds)) *office {
	t.Helper()
	// Not t.TempDir: a socket's path may have but 107 characters.
	dir, err := os.MkdirTemp("", "pag")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	place, listeners, ca, err := demo.Loopback()
	if err != nil {
		t.Fatal(err)
	}
	_ = listeners[place.Pages].Close() // the bot's
	o := &office{t: t, dir: dir, servers: map[string]*http.Server{}}
	if o.Worlds, err = demo.Found(place, demo.Clocks{}); err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(o.Worlds)
	}
	o.write("ca.pem", string(ca))
	if o.config, err = o.Configure(dir, listeners[place.Pages].Addr().String(), "ca.pem", false); err != nil {
		t.Fatal(err)
	}
	for url, h := range o.Handlers() {
		o.serve(url, listeners[url], h)
	}
	t.Cleanup(o.Worlds.Close)
	return o
}

func (o *office) serve(url string, l net.Listener, h http.Handler) {
	s := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	o.servers[url] = s
	go func() { _ = s.Serve(l) }()
	o.t.Cleanup(func() { _ = s.Close() })
}

// down closes a service: nobody listens there any more.
func (o *office) down(url string) { _ = o.servers[url].Close() }

func (o *office) write(file, body string) {
	o.t.Helper()
	if err := os.WriteFile(filepath.Join(o.dir, file), []byte(body), 0o600); err != nil {
		o.t.Fatal(err)
	}
}

// edit changes one place of the configuration.
func (o *office) edit(from, to string) {
	o.t.Helper()
	b, err := os.ReadFile(o.config)
	if err != nil || !strings.Contains(string(b), from) {
		o.t.Fatalf("no %q in the configuration (%v):\n%s", from, err, b)
	}
	o.write("pagbot.yaml", strings.Replace(string(b), from, to, 1))
}

// pagbot is the program with arguments, to be started; it is killed when the
// test ends.
func pagbot(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	c := exec.CommandContext(ctx, self, args...)
	c.Env = append(os.Environ(), beMain+"=yes")
	return c
}

// result is what became of a program.
type result struct {
	out, err string
	code     int
}

// run runs the program to its end.
func run(t *testing.T, args ...string) result {
	t.Helper()
	var out, errs bytes.Buffer
	c := pagbot(t, args...)
	c.Stdout, c.Stderr = &out, &errs
	_ = c.Run()
	return result{out.String(), errs.String(), c.ProcessState.ExitCode()}
}

// service is a bot that serves.
type service struct {
	cmd   *exec.Cmd
	mu    sync.Mutex
	log   strings.Builder
	lines chan string
	done  chan struct{}
}

// start starts a bot and waits until it says a word.
func (o *office) start(until string) *service {
	o.t.Helper()
	s := &service{cmd: pagbot(o.t, "serve", "--config", o.config), lines: make(chan string, 1000), done: make(chan struct{})}
	pipe, err := s.cmd.StderrPipe()
	if err != nil {
		o.t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		o.t.Fatal(err)
	}
	go s.read(pipe)
	o.t.Cleanup(func() { _ = s.cmd.Process.Kill(); <-s.done })
	s.waits(o.t, until)
	return s
}

func (s *service) read(pipe io.Reader) {
	defer close(s.done)
	for r := bufio.NewScanner(pipe); r.Scan(); {
		s.mu.Lock()
		s.log.WriteString(r.Text() + "\n")
		s.mu.Unlock()
		s.lines <- r.Text()
	}
}

// waits reads the log until a line holds a word.
func (s *service) waits(t *testing.T, word string) string {
	t.Helper()
	for {
		select {
		case line := <-s.lines:
			if strings.Contains(line, word) {
				return line
			}
		case <-s.done:
			t.Fatalf("the bot ended without %q:\n%s", word, s.said())
		case <-time.After(30 * time.Second):
			t.Fatalf("the bot does not say %q:\n%s", word, s.said())
		}
	}
}

func (s *service) said() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

// stop tells the bot to stop, as a service manager does, and returns its exit
// code and how long it took.
func (s *service) stop(sig os.Signal) (int, time.Duration) {
	began := time.Now()
	_ = s.cmd.Process.Signal(sig)
	<-s.done
	_ = s.cmd.Wait()
	return s.cmd.ProcessState.ExitCode(), time.Since(began)
}
