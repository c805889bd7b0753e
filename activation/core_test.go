package activation

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

// Every field of Terms is in the digest: what is done is what was shown.
func TestDigestCoversEveryField(t *testing.T) {
	base := Terms{Deed: Submit, Group: "g", Access: Member}
	seen := map[string]string{base.Digest(): "nothing"}
	v := reflect.TypeFor[Terms]()
	for i := range v.NumField() {
		other := base
		switch f := reflect.ValueOf(&other).Elem().Field(i); f.Interface().(type) {
		case time.Time:
			f.Set(reflect.ValueOf(nine))
		case Duration:
			f.SetInt(int64(time.Hour))
		default:
			f.SetString("other")
		}
		d := other.Digest()
		if was, ok := seen[d]; ok {
			t.Errorf("changing %s gives the digest of changing %s", v.Field(i).Name, was)
		}
		seen[d] = v.Field(i).Name
	}
	here, there := base, base
	here.Until, there.Until = nine, nine.In(time.FixedZone("there", 3600))
	if here.Digest() != there.Digest() {
		t.Error("the same moment in another zone has another digest")
	}
}

func TestSealCoversEverythingButItself(t *testing.T) {
	w := Warrant{ID: "w1", Actor: who("approver"), Deed: Approve, Digest: "d", Proof: Fresh, Envelope: "e", Clicked: nine, Expires: nine}
	sealed := w
	sealed.Seal = "seal"
	if string(w.Body()) != string(sealed.Body()) {
		t.Error("the seal covers itself")
	}
	for _, change := range []func(*Warrant){
		func(w *Warrant) { w.ID = "x" }, func(w *Warrant) { w.Actor.Object = "x" }, func(w *Warrant) { w.Deed = Deny }, func(w *Warrant) { w.Digest = "x" },
		func(w *Warrant) { w.Proof = Session }, func(w *Warrant) { w.Envelope = "x" }, func(w *Warrant) { w.Clicked = nine.Add(1) }, func(w *Warrant) { w.Expires = nine.Add(1) },
	} {
		other := w
		change(&other)
		if string(other.Body()) == string(w.Body()) {
			t.Errorf("not under the seal: %+v", other)
		}
	}
}

func TestTermsAreOfTheDeed(t *testing.T) {
	a := Activation{Group: Group{ID: "g"}, Access: Owner, Person: who("requester"), Reason: "mine", Ticket: "T", Length: Duration(time.Hour), Ends: nine,
		Request: Request{ID: "r1", Length: Duration(2 * time.Hour), Ticket: "PIM"}}
	submit, approve, end := a.Terms(Submit, "ignored"), a.Terms(Approve, "words"), a.Terms(End, "")
	if submit.Reason != "mine" || submit.Length != a.Length || submit.Request != "" {
		t.Errorf("submit: %+v", submit)
	}
	if approve.Reason != "words" || approve.Request != "r1" || approve.Length != a.Request.Length || approve.Ticket != "PIM" || approve.For != a.Person.Object {
		t.Errorf("approve: %+v", approve)
	}
	if !end.Until.Equal(nine) || end.Length != 0 {
		t.Errorf("end: %+v", end)
	}
}

func TestProofFor(t *testing.T) {
	for _, c := range []struct {
		d          Deed
		access     Access
		s          Settings
		configured Proof
		want       Proof
	}{
		{Submit, Member, Settings{}, "", Session},
		{Submit, Owner, Settings{}, "", Fresh},
		{Submit, Member, Settings{NeedsMFA: true}, "", Fresh},
		{Submit, Member, Settings{Context: "c1"}, "", Fresh},
		{Submit, Member, Settings{NeedsApproval: true}, "", Fresh},
		{Submit, Member, Settings{NeedsMFA: true}, Session, Session},
		{Submit, Member, Settings{}, Fresh, Fresh},
		{Approve, Member, Settings{}, "", Fresh},
		{Deny, Member, Settings{}, "", Fresh},
		{End, Owner, Settings{NeedsMFA: true}, Fresh, Session},
		{Cancel, Owner, Settings{}, "", Session},
	} {
		if got := ProofFor(c.d, c.access, c.s, c.configured); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

func TestSamePerson(t *testing.T) {
	r := who("requester")
	account := Person{Tenant: strings.ToUpper(tenant), Object: strings.ToUpper(r.Object)}
	for _, c := range []struct {
		name    string
		p, q    Person
		same    bool
		account bool
	}{
		{"account, in another casing", r, account, true, true},
		{"second account", r, who("requester-admin"), true, false},
		{"Slack user only", Person{Object: "x", Slack: r.Slack}, r, true, false},
		{"Slack user of another team", Person{Slack: SlackUser{"T2", r.Slack.ID}}, Person{Slack: r.Slack}, false, false},
		{"account of another tenant", Person{Tenant: "other", Object: r.Object}, account, false, false},
		{"two unknown", Person{}, Person{}, false, false},
		{"another", r, who("approver"), false, false},
	} {
		if c.p.Same(c.q) != c.same || c.q.Same(c.p) != c.same || c.p.SameAccount(c.q) != c.account {
			t.Errorf("%s: %v %v", c.name, c.p.Same(c.q), c.p.SameAccount(c.q))
		}
	}
}

func TestNames(t *testing.T) {
	a := Activation{Tag: "7F3K", Reason: "Fix the index", Person: who("requester"), Group: Group{ID: "G1"}, Access: Member}
	if a.Justification() != "Fix the index [pag 7F3K]" {
		t.Error(a.Justification())
	}
	b := a
	b.Group.ID, b.Person.Object = "g1", strings.ToUpper(a.Person.Object)
	if a.Key() != b.Key() {
		t.Errorf("%s is not %s", a.Key(), b.Key())
	}
	r := Refusal{Code: RulesFailed, Rules: []string{"MfaRule", "TicketRule"}, Text: "said Entra", Ref: "7F3K"}
	if r.Error() != "rules failed: MfaRule, TicketRule: said Entra: reference 7F3K" {
		t.Error(r.Error())
	}
	if !(Report{Tell: Tick{}}).Finished() || (Report{Unsure: true}).Finished() || (Report{Wait: "signin:w1"}).Finished() || (Report{After: 1}).Finished() {
		t.Error("a report is finished when nothing is to follow")
	}
}

// An activation without an end is not over because a read lags.
func TestNoEndAndReadLag(t *testing.T) {
	a := Apply(Activation{}, EvNoticed{ID: "n1", From: nine, Ends: nine.Add(time.Hour)})
	a = Apply(a, EvProvisioned{From: nine, At: nine})
	if events := Decide(a, Saw{Looked: true, At: nine.Add(10 * time.Second)}, nine.Add(time.Minute)); len(events) != 0 {
		t.Errorf("a read of ten seconds after the start ended it: %s", describe(events[0]))
	}
	if events := Decide(a, Saw{Looked: true, At: nine.Add(time.Minute)}, nine.Add(time.Minute)); len(events) == 0 {
		t.Error("a later read did not end it")
	}
}

// An instance of the activation before ours, still shown by a lagging read.
func TestEarlierInstance(t *testing.T) {
	a := Apply(Activation{}, EvAsked{ID: "a1", Person: who("requester"), At: nine})
	a = Apply(a, EvSubmitted{Request: Request{ID: "r2", Status: "PendingProvisioning", Schedule: "s2", Created: nine}})
	old := Instance{Schedule: "s1", From: nine.Add(-time.Hour), Ends: nine.Add(time.Hour)}
	if events := Decide(a, Saw{Looked: true, Present: &old, At: nine}, nine); len(events) != 0 {
		t.Errorf("taken for ours: %s", describe(events[0]))
	}
	ours := Instance{Schedule: "S2", From: nine, Ends: nine.Add(time.Hour)}
	if events := Decide(a, Saw{Looked: true, Present: &ours, At: nine}, nine); len(events) != 1 {
		t.Error("ours was not taken")
	}
}

// A submit that is refused because an instance is there already must not close
// what is active.
func TestSubmitRefusedAfterItWorked(t *testing.T) {
	w := Warrant{ID: "w1", Actor: who("requester"), Deed: Submit, Expires: nine.Add(time.Hour)}
	a := Apply(Activation{}, EvAsked{ID: "a1", Person: who("requester"), Warrant: w, At: nine})
	for _, in := range []Input{
		Saw{Looked: true, Present: &Instance{From: nine, Ends: nine.Add(time.Hour)}, At: nine},
		Done{Warrant: "w1", Refusal: &Refusal{Code: AlreadyActive}},
	} {
		for _, e := range Decide(a, in, nine) {
			a = Apply(a, e)
		}
	}
	if a.Phase != Active {
		t.Errorf("it is %s", a.Phase)
	}
	if Wants(a, Effect{Kind: DoDeed, Warrant: "w1"}, nine) {
		t.Error("submit is still wanted")
	}
}

// What an approver's deed is worth ends with the decision.
func TestDeedsOutOfTime(t *testing.T) {
	for _, c := range []struct {
		d       Deed
		wanted  []Phase
		expires time.Time
	}{
		{Submit, []Phase{Asked}, nine.Add(1)},
		{Approve, []Phase{AwaitingApproval}, nine.Add(1)},
		{Deny, []Phase{AwaitingApproval}, nine.Add(1)},
		{Cancel, []Phase{AwaitingApproval, Scheduled}, nine.Add(1)},
		{End, []Phase{Active, Ending}, nine.Add(1)},
		{End, nil, nine},
	} {
		for _, p := range Phases {
			a := Activation{Phase: p, Deeds: []Pending{{Warrant: Warrant{ID: "w", Deed: c.d, Expires: c.expires}}}}
			want := strings.Contains(strings.Join(asText(c.wanted), "|")+"|", string(p)+"|")
			if got := Wants(a, Effect{Kind: DoDeed, Warrant: "w"}, nine); got != want {
				t.Errorf("%s while %s: %v", c.d, p, got)
			}
		}
	}
}

// Nobody is told that they have what has run out, even if nothing has noticed
// that yet.
func TestActiveIsNotSaidTooLate(t *testing.T) {
	e := Effect{Kind: DM, Topic: TopicActive}
	for _, p := range Phases {
		running := p == Active || p == Ending
		for ends, want := range map[time.Time]bool{{}: running, nine.Add(1): running, nine: false} {
			if got := Wants(Activation{Phase: p, Ends: ends}, e, nine); got != want {
				t.Errorf("%s, ends %s: %v", p, ends, got)
			}
		}
	}
}

// A bot that was away past the end has nobody written to a target any more, even
// if nothing has noticed the end yet.
func TestNobodyIsWrittenAfterTheEnd(t *testing.T) {
	for _, p := range Phases {
		for ends, want := range map[time.Time]bool{{}: p == Active, nine.Add(1): p == Active, nine: false} {
			a := Activation{Phase: p, Ends: ends, Targets: []Target{{ID: "aws", OnDemand: true}}}
			if got := Wants(a, Effect{Kind: Demand, Target: "aws"}, nine); got != want {
				t.Errorf("%s, ends %s: %v", p, ends, got)
			}
		}
	}
}

func asText(phases []Phase) []string {
	var out []string
	for _, p := range phases {
		out = append(out, string(p))
	}
	return out
}

// Two messages of one activation never have the same key, whatever the targets
// are called: one would keep the other's turn from being stored.
func TestMessagesAboutTargetsHaveTheirOwnKeys(t *testing.T) {
	key := func(seq uint64, target string) string {
		a := Activation{ID: "a", Seq: seq, Phase: Active, Watched: true, Targets: []Target{{ID: target, Level: L2}}}
		e := EvSpan{Target: target, Direction: Grant, Span: Span{State: Effective, Level: L2}}
		all := Effects(a, e)
		return all[len(all)-1].Key
	}
	if a, b := key(1, "2-devops"), key(12, "-devops"); a == b {
		t.Errorf("both are called %s", a)
	}
}

// PIM's answers may leave out the schedule of a request. Its instance has it,
// and by it alone the instance is known as ours when reads lag after the end.
func TestInstanceTeachesTheSchedule(t *testing.T) {
	a := Activation{ID: "a", Seq: 1, Phase: Provisioning, Person: who("requester"), Group: Group{ID: "g"}, Access: Member,
		Request: Request{ID: "r1", Status: "Provisioned", Created: nine}}
	for _, e := range Decide(a, Saw{Looked: true, Present: &Instance{Schedule: "s1", From: nine, Ends: nine.Add(time.Hour)}, At: nine.Add(time.Minute)}, nine.Add(time.Minute)) {
		a = Apply(a, e)
	}
	if a.Phase != Active || a.Request.ID != "r1" || a.Request.Schedule != "s1" || a.Request.Status != "Provisioned" {
		t.Errorf("%s under %+v", a.Phase, a.Request)
	}
}

// What the policy engine does not allow yet may have been received before: its
// no is no lower end for a yes of a lower level.
func TestAContraryAnswerBoundsItsLevelOnly(t *testing.T) {
	since := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)
	at := func(s int) time.Time { return since.Add(time.Duration(s) * time.Second) }
	answer := func(says Says, l Level, s int) Answer {
		return Answer{Says: says, Level: l, Evidence: "x", Sent: at(s), Received: at(s + 1)}
	}
	for _, c := range []struct {
		toward      Direction
		first, then Answer
		state       State
		after       time.Time
	}{
		{Grant, answer(No, L2, 10), answer(Yes, L1, 20), Works, time.Time{}},
		{Grant, answer(No, L1, 10), answer(Yes, L2, 20), Effective, at(10)},
		{Grant, answer(No, L2, 10), answer(Yes, L2, 20), Effective, at(10)},
		{Removal, answer(Yes, L2, 10), answer(No, L1, 20), Gone, since},
		{Removal, answer(Yes, L1, 10), answer(No, L1, 20), Gone, at(10)},
	} {
		s, _ := Span{State: Waiting}.settle(c.toward, c.first, time.Time{}, since)
		s, _ = s.settle(c.toward, c.then, time.Time{}, since)
		if s.State != c.state || !s.After.Equal(c.after) {
			t.Errorf("%s, %+v then %+v: %+v", c.toward, c.first, c.then, s)
		}
	}
}

// A renewal is held while what it renews is there and ending, goes on once that
// has ended, and is refused if it will not end.
func TestHeld(t *testing.T) {
	ending := []Pending{{Warrant: Warrant{ID: "w1", Deed: End}}}
	for _, c := range []struct {
		name   string
		before Activation
		wait   bool
		no     bool
	}{
		{"ending", Activation{ID: "a0", Phase: Ending, Deeds: ending}, true, false},
		{"runs, its end to be done", Activation{ID: "a0", Phase: Active, Deeds: ending}, true, false},
		{"its end was refused or lapsed", Activation{ID: "a0", Phase: Active}, false, true},
		{"another deed is no end", Activation{ID: "a0", Phase: Active, Deeds: []Pending{{Warrant: Warrant{Deed: Cancel}}}}, false, true},
		{"waits, and is to be withdrawn", Activation{ID: "a0", Phase: AwaitingApproval, Deeds: []Pending{{Warrant: Warrant{Deed: Cancel}}}}, true, false},
		{"approved before it was withdrawn", Activation{ID: "a0", Phase: Provisioning, Deeds: ending}, false, true},
		{"ended", Activation{ID: "a0", Phase: Verifying}, false, false},
		{"over", Activation{ID: "a0", Phase: Closed}, false, false},
		{"forgotten", Activation{}, false, false},
	} {
		wait, no := (Activation{ID: "a2", After: "a0"}).Held(c.before)
		if (wait != "") != c.wait || (no != nil) != c.no || c.wait && wait != AtEnd("a0") || c.no && no.Code != NotEnded {
			t.Errorf("%s: waits for %q, refused %v", c.name, wait, no)
		}
	}
}
