package e2e

import (
	"encoding/json"
	"maps"
	"strconv"
	"strings"
	"testing"
	"time"

	"pagbot/internal/demo"
	"pagbot/sim/slack"
)

// What people type is shown, and is nothing more than shown.

// loud are words that would mention everybody, forge a link to sign in, or
// pretend to be the bot's own, as Slack sends them: escaped where a client
// escapes, and raw as a client never would.
var loud = []string{
	`<!channel> <!here> <@U0APPROVER> <https://evil.test|Confirm in browser>`,
	`&lt;!channel&gt; &lt;https://evil.test|Confirm in browser&gt;`,
	`*Approved* by _security_ ~really~ ` + "`code`" + ` :white_check_mark:`,
	"first\n> second\n• *Entra ID*: *gone*",
	"\u202egnorw \u200b\u0000\ufeff zero",
	`</textarea><script>alert(1)</script>{{.}}%s%d`,
}

// marked are all texts of a message that Slack reads as markup. Of a message's
// own text, which is for notifications, it reads mentions and links only.
func marked(v any) map[string]bool {
	all := map[string]bool{}
	switch v := v.(type) {
	case map[string]any:
		if text, ok := v["text"].(string); ok && (v["type"] == "mrkdwn" || v["type"] == nil) {
			all[text] = v["type"] == nil
		}
		for k, x := range v {
			if s, ok := x.(string); ok && (k == "blocks" || k == "view" || k == "attachments") {
				var inner any
				if json.Unmarshal([]byte(s), &inner) == nil {
					x = inner
				}
			}
			maps.Copy(all, marked(x))
		}
	case []any:
		for _, x := range v {
			maps.Copy(all, marked(x))
		}
	}
	return all
}

// quiet makes sure that nothing that people typed became markup in anything
// that the bot has said since then.
func (w *town) quiet(after int) {
	w.t.Helper()
	n := 0
	for _, e := range w.Slack.History(slack.Query{After: after}) {
		if e.Kind != "call" && e.Kind != "response_url" {
			continue
		}
		raw, err := json.Marshal(e.Request)
		if err != nil {
			w.t.Fatal(err)
		}
		var request any
		if err := json.Unmarshal(raw, &request); err != nil {
			w.t.Fatal(err)
		}
		if e.Error != "" {
			w.t.Errorf("%s: %s", e.Name, e.Error)
		}
		for text, fallback := range marked(request) {
			n++
			for i, bad := range []string{"<!channel", "<!here", "<@U0APPROVER> <", "<https://evil", "|Confirm in browser", "*Approved*", "_security_", "\n> second", "`code`"} {
				if strings.Contains(text, bad) && (i < 5 || !fallback) {
					w.t.Errorf("%s says %q as markup: %q", e.Name, bad, text)
				}
			}
		}
	}
	if n == 0 {
		w.t.Error("the bot has said nothing")
	}
}

func (w *town) lastEntry() int { return len(w.Slack.History(slack.Query{})) }

// TestAttackWords gives such words as reason, ticket, group and verb, and shows
// them to the approver.
func TestAttackWords(t *testing.T) {
	for _, words := range loud {
		t.Run("", func(t *testing.T) {
			inTown(t, setup{}, func(w *town) {
				w.Slack.Turn(func(d *slack.Dials) { d.ResponseUses = 100 })
				card := w.asked() // so that there is a response URL
				w.presses(demo.Requester, card, "approve")
				w.rest(2 * time.Second)
				w.types(demo.Requester, "/pag deactivate devops-admins")
				link := w.newest(demo.Requester)
				w.confirms(demo.Requester, w.browser(), link)
				w.rest(time.Minute)
				from := w.lastEntry()
				for _, text := range []string{words, `activate nogroup` + words, `activate ` + words, `activate "` + words + `" 1h`, `deactivate ` + words} {
					w.injects(demo.Requester, text, nil)
				}
				w.injects(demo.Requester, `activate devops-admins 1h "`+strings.ReplaceAll(words, `"`, "")+`" `+words, nil)
				card = w.sees(demo.Requester, w.Channel.ID, time.Minute, "devops-admins", "An approver is needed")
				w.presses(demo.Approver, card, "approve")
				w.fills(demo.Approver, words)
				w.rest(5 * time.Second)
				w.quiet(from)
			})
		})
	}
}

// TestAttackOversized types far more than anybody would: it is refused, or it
// can be decided on; and the bot lives on.
func TestAttackOversized(t *testing.T) {
	for _, n := range []int{300, 2_000, 30_000, 500_000} {
		t.Run(strconv.Itoa(n), func(t *testing.T) {
			inTown(t, setup{}, func(w *town) {
				from, seen := w.lastEntry(), w.everything()
				long := strings.Repeat("x€<&", n/4)
				for _, text := range []string{long, "activate " + long, `activate devops-admins 1h "` + long + `" ` + long} {
					// What is larger than any frame of Slack's costs the connection.
					if _, err := w.Person(demo.Requester).Command(w.t.Context(), w.Channel.ID, "/pag "+text); err != nil {
						w.t.Fatal(err)
					}
					w.rest(5 * time.Second)
				}
				if answer := w.follows(demo.Requester, "", seen); strings.Contains(answer, "with its approvers") {
					w.presses(demo.Approver, w.sees(demo.Approver, w.Channel.ID, time.Minute, "An approver is needed"), "approve")
					w.fills(demo.Approver, "a long story")
				}
				w.types(demo.Requester, "/pag list")
				w.sees(demo.Requester, w.Channel.ID, time.Minute, "You may activate")
				w.quiet(from)
			})
		})
	}
}
