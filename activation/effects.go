package activation

import (
	"slices"
	"strconv"
	"time"
)

// Effects lists what an event makes necessary in the outside world. a is the
// state after e.
func Effects(a Activation, e Event) []Effect {
	o := &out{a: a}
	switch e := e.(type) {
	case EvAsked:
		o.deed(e.Warrant)
		if e.Warrant.Proof != Fresh && !a.Follows() { // else the link says it, or the first of its batch
			o.whisper(TopicAsked, nil)
		}
		if !a.Renews() { // what targets say of a renewal is of the one before
			o.probes(Grant)
		}
	case EvRefused:
		o.answer(&e.Refusal)
	case EvNoticed:
		o.card()
		o.pim()
		o.probes(Grant)
		if a.Phase == Active {
			o.demands()
			o.dm(a.Person, TopicActive, "")
			o.succeed()
		}
	case EvSignInWanted:
		o.sign(e.Warrant)
	case EvSubmitted:
		o.card()
		o.pim()
		o.sign(e.Warrant)
	case EvDeedRefused:
		o.sign(e.Warrant)
		o.free()
		if e.Deed != Submit {
			o.card()
			o.refusal(e.By, e.Deed, e.Refusal)
			o.pim() // what PIM holds may be other than we think
		}
	case EvLapsed:
		o.sign(e.Warrant)
		o.free()
		o.card()
	case EvDecisionAsked:
		o.deed(e.Warrant)
	case EvAgreed:
		o.agreed(e)
	case EvDecided:
		o.decided(e)
	case EvDecidedBy:
		o.card()
		o.told()
	case EvFinishAsked:
		o.deed(e.Warrant)
		o.card()
	default:
		o.later(e)
	}
	return o.effects
}

type out struct {
	a       Activation
	effects []Effect
}

// later is the second half of a life: from what PIM grants to the proven end.
func (o *out) later(e Event) {
	switch e := e.(type) {
	case EvProvisioned:
		o.card()
		o.pim()
		o.probes(Grant)
		o.demands()
		o.dm(o.a.Person, TopicActive, "")
		o.succeed()
	case EvSpan:
		o.span(e)
	case EvDemanded:
		o.card()
		if e.Refusal != nil {
			o.dm(o.a.Person, TopicDeclined, e.Target)
		}
	case EvWarned:
		o.dm(o.a.Person, TopicWarning, "")
	case EvReminded:
		o.reminded(e)
	case EvEnded:
		o.free()
		o.card()
		o.sign(e.Warrant)
		o.probes(Removal)
		o.dm(o.a.Person, TopicEnded, "")
		if e.Outcome == Revoked {
			o.thread(TopicEnded, "")
		}
	case EvClosed:
		o.closed(e)
	case EvClashed:
		o.card()
		o.thread(TopicClash, "")
	case EvStuck:
		o.card()
		// That PIM lets nobody go in the first minutes, and when it is one's turn,
		// is the person's business, not the channel's.
		if c := e.Stuck.Why.Code; o.carded() && c != TooEarly && c != Paced {
			o.thread(TopicStuck, "")
		} else {
			o.dm(o.a.Person, TopicStuck, "")
		}
		if e.Stuck.Why.Code == EndPassed {
			o.dm(o.a.Person, TopicStuck, "") // it is they who must ask again
		}
	case EvUnstuck:
		o.card()
	case EvTurnedAway:
		o.refusal(e.By, e.Deed, e.Refusal)
	}
}

func (o *out) reminded(e EvReminded) {
	switch e.Nth {
	case First:
		o.thread(TopicRemind, "")
	case Second:
		o.thread(TopicMore, "")
	case Rescue:
		o.thread(TopicRescue, "")
		o.dm(o.a.Person, TopicRescue, "")
	}
}

func (o *out) agreed(e EvAgreed) {
	o.card()
	o.sign(e.Agreed.Warrant)
	o.thread(TopicAgreed, "")
	for _, v := range e.Lost {
		o.thread(TopicUnheard, v.By.Name)
	}
}

// told tells the thread and the requester of the decision. What was made in
// Entra is told once, and once more in the same place when it is known by whom.
func (o *out) told() {
	thread := Effect{Key: "thread/" + o.seq(), Kind: Thread, Topic: TopicDecided}
	dm := Effect{Key: "dm/" + o.seq(), Kind: DM, To: o.a.Person, Topic: TopicDecided}
	if !o.a.Decision.Here {
		thread.Key, thread.Slot, dm.Key, dm.Slot = "thread/decided", true, "dm/decided", true
	}
	o.say(thread)
	o.say(dm)
}

// Entra's audit log is minutes late; what it does not tell within the hour, it
// is not asked for any more.
const (
	whoSoon = 2 * time.Minute
	whoLong = time.Hour
)

func (o *out) decided(e EvDecided) {
	o.card()
	o.links()
	o.told()
	if o.a.Round() {
		// A yes of our own whose answer is on its way looks like one in Entra at first.
		o.say(Effect{Key: "thread/" + o.seq() + "/round", Kind: Thread, Topic: TopicRound, Due: o.a.Decision.At.Add(patience)})
		o.effects[len(o.effects)-1].Order = ""
	}
	if o.a.Nameless() {
		o.put(Effect{Key: "watch/who", Lane: LaneWatch, Kind: WatchWho, Slot: true, Due: o.a.Decision.At.Add(whoSoon)})
	}
	if e.Decision.Approve {
		o.pim()
		// A control that was taken at the ask may be hours old by now.
		o.probes(Grant)
	}
}

func (o *out) span(e EvSpan) {
	o.card()
	s := e.Span
	switch {
	case e.Direction == Grant && (s.State == Effective || s.State == Works) && o.telling(s.Level):
		o.dm(o.a.Person, TopicEffective, e.Target)
	case e.Direction == Grant && s.State == HadAlready && o.telling(s.Level):
		o.dm(o.a.Person, TopicHad, e.Target)
	case e.Direction == Removal && s.Overdue && !s.Settled():
		o.overdue(e)
	}
}

// patience is how long an alarm waits: after a time away, the next look at the
// target may already know better.
const patience = time.Minute

// overdue alarms the channel and the person, unless it is gone by then. It
// keeps nothing back that is to be said meanwhile.
func (o *out) overdue(e EvSpan) {
	n := len(o.effects)
	o.thread(TopicOverdue, e.Target)
	o.dm(o.a.Person, TopicOverdue, e.Target)
	for i := range o.effects[n:] {
		o.effects[n+i].Due, o.effects[n+i].Order = e.At.Add(patience), ""
	}
}

// telling reports whether evidence of this level is worth a message of its
// own: that Entra lists a member proves nothing downstream, so it is only told
// where nothing better is configured.
func (o *out) telling(l Level) bool {
	for _, t := range o.a.Targets {
		if t.Level > l && l == L0 {
			return false
		}
	}
	return true
}

func (o *out) closed(e EvClosed) {
	o.card()
	if o.a.Ended.IsZero() {
		o.free()
	}
	if o.a.Ended.IsZero() && e.Outcome != Denied { // what was denied was decided: done there
		o.links()
	}
	switch {
	case !o.a.Ended.IsZero():
		if o.measured() && !o.succeeded() {
			o.dm(o.a.Person, TopicGone, "")
		}
	case e.Outcome == Denied && o.a.Decision != nil:
		// The decision has its own message.
	case !o.carded() && o.a.Follows() && e.Refusal != nil && e.Refusal.Code == WarrantExpired:
		// Nobody confirmed: the first of the batch says it for all.
	case !o.carded() && e.Refusal == nil:
		o.whisper(TopicClosed, nil)
	case !o.carded():
		o.answer(e.Refusal)
	default:
		o.dm(o.a.Person, TopicClosed, "")
	}
}

// links lets every message that once held a sign-in link say what is true now.
func (o *out) links() {
	for _, w := range o.a.Spent {
		o.sign(w)
	}
}

// measured reports whether any target's removal came to a result: else there
// is nothing to add to the word that it ended.
func (o *out) measured() bool {
	return slices.ContainsFunc(o.a.Targets, func(t Target) bool {
		s := t.Removal.State
		return s == Gone || s == NeverCame || s == NotProven
	})
}

// carded reports whether the channel has seen, or is to see, a card: an ask
// that never reached PIM is nobody else's business.
func (o *out) carded() bool { return o.a.Request.ID != "" || o.a.Watched }

func (o *out) put(e Effect) {
	e.Seq = o.a.Seq
	o.effects = append(o.effects, e)
}

func (o *out) say(e Effect) {
	e.Lane, e.Order = LaneSay, "say:"+o.a.ID
	if e.Kind != Card && e.Kind != Thread {
		e.Order = "tell:" + o.a.ID // a throttled channel keeps nobody's own news back
	}
	o.put(e)
}

func (o *out) seq() string { return strconv.FormatUint(o.a.Seq, 10) }

// about keeps a target apart from the number before it: its name may begin with
// a digit.
func about(target string) string {
	if target == "" {
		return ""
	}
	return "/" + target
}

func (o *out) card() {
	if o.carded() {
		o.say(Effect{Key: "card", Kind: Card, Slot: true})
	}
}

func (o *out) thread(t Topic, target string) {
	o.say(Effect{Key: "thread/" + o.seq() + about(target), Kind: Thread, Topic: t, Target: target})
}

func (o *out) dm(to Person, t Topic, target string) {
	o.say(Effect{Key: "dm/" + o.seq() + about(target), Kind: DM, To: to, Topic: t, Target: target})
}

func (o *out) refusal(to Person, d Deed, r Refusal) {
	o.say(Effect{Key: "dm/" + o.seq(), Kind: DM, To: to, Topic: TopicRefused, Refusal: &r, Deed: d})
}

// answer tells the requester of a refusal: where they typed while Slack still
// takes it, else in a DM.
func (o *out) answer(r *Refusal) {
	o.whisper(TopicRefused, r)
}

// replyLife is how long Slack takes answers on a response URL.
const replyLife = 30 * time.Minute

func (o *out) whisper(t Topic, r *Refusal) {
	e := Effect{Key: "answer/" + o.seq(), Kind: Whisper, To: o.a.Person, Topic: t, Refusal: r, Deed: Submit}
	if o.a.Reply != "" {
		e.Until = o.a.Began.Add(replyLife)
	}
	for _, d := range o.a.Deeds {
		e.Warrant = d.Warrant.ID
	}
	o.say(e)
}

func (o *out) deed(w Warrant) {
	e := Effect{Key: "deed/" + w.ID, Lane: LaneDeed, Kind: DoDeed, Warrant: w.ID, Deed: w.Deed,
		Order: "deed:" + o.a.ID + "/" + w.Actor.Object, Until: w.Expires}
	if w.Deed == Approve && o.a.Quorum > 1 {
		// One after the other: the last of them tells PIM, and must know that it is.
		e.Order = "deed:" + o.a.ID + "/approve"
	}
	if w.Proof == Fresh {
		e.Wait = w.Wait()
		if !o.a.spokenFor(w.Deed) {
			o.sign(w.ID)
		}
	}
	o.put(e)
}

// sign gives the person the link by which they sign in for a deed: in place,
// privately, where they have just typed; else in a DM, which is kept up to date
// with what became of it.
func (o *out) sign(warrant string) {
	if warrant == "" {
		return
	}
	d, waits := o.a.Deed(warrant)
	if waits && d.Warrant.Deed == Submit && o.a.Reply != "" {
		o.whisper(TopicAsked, nil)
		return
	}
	e := Effect{Key: "signin/" + warrant, Kind: AskSign, Slot: true, Warrant: warrant}
	if waits {
		e.To = d.Warrant.Actor
	}
	o.say(e)
}

func (o *out) pim() {
	o.put(Effect{Key: "watch/pim", Lane: LaneWatch, Kind: WatchPIM, Slot: true})
}

func (o *out) probes(toward Direction) {
	for _, t := range o.a.Targets {
		if !t.Span(toward).Settled() {
			o.put(Effect{Key: "watch/" + t.ID + "/" + string(toward), Lane: LaneWatch, Kind: Probe, Slot: true, Target: t.ID, Toward: toward})
		}
	}
}

// demands has Entra asked, where it was not yet, to write the new member at
// once. It needs no warrant: it is nobody's deed but the application's, and gives
// nothing that PIM has not given.
func (o *out) demands() {
	for _, t := range o.a.Targets {
		if t.OnDemand && t.Demanded.IsZero() && !t.Grant.Settled() {
			o.put(Effect{Key: "demand/" + t.ID, Lane: LaneDeed, Kind: Demand, Slot: true, Target: t.ID})
		}
	}
}

func (o *out) succeed() {
	o.put(Effect{Key: "tell/" + o.seq(), Lane: LaneDeed, Kind: Succeed})
}
