package slack

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// conversation finds a channel by id, for reading or writing by the app. With
// open, a user id stands for the DM with that user.
func (c *call) conversation(id string, open bool) (*channel, error) {
	if open && (strings.HasPrefix(id, "U") || strings.HasPrefix(id, "W")) {
		u := c.w.users[id]
		if u == nil || u.Bot || u.Deleted || c.stranger(u) {
			return nil, refuse("channel_not_found")
		}
		if c.dressed() {
			return c.w.slackbotDM(id), nil
		}
		ch, _ := c.w.dm(c.app, id)
		return ch, nil
	}
	ch := c.w.channels[id]
	if ch == nil || ((ch.Private || ch.direct() || c.elsewhere(ch)) && !ch.has(c.app.BotUser)) {
		return nil, refuse("channel_not_found")
	}
	return ch, nil
}

// elsewhere reports whether a channel is another workspace's, and not shared
// with the app's; an org-wide app's are all of its organization's.
func (c *call) elsewhere(ch *channel) bool {
	ours, theirs := c.w.teams[c.app.Team], c.w.teams[ch.Team]
	grid := c.app.OrgInstalled && theirs != nil && theirs.Enterprise != "" && theirs.Enterprise == ours.Enterprise
	return ch.Team != c.app.Team && !slices.Contains(ch.SharedTeams, c.app.Team) && !grid
}

// dressed reports whether a message wears another name or icon than the app's.
func (c *call) dressed() bool { return c.has("username") || c.has("icon_url") || c.has("icon_emoji") }

// slackbotDM is where dressed messages for a user id land.
func (w *World) slackbotDM(user string) *channel {
	id := "DSLACKBOT" + user[1:]
	if ch := w.channels[id]; ch != nil {
		return ch
	}
	return w.enter(Channel{ID: id, Team: w.users[user].Team, IM: user, Members: []string{user}, Created: w.cfg.Now().Unix()})
}

// writable checks that the app may post there.
func (c *call) writable(ch *channel) error {
	switch {
	case ch.Archived:
		return refuse("is_archived")
	case ch.Frozen != "":
		return refuse("restricted_action")
	case strings.HasPrefix(ch.ID, "DSLACKBOT"):
		return c.need("chat:write.customize")
	case ch.IM != "" && c.app.NoMessages:
		return refuse("messages_tab_disabled")
	case !ch.has(c.app.BotUser) && !slices.Contains(c.app.Scopes, "chat:write.public"):
		return refuse("not_in_channel")
	case ch.ReadOnly:
		return refuse("restricted_action_read_only_channel")
	}
	return nil
}

func (c *call) byApp(ct content) Message {
	return Message{User: c.app.BotUser, BotID: c.app.BotID, App: c.app.ID, Team: c.app.Team,
		Text: ct.text, packed: ct.packed, Metadata: ct.metadata}
}

func postMessage(c *call) (answer, error) {
	ch, err := c.conversation(c.str("channel"), true)
	if err == nil {
		err = c.writable(ch)
	}
	if err != nil {
		return nil, err
	}
	ct, err := c.content()
	if err != nil {
		return nil, err
	}
	if !ct.hasText && len(ct.blocks) == 0 && !c.has("attachments") {
		return nil, refuse("no_text")
	}
	if r := []rune(ct.text); len(r) > 40000 {
		ct.text = string(r[:40000])
	}
	m := c.byApp(ct)
	if thread := c.str("thread_ts"); thread != "" {
		parent := ch.live(thread)
		if parent == nil || parent.Ephemeral {
			return nil, refuse("cannot_reply_to_message")
		}
		m.Thread = thread
	}
	if after := c.w.take("post "+c.app.ID+ch.ID, c.app.dials.PostPerSecond, c.app.dials.PostBurst); after > 0 {
		return nil, throttle{after}
	}
	kept := c.w.add(ch, m)
	return answer{"channel": ch.ID, "ts": kept.TS, "message": kept.json()}, nil
}

// own finds a message of the app, for an update or a deletion.
func (c *call) own(refused string) (*channel, *message, error) {
	ch, err := c.conversation(c.str("channel"), false)
	if err != nil {
		return nil, nil, err
	}
	m := ch.live(c.str("ts"))
	switch {
	case m == nil || m.Ephemeral:
		return nil, nil, refuse("message_not_found")
	case m.App != c.app.ID:
		return nil, nil, refuse(refused)
	case ch.Archived:
		return nil, nil, refuse("is_inactive")
	}
	return ch, m, nil
}

func updateMessage(c *call) (answer, error) {
	ch, m, err := c.own("cant_update_message")
	if err != nil {
		return nil, err
	}
	ct, err := c.content()
	switch {
	case err != nil:
		return nil, err
	case len([]rune(ct.text)) > 4000:
		return nil, refuse("msg_too_long")
	case !ct.hasText && !ct.hasBlock && ct.metadata == nil && !c.has("attachments"):
		return nil, refuse("no_text")
	}
	if window := c.app.dials.EditWindow.Duration(); window > 0 && time.Since(firstAt(m)) > window {
		return nil, refuse("edit_window_closed")
	}
	c.w.change(m, func(m *Message) {
		if ct.hasText {
			m.Text = ct.text
		}
		if ct.hasText || ct.hasBlock { // text without blocks removes them
			m.rewrite(ct)
			m.Edited = len(ct.blocks) == 0
		}
		if ct.metadata != nil {
			m.Metadata = ct.metadata
		}
	})
	shown := m.json()
	delete(shown, "ts") // the answer has it beside the message, not in it
	return answer{"channel": ch.ID, "ts": m.TS, "text": m.Text, "message": shown}, nil
}

func firstAt(m *message) time.Time {
	if len(m.old) > 0 {
		return m.old[0].At
	}
	return m.At
}

func postEphemeral(c *call) (answer, error) {
	ch, err := c.conversation(c.str("channel"), false)
	if err == nil {
		err = c.writable(ch)
	}
	if err == nil && !ch.has(c.app.BotUser) {
		err = refuse("not_in_channel") // chat:write.public is not for these
	}
	if err != nil {
		return nil, err
	}
	u := c.w.users[c.str("user")]
	switch {
	case u == nil || u.Deleted || !ch.has(u.ID):
		return nil, refuse("user_not_in_channel")
	case u.Away && c.app.dials.AwayRefuses != "":
		return nil, refuse(c.app.dials.AwayRefuses)
	}
	ct, err := c.content()
	if err != nil {
		return nil, err
	}
	if !ct.hasText && len(ct.blocks) == 0 {
		return nil, refuse("no_text")
	}
	m := c.byApp(ct)
	m.Thread = c.str("thread_ts")
	answered := func(o *message) bool { return o.Thread == m.Thread && !o.Ephemeral && ch.live(o.TS) != nil }
	if m.Thread != "" && !slices.ContainsFunc(ch.messages, answered) {
		return answer{"message_ts": c.w.stamp()}, nil // nobody sees it, and nobody is told
	}
	return answer{"message_ts": c.w.whisper(ch, u, m)}, nil
}

// whisper shows an ephemeral message, if the person has a client open.
func (w *World) whisper(ch *channel, u *User, m Message) string {
	if u.Away {
		return w.stamp()
	}
	m.Ephemeral, m.To = true, u.ID
	return w.add(ch, m).TS
}

func deleteMessage(c *call) (answer, error) {
	ch, m, err := c.own("cant_delete_message")
	if err != nil {
		return nil, err
	}
	c.w.remove(ch, m)
	return answer{"channel": ch.ID, "ts": m.TS}, nil
}

func permalink(c *call) (answer, error) {
	ch, err := c.conversation(c.str("channel"), false)
	if err != nil {
		return nil, err
	}
	m := ch.live(c.str("message_ts"))
	if m == nil || m.Ephemeral {
		return nil, refuse("message_not_found")
	}
	return answer{"channel": ch.ID, "permalink": fmt.Sprintf("https://%s.slack.com/archives/%s/p%s",
		c.w.teams[ch.Team].Domain, ch.ID, strings.Replace(m.TS, ".", "", 1))}, nil
}
