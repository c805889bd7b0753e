package activation

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"time"
)

// Deed is a write to Graph as a person.
type Deed string

// The deeds.
const (
	Submit  Deed = "activate"
	End     Deed = "deactivate"
	Cancel  Deed = "cancel"
	Approve Deed = "approve"
	Deny    Deed = "deny"
)

// Terms is what exactly a warrant permits. Its digest binds the warrant, so
// that what was shown to the person is what is done, or nothing is.
type Terms struct {
	Deed    Deed      `json:"deed"`
	Group   string    `json:"group"`
	Access  Access    `json:"access"`
	Length  Duration  `json:"length,omitempty"`
	Until   time.Time `json:"until,omitzero"`
	Start   time.Time `json:"start,omitzero"`
	Reason  string    `json:"reason,omitempty"`
	Ticket  string    `json:"ticket,omitempty"`
	Request string    `json:"request,omitempty"` // approve, deny, cancel
	For     string    `json:"for,omitempty"`     // the requester's object id
	After   string    `json:"after,omitempty"`   // activate: what ends first, and of which group, if of another
	Leaves  string    `json:"leaves,omitempty"`
}

// Digest is a hash over every field.
func (t Terms) Digest() string {
	t.Until, t.Start = t.Until.UTC(), t.Start.UTC()
	b, err := json.Marshal(t)
	if err != nil {
		// Only plain values are in Terms; nothing in them can fail to marshal.
		panic(err)
	}
	sum := sha256.Sum256(b)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Warrant is the right to do one deed once. It is minted from one click or
// form, sealed with a MAC (Seal, made in graph/signin, which holds the key),
// spent once, and dead after Expires.
type Warrant struct {
	ID       string    `json:"id"`
	Actor    Person    `json:"actor"`
	Deed     Deed      `json:"deed"`
	Digest   string    `json:"digest"`
	Proof    Proof     `json:"proof"`
	Envelope string    `json:"envelope"` // Slack's, or the page's
	Clicked  time.Time `json:"clicked"`
	Expires  time.Time `json:"expires"`
	Seal     string    `json:"seal"`
}

// Body is what the seal covers: everything but the seal itself.
func (w Warrant) Body() []byte {
	w.Seal = ""
	w.Clicked, w.Expires = w.Clicked.UTC(), w.Expires.UTC()
	b, err := json.Marshal(w)
	if err != nil {
		panic(err) // plain values only, as in Terms
	}
	return b
}

// Wait names what a deed that needs this warrant's sign-in is blocked on.
func (w Warrant) Wait() string { return "signin:" + w.ID }

// Pending is a deed that is wanted and not known to be done.
type Pending struct {
	Seq     uint64  `json:"seq"` // of the event that asked for it
	Warrant Warrant `json:"warrant"`
	Reason  string  `json:"reason,omitempty"` // an approver's own words
	Needs   bool    `json:"needs,omitempty"`  // waits for the person's browser
	Claims  string  `json:"claims,omitempty"` // what Entra asked for in a step-up
}

// Terms of a deed on this activation as it stands now. The digest of these is
// compared with the warrant's right before the call.
func (a Activation) Terms(d Deed, reason string) Terms {
	t := Terms{Deed: d, Group: a.Group.ID, Access: a.Access, For: a.Person.Object, Reason: reason}
	switch d {
	case Submit:
		t.Length, t.Until, t.Start, t.Reason, t.Ticket = a.Length, a.Until, a.Start, a.Reason, a.Ticket
		t.After, t.Leaves = a.After, a.Leaves.ID
	case Approve, Deny, Cancel:
		// What the approver was shown of the request is part of what they permit.
		t.Request, t.Length, t.Until, t.Ticket = a.Request.ID, a.Request.Length, a.Request.Until, a.Request.Ticket
	case End:
		t.Until = a.Ends
	}
	return t
}

// ProofFor is the proof that a deed needs by default: fresh where the role
// settings ask for MFA, an authentication context or an approval, for owner
// access, and for every approval. configured, if not empty, is the group's own
// choice in the configuration. Ending access never needs more than a session.
func ProofFor(d Deed, access Access, s Settings, configured Proof) Proof {
	switch {
	case d == End || d == Cancel:
		return Session
	case configured != "":
		return configured
	case d == Approve || d == Deny || access == Owner || s.NeedsMFA || s.Context != "" || s.NeedsApproval:
		return Fresh
	}
	return Session
}
