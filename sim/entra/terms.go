package entra

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// term is a standing thing whose end can be moved: an eligibility, or an
// assignment that is no activation.
type term struct {
	there bool // there was one
	live  bool
	span
	move func(to time.Time)
}

// terms are the actions on one.
var terms = []string{adminUpdate, adminExtend, adminRenew, selfExtend, selfRenew}

// soon is how long before its end a person may ask for more.
const soon = 14 * 24 * time.Hour

// term finds what a request is about: the latest of its edge.
func (w *World) term(r *request, now time.Time) (t term) {
	if r.offer {
		for _, e := range w.eligible.edges[r.edge()] {
			t = term{true, e.to.IsZero() || now.Before(e.to), e.span, func(to time.Time) {
				e.to = to
				w.lapse(e)
			}}
		}
		return t
	}
	for _, x := range w.rows.edges[r.edge()] {
		if x.kind == "assigned" {
			t = term{true, x.live(now), span{x.begins, x.ends}, func(to time.Time) {
				x.ends, x.view = to, nil
				w.plan(x)
			}}
		}
	}
	return t
}

// mayMove applies what PIM asks of an update, extension or renewal.
func (w *World) mayMove(r *request, now time.Time) *refusal {
	t := w.term(r, now)
	renews := r.Action == adminRenew || r.Action == selfRenew
	extends := r.Action == adminExtend || r.Action == selfExtend
	_, ends := r.plan.span(now)
	switch {
	case !t.there || !renews && !t.live:
		return notThere
	case renews && t.live:
		return refuse(400, "RoleAssignmentExists", "The Role assignment already exists.")
	case extends && (t.to.IsZero() || !ends.IsZero() && !ends.After(t.to)):
		return badSchedule
	case r.Action == selfExtend && t.to.Sub(now) > soon:
		return badSchedule
	}
	for _, o := range slices.Concat(w.offers.edges[r.edge()], w.requests.edges[r.edge()]) {
		if o.offer == r.offer && o.status(now) == "PendingAdminDecision" {
			return w.duplicate()
		}
	}
	return w.broken(r, now)
}

// broken names the rules that an administrator's ask breaks.
func (w *World) broken(r *request, now time.Time) *refusal {
	s := w.setting(roleKey{r.Group, r.Access})
	limit, expires, justify := s.AdminMax, s.AdminExpires, s.AdminJustification
	if r.offer {
		limit, expires, justify = cmp.Or(s.EligibleMax, DefaultSettings().EligibleMax), s.EligibleExpires, false
	}
	var rules []string
	begins, ends := r.plan.span(now)
	if ends.IsZero() && expires || !ends.IsZero() && ends.Sub(begins) > limit {
		rules = append(rules, "ExpirationRule")
	}
	if (justify || strings.HasPrefix(r.Action, "self")) && strings.TrimSpace(r.Justification) == "" {
		rules = append(rules, "JustificationRule")
	}
	switch {
	case len(rules) > 0:
		return failedRules(rules)
	case !ends.IsZero() && ends.Sub(begins) < w.dials.Floor:
		return refuse(400, "ActiveDurationTooShort", tooShort)
	}
	return nil
}

// moved carries an update, extension or renewal out.
func (w *World) moved(r *request, now time.Time) {
	t := w.term(r, now)
	begins, ends := r.plan.span(now)
	r.become(now, "Provisioned")
	r.completed, r.begins = now, begins
	switch {
	case t.live:
		t.move(ends)
	case r.offer:
		w.offered(r.edge(), begins.Add(w.dials.Provision), ends, now)
	default:
		r.row = w.newRow(r, begins, ends)
		w.provision(r.row)
	}
	w.note(r, now, didChange, r.by, r.Justification)
}

// submitOffer judges an ask about an eligibility, and does it.
func (w *World) submitOffer(by caller, a ask, now time.Time) (*request, *refusal) {
	a.Action, a.Access = lowerFirst(a.Action), strings.ToLower(a.Access)
	p, no := w.shape(&a, now)
	if no == nil && (a.Action == selfActivate || a.Action == selfDeactivate) {
		no = refuse(400, "InvalidAction", "The action '"+a.Action+"' is not supported.")
	}
	if no == nil {
		no = w.mayAsk(by, a, now)
	}
	if no != nil {
		return nil, no
	}
	r := &request{ask: a, id: w.guid(), created: now, by: by, plan: p, offer: true}
	if no := w.judgeOffer(r, now); no != nil {
		return nil, no
	}
	if a.ValidationOnly {
		r.become(now, "Granted")
		return r, nil
	}
	w.onboard[a.Group] = true
	w.offers.put(r, r.edge(), mark{"id", r.id}, mark{"creator", by.oid})
	w.carryOffer(r, now)
	return r, nil
}

func (w *World) judgeOffer(r *request, now time.Time) *refusal {
	t := w.term(r, now)
	switch {
	case slices.Contains(terms, r.Action):
		return w.mayMove(r, now)
	case r.Action == adminRemove && !t.live:
		return notThere
	case r.Action == adminRemove && now.Sub(t.from) < w.dials.Floor:
		return refuse(400, "ActiveDurationTooShort", tooShort)
	case r.Action == adminRemove:
		return nil
	case t.live:
		return refuse(400, "RoleAssignmentExists", "The Role assignment already exists.")
	}
	return w.broken(r, now)
}

func (w *World) carryOffer(r *request, now time.Time) {
	switch {
	case r.Action == selfExtend || r.Action == selfRenew:
		r.become(now, "PendingAdminDecision")
	case r.Action == adminRemove:
		r.become(now, "Revoked")
		r.completed = now
		for _, e := range w.eligible.edges[r.edge()] {
			if e.to.IsZero() || now.Before(e.to) {
				e.to = now
				w.without(e, now)
			}
		}
		w.note(r, now, didTakeBack, r.by, r.Justification)
	case slices.Contains(terms, r.Action):
		w.moved(r, now)
	default:
		begins, ends := r.plan.span(now)
		r.begins, r.completed = begins, begins.Add(w.dials.Provision)
		w.offered(r.edge(), begins.Add(w.dials.Provision), ends, now)
		r.become(now, "Provisioned")
		w.note(r, now, didOffer, r.by, r.Justification)
	}
}

// Grant answers a person's wish for more, as an administrator does in the
// portal: Graph has no way to.
func (p Person) Grant(request string, yes bool, reason string) error {
	now := p.w.enter()
	defer p.w.mu.Unlock()
	r := p.w.offers.one(request)
	if r == nil {
		r = p.w.request(request)
	}
	no := p.w.grantMore(p.caller(), r, yes, now)
	p.note("grant "+request, no, Creates{User: p.oid, Action: "grant"})
	return orNil(no)
}

func (w *World) grantMore(by caller, r *request, yes bool, now time.Time) *refusal {
	switch {
	case r == nil:
		return refuse(404, "ResourceNotFound", "The role assignment request is not found.")
	case !by.admin && !w.tied(edge{r.Group, "owner", by.oid}, now):
		return denied
	case r.status(now) != "PendingAdminDecision":
		return refuse(409, "Conflict", "The request is already decided.")
	case !yes:
		r.become(now, "Denied")
		return nil
	}
	w.moved(r, now)
	return nil
}
