package intune

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pagbot/sim/target"
)

// What follows was caught by an outside reader; each test is named after its
// fact.

// Policies show what was selected, and Graph says what it answers with.
func TestPoliciesShowWhatWasSelected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, history{"g1/u": {time.Now().Add(-time.Hour)}})
		for query, want := range map[string]string{"": "displayName id roleScopeTagIds", "?$select=id": "id", "?$select=id,%20displayName": "displayName id"} {
			var got struct {
				Context string           `json:"@odata.context"`
				Value   []map[string]any `json:"value"`
			}
			if n := ask(t, w, "u", policiesPath+query, &got); n != 200 || len(got.Value) != 1 {
				t.Fatalf("%s: %d %+v", query, n, got)
			}
			var names []string
			for _, name := range []string{"displayName", "id", "roleScopeTagIds"} {
				if _, ok := got.Value[0][name]; ok {
					names = append(names, name)
				}
			}
			if strings.Join(names, " ") != want {
				t.Errorf("%s: %v, want %s", query, names, want)
			}
			if got.Context != "http://example.com/v1.0/$metadata#deviceManagement/deviceCompliancePolicies" {
				t.Errorf("%s: the context is %q", query, got.Context)
			}
		}
	})
}

// Rights may be those of the moment when the token was issued: by dial.
func TestRightsAreOfTheTokensIssue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issued := time.Now()
		w, err := New(Config{Seed: 1, Directory: history{"g/u": {time.Now().Add(time.Second)}}, Verify: func(token string) (target.Caller, error) {
			return target.Caller{OID: token, Issued: issued}, nil
		}, Assignments: []Assignment{{ID: "saw", Groups: []string{"g"}}}})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		for _, c := range []struct {
			frozen, fresh bool
			want          int
		}{{false, false, 1}, {true, false, 0}, {true, true, 1}} {
			w.Turn(func(d *Dials) { d.RightsFromToken = c.frozen })
			if c.fresh {
				issued = time.Now()
			}
			var d details
			if n := ask(t, w, "u", detailsPath, &d); n != 200 || len(d.Value.Assignments) != c.want {
				t.Errorf("%+v: %d %+v", c, n, d)
			}
		}
	})
}

// What Graph does not have here is refused, and not passed over: a filter that
// is not heeded would be taken for its answer.
func TestUnknownQueriesAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, history{"g1/u": {time.Now().Add(-time.Hour)}})
		const roles = "deviceManagement/roleAssignments/saw"
		for path, want := range map[string]int{policiesPath + "?$select=id,foo": 400, policiesPath + "?$filter=displayName%20eq%20'x'": 400, policiesPath + "?$top=1": 400,
			"/beta/" + roles + "?$expand=roleScopeTags": 200, "/beta/" + roles + "?$expand=members": 400, "/v1.0/" + roles + "?$expand=roleScopeTags": 400, "/beta/" + roles + "?$select=foo": 400,
			"/v1.0/deviceManagement/getEffectivePermissions(scope='*')": 200, "/v1.0/deviceManagement/getEffectivePermissions(foo='*')": 404, "/v1.0/deviceManagement/getEffectivePermissions(": 404} {
			if n := ask(t, w, "u", path, &struct{}{}); n != want {
				t.Errorf("%s: %d, want %d", path, n, want)
			}
		}
	})
}
