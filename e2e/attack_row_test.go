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

// What a row says of a request, and PIM does not.

// TestAttackRewrittenRequest changes in the database what the approver is shown
// of an honest request. PIM, which is asked right before the deed, knows better.
func TestAttackRewrittenRequest(t *testing.T) {
	short := activation.Duration(10 * time.Minute)
	changes := map[string]func(*town, *activation.Activation){
		"person": func(w *town, a *activation.Activation) { a.Person = w.actor(demo.Second) },
		"group": func(w *town, a *activation.Activation) {
			a.Group.ID, a.Group.Name = w.Groups[demo.Releasers].ID, demo.Releasers
		},
		"access": func(_ *town, a *activation.Activation) { a.Access = activation.Owner },
		"length": func(_ *town, a *activation.Activation) { a.Length = short },
		"until":  func(_ *town, a *activation.Activation) { a.Length, a.Until = 0, time.Now().Add(time.Hour) },
		"reason": func(_ *town, a *activation.Activation) { a.Reason = "only to read" },
		"ticket": func(_ *town, a *activation.Activation) { a.Ticket = "CHG0000042" },
	}
	for what, change := range changes {
		t.Run(what, func(t *testing.T) {
			inTown(t, setup{found: approversEverywhere}, func(w *town) {
				card := w.asked()
				id := w.only().ID
				w.nothing(func() {
					w.rewrite(id, func(a *activation.Activation) { change(w, a) })
					w.confirms(demo.Approver, w.browser(), w.voted(card))
				})
				w.refusal(id, activation.Changed)
			})
		})
	}
}

// TestAttackRenamed calls the requester and the group something else in the
// database, under their own ids: the approver reads what the mapping and the
// configuration call them.
func TestAttackRenamed(t *testing.T) {
	inTown(t, setup{found: secondAccount}, func(w *town) {
		card := w.asked()
		id := w.only().ID
		w.rewrite(id, func(a *activation.Activation) {
			object := a.Person.Object
			a.Person = w.actor(demo.Colleague)
			a.Person.Object, a.Group.Name = object, "coffee-makers"
		})
		page := w.opens(w.browser(), w.voted(card))
		w.told(page, "adm-requester@contoso.example", demo.DevOpsAdmins)
		if strings.Contains(page, "colleague") || strings.Contains(page, "coffee") {
			w.t.Errorf("the page believes the row: %s", page)
		}
		w.nothing(func() {
			w.told(w.insists(press{by: demo.Requester, on: slack.Click{TS: card.TS, Action: "approve"}, account: second}), ownRequest)
		})
	})
}

// approversEverywhere lets the same people decide on everything.
func approversEverywhere(w *demo.Worlds) {
	s := justified()
	s.MFA, s.Approval, s.Approvers = true, true, []entra.Approver{{User: w.Account(demo.Approver)}}
	for group, accesses := range map[string][]string{demo.DevOpsAdmins: {"member", "owner"}, demo.Releasers: {"member"}} {
		for _, access := range accesses {
			if err := w.Entra.SetSettings(w.Groups[group].ID, access, s); err != nil {
				panic(err)
			}
		}
	}
}
