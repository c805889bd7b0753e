package e2e

import (
	"strings"
	"testing"
	"time"

	"pagbot/activation"
	"pagbot/internal/demo"
	"pagbot/sim/entra"
)

// TestFirstTime: an approver who has never signed in confirms in the browser,
// which binds the account, and is told so.
func TestFirstTime(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		card := w.awaits()
		if page := w.decides(demo.Approver, card, "approve"); !strings.Contains(page, "Approved") {
			t.Errorf("the page says %q", page)
		}
		w.sees(demo.Approver, w.mine(demo.Approver), time.Minute, "From now on you act in Entra as", "adm-approver@contoso.example")
		w.sees(demo.Approver, w.mine(demo.Approver), time.Minute, "devops-admins for @requester: approved by @approver")
		w.sees(demo.Requester, w.mine(demo.Requester), time.Minute, "Approved by @approver", "devops-admins")
		w.wholeLife()
		w.wrote(map[string]int{"selfActivate": 1, "Approve": 1})
		w.closes(true)
	})
}

// TestStepUp: vault-readers needs authentication context c1. A token without it
// is refused with claims; the second round in the browser has it.
func TestStepUp(t *testing.T) {
	late := settings(demo.Vault, func(*demo.Worlds, *entra.Settings) {})
	inTown(t, setup{found: late}, func(w *town) {
		w.types(demo.Requester, `/pag activate vault-readers 2h "rotate keys"`)
		// The settings tighten after the bot has read them.
		settings(demo.Vault, func(_ *demo.Worlds, s *entra.Settings) { s.AuthContext = "c1" })(w.Worlds)
		page := w.signs(demo.Requester, w.Channel.ID, demo.Vault)
		if !strings.Contains(page, "One more check") {
			t.Errorf("the page says %q", page)
		}
		page = w.signs(demo.Requester, w.Channel.ID, demo.Vault, "Entra wants a stronger sign-in")
		if !strings.Contains(page, "Accepted") {
			t.Errorf("the page says %q", page)
		}
		w.sees(demo.Requester, w.mine(demo.Requester), time.Minute, "You have vault-readers")
		w.sees(demo.Requester, w.mine(demo.Requester), 3*time.Hour, "Your vault-readers is over", "Entra ID: no longer listed")
		w.wrote(map[string]int{"selfActivate": 1, "selfActivate 400": 1})
		w.closes(true)
	})
}

// TestStepUpForeseen: where the settings are known to want a context, the first
// sign-in has it.
func TestStepUpForeseen(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		w.gets(demo.Vault, "2h")
		w.wrote(map[string]int{"selfActivate": 1})
		w.sees(demo.Requester, w.mine(demo.Requester), 3*time.Hour, "Your vault-readers is over", "Entra ID: no longer listed")
		w.closes(true)
	})
}

// TestStepUpNever: Entra refuses the context even with the claim. The person
// hears that in clear words, and nothing goes round in circles.
func TestStepUpNever(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		w.Entra.Turn(func(d *entra.Dials) { d.AcrsNever = true })
		w.types(demo.Requester, `/pag activate vault-readers 2h "rotate keys"`)
		w.signs(demo.Requester, w.Channel.ID, demo.Vault)
		w.sees(demo.Requester, w.Channel.ID, 2*time.Minute, "stronger sign-in", "yours didn't meet it", "administrator")
		w.pass(time.Hour)
		if n := len(w.Entra.Writes()); n > 2 {
			t.Errorf("%d writes: it goes round in circles", n)
		}
		w.closes(true)
	})
}

// TestPortalWasFaster: a second approver decides in the portal just before the
// first one's sign-in is through.
func TestPortalWasFaster(t *testing.T) {
	for name, approve := range map[string]bool{"approved": true, "denied": false} {
		t.Run(name, func(t *testing.T) {
			inTown(t, setup{}, func(w *town) { w.portalWasFaster(approve) })
		})
	}
}

func (w *town) portalWasFaster(approve bool) {
	card := w.awaits()
	w.presses(demo.Approver, card, "approve")
	w.fills(demo.Approver, "release night", demo.DevOpsAdmins)
	// Between the bot's last look and its write, the portal is faster: a 409.
	request := w.requestOf(demo.DevOpsAdmins)
	ask := w.sees(demo.Approver, w.mine(demo.Approver), time.Minute, "not approved devops-admins for @requester", "Confirm in browser")
	if err := w.Entra.Portal(w.Account(demo.Second)).Decide(request, approve, "I was first"); err != nil {
		w.t.Fatal(err)
	}
	w.t.Log(w.confirms(demo.Approver, w.browser(), w.link(ask)))
	dm := w.mine(demo.Approver)
	w.sees(demo.Approver, dm, time.Minute, "Too late", "adm-second-approver@contoso.example was quicker")
	if approve {
		w.sees(demo.Requester, w.Channel.ID, time.Minute, "@requester has devops-admins", "Approved in Entra")
		w.sees(demo.Requester, w.mine(demo.Requester), time.Minute, "Approved in Entra", "devops-admins")
		w.wholeLife()
	} else {
		w.sees(demo.Requester, w.Channel.ID, time.Minute, "devops-admins for @requester: denied", "Nothing was given", "Denied in Entra")
		w.sees(demo.Requester, w.mine(demo.Requester), time.Minute, "Denied in Entra", "devops-admins")
	}
	for _, r := range w.Entra.Writes() {
		if r.Status < 400 && strings.Contains(r.Path, "stages") {
			w.t.Errorf("a decision was written: %s", r.Body)
		}
	}
	w.closes(true)
}

// requestOf is the id of the one request that PIM has for a group.
func (w *town) requestOf(group string) string {
	w.t.Helper()
	list, err := w.bot.Engine.Find(w.t.Context(), "open")
	if err != nil {
		w.t.Fatal(err)
	}
	for _, a := range list {
		if a.Group.Name == group && a.Request.ID != "" {
			return a.Request.ID
		}
	}
	w.t.Fatalf("no request for %s", group)
	return ""
}

// TestEndedBeforeEffect: the person ends it before Azure DevOps ever said yes,
// also before PIM's five minutes are over. It never came, and that is said.
func TestEndedBeforeEffect(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		w.gets(demo.Releasers, "2h")
		w.types(demo.Requester, "/pag deactivate release-managers")
		w.sees(demo.Requester, w.Channel.ID, time.Minute, "I'm ending your release-managers")
		w.sees(demo.Requester, w.Channel.ID, 6*time.Minute, "first 5 minutes", "I'll end it at")
		w.sees(demo.Requester, w.mine(demo.Requester), 6*time.Minute, "ended at", "ended early")
		w.sees(demo.Requester, w.mine(demo.Requester), 2*time.Hour, "Azure DevOps contoso: never came")
		for _, r := range w.Entra.Writes() {
			if r.Action == "selfDeactivate" && r.Status < 400 && r.At.Sub(w.lifeOf(demo.Releasers).From) < activation.Floor {
				t.Errorf("ended at %s", r.At)
			}
		}
		if from, to, ever := w.DevOps.Org("contoso").TrueEffect(w.Account(demo.Requester)); ever {
			t.Errorf("it did come, from %s to %s", from, to)
		}
		w.wrote(map[string]int{"selfActivate": 1, "selfDeactivate": 1, "selfDeactivate 400": 1})
		w.closes(true)
	})
}

// lifeOf is the newest activation of a group.
func (w *town) lifeOf(group string) activation.Activation {
	w.t.Helper()
	var last activation.Activation
	all, err := w.bot.Engine.Find(w.t.Context(), "")
	if err != nil {
		w.t.Fatal(err)
	}
	for _, a := range all {
		if a.Group.Name == group && !a.Began.Before(last.Began) {
			last = a
		}
	}
	return last
}

// TestHadAlready: who is in Project Collection Administrators through another
// group is told so; nothing took effect, and nothing staying is an alarm.
func TestHadAlready(t *testing.T) {
	inTown(t, setup{found: standing}, func(w *town) {
		w.types(demo.Requester, `/pag activate release-managers 1h "release 42 is stuck"`)
		w.pass(10 * time.Second) // nobody is faster in the browser
		w.signs(demo.Requester, w.Channel.ID, demo.Releasers)
		w.sees(demo.Requester, w.mine(demo.Requester), 10*time.Minute, "already had this in Azure DevOps contoso", "before release-managers was active")
		w.sees(demo.Requester, w.mine(demo.Requester), 2*time.Hour, "Your release-managers is over", "Azure DevOps contoso: keeps what was there before")
		w.pass(3 * time.Hour)
		for _, channel := range []string{w.mine(demo.Requester), w.Channel.ID} {
			text := w.read(demo.Requester, channel)
			if strings.Contains(text, "took effect in Azure DevOps") || strings.Contains(text, "should have left") || strings.Contains(text, "rotating_light") {
				t.Errorf("said to somebody who had it already:\n%s", text)
			}
		}
		w.closes(true)
	})
}

// standing puts the requester into platform-team, before anybody looks.
func standing(w *demo.Worlds) {
	if err := w.Entra.AddTie(w.Groups[demo.Standing].ID, "member", w.Account(demo.Requester)); err != nil {
		panic(err)
	}
}
