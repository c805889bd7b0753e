package activation

import "time"

// Input is something that an activation is told. Any input may arrive in any
// phase, late or twice: it never is an error, at most it changes nothing.
type Input interface{ input() }

// Ask is a person's wish, with the facts that were gathered for it.
type Ask struct {
	ID      string // of the activation to be; derived from the envelope's id
	Tag     string
	Person  Person
	Group   Group
	Access  Access
	Length  time.Duration // or Until
	Until   time.Time
	Start   time.Time // zero: at once
	Reason  string
	Ticket  string
	Reply   string   // Slack's response URL
	Batch   []string // ids of all that is asked for together, and confirmed with one sign-in; empty: this alone
	After   string   // id of the activation that ends first, to be renewed or switched from
	Leaves  Group    // that one's group, if it is another
	Warrant Warrant
	Facts   Facts
}

// Asks are several wishes of one envelope: each begins an activation of its
// own, in one commit.
type Asks []Ask

// Renewal is an ask that takes the place of another activation, of the same group
// or (a switch) of another, and the end of that one: both begin in one commit, or
// neither.
type Renewal struct {
	Ask    Ask
	Finish Finish // of the activation that Ask.After names
}

// Facts is what the outside knew when a person asked.
type Facts struct {
	Eligible bool
	Closest  string    // name of the eligible group that is spelled most alike
	Active   time.Time // end of a running activation of the same group and access; zero: none
	Pending  bool      // a request for it waits in PIM
	Settings Settings
	Targets  []Target
	Lead     time.Duration
	Remind   time.Duration
	Quorum   int
	// The ticket is not as the group's configuration wants tickets; TicketForm is
	// one that would be.
	TicketUnfit bool
	TicketForm  string
	Checked     *Checked     // by the group's ticket system; nil: it has none
	Vain        []time.Time  // when this person made requests for the same that came to nothing
	Excludes    []Group      // whose access this person must not have at the same time, by pagbot's rule
	Rivals      []Activation // what this person has, or asked for, of those
}

// Checked is what a ticket system says of an ask's ticket.
type Checked struct {
	Says Says   // empty: it was not asked, as the ask is refused already
	Why  string // it was no, or can't be told
	Lax  bool   // where it can't be told, the ticket is taken
}

// Notice is an activation that was found in PIM and not asked for here.
type Notice struct {
	ID       string
	Person   Person
	Group    Group
	Access   Access
	Request  Request  // zero if only the instance was seen
	Instance Instance // zero while it is only pending
	Settings Settings
	Targets  []Target
	Lead     time.Duration
	Remind   time.Duration
	Quorum   int
}

// Vote is an approver's click, confirmed with a reason.
type Vote struct {
	By      Person
	Approve bool
	Reason  string
	Warrant Warrant
}

// Finish is a person's wish to end or to withdraw their own activation.
type Finish struct {
	By      Person
	Warrant Warrant
	Next    string // id of the activation that begins once this one has ended; empty: none
}

// Done is the report of a deed: what PIM answered.
type Done struct {
	Warrant string   // id
	Request *Request // the request as PIM holds it now, if the deed made or changed one
	Refusal *Refusal // PIM, or a guard before it, said no
	Counted bool     // an approver's proven yes that PIM was not told: others are still needed
	Seal    string   // of that yes
	Lost    []Agreed // earlier ones whose givers may not decide any more
	At      time.Time
}

// StepUp is Entra's answer that it wants more of the person before this deed:
// MFA or an authentication context.
type StepUp struct {
	Warrant string
	Claims  string
}

// Lapse says that a deed's time is over and it was never done.
type Lapse struct{ Warrant string }

// Saw is what PIM shows when looked at. A nil field was not looked at; a
// zero Instance in Present=false is an answer: nothing is granted.
type Saw struct {
	Request *Request
	Looked  bool      // the instances were read
	Present *Instance // nil and Looked: none there
	By      *Person   // who decided, if it can be known
	At      time.Time // when the reading was sent
}

// DecidedBy is who decided in Entra, where that could only be known later. It is
// the one thing that a closed life is still told.
type DecidedBy struct{ By Person }

// Probed is news of one target in one direction. Last is when the last
// contrary answer was asked for; zero if there was none.
type Probed struct {
	Target    string
	Direction Direction
	Answer    Answer
	Last      time.Time
}

// Demanded says that Entra was asked to write the new member to a target at
// once, or why it won't.
type Demanded struct {
	Target  string
	Refusal *Refusal
	At      time.Time
}

// Overlap says that another activation of the same person opens the same target
// too, and will be watched there until it is gone.
type Overlap struct {
	Target string
	By     Group
}

// Replaced says that a new activation of the same key began.
type Replaced struct{ By string }

// Clash says that PIM grants this and another group at once that exclude each
// other: somebody went round pagbot's rule.
type Clash struct{ With Group }

// Trouble says that something that should happen can't; Cleared when it can again.
type Trouble struct {
	Why     Refusal
	Cleared bool
}

// Tick is the passing of time: Due has come.
type Tick struct{}

func (Ask) input()       {}
func (Asks) input()      {}
func (Renewal) input()   {}
func (Notice) input()    {}
func (Vote) input()      {}
func (Finish) input()    {}
func (Done) input()      {}
func (StepUp) input()    {}
func (Lapse) input()     {}
func (Saw) input()       {}
func (DecidedBy) input() {}
func (Probed) input()    {}
func (Demanded) input()  {}
func (Overlap) input()   {}
func (Replaced) input()  {}
func (Clash) input()     {}
func (Trouble) input()   {}
func (Tick) input()      {}
