package graph

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	abs "github.com/microsoft/kiota-abstractions-go"

	"pagbot/activation"
	"pagbot/graph/signin"
)

// Tokens gives the token with which a deed may be done, or signin.ErrSignIn if
// the person must come to the browser first.
type Tokens interface {
	Token(ctx context.Context, w activation.Warrant, claims string) (signin.Token, error)
}

// Guard refuses warrants that were not sealed by us.
type Guard interface {
	Check(w activation.Warrant) error
	// Voice seals an approver's proven yes that is counted first.
	Voice(a activation.Activation, v activation.Agreed) string
}

// Deeds does what a warrant permits, as the person whose warrant it is, and
// finds out whether it was done. It is the engine's hand for activation.DoDeed.
type Deeds struct {
	reader *Reader
	tokens Tokens
	guard  Guard
}

// NewDeeds makes the hand. The reader's tenant, clock and connections are used.
func NewDeeds(r *Reader, t Tokens, g Guard) *Deeds { return &Deeds{r, t, g} }

const (
	readLag  = 30 * time.Second // how long PIM's reads may not show a write
	lookSoon = 5 * time.Second  // between looks
	floor    = activation.Floor // PIM ends nothing younger
	steps    = 3                // step-ups of one deed: beyond, something goes round in circles
)

// memory is what an attempt leaves for the next.
type memory struct {
	At     time.Time `json:"at,omitzero"` // of the last attempt whose fate is unknown
	Steps  int       `json:"steps,omitempty"`
	Strays int       `json:"strays,omitempty"` // answers that made no sense, but may in a moment
	Since  time.Time `json:"since,omitzero"`   // a renewal waits for PIM to forget what it renews
}

// attempt is one try at one deed.
type attempt struct {
	*Deeds
	a   activation.Activation
	p   activation.Pending
	w   activation.Warrant
	mem memory
	now time.Time
}

func (d *Deeds) attempt(a activation.Activation, e activation.Effect) (attempt, bool) {
	p, ok := a.Deed(e.Warrant)
	t := attempt{Deeds: d, a: a, p: p, w: p.Warrant, now: d.reader.now()}
	if len(e.Memory) > 0 {
		// Memory that can't be read only costs patience: see Look.
		_ = json.Unmarshal(e.Memory, &t.mem)
	}
	return t, ok && e.Kind == activation.DoDeed
}

// Do does the deed, unless something about it is not as the person saw it.
func (d *Deeds) Do(ctx context.Context, a activation.Activation, e activation.Effect) activation.Report {
	t, ok := d.attempt(a, e)
	if !ok {
		return activation.Report{} // done, lapsed or dropped meanwhile
	}
	if r := t.permitted(); r != nil {
		return t.refused(*r)
	}
	if report, stop := t.unchanged(ctx); stop {
		return report
	}
	if report, stop := t.occupied(ctx); stop {
		return report
	}
	token, err := d.tokens.Token(ctx, t.w, t.p.Claims)
	var no activation.Refusal
	switch {
	case errors.Is(err, signin.ErrSignIn):
		return t.ask(t.foreseen())
	case errors.As(err, &no):
		return t.refused(no) // no sign-in helps, such as an account that is nobody's
	case err != nil:
		return t.later(fmt.Errorf("token of %s: %w", t.w.Actor.Object, err))
	case !t.w.Actor.SameAccount(activation.Person{Tenant: token.Tenant, Object: token.Object}):
		return t.refused(activation.Refusal{Code: activation.WrongPerson})
	}
	c := caller{d.reader.wire, func(context.Context, string) (string, error) { return token.Value, nil }}
	switch t.w.Deed {
	case activation.Submit:
		return t.submit(ctx, c)
	case activation.End:
		return t.end(ctx, c)
	case activation.Cancel:
		return t.cancel(ctx, c)
	case activation.Approve, activation.Deny:
		return t.decide(ctx, c)
	}
	return t.refused(activation.Refusal{Code: activation.WarrantBad, Text: "unknown deed " + string(t.w.Deed)})
}

// permitted checks the warrant against itself and against what stands now.
func (t attempt) permitted() *activation.Refusal {
	decides := t.w.Deed == activation.Approve || t.w.Deed == activation.Deny
	if err := t.guard.Check(t.w); err != nil {
		return &activation.Refusal{Code: activation.WarrantBad, Text: err.Error()}
	}
	switch {
	case !t.now.Before(t.w.Expires):
		return &activation.Refusal{Code: activation.WarrantExpired}
	case t.a.Terms(t.w.Deed, t.p.Reason).Digest() != t.w.Digest:
		return &activation.Refusal{Code: activation.Changed}
	case t.w.Deed == activation.Approve && t.a.Agrees(t.w.Actor):
		// With a second account, while the first one's yes was under way.
		return &activation.Refusal{Code: activation.AlreadyAgreed}
	case decides && t.w.Actor.Same(t.a.Person):
		return &activation.Refusal{Code: activation.OwnRequest}
	case !decides && !t.w.Actor.SameAccount(t.a.Person):
		return &activation.Refusal{Code: activation.WrongPerson}
	}
	return nil
}

// unchanged makes sure that PIM's request still says what an approver was
// shown, before anything is written.
func (t attempt) unchanged(ctx context.Context) (activation.Report, bool) {
	if t.w.Deed != activation.Approve && t.w.Deed != activation.Deny {
		return activation.Report{}, false
	}
	q, err := t.reader.Request(ctx, t.a.Request.ID)
	if err != nil {
		return t.later(err), true
	}
	if what := cmp.Or(differs(t.a.Request, q), unlike(t.a, q)); what != "" {
		return t.refused(activation.Refusal{Code: activation.Changed, Text: "PIM's request has another " + what}), true
	}
	return activation.Report{}, false
}

func differs(shown, now activation.Request) string {
	switch {
	case !strings.EqualFold(shown.ID, now.ID):
		return "id"
	case !strings.EqualFold(shown.Person.Object, now.Person.Object):
		return "person"
	case !strings.EqualFold(shown.Group.ID, now.Group.ID):
		return "group"
	case shown.Access != now.Access:
		return "access"
	case shown.Length != now.Length || !shown.Until.Equal(now.Until):
		return "length"
	case shown.Ticket != now.Ticket:
		return "ticket"
	}
	return ""
}

// unlike says what of PIM's request is not as cards, forms and pages show it:
// they are made of the activation, and whoever can write the database can make
// it say something else than the request that would be decided on.
func unlike(a activation.Activation, q activation.Request) string {
	switch {
	case !strings.EqualFold(a.Person.Object, q.Person.Object):
		return "person"
	case !strings.EqualFold(a.Group.ID, q.Group.ID):
		return "group"
	case a.Access != q.Access:
		return "access"
	case end(q.Start, q.Length, q.Until).Sub(end(q.Start, a.Length, a.Until)) > time.Minute:
		return "length"
	case q.Ticket != a.Ticket:
		return "ticket"
	case q.Justification != "" && plain(q.Justification) != plain(a.Reason) && plain(q.Justification) != plain(a.Justification()):
		return "reason"
	}
	return ""
}

// end is when access that begins then would end.
func end(from time.Time, length activation.Duration, until time.Time) time.Time {
	if until.IsZero() {
		return from.Add(time.Duration(length))
	}
	return until
}

// plain is a text whatever became of its spaces and lines on the way.
func plain(s string) string { return strings.Join(strings.Fields(s), " ") }

// done reports success.
func (t attempt) done(q *activation.Request) activation.Report {
	return activation.Report{Tell: activation.Done{Warrant: t.w.ID, Request: q, At: t.now}}
}

// refused reports the final no.
func (t attempt) refused(r activation.Refusal) activation.Report {
	return activation.Report{Tell: activation.Done{Warrant: t.w.ID, Refusal: &r, At: t.now}, Err: r}
}

// later repeats what did not begin, or was only a look.
func (t attempt) later(err error) activation.Report {
	r := activation.Report{Memory: t.remember(), Err: err}
	if f := asFault(err); f.Status == http.StatusTooManyRequests {
		r.After = max(f.After, time.Second)
	} else {
		r.Again = t.now.Add(lookSoon)
	}
	return r
}

// unsure reports a write that may have been done: the next attempt looks first.
func (t attempt) unsure(err error) activation.Report {
	t.mem.At = t.now
	return activation.Report{Unsure: true, Again: t.now.Add(lookSoon), Memory: t.remember(), Err: err}
}

func (t attempt) remember() json.RawMessage {
	b, err := json.Marshal(t.mem)
	if err != nil {
		panic(err) // times and numbers only
	}
	return b
}

// ask sends the person to the browser and waits for them.
func (t attempt) ask(claims string) activation.Report {
	return activation.Report{Tell: activation.StepUp{Warrant: t.w.ID, Claims: claims},
		Wait: t.w.Wait(), Until: t.w.Expires, Memory: t.remember()}
}

// foreseen are the claims to sign in with: those that Entra asked for, else
// those that the role settings are known to want.
func (t attempt) foreseen() string {
	if t.p.Claims == "" && t.w.Deed == activation.Submit && t.a.Settings.Context != "" {
		b, err := json.Marshal(t.a.Settings.Context)
		if err != nil {
			panic(err)
		}
		return `{"access_token":{"acrs":{"essential":true,"value":` + string(b) + `}}}`
	}
	return t.p.Claims
}

const mfaClaims = `{"access_token":{"amr":{"values":["mfa"]}}}`

// write sends what has no answer but its success. A success that says nothing
// at all is a proxy's, not Graph's.
func (c caller) write(ctx context.Context, info *abs.RequestInformation) error {
	got, err := c.once(ctx, info, "")
	if err == nil && got.status != http.StatusNoContent && len(got.body) == 0 {
		err = &Fault{Status: got.status, Text: "an empty answer"}
	}
	return err
}

// failed reports a write that Graph did not take, and tells apart: what may
// have been done all the same, what may be tried again, what needs more of the
// person, and what is final.
func (t attempt) failed(err error) activation.Report {
	f := asFault(err)
	switch {
	case f.unsure():
		return t.unsure(f)
	case f.Status == http.StatusTooManyRequests:
		return t.later(f) // it was not done
	}
	claims, step := f.Claims, f.Status == http.StatusUnauthorized || f.Claims != ""
	switch {
	case len(f.Rules) == 1 && f.Rules[0] == "MfaRule":
		claims, step = mfaClaims, true
	case isAcrs(f.Code) && claims == "":
		claims = t.foreseen() // the message could not be read
		step = claims != ""
	}
	// The token had what is asked for, and it was not enough.
	again := claims != "" && same(claims, t.p.Claims) || claims == "" && t.mem.Steps > 0
	if step && !again && t.mem.Steps < steps {
		t.mem.Steps++
		if claims == "" {
			claims = t.p.Claims
		}
		r := t.ask(claims)
		r.Err = f
		return r
	}
	return t.refused(f.Refusal())
}

// same compares claims by what they say.
func same(a, b string) bool {
	var x, y any
	if json.Unmarshal([]byte(a), &x) != nil || json.Unmarshal([]byte(b), &y) != nil {
		return a == b
	}
	p, _ := json.Marshal(x)
	q, _ := json.Marshal(y)
	return string(p) == string(q)
}
