package e2e

import (
	"strings"
	"testing"
	"time"

	"pagbot/activation"
	"pagbot/internal/demo"
	"pagbot/sim/entra"
)

// outcome checks that there is one life and how it closed.
func (w *town) outcome(want activation.Outcome) {
	w.t.Helper()
	lives := w.closes(true)
	if len(lives) != 1 {
		w.t.Errorf("%d activations", len(lives))
	}
	for _, a := range lives {
		if a.Outcome != want {
			w.t.Errorf("outcome %q, want %q", a.Outcome, want)
		}
	}
}

// TestDenied: an approver says no, in their own words.
func TestDenied(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		w.decides(demo.Approver, w.awaits(), "deny")
		w.sees(demo.Requester, w.mine(demo.Requester), time.Minute, "devops-admins", "Denied by @approver", "release night")
		w.sees(demo.Requester, w.Channel.ID, time.Minute, "denied", "Denied by @approver")
		w.wrote(map[string]int{"selfActivate": 1, "Deny": 1})
		w.outcome(activation.Denied)
	})
}

// TestWithdrawn: the requester takes the request back while it waits.
func TestWithdrawn(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		card := w.awaits()
		w.types(demo.Requester, "/pag deactivate")
		w.sees(demo.Requester, w.Channel.ID, time.Minute, "Confirm with your sign-in, then I withdraw your request for devops-admins")
		w.signsIfAsked()
		w.sees(demo.Requester, w.mine(demo.Requester), 2*time.Minute, "Your request for devops-admins is withdrawn")
		w.sees(demo.Approver, w.Channel.ID, time.Minute, "withdrawn")
		if now := w.current(card); len(buttons(now)) > 0 {
			t.Errorf("the card of a withdrawn request has buttons: %v", buttons(now))
		}
		w.wrote(map[string]int{"selfActivate": 1, "cancel": 1})
		w.outcome(activation.Withdrawn)
	})
}

// TestNobodyDecides: a request that waits is brought to mind three times and no
// more, and the requester hears of it before PIM drops it, which it does after 24
// hours: a withdrawal that nobody confirms changes nothing.
func TestNobodyDecides(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		card := w.awaits()
		w.sees(demo.Approver, w.Channel.ID, 31*time.Minute, "still waits for", "@approver", "can decide")
		w.sees(demo.Approver, w.Channel.ID, 91*time.Minute, "Nobody has decided yet")
		w.sees(demo.Approver, w.Channel.ID, 21*time.Hour, "The request of @requester for devops-admins is dropped by PIM", "my last reminder")
		mine := w.sees(demo.Requester, w.mine(demo.Requester), time.Minute, "it is dropped by PIM", "Withdraw")
		w.presses(demo.Requester, mine, "finish")
		w.fills(demo.Requester, "", "will be withdrawn")
		w.sees(demo.Requester, w.mine(demo.Requester), time.Minute, "not withdrawn yet", "Confirm in browser")
		w.sees(demo.Requester, w.mine(demo.Requester), 3*time.Hour, "Nobody decided", "within 24 hours", "Ask again")
		w.sees(demo.Approver, w.Channel.ID, time.Minute, "devops-admins for @requester", "nobody decided within 24 hours", "Nothing was given")
		if text := w.read(demo.Approver, w.Channel.ID); strings.Count(text, "can decide") != 3 {
			t.Errorf("reminded otherwise than three times:\n%s", text)
		}
		if now := w.current(card); len(buttons(now)) > 0 {
			t.Errorf("the card of a dropped request has buttons: %v", buttons(now))
		}
		w.wrote(map[string]int{"selfActivate": 1})
		w.outcome(activation.TimedOut)
	})
}

// TestNobodySignsIn: the ask lapses after 15 minutes, and its link with it.
func TestNobodySignsIn(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		w.types(demo.Requester, `/pag activate devops-admins 2h "release 42 is stuck"`)
		ask := w.sees(demo.Requester, w.Channel.ID, time.Minute, "Confirm in browser")
		w.sees(demo.Requester, w.Channel.ID, 16*time.Minute, "didn't confirm in time", "Ask again")
		if page := w.confirms(demo.Requester, w.browser(), w.link(ask)); !holds(page, []string{"You took longer than allowed", "Nothing was done"}) {
			t.Errorf("the old link says %q", page)
		}
		w.wrote(map[string]int{})
		w.outcome(activation.Withdrawn)
	})
}

// TestApproverLapses: an approver presses and never signs in; the request still
// waits, and they, or the other one, may decide.
func TestApproverLapses(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		card := w.awaits()
		w.presses(demo.Approver, card, "approve")
		w.fills(demo.Approver, "release night")
		w.sees(demo.Approver, w.mine(demo.Approver), 17*time.Minute, "still waits for an approver", "This link is no longer good")
		w.decides(demo.Second, w.current(card), "approve")
		w.wholeLife()
		w.wrote(map[string]int{"selfActivate": 1, "Approve": 1})
		w.outcome(activation.Expired)
	})
}

// TestEndsByButton: the warning carries a button that ends it.
func TestEndsByButton(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		w.gets(demo.Releasers, "2h")
		dm := w.mine(demo.Requester)
		w.sees(demo.Requester, dm, 2*time.Hour, "took effect in Azure DevOps")
		warning := w.sees(demo.Requester, dm, 2*time.Hour, "ends at", "End now")
		w.presses(demo.Requester, warning, "finish")
		w.fills(demo.Requester, "", "will end now")
		w.sees(demo.Requester, dm, 2*time.Minute, "ended at", "ended early")
		w.sees(demo.Requester, dm, 2*time.Hour, "over and gone")
		w.wrote(map[string]int{"selfActivate": 1, "selfDeactivate": 1})
		w.outcome(activation.EndedSoon)
	})
}

// TestOwner: owner access always wants a fresh sign-in, and no system behind
// the group is asked about it.
func TestOwner(t *testing.T) {
	inTown(t, setup{found: owner}, func(w *town) {
		if err := w.Entra.AddTie(w.Groups[demo.Releasers].ID, "owner", w.Account(demo.Second)); err != nil {
			t.Fatal(err)
		}
		w.gets(demo.Releasers, "1h")
		w.types(demo.Requester, `/pag activate release-managers as owner 1h "new members"`)
		w.signs(demo.Requester, w.Channel.ID, "(as owner)")
		dm := w.mine(demo.Requester)
		w.sees(demo.Requester, dm, time.Minute, "You have release-managers (as owner)")
		w.sees(demo.Requester, dm, time.Minute, "Entra lists you in release-managers (as owner)")
		w.sees(demo.Requester, dm, 2*time.Hour, "Your release-managers (as owner) is over", "Entra ID: no longer listed")
		w.pass(2 * time.Hour)
		w.wrote(map[string]int{"selfActivate": 2})
		w.closes(true)
	})
}

// TestOverdue: Azure DevOps forgets later than it should. The channel is
// alarmed, and hears in the end that it is gone.
func TestOverdue(t *testing.T) {
	inTown(t, setup{found: lateToForget}, func(w *town) {
		w.gets(demo.Releasers, "1h")
		dm := w.mine(demo.Requester)
		w.sees(demo.Requester, dm, time.Hour, "took effect in Azure DevOps")
		w.sees(demo.Requester, dm, 2*time.Hour, "release-managers", "should have left Azure DevOps contoso by")
		w.sees(demo.Requester, w.Channel.ID, time.Minute, "release-managers", "should have left Azure DevOps contoso by")
		w.sees(demo.Requester, dm, 3*time.Hour, "over and gone", "Azure DevOps contoso: gone for new sessions")
		w.outcome(activation.Expired)
	})
}

// TestFailedInPIM: PIM takes the request and then can't provision it.
func TestFailedInPIM(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		w.Entra.Turn(func(d *entra.Dials) {
			d.Created, d.SettleTo, d.Provision = "PendingProvisioning", "Failed", 20*time.Second
		})
		w.types(demo.Requester, `/pag activate release-managers 1h "release 42 is stuck"`)
		w.signs(demo.Requester, w.Channel.ID, demo.Releasers)
		w.sees(demo.Requester, w.mine(demo.Requester), 5*time.Minute, "PIM could not give you release-managers")
		w.wrote(map[string]int{"selfActivate": 1})
		w.outcome(activation.Failed)
	})
}
