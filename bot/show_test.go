package bot

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/slack-go/slack"

	"pagbot/sim/slack/official"
)

var update = flag.Bool("update", false, "rewrite testdata")

// golden compares with a file of testdata, or rewrites it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	p := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(p, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(p)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != got {
		t.Errorf("%s differs; see it with: go test ./bot -run %s -update && git diff\ngot:\n%s", p, t.Name(), got)
	}
}

// show renders a message as a person sees it, a block a paragraph.
func show(t testing.TB, m message) string {
	return "  (" + m.text + ")\n" + showBlocks(t, m.blocks)
}

func showBlocks(t testing.TB, blocks []slack.Block) string {
	t.Helper()
	b, err := json.Marshal(blocks)
	if err != nil {
		t.Fatal(err)
	}
	var all []map[string]any
	if err := json.Unmarshal(b, &all); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for _, block := range all {
		text := showElement(block)
		out.WriteString("  " + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n  ") + "\n")
	}
	return out.String()
}

func showForm(t testing.TB, v slack.ModalViewRequest) string {
	return fmt.Sprintf("  == %s ==\n%s  [%s] [%s]\n", v.Title.Text, showBlocks(t, v.Blocks.BlockSet), v.Close.Text, v.Submit.Text)
}

// showElement renders a block or what is in it.
func showElement(e map[string]any) string {
	text := func(key string) string {
		s, ok := e[key].(string)
		if !ok {
			o, _ := e[key].(map[string]any)
			s, _ = o["text"].(string)
		}
		return s
	}
	switch e["type"] {
	case "user":
		return "@" + text("user_id")
	case "channel":
		return "#" + text("channel_id")
	case "emoji":
		return ":" + text("name") + ":"
	case "date":
		return styled(e, "{"+text("fallback")+"}")
	case "link":
		return text("text") + "<" + text("url") + ">"
	case "text":
		return styled(e, text("text"))
	case "button":
		if url := text("url"); url != "" {
			return "[" + text("text") + " → " + url + "]"
		}
		return "[" + text("text") + "]"
	case "header":
		return "## " + text("text")
	case "input":
		in := ""
		if e["optional"] == true {
			in = " (optional)"
		}
		return text("label") + in + ": ________"
	case "mrkdwn":
		return "~ " + text("text")
	}
	var parts []string
	list, _ := e["elements"].([]any)
	for _, x := range list {
		o, _ := x.(map[string]any)
		parts = append(parts, showElement(o))
	}
	if e["type"] == "actions" {
		return strings.Join(parts, " ")
	}
	return strings.Join(parts, "")
}

func styled(e map[string]any, s string) string {
	style, _ := e["style"].(map[string]any)
	if style["bold"] == true {
		s = "*" + s + "*"
	}
	if style["code"] == true {
		s = "`" + s + "`"
	}
	return s
}

var surfaces sync.Map // compiled schemas by part

// refusedBeside is what the schemas beside the repository say against a value; nothing
// where they are absent: Slack's own types, above, always judge.
func refusedBeside(t testing.TB, part string, v any) error {
	t.Helper()
	s, ok := surfaces.Load(part)
	if !ok {
		if _, beside := sharedFile(t, "slack-surfaces.schema.json"); !beside {
			return nil
		}
		s = schema(t, "slack-surfaces.schema.json", "#/properties/"+part)
		surfaces.Store(part, s)
	}
	return s.(*jsonschema.Schema).Validate(generic(t, v))
}

// valid checks a message against Slack's schemas and the limits that they miss.
func valid(t testing.TB, m message) {
	t.Helper()
	sound(t, m)
	if err := refusedBeside(t, "message", m.blocks); err != nil {
		t.Errorf("%v\n%s", err, show(t, m))
	}
}

// sound is valid by Slack's own types alone, for the very many.
func sound(t testing.TB, m message) {
	t.Helper()
	limits(t, m.blocks, 50)
	if n := len([]rune(m.text)); n == 0 || n > 4000 {
		t.Errorf("the notification has %d characters: Slack wants one, and updates only up to 4000", n)
	}
	if err := official.Check("said.blocks", m.blocks); err != nil {
		t.Errorf("%v\n%s", err, show(t, m))
	}
}

func validForm(t testing.TB, v slack.ModalViewRequest) {
	t.Helper()
	limits(t, v.Blocks.BlockSet, 100)
	if len(v.PrivateMetadata) > 3000 {
		t.Error("private_metadata is too long")
	}
	if v.Submit == nil {
		t.Error("a form with inputs needs a submit")
	}
	if err := errors.Join(official.Check("said.modal", v), refusedBeside(t, "modal", v)); err != nil {
		t.Error(err)
	}
}

// limits are those of facts that the schema misses.
func limits(t testing.TB, blocks []slack.Block, most int) {
	t.Helper()
	if len(blocks) == 0 || len(blocks) > most {
		t.Errorf("%d blocks", len(blocks))
	}
	ids := map[string]bool{}
	total := 0
	list, _ := generic(t, blocks).([]any)
	for _, x := range list {
		b := x.(map[string]any)
		if id, _ := b["block_id"].(string); id != "" {
			if ids[id] || len(id) > 255 {
				t.Errorf("block id %q", id)
			}
			ids[id] = true
		}
		total += measure(t, b)
	}
	if total > 13000 {
		t.Errorf("%d characters in all: msg_blocks_too_long", total)
	}
}

// measure sums the text, and finds what may not be empty.
func measure(t testing.TB, v any) int {
	t.Helper()
	sum := 0
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			sum += measure(t, x)
		}
	case map[string]any:
		if list, ok := v["elements"].([]any); ok && len(list) == 0 {
			t.Errorf("nothing in a %v", v["type"])
		}
		for name, x := range v {
			s, isText := x.(string)
			if isText && name == "text" && s == "" && v["type"] != "button" {
				t.Errorf("an empty text in a %v", v["type"])
			}
			if isText && name == "text" {
				sum += len([]rune(s))
			}
			sum += measure(t, x)
		}
	}
	return sum
}
