package official

import (
	"slices"
	"strings"
)

// An exception is something that Slack sends, or an app may say, although the
// types deny it. It is taken away before the types judge.
type exception struct {
	kinds string         // of [Check], separated by spaces; one that ends in a dot is all that begin so
	path  string         // names separated by dots; * is each of a list
	only  func(any) bool // which values; all if nil
	as    string         // the kind that judges it instead, if any does
	lacks bool           // it is required, and may be missing where only says
	why   string
}

const (
	events = "heard.app_home_opened heard.app_mention heard.channel_id_changed heard.message"
	views  = "answered.views.open answered.views.push answered.views.update answered.views.publish"
)

// Sections are those of the book of facts about Slack.
var exceptions = []exception{
	{kinds: events, path: "event_context", why: "§2.4: captured payloads have it"},
	{kinds: "heard.app_home_opened", path: "event.view", as: "heard.view", why: "the type has here what an app publishes; the documented view has an id and a hash"},
	{kinds: "heard.", path: "enterprise", only: isNull, why: "§2.2, §2.3: captured payloads have it"},
	{kinds: "heard.view_submission heard.view_closed heard.block_suggestion", path: "user.username", why: "§2.3: captured payloads have it"},
	{kinds: "heard.block_actions", path: "actions.*.style", why: "§2.2: captured payloads have it"},
	{kinds: "heard.block_actions", path: "response_url", lacks: true, only: inView, why: "§2.2: a click in a view has none"},
	{kinds: "heard.slash_commands", path: "is_enterprise_install", only: isBool, why: "§2.1: a string, a bool or absent; the dial enterprise_install"},
	{kinds: "heard.", path: "x_unknown", why: "what nobody knows yet; the dial extra_fields"},

	{kinds: views, path: "view.close", only: isNull, why: "as in payloads, where the type has null"},
	{kinds: views, path: "view.submit", only: isNull, why: "as in payloads, where the type has null"},
	{kinds: views, path: "view.previous_view_id", only: isNull, why: "as in payloads, where the type has null"},
	{kinds: views, path: "view.state.values", why: "§6.2: the documented answer has it"},
	{kinds: "answered. heard.", path: "view.blocks", as: "said.blocks", why: "the answers' types know few blocks, and not what is in them"},
	{kinds: "answered.", path: "message.blocks", as: "said.blocks", why: "the same"},
	{kinds: "answered.", path: "messages.*.blocks", as: "said.blocks", why: "the same"},
	{kinds: "heard.view shown.message", path: "blocks", as: "said.blocks", why: "the same"},
	{kinds: "shown.message", path: "metadata.event_payload", why: "§6.3: the app's own names"},
	{kinds: "answered.", path: "message.metadata.event_payload", why: "§6.3: the app's own names"},
	{kinds: "answered.", path: "messages.*.metadata.event_payload", why: "§6.3: the app's own names"},
	{kinds: "answered.conversations.open", path: "channel", only: isGroup, as: "shown.channel", why: "§6.2: the full object; the type was made from direct messages"},
	{kinds: "answered.chat.update", path: "message.thread_ts", why: "the message is a reply; the type was made from one that is not"},
	{kinds: "answered.auth.revoke", path: "revoked", why: "its documentation has it"},

	{kinds: "asked.files.getUploadURLExternal", path: "alt_txt", why: "its documentation has this name, the type alt_text"},
	{kinds: "said.blocks", path: "*.elements.*.visible_to_user_ids", why: "§7: it exists"},
	{kinds: "said.blocks", path: "*", only: isYoung, why: "§7: blocks that the types do not know yet"},
}

func isNull(v any) bool { return v == nil }
func isBool(v any) bool { _, ok := v.(bool); return ok }

func inView(v any) bool {
	payload, _ := v.(map[string]any)
	return payload["view"] != nil
}

func isGroup(v any) bool {
	channel, _ := v.(map[string]any)
	return channel["is_mpim"] == true
}

func isYoung(v any) bool {
	block, _ := v.(map[string]any)
	return block["type"] == "data_visualization" || block["type"] == "layout"
}

func (x exception) fits(kind string) bool {
	return slices.ContainsFunc(strings.Fields(x.kinds), func(k string) bool {
		return k == kind || strings.HasSuffix(k, ".") && strings.HasPrefix(kind, k)
	})
}

// lift takes what the exceptions allow out of a copy of a value; the findings
// are what other kinds judge. One exception may be left out.
func lift(kind string, plain any, but *exception) (rest any, others []finding) {
	rest = clone(plain)
	for i := range exceptions {
		if x := &exceptions[i]; x != but && x.fits(kind) {
			x.take(rest, strings.Split(x.path, "."), func(v any) {
				if x.as != "" {
					others = append(others, finding{x.as, v})
				}
			})
		}
	}
	return rest, others
}

func (x exception) take(v any, path []string, took func(any)) {
	switch v := v.(type) {
	case []any:
		for i, one := range v {
			switch {
			case path[0] != "*":
			case len(path) > 1:
				x.take(one, path[1:], took)
			case x.only(one):
				took(one)
				v[i] = map[string]any{"type": "divider"}
			}
		}
	case map[string]any:
		one, there := v[path[0]]
		switch {
		case x.lacks && !there && len(path) == 1 && x.only(v):
			v[path[0]] = ""
		case !there || x.lacks:
		case len(path) > 1:
			x.take(one, path[1:], took)
		case x.only == nil || x.only(one):
			took(one)
			delete(v, path[0])
			if _, list := one.([]any); list && x.as != "" {
				v[path[0]] = []any{} // that there is one may be required
			}
		}
	}
}

func clone(v any) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i, one := range v {
			out[i] = clone(one)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, one := range v {
			out[name] = clone(one)
		}
		return out
	}
	return v
}
