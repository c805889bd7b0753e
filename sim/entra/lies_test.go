package entra

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestReadsLag(t *testing.T) {
	x := newTenant(t)
	x.Turn(func(d *Dials) { d.ReadLag = 12 * time.Second })
	id := x.activate(201).body["id"].(string)
	if r := x.call(x.asReader(), "GET", base+"assignmentScheduleRequests/"+id, nil); r.status != 404 {
		t.Errorf("read at once: %d", r.status)
	}
	x.pass(12 * time.Second)
	if x.status(id) != "Provisioned" || len(x.instances()) != 0 {
		t.Error("the request after 12 s, the instance after 13.5")
	}
	x.pass(1500 * time.Millisecond)
	if len(x.instances()) != 1 {
		t.Error("no instance after 13.5 s")
	}
}

func TestMembershipLags(t *testing.T) {
	x := newTenant(t)
	x.Turn(func(d *Dials) { d.MembershipLag = time.Minute })
	x.activate(201)
	x.pass(time.Minute)
	if len(x.instances()) != 1 || x.is(x.requester) {
		t.Error("the instance is there, the membership is not yet")
	}
	x.pass(2 * time.Second)
	if !x.is(x.requester) {
		t.Error("no membership after a minute")
	}
	y := newTenant(t)
	y.Turn(func(d *Dials) { d.MembershipNever = true })
	y.activate(201)
	y.pass(time.Hour)
	if len(y.instances()) != 1 || y.is(y.requester) {
		t.Error("never is never")
	}
}

func TestCreateMayTakeItsTime(t *testing.T) {
	for _, c := range []struct{ first, then string }{{"PendingProvisioning", "Provisioned"}, {"PendingScheduleCreation", "Failed"}, {"PendingSomethingNew", "Provisioned"}} {
		x := newTenant(t)
		x.Turn(func(d *Dials) { d.Created, d.SettleTo, d.Provision = c.first, c.then, 30*time.Second })
		r := x.activate(201)
		if r.body["status"] != c.first {
			t.Errorf("created: %v", r.body["status"])
		}
		x.pass(31 * time.Second)
		if got := x.status(r.body["id"]); got != c.then || x.is(x.requester) != (c.then == "Provisioned") {
			t.Errorf("then %s, member %v", got, x.is(x.requester))
		}
	}
}

func TestCasingAndSparseness(t *testing.T) {
	x := newTenant(t)
	x.graph = x.Graph() // these lies are against the description
	x.Turn(func(d *Dials) { d.Pascal = true })
	r := x.activate(201)
	if r.body["action"] != "SelfActivate" || r.body["accessId"] != "Member" || r.body["scheduleInfo"].(map[string]any)["expiration"].(map[string]any)["type"] != "AfterDuration" {
		t.Errorf("casing: %s", r.raw)
	}
	x.pass(2 * time.Second)
	if row := x.instances()[0]; row["assignmentType"] != "Activated" || row["memberType"] != "Direct" {
		t.Errorf("casing: %v", row)
	}
	y := newTenant(t)
	y.approval()
	y.Turn(func(d *Dials) { d.Sparse = true })
	r = y.activate(201)
	for _, k := range []string{"approvalId", "createdBy", "targetScheduleId"} {
		if _, ok := r.body[k]; ok {
			t.Errorf("%s is there", k)
		}
	}
	z := newTenant(t)
	z.approval()
	z.Turn(func(d *Dials) { d.CompletedEarly = true })
	if r := z.activate(201); r.body["completedDateTime"] == nil || r.body["status"] != "PendingApproval" {
		t.Errorf("completed early: %s", r.raw)
	}
	v := newTenant(t)
	v.Turn(func(d *Dials) { d.ApprovalAlways = true })
	if r := v.activate(201); r.body["approvalId"] != r.body["id"] {
		t.Errorf("approvalId: %s", r.raw)
	}
}

func TestErrorShapes(t *testing.T) {
	x := newTenant(t)
	wrapped := func(r reply) bool { return strings.Contains(r.raw, `"UnknownError"`) }
	bare := func(o obj) { o["justification"] = "" }
	for shape, want := range map[string]bool{"book": false, "plain": false, "wrapped": true} {
		x.Turn(func(d *Dials) { d.Shape = shape })
		if r := x.refused(bare); wrapped(r) != want || r.code() != "RoleAssignmentRequestPolicyValidationFailed" {
			t.Errorf("%s: %s", shape, r.raw)
		}
		r := x.call(x.as(x.requester), "GET", "/v1.0/policies/roleManagementPolicyAssignments", nil)
		if wrapped(r) != (shape != "plain") || r.code() != "PermissionScopeNotGranted" || r.status != 403 {
			t.Errorf("%s: %s", shape, r.raw)
		}
	}
	x.Turn(func(d *Dials) { d.Shape, d.RefusedAs = "book", 403 })
	if r := x.refused(bare); r.status != 403 || r.code() != "RoleAssignmentRequestPolicyValidationFailed" {
		t.Errorf("as 403: %s", r.raw)
	}
}

func TestAuthenticationContext(t *testing.T) {
	x := newTenant(t)
	s := DefaultSettings()
	s.AuthContext = "c1"
	x.must(x.SetSettings(x.group.ID, "member", s))
	acrs := func(g *grant) { g.acrs = []string{"c1"} }
	cp1 := func(g *grant) { g.cp1 = true }
	r := x.refused(asIs)
	var in struct{ Message string }
	if err := json.Unmarshal([]byte(r.message()), &in); err != nil || r.status != 400 || r.code() != "RoleAssignmentRequestAcrsValidationFailed" {
		t.Fatalf("%d %s", r.status, r.raw)
	}
	// As captured, character by character.
	if want := "&claims=%7B%22access_token%22%3A%7B%22acrs%22%3A%7B%22essential%22%3Atrue%2C%20%22value%22%3A%22c1%22%7D%7D%7D"; in.Message != want {
		t.Errorf("message %s\nwant    %s", in.Message, want)
	}
	if claims, err := url.PathUnescape(in.Message); err != nil || claims != `&claims={"access_token":{"acrs":{"essential":true, "value":"c1"}}}` {
		t.Errorf("%s %v", claims, err)
	}
	x.refused(asIs, acrs) // without cp1 it is not believed
	x.refused(asIs, cp1)
	x.refused(asIs, cp1, func(g *grant) { g.acrs = []string{"c2"} })
	x.Turn(func(d *Dials) { d.AcrsNever = true })
	x.refused(asIs, acrs, cp1)
	x.Turn(func(d *Dials) { d.AcrsNever = false })
	if r := x.call(x.as(x.requester, acrs, cp1), "POST", base+"assignmentScheduleRequests", x.request(selfActivate, "PT1H", "INC1")); r.status != 201 {
		t.Errorf("with the claim: %d %s", r.status, r.raw)
	}
	s.MFA = true
	if err := x.SetSettings(x.group.ID, "member", s); err == nil || !strings.Contains(err.Error(), "MfaAndAcrsConflict") {
		t.Errorf("MFA and a context together: %v", err)
	}
}

func TestNobodyAsksApprovers(t *testing.T) {
	x := newTenant(t)
	s := DefaultSettings()
	s.AuthContext, s.Approval, s.Approvers = "c1", true, []Approver{{User: x.approver.ID}}
	x.must(x.SetSettings(x.group.ID, "member", s))
	id, err := x.Portal(x.requester.ID).Activate(x.group.ID, "member", time.Hour, "x")
	x.must(err)
	if r := x.call(x.as(x.approver), "PATCH", base+"assignmentApprovals/"+id+"/stages/"+id, obj{"reviewResult": "Approve", "justification": "ok"}); r.status != 204 {
		t.Errorf("asked the approver for more: %d %s", r.status, r.raw)
	}
}

func TestStepsAndStages(t *testing.T) {
	for _, version := range []string{"/v1.0", "/beta"} {
		for _, name := range []string{"stages", "steps"} {
			x := newTenant(t)
			x.graph = x.Graph() // v1.0 describes no /steps
			x.approval()
			id := x.activate(201).body["id"].(string)
			at := version + pag + "assignmentApprovals/" + id
			if r := x.call(x.as(x.approver), "GET", at+"/"+name, nil); r.status != 200 || len(r.rows()) != 1 {
				t.Errorf("%s %s: %s", version, name, r.raw)
			}
			r := x.call(x.as(x.approver), "GET", at, nil)
			if _, steps := r.body["steps"]; steps != (version == "/beta") {
				t.Errorf("%s: %s", version, r.raw)
			}
			if r := x.call(x.as(x.approver), "GET", at+"/"+name+"/"+id, nil); r.body["status"] != "InProgress" {
				t.Errorf("one: %s", r.raw)
			}
			if r := x.call(x.as(x.approver), "PATCH", at+"/"+name+"/"+id, obj{"reviewResult": "Deny", "justification": "no"}); r.status != 204 || x.status(id) != "Denied" {
				t.Errorf("%s %s: %d %s", version, name, r.status, r.raw)
			}
		}
	}
}

// A tenant may know one of the two names only.
func TestOneNameOfStages(t *testing.T) {
	for only, other := range map[string]string{"stages": "steps", "steps": "stages"} {
		x := newTenant(t)
		x.graph = x.Graph()
		x.approval()
		x.Turn(func(d *Dials) { d.StageNames = only })
		id := x.activate(201).body["id"].(string)
		for _, name := range []string{other, only} {
			want := map[bool]int{true: 204, false: 404}[name == only]
			if r := x.call(x.as(x.approver), "PATCH", base+"assignmentApprovals/"+id+"/"+name+"/"+id, obj{"reviewResult": "Deny", "justification": "no"}); r.status != want {
				t.Errorf("%s where there are %s: %d %s", name, only, r.status, r.raw)
			}
		}
	}
}

func TestApplicationsAreNoPersons(t *testing.T) {
	x := newTenant(t)
	x.must(x.ChangeApp(x.reader.ID, func(a *App) { a.Roles = []string{writeAssign} }))
	post := func(o obj) reply { return x.call(x.asReader(), "POST", base+"assignmentScheduleRequests", o) }
	if r := post(x.request(selfActivate, "PT1H", "INC1")); r.status != 403 || r.code() != "UnauthorizedAccessException" {
		t.Errorf("selfActivate: %d %s", r.status, r.raw)
	}
	for _, r := range []reply{x.call(x.asReader(), "GET", base+"assignmentApprovals/any", nil),
		x.call(x.asReader(), "PATCH", base+"assignmentApprovals/any/stages/any", obj{"reviewResult": "Approve", "justification": "x"})} {
		if r.status != 403 || r.code() != "UnauthorizedAccessException" {
			t.Errorf("an app at an approval: %d %s", r.status, r.raw)
		}
	}
	// adminAssign asks neither for eligibility nor for approval.
	x.approval()
	x.must(x.RemoveEligibility(x.elig))
	long := x.request(adminAssign, "P25W4D", "standing") // P179D, as the SDK writes it
	r := post(long)
	if r.status != 201 || r.body["status"] != "Provisioned" || r.body["createdBy"].(map[string]any)["user"].(map[string]any)["id"] != nil {
		t.Fatalf("adminAssign: %d %s", r.status, r.raw)
	}
	x.pass(6 * time.Minute)
	if row := x.instances()[0]; row["assignmentType"] != "assigned" || !x.is(x.requester) {
		t.Errorf("assigned: %v", row)
	}
	if r := x.deactivate(); r.code() != "RoleAssignmentDoesNotExist" {
		t.Errorf("a standing row is not deactivated: %s", r.raw)
	}
	x.must(x.ChangeApp(x.reader.ID, func(a *App) {
		a.Roles = []string{"PrivilegedAssignmentSchedule.Read.AzureADGroup", "PrivilegedAssignmentSchedule.Remove.AzureADGroup"}
	}))
	if r := post(x.request(adminAssign, "PT1H", "x")); r.status != 403 {
		t.Errorf("Remove is no right to assign: %d", r.status)
	}
	if r := post(x.request(adminRemove, "", "over")); r.status != 201 || r.body["status"] != "Revoked" {
		t.Errorf("adminRemove: %d %s", r.status, r.raw)
	}
	y := newTenant(t)
	y.must(y.ChangeApp(y.reader.ID, func(a *App) { a.Roles = []string{writeAssign} }))
	y.Turn(func(d *Dials) { d.AppActivates = true })
	if r := y.call(y.asReader(), "POST", base+"assignmentScheduleRequests", y.request(selfActivate, "PT1H", "INC1")); r.status != 201 {
		t.Errorf("by dial: %d %s", r.status, r.raw)
	}
}

func TestValidationOnlyChangesNothing(t *testing.T) {
	for _, status := range []int{200, 201, 204} {
		x := newTenant(t)
		x.graph = x.Graph()
		x.Turn(func(d *Dials) { d.Validated = status })
		ask := x.request(selfActivate, "PT1H", "INC1")
		ask["isValidationOnly"] = true
		if r := x.call(x.as(x.requester), "POST", base+"assignmentScheduleRequests", ask); r.status != status {
			t.Errorf("%d %s", r.status, r.raw)
		}
		ask["justification"] = ""
		if r := x.call(x.as(x.requester), "POST", base+"assignmentScheduleRequests", ask); r.status != 400 {
			t.Errorf("a bad one: %d", r.status)
		}
		x.pass(time.Minute)
		if len(x.requests.all)+len(x.rows.all) != 0 || len(x.Writes()) != 0 {
			t.Error("changed something")
		}
	}
}

func TestDurations(t *testing.T) {
	for s, want := range map[string]time.Duration{"PT30M": 30 * time.Minute, "P30D": 30 * day, "P4W2D": 30 * day, "P52W1D": 365 * day, "P25W5D": 180 * day,
		"PT1H45M": 105 * time.Minute, "P1DT1H": 25 * time.Hour, "P2W": 14 * day} {
		if got, err := parseDuration(s, true); err != nil || got != want {
			t.Errorf("%s: %v %v", s, got, err)
		}
		if back, err := parseDuration(isoDuration(want), false); err != nil || back != want {
			t.Errorf("%s back: %v %v", isoDuration(want), back, err)
		}
	}
	for _, s := range []string{"", "P", "PT", "PT0.5H", "2h", "P1DT", "P1M"} {
		if d, err := parseDuration(s, true); err == nil {
			t.Errorf("%q is %v", s, d)
		}
	}
	if _, err := parseDuration("P52W1D", false); err == nil {
		t.Error("weeks beside days are no ISO 8601, by dial")
	}
}
