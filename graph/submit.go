package graph

import (
	"context"
	"net/http"
	"strings"
	"time"

	abs "github.com/microsoft/kiota-abstractions-go"
	"github.com/microsoft/kiota-abstractions-go/serialization"

	"pagbot/activation"
)

// submit asks PIM for the activation.
func (t attempt) submit(ctx context.Context, c caller) activation.Report {
	// Point of no return. A crash from here on leaves a claimed deed without an
	// outcome: it is looked for by its tag before it is sent again.
	ask := t.activation()
	q, err := t.post(ctx, c, ask)
	if past(err) && !t.a.Start.After(t.now) {
		// A start that is past on arrival may be refused instead of taken for now:
		// which of both groups do is not settled. Nothing was done, so it may be
		// sent again: PIM holds it for the moment that is left to it.
		ask.Schedule.Start = t.reader.now().Add(startSoon).UTC()
		q, err = t.post(ctx, c, ask)
	}
	// PIM has answered, and nothing here knows it yet: a crash now is the same
	// case as one during the call.
	if err == nil {
		return t.done(&q)
	}
	switch code := asFault(err).code(); code {
	case activation.AlreadyActive, activation.AlreadyPending:
		return t.already(ctx, err)
	}
	return t.failed(err)
}

// startSoon is how far ahead a start is set that must not be past on arrival,
// by a clock that is not ours.
const startSoon = 30 * time.Second

// past reports a refusal because the start is over.
func past(err error) bool {
	code := asFault(err).Code
	return err != nil && (code == "StartTimeInPast" || code == "InvalidStartDateTime")
}

// post sends a request and reads what PIM made of it. An answer without a
// request, also a success, leaves it open whether there is one.
func (t attempt) post(ctx context.Context, c caller, body scheduleRequest) (activation.Request, error) {
	info, err := c.pim().AssignmentScheduleRequests().ToGetRequestInformation(ctx, nil)
	if err == nil {
		err = carry(info, abs.POST, body)
	}
	if err != nil {
		return activation.Request{}, &tokenError{err} // nothing was sent
	}
	got, err := c.once(ctx, info, "")
	if err != nil {
		return activation.Request{}, err
	}
	var raw rawRequest
	if err := decode(got.body, &raw); err != nil {
		return activation.Request{}, err
	}
	if raw.ID == "" {
		return activation.Request{}, &Fault{Status: got.status, Text: "the answer is no request"}
	}
	return t.reader.request(raw), nil
}

// scheduleRequest is what PIM is sent.
type scheduleRequest struct {
	Action        string        `json:"action"`
	Access        string        `json:"accessId"`
	Group         string        `json:"groupId"`
	Principal     string        `json:"principalId"`
	Justification string        `json:"justification,omitempty"`
	Ticket        *ticketInfo   `json:"ticketInfo,omitempty"`
	Schedule      *scheduleInfo `json:"scheduleInfo,omitempty"`
}

type ticketInfo struct {
	Number string `json:"ticketNumber"`
}

type scheduleInfo struct {
	Start      time.Time  `json:"startDateTime"`
	Expiration expiration `json:"expiration"`
}

type expiration struct {
	Type     string    `json:"type"`
	Duration string    `json:"duration,omitempty"`
	End      time.Time `json:"endDateTime,omitzero"`
}

func (t attempt) body(action string) scheduleRequest {
	return scheduleRequest{Action: action, Access: string(t.a.Access), Group: t.a.Group.ID, Principal: t.a.Person.Object}
}

func (t attempt) activation() scheduleRequest {
	b := t.body(selfActivate)
	b.Justification = t.a.Justification()
	if t.a.Ticket != "" {
		b.Ticket = &ticketInfo{t.a.Ticket}
	}
	b.Schedule = &scheduleInfo{Start: t.now.UTC()}
	if t.a.Start.After(t.now) {
		b.Schedule.Start = t.a.Start.UTC() // PIM holds it until then: nothing is done later in the person's name
	}
	if t.a.Until.IsZero() {
		b.Schedule.Expiration = expiration{Type: "afterDuration", Duration: serialization.FromDuration(time.Duration(t.a.Length)).String()}
	} else {
		// An end and not a length: a late approval must not lengthen access.
		b.Schedule.Expiration = expiration{Type: "afterDateTime", End: t.a.Until.UTC()}
	}
	return b
}

// already finds out whether what PIM has already is what we asked for.
func (t attempt) already(ctx context.Context, cause error) activation.Report {
	q, err := t.ours(ctx)
	switch {
	case err != nil:
		return t.unsure(err)
	case q != nil:
		return t.done(q)
	case !t.mem.At.IsZero() && t.now.Before(t.mem.At.Add(readLag)):
		return t.later(cause) // it may be ours, and not yet shown
	}
	if report, stop := t.makesRoom(cause); stop {
		return report
	}
	no := asFault(cause).Refusal()
	if i, err := t.reader.instanceOf(ctx, t.a); err == nil && i != nil {
		no.Code, no.Until = activation.AlreadyActive, i.Ends
	}
	return t.refused(no)
}

// ours finds this activation's request by the tag in its justification.
func (t attempt) ours(ctx context.Context) (*activation.Request, error) {
	all, err := t.reader.RequestsOf(ctx, t.a.Group.ID, t.a.Person.Object)
	for _, q := range all {
		if q.Access == t.a.Access && t.a.Tag != "" && strings.HasSuffix(q.Justification, " [pag "+t.a.Tag+"]") {
			return &q, nil
		}
	}
	return nil, err
}

// end deactivates.
func (t attempt) end(ctx context.Context, c caller) activation.Report {
	// Point of no return. A crash from here on leaves a claimed deed: whether it
	// was done shows in the instances.
	b := t.body(selfDeactivate)
	q, err := t.post(ctx, c, b)
	if f := asFault(err); err != nil && !f.unsure() && strings.Contains(f.Code, "Schedule") {
		// Whether groups want a schedule here is not settled. Nothing was done.
		b.Schedule = &scheduleInfo{Start: t.now.UTC(), Expiration: expiration{Type: "noExpiration"}}
		q, err = t.post(ctx, c, b)
	}
	// Done, and not yet known here.
	if err == nil {
		return t.done(&q)
	}
	switch code := asFault(err).code(); code {
	case activation.TooShort:
		return t.tooEarly(err)
	case activation.NotActive:
		return t.notActive(ctx, err)
	}
	return t.failed(err)
}

// tooEarly waits for minute five, before which PIM ends nothing.
func (t attempt) tooEarly(err error) activation.Report {
	at := t.a.From.Add(floor)
	if !at.After(t.now) {
		at = t.now.Add(readLag) // PIM's clock, or its start, is not ours
	}
	r := t.later(err)
	r.After, r.Again = 0, at
	r.Tell = activation.Trouble{Why: activation.Refusal{Code: activation.TooEarly, Until: at}}
	return r
}

// notActive believes PIM only if its reads agree: right after an activation it
// may not know of it yet.
func (t attempt) notActive(ctx context.Context, cause error) activation.Report {
	i, err := t.reader.instanceOf(ctx, t.a)
	switch {
	case err != nil:
		return t.later(err)
	case i == nil:
		return t.done(nil)
	case t.mem.Strays < steps:
		t.mem.Strays++
		r := t.later(cause)
		r.After, r.Again = 0, t.now.Add(readLag/2)
		return r
	}
	return t.refused(asFault(cause).Refusal())
}

// cancel withdraws a request that waits.
func (t attempt) cancel(ctx context.Context, c caller) activation.Report {
	info, err := c.pim().AssignmentScheduleRequests().ByPrivilegedAccessGroupAssignmentScheduleRequestId(t.a.Request.ID).Cancel().ToPostRequestInformation(ctx, nil)
	if err != nil {
		return t.later(err)
	}
	// Point of no return. A crash from here on leaves a claimed deed: whether it
	// was done shows in the request's status.
	err = c.write(ctx, info)
	// Done, and not yet known here.
	if err == nil {
		q := t.a.Request
		q.Status = "Canceled"
		return t.done(&q)
	}
	switch f := asFault(err); {
	case f.unsure() || f.Status == http.StatusTooManyRequests || f.Status == http.StatusUnauthorized:
		return t.failed(err)
	}
	// What another state answers, and with which status, is not settled: the
	// request says whether it was too late, or why it was refused.
	q, look := t.reader.Request(ctx, t.a.Request.ID)
	switch {
	case look != nil:
		return t.later(look)
	case q.Kind() == activation.CalledOff:
		return t.done(&q)
	case q.Kind() == activation.AtApproval || q.Kind() == activation.InFuture:
		return t.failed(err)
	}
	return t.refused(activation.Refusal{Code: activation.NotPending, Text: q.Status})
}
