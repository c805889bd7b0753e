package official

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const button = `{"type":"button","action_id":"go","text":{"type":"plain_text","text":"Go"}}`

// Each is refused for what it says, and the sound ones are not.
func TestTheJudgeCanSayNo(t *testing.T) {
	for _, c := range []struct{ kind, value, want string }{
		{"said.blocks", `[{"type":"actions","elements":[` + button + `]}]`, ""},
		{"said.blocks", `[{"type":"blink"}]`, "type': value must be one of"},
		{"said.blocks", `[{"type":"actions","elements":[{"type":"button","text":{"type":"plain_text","text":1}}]}]`, "got number, want string"},
		{"said.blocks", `[{"type":"actions"}]`, "missing property 'elements'"},
		{"said.blocks", `[{"type":"actions","elements":[],"colour":"red"}]`, "'colour' not allowed"},
		{"said.blocks", `[{"type":"section","text":{"type":"mrkdwn","text":""}}]`, "minLength"},
		{"said.blocks", `[{"type":"header","text":{"type":"plain_text","text":"` + strings.Repeat("x", 151) + `"}}]`, "maxLength: got 151, want 150"},
		{"said.blocks", `[{"type":"actions","elements":[` + strings.Repeat(button+",", 25) + button + `]}]`, "maxItems: got 26, want 25"},
		{"said.modal", `{"type":"modal","title":{"type":"plain_text","text":"T"},"blocks":[]}`, ""},
		{"said.modal", `{"type":"modal","blocks":[]}`, "missing property 'title'"},
		{"said.modal", `{"type":"home","blocks":[]}`, "value must be 'modal'"},
		{"said.home", `{"type":"home","blocks":[{"type":"blink"}]}`, "type': value must be one of"},
		{"said.attachments", `[{"text":"x","color":"good"}]`, ""},
		{"said.attachments", `[{"words":"x"}]`, "'words' not allowed"},
		{"said.submitted", `{"response_action":"errors","errors":{"reason":"Too short"}}`, ""},
		{"said.submitted", `{"response_action":"errors","errors":{"reason":1}}`, "got number, want string"},
		{"heard.view_closed", `{"type":"view_closed"}`, "missing properties"},
		{"heard.slash_commands", `{"command":"/pag","colour":"red"}`, "'colour' not allowed"},
		{"heard.message_changed", `{}`, "known for heard.message_changed"},
		{"answered.auth.test", `{"ok":true,"user_id":"U0BOT"}`, ""},
		{"answered.auth.test", `{"ok":"yes"}`, "got string, want boolean"},
		{"answered.auth.test", `{"ok":true,"user_name":"pag"}`, "'user_name' not allowed"},
		{"answered.chat.update", `{"ok":true,"message":{"blocks":[{"type":"blink"}]}}`, "type': value must be one of"},
		{"asked.chat.update", `{"channel":"C0A","ts":"1.2","text":"x"}`, ""},
		{"asked.chat.update", `{"channel":"C0A","text":"x"}`, "missing property 'ts'"},
		{"asked.chat.update", `{"channel":"C0A","ts":"1.2","txt":"x"}`, "'txt' not allowed"},
		{"answered.refused", `{"ok":false}`, "missing property 'error'"},
	} {
		v, err := decode(c.value)
		if err != nil {
			t.Fatal(c.value, err)
		}
		if err = Check(c.kind, v); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %.90s: %v, want %q", c.kind, c.value, err, c.want)
		}
	}
}

// What is committed is what the types of today's package.json say: nobody edits
// it by hand, and no method of the simulator lacks a schema.
func TestTheSchemasAreGenerated(t *testing.T) {
	if os.Getenv("PAGBOT_JUDGE") == "" {
		t.Skip("run npm ci in sim/judges/types and set PAGBOT_JUDGE=1, and the schemas are generated again and compared")
	}
	made := exec.CommandContext(t.Context(), "node", "generate.mjs")
	made.Dir, made.Stderr = filepath.Join("..", "..", "judges", "types"), os.Stderr
	got, err := made.Output()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, raw) {
		t.Error("slack.json is not what the types say; in sim/judges/types run: npm run generate")
	}
}
