package defender

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
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

// Devices of one group have that group's number.
func TestDeviceGroupsHaveOneNumber(t *testing.T) {
	by := target.Caller{OID: "x", App: true, Scopes: []string{"Machine.Read.All"}}
	w, err := New(Config{Seed: 1, Directory: nobody{}, Verify: func(string) (target.Caller, error) { return by, nil }, Devices: []Device{{ID: "d1", Group: "g"}, {ID: "d2", Group: "h"}, {ID: "d3", Group: "g"}}})
	if err != nil {
		t.Fatal(err)
	}
	r, rec := httptest.NewRequest("GET", "/api/machines", nil), httptest.NewRecorder()
	r.Header.Set("Authorization", "Bearer x")
	w.Handler().ServeHTTP(rec, r)
	var got struct {
		Value []struct{ RbacGroupID int }
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &got); err != nil || len(got.Value) != 3 || got.Value[0] != got.Value[2] || got.Value[0] == got.Value[1] {
		t.Errorf("%v %s", err, rec.Body)
	}
}

// A filter that is not heeded would be taken for its answer: what is not
// simulated is refused.
func TestQueriesAreHeededOrRefused(t *testing.T) {
	by := target.Caller{OID: "x", App: true, Scopes: []string{"Machine.Read.All", "RoleManagement.Read.Defender"}}
	w, err := New(Config{Seed: 1, Directory: nobody{}, Verify: func(string) (target.Caller, error) { return by, nil }, Devices: []Device{{ID: "d1", Group: "g"}, {ID: "d2", Group: "g"}, {ID: "d3", Group: "h"}}})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{"/api/machines?$top=2": "2 of 200", "/api/machines": "3 of 200", "/api/machines?$top=many": "0 of 400", "/api/machines?$top=20000": "0 of 400",
		"/api/machines?$filter=rbacGroupName%20eq%20'h'": "0 of 400", "/beta/roleManagement/defender/roleAssignments?$filter=x": "0 of 400"} {
		r, rec := httptest.NewRequest("GET", path, nil), httptest.NewRecorder()
		r.Header.Set("Authorization", "Bearer x")
		w.Handler().ServeHTTP(rec, r)
		if got := fmt.Sprintf("%d of %d", strings.Count(rec.Body.String(), "computerDnsName"), rec.Code); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}
