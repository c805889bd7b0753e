package e2e

import (
	"strings"
	"testing"
	"time"

	"pagbot/activation"
	"pagbot/internal/demo"
	"pagbot/sim/entra"
)

// restartsAfter stops the bot as SIGTERM would and starts it again on the same
// folder, some time later.
func (w *town) restartsAfter(away time.Duration) {
	w.t.Helper()
	w.stop()
	w.pass(away)
	w.start()
}

// TestRestarts: the bot is stopped and started again at every turn of the day,
// and the day goes on.
func TestRestarts(t *testing.T) {
	for name, away := range map[string]time.Duration{"at once": 0, "after a minute": time.Minute} {
		t.Run(name, func(t *testing.T) {
			inTown(t, setup{}, func(w *town) {
				w.types(demo.Requester, `/pag activate devops-admins 3h "release 42 is stuck"`)
				ask := w.sees(demo.Requester, w.Channel.ID, time.Minute, "Confirm in browser")
				w.restartsAfter(away)
				w.confirms(demo.Requester, w.browser(), w.link(ask))
				w.restartsAfter(away)
				card := w.sees(demo.Approver, w.Channel.ID, time.Minute, "An approver is needed")
				w.pass(5 * time.Second) // a card whose receipt was lost is posted anew
				w.restartsAfter(away)
				w.presses(demo.Approver, card, "approve")
				if away == 0 { // else Slack closes the window, and the person presses again
					w.restartsAfter(away)
				}
				w.fills(demo.Approver, "release night", "release 42 is stuck")
				sign := w.sees(demo.Approver, w.mine(demo.Approver), time.Minute, "Confirm in browser")
				w.restartsAfter(away)
				w.confirms(demo.Approver, w.browser(), w.link(sign))
				w.restartsAfter(away)
				dm := w.mine(demo.Requester)
				w.sees(demo.Requester, dm, time.Minute, "You have devops-admins")
				w.restartsAfter(away)
				w.pass(5 * time.Minute)
				w.restartsAfter(away)
				w.sees(demo.Requester, dm, 2*time.Hour, "took effect in Azure DevOps")
				w.restartsAfter(away)
				w.sees(demo.Requester, dm, 4*time.Hour, "ends at", "End now")
				w.restartsAfter(away)
				w.sees(demo.Requester, dm, time.Hour, "ended at")
				w.restartsAfter(away)
				w.sees(demo.Requester, dm, 2*time.Hour, "over and gone")
				w.restartsAfter(away)
				w.sees(demo.Approver, w.Channel.ID, time.Minute, "and gone")
				w.oneCard("and gone")
				w.wrote(map[string]int{"selfActivate": 1, "Approve": 1})
				w.outcome(activation.Expired)
			})
		})
	}
}

// TestAwayForLong: everything happens while the bot is away. What it can still
// find out, it says; what it can't, it doesn't claim.
func TestAwayForLong(t *testing.T) {
	gone, unseen := "gone for new sessions", "never came as far as I saw"
	for name, c := range map[string]struct {
		away      time.Duration
		is, knows string
	}{
		"over the effect": {time.Hour, "is over and gone", gone},
		"over the end":    {3 * time.Hour, "is over. What I know", unseen},
		"over all":        {12 * time.Hour, "is over. What I know", unseen},
	} {
		t.Run(name, func(t *testing.T) {
			inTown(t, setup{}, func(w *town) {
				w.gets(demo.Releasers, "2h")
				w.restartsAfter(c.away)
				dm := w.mine(demo.Requester)
				w.sees(demo.Requester, dm, 3*time.Hour, "Your release-managers ended at")
				w.sees(demo.Requester, dm, 3*time.Hour, "Your release-managers "+c.is, "Azure DevOps contoso: "+c.knows)
				w.pass(5 * time.Second)
				w.oneCard("release-managers of @requester", "time ran out", "Azure DevOps contoso: "+c.knows)
				w.neverLate(dm)
				w.wrote(map[string]int{"selfActivate": 1})
				w.outcome(activation.Expired)
			})
		})
	}
}

// neverLate: nobody was told that they have what had ended by then.
func (w *town) neverLate(dm string) {
	w.t.Helper()
	ends := w.lifeOf(demo.Releasers).Ends
	for _, m := range w.Person(demo.Requester).Messages(dm) {
		if text := w.Person(demo.Requester).Text(m); strings.Contains(text, "You have release-managers") && m.At.After(ends) {
			w.t.Errorf("said at %s, after its end: %s", m.At, text)
		}
	}
}

// TestAwayDuringPortal: what was made in the portal while the bot was away is
// noticed at its start.
func TestAwayDuringPortal(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		w.stop()
		if _, err := w.Entra.Portal(w.Account(demo.Requester)).Activate(w.Groups[demo.Releasers].ID, "member", 2*time.Hour, "hotfix 7"); err != nil {
			t.Fatal(err)
		}
		w.pass(5 * time.Minute)
		w.start()
		w.sees(demo.Requester, w.Channel.ID, time.Minute, "@requester has release-managers", "Asked for in Entra, noticed here")
		w.sees(demo.Requester, w.mine(demo.Requester), time.Minute, "You have release-managers")
		w.wholeLife()
		w.wrote(map[string]int{})
		w.outcome(activation.Expired)
	})
}

// TestRestartWithoutEntra: the bot starts again while Entra is away. Clicks are
// taken all the same, and what was asked goes on when Entra is back.
func TestRestartWithoutEntra(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		w.stop()
		back := w.Entra.Inject(entra.Fault{Do: entra.DoStatus, Status: 503})
		w.start()
		w.types(demo.Requester, `/pag activate vault-readers 2h "rotate keys"`)
		w.pass(time.Minute)
		w.sees(demo.Requester, w.Channel.ID, 2*time.Minute, "Entra doesn't answer at the moment", "Try again in a few minutes")
		back()
		w.types(demo.Requester, `/pag activate vault-readers 2h "rotate keys"`)
		w.signs(demo.Requester, w.Channel.ID, demo.Vault)
		w.sees(demo.Requester, w.mine(demo.Requester), 2*time.Minute, "You have vault-readers")
		w.wrote(map[string]int{"selfActivate": 1})
	})
}
