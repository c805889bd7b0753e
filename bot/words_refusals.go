package bot

import (
	"cmp"
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
			s += fmt.Sprintf(" Did you mean *%s*? You may activate that.", lit(r.By))
		}
		return s + " `/pag list` shows what you may activate."
	case activation.AlreadyActive:
		if r.Until.IsZero() || !r.Until.Before(forever) {
			return whatOr(a, "This") + " is yours already, with no end set: there is nothing to activate."
		}
		return fmt.Sprintf("%s is active already, until %s. `/pag deactivate` ends it; after that you can ask again.", whatOr(a, "This"), at(r.Until))
	case activation.AlreadyPending:
		return fmt.Sprintf("Your request for %s waits already. `/pag status` shows it, `/pag deactivate` withdraws it.", whatOr(a, "this"))
	case activation.TooLong:
		if r.Max <= 0 {
			return "That is longer than PIM allows here. Ask for less."
		}
		return fmt.Sprintf("That is longer than PIM allows here. Ask for %s or less.", span(time.Duration(r.Max)))
	case activation.TooShort:
		return sayTooShort
	case activation.ReasonMissing:
		return "PIM wants a reason here. Put it in quotation marks: `/pag activate GROUP 2h \"why you need it\"`"
	case activation.TicketMissing:
		return "PIM wants a ticket number here. Put it after the reason: `/pag activate GROUP 2h \"why\" INC0012345`"
	case activation.TicketUnknown, activation.TicketUnchecked:
		return sayTicketNo(r)
	case activation.TicketUnfit:
		return sayTicketUnfit(r)
	case activation.TooOften:
		return sayTooOften(r, a)
	case activation.TooEarly:
		return sayTooEarly(r)
	case activation.Paced:
		return sayPaced(a, 0)
	case activation.Excluded:
		return sayExcluded(r, a)
	case activation.NotEnded:
		return sayNotEnded(a)
	case activation.NotActive:
		return whatOr(a, "This") + " is not active any more, so there is nothing to end."
	case activation.EndPassed:
		return sayEndPassed(r)
	case activation.NotPending:
		return "This request is not waiting for an answer any more. The card shows what became of it."
	case activation.AlreadyDecided:
		return fmt.Sprintf("Too late: %s was quicker. In PIM the first answer counts.", lit(cmp.Or(r.By, "another approver")))
	case activation.NotApprover:
		return "PIM's role settings don't name you as an approver here, or not any more. Ask one of the approvers to decide."
	case activation.AlreadyAgreed:
		return "You have agreed to this already, and it counts once. Another approver must agree, too."
	case activation.OwnRequest:
		return "You can't decide on your own request, with none of your accounts. Ask another approver."
	}
	return sayGuard(r, a)
}

// sayPaced is that others have just started behind the same application.
func sayPaced(a activation.Activation, in time.Duration) string {
	when := "in a moment"
	if in > 0 {
		when = "in " + span(in)
	}
	return fmt.Sprintf("%s starts %s, so that it arrives in minutes and not in 40: others have just started, and Entra passes on only a few at a time.", whatOr(a, "This"), when)
}

func sayTooOften(r activation.Refusal, a activation.Activation) string {
	s := fmt.Sprintf("You asked for %s several times within an hour, and each time it was denied or withdrawn. Talk to an approver first", whatOr(a, "this"))
	if r.Until.IsZero() {
		return s + ". (My rule, not PIM's: approvers who are asked too often stop reading.)"
	}
	return s + fmt.Sprintf("; from %s on you can ask again. (My rule, not PIM's: approvers who are asked too often stop reading.)", clockOf(r.Until))
}

func sayTooEarly(r activation.Refusal) string {
	s := "PIM ends nothing in its first 5 minutes."
	if !r.Until.IsZero() {
		s += fmt.Sprintf(" I'll end it at %s.", clockOf(r.Until))
	}
	return s
}

func sayNotBound(r activation.Refusal) string {
	switch r.Text {
	case mayBind:
		return "I don't know yet which Entra account is yours. Type `/pag signin`, and sign in with it once."
	case CalledOff:
		return "An administrator has signed you out, or your account is linked to you no more, so I called this off. Nothing changed in Entra. If you didn't expect that, ask an administrator."
	}
	return "I don't know which Entra account is yours. Ask an administrator to add you to pagbot's list of people."
}

// sayGuard is sayRefusal for what has to do with identity and with Entra.
func sayGuard(r activation.Refusal, a activation.Activation) string {
	switch r.Code {
	case activation.WrongPerson:
		if r.By != "" {
			return fmt.Sprintf("This is the access of %s: only they can end or withdraw it here.", lit(r.By))
		}
		return "You signed in with another account than the one this is for, so I did nothing. Sign in with the right one."
	case activation.NotBound:
		return sayNotBound(r)
	case activation.NotAssigned:
		return "PIM says that this request is not yours to decide, or not any more, so I did nothing. Ask another approver."
	case activation.SignedOut:
		return "You signed out, so I called this off. Nothing changed in Entra. If you still want it, ask again."
	case activation.NotAllowedHere:
		switch r.Text {
		case notOurs:
			return "This is not the card that counts, so I did nothing. Use the newest one in the channel, or `/pag status`."
		case oldCopy:
			return "This is an old copy of a message. The newer one counts."
		case notKnown:
			return "I don't know this request any more, so I did nothing. `/pag status` shows what you have."
		}
		return "Only full members of this workspace can do that here: no guests, no bots, nobody from outside."
	case activation.WarrantBad:
		return "This confirmation is no longer good: it was used before, or something changed since. I did nothing; ask again if you still want it."
	case activation.Changed:
		return "PIM no longer holds what you were shown, so I did nothing. Look at it again, and repeat it if you still want it."
	case activation.WarrantExpired:
		return "You didn't confirm in time, so I did nothing. Ask again when you are ready."
	case activation.Lapsed:
		return "It was not done in time, so I stopped trying; Entra has not taken it. Ask again if you still want it."
	case activation.NeedsMFA:
		return "Entra wants multifactor authentication for this, and your sign-in had none. Ask again, and complete it."
	case activation.NeedsContext:
		return "Entra wants a stronger sign-in for this (an authentication context), and yours didn't meet it. An administrator knows what it takes, often a managed device."
	case activation.RulesFailed:
		if len(r.Rules) == 0 {
			return "PIM's rules said no, without saying which. Tell an administrator."
		}
		return fmt.Sprintf("PIM's rules said no: %s. An administrator of the group knows them.", lit(strings.Join(r.Rules, ", ")))
	case activation.ConsentMissing:
		return "The sign-in app lacks consent in Entra. An administrator must grant it."
	case activation.LicenceMissing:
		return "This needs an Entra ID P2 or Governance licence, and Entra finds none. Tell an administrator."
	case activation.PermissionNeeded:
		if r.Text == "" {
			return "I lack a permission in Entra for this. An administrator must grant it."
		}
		return "I lack a permission in Entra for this. An administrator must grant it: " + lit(r.Text)
	case activation.BlockedByPolicy:
		return "Conditional Access blocked your sign-in. Use the device and place that your organization asks for, or ask an administrator."
	case activation.Quarantined, activation.NotProvisioned:
		return "Entra did not write it: " + sayWhyNot(r) + "."
	case activation.Throttled:
		return "Entra asks us to slow down. Try again in a few minutes."
	case activation.Unavailable:
		return "Entra doesn't answer at the moment. Try again in a few minutes."
	}
	return sayBroken(r, a)
}

func sayBroken(r activation.Refusal, a activation.Activation) string {
	ref := r.Ref
	if ref == "" {
		ref = strings.ToUpper(a.ID)
	}
	s := "Something broke on my side, and I can't say how far it got: `/pag status` shows where it stands. Tell an administrator"
	if ref == "" {
		return s + "."
	}
	return s + " the reference " + lit(ref) + "."
}

func whatOr(a activation.Activation, otherwise string) string {
	if a.Group.Name == "" {
		return otherwise
	}
	return what(a)
}

// sayAskRefused is the refusal of an ask, with the group: it may be one of several
// that were asked for together.
func sayAskRefused(a activation.Activation, r activation.Refusal) string {
	s := sayRefusal(r, a)
	if a.Group.Name == "" || strings.Contains(s, what(a)) {
		return s
	}
	return what(a) + ": " + s
}

// sayDeedRefused tells a person that what they wanted was refused.
func sayDeedRefused(a activation.Activation, e activation.Effect) string {
	r := activation.Refusal{Code: activation.Broken}
	if e.Refusal != nil {
		r = *e.Refusal
	}
	switch {
	case r.Code == activation.TooEarly:
		return sayRefusal(r, a)
	case e.Deed == activation.Submit || e.Deed == "":
		return sayAskRefused(a, r)
	}
	return fmt.Sprintf("I could not %s. %s", sayDeed(a, e.Deed), sayRefusal(r, a))
}

// sayEndPassed: nobody decided until the end that was asked for.
func sayEndPassed(r activation.Refusal) string {
	end := "an end that has passed"
	if !r.Until.IsZero() {
		end = clockOf(r.Until) + ", which has passed"
	}
	return fmt.Sprintf("It was asked for until %s: there is nothing left to approve. It can be withdrawn and asked for again.", end)
}

// sayStuck says that something which should happen does not.
func sayStuck(a activation.Activation) string {
	if a.Stuck == nil {
		return ""
	}
	since := at(a.Stuck.Since)
	switch why := a.Stuck.Why; {
	case why.Code == activation.TooEarly:
		return ":hourglass_flowing_sand: " + sayTooEarly(why)
	case why.Code == activation.Paced:
		return ":hourglass_flowing_sand: " + sayPaced(a, why.Until.Sub(a.Stuck.Since))
	case strings.HasPrefix(why.Text, noCard):
		return fmt.Sprintf(":warning: I haven't been able to post the card of %s in its channel since %s (%s). An administrator should look at the channel; everything else goes on.", what(a), since, lit(strings.TrimPrefix(why.Text, noCard)))
	case why.Code == activation.EndPassed:
		return fmt.Sprintf(":hourglass_flowing_sand: Nobody has decided in time: %s was asked for until %s. %s can withdraw the request, and ask again.", what(a), clockOf(why.Until), who(a.Person))
	case why.Code == activation.Unavailable:
		return fmt.Sprintf(":warning: Entra has told me nothing new about %s since %s, and should have. I keep asking; if it is urgent, look in Entra.", what(a), since)
	default:
		return fmt.Sprintf(":warning: %s has been stuck since %s. %s", what(a), since, sayRefusal(why, a))
	}
}
