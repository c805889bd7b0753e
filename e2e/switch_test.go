package e2e

import (
	"strings"
	"testing"
	"time"

	"pagbot/activation"
	"pagbot/internal/demo"
	"pagbot/sim/entra"
)

// rivals has team-1 and team-2, and team-3 and team-4, exclude each other.
func rivals() setup {
	s := teams()
	yaml := s.yaml
	s.yaml = func(w *demo.Worlds, text string) string {
		return strings.NewReplacer("name: team-1,", "name: team-1, excludes: [team-2],", "name: team-4,", "name: team-4, excludes: [team-3],").Replace(yaml(w, text))
	}
	return s
}

// inPortal has the requester activate a group in the Entra portal.
func (w *town) inPortal(group string) {
	w.t.Helper()
	if _, err := w.Entra.Portal(w.Account(demo.Requester)).Activate(w.Groups[group].ID, "member", time.Hour, "from the portal"); err != nil {
		w.t.Fatal(err)
	}
}

// TestSwitch: what is refused because something excludes it leads to a switch. One
// browser trip confirms the end of the one and the ask for the other, which is
// made only when PIM says that the first is over, here after its first minutes.
func TestSwitch(t *testing.T) {
	inTown(t, rivals(), func(w *town) {
		w.gets("team-1", "1h")
		w.types(demo.Requester, `/pag activate team-2 30m "release 43"`)
		refused := w.sees(demo.Requester, w.Channel.ID, 10*time.Second, "My rule, not PIM's: nobody has team-2 and team-1 at once", "[Switch…]")
		w.presses(demo.Requester, refused, "switch")
		w.fills(demo.Requester, "", "First team-1 ends, at", "as PIM ends nothing in its first 5 minutes", "neither, for about 15 s", "at no time both")
		dm := w.mine(demo.Requester)
		m := w.sees(demo.Requester, dm, time.Minute, "Switch from team-1 to team-2, for 30 min?", "until then nothing changes", "Confirm in browser")
		b := w.browser()
		w.told(w.opens(b, w.link(m)), "Switch from team-1 to team-2", "ends team-1, which would run until", "activates team-2 for 30 minutes")
		w.confirms(demo.Requester, b, w.link(m))
		w.sees(demo.Requester, dm, 6*time.Minute, "Your team-1 ended at", "Now I ask for team-2")
		w.sees(demo.Requester, dm, time.Minute, "You have team-2", "You switched from team-1: you had neither for")
		w.pass(2 * time.Hour)
		w.wrote(map[string]int{"selfActivate": 2, "selfDeactivate 400": 1, "selfDeactivate": 1})
		lives := w.closes(true)
		for _, a := range lives {
			if was := lives[a.After]; a.Switches() && (was.Outcome != activation.EndedSoon || a.From.Before(was.Ended) || was.Next != a.ID || a.Outcome != activation.Expired) {
				t.Errorf("%s (%s, until %s) made way for %s (%s, from %s)", was.Group.Name, was.Outcome, was.Ended, a.Group.Name, a.Outcome, a.From)
			}
		}
	})
}

// TestSwitchInVain: the one has ended, and PIM refuses the other: it is said that
// neither is there, with the way back.
func TestSwitchInVain(t *testing.T) {
	inTown(t, rivals(), func(w *town) {
		w.gets("team-1", "1h")
		w.pass(10 * time.Minute)
		defer w.Entra.Inject(entra.Fault{Method: "POST", Path: "assignmentScheduleRequests", Group: w.Groups["team-2"].ID, Do: entra.DoStatus, Status: 400,
			Code: "RoleAssignmentRequestPolicyValidationFailed", Message: `The following policy rules failed: ["ExpirationRule"]`, Times: 1})()
		w.types(demo.Requester, `/pag switch team-1 team-2 1h "release 43"`)
		w.signs(demo.Requester, w.Channel.ID, "Switch from team-1 to team-2")
		m := w.sees(demo.Requester, w.Channel.ID, 2*time.Minute, "longer than PIM allows", "team-1 ended at", "team-2 was not given: you have neither now", "[Get team-1 back…]")
		w.presses(demo.Requester, m, "back")
		w.fills(demo.Requester, "release 42, again", "team-1")
		w.signs(demo.Requester, w.mine(demo.Requester), "team-1")
		w.pass(2 * time.Hour)
		w.wrote(map[string]int{"selfActivate": 2, "selfActivate 400": 1, "selfDeactivate": 1})
		w.closes(true)
	})
}

// TestExcludedInPortal: what nobody has noticed yet is seen right before the
// write. Both at once, made in the portal, is alarmed.
func TestExcludedInPortal(t *testing.T) {
	inTown(t, rivals(), func(w *town) {
		w.types(demo.Requester, `/pag activate team-1,team-2 1h "release 43"`)
		w.sees(demo.Requester, w.Channel.ID, 10*time.Second, "I have asked for nothing")
		w.types(demo.Requester, `/pag activate team-2 1h "release 43"`)
		link := w.newest(demo.Requester)
		since := len(w.Entra.Writes())
		w.rest(time.Until(time.Now().Truncate(30 * time.Second).Add(31 * time.Second))) // a beat has just been
		w.inPortal("team-1")
		w.rest(5 * time.Second)
		w.told(w.confirms(demo.Requester, w.browser(), link), "excludes")
		w.wroteOnly(since)
		w.sees(demo.Requester, w.Channel.ID, time.Minute, "nobody has team-2 and team-1 at once", "team-1 is active until")
		w.inPortal("team-2")
		for _, group := range []string{"team-1", "team-2"} {
			w.sees(demo.Approver, w.Channel.ID, 3*time.Minute, "@requester has "+group+" and", "at once, which exclude each other here", "round this rule")
		}
		w.pass(3 * time.Hour)
		w.closes(false)
	})
}
