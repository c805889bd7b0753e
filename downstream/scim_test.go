package downstream_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pagbot/activation"
	"pagbot/downstream"
	"pagbot/downstream/probetest"
	"pagbot/sim/scim"
	"pagbot/sim/target"
)

// What an application shows too little of is never read as a no.
func TestSCIMAbsenceNeedsProof(t *testing.T) {
	for _, c := range []struct {
		name  string
		turn  func(*scim.Dials)
		probe downstream.SCIMConfig
		words string
	}{
		{"empty lists and no groups of users", func(d *scim.Dials) { d.Members, d.NoGroups = scim.Empty, true }, downstream.SCIMConfig{}, "neither who is in the group"},
		{"no lists and no groups of users", func(d *scim.Dials) { d.Members, d.NoGroups = scim.Omit, true }, downstream.SCIMConfig{}, "neither who is in the group"},
		{"a filter that is ignored", func(d *scim.Dials) { d.Filters = scim.Ignored }, downstream.SCIMConfig{Members: downstream.ByFilter}, "about everybody"},
		{"a filter that is refused", func(d *scim.Dials) { d.Filters = scim.Refused }, downstream.SCIMConfig{Members: downstream.ByFilter}, "no sense"},
		{"no such group", func(*scim.Dials) {}, downstream.SCIMConfig{Group: "nowhere"}, "no group"},
	} {
		synctest.Test(t, func(t *testing.T) {
			w, roll := scimWorld(t)
			w.Turn(c.turn)
			front := &probetest.Front{Handler: w.Handler()}
			c.probe.Base, c.probe.Token, c.probe.HTTP = "https://app.test", token, front.Client()
			if c.probe.Group == "" {
				c.probe.Group = "db-admins"
			}
			p, err := downstream.NewSCIM(c.probe)
			if err != nil {
				t.Fatal(err)
			}
			for _, has := range []bool{false, true} {
				roll.Set(probetest.Requester.Object, has)
				settle()
				a, err := p.Check(t.Context(), []activation.Person{probetest.Requester})
				if a[0].Says != activation.CantTell || err == nil || !strings.Contains(a[0].Why+err.Error(), c.words) {
					t.Errorf("%s, has access %v: %+v, %v", c.name, has, a[0], err)
				}
			}
		})
	}
}

// The whole of Entra's provisioning, as a probe sees it: pushed within minutes,
// a person written with their first access, removed with the cycle.
func TestSCIMFollowsProvisioning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		roll := &probetest.Roll{}
		follow := target.Provisioning()
		follow.Phase = 25 * time.Minute
		w, err := scim.New(scim.Config{Seed: 3, Directory: roll, Token: bearer, Follow: &follow, Groups: []scim.Group{{Name: "db-admins", PAG: pagID}},
			Users: []scim.User{{OID: probetest.Requester.Object, UPN: probetest.Requester.Name, Provisioned: true}, {OID: probetest.Colleague.Object, UPN: probetest.Colleague.Name}}})
		if err != nil {
			t.Fatal(err)
		}
		p := scimProbes(t, w, roll, downstream.SCIMConfig{}).Probe()
		both := []activation.Person{probetest.Requester, probetest.Colleague}
		ask := func() [2]activation.Says {
			a, _ := p.Check(t.Context(), both)
			return [2]activation.Says{a[0].Says, a[1].Says}
		}
		if got := ask(); got != [2]activation.Says{activation.No, activation.CantTell} {
			t.Errorf("before: %v", got)
		}
		for _, who := range both {
			roll.Set(who.Object, true)
		}
		time.Sleep(12 * time.Minute)
		if got := ask(); got != [2]activation.Says{activation.Yes, activation.Yes} {
			t.Errorf("pushed: %v", got)
		}
		for _, who := range both {
			roll.Set(who.Object, false)
		}
		time.Sleep(time.Until(w.NextTick()) - time.Second)
		if got := ask(); got != [2]activation.Says{activation.Yes, activation.Yes} {
			t.Errorf("a removal is not pushed: %v", got)
		}
		time.Sleep(2 * time.Second)
		if got := ask(); got != [2]activation.Says{activation.No, activation.No} {
			t.Errorf("after the cycle: %v", got)
		}
	})
}

func TestSCIMConfigIsStrict(t *testing.T) {
	good := downstream.SCIMConfig{Base: "https://app.example/scim/v2/", Group: "db-admins", Token: token}
	if p, err := downstream.NewSCIM(good); err != nil || p.Limits().Level != activation.L1 {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*downstream.SCIMConfig){
		"plain http": func(c *downstream.SCIMConfig) { c.Base = "http://app.example" }, "no group": func(c *downstream.SCIMConfig) { c.Group = "" },
		"no token": func(c *downstream.SCIMConfig) { c.Token = nil }, "members": func(c *downstream.SCIMConfig) { c.Members = "guess" },
		"Entra's side": func(c *downstream.SCIMConfig) { c.Base = "https://graph.microsoft.com/v1.0" },
		"match":        func(c *downstream.SCIMConfig) { c.Match = "displayName" },
	} {
		c := good
		spoil(&c)
		if _, err := downstream.NewSCIM(c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	good.Limits.Level = activation.L3
	if p, _ := downstream.NewSCIM(good); p.Limits().Level != activation.L1 {
		t.Error("a copy of a list is no more than received")
	}
}
