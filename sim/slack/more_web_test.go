package slack_test

import (
	"io"
	"strings"
	"testing"
	"time"

	"pagbot/sim/slack"
)

// Each line is a dial of the Web API, a call, and Slack's word for it before
// and after the dial is turned.
func TestWebDials(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		s.EditUser(approver, func(u *slack.User) { u.Away = true })
		post := func(blocks string) []string {
			return []string{"chat.postMessage", "channel", approvals, "text", "x", "blocks", "[" + blocks + "]"}
		}
		value := func(n int) string {
			return actions(`{"type":"static_select","options":[{"text":{"type":"plain_text","text":"a"},"value":"` + strings.Repeat("x", n) + `"}]}`)
		}
		pie := `{"type":"data_visualization","title":"t","chart":{"type":"pie","segments":[` + repeat(12, `{"label":"l","value":1}`) + `]}}`
		s.Turn(func(d *slack.Dials) { d.PostPerSecond = 0 })
		s.let = []string{"maxLength: got 150, want 75", "at '/0/type': value must be one of"} // option_value_max, lenient_blocks
		for name, c := range map[string]struct {
			turn          func(*slack.Dials)
			args          []string
			before, after string
		}{
			"option_value_max":  {func(d *slack.Dials) { d.OptionValueMax = 150 }, post(value(150)), "invalid_blocks", "ok"},
			"chart_max":         {func(d *slack.Dials) { d.ChartMax = 6 }, post(pie), "ok", "invalid_blocks"},
			"refused_blocks":    {func(d *slack.Dials) { d.RefusedBlocks = []string{"data_visualization"} }, post(pie), "ok", "invalid_blocks"},
			"refuse_raw_number": {func(d *slack.Dials) { d.RefuseNumbers = true }, post(`{"type":"table","rows":[[{"type":"raw_number","value":1,"text":"1"}]]}`), "ok", "invalid_blocks"},
			"lenient_blocks":    {func(d *slack.Dials) { d.LenientBlocks = true }, post(`{"type":"blink"}`), "invalid_blocks", "ok"},
			"blocks_text_max":   {func(d *slack.Dials) { d.BlocksTextMax = 10 }, post(section("more than ten characters")), "ok", "msg_blocks_too_long"},
			"metadata_max": {func(d *slack.Dials) { d.MetadataMax = 10 }, []string{"chat.postMessage", "channel", approvals, "text", "x", "metadata", `{"event_type":"card","event_payload":{}}`},
				"ok", "metadata_too_large"},
			"away_refuses": {func(d *slack.Dials) { d.AwayRefuses = "user_not_in_channel" }, []string{"chat.postEphemeral", "channel", approvals, "user", approver, "text", "x"},
				"ok", "user_not_in_channel"},
		} {
			before := s.Dials()
			if got := word(s.call(c.args[0], c.args[1:]...)); got != c.before {
				t.Errorf("%s before: %s, want %s", name, got, c.before)
			}
			s.Turn(c.turn)
			if got := word(s.call(c.args[0], c.args[1:]...)); got != c.after {
				t.Errorf("%s after: %s, want %s", name, got, c.after)
			}
			s.Turn(func(d *slack.Dials) { *d = before })
		}
	})
}

func TestEditWindow(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		s.Turn(func(d *slack.Dials) { d.EditWindow = 60 })
		ts := s.post(t)
		s.pass(59 * time.Second)
		first := word(s.call("chat.update", "channel", approvals, "ts", ts, "text", "x"))
		s.pass(2 * time.Second)
		if got := word(s.call("chat.update", "channel", approvals, "ts", ts, "text", "y")); first != "ok" || got != "edit_window_closed" {
			t.Error(first, got)
		}
	})
}

func TestLatencyJitterAndWarnings(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		s.Turn(func(d *slack.Dials) { d.LatencyJitter, d.Warning = 2, "superfluous_charset" })
		took := map[time.Duration]bool{}
		for range 5 {
			began := time.Now()
			if got := s.call("auth.test"); got["warning"] != "superfluous_charset" {
				t.Errorf("%v", got)
			}
			took[time.Since(began)] = true
			if time.Since(began) > 2*time.Second {
				t.Errorf("took %v", time.Since(began))
			}
		}
		if len(took) < 4 {
			t.Errorf("always the same: %v", took)
		}
	})
}

func TestNoRetryAfter(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		for hide, want := range map[bool]string{false: "60", true: ""} {
			s.Turn(func(d *slack.Dials) { d.PerMinute, d.NoRetryAfter = map[string]int{"auth.test": 1}, hide })
			s.call("auth.test")
			res, err := s.web.PostForm("http://slack.test/api/auth.test", map[string][]string{"token": {s.app.BotToken}})
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if got := res.Header.Get("Retry-After"); res.StatusCode != 429 || got != want {
				t.Errorf("%d, Retry-After %q, want %q", res.StatusCode, got, want)
			}
			s.pass(2 * time.Minute)
		}
	})
}

func TestDressedMessagesLandAtSlackbot(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		args := []string{"channel", requester, "text", "I am somebody else", "username", "somebody"}
		if got := s.call("chat.postMessage", args...); got["needed"] != "chat:write.customize" {
			t.Errorf("%v", got)
		}
		s.scopes("chat:write.customize")
		got := s.call("chat.postMessage", args...)
		if got["channel"] == s.Person(requester).DM() || len(s.Person(requester).Messages(got["channel"].(string))) != 1 {
			t.Errorf("%v", got)
		}
	})
}

func TestResponseURLDials(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		s.Turn(func(d *slack.Dials) {
			d.ResponseUses, d.ResponseLife, d.ResponseUsed, d.ResponseExpired, d.DeleteAlone = 2, 60, "no_more", "too_old", true
		})
		p := s.dial(acks)
		s.connected(1)
		ts := s.post(t, card("id-1"))
		click := func() string {
			if _, err := s.Person(approver).Click(s.ctx, approvals, ts, "approve"); err != nil {
				t.Fatal(err)
			}
			return p.last("payload")["response_url"].(string)
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
		u := click()
		if got := post(u, `{"delete_original":true,"replace_original":false,"blocks":null}`); !strings.Contains(got, "no_text") || len(s.Person(approver).Messages(approvals)) != 1 {
			t.Errorf("not alone: %s", got)
		}
		if got := post(u, `{"text":"in the thread","replace_original":false,"thread_ts":"`+ts+`"}`); got != "ok" {
			t.Error(got)
		}
		if m := s.Person(approver).Messages(approvals); len(m) != 2 || m[1].Thread != ts {
			t.Errorf("%+v", m)
		}
		post(u, `{"text":"second"}`)
		if got := post(u, `{"text":"third"}`); !strings.Contains(got, "no_more") {
			t.Error(got)
		}
		u = click()
		if post(u, `{"delete_original":true}`); len(s.Person(requester).Messages(approvals)) != 0 {
			t.Error("not deleted")
		}
		s.pass(61 * time.Second)
		if got := post(u, `{"text":"late"}`); !strings.Contains(got, "too_old") {
			t.Error(got)
		}
	})
}
