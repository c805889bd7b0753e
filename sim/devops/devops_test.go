package devops

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

type span struct{ from, to time.Time }

func (s span) has(t time.Time) bool {
	return !t.Before(s.from) && (s.to.IsZero() || t.Before(s.to))
}

// stays is a directory of spans of membership, by group and person.
type stays map[string][]span

func (d stays) Member(group, oid string, at time.Time) bool {
	for _, s := range d[group+"/"+oid] {
		if s.has(at) {
			return true
		}
	}
	return false
}

const (
	tenantID = "11111111-1111-4111-8111-111111111111"
	reader   = "22222222-2222-4222-8222-222222222222"
	alice    = "33333333-3333-4333-8333-333333333333" // the requester
	bob      = "44444444-4444-4444-8444-444444444444" // never signed in
	root     = "55555555-5555-4555-8555-555555555555" // administrator directly
	upn      = "requester@contoso.example"
	group    = "pag"
)

type world struct {
	*World
	t   *testing.T
	at  time.Time
	dir stays
	o   *Organization
}

func newWorld(t *testing.T, change func(*Org)) *world {
	x := &world{t: t, at: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC), dir: stays{}}
	org := Org{Name: "contoso", Groups: []string{group, "other"}, Phase: 20 * time.Minute, Readers: []string{reader}, Users: []User{
		{OID: alice, UPN: upn, Name: "Requester", Standing: true, SignedIn: true},
		{OID: bob, UPN: "new@contoso.example", Name: "New", Standing: true},
		{OID: root, UPN: "devops-admin@contoso.example", Name: "Root", Standing: true, SignedIn: true, Administrator: true}}}
	if change != nil {
		change(&org)
	}
	d := Usual()
	d.Budget = 0
	w, err := New(Config{Seed: 1, Now: func() time.Time { return x.at }, Tenant: tenantID, Directory: x.dir, Orgs: []Org{org}, Dials: &d,
		Verify: func(token string) (Caller, error) {
			if oid, ok := strings.CutPrefix(token, "for:"); ok {
				oid, scope, scoped := strings.Cut(oid, " ")
				by := Caller{OID: oid}
				if scoped {
					by.Scopes = []string{scope}
				}
				return by, nil
			}
			return Caller{}, errors.New("bad token")
		}})
	if err != nil {
		t.Fatal(err)
	}
	x.World, x.o = w, w.Org("contoso")
	return x
}

func (x *world) join(after, until time.Duration) {
	s := span{from: x.at.Add(after)}
	if until > 0 {
		s.to = x.at.Add(until)
	}
	x.dir[group+"/"+alice] = append(x.dir[group+"/"+alice], s)
}

func (x *world) pass(d time.Duration) { x.at = x.at.Add(d) }

func (x *world) call(as, method, path, body string, kind ...string) *httptest.ResponseRecorder {
	x.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if as != "" {
		r.Header.Set("Authorization", "Bearer for:"+as)
	}
	r.Header.Set("Content-Type", strings.Join(append(kind, "application/json")[:1], ""))
	rec := httptest.NewRecorder()
	x.Handler().ServeHTTP(rec, r)
	described(x.t, r, rec)
	return rec
}

const (
	vssps   = "https://vssps.dev.azure.com/contoso/_apis/"
	dev     = "https://dev.azure.com/contoso/_apis/"
	version = "api-version=7.2-preview.1"
)

type identity struct {
	ID, Descriptor, SubjectDescriptor, ProviderDisplayName string
	MemberOf                                               []string
	Properties                                             map[string]map[string]string
}

func (x *world) identities(query ...string) (all []identity) {
	x.t.Helper()
	v := url.Values{"api-version": {"7.2-preview.1"}}
	for i := 0; i < len(query); i += 2 {
		v.Set(query[i], query[i+1])
	}
	rec := x.call(reader, "GET", vssps+"identities?"+v.Encode(), "")
	var out struct {
		Count int
		Value []identity
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &out); err != nil || rec.Code != 200 || out.Count != len(out.Value) {
		x.t.Fatalf("%d %s %v", rec.Code, rec.Body, err)
	}
	return out.Value
}

func (x *world) requester() identity {
	x.t.Helper()
	all := x.identities("searchFilter", "General", "filterValue", upn, "queryMembership", "ExpandedUp")
	if len(all) != 1 {
		x.t.Fatalf("found %v", all)
	}
	return all[0]
}

// allowed is the effective bits of the requester (call 4); -1 without an entry.
func (x *world) allowed() int {
	x.t.Helper()
	d := x.o.descriptor(x.o.Users[0])
	rec := x.call(reader, "GET", dev+"accesscontrollists/"+Collection+"?"+version+"&token=NAMESPACE:&includeExtendedInfo=true&descriptors="+url.QueryEscape(d), "")
	var out struct {
		Value []struct {
			Token          string
			AcesDictionary map[string]struct{ ExtendedInfo struct{ EffectiveAllow int } }
		}
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &out); err != nil || rec.Code != 200 || len(out.Value) != 1 || out.Value[0].Token != Token {
		x.t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	e, ok := out.Value[0].AcesDictionary[d]
	if !ok {
		return -1
	}
	return e.ExtendedInfo.EffectiveAllow
}

func (x *world) inside() bool {
	me, pca := x.requester(), x.identities("searchFilter", "LocalGroupName", "filterValue", "Project Collection Administrators")[0]
	rec := x.call(reader, "GET", vssps+"identities/"+me.ID+"/membersof/"+pca.ID+"?queryMembership=expanded&api-version=7.1-preview.2", "")
	return rec.Code == 200 && rec.Body.String() == fmt.Sprintf("%q", pca.Descriptor)
}

func (x *world) own(as string) bool {
	x.t.Helper()
	rec := x.call(as, "POST", dev+"security/permissionevaluationbatch?"+version,
		`{"alwaysAllowAdministrators":false,"evaluations":[{"securityNamespaceId":"`+Collection+`","token":"NAMESPACE:","permissions":2}]}`)
	if rec.Code != 200 {
		x.t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	return strings.Contains(rec.Body.String(), `"value":true`)
}

// Every call sees the membership at the tick, and no earlier or later.
func TestHourlyTick(t *testing.T) {
	x := newWorld(t, nil)
	x.join(time.Second, 2*time.Hour)
	check := func(want bool) {
		t.Helper()
		bits := map[bool]int{true: 31}[want]
		if got := x.allowed(); got != bits {
			t.Errorf("%s: bits %d", x.at, got)
		}
		if x.inside() != want || (len(x.requester().MemberOf) == 1) != want || x.own(alice) != want || x.o.Knows(alice, x.at) != want {
			t.Errorf("%s: the calls disagree about %v", x.at, want)
		}
	}
	check(false)
	x.pass(20*time.Minute - time.Nanosecond)
	check(false)
	x.pass(time.Nanosecond)
	check(true)
	x.pass(2 * time.Hour) // the membership ended at 11:00, the tick is at 11:20
	x.pass(-time.Nanosecond)
	check(true)
	x.pass(time.Nanosecond)
	check(false)
	from, to, ever := x.o.TrueEffect(alice)
	if !ever || !from.Equal(x.at.Add(-2*time.Hour)) || !to.Equal(x.at) {
		t.Errorf("oracle: %v %v %v", from, to, ever)
	}
	if !x.o.NextTick().Equal(x.at.Add(time.Hour)) {
		t.Errorf("next tick %v", x.o.NextTick())
	}
}

func TestNeverSeenBetweenTicks(t *testing.T) {
	x := newWorld(t, nil)
	x.join(time.Minute, 10*time.Minute)
	x.pass(5 * time.Hour)
	if _, _, ever := x.o.TrueEffect(alice); ever || x.allowed() != 0 {
		t.Error("saw what came and went between two ticks")
	}
}

func TestPhaseIsTheSeeds(t *testing.T) {
	phases := map[time.Time]bool{}
	for seed := range uint64(5) {
		w, err := New(Config{Seed: seed, Now: func() time.Time { return time.Unix(0, 0) }, Directory: stays{}, Verify: func(string) (Caller, error) { return Caller{}, nil },
			Orgs: []Org{{Name: "a"}, {Name: "b"}}})
		if err != nil {
			t.Fatal(err)
		}
		phases[w.Org("a").NextTick()] = true
		if w.Org("a").NextTick().Equal(w.Org("b").NextTick()) {
			t.Error("both organizations tick together")
		}
	}
	if len(phases) < 4 {
		t.Errorf("five seeds, %d phases", len(phases))
	}
	if _, err := New(Config{Directory: stays{}, Verify: func(string) (Caller, error) { return Caller{}, nil }, Orgs: []Org{{Name: "a"}, {Name: "A"}}}); err == nil {
		t.Error("two organizations of one name")
	}
}

func TestDelays(t *testing.T) {
	delays := func(o *Org) {
		o.Grant, o.Revoke = Delay{Min: 3 * time.Minute, Max: 3 * time.Minute}, Delay{Min: 7 * time.Minute, Max: 9 * time.Minute}
	}
	x := newWorld(t, delays)
	start := x.at
	x.join(time.Minute, 30*time.Minute)
	x.pass(4*time.Minute - time.Second)
	if x.allowed() != 0 {
		t.Error("too early")
	}
	x.pass(time.Second)
	if x.allowed() != 31 {
		t.Error("too late")
	}
	x.pass(time.Hour)
	from, to, _ := x.o.TrueEffect(alice)
	if late := to.Sub(start) - 30*time.Minute; !from.Equal(start.Add(4*time.Minute)) || late < 7*time.Minute || late > 9*time.Minute || x.allowed() != 0 {
		t.Errorf("known from %v to %v", from, to)
	}
	// Ended before it arrived: never seen.
	y := newWorld(t, delays)
	y.join(time.Minute, 2*time.Minute)
	y.pass(time.Hour)
	if _, _, ever := y.o.TrueEffect(alice); ever {
		t.Error("saw what ended before it arrived")
	}
	// Back before being forgotten: never gone.
	z := newWorld(t, delays)
	z.join(time.Second, 10*time.Minute)
	z.join(12*time.Minute, 0)
	z.pass(time.Hour)
	if from, to, _ := z.o.TrueEffect(alice); !to.IsZero() || !from.Equal(z.at.Add(time.Second-57*time.Minute)) {
		t.Errorf("known from %v to %v", from, to)
	}
}

func TestSignInReevaluates(t *testing.T) {
	for name, change := range map[string]func(*Org){"ticks": nil, "delays": func(o *Org) { o.Grant = Delay{Min: 30 * time.Minute, Max: 30 * time.Minute} }} {
		x := newWorld(t, change)
		x.join(time.Second, 0)
		x.pass(time.Minute)
		if x.allowed() != 0 {
			t.Errorf("%s: known at once", name)
		}
		if err := x.o.SignIn(alice); err != nil || x.allowed() != 31 {
			t.Errorf("%s: not known after the sign-in: %v", name, err)
		}
	}
	y := newWorld(t, func(o *Org) { o.Users[0].Standing = false })
	if y.o.SignIn(alice) == nil {
		t.Error("signed in without ordinary access")
	}
}

func TestKnownOnlyAfterFirstSignIn(t *testing.T) {
	x := newWorld(t, nil)
	find := func() int {
		return len(x.identities("searchFilter", "General", "filterValue", "new@contoso.example"))
	}
	if find() != 0 {
		t.Error("found a person who was never here")
	}
	if err := x.o.SignIn(bob); err != nil || find() != 1 {
		t.Errorf("not found after the sign-in: %v", err)
	}
}

func TestStandingAccess(t *testing.T) {
	x := newWorld(t, nil)
	if !x.o.Knows(root, x.at) || !x.own(root) {
		t.Error("a direct administrator is none")
	}
	y := newWorld(t, nil)
	y.dir["other/"+alice] = []span{{from: y.at.Add(-time.Hour)}}
	if y.allowed() != 31 {
		t.Error("what the directory said before was not known")
	}
	if from, to, ever := y.o.TrueEffect(alice); !ever || !from.IsZero() || !to.IsZero() {
		t.Errorf("known since ever: %v %v", from, to)
	}
}
