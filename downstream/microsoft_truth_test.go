package downstream_test

import (
	"context"
	"encoding/base64"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pagbot/activation"
	"pagbot/downstream"
	"pagbot/downstream/probetest"
	"pagbot/sim/azure"
	"pagbot/sim/defender"
	"pagbot/sim/entra"
	"pagbot/sim/intune"
)

// one asks about the requester and wants one answer.
func one(t *testing.T, p downstream.Probe, want activation.Says, why string) activation.Answer {
	t.Helper()
	got, _ := p.Check(t.Context(), []activation.Person{probetest.Requester})
	if a := got[0]; a.Says != want || !strings.Contains(a.Why, why) {
		t.Fatalf("%+v, want %s %q", a, want, why)
	}
	return got[0]
}

// drawer keeps one token, of the time when it was put there.
type drawer struct {
	token  string
	issued time.Time
	err    error
	asked  time.Time // the oldest that would do, as asked for last
}

func (d *drawer) Token(_ context.Context, _ activation.Person, _ string, after time.Time) (string, time.Time, error) {
	d.asked = after
	return d.token, d.issued, d.err
}

func intuneProbe(t *testing.T, w *intune.World, assignment, group string, tokens downstream.Tokens) *downstream.IntuneAsPerson {
	p, err := downstream.NewIntuneAsPerson(downstream.IntuneConfig{Group: group, Assignment: assignment, Base: "http://graph.test", Token: token, Directory: &lister{},
		Client: client(&probetest.Front{Handler: w.Handler()})}, tokens)
	return must(t, p, err)
}

// A token that is older than the change is of no use, whatever it says.
func TestTruthOnlyATokenAfterTheChangeCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		roll := &probetest.Roll{}
		d := &drawer{}
		p := intuneProbe(t, newIntune(t, roll), sawID, pagID, d)
		d.err = downstream.ErrNoSignIn
		one(t, p, activation.CantTell, "/pag signin")
		d.token, d.issued, d.err = forPerson(probetest.Requester, time.Now(), ""), time.Now(), nil
		one(t, p, activation.No, "")
		time.Sleep(time.Minute)
		p.Changed(probetest.Requester, time.Now())
		p.Changed(probetest.Requester, time.Now().Add(-time.Hour)) // nothing is forgotten for what was before
		giver(roll)(probetest.Requester, true)
		one(t, p, activation.CantTell, "older than the change")
		if !d.asked.Equal(time.Now().Add(-3 * time.Second)) {
			t.Errorf("asked for one after %v, the change was three seconds ago", d.asked)
		}
		p.Changed(probetest.Colleague, time.Now().Add(time.Hour)) // somebody else's
		d.token, d.issued = forPerson(probetest.Requester, time.Now(), ""), time.Now()
		one(t, p, activation.Yes, "")
		d.token = forPerson(probetest.Colleague, time.Now(), "")
		one(t, p, activation.CantTell, "somebody else")
		d.token = "e30." + base64.RawURLEncoding.EncodeToString([]byte(`{"idtyp":"app"}`)) + ".sig"
		one(t, p, activation.CantTell, "somebody else")
	})
}

// The watch tells when the access last changed before it asks.
func TestTruthTheWatchDatesTheChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &drawer{token: forPerson(probetest.Requester, time.Now(), ""), issued: time.Now()}
		roll := &probetest.Roll{}
		roll.Set(probetest.Requester.Object, true)
		p := intuneProbe(t, newIntune(t, roll), sawID, pagID, d)
		watch, err := downstream.NewWatch(downstream.Config{Probes: map[string]downstream.Probe{"intune": p}})
		must(t, watch, err)
		time.Sleep(time.Minute)
		from := time.Now()
		a := activation.Activation{Person: probetest.Requester, Phase: activation.Active, Began: from.Add(-time.Minute), From: from, Targets: []activation.Target{{ID: "intune", Level: activation.L3}}}
		e := activation.Effect{Kind: activation.Probe, Target: "intune", Toward: activation.Grant}
		time.Sleep(time.Minute)
		var told []string
		for range 4 {
			r := watch.Do(t.Context(), a, e)
			if n, ok := r.Tell.(activation.Probed); ok {
				told = append(told, string(n.Answer.Says)+": "+n.Answer.Why)
			}
			e.Memory = r.Memory
			time.Sleep(time.Until(r.Again))
		}
		if len(told) != 1 || !strings.Contains(told[0], "older than the change") {
			t.Errorf("told %q", told)
		}
		d.token, d.issued = forPerson(probetest.Requester, time.Now(), ""), time.Now()
		r := watch.Do(t.Context(), a, e)
		if n, ok := r.Tell.(activation.Probed); !ok || n.Answer.Says != activation.Yes {
			t.Errorf("with a new sign-in: %+v", r)
		}
	})
}

// groups is a history of several groups.
type groups map[string]*probetest.Roll

func (g groups) Member(group, oid string, at time.Time) bool {
	return g[group] != nil && g[group].Member(group, oid, at)
}

// The article's second scenario: one role through two assignments, first for
// secure workstations, then for all others.
func TestTruthIntuneTellsTwoAssignmentsApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		saw, other := &probetest.Roll{}, &probetest.Roll{}
		w := newIntune(t, groups{pagID: saw, otherID: other})
		sawProbe, otherProbe := intuneProbe(t, w, sawID, pagID, sessions{}), intuneProbe(t, w, defaultID, otherID, sessions{})
		giver(saw)(probetest.Requester, true)
		if a := one(t, sawProbe, activation.Yes, ""); a.Evidence != sawID {
			t.Errorf("evidence %q", a.Evidence)
		}
		one(t, otherProbe, activation.No, "")
		giver(saw)(probetest.Requester, false)
		giver(other)(probetest.Requester, true)
		one(t, sawProbe, activation.No, "")
		if a := one(t, otherProbe, activation.Yes, ""); a.Evidence != defaultID {
			t.Errorf("evidence %q", a.Evidence)
		}
		// The newer shape names the role and no assignment: no role is a no, a
		// role is nothing of the kind.
		w.Turn(func(d *intune.Dials) { d.NewShape = true })
		one(t, sawProbe, activation.CantTell, "not the assignment")
		giver(other)(probetest.Requester, false)
		one(t, sawProbe, activation.No, "")
	})
}

// Where only roles are named, what the person sees tells the scopes apart; but
// not seeing a scope says nothing before it is known to have anything in it.
func TestTruthIntuneTellsScopesApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		saw, other := &probetest.Roll{}, &probetest.Roll{}
		w := newIntune(t, groups{pagID: saw, otherID: other})
		w.Turn(func(d *intune.Dials) { d.NewShape = true })
		d := &drawer{token: forPerson(probetest.Requester, time.Now(), ""), issued: time.Now()}
		p, err := downstream.NewIntuneAsPerson(downstream.IntuneConfig{Group: pagID, Assignment: sawID, Base: "http://graph.test", Token: token, Directory: &lister{},
			ProofScope: downstream.IntuneProofScope, Client: client(&probetest.Front{Handler: w.Handler()})}, d)
		must(t, p, err)
		one(t, p, activation.No, "") // no role at all
		giver(other)(probetest.Requester, true)
		one(t, p, activation.CantTell, "whether there is one is not known")
		giver(saw)(probetest.Requester, true) // both at once: each is seen
		one(t, p, activation.Yes, "")
		giver(saw)(probetest.Requester, false)
		one(t, p, activation.No, "") // the role is there, through the other one
		p.Changed(probetest.Requester, time.Now())
		one(t, p, activation.CantTell, "older than the change")
		d.issued = time.Now()
		giver(other)(probetest.Requester, false)
		giver(saw)(probetest.Requester, true)
		if a := one(t, p, activation.Yes, ""); a.Evidence != sawID || a.Level != activation.L3 {
			t.Errorf("%+v", a)
		}
	})
}

// A group that is not in the assignment is a mistake, and nobody's lack.
func TestTruthMisconfigurationIsNoNo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		front := &probetest.Front{Handler: newIntune(t, &probetest.Roll{}).Handler()}
		probe := func(c downstream.IntuneConfig) downstream.Probe {
			c.Base, c.Token, c.Directory, c.Client = "http://graph.test", token, &lister{}, client(front)
			p, err := downstream.NewIntune(c)
			return must(t, p, err)
		}
		one(t, probe(downstream.IntuneConfig{Group: otherID, Assignment: sawID}), activation.CantTell, "does not name this group")
		one(t, probe(downstream.IntuneConfig{Group: pagID, Assignment: roleID}), activation.CantTell, "there is no role assignment")
		one(t, probe(downstream.IntuneConfig{Group: pagID, Assignment: sawID, ScopeTags: []string{"Default"}}), activation.CantTell, `the scope tag "Default"`)
	})
}

func azureProbe(t *testing.T, front *probetest.Front, c downstream.AzureConfig) *downstream.Azure {
	c.Group, c.Scope, c.Base, c.Token, c.Client = pagID, scope, "http://arm.test", token, client(front)
	p, err := downstream.NewAzure(c)
	return must(t, p, err)
}

// Trap 1: the list joins Entra's data and is right about nothing else. It may
// only ever say "configured".
func TestTruthAzuresListIsAheadOfItsEngine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		roll := &probetest.Roll{}
		w, err := azure.New(azure.Config{Seed: 1, Directory: roll, Verify: door, Assignments: []azure.Assignment{{Principal: pagID, Role: roleID, Scope: scope, Actions: []string{"*"}}}})
		if err != nil {
			t.Fatal(err)
		}
		front := &probetest.Front{Handler: w.Handler()}
		list := azureProbe(t, front, downstream.AzureConfig{Role: roleID})
		engine := azureProbe(t, front, downstream.AzureConfig{Ask: downstream.AzureCheck, Action: startVM, Expands: true})
		w.Copy(0).TrueEffect(probetest.Requester.Object)
		roll.Set(probetest.Requester.Object, true)
		time.Sleep(time.Second)
		if a := one(t, list, activation.Yes, ""); !a.Configured || a.Level != activation.L0 {
			t.Errorf("the list claims %+v", a)
		}
		one(t, engine, activation.No, "") // which is now cached for five minutes
		true1, _, _ := w.Copy(0).TrueEffect(probetest.Requester.Object)
		for {
			time.Sleep(engine.Limits().Cache)
			got, _ := engine.Check(t.Context(), []activation.Person{probetest.Requester})
			if got[0].Says == activation.Yes {
				if got[0].Received.Before(true1) || got[0].Level != activation.L2 || got[0].Configured {
					t.Errorf("effective at %v: %+v", true1, got[0])
				}
				return
			}
			if time.Since(true1) > 15*time.Minute {
				t.Fatalf("effective at %v, now %v", true1, time.Now())
			}
		}
	})
}

// An engine that was not asked to look up groups may not have looked: its no is
// believed only once it named our group in a yes. Groups are never sent along.
func TestTruthAzuresNoNeedsGroups(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, roll, front := newAzure(t)
		p := azureProbe(t, front, downstream.AzureConfig{Ask: downstream.AzureCheck, Action: startVM})
		w.Turn(func(d *azure.Dials) { d.ExpandsAnyway = false })
		give := giver(roll)
		give(probetest.Requester, true)
		one(t, p, activation.CantTell, "count a person's groups")
		w.Turn(func(d *azure.Dials) { d.ExpandsAnyway = true })
		one(t, p, activation.Yes, "")
		give(probetest.Requester, false)
		one(t, p, activation.No, "")
		for _, c := range front.Calls() {
			if strings.Contains(c.Body, `"Groups"`) {
				t.Errorf("groups were sent along: %s", c.Body)
			}
		}
	})
}

func TestAzureDeniesAndOtherAssignments(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		roll := &probetest.Roll{}
		roll.Set(probetest.Requester.Object, true)
		w, err := azure.New(azure.Config{Seed: 1, Directory: groups{pagID: roll}, Verify: door, Assignments: []azure.Assignment{
			{Principal: probetest.Colleague.Object, Role: roleID, Scope: "/subscriptions/ffffffff-0000-4000-8000-000000000001", Actions: []string{"Microsoft.Compute/*/action"}},
			{Principal: pagID, Role: roleID, Scope: scope, Actions: []string{"Microsoft.Compute/*/action"}},
			{Principal: probetest.Requester.Object, Scope: scope, Actions: []string{"Microsoft.Compute/virtualMachines/delete"}, Deny: true}}})
		if err != nil {
			t.Fatal(err)
		}
		front := &probetest.Front{Handler: w.Handler()}
		p := azureProbe(t, front, downstream.AzureConfig{Ask: downstream.AzureCheck, Action: startVM})
		got, _ := p.Check(t.Context(), []activation.Person{probetest.Requester, probetest.Colleague})
		if got[0].Says != activation.Yes || got[0].Via != "" || got[1].Says != activation.Yes || got[1].Via != "another role assignment" {
			t.Errorf("%+v", got)
		}
		list := azureProbe(t, front, downstream.AzureConfig{})
		got, _ = list.Check(t.Context(), []activation.Person{probetest.Requester, probetest.Colleague})
		if got[0].Evidence != w.Assignment(1).ID || got[0].Via != "" || got[1].Via != "another role assignment" {
			t.Errorf("%+v", got)
		}
		denied := azureProbe(t, front, downstream.AzureConfig{Ask: downstream.AzureCheck, Action: "Microsoft.Compute/virtualMachines/delete"})
		one(t, denied, activation.No, "deny assignment")
	})
}

func defenderProbe(t *testing.T, w *defender.World, scopes string, c downstream.DefenderConfig) *downstream.DefenderAsPerson {
	c.Base, c.Client = "http://defender.test", client(&probetest.Front{Handler: w.Handler()})
	p, err := downstream.NewDefenderAsPerson(c, sessions{scopes})
	return must(t, p, err)
}

func TestTruthDefenderDoubts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		roll := &probetest.Roll{}
		w := newDefender(t, roll)
		servers := downstream.DefenderConfig{DeviceGroups: []string{"Servers"}}
		// A refusal that may be for the token's own lack says nothing of its owner.
		one(t, defenderProbe(t, w, "User.Read", servers), activation.CantTell, "not allowed")
		p := defenderProbe(t, w, "Machine.Read", servers)
		one(t, p, activation.No, "")
		giver(roll)(probetest.Requester, true)
		one(t, p, activation.Yes, "")
		both := defenderProbe(t, w, "Machine.Read", downstream.DefenderConfig{DeviceGroups: []string{"Servers", "Clients"}})
		one(t, both, activation.CantTell, "not Clients")
		// A device group without devices is nobody's lack; where nobody can say
		// whether it has any, neither.
		empty := downstream.DefenderConfig{DeviceGroups: []string{"Kiosks"}}
		one(t, defenderProbe(t, w, "Machine.Read", empty), activation.CantTell, "whether there is one is not known")
		empty.Devices = token
		one(t, defenderProbe(t, w, "Machine.Read", empty), activation.CantTell, "correct the target")
		one(t, defenderProbe(t, w, "Machine.Read", downstream.DefenderConfig{}), activation.Yes, "")
	})
}

// Roles of the older model are not in the list: that is no "no".
func TestTruthDefendersOlderModelIsInvisible(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, err := defender.New(defender.Config{Directory: &probetest.Roll{}, Verify: door, Roles: []defender.Role{{ID: sawID, Groups: []string{pagID}, Legacy: true}}})
		if err != nil {
			t.Fatal(err)
		}
		p, err := downstream.NewDefender(downstream.DefenderConfig{Group: pagID, Graph: "http://graph.test", Token: token, Directory: &lister{},
			Client: client(&probetest.Front{Handler: w.Handler()})})
		one(t, must(t, p, err), activation.CantTell, "older model")
	})
}

// A directory role that the person has otherwise is told from the group's, and
// another role is not taken for it.
func TestTruthDirectoryRoles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTenant(t)
		const another = "11111111-69f5-4237-9190-012177145e10"
		probe := func(role string) downstream.Probe {
			p, err := downstream.NewRoles(downstream.RolesConfig{Group: pagID, Role: role, Base: "http://graph.test", Token: w.token, Client: client(w.front)})
			return must(t, p, err)
		}
		one(t, probe(roleID), activation.CantTell, "does not carry the directory role")
		one(t, probe(""), activation.CantTell, "carries no directory role")
		for _, id := range []string{roleID, another} {
			w.AddRole(entra.Role{ID: id, Name: id})
		}
		ours := w.assign(t, roleID, pagID)
		w.assign(t, another, probetest.Requester.Object)
		one(t, probe(""), activation.No, "") // another role of their own is not the group's
		own := w.assign(t, roleID, probetest.Requester.Object)
		if a := one(t, probe(roleID), activation.Yes, ""); a.Via != "a role assignment of their own" || a.Evidence != own {
			t.Errorf("%+v", a)
		}
		w.give(probetest.Requester, true)
		if a := one(t, probe(roleID), activation.Yes, ""); a.Via != "" || a.Evidence != ours || !a.Configured {
			t.Errorf("%+v", a)
		}
		if n := probe(roleID).Limits().Confirm; n < 2 {
			t.Errorf("%d answers confirm a change of a list whose replicas disagree", n)
		}
	})
}
