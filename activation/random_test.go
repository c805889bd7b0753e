package activation

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var (
	people   = []string{"requester", "requester-admin", "approver", "second-approver"}
	statuses = []string{"", "PendingApproval", "PendingProvisioning", "PendingSomething", "Granted", "Provisioned", "Revoked", "Denied", "Canceled", "Failed"}
	deeds    = []Deed{Submit, End, Cancel, Approve, Deny}
	systems  = []string{"entra", "devops", "unknown"}
)

func pick[T any](l *life, name string, from ...T) T { return rapid.SampledFrom(from).Draw(l.t, name) }

func (l *life) person() Person { return who(pick(l, "who", people...)) }

// span is a length of time, also a wrong one.
func (l *life) span() time.Duration {
	return pick(l, "length", time.Hour, 0, 4*time.Minute, 2*time.Hour, 9*time.Hour)
}

// warrant is a new one, or one that was used before.
func (l *life) warrant(d Deed, by Person) Warrant {
	if len(l.minted) > 0 && rapid.IntRange(0, 3).Draw(l.t, "old") == 0 {
		return pick(l, "minted", l.minted...)
	}
	w := Warrant{ID: "w" + strconv.Itoa(len(l.minted)+1), Actor: by, Deed: d, Proof: pick(l, "proof", Session, Fresh),
		Clicked: l.now, Expires: l.now.Add(pick(l, "life", 15*time.Minute, -time.Minute, 3*time.Hour))}
	if rapid.IntRange(0, 5).Draw(l.t, "odd") == 0 {
		w.Deed, w.Actor = pick(l, "deed", deeds...), l.person()
	}
	l.minted = append(l.minted, w)
	return w
}

// known is the id of a warrant that was minted, or of none.
func (l *life) known() string {
	if len(l.minted) == 0 {
		return "none"
	}
	return pick(l, "warrant", l.minted...).ID
}

func (l *life) request() *Request {
	return &Request{ID: pick(l, "request", "r1", "r1", "r2", ""), Status: pick(l, "status", statuses...), Created: l.now.Add(-l.span()),
		Length: Duration(l.span()), Schedule: pick(l, "schedule", "s1", "s2", ""), Justification: pick(l, "tag", "x [pag 7F3K]", "x")}
}

func (l *life) instance() *Instance {
	i := &Instance{Schedule: pick(l, "schedule", "s1", "s2", ""), From: l.now.Add(-l.span())}
	if rapid.IntRange(0, 3).Draw(l.t, "ends") > 0 {
		i.Ends = l.now.Add(l.span())
	}
	return i
}

func (l *life) targets() []Target {
	return []Target{{ID: "entra", Kind: "entra", Level: L0}, {ID: "devops", Kind: "devops", Level: L2, Within: Duration(pick(l, "within", time.Hour, 0, 48*time.Hour))}}
}

func (l *life) ask() Ask {
	by := l.person()
	return Ask{ID: "a1", Tag: "7F3K", Person: by, Group: Group{tenant, "g1", "db-admins"}, Access: Member, Length: l.span(), Start: pick(l, "start", time.Time{}, l.now.Add(time.Hour)), Reason: "x", Batch: pick(l, "batch", nil, []string{"a1", "a2"}, []string{"a0", "a1"}),
		After: pick(l, "after", "", "", "a0"), Leaves: pick(l, "leaves", Group{}, Group{tenant, "g2", "db-readers"}),
		Reply: pick(l, "reply", "", "https://slack.test/reply"), Warrant: l.warrant(Submit, by),
		Facts: Facts{Eligible: true, Lead: 15 * time.Minute, Remind: pick(l, "remind", 0, 10*time.Minute, 6*time.Hour), Quorum: pick(l, "quorum", 0, 2, 3), Targets: l.targets(), Settings: Settings{Max: Duration(8 * time.Hour), ApproverReason: true}}}
}

func (l *life) notice() Notice {
	n := Notice{ID: "n1", Person: l.person(), Group: Group{tenant, "g1", "db-admins"}, Access: Owner, Targets: l.targets(), Lead: time.Hour}
	if rapid.Bool().Draw(l.t, "pending") {
		n.Request = *l.request()
	} else {
		n.Instance = *l.instance()
	}
	return n
}

// probed is an answer, with the last contrary one that its watch remembers.
func (l *life) probed() Probed {
	p := Probed{Target: pick(l, "target", systems...), Direction: pick(l, "direction", Grant, Removal)}
	if l.a.Phase == Verifying {
		p.Direction = Removal
	}
	sent := l.now.Add(-pick(l, "ago", 0, time.Second, time.Minute, 2*time.Hour))
	p.Answer = Answer{Says: pick(l, "says", Yes, No, CantTell), Level: L2, Sent: sent, Received: sent.Add(pick(l, "took", time.Millisecond, time.Minute))}
	contrary := No
	if p.Direction == Removal {
		contrary = Yes
	}
	for _, was := range l.said {
		if was.Target == p.Target && was.Answer.Says == contrary && rapid.Bool().Draw(l.t, "remembered") {
			p.Last = was.Answer.Sent
		}
	}
	return p
}

func (l *life) saw() Saw {
	s := Saw{At: l.now.Add(-pick(l, "lag", 0, time.Second, time.Minute)), Looked: rapid.Bool().Draw(l.t, "looked")}
	if rapid.Bool().Draw(l.t, "asked") {
		s.Request = l.request()
	}
	if s.Looked && rapid.Bool().Draw(l.t, "present") {
		s.Present = l.instance()
	}
	if rapid.Bool().Draw(l.t, "signed") {
		p := l.person()
		s.By = &p
	}
	return s
}

func (l *life) done() Done {
	d := Done{Warrant: l.known(), At: pick(l, "at", l.now, time.Time{})}
	switch rapid.IntRange(0, 3).Draw(l.t, "answer") {
	case 3:
		d.Counted = true
	case 0:
		d.Refusal = &Refusal{Code: pick(l, "code", AlreadyDecided, TooEarly, RulesFailed)}
	case 1:
		d.Request = l.request()
	}
	return d
}

// anything is any input at all.
func (l *life) anything() Input {
	switch by := l.person(); rapid.IntRange(0, 15).Draw(l.t, "input") {
	case 0, 1:
		return l.ask()
	case 2:
		return l.notice()
	case 3, 4:
		d := pick(l, "decision", Approve, Deny)
		return Vote{By: by, Approve: d == Approve, Reason: pick(l, "reason", "ok", " "), Warrant: l.warrant(d, by)}
	case 5, 6:
		return Finish{By: by, Next: pick(l, "next", "", "", "a2"), Warrant: l.warrant(pick(l, "finish", End, Cancel), by)}
	case 7, 8:
		return l.done()
	case 9:
		return StepUp{l.known(), pick(l, "claims", "c1", "c2")}
	case 10:
		return pick[Input](l, "rare", Lapse{l.known()}, Asks{l.ask()}, Replaced{"next"}, Overlap{pick(l, "target", systems...), Group{tenant, "g2", "db-readers"}}, Demanded{Target: pick(l, "target", systems...), At: l.now}, DecidedBy{by}, Trouble{Why: Refusal{Code: Throttled}}, Trouble{Cleared: true}, Clash{Group{tenant, "g2", "db-readers"}})
	case 11, 12:
		return l.saw()
	case 13, 14:
		return l.probed()
	}
	if l.last != nil && rapid.Bool().Draw(l.t, "again") {
		return l.last
	}
	return Tick{}
}

// calm is a life in its order, with a random input thrown in between.
func (l *life) calm() {
	disturbed := func() {
		l.now = l.now.Add(pick(l, "passes", time.Second, time.Minute, 7*time.Minute))
		if rapid.IntRange(0, 2).Draw(l.t, "disturbed") == 0 {
			l.tell(l.anything())
		}
	}
	q := l.ask()
	q.Length = 2 * time.Hour
	q.Warrant = Warrant{ID: "first", Actor: q.Person, Deed: Submit, Proof: Session, Clicked: l.now, Expires: l.now.Add(time.Hour)}
	l.minted = append(l.minted, q.Warrant)
	l.tell(q)
	disturbed()
	created := l.now
	l.tell(Done{Warrant: "first", At: l.now, Request: &Request{ID: "r1", Status: pick(l, "status", "Provisioned", "PendingApproval"), Created: created}})
	disturbed()
	from, ends := l.now, l.now.Add(2*time.Hour)
	l.tell(Saw{At: l.now, Looked: true, Present: &Instance{From: from, Ends: ends}})
	for range rapid.IntRange(0, 4).Draw(l.t, "grants") {
		disturbed()
		l.tell(l.probed())
	}
	l.now = l.now.Add(3 * time.Hour)
	l.tell(Saw{At: l.now, Looked: true})
	for range rapid.IntRange(0, 6).Draw(l.t, "removals") {
		disturbed()
		l.tell(l.probed())
	}
	l.now = l.now.Add(25 * time.Hour)
	l.tell(Tick{})
}

// FuzzDecode: whatever stands in a journal, reading it never panics, and what
// can be read can be applied in every phase and written again.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"event":"warned","body":{"at":"2026-01-05T09:00:00Z"}}`))
	f.Add([]byte(`{"event":"asked","body":{"targets":[{"id":"devops"}],"lead":"15m"}}`))
	f.Add([]byte(`{"event":"span","body":null}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := Decode(b)
		if err != nil {
			return
		}
		for _, p := range append([]Phase{""}, Phases...) {
			a := Apply(Activation{ID: "a1", Phase: p, Targets: []Target{{ID: "devops"}}}, e)
			Effects(a, e)
			a.Due()
		}
		if _, err := Encode(e); err != nil {
			t.Errorf("read and can't be written: %v", err)
		}
	})
}

// FuzzJudge: the verdict is never empty, and it refuses what is too long, too
// short or not eligible, whatever else is said.
func FuzzJudge(f *testing.F) {
	f.Add(int64(time.Hour), int64(8*time.Hour), "why", "", true, false)
	f.Add(int64(-1), int64(0), "", "", false, true)
	f.Fuzz(func(t *testing.T, length, most int64, reason, ticket string, eligible, needs bool) {
		q := Ask{Length: time.Duration(length), Reason: reason, Ticket: ticket}
		facts := Facts{Eligible: eligible, Settings: Settings{Max: Duration(most), NeedsReason: needs, NeedsTicket: needs, NeedsMFA: needs}}
		v := Judge(q, facts, nine)
		must := !eligible || q.Length < Floor || most > 0 && length > most || needs && (blankText(reason) || blankText(ticket))
		if r := v.Refusal(); (r != nil) != must || r != nil && r.Error() == "" {
			t.Errorf("refused: %v, must be: %v (%s)", r, must, fmt.Sprint(v.Rules))
		}
	})
}
