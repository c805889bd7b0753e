package entra

import (
	"testing"
	"time"
)

func (x *tenant) audits(query string) []map[string]any {
	x.t.Helper()
	x.must(x.ChangeApp(x.reader.ID, func(a *App) { a.Roles = append(a.Roles, "AuditLog.Read.All") }))
	r := x.call(x.asReader(), "GET", "/v1.0/auditLogs/directoryAudits"+query, nil)
	if r.status != 200 {
		x.t.Fatalf("audits: %d %s", r.status, r.raw)
	}
	return r.rows()
}

// Neither the requester nor the app can read from PIM who decided: the log
// tells, minutes later.
func TestAuditsTellWhoDecided(t *testing.T) {
	x := newTenant(t)
	x.approval()
	id := x.activate(201).body["id"].(string)
	x.pass(time.Minute)
	x.must(x.Portal(x.second.ID).Decide(id, true, "go ahead"))
	decided := x.at
	about := "?$filter=loggedByService eq 'PIM' and targetResources/any(t:t/id eq '" + id + "') and activityDateTime ge " + decided.Format(time.RFC3339)
	x.pass(2*time.Minute + 59*time.Second)
	if rows := x.audits(about); len(rows) != 0 {
		t.Fatalf("too early: %v", rows)
	}
	x.pass(time.Second)
	rows := x.audits(about)
	if len(rows) != 1 || rows[0]["activityDisplayName"] != didApprove || rows[0]["resultReason"] != "go ahead" {
		t.Fatalf("three minutes later: %v", rows)
	}
	if who := rows[0]["initiatedBy"].(map[string]any)["user"].(map[string]any); who["id"] != x.second.ID || who["userPrincipalName"] != x.second.UPN {
		t.Errorf("by %v", who)
	}
	x.pass(2 * time.Second)
	correlated := x.audits("?$filter=correlationId eq '" + rows[0]["correlationId"].(string) + "'&$orderby=activityDateTime desc&$top=2")
	if len(correlated) != 2 || correlated[0]["activityDisplayName"] != didActivate || correlated[1]["activityDisplayName"] != didApprove {
		t.Errorf("the newest first: %v", correlated)
	}
	if own := x.audits("?$filter=initiatedBy/user/id eq '" + x.requester.ID + "' and activityDisplayName eq '" + didAsk + "'"); len(own) != 1 {
		t.Errorf("the ask: %v", own)
	}
	core := x.audits("?$filter=loggedByService eq 'Core Directory' and startsWith(activityDisplayName,'Add member')")
	if len(core) != 1 || core[0]["initiatedBy"].(map[string]any)["app"].(map[string]any)["displayName"] != "MS-PIM" {
		t.Errorf("the directory's own line: %v", core)
	}
	one := x.call(x.asReader(), "GET", "/v1.0/auditLogs/directoryAudits/"+rows[0]["id"].(string), nil)
	if one.status != 200 || one.body["activityDisplayName"] != didApprove {
		t.Errorf("one: %s", one.raw)
	}
}

func TestAuditsOfEveryEnd(t *testing.T) {
	seen := map[string]bool{}
	look := func(x *tenant) {
		x.pass(time.Hour)
		for _, r := range x.audits("?$filter=loggedByService eq 'PIM'") {
			seen[r["activityDisplayName"].(string)] = true
		}
	}
	x := newTenant(t)
	x.activate(201)
	x.pass(2 * time.Hour)
	look(x) // expired
	x.activate(201)
	x.pass(6 * time.Minute)
	x.deactivate()
	look(x)
	x.approval()
	id := x.activate(201).body["id"].(string)
	x.must(x.Portal(x.approver.ID).Decide(id, false, "not now"))
	id = x.activate(201).body["id"].(string)
	x.must(x.Portal(x.requester.ID).Cancel(id))
	x.activate(201)
	x.pass(24 * time.Hour)
	look(x)
	for _, want := range []string{didRequest, didActivate, didExpire, didLeave, didAsk, didDeny, didCancel, didTimeout} {
		if !seen[want] {
			t.Errorf("no line %q among %v", want, seen)
		}
	}
}

func TestAuditDials(t *testing.T) {
	x := newTenant(t)
	x.activate(201)
	x.pass(time.Hour)
	both := "?$filter=loggedByService eq 'PIM' and category eq 'GroupManagement'"
	if rows := x.audits(both); len(rows) != 2 {
		t.Errorf("both together: %v", rows)
	}
	x.Turn(func(d *Dials) { d.AuditNoCategory, d.AuditsSayGroup = true, true })
	if r := x.call(x.asReader(), "GET", "/v1.0/auditLogs/directoryAudits"+both, nil); r.status != 400 {
		t.Errorf("by dial: %d", r.status)
	}
	if rows := x.audits("?$filter=activityDisplayName eq 'Add member to group completed (PIM activation)'"); len(rows) != 1 {
		t.Errorf("groups by name: %v", rows)
	}
	if rows := x.audits("?$filter=loggedByService eq 'PIM'"); len(rows[0]["targetResources"].([]any)) != 3 {
		t.Errorf("the request is named: %v", rows[0])
	}
	x.Turn(func(d *Dials) { d.AuditNoRequest = true })
	if rows := x.audits("?$filter=loggedByService eq 'PIM'"); len(rows[0]["targetResources"].([]any)) != 2 {
		t.Errorf("the request is named: %v", rows[0])
	}
	x.pass(31 * 24 * time.Hour)
	if rows := x.audits(""); len(rows) != 0 {
		t.Errorf("kept longer than 30 days: %d", len(rows))
	}
	if r := x.call(x.as(x.requester), "GET", "/v1.0/auditLogs/directoryAudits", nil); r.status != 403 {
		t.Errorf("without the scope: %d", r.status)
	}
	if r := x.call(x.asReader(), "GET", "/v1.0/auditLogs/directoryAudits/none", nil); r.status != 404 {
		t.Errorf("none: %d", r.status)
	}
	if r := x.call(x.asReader(), "GET", "/v1.0/auditLogs/directoryAudits?$orderby=category", nil); r.status != 400 {
		t.Errorf("another order: %d", r.status)
	}
}
