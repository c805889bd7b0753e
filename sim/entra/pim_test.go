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
