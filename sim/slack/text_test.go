package slack_test

import (
	"fmt"
	"testing"
	"time"

	"pagbot/sim/slack"
)

func TestTextAsEachPersonSeesIt(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		s.pass(time.Until(time.Date(2026, 3, 1, 22, 30, 0, 0, time.UTC)))
		now := time.Now().Unix()
		berlin, utc := s.Person(requester), s.Person(approver)
		say := func(text string) slack.Message { return slack.Message{Text: text} }
		date := func(at int64, format string) string {
			return fmt.Sprintf("<!date^%d^%s|fallback>", at, format)
		}
		for _, c := range []struct {
			p    *slack.Person
			text string
			want string
		}{
			{berlin, "hi <@" + approver + ">, see <#" + general + "> or <https://x.example|the page>", "hi @approver, see #general or the page"},
			{utc, "a &lt;b&gt; &amp; <https://x.example> <!here>", "a <b> & https://x.example @here"},
			{utc, date(now, "{date_short_pretty} at {time}"), "today at 22:30"},
			{berlin, date(now, "{date_short_pretty} at {time}"), "today at 23:30"},
			{berlin, date(now+3600, "{date_pretty} {time}"), "tomorrow 00:30"},
			{utc, date(now+3600, "{date_pretty} {time}"), "today 23:30"},
			{utc, date(now-86400, "{date_long_pretty}"), "yesterday"},
			{utc, date(now+10*86400, "{date_short_pretty} {date_num} {time_secs}"), "Mar 11, 2026 2026-03-11 22:30:00"},
			{utc, date(now-300, "{ago}") + ", " + date(now+7200, "{ago}"), "5 minutes ago, in 2 hours"},
			{utc, "<!date^soon^{time}|fallback>", "fallback"},
		} {
			if got := c.p.Text(say(c.text)); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		}
	})
}

func TestRichTextIsNeverParsed(t *testing.T) {
	stage(t, func(t *testing.T, s *scene) {
		el := func(kind string, more map[string]any) any {
			more["type"] = kind
			return more
		}
		m := slack.Message{Blocks: []slack.Block{
			{"type": "header", "text": map[string]any{"type": "plain_text", "text": "Access"}},
			{"type": "rich_text", "elements": []any{el("rich_text_quote", map[string]any{"elements": []any{
				el("text", map[string]any{"text": "<!channel> & <@U1>\nsecond"})}}),
				el("rich_text_section", map[string]any{"elements": []any{
					el("user", map[string]any{"user_id": requester}), el("text", map[string]any{"text": " until "}),
					el("date", map[string]any{"timestamp": 946688400.0, "format": "{time}"})}})}},
			{"type": "divider"},
			{"type": "context", "elements": []any{map[string]any{"type": "mrkdwn", "text": "one"}, map[string]any{"type": "plain_text", "text": "two"}}},
			{"type": "actions", "elements": []any{
				map[string]any{"type": "button", "text": map[string]any{"type": "plain_text", "text": "Approve"}},
				map[string]any{"type": "button", "text": map[string]any{"type": "plain_text", "text": "Deny"}}}},
		}}
		want := "Access\n> <!channel> & <@U1>\n> second\n@requester until 02:00\n----\none · two\n[Approve] [Deny]"
		if got := s.Person(requester).Text(m); got != want {
			t.Errorf("%s\nwant\n%s", got, want)
		}
	})
}
