package slack

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

// Shortcut uses a shortcut of an app in the person's own workspace and waits
// for the ack: a global one, or with a channel and ts one on that message. Only
// the latter has a response URL.
func (p *Person) Shortcut(ctx context.Context, callbackID string, on Click) (Reply, error) {
	p.w.mu.Lock()
	a, payload, err := p.shortcut(callbackID, on)
	switch {
	case err != nil:
		p.w.mu.Unlock()
		return Reply{}, err
	case a.Deaf:
		p.w.mu.Unlock()
		return Reply{Error: "not_interactive"}, nil
	}
	d := p.w.envelope(a, "interactive", p.ID, false, payload, nil)
	p.w.mu.Unlock()
	v, err := p.w.send(ctx, d)
	return v.reply(), err
}

func (p *Person) shortcut(callbackID string, on Click) (*app, map[string]any, error) {
	u := p.w.users[p.ID]
	kind, sent := "global", "shortcut"
	if on.TS != "" {
		kind, sent = "message", "message_action"
	}
	if u == nil || u.Deleted {
		return nil, nil, fmt.Errorf("no active user %s", p.ID)
	}
	i := slices.IndexFunc(p.w.apps, func(a *app) bool {
		return a.Team == u.Team && slices.Contains(a.Scopes, "commands") && slices.ContainsFunc(a.Shortcuts, func(s Shortcut) bool { return s.Callback == callbackID && s.Type == kind })
	})
	if i < 0 {
		return nil, nil, fmt.Errorf("the workspace of %s has no %s shortcut %q", p.ID, kind, callbackID)
	}
	a := p.w.apps[i]
	payload := p.w.interaction(a, u, sent, nil)
	maps.Copy(payload, map[string]any{"callback_id": callbackID, "action_ts": p.w.stamp()})
	delete(payload, "api_app_id") // no shortcut has it
	if kind == "global" {         // the barest of all payloads
		payload["user"] = map[string]any{"id": u.ID, "username": u.Name, "team_id": u.Team}
		return a, payload, nil
	}
	_, ch, err := p.at(on.Channel)
	if err != nil {
		return nil, nil, err
	}
	m := ch.live(on.TS)
	if m == nil || m.Ephemeral {
		return nil, nil, fmt.Errorf("user %s sees no message %s in %s", p.ID, on.TS, on.Channel)
	}
	maps.Copy(payload, map[string]any{"message_ts": m.TS, "message": m.json(), "channel": map[string]any{"id": ch.ID, "name": a.shownName(ch)},
		"response_url": p.w.responseURL("app", responseURL{app: a, user: u.ID, channel: ch.ID})})
	return a, payload, nil
}
