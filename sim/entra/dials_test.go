package entra

import (
	"strings"
	"testing"
	"time"
)

// turned is a fresh tenant with its dials turned.
func turned(t *testing.T, f func(*Dials)) *tenant {
	x := newTenant(t)
	x.graph = x.Graph() // some of these lies are against the description
	x.Turn(f)
	return x
}

func TestNoLicence(t *testing.T) {
	x := turned(t, func(d *Dials) { d.NoLicence = true })
	if r := x.refused(asIs); r.status != 403 || r.code() != "AadPremiumLicenseRequired" {
		t.Errorf("%d %s", r.status, r.raw)
	}
	if r := x.call(x.asReader(), "GET", "/v1.0/groups", nil); r.status != 200 {
		t.Errorf("the directory needs none: %d", r.status)
	}
}

func TestLateCancel(t *testing.T) {
	for _, status := range []int{400, 404} {
		x := turned(t, func(d *Dials) { d.CancelLate = status })
		id := x.activate(201).body["id"].(string)
		if r := x.call(x.as(x.requester), "POST", base+"assignmentScheduleRequests/"+id+"/cancel", nil); r.status != status {
			t.Errorf("%d, want %d", r.status, status)
		}
	}
}

func TestDeactivationDials(t *testing.T) {
	x := turned(t, func(d *Dials) { d.BareDeactivate, d.Deactivated = false, "Provisioned" })
	x.activate(201)
	x.pass(6 * time.Minute)
	if r := x.deactivate(); r.code() != "InvalidRoleAssignmentRequestSchedule" {
		t.Errorf("without scheduleInfo: %s", r.raw)
	}
	if r := x.call(x.as(x.requester), "POST", base+"assignmentScheduleRequests", x.request(selfDeactivate, "PT1H", "")); r.status != 201 || r.body["status"] != "Provisioned" {
		t.Errorf("with: %s", r.raw)
	}
}

func TestOrderOfChecks(t *testing.T) {
	for first, want := range map[bool]string{true: "RoleAssignmentRequestAcrsValidationFailed", false: "RoleAssignmentRequestPolicyValidationFailed"} {
		x := turned(t, func(d *Dials) { d.AcrsFirst = first })
		s := DefaultSettings()
		s.AuthContext = "c1"
		x.must(x.SetSettings(x.group.ID, "member", s))
		if r := x.refused(func(o obj) { o["justification"] = "" }); r.code() != want {
			t.Errorf("context first %v: %s", first, r.raw)
		}
	}
}

func TestContextFallsBackToMFA(t *testing.T) {
	x := turned(t, func(d *Dials) { d.ContextFallsBack = true })
	s := DefaultSettings()
	s.AuthContext = "c1"
	x.must(x.SetSettings(x.group.ID, "member", s))
	x.refused(asIs)
	mfa := func(g *grant) { g.in.mfa = true }
	lift := x.AddPolicy(Policy{Context: "c1", MFA: true})
	x.refused(asIs, mfa) // a policy names it: the claim counts
	lift()
	if r := x.call(x.as(x.requester, mfa), "POST", base+"assignmentScheduleRequests", x.request(selfActivate, "PT1H", "INC1")); r.status != 201 {
		t.Errorf("%d %s", r.status, r.raw)
	}
}

func TestScheduleDials(t *testing.T) {
	x := turned(t, func(d *Dials) { d.ShortIsRule, d.PastStart = true, true })
	short := func(o obj) { o["scheduleInfo"] = obj{"expiration": obj{"type": "afterDuration", "duration": "PT4M"}} }
	if r := x.refused(short); !strings.Contains(r.message(), "ExpirationRule") {
		t.Errorf("four minutes: %s", r.raw)
	}
	past := func(o obj) { o["scheduleInfo"].(obj)["startDateTime"] = x.at.Add(-time.Second).Format(time.RFC3339) }
	if r := x.refused(past); r.code() != "StartTimeInPast" {
		t.Errorf("a second ago: %s", r.raw)
	}
}

func TestLaterBesideActive(t *testing.T) {
	x := turned(t, func(d *Dials) { d.FutureBesideActive = true })
	x.activate(201) // for two hours
	x.pass(time.Minute)
	ask := x.request(selfActivate, "PT1H", "INC1")
	ask["scheduleInfo"].(obj)["startDateTime"] = x.at.Add(3 * time.Hour).Format(time.RFC3339)
	if r := x.call(x.as(x.requester), "POST", base+"assignmentScheduleRequests", ask); r.body["status"] != "Granted" {
		t.Fatalf("%s", r.raw)
	}
	x.refused(asIs) // at once is still too early
	x.pass(3*time.Hour + 2*time.Second)
	if !x.is(x.requester) || len(x.instances()) != 1 {
		t.Error("the second did not begin")
	}
}

func TestApplicationDials(t *testing.T) {
	x := turned(t, func(d *Dials) { d.AppCode, d.AppsNotRoles = "InsufficientPermissions", true })
	x.powers()
	post := func(o obj) reply { return x.call(x.asReader(), "POST", base+"assignmentScheduleRequests", o) }
	if r := post(x.request(selfActivate, "PT1H", "x")); r.status != 403 || r.code() != "InsufficientPermissions" {
		t.Errorf("%s", r.raw)
	}
	if r := post(x.request(adminAssign, "PT1H", "x")); r.status != 403 || r.code() != "Authorization_RequestDenied" {
		t.Errorf("a role-assignable group: %s", r.raw)
	}
}

func TestReadDials(t *testing.T) {
	x := turned(t, func(d *Dials) { d.FilterCode, d.OddKeys, d.NoEcho = "MissingFilter", true, true })
	if r := x.call(x.asReader(), "GET", base+"assignmentSchedules", nil, "Client-Request-Id", "r-1"); r.code() != "MissingFilter" || r.header.Get("client-request-id") != "" {
		t.Errorf("%v %s", r.header, r.raw)
	}
	if r := x.activate(201); r.body["createdDateTIme"] == nil || r.body["createdDateTime"] != nil {
		t.Errorf("odd keys: %s", r.raw)
	}
	x.Turn(func(d *Dials) { d.NationalCloud, d.NoEcho = true, false })
	if r := x.call(x.as(x.requester), "GET", base+"assignmentScheduleRequests/filterByCurrentUser(on='principal')", nil, "Client-Request-Id", "r-1"); r.status != 404 || r.header.Get("client-request-id") != "r-1" {
		t.Errorf("a national cloud: %d", r.status)
	}
}

// Whoever asks support about a call names its request-id.
func TestRequestIDs(t *testing.T) {
	x := newTenant(t)
	good := x.call(x.asReader(), "GET", base+"assignmentScheduleInstances?$filter=groupId eq '"+x.group.ID+"'", nil)
	bad := x.call(x.asReader(), "GET", base+"assignmentScheduleInstances", nil)
	inner, _ := bad.body["error"].(obj)["innerError"].(obj)
	kept := x.History()
	for i, r := range []reply{good, bad} {
		if id := r.header.Get("request-id"); len(id) != 36 || kept[len(kept)-2+i].ID != id {
			t.Errorf("%q is not what the history has: %q", id, kept[len(kept)-2+i].ID)
		}
	}
	if id := bad.header.Get("request-id"); inner["request-id"] != id || id == good.header.Get("request-id") {
		t.Errorf("%q beside %v", id, inner)
	}
	x.Inject(Fault{Do: DoHTML})
	if page := x.call(x.asReader(), "GET", base+"assignmentScheduleInstances", nil); page.header.Get("request-id") != "" {
		t.Error("a proxy's page has a request-id")
	}
}

func TestTopIsIgnored(t *testing.T) {
	for ignored, want := range map[bool]int{false: 2, true: 7} {
		x := newTenant(t)
		x.crowd()
		x.Turn(func(d *Dials) { d.IgnoreTop = ignored })
		if r := x.call(x.asReader(), "GET", base+"eligibilityScheduleInstances?$filter=groupId eq '"+x.group.ID+"'&$top=2", nil); len(r.rows()) != want {
			t.Errorf("ignored %v: %d rows", ignored, len(r.rows()))
		}
	}
}

func TestPace(t *testing.T) {
	x := turned(t, func(d *Dials) { d.PerSecond = 1 })
	get := func(token string) reply { return x.call(token, "GET", "/v1.0/groups/"+x.group.ID, nil) }
	if a, b := get(x.asReader()), get(x.asReader()); a.status != 200 || b.status != 429 || b.header.Get("Retry-After") != "" {
		t.Errorf("%d, then %d", a.status, b.status)
	}
	if r := get(x.as(x.requester)); r.status == 429 {
		t.Error("another app was throttled too")
	}
	x.pass(time.Second)
	x.Turn(func(d *Dials) { d.RetryAfter = "1" })
	if a, b := get(x.asReader()), get(x.asReader()); a.status != 200 || b.header.Get("Retry-After") != "1" {
		t.Errorf("a second later: %d %v", a.status, b.header)
	}
}

// A client that loses its token on the way to another host is found out.
func TestCallsWithoutATokenAreNoted(t *testing.T) {
	x := newTenant(t)
	x.call("", "GET", "/v1.0/groups", nil)
	x.call(x.asReader(), "GET", "/v1.0/groups", nil)
	if h := x.History(); !h[0].Bare || h[1].Bare {
		t.Errorf("%+v", h)
	}
}

// The world's clock may be ahead of or behind its callers'.
func TestClockSkew(t *testing.T) {
	x := newTenant(t)
	theirs := x.at.Add(-10 * time.Minute) // the caller's clock is late
	ask := x.request(selfActivate, "PT1H", "INC1")
	ask["scheduleInfo"].(obj)["startDateTime"] = theirs.Format(time.RFC3339)
	r := x.call(x.as(x.requester), "POST", base+"assignmentScheduleRequests", ask)
	if r.status != 201 || r.body["scheduleInfo"].(map[string]any)["startDateTime"] != when(x.at) {
		t.Errorf("a late clock: %s", r.raw)
	}
	y := newTenant(t)
	ask["groupId"], ask["principalId"] = y.group.ID, y.requester.ID
	ask["scheduleInfo"].(obj)["startDateTime"] = y.at.Add(10 * time.Minute).Format(time.RFC3339)
	if r := y.call(y.as(y.requester), "POST", base+"assignmentScheduleRequests", ask); r.body["status"] != "Granted" {
		t.Errorf("an early clock asks for later: %s", r.raw)
	}
}

func TestTimesAreDials(t *testing.T) {
	x := turned(t, func(d *Dials) { d.Floor, d.Reactivate, d.Window = 10*time.Minute, time.Minute, time.Hour })
	if r := x.refused(func(o obj) { o["scheduleInfo"] = obj{"expiration": obj{"type": "afterDuration", "duration": "PT9M"}} }); r.code() != "ActiveDurationTooShort" {
		t.Errorf("nine minutes: %s", r.raw)
	}
	x.activate(201)
	x.pass(9 * time.Minute)
	if r := x.deactivate(); r.code() != "ActiveDurationTooShort" {
		t.Errorf("in the ninth minute: %s", r.raw)
	}
	x.pass(time.Minute)
	x.deactivate()
	x.pass(59 * time.Second)
	if r := x.refused(asIs); r.code() != "RoleAssignmentExists" {
		t.Errorf("59 s later: %s", r.raw)
	}
	x.pass(time.Second)
	x.approval()
	id := x.activate(201).body["id"]
	x.pass(time.Hour)
	if s := x.status(id); s != "Denied" {
		t.Errorf("after an approver's hour: %s", s)
	}
}

func TestWeeksByDial(t *testing.T) {
	for refused, want := range map[bool]int{true: 400, false: 201} {
		x := turned(t, func(d *Dials) { d.RefuseWeeks = refused })
		x.powers()
		if r := x.call(x.asReader(), "POST", base+"assignmentScheduleRequests", x.request(adminAssign, "P4W2D", "x")); r.status != want {
			t.Errorf("refused %v: %d %s", refused, r.status, r.raw)
		}
	}
}

func TestConsentByDial(t *testing.T) {
	l := newLogin(t)
	l.Turn(func(d *Dials) { d.ConsentToAdmins = false })
	wants := strings.Replace(l.start(), sessionScope, "User.Read", 1)
	if got := l.signIn(wants, l.owner, true); got.Get("error") != "consent_required" || !strings.Contains(got.Get("error_description"), "AADSTS65001") {
		t.Errorf("an administrator is told, not asked: %v", got)
	}
}

func TestAuditTimes(t *testing.T) {
	x := turned(t, func(d *Dials) { d.AuditDelay, d.AuditKeep = 15*time.Minute, 7*24*time.Hour })
	x.activate(201)
	seen := func() int { return len(x.audits("?$filter=loggedByService eq 'PIM'")) }
	x.pass(14 * time.Minute)
	if n := seen(); n != 0 {
		t.Errorf("%d lines after 14 minutes", n)
	}
	x.pass(2 * time.Minute)
	if n := seen(); n != 2 {
		t.Errorf("%d lines after 16 minutes", n)
	}
	x.pass(7*24*time.Hour + 2*time.Hour) // the last line is the end of the two hours
	if n := seen(); n != 0 {
		t.Errorf("%d lines are kept longer than a week", n)
	}
}

func TestPublicClientFlows(t *testing.T) {
	inBubble(t, func(p *phone) {
		ask := func() reply {
			return p.form("devicecode", map[string][]string{"client_id": {p.app.ID}, "scope": {sessionScope}})
		}
		p.must(p.ChangeApp(p.app.ID, func(a *App) { a.Public = false }))
		if r := ask(); r.number() != 7000218 || r.status != 401 {
			t.Errorf("not allowed: %v", r.body)
		}
		p.must(p.ChangeApp(p.app.ID, func(a *App) { a.Public = true }))
		if r := ask(); r.status != 200 {
			t.Errorf("allowed: %v", r.body)
		}
	})
}

func TestReviewer(t *testing.T) {
	for bare, want := range map[bool]any{true: nil, false: "approver@contoso.example"} {
		x := newTenant(t)
		x.Turn(func(d *Dials) { d.BareReviewer = bare })
		x.approval()
		id := x.activate(201).body["id"].(string)
		x.must(x.Portal(x.approver.ID).Decide(id, true, "fine"))
		s := x.call(x.as(x.second), "GET", base+"assignmentApprovals/"+id+"/stages", nil).rows()[0]
		if who := s["reviewedBy"].(map[string]any); who["userPrincipalName"] != want || who["displayName"] != "Approver" {
			t.Errorf("bare %v: %v", bare, who)
		}
	}
}
