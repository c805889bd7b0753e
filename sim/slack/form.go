package slack

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Submit fills in and submits the person's top modal, and waits for what it
// does: Reply.Errors, Reply.View (updated, pushed, or the one below), or an
// error that Slack shows. Values are by block_id or action_id: a string, or a
// list for elements that take several. What the client itself refuses (an
// empty required field, a text too short) is an error, and nothing is sent.
func (p *Person) Submit(ctx context.Context, viewID string, values map[string]any) (Reply, error) {
	p.w.mu.Lock()
	v, d, err := p.submission(viewID, values)
	if err != nil {
		p.w.mu.Unlock()
		return Reply{}, err
	}
	d.late = func(payload map[string]any) { p.w.submitted(v, verdict{id: d.entry.ID, payload: payload}) }
	p.w.mu.Unlock()
	got, err := p.w.send(ctx, d)
	if err != nil {
		return got.reply(), err
	}
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	return p.w.submitted(v, got), nil
}

func (p *Person) submission(viewID string, values map[string]any) (*view, *delivery, error) {
	u, v := p.w.users[p.ID], p.w.views[viewID]
	stack := p.w.stacks[p.ID]
	switch {
	case u == nil || v == nil || !slices.Contains(stack, v):
		return nil, nil, fmt.Errorf("user %s has no modal %s open", p.ID, viewID)
	case stack[len(stack)-1] != v:
		return nil, nil, fmt.Errorf("modal %s lies below another one", viewID)
	case v.text("submit") == "":
		return nil, nil, fmt.Errorf("modal %s has no submit button", viewID)
	}
	if err := v.fill(values); err != nil {
		return nil, nil, err
	}
	payload := p.w.interaction(v.app, u, "view_submission", v)
	payload["view"], payload["response_urls"] = v.json(), p.w.responseURLs(v)
	return v, p.w.envelope(v.app, "interactive", u.ID, true, payload, nil), nil
}

// responseURLs are those of channel inputs that ask for one.
func (w *World) responseURLs(v *view) []any {
	all := []any{}
	for _, b := range v.blocks {
		for _, e := range elementsOf(b) {
			block, _ := b["block_id"].(string)
			action, _ := e["action_id"].(string)
			state, _ := v.values[block][action].(map[string]any)
			kind, _ := e["type"].(string)
			channel, _ := state[stateField[kind]].(string)
			if asked, _ := e["response_url_enabled"].(bool); asked && channel != "" && w.channels[channel] != nil {
				all = append(all, map[string]any{"block_id": block, "action_id": action, "channel_id": channel,
					"response_url": w.responseURL("app", responseURL{app: v.app, user: v.user, channel: channel})})
			}
		}
	}
	return all
}

// fill types values into a view and checks its inputs as the client does.
func (v *view) fill(values map[string]any) error {
	used := map[string]bool{}
	for _, b := range v.blocks {
		block, _ := b["block_id"].(string)
		for _, e := range elementsOf(b) {
			action, _ := e["action_id"].(string)
			typed, given := values[block]
			used[block] = used[block] || given
			if byAction, ok := values[action]; ok {
				typed, given = byAction, true
				used[action] = true
			}
			if err := v.fillOne(b, e, block, action, typed, given); err != nil {
				return err
			}
		}
	}
	for name := range values {
		if !used[name] {
			return fmt.Errorf("the modal has no block or action %q", name)
		}
	}
	return nil
}

func (v *view) fillOne(b Block, e map[string]any, block, action string, typed any, given bool) error {
	if e["type"] == "button" || e["type"] == "overflow" {
		return nil
	}
	state, err := v.values[block][action], error(nil)
	if given {
		state, err = pick(e, typed)
	} else if state == nil {
		state = initial(e)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", block, err)
	}
	put(v.values, block, action, state)
	picked, _ := state.(map[string]any)
	if optional, _ := b["optional"].(bool); b["type"] == "input" && !optional && empty(picked) {
		return fmt.Errorf("%s: please complete this required field", block)
	}
	if s, ok := picked["value"].(string); ok {
		length := utf8.RuneCountInString(s)
		if least, ok := e["min_length"].(float64); ok && length < int(least) {
			return fmt.Errorf("%s: enter at least %d characters", block, int(least))
		}
		if most, ok := e["max_length"].(float64); ok && length > int(most) {
			return fmt.Errorf("%s: enter at most %d characters", block, int(most))
		}
	}
	return nil
}

// stateField is where an element's state keeps what was entered.
var stateField = map[string]string{
	"plain_text_input": "value", "email_text_input": "value", "url_text_input": "value", "number_input": "value",
	"static_select": "selected_option", "external_select": "selected_option", "radio_buttons": "selected_option", "overflow": "selected_option",
	"multi_static_select": "selected_options", "multi_external_select": "selected_options", "checkboxes": "selected_options",
	"users_select": "selected_user", "multi_users_select": "selected_users",
	"conversations_select": "selected_conversation", "multi_conversations_select": "selected_conversations",
	"channels_select": "selected_channel", "multi_channels_select": "selected_channels",
	"datepicker": "selected_date", "timepicker": "selected_time", "datetimepicker": "selected_date_time",
}

// pick turns what a person entered into an element's state.
func pick(e map[string]any, value any) (map[string]any, error) {
	kind, _ := e["type"].(string)
	field, ok := stateField[kind]
	if !ok {
		return nil, fmt.Errorf("nothing can be entered into a %s", kind)
	}
	var entered any
	switch {
	case field == "selected_options":
		chosen := []any{}
		for _, s := range list(value) {
			o, err := choose(e, s)
			if err != nil {
				return nil, err
			}
			chosen = append(chosen, o)
		}
		entered = chosen
	case strings.HasPrefix(kind, "multi_"):
		entered = list(value)
	case value == nil || value == "":
		entered = nil
	case field == "selected_option":
		o, err := choose(e, fmt.Sprint(value))
		if err != nil {
			return nil, err
		}
		entered = o
	case field == "selected_date_time":
		n, err := strconv.Atoi(fmt.Sprint(value))
		if err != nil {
			return nil, errors.New("a datetimepicker takes unix seconds")
		}
		entered = n
	default:
		entered = fmt.Sprint(value)
	}
	return map[string]any{"type": kind, field: entered}, nil
}

func list(value any) []string {
	switch v := value.(type) {
	case []string:
		return v
	case []any:
		var all []string
		for _, s := range v {
			all = append(all, fmt.Sprint(s))
		}
		return all
	case nil:
		return nil
	}
	return []string{fmt.Sprint(value)}
}

// choose finds an option by its value; an external select takes any.
func choose(e map[string]any, value string) (map[string]any, error) {
	choices, _ := e["options"].([]any)
	groups, _ := e["option_groups"].([]any)
	for _, g := range groups {
		group, _ := g.(map[string]any)
		more, _ := group["options"].([]any)
		choices = append(slices.Clone(choices), more...)
	}
	for _, o := range choices {
		if o, ok := o.(map[string]any); ok && o["value"] == value {
			return o, nil
		}
	}
	if kind, _ := e["type"].(string); strings.HasSuffix(kind, "external_select") {
		return map[string]any{"text": map[string]any{"type": "plain_text", "text": value}, "value": value}, nil
	}
	return nil, fmt.Errorf("there is no option %q", value)
}

// initial is an element's state before anybody touched it.
func initial(e map[string]any) map[string]any {
	kind, _ := e["type"].(string)
	field, ok := stateField[kind]
	if !ok {
		return map[string]any{"type": kind}
	}
	out := map[string]any{"type": kind, field: nil}
	for _, name := range []string{"initial_" + strings.TrimPrefix(field, "selected_"), "initial_value"} {
		if v, ok := e[name]; ok {
			out[field] = v
		}
	}
	if out[field] == nil && strings.HasSuffix(field, "s") {
		out[field] = []any{}
	}
	return out
}

func empty(state map[string]any) bool {
	kind, _ := state["type"].(string)
	switch v := state[stateField[kind]].(type) {
	case nil:
		return stateField[kind] != ""
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case []string:
		return len(v) == 0
	}
	return false
}

// submitted does what the ack of a submission says.
func (w *World) submitted(v *view, got verdict) Reply {
	r := got.reply()
	if r.Error != "" {
		return r
	}
	var next *view
	var err error
	switch action, _ := got.payload["response_action"].(string); action {
	case "":
		w.closeViews(v.user, v)
	case "clear":
		w.closeViews(v.user, w.stacks[v.user]...)
	case "errors":
		r.Errors, err = v.formErrors(got.payload["errors"])
	case "update", "push":
		next, err = w.answered(v, action, got.payload["view"])
	default:
		err = fmt.Errorf("unknown response_action %q", action)
	}
	if err != nil {
		r.Error = "trouble_connecting"
		w.sent[got.id].entry.Error = "bad ack: " + err.Error()
	}
	if stack := w.stacks[v.user]; next == nil && len(stack) > 0 {
		next = stack[len(stack)-1]
	}
	if next != nil {
		shown := next.shown()
		r.View = &shown
	}
	return r
}

func (w *World) answered(v *view, action string, raw any) (*view, error) {
	given, _ := raw.(map[string]any)
	delete(w.views, v.id)
	body, blocks, err := w.readView(v.app, given, "modal")
	w.views[v.id] = v
	if err != nil {
		return nil, err
	}
	if action == "push" {
		return w.push(v.app, v.user, body, blocks)
	}
	w.replace(v, body, blocks)
	return v, nil
}

// formErrors may only name input blocks.
func (v *view) formErrors(raw any) (map[string]string, error) {
	given, _ := raw.(map[string]any)
	out := map[string]string{}
	for block, said := range given {
		if !slices.ContainsFunc(v.blocks, func(b Block) bool { return b["type"] == "input" && b["block_id"] == block }) {
			return nil, fmt.Errorf("errors names %q, which is no input block", block)
		}
		out[block] = fmt.Sprint(said)
	}
	if len(out) == 0 {
		return nil, errors.New("errors are empty")
	}
	return out, nil
}

// Dismiss closes a modal: Cancel closes it alone, with all it is the x. Apps
// that asked for it hear view_closed.
func (p *Person) Dismiss(ctx context.Context, viewID string, all bool) (Reply, error) {
	p.w.mu.Lock()
	stack, v := p.w.stacks[p.ID], p.w.views[viewID]
	if v == nil || !slices.Contains(stack, v) {
		p.w.mu.Unlock()
		return Reply{}, fmt.Errorf("user %s has no modal %s open", p.ID, viewID)
	}
	gone := []*view{v}
	if all {
		v, gone = stack[0], stack
	}
	var d *delivery
	if notify, _ := v.body["notify_on_close"].(bool); notify {
		payload := p.w.interaction(v.app, p.w.users[p.ID], "view_closed", nil)
		delete(payload, "trigger_id")
		shown := maps.Clone(v.json())
		shown["blocks"] = slices.DeleteFunc(slices.Clone(v.blocks), func(b Block) bool { return b["type"] == "input" })
		payload["view"], payload["is_cleared"] = shown, all
		d = p.w.envelope(v.app, "interactive", p.ID, false, payload, nil)
	}
	p.w.closeViews(p.ID, gone...)
	p.w.mu.Unlock()
	if d == nil {
		return Reply{}, nil
	}
	got, err := p.w.send(ctx, d)
	return got.reply(), err
}
