package downstream_test

import (
	"net/http"
	"testing"

	"pagbot/activation"
	"pagbot/downstream"
	"pagbot/downstream/probetest"
	"pagbot/sim/saas"
	"pagbot/sim/target"
)

// The worked examples of docs/targets.md, as one asks each.
var (
	gitHub = downstream.HTTPConfig{
		URL: "https://api.saas.test/orgs/contoso/teams/db-admins/memberships/{{.User.Local}}_contoso", Exists: "https://api.saas.test/orgs/contoso/teams/db-admins",
		Headers: map[string]string{"Authorization": `Bearer {{secret "token"}}`}, Value: "/state", Yes: []string{"active"}, No: []string{"pending"}, NoStatus: http.StatusNotFound,
	}
	profile = downstream.HTTPConfig{
		URL:    "https://contoso.saas.test/services/data/v62.0/query?q=SELECT+Id+FROM+User+WHERE+FederationIdentifier='{{.User.OID}}'+AND+Profile.Name='DB+Administrator'+AND+IsActive=true",
		Exists: "https://contoso.saas.test/services/data/v62.0/query?q=SELECT+Id+FROM+Profile+WHERE+Name='DB+Administrator'", ExistsValue: "/totalSize",
		Headers: map[string]string{"Authorization": `Bearer {{secret "token"}}`}, Value: "/totalSize", Yes: []string{"1"}, No: []string{"0"}, Evidence: "/records/0/Id", Level: activation.L2,
	}
	salesforce = downstream.HTTPConfig{
		URL:    "https://contoso.saas.test/services/data/v62.0/query?q=SELECT+Id+FROM+PermissionSetAssignment+WHERE+Assignee.FederationIdentifier='{{.User.OID}}'+AND+PermissionSet.Name='DbAdmins'+AND+IsActive=true",
		Exists: "https://contoso.saas.test/services/data/v62.0/query?q=SELECT+Id+FROM+PermissionSet+WHERE+Name='DbAdmins'", ExistsValue: "/totalSize",
		Headers: map[string]string{"Authorization": `Bearer {{secret "token"}}`}, Value: "/totalSize", Yes: []string{"1"}, No: []string{"0"}, Evidence: "/records/0/Id", Level: activation.L2,
	}
)

func TestHTTP(t *testing.T) {
	posted := downstream.HTTPConfig{
		Method: http.MethodPost, PostReads: true, URL: "https://own.saas.test/may", Body: `{"who":"{{.User.OID}}","key":"{{secret "token"}}"}`,
		Value: "/may", Yes: []string{"true"}, No: []string{"false"},
	}
	for _, s := range []struct {
		probetest.Suite
		c      downstream.HTTPConfig
		grants string
	}{
		{probetest.Suite{Name: "http as for GitHub", Level: activation.L1, NoIs404: true, ByName: true, OneByOne: true, Unknown: activation.No}, gitHub, "/state is active"},
		{probetest.Suite{Name: "http as for Salesforce", Level: activation.L2, OneByOne: true, Unknown: activation.No}, salesforce, "0Pa"},
		{probetest.Suite{Name: "http as for a profile of Salesforce", Level: activation.L2, OneByOne: true, Unknown: activation.No}, profile, "005"},
		{probetest.Suite{Name: "http by POST", Level: activation.L1, OneByOne: true}, posted, "/may is true"},
	} {
		s.New = func(t *testing.T) probetest.World { return httpWorld(t, s.c, s.grants) }
		probetest.Run(t, s.Suite)
	}
}

func saasWorld(t *testing.T) (*saas.World, *probetest.Roll) {
	roll := &probetest.Roll{}
	c := saas.Config{Seed: 1, Directory: roll, Token: bearer, PAG: pagID, Follow: &target.Follow{Grant: soon, Revoke: soon}}
	for name, p := range map[string]activation.Person{"requester_contoso": probetest.Requester, "colleague_contoso": probetest.Colleague} {
		c.Users = append(c.Users, saas.User{OID: p.Object, UPN: p.Name, Login: name})
	}
	w, err := saas.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return w, roll
}

func httpWorld(t *testing.T, c downstream.HTTPConfig, grants string) probetest.World {
	w, roll := saasWorld(t)
	front := &probetest.Front{Handler: w.Handler()}
	read := func(q probetest.Request) bool { return q.Method == http.MethodGet }
	if c.Method == http.MethodPost {
		front.Handler = posts(roll)
		read = func(q probetest.Request) bool { return q.Method == http.MethodPost && q.Path == "/may" }
	}
	c.HTTP, c.Secrets = front.Client(), map[string]string{"token": bearer}
	return probetest.World{Front: front, Give: giver(roll), Grants: grants, Secrets: []string{bearer}, Read: read, Probe: func() downstream.Probe {
		p, err := downstream.NewHTTP(c)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}}
}
