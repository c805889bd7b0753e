package slack

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// A trigger lets an app open one modal, soon.
type trigger struct {
	app   *app
	user  string
	view  *view // the modal it came from, if any
	until time.Time
	used  bool
}

func (w *World) trigger(a *app, user string, from *view) string {
	id := fmt.Sprintf("%d.%d.%s", 10000000000+w.rng.Int64N(9e10), 10000000000+w.rng.Int64N(9e10), strings.ToLower(w.secret(16)))
	w.triggers[id] = &trigger{app: a, user: user, view: from, until: time.Now().Add(a.dials.TriggerLife.Duration())}
	return id
}

// eventScope is the scope that an event needs beside the subscription.
var eventScope = map[string]string{"app_mention": "app_mentions:read", "message.channels": "channels:history",
	"message.groups": "groups:history", "message.im": "im:history", "message.mpim": "mpim:history"}

// hears reports whether an app gets an event.
func (w *World) hears(a *app, event string) bool {
	scope := eventScope[event]
	if event == "app_home_opened" {
		scope = a.dials.HomeEventScope
	}
	return a.Revoked == "" && slices.Contains(a.Events, event) && (scope == "" || slices.Contains(a.Scopes, scope))
}

// slashPayload is a slash command's payload (facts: Slack §2.1).
func (w *World) slashPayload(a *app, u *User, c *channel, name, text string) map[string]any {
	t := w.teams[a.Team]
	out := map[string]any{"token": "legacy", "team_id": t.ID, "team_domain": t.Domain, "channel_id": c.ID,
		"channel_name": a.shownName(c), "user_id": u.ID, "user_name": u.Name, "command": name, "text": text,
		"api_app_id": a.ID, "response_url": w.responseURL("commands", responseURL{app: a, user: u.ID, channel: c.ID}),
		"trigger_id": w.trigger(a, u.ID, nil)}
	if t.Enterprise != "" {
		out["enterprise_id"], out["enterprise_name"] = t.Enterprise, t.EnterpriseName
	}
	switch a.dials.EnterpriseInstall {
	case "string":
		out["is_enterprise_install"] = fmt.Sprint(a.OrgInstalled)
	case "bool":
		out["is_enterprise_install"] = a.OrgInstalled
	}
	return out
}

// shownName is what payloads call a channel: all DMs alike, and all private ones.
func (a *app) shownName(c *channel) string {
	switch {
	case c.IM != "":
		return "directmessage"
	case c.Private && !a.dials.TrueChannelNames:
		return "privategroup"
	}
	return c.Name
}

var mention = regexp.MustCompile(`[@#][\pL\pN._-]*[\pL\pN_-]|https?://[^\s<>"]+`)

// escape turns mentions and links into what should_escape promises.
func (w *World) escape(team, text string) string {
	return mention.ReplaceAllStringFunc(text, func(word string) string {
		switch word[0] {
		case '@':
			for _, u := range w.users {
				if u.Team == team && u.Name == word[1:] {
					return "<@" + u.ID + ">"
				}
			}
		case '#':
			for _, c := range w.channels {
				if c.Team == team && c.Name != "" && c.Name == word[1:] {
					return "<#" + c.ID + "|" + c.publicName() + ">"
				}
			}
		default:
			return "<" + word + ">"
		}
		return word
	})
}

func (c *channel) publicName() string {
	if c.Private {
		return ""
	}
	return c.Name
}
