package entra

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestPolicyHasItsSeventeenRules(t *testing.T) {
	x := newTenant(t)
	s := DefaultSettings()
	s.MaxDuration, s.Ticketing, s.AuthContext, s.Approval = 105*time.Minute, true, "c1", true
	s.Approvers = []Approver{{User: x.approver.ID}, {Group: x.group.ID}}
	x.must(x.SetSettings(x.group.ID, "member", s))
	where := "?$filter=scopeId eq '" + x.group.ID + "' and scopeType eq 'Group'"
	r := x.call(x.asReader(), "GET", "/v1.0/policies/roleManagementPolicyAssignments"+where+" and roleDefinitionId eq 'member'&$expand=policy($expand=rules)", nil)
	if r.status != 200 || len(r.rows()) != 1 {
		t.Fatalf("%d %s", r.status, r.raw)
	}
	row := r.rows()[0]
	if row["id"] != row["policyId"].(string)+"_member" || !strings.HasPrefix(row["policyId"].(string), "Group_"+x.group.ID+"_") {
		t.Errorf("ids: %v %v", row["id"], row["policyId"])
	}
	rules := map[string]map[string]any{}
	for _, v := range row["policy"].(map[string]any)["rules"].([]any) {
		rules[v.(map[string]any)["id"].(string)] = v.(map[string]any)
	}
	if len(rules) != 17 {
		t.Fatalf("%d rules", len(rules))
	}
	if d := rules["Expiration_EndUser_Assignment"]["maximumDuration"]; d != "PT1H45M" {
		t.Errorf("maximum %v", d)
	}
	if on := rules["Enablement_EndUser_Assignment"]["enabledRules"].([]any); len(on) != 2 || on[0] != "Justification" || on[1] != "Ticketing" {
		t.Errorf("enabled %v", on)
	}
	if c := rules["AuthenticationContext_EndUser_Assignment"]; c["isEnabled"] != true || c["claimValue"] != "c1" {
		t.Errorf("context %v", c)
	}
	set := rules["Approval_EndUser_Assignment"]["setting"].(map[string]any)
	stage := set["approvalStages"].([]any)[0].(map[string]any)
	if who := stage["primaryApprovers"].([]any); set["isApprovalRequired"] != true || who[0].(map[string]any)["userId"] != x.approver.ID || who[1].(map[string]any)["groupId"] != x.group.ID {
		t.Errorf("approval %v", set)
	}
	if all := x.call(x.asReader(), "GET", "/v1.0/policies/roleManagementPolicyAssignments"+where, nil).rows(); len(all) != 2 || all[0]["policy"] != nil {
		t.Errorf("both, unexpanded: %v", all)
	}
	if r := x.call(x.asReader(), "GET", "/v1.0/policies/roleManagementPolicyAssignments?$filter=scopeId eq '"+x.group.ID+"'", nil); r.status != 400 {
		t.Errorf("without scopeType: %d", r.status)
	}
}

func TestDefaultsAndOnboarding(t *testing.T) {
	x := newTenant(t)
	g := x.AddGroup(Group{Name: "new"})
	read := func() map[string]any {
		return x.call(x.asReader(), "GET", "/v1.0/policies/roleManagementPolicyAssignments?$filter=scopeId eq '"+g.ID+"' and scopeType eq 'Group' and roleDefinitionId eq 'owner'&$expand=policy($expand=rules)", nil).rows()[0]
	}
	before := read()
	_, err := x.AddEligibility(g.ID, "owner", x.requester.ID, time.Time{})
	x.must(err)
	if after := read(); after["policyId"] == before["policyId"] {
		t.Error("onboarding leaves the policy's id, but the service changes it")
	}
	if !strings.Contains(string(must(json.Marshal(before))), `"maximumDuration":"PT8H"`) {
		t.Error("the default maximum is PT8H")
	}
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

func TestDirectoryReads(t *testing.T) {
	x := newTenant(t)
	outer := x.AddGroup(Group{Name: "outer"})
	x.must(x.AddTie(outer.ID, "member", x.group.ID))
	x.must(x.AddTie(x.group.ID, "member", x.requester.ID))
	x.must(x.AddTie(x.group.ID, "owner", x.owner.ID))
	get := func(path string) reply {
		return x.call(x.asReader(), "GET", "/v1.0"+path, nil, "ConsistencyLevel", "eventual")
	}
	ids := func(r reply) (ids []string) {
		for _, o := range r.rows() {
			ids = append(ids, o["id"].(string))
		}
		slices.Sort(ids)
		return ids
	}
	sorted := func(ids ...string) []string { slices.Sort(ids); return ids }
	for path, want := range map[string][]string{
		"/groups/" + x.group.ID + "/members?$select=id":                                            {x.requester.ID},
		"/groups/" + x.group.ID + "/owners":                                                        {x.owner.ID},
		"/groups/" + outer.ID + "/members":                                                         {x.group.ID},
		"/groups/" + outer.ID + "/transitiveMembers":                                               sorted(x.group.ID, x.requester.ID),
		"/users/" + x.requester.ID + "/transitiveMemberOf":                                         sorted(x.group.ID, outer.ID),
		"/users/" + x.requester.ID + "/transitiveMemberOf?$filter=id eq '1'&$count=true":           nil,
		"/groups?$filter=id in ('" + x.group.ID + "','" + outer.ID + "')&$select=id":               sorted(x.group.ID, outer.ID),
		"/users?$filter=mail eq 'x' or userPrincipalName eq 'REQUESTER@contoso.example'":           {x.requester.ID},
		"/users?$filter=otherMails/any(x:x eq 'a@b.c')":                                            nil,
		"/users?$top=2&$filter=startsWith(userPrincipalName,'second')&$select=id,mail,displayName": {x.second.ID},
	} {
		if r := get(path); r.status != 200 || !slices.Equal(ids(r), want) {
			t.Errorf("%s: %d %s", path, r.status, r.raw)
		}
	}
	x.graph = x.Graph() // casts are in no description here
	for _, cast := range []string{"graph.group", "microsoft.graph.group"} {
		if r := get("/users/" + x.requester.ID + "/transitiveMemberOf/" + cast); len(r.rows()) != 2 {
			t.Errorf("%s: %s", cast, r.raw)
		}
	}
	if r := x.call(x.asReader(), "GET", "/v1.0/users/"+x.requester.ID+"/transitiveMemberOf?$filter=id eq '1'", nil); r.status != 400 {
		t.Errorf("an advanced query without its header: %d", r.status)
	}
	if r := get("/groups/" + x.group.ID); r.body["displayName"] != "devops-admins" {
		t.Error(r.raw)
	}
	if r := get("/users/requester@contoso.example"); r.body["id"] != x.requester.ID || len(r.body) != 12 {
		t.Errorf("what comes unasked is eleven properties: %s", r.raw)
	}
	if r := get("/users/requester@contoso.example?$select=accountEnabled,signInSessionsValidFromDateTime"); r.body["accountEnabled"] != true || r.body["signInSessionsValidFromDateTime"] == nil {
		t.Error(r.raw)
	}
	for _, path := range []string{"/groups/none", "/groups/none/members", "/users/none", "/users/none/transitiveMemberOf"} {
		if r := get(path); r.status != 404 || r.code() != "Request_ResourceNotFound" {
			t.Errorf("%s: %d", path, r.status)
		}
	}
	if r := get("/me"); r.status != 403 && r.status != 400 {
		t.Errorf("an app has no /me: %d", r.status)
	}
}

func TestCheckMemberGroups(t *testing.T) {
	x := newTenant(t)
	x.must(x.AddTie(x.group.ID, "member", x.requester.ID))
	check := func(groups ...string) reply {
		return x.call(x.asReader(), "POST", "/v1.0/users/"+x.requester.ID+"/checkMemberGroups", obj{"groupIds": groups})
	}
	if r := check("00000000-0000-4000-8000-000000000000", x.group.ID); r.status != 200 || len(r.body["value"].([]any)) != 1 || r.body["value"].([]any)[0] != x.group.ID {
		t.Errorf("%d %s", r.status, r.raw)
	}
	if r := check(slices.Repeat([]string{x.group.ID}, 21)...); r.status != 400 {
		t.Errorf("21 groups: %d", r.status)
	}
	if r := x.call(x.asReader(), "DELETE", "/v1.0/groups/"+x.group.ID+"/members/"+x.requester.ID+"/$ref", nil); r.status != 403 {
		t.Errorf("the reader may delete: %d", r.status)
	}
	x.must(x.ChangeApp(x.reader.ID, func(a *App) { a.Roles = []string{"GroupMember.ReadWrite.All"} }))
	x.graph = x.Graph()
	if r := x.call(x.asReader(), "DELETE", "/v1.0/groups/"+x.group.ID+"/members/"+x.requester.ID+"/$ref", nil); r.status != 204 || x.is(x.requester) {
		t.Errorf("delete: %d %s", r.status, r.raw)
	}
}

// manage calls the management address.
func (x *tenant) manage(method, path string, body any) (int, map[string]any) {
	b, _ := json.Marshal(body)
	rec := httptest.NewRecorder()
	x.managed.ServeHTTP(rec, httptest.NewRequest(method, path, bytes.NewReader(b)))
	var out map[string]any
	_ = json.Unmarshal(rec.Body.Bytes(), &out)
	return rec.Code, out
}

func TestManagement(t *testing.T) {
	x := newTenant(t)
	x.managed = x.Manage()
	ok := func(method, path string, body any) map[string]any {
		t.Helper()
		status, out := x.manage(method, path, body)
		if status != 200 {
			t.Fatalf("%s %s: %d %v", method, path, status, out)
		}
		return out
	}
	s := DefaultSettings()
	s.Approval, s.Approvers = true, []Approver{{User: x.approver.ID}}
	ok("PUT", "/settings", obj{"group": x.group.ID, "access": "member", "settings": s})
	id := ok("POST", "/portal", obj{"as": x.requester.ID, "do": "activate", "group": x.group.ID, "minutes": 60, "reason": "x"})["request"].(string)
	ok("POST", "/portal", obj{"as": x.approver.ID, "do": "approve", "request": id, "reason": "ok"})
	x.pass(6 * time.Minute)
	state := ok("GET", "/state", nil)
	if len(state["instances"].([]any)) != 1 || len(state["users"].([]any)) != 4 || state["requests"].([]any)[0].(map[string]any)["status"] != "Provisioned" {
		t.Errorf("state: %v", state)
	}
	ok("POST", "/portal", obj{"as": x.requester.ID, "do": "deactivate", "group": x.group.ID})
	ok("POST", "/ties", obj{"group": x.group.ID, "access": "member", "principal": x.second.ID})
	if !x.is(x.second) {
		t.Error("not added")
	}
	ok("DELETE", "/ties", obj{"group": x.group.ID, "access": "member", "principal": x.second.ID})
	ok("PUT", "/dials", obj{"Pascal": true})
	if d := x.Dials(); !d.Pascal || d.Provision != 1500*time.Millisecond {
		t.Errorf("dials: %+v", d)
	}
	ok("POST", "/faults", obj{"do": "status", "status": 429})
	if r := x.call(x.asReader(), "GET", "/v1.0/groups", nil); r.status != 429 {
		t.Errorf("fault: %d", r.status)
	}
	ok("DELETE", "/faults/1", nil)
	if r := x.call(x.asReader(), "GET", "/v1.0/groups", nil); r.status != 200 {
		t.Errorf("disarmed: %d", r.status)
	}
	ok("POST", "/verdicts", obj{"user": x.requester.ID, "number": 53003})
	ok("POST", "/policies", obj{"user": x.second.ID, "mfa": true})
	ok("POST", "/revoke", obj{"user": x.second.ID})
	ok("POST", "/password", obj{"user": x.second.ID})
	ok("POST", "/held", obj{"role": ok("POST", "/roles", obj{"displayName": "Reader"})["id"], "principal": x.second.ID})
	if status, out := x.manage("POST", "/portal", obj{"as": x.owner.ID, "do": "grant", "request": id}); status != 400 {
		t.Errorf("granted what nobody wished for: %v", out)
	}
	ok("PUT", "/enabled", obj{"user": x.second.ID, "enabled": false})
	e := ok("POST", "/eligibility", obj{"group": x.group.ID, "access": "member", "principal": x.second.ID})
	ok("DELETE", "/eligibility/"+e["id"].(string), nil)
	for path, body := range map[string]any{"/portal": obj{"do": "dance"}, "/faults": obj{"colour": 1}, "/ties": obj{"group": "none"}} {
		if status, out := x.manage("POST", path, body); status != 400 || out["error"] == "" {
			t.Errorf("%s: %d %v", path, status, out)
		}
	}
	for _, path := range []string{"/history", "/writes", "/counters"} {
		ok("GET", path, nil)
	}
}

func TestMe(t *testing.T) {
	x := newTenant(t)
	x.must(x.AddTie(x.group.ID, "member", x.requester.ID))
	x.enter()
	x.user(x.requester.ID).Attributes = map[string]any{"employeeId": "U123"}
	u := x.user(x.requester.ID)
	token := x.accessToken(grant{app: x.app(x.signin.ID), user: u, in: signIn{user: u, at: x.at, mfa: true}}, GraphAudience, []string{"User.Read", "GroupMember.Read.All"}, x.at, tokenLife)
	x.mu.Unlock()
	if r := x.call(token, "GET", "/v1.0/me?$select=id,employeeId", nil); r.body["id"] != x.requester.ID || r.body["employeeId"] != "U123" {
		t.Errorf("me: %s", r.raw)
	}
	if r := x.call(token, "GET", "/v1.0/me/transitiveMemberOf", nil); len(r.rows()) != 1 {
		t.Errorf("my groups: %s", r.raw)
	}
	if r := x.call(token, "POST", "/v1.0/me/checkMemberGroups", obj{"groupIds": []string{x.group.ID}}); len(r.body["value"].([]any)) != 1 {
		t.Errorf("am I in: %s", r.raw)
	}
	x.graph = x.Graph()
	if r := x.call(token, "GET", "/v1.0/groups/"+x.group.ID+"/members/graph.group", nil); r.status != 200 || len(r.rows()) != 0 {
		t.Errorf("a cast leaves users out: %s", r.raw)
	}
	if r := x.call(token, "GET", "/v1.0/groups/"+x.group.ID+"/members/microsoft.graph.user?$count=true", nil); len(r.rows()) != 1 || r.body["@odata.count"] != 1.0 {
		t.Errorf("a cast to users: %s", r.raw)
	}
	if err := x.ChangeApp("none", func(*App) {}); err == nil {
		t.Error("changed no app")
	}
}
