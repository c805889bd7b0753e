package slack

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

func authTest(c *call) (answer, error) {
	t := c.w.teams[c.app.Team]
	out := answer{"url": "https://" + t.Domain + ".slack.com/", "team": t.Name, "user": c.w.users[c.app.BotUser].Name,
		"team_id": t.ID, "user_id": c.app.BotUser, "bot_id": c.app.BotID, "is_enterprise_install": false}
	if t.Enterprise != "" {
		out["enterprise_id"] = t.Enterprise
	}
	return out, nil
}

func conversationsOpen(c *call) (answer, error) {
	names := strings.Split(c.str("users"), ",")
	switch {
	case c.has("channel"):
		ch := c.w.channels[c.str("channel")]
		if ch == nil || ch.IM == "" {
			return nil, refuse("channel_not_found")
		}
		names = []string{ch.IM}
	case !c.has("users"):
		return nil, refuse("users_list_not_supplied")
	case len(names) > 8:
		return nil, refuse("too_many_users")
	case len(names) > 1:
		return nil, refuse("invalid_user_combination") // group DMs are not simulated
	}
	u := c.w.users[strings.TrimSpace(names[0])]
	switch {
	case u == nil:
		return nil, refuse("user_not_found")
	case u.Stranger:
		return nil, refuse("user_not_visible")
	case u.Deleted:
		return nil, refuse("user_disabled")
	case u.Bot:
		return nil, refuse("invalid_user_combination")
	}
	ch, opened := c.w.dm(c.app, u.ID)
	if !c.flag("return_im") {
		return answer{"channel": answer{"id": ch.ID}}, nil
	}
	return answer{"no_op": !opened, "already_open": !opened, "channel": answer{"id": ch.ID, "created": ch.Created,
		"is_im": true, "is_org_shared": false, "user": u.ID, "is_open": true}}, nil
}

func (c *call) readable() (*channel, error) {
	ch, err := c.conversation(c.str("channel"), false)
	if err != nil {
		return nil, err
	}
	scope := "channels:read"
	switch {
	case ch.IM != "":
		scope = "im:read"
	case ch.Private:
		scope = "groups:read"
	}
	if !slices.Contains(c.app.Scopes, scope) {
		return nil, refusal{"missing_scope", answer{"needed": scope, "provided": strings.Join(c.app.Scopes, ",")}}
	}
	return ch, nil
}

func conversationsInfo(c *call) (answer, error) {
	ch, err := c.readable()
	if err != nil {
		return nil, err
	}
	if ch.IM != "" {
		return answer{"channel": answer{"id": ch.ID, "created": ch.Created, "is_im": true, "is_org_shared": false,
			"is_archived": ch.Archived, "is_open": true, "context_team_id": ch.Team}}, nil
	}
	shared := ch.SharedTeams
	if shared == nil {
		shared = []string{ch.Team}
	}
	return answer{"channel": answer{"id": ch.ID, "name": ch.Name, "name_normalized": ch.Name, "created": ch.Created,
		"is_channel": !ch.Private, "is_group": ch.Private, "is_im": false, "is_mpim": false, "is_general": false,
		"is_private": ch.Private, "is_archived": ch.Archived, "is_member": ch.has(c.app.BotUser), "is_read_only": ch.ReadOnly,
		"is_shared": ch.ExtShared || ch.OrgShared, "is_ext_shared": ch.ExtShared, "is_org_shared": ch.OrgShared,
		"is_pending_ext_shared": ch.PendingExtShared, "pending_shared": []string{}, "shared_team_ids": shared,
		"context_team_id": ch.Team}}, nil
}

func conversationsMembers(c *call) (answer, error) {
	ch, err := c.readable()
	if err != nil {
		return nil, err
	}
	limit, _ := strconv.Atoi(c.str("limit"))
	if limit <= 0 {
		limit = 100
	}
	if limit >= 1000 {
		return nil, refuse("invalid_limit")
	}
	from := 0
	if cursor := c.str("cursor"); cursor != "" {
		n, err := strconv.Atoi(strings.TrimPrefix(cursor, "m"))
		if err != nil || n < 0 || n > len(ch.Members) {
			return nil, refuse("invalid_cursor")
		}
		from = n
	}
	to, next := min(from+limit, len(ch.Members)), ""
	if to < len(ch.Members) {
		next = "m" + strconv.Itoa(to)
	}
	return answer{"members": append([]string{}, ch.Members[from:to]...), "response_metadata": answer{"next_cursor": next}}, nil
}

func usersInfo(c *call) (answer, error) {
	u := c.w.users[c.str("user")]
	if u == nil {
		return nil, refuse("user_not_found")
	}
	return answer{"user": c.user(u)}, nil
}

func usersLookupByEmail(c *call) (answer, error) {
	for _, u := range c.w.users {
		if u.Email != "" && strings.EqualFold(u.Email, c.str("email")) && u.Team == c.app.Team && !u.Deleted && !u.Stranger {
			return answer{"user": c.user(u)}, nil
		}
	}
	return nil, refuse("users_not_found")
}

// user is a user object as this app's scopes let it be seen.
func (c *call) user(u *User) answer {
	profile := answer{"real_name": u.RealName, "display_name": u.Name, "team": u.Team}
	if slices.Contains(c.app.Scopes, "users:read.email") && u.Email != "" {
		profile["email"] = u.Email
	}
	out := answer{"id": u.ID, "team_id": u.Team, "name": u.Name, "real_name": u.RealName, "profile": profile,
		"deleted": u.Deleted, "is_bot": u.Bot, "is_app_user": u.AppUser, "updated": c.w.cfg.Now().Unix()}
	if u.Bot && u.ID == c.app.BotUser {
		profile["api_app_id"], profile["bot_id"] = c.app.ID, c.app.BotID
	}
	if u.Deleted {
		return out // deactivated users lack the rest
	}
	_, offset := c.w.cfg.Now().In(zone(u)).Zone()
	for name, v := range map[string]any{"is_admin": u.Admin, "is_owner": u.Owner, "is_primary_owner": false,
		"is_restricted": u.Restricted, "is_ultra_restricted": u.UltraRestricted, "is_email_confirmed": true,
		"tz": zone(u).String(), "tz_label": zone(u).String(), "tz_offset": offset} {
		out[name] = v
	}
	for name, is := range map[string]bool{"is_stranger": u.Stranger, "is_workflow_bot": u.WorkflowBot, "is_connector_bot": u.ConnectorBot} {
		if is {
			out[name] = true
		}
	}
	if t := c.w.teams[u.Team]; t != nil && t.Enterprise != "" {
		out["enterprise_user"] = answer{"id": u.ID, "enterprise_id": t.Enterprise, "enterprise_name": t.EnterpriseName, "teams": []string{u.Team}}
	}
	return out
}

func zone(u *User) *time.Location {
	if u != nil && u.TZ != "" {
		if loc, err := time.LoadLocation(u.TZ); err == nil {
			return loc
		}
	}
	return time.UTC
}
