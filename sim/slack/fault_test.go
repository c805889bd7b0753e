package slack_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	slackgo "github.com/slack-go/slack"

	"pagbot/sim/slack"
)

// neighbours adds a second app to the workspace, and gives each a connection.
func (s *scene) neighbours() (pag, other *slackgo.Client, quiet *peer) {
	s.t.Helper()
	second := s.AddApp(slack.App{ID: "A0OTHER", Name: "other", Team: "T0CONTOSO", Scopes: s.app.Scopes})
	s.dial(acks)
	other = slackgo.New(second.BotToken, slackgo.OptionAppLevelToken(second.AppToken),
		slackgo.OptionAPIURL("http://slack.test/api/"), slackgo.OptionHTTPClient(s.web))
	_, url, err := other.StartSocketModeContext(s.ctx)
	if err != nil {
		s.t.Fatal(err)
	}
	quiet = s.dialURL(url, silent)
	s.connected(2)
	return s.api(), other, quiet
}

// What befalls one app of a workspace leaves the other alone, and is not used
// up by its calls.
func TestFaultsForOneApp(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		pag, other, _ := s.neighbours()
		for name, f := range map[string]slack.Fault{
			"429": {Status: 429, RetryAfter: 9}, "503": {Status: 503}, "a broken connection": {Kind: "reset"}, "an error": {Kind: "error", Error: "fatal_error", After: true},
		} {
			f.Method, f.App = "auth.test", "A0PAG"
			s.manage("POST", "faults", f, nil)
			if _, err := other.AuthTest(); err != nil {
				t.Errorf("%s: it struck the other app: %v", name, err)
			}
			var limited *slackgo.RateLimitedError
			if _, err := pag.AuthTest(); err == nil || (f.RetryAfter > 0) != errors.As(err, &limited) {
				t.Errorf("%s: the app that it was for saw %v", name, err)
			}
			if _, err := pag.AuthTest(); err != nil {
				t.Errorf("%s: it struck twice: %v", name, err)
			}
		}
		for _, f := range []slack.Fault{{Method: "*", App: "A0NONE"}, {Method: "auth.tset"}, {Method: "*", Kind: "hagn"}} {
			if code := s.manage("POST", "faults", f, nil); code != http.StatusBadRequest {
				t.Errorf("%+v was taken: %d", f, code)
			}
		}
	})
}

// The same for an app's response URLs and connections.
func TestDisconnectsOfOneApp(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		_, _, quiet := s.neighbours()
		if _, err := s.Person(requester).Command(s.ctx, general, "/pag list"); err != nil {
			t.Fatal(err)
		}
		u := s.History(slack.Query{Kind: "envelope"})[0].Request.(map[string]any)["response_url"].(string)
		say := func() int {
			res, err := s.web.Post(u, "application/json", strings.NewReader(`{"text":"x"}`))
			if err != nil {
				t.Fatal(err)
			}
			_ = res.Body.Close()
			return res.StatusCode
		}
		s.Fail(slack.Fault{Method: "response_url", Status: 503, App: "A0OTHER"})
		s.Fail(slack.Fault{Method: "response_url", Status: 504, App: "A0PAG"})
		if one, two := say(), say(); one != 504 || two != 200 {
			t.Errorf("%d, then %d", one, two)
		}
		var out map[string]int
		s.manage("POST", "sockets/disconnect", map[string]any{"app": "A0PAG", "reason": "link_disabled"}, &out)
		s.pass(10 * time.Second)
		if left := s.Sockets(); out["sockets"] != 1 || quiet.types() != "hello" || len(left) != 1 || left[0].App != "A0OTHER" {
			t.Errorf("%v; left %v; the other app's connection heard %s", out, left, quiet.types())
		}
		if code := s.manage("POST", "sockets/reset", map[string]any{"app": "A0NONE"}, nil); code != http.StatusBadRequest {
			t.Errorf("the connections of an app that is not there: %d", code)
		}
	})
}
