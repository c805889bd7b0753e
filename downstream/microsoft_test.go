package downstream_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"pagbot/activation"
	"pagbot/downstream"
	"pagbot/downstream/probetest"
	"pagbot/sim/azure"
	"pagbot/sim/defender"
	"pagbot/sim/entra"
	"pagbot/sim/intune"
	"pagbot/sim/target"
)

// tenant is Entra with one role-assignable group, and whatever stands beside
// it: all of it behind one front.
type tenant struct {
	*entra.World
	front *probetest.Front
	app   entra.App
	beside

	mu     sync.Mutex
	kept   string // a token of the reader …
	issued time.Time
}

// beside are further services, by the beginning of their paths.
type beside map[string]http.Handler

func newTenant(t *testing.T) *tenant {
	w := &tenant{World: entra.New(entra.Config{Seed: 1, Tenant: probetest.Tenant}), beside: beside{}}
	w.AddGroup(entra.Group{ID: pagID, Name: "admins", RoleAssignable: true})
	for _, p := range []activation.Person{probetest.Requester, probetest.Colleague} {
		w.AddUser(entra.User{ID: p.Object, UPN: p.Name})
	}
	w.app = w.AddApp(entra.App{Name: "reader", Secret: "made up", Roles: []string{"GroupMember.Read.All", "RoleManagement.Read.Directory"}})
	graph, authority := w.Graph(), w.Authority()
	w.front = &probetest.Front{Aside: "login.test", Handler: http.HandlerFunc(func(rw http.ResponseWriter, q *http.Request) {
		if q.Host == "login.test" {
			authority.ServeHTTP(rw, q)
			return
		}
		for path, h := range w.beside {
			if strings.HasPrefix(q.URL.Path, path) {
				h.ServeHTTP(rw, q)
				return
			}
		}
		graph.ServeHTTP(rw, q)
	})}
	return w
}

// directory reads Entra over the wire, as the reader.
func (w *tenant) directory() *lister {
	return &lister{http: w.front.Client(), tenant: w.Tenant(), app: w.app.ID, secret: w.app.Secret}
}

// token is one of the reader, for Graph: kept for a while, as credentials do.
func (w *tenant) token(ctx context.Context) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.kept != "" && time.Since(w.issued) < 30*time.Minute {
		return w.kept, nil
	}
	var grant struct {
		Token string `json:"access_token"`
	}
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {w.app.ID}, "client_secret": {w.app.Secret}, "scope": {"https://graph.microsoft.com/.default"}}
	err := w.directory().call(ctx, http.MethodPost, "http://login.test/"+w.Tenant()+"/oauth2/v2.0/token", form, &grant)
	w.kept, w.issued = grant.Token, time.Now()
	return grant.Token, err
}

// assign gives a directory role, and returns the assignment's id.
func (w *tenant) assign(t *testing.T, role, principal string) string {
	t.Helper()
	if err := w.AssignRole(role, principal, time.Time{}); err != nil {
		t.Fatal(err)
	}
	bearer, err := w.token(t.Context())
	must(t, bearer, err)
	l := w.directory()
	l.bearer = bearer
	var page struct {
		Value []struct {
			ID string `json:"id"`
		} `json:"value"`
	}
	q := url.Values{"$filter": {"principalId eq '" + principal + "' and roleDefinitionId eq '" + role + "'"}}
	err = l.call(t.Context(), http.MethodGet, "http://graph.test/v1.0/roleManagement/directory/roleAssignments?"+q.Encode(), nil, &page)
	if must(t, page, err); len(page.Value) != 1 {
		t.Fatalf("%+v", page)
	}
	return page.Value[0].ID
}

func (w *tenant) give(p activation.Person, has bool) {
	change := w.RemoveTie
	if has {
		change = w.AddTie
	}
	_ = change(pagID, "member", p.Object) // it may be so already
	settle()
}

func must[T any](t *testing.T, v T, err error) T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// client is how probes reach a front.
func client(f *probetest.Front) downstream.Client { return downstream.Client{HTTP: f.Client()} }

// forPerson is a token of a person, as the authority would make it; forApp one
// of the application.
func forPerson(p activation.Person, issued time.Time, scopes string) string {
	claims := fmt.Sprintf(`{"idtyp":"user","oid":%q,"scp":%q,"iat":%d}`, p.Object, scopes, issued.UnixNano())
	return "e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".sig"
}

// door opens a simulator for persons and for the application.
func door(bearer string) (target.Caller, error) {
	if c, err := verify(bearer); err == nil {
		return c, nil
	}
	parts := strings.Split(bearer, ".")
	if len(parts) != 3 {
		return target.Caller{}, errors.New("not a token")
	}
	b, _ := base64.RawURLEncoding.DecodeString(parts[1])
	var kind, oid, scp string
	var iat int64
	text := strings.NewReplacer(`{"idtyp":`, "", `"oid":`, "", `"scp":`, "", `"iat":`, "", "}", "", ",", " ").Replace(string(b))
	if _, err := fmt.Sscanf(text, "%q %q %q %d", &kind, &oid, &scp, &iat); err != nil {
		return target.Caller{}, err
	}
	return target.Caller{OID: oid, Issued: time.Unix(0, iat)}, nil
}

// sessions gives every person a token of this moment.
type sessions struct{ scopes string }

func (s sessions) Token(_ context.Context, p activation.Person, _ string, _ time.Time) (string, time.Time, error) {
	now := time.Now()
	return forPerson(p, now, s.scopes), now, nil
}

// followsSoon is a copy that follows Entra within a moment.
var followsSoon = &target.Follow{Grant: soon, Revoke: soon}

const (
	roleID    = "62e90394-69f5-4237-9190-012177145e10"
	sawID     = "eeeeeeee-0000-4000-8000-000000000001"
	defaultID = "eeeeeeee-0000-4000-8000-000000000002"
	scope     = "/subscriptions/ffffffff-0000-4000-8000-000000000001/resourceGroups/rg1"
	startVM   = "Microsoft.Compute/virtualMachines/start/action"
)

func TestMicrosoftProbes(t *testing.T) {
	for _, s := range []probetest.Suite{
		{Name: "directory role", Level: activation.L0, Unknown: activation.No, New: rolesWorld},
		{Name: "azure as assigned", Level: activation.L0, Unknown: activation.No, New: func(t *testing.T) probetest.World { return azureWorld(t, downstream.AzureAssigned) }},
		{Name: "azure by checkaccess", Level: activation.L2, Unknown: activation.No, New: func(t *testing.T) probetest.World { return azureWorld(t, downstream.AzureCheck) }},
		{Name: "azure by its policy engine", Level: activation.L2, Unknown: activation.No, New: func(t *testing.T) probetest.World { return azureWorld(t, downstream.AzurePDP) }},
		{Name: "intune as configured", Level: activation.L0, Unknown: activation.No, New: intuneConfigured},
		{Name: "intune as the person", Level: activation.L3, Unknown: activation.No, New: func(t *testing.T) probetest.World { return intuneAsPerson(t, false) }},
		{Name: "intune by what the person sees", Level: activation.L3, Unknown: activation.No, New: func(t *testing.T) probetest.World { return intuneAsPerson(t, true) }},
		{Name: "defender as configured", Level: activation.L0, Unknown: activation.No, New: defenderConfigured},
		{Name: "defender as the person", Level: activation.L3, Unknown: activation.No, New: defenderAsPerson,
			Spare: map[string]string{"403": "it is how Defender says that a person has no role"}},
	} {
		probetest.Run(t, s)
	}
}

func rolesWorld(t *testing.T) probetest.World {
	w := newTenant(t)
	w.AddRole(entra.Role{ID: roleID, Name: "Reader"})
	grants := w.assign(t, roleID, pagID)
	return probetest.World{Front: w.front, Grants: grants, Give: w.give, Secrets: []string{w.app.Secret}, Probe: func() downstream.Probe {
		p, err := downstream.NewRoles(downstream.RolesConfig{Group: pagID, Role: roleID, Base: "http://graph.test", Token: w.token, Client: client(w.front)})
		return must(t, p, err)
	}}
}

func newAzure(t *testing.T) (*azure.World, *probetest.Roll, *probetest.Front) {
	roll := &probetest.Roll{}
	w, err := azure.New(azure.Config{Seed: 1, Directory: roll, Verify: door, Assignments: []azure.Assignment{
		{Principal: pagID, Role: roleID, Scope: scope, Actions: []string{"Microsoft.Compute/*"}, Follow: followsSoon}}})
	if err != nil {
		t.Fatal(err)
	}
	w.Turn(func(d *azure.Dials) { d.CachedYes, d.CachedNo = 0, 0 })
	return w, roll, &probetest.Front{Handler: w.Handler()}
}

func azureWorld(t *testing.T, ask string) probetest.World {
	w, roll, front := newAzure(t)
	c := downstream.AzureConfig{Group: pagID, Scope: scope, Role: roleID, Ask: ask, Base: "http://arm.test", Token: token, Client: client(front), Expands: true}
	if ask != downstream.AzureAssigned {
		c.Action = startVM
	}
	if ask == downstream.AzurePDP {
		c.Base = "http://westus2.authorization.test"
	}
	return probetest.World{Front: front, Grants: w.Assignment(0).ID, Give: giver(roll), Secrets: []string{bearer},
		Read: func(q probetest.Request) bool { return q.Method == "GET" || strings.HasSuffix(q.Path, "/checkaccess") },
		Probe: func() downstream.Probe {
			p, err := downstream.NewAzure(c)
			return must(t, p, err)
		}}
}

func newIntune(t *testing.T, dir target.Directory) *intune.World {
	tag := intune.Tag{ID: "1", Name: "SAW"}
	w, err := intune.New(intune.Config{Seed: 1, Directory: dir, Verify: door, Assignments: []intune.Assignment{
		{ID: sawID, Name: "Help desk, SAW", Role: roleID, RoleName: "Help Desk Operator", Groups: []string{pagID}, Tags: []intune.Tag{tag}, Follow: followsSoon},
		{ID: defaultID, Name: "Help desk, Default", Role: roleID, RoleName: "Help Desk Operator", Groups: []string{otherID}, Tags: []intune.Tag{{ID: "0", Name: "Default"}}, Follow: followsSoon},
	}, Policies: []intune.Policy{{ID: "p1", Name: "SAW", Tags: []string{"1"}}, {ID: "p2", Name: "All", Tags: []string{"0"}}}})
	return must(t, w, err)
}

const otherID = "cccccccc-0000-4000-8000-000000000002"

func intuneConfigured(t *testing.T) probetest.World {
	w := newTenant(t)
	w.beside["/beta/deviceManagement/"] = newIntune(t, w.World).Handler()
	return probetest.World{Front: w.front, Grants: sawID, Give: w.give, Secrets: []string{w.app.Secret, bearer}, Probe: func() downstream.Probe {
		p, err := downstream.NewIntune(downstream.IntuneConfig{Group: pagID, Assignment: sawID, ScopeTags: []string{"SAW"}, Base: "http://graph.test", Token: token,
			Directory: w.directory(), Client: client(w.front)})
		return must(t, p, err)
	}}
}

func intuneAsPerson(t *testing.T, byScope bool) probetest.World {
	roll := &probetest.Roll{}
	w := newIntune(t, roll)
	w.Turn(func(d *intune.Dials) { d.NewShape = byScope })
	front := &probetest.Front{Handler: w.Handler()}
	return probetest.World{Front: front, Grants: sawID, Give: giver(roll), Secrets: []string{bearer}, Probe: func() downstream.Probe {
		p, err := downstream.NewIntuneAsPerson(downstream.IntuneConfig{Group: pagID, Assignment: sawID, Base: "http://graph.test", Token: token,
			Directory: &lister{}, Client: client(front), ProofScope: downstream.IntuneProofScope}, sessions{})
		return must(t, p, err)
	}}
}

func newDefender(t *testing.T, dir target.Directory) *defender.World {
	w, err := defender.New(defender.Config{Seed: 1, Directory: dir, Verify: door,
		Roles:   []defender.Role{{ID: sawID, Name: "Servers", Definition: roleID, Groups: []string{pagID}, DeviceGroups: []string{"Servers"}, Follow: followsSoon}},
		Devices: []defender.Device{{ID: "m1", Name: "srv1", Group: "Servers"}, {ID: "m2", Name: "pc1", Group: "Clients"}}})
	return must(t, w, err)
}

func defenderConfigured(t *testing.T) probetest.World {
	w := newTenant(t)
	w.beside["/beta/roleManagement/defender/"] = newDefender(t, w.World).Handler()
	return probetest.World{Front: w.front, Grants: sawID, Give: w.give, Secrets: []string{w.app.Secret, bearer}, Probe: func() downstream.Probe {
		p, err := downstream.NewDefender(downstream.DefenderConfig{Group: pagID, Graph: "http://graph.test", Token: token, Directory: w.directory(), Client: client(w.front)})
		return must(t, p, err)
	}}
}

func defenderAsPerson(t *testing.T) probetest.World {
	roll := &probetest.Roll{}
	front := &probetest.Front{Handler: newDefender(t, roll).Handler()}
	return probetest.World{Front: front, Grants: "Servers", Give: giver(roll), Probe: func() downstream.Probe {
		p, err := downstream.NewDefenderAsPerson(downstream.DefenderConfig{DeviceGroups: []string{"Servers"}, Base: "http://defender.test", Devices: token,
			Client: client(front)}, sessions{"Machine.Read"})
		return must(t, p, err)
	}}
}
