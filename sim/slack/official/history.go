package official

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"pagbot/sim/slack"
)

// A finding is something in a World's history that a schema is for.
type finding struct {
	kind  string
	value any
}

// Sent judges everything that a World sent until now: envelopes, but for those
// that somebody forged, and answers of the Web API, refusals too.
func Sent(w *slack.World) []error { return judgeAll(sent(w.History(slack.Query{}))) }

// Said judges everything that apps said to a World until now: the names of
// calls' arguments, blocks and attachments of messages, views, and acks.
func Said(w *slack.World) []error { return judgeAll(said(w.History(slack.Query{}))) }

func judgeAll(all []finding) []error {
	var wrong []error
	for _, f := range all {
		if err := Check(f.kind, f.value); err != nil {
			wrong = append(wrong, err)
		}
	}
	return wrong
}

func sent(history []slack.Entry) []finding {
	var all []finding
	for _, e := range history {
		switch {
		case e.Kind == "envelope" && !e.Forged:
			all = append(all, finding{"heard." + heard(e), e.Request})
			if payload, ok := e.Request.(map[string]any); ok && payload["message"] != nil { // the types let all in
				all = append(all, finding{"shown.message", payload["message"]})
			}
		case e.Kind == "call" && e.Answer != nil:
			all = append(all, answered(e)...)
		}
	}
	return all
}

// heard is what an envelope's payload is called.
func heard(e slack.Entry) string {
	payload, _ := e.Request.(map[string]any)
	kind, _ := payload["type"].(string)
	if event, ok := payload["event"].(map[string]any); ok && kind == "event_callback" {
		kind, _ = event["type"].(string)
	}
	if e.Name == "slash_commands" {
		return e.Name
	}
	return kind
}

func answered(e slack.Entry) []finding {
	body, _ := e.Answer.(map[string]any)
	kind := "answered." + e.Name
	if body["error"] == "unknown_method" {
		kind = "answered.refused"
	}
	all := []finding{{kind, body}}
	if body["ok"] != true { // a refusal says why
		all = append(all, finding{"answered.refused", map[string]any{"ok": body["ok"], "error": body["error"]}})
	}
	return all
}

func said(history []slack.Entry) []finding {
	var all []finding
	for _, e := range history {
		args, _ := e.Request.(map[string]any)
		switch e.Kind {
		case "envelope":
			args, _ = e.Answer.(map[string]any)
		case "call":
			all = append(all, finding{"asked." + e.Name, e.Request})
		}
		for name, kind := range map[string]string{"blocks": "said.blocks", "attachments": "said.attachments", "view": "said.modal"} {
			v := object(args[name])
			if view, ok := v.(map[string]any); ok && view["type"] == "home" {
				kind = "said.home"
			}
			if v != nil {
				all = append(all, finding{kind, v})
			}
		}
		if e.Kind == "envelope" && args["response_action"] != nil {
			all = append(all, finding{"said.submitted", args})
		}
	}
	return all
}

// object is an argument that is JSON as it is, or in a form a text of it.
func object(v any) any {
	s, ok := v.(string)
	if !ok {
		return v
	}
	var out any
	if s == "" {
		return out
	}
	if err := json.Unmarshal([]byte(s), &out); err != nil {
		return fmt.Sprintf("no JSON: %v", err)
	}
	return out
}

// Idle names what nothing in a World's history needs: exceptions without which
// the types would refuse nothing, and kinds that were never judged.
func Idle(w *slack.World) ([]string, error) {
	j, err := shared()
	if err != nil {
		return nil, err
	}
	history := w.History(slack.Query{})
	all := append(sent(history), said(history)...)
	met := map[string]bool{}
	for i := range all {
		met[all[i].kind] = true
		if all[i].value, err = onTheWire(all[i].value); err != nil {
			return nil, err
		}
	}
	var idle []string
	for i := range exceptions {
		x := &exceptions[i]
		if !slices.ContainsFunc(all, func(f finding) bool { return checkWithout(x, f.kind, f.value) != nil }) {
			idle = append(idle, x.kinds+" "+x.path)
		}
		met[x.as] = true
	}
	for kind := range j.known {
		part, _, _ := strings.Cut(kind, ".")
		if slices.Contains([]string{"said", "heard", "answered", "shown"}, part) && !met[kind] {
			idle = append(idle, kind)
		}
	}
	slices.Sort(idle)
	return idle, nil
}
