package bot

import (
	"fmt"
	"strings"
	"time"

	"pagbot/activation"
)

// Moment is one entry of an activation's journal.
type Moment struct {
	At    time.Time
	Event activation.Event
}

// Story tells one activation's journal in plain text, a line an event, with
// the time since the one before.
func Story(moments []Moment) string {
	var out strings.Builder
	var a activation.Activation
	var last time.Time
	for _, m := range moments {
		a = activation.Apply(a, m.Event)
		if last.IsZero() {
			fmt.Fprintf(&out, "%s: %s, %s as %s (times are UTC)\n", oneLine(a.ID), oneLine(plainName(a.Person)), oneLine(a.Group.Name), a.Access)
		}
		gap := ""
		if d := m.At.Sub(last); !last.IsZero() && d >= time.Second {
			gap = "+" + span(d)
		}
		fmt.Fprintf(&out, "%s %12s  %s\n", m.At.UTC().Format("2006-01-02 15:04:05"), gap, oneLine(tell(a, m.Event)))
		last = m.At
	}
	if a.Open() {
		fmt.Fprintf(&out, "now: %s\n", a.Phase)
	}
	return out.String()
}

// oneLine keeps others' words from moving a terminal's cursor.
func oneLine(s string) string { return strings.Join(strings.Fields(activation.Visible(s)), " ") }

func plainName(p activation.Person) string {
	if p.Name != "" {
		return p.Name
	}
	return p.Object
}

// tell is one event as a line; a is the state after it.
func tell(a activation.Activation, e activation.Event) string {
	switch e := e.(type) {
	case activation.EvAsked:
		if e.Leaves.ID != "" {
			return fmt.Sprintf("asked %s, in place of %s (%s): %q", bare(howLong(a)), e.Leaves.Name, e.After, e.Reason)
		}
		if e.After != "" {
			return fmt.Sprintf("asked %s, to renew %s: %q", bare(howLong(a)), e.After, e.Reason)
		}
		return fmt.Sprintf("asked %s: %q", bare(howLong(a)), e.Reason)
	case activation.EvRefused:
		return "refused: " + e.Refusal.Error()
	case activation.EvNoticed:
		return fmt.Sprintf("noticed in PIM (%s): %q", a.Phase, e.Request.Justification)
	case activation.EvSignInWanted:
		if e.Claims != "" {
			return "Entra wants a stronger sign-in: " + e.Claims
		}
		return "waits for a sign-in"
	case activation.EvSubmitted:
		return fmt.Sprintf("PIM has request %s: %s", e.Request.ID, e.Request.Status)
	case activation.EvDeedRefused:
		return fmt.Sprintf("%s by %s refused: %s", e.Deed, plainName(e.By), e.Refusal.Error())
	case activation.EvLapsed:
		return fmt.Sprintf("%s by %s lapsed: no sign-in in time", e.Deed, plainName(e.By))
	case activation.EvDecisionAsked:
		return fmt.Sprintf("%s wants to %s: %q", plainName(e.By), e.Warrant.Deed, e.Reason)
	case activation.EvDecidedBy:
		return "it was " + plainName(e.By) + " who decided in Entra"
	case activation.EvAgreed:
		s := fmt.Sprintf("agreed by %s, one of %d: %q", plainName(e.Agreed.By), a.Quorum, e.Agreed.Reason)
		for _, v := range e.Lost {
			s += ", no longer by " + plainName(v.By)
		}
		return s
	case activation.EvDecided:
		return tellDecision(e.Decision)
	case activation.EvFinishAsked:
		if e.Next != "" {
			return fmt.Sprintf("%s wants to %s, to be renewed by %s", plainName(e.By), e.Warrant.Deed, e.Next)
		}
		return fmt.Sprintf("%s wants to %s", plainName(e.By), e.Warrant.Deed)
	}
	return tellLater(a, e)
}

func tellDecision(d activation.Decision) string {
	verb, by := "denied", plainName(d.By)
	if d.Approve {
		verb = "approved"
	}
	if by == "" {
		by = "an approver"
	}
	if d.Here {
		return fmt.Sprintf("%s by %s: %q", verb, by, d.Reason)
	}
	return fmt.Sprintf("%s in Entra by %s", verb, by)
}

func tellLater(a activation.Activation, e activation.Event) string {
	switch e := e.(type) {
	case activation.EvProvisioned:
		return "active in PIM until " + e.Ends.UTC().Format("15:04:05")
	case activation.EvSpan:
		return tellSpan(a, e)
	case activation.EvStill:
		return tellStill(a, e)
	case activation.EvDemanded:
		t, _ := a.Target(e.Target)
		if e.Refusal != nil {
			return fmt.Sprintf("%s: Entra won't write it at once: %s", t.Name, e.Refusal.Error())
		}
		return t.Name + ": Entra was asked to write it at once"
	case activation.EvWarned:
		return "warned that the end is near"
	case activation.EvReminded:
		return "an approver is still needed: " + map[activation.Reminder]string{activation.First: "first", activation.Second: "second", activation.Rescue: "last"}[e.Nth] + " reminder"
	case activation.EvEnded:
		return fmt.Sprintf("ended at %s: %s", e.At.UTC().Format("15:04:05"), e.Outcome)
	case activation.EvClosed:
		if e.Refusal != nil {
			return fmt.Sprintf("closed: %s (%s)", e.Outcome, e.Refusal.Error())
		}
		return fmt.Sprintf("closed: %s", e.Outcome)
	case activation.EvClashed:
		return "active at once with " + e.With.Name + ", which excludes it"
	case activation.EvStuck:
		if why := e.Stuck.Why; why.Code == activation.Paced {
			return "waits for its turn to begin, at " + why.Until.UTC().Format("15:04:05")
		}
		return "stuck: " + e.Stuck.Why.Error()
	case activation.EvUnstuck:
		return "moves again"
	case activation.EvTurnedAway:
		return fmt.Sprintf("%s by %s turned away: %s", e.Deed, plainName(e.By), e.Refusal.Error())
	}
	return activation.Name(e)
}

func tellSpan(a activation.Activation, e activation.EvSpan) string {
	t, _ := a.Target(e.Target)
	s := e.Span
	switch {
	case s.Doubt != "":
		return fmt.Sprintf("%s, %s: can't tell (%s)", t.Name, e.Direction, s.Doubt)
	case s.Settled() && !s.By.IsZero():
		after := "never"
		if !s.After.IsZero() {
			after = s.After.UTC().Format("15:04:05")
		}
		return fmt.Sprintf("%s, %s: %s by L%d in (%s, %s], evidence %s", t.Name, e.Direction, shown(s), s.Level, after, s.By.UTC().Format("15:04:05"), s.Evidence)
	case s.Overdue && !s.Settled():
		return fmt.Sprintf("%s, %s: overdue", t.Name, e.Direction)
	case s.Settled():
		return fmt.Sprintf("%s, %s: %s", t.Name, e.Direction, s.State)
	}
	return fmt.Sprintf("%s, %s: not yet", t.Name, e.Direction)
}

func tellStill(a activation.Activation, e activation.EvStill) string {
	t, _ := a.Target(e.Target)
	word := "not yet"
	if e.Direction == activation.Removal {
		word = "still there"
	}
	return fmt.Sprintf("%s, %s: %s at %s", t.Name, e.Direction, word, e.Asked.UTC().Format("15:04:05"))
}

// shown is a settled span's state, in words that claim no more than its level.
func shown(s activation.Span) string {
	switch {
	case s.Claim() == activation.ClaimEffective:
		return string(s.State)
	case s.State == activation.Effective:
		return string(s.Claim())
	case s.State == activation.Works:
		return string(s.Claim()) + ", since when is not known,"
	case s.State == activation.Gone:
		return missing(s)
	}
	return string(s.State)
}
