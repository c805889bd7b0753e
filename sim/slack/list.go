package slack

import (
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// page reads cursor and limit for a list of n: what to show, and where the next
// page begins. A cursor is good for the method that made it, and for no other.
func (c *call) page(n, most int) (from, to int, meta answer, err error) {
	limit := 100
	if c.has("limit") {
		if limit, err = strconv.Atoi(c.str("limit")); err != nil || limit < 1 || limit > most {
			return 0, 0, nil, refuse("invalid_limit")
		}
	}
	if c.has("cursor") {
		raw, err := base64.StdEncoding.DecodeString(c.str("cursor"))
		at, ours := strings.CutPrefix(string(raw), c.method+":")
		if from, _ = strconv.Atoi(at); err != nil || !ours || from <= 0 || from > n {
			return 0, 0, nil, refuse("invalid_cursor")
		}
	}
	next := ""
	if to = min(from+limit, n); to < n {
		next = base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%s:%d", c.method, to))
	}
	return from, to, answer{"next_cursor": next}, nil
}

// team is the workspace that a list is about; an org-wide token must name it.
func (c *call) team() (string, error) {
	id := c.str("team_id")
	switch {
	case !c.app.OrgInstalled:
		return c.app.Team, nil
	case id == "":
		return "", refuse("missing_argument")
	case c.w.teams[id] == nil || c.w.teams[id].Enterprise != c.w.teams[c.app.Team].Enterprise:
		return "", refuse("team_access_not_granted")
	}
	return id, nil
}

func conversationsMembers(c *call) (answer, error) {
	ch, err := c.readable("read")
	if err != nil {
		return nil, err
	}
	from, to, meta, err := c.page(len(ch.Members), 999)
	if err != nil {
		return nil, err
	}
	return answer{"members": append([]string{}, ch.Members[from:to]...), "response_metadata": meta}, nil
}

// conversationsList lists what the app may know of: all public channels, and
// what it is in, by the types asked for.
func conversationsList(c *call) (answer, error) {
	team, err := c.team()
	if err != nil {
		return nil, err
	}
	types := []string{"public_channel"}
	if c.has("types") {
		types = strings.Split(c.str("types"), ",")
	}
	for _, t := range types {
		if conversationScope[t] == "" {
			return nil, refuse("invalid_types")
		}
		if err := c.need(conversationScope[t] + ":read"); err != nil {
			return nil, err
		}
	}
	var all []*channel
	for _, id := range slices.Sorted(maps.Keys(c.w.channels)) {
		ch := c.w.channels[id]
		ours := ch.Team == team || slices.Contains(ch.SharedTeams, team)
		open := ch.kind() == "public_channel" || ch.has(c.app.BotUser)
		if ours && open && slices.Contains(types, ch.kind()) && (!ch.Archived || !c.flag("exclude_archived")) {
			all = append(all, ch)
		}
	}
	from, to, meta, err := c.page(len(all), 999)
	if err != nil {
		return nil, err
	}
	list := []any{}
	for _, ch := range all[from:to] {
		shown := c.describe(ch)
		delete(shown, "is_read_only") // what only conversations.info says
		delete(shown, "is_open")
		list = append(list, shown)
	}
	return answer{"channels": list, "response_metadata": meta}, nil
}

func usersList(c *call) (answer, error) {
	team, err := c.team()
	if err != nil {
		return nil, err
	}
	var all []*User
	for _, id := range slices.Sorted(maps.Keys(c.w.users)) {
		if u := c.w.users[id]; u.Team == team && !u.Stranger {
			all = append(all, u)
		}
	}
	from, to, meta, err := c.page(len(all), 1000)
	if err != nil {
		return nil, err
	}
	list := []any{}
	for _, u := range all[from:to] {
		list = append(list, c.user(u))
	}
	return answer{"members": list, "cache_ts": c.w.cfg.Now().Unix(), "response_metadata": meta}, nil
}

// conversationsHistory shows a channel, the newest first; threads only by their
// parents.
func conversationsHistory(c *call) (answer, error) {
	return c.read(func(m *message) bool { return m.Thread == "" || m.Thread == m.TS }, true)
}

// conversationsReplies shows a thread, its parent first.
func conversationsReplies(c *call) (answer, error) {
	ts := c.str("ts")
	ch, err := c.readable("history")
	switch {
	case err != nil:
		return nil, err
	case ch.live(ts) == nil:
		return nil, refuse("thread_not_found")
	}
	return c.read(func(m *message) bool { return m.TS == ts || m.Thread == ts }, false)
}

func (c *call) read(fits func(*message) bool, newestFirst bool) (answer, error) {
	ch, err := c.readable("history")
	if err != nil {
		return nil, err
	}
	if !ch.has(c.app.BotUser) {
		return nil, refuse("not_in_channel")
	}
	var all []*message
	for _, m := range ch.messages {
		inside := m.TS > c.str("oldest") && (!c.has("latest") || m.TS < c.str("latest"))
		if fits(m) && !m.Ephemeral && inside {
			all = append(all, m)
		}
	}
	if newestFirst {
		slices.Reverse(all)
	}
	from, to, meta, err := c.page(len(all), 999)
	if err != nil {
		return nil, err
	}
	list, replies := []any{}, map[string]int{}
	for _, m := range ch.messages {
		replies[m.Thread]++
	}
	for _, m := range all[from:to] {
		shown := m.json()
		if n := replies[m.TS]; n > 0 {
			shown["thread_ts"], shown["reply_count"] = m.TS, n
		}
		if !c.flag("include_all_metadata") || c.need(c.app.dials.MetadataScope) != nil {
			delete(shown, "metadata")
		}
		list = append(list, shown)
	}
	return answer{"messages": list, "has_more": to < len(all), "response_metadata": meta}, nil
}
