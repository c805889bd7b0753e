package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pagbot/internal/demo"
	"pagbot/sim/entra"
)

const dayUPN = "requester@contoso.example"

// dayAccount gives the requester an account for the day, which may have
// release-managers, too.
func dayAccount(w *demo.Worlds) {
	u := w.Entra.AddUser(entra.User{UPN: dayUPN, Name: "requester by day"})
	m := w.People[demo.Requester]
	m.Accounts = append(m.Accounts, u.ID)
	w.People[demo.Requester] = m
	if _, err := w.Entra.AddEligibility(w.Groups[demo.Releasers].ID, "member", u.ID, time.Time{}); err != nil {
		panic(err)
	}
}

// names writes the accounts' own names into the mapping file.
func (w *town) names(object, upn string) {
	w.t.Helper()
	w.stop()
	file := filepath.Join(w.dir, "people.yaml")
	b, err := os.ReadFile(file)
	if err == nil {
		mapped := strings.Replace(string(b), object+", name: adm-requester@contoso.example", object+", name: "+upn, 1)
		err = os.WriteFile(file, []byte(mapped), 0o600)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	w.start()
}

// TestTwoAccounts: one person, two accounts, one group. The named one asks, only
// it confirms, and both are told apart wherever they are shown.
func TestTwoAccounts(t *testing.T) {
	inTown(t, setup{found: dayAccount}, func(w *town) {
		w.names(w.People[demo.Requester].Accounts[1], dayUPN)
		ask := w.answers(demo.Requester, `/pag activate release-managers account requester 20m "by day"`)
		w.told(w.Person(demo.Requester).Text(ask), "With your account", dayUPN)
		w.told(w.confirms(demo.Requester, w.browser(), w.link(ask)), "Wrong account", "Needed "+dayUPN)
		if said, err := demo.Confirm(w.browser(), w.link(ask), dayUPN); err != nil || !strings.Contains(said, "release-managers") {
			t.Fatal(said, err)
		}
		w.sees(demo.Requester, w.mine(demo.Requester), time.Minute, "You have release-managers", "With your account", dayUPN)
		w.sees(demo.Approver, w.Channel.ID, time.Minute, "has release-managers", "Account: requester@contoso.example")
		w.told(w.Person(demo.Requester).Text(w.answers(demo.Requester, `/pag activate release-managers 20m "again"`)), "active already")
		w.types(demo.Requester, `/pag activate release-managers account adm-requester 20m "as admin"`)
		w.signs(demo.Requester, w.Channel.ID, "release-managers", "adm-requester@contoso.example")
		w.sees(demo.Requester, w.mine(demo.Requester), time.Minute, "You have release-managers", "adm-requester@contoso.example")
		w.told(w.Person(demo.Requester).Text(w.answers(demo.Requester, "/pag deactivate release-managers")), "You have several", dayUPN, "account NAME")
	})
}
