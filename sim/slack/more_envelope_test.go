package slack_test

import (
	"strings"
	"testing"
	"time"

	"pagbot/sim/slack"
)

// A late ack is discarded, or by a dial does what it says after all.
func TestLateAcks(t *testing.T) {
	for accept, want := range map[bool]int{false: 1, true: 2} { // messages: Slackbot's complaint, and the answer
		stage(t, func(t *testing.T, s *scene) {
			s.Turn(func(d *slack.Dials) { d.AcceptLateAcks = accept })
			s.dial(func(id any) []any {
				time.Sleep(4 * time.Second)
				return []any{map[string]any{"envelope_id": id, "payload": map[string]any{"text": "late"}}}
			})
			s.connected(1)
			if r, err := s.Person(requester).Command(s.ctx, general, "/pag list"); err != nil || r.Error != "operation_timeout" {
				t.Errorf("%+v %v", r, err)
			}
			s.pass(10 * time.Second)
			if m := s.Person(requester).Messages(general); len(m) != want {
				t.Errorf("accepted %v: %+v", accept, m)
			}
		})
	}
}

func TestUnackedCommandsAreNotRedelivered(t *testing.T) {
	for times, want := range map[int]int{0: 1, 2: 3} {
		stage(t, func(t *testing.T, s *scene) {
			s.Turn(func(d *slack.Dials) { d.RedeliverUnacked = times })
			p := s.dial(silent)
			s.connected(1)
			if _, err := s.Person(requester).Command(s.ctx, general, "/pag list"); err != nil {
				t.Fatal(err)
			}
			s.pass(time.Hour)
			if n := strings.Count(p.types(), "slash"); n != want {
				t.Errorf("redelivered %d: sent %d times", times, n)
			}
		})
	}
}

func TestDelayedEvents(t *testing.T) {
	for delayed, want := range map[bool]int{false: 4, true: 28} {
		stage(t, func(t *testing.T, s *scene) {
			s.Turn(func(d *slack.Dials) { d.DelayedEvents = delayed; d.Lifetime = 1e6 })
			p := s.dial(silent)
			s.connected(1)
			if err := s.Person(requester).OpenHome(); err != nil {
				t.Fatal(err)
			}
			s.pass(48 * time.Hour)
			if n := strings.Count(p.types(), "events_api"); n != want {
				t.Errorf("delayed %v: %d attempts", delayed, n)
			}
		})
	}
}

func TestEventsWaitForASocket(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		if err := s.Person(requester).OpenHome(); err != nil {
			t.Fatal(err)
		}
		s.pass(30 * time.Second)
		p := s.dial(acks)
		s.pass(time.Minute)
		if got := p.last(); got["type"] != "events_api" || got["retry_attempt"] != 2.0 || got["retry_reason"] != "timeout" {
			t.Errorf("%v", got)
		}
	})
}

func TestTooManyEvents(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		s.Turn(func(d *slack.Dials) { d.EventsPerHour = 5 })
		p := s.dial(acks)
		s.connected(1)
		for range 10 {
			if err := s.Person(requester).OpenHome(); err != nil {
				t.Fatal(err)
			}
		}
		s.pass(time.Second)
		limited := 0
		for _, e := range s.History(slack.Query{Name: "events_api"}) {
			if payload, _ := e.Request.(map[string]any); payload["type"] == "app_rate_limited" {
				limited++
			}
		}
		if n := strings.Count(p.types(), "events_api"); n != 6 || limited != 1 {
			t.Errorf("%d events, %d times app_rate_limited", n, limited)
		}
	})
}

func TestFailuresSwitchEventsOff(t *testing.T) {
	for off, want := range map[bool]int{false: 1, true: 0} {
		stage(t, func(t *testing.T, s *scene) {
			s.Turn(func(d *slack.Dials) { d.FailuresSwitchOff, d.EventRetries = off, nil })
			p := s.dial(silent)
			s.connected(1)
			open := func() {
				if err := s.Person(requester).OpenHome(); err != nil {
					t.Fatal(err)
				}
			}
			for range 1000 {
				open()
			}
			s.pass(10 * time.Second)
			before := strings.Count(p.types(), "events_api")
			open()
			s.pass(10 * time.Second)
			if n := strings.Count(p.types(), "events_api") - before; n != want {
				t.Errorf("switched off %v: %d more", off, n)
			}
		})
	}
}

func TestEventsNeedTheirScopes(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		s.EditApp(s.app.ID, func(a *slack.App) {
			a.Events, a.Scopes = append(a.Events, "message.groups"), []string{"chat:write"}
		})
		s.Turn(func(d *slack.Dials) { d.HomeEventScope = "im:read" })
		p := s.dial(acks)
		s.connected(1)
		live := func() int {
			if _, err := s.Person(requester).Say(approvals, "<@U0BOT> hello", ""); err != nil {
				t.Fatal(err)
			}
			if err := s.Person(requester).OpenHome(); err != nil {
				t.Fatal(err)
			}
			s.pass(time.Second)
			return strings.Count(p.types(), "events_api")
		}
		if n := live(); n != 0 {
			t.Errorf("%d events without scopes", n)
		}
		s.scopes("app_mentions:read", "groups:history", "im:read")
		if n := live(); n != 3 {
			t.Errorf("%d events", n)
		}
	})
}

func TestTriggerErrorsAsTheGuideHasThem(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		s.Turn(func(d *slack.Dials) { d.TriggerGuideErrors = true })
		p := s.dial(acks)
		s.connected(1)
		trigger := func() string {
			if _, err := s.Person(requester).Command(s.ctx, general, "/pag list"); err != nil {
				t.Fatal(err)
			}
			return p.last("payload")["trigger_id"].(string)
		}
		view := `{"type":"modal","title":{"type":"plain_text","text":"t"},"blocks":[{"type":"divider"}]}`
		id := trigger()
		s.call("views.open", "trigger_id", id, "view", view)
		if got := word(s.call("views.open", "trigger_id", id, "view", view)); got != "trigger_exchanged" {
			t.Error(got)
		}
		id = trigger()
		s.pass(4 * time.Second)
		if got := word(s.call("views.open", "trigger_id", id, "view", view)); got != "trigger_expired" {
			t.Error(got)
		}
	})
}

func TestChannelNamesInPayloads(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		p := s.dial(acks)
		s.connected(1)
		name := func(channel string) any {
			if _, err := s.Person(requester).Command(s.ctx, channel, "/pag list"); err != nil {
				t.Fatal(err)
			}
			return p.last("payload")["channel_name"]
		}
		if a, b, c := name(general), name(approvals), name(s.Person(requester).DM()); a != "general" || b != "privategroup" || c != "directmessage" {
			t.Error(a, b, c)
		}
		s.Turn(func(d *slack.Dials) { d.TrueChannelNames = true })
		if got := name(approvals); got != "approvals" {
			t.Error(got)
		}
	})
}

func TestButtonsForSomeEyes(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		s.dial(acks)
		s.connected(1)
		ts := s.call("chat.postMessage", "channel", approvals, "text", "x", "blocks", "["+actions(button("Go", `,"action_id":"go","visible_to_user_ids":["`+requester+`"]`))+"]")["ts"].(string)
		if _, err := s.Person(approver).Click(s.ctx, approvals, ts, "go"); err != nil {
			t.Errorf("it is cosmetic: %v", err)
		}
		s.Turn(func(d *slack.Dials) { d.VisibleToMeansIt = true })
		if _, err := s.Person(approver).Click(s.ctx, approvals, ts, "go"); err == nil {
			t.Error("hidden, and clicked")
		}
		if _, err := s.Person(requester).Click(s.ctx, approvals, ts, "go"); err != nil {
			t.Error(err)
		}
	})
}

func TestBadOptionsAreRefused(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		answer := map[string]any{}
		s.dial(func(id any) []any { return []any{map[string]any{"envelope_id": id, "payload": answer}} })
		s.connected(1)
		ts := s.call("chat.postMessage", "channel", approvals, "text", "x", "blocks", "["+actions(`{"type":"external_select","action_id":"pick","placeholder":{"type":"plain_text","text":"p"}}`)+"]")["ts"].(string)
		ask := func(n int, value string) error {
			list := []any{}
			for range n {
				list = append(list, map[string]any{"text": map[string]any{"type": "plain_text", "text": "a"}, "value": value})
			}
			answer = map[string]any{"options": list}
			_, err := s.Person(requester).SuggestAt(s.ctx, slack.Click{Channel: approvals, TS: ts, Action: "pick"}, "abc")
			return err
		}
		if err := ask(100, "a"); err != nil {
			t.Error(err)
		}
		if ask(101, "a") == nil || ask(1, strings.Repeat("x", 76)) == nil {
			t.Error("too many, or too long")
		}
	})
}

func TestInputsSayNothingUntilSubmitted(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		p := s.dial(acks)
		s.connected(1)
		for dispatch, want := range map[string]bool{"": false, `"dispatch_action":true,`: true} {
			if _, err := s.Person(requester).Command(s.ctx, general, "/pag list"); err != nil {
				t.Fatal(err)
			}
			view := `{"type":"modal","title":{"type":"plain_text","text":"t"},"submit":{"type":"plain_text","text":"s"},"blocks":[{"type":"input",` + dispatch +
				`"label":{"type":"plain_text","text":"l"},"element":{"type":"users_select","action_id":"who"}}]}`
			id := s.call("views.open", "trigger_id", p.last("payload")["trigger_id"].(string), "view", view)["view"].(map[string]any)["id"].(string)
			if _, err := s.Person(requester).Act(s.ctx, slack.Click{View: id, Action: "who", Value: approver}); (err == nil) != want {
				t.Errorf("dispatch %q: %v", dispatch, err)
			}
		}
	})
}
