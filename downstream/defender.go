package downstream

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"pagbot/activation"
)

// DefenderConfig says what a group carries in Defender XDR.
type DefenderConfig struct {
	Group        string                                // object id of the group that the role is assigned to
	Role         string                                // id of the role of unified RBAC; empty: whatever the group has
	DeviceGroups []string                              // as the person: names of the device groups that it opens; empty: any device
	Graph        string                                // empty: https://graph.microsoft.com
	Base         string                                // empty: https://api.security.microsoft.com
	Resource     string                                // what a person's token is of; empty: https://api.securitycenter.microsoft.com
	Token        func(context.Context) (string, error) // a bearer of the application, for Graph: reads the settings
	// Devices is a bearer of the application for DefenderAppScope. It may be
	// left out: then a device group that nobody was seen to reach yet may as
	// well be empty, and not seeing it is no "no".
	Devices   func(context.Context) (string, error)
	Directory Directory // who is in the group
	Client    Client
	Limits    Limits // zero fields get defaults
}

// What tokens for Defender for Endpoint are asked for: a person's, and the
// application's.
const (
	DefenderScope    = "https://api.securitycenter.microsoft.com/Machine.Read"
	DefenderAppScope = "https://api.securitycenter.microsoft.com/.default"
)

const defenderBase = "https://api.security.microsoft.com"

// NewDefender makes the probe that asks as the application. Nothing evaluates
// another person there, so that all it can say is configured. Roles of the
// older model, before unified RBAC, can't be read at all.
func NewDefender(c DefenderConfig) (*Configured, error) {
	if c.Token == nil {
		return nil, missingSetting("defender", "an application identity to read the settings as")
	}
	base, err := baseOf(c.Graph, graphBase)
	if err != nil {
		return nil, err
	}
	c.Client = c.Client.withDefaults()
	ms := newMSAPI(c.Client.HTTP, 300*time.Millisecond)
	return newConfigured("defender", c.Group, c.Directory, c.Client.Now, c.Limits, func(ctx context.Context) (assignment, error) {
		token, err := tokenOf(ctx, c.Token)
		if err != nil {
			return assignment{}, err
		}
		all, err := everything[wireDefender](ctx, ms, request{at: base + "/beta/roleManagement/defender/roleAssignments", bearer: token, as: asApplication})
		if err != nil {
			return assignment{}, err
		}
		for _, w := range all {
			if names(w.Principals, c.Group) && (c.Role == "" || strings.EqualFold(c.Role, w.Role)) {
				return assignment{id: w.ID, name: w.Name}, nil
			}
		}
		return assignment{}, fault("no such role assignment of Defender's unified RBAC names this group: assign it, or correct the target; roles of the older model can't be read")
	})
}

// wireDefender is a role assignment of unified RBAC.
type wireDefender struct {
	ID         string   `json:"id"`
	Name       string   `json:"displayName"`
	Role       string   `json:"roleDefinitionId"`
	Principals []string `json:"principalIds"`
}

// DefenderAsPerson asks Defender for Endpoint as the person which devices they
// see (effective, for that sign-in).
type DefenderAsPerson struct {
	*persons
	c    DefenderConfig
	ms   *msAPI
	seen sightings // device groups that have devices
}

// NewDefenderAsPerson makes the probe.
func NewDefenderAsPerson(c DefenderConfig, t Tokens) (*DefenderAsPerson, error) {
	if t == nil {
		return nil, missingSetting("defender", "a way to ask as the person")
	}
	var err error
	if c.Base, err = baseOf(c.Base, defenderBase); err != nil {
		return nil, err
	}
	scope := DefenderScope
	if c.Resource != "" {
		scope = c.Resource + "/Machine.Read"
	}
	c.Client = c.Client.withDefaults()
	// A refusal is a no here, so it must be heard twice.
	c.Limits = c.Limits.or(Limits{Batch: 1, Rate: time.Second, Timeout: 30 * time.Second, Confirm: 2, As: asPerson})
	c.Limits.Level = activation.L3
	return &DefenderAsPerson{persons: newPersons(t, scope), c: c, ms: newMSAPI(c.Client.HTTP, 300*time.Millisecond)}, nil
}

// Limits implements Probe.
func (p *DefenderAsPerson) Limits() Limits { return p.c.Limits }

// Check implements Probe.
func (p *DefenderAsPerson) Check(ctx context.Context, who []activation.Person) ([]activation.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, p.c.Limits.Timeout)
	defer cancel()
	answers, f := askEach(ctx, p.c.Client.Now, activation.L3, who, func(ctx context.Context, w activation.Person, _ time.Time) (activation.Answer, error) {
		token, issued, err := p.bearer(ctx, w)
		if err != nil {
			return activation.Answer{}, err
		}
		is, err := p.sees(ctx, token)
		evidence := "devices"
		if len(p.c.DeviceGroups) > 0 {
			evidence = "devices of " + strings.Join(p.c.DeviceGroups, ", ")
		}
		return yesNo(is, activation.L3, evidence, issued, p.c.Client.Now()), err
	})
	return answers, p.ms.slowed(f)
}

// sees reports whether the person sees what the role opens.
func (p *DefenderAsPerson) sees(ctx context.Context, token string) (bool, error) {
	visible, err := p.devices(ctx, token, asPerson)
	switch {
	case saidCode(err, http.StatusForbidden) == "Forbidden" && allows(token, "Machine.Read"):
		return false, nil // the token may ask, and its owner has no role
	case err != nil:
		return false, err
	case len(p.c.DeviceGroups) == 0:
		return true, nil
	}
	missing := slices.DeleteFunc(slices.Clone(p.c.DeviceGroups), func(g string) bool { return names(visible, g) })
	switch len(missing) {
	case 0:
		p.seen.note(visible)
		return true, nil
	case len(p.c.DeviceGroups):
		return false, p.inhabited(ctx)
	}
	p.seen.note(visible)
	return false, fault("the person sees some of the device groups, but not %s", strings.Join(missing, ", "))
}

// devices lists the device groups of all devices in sight. Without device
// groups to look for, one device is enough.
func (p *DefenderAsPerson) devices(ctx context.Context, token, as string) ([]string, error) {
	top := "1000"
	if len(p.c.DeviceGroups) == 0 {
		top = "1"
	}
	at := p.c.Base + "/api/machines?" + url.Values{"$top": {top}}.Encode()
	r := request{at: at, bearer: token, as: as}
	if top == "1" {
		var page struct {
			Value *[]struct{} `json:"value"`
		}
		err := p.ms.ask(ctx, r, &page)
		if err == nil && page.Value == nil {
			err = &Fault{Why: nonsense}
		}
		return nil, err
	}
	all, err := everything[struct {
		Group string `json:"rbacGroupName"`
	}](ctx, p.ms, r)
	var groups []string
	for _, m := range all {
		if m.Group != "" && !slices.Contains(groups, m.Group) {
			groups = append(groups, m.Group)
		}
	}
	return groups, err
}

// inhabited shows that the device groups have devices at all, so that not
// seeing any is the person's lack.
func (p *DefenderAsPerson) inhabited(ctx context.Context) error {
	if p.seen.all(p.c.DeviceGroups) {
		return nil
	}
	if p.c.Devices == nil {
		return fault("the person sees no device of %s; whether there is one is not known", strings.Join(p.c.DeviceGroups, ", "))
	}
	token, err := tokenOf(ctx, p.c.Devices)
	if err != nil {
		return err
	}
	visible, err := p.devices(ctx, token, asApplication)
	if err != nil {
		return err
	}
	p.seen.note(visible)
	if !p.seen.all(p.c.DeviceGroups) {
		return fault("no device is in %s: correct the target's configuration", strings.Join(p.c.DeviceGroups, ", "))
	}
	return nil
}
