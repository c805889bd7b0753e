package bot

import (
	"fmt"
	"strings"
	"time"

	"pagbot/activation"
)

// What stands in the form and on the Home tab.
const (
	sayFormPick       = "Type a part of its name"
	sayFormGroup      = "Groups"
	sayFormGroupHint  = "One, or several at once: one sign-in confirms all of them."
	sayFormGroupsHint = "One, or several at once: one sign-in confirms all that are with the same account."
	sayFormLength     = "How long"
	sayFormUntil      = "Or until"
	sayFormUntilHint  = "The next time that your clock shows this. It counts instead of the length."
	sayFormStart      = "Not before"
	sayFormStartHint  = "PIM starts it at the next time that your clock shows this. Left out: at once."
	sayFormReason     = "Reason"
	sayFormReasonHint = "Approvers and auditors read it."
	sayFormTicket     = "Ticket"
	sayFormNoGroup    = "I don't look after this group any more. Choose another."

	sayHomeAsk     = "Activate access…"
	sayHomeOpen    = "What you have and asked for"
	sayHomeAgain   = "Once more"
	sayHomeMay     = "What you may activate"
	saySeveralMost = "I take up to %d groups at once. Name fewer."
	sayNoAgain     = "You have not asked for anything here yet. `/pag activate` opens a form."
)

func sayHomeWatch(portal string) string { return fmt.Sprintf(sayWatchOnly, portal) }

// sayOption is one choice of the form, in plain text.
func sayOption(m may, several bool) string {
	s := ""
	if m.access == activation.Owner {
		s += " (as owner)"
	}
	if several {
		s += " with " + clip(localName(m.account), optionText/2)
	}
	return clip(activation.Visible(m.group.Name), optionText-len([]rune(s))) + activation.Visible(s)
}

// sayFormWrong stands below an input: no command lines there. Of several groups
// it names the one whose rule it is.
func sayFormWrong(r broken, several bool) string {
	s := sayWrong(r.Refusal)
	if several {
		s = lit(clip(r.ask.Group.Name, 50)) + ": " + s
	}
	return s
}

func sayWrong(r activation.Refusal) string {
	switch r.Code {
	case activation.TooShort:
		return "PIM gives five minutes or more."
	case activation.ReasonMissing:
		return "PIM wants a reason here."
	case activation.TicketMissing:
		return "PIM wants a ticket number here."
	}
	return sayRefusal(r, activation.Activation{})
}

// sayEndButton is the word on the button that ends or withdraws; empty: there
// is nothing to be ended.
func sayEndButton(a activation.Activation) string {
	switch deedToEnd(a) {
	case activation.End:
		return "End now"
	case activation.Cancel:
		return "Withdraw"
	}
	return ""
}

// names joins what several activations are of.
func names(all []activation.Activation) string {
	var each []string
	for _, a := range all {
		each = append(each, what(a))
	}
	return list(each)
}

// saySignForAll asks for one sign-in for several groups.
func saySignForAll(all []activation.Activation, by time.Time) string {
	how := fmt.Sprintf("all %d with one sign-in", len(all))
	switch len(all) {
	case 1:
		how = "with your sign-in"
	case 2:
		how = "both with one sign-in"
	}
	s := fmt.Sprintf("%s %s: confirm %s by %s, then I ask Entra.", names(all), howLongAll(all), how, clockOf(by))
	var decided []activation.Activation
	for _, a := range all {
		if a.Settings.NeedsApproval {
			decided = append(decided, a)
		}
	}
	if len(decided) > 0 {
		s += fmt.Sprintf(" After that an approver decides on %s.", names(decided))
	}
	return s
}

// howLongAll is what several were asked for, if it is the same.
func howLongAll(all []activation.Activation) string {
	for _, a := range all {
		if howLong(a) != howLong(all[0]) {
			return "each for its own time"
		}
	}
	return howLong(all[0])
}

// sayAskedAll answers several asks that need no browser.
func sayAskedAll(all []activation.Activation) string {
	return fmt.Sprintf("I'm asking Entra for %s %s. I'll write to you about each.", names(all), howLongAll(all))
}

// sayAgain names an earlier ask on a button.
func sayAgain(a activation.Activation, several bool) string {
	s := what(a)
	if several { // before the length: who has long names would not see it
		s += " with " + lit(localName(a.Person))
	}
	if d := wholeLength(a); d >= time.Minute {
		s += " for " + span(d)
	}
	return s
}

// mayInBlock is how many groups stand in one block of the Home tab.
const mayInBlock = 50

// sayMay lists all that a person may activate, in few blocks.
func sayMay(list []may, read, several bool) []string {
	if !read {
		return []string{"One moment: I'm reading it in Entra."}
	}
	if len(list) == 0 {
		return []string{"Nothing that I look after, as far as I know."}
	}
	var texts []string
	for i := 0; i < len(list); i += mayInBlock {
		var lines []string
		for _, m := range list[i:min(len(list), i+mayInBlock)] {
			lines = append(lines, "• "+sayEligible(m.group.Name, m.access, m.account, several))
		}
		texts = append(texts, strings.Join(lines, "\n"))
	}
	return texts
}

func sayMore(n int) string { return fmt.Sprintf("and %d more", n) }

// sayTicketUnfit is pagbot's own rule about tickets.
func sayTicketUnfit(r activation.Refusal) string {
	if r.Text == "" {
		return "That is no ticket number as it is wanted here. (My rule, not PIM's.)"
	}
	return fmt.Sprintf("A ticket number like %s is wanted here. (My rule, not PIM's.)", lit(r.Text))
}

// sayTicketNo is what came of asking the ticket system.
func sayTicketNo(r activation.Refusal) string {
	ticket, why := "that ticket", ""
	if r.By != "" {
		ticket = lit(r.By)
	}
	if r.Text != "" {
		why = ": " + lit(r.Text)
	}
	if r.Code == activation.TicketUnknown {
		return fmt.Sprintf("The ticket system doesn't take %s%s. Check the number, and that the ticket is open. (My rule, not PIM's.)", ticket, why)
	}
	return fmt.Sprintf("I couldn't ask the ticket system about %s%s. So I asked Entra for nothing. Try again in a few minutes. (My rule, not PIM's.)", ticket, why)
}

// sayTicketLabelOf says of a ticket that was taken unseen that it was.
func sayTicketLabelOf(a activation.Activation) string {
	if a.Unchecked == "" {
		return sayTicketLabel
	}
	return "Ticket (not checked, the ticket system could not be asked):"
}
