package slack

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"unicode/utf8"
)

// Suggest types into an external select and returns the options that the app
// offers.
func (p *Person) Suggest(ctx context.Context, viewID, actionID, typed string) ([]map[string]any, error) {
	p.w.mu.Lock()
	u, v := p.w.users[p.ID], p.w.views[viewID]
	if u == nil || v == nil || v.user != p.ID {
		p.w.mu.Unlock()
		return nil, fmt.Errorf("user %s has no view %s open", p.ID, viewID)
	}
	block, element, err := find(v.blocks, Click{Action: actionID})
	if kind := fmt.Sprint(element["type"]); err == nil && !strings.HasSuffix(kind, "external_select") {
		err = fmt.Errorf("%s is a %s, not an external select", actionID, kind)
	}
	least := 3.0
	if n, ok := element["min_query_length"].(float64); ok {
		least = n
	}
	if err != nil || float64(utf8.RuneCountInString(typed)) < least {
		p.w.mu.Unlock()
		return nil, err
	}
	payload := p.w.interaction(v.app, u, "block_suggestion", nil)
	maps.Copy(payload, map[string]any{"action_id": actionID, "block_id": block["block_id"], "value": typed, "view": v.json(),
		"container": map[string]any{"type": "view", "view_id": v.id}})
	delete(payload, "trigger_id")
	d := p.w.envelope(v.app, "interactive", u.ID, true, payload, nil)
	p.w.mu.Unlock()
	got, err := p.w.send(ctx, d)
	if err != nil || got.failed != "" {
		return nil, errors.Join(err, fmt.Errorf("no options: %s", got.failed))
	}
	return offered(got.payload)
}

func offered(payload map[string]any) ([]map[string]any, error) {
	raw, _ := payload["options"].([]any)
	groups, _ := payload["option_groups"].([]any)
	for _, g := range groups {
		group, _ := g.(map[string]any)
		more, _ := group["options"].([]any)
		raw = append(raw, more...)
	}
	if len(raw) > 100 {
		return nil, fmt.Errorf("%d options, at most 100", len(raw))
	}
	options := []map[string]any{}
	for _, o := range raw {
		if o, ok := o.(map[string]any); ok {
			options = append(options, o)
		}
	}
	return options, nil
}
