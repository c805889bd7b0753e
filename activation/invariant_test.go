package activation

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Random lives: any input in any phase, late, twice, out of order, against what
// must hold whatever happens.
func TestInvariants(t *testing.T) {
	all := samples(t)
	rapid.Check(t, func(rt *rapid.T) {
		l := newLife(rt, all)
		for range rapid.IntRange(1, 40).Draw(rt, "inputs") {
			l.step()
		}
	})
}

// TestCalmLives are mostly in order, so that they get to the late phases.
func TestCalmLives(t *testing.T) {
	all := samples(t)
	ended := 0
	rapid.Check(t, func(rt *rapid.T) {
		l := newLife(rt, all)
		l.calm()
		if l.a.Phase == Closed && !l.a.Ended.IsZero() {
			ended++
		}
	})
	if ended == 0 {
		t.Error("no random life got to its verified end: the invariants of the late phases were not tried")
	}
}

// life is an activation under test and all that was said to it and by it.
type life struct {
	t       *rapid.T
	all     []sample
	now     time.Time
	a       Activation
	journal [][]byte
	effects []Effect
	minted  []Warrant
	spent   map[string]bool
	said    []Probed
	last    Input
}

func newLife(t *rapid.T, all []sample) *life {
	return &life{t: t, all: all, now: nine, spent: map[string]bool{}}
}

func (l *life) step() {
	l.now = l.now.Add(rapid.SampledFrom([]time.Duration{0, time.Second, time.Minute, 20 * time.Minute, 3 * time.Hour, 25 * time.Hour, -time.Minute}).Draw(l.t, "passes"))
	l.tell(l.anything())
}

// tell is what the engine does with an input, with every invariant around it.
func (l *life) tell(in Input) {
	l.last = in
	if p, ok := in.(Probed); ok {
		l.said = append(l.said, p)
	}
	before := l.a
	events := Decide(l.a, in, l.now)
	if _, name := in.(DecidedBy); before.Phase == Closed && len(events) > 0 && !(name && before.Nameless()) {
		l.t.Fatalf("closed, and yet %T made %s", in, describe(events[0]))
	}
	for _, e := range events {
		was := l.a
		l.a = Apply(l.a, e)
		if !bytes.Equal(l.text(was), l.text(before)) {
			l.t.Fatalf("%s changed the state that it was applied to", describe(e))
		}
		before = l.a
		b, err := Encode(e)
		if err != nil {
			l.t.Fatal(err)
		}
		l.journal = append(l.journal, b)
		l.event(was, e)
		for _, f := range Effects(l.a, e) {
			l.effect(e, f)
		}
	}
	l.state()
	l.stored()
}

// event holds what must be true of single events.
func (l *life) event(was Activation, e Event) {
	switch e := e.(type) {
	case EvDecisionAsked:
		if e.By.Same(l.a.Person) || e.Warrant.Actor.Same(l.a.Person) {
			l.t.Fatalf("%s decides on their own request", e.Warrant.Actor.Name)
		}
		l.valid(e.Warrant)
	case EvFinishAsked:
		l.valid(e.Warrant)
		if !e.Warrant.Actor.SameAccount(l.a.Person) {
			l.t.Fatalf("%s ends what is another's", e.Warrant.Actor.Name)
		}
	case EvAsked:
		l.valid(e.Warrant)
	case EvClosed:
		if (was.Phase == Active || was.Phase == Ending) && e.Outcome != "" {
			l.t.Fatalf("closed as %s without a verified end", e.Outcome)
		}
	}
}

func (l *life) valid(w Warrant) {
	if !l.now.Before(w.Expires) || l.spent[w.ID] {
		l.t.Fatalf("a dead warrant became a deed: %+v", w)
	}
}

// effect holds what must be true of an effect when it is made.
func (l *life) effect(e Event, f Effect) {
	l.effects = append(l.effects, f)
	if f.Kind == DoDeed {
		d, ok := l.a.Deed(f.Warrant)
		if !ok {
			l.t.Fatalf("%s makes a deed without a pending warrant", describe(e))
		}
		if (f.Wait != "") != (d.Warrant.Proof == Fresh) || !f.Until.Equal(d.Warrant.Expires) {
			l.t.Fatalf("deed %+v does not wait as its warrant %+v demands", f, d.Warrant)
		}
	}
	if f.Topic == TopicEffective {
		target, _ := l.a.Target(f.Target)
		if s := target.Grant.State; s != Effective && s != Works {
			l.t.Fatalf("announced as effective: %s", s)
		}
	}
}

// state holds what must be true after every input.
func (l *life) state() {
	for id := range l.spent {
		if _, ok := l.a.Deed(id); ok {
			l.t.Fatalf("warrant %s was over and came back", id)
		}
	}
	for _, w := range l.minted {
		_, pending := l.a.Deed(w.ID)
		if !pending && slices.ContainsFunc(l.effects, func(f Effect) bool { return f.Kind == DoDeed && f.Warrant == w.ID }) {
			l.spent[w.ID] = true
		}
	}
	for i, v := range l.a.Agreed {
		if v.By.Same(l.a.Person) || slices.ContainsFunc(l.a.Agreed[:i], func(o Agreed) bool { return o.By.Same(v.By) }) {
			l.t.Fatalf("%s agreed to their own request, or twice", v.By.Name)
		}
	}
	for _, t := range l.a.Targets {
		l.sound(t.ID, Grant, t.Grant)
		l.sound(t.ID, Removal, t.Removal)
	}
	pending := false
	for _, f := range l.effects {
		if _, due := l.a.Deed(f.Warrant); f.Kind == DoDeed && due {
			pending = true // done, or told as lapsed
		}
		wants := Wants(l.a, f, l.now)
		pending = pending || wants && f.Lane == LaneWatch && f.Kind != WatchWho
		if wants && f.Lane != LaneSay && f.Kind != WatchWho && l.a.Phase == Closed {
			l.t.Fatalf("closed, and yet %s is wanted", describeEffect(f))
		}
	}
	if _, due := l.a.Due(); l.a.Open() && !pending && !due {
		l.t.Fatalf("open, and nothing will ever happen: %s", describeState(l.a))
	}
	l.alarm()
}

// alarm: a Tick at the due time moves the due time, or there is none any more.
func (l *life) alarm() {
	due, ok := l.a.Due()
	if !ok {
		return
	}
	a := l.a
	for _, e := range Decide(a, Tick{}, due) {
		a = Apply(a, e)
	}
	if next, ok := a.Due(); ok && !next.After(due) {
		l.t.Fatalf("due at %s, told the time, and due at %s again: %s", due, next, describeState(a))
	}
}

// sound: what a span claims was said by a probe, and its interval holds it.
func (l *life) sound(target string, d Direction, s Span) {
	contrary, wanted := No, Yes
	if d == Removal {
		contrary, wanted = Yes, No
	}
	heard := func(ok func(p Probed) bool) bool {
		return slices.ContainsFunc(l.said, func(p Probed) bool { return p.Target == target && ok(p) })
	}
	if !s.After.IsZero() && !heard(func(p Probed) bool { return p.Answer.Says == contrary && p.Answer.Sent.Equal(s.After) }) {
		l.t.Fatalf("%s %s: nobody said %s at %s", target, d, contrary, s.After)
	}
	switch s.State {
	case Effective, Works, Gone, NeverCame:
	case HadAlready:
		if d == Removal {
			return
		}
	default:
		return
	}
	if !heard(func(p Probed) bool { return p.Answer.Says == wanted && p.Answer.Received.Equal(s.By) }) {
		l.t.Fatalf("%s %s is %s, and no probe said so", target, d, s.State)
	}
	if !s.After.Before(s.By) {
		l.t.Fatalf("%s %s in (%s, %s]", target, d, s.After, s.By)
	}
	if s.State == Effective && s.After.IsZero() || s.State == Works && !s.After.IsZero() || s.State == Gone && s.After.IsZero() {
		l.t.Fatalf("%s %s claims more or less than was heard: %+v", target, d, s)
	}
}

// stored: the fold of the journal, through its stored form, is the snapshot,
// and the snapshot survives being stored.
func (l *life) stored() {
	var folded Activation
	for _, b := range l.journal {
		e, err := Decode(b)
		if err != nil {
			l.t.Fatal(err)
		}
		folded = Apply(folded, e)
	}
	want := l.text(l.a)
	if got := l.text(folded); !bytes.Equal(got, want) {
		l.t.Fatalf("the journal folds to\n%s\nand the snapshot is\n%s", got, want)
	}
	var loaded Activation
	if err := json.Unmarshal(want, &loaded); err != nil {
		l.t.Fatal(err)
	}
	if got := l.text(loaded); !bytes.Equal(got, want) {
		l.t.Fatalf("stored\n%s\nloaded\n%s", want, got)
	}
	l.a = loaded // as the engine does
	if l.a.Phase != Closed {
		return
	}
	for _, s := range l.all {
		if s.name == "decided_by" && l.a.Nameless() {
			continue // a name may come after the end
		}
		after := Apply(l.a, s.event)
		after.Seq = l.a.Seq
		if !bytes.Equal(l.text(after), want) {
			l.t.Fatalf("closed, and %s changed it", s.name)
		}
	}
}

func (l *life) text(a Activation) []byte {
	b, err := json.Marshal(a)
	if err != nil {
		l.t.Fatal(err)
	}
	return b
}
