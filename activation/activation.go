package activation

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// Access is the relation that an activation grants.
type Access string

// The two accesses of PIM for Groups.
const (
	Member Access = "member"
	Owner  Access = "owner"
)

// SlackUser identifies a person in Slack by ids that nobody can edit: Team is
// the enterprise id on Enterprise Grid, the team id elsewhere.
type SlackUser struct {
	Team string `json:"team,omitempty"`
	ID   string `json:"id,omitempty"`
}

// Person is one Entra account and, where the binding knows it, the Slack user
// behind it. Several accounts of one human share Human.
type Person struct {
	Tenant string    `json:"tenant,omitempty"`
	Object string    `json:"object,omitempty"` // Entra object id
	Name   string    `json:"name,omitempty"`   // user principal name, to be shown and never compared
	Human  string    `json:"human,omitempty"`  // the binding's key for the human; empty when not bound
	Slack  SlackUser `json:"slack,omitzero"`
}

// Same reports whether p and q are the same human being: by account, by Slack
// user, or by the binding's key. Any of them is enough.
func (p Person) Same(q Person) bool {
	return p.Object != "" && strings.EqualFold(p.Tenant+"/"+p.Object, q.Tenant+"/"+q.Object) ||
		p.Slack.ID != "" && p.Slack == q.Slack ||
		p.Human != "" && p.Human == q.Human
}

// SameAccount reports whether p and q are the same Entra account.
func (p Person) SameAccount(q Person) bool {
	return p.Object != "" && strings.EqualFold(p.Tenant, q.Tenant) && strings.EqualFold(p.Object, q.Object)
}

// Group is a PIM-managed Entra group.
type Group struct {
	Tenant string `json:"tenant,omitempty"`
	ID     string `json:"id,omitempty"`
	Name   string `json:"name,omitempty"`
}

// Phase is where an activation stands in PIM. What each target knows runs
// beside it (Target).
type Phase string

// The phases in their order; doc.go has the table of moves.
const (
	Asked            Phase = "asked"
	Noticed          Phase = "noticed"
	Scheduled        Phase = "scheduled"
	AwaitingApproval Phase = "awaiting approval"
	Provisioning     Phase = "provisioning"
	Active           Phase = "active"
	Ending           Phase = "ending"
	Verifying        Phase = "verifying"
	Closed           Phase = "closed"
)

// Phases lists all phases in order.
var Phases = []Phase{Asked, Noticed, Scheduled, AwaitingApproval, Provisioning, Active, Ending, Verifying, Closed}

// Outcome says why an activation is closed.
type Outcome string

// The outcomes of a closed activation.
const (
	Refused   Outcome = "refused"   // a rule of PIM or pagbot said no before anything was granted
	Denied    Outcome = "denied"    // an approver said no
	Withdrawn Outcome = "withdrawn" // the requester, or nobody's sign-in in time
	TimedOut  Outcome = "timed out" // no approver answered within PIM's 24 hours
	Failed    Outcome = "failed"    // PIM could not provision
	Expired   Outcome = "expired"   // ran its full time
	EndedSoon Outcome = "ended early"
	Revoked   Outcome = "revoked elsewhere"
)

// Proof is how sure we are that the person, not just their Slack session,
// wants a deed.
type Proof string

// The two proofs.
const (
	// Session is satisfied by a kept token.
	Session Proof = "session"
	// Fresh asks for an interactive sign-in for this one deed.
	Fresh Proof = "fresh"
)

// Request is PIM's assignmentScheduleRequest; its id is also the approval id.
type Request struct {
	ID            string    `json:"id,omitempty"`
	Status        string    `json:"status,omitempty"` // PIM's own word
	Created       time.Time `json:"created,omitzero"`
	Start         time.Time `json:"start,omitzero"`
	Person        Person    `json:"person,omitzero"`
	Group         Group     `json:"group,omitzero"`
	Access        Access    `json:"access,omitempty"`
	Action        string    `json:"action,omitempty"`
	Justification string    `json:"justification,omitempty"`
	Ticket        string    `json:"ticket,omitempty"`
	Schedule      string    `json:"schedule,omitempty"` // targetScheduleId
	Length        Duration  `json:"length,omitempty"`
	Until         time.Time `json:"until,omitzero"`
}

// Instance is PIM's assignmentScheduleInstance: what Entra grants right now.
type Instance struct {
	ID       string    `json:"id,omitempty"`
	Schedule string    `json:"schedule,omitempty"`
	Person   Person    `json:"person,omitzero"`
	Group    Group     `json:"group,omitzero"`
	Access   Access    `json:"access,omitempty"`
	From     time.Time `json:"from,omitzero"`
	Ends     time.Time `json:"ends,omitzero"`
}

// Settings are PIM's role settings for one group and access, as far as they
// govern an activation. Source: roleManagementPolicy rules *_EndUser_Assignment.
type Settings struct {
	Max            Duration   `json:"max,omitempty"`
	NeedsReason    bool       `json:"needs_reason,omitempty"`
	NeedsTicket    bool       `json:"needs_ticket,omitempty"`
	NeedsMFA       bool       `json:"needs_mfa,omitempty"`
	Context        string     `json:"context,omitempty"` // authentication context, such as c1
	NeedsApproval  bool       `json:"needs_approval,omitempty"`
	ApproverReason bool       `json:"approver_reason,omitempty"`
	Approvers      []Approver `json:"approvers,omitempty"`
}

// Approver is one entry of the role settings: a user, or a group of them.
type Approver struct {
	User  string `json:"user,omitempty"`
	Group string `json:"group,omitempty"`
}

// Stuck says why nothing moves although something should. It is a field and
// not a phase, so that nothing forgets where it was.
type Stuck struct {
	Why   Refusal   `json:"why"`
	Since time.Time `json:"since"`
}

// Decision is an approver's answer, wherever it was given.
type Decision struct {
	By      Person    `json:"by,omitzero"` // empty when decided elsewhere and Entra doesn't say
	Approve bool      `json:"approve"`
	Reason  string    `json:"reason,omitempty"`
	At      time.Time `json:"at"`
	Here    bool      `json:"here"` // through pagbot
}

// Agreed is an approver's yes that was given here, and of which PIM has not
// been told: pagbot wants more than one (Quorum).
type Agreed struct {
	By      Person    `json:"by"`
	Reason  string    `json:"reason,omitempty"`
	Warrant string    `json:"warrant"`
	At      time.Time `json:"at"`
	Seal    string    `json:"seal,omitempty"` // made where it was proven: see Voice
}

// Voice is what the seal of an approver's yes covers: who gave it, when, with
// which warrant, and to what.
func (a Activation) Voice(v Agreed) []byte {
	v.Seal, v.At = "", v.At.UTC()
	b, err := json.Marshal(struct {
		Agreed
		Activation, Request, For, Group string
		Access                          Access
	}{v, a.ID, a.Request.ID, a.Person.Object, a.Group.ID, a.Access})
	if err != nil {
		panic(err) // plain values only, as in Terms
	}
	return b
}

// Activation is one person's time-bound active assignment of one access to one
// group, from the ask (or from being noticed) to its verified end. It is the
// fold of its events; only Apply makes one.
type Activation struct {
	ID      string `json:"id"`
	Seq     uint64 `json:"seq"`
	Tag     string `json:"tag"` // in the justification, to find the request again
	Phase   Phase  `json:"phase"`
	Watched bool   `json:"watched,omitempty"` // noticed in PIM, not asked for here
	Person  Person `json:"person"`
	Group   Group  `json:"group"`
	Access  Access `json:"access"`
	Reason  string `json:"reason,omitempty"`
	Ticket  string `json:"ticket,omitempty"`
	// Unchecked is why the ticket was taken without its system's word.
	Unchecked string    `json:"unchecked,omitempty"`
	Length    Duration  `json:"length,omitempty"`
	Until     time.Time `json:"until,omitzero"`
	Start     time.Time `json:"start,omitzero"` // zero: at once
	Settings  Settings  `json:"settings,omitzero"`
	Lead      Duration  `json:"lead,omitempty"`   // how long before the end to warn
	Remind    Duration  `json:"remind,omitempty"` // how long a request waits before its approvers are reminded; zero: only the rescue
	Batch     []string  `json:"batch,omitempty"`  // ids of what was asked for together; the first speaks for all until PIM is asked
	After     string    `json:"after,omitempty"`  // id of the activation that ends first: this one renews it, or is switched to
	Leaves    Group     `json:"leaves,omitzero"`  // that one's group, if it is another: a switch
	Next      string    `json:"next,omitempty"`   // id of the one that begins once this one is over
	Reply     string    `json:"reply,omitempty"`  // where Slack takes a private answer, for 30 minutes
	Began     time.Time `json:"began"`            // asked or noticed

	Request  Request   `json:"request,omitzero"`
	From     time.Time `json:"from,omitzero"` // PIM's start and end
	Ends     time.Time `json:"ends,omitzero"`
	Ended    time.Time `json:"ended,omitzero"`
	Warned   bool      `json:"warned,omitempty"`
	Reminded Reminder  `json:"reminded,omitempty"` // the last one that was due
	Quorum   int       `json:"quorum,omitempty"`   // how many different approvers must agree here; 0 and 1: PIM's one
	Agreed   []Agreed  `json:"agreed,omitempty"`
	Decision *Decision `json:"decision,omitempty"`
	Clash    Group     `json:"clash,omitzero"`  // a group that excludes this one, and was active at the same time
	Deeds    []Pending `json:"deeds,omitempty"` // not done yet
	Spent    []string  `json:"spent,omitempty"` // warrants that were used, refused or lapsed
	Targets  []Target  `json:"targets,omitempty"`
	Stuck    *Stuck    `json:"stuck,omitempty"`
	Outcome  Outcome   `json:"outcome,omitempty"`
	Refusal  *Refusal  `json:"refusal,omitempty"`
	ClosedAt time.Time `json:"closed_at,omitzero"`
}

// Open reports whether the activation still has a life before it.
func (a Activation) Open() bool { return a.Phase != Closed && a.Phase != "" }

// Starts is when it is to begin, if not at once.
func (a Activation) Starts() time.Time {
	if a.Start.IsZero() && a.Request.Start.After(a.requested().Add(time.Minute)) {
		return a.Request.Start // asked for elsewhere
	}
	return a.Start
}

// Lacks is how many approvers must still agree, the one whose yes goes to PIM
// included.
func (a Activation) Lacks() int { return max(1, a.Quorum-len(a.Agreed)) }

// Agrees reports whether this human has agreed already, with any account.
func (a Activation) Agrees(p Person) bool {
	return slices.ContainsFunc(a.Agreed, func(v Agreed) bool { return v.By.Same(p) })
}

// Nameless reports whether somebody decided in Entra and it is not known who.
func (a Activation) Nameless() bool {
	return a.Decision != nil && !a.Decision.Here && a.Decision.By.Object == ""
}

// Round reports whether a decision in Entra went round the quorum: fewer
// people have agreed than this group wants, as far as it is known.
func (a Activation) Round() bool {
	d := a.Decision
	if a.Quorum < 2 || d == nil || !d.Approve || d.Here {
		return false
	}
	n := len(a.Agreed)
	if d.By.Object != "" && !a.Agrees(d.By) {
		n++
	}
	return n < a.Quorum
}

// Follows reports whether another activation of its batch speaks for it.
func (a Activation) Follows() bool { return len(a.Batch) > 0 && a.Batch[0] != a.ID }

// Key names what there can be only one of in PIM at a time.
func (a Activation) Key() string {
	return strings.ToLower(strings.Join([]string{a.Person.Tenant, a.Person.Object, a.Group.ID, string(a.Access)}, "/"))
}

// Target returns the target of that id.
func (a Activation) Target(id string) (Target, bool) {
	for _, t := range a.Targets {
		if t.ID == id {
			return t, true
		}
	}
	return Target{}, false
}

// Deed returns the pending deed that the warrant of that id permits.
func (a Activation) Deed(warrant string) (Pending, bool) {
	for _, d := range a.Deeds {
		if d.Warrant.ID == warrant {
			return d, true
		}
	}
	return Pending{}, false
}

// Justification is the text that goes to PIM: the person's reason and the tag
// by which the request is found again.
func (a Activation) Justification() string { return a.Reason + " [pag " + a.Tag + "]" }

// Duration is a time.Duration that reads as "2h0m0s" in JSON, so that the
// journal can be read by people.
type Duration time.Duration

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	*d = Duration(v)
	return err
}
