package slack

import (
	"slices"
	"strings"
)

// conversationScope is the family of scopes of each kind of conversation, as
// conversations.list's types name the kinds.
var conversationScope = map[string]string{"public_channel": "channels", "private_channel": "groups", "im": "im", "mpim": "mpim"}

func (c *Channel) kind() string {
	switch {
	case c.IM != "":
		return "im"
	case c.MPIM:
		return "mpim"
	case c.Private:
		return "private_channel"
	}
	return "public_channel"
}

// direct reports whether only those in it know of it.
func (c *Channel) direct() bool { return c.IM != "" || c.MPIM }

// need refuses unless the bot token has a scope.
func (c *call) need(scope string) error {
	if slices.Contains(c.app.Scopes, scope) {
		return nil
	}
	return refusal{"missing_scope", answer{"needed": scope, "provided": strings.Join(c.app.Scopes, ",")}}
}

// readable finds a channel that the app may read or, for its history, look into.
func (c *call) readable(what string) (*channel, error) {
	ch, err := c.conversation(c.str("channel"), false)
	if err != nil {
		return nil, err
	}
	return ch, c.need(conversationScope[ch.kind()] + ":" + what)
}

// conversationsOpen opens a DM, or with several people a group DM.
func conversationsOpen(c *call) (answer, error) {
	names := strings.Split(c.str("users"), ",")
	switch {
	case c.has("channel"):
		ch := c.w.channels[c.str("channel")]
		if ch == nil || !ch.direct() || !ch.has(c.app.BotUser) {
			return nil, refuse("channel_not_found")
		}
		return c.opened(ch, false), c.need(conversationScope[ch.kind()] + ":write")
	case !c.has("users"):
		return nil, refuse("users_list_not_supplied")
	}
	var people []string
	for _, name := range names {
		u := c.w.users[strings.TrimSpace(name)]
		switch {
		case u == nil:
			return nil, refuse("user_not_found")
		case u.ID == c.app.BotUser || slices.Contains(people, u.ID):
			continue // the bot is left out
		case c.stranger(u):
			return nil, refuse("user_not_visible")
		case u.Deleted:
			return nil, refuse("user_disabled")
		case u.Bot:
			return nil, refuse("invalid_user_combination")
		}
		people = append(people, u.ID)
	}
	switch {
	case len(people) > 8:
		return nil, refuse("too_many_users")
	case len(people) == 0:
		return nil, refuse("invalid_user_combination")
	case len(people) > 1:
		return c.openGroup(people)
	}
	if err := c.need("im:write"); err != nil {
		return nil, err
	}
	if c.flag("prevent_creation") && c.w.channels[c.w.dmID(c.app, people[0])] == nil {
		return nil, refuse("channel_not_found")
	}
	ch, opened := c.w.dm(c.app, people[0])
	return c.opened(ch, opened), nil
}

// openGroup finds or opens the group DM of the app's bot with these people.
func (c *call) openGroup(people []string) (answer, error) {
	if err := c.need("mpim:write"); err != nil {
		return nil, err
	}
	all := append(people, c.app.BotUser)
	slices.Sort(all)
	for _, ch := range c.w.channels {
		if ch.MPIM && slices.Equal(ch.Members, all) {
			return c.opened(ch, false), nil
		}
	}
	if c.flag("prevent_creation") {
		return nil, refuse("channel_not_found")
	}
	names := []string{}
	for _, id := range all {
		names = append(names, c.w.users[id].Name)
	}
	ch := c.w.enter(Channel{ID: c.w.id("C"), Team: c.app.Team, Name: "mpdm-" + strings.Join(names, "--") + "-1", Private: true, MPIM: true,
		Members: all, Created: c.w.cfg.Now().Unix()})
	return c.opened(ch, true), nil
}

func (c *call) opened(ch *channel, now bool) answer {
	if !c.flag("return_im") {
		return answer{"channel": answer{"id": ch.ID}}
	}
	return answer{"no_op": !now, "already_open": !now, "channel": c.describe(ch)}
}

func conversationsInfo(c *call) (answer, error) {
	ch, err := c.readable("read")
	if err != nil {
		return nil, err
	}
	return answer{"channel": c.describe(ch)}, nil
}

// describe is a conversation as the app sees it.
func (c *call) describe(ch *channel) answer {
	if ch.IM != "" {
		return answer{"id": ch.ID, "created": ch.Created, "is_im": true, "is_org_shared": false, "user": ch.IM,
			"is_archived": ch.Archived, "is_open": true, "context_team_id": ch.Team}
	}
	shared := ch.SharedTeams
	if shared == nil {
		shared = []string{ch.Team}
	}
	out := answer{"id": ch.ID, "name": ch.Name, "name_normalized": ch.Name, "created": ch.Created,
		"is_channel": !ch.Private, "is_group": ch.Private && !ch.MPIM, "is_im": false, "is_mpim": ch.MPIM, "is_general": false,
		"is_private": ch.Private, "is_archived": ch.Archived, "is_member": ch.has(c.app.BotUser), "is_read_only": ch.ReadOnly,
		"is_shared": ch.ExtShared || ch.OrgShared, "is_ext_shared": ch.ExtShared, "is_org_shared": ch.OrgShared,
		"is_pending_ext_shared": ch.PendingExtShared, "pending_shared": []string{}, "shared_team_ids": shared,
		"context_team_id": c.app.Team}
	if ch.Frozen != "" {
		out["is_frozen"], out["frozen_reason"] = true, ch.Frozen
	}
	return out
}
