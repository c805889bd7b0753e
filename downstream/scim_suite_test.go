package downstream_test

import (
	"testing"

	"pagbot/activation"
	"pagbot/downstream"
	"pagbot/downstream/probetest"
	"pagbot/sim/scim"
	"pagbot/sim/target"
)

func TestSCIM(t *testing.T) {
	faults := map[string]probetest.Reply{
		"no total":          {Status: 200, Type: "application/scim+json", Body: `{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"Resources":[]}`},
		"none of a total":   {Status: 200, Type: "application/scim+json", Body: `{"totalResults":3,"Resources":[]}`},
		"SCIM error inside": {Status: 200, Type: "application/scim+json", Body: `{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"500","detail":"down"}`},
		"another's":         {Status: 200, Type: "application/scim+json", Body: `{"totalResults":1,"id":"u9","groups":[],"members":[],"Resources":[{"id":"u9","displayName":"others","userName":"other@contoso.example","externalId":"other"}]}`},
	}
	for _, s := range []struct {
		name       string
		c          downstream.SCIMConfig
		one, named bool
		turn       func(*scim.Dials)
	}{
		{name: "scim by the group's list", turn: func(*scim.Dials) {}},
		{name: "scim without lists of members", one: true, turn: func(d *scim.Dials) { d.Members = scim.Omit }},
		{name: "scim with lists that are always empty", one: true, turn: func(d *scim.Dials) { d.Members = scim.Empty }},
		{name: "scim by filter", one: true, c: downstream.SCIMConfig{Members: downstream.ByFilter}, turn: func(d *scim.Dials) { d.Members, d.NoGroups = scim.Empty, true }},
		{name: "scim by the user's list", one: true, c: downstream.SCIMConfig{Members: downstream.ByUser}, turn: func(*scim.Dials) {}},
		{name: "scim by name", named: true, c: downstream.SCIMConfig{Match: downstream.ByUserName}, turn: func(d *scim.Dials) { d.NoExternalID = true }},
		{name: "scim by name with object ids", c: downstream.SCIMConfig{Match: downstream.ByUserName}, turn: func(*scim.Dials) {}},
	} {
		probetest.Run(t, probetest.Suite{Name: s.name, Level: activation.L1, Absent: true, OneByOne: s.one, ByName: s.named, Faults: faults, New: func(t *testing.T) probetest.World {
			w, roll := scimWorld(t)
			w.Turn(s.turn)
			return scimProbes(t, w, roll, s.c)
		}})
	}
}

// scimWorld is an application in which somebody who is nobody here has the
// access for good, so that lists are not empty.
func scimWorld(t *testing.T) (*scim.World, *probetest.Roll) {
	roll := &probetest.Roll{}
	roll.Set("keeper", true)
	c := scim.Config{Seed: 1, Directory: roll, Token: bearer, Follow: &target.Follow{Grant: soon, Revoke: soon},
		Groups: []scim.Group{{Name: "db-admins", PAG: pagID}, {Name: "others", PAG: "none"}}, Users: []scim.User{{OID: "keeper", UPN: "keeper@contoso.example", Provisioned: true}}}
	for _, p := range []activation.Person{probetest.Requester, probetest.Colleague} {
		c.Users = append(c.Users, scim.User{OID: p.Object, UPN: p.Name, Provisioned: true})
	}
	w, err := scim.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return w, roll
}

func scimProbes(t *testing.T, w *scim.World, roll *probetest.Roll, c downstream.SCIMConfig) probetest.World {
	front := &probetest.Front{Handler: w.Handler()}
	c.Base, c.Group, c.Token, c.HTTP = "https://app.test/scim/v2", "db-admins", token, front.Client()
	return probetest.World{Front: front, Give: giver(roll), Grants: "Groups/", Secrets: []string{bearer}, Probe: func() downstream.Probe {
		p, err := downstream.NewSCIM(c)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}}
}
