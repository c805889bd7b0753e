package slack

import (
	"fmt"
	"iter"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// How many blocks fit into a message and into a view, and how much markdown.
const (
	messageBlocks = 50
	viewBlocks    = 100
	markdownMax   = 12000 // characters, over all markdown blocks
)

// A rule checks one value and complains to the report; where is a JSON pointer.
type rule func(r *report, v any, where string)

// A shape is the fields of a block, element or object. A name that ends in "!"
// must be there; a name that is not in the shape is refused.
type shape map[string]rule

// A report is made twice if need be: nearly everything is right, and where a
// problem is need only be spelt out when there is one.
type report struct {
	shapes   map[string]shape // by "block type" or "element type"
	dials    *Dials
	places   bool // say where, and in order
	problems []string
}

// complaints are Slack's words about what a check finds: "[ERROR] …
// [json-pointer:…]".
func complaints(d *Dials, check func(*report)) []string {
	r := &report{shapes: shapes, dials: d}
	if check(r); len(r.problems) == 0 {
		return nil
	}
	r = &report{shapes: shapes, dials: d, places: true}
	check(r)
	return r.problems
}

// in is the pointer to a field, at to an item of a list.
func (r *report) in(where, name string) string {
	if !r.places {
		return ""
	}
	return where + "/" + name
}

func (r *report) at(where string, i int) string {
	if !r.places {
		return ""
	}
	return where + "/" + strconv.Itoa(i)
}

// names are the names in a shape or an object.
func names[V any](r *report, m map[string]V) iter.Seq[string] {
	if !r.places {
		return maps.Keys(m)
	}
	return slices.Values(slices.Sorted(maps.Keys(m)))
}

func (r *report) say(where, format string, args ...any) {
	r.problems = append(r.problems, fmt.Sprintf("[ERROR] "+format+" [json-pointer:%s]", append(args, where)...))
}

// checkBlocks returns the complaints about a message's blocks.
func checkBlocks(blocks []Block, d *Dials) []string {
	list := make([]any, len(blocks))
	for i, b := range blocks {
		list[i] = map[string]any(b)
	}
	return complaints(d, func(r *report) { r.blocks(list, "/blocks", messageBlocks) })
}

func (r *report) blocks(list []any, at string, most int) {
	if len(list) > most {
		r.say(at, "no more than %d items allowed", most)
	}
	ids, marked := map[string]bool{}, 0
	for i, b := range list {
		where := r.at(at, i)
		r.typed("block", b, where, nil)
		block, _ := b.(map[string]any)
		if id, _ := block["block_id"].(string); id != "" {
			if ids[id] {
				r.say(r.in(where, "block_id"), "`block_id` already exists in the view or message: %s", id)
			}
			ids[id] = true
		}
		if kind, _ := block["type"].(string); slices.Contains(r.dials.RefusedBlocks, kind) {
			r.say(r.in(where, "type"), "unsupported type: %s", kind)
		}
		if words, ok := block["text"].(string); ok && block["type"] == "markdown" {
			marked += utf8.RuneCountInString(words)
		}
		r.actions(block, where)
		if block["type"] == "section" && block["text"] == nil && block["fields"] == nil {
			r.say(where, "missing required field: text or fields")
		}
	}
	if marked > markdownMax {
		r.say(at, "markdown text must be less than %d characters in total", markdownMax+1)
	}
}

// actions complains of an action_id twice in one block.
func (r *report) actions(block Block, where string) {
	seen := map[string]bool{}
	for i, e := range elementsOf(block) {
		id, _ := e["action_id"].(string)
		if id != "" && seen[id] {
			r.say(fmt.Sprintf("%s/elements/%d/action_id", where, i), "`action_id` already exists in the block: %s", id)
		}
		seen[id] = true
	}
}

// checkView returns the complaints about a modal or Home view.
func checkView(v map[string]any, kind string, d *Dials) []string {
	return complaints(d, func(r *report) { r.view(v, kind) })
}

func (r *report) view(v map[string]any, kind string) {
	if v["type"] != kind {
		r.say("/view/type", "must be %s", kind)
		return
	}
	list, _ := v["blocks"].([]any)
	if len(list) == 0 {
		r.say("/view/blocks", "must provide at least 1 item")
	}
	r.fields(shapes["view "+kind], v, "/view", "blocks")
	r.blocks(list, "/view/blocks", viewBlocks)
	inputs := slices.ContainsFunc(list, func(b any) bool {
		block, _ := b.(map[string]any)
		return block["type"] == "input"
	})
	if kind == "modal" && inputs && v["submit"] == nil {
		r.say("/view", "missing required field: submit")
	}
}

// typed checks an object by its type field; of limits the types.
func (r *report) typed(family string, v any, where string, of []string) {
	o, ok := v.(map[string]any)
	if !ok {
		r.say(where, "must be an object")
		return
	}
	kind, _ := o["type"].(string)
	s, known := r.shapes[family+" "+kind]
	if !known || (of != nil && !slices.Contains(of, kind)) {
		r.say(r.in(where, "type"), "unsupported type: %s", kind)
		return
	}
	r.fields(s, o, where, "type")
	options, groups := o["options"], o["option_groups"]
	if strings.HasSuffix(kind, "static_select") && (options == nil) == (groups == nil) {
		r.say(where, "must have either options or option_groups")
	}
	if kind == "image" && (o["image_url"] == nil) == (o["slack_file"] == nil) {
		r.say(where, "must have either image_url or slack_file")
	}
}

// fields checks an object's fields, but for one that is looked at elsewhere.
func (r *report) fields(s shape, o map[string]any, where, but string) {
	if s == nil {
		return // a known type that is not looked into
	}
	for name := range names(r, s) {
		bare, need := strings.CutSuffix(name, "!")
		if v, there := o[bare]; there && v != nil {
			s[name](r, v, r.in(where, bare))
		} else if need {
			r.say(where, "missing required field: %s", bare)
		}
	}
	for name := range names(r, o) {
		if name != but && s[name] == nil && s[name+"!"] == nil {
			r.say(where, "invalid additional property: %s", name)
		}
	}
}

// str is a string of at most so many characters, at least one.
func str(most int) rule { return strFrom(1, most) }

func strFrom(least, most int) rule {
	return func(r *report, v any, where string) {
		s, ok := v.(string)
		switch n := utf8.RuneCountInString(s); {
		case !ok:
			r.say(where, "must be a string")
		case n < least:
			r.say(where, "must be more than %d characters", least-1)
		case n > most:
			r.say(where, "must be less than %d characters", most+1)
		}
	}
}

// like is a string of a form.
func like(pattern, said string) rule {
	form := regexp.MustCompile(pattern)
	return func(r *report, v any, where string) {
		if s, ok := v.(string); !ok || !form.MatchString(s) {
			r.say(where, "must be like %s", said)
		}
	}
}

// oneField is an object with exactly one of the fields.
func oneField(s shape) rule {
	return func(r *report, v any, where string) {
		object(s)(r, v, where)
		if o, ok := v.(map[string]any); ok && len(o) != 1 {
			r.say(where, "must have exactly one of: %s", strings.Join(slices.Sorted(maps.Keys(s)), ", "))
		}
	}
}

// oneOf is a string out of a few.
func oneOf(of ...string) rule {
	return func(r *report, v any, where string) {
		if s, _ := v.(string); !slices.Contains(of, s) {
			r.say(where, "must be one of: %s", strings.Join(of, ", "))
		}
	}
}

func boolean(r *report, v any, where string) {
	if _, ok := v.(bool); !ok {
		r.say(where, "must be a boolean")
	}
}

func number(least, most float64) rule {
	return func(r *report, v any, where string) {
		if n, ok := v.(float64); !ok || n < least || n > most {
			r.say(where, "must be a number between %v and %v", least, most)
		}
	}
}

func anything(*report, any, string) {}

// text is a text object of one of the kinds.
func text(most int, kinds ...string) rule {
	return func(r *report, v any, where string) {
		o, ok := v.(map[string]any)
		kind, _ := o["type"].(string)
		if !ok || !slices.Contains(kinds, kind) {
			r.say(r.in(where, "type"), "unsupported type: %v", o["type"])
			return
		}
		r.fields(shape{"type": anything, "text!": str(most), "emoji": boolean, "verbatim": boolean}, o, where, "")
	}
}

func plain(most int) rule   { return text(most, "plain_text") }
func anyText(most int) rule { return text(most, "plain_text", "mrkdwn") }

// listOf is a list of so many items.
func listOf(least, most int, item rule) rule {
	return func(r *report, v any, where string) {
		l, ok := v.([]any)
		switch {
		case !ok:
			r.say(where, "must be an array")
		case len(l) < least:
			r.say(where, "must provide at least %d items", least)
		case len(l) > most:
			r.say(where, "no more than %d items allowed", most)
		}
		for i, e := range l {
			item(r, e, r.at(where, i))
		}
	}
}

// object is an object of a shape without a type.
func object(s shape) rule {
	return func(r *report, v any, where string) {
		o, ok := v.(map[string]any)
		if !ok {
			r.say(where, "must be an object")
			return
		}
		r.fields(s, o, where, "")
	}
}

// of is an object of one of the types of a family.
func of(family string, kinds ...string) rule {
	return func(r *report, v any, where string) { r.typed(family, v, where, kinds) }
}
