package slack

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// stackMax is how many modals may lie on one another; viewMax a view's bytes.
const (
	stackMax = 3
	viewMax  = 250 << 10
)

// View is an open modal, or a Home tab, as its person sees it. Its blocks are
// shared: read, never write.
type View struct {
	ID              string                    `json:"id"`
	Type            string                    `json:"type"` // modal, home
	App             string                    `json:"app_id"`
	User            string                    `json:"user"`
	CallbackID      string                    `json:"callback_id,omitempty"`
	ExternalID      string                    `json:"external_id,omitempty"`
	PrivateMetadata string                    `json:"private_metadata,omitempty"`
	Hash            string                    `json:"hash"`
	Root            string                    `json:"root_view_id"`
	Previous        string                    `json:"previous_view_id,omitempty"`
	Title           string                    `json:"title,omitempty"`
	Submit          string                    `json:"submit,omitempty"`
	Close           string                    `json:"close,omitempty"`
	Blocks          []Block                   `json:"blocks"`
	Values          map[string]map[string]any `json:"values,omitempty"` // filled in so far, as view.state.values
}

type view struct {
	id, hash, user string
	app            *app
	root, previous string
	body           map[string]any // as the app sent it, with defaults
	blocks         []Block
	values         map[string]map[string]any
}

func (v *view) text(name string) string {
	switch s := v.body[name].(type) {
	case string:
		return s
	case map[string]any:
		t, _ := s["text"].(string)
		return t
	}
	return ""
}

func (v *view) shown() View {
	return View{ID: v.id, Type: v.text("type"), App: v.app.ID, User: v.user, CallbackID: v.text("callback_id"),
		ExternalID: v.text("external_id"), PrivateMetadata: v.text("private_metadata"), Hash: v.hash, Root: v.root,
		Previous: v.previous, Title: v.text("title"), Submit: v.text("submit"), Close: v.text("close"), Blocks: v.blocks,
		Values: cloneValues(v.values)}
}

// json is the view as responses and payloads show it.
func (v *view) json() map[string]any {
	out := map[string]any{"private_metadata": "", "callback_id": "", "external_id": "", "clear_on_close": false, "notify_on_close": false}
	maps.Copy(out, v.body)
	maps.Copy(out, map[string]any{"id": v.id, "team_id": v.app.Team, "blocks": v.blocks, "hash": v.hash, "root_view_id": v.root,
		"previous_view_id": orNil(v.previous), "state": map[string]any{"values": cloneValues(v.values)}, "app_id": v.app.ID,
		"app_installed_team_id": v.app.Team, "bot_id": v.app.BotID})
	for _, name := range []string{"submit", "close"} {
		if _, ok := out[name]; !ok {
			out[name] = nil
		}
	}
	if v.body["type"] == "home" { // Slack gives every Home tab this one
		out["title"] = map[string]any{"type": "plain_text", "text": "View Title", "emoji": true}
	}
	return out
}

// readView decodes and checks a view; kind is modal or home.
func (w *World) readView(a *app, raw map[string]any, kind string) (map[string]any, []Block, error) {
	raw = clone(raw)
	if len(marshal(raw)) > viewMax {
		return nil, nil, refuse("view_too_large")
	}
	problems := append(checkView(raw, kind, a.dials), w.checkFiles(a, raw["blocks"], "/view/blocks")...)
	if len(problems) > 0 && !a.dials.LenientBlocks {
		return nil, nil, refuseWith("invalid_arguments", problems)
	}
	if id, _ := raw["external_id"].(string); id != "" {
		for _, v := range w.views {
			if other := v.text("external_id"); other == id && v.app == a {
				return nil, nil, refuse("duplicate_external_id")
			}
		}
	}
	var blocks []Block
	list, _ := raw["blocks"].([]any)
	for _, b := range list {
		block, _ := b.(map[string]any)
		blocks = append(blocks, block)
	}
	w.fillIDs(blocks)
	return raw, blocks, nil
}

func (c *call) view(kind string) (map[string]any, []Block, error) {
	var raw map[string]any
	if err := c.object("view", &raw); err != nil || raw == nil {
		return nil, nil, refuseWith("invalid_arguments", []string{"[ERROR] missing required field: view"})
	}
	return c.w.readView(c.app, raw, kind)
}

func (w *World) newView(a *app, user string, body map[string]any, blocks []Block) *view {
	v := &view{id: w.id("V"), user: user, app: a, body: body, blocks: blocks, values: map[string]map[string]any{}}
	v.root = v.id
	w.rehash(v)
	w.views[v.id] = v
	return v
}

func (w *World) rehash(v *view) {
	v.hash = fmt.Sprintf("%d.%s", w.cfg.Now().Unix(), w.secret(5))
	w.touch()
}

// useTrigger spends a trigger_id.
func (c *call) useTrigger() (*trigger, error) {
	t := c.w.triggers[c.str("trigger_id")]
	switch {
	case t == nil || t.app != c.app:
		return nil, refuseWith("invalid_arguments", []string{"invalid `trigger_id`"})
	case t.used && c.app.dials.TriggerGuideErrors:
		return nil, refuse("trigger_exchanged")
	case t.used:
		return nil, refuse("exchanged_trigger_id")
	case time.Now().After(t.until) && c.app.dials.TriggerGuideErrors:
		return nil, refuse("trigger_expired")
	case time.Now().After(t.until):
		return nil, refuse("expired_trigger_id")
	}
	return t, nil
}

func viewsOpen(c *call) (answer, error) {
	t, err := c.useTrigger()
	if err != nil {
		return nil, err
	}
	body, blocks, err := c.view("modal")
	if err != nil {
		return nil, err
	}
	t.used = true
	for _, old := range c.w.stacks[t.user] {
		delete(c.w.views, old.id) // a client shows one stack
	}
	v := c.w.newView(c.app, t.user, body, blocks)
	c.w.stacks[t.user] = []*view{v}
	return answer{"view": v.json()}, nil
}

func viewsPush(c *call) (answer, error) {
	t, err := c.useTrigger()
	if err != nil {
		return nil, err
	}
	if t.view == nil || !slices.Contains(c.w.stacks[t.user], t.view) {
		return nil, refuse("not_found")
	}
	body, blocks, err := c.view("modal")
	if err != nil {
		return nil, err
	}
	v, err := c.w.push(c.app, t.user, body, blocks)
	if err != nil {
		return nil, err
	}
	t.used = true
	return answer{"view": v.json()}, nil
}

// push lays a modal on a person's stack.
func (w *World) push(a *app, user string, body map[string]any, blocks []Block) (*view, error) {
	stack := w.stacks[user]
	if len(stack) >= stackMax {
		return nil, refuse("push_limit_reached")
	}
	v := w.newView(a, user, body, blocks)
	v.root, v.previous = stack[0].id, stack[len(stack)-1].id
	w.stacks[user] = append(slices.Clone(stack), v)
	return v, nil
}

func viewsUpdate(c *call) (answer, error) {
	v := c.w.views[c.str("view_id")]
	if external := c.str("external_id"); v == nil && external != "" {
		for _, o := range c.w.views {
			if o.text("external_id") == external && o.app == c.app {
				v = o
			}
		}
	}
	switch {
	case v == nil || v.app != c.app || v.text("type") != "modal":
		return nil, refuse("not_found")
	case c.has("hash") && c.str("hash") != v.hash:
		return nil, refuse("hash_conflict")
	}
	if err := c.replaceView(v, "modal"); err != nil {
		return nil, err
	}
	return answer{"view": v.json()}, nil
}

func (c *call) replaceView(v *view, kind string) error {
	delete(c.w.views, v.id) // its own external_id is no duplicate
	body, blocks, err := c.view(kind)
	c.w.views[v.id] = v
	if err == nil {
		c.w.replace(v, body, blocks)
	}
	return err
}

// replace gives a view new content; what was typed stays where both ids stay.
func (w *World) replace(v *view, body map[string]any, blocks []Block) {
	kept := map[string]map[string]any{}
	for _, b := range blocks {
		id, _ := b["block_id"].(string)
		for _, e := range elementsOf(b) {
			action, _ := e["action_id"].(string)
			if typed, ok := v.values[id][action]; ok {
				put(kept, id, action, typed)
			}
		}
	}
	v.body, v.blocks, v.values = body, blocks, kept
	w.rehash(v)
}

func cloneValues(values map[string]map[string]any) map[string]map[string]any {
	out := map[string]map[string]any{}
	for block, actions := range values {
		out[block] = maps.Clone(actions)
	}
	return out
}

func put(values map[string]map[string]any, block, action string, v any) {
	if values[block] == nil {
		values[block] = map[string]any{}
	}
	values[block][action] = v
}

func viewsPublish(c *call) (answer, error) {
	u := c.w.users[c.str("user_id")]
	switch {
	case u == nil || u.Bot || u.Stranger:
		return nil, refuseWith("invalid_arguments", []string{"invalid `user_id`"})
	case c.app.NoHome:
		return nil, refuse("not_enabled")
	}
	v := c.w.home(c.app, u.ID)
	if v == nil {
		body, blocks, err := c.view("home")
		if err != nil {
			return nil, err
		}
		return answer{"view": c.w.newView(c.app, u.ID, body, blocks).json()}, nil
	}
	if c.has("hash") && c.str("hash") != v.hash {
		return nil, refuse("hash_conflict")
	}
	if err := c.replaceView(v, "home"); err != nil {
		return nil, err
	}
	return answer{"view": v.json()}, nil
}

func (w *World) home(a *app, user string) *view {
	for _, v := range w.views {
		if v.app == a && v.user == user && v.text("type") == "home" {
			return v
		}
	}
	return nil
}

// closeViews takes views off a person's stack.
func (w *World) closeViews(user string, gone ...*view) {
	w.stacks[user] = slices.DeleteFunc(slices.Clone(w.stacks[user]), func(v *view) bool { return slices.Contains(gone, v) })
	for _, v := range gone {
		delete(w.views, v.id)
	}
	w.touch()
}
