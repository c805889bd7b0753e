package entra

import (
	"testing"
	"time"
)

func TestActivationWithoutApproval(t *testing.T) {
	x := newTenant(t)
	r := x.activate(201)
	if r.body["status"] != "Provisioned" || r.body["approvalId"] != nil {
		t.Fatalf("created: %s", r.raw)
	}
	if len(x.instances()) != 0 || x.is(x.requester) {
		t.Fatal("an instance before the provisioning delay")
	}
	x.pass(1500 * time.Millisecond)
	rows := x.instances()
	if len(rows) != 1 || rows[0]["assignmentType"] != "activated" || !x.is(x.requester) {
		t.Fatalf("after the delay: %v", rows)
	}
	x.pass(2*time.Hour - 1501*time.Millisecond)
	if len(x.instances()) != 1 {
		t.Fatal("gone before the end")
	}
	x.pass(time.Millisecond)
	if len(x.instances()) != 0 || !x.is(x.requester) {
		t.Fatal("at the end the instance goes, the membership a moment later")
	}
	x.pass(1500 * time.Millisecond)
	if x.is(x.requester) {
		t.Fatal("still a member after the end")
	}
	if !x.Member(x.group.ID, x.requester.ID, x.at.Add(-time.Hour)) {
		t.Fatal("the directory's history forgot the membership")
	}
}

func TestApprovalFirstAnswerWins(t *testing.T) {
	x := newTenant(t)
	x.approval()
	r := x.activate(201)
	id := r.body["id"].(string)
	if r.body["status"] != "PendingApproval" || r.body["approvalId"] != id {
		t.Fatalf("created: %s", r.raw)
	}
	a := x.call(x.as(x.approver), "GET", base+"assignmentApprovals/"+id, nil)
	stage := a.body["stages"].([]any)[0].(map[string]any)
	if a.status != 200 || stage["status"] != "InProgress" || stage["assignedToMe"] != true {
		t.Fatalf("approval: %s", a.raw)
	}
	path := base + "assignmentApprovals/" + id + "/stages/" + stage["id"].(string)
	yes := obj{"reviewResult": "Approve", "justification": "fine"}
	for _, no := range []struct {
		token string
		path  string
		want  int
	}{
		{x.as(x.requester), path, 403}, {x.as(x.owner), path, 403}, {x.asReader(), path, 403},
		{x.as(x.approver), base + "assignmentApprovals/00000000-0000-4000-8000-000000000000/stages/x", 404},
	} {
		if r := x.call(no.token, "PATCH", no.path, yes); r.status != no.want {
			t.Errorf("%s: %d, want %d: %s", no.path, r.status, no.want, r.raw)
		}
	}
	if r := x.call(x.as(x.approver), "PATCH", path, obj{"reviewResult": "Approve"}); r.status != 400 {
		t.Errorf("approved without a word: %d", r.status)
	}
	if r := x.call(x.as(x.approver), "PATCH", path, yes); r.status != 204 || r.raw != "" {
		t.Fatalf("approve: %d %s", r.status, r.raw)
	}
	if r := x.call(x.as(x.second), "PATCH", path, obj{"reviewResult": "Deny", "justification": "no"}); r.status != 409 {
		t.Errorf("second answer: %d", r.status)
	}
	seen := x.call(x.as(x.second), "GET", base+"assignmentApprovals/"+id+"/stages", nil).rows()[0]
	if seen["reviewResult"] != "Approved" || seen["reviewedBy"].(map[string]any)["id"] != x.approver.ID {
		t.Errorf("the stage does not say who decided: %v", seen)
	}
	if s := x.status(id); s != "PendingProvisioning" {
		t.Errorf("approved: %s", s)
	}
	x.pass(1500 * time.Millisecond)
	if s := x.status(id); s != "Provisioned" || !x.is(x.requester) {
		t.Errorf("provisioned: %s", s)
	}
}

// refused asks as the requester, with changes to a good ask, and returns why not.
func (x *tenant) refused(change func(obj), more ...func(*grant)) reply {
	x.t.Helper()
	ask := x.request(selfActivate, "PT2H", "INC1")
	change(ask)
	before := len(x.requests.all)
	r := x.call(x.as(x.requester, more...), "POST", base+"assignmentScheduleRequests", ask)
	if r.status < 400 || len(x.requests.all) != before {
		x.t.Errorf("accepted: %d %s", r.status, r.raw)
	}
	return r
}

func asIs(obj) {}

func TestEveryFailingRuleIsNamed(t *testing.T) {
	x := newTenant(t)
	s := DefaultSettings()
	s.MFA, s.Ticketing, s.MaxDuration = true, true, time.Hour
	x.must(x.SetSettings(x.group.ID, "member", s))
	x.must(x.RemoveEligibility(x.elig))
	r := x.refused(func(o obj) { o["justification"] = " " })
	want := `The following policy rules failed: ["EligibilityRule","ExpirationRule","JustificationRule","TicketingRule","MfaRule"]`
	if r.status != 400 || r.code() != "RoleAssignmentRequestPolicyValidationFailed" || r.message() != want {
		t.Errorf("%d %s", r.status, r.raw)
	}
	_, err := x.AddEligibility(x.group.ID, "member", x.requester.ID, time.Time{})
	x.must(err)
	// MFA of an old session passes in silence.
	x.pass(30 * 24 * time.Hour)
	ask := x.request(selfActivate, "PT1H", "INC1")
	ask["ticketInfo"] = obj{"ticketNumber": "INC1", "ticketSystem": "tickets"}
	old := func(g *grant) { g.in.mfa, g.in.at = true, x.at.Add(-29*24*time.Hour) }
	if r := x.call(x.as(x.requester, old), "POST", base+"assignmentScheduleRequests", ask); r.status != 201 {
		t.Errorf("MFA of the session: %d %s", r.status, r.raw)
	}
}

func TestExpirationRules(t *testing.T) {
	x := newTenant(t)
	for name, schedule := range map[string]any{
		"no end":        obj{"expiration": obj{"type": "noExpiration"}},
		"over maximum":  obj{"expiration": obj{"type": "afterDuration", "duration": "PT8H1M"}},
		"end too late":  obj{"expiration": obj{"type": "afterDateTime", "endDateTime": x.at.Add(9 * time.Hour).Format(time.RFC3339)}},
		"under 5 min":   obj{"expiration": obj{"type": "afterDuration", "duration": "PT4M"}},
		"end is past":   obj{"expiration": obj{"type": "afterDateTime", "endDateTime": x.at.Add(-time.Minute).Format(time.RFC3339)}},
		"no duration":   obj{"expiration": obj{"type": "afterDuration", "duration": "PT0.5H"}},
		"no schedule":   nil,
		"unknown shape": obj{"expiration": obj{"type": "afterDuration", "duration": "PT1H"}, "starts": "now"},
	} {
		r := x.refused(func(o obj) { o["scheduleInfo"] = schedule })
		want := map[string]string{"no end": "RoleAssignmentRequestPolicyValidationFailed", "over maximum": "RoleAssignmentRequestPolicyValidationFailed",
			"end too late": "RoleAssignmentRequestPolicyValidationFailed", "under 5 min": "ActiveDurationTooShort", "unknown shape": "BadRequest"}[name]
		if r.status != 400 || r.code() != orElse(want, "InvalidRoleAssignmentRequestSchedule") {
			t.Errorf("%s: %d %s", name, r.status, r.raw)
		}
	}
}

func TestWrongAsks(t *testing.T) {
	x := newTenant(t)
	for _, c := range []struct {
		change func(obj)
		status int
		code   string
	}{
		{func(o obj) { o["action"] = "dance" }, 400, "InvalidAction"},
		{func(o obj) { o["accessId"] = "reader" }, 400, "RoleNotFound"},
		{func(o obj) { o["groupId"] = "nobody" }, 400, "ResourceNotFound"},
		{func(o obj) { o["principalId"] = "requester@contoso.example" }, 400, "SubjectNotFound"},
		{func(o obj) { o["principalId"] = x.approver.ID }, 403, "Authorization_RequestDenied"},
		{func(o obj) { o["action"] = adminAssign }, 403, "Authorization_RequestDenied"},
		{func(o obj) { o["colour"] = "red" }, 400, "BadRequest"},
	} {
		if r := x.refused(c.change); r.status != c.status || r.code() != c.code {
			t.Errorf("%d %s, want %d %s", r.status, r.raw, c.status, c.code)
		}
	}
}

func TestAlreadySo(t *testing.T) {
	x := newTenant(t)
	x.activate(201)
	for _, change := range []func(obj){asIs, func(o obj) {
		o["scheduleInfo"].(obj)["startDateTime"] = x.at.Add(3 * time.Hour).Format(time.RFC3339) // even a future start
	}} {
		if r := x.refused(change); r.code() != "RoleAssignmentExists" {
			t.Error(r.raw)
		}
	}
	y := newTenant(t)
	y.approval()
	y.activate(201)
	if r := y.refused(asIs); r.code() != "PendingRoleAssignmentRequest" {
		t.Error(r.raw)
	}
	y.Turn(func(d *Dials) { d.Duplicate = "RoleAssignmentRequestExists" })
	if r := y.refused(asIs); r.code() != "RoleAssignmentRequestExists" {
		t.Error(r.raw)
	}
}

func (x *tenant) deactivate() reply {
	x.t.Helper()
	return x.call(x.as(x.requester), "POST", base+"assignmentScheduleRequests", x.request(selfDeactivate, "", ""))
}

func TestDeactivation(t *testing.T) {
	x := newTenant(t)
	if r := x.deactivate(); r.code() != "RoleAssignmentDoesNotExist" {
		t.Error(r.raw)
	}
	x.activate(201)
	if r := x.deactivate(); r.code() != "RoleAssignmentDoesNotExist" {
		t.Errorf("right after activation: %s", r.raw)
	}
	x.pass(5*time.Minute - time.Second)
	if r := x.deactivate(); r.code() != "ActiveDurationTooShort" || r.message() != tooShort {
		t.Errorf("inside five minutes: %s", r.raw)
	}
	x.pass(time.Second)
	if r := x.deactivate(); r.status != 201 || r.body["status"] != "Revoked" {
		t.Fatalf("%d %s", r.status, r.raw)
	}
	x.pass(2 * time.Second)
	if x.is(x.requester) || len(x.instances()) != 1 {
		t.Error("the directory forgets within seconds, the reads later")
	}
	if r := x.deactivate(); r.code() != "RoleAssignmentDoesNotExist" {
		t.Errorf("twice: %s", r.raw)
	}
	x.pass(9 * time.Second)
	if r := x.refused(asIs); r.code() != "RoleAssignmentExists" {
		t.Errorf("11 s later: %s", r.raw)
	}
	x.pass(time.Second)
	if len(x.instances()) != 0 {
		t.Error("still read after 12 s")
	}
	x.activate(201)
}

func TestFutureStartAndCancel(t *testing.T) {
	x := newTenant(t)
	ask := x.request(selfActivate, "PT1H", "INC1")
	start := x.at.Add(2 * time.Hour)
	ask["scheduleInfo"].(obj)["startDateTime"] = start.Format(time.RFC3339)
	r := x.call(x.as(x.requester), "POST", base+"assignmentScheduleRequests", ask)
	if r.status != 201 || r.body["status"] != "Granted" {
		t.Fatalf("%d %s", r.status, r.raw)
	}
	id := r.body["id"].(string)
	x.pass(2*time.Hour + 2*time.Second)
	if rows := x.instances(); len(rows) != 1 || x.status(id) != "Provisioned" || rows[0]["endDateTime"] != when(start.Add(time.Hour)) {
		t.Errorf("at its start: %v %s", rows, x.status(id))
	}
	cancel := func(id string, u User) reply {
		return x.call(x.as(u), "POST", base+"assignmentScheduleRequests/"+id+"/cancel", nil)
	}
	if r := cancel(id, x.requester); r.status != 400 {
		t.Errorf("cancelled what is active: %d", r.status)
	}
	x.pass(time.Hour)
	r = x.call(x.as(x.requester), "POST", base+"assignmentScheduleRequests", ask) // its start is past now: at once
	if r.body["status"] != "Provisioned" || r.body["scheduleInfo"].(map[string]any)["startDateTime"] != when(x.at) {
		t.Errorf("a past start: %s", r.raw)
	}
	y := newTenant(t)
	y.approval()
	r = y.activate(201)
	x = y
	id = r.body["id"].(string)
	if r := cancel(id, y.approver); r.status != 403 {
		t.Errorf("another person cancelled: %d", r.status)
	}
	if r := cancel(id, y.requester); r.status != 204 || y.status(id) != "Canceled" {
		t.Errorf("%d %s", r.status, r.raw)
	}
	if r := cancel("nobody", y.requester); r.status != 404 {
		t.Errorf("unknown: %d", r.status)
	}
	if err := y.Portal(y.approver.ID).Decide(id, true, "late"); err == nil {
		t.Error("approved after the cancel")
	}
	y.activate(201)
}

// Entra's provisioning tells an activation from other ways in.
func TestActivationsAreToldApart(t *testing.T) {
	x := newTenant(t)
	x.activate(201)
	x.must(x.AddTie(x.group.ID, "member", x.second.ID))
	x.must(x.Assign(x.group.ID, "member", x.owner.ID, x.at.AddDate(0, 1, 0)))
	x.pass(time.Minute)
	for who, want := range map[string]bool{x.requester.ID: true, x.second.ID: false, x.owner.ID: false, x.approver.ID: false} {
		if got := x.Activated(x.group.ID, who, x.at); got != want || !got && who != x.approver.ID && !x.DirectMember(x.group.ID, who, x.at) {
			t.Errorf("%s: %v, want %v", who, got, want)
		}
	}
}
