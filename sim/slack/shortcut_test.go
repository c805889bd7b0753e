package slack_test

import (
	"testing"

	slackgo "github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"pagbot/sim/slack"
)

func TestShortcuts(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		s.EditApp(s.app.ID, func(a *slack.App) {
			a.Shortcuts = []slack.Shortcut{{Name: "Ask", Type: "global", Callback: "ask"}, {Name: "About", Type: "message", Callback: "about"}}
		})
		got, api := make(chan slackgo.InteractionCallback, 3), s.api()
		s.socket(func(c *socketmode.Client, ev socketmode.Event) {
			if used, ok := ev.Data.(slackgo.InteractionCallback); ok {
				_ = c.Ack(*ev.Request, nil)
				if _, err := api.OpenViewContext(s.ctx, used.TriggerID, modal("Ask", true)); err != nil {
					t.Error(err)
				}
				got <- used
			}
		})
		p, ts := s.Person(requester), s.post(t)
		if r, err := p.Shortcut(s.ctx, "ask", slack.Click{}); err != nil || r.Error != "" {
			t.Fatal(r, err)
		}
		if used := <-got; used.Type != slackgo.InteractionTypeShortcut || used.CallbackID != "ask" || used.ResponseURL != "" {
			t.Errorf("%+v", used)
		}
		if _, err := p.Shortcut(s.ctx, "about", slack.Click{Channel: approvals, TS: ts}); err != nil {
			t.Fatal(err)
		}
		if used := <-got; used.Type != slackgo.InteractionTypeMessageAction || used.Message.Timestamp != ts || used.ResponseURL == "" {
			t.Errorf("%+v", used)
		}
		if _, err := s.Person(outsider).Shortcut(s.ctx, "about", slack.Click{Channel: approvals, TS: ts}); err == nil {
			t.Error("shortcuts are the installing workspace's own")
		}
		if _, err := s.Person(outsider).Command(s.ctx, approvals, "/pag list"); err == nil {
			t.Error("slash commands too")
		}
		var reply slack.Reply
		if code := s.manage("POST", "people/"+requester+"/command", map[string]any{"channel": approvals, "text": "/pag list", "thread_ts": ts}, &reply); code != 400 {
			t.Error("slash commands do not work in threads")
		}
	})
}

func TestTheAppInstalledLastGetsTheCommand(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		later := s.AddApp(slack.App{Name: "later", Team: "T0CONTOSO", Commands: []slack.Command{{Name: "/pag"}}})
		_, _ = s.Person(requester).Command(s.ctx, general, "/pag list")
		if e := s.History(slack.Query{Kind: "envelope"}); len(e) != 1 || e[0].App != later.ID {
			t.Errorf("%+v", e)
		}
	})
}
