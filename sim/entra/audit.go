package entra

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// audit is one line of the audit log: few words, because there are many.
type audit struct {
	edge
	serial           uint64
	request          *request // nil in the directory's own lines
	at               time.Time
	activity, domain string // domain is the service that wrote it: PIM, or Core Directory
	oid, app         string // who did it
	reason           string
}

func (a *audit) id() string {
	return fmt.Sprintf("%s_%08x", strings.ReplaceAll(a.domain, " ", ""), a.serial)
}

// PIM's activity names. Those for roles are published; whether groups have
// their own is unsettled, and a dial.
const (
	didRequest  = "Add member to role requested (PIM activation)"
	didAsk      = "Add member to role approval requested (PIM activation)"
	didApprove  = "Add member to role request approved (PIM activation)"
	didDeny     = "Add member to role request denied (PIM activation)"
	didTimeout  = "Add member to role approval request expired (PIM activation)"
	didCancel   = "Add member to role canceled (PIM activation)"
	didActivate = "Add member to role completed (PIM activation)"
	didLeave    = "Remove member from role completed (PIM deactivate)"
	didExpire   = "Remove member from role (PIM activation expired)"
	didAssign   = "Add member to role in PIM completed (timebound)"
	didRemove   = "Remove member from role in PIM completed (timebound)"
	didOffer    = "Add eligible member to role in PIM completed (timebound)"
	didTakeBack = "Remove eligible member from role in PIM completed (timebound)"
	didChange   = "Update role assignment in PIM completed"
)

// note writes PIM's line about a request.
func (w *World) note(r *request, at time.Time, activity string, by caller, reason string) {
	w.write(audit{edge: r.edge(), request: r, at: at, activity: activity, domain: "PIM", oid: by.oid, app: by.app, reason: reason})
}

// noteTie writes the directory's own line about a member or owner.
func (w *World) noteTie(e edge, at time.Time, added bool, by caller) {
	activity := "Remove " + e.access + " from group"
	if added {
		activity = "Add " + e.access + " to group"
	}
	w.write(audit{edge: e, at: at, activity: activity, domain: "Core Directory", oid: by.oid, app: by.app})
}

func (w *World) write(a audit) {
	if len(w.audits) == cap(w.audits) { // before it grows, what nobody can read any more goes
		i := slices.IndexFunc(w.audits, func(o audit) bool { return a.at.Sub(o.at) <= w.dials.AuditKeep })
		w.audits = w.audits[max(i, 0):]
	}
	a.serial = w.written
	w.written++
	w.audits = append(w.audits, a)
}

// targetsOf are the group and the principal of an edge.
func (w *World) targetsOf(e edge) []obj {
	g := w.group(e.group)
	group := obj{"id": g.ID, "displayName": g.Name, "type": "Group", "groupType": "unknownFutureValue"}
	if u := w.user(e.principal); u != nil {
		return []obj{group, {"id": u.ID, "displayName": u.Name, "userPrincipalName": u.UPN, "type": "User"}}
	}
	return []obj{group, {"id": e.principal, "type": "Group"}}
}

// pimItself stands behind what PIM does to the directory.
var pimItself = caller{app: "MS-PIM"}

func (w *World) auditJSON(a *audit) obj {
	by := obj{"user": nil, "app": nil}
	if u := w.user(a.oid); u != nil {
		by["user"] = obj{"id": u.ID, "displayName": u.Name, "userPrincipalName": u.UPN, "ipAddress": nil}
	} else {
		by["app"] = obj{"appId": nil, "displayName": a.app, "servicePrincipalId": nil, "servicePrincipalName": nil}
		if app := w.app(a.app); app != nil {
			by["app"] = obj{"appId": app.ID, "displayName": app.Name, "servicePrincipalId": app.Principal, "servicePrincipalName": nil}
		}
	}
	name := a.activity
	if a.domain == "PIM" && w.dials.AuditsSayGroup {
		name = strings.Replace(name, "role", "group", 1)
	}
	targets, correlation, operation := w.targetsOf(a.edge), a.id(), "Remove"
	if a.request != nil && !w.dials.AuditNoRequest {
		targets = append(targets, obj{"id": a.request.id, "type": "Request", "displayName": nil})
		correlation = "pim-" + a.request.id
	}
	if strings.HasPrefix(name, "Add") {
		operation = "Add"
	}
	return obj{"id": a.id(), "category": "GroupManagement", "correlationId": correlation, "result": "success", "resultReason": a.reason,
		"activityDisplayName": name, "activityDateTime": when(a.at), "loggedByService": a.domain, "operationType": operation,
		"initiatedBy": by, "targetResources": targets, "additionalDetails": []obj{}}
}

// listAudits serves the log: minutes late, and not for ever. The newest come
// first, as the service has them.
func (w *World) listAudits(c *call) answer {
	f, no := c.filter()
	q, _ := url.ParseQuery(c.query)
	order := q.Get("$orderby")
	switch {
	case no != nil:
	case c.by.oid != "" && !c.by.admin:
		no = denied
	case f.fixed("loggedByService") != "" && f.fixed("category") != "" && w.dials.AuditNoCategory:
		no = refuse(400, "BadRequest", "Invalid filter clause: loggedByService and category can't be combined.")
	case order != "" && !strings.HasPrefix(order, "activityDateTime"):
		no = refuse(400, "BadRequest", "Only activityDateTime can be ordered by.")
	}
	if no != nil {
		return w.refused(c, no)
	}
	rows := []obj{}
	for i := len(w.audits) - 1; i >= 0; i-- {
		a := &w.audits[i]
		if age := c.now.Sub(a.at); age > w.dials.AuditKeep || a.at.Before(f.since) {
			break
		} else if age >= w.dials.AuditDelay {
			rows = append(rows, w.auditJSON(a))
		}
	}
	slices.SortStableFunc(rows, func(a, b obj) int {
		return strings.Compare(b["activityDateTime"].(string), a["activityDateTime"].(string))
	})
	if order == "activityDateTime" || order == "activityDateTime asc" {
		slices.Reverse(rows)
	}
	return w.some(c, "auditLogs/directoryAudits", rows)
}

func (w *World) getAudit(c *call) answer {
	for i := range w.audits {
		if a := &w.audits[i]; a.id() == c.args["id"] && c.now.Sub(a.at) >= w.dials.AuditDelay {
			return w.single(c, "auditLogs/directoryAudits", w.auditJSON(a))
		}
	}
	return w.missing(c, c.args["id"])
}
