package e2e

import (
	"slices"
	"testing"
	"time"

	"pagbot/internal/demo"
	"pagbot/sim/slack"
)

// What counts once: every frame, whenever and wherever it arrives again.

// replays sends every frame so far again, and makes sure that nobody hears of
// it: no write, no message, no form.
func (w *town) replays(when string) {
	w.t.Helper()
	var ids []string
	for _, e := range w.Slack.History(slack.Query{Kind: "envelope"}) {
		ids = append(ids, e.ID)
	}
	before := w.speeches()
	w.nothing(func() {
		for _, id := range ids {
			if !w.Slack.Redeliver(id) {
				w.t.Errorf("%s: the bot has no socket", when)
			}
			w.rest(time.Second)
		}
	})
	if n := w.speeches() - before; n > 0 {
		w.t.Errorf("%s: the replay of %d frames made the bot say %d things", when, len(ids), n)
	}
}

// speeches counts what the bot has said; a card that is brought up to date does
// not count.
func (w *town) speeches() (n int) {
	for _, e := range w.Slack.History(slack.Query{}) {
		if e.Kind == "response_url" || slices.Contains([]string{"chat.postMessage", "chat.postEphemeral", "views.open"}, e.Name) {
			n++
		}
	}
	return n
}

func (w *town) reboots() {
	w.t.Helper()
	w.stop()
	w.start()
	w.rest(5 * time.Second)
}

// signsIn keeps a session for a person: from then on a frame alone would do for
// deeds that need no more.
func (w *town) signsIn(name string) {
	w.t.Helper()
	w.types(name, "/pag signin")
	w.told(w.confirms(name, w.browser(), w.newest(name)), "You are signed in")
}

// TestAttackReplay replays a whole life that needs no browser any more, so that
// each frame that counted twice would write.
func TestAttackReplay(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		w.Slack.Turn(func(d *slack.Dials) { d.Distribution = "round_robin" })
		w.signsIn(demo.Requester)
		w.types(demo.Requester, `/pag activate release-managers 1h "release 42"`)
		w.sees(demo.Requester, w.Person(demo.Requester).DM(), time.Minute, "You have", "release-managers")
		w.replays("while it is active")
		w.reboots()
		w.replays("after a restart")
		w.rest(5 * time.Minute)
		w.types(demo.Requester, "/pag deactivate release-managers")
		w.sees(demo.Requester, w.Person(demo.Requester).DM(), time.Hour, "ended")
		w.types(demo.Requester, "/pag status")
		w.rest(time.Minute)
		if n := len(w.Entra.Writes()); n != 2 {
			w.t.Fatalf("an activation and its end made %d writes", n)
		}
		w.replays("after its end")
		w.sees(demo.Requester, w.Person(demo.Requester).DM(), time.Hour, "is over")
		w.rest(time.Minute)
		w.reboots()
		w.replays("when all is over")
	})
}

// TestAttackReplayedVote replays an approval, before and after it is confirmed.
func TestAttackReplayedVote(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		link := w.voted(w.asked())
		w.rest(10 * time.Second)
		w.replays("before the approver signs in")
		w.confirms(demo.Approver, w.browser(), link)
		w.sees(demo.Requester, w.Person(demo.Requester).DM(), time.Minute, "You have", "devops-admins")
		w.rest(time.Minute)
		w.replays("after the approval")
		w.nothing(func() { w.confirms(demo.Approver, w.browser(), link) }) // nor does the link
	})
}
