package bot

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"pagbot/activation"
)

// Every sentence that a person reads stands in this file and its sisters
// words_*.go. In mrkdwn only our own words and escaped names are used; a
// person's own words go through rich_text (quoted).

const (
	sayTryHelp       = "Type `/pag help` to see what I understand."
	sayActivateUsage = "Tell me which group: `/pag activate GROUP 2h \"why\"`. `/pag list` shows what you may activate."
	sayHelp          = "*I get you privileged access through Entra PIM, and tell you when it really works.*\n" +
		"`/pag activate GROUP 2h \"why\" [ticket]` ask for access; also `until 18:00`, or `GROUP as owner`\n" +
		"`/pag deactivate [GROUP]` end it early, or withdraw a request\n" +
		"`/pag list` what you may activate and what you have\n" +
		"`/pag status` where yours stand\n" +
		"`/pag signin`, `/pag signout` start or forget your sign-in here"
	sayWatchOnly   = "I only watch here: activate in <%s|Entra>, and I will tell you when it works."
	saySignIn      = "Sign in with your browser. I never see your password."
	sayOpenBrowser = "Confirm in browser"
	saySignedOut   = "I have forgotten your sign-in. The next deed asks you to sign in again."
	sayTooSlow     = "That took too long and Slack closed the window. Please press the button again."
	sayYourReason  = "Why? In your own words"
	sayReasonLabel = "Reason:"
	sayTicketLabel = "Ticket:"
	sayVoteNote    = "Entra asks you to sign in to confirm; the first approver's answer counts."
)

var escape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "*", "∗", "_", "＿", "~", "∼", "`", "'")

// who names a person: as a mention where Slack knows them.
func who(p activation.Person) string {
	switch {
	case p.Slack.ID != "":
		return "<@" + p.Slack.ID + ">"
	case p.Name != "":
		return escape.Replace(p.Name)
	case p.Object != "":
		return escape.Replace("account " + p.Object)
	}
	return "somebody"
}

// what names the group, and the access where it is not the usual one.
func what(a activation.Activation) string {
	n := "*" + escape.Replace(a.Group.Name) + "*"
	if a.Access == activation.Owner {
		n += " (as owner)"
	}
	return n
}

// at is a moment in the reader's own time zone.
func at(t time.Time) string {
	if t.IsZero() {
		return "an unknown time"
	}
	return fmt.Sprintf("<!date^%d^{date_short_pretty} at {time}|%s>", t.Unix(), t.UTC().Format("2006-01-02 15:04 UTC"))
}

// at's shorter sister, for moments close by.
func clockOf(t time.Time) string {
	return fmt.Sprintf("<!date^%d^{time}|%s>", t.Unix(), t.UTC().Format("15:04 UTC"))
}

// span is a length as people say it.
func span(d time.Duration) string {
	d = d.Round(time.Second)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour && d%time.Minute == 0 || d >= 10*time.Minute && d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Round(time.Minute).Minutes()))
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	}
	d = d.Round(time.Minute)
	if m := int(d.Minutes()) % 60; m != 0 {
		return fmt.Sprintf("%d h %d min", int(d.Hours()), m)
	}
	return fmt.Sprintf("%d h", int(d.Hours()))
}

// howLong is what was asked for.
func howLong(a activation.Activation) string {
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
		return fmt.Sprintf(":hourglass_flowing_sand: %s asks for %s %s. *An approver is needed.*", whose, what(a), howLong(a))
	case activation.Scheduled:
		return fmt.Sprintf(":calendar: %s will have %s from %s %s.", whose, what(a), at(a.Request.Start), howLong(a))
	case activation.Provisioning, activation.Noticed, activation.Asked:
		return fmt.Sprintf(":gear: PIM is giving %s %s %s.", whose, what(a), howLong(a))
	case activation.Active:
		return fmt.Sprintf(":unlock: %s has %s until %s.", whose, what(a), at(a.Ends))
	case activation.Ending:
		return fmt.Sprintf(":unlock: %s is ending %s now.", whose, what(a))
	case activation.Verifying:
		return fmt.Sprintf(":lock: %s for %s ended at %s (%s). Making sure that it is gone.", what(a), whose, at(a.Ended), a.Outcome)
	}
	return sayClosedHeadline(a)
}

func sayClosedHeadline(a activation.Activation) string {
	switch {
	case a.Ended.IsZero():
		return fmt.Sprintf(":no_entry_sign: %s for %s: %s.", what(a), who(a.Person), a.Outcome)
	case unproven(a):
		return fmt.Sprintf(":warning: %s for %s ended at %s (%s). *That it is gone could not be proven everywhere.*", what(a), who(a.Person), at(a.Ended), a.Outcome)
	}
	return fmt.Sprintf(":white_check_mark: %s for %s is over since %s (%s), and gone.", what(a), who(a.Person), at(a.Ended), a.Outcome)
}

func unproven(a activation.Activation) bool {
	for _, t := range a.Targets {
		if t.Removal.State == activation.NotProven {
			return true
		}
	}
	return false
}

// sayCardNote says who decided, and what comes next.
func sayCardNote(a activation.Activation) string {
	var parts []string
	if d := a.Decision; d != nil {
		parts = append(parts, sayDecidedBy(*d))
	}
	if a.Watched {
		parts = append(parts, "Activated in Entra, noticed here.")
	}
	if a.Phase == activation.AwaitingApproval {
		parts = append(parts, "PIM asks for an approval; it waits until "+at(a.Request.Created.Add(activation.ApprovalWindow))+".")
	}
	return strings.Join(parts, " ")
}

func sayDecidedBy(d activation.Decision) string {
	verb := "Denied"
	if d.Approve {
		verb = "Approved"
	}
	by := who(d.By)
	if d.By == (activation.Person{}) {
		by = "an approver in Entra"
	}
	s := fmt.Sprintf("%s by %s at %s", verb, by, clockOf(d.At))
	if !d.Here && d.By != (activation.Person{}) {
		s += " in Entra"
	}
	return s + "."
}

// saySignFor asks a person to confirm a deed in the browser.
func saySignFor(a activation.Activation, d activation.Pending) string {
	what := sayDeed(a, d.Warrant.Deed)
	extra := ""
	if d.Claims != "" {
		extra = " Entra wants a stronger sign-in for this."
	}
	return fmt.Sprintf("To %s, confirm with your sign-in by %s.%s", what, clockOf(d.Warrant.Expires), extra)
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
	return fmt.Sprintf("end your access to %s", what(a))
}

// saySignedFor replaces the link once the deed is settled.
func saySignedFor(a activation.Activation) string {
	switch {
	case a.Decision != nil:
		return fmt.Sprintf("%s for %s: %s", what(a), who(a.Person), sayDecidedBy(*a.Decision))
	case a.Phase == activation.AwaitingApproval:
		return fmt.Sprintf("%s for %s still waits for an approver. This link is used up or too old; press the button on the card again if you want to decide.", what(a), who(a.Person))
	}
	return sayHeadline(a)
}

func sayAsked(a activation.Activation) string {
	return fmt.Sprintf("Asking Entra for %s %s. I'll write to you when it works.", what(a), howLong(a))
}

var (
	dateToken = regexp.MustCompile(`<!date\^\d+\^[^|>]*\|([^>]*)>`)
	emoji     = regexp.MustCompile(`:[a-z_]+: ?`)
	tagged    = regexp.MustCompile(`\s*\[pag [A-Z2-7]{4}\]$`)
)

// flat is a line for notifications, where no markup is shown but mentions are.
func flat(mrkdwn string) string {
	s := dateToken.ReplaceAllString(mrkdwn, "$1")
	return strings.ReplaceAll(emoji.ReplaceAllString(s, ""), "*", "")
}

// tagAt is where our tag begins in a justification; -1: there is none.
func tagAt(s string) int {
	if m := tagged.FindStringIndex(s); m != nil {
		return m[0]
	}
	return -1
}
