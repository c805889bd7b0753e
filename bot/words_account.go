package bot

import (
	"fmt"
	"strings"

	"pagbot/activation"
)

// What is said of a person's several accounts.
const (
	sayFormAccount = "Decide with"
	sayAccountWhat = "After `account` I need the name of one of your accounts, such as `account adm-you`. A reason that begins with this word needs quotation marks."
	sayChoose      = "Say `GROUP account NAME` to choose the account; else I take the one that you used last for it."
)

// saySignedOut answers who signed out: what is called off, and what is not. left
// is what they have open.
func saySignedOut(off []Off, left []activation.Activation) string {
	s := "I have forgotten your sign-in. I will ask for it again when you need it."
	var did, todo, waits, runs []string
	waited := map[string]bool{} // for an end that does not come now
	for _, x := range off {
		did = append(did, "to "+sayDeed(x.Of, x.Deed))
		waited[x.Of.Next] = true
	}
	for _, a := range left {
		switch a.Phase {
		case activation.AwaitingApproval, activation.Scheduled:
			waits = append(waits, what(a))
		case activation.Active, activation.Ending:
			runs = append(runs, what(a))
		}
		for _, d := range a.Deeds {
			if d.Warrant.Actor.SameAccount(a.Person) && !waited[a.ID] {
				todo = append(todo, sayDeed(a, d.Warrant.Deed))
			}
		}
	}
	for _, part := range []struct {
		format string
		names  []string
	}{
		{"\nI called off what waited for you: %s. Nothing changed in Entra.", did},
		{"\nStill to be done: %s. I will ask for your sign-in if it takes one.", todo},
		{"\nEntra still has your request for %s; `/pag deactivate` withdraws it.", waits},
		{"\nYou still have %s; `/pag deactivate` ends it.", runs},
	} {
		if len(part.names) > 0 {
			s += fmt.Sprintf(part.format, list(part.names))
		}
	}
	return s
}

// accountName is what an account is called.
func accountName(p activation.Person) string {
	if p.Name != "" {
		return p.Name
	}
	return p.Object
}

// localName is the part of it that tells a person's accounts apart.
func localName(p activation.Person) string {
	local, _, _ := strings.Cut(accountName(p), "@")
	return local
}

// sayWithAccount stands below what is about one of several accounts.
func sayWithAccount(p activation.Person) string {
	return fmt.Sprintf("With your account %s.", lit(accountName(p)))
}

func sayOtherAccount(p activation.Person) string {
	return fmt.Sprintf(" But your account *%s* is: ask with `account %s`.", lit(accountName(p)), lit(localName(p)))
}

func sayWhichAccount(typed string, own []activation.Person) string {
	var names []string
	for _, p := range own {
		names = append(names, "*"+lit(accountName(p))+"*")
	}
	if len(own) == 1 {
		return fmt.Sprintf("You have one account here, %s, and not “%s”. Leave it out; a reason that begins with this word needs quotation marks.", names[0], lit(short(typed)))
	}
	return fmt.Sprintf("“%s” is not one of your accounts, or more than one. You have %s: name one of them. A reason that begins with this word needs quotation marks.", lit(short(typed)), list(names))
}

// apart names what several activations are of, with the accounts where that is
// the same.
func apart(all []activation.Activation) (names []string, same bool) {
	seen := map[string]bool{}
	for _, a := range all {
		same = same || seen[what(a)]
		seen[what(a)] = true
	}
	for _, a := range all {
		s := what(a)
		if same {
			s += " with " + lit(accountName(a.Person))
		}
		names = append(names, s)
	}
	return names, same
}

// sayMine is a line about what a person has, with the account if they have
// several.
func sayMine(a activation.Activation, several bool) string {
	s := sayHeadline(a)
	if several {
		s += " With " + lit(accountName(a.Person)) + "."
	}
	return s
}
