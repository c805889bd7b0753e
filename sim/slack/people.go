package slack

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Person is a handle on one user: what they can do and see. It needs no
// closing; an id that nobody has makes every deed an error.
type Person struct {
	w  *World
	ID string
}

// Reply is what a person sees right after doing something.
type Reply struct {
	Envelope string            `json:"envelope_id,omitempty"`
	Latency  time.Duration     `json:"latency,omitempty"` // until the ack
	Payload  map[string]any    `json:"payload,omitempty"` // of the ack
	Error    string            `json:"error,omitempty"`   // operation_timeout, dispatch_failed, trouble_connecting: Slack says it failed
	Message  *Message          `json:"message,omitempty"` // a command's immediate answer
	Errors   map[string]string `json:"errors,omitempty"`  // a form's, by block id
	View     *View             `json:"view,omitempty"`    // the modal now on top
	URL      string            `json:"url,omitempty"`     // that a link button opened
}

func (v verdict) reply() Reply {
	return Reply{Envelope: v.id, Latency: v.after, Payload: v.payload, Error: v.failed}
}

// Person returns the handle of a user id.
func (w *World) Person(id string) *Person { return &Person{w, id} }

// DM is the id of the conversation with the only, or the named, app's bot;
// looking at it opens it.
func (p *Person) DM(appID ...string) string {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	a := p.w.app(strings.Join(appID, ""))
	if a == nil || p.w.users[p.ID] == nil {
		return ""
	}
	c, _ := p.w.dm(a, p.ID)
	return c.ID
}

// Messages are what this person sees in a channel, oldest first, ephemeral ones
// too.
func (p *Person) Messages(channel string) []Message {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	c := p.w.channels[channel]
	if c == nil || !p.w.sees(c, p.ID) {
		return nil
	}
	var all []Message
	for _, m := range c.messages {
		if !m.Ephemeral || m.To == p.ID {
			all = append(all, m.open())
		}
	}
	return all
}

// Reload is what reloading the client does: ephemeral messages are gone.
func (p *Person) Reload() {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	for _, c := range p.w.channels {
		kept := c.messages[:0:0]
		for _, m := range c.messages {
			if m.gone = m.To == p.ID; !m.gone {
				kept = append(kept, m)
			}
		}
		c.messages = kept
	}
	p.w.touch()
}

// Command types a slash command, such as "/pag list", in a channel, and waits
// for what the person sees: the ack's message, or Reply.Error. The error is for
// what the client itself refuses.
func (p *Person) Command(ctx context.Context, channel, text string) (Reply, error) {
	p.w.mu.Lock()
	d, a, err := p.command(channel, text)
	if err != nil {
		p.w.mu.Unlock()
		return Reply{}, err
	}
	d.late = func(payload map[string]any) {
		p.w.commandAnswered(a, p.ID, channel, text, verdict{id: d.entry.ID, payload: payload})
	}
	p.w.mu.Unlock()
	v, err := p.w.send(ctx, d)
	if err != nil {
		return v.reply(), err
	}
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	return p.w.commandAnswered(a, p.ID, channel, text, v), nil
}

func (p *Person) command(channel, text string) (*delivery, *app, error) {
	u, c, err := p.at(channel)
	if err != nil {
		return nil, nil, err
	}
	name, rest, _ := strings.Cut(strings.TrimSpace(text), " ")
	a, cmd := p.w.commandOf(u.Team, name)
	switch {
	case a == nil:
		return nil, nil, fmt.Errorf("%s is not a valid command in this workspace", name)
	case c.Archived:
		return nil, nil, errors.New("the channel is archived")
	}
	rest = strings.TrimSpace(rest)
	if cmd.Escape {
		rest = p.w.escape(u.Team, rest)
	}
	return p.w.envelope(a, "slash_commands", u.ID, true, p.w.slashPayload(a, u, c, name, rest), nil), a, nil
}

// at checks that the person can be where they want to act.
func (p *Person) at(channel string) (*User, *channel, error) {
	u, c := p.w.users[p.ID], p.w.channels[channel]
	switch {
	case u == nil:
		return nil, nil, fmt.Errorf("no user %s", p.ID)
	case u.Deleted:
		return nil, nil, fmt.Errorf("user %s is deactivated and cannot do anything", p.ID)
	case c == nil || !p.w.sees(c, p.ID):
		return nil, nil, fmt.Errorf("user %s cannot see channel %q", p.ID, channel)
	}
	return u, c, nil
}

// commandOf finds the app of a command, which needs the scope; the last
// installed wins.
func (w *World) commandOf(team, name string) (*app, Command) {
	for i := len(w.apps) - 1; i >= 0; i-- {
		if a := w.apps[i]; a.Team == team && a.Revoked == "" && slices.Contains(a.Scopes, "commands") {
			for _, c := range a.Commands {
				if c.Name == name {
					return a, c
				}
			}
		}
	}
	return nil, Command{}
}

// commandAnswered shows the ack's message, or Slackbot's word that it failed.
// The caller holds the lock.
func (w *World) commandAnswered(a *app, user, channel, text string, v verdict) Reply {
	r, c, u := v.reply(), w.channels[channel], w.users[user]
	name, _, _ := strings.Cut(strings.TrimSpace(text), " ")
	call := &call{w: w, app: a, args: v.payload}
	ct, err := call.content()
	if err != nil {
		r.Error = "invalid_command_response"
	}
	if r.Error != "" {
		w.whisper(c, u, Message{User: "USLACKBOT", Team: a.Team, Text: fmt.Sprintf("%s failed with the error %q", name, r.Error)})
		return r
	}
	kind := call.str("response_type")
	if kind == "in_channel" {
		w.add(c, Message{User: user, Team: u.Team, Text: text})
	}
	if ct.hasText || len(ct.blocks) > 0 {
		ts := w.answerPerson(a, c, u, call.byApp(ct), kind, "")
		if m := c.live(ts); m != nil {
			shown := m.open()
			r.Message = &shown
		}
	}
	return r
}

// Say posts a message as the person. Apps there that subscribed hear of it: to
// messages of this kind of channel, and to mentions of their bot.
func (p *Person) Say(channel, text, thread string) (Message, error) {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	u, c, err := p.at(channel)
	switch {
	case err != nil:
		return Message{}, err
	case c.Archived || c.Frozen != "" || c.ReadOnly || p.w.quiet(c):
		return Message{}, fmt.Errorf("nobody posts in channel %s", channel)
	}
	m := p.w.add(c, Message{User: u.ID, Team: u.Team, Text: text, Thread: thread})
	event := map[string]any{"client_msg_id": p.w.uuid(), "text": text, "user": u.ID, "ts": m.TS, "team": u.Team, "channel": c.ID, "event_ts": m.TS}
	if thread != "" {
		event["thread_ts"] = thread
	}
	for _, a := range p.w.apps {
		if !c.has(a.BotUser) {
			continue
		}
		if kind := c.eventKind(); p.w.hears(a, "message."+kind) {
			said := maps.Clone(event)
			said["type"], said["channel_type"] = "message", strings.TrimSuffix(kind, "s")
			p.w.emit(a, said)
		}
		if p.w.hears(a, "app_mention") && strings.Contains(text, "<@"+a.BotUser+">") {
			mention := maps.Clone(event)
			mention["type"] = "app_mention"
			p.w.emit(a, mention)
		}
	}
	return m.open(), nil
}

// quiet reports whether a DM's app wants no messages.
func (w *World) quiet(c *channel) bool {
	return c.IM != "" && slices.ContainsFunc(w.apps, func(a *app) bool { return c.has(a.BotUser) && (a.QuietTab || a.NoMessages) })
}

// eventKind is what subscriptions to messages call this kind of channel.
func (c *Channel) eventKind() string {
	switch c.kind() {
	case "public_channel":
		return "channels"
	case "private_channel":
		return "groups"
	}
	return c.kind()
}
