package e2e

import (
	"testing"
	"time"

	"pagbot/internal/demo"
	"pagbot/sim/entra"
)

// answered runs a command that must be answered in place and privately, with
// all the words, and without any write.
func (w *town) answered(name, command string, words ...string) {
	w.t.Helper()
	before := len(w.Entra.Writes())
	w.types(name, command)
	m := w.sees(name, w.Channel.ID, time.Minute, words...)
	if !m.Ephemeral || m.To != w.People[name].Slack {
		w.t.Errorf("%s: answered for all to see: %+v", command, m)
	}
	if after := len(w.Entra.Writes()); after != before {
		w.t.Errorf("%s: something was written", command)
	}
	for other := range w.People {
		if other == name {
			continue
		}
		for _, seen := range w.Person(other).Messages(w.Channel.ID) {
			if seen.TS == m.TS {
				w.t.Errorf("%s: %s sees the answer, too", command, other)
			}
		}
	}
}

// TestBadCommands: each is answered in place, privately, with the next step.
func TestBadCommands(t *testing.T) {
	ticketed := settings(demo.Releasers, func(_ *demo.Worlds, s *entra.Settings) { s.Ticketing = true })
	inTown(t, setup{found: ticketed}, func(w *town) {
		r := demo.Requester
		w.answered(r, `/pag activate devop-admin 2h "release"`, "I don't know a group called “devop-admin”", "Did you mean devops-admins", "/pag list")
		w.answered(r, `/pag activate release-managers 5h "release" INC1`, "longer than PIM allows", "Ask for 4 h or less")
		w.answered(r, `/pag activate release-managers until 23:00 "release" INC1`, "longer than PIM allows", "Ask for 4 h or less")
		w.answered(r, `/pag activate release-managers 4m "release" INC1`, "too short", "five minutes or more", "Ask for 5m or more")
		w.answered(r, `/pag activate release-managers 2h`, "wants a reason", `2h "why you need it"`)
		w.answered(r, `/pag activate release-managers 2h "release"`, "wants a ticket number", `INC0012345`)
		w.answered(r, `/pag activate release-managers soon "release`, "A quotation mark is missing")
		w.answered(r, `/pag activate release-managers until noon "release" INC1`, "I need a time of day", "until 18:00")
		w.answered(r, `/pag check`, "Tell me what to check", "/pag check GROUP")
		w.answered(r, `/pag frobnicate`, "I don't know “frobnicate”", "/pag help")
		w.answered(r, `/pag deactivate`, "nothing is active, and no request waits", "nothing to end")
		w.answered(r, `/pag help`, "/pag activate GROUP", "/pag status")
		w.answered(r, `/pag list`, "You may activate", "devops-admins", "release-managers", "vault-readers")
		w.answered(r, `/pag status`, "You have nothing active")
		w.answered(demo.Second, `/pag activate vault-readers 2h "release"`, "not eligible for vault-readers", "Did you mean release-managers", "/pag list")
		w.answered(demo.Outsider, `/pag list`, "don't know which Entra account is yours", "administrator")
		w.wrote(map[string]int{})
		w.closes(true)
	})
}

// TestTwice: what is active or waits is not asked for again.
func TestTwice(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		r := demo.Requester
		w.gets(demo.Releasers, "2h")
		w.pass(time.Minute)
		w.answered(r, `/pag activate release-managers 1h "once more"`, "release-managers is active already, until", "/pag deactivate")
		w.awaits()
		w.pass(time.Minute)
		w.answered(r, `/pag activate devops-admins 1h "once more"`, "Your request for devops-admins waits already", "/pag status", "withdraws it")
		w.answered(r, `/pag deactivate`, "You have several", "release-managers", "devops-admins", "Say which")
		w.answered(r, `/pag deactivate vault-readers`, "nothing to end that is called “vault-readers”", "/pag status")
		w.answered(r, `/pag status`, "@requester has release-managers", "An approver is needed")
		w.wrote(map[string]int{"selfActivate": 2})
	})
}

// TestQuickTwice: the same ask a second time before PIM has the first. One of
// them is done.
func TestQuickTwice(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		w.keepsSession(demo.Requester)
		w.types(demo.Requester, `/pag activate release-managers 2h "release 42 is stuck"`)
		w.types(demo.Requester, `/pag activate release-managers 2h "release 42 is stuck"`)
		w.sees(demo.Requester, w.mine(demo.Requester), time.Minute, "You have release-managers")
		w.sees(demo.Requester, w.Channel.ID, time.Minute, "already")
		accepted := 0
		for _, r := range w.Entra.Writes() {
			if r.Status < 400 {
				accepted++
			}
		}
		if accepted != 1 {
			t.Errorf("%d writes were accepted", accepted)
		}
		w.sees(demo.Requester, w.mine(demo.Requester), 5*time.Hour, "over and gone")
		w.closes(true)
	})
}

// TestSession: with a kept session and no rule that asks for more, a command
// alone is enough; signing out forgets it.
func TestSession(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		r, dm := demo.Requester, w.mine(demo.Requester)
		w.keepsSession(r)
		w.types(r, `/pag activate release-managers 30m "release 42 is stuck"`)
		w.sees(r, dm, time.Minute, "You have release-managers")
		w.answered(r, "/pag signout", "forgotten your sign-in")
		w.pass(6 * time.Minute)
		w.types(r, "/pag deactivate release-managers")
		w.sees(r, dm, time.Minute, "release-managers is not ended yet", "Confirm in browser")
		w.signs(r, dm, "release-managers is not ended yet")
		w.sees(r, dm, time.Minute, "ended early")
		w.sees(r, dm, 2*time.Hour, "Your release-managers is over", "Azure DevOps contoso: never came as far as I saw")
		w.wrote(map[string]int{"selfActivate": 1, "selfDeactivate": 1})
		w.closes(true)
	})
}
