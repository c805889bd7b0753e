// Package demo is a small company that does not exist: a Slack workspace, an
// Entra tenant with PIM for Groups, and an Azure DevOps organization, with a
// few role-named people in it. The demo and the end-to-end tests run the real
// bot in it; any other client can be pointed at it.
package demo

import (
	"net/http"
	"strings"
	"time"

	"pagbot/sim/devops"
	"pagbot/sim/entra"
	"pagbot/sim/provision"
	"pagbot/sim/slack"
	"pagbot/sim/target"
)

// Place is where the company's services are reached, as base URLs.
type Place struct {
	Slack     string `json:"slack"`
	Graph     string `json:"graph"`
	Authority string `json:"authority"` // https, as MSAL insists
	DevOps    string `json:"devops"`
	Pages     string `json:"pages"` // the bot's sign-in pages
}

// Member is one human of the company: a Slack user and, mostly, accounts.
type Member struct {
	Slack    string   `json:"slack"`
	Accounts []string `json:"accounts"` // object ids
	Name     string   `json:"name"`
}

// Worlds are the company's services, with everything that was put into them.
type Worlds struct {
	Slack  *slack.World
	Entra  *entra.World
	DevOps *devops.World
	Place  Place
	// Provisioning is how Entra writes to applications, as Graph shows it; nil: no
	// application is provisioned.
	Provisioning *provision.World
	Also         map[string]http.Handler // what else is served, by base URL

	Team    slack.Team
	App     slack.App
	Channel slack.Channel // where the cards go
	Reader  entra.App
	SignIn  entra.App
	Groups  map[string]entra.Group
	People  map[string]Member

	now func() time.Time // the world's
}

// Names of the people and groups.
const (
	Requester = "requester"
	Approver  = "approver"
	Second    = "second-approver"
	Colleague = "colleague" // eligible for release-managers, and nothing else
	Outsider  = "outsider"  // a member of the workspace whom nobody bound

	DevOpsAdmins = "devops-admins"    // needs an approval; Project Collection Administrators
	Releasers    = "release-managers" // no approval; Project Collection Administrators
	Vault        = "vault-readers"    // an authentication context, so a step-up
	Standing     = "platform-team"    // always in Project Collection Administrators
)

// Clocks are the two clocks of the worlds; nil is the machine's.
type Clocks struct {
	World func() time.Time // PIM, directory, propagation, timestamps of messages
	Wire  func() time.Time // tokens and sessions
}

func (c Clocks) orReal() Clocks {
	if c.World == nil {
		c.World = time.Now
	}
	if c.Wire == nil {
		c.Wire = time.Now
	}
	return c
}

// Found founds the company: services, people, groups, role settings.
func Found(p Place, c Clocks) (*Worlds, error) {
	c = c.orReal()
	w := &Worlds{Place: p, Groups: map[string]entra.Group{}, People: map[string]Member{}, now: c.World}
	w.Slack = slack.New(slack.Config{Seed: 1, Now: c.World, BaseURL: p.Slack})
	w.Entra = entra.New(entra.Config{Seed: 1, Now: c.World, Wire: c.Wire, Tenant: "6f0c9b1e-0d5e-4c3a-9a57-3f1d5f1f7a10",
		Extra: map[string]string{p.Graph: entra.GraphAudience, defenderAudience: defenderAudience}})
	w.workspace()
	w.tenant()
	if err := w.access(); err != nil {
		return nil, err
	}
	return w, w.organization(c)
}

func (w *Worlds) workspace() {
	w.Team = w.Slack.AddTeam(slack.Team{ID: "T0CONTOSO", Domain: "contoso", Name: "Contoso"})
	w.App = w.Slack.AddApp(slack.App{ID: "A0PAGBOT", Name: "pagbot", Team: w.Team.ID, Scopes: strings.Fields("commands chat:write files:write users:read channels:read groups:read"),
		Events: []string{"app_home_opened"}, Commands: []slack.Command{{Name: "/pag", Escape: true}}})
	var members []string
	for _, name := range []string{Requester, Approver, Second, Colleague, Outsider} {
		u := w.Slack.AddUser(slack.User{ID: "U0" + strings.ToUpper(strings.ReplaceAll(name, "-", "")), Team: w.Team.ID, Name: name, RealName: name, TZ: "Europe/Berlin"})
		w.People[name] = Member{Slack: u.ID, Name: name}
		members = append(members, u.ID)
	}
	w.Channel = w.Slack.AddChannel(slack.Channel{ID: "C0PAGCARDS", Team: w.Team.ID, Name: "privileged-access", Private: true, Members: append(members, w.App.BotUser)})
}

// tenant makes the accounts, the two registrations and the groups.
func (w *Worlds) tenant() {
	for _, name := range []string{Requester, Approver, Second, Colleague} {
		u := w.Entra.AddUser(entra.User{UPN: "adm-" + name + "@contoso.example", Mail: "adm-" + name + "@contoso.example", Name: name})
		m := w.People[name]
		m.Accounts = append(m.Accounts, u.ID)
		w.People[name] = m
	}
	w.Reader = w.Entra.AddApp(entra.App{Name: "pagbot reader", Secret: "reader-secret", Roles: []string{"PrivilegedEligibilitySchedule.Read.AzureADGroup",
		"PrivilegedAssignmentSchedule.Read.AzureADGroup", "RoleManagementPolicy.Read.AzureADGroup", "GroupMember.Read.All", "User.Read.All"}})
	w.SignIn = w.Entra.AddApp(entra.App{Name: "pagbot sign-in", Secret: "signin-secret", Redirects: []string{w.Place.Pages + "/callback"},
		Delegated: []string{"PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup"}})
	for _, name := range []string{DevOpsAdmins, Releasers, Vault, Standing} {
		w.Groups[name] = w.Entra.AddGroup(entra.Group{Name: name, RoleAssignable: true})
	}
}

// access sets PIM's rules, who is eligible, and who stands in a group for good.
func (w *Worlds) access() error {
	approvers := []entra.Approver{{User: w.Account(Approver)}, {User: w.Account(Second)}}
	rules := map[string]func(*entra.Settings){
		DevOpsAdmins: func(s *entra.Settings) {
			s.Justification, s.MFA, s.Approval, s.ApproverWords, s.Approvers = true, true, true, true, approvers
		},
		Releasers: func(s *entra.Settings) { s.Justification, s.Ticketing, s.MaxDuration = true, false, 4*time.Hour },
		Vault:     func(s *entra.Settings) { s.Justification, s.AuthContext = true, "c1" },
	}
	for name, rule := range rules {
		s := entra.DefaultSettings()
		rule(&s)
		if err := w.Entra.SetSettings(w.Groups[name].ID, "member", s); err != nil {
			return err
		}
		if _, err := w.Entra.AddEligibility(w.Groups[name].ID, "member", w.Account(Requester), time.Time{}); err != nil {
			return err
		}
	}
	// The approver works in Azure DevOps anyway; all of them may release.
	for _, name := range []string{Approver, Second, Colleague} {
		if _, err := w.Entra.AddEligibility(w.Groups[Releasers].ID, "member", w.Account(name), time.Time{}); err != nil {
			return err
		}
	}
	return w.Entra.AddTie(w.Groups[Standing].ID, "member", w.Account(Approver))
}

func (w *Worlds) organization(c Clocks) error {
	var users []devops.User
	for _, name := range []string{Requester, Approver, Second, Colleague} {
		users = append(users, devops.User{OID: w.Account(name), UPN: "adm-" + name + "@contoso.example", Name: name, Standing: true, SignedIn: true})
	}
	var err error
	w.DevOps, err = devops.New(devops.Config{Seed: 1, Now: c.World, Wire: c.Wire, Tenant: w.Entra.Tenant(), Directory: w.Entra,
		Verify: func(token string) (devops.Caller, error) {
			claims, err := w.Entra.Verify(token, entra.DevOpsAudience)
			oid, _ := claims["oid"].(string)
			return devops.Caller{OID: oid}, err
		},
		Orgs: []devops.Org{{Name: "contoso", Groups: []string{w.Groups[DevOpsAdmins].ID, w.Groups[Releasers].ID, w.Groups[Standing].ID},
			Phase: 13 * time.Minute, Users: users, Readers: []string{w.Reader.Principal}}}})
	return err
}

// Account is a person's (first) object id.
func (w *Worlds) Account(name string) string { return w.People[name].Accounts[0] }

// Person is a person in Slack.
func (w *Worlds) Person(name string) *slack.Person { return w.Slack.Person(w.People[name].Slack) }

// graph serves Graph below /v1.0 and /beta, the management of the simulator below /manage/.
func (w *Worlds) graph() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/manage/", http.StripPrefix("/manage", w.Entra.Manage()))
	mux.Handle("/", w.Entra.Graph())
	if w.Provisioning == nil {
		return mux
	}
	mux.Handle("/manage/provisioning/", http.StripPrefix("/manage/provisioning", w.Provisioning.Manage()))
	theirs := w.Provisioning.Handler()
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if provision.Serves(r) {
			theirs.ServeHTTP(rw, r)
			return
		}
		mux.ServeHTTP(rw, r)
	})
}

// Provision lets Graph show how Entra writes to some applications. It is to be
// told before the company's services are served.
func (w *Worlds) Provision(c Clocks, apps ...provision.App) (err error) {
	c = c.orReal()
	w.Provisioning, err = provision.New(provision.Config{Seed: 1, Now: c.World, Wire: c.Wire, Tenant: w.Entra.Tenant(), Apps: apps,
		Verify: func(token string) (target.Caller, error) {
			claims, err := w.Entra.Verify(token, entra.GraphAudience)
			return target.CallerOf(claims), err
		}})
	return err
}

func (w *Worlds) devops() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/manage/", http.StripPrefix("/manage", w.DevOps.Manage()))
	mux.Handle("/", w.DevOps.Handler())
	return mux
}

// Close ends what runs inside.
func (w *Worlds) Close() { w.Slack.Close() }
