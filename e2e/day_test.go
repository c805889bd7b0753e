package e2e

import (
	"testing"
	"time"

	"pagbot/internal/demo"
	"pagbot/sim/slack"
)

// link is the address behind a message's only link button.
func (w *town) link(m slack.Message) string {
	w.t.Helper()
	for _, b := range m.Blocks {
		elements, _ := b["elements"].([]any)
		for _, e := range elements {
			if url, ok := e.(map[string]any)["url"].(string); ok {
				return url
			}
		}
	}
	w.t.Fatalf("no link in %q", m.Text)
	return ""
}

// TestDay is the whole job: ask, sign in, approve by one who never signed in,
// effective in Azure DevOps, warned, expired, and proven to be gone.
func TestDay(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		w.types(demo.Requester, `/pag activate devops-admins 2h "release 42 is stuck"`)
		ask := w.sees(demo.Requester, w.Channel.ID, time.Minute, "devops-admins", "Confirm in browser")
		t.Log(w.confirms(demo.Requester, w.browser(), w.link(ask)))

		card := w.sees(demo.Approver, w.Channel.ID, time.Minute, "devops-admins", "An approver is needed")
		w.presses(demo.Approver, card, "approve")
		w.fills(demo.Approver, "release night", "requester", "devops-admins", "release 42 is stuck")
		dm := w.Person(demo.Approver).DM()
		sign := w.sees(demo.Approver, dm, time.Minute, "approve", "Confirm in browser")
		t.Log(w.confirms(demo.Approver, w.browser(), w.link(sign)))

		w.sees(demo.Requester, w.Channel.ID, time.Minute, "has", "devops-admins", "until")
		mine := w.Person(demo.Requester).DM()
		w.sees(demo.Requester, mine, time.Minute, "You have", "devops-admins")
		w.sees(demo.Requester, mine, 2*time.Hour, "took effect in Azure DevOps")
		w.sees(demo.Requester, mine, 2*time.Hour, "ends at")
		w.sees(demo.Requester, mine, 2*time.Hour, "ended")
		w.sees(demo.Requester, mine, 2*time.Hour, "over and gone")
		w.sees(demo.Requester, w.Channel.ID, time.Minute, "gone")
		t.Log(w.read(demo.Requester, w.Channel.ID))
		t.Log(w.read(demo.Requester, mine))
	})
}
