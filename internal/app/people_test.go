package app

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slack-go/slack"

	"pagbot/activation"
	"pagbot/graph/signin"
	"pagbot/sim/pipe"
	sim "pagbot/sim/slack"
)

// TestMembers reads people from Slack: who is none, and whose e-mail counts.
func TestMembers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := sim.New(sim.Config{Seed: 1, BaseURL: "http://slack.test"})
		wire := &pipe.Net{}
		stop := wire.Serve("slack.test", w.Handler())
		web := wire.Client()
		defer func() { w.Close(); stop(); web.CloseIdleConnections() }()
		w.AddTeam(sim.Team{ID: "T0CONTOSO", Name: "Contoso"})
		w.AddTeam(sim.Team{ID: "T0FABRIKAM", Name: "Fabrikam"})
		w.AddUser(sim.User{ID: "U0MEMBER", Team: "T0CONTOSO", Name: "member", Email: "member@contoso.example"})
		a := w.AddApp(sim.App{Name: "pagbot", Team: "T0CONTOSO", Scopes: []string{"users:read", "users:read.email"}})
		api := slack.New(a.BotToken, slack.OptionAPIURL("http://slack.test/api/"), slack.OptionHTTPClient(web))
		me, err := api.AuthTestContext(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		m := members{api, me}
		ask := func() (signin.Member, error) {
			return m.Member(t.Context(), activation.SlackUser{Team: "T0CONTOSO", ID: "U0MEMBER"})
		}
		if got, err := ask(); err != nil || got != (signin.Member{Name: "member", Team: "Contoso", Mail: "member@contoso.example", Active: true}) {
			t.Errorf("%+v %v", got, err)
		}
		for name, edit := range map[string]func(*sim.User){
			"deactivated": func(u *sim.User) { u.Deleted = true }, "a guest": func(u *sim.User) { u.Restricted = true }, "a single-channel guest": func(u *sim.User) { u.UltraRestricted = true },
			"a bot": func(u *sim.User) { u.Bot = true }, "of another team": func(u *sim.User) { u.Team = "T0FABRIKAM" },
		} {
			var was sim.User
			w.EditUser("U0MEMBER", func(u *sim.User) { was = *u; edit(u) })
			if got, err := ask(); err == nil && got.Active {
				t.Errorf("%s: %+v", name, got)
			}
			w.EditUser("U0MEMBER", func(u *sim.User) { *u = was })
		}
		if _, err := m.Member(t.Context(), activation.SlackUser{Team: "T0CONTOSO", ID: "U0NOBODY"}); !errors.Is(err, signin.ErrNoAccount) {
			t.Errorf("nobody: %v", err)
		}
		w.Fail(sim.Fault{Method: "users.info", Kind: "status", Status: 429, RetryAfter: 7, Count: 2})
		began := time.Now()
		if got, err := ask(); err != nil || !got.Active || time.Since(began) < 14*time.Second {
			t.Errorf("limited: %+v %v after %v", got, err, time.Since(began))
		}
	})
}

// TestPrintPeople reads as a person would.
func TestPrintPeople(t *testing.T) {
	for body, want := range map[string]string{
		`[]`: "Nobody is known yet.",
		`[{"slack":"U0REQUESTER","person":"requester","object":"3cce9d87-3986-4f19-8335-7ed075408ca2","name":"adm-requester@contoso.example","by":"file"}]`: "U0REQUESTER  requester  adm-requester@contoso.example  3cce9d87-3986-4f19-8335-7ed075408ca2  file      never signed in  -",
	} {
		var out bytes.Buffer
		if err := PrintPeople(&out, []byte(body)); err != nil || !strings.Contains(out.String(), want) {
			t.Errorf("%v:\n%s", err, out.String())
		}
	}
	for what, body := range map[string]string{"allow": `{"slack":"U0A","until":"2026-03-02T09:00:00Z"}`, "unbind": `{"slack":"U0A","unbound":2,"file":1,"called_off":1}`, "signout": `{"signed_out":3}`, "rotate": `{"key":2,"resealed":1}`} {
		var out bytes.Buffer
		if err := PrintTold(&out, what, []byte(body)); err != nil || !strings.HasSuffix(out.String(), ".\n") {
			t.Errorf("%s: %v %q", what, err, out.String())
		}
	}
}
