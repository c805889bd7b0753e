package activation

import "slices"

// Apply folds one event into an activation. It accepts every event ever
// written, in any phase, and is the only writer of the phase.
func Apply(a Activation, e Event) Activation {
	a.Seq++
	a.Targets = slices.Clone(a.Targets)
	a.Deeds = slices.Clone(a.Deeds)
	if a.Phase == "" {
		return begin(a, e)
	}
	if a.Phase == Closed {
		return a.decidedBy(e) // all other late news changes nothing; the journal has it
	}
	switch e := e.(type) {
	case EvDecidedBy:
		a = a.decidedBy(e)
	case EvSignInWanted:
		a.eachDeed(e.Warrant, func(d *Pending) { d.Needs, d.Claims = true, e.Claims })
	case EvSubmitted:
		a.dropDeed(e.Warrant)
		a = a.underRequest(e.Request)
		if a.Phase == Asked && !a.Request.Kind().over() {
			a.Phase = Provisioning // PIM took it, without showing what it made of it
		}
	case EvDeedRefused:
		a = a.without(e.Warrant)
	case EvLapsed:
		a = a.without(e.Warrant)
	case EvDecisionAsked:
		a.addDeed(e.Warrant, e.Reason)
	case EvAgreed:
		a.dropDeed(e.Agreed.Warrant)
		a = a.agreed(e)
	case EvDecided:
		a.dropDeed(e.Warrant)
		a = a.decided(e)
	case EvFinishAsked:
		a = a.finishing(e)
	case EvProvisioned:
		a = a.provisioned(e)
	case EvSpan:
		a.setSpan(e)
	case EvStill:
		a.setStill(e)
	case EvDemanded:
		a.setDemanded(e)
	case EvWarned:
		a.Warned = true
	case EvReminded:
		a.Reminded = max(a.Reminded, e.Nth)
	case EvEnded:
		a = a.ended(e)
	case EvClosed:
		a = a.closed(e)
	case EvClashed:
		a.Clash = e.With
	case EvStuck:
		a.Stuck = &e.Stuck
	case EvUnstuck:
		a.Stuck = nil
	}
	return a
}

// without is an activation of which one deed came to nothing.
func (a Activation) without(warrant string) Activation {
	a.dropDeed(warrant)
	a.Phase = a.afterDeed()
	return a
}

func begin(a Activation, e Event) Activation {
	switch e := e.(type) {
	case EvAsked:
		a.ID, a.Tag, a.Phase = e.ID, e.Tag, Asked
		a.Person, a.Group, a.Access = e.Person, e.Group, e.Access
		a.Reason, a.Ticket, a.Length, a.Until, a.Start = e.Reason, e.Ticket, e.Length, e.Until, e.Start
		a.Settings, a.Targets, a.Lead, a.Remind, a.Reply, a.Began = e.Settings, slices.Clone(e.Targets), e.Lead, e.Remind, e.Reply, e.At
		a.Batch, a.Quorum, a.After, a.Leaves, a.Unchecked = slices.Clone(e.Batch), e.Quorum, e.After, e.Leaves, e.Unchecked
		a.addDeed(e.Warrant, "")
	case EvRefused:
		a.ID, a.Phase, a.Outcome = e.ID, Closed, Refused
		a.Person, a.Group, a.Access = e.Person, e.Group, e.Access
		a.Length, a.Reason, a.Ticket = e.Length, e.Reason, e.Ticket
		a.Reply, a.Refusal, a.Began, a.ClosedAt = e.Reply, &e.Refusal, e.At, e.At
	case EvNoticed:
		a.ID, a.Phase, a.Watched = e.ID, Noticed, true
		a.Person, a.Group, a.Access = e.Person, e.Group, e.Access
		a.Reason, a.Ticket = e.Request.Justification, e.Request.Ticket
		a.Length, a.Until = e.Request.Length, e.Request.Until
		a.Settings, a.Targets, a.Lead, a.Remind, a.Quorum, a.Began = e.Settings, slices.Clone(e.Targets), e.Lead, e.Remind, e.Quorum, e.At
		a.Request = e.Request
		if !e.From.IsZero() || !e.Ends.IsZero() {
			a = a.provisioned(EvProvisioned{From: e.From, Ends: e.Ends, Request: e.Request, At: e.At})
		} else {
			a = a.underRequest(e.Request)
		}
	}
	return a
}

// underRequest takes over what PIM holds. Only the status speaks: approvalId
// and completedDateTime are known to lie.
func (a Activation) underRequest(r Request) Activation {
	if r.ID == "" {
		return a
	}
	a.Request = r
	if a.Phase == Active || a.Phase == Ending || a.Phase == Verifying {
		return a
	}
	switch k := r.Kind(); {
	case k.over():
		// What it comes to is an event of its own.
	case k == AtApproval:
		if a.Decision == nil { // else it was read before the decision
			a.Phase = AwaitingApproval
		}
	case k == InFuture:
		a.Phase = Scheduled
	default:
		a.Phase = Provisioning
	}
	return a
}

func (a Activation) provisioned(e EvProvisioned) Activation {
	if e.Request.ID != "" {
		a.Request = e.Request
	}
	if a.Phase == Verifying {
		return a
	}
	if a.Phase != Ending {
		a.Phase = Active
	}
	if !e.Ends.Equal(a.Ends) {
		a.Warned = false
	}
	a.From, a.Ends, a.Stuck = e.From, e.Ends, nil
	a.dropDeeds(Submit)
	for i := range a.Targets {
		if a.Targets[i].Grant.State == Unbegun {
			a.Targets[i].Grant.State = Waiting
		}
	}
	return a
}

func (a Activation) ended(e EvEnded) Activation {
	a.dropDeeds(End)
	a.Phase, a.Outcome, a.Ended, a.Stuck = Verifying, e.Outcome, e.At, nil
	for i := range a.Targets {
		t := &a.Targets[i]
		switch t.Grant.State {
		case HadAlready:
			// Access that was there before is nobody's alarm.
			t.Removal = Span{State: HadAlready, Evidence: t.Grant.Evidence, Via: t.Grant.Via}
		case Effective, Works:
			t.Removal = Span{State: Waiting, After: t.Grant.Asked, AfterLevel: t.Grant.Level}
		default:
			t.Removal = Span{State: Waiting}
		}
	}
	return a
}

func (a Activation) finishing(e EvFinishAsked) Activation {
	a.addDeed(e.Warrant, "")
	if e.Next != "" {
		a.Next = e.Next
	}
	if e.Warrant.Deed == End && a.Phase == Active {
		a.Phase = Ending
	}
	return a
}

func (a Activation) decided(e EvDecided) Activation {
	a.Decision = &e.Decision
	a = a.underRequest(e.Request)
	if e.Decision.Approve && a.Phase == AwaitingApproval {
		a.Phase = Provisioning
	}
	return a
}

func (a Activation) closed(e EvClosed) Activation {
	a.Phase, a.Outcome, a.Refusal, a.ClosedAt = Closed, e.Outcome, e.Refusal, e.At
	a.drop(func(Pending) bool { return true })
	a.Deeds, a.Stuck = nil, nil
	return a
}

// afterDeed is the phase after a deed that came to nothing.
func (a Activation) afterDeed() Phase {
	if a.Phase == Ending && !slices.ContainsFunc(a.Deeds, func(d Pending) bool { return d.Warrant.Deed == End }) {
		return Active
	}
	return a.Phase
}

func (a *Activation) addDeed(w Warrant, reason string) {
	a.Deeds = append(a.Deeds, Pending{Seq: a.Seq, Warrant: w, Reason: reason, Needs: w.Proof == Fresh})
}

// dropDeed ends a deed. Its warrant is remembered, so that it never comes back.
func (a *Activation) dropDeed(warrant string) {
	a.drop(func(d Pending) bool { return d.Warrant.ID == warrant })
}

// dropDeeds ends all deeds of a kind: there is nothing left for them to do.
func (a *Activation) dropDeeds(of Deed) {
	a.drop(func(d Pending) bool { return d.Warrant.Deed == of })
}

func (a *Activation) drop(over func(Pending) bool) {
	a.Spent = slices.Clone(a.Spent)
	a.Deeds = slices.DeleteFunc(a.Deeds, func(d Pending) bool {
		if over(d) {
			a.Spent = append(a.Spent, d.Warrant.ID)
		}
		return over(d)
	})
}

func (a *Activation) eachDeed(warrant string, f func(*Pending)) {
	for i := range a.Deeds {
		if a.Deeds[i].Warrant.ID == warrant {
			f(&a.Deeds[i])
		}
	}
}

func (a *Activation) setStill(e EvStill) {
	t, _ := a.Target(e.Target)
	s := t.Span(e.Direction)
	s.Still = e.Asked
	a.setSpan(EvSpan{e.Target, e.Direction, s, e.At})
}

func (a *Activation) setDemanded(e EvDemanded) {
	for i := range a.Targets {
		if a.Targets[i].ID == e.Target {
			a.Targets[i].Demanded, a.Targets[i].Declined = e.At, e.Refusal
		}
	}
}

func (a *Activation) setSpan(e EvSpan) {
	for i := range a.Targets {
		if a.Targets[i].ID != e.Target {
			continue
		}
		if e.Direction == Removal {
			a.Targets[i].Removal = e.Span
		} else {
			a.Targets[i].Grant = e.Span
		}
	}
}

// agreed counts a voice, and those no more that were lost.
func (a Activation) agreed(e EvAgreed) Activation {
	lost := func(v Agreed) bool {
		return slices.ContainsFunc(e.Lost, func(l Agreed) bool { return l.Warrant == v.Warrant })
	}
	a.Agreed = append(slices.DeleteFunc(slices.Clone(a.Agreed), lost), e.Agreed)
	return a
}

// decidedBy fills in a name, also after the end.
func (a Activation) decidedBy(e Event) Activation {
	if by, ok := e.(EvDecidedBy); ok && a.Nameless() {
		d := *a.Decision
		d.By, a.Decision = by.By, &d
	}
	return a
}
