package e2e

import (
	"testing"
	"time"

	"pagbot/activation"
	"pagbot/internal/demo"
)

// watching is the bot with its reader alone: nobody signs in, and no message
// can be sent to a person whom nobody has bound.
var watching = setup{watch: true}

// TestWatch follows an activation that was made in the portal.
func TestWatch(t *testing.T) {
	inTown(t, watching, func(w *town) {
		for _, typed := range []string{"/pag activate release-managers", "/pag status", "/pag help"} {
			w.answered(demo.Requester, typed, "I only watch here", "The card in the group's channel shows")
		}
		if _, err := w.Entra.Portal(w.Account(demo.Requester)).Activate(w.Groups[demo.Releasers].ID, "member", 2*time.Hour, "hotfix 7"); err != nil {
			t.Fatal(err)
		}
		card := w.sees(demo.Approver, w.Channel.ID, time.Minute, "adm-requester@contoso.example", demo.Releasers, "until", "hotfix 7", "Asked for in Entra")
		w.sees(demo.Approver, w.Channel.ID, 2*time.Hour, "works on a new session")
		w.sees(demo.Approver, w.Channel.ID, 2*time.Hour, "adm-requester@contoso.example", "ends at", "can't extend")
		w.sees(demo.Approver, w.Channel.ID, 2*time.Hour, "and gone", "Azure DevOps contoso: gone for new sessions")
		if n := len(w.Slack.Revisions(card.Channel, card.TS)); n < 4 {
			t.Errorf("the card has %d versions", n)
		}
		w.wrote(map[string]int{})
		w.closes(true)
	})
}

// TestWatchApproval follows a request that is approved in the portal; the card
// leads the approvers there.
func TestWatchApproval(t *testing.T) {
	inTown(t, watching, func(w *town) {
		id, err := w.Entra.Portal(w.Account(demo.Requester)).Activate(w.Groups[demo.DevOpsAdmins].ID, "member", 2*time.Hour, "hotfix 7")
		if err != nil {
			t.Fatal(err)
		}
		card := w.sees(demo.Approver, w.Channel.ID, time.Minute, demo.DevOpsAdmins, "An approver is needed", "Decide in Entra")
		if url := w.link(card); url != "https://entra.microsoft.com/#view/Microsoft_Azure_PIMCommon/ApproveRequestMenuBlade/~/aadgroup" {
			t.Errorf("the card leads to %s", url)
		}
		if err := w.Entra.Portal(w.Account(demo.Second)).Decide(id, true, "go ahead"); err != nil {
			t.Fatal(err)
		}
		w.sees(demo.Approver, w.Channel.ID, 2*time.Minute, "has "+demo.DevOpsAdmins, "Approved in Entra")
		w.sees(demo.Approver, w.Channel.ID, 2*time.Hour, "works on a new session")
		w.sees(demo.Approver, w.Channel.ID, 5*time.Hour, "and gone", "Azure DevOps contoso: gone for new sessions")
		w.wrote(map[string]int{})
		w.closes(true)
	})
}

// TestWatchRevoked: the owner ends it in the portal, long before its time.
func TestWatchRevoked(t *testing.T) {
	inTown(t, watching, func(w *town) {
		me := w.Entra.Portal(w.Account(demo.Requester))
		if _, err := me.Activate(w.Groups[demo.Releasers].ID, "member", 4*time.Hour, "hotfix 7"); err != nil {
			t.Fatal(err)
		}
		w.sees(demo.Approver, w.Channel.ID, 2*time.Hour, "works on a new session")
		if _, err := me.Deactivate(w.Groups[demo.Releasers].ID, "member"); err != nil {
			t.Fatal(err)
		}
		w.sees(demo.Approver, w.Channel.ID, 3*time.Minute, "ended", "taken away in Entra")
		w.sees(demo.Approver, w.Channel.ID, 2*time.Hour, "and gone", "Azure DevOps contoso: gone for new sessions")
		for _, a := range w.closes(true) {
			if a.Outcome != activation.Revoked {
				t.Errorf("outcome %s", a.Outcome)
			}
		}
	})
}

// TestWatchOwner follows an owner: no system behind the group knows of owners,
// so only Entra is asked.
func TestWatchOwner(t *testing.T) {
	inTown(t, setup{watch: true, found: owner}, func(w *town) {
		if err := w.Entra.AddTie(w.Groups[demo.Releasers].ID, "owner", w.Account(demo.Second)); err != nil {
			t.Fatal(err)
		}
		w.portalOwner()
		w.sees(demo.Approver, w.Channel.ID, 2*time.Hour, "(as owner) of adm-requester@contoso.example ended", "Entra ID: no longer listed")
		w.closes(true)
	})
}

// TestWatchLastOwner: PIM cannot take the last owner out, so access that should
// have ended stays. That is an alarm, and never called gone.
func TestWatchLastOwner(t *testing.T) {
	inTown(t, setup{watch: true, found: owner}, func(w *town) {
		w.portalOwner()
		w.sees(demo.Approver, w.Channel.ID, 2*time.Hour, "should have left", "adm-requester@contoso.example")
		w.sees(demo.Approver, w.Channel.ID, 26*time.Hour, "could not be proven", "not proven gone")
		w.closes(true)
	})
}

func (w *town) portalOwner() {
	w.t.Helper()
	if _, err := w.Entra.Portal(w.Account(demo.Requester)).Activate(w.Groups[demo.Releasers].ID, "owner", time.Hour, "new members"); err != nil {
		w.t.Fatal(err)
	}
	w.sees(demo.Approver, w.Channel.ID, time.Minute, demo.Releasers, "(as owner)", "Entra ID", "listed")
}

// owner lets the requester become an owner of release-managers.
func owner(w *demo.Worlds) {
	if _, err := w.Entra.AddEligibility(w.Groups[demo.Releasers].ID, "owner", w.Account(demo.Requester), time.Time{}); err != nil {
		panic(err)
	}
}
