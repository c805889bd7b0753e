package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"pagbot/internal/demo"
	"pagbot/sim/slack"
)

const connected = "connected to Slack"

// TestStatusAndJournal asks a serving bot, as its user does.
func TestStatusAndJournal(t *testing.T) {
	t.Parallel()
	o := found(t, nil)
	if got := run(t, "status", "--config", o.config); got.code != 1 || got.err != "pagbot: no pagbot is serving from "+o.dir+"/state: start one with pagbot serve, or name its configuration with --config\n" {
		t.Errorf("before it serves: %+v", got)
	}
	s := o.start(connected)
	if got := run(t, "status", "--config", o.config); got.code != 0 || !strings.Contains(got.out, "mode: act as the person") || !strings.Contains(got.out, "No open activations.") {
		t.Errorf("%+v", got)
	}
	o.types(demo.Requester, `/pag activate release-managers 20m "release 42"`)
	o.sees(demo.Requester, "release-managers", "20 min")
	got := run(t, "status", "--state", filepath.Join(o.dir, "state"))
	rows := strings.Split(strings.TrimSpace(got.out), "\n")
	last := strings.Fields(rows[len(rows)-1])
	if got.code != 0 || len(last) < 5 || last[2] != "adm-requester@contoso.example" || last[3] != "release-managers" {
		t.Fatalf("%+v", got)
	}
	story := run(t, "journal", last[0], "--config", o.config)
	if story.code != 0 || !strings.Contains(story.out, "release 42") {
		t.Errorf("%+v", story)
	}
	for id, want := range map[string]string{"nothing": `"nothing"`, "a/b c": `"a/b c"`} {
		if got := run(t, "journal", id, "--config", o.config); got.code != 1 || !strings.HasPrefix(got.err, "pagbot: there is no activation "+want+": ") || strings.Count(got.err, "\n") != 1 {
			t.Errorf("journal %s: %+v", id, got)
		}
	}
	if got := run(t, "latency", "--config", o.config); got.code != 0 || !strings.Contains(got.out, "nothing measured yet") {
		t.Errorf("%+v", got)
	}
	if got := run(t, "latency", "--config", o.config, "--group", "nobody", "--csv"); got.code != 1 || !strings.HasPrefix(got.err, `pagbot: there is no group "nobody"`) {
		t.Errorf("%+v", got)
	}
	info, err := os.Stat(filepath.Join(o.dir, "state", "pagbot.sock"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the control socket: %v %v", info, err)
	}
	dir, err := os.Stat(filepath.Join(o.dir, "state"))
	if err != nil || dir.Mode().Perm() != 0o700 {
		t.Errorf("the state directory: %v %v", dir, err)
	}
	if code, _ := s.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("exit code %d:\n%s", code, s.said())
	}
}

// TestDevOpsDown: a target that is down is warned of, and keeps nobody from
// anything.
func TestDevOpsDown(t *testing.T) {
	t.Parallel()
	o := found(t, nil)
	o.down(o.Place.DevOps)
	s := o.start("serving")
	line := s.waits(t, "WARN")
	if !strings.Contains(line, "a target can't be asked yet; the bot works on and will ask it again") || !strings.Contains(line, "target=devops") || !strings.Contains(line, "connection refused") {
		t.Error(line)
	}
	s.waits(t, connected)
	o.types(demo.Requester, `/pag activate release-managers 20m "release 42"`)
	o.sees(demo.Requester, "release-managers", "20 min")
}

// TestStopUnderClicks stops the bot while people type, and starts it again:
// whatever was acknowledged is answered, by the one or by the other.
func TestStopUnderClicks(t *testing.T) {
	t.Parallel()
	o := found(t, nil)
	first := o.start(connected)
	o.types(demo.Requester, `/pag activate release-managers 20m "before the stop"`)

	var mu sync.Mutex
	var acked []string
	one := make(chan struct{}, 1000)
	var people sync.WaitGroup
	for _, name := range []string{demo.Requester, demo.Approver, demo.Second, demo.Colleague} {
		people.Go(func() {
			for i := range 15 {
				group := fmt.Sprintf("%s-%d", name, i)
				r, err := o.Person(name).Command(t.Context(), o.Channel.ID, "/pag activate "+group+` 20m "why"`)
				refused := r.Message != nil && strings.Contains(r.Message.Text, "restarting")
				if err != nil || r.Error != "" || refused {
					continue // Slack, or the bot, told the person so
				}
				mu.Lock()
				acked = append(acked, name+" "+group)
				mu.Unlock()
				one <- struct{}{}
			}
		})
	}
	for range 5 {
		<-one
	}
	code, took := first.stop(syscall.SIGTERM)
	people.Wait()
	if code != 0 || took > 5*time.Second {
		t.Errorf("exit code %d after %s:\n%s", code, took, first.said())
	}
	if said := logged.ReplaceAllString(first.said(), ""); said != "" {
		t.Errorf("it ends with %q", said)
	}
	t.Logf("stopped in %s; %d of 60 commands were acknowledged", took.Round(time.Millisecond), len(acked))

	o.start(connected)
	for _, who := range acked {
		name, group, _ := strings.Cut(who, " ")
		o.sees(name, "don't know a group", "“"+group+"”")
	}
	if got := run(t, "status", "--config", o.config); !strings.Contains(got.out, "release-managers") {
		t.Errorf("the activation from before the stop is not there: %+v", got)
	}
}

// TestStopBeforeServing: a bot that is told to stop while Entra does not answer
// ends quietly.
func TestStopBeforeServing(t *testing.T) {
	t.Parallel()
	o := found(t, nil)
	o.down(o.Place.Authority) // tried again for seconds
	c := pagbot(t, "serve", "--config", o.config)
	var said strings.Builder
	c.Stderr = &said
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	o.until(func(s slack.Snapshot) bool { return len(o.Slack.History(slack.Query{Name: "auth.test"})) > 0 }, "auth.test")
	_ = c.Process.Signal(syscall.SIGTERM)
	_ = c.Wait()
	if code := c.ProcessState.ExitCode(); code != 0 || said.String() != "" {
		t.Errorf("exit code %d, %q", code, said.String())
	}
}

// TestHelp reads what every command says of itself.
func TestHelp(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, want string }{
		{"", "Available Commands"}, {"serve", "--config"}, {"check", "--config"}, {"demo", "--script"}, {"status", "--state"}, {"journal", "pagbot journal ID"}, {"latency", "--png"}, {"version", "pagbot version"},
	} {
		got := run(t, strings.Fields(c.name+" --help")...)
		if got.code != 0 || !strings.Contains(got.out, c.want) || strings.Contains(got.out, "--world ") {
			t.Errorf("%s: %+v", c.name, got)
		}
		t.Log(got.out)
	}
	if got := run(t, "version"); got.code != 0 || strings.TrimSpace(got.out) == "" {
		t.Errorf("%+v", got)
	}
	for _, wrong := range [][]string{{"serv"}, {"journal"}, {"serve", "--conf", "x"}, {"status", "x"}, {"latency", "--csv", "--json"}, {"latency", "--days", "x"}, {"demo", "--speed", "-1"}, {"demo", "--json"}} {
		if got := run(t, wrong...); got.code != 1 || !strings.HasPrefix(got.err, "pagbot: ") || got.out != "" {
			t.Errorf("%v: %+v", wrong, got)
		}
	}
}

func (o *office) types(name, text string) {
	o.t.Helper()
	if r, err := o.Person(name).Command(o.t.Context(), o.Channel.ID, text); err != nil || r.Error != "" {
		o.t.Fatalf("%s types %s: %v %s", name, text, err, r.Error)
	}
}

// sees waits until a person sees a message in the channel with all the words.
func (o *office) sees(name string, words ...string) {
	o.t.Helper()
	p := o.Person(name)
	o.until(func(s slack.Snapshot) bool {
		for _, m := range s.Messages(p.ID, o.Channel.ID) {
			if text := p.Text(m); holds(text, words) {
				return true
			}
		}
		return false
	}, name+" sees "+strings.Join(words, " "))
}

func holds(text string, words []string) bool {
	for _, w := range words {
		if !strings.Contains(text, w) {
			return false
		}
	}
	return true
}

func (o *office) until(holds func(slack.Snapshot) bool, what string) {
	o.t.Helper()
	ctx, cancel := context.WithTimeout(o.t.Context(), 30*time.Second)
	defer cancel()
	if err := o.Slack.Wait(ctx, holds); err != nil {
		o.t.Fatalf("never: %s", what)
	}
}
