package e2e

import (
	"regexp"
	"strconv"
	"testing"
	"time"

	"pagbot/activation"
	"pagbot/internal/demo"
	"pagbot/sim/entra"
)

var withoutFor = regexp.MustCompile(`without it for (\d+) s`)

// renewed checks that one activation made way for another, that the gap which
// was told is the one between PIM's own times, and returns it.
func (w *town) renewed(told string) time.Duration {
	w.t.Helper()
	m := withoutFor.FindStringSubmatch(told)
	if m == nil {
		w.t.Fatalf("no gap is told: %q", told)
	}
	seconds, _ := strconv.Atoi(m[1])
	gap := time.Duration(seconds) * time.Second
	lives := w.closes(true)
	if len(lives) != 2 {
		w.t.Errorf("%d activations", len(lives))
	}
	for _, a := range lives {
		if !a.Renews() {
			continue
		}
		was := lives[a.After]
		if was.Next != a.ID || was.Outcome != activation.EndedSoon || a.Outcome != activation.Expired {
			w.t.Errorf("%s (%s) made way for %s (%s)", was.ID, was.Outcome, a.ID, a.Outcome)
		}
		if real := a.From.Sub(was.Ended); real < 0 || (gap-real).Abs() > time.Second {
			w.t.Errorf("a gap of %s is told, and it was %s", gap, real)
		}
		for _, target := range a.Targets {
			if target.Grant.State == activation.HadAlready || target.Removal.State == activation.HadAlready {
				w.t.Errorf("%s passes for standing access: %+v", target.Name, target)
			}
		}
		return gap
	}
	w.t.Fatal("nothing was renewed")
	return 0
}

// proven makes PIM ask for MFA, so that each activation takes a browser.
func proven(w *demo.Worlds) {
	settings(demo.Releasers, func(_ *demo.Worlds, s *entra.Settings) { s.MFA = true })(w)
}

// TestRenewal: PIM extends nothing, so that one confirmation ends what runs and
// activates it anew, as soon as PIM lets it; the gap is told before and after.
func TestRenewal(t *testing.T) {
	inTown(t, setup{found: proven}, func(w *town) {
		w.gets(demo.Releasers, "1h")
		w.types(demo.Requester, "/pag renew release-managers 2h")
		w.sees(demo.Requester, w.Channel.ID, 10*time.Second, "first 5 minutes", "can be renewed from", "ask for the full 4 h and end it early")
		w.pass(30 * time.Minute)
		w.types(demo.Requester, `/pag renew release-managers 2h "release 43, too"`)
		page := w.signs(demo.Requester, w.Channel.ID, "Renew release-managers", "no access, for about 15 s", "Azure DevOps contoso", "until then what you have runs on")
		if !holds(page, []string{"Ended", "release-managers"}) {
			t.Errorf("the last page says %q", page)
		}
		dm := w.mine(demo.Requester)
		w.sees(demo.Requester, dm, time.Minute, "ended at", "to be renewed")
		m := w.sees(demo.Requester, dm, time.Minute, "You have release-managers", "you were without it for")
		w.pass(5 * time.Hour)
		w.wrote(map[string]int{"selfActivate": 2, "selfDeactivate": 1})
		if gap := w.renewed(w.Person(demo.Requester).Text(m)); gap > 16*time.Second {
			t.Errorf("without it for %s", gap)
		}
	})
}

// TestRenewalNotConfirmed: until the person confirms nothing ends, and what
// they do not confirm lapses.
func TestRenewalNotConfirmed(t *testing.T) {
	inTown(t, setup{found: proven}, func(w *town) {
		w.gets(demo.Releasers, "1h")
		w.pass(10 * time.Minute)
		w.types(demo.Requester, "/pag renew release-managers")
		w.sees(demo.Requester, w.Channel.ID, 10*time.Second, "Renew release-managers", "Confirm in browser")
		w.sees(demo.Requester, w.Channel.ID, 20*time.Minute, "didn't confirm in time", "What you have runs on")
		w.pass(5 * time.Hour)
		w.wrote(map[string]int{"selfActivate": 1})
		w.closes(true)
	})
}

// TestRenewalOfWhatIsApproved: PIM takes no request beside what runs, so that
// the approver can't be asked first; it is said, with what can be done.
func TestRenewalOfWhatIsApproved(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		w.decides(demo.Approver, w.awaits(), "approve")
		w.sees(demo.Requester, w.mine(demo.Requester), time.Minute, "You have devops-admins")
		w.pass(10 * time.Minute)
		w.types(demo.Requester, "/pag renew")
		w.sees(demo.Requester, w.Channel.ID, 10*time.Second, "An approver must agree", "RoleAssignmentExists", "/pag deactivate", "/pag again")
		warning := w.sees(demo.Requester, w.mine(demo.Requester), 2*time.Hour, "ends at", "[End now]")
		if holds(w.Person(demo.Requester).Text(warning), []string{"Renew"}) {
			t.Error("the warning offers what can't be done")
		}
	})
}

// TestRenewalByButton: the warning's button opens a form that says what it costs.
func TestRenewalByButton(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		w.gets(demo.Releasers, "1h")
		dm := w.mine(demo.Requester)
		warning := w.sees(demo.Requester, dm, 2*time.Hour, "ends at", "[End now]", "[Renew…]", "without it for about 15 s")
		w.presses(demo.Requester, warning, "renew")
		w.fills(demo.Requester, "release 43, too", "no access, for about 15 s", "learn it again")
		m := w.sees(demo.Requester, dm, time.Minute, "You have release-managers", "you were without it for")
		w.pass(4 * time.Hour)
		w.wrote(map[string]int{"selfActivate": 2, "selfDeactivate": 1})
		w.renewed(w.Person(demo.Requester).Text(m))
	})
}
