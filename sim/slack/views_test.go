package slack_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	slackgo "github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"pagbot/sim/slack"
)

func card(value string) slackgo.MsgOption {
	button := slackgo.NewButtonBlockElement("approve", value, slackgo.NewTextBlockObject("plain_text", "Approve", false, false))
	return slackgo.MsgOptionBlocks(
		slackgo.NewSectionBlock(slackgo.NewTextBlockObject("mrkdwn", "*db-admin* for <@"+requester+">", false, false), nil, nil),
		slackgo.NewActionBlock("req", button))
}

func modal(submit string, optional bool) slackgo.ModalViewRequest {
	input := slackgo.NewInputBlock("reason", slackgo.NewTextBlockObject("plain_text", "Reason", false, false), nil,
		&slackgo.PlainTextInputBlockElement{Type: "plain_text_input", ActionID: "v", Multiline: true, MinLength: 3})
	input.Optional = optional
	v := slackgo.ModalViewRequest{Type: "modal", CallbackID: "decide", PrivateMetadata: "id-1", NotifyOnClose: true,
		Title:  slackgo.NewTextBlockObject("plain_text", "Approve?", false, false),
		Blocks: slackgo.Blocks{BlockSet: []slackgo.Block{input}}}
	if submit != "" {
		v.Submit = slackgo.NewTextBlockObject("plain_text", submit, false, false)
	}
	return v
}

// decider opens a modal at every click and answers submissions with answer.
func (s *scene) decider(answer func(slackgo.InteractionCallback) any) {
	api := s.api()
	s.socket(func(c *socketmode.Client, ev socketmode.Event) {
		click, ok := ev.Data.(slackgo.InteractionCallback)
		if !ok {
			return
		}
		var payload any
		if click.Type == slackgo.InteractionTypeViewSubmission {
			payload = answer(click)
		}
		if err := c.Ack(*ev.Request, payload); err != nil {
			s.t.Error(err)
		}
		if click.Type == slackgo.InteractionTypeBlockActions {
			if _, err := api.OpenViewContext(s.ctx, click.TriggerID, modal("Approve", false)); err != nil {
				s.t.Error(err)
			}
		}
	})
}

func (s *scene) post(t *testing.T, options ...slackgo.MsgOption) string {
	t.Helper()
	_, ts, err := s.api().PostMessageContext(s.ctx, approvals, append([]slackgo.MsgOption{slackgo.MsgOptionText("card", false)}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	return ts
}

func TestClickModalSubmit(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		s.decider(func(click slackgo.InteractionCallback) any {
			if v := click.View.State.Values["reason"]["v"].Value; v == "bad" {
				return slackgo.NewErrorsViewSubmissionResponse(map[string]string{"reason": "say more"})
			}
			return nil
		})
		ts, p := s.post(t, card("id-1")), s.Person(approver)
		if _, err := p.Click(s.ctx, approvals, ts, "deny"); err == nil || !strings.Contains(err.Error(), "approve") {
			t.Errorf("a button that is not there: %v", err)
		}
		if r, err := p.Click(s.ctx, approvals, ts, "approve"); err != nil || r.Error != "" {
			t.Fatal(r, err)
		}
		s.wait("modal", func(now slack.Snapshot) bool { return len(now.Views(approver)) == 1 })
		v := p.Views()[0]
		if v.PrivateMetadata != "id-1" || !strings.Contains(p.ViewText(v), "== Approve? ==\nReason: ____\n[Approve]") {
			t.Errorf("%s", p.ViewText(v))
		}
		for _, values := range []map[string]any{nil, {"reason": ""}, {"reason": "x"}, {"nowhere": "x"}} {
			if _, err := p.Submit(s.ctx, v.ID, values); err == nil {
				t.Errorf("the client sends %v", values)
			}
		}
		r, err := p.Submit(s.ctx, v.ID, map[string]any{"reason": "bad"})
		if err != nil || r.Errors["reason"] != "say more" || len(p.Views()) != 1 {
			t.Fatalf("%+v %v", r, err)
		}
		if r, err = p.Submit(s.ctx, v.ID, map[string]any{"v": "looks right"}); err != nil || r.Error != "" || len(p.Views()) != 0 {
			t.Fatalf("%+v %v", r, err)
		}
		if n := len(s.History(slack.Query{Kind: "envelope", User: approver})); n != 3 {
			t.Errorf("%d envelopes, want click and two submissions", n)
		}
	})
}

func TestSubmissionAnswers(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		var answer any
		s.decider(func(slackgo.InteractionCallback) any { return answer })
		ts, p := s.post(t, card("id-1")), s.Person(approver)
		open := func() string {
			if _, err := p.Click(s.ctx, approvals, ts, "approve"); err != nil {
				t.Fatal(err)
			}
			s.wait("modal", func(now slack.Snapshot) bool { return len(now.Views(approver)) == 1 })
			return p.Views()[0].ID
		}
		submit := func(id string, a any) slack.Reply {
			answer = a
			r, err := p.Submit(s.ctx, id, map[string]any{"reason": "because"})
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		second := modal("Sure", true)
		id := open()
		if r := submit(id, slackgo.NewUpdateViewSubmissionResponse(&second)); r.View.ID != id || r.View.Submit != "Sure" {
			t.Errorf("update: %+v", r.View)
		}
		if v := p.Views()[0].Values["reason"]["v"].(map[string]any)["value"]; v != "because" {
			t.Errorf("what was typed is gone after an update: %v", v)
		}
		for i := range 2 {
			if r := submit(p.Views()[i].ID, slackgo.NewPushViewSubmissionResponse(&second)); r.Error != "" || r.View.Previous == "" {
				t.Errorf("push %d: %+v", i, r)
			}
		}
		if r := submit(p.Views()[2].ID, slackgo.NewPushViewSubmissionResponse(&second)); r.Error != "trouble_connecting" {
			t.Errorf("a fourth modal: %+v", r)
		}
		bad := slackgo.NewErrorsViewSubmissionResponse(map[string]string{"nowhere": "?"})
		if r := submit(p.Views()[2].ID, bad); r.Error != "trouble_connecting" {
			t.Errorf("errors for no input block: %+v", r)
		}
		if r := submit(p.Views()[2].ID, nil); r.View == nil || len(p.Views()) != 2 {
			t.Errorf("a bare ack closes one: %+v", r)
		}
		if submit(p.Views()[1].ID, slackgo.NewClearViewSubmissionResponse()); len(p.Views()) != 0 {
			t.Error("clear closes all")
		}
		if r, err := p.Dismiss(s.ctx, open(), false); err != nil || r.Envelope == "" || len(p.Views()) != 0 {
			t.Errorf("view_closed was asked for: %+v %v", r, err)
		}
	})
}

func TestTriggersAreBriefAndForOnce(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		s.socket(ackAll(nil))
		ts := s.post(t, card("id-1"))
		trigger := func() string {
			if _, err := s.Person(approver).Click(s.ctx, approvals, ts, "approve"); err != nil {
				t.Fatal(err)
			}
			all := s.History(slack.Query{Kind: "envelope"})
			return all[len(all)-1].Request.(map[string]any)["trigger_id"].(string)
		}
		api, id := s.api(), trigger()
		open := func(id string) string {
			if _, err := api.OpenViewContext(s.ctx, id, modal("Approve", false)); err != nil {
				return err.Error()
			}
			return ""
		}
		if got := []string{open(id), open(id)}; !slices.Equal(got, []string{"", "exchanged_trigger_id"}) {
			t.Errorf("twice: %v", got)
		}
		id = trigger()
		s.pass(3001 * time.Millisecond)
		if got := open(id); got != "expired_trigger_id" {
			t.Errorf("late: %v", got)
		}
		if got := open("1.2.3"); got != "invalid_arguments" {
			t.Errorf("invented: %v", got)
		}
		if _, err := api.OpenViewContext(s.ctx, trigger(), modal("", false)); err == nil || !strings.Contains(err.Error(), "invalid_arguments") {
			t.Errorf("input without submit: %v", err)
		}
	})
}

func TestHomeTab(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		s.socket(ackAll(nil))
		p, api := s.Person(requester), s.api()
		if err := p.OpenHome(); err != nil {
			t.Fatal(err)
		}
		s.wait("event", func(now slack.Snapshot) bool {
			return len(now.History(slack.Query{Kind: "envelope", Name: "events_api"})) == 1
		})
		home := slackgo.HomeTabViewRequest{Type: "home", Blocks: slackgo.Blocks{BlockSet: []slackgo.Block{slackgo.NewDividerBlock()}}}
		first, err := api.PublishViewContext(s.ctx, slackgo.PublishViewContextRequest{UserID: requester, View: home})
		if err != nil {
			t.Fatal(err)
		}
		if _, err = api.PublishViewContext(s.ctx, slackgo.PublishViewContextRequest{UserID: requester, View: home, Hash: &first.Hash}); err != nil {
			t.Fatal(err)
		}
		if _, err = api.PublishViewContext(s.ctx, slackgo.PublishViewContextRequest{UserID: requester, View: home, Hash: &first.Hash}); err == nil || err.Error() != "hash_conflict" {
			t.Errorf("an old hash: %v", err)
		}
		if v, ok := p.Home(); !ok || v.Type != "home" {
			t.Errorf("%+v", v)
		}
	})
}

func TestForgedAndOldClicks(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		got := make(chan slackgo.InteractionCallback, 9)
		s.socket(func(c *socketmode.Client, ev socketmode.Event) {
			if click, ok := ev.Data.(slackgo.InteractionCallback); ok {
				_ = c.Ack(*ev.Request, nil)
				got <- click
			}
		})
		ts, p := s.post(t, card("id-1")), s.Person(approver)
		if _, _, _, err := s.api().UpdateMessageContext(s.ctx, approvals, ts, slackgo.MsgOptionText("approved", false)); err != nil {
			t.Fatal(err)
		}
		if _, err := p.Click(s.ctx, approvals, ts, "approve"); err == nil {
			t.Error("the button went with the update")
		}
		old := slack.Click{Channel: approvals, TS: ts, Action: "approve", Revision: 1}
		if _, err := p.Act(s.ctx, old); err != nil {
			t.Error(err)
		}
		if c := <-got; c.ActionCallback.BlockActions[0].Value != "id-1" || c.Message.Text != "card" || c.User.ID != approver {
			t.Errorf("old card: %+v", c)
		}
		if _, err := p.Forge(s.ctx, old, func(payload map[string]any) {
			payload["container"].(map[string]any)["message_ts"] = "1.000001"
			maps.Copy(payload["user"].(map[string]any), map[string]any{"id": outsider})
		}); err != nil {
			t.Error(err)
		}
		if c := <-got; c.Container.MessageTs != "1.000001" || c.User.ID != outsider {
			t.Errorf("forged: %+v", c.Container)
		}
		all := s.History(slack.Query{Kind: "envelope"})
		if !s.Redeliver(all[0].ID) {
			t.Error("no replay")
		}
		if c := <-got; c.User.ID != approver {
			t.Errorf("replay: %+v", c.User)
		}
		if _, err := s.Person(outsider).Command(s.ctx, approvals, "/pag list"); err == nil {
			t.Error("external people have no slash commands")
		}
		if _, err := s.Person(outsider).Act(s.ctx, old); err != nil {
			t.Errorf("external people can click: %v", err)
		}
	})
}
