package bot

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"pagbot/activation"
)

// Every sentence that a person reads stands in this file and its sisters
// words_*.go, in the markup of mark.go. A sentence never says more than what is
// known, and one about something that went wrong says what to do next.

const (
	sayTryHelp = "Type `/pag help` to see what I understand."
	sayHelp    = "*I get you privileged access through Entra PIM, and tell you when it really works.*\n" +
		"`/pag activate GROUP 2h \"why\" TICKET` asks for access. Also `90m`, `until 18:00`, `at 18:00 for 2h` (PIM starts it then), `GROUP as owner`, `GROUP account NAME` with that account of yours; without a time it is an hour; `GROUP,OTHER` asks for both. `/pag activate` alone opens a form.\n" +
		"`/pag check GROUP 2h \"why\"` tells what would come of it, and asks nobody.\n" +
		"`/pag again` asks for the same as last time.\n" +
		"`/pag deactivate GROUP` ends it early, or withdraws a request.\n" +
		"`/pag renew GROUP 2h \"why\"` ends it and activates it anew, with a gap: PIM can't extend. Better ask for the full time at once, and end it early.\n" +
		"`/pag switch FROM TO 1h \"why\"` leaves one for another, where a person must not have both at once.\n" +
		"`/pag list` shows what you may activate and what you have.\n" +
		"`/pag status` shows where yours stand.\n" +
		"`/pag latency` shows how long systems take to follow; also `/pag latency GROUP`.\n" +
		"`/pag signin` begins your sign-in here; `/pag signout` forgets it, and calls off what waits for your browser."
	sayWatchOnly       = "I only watch here: ask, decide and end in <%s|Entra>. The card in the group's channel shows when access works and when it is gone, and below it I warn before the end. `/pag latency` shows how long systems take."
	saySignIn          = "Sign in with your browser. I never see your password."
	saySignInNow       = "Sign in"
	sayConfirm         = "Confirm in browser"
	sayTooSlow         = "Slack gave me three seconds to open the window, and they were over. Nothing has happened. Please press the button again."
	sayYourReason      = "Your reason, for the record"
	sayReasonLabel     = "Reason:"
	sayTicketLabel     = "Ticket:"
	sayTheirReason     = "They say:"
	sayNoReason        = "none given"
	sayVoteFresh       = "Nothing is decided yet: next, you confirm it in your browser. In PIM one approver is enough, and the first answer counts."
	sayVoteFreshOfMany = "Nothing is decided yet: next, you confirm it in your browser."
	sayVoteKept        = "In PIM one approver is enough, and the first answer counts."
)

// who names a person: as a mention where Slack knows them.
func who(p activation.Person) string {
	switch {
	case slackID.MatchString(p.Slack.ID):
		return "<@" + p.Slack.ID + ">"
	case p.Name != "":
		return lit(p.Name)
	case p.Object != "":
		return "account " + lit(p.Object)
	}
	return "somebody"
}

var (
	slackID   = regexp.MustCompile(`^[UW][A-Z0-9]+$`)
	channelID = regexp.MustCompile(`^[CG][A-Z0-9]+$`)
)

// what names the group, and the access where it is not the usual one.
func what(a activation.Activation) string {
	n := a.Group.Name
	if n == "" {
		n = a.Group.ID
	}
	s := "*" + lit(n) + "*"
	if a.Access == activation.Owner {
		s += " (as owner)"
	}
	return s
}

// at is a moment in the reader's own time zone, as in "today at 18:00".
func at(t time.Time) string {
	return fmt.Sprintf("<!date^%d^{date_short_pretty} at {time}|%s>", max(0, t.Unix()), t.UTC().Format("2006-01-02 15:04 UTC"))
}

// clockOf is at's shorter sister, for moments close by.
func clockOf(t time.Time) string {
	return fmt.Sprintf("<!date^%d^{time}|%s>", max(0, t.Unix()), t.UTC().Format("15:04 UTC"))
}

// until is an end that may not be there.
func until(t time.Time) string {
	if t.IsZero() || !t.Before(forever) {
		return "with no end set"
	}
	return "until " + at(t)
}

// forever stands for the end of what has none.
var forever = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// span is a length as people say it.
func span(d time.Duration) string {
	d = d.Round(time.Second)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < 10*time.Minute && d%time.Minute != 0:
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	}
	d = d.Round(time.Minute)
	h, m := int(d.Hours()), int(d.Minutes())%60
	switch {
	case h == 0:
		return fmt.Sprintf("%d min", m)
	case m == 0:
		return fmt.Sprintf("%d h", h)
	}
	return fmt.Sprintf("%d h %d min", h, m)
}

// howLong is what was asked for, and from when on, if not at once.
func howLong(a activation.Activation) string {
	if start := a.Starts(); !start.IsZero() {
		return "from " + at(start) + " " + lasting(a)
	}
	return lasting(a)
}

// lasting is how long it was asked for.
func lasting(a activation.Activation) string {
	switch {
	case !a.Until.IsZero():
		return "until " + at(a.Until)
	case a.Length > 0:
		return "for " + span(time.Duration(a.Length))
	case !a.Ends.IsZero():
		return "until " + at(a.Ends)
	}
	return "for as long as PIM allows"
}

// sayHeadline is the card's first line: who, what, and where it stands.
func sayHeadline(a activation.Activation) string {
	whose := who(a.Person)
	switch a.Phase {
	case activation.AwaitingApproval:
		return fmt.Sprintf(":hourglass_flowing_sand: %s asks for %s %s. *%s*", whose, what(a), howLong(a), sayNeeded(a))
	case activation.Asked:
		return fmt.Sprintf(":speech_balloon: %s wants %s %s. Entra has not been asked yet.", whose, what(a), howLong(a))
	case activation.Scheduled:
		if start := cmp.Or(a.Request.Start, a.Start); !start.IsZero() {
			return fmt.Sprintf(":calendar: %s will get %s %s, %s.", whose, what(a), at(start), lasting(a))
		}
		return fmt.Sprintf(":calendar: %s will get %s later, %s.", whose, what(a), lasting(a))
	case activation.Provisioning, activation.Noticed:
		return fmt.Sprintf(":gear: PIM is giving %s to %s, %s.", what(a), whose, howLong(a))
	case activation.Active:
		return fmt.Sprintf(":unlock: %s has %s %s.", whose, what(a), until(a.Ends))
	case activation.Ending:
		if unconfirmed(a) {
			return fmt.Sprintf(":unlock: %s has %s %s. It ends sooner if they confirm that with their sign-in.", whose, what(a), until(a.Ends))
		}
		return fmt.Sprintf(":unlock: %s is ending %s; it is still active.", whose, what(a))
	case activation.Verifying:
		return fmt.Sprintf(":lock: %s of %s ended %s (%s).%s", what(a), whose, at(a.Ended), outcome(a.Outcome), sayChecking(a))
	}
	return sayClosedHeadline(a)
}

// unconfirmed reports whether the end that is wanted waits for the person's browser:
// nothing has happened yet.
func unconfirmed(a activation.Activation) bool {
	ends := slices.DeleteFunc(slices.Clone(a.Deeds), func(d activation.Pending) bool { return d.Warrant.Deed != activation.End })
	return len(ends) > 0 && !slices.ContainsFunc(ends, func(d activation.Pending) bool { return !d.Needs })
}

// sayChecking says that removal is looked for, where anything can be looked at.
func sayChecking(a activation.Activation) string {
	if len(a.Targets) == 0 {
		return ""
	}
	return " Making sure that it is gone."
}

// outcome is why it is over, in passing.
func outcome(o activation.Outcome) string {
	switch o {
	case activation.Expired:
		return "time ran out"
	case activation.Revoked:
		return "taken away in Entra"
	case activation.TimedOut:
		return "nobody decided within 24 hours"
	case activation.Failed:
		return "PIM could not give it"
	}
	return string(o)
}

func sayClosedHeadline(a activation.Activation) string {
	if a.Ended.IsZero() {
		return fmt.Sprintf(":no_entry_sign: %s for %s: %s. Nothing was given.", what(a), who(a.Person), outcome(a.Outcome))
	}
	s := fmt.Sprintf("%s of %s ended %s (%s)", what(a), who(a.Person), at(a.Ended), outcome(a.Outcome))
	switch proof(a) {
	case isGone:
		return fmt.Sprintf(":white_check_mark: %s of %s has been over since %s (%s), *and gone*.", what(a), who(a.Person), at(a.Ended), outcome(a.Outcome))
	case isUnproven:
		return ":warning: " + s + ". *It could not be proven gone.*"
	}
	return ":checkered_flag: " + s + "."
}

// proven is what all removals together prove.
type proven int

const (
	isOver     proven = iota // it ended; no proof about a system behind it, or not about all
	isGone                   // each system behind it proved that it is gone or never came
	isUnproven               // one could not be proven
)

func proof(a activation.Activation) proven {
	all, some := true, false
	for _, t := range a.Targets {
		switch s := t.Removal.State; {
		case s == activation.NotProven:
			return isUnproven
		case s == activation.Gone && t.Removal.Level > activation.L0:
			some = true
		case s == activation.NeverCame || s == activation.Gone && t.Level == activation.L0:
		default:
			all = false
		}
	}
	if all && some {
		return isGone
	}
	return isOver
}

// sayCardNote says who decided, and what comes next.
func (b *Bot) sayCardNote(a activation.Activation) string {
	var parts []string
	if b.several(a.Person) {
		parts = append(parts, "Account: "+lit(accountName(a.Person))+".")
	}
	if d := a.Decision; d != nil {
		parts = append(parts, sayDecidedBy(*d)+".")
	}
	if a.Watched {
		parts = append(parts, "Asked for in Entra, noticed here.")
	}
	if a.Phase == activation.AwaitingApproval {
		parts = append(parts, sayDecideBy(a))
		if a.Quorum > 1 {
			parts = append(parts, sayQuorum(a))
		}
		if b.SignIn == nil {
			parts = append(parts, "I only watch here; approvers decide in Entra.")
		}
	}
	return strings.Join(parts, " ")
}

func sayDecidedBy(d activation.Decision) string {
	verb := "Denied"
	if d.Approve {
		verb = "Approved"
	}
	where := ""
	if !d.Here {
		where = " in Entra"
	}
	if d.By == (activation.Person{}) {
		return fmt.Sprintf("%s%s at %s", verb, where, clockOf(d.At))
	}
	return fmt.Sprintf("%s by %s%s at %s", verb, who(d.By), where, clockOf(d.At))
}

// tagged is our tag at the end of a justification.
var tagged = regexp.MustCompile(`\s*\[pag [A-Z2-7]{4}\]$`)

// ownWords is the reason as the person gave it, without our tag.
func ownWords(a activation.Activation) string {
	if r := strings.TrimSpace(tagged.ReplaceAllString(a.Reason, "")); r != "" {
		return r
	}
	return sayNoReason
}
