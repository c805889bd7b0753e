package e2e

import (
	"strings"
	"testing"
	"time"

	"pagbot/internal/demo"
	"pagbot/sim/entra"
)

// TestDeciderIsNamed: what was decided in Entra is told at once, and by whom a
// few minutes later, in the same messages; without the permission never.
func TestDeciderIsNamed(t *testing.T) {
	for what, roles := range map[string][]string{"allowed": {"AuditLog.Read.All"}, "not": nil} {
		t.Run(what, func(t *testing.T) {
			found := func(w *demo.Worlds) {
				if err := w.Entra.ChangeApp(w.Reader.ID, func(a *entra.App) { a.Roles = append(a.Roles, roles...) }); err != nil {
					panic(err)
				}
			}
			inTown(t, setup{found: found}, func(w *town) {
				w.asked()
				if err := w.Entra.Portal(w.Account(demo.Second)).Decide(w.requestOf(demo.DevOpsAdmins), false, "not today"); err != nil {
					t.Fatal(err)
				}
				dm := w.mine(demo.Requester)
				w.sees(demo.Requester, dm, time.Minute, "Denied in Entra")
				told := len(w.Person(demo.Requester).Messages(dm))
				w.rest(20 * time.Minute)
				named := "enied by @second-approver in Entra"
				for place, text := range map[string]string{"the card": w.read(demo.Requester, w.Channel.ID), "the message": w.read(demo.Requester, dm)} {
					if strings.Contains(text, named) != (roles != nil) {
						t.Errorf("%s says:\n%s", place, text)
					}
				}
				if n := len(w.Person(demo.Requester).Messages(dm)); n != told {
					t.Errorf("%d messages more", n-told)
				}
			})
		})
	}
}

// TestDisabledDecideNothing: of two approvers one is disabled in Entra, and the
// card calls the other; when that one is, too, whoever asks reads it beside the
// link, before anything is submitted.
func TestDisabledDecideNothing(t *testing.T) {
	off := func(w *demo.Worlds, name string) {
		if err := w.Entra.SetEnabled(w.Account(name), false); err != nil {
			panic(err)
		}
	}
	inTown(t, setup{found: func(w *demo.Worlds) { off(w, demo.Approver) }}, func(w *town) {
		if card := w.Person(demo.Second).Text(w.awaits()); !holds(card, []string{"Can decide: @second-approver."}) {
			t.Errorf("the card says:\n%s", card)
		}
		w.types(demo.Requester, "/pag deactivate")
		w.signsIfAsked()
		w.sees(demo.Requester, w.mine(demo.Requester), time.Minute, "Your request for devops-admins is withdrawn")
		off(w.Worlds, demo.Second)
		w.pass(6 * time.Minute) // what was read is believed for five
		w.nothing(func() {
			w.answered(demo.Requester, `/pag activate devops-admins 2h "once more"`, "I know of nobody who could approve devops-admins", "[Confirm in browser]")
		})
	})
}
