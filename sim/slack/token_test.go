package slack_test

import (
	"testing"
	"time"

	"pagbot/sim/slack"
)

func TestTokensUnderRotation(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		a := s.AddApp(slack.App{Name: "rotating", Team: "T0CONTOSO", Rotation: true})
		as := func(token string) string { return word(s.call("auth.test", "token", token)) }
		refresh := func(token string) map[string]any {
			return s.call("oauth.v2.access", "grant_type", "refresh_token", "client_id", a.ClientID, "client_secret", a.ClientSecret, "refresh_token", token)
		}
		first, second := a.BotToken, refresh(a.RefreshToken)
		if first[:9] != "xoxe.xoxb" || second["expires_in"] != 43200.0 || as(first) != "ok" || as(second["access_token"].(string)) != "ok" {
			t.Fatalf("two tokens are good at once: %v", second)
		}
		if got := word(refresh(a.RefreshToken)); got != "invalid_refresh_token" {
			t.Errorf("a refresh token twice: %s", got)
		}
		third := refresh(second["refresh_token"].(string))
		if as(first) != "token_revoked" || as(second["access_token"].(string)) != "ok" {
			t.Error("the oldest of three is revoked")
		}
		s.pass(12*time.Hour + time.Second)
		if got := as(third["access_token"].(string)); got != "token_expired" {
			t.Errorf("after 12 h: %s", got)
		}
		for _, c := range [][2]string{{"client_id", "invalid_client_id"}, {"client_secret", "bad_client_secret"}} {
			args := map[string]string{"client_id": a.ClientID, "client_secret": a.ClientSecret, c[0]: "wrong"}
			if got := word(s.call("oauth.v2.access", "client_id", args["client_id"], "client_secret", args["client_secret"], "grant_type", "refresh_token")); got != c[1] {
				t.Errorf("%s, want %s", got, c[1])
			}
		}
	})
}

func TestRevokingOneOfTheTokens(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		open := func() string {
			if _, _, err := s.api().StartSocketModeContext(s.ctx); err != nil {
				return err.Error()
			}
			return "ok"
		}
		s.EditApp(s.app.ID, func(a *slack.App) { a.AppRevoked = "account_inactive" })
		if got := [2]string{open(), word(s.call("auth.test"))}; got != [2]string{"account_inactive", "ok"} {
			t.Error(got)
		}
		s.EditApp(s.app.ID, func(a *slack.App) { a.AppRevoked = "" })
		if got := word(s.call("auth.revoke")); got != "ok" {
			t.Error(got)
		}
		if got := [2]string{open(), word(s.call("auth.test"))}; got != [2]string{"ok", "token_revoked"} {
			t.Error(got)
		}
	})
}

func TestSwitchingSocketModeOff(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		p := s.dial(acks)
		s.connected(1)
		s.EditApp(s.app.ID, func(a *slack.App) { a.NoSocketMode = true })
		if <-p.done; p.types() != "hello disconnect:link_disabled" {
			t.Error(p.types())
		}
		if _, _, err := s.api().StartSocketModeContext(s.ctx); err == nil {
			t.Error("it opens again")
		}
	})
}
