package awsidc

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// What AWS does not know is an error with a name, and not "nobody" or the first
// page again; its operations are posted.
func TestUnknownParametersAreRefused(t *testing.T) {
	x := newWorld(t)
	x.dir["pag/a"], x.dir["base/a"] = x.at.Add(-time.Hour), x.at.Add(-time.Hour)
	who := func(alternate string) string {
		return `{"IdentityStoreId":"d-1","AlternateIdentifier":` + alternate + `}`
	}
	_, a := x.send(sign(t, "AKIA", "secret", "eu-central-1", "GetUserId", who(`{"UniqueAttribute":{"AttributePath":"userName","AttributeValue":"first@contoso.example"}}`)))
	of := `{"IdentityStoreId":"d-1","MemberId":{"UserId":"` + a.UserID + `"}`
	for _, c := range []struct{ op, body, want string }{
		{"GetUserId", who(`{"UniqueAttribute":{"AttributePath":"nickName","AttributeValue":"x"}}`), "ValidationException"},
		{"GetUserId", who(`{}`), "ValidationException"},
		{"GetGroupId", who(`{"UniqueAttribute":{"AttributePath":"userName","AttributeValue":"x"}}`), "ValidationException"},
		{"GetGroupId", who(`{"UniqueAttribute":{"AttributePath":"displayName","AttributeValue":"x"},"ExternalId":{"Id":"x","Issuer":"issuer"}}`), "ValidationException"},
		{"GetGroupId", who(`{"UniqueAttribute":{"AttributePath":"displayName","AttributeValue":"x"}}`), "ResourceNotFoundException"},
		{"ListGroupMembershipsForMember", of + `,"NextToken":"nonsense"}`, "ValidationException"},
		{"ListGroupMembershipsForMember", of + `,"MaxResults":1000}`, "ValidationException"},
		{"ListGroupMembershipsForMember", of + `}`, ""},
		{"IsMemberOfGroups", of + `}`, "UnknownOperationException"},
	} {
		if _, got := x.send(sign(t, "AKIA", "secret", "eu-central-1", c.op, c.body)); !strings.HasSuffix(got.Type, c.want) || c.want == "" && got.Type != "" {
			t.Errorf("%s %s: %+v", c.op, c.body, got)
		}
	}
	r := sign(t, "AKIA", "secret", "eu-central-1", "GetUserId", who(`{}`))
	r.Method = http.MethodGet
	if _, got := x.send(r); !strings.HasSuffix(got.Type, "UnknownOperationException") {
		t.Errorf("a GET: %+v", got)
	}
}
