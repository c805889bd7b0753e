package graph

import (
	"errors"
	"testing"
	"time"

	"pagbot/graph/signin"
	"pagbot/sim/entra"
)

func TestAccount(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		u := w.AddUser(entra.User{UPN: "adm-x@contoso.example", Mail: "x@contoso.example", Attributes: map[string]any{
			"employeeId": "U0REQUESTER", "onPremisesExtensionAttributes": map[string]any{"extensionAttribute5": "U0OTHER", "extensionAttribute6": 7}}})
		for attribute, want := range map[string]string{"": "", "employeeId": "U0REQUESTER",
			"onPremisesExtensionAttributes/extensionAttribute5": "U0OTHER", "onPremisesExtensionAttributes/extensionAttribute6": "", "onPremisesExtensionAttributes": "", "officeLocation": ""} {
			a, err := w.reader.Account(t.Context(), u.ID, attribute)
			if err != nil || a.Attribute != want || a.UPN != u.UPN || a.Mail != u.Mail || !a.Enabled || a.Guest || a.Revoked.After(time.Now()) {
				t.Errorf("%s: %+v %v", attribute, a, err)
			}
		}
		// By object id, never by a name.
		if _, err := w.reader.Account(t.Context(), u.UPN, ""); err == nil {
			t.Error("read by its name")
		}
		w.must(w.RevokeSessions(u.ID))
		revoked := time.Now()
		pass(time.Hour)
		if a, err := w.reader.Account(t.Context(), u.ID, ""); err != nil || !a.Revoked.Equal(revoked.Truncate(time.Second)) {
			t.Errorf("revoked %v: %+v %v", revoked, a, err)
		}
		w.must(w.ChangePassword(u.ID))
		w.must(w.SetEnabled(u.ID, false))
		if a, err := w.reader.Account(t.Context(), u.ID, ""); err != nil || time.Since(a.Revoked) > time.Minute || a.Enabled {
			t.Errorf("new password, disabled: %+v %v", a, err)
		}
		guest := w.AddUser(entra.User{UPN: "x_elsewhere#EXT#@contoso.example", Guest: true})
		if a, err := w.reader.Account(t.Context(), guest.ID, ""); err != nil || !a.Guest {
			t.Errorf("a guest: %+v %v", a, err)
		}
		if _, err := w.reader.Account(t.Context(), "aaaaaaaa-0000-4000-8000-000000000001", ""); !errors.Is(err, signin.ErrNoAccount) {
			t.Errorf("nobody: %v", err)
		}
	})
}
