package defender

import (
	"net/http/httptest"
	"testing"
	"time"

	"pagbot/sim/target"
)

// nobody is in any group.
type nobody struct{}

func (nobody) Member(string, string, time.Time) bool { return false }

// Each call needs its permission: people's and applications' are not the same.
func TestScopes(t *testing.T) {
	var by target.Caller
	w, err := New(Config{Seed: 1, Directory: nobody{}, Verify: func(string) (target.Caller, error) { return by, nil }, Devices: []Device{{ID: "d", Group: "g"}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		scope           string
		app             bool
		roles, machines int
	}{
		{"Machine.Read.All", true, 403, 200}, {"Machine.Read", true, 403, 403}, {"RoleManagement.Read.Defender", true, 200, 403},
	} {
		by = target.Caller{OID: "x", App: c.app, Scopes: []string{c.scope}}
		for path, want := range map[string]int{"/beta/roleManagement/defender/roleAssignments": c.roles, "/api/machines": c.machines} {
			r, rec := httptest.NewRequest("GET", path, nil), httptest.NewRecorder()
			r.Header.Set("Authorization", "Bearer x")
			if w.Handler().ServeHTTP(rec, r); rec.Code != want {
				t.Errorf("%+v %s: %d, want %d", c, path, rec.Code, want)
			}
		}
	}
}
