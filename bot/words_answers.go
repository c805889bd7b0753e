package bot

import (
	"fmt"
	"strings"

	"pagbot/activation"
)

// What a command line gets wrong.
const (
	sayTooShort   = "That is too short: PIM gives five minutes or more. Ask for `5m` or more."
	sayFarTooLong = "That is longer than any activation. Write a length like `90m`, `2h` or `1h30m`."
	sayUntilWhat  = "After `until` I need a time of day, such as `until 18:00`."
	sayAtWhat     = "After `at` I need a time of day, such as `at 18:00`."
	sayEndAt      = "I can end it now, not later: it ends by itself at its time."
	sayUnquoted   = "A quotation mark is missing: put your reason between two of them, like `\"why I need it\"`."
	sayLongReason = "That reason is too long for whoever must read it. Keep it under %d characters."
	sayLongTicket = "That ticket is too long. Keep it under %d characters, and put the rest into your reason."
)

func sayUnknownVerb(typed string) string {
	return fmt.Sprintf("I don't know “%s”. %s", lit(short(typed)), sayTryHelp)
}

func sayUnknownGroup(typed, closest string) string {
	s := fmt.Sprintf("I don't know a group called “%s”.", lit(short(typed)))
	if closest != "" {
		s += fmt.Sprintf(" Did you mean *%s*?", lit(closest))
	}
	return s + " `/pag list` shows what you may activate."
}

func sayEligible(group string, access activation.Access, p activation.Person, several bool) string {
	s := "*" + lit(group) + "*"
	if access == activation.Owner {
		s += " (as owner)"
	}
	if several {
		s += " with " + lit(accountName(p))
	}
	return s
}

// linesMost is how many lines of a list a person reads.
const linesMost = 20

func sayList(may []string, open []activation.Activation, several bool) string {
	s := "You may activate nothing that I look after."
	if more := len(may) - linesMost; more > 0 {
		may = append(may[:linesMost:linesMost], fmt.Sprintf("and %d more", more))
	}
	if len(may) > 0 {
		s = "You may activate:\n• " + strings.Join(may, "\n• ") + "\nFor example: `/pag activate GROUP 2h \"why\"`"
		if several {
			s += "\n" + sayChoose
		}
	}
	if len(open) > 0 {
		s += "\n\n" + sayStatus(open, several)
	}
	return s
}

func sayStatus(open []activation.Activation, several bool) string {
	if len(open) == 0 {
		return "You have nothing active, and no request waits."
	}
	var lines []string
	for i, a := range open {
		if i == linesMost {
			lines = append(lines, fmt.Sprintf("and %d more", len(open)-i))
			break
		}
		lines = append(lines, sayMine(a, several))
		if t := sayTargets(a); t != "" && len(open) <= 5 {
			lines = append(lines, t)
		}
	}
	return strings.Join(lines, "\n")
}

// sayWhichToEnd answers a deactivate that fits none or several.
func sayWhichToEnd(fits []activation.Activation, typed string) string {
	switch {
	case len(fits) == 0 && typed != "":
		return fmt.Sprintf("You have nothing to end that is called “%s”. `/pag status` shows what you have.", lit(short(typed)))
	case len(fits) == 0:
		return "You have nothing to end: nothing is active, and no request waits."
	}
	names, same := apart(fits)
	s := fmt.Sprintf("You have several: %s. Say which: `/pag deactivate GROUP`, or `GROUP as owner`", list(names))
	if same {
		s += ", or `GROUP account NAME`"
	}
	return s + "."
}

func sayBound(p activation.Person) string {
	return fmt.Sprintf("From now on you act in Entra as *%s* when you press buttons here. If that wasn't you, tell an administrator at once.", lit(p.Name))
}
