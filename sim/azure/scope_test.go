package azure

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"pagbot/sim/target"
)

// people is a directory that knows g as a group.
type people struct{ since }

func (people) IsGroup(id string) bool { return id == "g" }

// assignedTo() takes a user or a service principal: a group is refused, or finds
// nothing; and a 401 says where a token is to be had.
func TestAssignedToTakesNoGroups(t *testing.T) {
	var scopes []string
	w, err := New(Config{Seed: 1, Directory: people{since(time.Now().Add(-time.Hour))}, Verify: func(token string) (target.Caller, error) {
		if token == "none" {
			return target.Caller{}, target.ErrNoToken
		}
		return target.Caller{OID: token, App: token == "app", Scopes: scopes}, nil
	}, Assignments: []Assignment{{Principal: "g", Role: "r", Scope: "/subscriptions/s", Actions: []string{"*"}}}})
	if err != nil {
		t.Fatal(err)
	}
	list := func(as, who string) (int, string) {
		return call(t, w, as, "arm.test", scope+"/providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01&$filter=atScope()+and+assignedTo('"+who+"')", "")
	}
	for _, unheard := range []bool{false, true} {
		w.Turn(func(d *Dials) { d.GroupsUnheard = unheard })
		if n, body := list("app", "g"); (n == 200) != unheard || strings.Contains(body, "principalId") {
			t.Errorf("unheard %v: of the group: %d %s", unheard, n, body)
		}
		if n, body := list("app", "u"); n != 200 || !strings.Contains(body, `"principalId":"g"`) {
			t.Errorf("of a person: %d %s", n, body)
		}
	}
	scopes = []string{"User.Read"}
	if n, _ := list("u", "u"); n != 403 {
		t.Errorf("a token for something else: %d", n)
	}
	if scopes = []string{"user_impersonation"}; true {
		if n, _ := list("u", "u"); n != 200 {
			t.Errorf("a token for Azure: %d", n)
		}
	}
	r, rec := httptest.NewRequest("GET", "http://arm.test"+scope, nil), httptest.NewRecorder()
	r.Header.Set("Authorization", "Bearer none")
	if w.Handler().ServeHTTP(rec, r); rec.Code != 401 || !strings.Contains(rec.Header().Get("WWW-Authenticate"), "authorization_uri=") {
		t.Errorf("%d %v", rec.Code, rec.Header())
	}
}
