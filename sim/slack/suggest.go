package slack

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"unicode/utf8"
)

// Suggest types into an external select of a view and returns the options that
// the app offers.
func (p *Person) Suggest(ctx context.Context, viewID, actionID, typed string) ([]map[string]any, error) {
	return p.SuggestAt(ctx, Click{View: viewID, Action: actionID}, typed)
}

// SuggestAt is Suggest for an element of a view or of a message.
func (p *Person) SuggestAt(ctx context.Context, at Click, typed string) ([]map[string]any, error) {
	p.w.mu.Lock()
	a, acted, element, err := p.action(at)
	if err == nil && !suggests(element) {
		err = fmt.Errorf("%s is a %v, not an external select", at.Action, element["type"])
	}
	least := 3.0
	if n, ok := element["min_query_length"].(float64); ok {
		least = n
	}
	if err != nil || float64(utf8.RuneCountInString(typed)) < least {
		p.w.mu.Unlock()
		return nil, err
	}
	payload := p.w.interaction(a, p.w.users[p.ID], "block_suggestion", nil)
	delete(payload, "trigger_id")
	for _, name := range []string{"view", "container", "channel"} { // not the message
		if v, ok := acted[name]; ok {
			payload[name] = v
		}
	}
	picked, _ := acted["actions"].([]any)[0].(map[string]any)
	maps.Copy(payload, map[string]any{"action_id": at.Action, "block_id": picked["block_id"], "value": typed})
	d := p.w.envelope(a, "interactive", p.ID, true, payload, nil)
	p.w.mu.Unlock()
	got, err := p.w.send(ctx, d)
	if err != nil || got.failed != "" {
		return nil, errors.Join(err, fmt.Errorf("no options: %s", got.failed))
	}
	return offered(got.payload, p.w.tuned(a))
}

// suggests reports whether an element asks the app for its options.
func suggests(element map[string]any) bool {
	return strings.HasSuffix(fmt.Sprint(element["type"]), "external_select")
}

// offered reads and checks an app's options, in groups or not.
func offered(payload map[string]any, d *Dials) ([]map[string]any, error) {
	of := shape{"options": listOf(0, 100, option), "option_groups": listOf(0, 100, group)}
	if bad := complaints(d, func(r *report) { r.fields(of, payload, "", "") }); bad != nil {
		return nil, errors.New("bad options: " + strings.Join(bad, "; "))
	}
	raw, _ := payload["options"].([]any)
	groups, _ := payload["option_groups"].([]any)
	for _, g := range groups {
		group, _ := g.(map[string]any)
		more, _ := group["options"].([]any)
		raw = append(raw, more...)
	}
	options := []map[string]any{}
	for _, o := range raw {
		if o, ok := o.(map[string]any); ok {
			options = append(options, o)
		}
	}
	return options, nil
}
