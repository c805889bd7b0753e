package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pagbot/activation"
	"pagbot/downstream"
	"pagbot/engine"
	"pagbot/sim/azure"
	"pagbot/sim/defender"
	"pagbot/sim/entra"
	"pagbot/sim/intune"
	"pagbot/sim/target"
)

// hosts answers for several names, without a network.
type hosts map[string]http.Handler

func (h hosts) RoundTrip(r *http.Request) (*http.Response, error) {
	handler := h[r.URL.Host]
	if handler == nil {
		return nil, fmt.Errorf("no host %s", r.URL.Host)
	}
	in := r.Clone(r.Context())
	in.RequestURI, in.Host, in.TLS = r.URL.RequestURI(), r.URL.Host, &tls.ConnectionState{}
	if in.Body == nil {
		in.Body = http.NoBody
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, in)
	a := w.Result()
	a.Request = r
	return a, nil
}

const (
	armAudience      = "https://management.azure.com"
	defenderAudience = "https://api.securitycenter.microsoft.com"
	msRole           = "5d6b6bb7-de71-4623-b4af-96380a352509"
	msScope          = "/subscriptions/0b1f6471-1bf0-4dda-aec3-cb9272f09590"
)

// microsoftWorld is a tenant with all Microsoft targets, and an app configured
// for them.
type microsoftWorld struct {
	*App
	entra *entra.World
	group entra.Group
	user  entra.User
}

// assign gives the group a directory role.
func (m *microsoftWorld) assign(t *testing.T, role string) {
	t.Helper()
	m.entra.AddRole(entra.Role{ID: role, Name: role})
	if err := m.entra.AssignRole(role, m.group.ID, time.Time{}); err != nil {
		t.Fatal(err)
	}
}

func newMicrosoftWorld(t *testing.T) *microsoftWorld {
	w := entra.New(entra.Config{Seed: 1, Tenant: "6f0c9b1e-0d5e-4c3a-9a57-3f1d5f1f7a10", Extra: map[string]string{"https://graph.test": entra.GraphAudience, armAudience: armAudience, defenderAudience: defenderAudience}})
	m := &microsoftWorld{entra: w, group: w.AddGroup(entra.Group{ID: "2b5ed229-4072-478d-9504-a047ebd4b07d", Name: "admins", RoleAssignable: true}), user: w.AddUser(entra.User{UPN: "requester@contoso.example"})}
	m.assign(t, msRole)
	reader := w.AddApp(entra.App{ID: "3c1a9a52-5a0c-4b7e-8a60-9a5d6f4d2e11", Secret: "made up", Roles: []string{"GroupMember.Read.All", "Group.Read.All", "User.Read.All", "RoleManagement.Read.Directory"}})
	// Each service takes tokens for itself only.
	open := func(audience string) func(string) (target.Caller, error) {
		return func(token string) (target.Caller, error) {
			c, err := w.Verify(token, audience)
			if err != nil {
				return target.Caller{}, err
			}
			oid, _ := c["oid"].(string)
			return target.Caller{OID: oid, App: c["idtyp"] == "app", Issued: time.Now()}, nil
		}
	}
	soon := &target.Follow{Grant: target.Delay{Max: time.Millisecond}, Revoke: target.Delay{Max: time.Millisecond}}
	groups := []string{m.group.ID}
	in, err1 := intune.New(intune.Config{Directory: w, Verify: open(entra.GraphAudience), Assignments: []intune.Assignment{{ID: "saw", Groups: groups, Follow: soon}}})
	de, err2 := defender.New(defender.Config{Directory: w, Verify: open(entra.GraphAudience), Roles: []defender.Role{{ID: "mde", Groups: groups, Follow: soon}}})
	az, err3 := azure.New(azure.Config{Directory: w, Verify: open(armAudience), Assignments: []azure.Assignment{{Principal: m.group.ID, Role: msRole, Scope: msScope, Actions: []string{"*"}, Follow: soon}}})
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	az.Turn(func(d *azure.Dials) { d.CachedYes, d.CachedNo = 0, 0 })
	cfg, err := parseConfig([]byte(strings.NewReplacer("custody: none", "custody: session", "[entra, devops]", "[role, rg, vm, saw, saw-me, mde, mde-me]").Replace(good) + `  - {id: role, kind: directory-role, directory-role: {role: ` + msRole + `}}
  - {id: rg, kind: azure, azure: {scope: ` + msScope + `}}
  - {id: vm, kind: azure, azure: {scope: ` + msScope + `, ask: check, action: A/b/read, expands_groups: true}}
  - {id: saw, kind: intune, intune: {assignment: saw}}
  - {id: saw-me, kind: intune, intune: {assignment: saw, as: person, scope_proof: true}}
  - {id: mde, kind: defender, defender: {}}
  - {id: mde-me, kind: defender, defender: {as: person}}
`))
	if err != nil {
		t.Fatal(err)
	}
	graph := http.NewServeMux()
	graph.Handle("/", w.Graph())
	graph.Handle("/beta/deviceManagement/", in.Handler())
	graph.Handle("/beta/roleManagement/defender/", de.Handler())
	m.App = &App{cfg: cfg, clock: engine.RealClock(), targets: map[string]downstream.Probe{}, secrets: secrets{reader: reader.Secret},
		http: &http.Client{Transport: hosts{"login.test": w.Authority(), "graph.test": graph, "management.azure.com": az.Handler()}}}
	for _, step := range []func() error{func() error { return m.openEntra(t.Context()) }, func() error { return m.openTargets(t.Context()) }} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// TestMicrosoftRules is what a Microsoft target can be wrong in.
func TestMicrosoftRules(t *testing.T) {
	for _, c := range []struct{ kind, section, want string }{
		{"directory-role", "role: Reader", "role \"Reader\" is not a template id"},
		{"azure", "role: x", `scope "" is not one of Azure`},
		{"azure", "scope: /subscriptions/x, ask: nicely", `ask "nicely" is not known`},
		{"azure", "scope: /subscriptions/x, ask: check", "name the action"},
		{"azure", "scope: /subscriptions/x, ask: pdp, action: A/b/read", "the policy engine's address"},
		{"intune", "as: application", "name Intune's role assignment"},
		{"intune", "assignment: x, as: robot", `as "robot" is not known`},
		{"intune", "assignment: x, as: person", "needs a signin section whose custody keeps sessions"}, // good keeps none
		{"intune", "assignment: x, scope_proof: true", "scope_proof asks as the person"},
		{"defender", "api: http://defender.example", "is not an https address"},
		{"defender", "device_groups: [Servers]", "device_groups are what the person must see"},
		{"defender", "assignment: x", "there is no setting called assignment in a target's defender section"},
	} {
		t.Run(c.want, func(t *testing.T) {
			refuses(t, good+"  - {id: ms, kind: "+c.kind+", "+c.kind+": {"+c.section+"}}\n", c.want, "\x00")
		})
	}
	refuses(t, replaced(t, "proof: fresh", "opens: [jira]"), `groups db-admins: opens "jira" is not known: choose from aks`, "\x00")
}

// TestMicrosoftTargets asks every kind as it is configured: with a token of its
// own resource, about its own group.
func TestMicrosoftTargets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newMicrosoftWorld(t)
		who := []activation.Person{{Tenant: w.entra.Tenant(), Object: w.user.ID, Name: w.user.UPN}}
		for _, s := range w.setups {
			if s.target == "devops" {
				continue
			}
			if err := s.ask(t.Context()); err != nil {
				t.Errorf("%s: %v", s.target, err)
			}
		}
		ask := func(in activation.Says) {
			t.Helper()
			for _, target := range w.reaches(w.cfg.Groups[0])[activation.Member] {
				got, _ := w.targets[target.ID].Check(t.Context(), who)
				a, id := got[0], strings.Split(target.ID, ":")[0]
				asPerson := strings.HasSuffix(id, "-me")
				switch {
				case asPerson && (a.Says != activation.CantTell || !strings.Contains(a.Why, "/pag signin") || target.Level != activation.L3):
					t.Errorf("%s, without a sign-in: %+v", id, a)
				case !asPerson && (a.Says != in || a.Configured == (id == "vm")):
					t.Errorf("%s: %+v, want %s", id, a, in)
				}
			}
		}
		ask(activation.No)
		if err := w.entra.AddTie(w.group.ID, "member", w.user.ID); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		ask(activation.Yes)
		if owners := w.reaches(w.cfg.Groups[0])[activation.Owner]; len(owners) > 0 {
			t.Errorf("an owner is no member, and is followed on %v", owners)
		}
	})
}

// TestWarningsOfAGroup reads what a group carries.
func TestWarningsOfAGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newMicrosoftWorld(t)
		lines, err := w.Warnings(t.Context())
		if err != nil || len(lines) > 0 {
			t.Errorf("%q, %v", lines, err)
		}
		w.assign(t, "29232cdf-9323-42fd-ade2-1d097af3e4de")
		plain := w.entra.AddGroup(entra.Group{Name: "plain"})
		w.cfg.Groups = append(w.cfg.Groups, GroupConfig{Name: "plain", ID: plain.ID, Targets: []string{"saw"}})
		lines, err = w.Warnings(t.Context())
		for _, want := range []string{"db-admins carries the Entra role Exchange Administrator", "db-admins and plain both open Intune", "plain is not role-assignable"} {
			if !slices.ContainsFunc(lines, func(s string) bool { return strings.HasPrefix(s, want) }) {
				t.Errorf("no %q in %q, %v", want, lines, err)
			}
		}
		if len(lines) != 3 {
			t.Errorf("%q", lines)
		}
		if got := w.warned(t.Context(), activation.Person{}, w.cfg.Groups[0].ID, time.Hour, nil); len(got) > 0 {
			t.Errorf("not read yet: %q", got)
		}
		ctx, stop := context.WithCancel(t.Context())
		go w.learnRoles(ctx)
		time.Sleep(time.Minute)
		stop()
		synctest.Wait()
		if got := w.warned(t.Context(), activation.Person{}, w.cfg.Groups[0].ID, time.Hour, nil); len(got) != 1 || !strings.Contains(got[0], "may take hours to work there") {
			t.Errorf("a person who asks: %q", got)
		}
	})
}

// stranger is a target that knows nobody.
type stranger struct{ downstream.Probe }

func (stranger) Knows(context.Context, activation.Person) (bool, error) { return false, nil }

// TestWarnedOfAnAsk: a person who asks is warned for themselves, from what is
// configured.
func TestWarnedOfAnAsk(t *testing.T) {
	a := &App{cfg: &Config{Targets: []TargetConfig{{ID: "saw", Kind: "intune", Name: "Intune"}, {ID: "org", Kind: "devops", Name: "Azure DevOps"}},
		Groups: []GroupConfig{{Name: "one", ID: "1", Targets: []string{"saw"}}, {Name: "two", ID: "2", Targets: []string{"saw"}}, {Name: "code", ID: "3", Opens: []string{"github"}},
			{Name: "ops", ID: "4", Targets: []string{"saw", "org"}}}}, targets: map[string]downstream.Probe{"saw": nil, "org": stranger{}}}
	for _, c := range []struct {
		group  string
		length time.Duration
		also   []string
		want   string
	}{
		{"1", time.Hour, []string{"2"}, "While two is active too, the two widen each other in Intune"},
		{"1", time.Hour, []string{"3"}, ""},
		{"1", time.Hour, nil, ""},
		{"3", 30 * time.Minute, nil, "an activation of 30 minutes may end before it was ever seen"},
		{"3", 2 * time.Hour, nil, ""},
		{"4", time.Hour, nil, "Azure DevOps doesn't know you yet"},
	} {
		got := strings.Join(a.warned(t.Context(), activation.Person{}, c.group, c.length, c.also), " ")
		if !strings.Contains(got, c.want) || (got == "") != (c.want == "") {
			t.Errorf("%+v: %q", c, got)
		}
	}
}
