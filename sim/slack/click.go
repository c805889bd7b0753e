package slack

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Click is one use of a button, select or overflow, in a message or a view.
type Click struct {
	Channel  string `json:"channel,omitempty"` // with TS: a message
	TS       string `json:"ts,omitempty"`
	View     string `json:"view,omitempty"` // or a view
	Action   string `json:"action"`
	Block    string `json:"block,omitempty"`    // needed only if several blocks have the action
	Value    any    `json:"value,omitempty"`    // what was picked, for selects and the like
	Revision int    `json:"revision,omitempty"` // an old version of the message, as a stale client shows it; 0 is now
}

// Click presses a button of a message that the person sees.
func (p *Person) Click(ctx context.Context, channel, ts, actionID string) (Reply, error) {
	return p.Act(ctx, Click{Channel: channel, TS: ts, Action: actionID})
}

// Press presses a button of an open modal or the Home tab.
func (p *Person) Press(ctx context.Context, viewID, actionID string) (Reply, error) {
	return p.Act(ctx, Click{View: viewID, Action: actionID})
}

// Act uses an element that exists, on the current message or on an older
// version of it, and waits for the ack.
func (p *Person) Act(ctx context.Context, c Click) (Reply, error) { return p.Forge(ctx, c, nil) }

// Forge sends the click of Act with a payload that was tampered with: a copied
// or edited card, another user, another value. What the real Slack would never
// send, an app must still survive.
func (p *Person) Forge(ctx context.Context, c Click, tamper func(payload map[string]any)) (Reply, error) {
	p.w.mu.Lock()
	a, payload, element, err := p.action(c)
	switch {
	case err != nil:
		p.w.mu.Unlock()
		return Reply{}, err
	case a.Deaf:
		p.w.mu.Unlock()
		return Reply{Error: "not_interactive"}, nil
	}
	if tamper != nil {
		payload = clone(payload)
		tamper(payload)
	}
	d := p.w.envelope(a, "interactive", p.ID, a.dials.ClicksAccept, payload, nil)
	d.entry.Forged = tamper != nil
	p.w.mu.Unlock()
	v, err := p.w.send(ctx, d)
	r := v.reply()
	r.URL, _ = element["url"].(string)
	return r, err
}

// action finds the element and builds the block_actions payload.
func (p *Person) action(c Click) (*app, map[string]any, map[string]any, error) {
	if c.View != "" {
		return p.viewAction(c)
	}
	u, ch, err := p.at(c.Channel)
	if err != nil {
		return nil, nil, nil, err
	}
	kept := ch.live(c.TS)
	if c.Revision != 0 {
		kept = ch.byTS[c.TS] // a stale client may still show what was deleted
	}
	if kept == nil || (kept.Ephemeral && kept.To != p.ID) {
		return nil, nil, nil, fmt.Errorf("user %s sees no message %s in %s", p.ID, c.TS, c.Channel)
	}
	m, ok := kept.version(c.Revision)
	a := p.w.app(m.App)
	if !ok || a == nil || m.App == "" {
		return nil, nil, nil, fmt.Errorf("message %s has no app's version %d", c.TS, c.Revision)
	}
	block, element, err := find(m.Blocks, c)
	if err == nil && a.hidden(element, p.ID) {
		err = errors.New("the button is not shown to this person")
	}
	if err != nil {
		return nil, nil, nil, fmt.Errorf("message %s: %w", c.TS, err)
	}
	state := map[string]map[string]any{}
	picked, err := p.w.pickedAction(block, element, c.Value, state)
	if err != nil {
		return nil, nil, nil, err
	}
	payload := p.w.interaction(a, u, "block_actions", nil)
	maps.Copy(payload, map[string]any{
		"container": map[string]any{"type": "message", "message_ts": m.TS, "channel_id": ch.ID, "is_ephemeral": m.Ephemeral},
		"channel":   map[string]any{"id": ch.ID, "name": a.shownName(ch)},
		"state":     map[string]any{"values": state}, "actions": []any{picked},
		"response_url": p.w.responseURL("actions", responseURL{app: a, user: u.ID, channel: ch.ID, ts: m.TS})})
	if !m.Ephemeral {
		payload["message"] = m.json()
	}
	return a, payload, element, nil
}

// hidden reports whether visible_to_user_ids keeps an element from a person,
// which the real one was not seen to enforce.
func (a *app) hidden(element map[string]any, user string) bool {
	only, limited := element["visible_to_user_ids"].([]any)
	return a.dials.VisibleToMeansIt && limited && !slices.Contains(only, any(user))
}

func (p *Person) viewAction(c Click) (*app, map[string]any, map[string]any, error) {
	u, v := p.w.users[p.ID], p.w.views[c.View]
	if u == nil || v == nil || v.user != p.ID {
		return nil, nil, nil, fmt.Errorf("user %s has no view %s open", p.ID, c.View)
	}
	block, element, err := find(v.blocks, c)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("view %s: %w", c.View, err)
	}
	if dispatch, _ := block["dispatch_action"].(bool); block["type"] == "input" && !dispatch && !suggests(element) {
		return nil, nil, nil, fmt.Errorf("view %s: the input %s says nothing until it is submitted", c.View, c.Action)
	}
	picked, err := p.w.pickedAction(block, element, c.Value, v.values)
	if err != nil {
		return nil, nil, nil, err
	}
	payload := p.w.interaction(v.app, u, "block_actions", v)
	shown := v.json()
	maps.Copy(payload, map[string]any{"container": map[string]any{"type": "view", "view_id": v.id}, "view": shown,
		"state": shown["state"], "actions": []any{picked}})
	return v.app, payload, element, nil
}

// interaction is what all interactive payloads share.
func (w *World) interaction(a *app, u *User, kind string, from *view) map[string]any {
	t := w.teams[a.Team]
	out := map[string]any{"type": kind, "user": map[string]any{"id": u.ID, "username": u.Name, "name": u.Name, "team_id": u.Team},
		"api_app_id": a.ID, "token": "legacy", "trigger_id": w.trigger(a, u.ID, from),
		"team": map[string]any{"id": t.ID, "domain": t.Domain}, "enterprise": nil, "is_enterprise_install": a.OrgInstalled}
	if t.Enterprise != "" {
		out["enterprise"] = map[string]any{"id": t.Enterprise, "name": t.EnterpriseName}
	}
	if a.OrgInstalled {
		out["team"] = nil
	}
	return out
}

func find(blocks []Block, c Click) (Block, map[string]any, error) {
	for _, b := range blocks {
		if c.Block != "" && b["block_id"] != c.Block {
			continue
		}
		for _, e := range elementsOf(b) {
			if e["action_id"] == c.Action {
				return b, e, nil
			}
		}
	}
	var there []string
	for _, b := range blocks {
		for _, e := range elementsOf(b) {
			there = append(there, fmt.Sprint(e["action_id"]))
		}
	}
	return nil, nil, fmt.Errorf("no element with action_id %q; there are: %s", c.Action, strings.Join(there, ", "))
}

// pickedAction is one entry of actions; what was picked is noted in state.
func (w *World) pickedAction(block Block, element map[string]any, value any, state map[string]map[string]any) (map[string]any, error) {
	kind, _ := element["type"].(string)
	out := map[string]any{"type": kind, "action_id": element["action_id"], "block_id": block["block_id"], "action_ts": w.stamp()}
	if kind == "button" || kind == "workflow_button" || kind == "icon_button" {
		for _, name := range []string{"text", "value", "style", "url"} {
			if v, ok := element[name]; ok {
				out[name] = v
			}
		}
		return out, nil
	}
	picked, err := pick(element, value)
	if err != nil {
		return nil, err
	}
	maps.Copy(out, picked)
	if kind != "overflow" && value != nil {
		block, _ := block["block_id"].(string)
		action, _ := element["action_id"].(string)
		put(state, block, action, picked)
	}
	return out, nil
}

// OpenHome opens the Home tab of the only, or the named, app; an app that
// subscribed hears app_home_opened.
func (p *Person) OpenHome(appID ...string) error {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	a, u := p.w.app(strings.Join(appID, "")), p.w.users[p.ID]
	switch {
	case a == nil || u == nil:
		return fmt.Errorf("no app %v or no user %s", appID, p.ID)
	case a.NoHome:
		return errors.New("the app has no Home tab")
	case !p.w.hears(a, "app_home_opened"):
		return nil
	}
	dm, _ := p.w.dm(a, u.ID)
	event := map[string]any{"type": "app_home_opened", "user": u.ID, "channel": dm.ID, "tab": "home", "event_ts": p.w.stamp()}
	if v := p.w.home(a, u.ID); v != nil {
		event["view"] = v.json()
	}
	p.w.emit(a, event)
	return nil
}

// Home is what the person's Home tab shows; false while nothing was published.
func (p *Person) Home(appID ...string) (View, bool) {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	if a := p.w.app(strings.Join(appID, "")); a != nil {
		if v := p.w.home(a, p.ID); v != nil {
			return v.shown(), true
		}
	}
	return View{}, false
}

// Views are the person's open modals, the top one last.
func (p *Person) Views() []View {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	var all []View
	for _, v := range slices.Clone(p.w.stacks[p.ID]) {
		all = append(all, v.shown())
	}
	return all
}
