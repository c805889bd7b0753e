package scim

import (
	"encoding/json"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"pagbot/sim/target"
)

// roll is a directory in which a person is a member from a time on.
type roll map[string]time.Time

func (r roll) Member(group, oid string, at time.Time) bool {
	from, ok := r[group+"/"+oid]
	return ok && !at.Before(from)
}

type world struct {
	*World
	t   *testing.T
	at  time.Time
	dir roll
}

func newWorld(t *testing.T) *world {
	x := &world{t: t, at: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC), dir: roll{}}
	x.dir["pag/a"] = x.at
	d := Usual()
	d.Budget = 0
	w, err := New(Config{Seed: 1, Now: func() time.Time { return x.at }, Directory: x.dir, Token: "the token", Dials: &d,
		Follow: &target.Follow{Tick: 40 * time.Minute, Phase: 10 * time.Minute, Push: target.Provisioning().Push},
		Groups: []Group{{"db-admins", "pag"}, {"others", "other"}},
		Users:  []User{{"a", "a@contoso.example", true}, {"b", "b@contoso.example", true}, {"c", "c@contoso.example", false}}})
	if err != nil {
		t.Fatal(err)
	}
	x.World = w
	return x
}

type answer struct {
	ID, UserName, ExternalID, ScimType, Detail string
	TotalResults, ItemsPerPage                 int
	Members, Groups                            *[]struct{ Value string }
	Resources                                  []answer
}

func (x *world) call(method, path, body string) (int, answer) {
	x.t.Helper()
	r := httptest.NewRequest(method, "https://app.test/scim/v2"+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer the token")
	rec := httptest.NewRecorder()
	x.Handler().ServeHTTP(rec, r)
	var a answer
	if err := json.Unmarshal(rec.Body.Bytes(), &a); err != nil || !strings.HasPrefix(rec.Header().Get("Content-Type"), "application/scim+json") {
		x.t.Fatalf("%s: %d %s", path, rec.Code, rec.Body)
	}
	return rec.Code, a
}

func (x *world) find(kind, filter string, more ...string) answer {
	x.t.Helper()
	code, a := x.call("GET", "/"+kind+"?filter="+url.QueryEscape(filter)+strings.Join(more, ""), "")
	if code != 200 {
		x.t.Fatalf("%s: %d", filter, code)
	}
	return a
}

func TestFiltersAndAttributes(t *testing.T) {
	x := newWorld(t)
	u := x.find("Users", `userName eq "A@contoso.example"`).Resources[0]
	g := x.find("Groups", `displayName eq "db-admins"`).Resources[0]
	if u.ExternalID != "a" || len(*u.Groups) != 1 || (*u.Groups)[0].Value != g.ID || len(*g.Members) != 1 || (*g.Members)[0].Value != u.ID {
		t.Errorf("%+v %+v", u, g)
	}
	if n := x.find("Groups", `id eq "`+g.ID+`" and members eq "`+u.ID+`"`).TotalResults; n != 1 {
		t.Errorf("by member: %d", n)
	}
	if n := x.find("Groups", `id eq "`+g.ID+`" and members eq "nobody"`).TotalResults; n != 0 {
		t.Errorf("by nobody: %d", n)
	}
	if r := x.find("Groups", `displayName eq "db-admins"`, "&excludedAttributes=members").Resources[0]; r.Members != nil || r.ID == "" {
		t.Errorf("%+v", r)
	}
	if r := x.find("Groups", `displayName eq "db-admins"`, "&attributes=members.value").Resources[0]; r.Members == nil || r.ID == "" {
		t.Errorf("%+v", r)
	}
	for path, want := range map[string]int{"/Groups/" + g.ID: 200, "/Users/" + u.ID: 200, "/Groups/none": 404, "/Users/none": 404, "/Things": 404,
		"/Users?filter=userName+sw+%22a%22": 400, "/ServiceProviderConfig": 200} {
		if code, a := x.call("GET", path, ""); code != want || code >= 400 && a.Detail == "" {
			t.Errorf("%s: %d %+v", path, code, a)
		}
	}
}

func TestPages(t *testing.T) {
	x := newWorld(t)
	x.Turn(func(d *Dials) { d.Page = 1 })
	seen := map[string]bool{}
	for i := range 2 {
		a := x.find("Users", "", "&count=10&startIndex="+string(rune('1'+i)))
		if a.TotalResults != 2 || a.ItemsPerPage != 1 {
			t.Fatalf("%+v", a)
		}
		seen[a.Resources[0].ID] = true
	}
	if len(seen) != 2 {
		t.Error("two pages of the same")
	}
}

func TestWritesAndTokens(t *testing.T) {
	x := newWorld(t)
	if code, a := x.call("POST", "/Users", `{"userName":"a@contoso.example"}`); code != 409 || a.ScimType != "uniqueness" {
		t.Errorf("%d %+v", code, a)
	}
	for _, c := range [][2]string{{"POST", "/Groups"}, {"PATCH", "/Groups/1"}, {"DELETE", "/Users/1"}} {
		if code, _ := x.call(c[0], c[1], "{}"); code != 403 {
			t.Errorf("%v: %d", c, code)
		}
	}
	rec := httptest.NewRecorder()
	x.Handler().ServeHTTP(rec, httptest.NewRequest("GET", "/Users", nil))
	if rec.Code != 401 {
		t.Errorf("without a token: %d", rec.Code)
	}
	x.Turn(func(d *Dials) { d.Budget = 1 })
	x.call("GET", "/Users", "")
	if code, _ := x.call("GET", "/Users", ""); code != 429 {
		t.Errorf("over the budget: %d", code)
	}
}

// Nobody is there before they were provisioned; the first access does it.
func TestFirstAccessWritesTheUser(t *testing.T) {
	x := newWorld(t)
	find := func() int { return x.find("Users", `externalId eq "c"`).TotalResults }
	x.dir["pag/c"] = x.at.Add(time.Second)
	if find() != 0 {
		t.Error("there before anything was provisioned")
	}
	x.at = x.at.Add(11 * time.Minute)
	if find() != 1 || !x.Knows("db-admins", "c", x.at) {
		t.Error("not written with the first access")
	}
	x.dir["pag/c"] = x.at.Add(time.Hour)
	x.at = x.NextTick()
	if find() != 1 || x.Knows("db-admins", "c", x.at) {
		t.Error("the account went with the access")
	}
}

// By dial, an account goes with its last access; not one of a base group.
func TestLastAccessDeletesTheUser(t *testing.T) {
	x := newWorld(t)
	x.Turn(func(d *Dials) { d.Deprovisions = true })
	find := func(who string) int { return x.find("Users", `externalId eq "`+who+`"`).TotalResults }
	x.dir["pag/c"], x.dir["pag/b"] = x.at.Add(time.Second), x.at.Add(time.Second)
	x.at = x.at.Add(11 * time.Minute)
	if find("c") != 1 {
		t.Fatal("not written with the first access")
	}
	delete(x.dir, "pag/c")
	delete(x.dir, "pag/b")
	x.at = x.NextTick()
	if find("c") != 0 || find("b") != 1 {
		t.Errorf("%d and %d accounts after the end", find("c"), find("b"))
	}
}

func TestLies(t *testing.T) {
	x := newWorld(t)
	x.dir["pag/b"] = x.at.Add(time.Second)
	x.at = x.at.Add(time.Hour)
	g := x.find("Groups", `displayName eq "db-admins"`).Resources[0].ID
	group := func() answer { _, a := x.call("GET", "/Groups/"+g, ""); return a }
	user := func() answer { return x.find("Users", `externalId eq "c"`) }
	if len(*group().Members) != 2 {
		t.Fatal("both are members")
	}
	x.Turn(func(d *Dials) { d.Members = Omit })
	if group().Members != nil {
		t.Error("omit shows members")
	}
	x.Turn(func(d *Dials) { d.Members = Empty })
	if m := group().Members; m == nil || len(*m) != 0 {
		t.Error("empty is not empty")
	}
	x.Turn(func(d *Dials) { d.OmitEmpty = true })
	if group().Members != nil {
		t.Error("an empty list is shown")
	}
	x.Turn(func(d *Dials) { d.Members, d.Most = Cut, 1 })
	if len(*group().Members) != 1 {
		t.Error("not cut")
	}
	x.Turn(func(d *Dials) { d.Filters = Ignored })
	if x.find("Groups", `id eq "`+g+`" and members eq "nobody"`).TotalResults != 1 {
		t.Error("the filter is heeded")
	}
	x.Turn(func(d *Dials) { d.Filters = Refused })
	if code, a := x.call("GET", "/Groups?filter="+url.QueryEscape(`members eq "nobody"`), ""); code != 400 || a.ScimType != "invalidFilter" {
		t.Errorf("%d %+v", code, a)
	}
	x.Turn(func(d *Dials) { d.NoExternalID, d.NoGroups = true, true })
	if user().TotalResults != 0 || x.find("Users", `userName eq "a@contoso.example"`).Resources[0].Groups != nil {
		t.Error("the object id is shown, or the user's groups")
	}
	x.Turn(func(d *Dials) { *d = Usual(); d.Apply = 2 * time.Hour })
	if len(*group().Members) != 1 {
		t.Error("applied at once")
	}
}

func TestManage(t *testing.T) {
	x := newWorld(t)
	x.dir["other/a"] = x.at.Add(time.Second)
	x.at = x.at.Add(time.Minute)
	for _, c := range [][3]string{{"GET", "/oracle/others/a", `"knows":false`}, {"POST", "/reevaluate/others/a", "{}"}, {"GET", "/oracle/others/a", `"knows":true`}, {"GET", "/oracle/none/a", "error"}} {
		rec := httptest.NewRecorder()
		x.Manage().ServeHTTP(rec, httptest.NewRequest(c[0], c[1], nil))
		if !strings.Contains(rec.Body.String(), c[2]) {
			t.Errorf("%v: %s", c, rec.Body)
		}
	}
	if from, _, ever := x.TrueEffect("others", "a"); !ever || !from.Equal(x.at) {
		t.Errorf("known from %v", from)
	}
}
