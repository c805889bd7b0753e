package e2e

import (
	"strings"
	"testing"
	"time"

	"pagbot/activation"
	"pagbot/internal/demo"
	"pagbot/sim/entra"
)

// TestUnsettledEnd: ended too early for PIM, ended, asked for again, renewed
// while PIM still shows what was there, and over.
func TestUnsettledEnd(t *testing.T) {
	plays(t, lean(), func(w *town) {
		dm := w.mine(demo.Requester)
		w.gets(demo.Releasers, "2h")
		w.types(demo.Requester, "/pag deactivate release-managers")
		w.sees(demo.Requester, w.Channel.ID, 6*time.Minute, "first 5 minutes", "I'll end it at")
		w.sees(demo.Requester, dm, 6*time.Minute, "Your release-managers is over", "Entra ID: no longer listed")
		w.pass(10 * time.Minute)
		w.did(map[string]int{"selfActivate": 1, "selfDeactivate": 1})
		w.types(demo.Requester, `/pag activate release-managers 1h "release 43"`)
		w.signsUntil(demo.Requester, demo.Releasers, "release 43", "has release-managers")
		w.pass(10 * time.Minute)
		w.types(demo.Requester, `/pag renew release-managers 1h`)
		w.fills(demo.Requester, "release 44", "no access, for about")
		w.sees(demo.Requester, dm, 4*time.Minute, "You have release-managers", "you were without it for")
		w.pass(2 * time.Hour)
		w.did(map[string]int{"selfActivate": 3, "selfDeactivate": 2})
		for _, a := range w.closes(true) {
			want := activation.EndedSoon
			if a.Renews() {
				want = activation.Expired
			}
			if a.Outcome != want {
				w.t.Errorf("%s for %q is %s", a.ID, a.Reason, a.Outcome)
			}
		}
	})
}

// TestUnsettledRace: an approver decides, and somebody in the portal was faster.
func TestUnsettledRace(t *testing.T) {
	plays(t, lean(), func(w *town) {
		card := w.awaits()
		w.presses(demo.Approver, card, "approve")
		w.fills(demo.Approver, "release night", demo.DevOpsAdmins)
		mine := w.sees(demo.Approver, w.mine(demo.Approver), time.Minute, "not approved", "Confirm in browser")
		w.pass(700 * time.Millisecond)
		if err := w.Entra.Portal(w.Account(demo.Second)).Decide(w.requestOf(demo.DevOpsAdmins), true, "I was first"); err != nil {
			w.t.Fatal(err)
		}
		w.confirms(demo.Approver, w.browser(), w.link(mine))
		w.sees(demo.Approver, w.mine(demo.Approver), time.Minute, "Too late", "second-approver", "was quicker")
		w.granted(demo.DevOpsAdmins)
	})
}

// TestUnsettledWithdraw: the requester withdraws what was approved a moment ago.
func TestUnsettledWithdraw(t *testing.T) {
	plays(t, lean(), func(w *town) {
		w.awaits()
		w.types(demo.Requester, "/pag deactivate")
		mine := w.sees(demo.Requester, w.mine(demo.Requester), time.Minute, "not withdrawn yet", "Confirm in browser")
		w.pass(700 * time.Millisecond) // between two looks of the bot's
		if err := w.Entra.Portal(w.Account(demo.Second)).Decide(w.requestOf(demo.DevOpsAdmins), true, "I was first"); err != nil {
			w.t.Fatal(err)
		}
		w.t.Log(w.confirms(demo.Requester, w.browser(), w.link(mine)))
		w.pass(time.Minute)
		if text := w.read(demo.Requester, w.mine(demo.Requester)) + w.read(demo.Requester, w.Channel.ID); strings.Contains(text, "broke") || strings.Contains(text, "permission") || !strings.Contains(text, "not waiting for an answer any more") {
			w.t.Errorf("the requester reads:\n%s", text)
		}
		w.granted(demo.DevOpsAdmins)
	})
}

// granted: what was decided elsewhere is had, and is on its way as it should be.
func (w *town) granted(group string) {
	w.t.Helper()
	w.sees(demo.Requester, w.mine(demo.Requester), time.Minute, "You have "+group)
	w.did(map[string]int{"selfActivate": 1})
	w.closes(false)
}

// expires waits for the end of the one activation that there is.
func (w *town) expires(group string) {
	w.t.Helper()
	w.sees(demo.Requester, w.mine(demo.Requester), time.Minute, "You have "+group)
	w.sees(demo.Requester, w.mine(demo.Requester), 3*time.Hour, "Your "+group+" is over", "Entra ID: no longer listed")
	w.did(map[string]int{"selfActivate": 1})
	w.outcome(activation.Expired)
}

// TestUnsettledTimeout: nobody decides within PIM's 24 hours, which the bot
// sleeps through for the most part.
func TestUnsettledTimeout(t *testing.T) {
	plays(t, lean(), func(w *town) {
		w.awaits()
		w.restartsAfter(24 * time.Hour)
		w.sees(demo.Requester, w.mine(demo.Requester), 3*time.Minute, "Nobody decided", "within 24 hours", "Ask again")
		w.sees(demo.Approver, w.Channel.ID, time.Minute, "nobody decided within 24 hours", "Nothing was given")
		w.did(map[string]int{"selfActivate": 1})
		w.outcome(activation.TimedOut)
	})
}

// ownApprover makes the requester an approver of devops-admins, too.
var ownApprover = settings(demo.DevOpsAdmins, func(w *demo.Worlds, s *entra.Settings) {
	s.Approval, s.Approvers = true, []entra.Approver{{User: w.Account(demo.Requester)}, {User: w.Account(demo.Second)}}
})

// TestUnsettledPortal: a person who may decide about others tries it about
// themselves, and an administrator takes away what runs.
func TestUnsettledPortal(t *testing.T) {
	s := lean(ownApprover, func(w *demo.Worlds) {
		w.Entra.AddUser(entra.User{ID: adminID, UPN: "devops-admin@contoso.example", Admin: true})
	})
	plays(t, s, func(w *town) {
		w.types(demo.Requester, `/pag activate devops-admins 2h "release 42 is stuck"`)
		w.signs(demo.Requester, w.Channel.ID, demo.DevOpsAdmins)
		card := w.sees(demo.Second, w.Channel.ID, time.Minute, demo.DevOpsAdmins, "An approver is needed")
		w.presses(demo.Requester, card, "approve")
		w.pass(10 * time.Second)
		if views := w.Person(demo.Requester).Views(); len(views) > 0 {
			w.t.Error("a form opened for a requester to decide about themselves")
		}
		request := w.requestOf(demo.DevOpsAdmins)
		err := w.Entra.Portal(w.Account(demo.Requester)).Decide(request, true, "about myself")
		if (err == nil) != w.Entra.Dials().OwnApproval {
			w.t.Errorf("deciding about oneself in the portal: %v", err)
		}
		if err != nil {
			w.pass(time.Minute)
			if err := w.Entra.Portal(w.Account(demo.Second)).Decide(request, true, "go ahead"); err != nil {
				w.t.Fatal(err)
			}
		}
		w.sees(demo.Requester, w.Channel.ID, 2*time.Minute, "@requester has devops-admins", "Approved in Entra")
		w.pass(10 * time.Minute)
		group := w.Groups[demo.DevOpsAdmins].ID
		_, err = w.Entra.Portal(adminID).Remove(group, "member", w.Account(demo.Requester), "no longer needed")
		if taken := err == nil; taken != w.Entra.Dials().RemoveActivated {
			w.t.Errorf("taken away: %v", err)
		} else if taken {
			w.sees(demo.Requester, w.mine(demo.Requester), 5*time.Minute, "devops-admins", "taken away in Entra")
			w.sees(demo.Requester, w.mine(demo.Requester), 5*time.Minute, "Your devops-admins is over", "Entra ID: no longer listed")
			w.outcome(activation.Revoked)
			return
		}
		w.sees(demo.Requester, w.mine(demo.Requester), 2*time.Hour, "Your devops-admins is over", "Entra ID: no longer listed")
		w.outcome(activation.Expired)
	})
}

const adminID = "5d1c7b0e-3f7a-4d54-9a35-6c7e1f0b9d21"

// TestUnsettledEligibility takes away what an activation stands on.
func TestUnsettledEligibility(t *testing.T) {
	plays(t, lean(plainVault), func(w *town) {
		group, me := w.Groups[demo.Vault].ID, w.Account(demo.Approver)
		id, err := w.Entra.AddEligibility(group, "member", me, time.Time{})
		if err != nil {
			w.t.Fatal(err)
		}
		w.types(demo.Approver, `/pag activate vault-readers 1h "rotate keys"`)
		w.signsUntil(demo.Approver, demo.Vault, "You have vault-readers")
		w.pass(6 * time.Minute)
		if err := w.Entra.RemoveEligibility(id); err != nil {
			w.t.Fatal(err)
		}
		w.pass(5 * time.Minute)
		over := []string{"Your vault-readers is over", "Entra ID: no longer listed"}
		there := w.Entra.Member(group, me, time.Now())
		if said := !holds(w.read(demo.Approver, w.mine(demo.Approver)), over); said != there || there == w.Entra.Dials().EligibilityEnds {
			w.t.Errorf("without eligibility: a member %v, and told so %v", there, said)
		}
		w.sees(demo.Approver, w.mine(demo.Approver), 2*time.Hour, over...)
		w.did(map[string]int{"selfActivate": 1})
		w.outcome(map[bool]activation.Outcome{true: activation.Expired, false: activation.Revoked}[there])
	})
}
