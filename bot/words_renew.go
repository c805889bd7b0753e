package bot

import (
	"fmt"
	"time"

	"pagbot/activation"
)

// What a renewal is, said before it is done: PIM extends nothing.
const (
	sayRenewAt   = "I can renew it now, not later: what runs ends when it is renewed."
	sayRenewCost = "PIM can't extend it: I end what runs and activate it anew at once. *In between you have no access, for about 15 s.*"
)

// sayRelearn is about the systems behind the group, which see a gap of their own.
func sayRelearn(relearns []string) string {
	if len(relearns) == 0 {
		return ""
	}
	return fmt.Sprintf(" A system behind the group that notices the gap forgets your access and must learn it again, which can take as long as the first time: %s.", list(relearns))
}

// sayNextTime is how to do without renewals.
func sayNextTime(a activation.Activation) string {
	most := time.Duration(a.Settings.Max)
	if most == 0 || wholeLength(a) >= most {
		return ""
	}
	return fmt.Sprintf(" Next time ask for the full %s and end it early: that leaves no gap.", span(most))
}

// sayWayOn is what can be done when the end is near.
func sayWayOn(a activation.Activation) string {
	if a.Settings.NeedsApproval {
		return "finish what you are doing, or ask again once it has ended"
	}
	return "finish what you are doing, or renew it, which leaves you without it for about 15 s"
}

func sayRenewForm(a activation.Activation, relearns []string) string {
	return fmt.Sprintf("Your %s runs %s. %s%s%s", what(a), until(a.Ends), sayRenewCost, sayRelearn(relearns), sayNextTime(a))
}

// saySignRenewal asks for one confirmation of both deeds.
func saySignRenewal(a, was activation.Activation, d activation.Pending, relearns []string) string {
	return fmt.Sprintf("Renew %s, %s from then on? %s%s Confirm both with one sign-in by %s; until then what you have runs on, %s.%s",
		what(a), lasting(a), sayRenewCost, sayRelearn(relearns), clockOf(d.Warrant.Expires), until(was.Ends), sayNextTime(a))
}

// sayMakesRoom tells the person that the first half of a renewal is done.
func sayMakesRoom(a activation.Activation) string {
	return fmt.Sprintf(":arrows_counterclockwise: Your %s ended at %s, to be renewed: PIM gives it anew as soon as it has forgotten this one, in about 15 s. I'll write when you have it.", what(a), clockOf(a.Ended))
}

// sayGap is how long it was, by PIM's own times.
func sayGap(from, to time.Time) string {
	d := max(0, to.Sub(from))
	return fmt.Sprintf("It is renewed: *you were without it for %s*.", span(d))
}

// sayMeanwhile is what is left of what was to be renewed.
func sayMeanwhile(was, a activation.Activation) string {
	if a.Switches() {
		return sayLeftBehind(was, a)
	}
	switch was.Phase {
	case activation.Active, activation.Ending:
		return fmt.Sprintf("What you have runs on, %s.", until(was.Ends))
	}
	return fmt.Sprintf("What you had ended at %s, so *you are without it now*: ask for it with `/pag activate` or `/pag again`.", clockOf(was.Ended))
}

// sayWhichToRenew answers a renew that fits none or several.
func sayWhichToRenew(fits []activation.Activation, typed string) string {
	switch {
	case len(fits) == 0 && typed != "":
		return fmt.Sprintf("You have nothing running that is called “%s”, so there is nothing to renew. `/pag status` shows what you have, `/pag activate` asks for it.", lit(short(typed)))
	case len(fits) == 0:
		return "You have nothing running, so there is nothing to renew. `/pag activate` asks for access."
	}
	names, _ := apart(fits)
	return fmt.Sprintf("You have several: %s. Say which: `/pag renew GROUP`, or `GROUP as owner`, or `GROUP account NAME`.", list(names))
}

func sayNotRunning(a activation.Activation) string {
	if unconfirmed(a) {
		return fmt.Sprintf("You have asked to end your %s already, and not confirmed it yet: the button that I gave you for that still works. It runs %s.", what(a), until(a.Ends))
	}
	if a.Phase == activation.Ending {
		return fmt.Sprintf("Your %s is being ended already. Once it has ended, `/pag again` asks for it anew.", what(a))
	}
	return fmt.Sprintf("Your %s does not run any more, so there is nothing to renew. `/pag again` asks for it anew.", what(a))
}

// sayRenewApproval: PIM takes no second request beside what runs, so that the
// approver could not be asked first.
func sayRenewApproval(a activation.Activation) string {
	return fmt.Sprintf("An approver must agree to %s each time, and PIM takes no new request while it runs (it answers RoleAssignmentExists). So I can't renew it without a gap of unknown length. "+
		"What you can do: use it until it ends, %s, and ask again then; or end it now with `/pag deactivate` and ask at once with `/pag again`: you are without it until an approver agrees.%s",
		what(a), at(a.Ends), sayNextTime(a))
}

func sayRenewFloor(a activation.Activation, floor time.Time) string {
	return fmt.Sprintf("PIM ends nothing in its first 5 minutes, so your %s can be renewed from %s on. It runs %s.%s", what(a), clockOf(floor), until(a.Ends), sayNextTime(a))
}
