package bot

import (
	"fmt"

	"pagbot/activation"
)

// sayNeeded is what a waiting request waits for.
func sayNeeded(a activation.Activation) string {
	switch {
	case a.Quorum < 2:
		return "An approver is needed."
	case len(a.Agreed) == 0:
		return fmt.Sprintf("%d approvers are needed.", a.Quorum)
	}
	return fmt.Sprintf("%d of %d approvers agreed.", len(a.Agreed), a.Quorum)
}

// sayQuorum is pagbot's own rule about approvals, and how it stands.
func sayQuorum(a activation.Activation) string {
	s := fmt.Sprintf("My rule, not PIM's: %d different approvers must agree, and one no is enough.", a.Quorum)
	var names []string
	for _, v := range a.Agreed {
		names = append(names, who(v.By))
	}
	if len(names) > 0 {
		s += fmt.Sprintf(" So far: %s.", list(names))
	}
	return s
}

// sayAgreed tells the thread of one approver's yes.
func sayAgreed(a activation.Activation, v activation.Agreed) string {
	s := fmt.Sprintf(":ballot_box_with_check: %s agrees that %s gets %s: %d of %d.", who(v.By), who(a.Person), what(a), len(a.Agreed), a.Quorum)
	if a.Phase == activation.AwaitingApproval {
		s += " PIM has not been told: another approver must agree, too."
	}
	return s
}

// sayUnheard takes back an earlier yes.
func sayUnheard(a activation.Activation, name string) string {
	return fmt.Sprintf("%s agreed to %s before, and may not decide here any more: that yes no longer counts.", lit(name), what(a))
}

// sayRound alarms the channel: somebody in Entra went round pagbot's rule.
func sayRound(a activation.Activation) string {
	return fmt.Sprintf(":rotating_light: %s for %s was approved in Entra, where one approver is enough; here %d of %d had agreed. That goes round this group's rule: an administrator should look at it.",
		what(a), who(a.Person), len(a.Agreed), a.Quorum)
}
