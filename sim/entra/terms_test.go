package entra

import (
	"testing"
	"time"
)

const offers = base + "eligibilityScheduleRequests"

// admin gives the reader everything that PIM's writes need.
func (x *tenant) powers() {
	x.must(x.ChangeApp(x.reader.ID, func(a *App) {
		a.Roles = append(a.Roles, writeAssign, "PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup")
	}))
}

// until is an ask with a fixed end.
func (x *tenant) until(action string, who User, end time.Duration) obj {
	o := x.request(action, "", "because")
	o["principalId"] = who.ID
	if end > 0 {
		o["scheduleInfo"] = obj{"startDateTime": x.at.Format(time.RFC3339), "expiration": obj{"type": "afterDateTime", "endDateTime": x.at.Add(end).Format(time.RFC3339)}}
	} else {
		o["scheduleInfo"] = obj{"startDateTime": x.at.Format(time.RFC3339), "expiration": obj{"type": "noExpiration"}}
	}
	return o
}

const day = 24 * time.Hour

func (x *tenant) eligible(name string) []map[string]any {
	x.t.Helper()
	return x.call(x.asReader(), "GET", base+name+"?$filter=groupId eq '"+x.group.ID+"' and principalId eq '"+x.approver.ID+"'", nil).rows()
}

func TestEligibilityRequests(t *testing.T) {
	x := newTenant(t)
	x.powers()
	post := func(action string, end time.Duration) reply {
		return x.call(x.asReader(), "POST", offers, x.until(action, x.approver, end))
	}
	r := post(adminAssign, 30*day)
	if r.status != 201 || r.body["status"] != "Provisioned" || r.body["action"] != adminAssign {
		t.Fatalf("assign: %d %s", r.status, r.raw)
	}
	if len(x.eligible("eligibilityScheduleInstances")) != 0 {
		t.Error("there at once, but it takes a moment")
	}
	x.pass(2 * time.Second)
	if rows := x.eligible("eligibilityScheduleInstances"); len(rows) != 1 || rows[0]["endDateTime"] == nil {
		t.Errorf("instances: %v", rows)
	}
	if r := post(adminAssign, 30*day); r.code() != "RoleAssignmentExists" {
		t.Errorf("twice: %s", r.raw)
	}
	if r := post(adminRemove, 0); r.code() != "ActiveDurationTooShort" {
		t.Errorf("removed within five minutes: %s", r.raw)
	}
	if r := post(adminUpdate, 10*day); r.status != 201 {
		t.Errorf("update: %d %s", r.status, r.raw)
	}
	if r := post(adminExtend, 9*day); r.code() != "InvalidRoleAssignmentRequestSchedule" {
		t.Errorf("extended to an earlier end: %s", r.raw)
	}
	if r := post(adminExtend, 400*day); r.message() != `The following policy rules failed: ["ExpirationRule"]` {
		t.Errorf("beyond a year: %s", r.raw)
	}
	if r := post(adminRenew, 20*day); r.code() != "RoleAssignmentExists" {
		t.Errorf("renewed what is not over: %s", r.raw)
	}
}

func TestEligibilityIsExtendedAndRenewed(t *testing.T) {
	x := newTenant(t)
	x.powers()
	post := func(action string, end time.Duration) reply {
		return x.call(x.asReader(), "POST", offers, x.until(action, x.approver, end))
	}
	post(adminAssign, 10*day)
	x.pass(2 * time.Second)
	if r := post(adminExtend, 12*day); r.status != 201 {
		t.Errorf("extend: %s", r.raw)
	}
	x.pass(11 * day)
	if len(x.eligible("eligibilityScheduleInstances")) != 1 {
		t.Error("the extension did not hold")
	}
	x.pass(2 * day)
	if len(x.eligible("eligibilityScheduleInstances")) != 0 {
		t.Error("outlived its end")
	}
	if r := post(adminExtend, 12*day); r.code() != "RoleAssignmentDoesNotExist" {
		t.Errorf("extended what is over: %s", r.raw)
	}
	if r := post(adminRenew, 20*day); r.status != 201 {
		t.Errorf("renew: %s", r.raw)
	}
	x.pass(time.Hour)
	r := post(adminRemove, 0)
	if r.status != 201 || r.body["status"] != "Revoked" || len(x.eligible("eligibilityScheduleInstances")) != 0 {
		t.Errorf("remove: %s", r.raw)
	}
	if rows := x.eligible("eligibilityScheduleRequests"); len(rows) != 4 {
		t.Errorf("%d requests", len(rows))
	}
	id := r.body["id"].(string)
	if r := x.call(x.asReader(), "GET", offers+"/"+id, nil); r.body["id"] != id {
		t.Errorf("one: %s", r.raw)
	}
}

func TestEligibilityOfLater(t *testing.T) {
	x := newTenant(t)
	x.powers()
	later := x.until(adminAssign, x.approver, 30*day)
	later["scheduleInfo"].(obj)["startDateTime"] = x.at.Add(day).Format(time.RFC3339)
	if r := x.call(x.asReader(), "POST", offers, later); r.status != 201 {
		t.Fatalf("%s", r.raw)
	}
	if len(x.eligible("eligibilitySchedules")) != 1 || len(x.eligible("eligibilityScheduleInstances")) != 0 {
		t.Error("a schedule now, an instance later")
	}
	x.pass(day + 2*time.Second)
	if len(x.eligible("eligibilityScheduleInstances")) != 1 {
		t.Error("did not begin")
	}
	// An activation of later is a schedule at once, too.
	y := newTenant(t)
	ask := y.request(selfActivate, "PT1H", "INC1")
	ask["scheduleInfo"].(obj)["startDateTime"] = y.at.Add(time.Hour).Format(time.RFC3339)
	y.call(y.as(y.requester), "POST", base+"assignmentScheduleRequests", ask)
	rows := y.call(y.asReader(), "GET", base+"assignmentSchedules?$filter=groupId eq '"+y.group.ID+"'", nil).rows()
	if len(rows) != 1 || len(y.instances()) != 0 {
		t.Errorf("the schedule: %v", rows)
	}
}

func TestRefusedOffers(t *testing.T) {
	x := newTenant(t)
	ask := x.until(adminAssign, x.approver, 30*day)
	if r := x.call(x.asReader(), "POST", offers, ask); r.status != 403 || r.code() != "PermissionScopeNotGranted" {
		t.Errorf("a reader: %d %s", r.status, r.raw)
	}
	x.powers()
	ask["isValidationOnly"] = true
	if r := x.call(x.asReader(), "POST", offers, ask); r.status != 201 || len(x.eligible("eligibilityScheduleRequests")) != 0 {
		t.Errorf("validated: %s", r.raw)
	}
	x.graph = x.Graph()
	for code, ask := range map[string]obj{"InvalidAction": x.request(selfActivate, "PT1H", "x"), "RoleAssignmentDoesNotExist": x.until(adminRemove, x.second, 0),
		"BadRequest": {"colour": "red"}, "SubjectNotFound": x.until(adminAssign, User{ID: "none"}, day)} {
		if r := x.call(x.asReader(), "POST", offers, ask); r.status != 400 || r.code() != code {
			t.Errorf("want %s: %s", code, r.raw)
		}
	}
	s := DefaultSettings()
	s.EligibleExpires, s.AdminExpires = true, true
	x.must(x.SetSettings(x.group.ID, "member", s))
	for _, path := range []string{offers, base + "assignmentScheduleRequests"} {
		if r := x.call(x.asReader(), "POST", path, x.until(adminAssign, x.second, 0)); r.message() != `The following policy rules failed: ["ExpirationRule"]` {
			t.Errorf("permanent: %s", r.raw)
		}
	}
	x.must(x.ChangeApp(x.reader.ID, func(a *App) { a.Roles = []string{"PrivilegedEligibilitySchedule.Remove.AzureADGroup"} }))
	if r := x.call(x.asReader(), "POST", offers, x.until(adminAssign, x.second, day)); r.status != 403 {
		t.Errorf("Remove is no right to give: %d", r.status)
	}
}

// More of an assignment is asked for by its holder, and given in the portal.
func TestExtendAndRenew(t *testing.T) {
	x := newTenant(t)
	x.powers()
	x.must(x.Assign(x.group.ID, "member", x.requester.ID, x.at.Add(20*day)))
	x.pass(time.Minute)
	post := func(action string, end time.Duration) reply {
		return x.call(x.as(x.requester), "POST", base+"assignmentScheduleRequests", x.until(action, x.requester, end))
	}
	if r := post(selfExtend, 30*day); r.code() != "InvalidRoleAssignmentRequestSchedule" {
		t.Errorf("twenty days before its end: %s", r.raw)
	}
	x.pass(10 * day)
	r := post(selfExtend, 30*day)
	if r.status != 201 || r.body["status"] != "PendingAdminDecision" {
		t.Fatalf("extend: %s", r.raw)
	}
	id := r.body["id"].(string)
	if r := post(selfExtend, 30*day); r.code() != "PendingRoleAssignmentRequest" {
		t.Errorf("asked twice: %s", r.raw)
	}
	if r := x.call(x.as(x.approver), "GET", base+"assignmentApprovals/"+id, nil); r.status != 404 {
		t.Errorf("Graph decides no extensions: %d", r.status)
	}
	if code(x.Portal(x.approver.ID).Grant(id, true, "x")) != "Authorization_RequestDenied" {
		t.Error("anybody granted")
	}
	x.must(x.Portal(x.owner.ID).Grant(id, true, "x"))
	if code(x.Portal(x.owner.ID).Grant(id, true, "x")) != "Conflict" || code(x.Portal(x.owner.ID).Grant("none", true, "x")) != "ResourceNotFound" {
		t.Error("granted twice, or nothing")
	}
	x.pass(15 * day)
	if !x.is(x.requester) || x.status(id) != "Provisioned" {
		t.Error("the extension did not hold")
	}
	x.pass(20 * day)
	if x.is(x.requester) {
		t.Error("outlived the extension")
	}
	r = post(selfRenew, 5*day)
	if r.body["status"] != "PendingAdminDecision" {
		t.Fatalf("renew: %s", r.raw)
	}
	x.must(x.Portal(x.owner.ID).Grant(r.body["id"].(string), false, "no"))
	if x.status(r.body["id"]) != "Denied" {
		t.Error("not denied")
	}
	if r := x.call(x.asReader(), "POST", base+"assignmentScheduleRequests", x.until(adminRenew, x.requester, 5*day)); r.status != 201 {
		t.Errorf("an administrator's: %s", r.raw)
	}
	if x.pass(2 * time.Second); !x.is(x.requester) {
		t.Error("not renewed")
	}
	x.Turn(func(d *Dials) { d.NoSelfExtend = true })
	if r := post(selfExtend, 30*day); r.code() != "InvalidAction" {
		t.Errorf("by dial: %s", r.raw)
	}
}

// An activation can be neither extended nor renewed.
func TestActivationsAreNotExtended(t *testing.T) {
	x := newTenant(t)
	x.powers()
	x.activate(201)
	x.pass(time.Minute)
	for _, action := range []string{selfExtend, selfRenew, adminExtend, adminUpdate} {
		token := x.asReader()
		if action[0] == 's' {
			token = x.as(x.requester)
		}
		if r := x.call(token, "POST", base+"assignmentScheduleRequests", x.until(action, x.requester, 5*time.Hour)); r.code() != "RoleAssignmentDoesNotExist" {
			t.Errorf("%s: %s", action, r.raw)
		}
	}
}

func TestWishForEligibilityIsCanceled(t *testing.T) {
	x := newTenant(t)
	x.powers()
	x.must(x.RemoveEligibility(x.elig))
	_, err := x.AddEligibility(x.group.ID, "member", x.requester.ID, x.at.Add(5*day))
	x.must(err)
	r := x.call(func() string {
		x.enter()
		defer x.mu.Unlock()
		u := x.user(x.requester.ID)
		return x.accessToken(grant{app: x.app(x.signin.ID), user: u, in: signIn{user: u, at: x.at}}, GraphAudience, []string{"PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup"}, x.at, tokenLife)
	}(), "POST", offers, x.until(selfExtend, x.requester, 15*day))
	if r.body["status"] != "PendingAdminDecision" {
		t.Fatalf("%s", r.raw)
	}
	x.must(x.Portal(x.owner.ID).Cancel(r.body["id"].(string)))
	if rows := x.call(x.asReader(), "GET", offers+"?$filter=groupId eq '"+x.group.ID+"'", nil).rows(); rows[0]["status"] != "Canceled" {
		t.Errorf("%v", rows)
	}
}
