package e2e

import (
	"maps"
	"testing"
	"time"

	"pagbot/internal/demo"
	"pagbot/sim/entra"
	"pagbot/sim/slack"
)

// Who may not: the same button, by everybody who has no business pressing it.

// onlyApprover leaves one approver for the group; the second is then a bound
// member like any other.
func onlyApprover(w *demo.Worlds) { approvedBy(w, w.Account(demo.Approver)) }

func approvedBy(w *demo.Worlds, accounts ...string) {
	s := justified()
	s.MFA, s.Approval, s.ApproverWords = true, true, true
	for _, oid := range accounts {
		s.Approvers = append(s.Approvers, entra.Approver{User: oid})
	}
	if err := w.Entra.SetSettings(w.Groups[demo.DevOpsAdmins].ID, "member", s); err != nil {
		panic(err)
	}
}

// justified are role settings that want a reason and nothing else.
func justified() entra.Settings {
	s := entra.DefaultSettings()
	s.Justification = true
	return s
}

// secondAccount gives the requester another account, which PIM takes for an
// approver.
func secondAccount(w *demo.Worlds) {
	u := w.Entra.AddUser(entra.User{UPN: "second-of-requester@contoso.example", Name: "requester's second account"})
	m := w.People[demo.Requester]
	m.Accounts = append(m.Accounts, u.ID)
	w.People[demo.Requester] = m
	approvedBy(w, w.Account(demo.Approver), u.ID)
}

const second = "second-of-requester@contoso.example"

func TestAttackSelfApproval(t *testing.T) {
	own := func(account string) func(*town) {
		return func(w *town) {
			card := w.asked()
			w.nothing(func() {
				for _, action := range []string{"approve", "deny"} {
					w.told(w.insists(press{by: demo.Requester, on: slack.Click{TS: card.TS, Action: action}, account: account}), ownRequest)
				}
			})
			if views := w.Person(demo.Requester).Views(); len(views) > 0 {
				w.t.Error("a form opened for a requester to decide about themselves")
			}
		}
	}
	t.Run("own account", func(t *testing.T) {
		inTown(t, setup{found: func(w *demo.Worlds) { approvedBy(w, w.Account(demo.Approver), w.Account(demo.Requester)) }}, own(""))
	})
	t.Run("second account", func(t *testing.T) { inTown(t, setup{found: secondAccount}, own(second)) })
}

// TestAttackSelfApprovalByForm sends the approver's form as the requester: the
// card's gate is not the only one.
func TestAttackSelfApprovalByForm(t *testing.T) {
	inTown(t, setup{found: secondAccount}, func(w *town) {
		card := w.asked()
		w.presses(demo.Approver, card, "approve")
		w.rest(5 * time.Second)
		view := w.Person(demo.Approver).Views()[0]
		w.nothing(func() {
			seen := w.everything()
			w.submits(demo.Requester, view, nil)
			w.told(w.follows(demo.Requester, second, seen), ownRequest)
		})
	})
}

// TestAttackSelfApprovalInPortal asks in the portal with one account and
// presses Approve on the bot's card with another of the same person.
func TestAttackSelfApprovalInPortal(t *testing.T) {
	inTown(t, setup{found: secondAccount}, func(w *town) {
		if _, err := w.Entra.Portal(w.Account(demo.Requester)).Activate(w.Groups[demo.DevOpsAdmins].ID, "member", time.Hour, "from the portal"); err != nil {
			w.t.Fatal(err)
		}
		card := w.sees(demo.Requester, w.Channel.ID, 5*time.Minute, "devops-admins", "An approver is needed")
		w.nothing(func() {
			w.told(w.insists(press{by: demo.Requester, on: slack.Click{TS: card.TS, Action: "approve"}, account: second}), ownRequest)
		})
	})
}

func TestAttackNonApprover(t *testing.T) {
	inTown(t, setup{found: onlyApprover}, func(w *town) {
		card := w.asked()
		w.nothing(func() {
			w.told(w.insists(press{by: demo.Second, on: slack.Click{TS: card.TS, Action: "approve"}}), notApprover)
		})
		if len(w.Person(demo.Second).Views()) > 0 {
			w.t.Error("a form opened for somebody who is no approver")
		}
	})
}

// TestAttackFormerApprover is an approver while they press, and none any more
// when they confirm in the browser.
func TestAttackFormerApprover(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		link := w.voted(w.asked())
		approvedBy(w.Worlds, w.Account(demo.Second))
		w.nothing(func() { w.told(w.confirms(demo.Approver, w.browser(), link), "Your decision was not taken") })
		w.hears(demo.Approver, notAssigned)
	})
}

// TestAttackUnbound is a member of the workspace whom nobody bound to an
// account.
func TestAttackUnbound(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		card := w.asked()
		w.nothing(func() {
			for _, action := range []string{"approve", "deny"} {
				w.told(w.insists(press{by: demo.Outsider, on: slack.Click{TS: card.TS, Action: action}}), notBound)
			}
			w.told(w.commands(demo.Outsider, `/pag activate release-managers 1h "let me in"`), notBound)
		})
	})
}

// commands types a command and goes on wherever it leads.
func (w *town) commands(name, text string) string {
	w.t.Helper()
	seen := w.everything()
	w.types(name, text)
	w.rest(3 * time.Second)
	return w.follows(name, "", seen)
}

// member is one kind of user that must not get anywhere, though they are bound
// to an approver's account.
type member struct {
	name string
	edit func(*slack.User)
	as   func(map[string]any) // how the frames describe them
}

var members = []member{
	{name: "guest", edit: func(u *slack.User) { u.Restricted = true }},
	{name: "single-channel guest", edit: func(u *slack.User) { u.UltraRestricted = true }},
	{name: "stranger", edit: func(u *slack.User) { u.Stranger = true }},
	{name: "bot", edit: func(u *slack.User) { u.Bot = true }},
	{name: "app user", edit: func(u *slack.User) { u.AppUser = true }},
	{name: "workflow bot", edit: func(u *slack.User) { u.WorkflowBot = true }},
	{name: "connector bot", edit: func(u *slack.User) { u.ConnectorBot = true }},
	{name: "deleted", as: from("U0GONE")},
	{name: "unknown", as: from("U0NOBODY")},
	{name: "nobody", as: from("")},
	{name: "outsider", edit: func(u *slack.User) { u.Team = "T0FABRIKAM" }},
	{name: "outsider who lies", edit: func(u *slack.User) { u.Team = "T0FABRIKAM" }, as: ofTeam("T0CONTOSO")},
	{name: "team of another", as: ofTeam("T0FABRIKAM")},
	{name: "no team", as: func(p map[string]any) { ofTeam("")(p); p["team"] = map[string]any{}; p["team_id"] = "" }},
	{name: "other app", as: func(p map[string]any) { p["api_app_id"] = "A0INTRUDER" }},
	{name: "no app", as: func(p map[string]any) { delete(p, "api_app_id") }},
}

// from says that a frame is of another user.
func from(id string) func(map[string]any) {
	return func(p map[string]any) { changed(p, "id", id); p["user_id"] = id }
}

// ofTeam says that its user is of another team.
func ofTeam(id string) func(map[string]any) {
	return func(p map[string]any) { changed(p, "team_id", id); p["team_id"] = id }
}

func changed(p map[string]any, field, value string) {
	if u, ok := p["user"].(map[string]any); ok {
		u = maps.Clone(u)
		u[field] = value
		p["user"] = u
	}
}

// TestAttackMember presses, submits and types as each of them. The approver's
// own accounts are behind it, so that only what Slack says of the user stands
// between the frame and the write.
func TestAttackMember(t *testing.T) {
	for _, m := range members {
		t.Run(m.name, func(t *testing.T) {
			inTown(t, setup{found: strangers}, func(w *town) {
				card := w.asked()
				w.rest(2 * time.Minute) // what Slack said of people is asked anew
				if m.edit != nil {
					w.Slack.EditUser(w.People[demo.Approver].Slack, m.edit)
				}
				w.nothing(func() {
					w.told(w.insists(press{by: demo.Approver, on: slack.Click{TS: card.TS, Action: "approve"}, as: m.as}), notHere)
					w.told(w.injects(demo.Approver, "activate release-managers 1h nothing", m.as), notHere)
				})
			})
		})
	}
}

// strangers adds a foreign team, and a user who has left and was an approver.
func strangers(w *demo.Worlds) {
	w.Slack.AddTeam(slack.Team{ID: "T0FABRIKAM", Domain: "fabrikam", Name: "Fabrikam"})
	w.Slack.AddUser(slack.User{ID: "U0GONE", Team: w.Team.ID, Name: "gone", Deleted: true})
	u := w.Entra.AddUser(entra.User{UPN: "adm-gone@contoso.example", Name: "gone"})
	w.People["gone"] = demo.Member{Slack: "U0GONE", Name: "gone", Accounts: []string{u.ID}}
	approvedBy(w, w.Account(demo.Approver), u.ID)
	for _, oid := range []string{w.Account(demo.Approver), u.ID} {
		if _, err := w.Entra.AddEligibility(w.Groups[demo.Releasers].ID, "member", oid, time.Time{}); err != nil {
			panic(err)
		}
	}
}

// injects sends a slash command's frame as made by hand; the answer goes to the
// attacker, by the response URL of their last click.
func (w *town) injects(by, text string, as func(map[string]any)) string {
	w.t.Helper()
	seen := w.everything()
	var url any
	for _, e := range w.Slack.History(slack.Query{Kind: "envelope", User: w.People[by].Slack}) {
		if click, ok := e.Request.(map[string]any); ok && click["response_url"] != nil {
			url = click["response_url"]
		}
	}
	payload := map[string]any{"token": "legacy", "team_id": w.Team.ID, "channel_id": w.Channel.ID, "user_id": w.People[by].Slack,
		"command": "/pag", "text": text, "api_app_id": w.App.ID, "response_url": url, "trigger_id": "1.2.3"}
	if as != nil {
		as(payload)
	}
	if _, err := w.Slack.Inject(w.t.Context(), w.App.ID, "slash_commands", payload); err != nil {
		w.t.Fatal(err)
	}
	return w.follows(by, "", seen)
}

// TestAttackUnknown presses while Slack says nothing of anybody: failing to look
// somebody up lets nobody in.
func TestAttackUnknown(t *testing.T) {
	faults := map[slack.Fault]string{
		{Kind: "status", Status: 500}:              broke,
		{Kind: "error", Error: "fatal_error"}:      broke,
		{Kind: "error", Error: "missing_scope"}:    broke,
		{Kind: "error", Error: "user_not_found"}:   notHere,
		{Kind: "error", Error: "user_not_visible"}: notHere,
		{Kind: "empty"}:                            broke,
		{Kind: "bad_json"}:                         broke,
		{Kind: "reset"}:                            broke,
	}
	for f, words := range faults {
		t.Run(f.Kind+f.Error, func(t *testing.T) {
			inTown(t, setup{}, func(w *town) {
				card := w.asked()
				w.rest(2 * time.Minute)
				f.Method, f.Count = "users.info", 100
				w.Slack.Fail(f)
				w.nothing(func() {
					seen := w.everything()
					w.insists(press{by: demo.Approver, on: slack.Click{TS: card.TS, Action: "approve"}})
					w.rest(time.Minute)
					w.told(w.follows(demo.Approver, "", seen), words)
				})
				if len(w.Person(demo.Approver).Views()) > 0 {
					w.t.Error("a form opened for somebody of whom Slack said nothing")
				}
			})
		})
	}
}
