package activation

import (
	"slices"
	"strings"
	"time"
)

// Decide says what an input means for an activation. A refusal is an event
// too: it is audited and answered. Nothing new is no event at all.
func Decide(a Activation, in Input, now time.Time) []Event {
	t := &turn{a: a, now: now}
	switch in := in.(type) {
	case Ask:
		t.ask(in)
	case Notice:
		t.notice(in)
	case DecidedBy:
		if a.Nameless() && in.By.Object != "" {
			t.add(EvDecidedBy{in.By, now})
		}
	default:
		if !a.Open() {
			return nil
		}
		t.living(in)
	}
	return t.events
}

// turn collects events; each is applied at once, so that the next is decided
// on what the one before it made.
type turn struct {
	a      Activation
	now    time.Time
	events []Event
}

func (t *turn) add(e Event) {
	t.events = append(t.events, e)
	t.a = Apply(t.a, e)
}

func (t *turn) living(in Input) {
	switch in := in.(type) {
	case Vote:
		t.decision(in)
	case Finish:
		t.finish(in)
	case Done:
		t.done(in)
	case StepUp:
		if d, ok := t.a.Deed(in.Warrant); ok && (!d.Needs || d.Claims != in.Claims) {
			t.add(EvSignInWanted{in.Warrant, in.Claims, t.now})
		}
	case Lapse:
		t.lapse(in)
	case Saw:
		t.saw(in)
	case Probed:
		t.probed(in)
	case Demanded:
		if x, ok := t.a.Target(in.Target); ok && x.OnDemand && x.Demanded.IsZero() {
			t.add(EvDemanded(in))
		}
	case Replaced:
		t.replaced()
	case Overlap:
		t.overlap(in)
	case Clash:
		if (t.a.Phase == Active || t.a.Phase == Ending) && !strings.EqualFold(t.a.Clash.ID, in.With.ID) {
			t.add(EvClashed{in.With, t.now})
		}
	case Trouble:
		t.trouble(in)
	case Tick:
		t.tick()
	}
}

func (t *turn) ask(q Ask) {
	if t.a.Phase != "" {
		return // the same envelope again
	}
	r := Judge(q, q.Facts, t.now).Refusal()
	if r == nil {
		r = t.unfit(q.Warrant, Submit, q.Person)
	}
	if r != nil {
		no := EvRefused{ID: q.ID, Person: q.Person, Group: q.Group, Access: q.Access, Reply: q.Reply, Refusal: *r, At: t.now}
		if r.Code == Excluded {
			no.Length, no.Reason, no.Ticket = Duration(q.Length), q.Reason, q.Ticket
		}
		t.add(no)
		return
	}
	t.add(EvAsked{ID: q.ID, Tag: q.Tag, Person: q.Person, Group: q.Group, Access: q.Access, Length: Duration(q.Length), Until: q.Until, Start: q.Start,
		Reason: q.Reason, Ticket: q.Ticket, Reply: q.Reply, Batch: q.Batch, After: q.After, Leaves: q.Leaves, Settings: q.Facts.Settings, Targets: q.Facts.Targets,
		Lead: Duration(q.Facts.Lead), Remind: Duration(q.Facts.Remind), Quorum: q.Facts.Quorum, Unchecked: q.Facts.Checked.unchecked(), Warrant: q.Warrant, At: t.now})
}

func (t *turn) notice(n Notice) {
	if t.a.Phase != "" {
		return
	}
	t.add(EvNoticed{ID: n.ID, Person: n.Person, Group: n.Group, Access: n.Access, Request: n.Request, From: n.Instance.From, Ends: n.Instance.Ends,
		Settings: n.Settings, Targets: n.Targets, Lead: Duration(n.Lead), Remind: Duration(n.Remind), Quorum: n.Quorum, At: t.now})
	if t.a.Phase != Active {
		t.final(n.Request)
	}
}

// unfit is why a warrant does not permit this deed by this account now; nil if
// it does. The seal is checked by who holds the key, the digest right before
// the call.
func (t *turn) unfit(w Warrant, d Deed, by Person) *Refusal {
	switch {
	case w.ID == "" || w.Deed != d:
		return &Refusal{Code: WarrantBad}
	case !w.Actor.SameAccount(by):
		return &Refusal{Code: WrongPerson}
	case !t.now.Before(w.Expires):
		return &Refusal{Code: WarrantExpired}
	}
	return nil
}

func (t *turn) decision(d Vote) {
	deed := Approve
	if !d.Approve {
		deed = Deny
	}
	turnedAway := func(c Code) { t.add(EvTurnedAway{d.By, deed, Refusal{Code: c}, t.now}) }
	if t.told(d.Warrant) {
		return
	}
	switch {
	case d.By.Same(t.a.Person) || d.Warrant.Actor.Same(t.a.Person):
		turnedAway(OwnRequest)
	case t.a.Phase != AwaitingApproval && t.a.Decision != nil:
		r := Refusal{Code: AlreadyDecided, By: t.a.Decision.By.Name}
		t.add(EvTurnedAway{d.By, deed, r, t.now})
	case t.a.Phase != AwaitingApproval:
		turnedAway(NotPending)
	case d.Approve && t.a.Passed(t.now):
		t.add(EvTurnedAway{d.By, deed, Refusal{Code: EndPassed, Until: t.a.Until}, t.now})
	case d.Approve && (t.a.Agrees(d.By) || t.a.Agrees(d.Warrant.Actor)):
		turnedAway(AlreadyAgreed)
	case t.a.Settings.ApproverReason && blankText(d.Reason):
		turnedAway(ReasonMissing)
	default:
		if r := t.unfit(d.Warrant, deed, d.By); r != nil {
			t.add(EvTurnedAway{d.By, deed, *r, t.now})
			return
		}
		t.add(EvDecisionAsked{d.By, d.Approve, d.Reason, d.Warrant, t.now})
	}
}

// told reports whether this click was heard before: its deed is on its way or
// over, and a replay of it changes nothing.
func (t *turn) told(w Warrant) bool {
	_, pending := t.a.Deed(w.ID)
	return pending || slices.Contains(t.a.Spent, w.ID)
}

func (t *turn) finish(f Finish) {
	turnedAway := func(c Code) { t.add(EvTurnedAway{f.By, f.Warrant.Deed, Refusal{Code: c}, t.now}) }
	if !f.By.Same(t.a.Person) {
		turnedAway(WrongPerson)
		return
	}
	if t.told(f.Warrant) {
		return
	}
	switch p := t.a.Phase; {
	case p == Asked && t.unsent():
		t.add(EvClosed{Withdrawn, nil, t.now})
	case (p == AwaitingApproval || p == Scheduled) && f.Warrant.Deed == Cancel,
		(p == Active || p == Ending) && f.Warrant.Deed == End:
		if r := t.unfit(f.Warrant, f.Warrant.Deed, t.a.Person); r != nil {
			turnedAway(r.Code)
			return
		}
		t.add(EvFinishAsked{f.By, f.Warrant, f.Next, t.now})
	case p == Verifying:
		turnedAway(NotActive)
	default:
		turnedAway(Changed)
	}
}

// unsent reports whether the submit still waits for the person's browser. One
// that does not may be at PIM already: it can only be withdrawn there.
func (t *turn) unsent() bool {
	d, ok := t.a.Deed(t.submitting())
	return !ok || d.Needs
}

func (t *turn) done(d Done) {
	p, ok := t.a.Deed(d.Warrant)
	if !ok {
		return
	}
	if d.At.IsZero() {
		d.At = t.now
	}
	if d.Refusal != nil {
		t.refused(p.Warrant, *d.Refusal)
		return
	}
	var r Request
	if d.Request != nil {
		r = *d.Request
	}
	switch w := p.Warrant; w.Deed {
	case Submit:
		t.add(EvSubmitted{w.ID, r, t.now})
		t.final(r)
	case Approve, Deny:
		if d.Counted {
			t.counted(p, d)
			return
		}
		t.add(EvDecided{Decision{w.Actor, w.Deed == Approve, p.Reason, d.At, true}, r, w.ID})
		switch {
		case t.granted():
		case w.Deed == Deny:
			t.add(EvClosed{Denied, nil, t.now})
		default:
			t.final(r)
		}
	case End:
		t.add(EvEnded{EndedSoon, d.At, w.ID})
		t.closeIfProven()
	case Cancel:
		if t.granted() {
			t.refused(w, Refusal{Code: NotPending})
			return
		}
		t.add(EvClosed{Withdrawn, nil, t.now})
	}
}

// counted is an approver's yes of which PIM was not told.
func (t *turn) counted(p Pending, d Done) {
	switch {
	case t.a.Agrees(p.Warrant.Actor):
		t.refused(p.Warrant, Refusal{Code: AlreadyAgreed})
	case t.a.Phase != AwaitingApproval:
		t.refused(p.Warrant, Refusal{Code: NotPending})
	default:
		t.add(EvAgreed{Agreed{p.Warrant.Actor, p.Reason, p.Warrant.ID, d.At, d.Seal}, d.Lost})
	}
}

// refused is a deed to which PIM, or a guard before it, said no.
func (t *turn) refused(w Warrant, r Refusal) {
	t.add(EvDeedRefused{w.ID, w.Actor, w.Deed, r, t.now})
	if w.Deed == Submit && t.a.Phase == Asked {
		t.add(EvClosed{Refused, &r, t.now})
	}
}

// granted reports whether PIM has granted the access: from then on only its
// proven end closes the activation.
func (t *turn) granted() bool {
	return t.a.Phase == Active || t.a.Phase == Ending || t.a.Phase == Verifying
}

func (t *turn) lapse(l Lapse) {
	p, ok := t.a.Deed(l.Warrant)
	if !ok {
		return
	}
	if !p.Needs && !t.now.Before(p.Warrant.Expires) && t.a.timely(p.Warrant.Deed) {
		// The person did all that was theirs, and waits for an answer.
		t.refused(p.Warrant, Refusal{Code: Lapsed})
		return
	}
	t.add(EvLapsed{l.Warrant, p.Warrant.Actor, p.Warrant.Deed, t.now})
	if p.Warrant.Deed == Submit && t.a.Phase == Asked {
		t.add(EvClosed{Withdrawn, &Refusal{Code: WarrantExpired}, t.now})
	}
}

func (t *turn) replaced() {
	if t.a.Phase == Active || t.a.Phase == Ending {
		t.gone(t.now) // there can be only one: ours is over
	}
	if t.a.Phase != Verifying {
		return
	}
	for _, target := range t.a.Targets {
		if s := target.Removal; !s.Settled() {
			s.State, s.By = Superseded, t.now
			t.add(EvSpan{target.ID, Removal, s, t.now})
		}
	}
	t.closeIfProven()
}

// overlap ends a measurement that can't be made: a yes may be of the other one.
func (t *turn) overlap(in Overlap) {
	target, ok := t.a.Target(in.Target)
	if s := target.Removal; ok && t.a.Phase == Verifying && !s.Settled() {
		s.State, s.By, s.Via = Superseded, t.now, in.By.Name
		t.add(EvSpan{target.ID, Removal, s, t.now})
		t.closeIfProven()
	}
}

func (t *turn) trouble(in Trouble) {
	switch {
	case in.Cleared && t.a.Stuck != nil:
		t.add(EvUnstuck{t.now})
	case !in.Cleared && (t.a.Stuck == nil || t.a.Stuck.Why.Code != in.Why.Code):
		t.add(EvStuck{Stuck{in.Why, t.now}})
	}
}

func (t *turn) tick() {
	due, ok := t.a.Due()
	if !ok || t.now.Before(due) {
		return
	}
	switch t.a.Phase {
	case Active, Ending:
		t.add(EvWarned{t.now})
	case AwaitingApproval:
		if r := t.a.overdueReminder(t.now); r > t.a.Reminded {
			t.add(EvReminded{r, t.now})
		}
		switch {
		case t.a.Stuck != nil || t.now.Before(t.a.undecided()):
		case t.a.Passed(t.now):
			t.add(EvStuck{Stuck{Refusal{Code: EndPassed, Until: t.a.Until}, t.now}})
		default:
			t.add(EvStuck{Stuck{Refusal{Code: Unavailable}, t.now}})
		}
	case Asked, Provisioning:
		t.add(EvStuck{Stuck{Refusal{Code: Unavailable}, t.now}})
	case Verifying:
		t.late()
	}
}

// late is what time does to removals: first they are overdue, then unproven.
func (t *turn) late() {
	over := !t.now.Before(t.a.Ended.Add(GiveUp))
	for _, target := range t.a.Targets {
		s := target.Removal
		switch {
		case s.Settled():
			continue
		case over:
			s.State = NotProven
		case target.Within > 0 && !s.Overdue && !t.now.Before(t.a.Ended.Add(time.Duration(target.Within))):
			s.Overdue = true
		default:
			continue
		}
		t.add(EvSpan{target.ID, Removal, s, t.now})
	}
	t.closeIfProven()
}

// closeIfProven closes an ended activation once every target is settled.
func (t *turn) closeIfProven() {
	if t.a.Phase != Verifying {
		return
	}
	for _, target := range t.a.Targets {
		if !target.Removal.Settled() {
			return
		}
	}
	t.add(EvClosed{t.a.Outcome, nil, t.now})
}
