package signin

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"pagbot/activation"
)

// Every sentence that a person reads in the browser is in this file and in
// refusals.go.

// deedWords are the words for one deed: what is asked, of the group, what led
// here, and the last button.
type deedWords struct{ ask, lead, button string }

var deedAsk = map[activation.Deed]deedWords{
	activation.Submit:  {"Activate %s?", "You asked in Slack to activate this access for yourself.", "Yes, activate"},
	activation.End:     {"End %s now?", "You asked in Slack to end this access before its time.", "Yes, end it"},
	activation.Cancel:  {"Withdraw your request for %s?", "You asked in Slack to withdraw it.", "Yes, withdraw"},
	activation.Approve: {"Approve %s?", "You clicked Approve in Slack: this person gets the access.", "Yes, approve"},
	activation.Deny:    {"Deny %s?", "You clicked Deny in Slack: this person does not get the access.", "Yes, deny"},
}

// question is what the person decides, in one line.
func question(a activation.Activation, deed activation.Deed) string {
	return fmt.Sprintf(deedAsk[deed].ask, groupName(a.Group))
}

// pageDeed is what a link shows.
func (s *Service) pageDeed(a activation.Activation, p activation.Pending) page {
	w := deedAsk[p.Warrant.Deed]
	small := "Nothing has happened yet. You sign in at Microsoft, and then confirm here once more."
	if p.Claims != "" {
		w.lead = surer
	}
	return page{Title: question(a, p.Warrant.Deed), Lead: w.lead, Rows: s.deedRows(a, p), Button: "Continue to Microsoft sign-in", away: true,
		Small: small + " Not you? Close this page and tell your security team. This link ends at " + s.clock(p.Warrant.Expires) + "."}
}

// pageConfirm is the deed once more, with who will have done it.
func (s *Service) pageConfirm(a activation.Activation, p activation.Pending, who activation.Person) page {
	w := deedAsk[p.Warrant.Deed]
	rows := s.deedRows(a, p)
	if who.SameAccount(a.Person) {
		rows = rows[1:] // for whom is who is signed in
	}
	rows = append([]row{{"Signed in as", shown(who)}}, rows...)
	return page{Title: question(a, p.Warrant.Deed), Lead: "Last step: this is done in your name.", Rows: rows, Button: w.button,
		Small: "If anything here is not what you want, close this page: nothing happens."}
}

func (s *Service) deedRows(a activation.Activation, p activation.Pending) []row {
	deed := p.Warrant.Deed
	whose := shown(a.Person)
	if p.Warrant.Actor.SameAccount(a.Person) {
		whose += " (you)"
	}
	rows := []row{{"For", whose}, {"Group", groupName(a.Group)}, {"Access", string(a.Access)}}
	t := a.Terms(deed, p.Reason)
	if !t.Start.IsZero() {
		rows = append(rows, row{"Starts", s.clock(t.Start)})
	}
	switch {
	case deed == activation.End:
		rows = append(rows, row{"Would end", s.clock(a.Ends)})
	case !t.Until.IsZero():
		rows = append(rows, row{"Until", s.clock(t.Until)})
	case t.Length != 0:
		rows = append(rows, row{"How long", spell(time.Duration(t.Length))})
	}
	add := func(name, value string) {
		if value != "" {
			rows = append(rows, row{name, value})
		}
	}
	add("Reason", a.Reason)
	add("Ticket", a.Ticket)
	add("Ticket not checked", a.Unchecked)
	add("Your words", p.Reason)
	return rows
}

func (s *Service) pageSignIn(slack activation.SlackUser) page {
	lead := "So that pagbot can act for you when you ask it to in Slack, without a sign-in each time."
	if !s.keeps() {
		lead = "pagbot checks that it knows you. It keeps no session: each deed asks you again."
	}
	return page{Title: "Sign in to pagbot?", Lead: lead, Rows: []row{{"Slack user", slack.ID}, {"Slack team", slack.Team}},
		Button: "Continue to Microsoft sign-in", away: true,
		Small: "Activations that need proof, and approvals, ask you each time all the same. Not you? Close this page and tell your security team."}
}

func pageBind(who activation.Person, m Member) page {
	user, team := slackName(who, m), who.Slack.Team
	if m.Name != "" {
		team = m.Team
	}
	return page{Title: "Is this Slack user you?",
		Lead:   "You, " + shown(who) + ", become Slack user " + user + " in " + team + ". What that user asks for in Slack is then asked for in your name.",
		Rows:   []row{{"Account", shown(who)}, {"Slack user", user}, {"Workspace", team}},
		Button: "Yes, that is me",
		Small:  "This is asked once. You find your own user id in Slack under Profile, Copy member ID. If this user is not you, or somebody sent you here, close this page and tell your security team."}
}

// slackName is a Slack user by the name that people know, if there is one.
func slackName(who activation.Person, m Member) string {
	if m.Name == "" {
		return who.Slack.ID
	}
	return "@" + m.Name + " (" + who.Slack.ID + ")"
}

// pageTypeCode shows the code that ties this browser to a Slack user.
func pageTypeCode(f *flow) page {
	user := f.who.Slack.ID
	if f.member.Name != "" {
		user = "@" + f.member.Name
	}
	p := page{Title: "Now show that " + user + " is you", Lead: "Type this in Slack, as " + user + ":",
		Code: "/pag signin " + f.code[:4] + "-" + f.code[4:], Rows: []row{{"Account", shown(f.who)}, {"Slack user", user}},
		Button: "I have typed it",
		Small:  "The code is good once, for ten minutes. Give it to nobody: whoever types it in Slack acts in your name. If somebody asked you for it, close this page and tell your security team."}
	if f.waited > 0 {
		p.Tone, p.Lead = "wait", "It has not arrived yet. Type this in Slack, as "+user+":"
	}
	return p
}

func (s *Service) pageKeep(who activation.Person, m Member) page {
	small := "It ends by itself after " + spell(s.cfg.Idle) + " without a deed, and after " + spell(s.cfg.Absolute) + " at the latest. End it sooner with /pag signout."
	if !s.keeps() {
		small = "No session is kept."
	}
	return page{Title: "Sign in to pagbot?", Lead: "Last step.", Rows: []row{{"Signed in as", shown(who)}, {"Slack user", slackName(who, m)}},
		Button: "Yes, sign me in", Small: small}
}

func (s *Service) pageKept(f *flow) page {
	small := "End it with /pag signout."
	if !s.keeps() {
		small = "No session is kept: each deed asks you to sign in."
	}
	return page{Tone: "good", Title: "You are signed in", Lead: shown(f.who) + " is known to pagbot as Slack user " + slackName(f.who, f.member) + ".",
		Next: "You can close this page and go back to Slack.", Small: small}
}

const surer = "Microsoft wants to be surer that it is you before this goes on."

func pageStepUp(again string) page {
	return page{Tone: "wait", Title: "One more check", Lead: surer,
		Next: "Continue, and sign in the way Microsoft asks for.", Again: again, Label: "Continue"}
}

var pageStillWorking = page{Tone: "wait", Title: "Still working", Lead: "You have confirmed; Entra has not answered yet.",
	Next: "You can close this page: Slack tells you what comes of it."}

const (
	backToSlack   = "You can close this page and go back to Slack."
	slackShowsWhy = "Slack shows why. You can close this page."
)

// outcome says what has become of a deed. deed is empty if only the
// activation is known.
func (s *Service) outcome(a activation.Activation, deed activation.Deed, warrant string) page {
	group := groupName(a.Group)
	if _, waits := a.Deed(warrant); waits {
		return pageStillWorking
	}
	switch {
	case a.Refusal != nil && (deed == activation.Submit || deed == "" && a.Phase == activation.Closed):
		return pageRefusal(*a.Refusal, s.clock)
	case deed == activation.Approve || deed == activation.Deny:
		return decided(a, deed == activation.Approve, warrant)
	case deed == activation.Cancel && (a.Phase == activation.AwaitingApproval || a.Phase == activation.Scheduled):
		return no(http.StatusConflict, "Not withdrawn", "Your request for "+group+" stands.", slackShowsWhy)
	case deed == activation.End && (a.Phase == activation.Active || a.Phase == activation.Ending):
		return no(http.StatusConflict, "Not ended", group+" is still active.", slackShowsWhy)
	case a.Phase == activation.AwaitingApproval:
		return page{Tone: "wait", Title: "Waiting for approval", Lead: "Your request for " + group + " is with its approvers.",
			Next: "You can close this page: Slack tells you when somebody has decided."}
	case a.Phase == activation.Scheduled:
		return page{Tone: "good", Title: "Accepted for later", Lead: "PIM will activate " + group + " when its time has come.", Next: backToSlack}
	case deed == activation.Submit && a.Phase == activation.Provisioning:
		return page{Tone: "good", Title: "Accepted", Lead: "PIM is activating " + group + ".", Next: "You can close this page: Slack tells you when it has, and when it works."}
	case deed == activation.Submit && a.Phase == activation.Active:
		return page{Tone: "good", Title: "Activated", Lead: "PIM has activated " + group + " until " + s.clock(a.Ends) + ".",
			Next: "Systems behind the group follow later: Slack tells you when it works there. You can close this page."}
	case deed == activation.End && (a.Phase == activation.Verifying || a.Phase == activation.Closed):
		return page{Tone: "good", Title: "Ended", Lead: "PIM has ended your access to " + group + ".",
			Next: "Systems behind the group follow later: Slack tells you when it is gone there. You can close this page."}
	case deed == activation.Cancel && a.Outcome == activation.Withdrawn:
		return page{Tone: "good", Title: "Withdrawn", Lead: "Your request for " + group + " is withdrawn.", Next: backToSlack}
	}
	return page{Tone: "wait", Title: "Nothing waits for you here", Lead: "What this link was for is decided or done already: " + nowWords(a) + ".",
		Next: "Slack shows how it went. You can close this page."}
}

// nowWords says where an activation is, for a link that came too late.
func nowWords(a activation.Activation) string {
	group := groupName(a.Group)
	switch a.Phase {
	case activation.Active, activation.Ending:
		return group + " is active"
	case activation.Provisioning, activation.Noticed:
		return "PIM is activating " + group
	case activation.Asked:
		return group + " has not been asked for yet"
	}
	return group + " is over, or was never given"
}

func decided(a activation.Activation, approve bool, warrant string) page {
	d, group := a.Decision, groupName(a.Group)
	switch {
	case d == nil && slices.ContainsFunc(a.Agreed, func(v activation.Agreed) bool { return v.Warrant == warrant }):
		return page{Tone: "good", Title: "Your yes counts", Lead: fmt.Sprintf("%d of %d approvers agreed that %s gets %s. PIM is told when the last of them has.", len(a.Agreed), a.Quorum, shown(a.Person), group), Next: backToSlack}
	case d == nil:
		return page{Status: 409, Tone: "bad", Title: "Your decision was not taken", Lead: "PIM or pagbot did not accept it for " + group + ": nothing is decided by it.",
			Next: slackShowsWhy}
	case !d.Here || d.Approve != approve:
		return page{Tone: "wait", Title: "Already decided", Lead: "Somebody was quicker: " + group + " for " + shown(a.Person) + " was decided before yours arrived.", Next: backToSlack}
	case approve:
		return page{Tone: "good", Title: "Approved", Lead: shown(a.Person) + " gets " + group + ".", Next: backToSlack}
	}
	return page{Tone: "good", Title: "Denied", Lead: shown(a.Person) + " does not get " + group + ".", Next: backToSlack}
}

func shown(p activation.Person) string {
	if p.Name != "" {
		return p.Name
	}
	return p.Object
}

func groupName(g activation.Group) string {
	if g.Name != "" {
		return g.Name
	}
	return g.ID
}

// clock is a moment as people say it.
func (s *Service) clock(t time.Time) string {
	if t.IsZero() {
		return "an unknown time"
	}
	return t.In(s.cfg.Zone).Format("15:04 MST, 2 January")
}

// spell is a duration as people say it.
func spell(d time.Duration) string {
	var parts []string
	h := int(d.Hours())
	if h >= 48 {
		parts = append(parts, plural(h/24, "day"))
		h %= 24
	}
	if h > 0 {
		parts = append(parts, plural(h, "hour"))
	}
	if m := int(d.Minutes()) % 60; m > 0 {
		parts = append(parts, plural(m, "minute"))
	}
	if len(parts) == 0 {
		return "less than a minute"
	}
	return strings.Join(parts, " ")
}

func plural(n int, word string) string {
	if n != 1 {
		word += "s"
	}
	return fmt.Sprintf("%d %s", n, word)
}

// asFailure reads a no of the authority, if it is one.
func asFailure(err error) (failure, bool) {
	var f failure
	return f, errors.As(err, &f)
}
