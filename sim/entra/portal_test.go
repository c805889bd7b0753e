package entra

import (
	"errors"
	"testing"
	"time"
)

func TestNobodyDecides(t *testing.T) {
	for _, end := range []string{"Denied", "Failed", "Canceled"} {
		x := newTenant(t)
		x.approval()
		x.Turn(func(d *Dials) { d.TimeoutStatus = end })
		id := x.activate(201).body["id"].(string)
		x.pass(24*time.Hour - time.Second)
		if s := x.status(id); s != "PendingApproval" {
			t.Errorf("before the end: %s", s)
		}
		x.pass(time.Second)
		if s := x.status(id); s != end {
			t.Errorf("after 24 hours: %s, want %s", s, end)
		}
		a := x.call(x.as(x.approver), "GET", base+"assignmentApprovals/"+id+"/stages", nil).rows()[0]
		if a["status"] != "Expired" {
			t.Errorf("stage: %v", a)
		}
		if code(x.Portal(x.approver.ID).Decide(id, true, "late")) != "Conflict" {
			t.Error("approved after the end")
		}
	}
}

func code(err error) string {
	var no *refusal
	if errors.As(err, &no) {
		return no.code
	}
	return ""
}

// A duration counts from the approval, an end time doesn't move.
func TestLateApproval(t *testing.T) {
	for _, fixed := range []bool{false, true} {
		x := newTenant(t)
		x.approval()
		ask := x.request(selfActivate, "PT2H", "INC1")
		want := x.at.Add(3 * time.Hour)
		if fixed {
			want = x.at.Add(2 * time.Hour)
			ask["scheduleInfo"].(obj)["expiration"] = obj{"type": "afterDateTime", "endDateTime": want.Format(time.RFC3339)}
		}
		r := x.call(x.as(x.requester), "POST", base+"assignmentScheduleRequests", ask)
		x.pass(time.Hour)
		x.must(x.Portal(x.second.ID).Decide(r.body["id"].(string), true, "fine"))
		x.pass(2 * time.Second)
		if rows := x.instances(); len(rows) != 1 || rows[0]["endDateTime"] != when(want) {
			t.Errorf("fixed %v: %v, want %v", fixed, rows, want)
		}
	}
	x := newTenant(t)
	x.approval()
	ask := x.request(selfActivate, "", "INC1")
	ask["scheduleInfo"] = obj{"expiration": obj{"type": "afterDateTime", "endDateTime": x.at.Add(time.Hour).Format(time.RFC3339)}}
	r := x.call(x.as(x.requester), "POST", base+"assignmentScheduleRequests", ask)
	x.pass(2 * time.Hour)
	x.must(x.Portal(x.second.ID).Decide(r.body["id"].(string), true, "too late"))
	if s := x.status(r.body["id"]); s != "Failed" {
		t.Errorf("approved after the asked end: %s", s)
	}
}

func TestOwnRequest(t *testing.T) {
	x := newTenant(t)
	s := DefaultSettings()
	s.Approval, s.Approvers = true, []Approver{{User: x.requester.ID}, {User: x.approver.ID}}
	x.must(x.SetSettings(x.group.ID, "member", s))
	id := x.activate(201).body["id"].(string)
	if err := x.Portal(x.requester.ID).Decide(id, true, "me"); code(err) != "Authorization_RequestDenied" {
		t.Errorf("approved their own: %v", err)
	}
	x.Turn(func(d *Dials) { d.OwnApproval = true })
	x.must(x.Portal(x.requester.ID).Decide(id, true, "me"))
}

func TestApproverGroupIsTransitive(t *testing.T) {
	x := newTenant(t)
	outer, inner := x.AddGroup(Group{Name: "approvers"}), x.AddGroup(Group{Name: "on-call"})
	x.must(x.AddTie(outer.ID, "member", inner.ID))
	x.must(x.AddTie(inner.ID, "member", x.second.ID))
	s := DefaultSettings()
	s.Approval, s.Approvers = true, []Approver{{Group: outer.ID}}
	x.must(x.SetSettings(x.group.ID, "member", s))
	id := x.activate(201).body["id"].(string)
	queue := x.call(x.as(x.second), "GET", base+"assignmentScheduleRequests/filterByCurrentUser(on='approver')?$filter=status eq 'PendingApproval'", nil)
	if len(queue.rows()) != 1 {
		t.Errorf("queue: %s", queue.raw)
	}
	if none := x.call(x.as(x.approver), "GET", base+"assignmentScheduleRequests/filterByCurrentUser(on='approver')", nil); len(none.rows()) != 0 {
		t.Errorf("another's queue: %s", none.raw)
	}
	x.must(x.RemoveTie(inner.ID, "member", x.second.ID))
	if err := x.Portal(x.second.ID).Decide(id, true, "left"); code(err) != "Authorization_RequestDenied" {
		t.Errorf("decided after leaving the group: %v", err)
	}
}

func TestPortalActivates(t *testing.T) {
	x := newTenant(t)
	s := DefaultSettings()
	s.MFA, s.Ticketing = true, true
	x.must(x.SetSettings(x.group.ID, "member", s))
	id, err := x.Portal(x.requester.ID).Activate(x.group.ID, "member", time.Hour, "by hand")
	x.must(err)
	x.pass(6 * time.Minute)
	if x.status(id) != "Provisioned" || !x.is(x.requester) {
		t.Error("not active")
	}
	if len(x.Writes()) != 0 || len(x.Counters()) != 0 {
		t.Errorf("the portal's deeds count as Graph's: %v", x.Writes())
	}
	if _, err := x.Portal(x.approver.ID).Remove(x.group.ID, "member", x.requester.ID, "no right to"); err == nil {
		t.Error("anybody may remove")
	}
	_, err = x.Portal(x.owner.ID).Remove(x.group.ID, "member", x.requester.ID, "revoked")
	x.must(err)
	x.pass(2 * time.Second)
	if x.is(x.requester) {
		t.Error("still a member after the administrator's removal")
	}
}

func TestRemovalDials(t *testing.T) {
	x := newTenant(t)
	x.Turn(func(d *Dials) { d.RemoveActivated, d.EligibilityEnds = false, false })
	x.activate(201)
	x.pass(6 * time.Minute)
	if _, err := x.Portal(x.owner.ID).Remove(x.group.ID, "member", x.requester.ID, "x"); code(err) != "RoleAssignmentDoesNotExist" {
		t.Errorf("removed an activated row: %v", err)
	}
	x.must(x.RemoveEligibility(x.elig))
	if x.pass(time.Minute); !x.is(x.requester) {
		t.Error("ended with its eligibility against the dial")
	}
	y := newTenant(t)
	y.activate(201)
	y.pass(time.Minute)
	y.must(y.RemoveEligibility(y.elig))
	if y.pass(2 * time.Second); y.is(y.requester) {
		t.Error("outlived its eligibility")
	}
	z := newTenant(t)
	z.activate(201)
	z.pass(time.Minute)
	z.must(z.RemoveTie(z.group.ID, "member", z.requester.ID))
	if z.is(z.requester) || len(z.instances()) != 1 {
		t.Error("a removal past PIM takes the member, not the instance")
	}
}

func TestLastOwnerStays(t *testing.T) {
	x := newTenant(t)
	_, err := x.AddEligibility(x.group.ID, "owner", x.requester.ID, time.Time{})
	x.must(err)
	_, err = x.Portal(x.requester.ID).Activate(x.group.ID, "owner", time.Hour, "own it")
	x.must(err)
	owns := func() bool {
		x.enter()
		defer x.mu.Unlock()
		return x.tied(edge{x.group.ID, "owner", x.requester.ID}, x.at)
	}
	x.pass(5 * time.Hour)
	if !owns() {
		t.Fatal("PIM took the last owner out")
	}
	x.must(x.AddTie(x.group.ID, "owner", x.owner.ID))
	x.pass(time.Hour)
	if owns() {
		t.Error("did not try again when there was another owner")
	}
}

// After 30 days PIM leaves the last owner alone, whoever comes then.
func TestLastOwnerIsLeftAlone(t *testing.T) {
	x := newTenant(t)
	_, err := x.AddEligibility(x.group.ID, "owner", x.requester.ID, time.Time{})
	x.must(err)
	_, err = x.Portal(x.requester.ID).Activate(x.group.ID, "owner", time.Hour, "own it")
	x.must(err)
	x.pass(31 * 24 * time.Hour)
	x.must(x.AddTie(x.group.ID, "owner", x.owner.ID))
	x.pass(24 * time.Hour)
	if owners := x.State()["groups"].([]obj)[0]["owners"].([]string); len(owners) != 2 {
		t.Errorf("owners %v", owners)
	}
}

func TestNestedEligibility(t *testing.T) {
	x := newTenant(t)
	team := x.AddGroup(Group{Name: "team"})
	x.must(x.AddTie(team.ID, "member", x.approver.ID))
	_, err := x.AddEligibility(x.group.ID, "member", team.ID, time.Time{})
	x.must(err)
	mine := x.call(x.as(x.approver), "GET", base+"eligibilityScheduleInstances/filterByCurrentUser(on='principal')", nil)
	if mine.status != 403 {
		t.Errorf("read eligibility with an assignment scope: %d", mine.status)
	}
	x.signin = x.AddApp(App{Name: "wider", Delegated: []string{sessionScope}})
	wide := func() string {
		x.enter()
		defer x.mu.Unlock()
		u := x.user(x.approver.ID)
		return x.accessToken(grant{app: x.app(x.signin.ID), user: u, in: signIn{user: u, at: x.at, mfa: true}}, GraphAudience,
			[]string{"PrivilegedEligibilitySchedule.Read.AzureADGroup"}, x.at, tokenLife)
	}()
	mine = x.call(wide, "GET", base+"eligibilityScheduleInstances/filterByCurrentUser(on='principal')", nil)
	if rows := mine.rows(); len(rows) != 1 || rows[0]["principalId"] != team.ID {
		t.Errorf("the row carries the group's id: %s", mine.raw)
	}
	_, err = x.Portal(x.approver.ID).Activate(x.group.ID, "member", time.Hour, "with my own id")
	x.must(err)
	if x.pass(2 * time.Second); !x.is(x.approver) {
		t.Error("not active")
	}
}

func TestPortalCancels(t *testing.T) {
	x := newTenant(t)
	x.approval()
	id := x.activate(201).body["id"].(string)
	if code(x.Portal(x.approver.ID).Cancel(id)) != "Authorization_RequestDenied" {
		t.Error("another person cancelled")
	}
	x.must(x.Portal(x.owner.ID).Cancel(id)) // an administrator who is no approver
	if code(x.Portal(x.approver.ID).Decide(id, true, "late")) != "Conflict" || x.status(id) != "Canceled" {
		t.Errorf("decided after the cancel: %s", x.status(id))
	}
	// A future start is withdrawn before it begins.
	y := newTenant(t)
	ask := y.request(selfActivate, "PT1H", "INC1")
	ask["scheduleInfo"].(obj)["startDateTime"] = y.at.Add(time.Hour).Format(time.RFC3339)
	id = y.call(y.as(y.requester), "POST", base+"assignmentScheduleRequests", ask).body["id"].(string)
	y.must(y.Portal(y.requester.ID).Cancel(id))
	y.pass(2 * time.Hour)
	if y.status(id) != "Canceled" || y.is(y.requester) || len(y.instances()) != 0 {
		t.Errorf("began nevertheless: %s", y.status(id))
	}
}

func TestStandingAssignment(t *testing.T) {
	x := newTenant(t)
	x.must(x.Assign(x.group.ID, "member", x.requester.ID, time.Time{}))
	x.pass(2 * time.Second)
	row := x.instances()[0]
	if row["assignmentType"] != "assigned" || row["startDateTime"] != nil || row["endDateTime"] != nil || !x.is(x.requester) {
		t.Errorf("a permanent row has no dates: %v", row)
	}
	if r := x.refused(asIs); r.code() != "RoleAssignmentExists" {
		t.Error(r.raw)
	}
	if len(x.requests.all) != 0 {
		t.Error("a standing assignment of the past left a request")
	}
	y := newTenant(t)
	y.must(y.Assign(y.group.ID, "member", y.requester.ID, y.at.Add(time.Hour)))
	y.pass(time.Hour + 2*time.Second)
	if y.is(y.requester) {
		t.Error("outlived its end")
	}
	if y.Assign("none", "member", y.requester.ID, time.Time{}) == nil {
		t.Error("assigned to nothing")
	}
}

func TestEligibilityEnds(t *testing.T) {
	x := newTenant(t)
	x.must(x.RemoveEligibility(x.elig))
	_, err := x.AddEligibility(x.group.ID, "member", x.requester.ID, x.at.Add(time.Hour))
	x.must(err)
	x.activate(201) // for two hours
	x.pass(time.Hour - time.Second)
	if !x.is(x.requester) {
		t.Error("ended early")
	}
	x.pass(3 * time.Second)
	if x.is(x.requester) {
		t.Error("outlived the eligibility behind it")
	}
}

func TestLastOwnerByDial(t *testing.T) {
	x := newTenant(t)
	x.Turn(func(d *Dials) { d.KeepLastOwner = false })
	_, err := x.AddEligibility(x.group.ID, "owner", x.requester.ID, time.Time{})
	x.must(err)
	_, err = x.Portal(x.requester.ID).Activate(x.group.ID, "owner", time.Hour, "own it")
	x.must(err)
	x.pass(time.Hour + 2*time.Second)
	if len(x.State()["groups"].([]obj)[0]["owners"].([]string)) != 0 {
		t.Error("kept the last owner against the dial")
	}
}
