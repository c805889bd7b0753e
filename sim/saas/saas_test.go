package saas

import (
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

type roll map[string]time.Time

func (r roll) Member(group, oid string, at time.Time) bool {
	from, ok := r[group+"/"+oid]
	return ok && !at.Before(from)
}

type world struct {
	*World
	at time.Time
}

func newWorld(t *testing.T) *world {
	x := &world{at: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}
	dir := roll{"pag/a": x.at.Add(time.Second)}
	w, err := New(Config{Seed: 1, Now: func() time.Time { return x.at }, Directory: dir, Token: "t", PAG: "pag", Users: []User{{"a", "a@contoso.example", "a_contoso"}, {"b", "b@contoso.example", "b_contoso"}}})
	if err != nil {
		t.Fatal(err)
	}
	x.World = w
	return x
}

func (x *world) get(path string) (int, string) {
	r := httptest.NewRequest("GET", path, nil)
	r.Header.Set("Authorization", "Bearer t")
	rec := httptest.NewRecorder()
	x.Handler().ServeHTTP(rec, r)
	return rec.Code, rec.Body.String()
}

const (
	team = "/orgs/contoso/teams/db-admins"
	rows = "/services/data/v62.0/query?q="
)

func (x *world) row(who string) string {
	_, body := x.get(rows + url.QueryEscape("SELECT Id FROM PermissionSetAssignment WHERE Assignee.FederationIdentifier='"+who+"' AND PermissionSet.Name='DbAdmins'"))
	return body
}

func TestTeamSyncIsACycle(t *testing.T) {
	x := newWorld(t)
	tick := x.github.NextTick()
	x.at = tick.Add(-time.Second)
	if code, _ := x.get(team + "/memberships/a_contoso"); code != 404 {
		t.Errorf("before the cycle: %d", code)
	}
	x.at = tick
	if code, body := x.get(team + "/memberships/A_contoso"); code != 200 || !strings.Contains(body, `"state":"active"`) {
		t.Errorf("after it: %d %s", code, body)
	}
	// A 404 is said of a missing team and of a non-member alike.
	_, none := x.get(team + "/memberships/b_contoso")
	if _, missing := x.get("/orgs/contoso/teams/none/memberships/a_contoso"); missing != none {
		t.Errorf("%s, %s", none, missing)
	}
	if code, _ := x.get(team); code != 200 {
		t.Errorf("the team: %d", code)
	}
	x.Turn(func(d *Dials) { d.Pending = true })
	if _, body := x.get(team + "/memberships/a_contoso"); !strings.Contains(body, `"state":"pending"`) {
		t.Errorf("%s", body)
	}
	x.Turn(func(d *Dials) { d.Budget = 1; d.Window = time.Hour })
	if code, _ := x.get(team); code != 403 {
		t.Errorf("over the limit: %d", code)
	}
}

func TestSalesforceHasNoFastPath(t *testing.T) {
	x := newWorld(t)
	from, _, ever := x.TrueEffect("salesforce", "a")
	if ever {
		t.Fatalf("known from %v", from)
	}
	tick := x.force.NextTick()
	x.at = tick
	if from, _, _ := x.TrueEffect("salesforce", "a"); !from.Equal(tick) {
		t.Errorf("known from %v, the cycle is at %v", from, tick)
	}
	if a, b := x.row("a"), x.row("b"); !strings.Contains(a, `"totalSize":1`) || !strings.Contains(b, `"totalSize":0`) {
		t.Errorf("%s %s", a, b)
	}
	x.Turn(func(d *Dials) { d.NoPermission = true })
	if a := x.row("a"); !strings.Contains(a, `"totalSize":0`) {
		t.Errorf("without the permission: %s", a)
	}
	if code, body := x.get(rows + "nonsense"); code != 400 || !strings.Contains(body, "MALFORMED") {
		t.Errorf("%d %s", code, body)
	}
}
