package bot

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/slack-go/slack"

	"pagbot/activation"
	sim "pagbot/sim/slack"
)

func TestNewWantsItsParts(t *testing.T) {
	if _, err := New(Config{}); err == nil {
		t.Error("a bot of nothing")
	}
	b, err := New(Config{API: slack.New("xoxb-1"), Engine: newDesk(), Directory: newDirectory(), People: people{}})
	if err != nil || b.HTTP == nil || b.Portal == "" || b.Now == nil || b.Log == nil || b.World(3) != 3 {
		t.Errorf("%+v %v", b, err)
	}
}

// What is wrong at the start is said in one line each, with what to do.
func TestStart(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*world)
		says   string
	}{
		"well":           {func(*world) {}, ""},
		"a bad token":    {func(w *world) { w.EditApp("A0PAG", func(a *sim.App) { a.Revoked = "token_revoked" }) }, "xoxb-"},
		"no such":        {func(w *world) { w.bot.Groups[0].Channel = "C0NOWHERE" }, "does not see channel C0NOWHERE"},
		"not invited":    {func(w *world) { w.bot.Groups[0].Channel = general }, "invite it there"},
		"archived":       {func(w *world) { w.EditChannel(channel, func(c *sim.Channel) { c.Archived = true }) }, "is archived"},
		"shared":         {func(w *world) { w.EditChannel(channel, func(c *sim.Channel) { c.ExtShared = true }) }, "shared with another organization"},
		"being shared":   {func(w *world) { w.EditChannel(channel, func(c *sim.Channel) { c.PendingExtShared = true }) }, "shared with another organization"},
		"a scope lacks":  {func(w *world) { w.EditApp("A0PAG", func(a *sim.App) { a.Scopes = []string{"chat:write"} }) }, "missing_scope, needs channels:read"},
		"Slack is down":  {func(w *world) { w.Fail(sim.Fault{Method: "conversations.info", Kind: "status", Status: 503, Count: 9}) }, "can't be read"},
		"not even hello": {func(w *world) { w.Fail(sim.Fault{Method: "auth.test", Kind: "status", Status: 503}) }, "503"},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, nil, func(t *testing.T, w *world) {
				c.change(w)
				err := w.bot.Start(w.ctx)
				if c.says == "" {
					if err != nil {
						t.Error(err)
					}
					return
				}
				if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(c.says, "xoxb") && strings.Contains(err.Error(), "\n") {
					t.Errorf("%v; want %q", err, c.says)
				}
			})
		})
	}
}

// On Enterprise Grid the enterprise is who we are, whatever the workspace.
func TestGrid(t *testing.T) {
	b := &Bot{team: "T1", enterprise: "E1"}
	if b.Team() != "E1" || !b.within("T2", "E1") || b.within("T1", "") || b.within("T1", "E2") {
		t.Error("on Grid only the enterprise counts")
	}
	if b := (&Bot{team: "T1"}); b.Team() != "T1" || !b.within("T1", "") || b.within("T2", "") {
		t.Error("elsewhere the team does")
	}
	if (&Bot{}).within("", "") {
		t.Error("before Start nobody is ours")
	}
}

func TestTellBound(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		w.bot.TellBound(w.ctx, requester)
		has(t, "the DM", w.dm(requester.Slack.ID), "*adm_requester@contoso.example*", "tell an administrator")
		w.Fail(sim.Fault{Method: "chat.postMessage", Kind: "status", Status: 500})
		w.bot.TellBound(w.ctx, requester)
	})
}

// What Slack does not send must not hurt either; nothing of it becomes an input.
func FuzzRead(f *testing.F) {
	for _, s := range []string{
		``, `null`, `{`, `[]`, `{"type":"hello"}`, `{"type":"slash_commands","payload":7}`, `{"type":"interactive","payload":[]}`,
		`{"type":"slash_commands","payload":{"command":"/pag","text":"activate db_admins \"why\"","user_id":"U0REQUESTER","team_id":"T0CONTOSO","api_app_id":"A0PAG"}}`,
		`{"type":"slash_commands","payload":{"text":"help","response_url":"::"}}`,
		`{"type":"interactive","payload":{"type":"block_actions","actions":[null]}}`,
		`{"type":"interactive","payload":{"type":"block_actions","user":{"id":"U0APPROVER","team_id":"T0CONTOSO"},"api_app_id":"A0PAG","container":{"message_ts":"1.1","channel_id":"C1"},"actions":[{"action_id":"approve","block_id":"pag|card|x","value":"abcdefghij"}]}}`,
		`{"type":"interactive","payload":{"type":"block_actions","actions":[{"action_id":"finish","block_id":"|||","value":""}]}}`,
		`{"type":"interactive","payload":{"type":"view_submission","user":{"id":"U0APPROVER","team_id":"T0CONTOSO"},"api_app_id":"A0PAG","view":{"callback_id":"vote","private_metadata":"{\"id\":\"abcdefghij\",\"deed\":\"approve\"}","state":{"values":{"reason":{"v":{"value":"x"}}}}}}}`,
		`{"type":"interactive","payload":{"type":"view_submission","view":{"callback_id":"finish","private_metadata":"null","state":null}}}`,
		`{"type":"events_api","payload":{"event":{"type":"app_home_opened"}}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		refuse := &http.Client{Transport: refuses{}}
		d := newDesk()
		d.put(scene(activation.AwaitingApproval))
		b, err := New(Config{API: slack.New("xoxb-1", slack.OptionHTTPClient(refuse)), HTTP: refuse, AppID: "A0PAG", Engine: d, Directory: newDirectory(), People: people{}, SignIn: stamp{}})
		if err != nil {
			t.Fatal(err)
		}
		b.team = "T0CONTOSO"
		// Nobody can be looked up here, so nobody may be let in.
		for _, last := range []bool{false, true} {
			if id, in, _ := b.Read(t.Context(), activation.Kept{ID: "e", Raw: json.RawMessage(raw), At: noon, Last: last}); in != nil || id != "" {
				t.Fatalf("%s: %s %+v", raw, id, in)
			}
		}
	})
}

// refuses is a network in which nothing answers.
type refuses struct{}

func (refuses) RoundTrip(*http.Request) (*http.Response, error) { return nil, errBroken }

// Envelopes with odd contents, that Slack could send or somebody forge, from
// people who may do everything.
func TestOddEnvelopes(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		a := scene(activation.AwaitingApproval)
		w.posted(a)
		from := func(kind string, more map[string]any) map[string]any {
			p := map[string]any{"type": kind, "user": map[string]any{"id": approver.Slack.ID}, "team": map[string]any{"id": "T0CONTOSO"}, "api_app_id": "A0PAG"}
			for k, v := range more {
				p[k] = v
			}
			return p
		}
		view := func(callback, meta string) map[string]any {
			return from("view_submission", map[string]any{"view": map[string]any{"callback_id": callback, "private_metadata": meta}})
		}
		for name, p := range map[string]map[string]any{
			"no action":         from("block_actions", map[string]any{"actions": []any{}}),
			"an unknown action": from("block_actions", map[string]any{"actions": []any{map[string]any{"action_id": "x", "block_id": "y"}}}),
			"a closed view":     from("view_closed", nil),
			"an unknown form":   view("x", `{"id":"`+a.ID+`"}`),
			"no metadata":       view("vote", ""),
			"an unknown deed":   view("vote", `{"id":"`+a.ID+`","deed":"deactivate"}`),
			"no id":             view("vote", `{"deed":"approve"}`),
		} {
			if _, err := w.Inject(w.ctx, "A0PAG", "interactive", p); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if in := w.heard(); len(in) != 0 || w.failure != nil {
				t.Errorf("%s: %+v %v", name, in, w.failure)
			}
		}
		// Where the user's team is left out, the payload's is taken.
		if _, err := w.Inject(w.ctx, "A0PAG", "interactive", view("vote", `{"id":"`+a.ID+`","deed":"deny"}`)); err != nil {
			t.Fatal(err)
		}
		w.settle()
		if in := w.heard(); len(in) != 1 {
			t.Errorf("%+v %s", in, w.dm(approver.Slack.ID))
		}
	})
}
