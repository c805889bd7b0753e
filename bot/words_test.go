package bot

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"pagbot/activation"
)

// constants are the values of a type's constants in package activation, read
// from its source, so that a new one can't be forgotten here.
func constants(t *testing.T, typ string) []string {
	t.Helper()
	files, err := filepath.Glob("../activation/*.go")
	if err != nil || len(files) == 0 {
		t.Fatal("no activation package", err)
	}
	var all []string
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			v, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			if id, ok := v.Type.(*ast.Ident); ok && id.Name == typ && len(v.Values) == 1 {
				if lit, ok := v.Values[0].(*ast.BasicLit); ok {
					s, _ := strconv.Unquote(lit.Value)
					all = append(all, s)
				}
			}
			return true
		})
	}
	if len(all) < 5 {
		t.Fatalf("only %d constants of type %s", len(all), typ)
	}
	return all
}

// full is a refusal with everything that its code may carry.
func full(c activation.Code) activation.Refusal {
	r := activation.Refusal{Code: c}
	switch c {
	case activation.NotEligible:
		r.By = "db_readers"
	case activation.Paced:
		r.Until = after(time.Hour + 7*time.Second)
	case activation.AlreadyActive, activation.TooEarly, activation.TooOften, activation.EndPassed:
		r.Until = after(15 * time.Minute)
	case activation.TicketUnfit:
		r.Text = "INC0012345"
	case activation.TicketUnknown:
		r.By, r.Text = "INC0012345", `at /state it says "closed"`
	case activation.TicketUnchecked:
		r.By, r.Text = "INC0012345", "it did not answer in time"
	case activation.TooLong:
		r.Max = activation.Duration(4 * time.Hour)
	case activation.Quarantined:
		r.Until, r.Text = after(-9*time.Hour), "InvalidCredentials"
	case activation.RulesFailed:
		r.Rules = []string{"ExpirationRule", "TicketingRule"}
	case activation.AlreadyDecided, activation.WrongPerson:
		r.By = approver.Name
	case activation.PermissionNeeded:
		r.Text = "PrivilegedAccess.Read.AzureADGroup"
	case activation.Broken:
		r.Ref = "Q2CM"
	}
	return r
}

func TestRefusals(t *testing.T) {
	var out strings.Builder
	said := map[string]string{}
	for _, code := range constants(t, "Code") {
		c := activation.Code(code)
		m := plain(sayRefusal(full(c), scene(activation.AwaitingApproval)))
		valid(t, m)
		if other := said[m.text]; other != "" {
			t.Errorf("%s and %s have the same sentence", code, other)
		}
		said[m.text] = code
		fmt.Fprintf(&out, "# %s\n%s", code, showBlocks(t, m.blocks))
		if bare := plain(sayRefusal(activation.Refusal{Code: c}, activation.Activation{})); bare.text != m.text {
			valid(t, bare)
			fmt.Fprintf(&out, "  or, when nothing more is known:\n%s", showBlocks(t, bare.blocks))
		}
		out.WriteString("\n")
	}
	for _, text := range []string{notOurs, notKnown} {
		m := plain(sayRefusal(activation.Refusal{Code: activation.NotAllowedHere, Text: text}, activation.Activation{}))
		fmt.Fprintf(&out, "# not allowed here: %s\n%s\n", text, showBlocks(t, m.blocks))
	}
	for _, code := range constants(t, "Code") {
		m := plain(sayStuck(scene(activation.Active, stuck(full(activation.Code(code))))))
		valid(t, m)
		if code == "too early" || code == "paced" || code == "unavailable" || code == "consent missing" || code == "broken" {
			fmt.Fprintf(&out, "# stuck: %s\n%s\n", code, showBlocks(t, m.blocks))
		}
	}
	m := plain(sayStuck(scene(activation.Active, stuck(activation.Refusal{Code: activation.Broken, Text: noCard + "not_in_channel"}))))
	fmt.Fprintf(&out, "# stuck: no card\n%s", showBlocks(t, m.blocks))
	golden(t, "refusals.txt", out.String())
}

type said struct {
	title string
	a     activation.Activation
	e     activation.Effect
}

func dm(topic activation.Topic) activation.Effect {
	return activation.Effect{Key: "dm/7", Kind: activation.DM, Topic: topic, To: requester, Target: "devops"}
}

func thread(topic activation.Topic) activation.Effect {
	return activation.Effect{Key: "thread/7", Kind: activation.Thread, Topic: topic, Target: "devops"}
}

func refused(d activation.Deed, c activation.Code) activation.Effect {
	r := full(c)
	e := dm(activation.TopicRefused)
	e.Deed, e.Refusal = d, &r
	return e
}

// messages are a state and an effect for each topic that can be said.
func messages() []said { return append(beginnings(), endings()...) }

func beginnings() []said {
	const m = time.Minute
	active := scene(activation.Active, grants(seen(activation.L0, 11*m), waits("")))
	effective := func(l activation.Level) activation.Activation {
		return scene(activation.Active, grants(seen(activation.L0, 11*m), took(l, 17*m, 18*m)))
	}
	return []said{
		{"answer: Entra is being asked", scene(activation.Asked), dm(activation.TopicAsked)},
		{"answer: an approver is needed", scene(activation.AwaitingApproval), dm(activation.TopicAsked)},
		{"answer: taken", scene(activation.Provisioning), dm(activation.TopicAsked)},
		{"active", active, dm(activation.TopicActive)},
		{"active, had before", scene(activation.Active, grants(had(activation.L0), had(activation.L2))), dm(activation.TopicActive)},
		{"active, no targets", scene(activation.Active, func(a *activation.Activation) { a.Targets = nil }), dm(activation.TopicActive)},
		{"effective L0", effective(activation.L0), dm(activation.TopicEffective)},
		{"effective L1", effective(activation.L1), dm(activation.TopicEffective)},
		{"effective L2", effective(activation.L2), dm(activation.TopicEffective)},
		{"effective L3", effective(activation.L3), dm(activation.TopicEffective)},
		{"works L2", scene(activation.Active, grants(waits(""), seen(activation.L2, 30*m))), dm(activation.TopicEffective)},
		{"had already", scene(activation.Active, grants(had(activation.L0), had(activation.L2))), dm(activation.TopicHad)},
		{"active, on demand", scene(activation.Active, onDemand(time.Time{}, "")), dm(activation.TopicActive)},
		{"active, was demanded", scene(activation.Active, onDemand(after(time.Minute), "")), dm(activation.TopicActive)},
		{"declined, quarantine", scene(activation.Active, onDemand(after(time.Minute), activation.Quarantined)), dm(activation.TopicDeclined)},
		{"declined, throttled", scene(activation.Active, onDemand(after(time.Minute), activation.Throttled)), dm(activation.TopicDeclined)},
		{"approved, to the requester", scene(activation.Provisioning, decidedBy(approver, true, true, "known incident")), dm(activation.TopicDecided)},
		{"approved, in the thread", scene(activation.Provisioning, decidedBy(approver, true, true, "known incident")), thread(activation.TopicDecided)},
		{"approved in Entra, in the thread", scene(activation.Provisioning, decidedBy(activation.Person{}, true, false, "")), thread(activation.TopicDecided)},
		{"denied, to the requester", scene(activation.AwaitingApproval, decidedBy(approver, false, true, "not today"), closed(activation.Denied)), dm(activation.TopicDecided)},
		{"denied, in the thread", scene(activation.AwaitingApproval, decidedBy(approver, false, true, "not today"), closed(activation.Denied)), thread(activation.TopicDecided)},
		{"warning", active, dm(activation.TopicWarning)},
	}
}

// quorum is a request for which two must agree, and so many have.
func quorum(by ...activation.Person) activation.Activation {
	return scene(activation.AwaitingApproval, func(a *activation.Activation) {
		a.Quorum = 2
		for _, p := range by {
			a.Agreed = append(a.Agreed, activation.Agreed{By: p, Reason: "known incident", At: after(time.Minute)})
		}
	})
}

func endings() []said {
	const m, h = time.Minute, time.Hour
	return []said{
		{"ended", scene(activation.Verifying, removals(waits(""), waits(""))), dm(activation.TopicEnded)},
		{"ended, nothing behind it", scene(activation.Verifying, func(a *activation.Activation) { a.Targets = nil }), dm(activation.TopicEnded)},
		{"taken away, in the thread", scene(activation.Verifying, func(a *activation.Activation) { a.Outcome = activation.Revoked }), thread(activation.TopicEnded)},
		{"gone", scene(activation.Verifying, removals(left(activation.L0, 2*h, 131*m), left(activation.L2, 140*m, 142*m)), closed(activation.Expired)), dm(activation.TopicGone)},
		{"over", scene(activation.Verifying, removals(left(activation.L0, 2*h, 131*m), had(activation.L2)), closed(activation.Expired)), dm(activation.TopicGone)},
		{"not proven gone", scene(activation.Verifying, removals(left(activation.L0, 2*h, 131*m), activation.Span{State: activation.NotProven}), closed(activation.Expired)), dm(activation.TopicGone)},
		{"overdue, seen", scene(activation.Verifying, removals(waits(""), overdue(195*m, ""))), dm(activation.TopicOverdue)},
		{"overdue, in the thread", scene(activation.Verifying, removals(waits(""), overdue(195*m, ""))), thread(activation.TopicOverdue)},
		{"overdue, can't tell", scene(activation.Verifying, removals(waits(""), overdue(195*m, "it asks us to slow down"))), thread(activation.TopicOverdue)},
		{"overdue, not seen", scene(activation.Verifying, removals(waits(""), overdue(0, ""))), thread(activation.TopicOverdue)},
		{"overdue, said late", scene(activation.Verifying, removals(waits(""), left(activation.L2, 195*m, 200*m))), thread(activation.TopicOverdue)},
		{"timed out", scene(activation.AwaitingApproval, closed(activation.TimedOut)), dm(activation.TopicClosed)},
		{"withdrawn", scene(activation.AwaitingApproval, closed(activation.Withdrawn)), dm(activation.TopicClosed)},
		{"failed", scene(activation.Provisioning, closed(activation.Failed)), dm(activation.TopicClosed)},
		{"denied", scene(activation.AwaitingApproval, closed(activation.Denied)), dm(activation.TopicClosed)},
		{"refused", scene(activation.Asked, closed(activation.Refused), func(a *activation.Activation) {
			a.Refusal = &activation.Refusal{Code: activation.BlockedByPolicy}
		}), dm(activation.TopicClosed)},
		{"one of two agreed, in the thread", quorum(approver), thread(activation.TopicAgreed)},
		{"an earlier yes counts no more", quorum(approver), activation.Effect{Kind: activation.Thread, Topic: activation.TopicUnheard, Target: "adm-second@contoso.example"}},
		{"gone round, in the thread", quorum(approver), thread(activation.TopicRound)},
		{"two that exclude each other, in the thread", scene(activation.Active, func(a *activation.Activation) { a.Clash.Name = "db_readers" }), thread(activation.TopicClash)},
		{"reminder", scene(activation.AwaitingApproval), thread(activation.TopicRemind)},
		{"second reminder", scene(activation.AwaitingApproval), thread(activation.TopicMore)},
		{"rescue", scene(activation.AwaitingApproval), thread(activation.TopicRescue)},
		{"rescue, to the requester", scene(activation.AwaitingApproval), dm(activation.TopicRescue)},
		{"stuck", scene(activation.AwaitingApproval, stuck(activation.Refusal{Code: activation.Unavailable})), thread(activation.TopicStuck)},
		{"ask refused", scene(activation.Asked), refused(activation.Submit, activation.TooLong)},
		{"approval refused", scene(activation.AwaitingApproval), refused(activation.Approve, activation.NotAssigned)},
		{"denial refused", scene(activation.Active), refused(activation.Deny, activation.AlreadyDecided)},
		{"end refused", scene(activation.Verifying), refused(activation.End, activation.NotActive)},
		{"withdrawal refused", scene(activation.Active), refused(activation.Cancel, activation.Changed)},
	}
}

// talker is a mouth that needs no Slack to find its words.
func talker() *Mouth {
	return NewMouth(&Bot{Config: Config{SignIn: stamp{}, Groups: []Group{{Group: admins, Channel: channel, Backup: []string{"U0TEAMLEAD"}}},
		Directory: newDirectory(), People: people{approver.Slack.ID: {approver}}}})
}

func TestMessages(t *testing.T) {
	m := talker()
	var out strings.Builder
	topics := map[activation.Topic]bool{}
	for _, s := range messages() {
		msg, ok := m.topic(t.Context(), s.a, s.e)
		if !ok {
			t.Errorf("%s: nothing is said", s.title)
			continue
		}
		topics[s.e.Topic] = true
		valid(t, msg)
		fmt.Fprintf(&out, "# %s\n%s\n", s.title, show(t, msg))
	}
	for _, topic := range constants(t, "Topic") {
		if !topics[activation.Topic(topic)] {
			t.Errorf("no message of topic %s", topic)
		}
	}
	golden(t, "messages.txt", out.String())
}

// What is not so any more is not said.
func TestNothingToSay(t *testing.T) {
	m := NewMouth(&Bot{Config: Config{SignIn: stamp{}, Directory: newDirectory(), People: people{}}})
	for _, topic := range []activation.Topic{activation.TopicAsked, activation.TopicDecided, activation.TopicStuck, "unheard of"} {
		if msg, ok := m.topic(t.Context(), scene(activation.Verifying), activation.Effect{Topic: topic}); ok {
			t.Errorf("%s: %s", topic, show(t, msg))
		}
	}
}

// titledClaims is a wish of Entra's for a sign-in.
type titledClaims struct{ title, claims string }

func TestSignInMessages(t *testing.T) {
	m := NewMouth(&Bot{Config: Config{SignIn: stamp{}, Directory: newDirectory(), People: people{}}})
	phases := map[activation.Deed]activation.Phase{activation.Submit: activation.Asked, activation.Cancel: activation.AwaitingApproval,
		activation.Approve: activation.AwaitingApproval, activation.Deny: activation.AwaitingApproval, activation.End: activation.Ending}
	var out strings.Builder
	for _, deed := range constants(t, "Deed") {
		d := activation.Deed(deed)
		a := scene(phases[d])
		w := m.SignIn.Mint(activation.Warrant{Actor: approver, Deed: d, Proof: activation.Fresh, Envelope: "e1", Clicked: noon, Expires: after(15 * time.Minute)})
		for _, claims := range []titledClaims{{"plain", ""}, {"stronger", `{"access_token":{"acrs":{"value":"c1"}}}`}, {"revoked", `{"access_token":{"nbf":{"essential":true,"value":"1"}}}`}} {
			msg := m.signMessage(t.Context(), a, activation.Pending{Warrant: w, Needs: true, Claims: claims.claims})
			valid(t, msg)
			fmt.Fprintf(&out, "# sign in to %s, %s\n%s\n", deed, claims.title, show(t, msg))
		}
	}
	for _, s := range []titled{
		{"approved by this or another approver", scene(activation.Provisioning, decidedBy(approver, true, true, ""))},
		{"nobody decided yet", scene(activation.AwaitingApproval)},
		{"one of two agreed", quorum(approver)},
		{"not ended", scene(activation.Active)},
		{"ended", scene(activation.Verifying)},
		{"withdrawn", scene(activation.AwaitingApproval, closed(activation.Withdrawn))},
		{"called off", scene(activation.Asked, closed(activation.Refused), func(a *activation.Activation) {
			a.Request, a.Ended, a.Refusal = activation.Request{}, time.Time{}, &activation.Refusal{Code: activation.SignedOut}
		})},
	} {
		msg := plain(saySignedFor(s.a, false))
		valid(t, msg)
		fmt.Fprintf(&out, "# afterwards: %s\n%s\n", s.title, show(t, msg))
	}
	golden(t, "signin.txt", out.String())
}

func TestForms(t *testing.T) {
	var out strings.Builder
	pending, active := scene(activation.AwaitingApproval), scene(activation.Active)
	optional := scene(activation.AwaitingApproval, func(a *activation.Activation) { a.Settings.ApproverReason, a.Ticket = false, "" })
	for _, f := range []struct {
		title string
		form  slack.ModalViewRequest
	}{
		{"approve", voteForm(pending, activation.Approve, activation.Fresh)},
		{"deny", voteForm(pending, activation.Deny, activation.Fresh)},
		{"approve, kept session, reason optional", voteForm(optional, activation.Approve, activation.Session)},
		{"approve, the second of two", voteForm(quorum(approver), activation.Approve, activation.Fresh)},
		{"end", finishForm(active, after(time.Hour))},
		{"end in the first five minutes", finishForm(active, after(12*time.Minute))},
		{"withdraw", finishForm(pending, after(time.Hour))},
	} {
		validForm(t, f.form)
		fmt.Fprintf(&out, "# %s\n%s\n", f.title, showForm(t, f.form))
	}
	golden(t, "forms.txt", out.String())
}

func TestBatchAnswers(t *testing.T) {
	open := scene(activation.Asked)
	other := scene(activation.Asked, func(a *activation.Activation) {
		a.Group.Name, a.Settings.NeedsApproval, a.Length = "db_readers", false, activation.Duration(time.Hour)
	})
	same := scene(activation.Asked, func(a *activation.Activation) { a.Access = activation.Owner })
	var out strings.Builder
	for _, s := range []string{saySignForAll([]activation.Activation{open, same}, after(15*time.Minute)), saySignForAll([]activation.Activation{open, other}, after(15*time.Minute)),
		saySignForAll([]activation.Activation{other}, after(15*time.Minute)), sayAskedAll([]activation.Activation{open, same})} {
		m := plain(s)
		valid(t, m)
		out.WriteString(showBlocks(t, m.blocks) + "\n")
	}
	golden(t, "batch.txt", out.String())
}

func TestAnswers(t *testing.T) {
	several := []activation.Activation{scene(activation.Active), scene(activation.AwaitingApproval, func(a *activation.Activation) { a.Access = activation.Owner })}
	held := scene(activation.Asked, func(a *activation.Activation) {
		a.Deeds = []activation.Pending{{Warrant: activation.Warrant{Actor: a.Person, Deed: activation.Submit}}}
	})
	var many []activation.Activation
	var groups []string
	for i := range 60 {
		many = append(many, scene(activation.Active, func(a *activation.Activation) { a.Group.Name = fmt.Sprint("group-", i) }))
		groups = append(groups, sayEligible(fmt.Sprint("group-", i), activation.Member, requester, false))
	}
	may := []string{sayEligible("db_admins", activation.Member, requester, true), sayEligible("db_readers", activation.Owner, approver, true)}
	var out strings.Builder
	for _, s := range []struct{ title, text string }{
		{"help", sayHelp}, {"watching only", fmt.Sprintf(sayWatchOnly, "https://entra.example/approve")},
		{"sign in", saySignIn}, {"signed out", saySignedOut(nil, nil)}, {"signed out, with much", saySignedOut([]Off{{several[0], activation.End}, {scene(activation.Asked), activation.Submit}}, append(several, held))}, {"too slow", sayTooSlow},
		{"unknown group", sayUnknownGroup("db-admin", "db_admins")}, {"unknown group, nothing alike", sayUnknownGroup(strings.Repeat("x", 99), "")},
		{"list", sayList(may, several[:1], true)}, {"empty list", sayList(nil, nil, false)}, {"long list", sayList(groups, nil, false)},
		{"status", sayStatus(several, false)}, {"empty status", sayStatus(nil, false)}, {"long status", sayStatus(many, false)},
		{"end which", sayWhichToEnd(several, "")}, {"end what", sayWhichToEnd(nil, "db")}, {"end nothing", sayWhichToEnd(nil, "")},
		{"ending", sayEnding(several[0], true)}, {"withdrawing", sayEnding(several[1], true)}, {"ending, in the browser", sayEnding(several[0], false)},
	} {
		m := plain(s.text)
		valid(t, m)
		fmt.Fprintf(&out, "# %s\n%s\n", s.title, showBlocks(t, m.blocks))
	}
	golden(t, "answers.txt", out.String())
}

func TestStory(t *testing.T) {
	a := activation.Activation{}
	var journal []Moment
	tell := func(d time.Duration, in activation.Input) {
		for _, e := range activation.Decide(a, in, after(d)) {
			a = activation.Apply(a, e)
			journal = append(journal, Moment{after(d), e})
		}
	}
	life(tell)
	for _, e := range []activation.Event{activation.EvRefused{Refusal: full(activation.NotEligible)}, activation.EvNoticed{Request: activation.Request{Justification: "from the portal"}},
		activation.EvLapsed{By: requester, Deed: activation.End}, activation.EvTurnedAway{By: approver, Deed: activation.Deny, Refusal: full(activation.AlreadyDecided)},
		activation.EvStuck{Stuck: activation.Stuck{Why: full(activation.Unavailable)}}, activation.EvStill{Target: "devops", Direction: activation.Removal, Asked: after(5 * time.Hour)},
		activation.EvDemanded{Target: "devops", At: after(time.Minute)}, activation.EvDemanded{Target: "devops", Refusal: &activation.Refusal{Code: activation.Quarantined, Text: "InvalidCredentials"}},
		activation.EvUnstuck{}, activation.EvReminded{Nth: activation.Rescue}, activation.EvAgreed{Agreed: activation.Agreed{By: approver, Reason: "ok"}}, activation.EvSignInWanted{},
		activation.EvDecided{Decision: activation.Decision{Approve: true}}} {
		journal = append(journal, Moment{after(6 * time.Hour), e})
	}
	golden(t, "story.txt", Story(journal))
	hostile := Story([]Moment{{noon, activation.EvNoticed{ID: "a\x1b[2J", Person: activation.Person{Name: "b\nc"}}}, {noon, activation.EvLapsed{By: activation.Person{Name: "\x1b[1mx\r"}}}})
	if strings.ContainsAny(hostile, "\x1b\r") || strings.Count(hostile, "\n") != 4 {
		t.Errorf("%q", hostile)
	}
	if Story(nil) != "" {
		t.Error("no journal is no story")
	}
}

var _ SignIn = stamp{}
