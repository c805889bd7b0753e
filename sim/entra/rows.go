package entra

import (
	"fmt"
	"time"
)

// row is an active assignment as PIM records it: the schedule, and the
// instance while it is in force.
type row struct {
	edge
	id, schedule string
	kind         string // activated or assigned
	created      time.Time
	begins, ends time.Time // as planned; no end: permanent
	over         time.Time // when it really ended: removed, expired or cancelled
	shown        span      // when reads list the instance
	request      *request
	eligibility  *eligibility
	view         obj // as an instance; nil when something changed
}

// eligibility allows a principal (a user or a group) to activate.
type eligibility struct {
	edge
	id, schedule string
	created      time.Time
	span
}

// AddEligibility makes a principal, a user or a group, eligible; a zero end is
// permanent. It returns the eligibility's id.
func (w *World) AddEligibility(group, access, principal string, until time.Time) (string, error) {
	now := w.enter()
	defer w.mu.Unlock()
	if w.group(group) == nil || !w.known(principal) || !validAccess(access) {
		return "", fmt.Errorf("no such group, access or principal: %s %s %s", group, access, principal)
	}
	w.onboard[group] = true
	return w.offered(edge{group, access, principal}, now, until, now).id, nil
}

// offered makes an eligibility, now or later.
func (w *World) offered(at edge, from, until, now time.Time) *eligibility {
	e := &eligibility{edge: at, created: now, span: span{from, until}}
	e.id, e.schedule = w.pimID(e.edge), w.pimID(e.edge)
	w.eligible.put(e, e.edge, mark{"id", e.id}, mark{"schedule", e.schedule})
	w.lapse(e)
	return e
}

// lapse plans what goes with an eligibility when it ends.
func (w *World) lapse(e *eligibility) {
	if !e.to.IsZero() {
		w.agenda.add(e.to, func(at time.Time) { w.without(e, at) })
	}
}

// RemoveEligibility ends an eligibility, and by dial the activations from it.
func (w *World) RemoveEligibility(id string) error {
	now := w.enter()
	defer w.mu.Unlock()
	e := w.eligible.one(id)
	if e == nil || !e.has(now) {
		return fmt.Errorf("no eligibility %s", id)
	}
	e.to = now
	w.without(e, now)
	return nil
}

// without ends, by dial, what was activated from an eligibility.
func (w *World) without(e *eligibility, at time.Time) {
	for _, r := range w.rows.at("group", e.group) {
		if r.eligibility == e && r.live(at) && e.to.Equal(at) && w.dials.EligibilityEnds {
			w.endRow(r, at)
		}
	}
}

// Assign makes a standing assignment, as an administrator would in the portal;
// a zero end is permanent.
func (w *World) Assign(group, access, principal string, until time.Time) error {
	now := w.enter()
	defer w.mu.Unlock()
	if w.group(group) == nil || !w.known(principal) || !validAccess(access) {
		return fmt.Errorf("no such group, access or principal: %s %s %s", group, access, principal)
	}
	w.onboard[group] = true
	r := &request{ask: ask{Group: group, Access: access, Principal: principal, Action: adminAssign}}
	row := w.newRow(r, now, until)
	row.request = nil
	w.provision(row)
	return nil
}

// eligibleFor finds what lets a user activate: a row of their own, or one of a
// group in which they are an active member.
func (w *World) eligibleFor(e edge, at time.Time) *eligibility {
	for _, p := range append([]string{e.principal}, w.above(e.principal, at)...) {
		for _, x := range w.eligible.edges[edge{e.group, e.access, p}] {
			if x.has(at) {
				return x
			}
		}
	}
	return nil
}

func (w *World) pimID(e edge) string { return e.group + "_" + e.access + "_" + w.guid() }

func (w *World) newRow(r *request, begins, ends time.Time) *row {
	x := &row{edge: r.edge(), request: r, begins: begins, ends: ends, created: w.Now(), kind: "assigned"}
	x.id, x.schedule = w.pimID(x.edge), x.group+"_"+x.access+"_"+r.id
	if r.id == "" {
		x.schedule = w.pimID(x.edge)
	}
	if r.Action == selfActivate {
		x.kind = "activated"
		x.eligibility = w.eligibleFor(x.edge, begins)
	}
	w.rows.put(x, x.edge, mark{"id", x.id}, mark{"schedule", x.schedule})
	return x
}

// provision plans a row's appearance, and its end.
func (w *World) provision(r *row) {
	w.agenda.add(r.begins.Add(w.dials.Provision), func(at time.Time) {
		if !r.over.IsZero() {
			return
		}
		r.shown.from = at
		if w.dials.MembershipNever {
			return
		}
		w.agenda.add(at.Add(w.dials.MembershipLag), func(at time.Time) {
			if r.over.IsZero() {
				w.tie(r.edge, at, r)
				w.noteTie(r.edge, at, true, pimItself)
			}
		})
		if r.request != nil {
			w.note(r.request, at, map[string]string{"activated": didActivate, "assigned": didAssign}[r.kind], r.request.by, r.request.Justification)
		}
	})
	w.plan(r)
}

// plan puts a row's end down.
func (w *World) plan(r *row) {
	if !r.ends.IsZero() {
		w.agenda.add(r.ends, func(at time.Time) { w.expire(r, at) })
	}
}

// expire ends a row at its planned end: the instance goes at once, the
// membership follows within seconds.
func (w *World) expire(r *row, at time.Time) {
	if !r.over.IsZero() || !r.ends.Equal(at) { // its end may have been moved
		return
	}
	r.over, r.shown.to = at, at
	if r.request != nil && r.kind == "activated" {
		w.note(r.request, at, didExpire, pimItself, "")
	}
	w.leave(r, at.Add(w.dials.Provision+w.dials.MembershipLag))
}

// endRow ends a row before its time: reads list it for a while, the directory
// forgets it within seconds.
func (w *World) endRow(r *row, at time.Time) {
	r.over, r.shown.to = at, at.Add(w.dials.Reactivate)
	w.leave(r, at.Add(w.dials.Provision+w.dials.MembershipLag))
}

// leave takes the principal out of the directory. The last owner stays: PIM
// tries again for 30 days, and then leaves it.
func (w *World) leave(r *row, at time.Time) {
	w.agenda.add(at, func(at time.Time) {
		last := r.access == "owner" && w.tied(r.edge, at) && len(w.direct(r.group, "owner", at)) == 1
		switch {
		case !last || !w.dials.KeepLastOwner:
			if w.tied(r.edge, at) {
				w.noteTie(r.edge, at, false, pimItself)
			}
			w.untieRow(r, at)
		case at.Sub(r.over) < 30*24*time.Hour:
			w.leave(r, at.Add(time.Hour))
		}
	})
}

func (r *row) cancel(at time.Time) { r.over, r.shown.to = at, at }

// live tells whether a row is planned or in force.
func (r *row) live(at time.Time) bool { return r.over.IsZero() || at.Before(r.over) }

// current is the row that stands for an edge now, or that still seems to.
func (w *World) current(e edge, now time.Time) *row {
	for _, r := range w.rows.edges[e] {
		if r.live(now) || now.Before(r.shown.to) {
			return r
		}
	}
	return nil
}
