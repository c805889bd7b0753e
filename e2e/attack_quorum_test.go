package e2e

import (
	"strings"
	"testing"
	"time"

	"pagbot/activation"
	"pagbot/internal/demo"
	"pagbot/sim/entra"
	"pagbot/sim/slack"
)

// One person is one voice, however many accounts and clicks they have; and only
// who may decide in PIM has a voice.

// ofTwo is a company whose group wants two approvers, changed before it opens.
func ofTwo(found func(*demo.Worlds)) setup { return setup{found: found, yaml: two.yaml} }

// agreed makes sure that so many yeses are counted.
func (w *town) agreed(id string, n int) {
	w.t.Helper()
	if a := w.life(id); len(a.Agreed) != n {
		w.t.Errorf("%d yeses are counted, not %d: %+v", len(a.Agreed), n, a.Agreed)
	}
}

// firstYes is an honest one, of two.
func (w *town) firstYes() (card slack.Message, id string) {
	w.t.Helper()
	w.types(demo.Requester, `/pag activate devops-admins 2h "release 42 is stuck"`)
	w.confirms(demo.Requester, w.browser(), w.newest(demo.Requester))
	card = w.sees(demo.Approver, w.Channel.ID, time.Minute, "2 approvers are needed")
	id = w.only().ID
	w.told(w.confirms(demo.Approver, w.browser(), w.voted(card)), "Your yes counts")
	w.rest(10 * time.Second) // until all have been told
	w.agreed(id, 1)
	return card, id
}

// twoAccounts gives the approver a second account, which PIM takes for another
// approver.
func twoAccounts(w *demo.Worlds) {
	u := w.Entra.AddUser(entra.User{UPN: "second-of-approver@contoso.example", Name: "approver's second account"})
	m := w.People[demo.Approver]
	m.Accounts = append(m.Accounts, u.ID)
	w.People[demo.Approver] = m
	approvedBy(w, w.Account(demo.Approver), u.ID)
}

// TestAttackQuorum tries to be two people.
func TestAttackQuorum(t *testing.T) {
	t.Run("again", func(t *testing.T) {
		inTown(t, ofTwo(twoAccounts), func(w *town) {
			card, id := w.firstYes()
			for _, account := range []string{"", "second-of-approver@contoso.example"} {
				w.nothing(func() {
					w.told(w.insists(press{by: demo.Approver, on: slack.Click{TS: card.TS, Action: "approve"}, account: account}), "agreed to this already")
				})
			}
			w.agreed(id, 1)
		})
	})
	t.Run("with another account", func(t *testing.T) {
		inTown(t, ofTwo(twoAccounts), func(w *town) {
			card, id := w.firstYes()
			// PIM takes only the second account now, so that it is the one that clicks.
			approvedBy(w.Worlds, w.People[demo.Approver].Accounts[1])
			w.rest(10 * time.Minute) // until it is read anew
			w.nothing(func() {
				w.told(w.insists(press{by: demo.Approver, on: slack.Click{TS: card.TS, Action: "approve"}, account: "second-of-approver@contoso.example"}), "agreed to this already")
			})
			w.agreed(id, 1)
		})
	})
	t.Run("the requester", func(t *testing.T) {
		inTown(t, ofTwo(secondAccount), func(w *town) {
			card, id := w.firstYes()
			w.nothing(func() {
				w.told(w.insists(press{by: demo.Requester, on: slack.Click{TS: card.TS, Action: "approve"}, account: second}), ownRequest)
				seen := w.everything()
				w.submits(demo.Requester, slack.View{CallbackID: "vote", PrivateMetadata: meta(id, activation.Approve)}, nil)
				w.told(w.follows(demo.Requester, second, seen), ownRequest)
			})
			w.agreed(id, 1)
		})
	})
	t.Run("replayed", func(t *testing.T) {
		inTown(t, ofTwo(nil), func(w *town) {
			_, id := w.firstYes()
			w.replays("after the first yes")
			w.reboots()
			w.replays("after a restart")
			w.agreed(id, 1)
		})
	})
}

// TestAttackFormerVoice is an approver while they press, and none any more when
// they confirm: their yes is not counted, though nothing would be written.
func TestAttackFormerVoice(t *testing.T) {
	inTown(t, ofTwo(nil), func(w *town) {
		card, id := w.firstYes()
		w.presses(demo.Second, card, "approve")
		w.fills(demo.Second, "release night")
		link := w.newest(demo.Second)
		approvedBy(w.Worlds, w.Account(demo.Approver))
		w.nothing(func() { w.told(w.confirms(demo.Second, w.browser(), link), "Your decision was not taken") })
		w.agreed(id, 1)
	})
}

// TestAttackFormerFirstVoice is the same for the first yes, of which PIM would
// never be told.
func TestAttackFormerFirstVoice(t *testing.T) {
	inTown(t, ofTwo(nil), func(w *town) {
		w.types(demo.Requester, `/pag activate devops-admins 2h "release 42 is stuck"`)
		w.confirms(demo.Requester, w.browser(), w.newest(demo.Requester))
		link := w.voted(w.sees(demo.Approver, w.Channel.ID, time.Minute, "2 approvers are needed"))
		approvedBy(w.Worlds, w.Account(demo.Second))
		w.nothing(func() { w.told(w.confirms(demo.Approver, w.browser(), link), "Your decision was not taken") })
		w.agreed(w.only().ID, 0)
	})
}

// TestAttackReminded has those press who are only reminded: they may look after
// a request, not decide it.
func TestAttackReminded(t *testing.T) {
	backup := func(w *demo.Worlds, s string) string {
		return withGroup(s, demo.DevOpsAdmins, "backup: ["+w.People[demo.Colleague].Slack+"], ")
	}
	inTown(t, setup{yaml: backup}, func(w *town) {
		card := w.asked()
		w.sees(demo.Colleague, w.Channel.ID, 3*time.Hour, "Nobody has decided yet", "@colleague")
		w.nothing(func() {
			w.told(w.insists(press{by: demo.Colleague, on: slack.Click{TS: card.TS, Action: "approve"}}), notApprover)
		})
	})
}

// withGroup adds settings to a group in the configuration.
func withGroup(yaml, group, more string) string {
	return strings.Replace(yaml, "{name: "+group+",", "{name: "+group+", "+more, 1)
}
