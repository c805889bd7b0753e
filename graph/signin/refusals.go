package signin

import (
	"net/http"
	"strings"
	"time"

	"pagbot/activation"
)

// no is a page that says what was not done, and what to do.
func no(status int, title, lead, next string) page {
	return page{Status: status, Tone: "bad", Title: title, Lead: lead, Next: next}
}

const (
	nothing  = "Nothing was done."
	askAgain = "Go back to Slack and ask again there: that makes a new link."
)

// The refusals that need no names.
var (
	pageNothingHere = no(404, "There is nothing here", "This address leads nowhere.", "Use the link that Slack shows you.")
	pageBadLink     = no(404, "This link is not one of ours", nothing, "Use the link exactly as Slack shows it, or ask again in Slack.")
	pageExpired     = no(410, "This link has expired", nothing, askAgain)
	pageNoDeed      = page{Status: 410, Tone: "wait", Title: "Nothing waits for you here", Lead: "What this link was for is done, decided or refused already, or its time is over.",
		Next: "Slack shows how it went. If you still want it, ask again there."}
	pageBadWarrant   = no(403, "This request cannot be trusted", "It was changed since it was made, so nothing is done with it.", "Ask again in Slack, and tell your administrator.")
	pageChanged      = no(409, "This has changed since you asked", "What would be done now is not what you were shown. "+nothing, askAgain)
	pageUsedState    = no(400, "This sign-in is over", "It was used already, or took longer than ten minutes. "+nothing, "Open the link in Slack again.")
	pageUsedStep     = no(410, "This page was used already", "It works once, for ten minutes.", "Slack shows what has happened. To begin again, open the link there.")
	pageOtherBrowser = no(403, "This began in another browser", nothing, "Open the link in Slack again, in one browser from beginning to end, with cookies allowed.")
	pageNotOurForm   = no(403, "That did not come from this page", nothing, "Open the link in Slack again, with cookies allowed.")
	pageNotOurs      = no(403, "That sign-in was not for this", "The answer from Microsoft belongs to another sign-in. "+nothing, "Open the link in Slack again, and tell your security team if it happens twice.")
	pageNotFresh     = no(403, "Microsoft did not ask you just now", "This needs a sign-in of the last ten minutes, and Microsoft did not say that it was one. "+nothing,
		"Try again. If it stays, an administrator must add the optional claim auth_time to the id token of the sign-in registration.")
	pageFramed = no(403, "This page stands alone", "Another page wants to show it inside itself. "+nothing, "Open the link in Slack directly, and tell your security team where you saw this.")
	pageBusy   = no(503, "Too many sign-ins at once", nothing, "Wait ten minutes and open the link in Slack again.")
)

func pageOtherTenant(got activation.Person) *page {
	p := no(403, "That account is of another organization", "You are signed in as "+shown(got)+". "+nothing, "Sign in with the account that Slack's message names.")
	return &p
}

func pageWrongAccount(got, need activation.Person) *page {
	p := no(403, "Wrong account", "This needs another account than the one that you signed in with. "+nothing, "Sign in with "+shown(need)+": it is the account that the request was made for.")
	p.Rows = []row{{"Signed in as", shown(got)}, {"Needed", shown(need)}}
	return &p
}

func pageNotMapped(got activation.Person, slack activation.SlackUser) *page {
	p := no(403, "This account is not yours here", "Nothing says that "+shown(got)+" belongs to Slack user "+slack.ID+". "+nothing,
		"Sign in with your own account. If it is yours, ask your administrator to bind it to your Slack user: in the mapping of people, or in its entry in Entra.")
	p.Rows = []row{{"Signed in as", shown(got)}, {"Slack user", slack.ID}, {"Slack team", slack.Team}}
	return &p
}

func pageGuest(got activation.Person) *page {
	p := no(403, "Guests can't act here", shown(got)+" is a guest in this organization. "+nothing, "Sign in with an account of this organization, or ask your administrator to put yours into the mapping of people.")
	return &p
}

func pageNeedsAllowing(got activation.Person, slack activation.SlackUser) *page {
	p := no(403, "An administrator must allow this", "Slack user "+slack.ID+" has an account here already, and "+shown(got)+" would be one more. "+nothing,
		"Ask your administrator to run: pagbot people allow "+slack.ID+". Then sign in again, within a day.")
	p.Rows = []row{{"Signed in as", shown(got)}, {"Slack user", slack.ID}}
	return &p
}

// pageAuthority explains a no of the authority.
func pageAuthority(err error, ref string) page {
	f, _ := asFailure(err)
	p, ok := authorityWords[f.code]
	switch {
	case ok:
	case f.word == "cancelled" || f.word == "access_denied":
		p = gaveUp
	case f.word == "consent_required":
		p = consent
	case f.word == "interaction_required":
		p = mfa
	default:
		p = puzzled
	}
	p.Small = "For your administrator: reference " + ref
	if f.code != "" {
		p.Small += ", AADSTS" + f.code
	}
	p.Small += "."
	return p
}

// refusalNext is what to do about a refusal of PIM or of pagbot.
var refusalNext = map[activation.Code][2]string{
	activation.NotEligible:      {"You are not eligible for this group", "Ask whoever runs the group for an eligibility."},
	activation.AlreadyActive:    {"This access is active already", "Nothing more to do; /pag list shows it."},
	activation.AlreadyPending:   {"A request for this waits already", "Wait for its approvers, or withdraw it in Slack first."},
	activation.TooLong:          {"That is longer than PIM allows", "Ask again in Slack for a shorter time."},
	activation.TooShort:         {"That is shorter than PIM allows", "Ask again in Slack for at least five minutes."},
	activation.ReasonMissing:    {"PIM wants a reason", "Ask again in Slack with a reason."},
	activation.TicketMissing:    {"PIM wants a ticket number", "Ask again in Slack with a ticket."},
	activation.NeedsMFA:         {"PIM wants multifactor authentication", "Ask again in Slack and complete it when Microsoft asks."},
	activation.NeedsContext:     {"PIM wants a stronger sign-in than you gave", "Ask your administrator what the group's authentication context needs, such as a compliant device."},
	activation.AlreadyAgreed:    {"You have agreed already", "It counts once. Another approver must agree, too."},
	activation.Paced:            {"This begins in a moment", "Others have just started; it goes on by itself. Slack tells you when."},
	activation.TooEarly:         {"It is too early to end this", "PIM keeps an activation for five minutes. Try again then."},
	activation.AlreadyDecided:   {"Already decided", "Somebody was quicker. Slack shows how it went."},
	activation.NotApprover:      {"You are not an approver here", "Ask whoever runs the group."},
	activation.NotAssigned:      {"This request is not yours to decide", "Ask another approver."},
	activation.OwnRequest:       {"Nobody approves their own request", "Ask another approver."},
	activation.WarrantExpired:   {"You took longer than allowed", askAgain},
	activation.Lapsed:           {"It could not be done in time", askAgain},
	activation.ConsentMissing:   {"This app is not allowed yet", "Ask your administrator to grant admin consent to the sign-in app."},
	activation.PermissionNeeded: {"This app lacks a permission", "Ask your administrator to grant it to the sign-in app."},
	activation.LicenceMissing:   {"Your tenant lacks a licence for this", "Ask your administrator: PIM needs Entra ID P2 or Governance."},
	activation.BlockedByPolicy:  {"Blocked by Conditional Access", "Try from your usual device and network, or ask your administrator."},
	activation.Throttled:        {"Entra is too busy", "Try again in a few minutes."},
	activation.Quarantined:      {"Entra writes nothing to this application at the moment", "Ask your administrator to look at its provisioning."},
	activation.NotProvisioned:   {"Entra has nothing to write to this application", "Ask your administrator to look at its provisioning."},
	activation.Unavailable:      {"Entra did not answer", "Try again in a few minutes."},
	activation.Changed:          {"This has changed since you asked", askAgain},
	activation.RulesFailed:      {"PIM's rules said no", "Tell your administrator which rules PIM named."},
	activation.TicketUnfit:      {"This ticket is not of the form that is wanted here", "Ask again in Slack with a ticket of that form."},
	activation.TicketUnknown:    {"The ticket system does not take this ticket", "Ask again in Slack with an open one."},
	activation.TicketUnchecked:  {"The ticket system could not be asked", "Ask again in Slack in a few minutes."},
	activation.TooOften:         {"You have asked for this too often in vain", "Slack says when you may ask again. Talk to an approver meanwhile."},
	activation.EndPassed:        {"There is nothing left to approve", "The end that it was asked for has passed. It can be withdrawn in Slack and asked for again."},
	activation.Excluded:         {"Another access excludes this one", "pagbot's rule, not PIM's. /pag switch in Slack leaves the one for the other."},
	activation.NotEnded:         {"Nothing new was asked for", "What you have could not be ended first, and goes on; /pag status shows it."},
	activation.NotActive:        {"This access is not active", "Nothing to end; /pag status shows what you have."},
	activation.NotPending:       {"This request waits no more", "Slack shows how it went."},
	activation.WarrantBad:       {"This confirmation is no longer good", askAgain},
	activation.WrongPerson:      {"Wrong account", "Open the link in Slack again, and sign in with the account that its message names."},
	activation.NotBound:         {"This account is not yours here", "Type /pag signin in Slack, or ask your administrator to add you to the mapping of people."},
	activation.SignedOut:        {"You have signed out", "It was called off. " + askAgain},
	activation.NotAllowedHere:   {"You can't do that here", "Only full members of the workspace can. Ask your administrator."},
	activation.Broken:           {"Something broke here", "Try again in a minute. If it stays, tell your administrator the reference."},
}

// pageRefusal says why a deed was refused.
func pageRefusal(r activation.Refusal, clock func(time.Time) string) page {
	words, ok := refusalNext[r.Code]
	if !ok {
		words = [2]string{"It was refused", slackShowsWhy}
	}
	p := no(http.StatusOK, words[0], "PIM or pagbot refused it; you have no new access.", words[1])
	switch r.Code {
	case activation.WarrantExpired, activation.SignedOut, activation.Lapsed, activation.EndPassed:
		p.Lead = nothing // nobody refused it: it was never asked for
	}
	if r.Code == activation.TooLong && r.Max > 0 {
		p.Lead = "The longest that this group's settings allow is " + spell(time.Duration(r.Max)) + "."
	}
	if r.Code == activation.AlreadyActive && !r.Until.IsZero() {
		p.Lead = "It lasts until " + clock(r.Until) + "."
	}
	if r.Code == activation.RulesFailed && len(r.Rules) == 0 {
		p.Next = "PIM did not say which. Tell your administrator."
	}
	if len(r.Rules) > 0 {
		p.Small = "PIM named: " + strings.Join(r.Rules, ", ")
	}
	if r.Ref != "" {
		p.Small = strings.TrimSpace(p.Small + " Reference for your administrator: " + r.Ref)
	}
	return p
}
