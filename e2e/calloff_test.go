package e2e

import (
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"pagbot/internal/demo"
)

// administers sends what an administrator's command does to the serving process.
func (w *town) administers(path string, form url.Values) string {
	w.t.Helper()
	c := &http.Client{Transport: w.net.Transport()}
	defer c.CloseIdleConnections()
	resp, err := c.PostForm("http://control"+path, form)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		w.t.Fatal(resp.Status, string(b), err)
	}
	return string(b)
}

// TestUnbindCallsOff takes people's accounts away while something waits for
// their browser: it is called off and told, its link leads nowhere, and nothing
// is written. Once by command, once by the mapping file while nobody serves.
func TestUnbindCallsOff(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		for _, name := range []string{demo.Requester, demo.Approver} {
			if err := w.Person(name).OpenHome(); err != nil {
				t.Fatal(err)
			}
		}
		card := w.awaits()
		w.presses(demo.Approver, card, "approve")
		w.fills(demo.Approver, "release night")
		vote := w.sees(demo.Approver, w.mine(demo.Approver), time.Minute, "not approved", "Confirm in browser")
		waits := w.answers(demo.Requester, `/pag activate release-managers 20m "why"`)
		w.nothing(func() {
			w.told(w.administers("/people/unbind", url.Values{"slack": {w.People[demo.Requester].Slack}}), `"called_off":1`)
			w.sees(demo.Requester, w.Channel.ID, time.Minute, "release-managers", "so I called this off")
			p, err := w.browser().Open(w.link(waits))
			if err != nil {
				t.Fatal(err)
			}
			w.told(p.Text, "This account is not yours here")

			w.stop()
			file := filepath.Join(w.dir, "people.yaml")
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			id := w.People[demo.Approver].Slack
			if err := os.WriteFile(file, regexp.MustCompile(`\b`+id+`\b`).ReplaceAll(b, []byte("U0SOMEBODY")), 0o600); err != nil {
				t.Fatal(err)
			}
			w.start()
			w.sees(demo.Approver, w.mine(demo.Approver), time.Minute, "I could not approve", "so I called this off")
			w.told(w.Person(demo.Approver).Text(w.current(vote)), "This link is no longer good")
			// Whose Home tabs there are outlives the restart: one follows, one is emptied.
			w.told(w.home(demo.Approver), "I don't know which Entra account is yours")
			w.answers(demo.Requester, `/pag activate release-managers 20m "once more"`)
			w.told(w.home(demo.Requester), "wants release-managers")
		})
	})
}

// TestSignOutCallsOff has people sign themselves out while something waits. What
// still needs their browser is called off and told, its link leads nowhere; what
// Entra has, stays, and the answer says so.
func TestSignOutCallsOff(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		card := w.awaits()
		w.presses(demo.Approver, card, "approve")
		w.fills(demo.Approver, "release night")
		vote := w.sees(demo.Approver, w.mine(demo.Approver), time.Minute, "not approved", "Confirm in browser")
		waits := w.answers(demo.Requester, `/pag activate release-managers 20m "why"`)
		w.nothing(func() {
			w.answered(demo.Requester, "/pag signout", "forgotten your sign-in", "called off what waited for you: to get release-managers for 20 min",
				"Entra still has your request for devops-admins", "/pag deactivate")
			w.sees(demo.Requester, w.Channel.ID, time.Minute, "release-managers", "You signed out, so I called this off")
			p, err := w.browser().Open(w.link(waits))
			if err != nil {
				t.Fatal(err)
			}
			w.told(p.Text, "You have signed out", "Nothing was done", "called off")
			w.told(w.Person(demo.Approver).Text(w.current(vote)), "Confirm in browser") // somebody else's waits on

			w.answered(demo.Approver, "/pag signout", "forgotten your sign-in", "called off what waited for you: to approve devops-admins for @requester")
			w.sees(demo.Approver, w.mine(demo.Approver), time.Minute, "I could not approve", "You signed out, so I called this off")
			w.told(w.Person(demo.Approver).Text(w.current(vote)), "still waits for an approver", "no longer good")
			w.answered(demo.Approver, "/pag signout", "I have forgotten your sign-in. I will ask for it again when you need it.")
		})
		// It is not lost: asked for again, and decided.
		w.decides(demo.Approver, w.current(card), "approve")
		w.sees(demo.Requester, w.mine(demo.Requester), time.Minute, "You have devops-admins")
		w.answered(demo.Requester, "/pag signout", "You still have devops-admins", "/pag deactivate")
	})
}

// TestSignOutInSwitch signs out between the two halves of a switch that was
// confirmed: it goes on, and asks for the browser where the sign-in is missed. Who
// signs out instead of that has called off the second half, too.
func TestSignOutInSwitch(t *testing.T) {
	s := rivals()
	yaml := s.yaml
	s.yaml = func(w *demo.Worlds, text string) string {
		return strings.NewReplacer("name: team-1,", "name: team-1, proof: session,", "name: team-2,", "name: team-2, proof: session,").Replace(yaml(w, text))
	}
	inTown(t, s, func(w *town) {
		r, dm := demo.Requester, w.mine(demo.Requester)
		w.keepsSession(r)
		w.types(r, `/pag activate team-1 1h "release 42"`)
		w.sees(r, dm, time.Minute, "You have team-1")
		w.types(r, `/pag switch team-1 team-2 30m "release 43"`)
		w.fills(r, "", "First team-1 ends, at")
		w.sees(r, dm, time.Minute, "I'm switching you from team-1 to team-2")
		w.answered(r, "/pag signout", "Still to be done:", "end your team-1", "get team-2 for 30 min", "You still have team-1")
		w.pass(3 * time.Minute)
		w.wrote(map[string]int{"selfActivate": 1, "selfDeactivate 400": 1})
		w.pass(2 * time.Minute)
		w.signsUntil(r, "team-", "You have team-2")
		w.keepsSession(r)
		w.types(r, `/pag switch team-2 team-1 30m "release 44"`)
		w.fills(r, "", "First team-2 ends, at")
		w.pass(time.Second)
		w.answered(r, "/pag signout", "Still to be done:", "end your team-2", "get team-1 for 30 min")
		w.sees(r, dm, 6*time.Minute, "team-2 is not ended yet", "Confirm in browser")
		off := w.Person(r).Text(w.answers(r, "/pag signout"))
		if !holds(off, []string{"called off what waited for you: to end your team-2.", "You still have team-2"}) || strings.Contains(off, "Still to be done") {
			t.Error(off)
		}
		w.sees(r, dm, time.Minute, "I did not ask for team-1: team-2 could not be ended")
		w.pass(2 * time.Hour)
		w.did(map[string]int{"selfActivate": 2, "selfDeactivate": 1})
		w.closes(true)
	})
}
