package activation

import (
	"encoding/json"
	"fmt"
	"time"
)

// Event is a fact in the life of an activation. Its wire name and its JSON are
// permanent: testdata/events holds one sample of each ever written, add-only.
type Event interface{ wire() string }

// The events. Times inside are world time.
type (
	// EvAsked begins a life: a person asked and nothing forbade it.
	EvAsked struct {
		ID       string    `json:"id"`
		Tag      string    `json:"tag"`
		Person   Person    `json:"person"`
		Group    Group     `json:"group"`
		Access   Access    `json:"access"`
		Length   Duration  `json:"length,omitempty"`
		Until    time.Time `json:"until,omitzero"`
		Start    time.Time `json:"start,omitzero"`
		Reason   string    `json:"reason"`
		Ticket   string    `json:"ticket,omitempty"`
		Reply    string    `json:"reply,omitempty"`
		Batch    []string  `json:"batch,omitempty"`
		After    string    `json:"after,omitempty"`
		Leaves   Group     `json:"leaves,omitzero"`
		Settings Settings  `json:"settings"`
		Targets  []Target  `json:"targets"`
		Lead     Duration  `json:"lead,omitempty"`
		Remind   Duration  `json:"remind,omitempty"`
		Quorum   int       `json:"quorum,omitempty"`
		// Unchecked is why the ticket was taken without its system's word.
		Unchecked string    `json:"unchecked,omitempty"`
		Warrant   Warrant   `json:"warrant"`
		At        time.Time `json:"at"`
	}
	// EvRefused begins and ends a life: a rule was not met. What was asked for is
	// kept where it may yet be had in another way.
	EvRefused struct {
		ID      string    `json:"id"`
		Person  Person    `json:"person"`
		Group   Group     `json:"group"`
		Access  Access    `json:"access"`
		Length  Duration  `json:"length,omitempty"`
		Reason  string    `json:"reason,omitempty"`
		Ticket  string    `json:"ticket,omitempty"`
		Reply   string    `json:"reply,omitempty"`
		Refusal Refusal   `json:"refusal"`
		At      time.Time `json:"at"`
	}
	// EvNoticed begins a life that was begun elsewhere.
	EvNoticed struct {
		ID       string    `json:"id"`
		Person   Person    `json:"person"`
		Group    Group     `json:"group"`
		Access   Access    `json:"access"`
		Request  Request   `json:"request,omitzero"`
		From     time.Time `json:"from,omitzero"`
		Ends     time.Time `json:"ends,omitzero"`
		Settings Settings  `json:"settings,omitzero"`
		Targets  []Target  `json:"targets"`
		Lead     Duration  `json:"lead,omitempty"`
		Remind   Duration  `json:"remind,omitempty"`
		Quorum   int       `json:"quorum,omitempty"`
		At       time.Time `json:"at"`
	}
	// EvSignInWanted: a deed waits for the person's browser. Claims are what
	// Entra wants on top.
	EvSignInWanted struct {
		Warrant string    `json:"warrant"`
		Claims  string    `json:"claims,omitempty"`
		At      time.Time `json:"at"`
	}
	// EvSubmitted: PIM has the request.
	EvSubmitted struct {
		Warrant string    `json:"warrant,omitempty"`
		Request Request   `json:"request"`
		At      time.Time `json:"at"`
	}
	// EvDeedRefused: PIM, or a guard before it, refused a deed.
	EvDeedRefused struct {
		Warrant string    `json:"warrant"`
		By      Person    `json:"by"`
		Deed    Deed      `json:"deed"`
		Refusal Refusal   `json:"refusal"`
		At      time.Time `json:"at"`
	}
	// EvLapsed: the warrant died before the deed was done.
	EvLapsed struct {
		Warrant string    `json:"warrant"`
		By      Person    `json:"by"`
		Deed    Deed      `json:"deed"`
		At      time.Time `json:"at"`
	}
	// EvDecisionAsked: an approver said what they want.
	EvDecisionAsked struct {
		By      Person    `json:"by"`
		Approve bool      `json:"approve"`
		Reason  string    `json:"reason"`
		Warrant Warrant   `json:"warrant"`
		At      time.Time `json:"at"`
	}
	// EvAgreed: an approver agreed, and others must before PIM is told.
	EvAgreed struct {
		Agreed Agreed   `json:"agreed"`
		Lost   []Agreed `json:"lost,omitempty"` // earlier voices that count no more: their givers may not decide now
	}
	// EvDecided: PIM holds a decision.
	EvDecided struct {
		Decision Decision `json:"decision"`
		Request  Request  `json:"request,omitzero"`
		Warrant  string   `json:"warrant,omitempty"`
	}
	// EvDecidedBy: it became known who had decided in Entra.
	EvDecidedBy struct {
		By Person    `json:"by"`
		At time.Time `json:"at"`
	}
	// EvFinishAsked: the person wants it ended, or withdrawn.
	EvFinishAsked struct {
		By      Person    `json:"by"`
		Warrant Warrant   `json:"warrant"`
		Next    string    `json:"next,omitempty"`
		At      time.Time `json:"at"`
	}
	// EvProvisioned: PIM grants it.
	EvProvisioned struct {
		From    time.Time `json:"from"`
		Ends    time.Time `json:"ends,omitzero"`
		Request Request   `json:"request,omitzero"`
		At      time.Time `json:"at"`
	}
	// EvSpan: a target said something new.
	EvSpan struct {
		Target    string    `json:"target"`
		Direction Direction `json:"direction"`
		Span      Span      `json:"span"`
		At        time.Time `json:"at"`
	}
	// EvStill: a target has not followed yet. Only now and then, for the record:
	// of what never comes it is the only trace.
	EvStill struct {
		Target    string    `json:"target"`
		Direction Direction `json:"direction"`
		Asked     time.Time `json:"asked"`
		At        time.Time `json:"at"`
	}
	// EvDemanded: Entra was asked to write the new member to a target at once; a
	// refusal says why it won't.
	EvDemanded struct {
		Target  string    `json:"target"`
		Refusal *Refusal  `json:"refusal,omitempty"`
		At      time.Time `json:"at"`
	}
	// EvWarned: the person was told that the end is near.
	EvWarned struct {
		At time.Time `json:"at"`
	}
	// EvReminded: an approver is still needed, and somebody is told so.
	EvReminded struct {
		Nth Reminder  `json:"nth"`
		At  time.Time `json:"at"`
	}
	// EvEnded: PIM grants it no longer.
	EvEnded struct {
		Outcome Outcome   `json:"outcome"`
		At      time.Time `json:"at"`
		Warrant string    `json:"warrant,omitempty"`
	}
	// EvClosed: nothing more will happen.
	EvClosed struct {
		Outcome Outcome   `json:"outcome"`
		Refusal *Refusal  `json:"refusal,omitempty"`
		At      time.Time `json:"at"`
	}
	// EvClashed: two that exclude each other are granted at once.
	EvClashed struct {
		With Group     `json:"with"`
		At   time.Time `json:"at"`
	}
	// EvStuck: something that should happen can't. EvUnstuck: it can again.
	EvStuck struct {
		Stuck Stuck `json:"stuck"`
	}
	// EvUnstuck ends EvStuck.
	EvUnstuck struct {
		At time.Time `json:"at"`
	}
	// EvTurnedAway: a decision or finish was refused before it became a deed.
	EvTurnedAway struct {
		By      Person    `json:"by"`
		Deed    Deed      `json:"deed"`
		Refusal Refusal   `json:"refusal"`
		At      time.Time `json:"at"`
	}
)

// Wire names; permanent.
func (EvAsked) wire() string         { return "asked" }
func (EvRefused) wire() string       { return "refused" }
func (EvNoticed) wire() string       { return "noticed" }
func (EvSignInWanted) wire() string  { return "signin_wanted" }
func (EvSubmitted) wire() string     { return "submitted" }
func (EvDeedRefused) wire() string   { return "deed_refused" }
func (EvLapsed) wire() string        { return "lapsed" }
func (EvDecisionAsked) wire() string { return "decision_asked" }
func (EvAgreed) wire() string        { return "agreed" }
func (EvDecidedBy) wire() string     { return "decided_by" }
func (EvDecided) wire() string       { return "decided" }
func (EvFinishAsked) wire() string   { return "finish_asked" }
func (EvProvisioned) wire() string   { return "provisioned" }
func (EvSpan) wire() string          { return "span" }
func (EvStill) wire() string         { return "still" }
func (EvDemanded) wire() string      { return "demanded" }
func (EvWarned) wire() string        { return "warned" }
func (EvReminded) wire() string      { return "reminded" }
func (EvEnded) wire() string         { return "ended" }
func (EvClosed) wire() string        { return "closed" }
func (EvClashed) wire() string       { return "clashed" }
func (EvStuck) wire() string         { return "stuck" }
func (EvUnstuck) wire() string       { return "unstuck" }
func (EvTurnedAway) wire() string    { return "turned_away" }

// decoders reads each wire name ever written.
var decoders = map[string]func([]byte) (Event, error){
	"asked":          as[EvAsked],
	"refused":        as[EvRefused],
	"noticed":        as[EvNoticed],
	"signin_wanted":  as[EvSignInWanted],
	"submitted":      as[EvSubmitted],
	"deed_refused":   as[EvDeedRefused],
	"lapsed":         as[EvLapsed],
	"decision_asked": as[EvDecisionAsked],
	"agreed":         as[EvAgreed],
	"decided_by":     as[EvDecidedBy],
	"decided":        as[EvDecided],
	"finish_asked":   as[EvFinishAsked],
	"provisioned":    as[EvProvisioned],
	"span":           as[EvSpan],
	"still":          as[EvStill],
	"demanded":       as[EvDemanded],
	"warned":         as[EvWarned],
	"reminded":       as[EvReminded],
	"ended":          as[EvEnded],
	"closed":         as[EvClosed],
	"clashed":        as[EvClashed],
	"stuck":          as[EvStuck],
	"unstuck":        as[EvUnstuck],
	"turned_away":    as[EvTurnedAway],
}

func as[E Event](b []byte) (Event, error) {
	var e E
	err := json.Unmarshal(b, &e)
	return e, err
}

// Name is the event's permanent wire name.
func Name(e Event) string { return e.wire() }

type stored struct {
	Name string          `json:"event"`
	Body json.RawMessage `json:"body"`
}

// Encode writes an event as it is stored.
func Encode(e Event) ([]byte, error) {
	body, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	return json.Marshal(stored{e.wire(), body})
}

// Decode reads any event ever written.
func Decode(b []byte) (Event, error) {
	var w stored
	if err := json.Unmarshal(b, &w); err != nil {
		return nil, fmt.Errorf("event: %w", err)
	}
	decode, ok := decoders[w.Name]
	if !ok {
		return nil, fmt.Errorf("event %q was written by a newer pagbot", w.Name)
	}
	e, err := decode(w.Body)
	if err != nil {
		return nil, fmt.Errorf("event %q: %w", w.Name, err)
	}
	return e, nil
}
