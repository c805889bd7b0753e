package e2e

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pagbot/internal/demo"
	"pagbot/sim/slack"
)

// TestCardInTrouble: whatever Slack answers to the card's updates, its last
// state arrives, and there is one card.
func TestCardInTrouble(t *testing.T) {
	for name, faults := range map[string][]slack.Fault{
		"429":                     {{Method: "chat.update", Kind: "status", Status: 429, RetryAfter: 30, Count: 3}},
		"429 without a time":      {{Method: "chat.update", Kind: "status", Status: 429, Count: 5}},
		"post 429":                {{Method: "chat.postMessage", Kind: "status", Status: 429, RetryAfter: 20, Count: 3}},
		"500 after it took place": {{Method: "chat.update", Kind: "status", Status: 500, After: true, Count: 2}},
		"500":                     {{Method: "chat.update", Kind: "status", Status: 500, Count: 3}},
		"reset":                   {{Method: "chat.update", Kind: "reset", Count: 2}},
		"hang":                    {{Method: "chat.update", Kind: "hang"}},
		"internal error":          {{Method: "*", Kind: "error", Error: "internal_error", Count: 4}},
		"bad JSON":                {{Method: "chat.update", Kind: "bad_json", Count: 2}, {Method: "chat.update", Kind: "empty", Count: 2}},
	} {
		t.Run(name, func(t *testing.T) {
			inTown(t, setup{}, func(w *town) {
				for _, f := range faults {
					w.Slack.Fail(f)
				}
				w.gets(demo.Releasers, "1h")
				w.wholeLife()
				w.pass(10 * time.Minute)
				w.oneCard("and gone")
				w.wrote(map[string]int{"selfActivate": 1})
				w.closes(true)
			})
		})
	}
}

// oneCard checks that the channel has one card, with these words.
func (w *town) oneCard(words ...string) {
	w.t.Helper()
	cards := 0
	for _, m := range w.Person(demo.Approver).Messages(w.Channel.ID) {
		text := w.Person(demo.Approver).Text(m)
		if m.Thread != "" || !strings.Contains(text, "Reason:") {
			continue
		}
		cards++
		if !holds(text, words) {
			w.t.Errorf("the card does not show %q:\n%s", words, text)
		}
	}
	if cards != 1 {
		w.t.Errorf("%d cards:\n%s", cards, w.read(demo.Approver, w.Channel.ID))
	}
}

// TestSlackWithoutAPI: Slack takes nothing for minutes, and the person hears
// all of it afterwards, once.
func TestSlackWithoutAPI(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		w.gets(demo.Releasers, "1h")
		w.Slack.Fail(slack.Fault{Method: "*", Kind: "status", Status: 503, Count: 60})
		w.wholeLife()
		w.oneCard("and gone")
		dm := w.read(demo.Requester, w.mine(demo.Requester))
		for _, words := range []string{"took effect in", "PIM can't extend", "ended at", "over and gone"} {
			if n := strings.Count(dm, words); n != 1 {
				t.Errorf("%q is said %d times:\n%s", words, n, dm)
			}
		}
		w.closes(true)
	})
}

// TestSockets: connections are refreshed every 20 seconds, freeze, are reset
// and deliver everything twice, while commands keep coming. Each is answered,
// and nothing is done twice.
func TestSockets(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		w.Slack.Turn(func(d *slack.Dials) { d.Lifetime, d.WarningGap, d.DuplicateRate = 20, 5, .3 })
		w.Slack.Refresh(0)
		w.keepsSession(demo.Requester)
		lost := 0
		for i := range 60 {
			switch i % 20 {
			case 5:
				w.Slack.Reset(0)
			case 10:
				w.Slack.HalfOpen(w.someSocket())
			case 15:
				w.Slack.Disconnect(w.someSocket(), "warning")
			}
			r, err := w.Person(demo.Requester).Command(w.t.Context(), w.Channel.ID, fmt.Sprintf("/pag deactivate nothing-%d", i))
			if err != nil || r.Error != "" {
				lost++ // the person sees that, and repeats it
			} else {
				w.sees(demo.Requester, w.Channel.ID, time.Minute, fmt.Sprintf("“nothing-%d”", i))
			}
			w.pass(3 * time.Second)
		}
		if lost > 9 { // one connection of two was dead at most, a few seconds long, six times
			t.Errorf("%d of 60 commands met no connection", lost)
		}
		w.types(demo.Requester, `/pag activate release-managers 1h "release 42 is stuck"`)
		w.wholeLife()
		w.wrote(map[string]int{"selfActivate": 1})
		w.oneCard("and gone")
		w.everyAckOnce()
		w.closes(true)
	})
}

func (w *town) someSocket() int {
	for _, s := range w.Slack.Sockets() {
		if !s.Ghost && !s.Frozen && !s.Leaving {
			return s.ID
		}
	}
	return 1 << 30
}

// everyAckOnce: no command was answered twice, although many came twice.
func (w *town) everyAckOnce() {
	w.t.Helper()
	synctest.Wait()
	twice, seen := 0, map[string]int{}
	for _, e := range w.Slack.History(slack.Query{Kind: "envelope"}) {
		if e.Delivered > 1 {
			twice++
		}
	}
	for _, m := range w.Person(demo.Requester).Messages(w.Channel.ID) {
		if text := w.Person(demo.Requester).Text(m); strings.Contains(text, "“nothing-") {
			seen[text]++
		}
	}
	for text, n := range seen {
		if n > 1 {
			w.t.Errorf("said %d times: %s", n, text)
		}
	}
	if twice == 0 {
		w.t.Error("nothing was delivered twice, so nothing was shown")
	}
}

// TestDuplicates: every envelope comes twice; every click is one deed.
func TestDuplicates(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		w.Slack.Turn(func(d *slack.Dials) { d.DuplicateRate = 1 })
		w.decides(demo.Approver, w.awaits(), "approve")
		w.sees(demo.Requester, w.mine(demo.Requester), time.Minute, "You have devops-admins")
		for _, e := range w.Slack.History(slack.Query{Kind: "envelope"}) {
			w.Slack.Redeliver(e.ID) // and once more, late
		}
		w.wholeLife()
		w.wrote(map[string]int{"selfActivate": 1, "Approve": 1})
		w.oneCard("and gone")
		w.closes(true)
	})
}
