package downstream_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pagbot/activation"
	"pagbot/downstream"
	"pagbot/downstream/probetest"
	"pagbot/sim/awsidc"
	"pagbot/sim/target"
)

const (
	awsStore  = "d-1234567890"
	awsRegion = "eu-central-1"
	awsIssuer = "https://issuer.example/"
	awsRole   = "arn:aws:iam::111122223333:role/pagbot"
	secretKey = "a-made-up-secret-key"
	webToken  = "a-made-up-web-identity"
)

func TestAWS(t *testing.T) {
	amz := "application/x-amz-json-1.1"
	faults := map[string]probetest.Reply{
		"throttled":        {Status: 400, Type: amz, Body: `{"__type":"com.amazonaws.identitystore#ThrottlingException","Message":"Rate exceeded"}`},
		"denied":           {Status: 400, Type: amz, Body: `{"__type":"AccessDeniedException","Message":"no"}`},
		"a new error":      {Status: 400, Type: amz, Body: `{"__type":"com.amazonaws.identitystore#SomethingNew","Message":"no"}`},
		"internal":         {Status: 500, Type: amz, Body: `{"__type":"InternalServerException","Message":"no"}`},
		"others' answers":  {Status: 200, Type: amz, Body: `{"IdentityStoreId":"d-0000000000","UserId":"u","GroupId":"g","Results":[{"GroupId":"g","MemberId":{"UserId":"u"},"MembershipExists":false}],"GroupMemberships":[{"GroupId":"g","MemberId":{"UserId":"u"}}]}`},
		"no results":       {Status: 200, Type: amz, Body: `{"Results":[]}`},
		"an error unnamed": {Status: 400, Type: amz, Body: `{"Message":"no"}`},
	}
	read := func(q probetest.Request) bool {
		op := q.Header.Get("X-Amz-Target")
		return strings.HasPrefix(op, "AWSIdentityStore.Get") || strings.HasPrefix(op, "AWSIdentityStore.Describe") || strings.HasPrefix(op, "AWSIdentityStore.Is") ||
			strings.HasPrefix(op, "AWSIdentityStore.List") || strings.Contains(q.Body, "Action=AssumeRoleWithWebIdentity")
	}
	for _, s := range []struct {
		name string
		c    downstream.AWSConfig
		turn func(*awsidc.Dials)
	}{
		{"aws by name", downstream.AWSConfig{AccessKey: "AKIAMADEUP", SecretKey: secretKey}, func(*awsidc.Dials) {}},
		{"aws by external id", downstream.AWSConfig{AccessKey: "AKIAMADEUP", SecretKey: secretKey, Issuer: awsIssuer}, func(*awsidc.Dials) {}},
		{"aws by a person's groups", downstream.AWSConfig{AccessKey: "AKIAMADEUP", SecretKey: secretKey}, func(d *awsidc.Dials) { d.Deny = []string{"IsMemberInGroups"} }},
		{"aws in a role", downstream.AWSConfig{Role: awsRole}, func(*awsidc.Dials) {}},
	} {
		probetest.Run(t, probetest.Suite{Name: s.name, Level: activation.L1, Absent: true, OneByOne: true, Faults: faults, New: func(t *testing.T) probetest.World {
			w, roll := awsWorld(t)
			w.Turn(s.turn)
			front := &probetest.Front{Handler: w.Handler()}
			c := s.c
			c.HTTP = front.Client()
			secrets := []string{}
			if c.Role != "" {
				c.TokenFile, secrets = tokenFile(t), []string{webToken}
			}
			return probetest.World{Front: front, Give: giver(roll), Grants: "identity store " + awsStore, Secrets: secrets, Read: read, Probe: func() downstream.Probe { return awsProbe(t, c) }}
		}})
	}
}

func tokenFile(t *testing.T) string {
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(webToken), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func awsProbe(t *testing.T, c downstream.AWSConfig) *downstream.AWS {
	c.Region, c.Store, c.Group, c.API = awsRegion, awsStore, "db-admins", "https://identitystore.test"
	p, err := downstream.NewAWS(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func awsWorld(t *testing.T) (*awsidc.World, *probetest.Roll) {
	roll := &probetest.Roll{}
	c := awsidc.Config{Seed: 1, Directory: roll, Store: awsStore, Region: awsRegion, Keys: map[string]string{"AKIAMADEUP": secretKey}, Roles: map[string]string{awsRole: webToken},
		Issuer: awsIssuer, Follow: &target.Follow{Grant: soon, Revoke: soon}, Groups: []awsidc.Group{{Name: "base", PAG: "base"}, {Name: "db-admins", PAG: pagID}}}
	for _, p := range []activation.Person{probetest.Requester, probetest.Colleague} {
		c.Users = append(c.Users, awsidc.User{OID: p.Object, UPN: p.Name, Provisioned: true})
	}
	w, err := awsidc.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return w, roll
}
