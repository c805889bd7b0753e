package activation

import "time"

// Level says how much an answer proves; see the evidence ladder in doc.go.
type Level int

// The evidence levels.
const (
	L0 Level = iota // Entra lists it: nothing is proven downstream
	L1              // the target's own copy lists it: received
	L2              // the target's policy engine allows this person: effective on a new session
	L3              // a fresh token of this person succeeds: effective for that session
)

// Claim is what a yes proves, in the words of the evidence ladder. Nothing that
// a person reads says more.
type Claim string

// The four claims.
const (
	ClaimListed     Claim = "listed"     // Entra lists the person: nothing is known of the target
	ClaimConfigured Claim = "configured" // the target's settings name the group too
	ClaimReceived   Claim = "received"   // the target's own copy lists the person
	ClaimEffective  Claim = "effective"  // the target itself allows the person
)

// Claim is what a yes in this span proves.
func (s Span) Claim() Claim {
	switch {
	case s.Level >= L2:
		return ClaimEffective
	case s.Level == L1:
		return ClaimReceived
	case s.Configured:
		return ClaimConfigured
	}
	return ClaimListed
}

// Says is the answer of a probe.
type Says string

// The three answers. Everything that is not a sound yes or no is CantTell.
const (
	Yes      Says = "yes"
	No       Says = "no"
	CantTell Says = "can't tell"
)

// Answer is what a probe learned about one person on one target. Sent and
// Received bound the moment of the evaluation: a lower end of an interval uses
// Sent, an upper end Received.
type Answer struct {
	Says  Says  `json:"says"`
	Level Level `json:"level"`
	// Configured is an L0 answer that also joins the target's settings: they name
	// the group, and Entra lists the person. The target was not asked about them.
	Configured bool      `json:"configured,omitempty"`
	Evidence   string    `json:"evidence,omitempty"` // id of what granted it
	Via        string    `json:"via,omitempty"`      // the same for people: "a group"
	Sent       time.Time `json:"sent"`
	Received   time.Time `json:"received"`
	Why        string    `json:"why,omitempty"` // for CantTell, and for the journal
	// Absent is a CantTell: nobody is found there who could be the person, so that
	// nobody could be in the group either, if they are looked for in the right way.
	// A later yes shows that they were.
	Absent bool `json:"absent,omitempty"`
}

// Direction tells the two measurements of a target apart.
type Direction string

// Grant is measured from provisioning, Removal from the end.
const (
	Grant   Direction = "grant"
	Removal Direction = "removal"
)

// State is where one measurement of one target stands.
type State string

// The states of a span.
const (
	Unbegun    State = ""
	Waiting    State = "waiting"
	Effective  State = "effective"   // a no before, then a yes: the interval is known
	Works      State = "works"       // a yes without any no before: nothing is learned
	HadAlready State = "had already" // a yes before PIM granted anything
	Gone       State = "gone"        // a yes before the end, then a no
	NeverCame  State = "never came"  // ended before the target ever said yes
	NotProven  State = "not proven"
	Superseded State = "superseded" // a new activation began meanwhile
)

// Span is one measurement: the change happened in (After, By].
type Span struct {
	State      State     `json:"state,omitempty"`
	After      time.Time `json:"after,omitzero"`        // the last contrary answer was asked for then; zero: none
	AfterLevel Level     `json:"after_level,omitempty"` // of the answer that After is of
	Asked      time.Time `json:"asked,omitzero"`        // the first answer was asked for then
	By         time.Time `json:"by,omitzero"`           // and received then
	Level      Level     `json:"level,omitempty"`
	Configured bool      `json:"configured,omitempty"` // at L0: by joining its settings with Entra's data
	Evidence   string    `json:"evidence,omitempty"`
	Via        string    `json:"via,omitempty"`
	Doubt      string    `json:"doubt,omitempty"` // why it can't be told at the moment
	Overdue    bool      `json:"overdue,omitempty"`
	Absent     time.Time `json:"absent,omitzero"` // nobody was found who could be the person; it was asked for then
	Still      time.Time `json:"still,omitzero"`  // a contrary answer was asked for then, the last that was kept
}

// Settled reports whether nothing more is asked in this direction.
func (s Span) Settled() bool { return s.State != Unbegun && s.State != Waiting }

// Longer reports whether a contrary answer is worth keeping: so that of what
// never comes it is known, but for a half, how long it took at least. since is
// the turn that is measured. Of a removal that is overdue more is kept: who is
// alarmed about it wants to know how it stands.
func (s Span) Longer(since, asked time.Time) bool {
	age := asked.Sub(since)
	if s.Overdue && asked.Sub(s.Still) >= age/4 {
		return true
	}
	return age >= time.Minute && (s.Still.IsZero() || age >= 2*s.Still.Sub(since))
}

// LastContrary is when the last contrary answer that was kept was asked for; zero:
// there was none.
func (s Span) LastContrary() time.Time {
	if s.Still.After(s.After) {
		return s.Still
	}
	return s.After
}

// Target is a downstream system where the group carries a role, and what it
// knows of this activation.
type Target struct {
	ID     string   `json:"id"`   // as configured
	Kind   string   `json:"kind"` // entra, devops, …
	Name   string   `json:"name"` // for people
	Level  Level    `json:"level"`
	Within Duration `json:"within,omitempty"` // removal later than this after the end alarms the channel
	// Sessions is how long a session of before may outlive the target's no;
	// zero: not known.
	Sessions Duration `json:"sessions,omitempty"`
	// App is the enterprise application by which Entra writes to the target;
	// empty: none. Who begins behind it takes turns.
	App string `json:"app,omitempty"`
	// Owed: another activation of this person opened it before this one was
	// granted, and is not known to be gone. A yes may be of that one.
	Owed bool `json:"owed,omitempty"`
	// OnDemand: Entra is asked to write a new member there at once.
	OnDemand bool `json:"on_demand,omitempty"`
	// Demanded is when Entra was asked so, once an activation; Declined is why
	// nothing came of it. What the target knows is for its spans to say.
	Demanded time.Time `json:"demanded,omitzero"`
	Declined *Refusal  `json:"declined,omitempty"`

	Grant   Span `json:"grant,omitzero"`
	Removal Span `json:"removal,omitzero"`
}

// Span returns the measurement in that direction.
func (t Target) Span(d Direction) Span {
	if d == Removal {
		return t.Removal
	}
	return t.Grant
}

// Opens reports whether a target may let this activation's person in because of
// it: it was granted, and is not known to be gone from there. What was there
// before it does not come from it.
func (a Activation) Opens(target string) bool {
	t, ok := a.Target(target)
	return ok && !a.From.IsZero() && a.Open() && t.Grant.State != HadAlready && !t.Removal.Settled()
}

// Residue is until when a session of before may still work at the most, once
// the target has said no; zero if that is not known.
func (t Target) Residue() time.Time {
	if t.Removal.State != Gone || t.Sessions == 0 {
		return time.Time{}
	}
	return t.Removal.By.Add(time.Duration(t.Sessions))
}

// settle puts one answer into a span and reports whether that is news. last is
// when the last contrary answer was asked for (zero: there was none), since
// the turn of the life that is measured: provisioning or the end.
func (s Span) settle(d Direction, a Answer, last, since time.Time) (Span, bool) {
	was := s
	if a.Says == CantTell {
		s.Doubt = a.Why
		if s.Doubt == "" {
			s.Doubt = "no answer"
		}
		if a.Absent && a.Sent.After(s.Absent) {
			s.Absent = a.Sent
		}
		return s, s.Doubt != was.Doubt || was.Absent.IsZero() && !s.Absent.IsZero()
	}
	wanted := Yes
	if d == Removal {
		wanted = No
	}
	if a.Says == wanted && (!a.Received.After(s.After) || !a.Received.After(last)) {
		return s, false // older than what is known to the contrary
	}
	s.Doubt = ""
	if a.Says == wanted && s.AfterLevel > a.Level {
		s.After = s.unbound(d, since)
	}
	if d == Grant && a.Says == Yes && s.Absent.After(last) {
		last = s.Absent // the person was looked for in the right way: here they are
	}
	if last.After(s.After) {
		s.After = last
	}
	if a.Says != wanted {
		if a.Sent.After(s.After) {
			s.After, s.AfterLevel = a.Sent, a.Level
		}
		// A later control, taken when a decision came, narrows the interval.
		fresher := since.IsZero() && a.Sent.Sub(was.After) > time.Minute
		return s, was.Doubt != "" || was.After.IsZero() || fresher
	}
	s.Asked, s.By, s.Level, s.Evidence, s.Via = a.Sent, a.Received, a.Level, a.Evidence, a.Via
	s.Configured = a.Configured && a.Level == L0
	switch {
	case d == Removal:
		s.State = Gone
	case since.IsZero() || a.Received.Before(since):
		s.State = HadAlready
	default:
		s = s.came()
	}
	return s, true
}

// unbound is what is left of a contrary answer of a higher level than the wanted
// one: what the policy engine does not allow may have been received long ago.
// Only before the end nothing is forgotten.
func (s Span) unbound(d Direction, since time.Time) time.Time {
	switch {
	case d == Grant:
		return time.Time{}
	case s.After.After(since):
		return since
	}
	return s.After
}

// came says how much is known of a grant that is there.
func (s Span) came() Span {
	s.State = Effective
	if s.After.IsZero() {
		s.State = Works
	}
	return s
}
