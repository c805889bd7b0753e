package slack_test

import (
	"testing"

	"pagbot/sim/slack"
	"pagbot/sim/slack/official"
)

// In a day on which everything happens, every kind of what is sent and said is
// judged by Slack's own types, and each exception from them is needed.
func TestOfficialTypes(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		s.liveADay(t)
		s.liveOddly(t)
		idle, err := official.Idle(s.World)
		if err != nil {
			t.Fatal(err)
		}
		for _, what := range idle {
			t.Errorf("not needed, or never judged: %s", what)
		}
	})
}

const oddBlocks = `[{"type":"header","text":{"type":"plain_text","text":"Odd"}},{"type":"actions","block_id":"odd","elements":[
	{"type":"button","action_id":"odd","style":"primary","text":{"type":"plain_text","text":"Go"},"visible_to_user_ids":["U0APPROVER"]},
	{"type":"external_select","action_id":"pick","min_query_length":0}]},
	{"type":"data_visualization","title":"t","chart":{"type":"pie","segments":[{"label":"l","value":1}]}}]`

// liveOddly makes happen what liveADay leaves out.
func (s *scene) liveOddly(t *testing.T) {
	must := func(_ any, err error) {
		if err != nil {
			t.Error(err)
		}
	}
	s.Turn(func(d *slack.Dials) { d.PostPerSecond, d.Distribution, d.EnterpriseInstall = 0, "newest", "bool" })
	s.scopes("files:write", "files:read", "mpim:write", "im:write", "usergroups:read", s.Dials().MetadataScope)
	s.EditApp(s.app.ID, func(a *slack.App) {
		a.Shortcuts = append(a.Shortcuts, slack.Shortcut{Type: "message", Callback: "about"})
		a.Events = append(a.Events, "channel_id_changed")
	})
	var reply any
	peer, p := s.dial(func(id any) []any { return []any{map[string]any{"envelope_id": id, "payload": reply}} }), s.Person(approver)
	s.connected(3)
	trigger := func() string { id, _ := peer.last("payload")["trigger_id"].(string); return id }
	view := func(answer map[string]any) string { return answer["view"].(map[string]any)["id"].(string) }

	ts, _ := s.call("chat.postMessage", "channel", approvals, "text", "x", "blocks", oddBlocks, "attachments", `[{"text":"x"}]`,
		"metadata", `{"event_type":"card","event_payload":{"id":"1"}}`)["ts"].(string)
	answer, _ := s.call("chat.postMessage", "channel", approvals, "text", "x", "thread_ts", ts)["ts"].(string)
	s.call("chat.update", "channel", approvals, "ts", answer, "text", "y")
	must(p.Click(s.ctx, approvals, ts, "odd"))
	must(p.SuggestAt(s.ctx, slack.Click{Channel: approvals, TS: ts, Action: "pick"}, "abc"))
	must(p.Shortcut(s.ctx, "about", slack.Click{Channel: approvals, TS: ts}))
	modal := `{"type":"modal","title":{"type":"plain_text","text":"t"},"submit":{"type":"plain_text","text":"s"},"blocks":` + oddBlocks + `}`
	first := view(s.call("views.open", "trigger_id", trigger(), "view", modal))
	must(p.Press(s.ctx, first, "odd"))
	second := view(s.call("views.push", "trigger_id", trigger(), "view", modal))
	reply = map[string]any{"response_action": "clear"}
	must(p.Submit(s.ctx, second, nil))
	reply = nil
	s.call("views.publish", "user_id", requester, "view", `{"type":"home","blocks":`+oddBlocks+`}`)
	must(nil, s.Person(requester).OpenHome())
	must(s.Person(requester).Command(s.ctx, general, "/pag list"))
	s.Turn(func(d *slack.Dials) { d.ExtraFields = true })
	must(s.Person(requester).Command(s.ctx, general, "/pag list"))

	for _, call := range [][]string{{"api.test", "foo", "bar"}, {"oauth.v2.access", "code", "none"}, {"conversations.list"}, {"users.list"}, {"usergroups.list"}, {"usergroups.users.list", "usergroup", "S0NONE"},
		{"conversations.history", "channel", approvals, "include_all_metadata", "true"}, {"conversations.replies", "channel", approvals, "ts", ts},
		{"conversations.open", "users", requester + "," + approver, "return_im", "true"}, {"files.getUploadURLExternal", "filename", "a.png", "length", "3", "alt_txt", "a"},
		{"files.completeUploadExternal", "files", `[]`}, {"files.upload"}, {"files.info", "file", "F0"}, {"files.delete", "file", "F0"}, {"no.such"}} {
		s.call(call[0], call[1:]...)
	}
	s.StartShare(approvals)
	s.Turn(func(d *slack.Dials) { d.EventsPerHour = 1 })
	must(nil, s.Person(requester).OpenHome())
	s.pass(0)
	s.call("auth.revoke")
}
