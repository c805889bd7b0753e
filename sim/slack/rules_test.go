package slack_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"pagbot/sim/slack"
)

func repeat(n int, item string) string {
	return strings.TrimSuffix(strings.Repeat(item+",", n), ",")
}

func section(text string) string {
	return fmt.Sprintf(`{"type":"section","text":{"type":"mrkdwn","text":%q}}`, text)
}

func actions(elements string) string {
	return fmt.Sprintf(`{"type":"actions","elements":[%s]}`, elements)
}

func button(text, more string) string {
	return fmt.Sprintf(`{"type":"button","text":{"type":"plain_text","text":%q}%s}`, text, more)
}

const opt = `{"text":{"type":"plain_text","text":"a"},"value":"a"}`

// ruleCases are blocks and what Slack says of them; an empty word is fine. lax
// marks what the types' schema lets through though Slack does not.
var ruleCases = []struct {
	blocks, want string
	lax          bool
}{
	{section("hello"), "", false},
	{section(strings.Repeat("x", 3000)), "", false},
	{section(strings.Repeat("x", 3001)), "must be less than 3001 characters [json-pointer:/blocks/0/text/text]", false},
	{section(""), "must be more than 0 characters [json-pointer:/blocks/0/text/text]", true},
	{`{"type":"section"}`, "missing required field: text or fields [json-pointer:/blocks/0]", true},
	{`{"type":"section","text":{"type":"html","text":"x"}}`, "unsupported type: html [json-pointer:/blocks/0/text/type]", false},
	{`{"type":"section","fields":[` + repeat(11, `{"type":"mrkdwn","text":"x"}`) + `]}`, "no more than 10 items allowed [json-pointer:/blocks/0/fields]", false},
	{`{"type":"blink"}`, "unsupported type: blink [json-pointer:/blocks/0/type]", true},
	{`{"type":"divider","colour":"red"}`, "invalid additional property: colour [json-pointer:/blocks/0]", true},
	{`{"type":"header","text":{"type":"mrkdwn","text":"x"}}`, "unsupported type: mrkdwn [json-pointer:/blocks/0/text/type]", true},
	{`{"type":"header","text":{"type":"plain_text","text":"` + strings.Repeat("x", 151) + `"}}`, "must be less than 151 characters", true},
	{repeat(51, section("x")), "no more than 50 items allowed [json-pointer:/blocks]", true},
	{`{"type":"divider","block_id":"a"},{"type":"divider","block_id":"a"}`, "`block_id` already exists", true},
	{`{"type":"divider","block_id":"` + strings.Repeat("x", 256) + `"}`, "must be less than 256 characters [json-pointer:/blocks/0/block_id]", true},
	{actions(button("Go", `,"value":"1","style":"primary"`)), "", false},
	{actions(""), "must provide at least 1 items [json-pointer:/blocks/0/elements]", true},
	{actions(repeat(26, button("Go", ""))), "no more than 25 items allowed", true},
	{actions(button(strings.Repeat("x", 76), "")), "must be less than 76 characters [json-pointer:/blocks/0/elements/0/text/text]", true},
	{actions(button("Go", `,"value":"`+strings.Repeat("x", 2001)+`"`)), "must be less than 2001 characters", true},
	{actions(button("Go", `,"style":"blue"`)), "must be one of: primary, danger", true},
	{actions(`{"type":"static_select","placeholder":{"type":"plain_text","text":"p"},"options":[` + opt + `]}`), "", false},
	{actions(`{"type":"static_select","placeholder":{"type":"plain_text","text":"p"}}`), "either options or option_groups", true},
	{actions(`{"type":"static_select","options":[` + repeat(101, opt) + `]}`), "no more than 100 items allowed", true},
	{actions(`{"type":"overflow","options":[` + repeat(6, opt) + `]}`), "no more than 5 items allowed", true},
	{actions(`{"type":"plain_text_input","action_id":"a"}`), "unsupported type: plain_text_input", true},
	{`{"type":"context","elements":[{"type":"mrkdwn","text":"x"},{"type":"image","image_url":"https://x.example/a.png","alt_text":"x"}]}`, "", false},
	{`{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[{"type":"text","text":"x","style":{"bold":true}},{"type":"user","user_id":"U1"}]}]}`, "", false},
	{`{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[{"type":"script","text":"x"}]}]}`, "unsupported type: script", true},
	{`{"type":"input","label":{"type":"plain_text","text":"l"},"element":{"type":"plain_text_input","action_id":"a"}}`, "", false},
	{`{"type":"image","alt_text":"x"}`, "either image_url or slack_file", true},
	{`{"type":"image","image_url":"https://x.example/a.png"}`, "missing required field: alt_text [json-pointer:/blocks/0]", true},
	{`"text"`, "must be an object", false},
}

func TestBlockRules(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		for i, c := range ruleCases {
			if c.blocks[0] != '{' {
				continue // not decodable as blocks: invalid_blocks_format, below
			}
			s.Turn(func(d *slack.Dials) { d.PostPerSecond = 0 })
			got := s.call("chat.postMessage", "channel", approvals, "text", "x", "blocks", "["+c.blocks+"]")
			said, _ := json.Marshal(got["errors"])
			plain := strings.NewReplacer(`\u003c`, "<").Replace(string(said))
			switch {
			case c.want == "" && got["ok"] != true:
				t.Errorf("%d %.80s: %v", i, c.blocks, got)
			case c.want != "" && (got["error"] != "invalid_blocks" || !strings.Contains(plain, c.want)):
				t.Errorf("%d %.80s: %v, want %q", i, c.blocks, got, c.want)
			}
		}
		if got := s.call("chat.postMessage", "channel", approvals, "blocks", `["text"]`); got["error"] != "invalid_blocks_format" {
			t.Errorf("%v", got)
		}
		if got := s.call("chat.postMessage", "channel", approvals, "text", "x", "blocks", "["+repeat(5, section(strings.Repeat("x", 2900)))+"]"); got["error"] != "msg_blocks_too_long" {
			t.Errorf("%v", got)
		}
	})
}

// What the official types refuse, the rules refuse; what the rules accept, the
// types accept.
func TestBlockRulesAgainstTheTypes(t *testing.T) {
	message := schema(t, data(t, "slack-surfaces.schema.json")+"#/properties/message")
	for i, c := range ruleCases {
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(`[` + c.blocks + `]`))
		if err != nil {
			t.Fatal(err)
		}
		err = message.Validate(v)
		if c.want == "" && err != nil {
			t.Errorf("%d %.80s: the types refuse it: %v", i, c.blocks, err)
		}
		if c.want != "" && !c.lax && err == nil {
			t.Errorf("%d %.80s: the types accept it", i, c.blocks)
		}
	}
}
