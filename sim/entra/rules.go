package entra

import (
	"net/url"
	"slices"
	"strings"
	"time"
)

// plan is when an ask wants to be in force.
type plan struct {
	start  time.Time     // zero: at once
	end    time.Time     // afterDateTime
	length time.Duration // afterDuration
}

// span is the plan's begin and end if it is carried out at a time; a duration
// counts from the begin, so that a late approval does not shorten it.
func (p plan) span(now time.Time) (begins, ends time.Time) {
	begins = now
	if p.start.After(now) {
		begins = p.start
	}
	if p.length > 0 {
		return begins, begins.Add(p.length)
	}
	return begins, p.end
}

// shape checks an ask's form and reads its times.
func (w *World) shape(a *ask, now time.Time) (p plan, no *refusal) {
	known := []string{selfActivate, selfDeactivate, adminAssign, adminRemove, adminUpdate, adminExtend, adminRenew}
	if !w.dials.NoSelfExtend {
		known = append(known, selfExtend, selfRenew)
	}
	switch {
	case !slices.Contains(known, a.Action):
		return p, refuse(400, "InvalidAction", "The action '"+a.Action+"' is not supported.")
	case !validAccess(a.Access):
		return p, refuse(400, "RoleNotFound", "The access '"+a.Access+"' is not found.")
	case w.group(a.Group) == nil:
		return p, refuse(400, "ResourceNotFound", "The resource '"+a.Group+"' is not found.")
	case len(w.named[mark{"id", fold(a.Principal)}]) == 0 && w.group(a.Principal) == nil:
		return p, refuse(400, "SubjectNotFound", "The subject is not found.")
	}
	a.Group = w.group(a.Group).ID // spelt as the directory does, from here on
	if all := w.named[mark{"id", fold(a.Principal)}]; len(all) > 0 {
		a.Principal = all[0].ID
	} else {
		a.Principal = w.group(a.Principal).ID
	}
	if a.Action == selfDeactivate || a.Action == adminRemove {
		if a.Action == selfDeactivate && a.Schedule == nil && !w.dials.BareDeactivate {
			return p, badSchedule
		}
		return p, nil
	}
	return w.readPlan(a, now)
}

var badSchedule = refuse(400, "InvalidRoleAssignmentRequestSchedule", "The schedule of the role assignment request is invalid.")

func (w *World) readPlan(a *ask, now time.Time) (p plan, no *refusal) {
	if a.Schedule == nil || a.Schedule.Recurrence != nil {
		return p, badSchedule
	}
	var err error
	if s := a.Schedule.Start; s != nil {
		if p.start, err = time.Parse(time.RFC3339, *s); err != nil {
			return p, badSchedule
		}
		if w.dials.PastStart && p.start.Before(now) {
			return p, refuse(400, "StartTimeInPast", "The start time is in the past.")
		}
	}
	x := a.Schedule.Expiration
	switch strings.ToLower(x.Type) {
	case "noexpiration", "notspecified", "":
	case "afterdatetime":
		if x.End == nil {
			return p, badSchedule
		}
		if p.end, err = time.Parse(time.RFC3339, *x.End); err != nil || !p.end.After(now) {
			return p, badSchedule
		}
	case "afterduration":
		if x.Duration == nil {
			return p, badSchedule
		}
		if p.length, err = parseDuration(*x.Duration, !w.dials.RefuseWeeks); err != nil || p.length <= 0 {
			return p, badSchedule
		}
	default:
		return p, badSchedule
	}
	return p, nil
}

var denied = refuse(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")

// mayAsk tells whether the caller may ask this at all, whatever the rules say.
func (w *World) mayAsk(by caller, a ask, now time.Time) *refusal {
	self := strings.HasPrefix(a.Action, "self")
	switch {
	case by.oid == "" && self && !w.dials.AppActivates:
		return refuse(403, w.dials.AppCode, "Attempted to perform an unauthorized operation.")
	case by.oid == "" && !by.portal && w.dials.AppsNotRoles && w.group(a.Group).RoleAssignable:
		return denied
	case by.oid == "":
		return nil
	case self && by.oid != a.Principal:
		return denied
	case !self && !by.admin && !w.tied(edge{a.Group, "owner", by.oid}, now):
		return denied
	}
	return nil
}

// judge applies what PIM asks of an activation or assignment.
func (w *World) judge(r *request, now time.Time) *refusal {
	begins, ends := r.plan.span(now)
	x := w.current(r.edge(), now)
	if x != nil && !(w.dials.FutureBesideActive && !x.ends.IsZero() && !begins.Before(x.ends)) {
		return refuse(400, "RoleAssignmentExists", "The Role assignment already exists.")
	}
	for _, o := range w.requests.edges[r.edge()] {
		if o.pending(now) {
			return w.duplicate()
		}
	}
	s := w.setting(roleKey{r.Group, r.Access})
	acrs := w.unstepped(r, s)
	if acrs != nil && w.dials.AcrsFirst {
		return acrs
	}
	if failed := w.failed(r, s, now); len(failed) > 0 {
		return failedRules(failed)
	}
	if !ends.IsZero() && ends.Sub(begins) < w.dials.Floor {
		return refuse(400, "ActiveDurationTooShort", tooShort)
	}
	return acrs
}

// unstepped asks for the authentication context that an activation lacks.
func (w *World) unstepped(r *request, s Settings) *refusal {
	if r.Action == selfActivate && s.AuthContext != "" && !r.by.portal && !w.stepped(r.by, s.AuthContext) {
		claims := `{"access_token":{"acrs":{"essential":true, "value":"` + s.AuthContext + `"}}}`
		no := refuse(400, "RoleAssignmentRequestAcrsValidationFailed", "&claims="+url.PathEscape(claims))
		no.message = strings.NewReplacer(":", "%3A", ",", "%2C").Replace(no.message)
		return no
	}
	return nil
}

func (w *World) duplicate() *refusal {
	return refuse(400, w.dials.Duplicate, "There already exists a pending governanceRoleAssignmentRequest in the system.")
}

func failedRules(rules []string) *refusal {
	return refuse(400, "RoleAssignmentRequestPolicyValidationFailed", `The following policy rules failed: ["`+strings.Join(rules, `","`)+`"]`)
}

var notThere = refuse(400, "RoleAssignmentDoesNotExist", "The Role assignment does not exist.")

const tooShort = "The Active duration is too short. Miniumum Required is 5 minutes."

// stepped tells whether the token carries the authentication context, and PIM
// believes it: only of clients that declared cp1.
func (w *World) stepped(by caller, context string) bool {
	if w.dials.ContextFallsBack && !slices.ContainsFunc(w.auth.policies, func(p *Policy) bool { return p.Context == context }) {
		return by.mfa
	}
	return !w.dials.AcrsNever && by.cp1 && slices.Contains(by.acrs, context)
}

// failed names every policy rule that an ask breaks.
func (w *World) failed(r *request, s Settings, now time.Time) (rules []string) {
	self := r.Action == selfActivate
	if self && w.eligibleFor(r.edge(), now) == nil {
		rules = append(rules, "EligibilityRule")
	}
	begins, ends := r.plan.span(now)
	limit := s.AdminMax
	if self {
		limit = s.MaxDuration
	}
	short := w.dials.ShortIsRule && !ends.IsZero() && ends.Sub(begins) < w.dials.Floor
	if short || ends.IsZero() && (self || s.AdminExpires) || !ends.IsZero() && ends.Sub(begins) > limit {
		rules = append(rules, "ExpirationRule")
	}
	needs := s.AdminJustification
	if self {
		needs = s.Justification
	}
	if needs && strings.TrimSpace(r.Justification) == "" {
		rules = append(rules, "JustificationRule")
	}
	if self && s.Ticketing && (r.Ticket.Number == nil || *r.Ticket.Number == "") {
		rules = append(rules, "TicketingRule")
	}
	// An old session's MFA counts: PIM can't tell when it was done.
	if self && s.MFA && !r.by.mfa && !r.by.portal {
		rules = append(rules, "MfaRule")
	}
	return rules
}

// mayRemove applies what PIM asks of a deactivation or removal.
func (w *World) mayRemove(r *request, now time.Time) *refusal {
	x := w.current(r.edge(), now)
	switch {
	case x == nil || !x.over.IsZero() || !x.shown.has(now),
		r.Action == selfDeactivate && x.kind != "activated",
		r.Action == adminRemove && x.kind == "activated" && !w.dials.RemoveActivated:
		return notThere
	case now.Sub(x.begins) < w.dials.Floor:
		return refuse(400, "ActiveDurationTooShort", tooShort)
	}
	return nil
}
