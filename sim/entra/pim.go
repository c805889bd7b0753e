package entra

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// PIM's words.
const (
	selfActivate   = "selfActivate"
	selfDeactivate = "selfDeactivate"
	adminAssign    = "adminAssign"
	adminRemove    = "adminRemove"
	adminUpdate    = "adminUpdate"
	adminExtend    = "adminExtend"
	adminRenew     = "adminRenew"
	selfExtend     = "selfExtend"
	selfRenew      = "selfRenew"
)

// caller is who stands behind a call: a person through an app, or an app alone.
type caller struct {
	oid, app string // oid "" : the app itself
	scopes   []string
	admin    bool
	mfa, cp1 bool
	acrs     []string
	portal   bool // Entra's own portal: it steps people up by itself
	claims   obj
}

// ask is a request as it was sent.
type ask struct {
	Access        string `json:"accessId"`
	Group         string `json:"groupId"`
	Principal     string `json:"principalId"`
	Action        string `json:"action"`
	Justification string `json:"justification"`
	Ticket        struct {
		Number *string `json:"ticketNumber"`
		System *string `json:"ticketSystem"`
	} `json:"ticketInfo"`
	Schedule       *schedule `json:"scheduleInfo"`
	ValidationOnly bool      `json:"isValidationOnly"`
	CustomData     *string   `json:"customData"`
}

// schedule is an ask's scheduleInfo.
type schedule struct {
	Start      *string `json:"startDateTime"`
	Recurrence any     `json:"recurrence"` // unsupported, as in PIM
	Expiration struct {
		Type     string  `json:"type"`
		End      *string `json:"endDateTime"`
		Duration *string `json:"duration"`
	} `json:"expiration"`
}

func newSchedule(duration string) *schedule {
	s := &schedule{}
	s.Expiration.Type, s.Expiration.Duration = "afterDuration", &duration
	return s
}

// request is PIM's record of an ask, and the life that it led.
type request struct {
	ask
	id        string
	created   time.Time
	by        caller
	plan      plan
	begins    time.Time // as answered; zero while an approval is awaited
	completed time.Time
	approval  bool
	life      []stamp
	stage     stage
	row       *row

	offer bool // about an eligibility
}

type stamp struct {
	at     time.Time
	status string
}

func (r *request) edge() edge { return edge{r.Group, r.Access, r.Principal} }

// status is what the request's status was at a time; "" before it existed.
func (r *request) status(at time.Time) string {
	s := ""
	for _, st := range r.life {
		if !st.at.After(at) {
			s = st.status
		}
	}
	return s
}

func (r *request) become(at time.Time, status string) { r.life = append(r.life, stamp{at, status}) }

func (r *request) pending(at time.Time) bool { return r.status(at) == "PendingApproval" }

// submit judges an ask and, unless it only validates, does it.
func (w *World) submit(by caller, a ask, now time.Time) (*request, *refusal) {
	a.Action = lowerFirst(a.Action)
	a.Access = strings.ToLower(a.Access)
	p, no := w.shape(&a, now)
	if no != nil {
		return nil, no
	}
	if no := w.mayAsk(by, a, now); no != nil {
		return nil, no
	}
	r := &request{ask: a, id: w.guid(), created: now, by: by, plan: p}
	switch {
	case a.Action == selfActivate || a.Action == adminAssign:
		no = w.judge(r, now)
	case slices.Contains(terms, a.Action):
		no = w.mayMove(r, now)
	default:
		no = w.mayRemove(r, now)
	}
	if no != nil {
		return nil, no
	}
	if a.ValidationOnly {
		r.become(now, "Granted")
		return r, nil
	}
	w.onboard[a.Group] = true
	w.requests.put(r, r.edge(), mark{"id", r.id}, mark{"creator", by.oid})
	w.carryOut(r, now)
	return r, nil
}

func (w *World) carryOut(r *request, now time.Time) {
	s := w.setting(roleKey{r.Group, r.Access})
	switch {
	case r.Action == selfDeactivate || r.Action == adminRemove:
		r.become(now, map[bool]string{true: w.dials.Deactivated, false: "Revoked"}[r.Action == selfDeactivate])
		r.completed = now
		w.endRow(w.current(r.edge(), now), now)
		w.note(r, now, map[bool]string{true: didLeave, false: didRemove}[r.Action == selfDeactivate], r.by, r.Justification)
	case r.Action == selfExtend || r.Action == selfRenew:
		r.become(now, "PendingAdminDecision")
	case slices.Contains(terms, r.Action):
		w.moved(r, now)
	case r.Action == selfActivate && s.Approval:
		r.approval = true
		w.requests.marked[asked[0]] = append(w.requests.marked[asked[0]], r)
		r.become(now, "PendingApproval")
		r.stage = stage{id: w.guid(), result: "NotReviewed", status: "InProgress"}
		w.agenda.add(now.Add(w.dials.Window), func(at time.Time) { w.timeout(r, at) })
		w.note(r, now, didAsk, r.by, r.Justification)
	default:
		if r.Action == selfActivate {
			w.note(r, now, didRequest, r.by, r.Justification)
		}
		w.grant(r, now, cmp.Or(w.dials.Created, "Provisioned"))
	}
}

// grant makes the row that an ask (approved, if need be) leads to.
func (w *World) grant(r *request, now time.Time, status string) {
	begins, ends := r.plan.span(now)
	if !ends.IsZero() && !ends.After(now) {
		r.become(now, "Failed") // approved when the asked end had passed
		return
	}
	r.begins = begins
	done := begins.Add(w.dials.Provision)
	r.completed = done
	r.row = w.newRow(r, begins, ends)
	switch {
	case begins.After(now):
		r.completed = now
		r.become(now, "Granted")
		r.become(done, "Provisioned")
	case status != "Provisioned":
		r.become(now, status)
		r.become(done, cmp.Or(w.dials.SettleTo, "Provisioned"))
		if w.dials.SettleTo == "Failed" {
			r.row.cancel(now)
			return
		}
	default:
		r.become(now, status)
	}
	w.provision(r.row)
}

// timeout is the fixed end of an approver's day.
func (w *World) timeout(r *request, at time.Time) {
	if r.pending(at) {
		r.become(at, w.dials.TimeoutStatus)
		r.stage.status = "Expired"
		w.note(r, at, didTimeout, pimItself, "")
	}
}

// withdraw cancels a waiting request; only who made it, or an administrator, may.
func (w *World) withdraw(by caller, id string, now time.Time) *refusal {
	r := w.request(id)
	if r == nil {
		r = w.offers.one(id)
	}
	switch {
	case r == nil:
		return refuse(404, "ResourceNotFound", "The role assignment request is not found.")
	case by.oid != "" && !by.admin && by.oid != r.by.oid:
		return denied
	case !r.pending(now) && r.status(now) != "Granted" && r.status(now) != "PendingAdminDecision":
		return refuse(w.dials.CancelLate, "RoleAssignmentRequestCannotBeCanceled", "The request is not pending any more: "+r.status(now)+".")
	}
	if r.row != nil { // a future start
		r.row.cancel(now)
		r.life = r.life[:0]
		r.become(r.created, "Granted")
	}
	r.become(now, "Canceled")
	w.note(r, now, didCancel, by, "")
	r.stage.status = "Completed"
	return nil
}

func (w *World) request(id string) *request {
	return w.requests.one(id)
}

// asked marks the requests that somebody must or had to decide.
var asked = part{{"asked", "-"}}

func lowerFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}
