package bot

import (
	"fmt"
	"strings"
	"time"

	"pagbot/activation"
)

// targetsMost is how many targets a card shows; more would hide the headline.
const targetsMost = 15

// sayTargets is a line per target: what it knows, never more than its answer
// proves.
func sayTargets(a activation.Activation) string {
	if a.Phase == activation.Closed && a.Ended.IsZero() {
		return "" // nothing was given, so there is nothing to tell
	}
	over := a.Phase == activation.Verifying || a.Phase == activation.Closed
	var lines []string
	for _, t := range a.Targets {
		line := sayGrant(a, t)
		switch {
		case over:
			line = sayRemoval(a, t)
		case a.From.IsZero() && t.Grant.State != activation.HadAlready:
			line = "" // before PIM grants anything only what was there already is news
		}
		if line != "" {
			lines = append(lines, "• "+lit(t.Name)+": "+line)
		}
	}
	if more := len(lines) - targetsMost; more > 0 {
		lines = append(lines[:targetsMost], fmt.Sprintf("• and %d more", more))
	}
	return strings.Join(lines, "\n")
}

// claim is what a yes proves, in the words of the evidence ladder.
func claim(s activation.Span) string {
	switch c := s.Claim(); {
	case c != activation.ClaimEffective:
		return string(c)
	case s.Level == activation.L2:
		return "works on a new session"
	}
	return "works"
}

// missing is what a no proves.
func missing(s activation.Span) string {
	switch s.Claim() {
	case activation.ClaimListed, activation.ClaimConfigured:
		return "no longer listed" // the settings still name the group
	case activation.ClaimReceived:
		return "no longer listed there"
	}
	return "gone for new sessions"
}

func sayGrant(a activation.Activation, t activation.Target) string {
	s := t.Grant
	switch s.State {
	case activation.Effective:
		return fmt.Sprintf("*%s* since %s, %s after activation", claim(s), clockOf(s.By), between(a.From, s))
	case activation.Works:
		return fmt.Sprintf("*%s*, seen at %s; since when is not known", claim(s), clockOf(s.By))
	case activation.HadAlready:
		if s.Claim() == activation.ClaimConfigured {
			return "was configured before this activation" + through(s)
		}
		return "was there before this activation" + through(s)
	}
	if s.Doubt != "" {
		return "can't tell: " + lit(s.Doubt)
	}
	return sayDemanded(t)
}

func sayRemoval(a activation.Activation, t activation.Target) string {
	s := t.Removal
	switch s.State {
	case activation.Gone:
		return fmt.Sprintf("*%s* since %s, %s after the end", missing(s), clockOf(s.By), between(a.Ended, s)) + older(t)
	case activation.NeverCame:
		return "never came as far as I saw, and is not there"
	case activation.HadAlready:
		return "keeps what was there before" + through(s)
	case activation.NotProven:
		if s.Doubt != "" {
			return "*not proven gone*: " + lit(s.Doubt)
		}
		return "*not proven gone* within 24 hours"
	case activation.Superseded:
		if s.Via != "" {
			return "open through " + lit(s.Via) + ", too: looked for at the end of that"
		}
		return "active again, so no longer watched"
	}
	return sayLingering(a, t)
}

// sayLingering is a removal that is still looked for.
func sayLingering(a activation.Activation, t activation.Target) string {
	s := t.Removal
	switch {
	case s.Overdue && s.Doubt != "":
		return "*overdue*, and I can't tell: " + lit(s.Doubt)
	case s.Overdue && s.LastContrary().After(a.Ended):
		return fmt.Sprintf(":rotating_light: *still there* at %s, which is too late", clockOf(s.LastContrary()))
	case s.Overdue:
		return ":rotating_light: *overdue*: not seen gone"
	case s.Doubt != "":
		return "can't tell at the moment: " + lit(s.Doubt)
	}
	line := "may still work"
	if t.Level == activation.L0 {
		line = "may still be listed"
	}
	if t.Within > 0 {
		line += ", until about " + clockOf(a.Ended.Add(time.Duration(t.Within)))
		if t.Sessions > 0 && t.Level > activation.L0 {
			line += " (older sessions until " + clockOf(a.Ended.Add(time.Duration(t.Within+t.Sessions))) + ")"
		}
	}
	return line + "; I keep looking"
}

// older is how long sessions of before may live on after the target's no.
func older(t activation.Target) string {
	until := t.Residue()
	switch {
	case until.IsZero() || t.Removal.Level == activation.L0:
		return ""
	case t.Removal.Level == activation.L1:
		return "; sessions begun before may last until " + clockOf(until)
	}
	return "; older ones at most until " + clockOf(until)
}

// between is a span's interval, counted from a moment: "at most 7 min", or
// "7 to 9 min".
func between(from time.Time, s activation.Span) string {
	by := max(0, s.By.Sub(from))
	after := s.After.Sub(from)
	if s.After.IsZero() || after <= 0 {
		return "at most " + span(by)
	}
	low, high := span(after), span(by)
	if low == high {
		return high
	}
	n, unit, _ := strings.Cut(low, " ")
	if _, same, _ := strings.Cut(high, " "); same == unit && !strings.Contains(unit, " ") {
		low = n // "7 to 8 min", but not "7 min 5 s to 8 min 5 s"
	}
	return low + " to " + high
}

// through says what granted access that was there before, if that is known in
// words.
func through(s activation.Span) string {
	if s.Via == "" {
		return ""
	}
	return ", through " + lit(s.Via)
}

func sayActive(a activation.Activation) string {
	s := fmt.Sprintf(":unlock: You have %s %s.", what(a), until(a.Ends))
	var wait, had []string
	for _, t := range a.Targets {
		switch {
		case t.Level == activation.L0:
		case t.Grant.State == activation.HadAlready:
			had = append(had, lit(t.Name))
		case !t.Grant.Settled():
			wait = append(wait, lit(t.Name))
		}
	}
	if len(wait) > 0 {
		s += fmt.Sprintf(" %s may not know it yet: I'll write when it does.%s", list(wait), sayDemands(a))
	}
	if len(had) > 0 {
		s += fmt.Sprintf(" In %s you had it before.", list(had))
	}
	return s
}

// list joins names: "a, b and c".
func list(names []string) string {
	if more := len(names) - targetsMost; more > 0 {
		names = append(names[:targetsMost:targetsMost], fmt.Sprintf("%d more", more))
	}
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

func sayEffective(a activation.Activation, t activation.Target) string {
	s := t.Grant
	var claims, next string
	verb := "took effect"
	if s.State == activation.Works {
		verb = "works"
	}
	switch {
	case s.Claim() == activation.ClaimListed:
		return fmt.Sprintf(":clipboard: Entra lists you in %s. What the systems behind it know, I can't see.", what(a))
	case s.Claim() == activation.ClaimConfigured:
		return fmt.Sprintf(":clipboard: %s is configured for your %s, and Entra lists you. Whether it works there yet, I can't see: try it.", lit(t.Name), what(a))
	case s.Claim() == activation.ClaimReceived:
		claims = fmt.Sprintf(":inbox_tray: %s has received your %s", lit(t.Name), what(a))
	case s.Level == activation.L2:
		claims, next = fmt.Sprintf(":white_check_mark: Your %s %s in %s", what(a), verb, lit(t.Name)), " It takes a new session: sign in there again."
	default:
		claims = fmt.Sprintf(":white_check_mark: Your %s %s in %s", what(a), verb, lit(t.Name))
	}
	if s.State == activation.Works && a.Renews() {
		return claims + " after the renewal. Whether it was away in between, I didn't see." + next
	}
	if s.State == activation.Works && t.Owed {
		return claims + "; or what you had before still does: I can't tell which." + next
	}
	if s.State == activation.Works {
		return claims + "; since when, I don't know." + next
	}
	return fmt.Sprintf("%s, %s after activation.%s", claims, between(a.From, s), next)
}

func sayHad(a activation.Activation, t activation.Target) string {
	if t.Grant.Claim() == activation.ClaimConfigured {
		return fmt.Sprintf(":information_source: %s was configured for you already%s, before %s was active. Whether it works there, I can't see.", lit(t.Name), through(t.Grant), what(a))
	}
	return fmt.Sprintf(":information_source: You already had this in %s%s, before %s was active.", lit(t.Name), through(t.Grant), what(a))
}

func sayWarning(a activation.Activation) string {
	if a.Person.Slack.ID == "" { // said below the card: nobody knows their Slack user
		return fmt.Sprintf(":alarm_clock: %s of %s ends at %s. PIM can't extend it.", what(a), who(a.Person), clockOf(a.Ends))
	}
	return fmt.Sprintf(":alarm_clock: Your %s ends at %s. PIM can't extend it: %s.%s", what(a), clockOf(a.Ends), sayWayOn(a), sayNextTime(a))
}

// sayEnded tells the person; sayRevoked the channel.
func sayEnded(a activation.Activation) string {
	s := fmt.Sprintf(":lock: Your %s ended at %s (%s).", what(a), clockOf(a.Ended), outcome(a.Outcome))
	var late []string
	for _, t := range a.Targets {
		if r := t.Removal; !r.Settled() && t.Level > activation.L0 && t.Within > 0 {
			late = append(late, fmt.Sprintf("%s (until about %s)", lit(t.Name), clockOf(a.Ended.Add(time.Duration(t.Within)))))
		}
	}
	if len(late) > 0 {
		s += fmt.Sprintf(" It may linger in %s; I check that it goes. Please don't use it any more.", list(late))
	}
	return s
}

func sayRevoked(a activation.Activation) string {
	return fmt.Sprintf(":lock: %s of %s was taken away in Entra, seen at %s.", what(a), who(a.Person), clockOf(a.Ended))
}

// sayGone is the last word to the person.
func sayGone(a activation.Activation) string {
	switch proof(a) {
	case isGone:
		return fmt.Sprintf(":white_check_mark: Your %s is over and gone:\n%s", what(a), sayTargets(a))
	case isUnproven:
		return fmt.Sprintf(":warning: Your %s ended %s, but it could not be proven gone. Tell an administrator:\n%s", what(a), at(a.Ended), sayTargets(a))
	}
	return fmt.Sprintf(":checkered_flag: Your %s is over. What I know of it:\n%s", what(a), sayTargets(a))
}

func sayOverdue(a activation.Activation, t activation.Target, person string) string {
	s := fmt.Sprintf(":rotating_light: %s of %s ended at %s and should have left %s by %s.",
		what(a), person, clockOf(a.Ended), lit(t.Name), clockOf(a.Ended.Add(time.Duration(t.Within))))
	r := t.Removal
	switch {
	case r.Settled():
		return s + " By now: " + sayRemoval(a, t) + "."
	case r.Doubt != "":
		return s + " I can't tell whether it has: " + lit(r.Doubt) + "."
	case !r.LastContrary().After(a.Ended):
		return s + " I have not seen that it has."
	case t.Level <= activation.L1:
		return fmt.Sprintf("%s It was still listed at %s.", s, clockOf(r.LastContrary()))
	}
	return fmt.Sprintf("%s It *still worked* at %s. An administrator of %s should look.", s, clockOf(r.LastContrary()), lit(t.Name))
}

func sayClosed(a activation.Activation) string {
	switch a.Outcome {
	case activation.Denied:
		return fmt.Sprintf(":no_entry_sign: Your request for %s was denied.", what(a))
	case activation.TimedOut:
		return fmt.Sprintf(":no_entry_sign: Nobody decided on your request for %s within 24 hours, so PIM dropped it. Ask again, and tell an approver.", what(a))
	case activation.Withdrawn:
		return fmt.Sprintf("Your request for %s is withdrawn.", what(a))
	case activation.Failed:
		return fmt.Sprintf(":no_entry_sign: PIM could not give you %s. Ask again; if it fails again, tell an administrator.", what(a))
	}
	if a.Refusal != nil {
		return sayAskRefused(a, *a.Refusal)
	}
	return fmt.Sprintf("Your request for %s is closed: %s.", what(a), outcome(a.Outcome))
}
