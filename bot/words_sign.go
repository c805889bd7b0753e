package bot

import (
	"fmt"
	"strings"
	"time"

	"pagbot/activation"
)

// saySignFor asks a person to confirm a deed in the browser. Until then nothing
// has been done, and it says so.
func saySignFor(a activation.Activation, d activation.Pending) string {
	by := clockOf(d.Warrant.Expires)
	if d.Warrant.Expires.Sub(d.Warrant.Clicked) > 12*time.Hour {
		by = at(d.Warrant.Expires)
	}
	var s string
	switch d.Warrant.Deed {
	case activation.Submit:
		s = fmt.Sprintf("%s %s: confirm with your sign-in by %s, then I ask Entra.", what(a), howLong(a), by)
		if a.Settings.NeedsApproval {
			s += " After that an approver decides."
		}
	case activation.Approve:
		s = fmt.Sprintf("You have *not approved* %s for %s yet: confirm with your sign-in by %s.", what(a), who(a.Person), by)
	case activation.Deny:
		s = fmt.Sprintf("You have *not denied* %s for %s yet: confirm with your sign-in by %s.", what(a), who(a.Person), by)
	case activation.Cancel:
		s = fmt.Sprintf("Your request for %s is *not withdrawn yet*: confirm with your sign-in by %s.", what(a), by)
	default:
		s = fmt.Sprintf("%s is *not ended yet*: confirm with your sign-in by %s.", what(a), by)
	}
	switch {
	case strings.Contains(d.Claims, `"acrs"`):
		s += " Entra wants a stronger sign-in for this."
	case d.Claims != "":
		s += " Entra no longer takes your earlier sign-in."
	}
	return s
}

// saySignedFor replaces the link once its deed is settled. own says that it was
// the link of the ask itself.
func saySignedFor(a activation.Activation, own bool) string {
	switch {
	case a.Phase == activation.Closed && a.Ended.IsZero() && a.Request.ID == "" && (a.Outcome == activation.Withdrawn || calledOff(a.Refusal)):
		return sayNeverAsked(a)
	case a.Decision != nil:
		return sayDecidedFor(a)
	case a.Phase == activation.AwaitingApproval && own:
		return fmt.Sprintf("Entra has your request for %s %s. *An approver must agree*, by %s.", what(a), howLong(a), at(a.DecideBy()))
	case a.Phase == activation.AwaitingApproval && len(a.Agreed) > 0:
		return fmt.Sprintf("%s for %s: %s Press the button on the card if you have not decided yet.", what(a), who(a.Person), sayQuorum(a))
	case a.Phase == activation.AwaitingApproval:
		return fmt.Sprintf("%s for %s still waits for an approver. This link is no longer good; use the buttons on the card.", what(a), who(a.Person))
	case a.Phase == activation.Active || a.Phase == activation.Ending:
		still := "still "
		if own {
			still = ""
		}
		return fmt.Sprintf("%s is %sactive %s. This link is no longer good; `/pag deactivate` ends it.", what(a), still, until(a.Ends))
	}
	return sayHeadline(a)
}

// sayNeverAsked is what became of an ask that PIM never heard of.
func sayNeverAsked(a activation.Activation) string {
	if calledOff(a.Refusal) {
		return fmt.Sprintf(":no_entry_sign: %s %s was called off, and nothing was given. Nothing is left to confirm.", what(a), howLong(a))
	}
	if a.Refusal != nil && a.Refusal.Code == activation.WarrantExpired {
		return fmt.Sprintf(":no_entry_sign: %s %s was not confirmed in time, so Entra was not asked. `/pag again` asks once more.", what(a), howLong(a))
	}
	return fmt.Sprintf(":no_entry_sign: You withdrew %s %s before Entra was asked. Nothing is left to confirm.", what(a), howLong(a))
}

// saySignedForAll is the same for several that were asked for together.
func saySignedForAll(all []activation.Activation) string {
	var lines []string
	for _, a := range all {
		lines = append(lines, saySignedFor(a, true))
	}
	return strings.Join(lines, "\n")
}

// sayDecidedFor tells others than the requester of a decision.
func sayDecidedFor(a activation.Activation) string {
	return fmt.Sprintf("%s for %s: %s.", what(a), who(a.Person), lower(sayDecidedBy(*a.Decision)))
}

// sayDecided tells the requester.
func sayDecided(a activation.Activation) string {
	s := fmt.Sprintf("%s: your request for %s.", sayDecidedBy(*a.Decision), what(a))
	switch {
	case a.Decision.Approve && (a.Phase == activation.Provisioning || a.Phase == activation.Scheduled):
		return ":thumbsup: " + s + " I'll write when it is active."
	case a.Decision.Approve:
		return ":thumbsup: " + s
	}
	return ":no_entry_sign: " + s + " Talk to your approver before you ask again."
}

// sayAsked answers an ask that needs no browser, by where it stands now: Entra
// may have been quicker than this answer.
func sayAsked(a activation.Activation, channel string) string {
	switch a.Phase {
	case activation.Asked:
		if a.Switches() {
			return saySwitching(a)
		}
		return fmt.Sprintf("I'm asking Entra for %s %s. I'll write to you when it is active.", what(a), howLong(a))
	case activation.AwaitingApproval:
		where := ""
		if channelID.MatchString(channel) {
			where = " The card is in <#" + channel + ">."
		}
		return fmt.Sprintf("I asked Entra for %s %s. *An approver must agree*, by %s.%s I'll write to you.", what(a), howLong(a), at(a.DecideBy()), where)
	case activation.Scheduled, activation.Provisioning:
		return fmt.Sprintf("Entra has taken your request for %s %s. I'll write to you when it is active.", what(a), howLong(a))
	}
	return ""
}

// sayDeed is a deed as an infinitive.
func sayDeed(a activation.Activation, d activation.Deed) string {
	switch d {
	case activation.Submit:
		return fmt.Sprintf("get %s %s", what(a), howLong(a))
	case activation.Approve:
		return fmt.Sprintf("approve %s for %s", what(a), who(a.Person))
	case activation.Deny:
		return fmt.Sprintf("deny %s to %s", what(a), who(a.Person))
	case activation.Cancel:
		return fmt.Sprintf("withdraw your request for %s", what(a))
	}
	return fmt.Sprintf("end your %s", what(a))
}

// sayEnding answers who ends or withdraws. kept: their sign-in is, and nothing
// waits for their browser.
func sayEnding(a activation.Activation, kept bool) string {
	d := deedToEnd(a)
	if !kept && a.Phase != activation.Asked {
		return fmt.Sprintf("Confirm with your sign-in, then I %s: the button comes as a direct message.", sayDeed(a, d))
	}
	if d == activation.Cancel {
		return fmt.Sprintf("I'm withdrawing your request for %s.", what(a))
	}
	return fmt.Sprintf("I'm ending your %s.", what(a))
}

func sayVoteForm(a activation.Activation) string {
	return fmt.Sprintf("%s asks for %s %s.", who(a.Person), what(a), howLong(a))
}

func sayFinishForm(a activation.Activation, now time.Time) string {
	if deedToEnd(a) == activation.Cancel {
		return fmt.Sprintf("Your request for %s will be withdrawn.", what(a))
	}
	s := fmt.Sprintf("Your %s, active %s, will end now.", what(a), until(a.Ends))
	if floor := a.From.Add(activation.Floor); now.Before(floor) {
		s = fmt.Sprintf("Your %s, active %s, will end at %s: PIM ends nothing in its first 5 minutes.", what(a), until(a.Ends), clockOf(floor))
	}
	return s
}

// lower makes a sentence fit after a colon.
func lower(s string) string { return strings.ToLower(s[:1]) + s[1:] }

const (
	sayWrongCode = "This code fits no browser of yours, so I did nothing. A code is good once, for ten minutes: type `/pag signin` for a new one."
	sayNoCode    = "There is no code to type here. Type `/pag signin` alone to sign in."
)

const (
	sayNoDevice    = "There are no device codes here. Type `/pag signin` and use your browser."
	sayDeviceFirst = "Sign in with your browser once, with `/pag signin`: a device code is only for an account that you have confirmed there."
)

func sayDevice(code, url string, until time.Time) string {
	return fmt.Sprintf("Open <%s|Microsoft's page for device codes> and enter *%s* by %s. Only do this because you typed this command yourself: whoever sends you such a code wants to act in your name. "+
		"It signs you in and does nothing else; what needs fresh proof asks for your browser all the same.", url, lit(code), clockOf(until))
}

func sayClaimed(p activation.Person) string {
	return fmt.Sprintf("You are %s from now on. Go back to your browser and continue there. If that is not your account, tell your security team at once.", lit(p.Name))
}
