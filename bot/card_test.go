package bot

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pagbot/activation"
)

type titled struct {
	title string
	a     activation.Activation
}

// states are all that a card can show.
func states() []titled {
	const m, h = time.Minute, time.Hour
	span := activation.Span{}
	return []titled{
		{"awaiting approval", scene(activation.AwaitingApproval)},
		{"awaiting approval, as owner, no reason, no ticket", scene(activation.AwaitingApproval, func(a *activation.Activation) {
			a.Access, a.Reason, a.Ticket = activation.Owner, "", ""
		})},
		{"awaiting approval, had it already", scene(activation.AwaitingApproval, grants(had(activation.L0), had(activation.L2)))},
		{"awaiting approval, noticed", scene(activation.AwaitingApproval, func(a *activation.Activation) {
			a.Watched, a.Person, a.Request.Created = true, unknown, time.Time{}
		})},
		{"asked", scene(activation.Asked)},
		{"noticed", scene(activation.Noticed, func(a *activation.Activation) { a.Watched = true })},
		{"awaiting two approvals", quorum()},
		{"awaiting the second of two approvals", quorum(approver)},
		{"scheduled", scene(activation.Scheduled, func(a *activation.Activation) { a.Request.Start = after(20 * h) })},
		{"scheduled, start unknown", scene(activation.Scheduled)},
		{"provisioning, approved here", scene(activation.Provisioning, decidedBy(approver, true, true, "known incident"))},
		{"provisioning, approved in Entra by somebody", scene(activation.Provisioning, decidedBy(activation.Person{}, true, false, ""))},
		{"active, nothing known", scene(activation.Active, decidedBy(unknown, true, false, ""))},
		{"active, not yet", scene(activation.Active, grants(seen(activation.L0, 11*m), waits("")))},
		{"active, can't tell", scene(activation.Active, grants(took(activation.L0, 10*m, 11*m), waits("it asks us to slow down")))},
		{"active, L2 effective", scene(activation.Active, grants(took(activation.L0, 10*m, 11*m), took(activation.L2, 17*m, 18*m)))},
		{"active, L1 effective within seconds", scene(activation.Active, grants(waits(""), took(activation.L1, 10*m, 10*m+20*time.Second)))},
		{"active, L3 works", scene(activation.Active, grants(waits("no answer"), seen(activation.L3, 70*m)))},
		{"active, had it already", scene(activation.Active, grants(had(activation.L0), had(activation.L2)))},
		{"active with no end", scene(activation.Active, func(a *activation.Activation) { a.Watched, a.Ends = true, time.Time{} })},
		{"active, stuck", scene(activation.Active, stuck(activation.Refusal{Code: activation.Unavailable}))},
		{"ending", scene(activation.Ending, grants(took(activation.L0, 10*m, 11*m), took(activation.L2, 17*m, 18*m)))},
		{"ending, not confirmed", scene(activation.Ending, func(a *activation.Activation) {
			a.Deeds = []activation.Pending{{Warrant: activation.Warrant{ID: "w1", Deed: activation.End}, Needs: true}}
		})},
		{"ending, too early", scene(activation.Ending, stuck(activation.Refusal{Code: activation.TooEarly, Until: after(15 * m)}))},
		{"verifying", scene(activation.Verifying, removals(waits(""), waits("")))},
		{"verifying, Entra forgot, target not", scene(activation.Verifying, removals(left(activation.L0, 2*h, 131*m), overdue(195*m, "")))},
		{"verifying, overdue and can't tell", scene(activation.Verifying, removals(waits("no answer"), overdue(195*m, "it asks us to slow down")))},
		{"verifying, overdue and never seen", scene(activation.Verifying, removals(waits("no answer"), overdue(0, "")))},
		{"verifying, no targets", scene(activation.Verifying, func(a *activation.Activation) { a.Targets = nil })},
		{"closed, gone", scene(activation.Verifying, removals(left(activation.L0, 2*h, 131*m), left(activation.L2, 140*m, 142*m)), closed(activation.Expired))},
		{"closed, only Entra's word", scene(activation.Verifying, removals(left(activation.L0, 2*h, 131*m), had(activation.L2)), closed(activation.EndedSoon))},
		{"closed, never came", scene(activation.Verifying, removals(left(activation.L0, 2*h, 131*m), activation.Span{State: activation.NeverCame}), closed(activation.EndedSoon))},
		{"closed, not proven", scene(activation.Verifying, removals(left(activation.L0, 2*h, 131*m), activation.Span{State: activation.NotProven, Doubt: "no answer"}), closed(activation.Revoked))},
		{"closed, still there after a day", scene(activation.Verifying, removals(left(activation.L0, 2*h, 131*m), activation.Span{State: activation.NotProven}), closed(activation.Expired))},
		{"closed, superseded", scene(activation.Verifying, removals(activation.Span{State: activation.Superseded}, activation.Span{State: activation.Superseded}), closed(activation.Expired))},
		{"closed, no targets", scene(activation.Verifying, func(a *activation.Activation) { a.Targets = nil }, closed(activation.Expired))},
		{"closed, denied", scene(activation.AwaitingApproval, decidedBy(approver, false, true, "not today"), closed(activation.Denied))},
		{"closed, denied in Entra", scene(activation.AwaitingApproval, decidedBy(unknown, false, false, ""), closed(activation.Denied))},
		{"closed, timed out", scene(activation.AwaitingApproval, closed(activation.TimedOut))},
		{"closed, withdrawn", scene(activation.AwaitingApproval, closed(activation.Withdrawn))},
		{"active, demanded", scene(activation.Active, onDemand(after(time.Minute), ""))},
		{"active, declined", scene(activation.Active, onDemand(after(time.Minute), activation.Quarantined))},
		{"closed, failed", scene(activation.Provisioning, grants(span, span), closed(activation.Failed))},
		{"closed, refused", scene(activation.Asked, closed(activation.Refused))},
	}
}

func TestCards(t *testing.T) {
	acts, watches := &Bot{Config: Config{SignIn: stamp{}}}, &Bot{Config: Config{Portal: "https://entra.example/approve"}}
	var out strings.Builder
	for _, s := range states() {
		card := acts.card(s.a)
		valid(t, card)
		fmt.Fprintf(&out, "# %s\n%s\n", s.title, show(t, card))
	}
	for _, s := range states()[:4] {
		card := watches.card(s.a)
		valid(t, card)
		fmt.Fprintf(&out, "# only watching: %s\n%s\n", s.title, show(t, card))
	}
	golden(t, "cards.txt", out.String())
}

func TestEveryPhaseHasACard(t *testing.T) {
	shown := map[activation.Phase]bool{}
	for _, s := range states() {
		shown[s.a.Phase] = true
	}
	for _, p := range activation.Phases {
		if !shown[p] {
			t.Errorf("no card shows the phase %s", p)
		}
	}
}

// The same state is the same card: an update that changes nothing is not sent.
func TestACardIsMadeOfItsActivationOnly(t *testing.T) {
	b := &Bot{Config: Config{SignIn: stamp{}}}
	for _, s := range states() {
		if first := b.card(s.a).hash(); b.card(s.a).hash() != first {
			t.Errorf("%s: two renderings differ", s.title)
		}
	}
	one, two := b.card(scene(activation.Active)), b.card(scene(activation.Active, grants(had(activation.L0), had(activation.L2))))
	if id(one) == id(two) {
		t.Error("Slack wants a new block id when a message changes")
	}
}

func id(m message) string { return m.blocks[len(m.blocks)-1].ID() }

func TestBetween(t *testing.T) {
	const s, m = time.Second, time.Minute
	for want, c := range map[string][2]time.Duration{"7 to 8 min": {7 * m, 8 * m}, "1 to 13 s": {s, 13 * s}, "30 s to 2 min": {30 * s, 2 * m}, "50 min to 1 h 5 min": {50 * m, 65 * m},
		"1 to 2 h": {60 * m, 120 * m}, "at most 9 s": {-m, 9 * s}, "at most 0 s": {-2 * m, -m}, "12 min": {12*m + s, 12*m + 2*s}, "7 min 1 s to 8 min": {7*m + s, 8 * m},
		"2 min 55 s to 3 min 55 s": {2*m + 55*s, 3*m + 55*s}} {
		if got := between(noon, activation.Span{After: after(c[0]), By: after(c[1])}); got != want {
			t.Errorf("%v: %s, want %s", c, got, want)
		}
	}
}
