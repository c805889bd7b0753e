package bot

import (
	"fmt"

	"pagbot/activation"
)

// Entra may be asked to write a new member to a target at once. What it says to
// that is never more than that: whether it works, the target tells.

// sayDemanded is the middle of a card's line about a target that does not know
// yet.
func sayDemanded(t activation.Target) string {
	switch {
	case t.Demanded.IsZero():
		return "not seen yet; I keep looking"
	case t.Declined != nil:
		return "not seen yet, and Entra won't write it at once: " + sayWhyNot(*t.Declined) + "; I keep looking"
	}
	return "not seen yet; Entra was asked at " + clockOf(t.Demanded) + " to write it at once, and I keep looking"
}

// sayDemands is what of it concerns a person who has just got access.
func sayDemands(a activation.Activation) string {
	var ask, asked []string
	for _, t := range a.Targets {
		switch {
		case !t.OnDemand || t.Grant.Settled() || t.Declined != nil:
		case t.Demanded.IsZero():
			ask = append(ask, lit(t.Name))
		default:
			asked = append(asked, lit(t.Name))
		}
	}
	s := ""
	if len(ask) > 0 {
		s += " I ask Entra to write it to " + list(ask) + " at once."
	}
	if len(asked) > 0 {
		s += " Entra has been asked to write it to " + list(asked) + " at once."
	}
	return s
}

func sayDeclined(a activation.Activation, t activation.Target) string {
	why := activation.Refusal{Code: activation.Broken}
	if t.Declined != nil {
		why = *t.Declined
	}
	s := fmt.Sprintf(":hourglass_flowing_sand: Entra won't write your %s to %s at once: %s.", what(a), lit(t.Name), sayWhyNot(why))
	if why.Code != activation.Quarantined {
		s += " It comes at Entra's own pace, which is mostly within 40 minutes."
	}
	return s + " I keep looking, and write when it is there."
}

// sayWhyNot is why Entra won't, within a sentence.
func sayWhyNot(r activation.Refusal) string {
	switch r.Code {
	case activation.Quarantined:
		s := "the application's provisioning is in quarantine"
		if !r.Until.IsZero() {
			s = "the application's provisioning has been in quarantine since " + at(r.Until)
		}
		if r.Text != "" {
			s += " (" + lit(r.Text) + ")"
		}
		return s + ". Entra will write nothing there until an administrator has mended that"
	case activation.NotProvisioned:
		return "it sees nothing to write there. An administrator should look at the application's provisioning, and at who is assigned to it"
	case activation.PermissionNeeded, activation.ConsentMissing:
		return "I may not ask for it. An administrator must allow that in Entra"
	case activation.Throttled:
		return "it is asked too much at the moment"
	case activation.Unavailable:
		return "it did not answer"
	}
	return "something went wrong there. `pagbot journal` has more"
}
