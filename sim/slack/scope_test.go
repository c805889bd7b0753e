package slack_test

import (
	"net/http"
	"testing"
	"time"

	"pagbot/sim/slack"
)

// Two apps: what is turned for one is not turned for the other, and follows the
// World's in all the rest, whenever that changes.
func TestDialsForOneApp(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		other := s.AddApp(slack.App{ID: "A0OTHER", Name: "other", Team: "T0CONTOSO", Scopes: []string{"chat:write"}})
		if err := s.TurnApp("A0PAG", func(d *slack.Dials) { d.Warning, d.Lifetime = "mind_the_gap", 120 }); err != nil {
			t.Fatal(err)
		}
		s.Turn(func(d *slack.Dials) { d.Warning, d.AckDeadline = "everybody", 7 })
		warned := func(token string) any { return s.call("auth.test", "token", token)["warning"] }
		if one, two := warned(s.app.BotToken), warned(other.BotToken); one != "mind_the_gap" || two != "everybody" {
			t.Errorf("the one is warned of %v, the other of %v", one, two)
		}
		if d, ok := s.AppDials("A0PAG"); !ok || d.Lifetime != 120 || d.AckDeadline != 7 {
			t.Errorf("%v %+v", ok, d)
		}
		if err := s.TurnApp("A0PAG", nil); err != nil || warned(s.app.BotToken) != "everybody" {
			t.Errorf("%v: it did not get the World's again", err)
		}
		if s.TurnApp("A0PAG", func(d *slack.Dials) { d.KeepHistory = 5 }) == nil || s.TurnApp("A0NONE", nil) == nil {
			t.Error("what is the World's was turned for an app, or an app that is not there")
		}
	})
}

// One of two connections says something else in its pings; the rest is as the
// World's.
func TestDialsForOneConnection(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		one, two := s.dial(silent), s.dial(silent)
		s.connected(2)
		if code := s.manage("PATCH", "sockets/1/dials", map[string]any{"ping_text": "only me"}, nil); code != http.StatusOK {
			t.Fatal(code)
		}
		s.Turn(func(d *slack.Dials) { d.PingEvery = 3 })
		s.pass(20 * time.Second)
		if first, second := one.lastPing(), two.lastPing(); first != "only me" || second != s.Dials().PingText {
			t.Errorf("they heard %q and %q", first, second)
		}
		for path, in := range map[string]map[string]any{"sockets/1/dials": {"lifetime": 5}, "sockets/9/dials": {}, "apps/A0PAG/dials": {"lifetyme": 5}} {
			if code := s.manage("PATCH", path, in, nil); code != http.StatusBadRequest {
				t.Errorf("%s %v: %d", path, in, code)
			}
		}
		var d slack.Dials
		if code := s.manage("DELETE", "sockets/1/dials", nil, &d); code != http.StatusOK || d.PingText != s.Dials().PingText || d.PingEvery != 3 {
			t.Errorf("%d %+v", code, d)
		}
	})
}

func (p *peer) lastPing() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.said
}
