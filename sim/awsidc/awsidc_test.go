package awsidc

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

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
	w, err := New(Config{Seed: 1, Now: func() time.Time { return x.at }, Directory: x.dir, Store: "d-1", Region: "eu-central-1", Keys: map[string]string{"AKIA": "secret"}, Issuer: "issuer",
		Roles: map[string]string{"role": "web token"}, Groups: []Group{{"base", "base"}, {"db-admins", "pag"}}, Users: []User{{"a", "first@contoso.example", true}, {"b", "second@contoso.example", false}}})
	if err != nil {
		t.Fatal(err)
	}
	x.World = w
	return x
}

type answer struct {
	Type                    string `json:"__type"`
	GroupID                 string `json:"GroupId"`
	UserID                  string `json:"UserId"`
	NextToken               string
	RetryAfterSeconds       int
	Results                 []struct{ MembershipExists bool }
	GroupMemberships        []struct{ GroupId string }
	ExternalIds             []struct{ Id, Issuer string }
	IdentityStoreId, Target string
}

// sign makes a request as AWS's own library does.
func sign(t *testing.T, key, secret, region, op, body string) *http.Request {
	r := httptest.NewRequest("POST", "https://identitystore.test/", strings.NewReader(body))
	r.Header.Set("X-Amz-Target", "AWSIdentityStore."+op)
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	hash := sha256.Sum256([]byte(body))
	if err := v4.NewSigner().SignHTTP(context.Background(), aws.Credentials{AccessKeyID: key, SecretAccessKey: secret}, r, hex.EncodeToString(hash[:]), "identitystore", region, time.Now()); err != nil {
		t.Fatal(err)
	}
	return r
}

func (x *world) send(r *http.Request) (int, answer) {
	x.t.Helper()
	rec := httptest.NewRecorder()
	x.Handler().ServeHTTP(rec, r)
	var a answer
	if err := json.NewDecoder(bytes.NewReader(rec.Body.Bytes())).Decode(&a); err != nil {
		x.t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	return rec.Code, a
}

func (x *world) call(op, body string) answer {
	x.t.Helper()
	_, a := x.send(sign(x.t, "AKIA", "secret", "eu-central-1", op, `{"IdentityStoreId":"d-1",`+body+`}`))
	return a
}

func (x *world) user(upn string) answer {
	return x.call("GetUserId", `"AlternateIdentifier":{"UniqueAttribute":{"AttributePath":"userName","AttributeValue":"`+upn+`"}}`)
}

func (x *world) group() string {
	return x.call("GetGroupId", `"AlternateIdentifier":{"UniqueAttribute":{"AttributePath":"displayName","AttributeValue":"db-admins"}}`).GroupID
}

func (x *world) member(user string) bool {
	x.t.Helper()
	a := x.call("IsMemberInGroups", `"MemberId":{"UserId":"`+user+`"},"GroupIds":["`+x.group()+`"]`)
	if len(a.Results) != 1 {
		x.t.Fatalf("%+v", a)
	}
	return a.Results[0].MembershipExists
}

func TestSignatures(t *testing.T) {
	x := newWorld(t)
	body := `{"IdentityStoreId":"d-1","AlternateIdentifier":{"UniqueAttribute":{"AttributePath":"displayName","AttributeValue":"nobody"}}}`
	good := func() *http.Request { return sign(t, "AKIA", "secret", "eu-central-1", "GetGroupId", body) }
	if _, a := x.send(good()); !strings.HasSuffix(a.Type, "ResourceNotFoundException") {
		t.Errorf("a good signature: %+v", a)
	}
	changed := good()
	changed.Header.Set("X-Amz-Target", "AWSIdentityStore.DeleteGroup")
	none := good()
	none.Header.Del("Authorization")
	for want, r := range map[string]*http.Request{
		"InvalidSignatureException": sign(t, "AKIA", "another", "eu-central-1", "GetGroupId", body), "UnrecognizedClientException": sign(t, "AKIB", "secret", "eu-central-1", "GetGroupId", body),
		"#InvalidSignatureException": sign(t, "AKIA", "secret", "us-east-1", "GetGroupId", body), "MissingAuthenticationTokenException": none, "identitystore#InvalidSignatureException": changed,
	} {
		if code, a := x.send(r); code != 400 || !strings.Contains(a.Type, want) {
			t.Errorf("want %s: %d %+v", want, code, a)
		}
	}
	for _, r := range x.History() {
		if strings.Contains(r.Query+r.Path+r.Body, "secret") {
			t.Error("a key in the history")
		}
	}
}

func TestMembershipFollowsProvisioning(t *testing.T) {
	x := newWorld(t)
	a := x.user("FIRST@contoso.example").UserID
	x.dir["pag/a"], x.dir["pag/b"] = x.at.Add(time.Second), x.at.Add(time.Second)
	if x.member(a) || !strings.Contains(x.user("second@contoso.example").Type, "ResourceNotFound") {
		t.Error("there at once")
	}
	x.at = x.at.Add(11 * time.Minute)
	if from, _, ever := x.TrueEffect("db-admins", "a"); !x.member(a) || !ever || !x.Knows("db-admins", "a", from) {
		t.Error("not pushed")
	}
	b := x.user("second@contoso.example").UserID
	if b == "" || !x.member(b) {
		t.Error("the account was not written with the first access")
	}
	x.Turn(func(d *Dials) { d.Apply = time.Hour })
	if x.member(a) {
		t.Error("the store is consistent at once")
	}
}

func TestOperations(t *testing.T) {
	x := newWorld(t)
	for _, g := range []string{"pag", "base"} {
		x.dir[g+"/a"] = x.at.Add(time.Second)
	}
	x.at = x.at.Add(time.Hour)
	u := x.user("first@contoso.example").UserID
	if d := x.call("DescribeUser", `"UserId":"`+u+`"`); d.UserID != u || len(d.ExternalIds) != 1 || d.ExternalIds[0].Id != "a" {
		t.Errorf("%+v", d)
	}
	if by := x.call("GetUserId", `"AlternateIdentifier":{"ExternalId":{"Issuer":"issuer","Id":"a"}}`); by.UserID != u {
		t.Errorf("%+v", by)
	}
	first := x.call("ListGroupMembershipsForMember", `"MemberId":{"UserId":"`+u+`"}`)
	second := x.call("ListGroupMembershipsForMember", `"MemberId":{"UserId":"`+u+`"},"NextToken":"`+first.NextToken+`"`)
	if len(first.GroupMemberships) != 1 || len(second.GroupMemberships) != 1 || second.NextToken != "" || second.GroupMemberships[0].GroupId != x.group() {
		t.Errorf("%+v %+v", first, second)
	}
	for _, c := range [][3]string{{"CreateGroup", `"x":1`, "AccessDenied"}, {"DescribeUser", `"UserId":"none"`, "ResourceNotFound"},
		{"IsMemberInGroups", `"MemberId":{"UserId":"` + u + `"},"GroupIds":[]`, "Validation"}, {"IsMemberInGroups", `"MemberId":{"UserId":"` + u + `"},"GroupIds":["none"]`, "ResourceNotFound"}} {
		if a := x.call(c[0], c[1]); !strings.Contains(a.Type, c[2]) {
			t.Errorf("%v: %+v", c, a)
		}
	}
	x.Turn(func(d *Dials) { d.GoneIsFalse, d.Deny, d.NoExternalID = true, []string{"GetGroupId"}, true })
	if a := x.call("IsMemberInGroups", `"MemberId":{"UserId":"`+u+`"},"GroupIds":["none"]`); len(a.Results) != 1 || a.Results[0].MembershipExists {
		t.Errorf("%+v", a)
	}
	if x.group() != "" || x.call("DescribeUser", `"UserId":"`+u+`"`).ExternalIds[0].Id != "first" {
		t.Error("allowed, or the object id is still shown")
	}
	x.Turn(func(d *Dials) { d.Deny, d.Budget, d.RetryAfter = nil, 1, "9" })
	x.at = x.at.Add(time.Second)
	x.group()
	if a := x.user("first@contoso.example"); !strings.Contains(a.Type, "Throttling") || a.RetryAfterSeconds != 9 {
		t.Errorf("%+v", a)
	}
}

func TestRoles(t *testing.T) {
	x := newWorld(t)
	open := func(token string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("POST", "https://sts.test/", strings.NewReader("Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=role&WebIdentityToken="+token))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		rec := httptest.NewRecorder()
		x.Handler().ServeHTTP(rec, r)
		return rec
	}
	if rec := open("web+token"); rec.Code != 200 || !strings.Contains(rec.Body.String(), "<SessionToken>") || rec.Header().Get("Content-Type") != "text/xml" {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	if rec := open("another"); rec.Code != 400 || !strings.Contains(rec.Body.String(), "InvalidIdentityToken") {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
}

func TestManage(t *testing.T) {
	x := newWorld(t)
	x.dir["pag/a"] = x.at.Add(time.Second)
	x.at = x.at.Add(time.Minute)
	rec := httptest.NewRecorder()
	x.Manage().ServeHTTP(rec, httptest.NewRequest("POST", "/reevaluate/db-admins/a", nil))
	if !x.Knows("db-admins", "a", x.at) {
		t.Errorf("provisioning on demand: %s", rec.Body)
	}
}
