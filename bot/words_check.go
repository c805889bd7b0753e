package bot

import (
	"fmt"
	"strings"
	"time"

	"pagbot/activation"
)

const (
	sayCheckUsage = "Tell me what to check: `/pag check GROUP 2h \"why\"`. Nobody is asked for anything."
	sayCheckMost  = "I can check %d groups at once. Name fewer."
	sayNoPreview  = "Entra doesn't answer at the moment, so I can't tell what would come of it."
)

// sayVerdict is a dry run: each rule, PIM's or pagbot's, and what follows.
func sayVerdict(q activation.Ask, v activation.Verdict, approvers []string, acts bool) string {
	a := asked(q)
	lines := []string{fmt.Sprintf("*If you ask for* %s %s, as %s (nobody has been asked yet):", what(a), howLong(a), lit(q.Person.Name))}
	for _, r := range v.Rules {
		lines = append(lines, fmt.Sprintf("%s %s: %s", mark(r.Met), r.Whose, sayRule(r, q, approvers)))
	}
	switch no := v.Refusal(); {
	case no != nil:
		lines = append(lines, "*It would be refused.*")
	case !acts:
		lines = append(lines, "Nothing forbids it. I only watch here: ask in Entra.")
	case v.Proof == activation.Fresh && q.Facts.Settings.NeedsApproval:
		lines = append(lines, "*Nothing forbids it.* You would confirm it in your browser, and then an approver must agree within 24 hours.")
	case v.Proof == activation.Fresh:
		lines = append(lines, "*Nothing forbids it.* You would confirm it in your browser, and PIM would give it at once.")
	case q.Facts.Settings.NeedsApproval:
		lines = append(lines, "*Nothing forbids it.* An approver must agree within 24 hours.")
	default:
		lines = append(lines, "*Nothing forbids it.* PIM would give it at once.")
	}
	if v.Refusal() == nil {
		lines = append(lines, sayReaches(q.Facts.Targets))
	}
	return strings.Join(lines, "\n")
}

// sayLimits says of several groups what is asked for all of them: the strictest
// rule of each kind, and whose it is.
func sayLimits(asks []activation.Ask, wrong map[string]broken) string {
	var all, reasons, tickets, decided []activation.Activation
	most := asked(asks[0])
	for _, q := range asks {
		a := asked(q)
		all = append(all, a)
		if m := a.Settings.Max; m > 0 && (most.Settings.Max == 0 || m < most.Settings.Max) {
			most = a
		}
		if a.Settings.NeedsReason {
			reasons = append(reasons, a)
		}
		if a.Settings.NeedsTicket || q.Facts.TicketForm != "" {
			tickets = append(tickets, a)
		}
		if a.Settings.NeedsApproval {
			decided = append(decided, a)
		}
	}
	lines := []string{fmt.Sprintf("*Together:* %s (nobody has been asked yet)", names(all))}
	if most.Settings.Max > 0 {
		lines = append(lines, fmt.Sprintf("%s not longer than %s, which %s allows", pointer(wrong, inLength), span(time.Duration(most.Settings.Max)), what(most)))
	}
	if len(reasons) > 0 {
		lines = append(lines, fmt.Sprintf("%s a reason, for %s", pointer(wrong, inReason), names(reasons)))
	}
	if len(tickets) > 0 {
		lines = append(lines, fmt.Sprintf("%s a ticket, for %s", pointer(wrong, inTicket), names(tickets)))
	}
	if len(decided) > 0 {
		lines = append(lines, fmt.Sprintf("%s an approver must agree to %s", mark(activation.WillBe), names(decided)))
	}
	return strings.Join(append(lines, "Each is asked for by itself: if one is refused, the others go on."), "\n")
}

// pointer marks a rule that what was typed so far keeps, or not yet.
func pointer(wrong map[string]broken, input string) string {
	if _, is := wrong[input]; is {
		return mark(activation.WillBe)
	}
	return mark(activation.IsMet)
}

// sayWarnings is what may surprise people, a line each.
func sayWarnings(all []string) string {
	var s strings.Builder
	for _, w := range all {
		s.WriteString("\n:warning: " + litUpTo(w, 500))
	}
	return s.String()
}

// sayTooFew warns that only so many could approve.
func sayTooFew(g Group, n int) string {
	if n == 0 {
		return fmt.Sprintf("I know of nobody who could approve %s: PIM's role settings name nobody else whose account is enabled. A request would probably wait until PIM drops it. Talk to an administrator of the group first.", g.Name)
	}
	return fmt.Sprintf("%s wants %d approvers to agree, and PIM's role settings name %d who could: it would probably wait until PIM drops it. Talk to an administrator of the group first.", g.Name, g.Quorum, n)
}

func mark(m activation.Met) string {
	switch m {
	case activation.IsMet:
		return ":white_check_mark:"
	case activation.IsUnmet:
		return ":no_entry_sign:"
	case activation.WillBe:
		return ":point_right:"
	}
	return ":heavy_minus_sign:"
}

// sayRule is one rule and how it stands.
func sayRule(r activation.Rule, q activation.Ask, approvers []string) string {
	s := q.Facts.Settings
	switch {
	case r.Met == activation.IsUnmet:
		return sayRefusal(*r.Refusal, asked(q))
	case r.Met == activation.NotNeeded:
		return r.Name + " is not needed"
	}
	switch r.Name {
	case activation.RuleInactive:
		return "you don't have it yet"
	case activation.RuleNoneWaiting:
		return "no request of yours waits"
	case activation.RuleEligible:
		return "you are eligible"
	case activation.RuleExcluded:
		return "you have nothing that excludes it: " + list(excluding(q.Facts.Excludes))
	case activation.RuleNotTooOften:
		return "you have not asked too often in vain"
	case activation.RuleMinimum:
		return "five minutes or more"
	case activation.RuleMaximum:
		if s.Max > 0 {
			return fmt.Sprintf("not longer than %s", span(time.Duration(s.Max)))
		}
		return "not longer than allowed"
	case activation.RuleReason, activation.RuleTicket, activation.RuleTicketForm:
		return r.Name + " is given"
	case activation.RuleTicketKnown:
		return sayChecked(q.Facts.Checked)
	case activation.RuleMFA:
		return "multifactor authentication is asked of you"
	case activation.RuleContext:
		return "a stronger sign-in is asked of you (authentication context " + lit(s.Context) + ")"
	case activation.RuleApproval:
		if len(approvers) == 0 {
			return "an approver must agree"
		}
		return "an approver must agree: " + callOn(approvers)
	case activation.RuleQuorum:
		return fmt.Sprintf("%d different approvers must agree", q.Facts.Quorum)
	case activation.RuleFresh:
		return "you confirm it with a sign-in of its own"
	}
	return r.Name
}

// sayChecked is the ticket system's word, where it forbids nothing.
func sayChecked(c *activation.Checked) string {
	switch c.Says {
	case activation.Yes:
		return "the ticket system knows the ticket"
	case activation.CantTell:
		return "the ticket system couldn't be asked (" + lit(c.Why) + "); the ticket is taken all the same"
	}
	return "the ticket system will be asked about the ticket"
}

func excluding(all []activation.Group) (names []string) {
	for _, g := range all {
		names = append(names, "*"+lit(g.Name)+"*")
	}
	return names
}

// sayReaches says what comes after PIM.
func sayReaches(targets []activation.Target) string {
	if len(targets) == 0 {
		return "I know of no system behind this group; so I would say when PIM has given it, and no more."
	}
	var lines []string
	for _, t := range targets {
		line := fmt.Sprintf("• %s: I tell you when it is *%s*, and when it is %s", lit(t.Name), claim(activation.Span{Level: t.Level}), missing(activation.Span{Level: t.Level}))
		if t.Level >= activation.L2 {
			line = fmt.Sprintf("• %s: I tell you when it *%s*, and when it is %s", lit(t.Name), claim(activation.Span{Level: t.Level}), missing(activation.Span{Level: t.Level}))
		}
		if t.Within > 0 {
			line += fmt.Sprintf("; I raise an alarm if that is not %s after the end", span(time.Duration(t.Within)))
		}
		lines = append(lines, line)
	}
	return "What comes downstream:\n" + strings.Join(lines, "\n")
}
