package slack_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"pagbot/sim/slack"
)

// manage calls the management API and decodes the answer.
func (s *scene) manage(verb, path string, in any, out any) int {
	s.t.Helper()
	b, _ := json.Marshal(in)
	if in == nil {
		b = nil
	}
	req, _ := http.NewRequest(verb, "http://slack.test/manage/"+path, bytes.NewReader(b))
	res, err := s.web.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(out); err != nil && out != nil {
		s.t.Fatalf("%s %s: %v", verb, path, err)
	}
	return res.StatusCode
}

// A whole story over HTTP alone, as another process would live it.
func TestManageTellsAWholeStory(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		var out map[string]any
		var user slack.User
		if s.manage("POST", "users", map[string]any{"team_id": "T0CONTOSO", "name": "second", "tz": "Europe/Berlin"}, &user); user.ID == "" {
			t.Fatalf("%+v", user)
		}
		s.manage("PATCH", "channels/"+approvals, map[string]any{"members": []string{user.ID, approver, "U0BOT"}}, &out)
		if code := s.manage("PATCH", "users/"+user.ID, map[string]any{"is_owner": true, "nonsense": 1}, &out); code != 400 {
			t.Errorf("a misspelt name: %d", code)
		}
		var dials slack.Dials
		s.manage("PATCH", "dials", map[string]any{"ack_deadline": 1.5, "latency": map[string]any{"auth.test": 0.1}}, &dials)
		if dials.AckDeadline != 1.5 || dials.AckLimit != 20480 || s.Dials().AckDeadline != 1.5 {
			t.Errorf("%+v", dials)
		}
		s.socket(ackAll(nil))
		var reply slack.Reply
		s.manage("POST", "people/"+user.ID+"/command", map[string]any{"channel": general, "text": "/pag list"}, &reply)
		if reply.Envelope == "" || reply.Error != "" {
			t.Fatalf("%+v", reply)
		}
		var entries []slack.Entry
		s.manage("GET", "history?kind=envelope&user="+user.ID, nil, &entries)
		if len(entries) != 1 || !entries[0].Acked || entries[0].ID != reply.Envelope {
			t.Errorf("%+v", entries)
		}
		go func() {
			s.pass(2 * time.Second)
			s.post(t, card("id-1"))
		}()
		var messages []slack.ShownMessage
		s.manage("GET", "people/"+user.ID+"/messages?wait=5&contains=db-admin&channel="+approvals, nil, &messages)
		if len(messages) != 1 || messages[0].Shown != "*db-admin* for @requester\n[Approve]" {
			t.Fatalf("%+v", messages)
		}
		click := map[string]any{"channel": approvals, "ts": messages[0].TS, "action": "approve", "payload": map[string]any{"user": map[string]any{"id": outsider}}}
		if code := s.manage("POST", "people/"+user.ID+"/forge", click, &reply); code != 200 || reply.Error != "" {
			t.Errorf("%d %+v", code, reply)
		}
		if code := s.manage("POST", "redeliver", map[string]any{"envelope_id": reply.Envelope}, &out); code != 200 {
			t.Errorf("%d %v", code, out)
		}
		s.manage("POST", "faults", slack.Fault{Method: "auth.test", Kind: "error", Error: "fatal_error"}, &out)
		if got := s.call("auth.test"); got["error"] != "fatal_error" {
			t.Errorf("%v", got)
		}
		s.manage("POST", "sockets/disconnect", map[string]any{"reason": "link_disabled"}, &out)
		if out["sockets"] != 1.0 {
			t.Errorf("%v", out)
		}
		if code := s.manage("POST", "people/"+user.ID+"/fly", nil, &out); code != 400 {
			t.Errorf("%d", code)
		}
	})
}

func TestManageListsItself(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		res, err := s.web.Get("http://slack.test/manage/")
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if b, _ := io.ReadAll(res.Body); strings.Count(string(b), "\n") < 20 {
			t.Errorf("%s", b)
		}
	})
}
