package bot

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"pagbot/activation"
)

// clerk is a stamp that binds: whoever types its code.
type clerk struct {
	stamp
	off   bool
	fail  error
	typed *[]string
}

func (c clerk) Binds() bool { return !c.off }

func (c clerk) Claim(_ context.Context, u activation.SlackUser, code string) (activation.Person, error) {
	*c.typed = append(*c.typed, u.ID+" "+code)
	if c.fail != nil {
		return activation.Person{}, c.fail
	}
	return activation.Person{Name: "member@contoso.example"}, nil
}

func TestWhoMayBindThemselves(t *testing.T) {
	var typed []string
	play(t, func(c *Config) { c.SignIn = clerk{typed: &typed} }, func(t *testing.T, w *world) {
		has(t, "unknown", w.command(member, `/pag activate db_admins "why"`), "Type `/pag signin`")
		has(t, "a link", w.command(member, "/pag signin"), "https://signin.example/s/"+member)
		has(t, "a code", w.command(member, "/pag signin ABCD-EFGH"), "You are member@contoso.example from now on")
		if len(typed) != 1 || typed[0] != member+" ABCD-EFGH" {
			t.Errorf("typed %q", typed)
		}
		w.bot.SignIn = clerk{typed: &typed, fail: activation.Refusal{Code: activation.NotBound}}
		has(t, "a wrong code", w.command(member, "/pag signin ABCD-EFGH"), "fits no browser of yours")
		w.bot.SignIn = clerk{typed: &typed, fail: errors.New("disk on fire")}
		if s := w.command(member, "/pag signin ABCD-EFGH"); s == "" {
			t.Error("trouble was not told")
		}
		w.bot.SignIn = clerk{off: true, typed: &typed}
		has(t, "nobody binds", w.command(member, "/pag signin"), "pagbot's list of people")
		has(t, "no codes", w.command(requester.Slack.ID, "/pag signin ABCD"), "no code to type here")
		if len(w.heard()) != 0 {
			t.Error("told to the engine")
		}
	})
}

// coder is a stamp with device codes.
type coder struct {
	stamp
	fail error
}

func (coder) DeviceCodes() bool { return true }

func (c coder) BeginDevice(context.Context, activation.SlackUser) (string, string, time.Time, error) {
	return "ABC123DEF", "https://login.example/device", time.Now().Add(15 * time.Minute), c.fail
}

func TestDeviceCodes(t *testing.T) {
	play(t, func(c *Config) { c.SignIn = coder{} }, func(t *testing.T, w *world) {
		has(t, "a code", w.command(requester.Slack.ID, "/pag signin device"), "https://login.example/device", "*ABC123DEF*", "whoever sends you such a code")
		w.bot.SignIn = coder{fail: activation.Refusal{Code: activation.NotBound}}
		has(t, "unconfirmed", w.command(requester.Slack.ID, "/pag signin device"), "with your browser once")
		w.bot.SignIn = stamp{}
		has(t, "off", w.command(requester.Slack.ID, "/pag signin device"), "no device codes here")
		w.bot.TellDevice(w.ctx, requester.Slack, "entered by *<!channel>*")
		if s := w.last(requester.Slack.ID, w.dm(requester.Slack.ID)); strings.Contains(s.Text, "<!channel>") {
			t.Errorf("a name calls the channel: %s", s.Text)
		}
	})
}
