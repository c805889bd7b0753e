package intune

import (
	"testing"
	"testing/synctest"
	"time"

	"pagbot/sim/target"
)

// Each call needs its permission, delegated or not; and a person without a
// licence may do nothing, whatever role they have.
func TestScopesAndLicences(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var scopes []string
		w, err := New(Config{Seed: 1, Unlicensed: []string{"Nested"}, Directory: history{"g/u": {time.Now().Add(-time.Hour)}, "g/nested": {time.Now().Add(-time.Hour)}}, Verify: func(token string) (target.Caller, error) {
			return target.Caller{OID: token, Issued: time.Now(), Scopes: scopes}, nil
		}, Assignments: []Assignment{{ID: "saw", Groups: []string{"g"}}}})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			who, scope       string
			details, polices int
		}{
			{"u", "DeviceManagementRBAC.Read.All", 200, 403}, {"u", "DeviceManagementConfiguration.Read.All", 403, 200}, {"u", "User.Read", 403, 403}, {"nested", "DeviceManagementRBAC.Read.All", 403, 403},
		} {
			scopes = []string{c.scope}
			if a, b := ask(t, w, c.who, detailsPath, &details{}), ask(t, w, c.who, policiesPath, &struct{}{}); a != c.details || b != c.polices {
				t.Errorf("%s with %s: %d and %d", c.who, c.scope, a, b)
			}
		}
		if scopes = nil; ask(t, w, "nested", detailsPath, &details{}) != 403 {
			t.Error("without a licence")
		}
	})
}
