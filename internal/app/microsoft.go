package app

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"pagbot/activation"
	"pagbot/downstream"
	"pagbot/graph/signin"
)

// MicrosoftConfig is what the Microsoft kinds of targets need on top:
// directory-role, azure, intune and defender.
type MicrosoftConfig struct {
	// As whom it is asked, for intune and defender: application (the default,
	// which sees configuration only) or person, which needs a sign-in section
	// that keeps sessions.
	As string `yaml:"as"`
	// Role is a directory role's template id (for directory-role), or the id of a
	// role definition (for azure and defender); empty: whatever the group carries.
	Role string `yaml:"role"`
	// Scope is where Azure's role is assigned: /subscriptions/…
	Scope string `yaml:"scope"`
	// Ask is how Azure is asked: assigned (the default: configuration only),
	// check (Resource Manager's checkaccess) or pdp (the policy engine's own
	// address, given as api).
	Ask string `yaml:"ask"`
	// Action is what must be allowed, for check and pdp.
	Action string `yaml:"action"`
	// DataAction says that the action is one of the data plane.
	DataAction bool `yaml:"data_action"`
	// ExpandsGroups says that checkaccess was seen to count a person's groups, so
	// that its no can be believed from the start.
	ExpandsGroups bool `yaml:"expands_groups"`
	// Assignment is the id of Intune's role assignment.
	Assignment string `yaml:"assignment"`
	// ScopeTags are the scope tags that Intune's assignment must have.
	ScopeTags []string `yaml:"scope_tags"`
	// ScopeProof lets Intune be asked, as the person, which policies they see,
	// where it does not say which assignment a role comes from.
	ScopeProof bool `yaml:"scope_proof"`
	// DeviceGroups are the device groups that Defender must show to the person.
	DeviceGroups []string `yaml:"device_groups"`
}

func (m MicrosoftConfig) empty() bool {
	return m.As == "" && m.Role == "" && m.Scope == "" && m.Ask == "" && m.Action == "" && !m.DataAction && !m.ExpandsGroups &&
		m.Assignment == "" && len(m.ScopeTags) == 0 && !m.ScopeProof && len(m.DeviceGroups) == 0
}

// microsoft are the kinds, each with how it is checked and made. All depend on
// the group: its id is what an assignment names.
var microsoft = map[string]struct {
	name   string
	within func(MicrosoftConfig) time.Duration // when a removal is overdue
	check  func(p *problems, id string, t MicrosoftConfig)
	open   func(*App, msTarget) (downstream.Probe, error)
}{
	"directory-role": {"Entra role", steadily(5 * time.Minute), checkRole, openRole},
	"azure":          {"Azure", func(m MicrosoftConfig) time.Duration { return choose(m.effective(), 15, 5) }, checkAzure, openAzure},
	"intune":         {"Intune", func(m MicrosoftConfig) time.Duration { return choose(m.As == "person", 30, 5) }, checkIntune, openIntune},
	"defender":       {"Microsoft Defender", func(m MicrosoftConfig) time.Duration { return choose(m.As == "person", 30, 5) }, checkDefender, openDefender},
}

func steadily(d time.Duration) func(MicrosoftConfig) time.Duration {
	return func(MicrosoftConfig) time.Duration { return d }
}

func choose(first bool, a, b time.Duration) time.Duration {
	if first {
		return a * time.Minute
	}
	return b * time.Minute
}

func (m MicrosoftConfig) effective() bool {
	return m.Ask == downstream.AzureCheck || m.Ask == downstream.AzurePDP
}

// msTarget is one of them for one group.
type msTarget struct {
	TargetConfig
	group string
	cred  azcore.TokenCredential
}

// graph is Graph's address for a target.
func (t msTarget) graph(a *App) string {
	if t.API != "" {
		return t.API
	}
	return a.cfg.graphRoot()
}

func (c *Config) graphRoot() string {
	if c.Entra.Graph == "" {
		return "https://graph.microsoft.com"
	}
	return strings.TrimSuffix(c.Entra.Graph, "/")
}

// token is one of the reader for Graph.
func (t msTarget) token(a *App) func(context.Context) (string, error) {
	return bearer(t.cred, a.cfg.graphRoot()+"/.default")
}

func (a *App) client() downstream.Client { return downstream.Client{HTTP: a.http, Now: a.clock.Now} }

// checkMicrosoft says what is wrong with a target of these kinds.
func (t *TargetConfig) checkMicrosoft(p *problems) {
	kind := microsoft[t.Kind]
	p.need(t.Organization == "", "targets %s: organization belongs to a devops target: remove it here", t.ID)
	p.need(t.API == "" || safe(t.API), "targets %s: api %q is not an https address: leave it out for Microsoft's own", t.ID, t.API)
	p.need(t.As == "" || t.As == "application" || t.As == "person", "targets %s: as %q is not known: choose application or person", t.ID, t.As)
	kind.check(p, t.ID, t.MicrosoftConfig)
	defaultTo(&t.Name, kind.name)
	defaultTo(&t.GoneWithin, Duration(kind.within(t.MicrosoftConfig)))
}

func checkRole(p *problems, id string, t MicrosoftConfig) {
	p.need(t.Role == "" || guid.MatchString(t.Role), "targets %s: role %q is not a template id: copy the GUID from the role's description in Entra", id, t.Role)
	p.need(t.As != "person", "targets %s: a directory role is asked as the application: leave as out", id)
}

func checkAzure(p *problems, id string, t MicrosoftConfig) {
	p.need(strings.HasPrefix(t.Scope, "/"), "targets %s: scope %q is not one of Azure: write it like /subscriptions/ID/resourceGroups/NAME", id, t.Scope)
	p.need(t.Ask == "" || t.Ask == downstream.AzureAssigned || t.effective(), "targets %s: ask %q is not known: choose assigned, check or pdp", id, t.Ask)
	p.need(!t.effective() || t.Action != "", "targets %s: name the action that must be allowed, such as Microsoft.Compute/virtualMachines/start/action", id)
	p.need(t.As != "person", "targets %s: Azure is asked as the application: leave as out", id)
}

func checkIntune(p *problems, id string, t MicrosoftConfig) {
	p.need(t.Assignment != "", "targets %s: name Intune's role assignment by its id: it is the end of its address in the admin center", id)
	p.need(!t.ScopeProof || t.As == "person", "targets %s: scope_proof asks as the person: add as: person, or remove it", id)
}

func checkDefender(*problems, string, MicrosoftConfig) {}

func openRole(a *App, t msTarget) (downstream.Probe, error) {
	return downstream.NewRoles(downstream.RolesConfig{Group: t.group, Role: t.Role, Base: t.graph(a), Token: t.token(a), Client: a.client()})
}

func openAzure(a *App, t msTarget) (downstream.Probe, error) {
	scope := downstream.AzureScope
	if t.Ask == downstream.AzurePDP {
		scope = downstream.PDPScope
	}
	return downstream.NewAzure(downstream.AzureConfig{Group: t.group, Scope: t.Scope, Role: t.Role, Ask: t.Ask, Action: t.Action, Data: t.DataAction,
		Expands: t.ExpandsGroups, Base: t.API, Token: bearer(t.cred, scope), Client: a.client()})
}

func openIntune(a *App, t msTarget) (downstream.Probe, error) {
	c := downstream.IntuneConfig{Group: t.group, Assignment: t.Assignment, ScopeTags: t.ScopeTags, Base: t.graph(a), Token: t.token(a), Directory: a.reader, Client: a.client(),
		Scope: a.cfg.graphRoot() + "/DeviceManagementRBAC.Read.All"}
	if t.ScopeProof {
		c.ProofScope = a.cfg.graphRoot() + "/DeviceManagementConfiguration.Read.All"
	}
	if t.As == "person" {
		return downstream.NewIntuneAsPerson(c, &a.looks)
	}
	return downstream.NewIntune(c)
}

func openDefender(a *App, t msTarget) (downstream.Probe, error) {
	c := downstream.DefenderConfig{Group: t.group, Role: t.Role, DeviceGroups: t.DeviceGroups, Graph: t.graph(a), Base: t.API, Token: t.token(a), Directory: a.reader, Client: a.client()}
	if t.As == "person" {
		return downstream.NewDefenderAsPerson(c, &a.looks)
	}
	return downstream.NewDefender(c)
}

// openMicrosoft makes the probe of one target for one group.
func (a *App) openMicrosoft(t TargetConfig, g GroupConfig, cred azcore.TokenCredential) error {
	p, err := microsoft[t.Kind].open(a, msTarget{t, g.ID, cred})
	if err != nil {
		return err
	}
	id := targetID(t, g.ID, activation.Member)
	a.targets[id] = p
	if s, ok := p.(interface{ Setup(context.Context) error }); ok {
		a.setups = append(a.setups, setup{t.ID + " of " + g.Name, s.Setup})
	}
	return nil
}

// lateLooks lets probes that ask as the person be made before the sign-in
// service is.
type lateLooks struct{ atomic.Pointer[signin.Looks] }

// Token implements downstream.Tokens.
func (l *lateLooks) Token(ctx context.Context, who activation.Person, scope string, after time.Time) (string, time.Time, error) {
	looks := l.Load()
	if looks == nil {
		return "", time.Time{}, downstream.ErrNoSignIn
	}
	token, issued, err := looks.Token(ctx, who, scope, after)
	if errors.Is(err, signin.ErrSignIn) {
		err = errors.Join(downstream.ErrNoSignIn, err)
	}
	return token, issued, err
}
