package e2e

import (
	"testing"
	"time"

	"pagbot/activation"
	"pagbot/internal/demo"
)

// Voices that nobody gave, and one whose giver has lost theirs.

// TestAttackMadeUpVoice writes voices into the database, or asks for fewer of
// them: an honest approver's yes then is the first of two, and not the last.
func TestAttackMadeUpVoice(t *testing.T) {
	for what, change := range map[string]func(w *town, a *activation.Activation, voice activation.Agreed){
		"made up": func(w *town, a *activation.Activation, _ activation.Agreed) {
			a.Agreed = []activation.Agreed{{By: w.actor(demo.Second), Reason: "sure", Warrant: "made-up", At: time.Now(), Seal: "bWFkZSB1cA"}}
		},
		"of another request": func(_ *town, a *activation.Activation, voice activation.Agreed) {
			a.Agreed = []activation.Agreed{voice}
		},
		"fewer are needed": func(_ *town, a *activation.Activation, _ activation.Agreed) { a.Quorum = 1 },
	} {
		t.Run(what, func(t *testing.T) {
			inTown(t, ofTwo(nil), func(w *town) {
				// A voice for an earlier request, which its requester withdraws.
				w.types(demo.Requester, `/pag activate devops-admins 2h "release 41 is stuck"`)
				w.confirms(demo.Requester, w.browser(), w.newest(demo.Requester))
				w.confirms(demo.Second, w.browser(), w.votedBy(demo.Second, w.sees(demo.Second, w.Channel.ID, time.Minute, "2 approvers are needed")))
				w.rest(10 * time.Second)
				voice := w.only().Agreed[0]
				w.types(demo.Requester, `/pag deactivate devops-admins`)
				w.rest(time.Minute)
				w.confirms(demo.Requester, w.browser(), w.newest(demo.Requester))
				w.rest(time.Minute)
				w.types(demo.Requester, `/pag activate devops-admins 2h "release 42 is stuck"`)
				w.confirms(demo.Requester, w.browser(), w.newest(demo.Requester))
				card := w.sees(demo.Approver, w.Channel.ID, time.Minute, "release 42", "2 approvers are needed")
				id := w.only().ID
				w.rewrite(id, func(a *activation.Activation) { change(w, a, voice) })
				w.nothing(func() { w.told(w.confirms(demo.Approver, w.browser(), w.voted(card)), "Your yes counts") })
				w.agreed(id, 1)
			})
		})
	}
	repeated := func(a *activation.Activation) { a.Agreed = append(a.Agreed, a.Agreed[0]) }
	renamed := func(a *activation.Activation) {
		repeated(a)
		by := &a.Agreed[0].By
		by.Human, by.Slack.ID, by.Object = "somebody", "U0SOMEBODY", "00000000-0000-4000-8000-000000000000"
	}
	for what, change := range map[string]func(*activation.Activation){"repeated": repeated, "repeated in another name": renamed} {
		t.Run(what, func(t *testing.T) {
			three := func(w *demo.Worlds, s string) string { return withGroup(s, demo.DevOpsAdmins, "quorum: 3, ") }
			inTown(t, setup{yaml: three}, func(w *town) {
				w.types(demo.Requester, `/pag activate devops-admins 2h "release 42 is stuck"`)
				w.confirms(demo.Requester, w.browser(), w.newest(demo.Requester))
				card := w.sees(demo.Approver, w.Channel.ID, time.Minute, "3 approvers are needed")
				id := w.only().ID
				w.confirms(demo.Approver, w.browser(), w.voted(card))
				w.rest(10 * time.Second)
				w.rewrite(id, change)
				w.nothing(func() { w.told(w.confirms(demo.Second, w.browser(), w.votedBy(demo.Second, card)), "Your yes counts") })
				if a := w.life(id); a.Decision != nil || len(a.Agreed) != 2 {
					w.t.Errorf("decided %+v, agreed %+v", a.Decision, a.Agreed)
				}
			})
		})
	}
}

// TestAttackLostVoice has an approver agree and then lose the right to: the last
// yes is not the last any more, and all are told.
func TestAttackLostVoice(t *testing.T) {
	inTown(t, ofTwo(nil), func(w *town) {
		card, id := w.firstYes()
		approvedBy(w.Worlds, w.Account(demo.Second))
		w.nothing(func() {
			w.told(w.confirms(demo.Second, w.browser(), w.votedBy(demo.Second, card)), "Your yes counts")
		})
		w.agreed(id, 1)
		w.sees(demo.Requester, w.Channel.ID, time.Minute, "may not decide here any more: that yes no longer counts")
	})
}
