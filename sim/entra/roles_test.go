package entra

import (
	"encoding/json"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// The transitive list names the group that gives the role, later than the
// directory; without its header there is nothing there at all.
func TestRolesThroughAGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := New(Config{Seed: 1})
		g := w.AddGroup(Group{Name: "admins", RoleAssignable: true})
		plain := w.AddGroup(Group{Name: "plain"})
		u := w.AddUser(User{UPN: "requester@contoso.example"})
		app := w.AddApp(App{Secret: "made up", Roles: []string{"RoleManagement.Read.Directory"}})
		if _, err := w.AddRoleAssignment(RoleAssignment{Role: "r", Principal: plain.ID}); err == nil {
			t.Error("a group that is not role-assignable carries a role")
		}
		if _, err := w.AddRoleAssignment(RoleAssignment{Role: "r", Principal: g.ID}); err != nil {
			t.Fatal(err)
		}
		form := url.Values{"grant_type": {"client_credentials"}, "client_id": {app.ID}, "client_secret": {app.Secret}, "scope": {GraphAudience + "/.default"}}
		q := httptest.NewRequest("POST", "/"+w.Tenant()+"/oauth2/v2.0/token", strings.NewReader(form.Encode()))
		q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r := httptest.NewRecorder()
		w.Authority().ServeHTTP(r, q)
		var got struct {
			Token string `json:"access_token"`
		}
		if err := json.Unmarshal(r.Body.Bytes(), &got); err != nil || got.Token == "" {
			t.Fatalf("%v in %s", err, r.Body)
		}
		ask := func(level string) (int, string) {
			q := httptest.NewRequest("GET", "/beta/roleManagement/directory/transitiveRoleAssignments?$count=true&$filter=principalId+eq+'"+u.ID+"'+and+roleDefinitionId+eq+'r'", nil)
			q.Header.Set("Authorization", "Bearer "+got.Token)
			q.Header.Set("ConsistencyLevel", level)
			r := httptest.NewRecorder()
			w.Graph().ServeHTTP(r, q)
			return r.Code, r.Body.String()
		}
		w.SetRoleLag(time.Minute, true)
		if n, _ := ask(""); n != 404 {
			t.Errorf("without the header: %d", n)
		}
		if err := w.AddTie(g.ID, "member", u.ID); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		said := 0
		for range 4 {
			if _, body := ask("eventual"); strings.Contains(body, g.ID) {
				said++
			}
		}
		if said != 2 {
			t.Errorf("%d of two replicas in turn knew it", said)
		}
		time.Sleep(time.Minute)
		if n, body := ask("eventual"); n != 200 || !strings.Contains(body, `"principalId":"`+g.ID) {
			t.Errorf("%d %s", n, body)
		}
	})
}
