package bot

import (
	"fmt"

	"pagbot/activation"
)

// callMost is how many people one message calls, and cardMost a card: who reads
// it must see at a glance what it is about.
const (
	callMost = 10
	cardMost = 5
)

// sayDeciders names on the card who can decide.
func sayDeciders(names []string) string {
	if more := len(names) - cardMost; more > 1 {
		names = append(names[:cardMost:cardMost], fmt.Sprintf("%d others", more))
	}
	return "Can decide: " + list(names) + "."
}

// callOn names those who can decide: "@a, @b and 3 more can decide". The rest is
// for whom the names are not known (nil).
func callOn(names []string) string {
	switch {
	case names == nil:
		return "PIM's approvers can decide"
	case len(names) == 0:
		return "I know of nobody who can decide"
	}
	if more := len(names) - callMost; more > 0 {
		names = append(names[:callMost:callMost], fmt.Sprintf("%d more", more))
	}
	return list(names) + " can decide"
}

// sayRemind is the first reminder, in the thread.
func sayRemind(a activation.Activation, approvers []string) string {
	return fmt.Sprintf(":bell: %s still waits for %s. %s, on the card above or in Entra.", who(a.Person), what(a), callOn(approvers))
}

// sayRemindMore calls others, too.
func sayRemindMore(a activation.Activation, approvers, backup []string) string {
	return fmt.Sprintf(":bell: Nobody has decided yet on %s for %s. %s.", what(a), who(a.Person), callOn(approvers)) + askBackup(approvers, backup)
}

// askBackup is what the others are asked for.
func askBackup(approvers, backup []string) string {
	switch {
	case len(backup) == 0:
		return ""
	case approvers != nil && len(approvers) == 0:
		return fmt.Sprintf(" %s, please have an administrator of the group look at its role settings.", list(backup))
	}
	return fmt.Sprintf(" %s, please find one of them.", list(backup))
}

// sayRescue is the last reminder: nobody is told a fourth time.
func sayRescue(a activation.Activation, approvers, backup []string) string {
	s := fmt.Sprintf(":rotating_light: The request of %s for %s %s, and then it must be made again. %s.", who(a.Person), what(a), lost(a), callOn(approvers))
	return s + askBackup(approvers, backup) + " This is my last reminder."
}

// sayDecideBy is until when an approver must agree, and why.
func sayDecideBy(a activation.Activation) string {
	if by := a.DecideBy(); by.Equal(a.Until) {
		return "An approver must agree before it is over, by " + at(by) + "."
	}
	return "PIM's rule: an approver must agree by " + at(a.DecideBy()) + "."
}

// lost is when a request that nobody decides comes to nothing.
func lost(a activation.Activation) string {
	if by := a.DecideBy(); by.Equal(a.Until) {
		return "comes to nothing " + at(by)
	}
	return "is dropped by PIM " + at(a.DecideBy())
}

// sayRescueMine tells the requester.
func sayRescueMine(a activation.Activation) string {
	return fmt.Sprintf(":hourglass_flowing_sand: Nobody has decided on your request for %s: it %s. Call an approver, or withdraw it if you don't need it any more.", what(a), lost(a))
}
