package slack_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	slackgo "github.com/slack-go/slack"

	"pagbot/sim/slack"
)

// data finds the schemas beside the repository, and skips the test without them.
func data(t *testing.T, name string) string {
	t.Helper()
	p, ok := dataFile(t, name)
	if !ok {
		t.Skipf("no ../shared/data/%s", name)
	}
	return p
}

func dataFile(t *testing.T, name string) (string, bool) {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; ; dir = filepath.Dir(dir) {
		for _, shared := range []string{"shared", "../shared"} {
			p := filepath.Join(dir, shared, "data", name)
			if _, err := os.Stat(p); !errors.Is(err, fs.ErrNotExist) {
				return p, true
			}
		}
		if dir == filepath.Dir(dir) {
			return "", false
		}
	}
}

// compiler reads each file once for all tests, which take turns.
var compiler = sync.OnceValue(jsonschema.NewCompiler)

func schema(t *testing.T, path string) *jsonschema.Schema {
	t.Helper()
	s, err := compiler().Compile(path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// plain is a value as it looks on the wire.
func plain(t *testing.T, v any) any {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	out, err := jsonschema.UnmarshalJSON(strings.NewReader(string(b)))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Everything that the simulator sends has the shapes of Slack's official types.
func TestWireShapes(t *testing.T) {
	inbound := data(t, "slack-inbound.schema.json")
	stage(t, func(t *testing.T, s *scene) {
		s.liveADay(t)
		kinds := map[string]*jsonschema.Schema{}
		for name, kind := range map[string]string{"slash": "slash_commands", "button": "block_actions", "submit": "view_submission",
			"closed": "view_closed", "home": "app_home_opened", "mention": "app_mention", "shortcut": "shortcut", "message": "message"} {
			kinds[kind] = schema(t, inbound+"#/properties/"+name)
		}
		seen := map[string]bool{}
		for _, e := range s.History(slack.Query{Kind: "envelope"}) {
			payload := plain(t, e.Request).(map[string]any)
			kind, _ := payload["type"].(string)
			switch e.Name {
			case "slash_commands":
				kind = e.Name
			case "events_api":
				payload = payload["event"].(map[string]any)
				kind, _ = payload["type"].(string)
			}
			seen[kind] = true
			leaveOut(payload)
			if err := kinds[kind].Validate(payload); err != nil {
				t.Errorf("%s: %v", kind, err)
			}
		}
		if len(seen) != len(kinds) {
			t.Errorf("the day had only %v", seen)
		}
		answers := map[string]*jsonschema.Schema{}
		for _, e := range s.History(slack.Query{Kind: "call"}) {
			file := responseFile(inbound, e.Name)
			if _, err := os.Stat(file); err != nil {
				continue
			}
			if answers[e.Name] == nil {
				answers[e.Name] = schema(t, file+"#/properties/r")
			}
			body := plain(t, e.Answer)
			leaveOutOfViews(body)
			if err := answers[e.Name].Validate(body); err != nil {
				t.Errorf("%s: %v", e.Name, err)
			}
		}
		if len(answers) != 13 {
			t.Errorf("only %v were checked", answers)
		}
	})
}

// leaveOut takes away what real payloads were seen to have and the types deny.
func leaveOut(payload map[string]any) {
	if enterprise, ok := payload["enterprise"]; ok && enterprise == nil {
		delete(payload, "enterprise")
	}
	if user, ok := payload["user"].(map[string]any); ok && payload["type"] != "block_actions" && payload["type"] != "shortcut" {
		delete(user, "username")
	}
}

// leaveOutOfViews takes away the nulls and the state that the documentation's
// own examples of views have and the types deny.
func leaveOutOfViews(body any) {
	view, ok := body.(map[string]any)["view"].(map[string]any)
	if !ok {
		return
	}
	maps.DeleteFunc(view, func(_ string, v any) bool { return v == nil })
	delete(view, "state")
}

func responseFile(beside, method string) string {
	var name strings.Builder
	for part := range strings.SplitSeq(method, ".") {
		name.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return filepath.Join(filepath.Dir(beside), "slack-responses", name.String()+"Response.json")
}

// liveADay makes one of everything happen.
func (s *scene) liveADay(t *testing.T) {
	s.decider(func(slackgo.InteractionCallback) any { return nil })
	go func() { // what slack-go's loop above leaves unacked is acked by a peer
		s.dial(acks)
	}()
	s.connected(2)
	s.Turn(func(d *slack.Dials) { d.Distribution = "newest" })
	ts, p, api := s.post(t, card("id-1")), s.Person(approver), s.api()
	must := func(_ any, err error) {
		if err != nil {
			t.Error(err)
		}
	}
	must(s.Person(requester).Command(s.ctx, general, "/pag list"))
	s.EditApp(s.app.ID, func(a *slack.App) {
		a.Shortcuts = []slack.Shortcut{{Type: "global", Callback: "ask"}}
		a.Events, a.Scopes = append(a.Events, "message.groups"), append(a.Scopes, "groups:history")
	})
	must(p.Say(approvals, "<@U0BOT> status", ""))
	must(p.Shortcut(s.ctx, "ask", slack.Click{}))
	must(nil, p.OpenHome())
	s.Turn(func(d *slack.Dials) { d.Distribution = "oldest" })
	for range 2 {
		must(p.Click(s.ctx, approvals, ts, "approve"))
		s.wait("modal", func(now slack.Snapshot) bool { return len(now.Views(approver)) == 1 })
		id := p.Views()[0].ID
		if len(s.History(slack.Query{Name: "views.update"})) == 0 {
			must(api.UpdateViewContext(s.ctx, modal("Approve", false), "", "", id))
			must(p.Submit(s.ctx, id, map[string]any{"reason": "because"}))
		} else {
			must(p.Dismiss(s.ctx, id, true))
		}
	}
	home := slackgo.HomeTabViewRequest{Type: "home", Blocks: slackgo.Blocks{BlockSet: []slackgo.Block{slackgo.NewDividerBlock()}}}
	must(api.PublishViewContext(s.ctx, slackgo.PublishViewContextRequest{UserID: requester, View: home}))
	must(api.AuthTestContext(s.ctx))
	must(api.GetUserInfoContext(s.ctx, requester))
	must(api.GetUserInfoContext(s.ctx, outsider))
	must(api.GetUserByEmailContext(s.ctx, "approver@contoso.example"))
	must(api.GetConversationInfoContext(s.ctx, &slackgo.GetConversationInfoInput{ChannelID: approvals}))
	members, _, err := api.GetUsersInConversationContext(s.ctx, &slackgo.GetUsersInConversationParameters{ChannelID: approvals})
	must(members, err)
	channel, _, _, err := api.OpenConversationContext(s.ctx, &slackgo.OpenConversationParameters{Users: []string{requester}, ReturnIM: true})
	must(channel, err)
	must(api.PostEphemeralContext(s.ctx, approvals, approver, slackgo.MsgOptionText("psst", false)))
	_, _, _, err = api.UpdateMessageContext(s.ctx, approvals, ts, card("id-2"))
	must(nil, err)
	must(api.GetPermalinkContext(s.ctx, &slackgo.PermalinkParameters{Channel: approvals, Ts: ts}))
	_, _, err = api.DeleteMessageContext(s.ctx, approvals, ts)
	must(nil, err)
}
