package activation

import "time"

// lag is how long PIM's reads may still show the world before a write; source:
// objects missing from reads for 5 to 30 seconds.
const lag = 30 * time.Second

// saw compares what PIM shows with what we hold.
func (t *turn) saw(s Saw) {
	if s.Request != nil {
		t.sawRequest(*s.Request, s)
	}
	if t.a.Phase == Closed || !s.Looked {
		return
	}
	if s.Present != nil {
		t.sawInstance(*s.Present, s)
		return
	}
	t.sawNothing(s)
}

func (t *turn) sawRequest(r Request, s Saw) {
	switch t.a.Phase {
	case Active, Ending:
		if r.Kind() == TakenBack && t.a.Request.Kind() != TakenBack {
			t.gone(s.At)
		}
		return
	case Verifying:
		return
	}
	if r.ID == t.a.Request.ID && r.Status == t.a.Request.Status {
		return
	}
	if t.a.Phase == AwaitingApproval && t.a.Decision == nil {
		switch k := r.Kind(); {
		case k == SaidNo && !t.windowOver(r):
			t.elsewhere(r, false, s)
		case k == Granted || k == InFuture || k == UnderWay && r.Status != "":
			t.elsewhere(r, true, s)
			return
		}
	}
	if !t.final(r) {
		t.add(EvSubmitted{"", r, t.now})
	}
}

// elsewhere records a decision that pagbot did not carry.
func (t *turn) elsewhere(r Request, approve bool, s Saw) {
	d := Decision{Approve: approve, At: s.At}
	if s.By != nil {
		d.By = *s.By
	}
	t.add(EvDecided{Decision: d, Request: r})
}

// final closes the activation if the request's status says that nothing will
// ever be granted, and reports whether it did.
func (t *turn) final(r Request) bool {
	o := Outcome("")
	switch r.Kind() {
	case SaidNo:
		o = Denied
	case CalledOff, TakenBack:
		o = Withdrawn
	case BrokenDown:
		o = Failed
	default:
		return false
	}
	if t.windowOver(r) {
		o = TimedOut // PIM's own word for it is not settled: denied, failed or cancelled
	}
	t.add(EvClosed{o, nil, t.now})
	return true
}

func (t *turn) windowOver(r Request) bool {
	return t.a.Decision == nil && t.a.Phase == AwaitingApproval && !r.Created.IsZero() && t.now.Sub(r.Created) >= ApprovalWindow
}

func (t *turn) sawInstance(i Instance, s Saw) {
	switch t.a.Phase {
	case Verifying:
		return
	case Active, Ending:
		if i.Ends.Equal(t.a.Ends) {
			return
		}
	case AwaitingApproval:
		if t.a.Decision == nil {
			t.elsewhere(Request{}, true, s)
		}
	}
	t.add(EvProvisioned{From: i.From, Ends: i.Ends, At: t.now})
}

func (t *turn) sawNothing(s Saw) {
	if t.a.Phase != Active && t.a.Phase != Ending || s.At.Before(t.a.From.Add(lag)) && s.At.Before(t.a.Ends) {
		return
	}
	t.gone(s.At)
}

// gone ends an activation that PIM no longer grants and says why.
func (t *turn) gone(at time.Time) {
	e := EvEnded{Outcome: Revoked, At: at}
	for _, d := range t.a.Deeds {
		if d.Warrant.Deed == End {
			e.Outcome, e.Warrant = EndedSoon, d.Warrant.ID
		}
	}
	if !t.a.Ends.IsZero() && !at.Before(t.a.Ends) {
		e.Outcome, e.At = Expired, t.a.Ends
	}
	t.add(e)
	t.closeIfProven()
}

// probed puts a target's answer into its span.
func (t *turn) probed(p Probed) {
	target, ok := t.a.Target(p.Target)
	if !ok {
		return
	}
	span := target.Span(p.Direction)
	ended := t.a.Phase == Verifying
	if span.Settled() || ended != (p.Direction == Removal) {
		return
	}
	since := t.a.From
	if ended {
		since = t.a.Ended
		if p.Answer.Says == No && p.Answer.Sent.Before(since) {
			return // a no from before the end proves nothing about the end
		}
	}
	next, news := span.settle(p.Direction, p.Answer, p.Last, since)
	if !news {
		return
	}
	if next.State == Gone && next.After.IsZero() {
		next.State = NeverCame
	}
	if next.State == Unbegun && !since.IsZero() {
		next.State = Waiting
	}
	t.add(EvSpan{p.Target, p.Direction, next, t.now})
	t.closeIfProven()
}
