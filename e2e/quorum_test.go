package e2e

import (
	"strings"
	"testing"
	"time"

	"pagbot/internal/demo"
)

// two approvers must agree on devops-admins.
var two = setup{yaml: func(_ *demo.Worlds, s string) string {
	return strings.Replace(s, "{name: "+demo.DevOpsAdmins+",", "{name: "+demo.DevOpsAdmins+", quorum: 2,", 1)
}}

// TestQuorum: the first yes is proven and counted, PIM is not told; the second
// approver's yes gives the access.
func TestQuorum(t *testing.T) {
	inTown(t, two, func(w *town) {
		w.types(demo.Requester, `/pag activate devops-admins 2h "release 42 is stuck"`)
		w.signs(demo.Requester, w.Channel.ID, demo.DevOpsAdmins)
		card := w.sees(demo.Approver, w.Channel.ID, time.Minute, "2 approvers are needed")
		before := len(w.Entra.Writes())
		if page := w.decides(demo.Approver, card, "approve"); !strings.Contains(page, "Your yes counts") {
			w.t.Errorf("the page says %s", page)
		}
		w.sees(demo.Requester, w.Channel.ID, time.Minute, "@approver agrees", "1 of 2", "PIM has not been told")
		if n := len(w.Entra.Writes()); n != before {
			w.t.Errorf("PIM was told: %d writes", n-before)
		}
		card = w.sees(demo.Approver, w.Channel.ID, time.Minute, "1 of 2 approvers agreed")
		w.presses(demo.Approver, card, "approve")
		w.sees(demo.Approver, w.Channel.ID, time.Minute, "it counts once")
		if page := w.decides(demo.Second, card, "approve"); !strings.Contains(page, "Approved") {
			w.t.Errorf("the page says %s", page)
		}
		w.sees(demo.Requester, w.mine(demo.Requester), time.Minute, "You have devops-admins")
		w.pass(5 * time.Minute)
		if text := w.read(demo.Approver, w.Channel.ID); strings.Contains(text, "goes round") {
			w.t.Errorf("an alarm about our own decision:\n%s", text)
		}
	})
}

// TestRoundTheQuorum: in Entra one approver is enough; the channel hears of it.
func TestRoundTheQuorum(t *testing.T) {
	inTown(t, two, func(w *town) {
		w.types(demo.Requester, `/pag activate devops-admins 2h "release 42 is stuck"`)
		w.signs(demo.Requester, w.Channel.ID, demo.DevOpsAdmins)
		w.sees(demo.Approver, w.Channel.ID, time.Minute, "2 approvers are needed")
		if err := w.Entra.Portal(w.Account(demo.Second)).Decide(w.requestOf(demo.DevOpsAdmins), true, "I was first"); err != nil {
			w.t.Fatal(err)
		}
		w.sees(demo.Approver, w.Channel.ID, 3*time.Minute, "was approved in Entra", "0 of 2 had agreed", "goes round this group's rule")
	})
}
