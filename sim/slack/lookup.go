package slack

import (
	"slices"
	"strings"
	"sync"
	"time"
)

func authTest(c *call) (answer, error) {
	t := c.w.teams[c.app.Team]
	out := answer{"url": "https://" + t.Domain + ".slack.com/", "team": t.Name, "user": c.w.users[c.app.BotUser].Name,
		"team_id": t.ID, "user_id": c.app.BotUser, "bot_id": c.app.BotID, "is_enterprise_install": c.app.OrgInstalled}
	if t.Enterprise != "" {
		out["enterprise_id"] = t.Enterprise
	}
	return out, nil
}

func usersInfo(c *call) (answer, error) {
	u := c.w.users[c.str("user")]
	if u == nil {
		return nil, refuse("user_not_found")
	}
	return answer{"user": c.user(u)}, nil
}

// usersLookupByEmail needs both scopes (facts: Slack §6.5).
func usersLookupByEmail(c *call) (answer, error) {
	if err := c.need("users:read"); err != nil {
		return nil, err
	}
	for _, u := range c.w.byMail(c.str("email")) {
		if u.Team == c.app.Team && !u.Deleted && !u.Stranger {
			return answer{"user": c.user(u)}, nil
		}
	}
	return nil, refuse("users_not_found")
}

// byMail finds people in an index that every change of a user drops.
func (w *World) byMail(mail string) []*User {
	if w.mails == nil {
		w.mails = map[string][]*User{}
		for _, u := range w.users {
			if u.Email != "" {
				key := strings.ToLower(u.Email)
				w.mails[key] = append(w.mails[key], u)
			}
		}
	}
	return w.mails[strings.ToLower(mail)]
}

// foreign reports whether a user is of another organization than the app.
func (c *call) foreign(u *User) bool {
	ours, theirs := c.w.teams[c.app.Team], c.w.teams[u.Team]
	return u.Team != c.app.Team && (theirs == nil || theirs.Enterprise == "" || theirs.Enterprise != ours.Enterprise)
}

// meets reports whether a user is in a channel with the app.
func (c *call) meets(u *User) bool {
	for _, ch := range c.w.channels {
		if ch.has(u.ID) && ch.has(c.app.BotUser) {
			return true
		}
	}
	return false
}

// stranger reports whether a user is of elsewhere and never met.
func (c *call) stranger(u *User) bool { return u.Stranger || (c.foreign(u) && !c.meets(u)) }

// user is a user object as this app's scopes let it be seen.
func (c *call) user(u *User) answer {
	profile := answer{"real_name": u.RealName, "display_name": u.Name, "team": u.Team}
	if slices.Contains(c.app.Scopes, "users:read.email") && u.Email != "" {
		profile["email"] = u.Email
	}
	out := answer{"id": u.ID, "team_id": u.Team, "name": u.Name, "real_name": u.RealName, "profile": profile,
		"deleted": u.Deleted, "is_bot": u.Bot, "is_app_user": u.AppUser, "updated": u.Updated}
	if u.Bot && u.ID == c.app.BotUser {
		profile["api_app_id"], profile["bot_id"] = c.app.ID, c.app.BotID
	}
	if u.Deleted {
		return out // deactivated users lack the rest
	}
	foreign := c.foreign(u)
	if foreign || u.Stranger {
		out["is_stranger"] = c.stranger(u)
	}
	for _, only := range []struct {
		name string
		is   bool
	}{{"is_workflow_bot", u.WorkflowBot}, {"is_connector_bot", u.ConnectorBot}, {"is_invited_user", u.Invited}} {
		if only.is {
			out[only.name] = true
		}
	}
	c.standing(u, out, foreign)
	if t := c.w.teams[u.Team]; t != nil && t.Enterprise != "" {
		out["enterprise_user"] = answer{"id": u.ID, "enterprise_id": t.Enterprise, "enterprise_name": t.EnterpriseName, "teams": []string{u.Team}}
	}
	return out
}

// standing adds what a user is in the workspace, and where they live. Externals
// have no locale, and by a dial no more than that.
func (c *call) standing(u *User, out answer, foreign bool) {
	if c.flag("include_locale") && !foreign {
		out["locale"] = u.Locale
		if u.Locale == "" {
			out["locale"] = "en-US"
		}
	}
	if foreign && c.app.dials.BareExternals {
		return
	}
	_, offset := c.w.cfg.Now().In(zone(u)).Zone()
	out["is_admin"], out["is_owner"], out["is_primary_owner"] = u.Admin, u.Owner, false
	out["is_restricted"], out["is_ultra_restricted"] = u.Restricted, u.UltraRestricted
	out["tz"], out["tz_label"], out["tz_offset"] = zone(u).String(), zone(u).String(), offset
	if !c.app.dials.HideConfirmed {
		out["is_email_confirmed"], out["has_2fa"] = true, u.MFA
	}
}

// zones are the time zones that were looked up; reading one is slow.
var zones sync.Map

func zone(u *User) *time.Location {
	if u == nil || u.TZ == "" {
		return time.UTC
	}
	if loc, ok := zones.Load(u.TZ); ok {
		return loc.(*time.Location)
	}
	loc, err := time.LoadLocation(u.TZ)
	if err != nil {
		loc = time.UTC
	}
	zones.Store(u.TZ, loc)
	return loc
}
