package entra

import (
	"strings"
	"testing"
	"time"
)

func TestDirectoryRoles(t *testing.T) {
	x := newTenant(t)
	role := x.AddRole(Role{Name: "Security Reader"})
	plain := x.AddGroup(Group{Name: "plain"})
	x.must(x.AssignRole(role.ID, x.group.ID, time.Time{}))
	x.must(x.AssignRole(role.ID, x.owner.ID, x.at.Add(time.Hour)))
	if x.AssignRole(role.ID, plain.ID, time.Time{}) == nil || x.AssignRole("none", x.group.ID, time.Time{}) == nil {
		t.Error("a plain group holds a role, or anybody one that isn't")
	}
	x.must(x.AddTie(x.group.ID, "member", x.requester.ID))
	x.must(x.ChangeApp(x.reader.ID, func(a *App) { a.Roles = append(a.Roles, "RoleManagement.Read.Directory") }))
	get := func(path string) reply {
		return x.call(x.asReader(), "GET", path, nil, "ConsistencyLevel", "eventual")
	}
	const at = "/v1.0/roleManagement/directory/"
	for path, want := range map[string]int{
		at + "roleDefinitions": 1, at + "roleAssignments?$filter=principalId eq '" + x.group.ID + "'": 1, at + "roleAssignments": 2,
		at + "roleAssignmentScheduleInstances?$filter=principalId eq '" + x.group.ID + "' and roleDefinitionId eq '" + role.ID + "'": 1,
		at + "roleAssignmentSchedules?$filter=principalId eq '" + x.owner.ID + "'":                                                   1,
		// What the requester holds by the group is in no list by principal.
		at + "roleAssignments?$filter=principalId eq '" + x.requester.ID + "'":                                                 0,
		"/beta/roleManagement/directory/transitiveRoleAssignments?$count=true&$filter=principalId eq '" + x.requester.ID + "'": 1,
	} {
		if r := get(path); r.status != 200 || len(r.rows()) != want {
			t.Errorf("%s: %d %s", path, r.status, r.raw)
		}
	}
	x.pass(time.Hour)
	if r := get(at + "roleAssignments"); len(r.rows()) != 1 {
		t.Errorf("the hour is over: %s", r.raw)
	}
	x.graph = x.Graph()
	for path, want := range map[string]int{at + "transitiveRoleAssignments?$filter=principalId eq 'x'": 404,
		"/beta/roleManagement/directory/transitiveRoleAssignments?$filter=principalId eq 'x'": 400} {
		if r := get(path); r.status != want {
			t.Errorf("%s: %d", path, r.status)
		}
	}
	if r := x.call(x.as(x.requester), "GET", at+"roleAssignments", nil); r.status != 403 {
		t.Errorf("without the scope: %d", r.status)
	}
}

// The transitive list takes the role in its filter, too; and it may be late.
func TestTransitiveRolesAreFilteredAndLate(t *testing.T) {
	x := newTenant(t)
	one, two := x.AddRole(Role{Name: "Security Reader"}), x.AddRole(Role{Name: "Security Operator"})
	x.must(x.AssignRole(one.ID, x.group.ID, time.Time{}))
	x.must(x.ChangeApp(x.reader.ID, func(a *App) { a.Roles = append(a.Roles, "RoleManagement.Read.Directory") }))
	x.Turn(func(d *Dials) { d.RolesLag = time.Minute })
	x.pass(time.Hour)
	x.must(x.AddTie(x.group.ID, "member", x.requester.ID))
	held := func(role string) int {
		r := x.call(x.asReader(), "GET", "/beta/roleManagement/directory/transitiveRoleAssignments?$count=true&$filter=principalId eq '"+strings.ToUpper(x.requester.ID)+"' and roleDefinitionId eq '"+role+"'", nil, "ConsistencyLevel", "eventual")
		return len(r.rows())
	}
	x.pass(30 * time.Second)
	if n := held(one.ID); n != 0 {
		t.Errorf("half a minute later: %d", n)
	}
	x.pass(time.Minute)
	if is, isnt := held(one.ID), held(two.ID); is != 1 || isnt != 0 {
		t.Errorf("the role: %d, another: %d", is, isnt)
	}
}

func TestAttributesForMapping(t *testing.T) {
	x := newTenant(t)
	u := x.AddUser(User{UPN: "mapped@contoso.example", Mail: "m@contoso.example", Attributes: map[string]any{"employeeId": "U0SLACK",
		"proxyAddresses": []string{"SMTP:m@contoso.example", "smtp:old@contoso.example"}, "onPremisesExtensionAttributes": obj{"extensionAttribute3": "U0SLACK"}}})
	for _, filter := range []string{"employeeId eq 'U0SLACK'", "onPremisesExtensionAttributes/extensionAttribute3 eq 'U0SLACK'", "mail eq 'M@contoso.example'",
		"proxyAddresses/any(x:x eq 'smtp:old@contoso.example')"} {
		r := x.call(x.asReader(), "GET", "/v1.0/users?$filter="+filter+"&$select=id,employeeId,mail,onPremisesExtensionAttributes", nil)
		if rows := r.rows(); len(rows) != 1 || rows[0]["id"] != u.ID || rows[0]["employeeId"] != "U0SLACK" {
			t.Errorf("%s: %s", filter, r.raw)
		}
	}
	if r := x.call(x.asReader(), "GET", "/v1.0/users?$filter=mail eq null", nil); len(r.rows()) != 3 {
		t.Errorf("those without: %s", r.raw)
	}
}

func TestMembershipsOfAUser(t *testing.T) {
	x := newTenant(t)
	outer := x.AddGroup(Group{Name: "outer"})
	x.must(x.AddTie(outer.ID, "member", x.group.ID))
	x.must(x.AddTie(x.group.ID, "member", x.requester.ID))
	if r := x.call(x.asReader(), "GET", "/v1.0/users/"+x.requester.ID+"/memberOf", nil); len(r.rows()) != 1 {
		t.Errorf("directly: %s", r.raw)
	}
	all := x.call(x.asReader(), "POST", "/v1.0/users/"+x.requester.ID+"/getMemberGroups", obj{"securityEnabledOnly": true})
	if len(all.body["value"].([]any)) != 2 {
		t.Errorf("transitively: %s", all.raw)
	}
	x.graph = x.Graph()
	if r := x.call(x.asReader(), "POST", "/v1.0/users/"+x.requester.ID+"/getMemberGroups", obj{}); r.status != 400 {
		t.Errorf("without its flag: %d", r.status)
	}
	for _, path := range []string{"/memberOf", "/getMemberGroups"} {
		method := map[bool]string{true: "GET", false: "POST"}[path == "/memberOf"]
		if r := x.call(x.asReader(), method, "/v1.0/users/none"+path, obj{}); r.status != 404 {
			t.Errorf("%s of nobody: %d", path, r.status)
		}
	}
}

func TestBothScopes(t *testing.T) {
	x := newTenant(t)
	for roles, want := range map[string]int{"GroupMember.Read.All": 403, "User.Read.All": 403, "User.Read.All GroupMember.Read.All": 200, "Directory.Read.All": 200} {
		x.must(x.ChangeApp(x.reader.ID, func(a *App) { a.Roles = strings.Fields(roles) }))
		r := x.call(x.asReader(), "POST", "/v1.0/users/"+x.requester.ID+"/checkMemberGroups", obj{"groupIds": []string{x.group.ID}})
		if r.status != want {
			t.Errorf("%s: %d", roles, r.status)
		}
	}
}
