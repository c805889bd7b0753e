package entra

import (
	"net/http"
	"strings"
	"testing"
)

// What follows was caught by an outside reader, who compared the book with what
// strict clients saw.

// A name that a list does not have is refused wherever it stands, and a filter
// finds names in any case: neither is an empty list.
func TestUnknownNamesAreRefused(t *testing.T) {
	x := newTenant(t)
	in := base + "eligibilitySchedules?$filter=groupId eq '" + x.group.ID + "'"
	for query, want := range map[string]string{
		"": "", "&$select=id,groupId": "", "&$expand=group,principal($select=id)": "", "&$top=5": "", " and PRINCIPAL/id eq '" + x.requester.ID + "'": "",
		" and accessId eq 'MEMBER' and memberType eq 'direct'": "",
		" and accessId eq 'members'":                           "'members' is not a valid",
		" and foo eq 'x'":                                      "named 'foo'",
		" and owner/id eq 'x'":                                 "named 'owner/id'",
		" and assignmentType eq 'x'":                           "named 'assignmentType'", // of another list
		"&$select=id,foo":                                      "named 'foo'",
		"&$select=assignmentType":                              "named 'assignmentType'",
		"&$expand=members":                                     "named 'members'",
		"&$expand=group($select=id),owner":                     "named 'owner'",
		"&$top=-1":                                             "non-negative integer",
		"&$top=many":                                           "non-negative integer",
	} {
		r := x.call(x.asReader(), "GET", in+query, nil)
		if want == "" && (r.status != 200 || len(r.rows()) != 1) || want != "" && (r.status != 400 || r.code() != "BadRequest" || !strings.Contains(r.message(), want)) {
			t.Errorf("%s: %d %s", query, r.status, r.raw)
		}
	}
	lower := base + "eligibilityScheduleInstances?$filter=groupid eq '" + x.group.ID + "'&$select=groupId"
	if r := x.call(x.asReader(), "GET", lower, nil); len(r.rows()) != 1 || r.rows()[0]["groupId"] != x.group.ID {
		t.Errorf("in another case: %d %s", r.status, r.raw)
	}
	one := base + "eligibilityScheduleInstances/" + x.call(x.asReader(), "GET", lower[:strings.Index(lower, "&")], nil).rows()[0]["id"].(string)
	for query, want := range map[string]int{"": 200, "?$select=id": 200, "?$select=foo": 400, "?$expand=foo": 400} {
		if r := x.call(x.asReader(), "GET", one+query, nil); r.status != want {
			t.Errorf("one of them %s: %d %s", query, r.status, r.raw)
		}
	}
	mine := base + "eligibilityScheduleInstances/filterByCurrentUser(on='principal')?$filter=foo eq 'x'"
	if r := x.call(x.as(x.requester), "GET", mine, nil); r.status == 200 {
		t.Errorf("one's own: %d %s", r.status, r.raw)
	}
}

// A page belongs to the list that named it.
func TestPagesBelongToTheirList(t *testing.T) {
	x := newTenant(t)
	for _, u := range []User{x.approver, x.second} {
		x.must(x.Assign(x.group.ID, "member", u.ID, monday.AddDate(1, 0, 0)))
		_, err := x.AddEligibility(x.group.ID, "member", u.ID, monday.AddDate(1, 0, 0))
		x.must(err)
	}
	x.Turn(func(d *Dials) { d.Page = 1 })
	path := func(list, group string) string {
		return base + list + "?$filter=groupId eq '" + group + "'"
	}
	first := x.call(x.asReader(), "GET", path("eligibilityScheduleInstances", x.group.ID), nil)
	next, _ := first.body["@odata.nextLink"].(string)
	_, token, _ := strings.Cut(next, "skiptoken=")
	other := x.AddGroup(Group{Name: "other"})
	for list, want := range map[string]int{path("eligibilityScheduleInstances", x.group.ID): 200,
		path("eligibilitySchedules", x.group.ID): 400, path("eligibilityScheduleInstances", other.ID): 400} {
		if r := x.call(x.asReader(), "GET", list+"&$skiptoken="+token, nil); r.status != want {
			t.Errorf("%s: %d %s", list, r.status, r.raw)
		}
	}
}

// A body is JSON, and says so.
func TestBodiesSayThatTheyAreJSON(t *testing.T) {
	x := newTenant(t)
	for kind, want := range map[string]int{"text/plain": 400, "application/x-www-form-urlencoded": 400, "": 400, "application/json; charset=utf-8": 201} {
		r := x.call(x.as(x.requester), "POST", base+"assignmentScheduleRequests", x.request(selfActivate, "PT2H", "INC1"), "Content-Type", kind)
		if r.status != want || want == 400 && !strings.Contains(r.message(), "Please ensure Content-Type header is set") {
			t.Errorf("%s: %d %s", kind, r.status, r.raw)
		}
	}
}

// No application reads approvals, not even the empty list of its own.
func TestApplicationsHaveNoApprovals(t *testing.T) {
	x := newTenant(t)
	if r := x.call(x.asReader(), "GET", base+"assignmentApprovals/filterByCurrentUser(on='approver')", nil); r.status != 403 || r.code() != "UnauthorizedAccessException" {
		t.Errorf("%d %s", r.status, r.raw)
	}
}

// The token endpoint takes forms, by POST, and names the parameter that it
// misses.
func TestTokenRequestsAreComplete(t *testing.T) {
	l := newLogin(t)
	id := []string{"client_id", l.signin.ID, "client_secret", l.signin.Secret}
	for missing, form := range map[string][]string{
		"grant_type": id, "client_id": {"grant_type", "refresh_token", "refresh_token", "x"}, "refresh_token": append(id, "grant_type", "refresh_token"),
		"code": append(id, "grant_type", "authorization_code"), "device_code": append(id, "grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
	} {
		r := l.tokenCall(form...)
		if says, _ := r.body["error_description"].(string); r.status != 400 || r.body["error"] != "invalid_request" || !strings.HasPrefix(says, "AADSTS900144: The request body must contain the following parameter: '"+missing+"'") {
			t.Errorf("without %s: %d %v", missing, r.status, r.body)
		}
	}
	whole := query(append(id, "grant_type", "client_credentials", "scope", "https://graph.microsoft.com/.default")...)
	for _, c := range []struct{ method, kind, want, at string }{{"POST", "text/plain", "AADSTS900144", "token"}, {"POST", "application/json", "AADSTS900144", "token"}, {"GET", "", "AADSTS900561", "token"},
		{"POST", "application/json", "AADSTS900144", "devicecode"}} {
		r, err := http.NewRequest(c.method, l.server.URL+"/"+l.Tenant()+"/oauth2/v2.0/"+c.at, strings.NewReader(whole))
		l.must(err)
		r.Header.Set("Content-Type", c.kind)
		res, err := l.server.Client().Do(r)
		l.must(err)
		got := replied(t, res)
		if says, _ := got.body["error_description"].(string); got.status != 400 || !strings.HasPrefix(says, c.want) {
			t.Errorf("%s %s: %d %v", c.method, c.kind, got.status, got.body)
		}
	}
}

// The directory refuses as PIM's lists do: what it does not have is no empty
// list, wherever it is named, and what is not simulated is not passed over.
func TestTheDirectoryRefusesUnknownNames(t *testing.T) {
	x := newTenant(t)
	x.graph = x.Graph() // Microsoft's description would refuse them too
	x.must(x.ChangeApp(x.reader.ID, func(a *App) { a.Roles = append(a.Roles, readAudits, "RoleManagement.Read.Directory") }))
	group, user := "/groups/"+x.group.ID, "/users/"+x.requester.ID
	const policies, roles, audits = "/policies/roleManagementPolicyAssignments?$filter=scopeType eq 'Group' and scopeId eq '", "/roleManagement/directory/roleAssignments", "/auditLogs/directoryAudits"
	for path, want := range map[string]int{
		"/users?$filter=foo eq 'x'": 400, "/users?$filter=foo/any(x:x eq 'x')": 400, "/users?$filter=startswith(foo,'x')": 400, "/users?$filter=id eq 'x' and not (foo eq 'x')": 400,
		"/users?$select=id,foo": 400, "/users?$expand=foo": 400, "/users?$expand=memberOf": 400, "/users?$orderby=displayName": 400, "/users?$search=\"x\"": 400,
		"/users?$skip=1": 400, "/users?$foo=1": 400, "/users?$top=many": 400, "/users?mine=1": 200,
		"/users?$filter=MAIL eq 'x' or otherMails/any(m:m eq 'x') or onPremisesExtensionAttributes/extensionAttribute1 eq 'x'&$select=id,employeeId&$top=5&$count=true": 200,
		"/groups?$filter=mine eq 'x'": 400, "/groups?$select=userPrincipalName": 400, "/groups?$filter=displayName eq 'x'": 200,
		user + "?$select=foo": 400, group + "?$select=foo": 400, group + "?$expand=members": 400, user + "?$select=id,extension_0123_slackUser": 200,
		group + "/members?$filter=foo eq 'x'": 400, group + "/members?$select=foo": 400, group + "/members?$select=id,userPrincipalName": 200,
		group + "/members/foo": 404, group + "/owners/$count": 404, group + "/transitiveMembers/microsoft.graph.user": 200,
		user + "/memberOf?$filter=foo eq 'x'": 400, user + "/memberOf?$select=foo": 400,
		audits + "?$filter=foo eq 'x'": 400, audits + "?$select=foo": 400, audits + "?$orderby=activityDateTime desc&$filter=loggedByService eq 'PIM' and targetResources/any(t:t/id eq 'x')": 200,
		roles + "?$filter=group eq 'x'": 400, roles + "?$select=foo": 400, roles + "?$filter=principalId eq 'x'": 200,
		policies + x.group.ID + "' and foo eq 'x'": 400, policies + x.group.ID + "'&$expand=foo": 400, policies + x.group.ID + "'&$select=foo": 400,
		policies + x.group.ID + "'&$expand=policy($expand=rules)": 200,
	} {
		path = "/v1.0" + path
		if r := x.call(x.asReader(), "GET", path, nil); r.status != want {
			t.Errorf("%s: %d, want %d: %.200s", path, r.status, want, r.raw)
		}
	}
}

// A token of one delta is none of another's.
func TestDeltaTokensBelongToTheirList(t *testing.T) {
	x := newTenant(t)
	x.graph = x.Graph()
	_, link := x.follow("/v1.0/groups/delta")
	_, token, _ := strings.Cut(link, "deltatoken=")
	for path, want := range map[string]int{"/v1.0/groups/delta()": 200, "/v1.0/users/delta": 400} {
		if r := x.call(x.asReader(), "GET", path+"?$deltatoken="+token, nil); r.status != want || want == 400 && r.code() != "Directory_InvalidDeltaToken" {
			t.Errorf("%s: %d %s", path, r.status, r.raw)
		}
	}
}

// Bodies are read strictly: a parameter that is not there, and a recurrence,
// which PIM does not support.
func TestBodiesAreReadStrictly(t *testing.T) {
	x := newTenant(t)
	x.graph = x.Graph()
	path := "/v1.0/users/" + x.requester.ID + "/checkMemberGroups"
	if r := x.call(x.asReader(), "POST", path, obj{"groupIds": []string{x.group.ID}, "transitive": false}); r.status != 400 {
		t.Errorf("an unknown parameter: %d %s", r.status, r.raw)
	}
	often := x.request(selfActivate, "PT1H", "INC1")
	often["scheduleInfo"].(obj)["recurrence"] = obj{"pattern": obj{"type": "daily", "interval": 1}}
	if r := x.call(x.as(x.requester), "POST", base+"assignmentScheduleRequests", often); r.status != 400 || len(x.instances()) != 0 {
		t.Errorf("a recurrence: %d %s", r.status, r.raw)
	}
}

// User.Read is for oneself: of others it tells nothing.
func TestUserReadIsForOneself(t *testing.T) {
	x := newTenant(t)
	x.graph = x.Graph()
	token := func() string {
		x.enter()
		defer x.mu.Unlock()
		return x.accessToken(grant{app: x.app(x.signin.ID), user: x.user(x.requester.ID), in: signIn{user: x.user(x.requester.ID), at: x.at}},
			GraphAudience, []string{"User.Read", "GroupMember.Read.All"}, x.at, tokenLife)
	}()
	for path, want := range map[string]int{"/me/memberOf": 200, "/users/" + x.requester.ID + "/memberOf": 200, "/users/" + x.second.ID + "/memberOf": 403, "/users/" + x.second.ID + "/transitiveMemberOf": 403} {
		if r := x.call(token, "GET", "/v1.0"+path, nil); r.status != want {
			t.Errorf("%s: %d %s", path, r.status, r.raw)
		}
	}
}
