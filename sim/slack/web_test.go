package slack_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	slackgo "github.com/slack-go/slack"

	"pagbot/sim/slack"
)

// call posts a form to a method, as slack-go does, and returns the answer.
func (s *scene) call(method string, args ...string) map[string]any {
	s.t.Helper()
	form := url.Values{"token": {s.app.BotToken}}
	for i := 0; i < len(args); i += 2 {
		form.Set(args[i], args[i+1])
	}
	res, err := s.web.PostForm("http://slack.test/api/"+method, form)
	if err != nil {
		s.t.Fatal(err)
	}
	return s.decode(res)
}

func (s *scene) decode(res *http.Response) map[string]any {
	s.t.Helper()
	defer res.Body.Close()
	var out map[string]any
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil {
		s.t.Fatal(err)
	}
	return out
}

// Each line is one call and Slack's word for what is wrong with it ("ok").
func TestRefusals(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		s.AddChannel(slack.Channel{ID: "C0OLD", Team: "T0CONTOSO", Name: "old", Archived: true}, "U0BOT")
		s.AddChannel(slack.Channel{ID: "C0SECRET", Team: "T0CONTOSO", Name: "secret", Private: true}, requester)
		s.AddUser(slack.User{ID: "U0GONE", Team: "T0CONTOSO", Deleted: true})
		ts := s.call("chat.postMessage", "channel", approvals, "text", "mine")["ts"].(string)
		theirs, err := s.Person(requester).Say(approvals, "theirs", "")
		if err != nil {
			t.Fatal(err)
		}
		long := strings.Repeat("x", 4001)
		for _, c := range []struct {
			want string
			args []string
		}{
			{"no_text", []string{"chat.postMessage", "channel", approvals}},
			{"channel_not_found", []string{"chat.postMessage", "channel", "C0NOWHERE", "text", "x"}},
			{"channel_not_found", []string{"chat.postMessage", "channel", "C0SECRET", "text", "x"}},
			{"channel_not_found", []string{"chat.postMessage", "channel", "U0GONE", "text", "x"}},
			{"not_in_channel", []string{"chat.postMessage", "channel", general, "text", "x"}},
			{"is_archived", []string{"chat.postMessage", "channel", "C0OLD", "text", "x"}},
			{"invalid_blocks_format", []string{"chat.postMessage", "channel", approvals, "text", "x", "blocks", "{"}},
			{"cannot_reply_to_message", []string{"chat.postMessage", "channel", approvals, "text", "x", "thread_ts", "1.2"}},
			{"msg_too_long", []string{"chat.update", "channel", approvals, "ts", ts, "text", long}},
			{"message_not_found", []string{"chat.update", "channel", approvals, "ts", "1.2", "text", "x"}},
			{"cant_update_message", []string{"chat.update", "channel", approvals, "ts", theirs.TS, "text", "x"}},
			{"channel_not_found", []string{"chat.update", "channel", requester, "ts", ts, "text", "x"}},
			{"cant_delete_message", []string{"chat.delete", "channel", approvals, "ts", theirs.TS}},
			{"user_not_in_channel", []string{"chat.postEphemeral", "channel", approvals, "user", "U0GONE", "text", "x"}},
			{"message_not_found", []string{"chat.getPermalink", "channel", approvals, "message_ts", "1.2"}},
			{"ok", []string{"chat.getPermalink", "channel", approvals, "message_ts", ts}},
			{"user_not_found", []string{"users.info", "user", "U0NOBODY"}},
			{"users_not_found", []string{"users.lookupByEmail", "email", "nobody@contoso.example"}},
			{"user_disabled", []string{"conversations.open", "users", "U0GONE"}},
			{"ok", []string{"conversations.members", "channel", approvals}},
			{"not_authed", []string{"apps.connections.open"}}, // its token counts in the header alone
			{"expired_trigger_id", nil},
			{"unknown_method", []string{"chat.teleport"}},
		} {
			if c.args == nil {
				continue // covered by TestTriggersAreBriefAndForOnce
			}
			got := s.call(c.args[0], c.args[1:]...)
			word, _ := got["error"].(string)
			if got["ok"] == true {
				word = "ok"
			}
			if word != c.want {
				t.Errorf("%v: %v, want %s", c.args, got, c.want)
			}
		}
	})
}

func TestTokensAndScopes(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		json := func(body, token string) map[string]any {
			req, _ := http.NewRequest("POST", "http://slack.test/api/auth.test", strings.NewReader(body))
			req.Header.Set("Content-Type", "application/json")
			if token != "" {
				req.Header.Set("Authorization", "Bearer "+token)
			}
			res, err := s.web.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			return s.decode(res)
		}
		for want, got := range map[string]map[string]any{
			"not_authed":      json(`{"token":"`+s.app.BotToken+`"}`, ""), // a token in JSON is not looked at
			"invalid_auth":    json("", "xoxb-wrong"),
			"invalid_json":    json("{", s.app.BotToken),
			"json_not_object": json("[]", s.app.BotToken),
		} {
			if got["error"] != want {
				t.Errorf("%v, want %s", got, want)
			}
		}
		open, _ := http.NewRequest("POST", "http://slack.test/api/apps.connections.open", nil)
		open.Header.Set("Authorization", "Bearer "+s.app.BotToken)
		if res, err := s.web.Do(open); err != nil || s.decode(res)["error"] != "not_allowed_token_type" {
			t.Error("a bot token opens no socket")
		}
		res, err := s.web.Get("http://slack.test/api/auth.test?token=" + s.app.BotToken)
		if err != nil || s.decode(res)["error"] != "not_authed" {
			t.Error("a token in the query must not count")
		}
		s.EditApp(s.app.ID, func(a *slack.App) { a.Scopes = []string{"commands", "users:read"} })
		if got := s.call("chat.postMessage", "channel", approvals, "text", "x"); got["needed"] != "chat:write" || got["provided"] != "commands,users:read" {
			t.Errorf("missing scope: %v", got)
		}
		profile := s.call("users.info", "user", requester)["user"].(map[string]any)["profile"].(map[string]any)
		if _, ok := profile["email"]; ok {
			t.Error("an e-mail without users:read.email")
		}
		s.EditApp(s.app.ID, func(a *slack.App) { a.Revoked = "token_revoked" })
		if got := s.call("auth.test"); got["error"] != "token_revoked" {
			t.Errorf("revoked: %v", got)
		}
	})
}

func TestUpdateFollowsSlacksRules(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		ts, api, p := s.post(t, card("id-1")), s.api(), s.Person(approver)
		now := func() slack.Message { m := p.Messages(approvals); return m[len(m)-1] }
		if now().Blocks == nil || now().Text != "card" {
			t.Fatalf("%+v", now())
		}
		if _, _, _, err := api.UpdateMessageContext(s.ctx, approvals, ts, card("id-2")); err != nil {
			t.Fatal(err)
		}
		if now().Edited || now().Revision != 2 {
			t.Errorf("with blocks there is no edited mark: %+v", now())
		}
		if _, _, _, err := api.UpdateMessageContext(s.ctx, approvals, ts, slackgo.MsgOptionText("done", false)); err != nil {
			t.Fatal(err)
		}
		if now().Blocks != nil || !now().Edited {
			t.Errorf("text without blocks removes them: %+v", now())
		}
		if all := s.Revisions(approvals, ts); len(all) != 3 || all[0].Text != "card" {
			t.Errorf("revisions: %+v", all)
		}
		s.Turn(func(d *slack.Dials) { d.EditWindow = 60 })
		s.pass(time.Minute + 1)
		if got := s.call("chat.update", "channel", approvals, "ts", ts, "text", "x"); got["error"] != "edit_window_closed" {
			t.Errorf("%v", got)
		}
	})
}

func TestOneMessageASecondAChannel(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		api := s.api()
		post := func(channel string) error {
			_, _, err := api.PostMessageContext(s.ctx, channel, slackgo.MsgOptionText("x", false))
			return err
		}
		for range s.Dials().PostBurst {
			if err := post(approvals); err != nil {
				t.Fatal(err)
			}
		}
		var limited *slackgo.RateLimitedError
		if err := post(approvals); !errors.As(err, &limited) || limited.RetryAfter != time.Second {
			t.Fatalf("%v", err)
		}
		if err := post(requester); err != nil {
			t.Errorf("another channel is limited too: %v", err)
		}
		s.pass(limited.RetryAfter)
		if err := post(approvals); err != nil {
			t.Errorf("after Retry-After: %v", err)
		}
		if n := len(s.Person(approver).Messages(approvals)); n != s.Dials().PostBurst+1 {
			t.Errorf("%d messages: a limited call had an effect", n)
		}
	})
}

func TestTierLimits(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		s.Turn(func(d *slack.Dials) { d.PerMinute = map[string]int{"users.info": 2} })
		for want, n := 2, 0; ; n++ {
			if got := s.call("users.info", "user", requester); got["ok"] != true {
				if n != want || got["error"] != "ratelimited" {
					t.Errorf("after %d: %v", n, got)
				}
				break
			}
		}
		if got := s.call("auth.test"); got["ok"] != true {
			t.Errorf("other methods stay open: %v", got)
		}
	})
}

func TestFaults(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		api := s.api()
		post := func() error {
			_, _, err := api.PostMessageContext(s.ctx, approvals, slackgo.MsgOptionText("x", false))
			return err
		}
		seen := func() int { return len(s.Person(approver).Messages(approvals)) }
		var limited *slackgo.RateLimitedError
		s.Fail(slack.Fault{Method: "chat.postMessage", Status: 429, RetryAfter: 7})
		if err := post(); !errors.As(err, &limited) || limited.RetryAfter != 7*time.Second {
			t.Errorf("429: %v", err)
		}
		s.Fail(slack.Fault{Method: "chat.postMessage", Status: 429})
		if err := post(); err == nil || errors.As(err, &limited) && limited.RetryAfter != 7*time.Second {
			t.Errorf("429 without the header: %v", err)
		}
		for _, f := range []slack.Fault{{Status: 503}, {Kind: "reset"}, {Kind: "empty"}, {Kind: "bad_json"}, {Kind: "error", Error: "fatal_error"}} {
			for _, after := range []bool{false, true} {
				before := seen()
				f.Method, f.After = "chat.postMessage", after
				s.Fail(f)
				s.pass(2 * time.Second)
				if err := post(); err == nil {
					t.Errorf("%+v had no effect", f)
				}
				if (seen() == before+1) != after {
					t.Errorf("%+v: %d messages after %d", f, seen(), before)
				}
			}
		}
		s.Fail(slack.Fault{Method: "auth.test", Kind: "hang"})
		hung := *s.web
		hung.Timeout = time.Minute
		if _, err := hung.Get("http://slack.test/api/auth.test"); err == nil {
			t.Error("a hang answered")
		}
		s.Turn(func(d *slack.Dials) { d.Latency = map[string]slack.Seconds{"auth.test": 2.5} })
		began := time.Now()
		if s.call("auth.test"); time.Since(began) != 2500*time.Millisecond {
			t.Errorf("latency %v", time.Since(began))
		}
	})
}

func TestResponseURL(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		s.socket(ackAll(nil))
		urls := func() string {
			all := s.History(slack.Query{Kind: "envelope"})
			return all[len(all)-1].Request.(map[string]any)["response_url"].(string)
		}
		post := func(url, body string) string {
			res, err := s.web.Post(url, "application/json", strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			b, _ := io.ReadAll(res.Body)
			return string(b)
		}
		p := s.Person(requester)
		if _, err := p.Command(s.ctx, general, "/pag list"); err != nil {
			t.Fatal(err)
		}
		u := urls()
		if got := post(u, `{"text":"for you"}`); got != "ok" || len(s.Person(approver).Messages(general)) != 0 || len(p.Messages(general)) != 1 {
			t.Errorf("ephemeral by default: %s", got)
		}
		if post(u, `{"text":"for all","response_type":"in_channel"}`); len(s.Person(approver).Messages(general)) != 1 {
			t.Error("in_channel")
		}
		for range 3 {
			post(u, `{"text":"more"}`)
		}
		if got := post(u, `{"text":"a sixth"}`); !strings.Contains(got, "used_url") {
			t.Errorf("six uses: %s", got)
		}
		ts := s.post(t, card("id-1"))
		if _, err := p.Click(s.ctx, approvals, ts, "approve"); err != nil {
			t.Fatal(err)
		}
		u = urls()
		if post(u, `{"replace_original":"true","text":"replaced"}`); p.Messages(approvals)[0].Text != "replaced" {
			t.Error("not replaced")
		}
		if post(u, `{"delete_original":true}`); len(p.Messages(approvals)) != 0 {
			t.Error("not deleted")
		}
		s.pass(30*time.Minute + time.Second)
		if got := post(u, `{"text":"late"}`); !strings.Contains(got, "expired_url") {
			t.Errorf("after 30 min: %s", got)
		}
	})
}

func TestEphemeralsAreForOneClient(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		s.call("chat.postEphemeral", "channel", approvals, "user", requester, "text", "psst")
		s.EditUser(approver, func(u *slack.User) { u.Away = true })
		if got := s.call("chat.postEphemeral", "channel", approvals, "user", approver, "text", "psst"); got["ok"] != true {
			t.Errorf("no error for somebody away: %v", got)
		}
		m := s.Person(requester).Messages(approvals)
		if len(m) != 1 || !m[0].Ephemeral || len(s.Person(approver).Messages(approvals)) != 0 {
			t.Errorf("%+v", m)
		}
		if got := s.call("chat.update", "channel", approvals, "ts", m[0].TS, "text", "x"); got["error"] != "message_not_found" {
			t.Errorf("ephemerals cannot be updated: %v", got)
		}
		if s.Person(requester).Reload(); len(s.Person(requester).Messages(approvals)) != 0 {
			t.Error("ephemerals survive a reload")
		}
	})
}
