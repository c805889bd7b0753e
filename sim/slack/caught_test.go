package slack_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pagbot/sim/slack"
)

// What follows was caught by an outside reader, who compared the book with what
// strict clients saw.

// Dates have the tokens that Slack names, no others, and always a fallback:
// what lacks it stays as it was typed.
func TestDatesAreStrict(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		now := time.Now().Unix()
		for text, want := range map[string]string{
			fmt.Sprintf("<!date^%d^at {date_num}>", now):                                fmt.Sprintf("<!date^%d^at {date_num}>", now),
			fmt.Sprintf("<!date^%d^{time_pretty} {date_num_pretty} {DATE}|later>", now): "{time_pretty} {date_num_pretty} {DATE}",
			fmt.Sprintf("<!date^%d^{date_num}^https://x.example|later>", now):           "2000-01-01",
		} {
			if got := s.Person(approver).Text(slack.Message{Text: text}); got != want {
				t.Errorf("%s: %q, want %q", text, got, want)
			}
		}
	})
}

// debug_reconnects makes a life shorter, never longer.
func TestDebugReconnectsMakesNoLifeLonger(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		for _, c := range []struct{ life, want slack.Seconds }{{20, 20}, {3600, 360}, {0, 360}} {
			s.Turn(func(d *slack.Dials) { d.Lifetime = c.life })
			_, url, err := s.api().StartSocketModeContext(s.ctx)
			if err != nil {
				t.Fatal(err)
			}
			p, began := s.dialURL(url+"&debug_reconnects=true", acks), time.Now()
			<-p.done
			if lived := time.Since(began); lived < c.want.Duration() || lived > c.want.Duration()+15*time.Second {
				t.Errorf("a life of %v s lasted %v", c.life, lived)
			}
		}
	})
}

// A half-open connection is a ghost, and lives as long as one.
func TestHalfOpenSocketsAreForgottenAsGhostsAre(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		s.Turn(func(d *slack.Dials) { d.GhostLife = 60 })
		s.dial(acks)
		s.connected(1)
		s.HalfOpen(0)
		s.pass(59 * time.Second)
		before := len(s.Sockets())
		if s.pass(2 * time.Second); before != 1 || len(s.Sockets()) != 0 {
			t.Errorf("%d before a ghost's life was over, %d after it", before, len(s.Sockets()))
		}
	})
}

// Token rotation can't be switched off again; switched on, the app has other
// tokens at once. A refresh says what the token may do.
func TestRotationStaysOn(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		app := func() slack.App {
			for _, a := range s.Apps() {
				if a.ID == s.app.ID {
					return a
				}
			}
			return slack.App{}
		}
		s.EditApp(s.app.ID, func(a *slack.App) { a.Rotation = true })
		on := app()
		s.EditApp(s.app.ID, func(a *slack.App) { a.Rotation = false })
		if off := app(); !off.Rotation || !strings.HasPrefix(off.BotToken, "xoxe.xoxb-") || off.RefreshToken == "" || off.BotToken != on.BotToken {
			t.Errorf("%+v", off)
		}
		next := s.call("oauth.v2.access", "grant_type", "refresh_token", "client_id", on.ClientID, "client_secret", on.ClientSecret, "refresh_token", on.RefreshToken)
		if next["scope"] != strings.Join(on.Scopes, ",") {
			t.Errorf("%v", next)
		}
	})
}

// Opening a DM that is there already needs the scope of its kind, too.
func TestOpeningByChannelNeedsTheScopeOfItsKind(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		dm, _ := s.call("chat.postMessage", "channel", requester, "text", "hello")["channel"].(string)
		for scope, want := range map[string]string{"im:write": "ok", "mpim:write": "missing_scope", "chat:write": "missing_scope"} {
			s.EditApp(s.app.ID, func(a *slack.App) { a.Scopes = []string{scope} })
			if got := word(s.call("conversations.open", "channel", dm)); got != want {
				t.Errorf("with %s: %s", scope, got)
			}
		}
	})
}
