package slack_test

import (
	"strings"
	"testing"
	"time"

	slackgo "github.com/slack-go/slack"

	"pagbot/sim/slack"
)

const plainView = `"type":"modal","title":{"type":"plain_text","text":"t"},"submit":{"type":"plain_text","text":"s"}`

// opened has the person open a modal of these further fields; its id comes back.
func (s *scene) opened(p *peer, person, fields string) string {
	s.t.Helper()
	if _, err := s.Person(person).Command(s.ctx, general, "/pag list"); err != nil {
		s.t.Fatal(err)
	}
	got := s.call("views.open", "trigger_id", p.last("payload")["trigger_id"].(string), "view", "{"+plainView+","+fields+"}")
	if got["ok"] != true {
		s.t.Fatalf("%v", got)
	}
	return got["view"].(map[string]any)["id"].(string)
}

func TestAppsWithoutInteractivity(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		p := s.dial(acks)
		s.connected(1)
		ts := s.post(t, card("id-1"))
		s.EditApp(s.app.ID, func(a *slack.App) { a.Deaf = true })
		if r, err := s.Person(approver).Click(s.ctx, approvals, ts, "approve"); err != nil || r.Error != "not_interactive" || p.types() != "hello" {
			t.Errorf("%+v %v, the app got %s", r, err, p.types())
		}
	})
}

func TestEscaping(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		p := s.dial(acks)
		s.connected(1)
		for escape, want := range map[bool]string{
			true:  "ask \"<@" + approver + ">\", in <#" + general + "|general> and (<#" + approvals + "|>) at <https://x.example>",
			false: "ask \"@approver\", in #general and (#approvals) at https://x.example",
		} {
			s.EditApp(s.app.ID, func(a *slack.App) { a.Commands = []slack.Command{{Name: "/pag", Escape: escape}} })
			if _, err := s.Person(requester).Command(s.ctx, general, `/pag ask "@approver", in #general and (#approvals) at https://x.example`); err != nil {
				t.Fatal(err)
			}
			if got := p.last("payload")["text"]; got != want {
				t.Errorf("%v", got)
			}
		}
	})
}

func TestResponseURLsOfAForm(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		p := s.dial(acks)
		s.connected(1)
		for asked, want := range map[string]int{"": 0, `,"response_url_enabled":true`: 1} {
			id := s.opened(p, requester, `"blocks":[{"type":"input","block_id":"where","label":{"type":"plain_text","text":"l"},"element":{"type":"conversations_select","action_id":"c"`+asked+`}}]`)
			if _, err := s.Person(requester).Submit(s.ctx, id, map[string]any{"where": approvals}); err != nil {
				t.Fatal(err)
			}
			urls := p.last("payload")["response_urls"].([]any)
			if len(urls) != want {
				t.Fatalf("asked %q: %v", asked, urls)
			}
			if want == 0 {
				continue
			}
			u := urls[0].(map[string]any)
			if u["channel_id"] != approvals || u["block_id"] != "where" {
				t.Errorf("%v", u)
			}
			res, err := s.web.Post(u["response_url"].(string), "application/json", strings.NewReader(`{"text":"x","response_type":"in_channel"}`))
			if err != nil || res.StatusCode != 200 || len(s.Person(approver).Messages(approvals)) != 1 {
				t.Errorf("%v %v", res, err)
			}
			res.Body.Close()
		}
	})
}

func TestClosingModals(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		p := s.dial(acks)
		s.connected(1)
		blocks := `"blocks":[{"type":"input","label":{"type":"plain_text","text":"l"},"element":{"type":"plain_text_input","action_id":"v"}},` +
			actions(button("Go", `,"action_id":"go"`)) + `]`
		me := s.Person(requester)
		two := func(more string) (string, string) {
			first := s.opened(p, requester, more+blocks)
			if _, err := me.Press(s.ctx, first, "go"); err != nil {
				t.Fatal(err)
			}
			got := s.call("views.push", "trigger_id", p.last("payload")["trigger_id"].(string), "view", "{"+plainView+","+more+blocks+"}")
			return first, got["view"].(map[string]any)["id"].(string)
		}
		_, top := two("")
		sent := len(p.types())
		if _, err := me.Dismiss(s.ctx, top, true); err != nil || len(p.types()) != sent {
			t.Errorf("nobody asked: %v", err)
		}
		for all, cleared := range map[bool]bool{false: false, true: true} {
			first, top := two(`"notify_on_close":true,`)
			if _, err := me.Dismiss(s.ctx, top, all); err != nil {
				t.Fatal(err)
			}
			got := p.last("payload")
			view := got["view"].(map[string]any)
			want := map[bool]string{false: top, true: first}[all]
			if got["type"] != "view_closed" || got["is_cleared"] != cleared || view["id"] != want || len(view["blocks"].([]any)) != 1 {
				t.Errorf("all %v: %v", all, got)
			}
		}
	})
}

func TestViewRefusals(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		p := s.dial(acks)
		s.connected(1)
		divider := `"blocks":[{"type":"divider"}]`
		id := s.opened(p, requester, `"external_id":"mine",`+divider)
		update := func(args ...string) string { return word(s.call("views.update", args...)) }
		view := "{" + plainView + "," + divider + "}"
		for _, c := range []struct{ got, want string }{
			{update("view_id", id, "hash", "1.old", "view", view), "hash_conflict"},
			{update("view_id", "V0NOWHERE", "view", view), "not_found"},
			{update("external_id", "mine", "view", "{"+plainView+`,"external_id":"mine",`+divider+"}"), "ok"},
			{update("view_id", id, "view", "{"+plainView+`,"private_metadata":"`+strings.Repeat("x", 3001)+`",`+divider+"}"), "invalid_arguments"},
			{update("view_id", id, "view", "{"+plainView+`,"private_metadata":"`+strings.Repeat("x", 260000)+`",`+divider+"}"), "view_too_large"},
			{update("view_id", id, "view", "{"+plainView+`,"blocks":[]}`), "invalid_arguments"},
			{update("view_id", id, "view", "{"+plainView+`,"blocks":[`+repeat(101, `{"type":"divider"}`)+`]}`), "invalid_arguments"},
			{update("view_id", id, "view", "{"+plainView+`,"blocks":[`+repeat(100, `{"type":"divider"}`)+`]}`), "ok"},
		} {
			if c.got != c.want {
				t.Errorf("%s, want %s", c.got, c.want)
			}
		}
		s.opened(p, approver, `"external_id":"theirs",`+divider)
		if got := update("view_id", id, "view", "{"+plainView+`,"external_id":"theirs",`+divider+"}"); got != "duplicate_external_id" {
			t.Error(got)
		}
		s.EditApp(s.app.ID, func(a *slack.App) { a.NoHome = true })
		if got := word(s.call("views.publish", "user_id", requester, "view", `{"type":"home","blocks":[{"type":"divider"}]}`)); got != "not_enabled" {
			t.Error(got)
		}
	})
}

func TestEitherTierForOpens(t *testing.T) {
	for limit, want := range map[int]int{0: 50, 1: 1} { // tier 3 as the page says, tier 1 as the SDKs' tables do
		stage(t, func(t *testing.T, s *scene) {
			if limit > 0 {
				s.Turn(func(d *slack.Dials) { d.PerMinute = map[string]int{"apps.connections.open": limit} })
			}
			n := 0
			for ; n < 60; n++ {
				if _, _, err := s.api().StartSocketModeContext(s.ctx); err != nil {
					break
				}
			}
			if n != want {
				t.Errorf("%d opens in a minute, want %d", n, want)
			}
		})
	}
}

func TestLongTextsAreCut(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		ts := s.call("chat.postMessage", "channel", approvals, "text", strings.Repeat("ü", 40001))["ts"].(string)
		text := s.Person(approver).Messages(approvals)[0].Text
		if n := len([]rune(text)); n != 40000 {
			t.Errorf("%d characters", n)
		}
		if got := word(s.call("chat.update", "channel", approvals, "ts", ts, "text", text)); got != "msg_too_long" {
			t.Errorf("what could be posted cannot be updated: %s", got)
		}
	})
}

func TestPublicPosting(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		s.AddChannel(slack.Channel{ID: "C0SECRET", Team: "T0CONTOSO", Private: true}, requester)
		before := word(s.call("chat.postMessage", "channel", general, "text", "x"))
		s.scopes("chat:write.public")
		after := word(s.call("chat.postMessage", "channel", general, "text", "x"))
		private := word(s.call("chat.postMessage", "channel", "C0SECRET", "text", "x"))
		if before != "not_in_channel" || after != "ok" || private != "channel_not_found" {
			t.Error(before, after, private)
		}
	})
}

// An ephemeral message needs the bot in the channel, whatever its scopes, and in
// a thread it is seen only if somebody has answered there: neither says so.
func TestEphemeralsNeedTheirPlace(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		s.scopes("chat:write.public")
		if got := word(s.call("chat.postEphemeral", "channel", general, "user", requester, "text", "psst")); got != "not_in_channel" {
			t.Errorf("where the bot is not: %s", got)
		}
		ts, p := s.post(t, slackgo.MsgOptionText("a card", false)), s.Person(requester)
		whisper := func() (string, int) {
			was := len(p.Messages(approvals))
			return word(s.call("chat.postEphemeral", "channel", approvals, "user", requester, "thread_ts", ts, "text", "psst")), len(p.Messages(approvals)) - was
		}
		if got, seen := whisper(); got != "ok" || seen != 0 {
			t.Errorf("in a thread without an answer: %s, seen %d", got, seen)
		}
		s.call("chat.postMessage", "channel", approvals, "thread_ts", ts, "text", "an answer")
		if got, seen := whisper(); got != "ok" || seen != 1 {
			t.Errorf("in one with an answer: %s, seen %d", got, seen)
		}
	})
}

// What is another workspace's is not there, public or not, until it is shared.
func TestOtherWorkspacesAreNotThere(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		s.scopes("chat:write.public", "channels:history", "usergroups:read")
		s.AddChannel(slack.Channel{ID: "C0THEIRS", Team: "T0FABRIKAM", Name: "theirs"}, outsider)
		s.AddUsergroup(slack.Usergroup{ID: "S0THEIRS", Team: "T0FABRIKAM", Handle: "theirs", Users: []string{outsider}})
		calls := [][]string{{"chat.postMessage", "channel", "C0THEIRS", "text", "x"}, {"conversations.info", "channel", "C0THEIRS"},
			{"conversations.members", "channel", "C0THEIRS"}, {"conversations.history", "channel", "C0THEIRS"}, {"conversations.replies", "channel", "C0THEIRS", "ts", "1.2"}}
		for _, c := range calls {
			if got := word(s.call(c[0], c[1:]...)); got != "channel_not_found" {
				t.Errorf("%s: %s", c[0], got)
			}
		}
		if got := word(s.call("usergroups.users.list", "usergroup", "S0THEIRS")); got != "no_such_subteam" {
			t.Errorf("their user group: %s", got)
		}
		s.EditChannel("C0THEIRS", func(c *slack.Channel) { c.ExtShared, c.SharedTeams = true, []string{"T0FABRIKAM", "T0CONTOSO"} })
		for _, c := range calls[:3] {
			if got := word(s.call(c[0], c[1:]...)); got != "ok" {
				t.Errorf("%s of the shared channel: %s", c[0], got)
			}
		}
	})
}

// An answer in an ack: to a command, in the channel, it shows what was typed; to
// a click it shows nothing, whatever the envelope says of answers.
func TestAnswersInAcks(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		kind := ""
		p := s.dial(func(id any) []any {
			return []any{map[string]any{"envelope_id": id, "payload": map[string]any{"text": "an answer", "response_type": kind}}}
		})
		s.connected(1)
		sees := func() (all []string) {
			for _, m := range s.Person(approver).Messages(general) {
				all = append(all, m.Text)
			}
			return all
		}
		for _, c := range []struct{ kind, want string }{{"ephemeral", ""}, {"in_channel", "/pag list, an answer"}} {
			kind = c.kind
			if _, err := s.Person(requester).Command(s.ctx, general, "/pag list"); err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(sees(), ", "); got != c.want {
				t.Errorf("%s: others see %q", c.kind, got)
			}
		}
		ts := s.post(t, card("id-1"))
		for _, accepts := range []bool{false, true} {
			s.Turn(func(d *slack.Dials) { d.ClicksAccept = accepts })
			if _, err := s.Person(approver).Click(s.ctx, approvals, ts, "approve"); err != nil {
				t.Fatal(err)
			}
			if says := p.last()["accepts_response_payload"]; says != accepts || len(s.Person(approver).Messages(approvals)) != 1 {
				t.Errorf("a click's envelope says %v; seen: %+v", says, s.Person(approver).Messages(approvals))
			}
		}
	})
}

// An update keeps the metadata that it does not name.
func TestUpdatesKeepMetadata(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		s.scopes("groups:history", "metadata.message:read")
		ts := s.call("chat.postMessage", "channel", approvals, "text", "a card", "metadata", `{"event_type":"card","event_payload":{"id":"1"}}`)["ts"].(string)
		s.call("chat.update", "channel", approvals, "ts", ts, "text", "another")
		all := s.call("conversations.history", "channel", approvals, "include_all_metadata", "true")["messages"].([]any)
		if m := all[0].(map[string]any); m["text"] != "another" || m["metadata"] == nil {
			t.Errorf("%v", m)
		}
	})
}

func TestPeopleByMail(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		find := func() string { return word(s.call("users.lookupByEmail", "email", "Requester@contoso.example")) }
		found := find()
		s.EditUser(requester, func(u *slack.User) { u.Deleted = true })
		gone := find()
		u, _ := s.call("users.info", "user", requester)["user"].(map[string]any)
		s.EditUser(requester, func(u *slack.User) { u.Deleted = false })
		s.EditApp(s.app.ID, func(a *slack.App) { a.Scopes = []string{"users:read.email"} })
		if found != "ok" || gone != "users_not_found" || find() != "missing_scope" {
			t.Error(found, gone, find())
		}
		if _, there := u["is_admin"]; there || u["deleted"] != true {
			t.Errorf("%v", u)
		}
	})
}

func TestUpdatedIsWhenSomethingChanged(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		updated := func() float64 {
			return s.call("users.info", "user", requester)["user"].(map[string]any)["updated"].(float64)
		}
		first := updated()
		s.pass(time.Hour)
		still := updated()
		s.EditUser(requester, func(u *slack.User) { u.Email = "other@contoso.example" })
		if first != still || updated() != first+3600 {
			t.Error(first, still, updated())
		}
	})
}
