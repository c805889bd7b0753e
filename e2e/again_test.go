package e2e

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pagbot/internal/app"
	"pagbot/internal/demo"
)

// TestAgainWhileItLingers: who asks for the same again, while Azure DevOps still
// lets them in through the last time, had nothing "already". That it goes is
// proven after the second end.
func TestAgainWhileItLingers(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		dm := w.mine(demo.Requester)
		w.gets(demo.Releasers, "2h")
		w.sees(demo.Requester, dm, 2*time.Hour, "took effect in Azure DevOps")
		w.types(demo.Requester, "/pag deactivate release-managers")
		w.signsIfAsked()
		w.sees(demo.Requester, dm, 2*time.Minute, "Your release-managers ended at")
		w.pass(time.Minute)
		w.gets(demo.Releasers, "20m")
		w.sees(demo.Requester, dm, time.Hour, "Your release-managers works in Azure DevOps contoso; or what you had before still does")
		w.sees(demo.Requester, dm, 3*time.Hour, "over and gone", "Azure DevOps contoso: gone for new sessions")
		w.neverSays("already had this", "keeps what was there", "should have left")
		w.closes(true)
	})
}

// TestTwoGroupsOfOneTarget: a target that two groups open tells nobody which of
// them it was. While the one is active, the other's end is nobody's alarm; after
// both ended it is proven that the access is gone.
func TestTwoGroupsOfOneTarget(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		dm := w.mine(demo.Requester)
		w.gets(demo.Releasers, "2h")
		w.sees(demo.Requester, dm, 2*time.Hour, "took effect in Azure DevOps")
		w.decides(demo.Approver, w.awaits(), "approve")
		w.sees(demo.Requester, dm, time.Minute, "You have devops-admins")
		w.types(demo.Requester, "/pag deactivate release-managers")
		w.signsIfAsked()
		w.sees(demo.Requester, dm, 2*time.Minute, "Your release-managers ended at")
		w.sees(demo.Requester, dm, 2*time.Minute, "Your release-managers is over", "Azure DevOps contoso: open through devops-admins, too")
		w.sees(demo.Requester, dm, 3*time.Hour, "Your devops-admins ended at")
		w.sees(demo.Requester, dm, 3*time.Hour, "devops-admins is over and gone", "Azure DevOps contoso: gone for new sessions")
		w.neverSays("already had this", "keeps what was there", "should have left")
		w.closes(true)
	})
}

// neverSays checks everything that was said, in every version.
func (w *town) neverSays(words ...string) {
	w.t.Helper()
	for _, channel := range []string{w.mine(demo.Requester), w.Channel.ID} {
		for _, m := range w.Person(demo.Requester).Messages(channel) {
			for _, v := range w.Slack.Revisions(m.Channel, m.TS) {
				for _, word := range words {
					if text := w.Person(demo.Requester).Text(v); strings.Contains(text, word) {
						w.t.Errorf("said at %s: %s", v.At, text)
					}
				}
			}
		}
	}
}

// TestGroupLeavesTheConfiguration: what is active of a group when it is taken
// out of the configuration is still shown, ended and proven gone.
func TestGroupLeavesTheConfiguration(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		dm := w.mine(demo.Requester)
		w.gets(demo.Releasers, "2h")
		w.sees(demo.Requester, dm, 2*time.Hour, "took effect in Azure DevOps")
		w.cfg.Groups = slices.DeleteFunc(w.cfg.Groups, func(g app.GroupConfig) bool { return g.Name == demo.Releasers })
		w.reboots()
		w.types(demo.Requester, "/pag status")
		w.sees(demo.Requester, w.Channel.ID, time.Minute, "has release-managers until", "Azure DevOps contoso: works")
		w.types(demo.Requester, "/pag deactivate release-managers")
		w.signsIfAsked()
		w.sees(demo.Requester, dm, 2*time.Minute, "Your release-managers ended at")
		w.sees(demo.Requester, w.Channel.ID, 2*time.Minute, "release-managers of @requester ended")
		w.sees(demo.Requester, dm, 2*time.Hour, "Your release-managers is over and gone", "Entra ID: no longer listed", "Azure DevOps contoso: gone for new sessions")
		w.sees(demo.Requester, w.Channel.ID, time.Minute, "release-managers of @requester has been over since", "and gone")
		w.closes(true)
	})
}

// TestAskedUntilAndNotDecided: once the end that was asked for has come, nobody is
// called to approve, and the requester reads what to do.
func TestAskedUntilAndNotDecided(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		w.types(demo.Requester, `/pag activate devops-admins until 02:00 "release 42 is stuck"`)
		w.signs(demo.Requester, w.Channel.ID, demo.DevOpsAdmins)
		card := w.sees(demo.Approver, w.Channel.ID, time.Minute, demo.DevOpsAdmins, "An approver must agree before it is over, by today at 02:00")
		w.pass(time.Hour)
		w.sees(demo.Requester, w.mine(demo.Requester), time.Minute, "Nobody has decided in time", "until 02:00", "ask again")
		w.sees(demo.Approver, w.Channel.ID, time.Minute, "Nobody has decided in time")
		w.presses(demo.Approver, card, "approve")
		w.sees(demo.Approver, w.Channel.ID, time.Minute, "there is nothing left to approve")
		w.types(demo.Requester, "/pag deactivate devops-admins")
		w.signsIfAsked()
		w.sees(demo.Requester, w.mine(demo.Requester), time.Minute, "devops-admins", "withdrawn")
		w.wrote(map[string]int{"selfActivate": 1, "cancel": 1})
		w.closes(true)
	})
}
