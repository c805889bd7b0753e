package entra

import "time"

// Person acts in Entra's own portal, past any bot. The portal steps people up
// by itself, so MFA and authentication contexts are no obstacle to it.
type Person struct {
	w   *World
	oid string
}

// Portal is a person in the portal, by object id.
func (w *World) Portal(oid string) Person { return Person{w, oid} }

// Activate asks for an activation and returns the request's id.
func (p Person) Activate(group, access string, length time.Duration, reason string) (string, error) {
	d := isoDuration(length)
	a := ask{Access: access, Group: group, Principal: p.oid, Action: selfActivate, Justification: reason}
	a.Schedule = newSchedule(d)
	number, system := "portal", "portal"
	a.Ticket.Number, a.Ticket.System = &number, &system
	return p.submit(a)
}

// Deactivate ends the person's own activation.
func (p Person) Deactivate(group, access string) (string, error) {
	return p.submit(ask{Access: access, Group: group, Principal: p.oid, Action: selfDeactivate})
}

// Remove ends another principal's assignment, as an owner or administrator.
func (p Person) Remove(group, access, principal, reason string) (string, error) {
	return p.submit(ask{Access: access, Group: group, Principal: principal, Action: adminRemove, Justification: reason})
}

// Cancel withdraws a waiting request.
func (p Person) Cancel(request string) error {
	now := p.w.enter()
	defer p.w.mu.Unlock()
	no := p.w.withdraw(p.caller(), request, now)
	p.note("cancel "+request, no, Creates{User: p.oid, Action: "cancel"})
	return orNil(no)
}

// Decide answers a request as an approver.
func (p Person) Decide(request string, approve bool, reason string) error {
	now := p.w.enter()
	defer p.w.mu.Unlock()
	answer := "Deny"
	if approve {
		answer = "Approve"
	}
	no := p.w.decide(p.caller(), request, request, answer, reason, now)
	p.note(answer+" "+request, no, Creates{User: p.oid, Action: answer})
	return orNil(no)
}

func (p Person) submit(a ask) (string, error) {
	now := p.w.enter()
	defer p.w.mu.Unlock()
	r, no := p.w.submit(p.caller(), a, now)
	p.note(a.Action, no, Creates{a.Principal, a.Group, a.Action})
	if no != nil {
		return "", no
	}
	return r.id, nil
}

func (p Person) caller() caller {
	return caller{oid: p.oid, app: "portal", admin: p.w.admin(p.oid), mfa: true, portal: true}
}

func (p Person) note(what string, no *refusal, whom Creates) {
	r := Record{At: p.w.Now(), Via: "portal", Method: "POST", Path: what, OID: p.oid, App: "portal", Write: true, Status: 200, Creates: whom}
	if no != nil {
		r.Status, r.Code = no.status, no.code
	}
	p.w.remembers(r)
}

// orNil keeps a nil refusal from becoming an error that isn't nil.
func orNil(no *refusal) error {
	if no == nil {
		return nil
	}
	return no
}
