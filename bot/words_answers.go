package bot

import (
	"fmt"
	"strings"
	"time"

	"pagbot/activation"
)

// sayRefusal is the sentence of a refusal: what happened, and what to do next.
// a may be zero where no activation is known.
func sayRefusal(r activation.Refusal, a activation.Activation) string {
	switch r.Code {
	case activation.NotEligible:
		s := "You are not eligible for " + whatOr(a, "this group") + "."
		if r.By != "" && r.By != a.Group.Name {
			s += fmt.Sprintf(" Did you mean *%s*? You may activate that.", escape.Replace(r.By))
		}
		return s + " `/pag list` shows what you may activate."
	case activation.AlreadyActive:
		return fmt.Sprintf("%s is active already, until %s. `/pag deactivate` ends it.", whatOr(a, "That"), at(r.Until))
	case activation.AlreadyPending:
		return fmt.Sprintf("A request for %s waits already. `/pag status` shows it, `/pag deactivate` withdraws it.", whatOr(a, "this"))
	case activation.TooLong:
		return fmt.Sprintf("That is too long: PIM allows at most %s here. Ask for %s or less.", span(time.Duration(r.Max)), span(time.Duration(r.Max)))
	case activation.TooShort:
		return "PIM grants at least 5 minutes. Ask for 5m or more."
	case activation.ReasonMissing:
		return "PIM wants a reason here. Put it in quotation marks: `/pag activate GROUP 2h \"why you need it\"`."
	case activation.TicketMissing:
		return "PIM wants a ticket number here. Add it after the reason: `/pag activate GROUP 2h \"why\" INC0012345`."
	case activation.TooEarly:
		return fmt.Sprintf("PIM lets nobody end access in its first 5 minutes. I'll end it at %s.", clockOf(r.Until))
	case activation.NotActive:
		return whatOr(a, "That") + " is not active any more, so there is nothing to end."
	case activation.NotPending:
		return "This request doesn't wait for an answer any more."
	case activation.AlreadyDecided:
		by := "another approver"
		if r.By != "" {
			by = escape.Replace(r.By)
		}
		return fmt.Sprintf("Too late: %s has decided this already. The first answer counts.", by)
	case activation.NotApprover:
		return "PIM's role settings don't name you as an approver for this group."
	case activation.OwnRequest:
		return "You can't decide on your own request, with none of your accounts."
	}
	return sayGuard(r, a)
}

// sayGuard is sayRefusal for what has to do with identity and with Entra.
func sayGuard(r activation.Refusal, a activation.Activation) string {
	switch r.Code {
	case activation.WrongPerson:
		return "This is somebody else's, or you signed in with another account than the one that it is for. Sign in with the right one."
	case activation.NotBound:
		return "I don't know which Entra account is yours. Ask an administrator to add you to pagbot's list of people."
	case activation.NotAllowedHere:
		return "You can't do that here. Only members of this workspace can, with the buttons that I posted myself."
	case activation.WarrantBad, activation.Changed:
		return "What PIM holds is not what you were shown, so I did nothing. Look at it again and repeat what you want."
	case activation.WarrantExpired:
		return "You didn't confirm in time, so I did nothing. Ask again when you are ready."
	case activation.NeedsMFA:
		return "Entra wants multifactor authentication for this, and your sign-in didn't have it. Ask again and complete it."
	case activation.NeedsContext:
		return "Entra wants a stronger sign-in for this (an authentication context), and yours didn't meet it even after asking. An administrator can tell you what it needs, often a managed device."
	case activation.RulesFailed:
		return fmt.Sprintf("PIM's rules said no: %s.", escape.Replace(strings.Join(r.Rules, ", ")))
	case activation.ConsentMissing:
		return "The sign-in app has no consent in Entra yet. An administrator must grant it."
	case activation.LicenceMissing:
		return "This needs an Entra ID P2 or Governance licence, which the account or tenant doesn't have. Tell an administrator."
	case activation.PermissionNeeded:
		return "I lack a permission in Entra for this. An administrator must grant it: " + escape.Replace(short(r.Text))
	case activation.BlockedByPolicy:
		return "Conditional Access blocked your sign-in. Use the device and place that your organization asks for, or ask an administrator."
	case activation.Throttled:
		return "Entra asks us to slow down. Try again in a few minutes."
	case activation.Unavailable:
		return "Entra doesn't answer at the moment. Nothing was lost; try again in a few minutes."
	}
	ref := r.Ref
	if ref == "" {
		ref = strings.ToUpper(a.ID)
	}
	return fmt.Sprintf("Something broke on my side. Nothing was done. Tell an administrator the reference %s.", escape.Replace(ref))
}

func whatOr(a activation.Activation, else_ string) string {
	if a.Group.Name == "" {
		return else_
	}
	return what(a)
}

// sayDeedRefused tells a person that what they wanted was refused.
func sayDeedRefused(a activation.Activation, e activation.Effect) string {
	if e.Refusal == nil {
		return sayRefusal(activation.Refusal{Code: activation.Broken}, a)
	}
	if e.Deed == activation.Submit || e.Refusal.Code == activation.TooEarly {
		return sayRefusal(*e.Refusal, a)
	}
	return fmt.Sprintf("I could not %s. %s", sayDeed(a, e.Deed), sayRefusal(*e.Refusal, a))
}

func sayUnknownGroup(typed, closest string) string {
	s := fmt.Sprintf("I don't know a group called “%s”.", escape.Replace(short(typed)))
	if closest != "" {
		s += fmt.Sprintf(" Did you mean *%s*?", escape.Replace(closest))
	}
	return s + " `/pag list` shows what you may activate."
}

func sayEligible(group string, access activation.Access, p activation.Person, several bool) string {
	s := "*" + escape.Replace(group) + "*"
	if access == activation.Owner {
		s += " (as owner)"
	}
	if several {
		s += " with " + escape.Replace(p.Name)
	}
	return s
}

func sayList(may []string, open []activation.Activation) string {
	s := "You may activate nothing that I look after."
	if len(may) > 0 {
		s = "You may activate:\n• " + strings.Join(may, "\n• ") + "\nFor example: `/pag activate GROUP 2h \"why\"`."
	}
	if len(open) > 0 {
		s += "\n\n" + sayStatus(open)
	}
	return s
}

func sayStatus(open []activation.Activation) string {
	if len(open) == 0 {
		return "You have nothing active, and no request waits."
	}
	var lines []string
	for _, a := range open {
		lines = append(lines, sayHeadline(a))
		if t := sayTargets(a); t != "" {
			lines = append(lines, t)
		}
	}
	return strings.Join(lines, "\n")
}

// sayWhichToEnd answers a deactivate that fits none or several.
func sayWhichToEnd(fits []activation.Activation, typed string) string {
	switch {
	case len(fits) == 0 && typed != "":
		return fmt.Sprintf("You have nothing active or waiting that is called “%s”. `/pag status` shows what you have.", escape.Replace(short(typed)))
	case len(fits) == 0:
		return "You have nothing active, and no request waits, so there is nothing to end."
	}
	var names []string
	for _, a := range fits {
		names = append(names, escape.Replace(a.Group.Name))
	}
	return fmt.Sprintf("You have several: %s. Say which one: `/pag deactivate GROUP`.", strings.Join(names, ", "))
}

func sayEnding(a activation.Activation) string {
	if deedToEnd(a) == activation.Cancel {
		return fmt.Sprintf("Withdrawing your request for %s.", what(a))
	}
	return fmt.Sprintf("Ending your access to %s.", what(a))
}

func sayVoteForm(a activation.Activation) string {
	return fmt.Sprintf("%s asks for %s %s.", who(a.Person), what(a), howLong(a))
}

func sayFinishForm(a activation.Activation) string {
	if deedToEnd(a) == activation.Cancel {
		return fmt.Sprintf("Your request for %s will be withdrawn.", what(a))
	}
	s := fmt.Sprintf("Your access to %s, which lasts until %s, will end now.", what(a), at(a.Ends))
	if !a.From.IsZero() {
		s += " PIM allows that from its sixth minute on; before that I wait and end it then."
	}
	return s
}

func sayBound(p activation.Person) string {
	return fmt.Sprintf("From now on you act in Entra as *%s* when you press buttons here. If that wasn't you, tell an administrator at once.", escape.Replace(p.Name))
}
