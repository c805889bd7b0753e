package activation

import (
	"strings"
	"time"
)

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
	held := t.a.Request
	if !t.ours(r) || t.a.Phase == Verifying {
		return
	}
	k := r.Kind()
	same := r.ID == held.ID && r.Status == held.Status
	if t.granted() || t.a.Phase == Provisioning {
		if k == TakenBack && held.ID != "" && !same {
			t.gone(s.At) // it was granted, perhaps while nobody looked
			return
		}
	}
	switch {
	case t.granted(),
		same && !k.over(),
		k == AtApproval && t.a.Decision != nil: // read before the decision
		return
	case t.a.Phase == AwaitingApproval && t.a.Decision == nil:
		t.sawAnswer(r, s)
		return
	}
	if !t.final(r) {
		t.add(EvSubmitted{t.submitting(), r, t.now})
	}
}

// ours reports whether a request is this activation's: by its id, or, while
// the answer to our submit is not known, by the tag in its justification.
func (t *turn) ours(r Request) bool {
	switch {
	case r.ID == "":
		return false
	case t.a.Request.ID != "":
		return strings.EqualFold(r.ID, t.a.Request.ID)
	case t.a.Phase == Asked:
		return strings.HasSuffix(strings.TrimSpace(r.Justification), "[pag "+t.a.Tag+"]")
	}
	return !t.granted()
}

// submitting is the warrant of the submit that is on its way; empty if none is.
func (t *turn) submitting() string {
	for _, d := range t.a.Deeds {
		if d.Warrant.Deed == Submit {
			return d.Warrant.ID
		}
	}
	return ""
}

// sawAnswer is a request that waited for an approver and has another status now.
func (t *turn) sawAnswer(r Request, s Saw) {
	switch k := r.Kind(); {
	case k == SaidNo && (s.By != nil || !t.windowOver(r)):
		t.elsewhere(r, false, s)
		t.final(r)
	case k == Granted || k == InFuture || r.inPipeline():
		t.elsewhere(r, true, s)
	case k == UnderWay:
		// A status word that nobody has explained decides nothing.
	case !t.final(r):
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
	if i.From.IsZero() {
		i.From = t.a.promised()
	}
	over := !i.Ends.IsZero() && !s.At.Before(i.Ends)
	switch t.a.Phase {
	case Verifying:
		return
	case Active, Ending:
		if !t.a.Ends.IsZero() && !i.From.Before(t.a.Ends) {
			t.gone(s.At) // that is the next activation: ours has run out
			return
		}
		if over || i.Ends.Equal(t.a.Ends) {
			return
		}
	case AwaitingApproval:
		if t.a.Decision == nil && !t.earlier(i) && !over {
			t.elsewhere(Request{}, true, s)
		}
	}
	if over || t.earlier(i) {
		return // the one before ours: reads lag behind
	}
	t.add(EvProvisioned{From: i.From, Ends: i.Ends, Request: t.scheduled(i), At: t.now})
	t.reconsider()
}

// scheduled is our request with the schedule of its instance, if PIM's answers
// left that out: by it the instance is known as ours also when PIM's reads
// still show it after the end. Else it is nothing new.
func (t *turn) scheduled(i Instance) Request {
	r := t.a.Request
	if r.ID == "" || r.Schedule != "" || i.Schedule == "" {
		return Request{}
	}
	r.Schedule = i.Schedule
	return r
}

// earlier reports whether an instance belongs to an activation before ours: it
// is of another schedule and began clearly before ours was requested.
func (t *turn) earlier(i Instance) bool {
	r := t.a.Request
	return r.Schedule != "" && i.Schedule != "" && !strings.EqualFold(r.Schedule, i.Schedule) &&
		i.From.Before(t.a.requested().Add(-time.Minute))
}

// reconsider looks again at targets that said yes before we knew that PIM had
// granted: if PIM had by then, they had nothing "already".
func (t *turn) reconsider() {
	for _, target := range t.a.Targets {
		if s := target.Grant; s.State == HadAlready && !s.By.Before(t.a.From) {
			t.add(EvSpan{target.ID, Grant, s.came(), t.now})
		}
	}
}

// sawNothing is that PIM grants nothing: the end, if it isn't merely too early
// to see the beginning.
func (t *turn) sawNothing(s Saw) {
	switch t.a.Phase {
	case Active, Ending:
		early := s.At.Before(t.a.From.Add(lag))
		over := !t.a.Ends.IsZero() && !s.At.Before(t.a.Ends)
		if over || !early {
			t.gone(s.At)
		}
	case Provisioning:
		t.missed(s)
	}
}

// missed is an activation that began and ended while nobody looked.
func (t *turn) missed(s Saw) {
	r := t.a.Request
	from, ends := t.a.promised(), r.Until
	if ends.IsZero() && r.Length > 0 {
		ends = from.Add(time.Duration(r.Length))
	}
	if r.Kind() != Granted || ends.IsZero() || s.At.Before(ends.Add(lag)) {
		return
	}
	t.add(EvProvisioned{From: from, Ends: ends, At: t.now})
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
	if early := t.a.From.IsZero() || p.Direction == Grant && p.Answer.Received.Before(t.a.From); early && (t.a.After != "" || target.Owed) && p.Answer.Says == Yes {
		return // maybe through the one that ends, or another
	}
	if t.a.Phase == Provisioning && p.Answer.Says == Yes {
		return // PIM may grant it already; asked again once PIM says so
	}
	next, news := span.settle(p.Direction, p.Answer, p.Last, since)
	if !news {
		t.still(target, p, since)
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

// still keeps a contrary answer now and then. What has not been received can't
// be allowed; but what is still listed need not work any more, so that a removal
// takes an answer of the target's own level.
func (t *turn) still(target Target, p Probed, since time.Time) {
	contrary := p.Direction == Grant && p.Answer.Says == No || p.Direction == Removal && p.Answer.Says == Yes && p.Answer.Level >= target.Level
	if contrary && !since.IsZero() && target.Span(p.Direction).Longer(since, p.Answer.Sent) {
		t.add(EvStill{p.Target, p.Direction, p.Answer.Sent, t.now})
	}
}
