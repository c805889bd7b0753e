package entra

import (
	"strconv"
	"time"
)

// when writes a time with the service's seven digits; the zero time is null.
func when(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format("2006-01-02T15:04:05.0000000Z")
}

func itoa(n int) string { return strconv.Itoa(n) }

func scheduleInfo(begins, ends time.Time) obj {
	x := obj{"type": "noExpiration", "endDateTime": nil, "duration": nil}
	if !ends.IsZero() {
		x["type"], x["endDateTime"] = "afterDateTime", when(ends)
	}
	return obj{"startDateTime": when(begins), "recurrence": nil, "expiration": x}
}

func (w *World) eligibilityInstances(_ *call, at time.Time, p part) (rows []obj) {
	for _, e := range pick(&w.eligible, p) {
		if e.has(at) {
			rows = append(rows, obj{"id": e.id, "startDateTime": when(e.from), "endDateTime": when(e.to), "accessId": e.access,
				"principalId": e.principal, "groupId": e.group, "memberType": "direct", "eligibilityScheduleId": e.schedule})
		}
	}
	return rows
}

func (w *World) eligibilitySchedules(_ *call, at time.Time, p part) (rows []obj) {
	for _, e := range pick(&w.eligible, p) {
		if !at.Before(e.created) && (e.to.IsZero() || at.Before(e.to)) { // those that begin later too
			rows = append(rows, obj{"id": e.schedule, "status": "Provisioned", "memberType": "direct", "accessId": e.access, "principalId": e.principal,
				"groupId": e.group, "createdUsing": nil, "createdDateTime": when(e.created), "modifiedDateTime": "0001-01-01T08:00:00Z",
				"scheduleInfo": scheduleInfo(e.from, e.to)})
		}
	}
	return rows
}

func (w *World) assignmentInstances(_ *call, at time.Time, p part) (rows []obj) {
	for _, r := range pick(&w.rows, p) {
		if r.shown.has(at) {
			if r.view == nil {
				r.view = r.instance()
			}
			rows = append(rows, r.view)
		}
	}
	return rows
}

// instance is a row while it is in force. It is made once and shared: who has
// more to say of it copies it first.
func (r *row) instance() obj {
	o := obj{"id": r.id, "principalId": r.principal, "startDateTime": when(r.begins), "endDateTime": when(r.ends), "assignmentType": r.kind,
		"accessId": r.access, "groupId": r.group, "memberType": "direct", "assignmentScheduleId": r.schedule}
	if r.ends.IsZero() {
		o["startDateTime"] = nil
	}
	return o
}

func (w *World) assignmentSchedules(_ *call, at time.Time, p part) (rows []obj) {
	for _, r := range pick(&w.rows, p) {
		if !at.Before(r.created) && (r.live(at) || r.shown.has(at)) {
			rows = append(rows, obj{"id": r.schedule, "status": "Provisioned", "createdDateTime": when(r.created), "modifiedDateTime": nil,
				"createdUsing": nil, "accessId": r.access, "principalId": r.principal, "groupId": r.group, "memberType": "direct",
				"assignmentType": r.kind, "scheduleInfo": scheduleInfo(r.begins, r.ends)})
		}
	}
	return rows
}

func (w *World) assignmentRequests(_ *call, at time.Time, p part) (rows []obj) {
	for _, r := range pick(&w.requests, p) {
		if r.status(at) != "" {
			rows = append(rows, w.requestJSON(r, at))
		}
	}
	return rows
}

func (w *World) eligibilityRequests(_ *call, at time.Time, p part) (rows []obj) {
	for _, r := range pick(&w.offers, p) {
		if r.status(at) != "" {
			rows = append(rows, w.requestJSON(r, at))
		}
	}
	return rows
}

func (w *World) assignmentApprovals(c *call, at time.Time, p part) (rows []obj) {
	for _, r := range pick(&w.requests, p) {
		if r.approval && r.status(at) != "" {
			rows = append(rows, w.approvalJSON(c.by, r, at))
		}
	}
	return rows
}

// requestJSON is a request as PIM shows it: as it was sent, with what became
// of it. The expiration stays as asked (a duration), the end is the instance's.
func (w *World) requestJSON(r *request, at time.Time) obj {
	o := obj{"id": r.id, "status": r.status(at), "createdDateTime": when(r.created), "completedDateTime": nil, "approvalId": nil,
		"customData": r.CustomData, "createdBy": obj{"user": obj{"id": nil}}, "action": r.Action, "isValidationOnly": r.ValidationOnly,
		"justification": r.Justification, "scheduleInfo": nil, "ticketInfo": obj{"ticketNumber": r.Ticket.Number, "ticketSystem": r.Ticket.System},
		"principalId": r.Principal, "accessId": r.Access, "groupId": r.Group, "targetScheduleId": nil}
	if r.by.oid != "" {
		o["createdBy"] = obj{"user": obj{"id": r.by.oid}}
	} else if r.by.app != "" {
		o["createdBy"] = obj{"application": obj{"id": r.by.app}, "user": obj{"id": nil}}
	}
	if r.approval || w.dials.ApprovalAlways {
		o["approvalId"] = r.id
	}
	if !r.completed.IsZero() && !r.pending(at) {
		o["completedDateTime"] = when(r.completed)
	} else if w.dials.CompletedEarly {
		o["completedDateTime"] = when(r.created)
	}
	if r.row != nil {
		o["targetScheduleId"] = r.row.schedule
	}
	if r.Schedule != nil {
		x := obj{"type": lowerFirst(orElse(r.Schedule.Expiration.Type, "notSpecified")), "endDateTime": r.Schedule.Expiration.End, "duration": r.Schedule.Expiration.Duration}
		s := obj{"startDateTime": when(r.plan.start), "recurrence": nil, "expiration": x}
		if !r.begins.IsZero() && !r.pending(at) {
			s["startDateTime"] = when(r.begins)
		}
		o["scheduleInfo"] = s
	}
	return o
}
