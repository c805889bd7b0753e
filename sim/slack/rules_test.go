package slack_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"pagbot/sim/slack"
	"pagbot/sim/slack/official"
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
	{actions(repeat(2, button("Go", `,"action_id":"go"`))), "`action_id` already exists in the block: go", true},
	{actions(`{"type":"datepicker","initial_date":"1.2.2026"}`), "must be like YYYY-MM-DD", true},
	{actions(`{"type":"timepicker","initial_time":"24:00"}`), "must be like HH:mm", true},
	{actions(`{"type":"static_select","options":[{"text":{"type":"plain_text","text":"a"},"value":"` + strings.Repeat("x", 76) + `"}]}`), "must be less than 76 characters", true},
	{actions(`{"type":"button","text":{"type":"plain_text","text":"Go"},"confirm":{"title":{"type":"plain_text","text":"` + strings.Repeat("x", 101) + `"},"text":{"type":"plain_text","text":"x"}}}`), "must be less than 101 characters", true},
	{actions(`{"type":"checkboxes","options":[` + repeat(11, opt) + `]}`), "no more than 10 items allowed", true},
	{repeat(13, `{"type":"markdown","text":"`+strings.Repeat("x", 1000)+`"}`), "markdown text must be less than 12001 characters in total", true},
	{`{"type":"image","alt_text":"x","slack_file":{"id":"F0","url":"https://files.example/F0"}}`, "must have exactly one of: id, url", true},
	{`{"type":"image","alt_text":"x","slack_file":{"id":"F0NOWHERE"}}`, "invalid slack file [json-pointer:/blocks/0/slack_file]", true},
	{`{"type":"table","rows":[` + repeat(101, `[{"type":"raw_text","text":"x"}]`) + `]}`, "no more than 100 items allowed", true},
	{`{"type":"table","rows":[[` + repeat(21, `{"type":"raw_text","text":"x"}`) + `]]}`, "no more than 20 items allowed", true},
	{`{"type":"data_table","caption":"c","rows":[[{"type":"raw_text","text":"x"}]]}`, "must provide at least 2 items", true},
	{`{"type":"data_table","rows":[[{"type":"raw_text","text":"x"}],[{"type":"raw_text","text":"x"}]]}`, "missing required field: caption", false},
	{`{"type":"alert","text":{"type":"plain_text","text":"x"},"level":"loud"}`, "must be one of: default", false},
	{`{"type":"carousel","elements":[` + repeat(11, `{"type":"card"}`) + `]}`, "no more than 10 items allowed", true},
	{`{"type":"container","child_blocks":[` + repeat(11, `{"type":"divider"}`) + `]}`, "no more than 10 items allowed", true},
	{`{"type":"container","child_blocks":[{"type":"container","child_blocks":[{"type":"divider"}]}]}`, "unsupported type: container", false},
	{`{"type":"data_visualization","title":"t","chart":{"type":"pie","segments":[` + repeat(13, `{"label":"l","value":1}`) + `]}}`, "no more than 12 items allowed", true},
	{`{"type":"video","video_url":"https://v.example","thumbnail_url":"https://v.example","alt_text":"x","title":{"type":"plain_text","text":"` + strings.Repeat("x", 201) + `"}}`, "must be less than 201 characters", true},
	{`{"type":"context_actions","elements":[` + repeat(6, `{"type":"icon_button","icon":"trash","text":{"type":"plain_text","text":"x"}}`) + `]}`, "no more than 5 items allowed", true},
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
// types accept. So it is with the schemas beside the repository, if there are any.
func TestBlockRulesAgainstTheTypes(t *testing.T) {
	judges := map[string]func(any) error{"the types": func(v any) error { return official.Check("said.blocks", v) }}
	if beside, ok := dataFile(t, "slack-surfaces.schema.json"); ok {
		judges["the schemas beside"] = schema(t, beside+"#/properties/message").Validate
	}
	for i, c := range ruleCases {
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(`[` + c.blocks + `]`))
		if err != nil {
			t.Fatal(err)
		}
		for who, judge := range judges {
			err = judge(v)
			if c.want == "" && err != nil {
				t.Errorf("%d %.80s: %s refuse it: %v", i, c.blocks, who, err)
			}
			if c.want != "" && !c.lax && err == nil {
				t.Errorf("%d %.80s: %s accept it", i, c.blocks, who)
			}
		}
	}
}
