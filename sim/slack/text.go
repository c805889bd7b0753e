package slack

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Text renders a message as plain text, the way this person sees it: names for
// ids, dates in their own zone.
func (p *Person) Text(m Message) string {
	r := p.reader()
	if len(m.Blocks) == 0 {
		return r.mrkdwn(m.Text)
	}
	return r.blocks(m.Blocks)
}

// ViewText renders a modal or Home tab as plain text.
func (p *Person) ViewText(v View) string {
	r := p.reader()
	parts := []string{}
	if v.Title != "" {
		parts = append(parts, "== "+v.Title+" ==")
	}
	parts = append(parts, r.blocks(v.Blocks))
	var buttons []string
	for _, label := range []string{v.Submit, v.Close} {
		if label != "" {
			buttons = append(buttons, "["+label+"]")
		}
	}
	if len(buttons) > 0 {
		parts = append(parts, strings.Join(buttons, " "))
	}
	return strings.Join(parts, "\n")
}

// A reader is a person's eye: who is who, and which time zone it looks from.
type reader struct {
	zone     *time.Location
	now      time.Time
	users    map[string]string
	channels map[string]string
}

func (p *Person) reader() *reader {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	r := &reader{zone(p.w.users[p.ID]), p.w.cfg.Now(), map[string]string{}, map[string]string{}}
	for id, u := range p.w.users {
		r.users[id] = "@" + u.Name
	}
	for id, c := range p.w.channels {
		if p.w.sees(c, p.ID) {
			r.channels[id] = "#" + c.Name
		}
	}
	return r
}

func (r *reader) blocks(blocks []Block) string {
	var lines []string
	for _, b := range blocks {
		if s := r.block(b); s != "" {
			lines = append(lines, s)
		}
	}
	return strings.Join(lines, "\n")
}

func (r *reader) block(b Block) string {
	switch b["type"] {
	case "divider":
		return "----"
	case "section":
		return r.section(b)
	case "actions", "context", "context_actions":
		sep := " "
		if b["type"] == "context" {
			sep = " · "
		}
		return r.join(b["elements"], sep, r.element)
	case "input":
		label := r.text(b["label"])
		if optional, _ := b["optional"].(bool); optional {
			label += " (optional)"
		}
		return label + ": " + r.element(b["element"])
	case "rich_text":
		return r.join(b["elements"], "\n", r.rich)
	case "image":
		return fmt.Sprintf("(image: %v)", b["alt_text"])
	case "table":
		return r.join(b["rows"], "\n", func(row any) string { return r.join(row, " | ", r.element) })
	case "markdown":
		return fmt.Sprint(b["text"])
	}
	return r.text(b["text"])
}

func (r *reader) section(b Block) string {
	var parts []string
	for _, s := range []string{r.text(b["text"]), r.join(b["fields"], "\n", r.text), r.element(b["accessory"])} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, "\n")
}

func (r *reader) join(list any, sep string, render func(any) string) string {
	var parts []string
	items, _ := list.([]any)
	for _, e := range items {
		if s := render(e); s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, sep)
}

// text renders a text object.
func (r *reader) text(v any) string {
	o, _ := v.(map[string]any)
	s, _ := o["text"].(string)
	if o["type"] == "mrkdwn" {
		return r.mrkdwn(s)
	}
	return s
}

// element renders buttons as [Label], fields as what they hold.
func (r *reader) element(v any) string {
	e, _ := v.(map[string]any)
	switch kind, _ := e["type"].(string); kind {
	case "":
		return ""
	case "mrkdwn", "plain_text":
		return r.text(e)
	case "raw_text", "raw_number":
		return fmt.Sprint(e["text"])
	case "rich_text":
		return r.block(e)
	case "button", "workflow_button", "icon_button":
		return "[" + r.text(e["text"]) + "]"
	case "image":
		return fmt.Sprintf("(image: %v)", e["alt_text"])
	case "overflow":
		return "[…]"
	case "plain_text_input", "email_text_input", "url_text_input", "number_input":
		s, _ := e["initial_value"].(string)
		return s + "____"
	}
	if o, ok := e["initial_option"].(map[string]any); ok {
		return "<" + r.text(o["text"]) + ">"
	}
	label := func(o any) string {
		option, _ := o.(map[string]any)
		return r.text(option["text"])
	}
	if picked := r.join(e["initial_options"], ", ", label); picked != "" {
		return "<" + picked + ">"
	}
	return "<" + r.join(e["options"], " / ", label) + ">"
}

// rich renders rich_text; what people typed is never parsed as mrkdwn.
func (r *reader) rich(v any) string {
	e, _ := v.(map[string]any)
	switch e["type"] {
	case "rich_text_section", "rich_text_preformatted":
		return r.join(e["elements"], "", r.rich)
	case "rich_text_quote":
		return "> " + strings.ReplaceAll(r.join(e["elements"], "", r.rich), "\n", "\n> ")
	case "rich_text_list":
		return r.join(e["elements"], "\n", func(item any) string { return "- " + r.rich(item) })
	case "link":
		if s, _ := e["text"].(string); s != "" {
			return s
		}
		return fmt.Sprint(e["url"])
	case "user":
		return r.named(r.users, e["user_id"])
	case "channel":
		return r.named(r.channels, e["channel_id"])
	case "broadcast":
		return fmt.Sprintf("@%v", e["range"])
	case "emoji":
		return fmt.Sprintf(":%v:", e["name"])
	case "date":
		at, _ := e["timestamp"].(float64)
		format, _ := e["format"].(string)
		return r.date(int64(at), format)
	}
	s, _ := e["text"].(string)
	return s
}

func (r *reader) named(names map[string]string, id any) string {
	if name := names[fmt.Sprint(id)]; name != "" {
		return name
	}
	return fmt.Sprintf("<%v>", id)
}

var angle = regexp.MustCompile(`<([^<>]*)>`)

// mrkdwn resolves what stands in <…> and the three escapes; *bold* and the like
// stay as typed.
func (r *reader) mrkdwn(s string) string {
	s = angle.ReplaceAllStringFunc(s, func(in string) string {
		what, label, labelled := strings.Cut(in[1:len(in)-1], "|")
		switch {
		case strings.HasPrefix(what, "@"):
			return r.named(r.users, what[1:])
		case strings.HasPrefix(what, "#"):
			return r.named(r.channels, what[1:])
		case strings.HasPrefix(what, "!date^"):
			parts := strings.Split(what, "^")
			if !labelled {
				return in // a date without its fallback is none
			}
			at, err := strconv.ParseInt(parts[1], 10, 64)
			if err != nil || len(parts) < 3 {
				return label
			}
			return r.date(at, parts[2])
		case strings.HasPrefix(what, "!") && !labelled:
			return "@" + strings.TrimPrefix(what, "!")
		case labelled:
			return label
		}
		return what
	})
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(s)
}

var dateToken = regexp.MustCompile(`\{[a-z_]+\}`)

// tokenNames are all the date tokens that there are.
var tokenNames = []string{"date_num", "date_slash", "date", "date_short", "date_long", "date_long_full", "date_pretty", "date_short_pretty",
	"date_long_pretty", "day_divider_pretty", "time", "time_secs", "ago"}

// date renders Slack's date tokens in the person's zone.
func (r *reader) date(unix int64, format string) string {
	at := time.Unix(unix, 0).In(r.zone)
	return dateToken.ReplaceAllStringFunc(format, func(token string) string { return r.token(at, strings.Trim(token, "{}")) })
}

func (r *reader) token(at time.Time, token string) string {
	if !slices.Contains(tokenNames, token) {
		return "{" + token + "}"
	}
	layouts := map[string]string{"date_num": "2006-01-02", "date_slash": "01/02/2006", "date": "January 2, 2006", "date_short": "Jan 2, 2006",
		"date_long": "Monday, January 2, 2006", "date_long_full": "Monday, January 2, 2006", "time": "15:04", "time_secs": "15:04:05",
		"day_divider": "Monday, January 2"}
	if token == "ago" {
		return ago(r.now.Sub(at))
	}
	plainName, pretty := strings.CutSuffix(token, "_pretty")
	if pretty {
		days := int(midnight(at).Sub(midnight(r.now.In(r.zone))).Hours()/24 + 0.5*sign(at.Sub(r.now)))
		if i := slices.Index([]int{-1, 0, 1}, days); i >= 0 {
			return []string{"yesterday", "today", "tomorrow"}[i]
		}
	}
	return at.Format(layouts[plainName])
}

func midnight(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, t.Location())
}

func sign(d time.Duration) float64 {
	if d < 0 {
		return -1
	}
	return 1
}

func ago(d time.Duration) string {
	form := "%d %s ago"
	if d < 0 {
		d, form = -d, "in %d %s"
	}
	for _, unit := range []struct {
		size time.Duration
		name string
	}{{24 * time.Hour, "days"}, {time.Hour, "hours"}, {time.Minute, "minutes"}} {
		if n := d / unit.size; n > 0 {
			return fmt.Sprintf(form, n, unit.name)
		}
	}
	return fmt.Sprintf(form, d/time.Second, "seconds")
}
