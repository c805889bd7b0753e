package slack

import (
	"slices"
	"strings"
	"time"
)

// tokenLife is how long a bot token lives under rotation; activeTokens how many
// of one app work at once.
const (
	tokenLife    = 12 * time.Hour
	activeTokens = 2
)

// issued is a bot token under rotation.
type issued struct {
	value   string
	until   time.Time
	revoked bool
}

// rotating gives an app what rotation needs; the caller holds the lock.
func (a *App) rotating(w *World) {
	if !a.Rotation {
		return
	}
	a.BotToken = "xoxe.xoxb-1-" + w.secret(20)
	a.RefreshToken = "xoxe-1-" + w.secret(20)
	if a.ClientID == "" {
		a.ClientID, a.ClientSecret = w.id(""), w.secret(16)
	}
}

// issue makes a token valid; the oldest of too many is revoked.
func (a *app) issue(value string) {
	a.BotToken = value
	a.issued = append(a.issued, &issued{value: value, until: time.Now().Add(tokenLife)})
	for _, old := range a.issued[:max(0, len(a.issued)-activeTokens)] {
		old.revoked = true
	}
}

// rotated finds a token under rotation.
func (a *app) rotated(value string) *issued {
	i := slices.IndexFunc(a.issued, func(t *issued) bool { return t.value == value })
	if i < 0 {
		return nil
	}
	return a.issued[i]
}

// oauthAccess is the refresh grant of token rotation. A refresh token works
// once.
func oauthAccess(c *call) (answer, error) {
	i := slices.IndexFunc(c.w.apps, func(a *app) bool { return a.ClientID != "" && a.ClientID == c.str("client_id") })
	switch {
	case i < 0:
		return nil, refuse("invalid_client_id")
	case c.w.apps[i].ClientSecret != c.str("client_secret"):
		return nil, refuse("bad_client_secret")
	case c.str("grant_type") != "refresh_token":
		return nil, refuse("invalid_grant_type")
	case c.str("refresh_token") != c.w.apps[i].RefreshToken:
		return nil, refuse("invalid_refresh_token")
	}
	a := c.w.apps[i]
	a.RefreshToken = "xoxe-1-" + c.w.secret(20)
	a.issue("xoxe.xoxb-1-" + c.w.secret(20))
	return answer{"access_token": a.BotToken, "token_type": "bot", "refresh_token": a.RefreshToken, "expires_in": int(tokenLife.Seconds()),
		"scope": strings.Join(a.Scopes, ","), "is_enterprise_install": a.OrgInstalled,
		"bot_user_id": a.BotUser, "app_id": a.ID, "team": answer{"id": a.Team, "name": c.w.teams[a.Team].Name}}, nil
}

// authRevoke ends the calling token.
func authRevoke(c *call) (answer, error) {
	if c.flag("test") {
		return answer{"revoked": false}, nil
	}
	if t := c.app.rotated(c.token); t != nil {
		t.revoked = true
		return answer{"revoked": true}, nil
	}
	c.app.BotRevoked = "token_revoked"
	return answer{"revoked": true}, nil
}
