package bot

import (
	"fmt"
	"strings"
	"time"

	"pagbot/activation"
)

// sayTargets is a line per target: what it knows, never more than its answer
// proves.
func sayTargets(a activation.Activation) string {
	if a.From.IsZero() {
		return sayControls(a)
	}
	var lines []string
	for _, t := range a.Targets {
		line := sayGrant(a, t)
		if a.Phase == activation.Verifying || a.Phase == activation.Closed && !a.Ended.IsZero() {
			line = sayRemoval(a, t)
		}
		if line != "" {
			lines = append(lines, "• "+escape.Replace(t.Name)+": "+line)
		}
	}
	return strings.Join(lines, "\n")
}

// sayControls: before PIM grants anything only what was there already is news.
func sayControls(a activation.Activation) string {
	var lines []string
	for _, t := range a.Targets {
		if t.Grant.State == activation.HadAlready {
			lines = append(lines, "• "+escape.Replace(t.Name)+": has it already"+through(t.Grant))
		}
	}
	return strings.Join(lines, "\n")
}

// claim is what a yes at a level means, in the words of the evidence ladder.
func claim(l activation.Level) string {
	switch l {
	case activation.L0:
		return "listed"
	case activation.L1:
		return "received"
	case activation.L2:
		return "works on a new session"
	}
	return "works"
}

func sayGrant(a activation.Activation, t activation.Target) string {
	s := t.Grant
	switch s.State {
	case activation.Effective:
		return fmt.Sprintf("*%s* since %s, %s after activation", claim(s.Level), clockOf(s.By), between(a.From, s))
	case activation.Works:
		return fmt.Sprintf("*%s*, seen at %s (nobody looked before, so since when is not known)", claim(s.Level), clockOf(s.By))
	case activation.HadAlready:
		return "had it already" + through(s)
	}
	if s.Doubt != "" {
		return "can't tell: " + escape.Replace(s.Doubt)
	}
	return "not yet; I keep looking"
}

func sayRemoval(a activation.Activation, t activation.Target) string {
	s := t.Removal
	switch s.State {
	case activation.Gone:
		return fmt.Sprintf("*gone* for new sessions since %s, %s after the end", clockOf(s.By), between(a.Ended, s))
	case activation.NeverCame:
		return "never came as far as I saw, and is not there"
	case activation.HadAlready:
		return "keeps what was there before" + through(s)
	case activation.NotProven:
		if s.Doubt != "" {
			return "*not proven* to be gone: " + escape.Replace(s.Doubt)
		}
		return "*not proven* to be gone: it still said yes a day later"
	case activation.Superseded:
		return "active again, so no longer watched"
	}
	line := "may still work; I keep looking"
	if t.Within > 0 {
		line = fmt.Sprintf("may still work until about %s; I keep looking", clockOf(a.Ended.Add(time.Duration(t.Within))))
	}
	if s.Overdue {
		line = ":rotating_light: *not seen to be gone*, later than it should be"
	}
	if s.Doubt != "" {
		line += " (can't tell at the moment: " + escape.Replace(s.Doubt) + ")"
	}
	return line
}

// between is a span's interval, counted from a moment: "7 min" or "7–9 min".
func between(from time.Time, s activation.Span) string {
	by := s.By.Sub(from)
	after := s.After.Sub(from)
	if s.After.IsZero() || after <= 0 || by-after < 15*time.Second {
		return "at most " + span(max(0, by))
	}
	return span(after) + " to " + span(by)
}

// through names what granted access that was there before, if it says so.
func through(s activation.Span) string {
	if s.Via == "" {
		return ""
	}
	return ", through " + escape.Replace(s.Via)
}

func sayActive(a activation.Activation) string {
	s := fmt.Sprintf("You have %s until %s. Entra says so; the systems behind it follow later.", what(a), at(a.Ends))
	var wait, had []string
	for _, t := range a.Targets {
		switch {
		case t.Grant.State == activation.HadAlready && t.Level > activation.L0:
			had = append(had, escape.Replace(t.Name))
		case !t.Grant.Settled() && t.Level > activation.L0:
			wait = append(wait, escape.Replace(t.Name))
		}
	}
	if len(wait) > 0 {
		s += " I'll write when it works in " + strings.Join(wait, " and ") + "."
	}
	if len(had) > 0 {
		s += " You could already work in " + strings.Join(had, " and ") + "."
	}
	return s
}

func sayEffective(a activation.Activation, t activation.Target) string {
	if t.Grant.State == activation.Works {
		return fmt.Sprintf(":white_check_mark: %s in %s: %s.", what(a), escape.Replace(t.Name), claim(t.Grant.Level))
	}
	if t.Grant.Level < activation.L2 { // a list proves nothing about effect
		return fmt.Sprintf(":white_check_mark: %s is %s in %s. That took %s.", what(a), claim(t.Grant.Level), escape.Replace(t.Name), between(a.From, t.Grant))
	}
	return fmt.Sprintf(":white_check_mark: %s took effect in %s: it %s. That took %s.", what(a), escape.Replace(t.Name), claim(t.Grant.Level), between(a.From, t.Grant))
}

func sayHad(a activation.Activation, t activation.Target) string {
	return fmt.Sprintf("You already had this in %s%s, whether or not %s is active.", escape.Replace(t.Name), through(t.Grant), what(a))
}

func sayDecided(a activation.Activation) string {
	d := *a.Decision
	s := fmt.Sprintf("%s for %s: %s", what(a), who(a.Person), sayDecidedBy(d))
	if d.Reason != "" {
		s += "\n> " + escape.Replace(strings.ReplaceAll(d.Reason, "\n", " "))
	}
	return s
}

func sayWarning(a activation.Activation) string {
	if a.Person.Slack.ID == "" {
		return fmt.Sprintf(":alarm_clock: %s for %s ends at %s. PIM can't extend it.", what(a), who(a.Person), clockOf(a.Ends))
	}
	return fmt.Sprintf(":alarm_clock: Your %s ends at %s. PIM can't extend it: finish your work, or ask again once it has ended.", what(a), clockOf(a.Ends))
}

func sayEnded(a activation.Activation) string {
	s := fmt.Sprintf("%s for %s ended at %s (%s).", what(a), who(a.Person), clockOf(a.Ended), a.Outcome)
	var late []string
	for _, t := range a.Targets {
		if t.Removal.State == activation.Waiting && t.Level > activation.L0 && t.Within > 0 {
			late = append(late, fmt.Sprintf("%s may let it through until about %s", escape.Replace(t.Name), clockOf(a.Ended.Add(time.Duration(t.Within)))))
		}
	}
	if len(late) > 0 {
		s += " " + strings.Join(late, "; ") + ". I make sure that it goes."
	}
	return s
}

func sayGone(a activation.Activation) string {
	if unproven(a) {
		return fmt.Sprintf(":warning: That %s is gone could not be proven:\n%s", what(a), sayTargets(a))
	}
	return fmt.Sprintf(":lock: %s is over and gone:\n%s", what(a), sayTargets(a))
}

func sayOverdue(a activation.Activation, t activation.Target) string {
	return fmt.Sprintf(":rotating_light: %s ended at %s, but %s was not seen to let go of %s. It should have forgotten by %s.",
		what(a), clockOf(a.Ended), escape.Replace(t.Name), who(a.Person), clockOf(a.Ended.Add(time.Duration(t.Within))))
}

func sayClosed(a activation.Activation) string {
	switch a.Outcome {
	case activation.Denied:
		return fmt.Sprintf("Your request for %s was denied.", what(a))
	case activation.TimedOut:
		return fmt.Sprintf("Nobody decided on your request for %s within 24 hours, so PIM has dropped it. Ask again, and tell an approver.", what(a))
	case activation.Withdrawn:
		return fmt.Sprintf("Your request for %s is withdrawn.", what(a))
	case activation.Failed:
		return fmt.Sprintf("PIM could not give you %s. Ask again; if it fails again, tell an administrator.", what(a))
	}
	if a.Refusal != nil {
		return sayRefusal(*a.Refusal, a)
	}
	return fmt.Sprintf("Your request for %s is closed: %s.", what(a), a.Outcome)
}

func sayStuck(a activation.Activation) string {
	if a.Stuck == nil {
		return ""
	}
	if a.Stuck.Why.Code == activation.TooEarly {
		return sayRefusal(a.Stuck.Why, a)
	}
	return ":warning: Nothing moves since " + at(a.Stuck.Since) + ": " + sayRefusal(a.Stuck.Why, a)
}
