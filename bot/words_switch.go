package bot

import (
	"fmt"
	"strings"
	"time"

	"pagbot/activation"
)

// What a switch is, said before it is done: one ends first, then the other is
// asked for.
const (
	saySwitchUsage = "Tell me what to leave and what for: `/pag switch FROM TO 1h \"why\"`. FROM may be left out if TO excludes just one that you have."
	saySwitchAt    = "I can switch now, not later: what you have ends when you switch. To have the other later, ask for it with `/pag activate GROUP at 18:00`."
	sayWaitForIt   = "`/pag status` shows it; once it is over, ask again."
)

// sayExclusive is pagbot's own rule.
func sayExclusive(one, other string) string {
	return fmt.Sprintf("My rule, not PIM's: nobody has *%s* and *%s* at once.", lit(one), lit(other))
}

// sayExcluded refuses what excludes something else.
func sayExcluded(r activation.Refusal, a activation.Activation) string {
	if r.By == "" || a.Group.Name == "" {
		return "My rule, not PIM's: nobody has this at once with what excludes it, which is active or asked for."
	}
	s := sayExclusive(a.Group.Name, r.By)
	if r.Until.IsZero() {
		return s + fmt.Sprintf(" *%s* is active, or asked for.", lit(r.By))
	}
	return s + fmt.Sprintf(" *%s* is active until %s.", lit(r.By), at(r.Until))
}

// sayNotEnded is that nothing could begin, as what is there would not end.
func sayNotEnded(a activation.Activation) string {
	if a.Switches() {
		return fmt.Sprintf("I did not ask for %s: *%s* could not be ended or withdrawn.", what(a), lit(a.Leaves.Name))
	}
	return whatOr(a, "This") + " was not renewed: what runs could not be ended, so it stays as it is. `/pag status` shows until when."
}

// sayMaySwitch offers the way from the one to the other.
func sayMaySwitch(rival, a activation.Activation) string {
	s := fmt.Sprintf("You can switch, with the button or `/pag switch %s %s`: first %s, and then I ask for %s.", lit(rival.Group.Name), lit(a.Group.Name), sayLeaves(rival), what(a))
	if !rival.Ends.IsZero() {
		s += " Or ask for it for later, as in `at 18:00`, when the other is over."
	}
	return s
}

// sayLeaves is how the first half is done.
func sayLeaves(was activation.Activation) string {
	if was.Leaving() == activation.Cancel {
		return "your request for " + what(was) + " is withdrawn"
	}
	return what(was) + " ends"
}

// saySwitch is all that a switch costs, before anything happens.
func saySwitch(a, was activation.Activation, rule bool, now time.Time) string {
	var s strings.Builder
	if rule {
		s.WriteString(sayExclusive(was.Group.Name, a.Group.Name) + " ")
	}
	first := "at once"
	floor := was.From.Add(activation.Floor)
	if was.Leaving() == activation.End && now.Before(floor) {
		first = "at " + clockOf(floor) + ", as PIM ends nothing in its first 5 minutes"
	}
	fmt.Fprintf(&s, "First %s, %s; when PIM says that it is over, I ask for %s.", sayLeaves(was), first, what(a))
	switch {
	case a.Settings.NeedsApproval:
		s.WriteString(" An approver must agree to that, and is asked only then: *until somebody does you have neither*.")
	case was.Leaving() == activation.End:
		s.WriteString(" *In between you have neither, for about 15 s*, and at no time both.")
	}
	if slow := lingering(was, later(now, floor)); len(slow) > 0 && was.Leaving() == activation.End {
		fmt.Fprintf(&s, " That is so in PIM; systems behind %s may still take your old access: %s. I don't wait for that, and check that it goes.", what(was), list(slow))
	}
	if a.Settings.NeedsApproval && !was.Ends.IsZero() {
		fmt.Fprintf(&s, " Or keep %s, which runs %s, and ask now for %s from then on, as in `at 18:00`: so an approver can agree before.", what(was), until(was.Ends), what(a))
	}
	return s.String()
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// saySignSwitch asks for one confirmation of both deeds.
func saySignSwitch(a, was activation.Activation, d activation.Pending, rule bool, now time.Time) string {
	s := fmt.Sprintf("Switch from %s to %s, %s? %s Confirm both with one sign-in by %s; until then nothing changes.",
		what(was), what(a), lasting(a), saySwitch(a, was, rule, now), clockOf(d.Warrant.Expires))
	return s
}

// saySwitching answers a switch that needs no browser.
func saySwitching(a activation.Activation) string {
	return fmt.Sprintf("I'm switching you from *%s* to %s %s: the one ends first. I'll write to you about each.", lit(a.Leaves.Name), what(a), lasting(a))
}

// sayLeft tells the person that the first half of a switch is done.
func sayLeft(was, next activation.Activation) string {
	s := fmt.Sprintf(":arrows_counterclockwise: Your %s ended at %s. Now I ask for %s, as soon as PIM shows that it is over", what(was), clockOf(was.Ended), what(next))
	if next.Settings.NeedsApproval {
		s += "; then an approver must agree"
	}
	return s + ". I'll write when you have it." + sayLingersIn(was)
}

// sayLingersIn is where what was left may still work.
func sayLingersIn(was activation.Activation) string {
	slow := lingering(was, was.Ended)
	if len(slow) == 0 {
		return ""
	}
	return fmt.Sprintf(" %s may linger in %s: please don't use it any more.", what(was), list(slow))
}

// saySwitched is how long the person had neither, by PIM's own times.
func saySwitched(was, a activation.Activation) string {
	if was.Ended.IsZero() {
		return fmt.Sprintf("Your request for %s was withdrawn before.", what(was))
	}
	return fmt.Sprintf("You switched from %s: *you had neither for %s*.", what(was), span(max(0, a.From.Sub(was.Ended)))) + sayLingersIn(was)
}

// sayLeftBehind is what is left of what was to be switched from.
func sayLeftBehind(was, a activation.Activation) string {
	switch was.Phase {
	case activation.Active, activation.Ending:
		return fmt.Sprintf("You still have %s, %s.", what(was), until(was.Ends))
	case activation.AwaitingApproval, activation.Scheduled, activation.Provisioning:
		return fmt.Sprintf("Your request for %s stands.", what(was))
	}
	if was.Ended.IsZero() {
		return fmt.Sprintf("Your request for %s is over, too: *you have neither now*.", what(was))
	}
	return fmt.Sprintf("%s ended at %s and %s was not given: *you have neither now*. Ask again for the one that you need.", what(was), clockOf(was.Ended), what(a))
}

func sayNotLeavable(a activation.Activation) string {
	switch a.Phase {
	case activation.Active, activation.Ending, activation.AwaitingApproval, activation.Scheduled:
		return fmt.Sprintf("Your %s is being ended or withdrawn already, or waits for you to confirm that. Once it is over, ask for the other with `/pag activate`.", what(a))
	case activation.Asked, activation.Provisioning, activation.Noticed:
		return fmt.Sprintf("Your request for %s is on its way. `/pag deactivate` withdraws it; then ask for the other.", what(a))
	}
	return fmt.Sprintf("Your %s is over, so there is nothing to leave: ask for the other with `/pag activate`.", what(a))
}

// sayWhichToLeave answers a switch whose beginning fits none or several.
func sayWhichToLeave(fits []activation.Activation, typed string, to Group) string {
	switch {
	case len(fits) == 0 && typed != "":
		return fmt.Sprintf("You have nothing to leave that is called “%s”. `/pag status` shows what you have.", lit(short(typed)))
	case len(fits) == 0:
		return fmt.Sprintf("You have nothing that excludes *%s*, so there is nothing to leave: `/pag activate` asks for it. To leave another for it, name both: `/pag switch FROM TO`.", lit(to.Name))
	}
	return fmt.Sprintf("You have several: %s. Say which to leave: `/pag switch FROM TO`.", names(fits))
}

// sayTogether refuses to ask for what can't be had at once.
func sayTogether(one, other string) string {
	return sayExclusive(one, other) + " I have asked for nothing: ask for one of them, and `/pag switch` to the other later."
}

// sayClash alarms the channel: somebody went round the rule in Entra.
func sayClash(a activation.Activation) string {
	return fmt.Sprintf(":rotating_light: %s has %s and *%s* at once, which exclude each other here: one of the two was activated in Entra, round this rule of mine. One must end (`/pag deactivate` does it), and an administrator should look at it.",
		who(a.Person), what(a), lit(a.Clash.Name))
}
