package downstream

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

	"pagbot/activation"
)

// IntuneConfig says which role assignment of Intune is asked about. Two of one
// role, such as for secure workstations and for all others, differ by nothing
// else.
type IntuneConfig struct {
	Group      string                                // object id of the group that is a member of the assignment
	Assignment string                                // id of the assignment
	ScopeTags  []string                              // ids or names of the scope tags that it must have; empty: not looked at
	Base       string                                // empty: https://graph.microsoft.com
	Scope      string                                // what a person's token is asked for; empty: IntuneScope
	Token      func(context.Context) (string, error) // a bearer of the application, for Graph: reads the settings
	Directory  Directory                             // who is in the group
	Client     Client
	Limits     Limits // zero fields get defaults
}

// IntuneScope is what a person's token is asked for.
const IntuneScope = "https://graph.microsoft.com/DeviceManagementRBAC.Read.All"

// intuneSettings reads role assignments as the application.
type intuneSettings struct {
	c  IntuneConfig
	ms *msAPI
}

func (c IntuneConfig) settings() (*intuneSettings, error) {
	switch {
	case c.Assignment == "":
		return nil, missingSetting("intune", "the id of the role assignment")
	case c.Token == nil:
		return nil, missingSetting("intune", "an application identity to read the settings as")
	}
	var err error
	if c.Base, err = baseOf(c.Base, graphBase); err != nil {
		return nil, err
	}
	c.Client = c.Client.withDefaults()
	return &intuneSettings{c, newMSAPI(c.Client.HTTP, 300*time.Millisecond)}, nil
}

// NewIntune makes the probe that asks as the application. It can't evaluate
// anybody (Intune's functions describe who calls), so that all it can say is
// configured: the assignment names the group, and Entra lists the person.
func NewIntune(c IntuneConfig) (*Configured, error) {
	s, err := c.settings()
	if err != nil {
		return nil, err
	}
	return newConfigured("intune", c.Group, c.Directory, s.c.Client.Now, c.Limits, s.find)
}

// wireIntune is a role assignment.
type wireIntune struct {
	ID      string    `json:"id"`
	Name    string    `json:"displayName"`
	Members *[]string `json:"members"`
	Tags    []struct {
		ID   string `json:"id"`
		Name string `json:"displayName"`
	} `json:"roleScopeTags"`
}

// find reads the assignment and holds it against what it should be.
func (s *intuneSettings) find(ctx context.Context) (assignment, error) {
	token, err := tokenOf(ctx, s.c.Token)
	if err != nil {
		return assignment{}, err
	}
	var w wireIntune
	at := s.c.Base + "/beta/deviceManagement/roleAssignments/" + url.PathEscape(s.c.Assignment) + "?$expand=roleScopeTags"
	err = s.ms.ask(ctx, request{at: at, bearer: token, as: asApplication}, &w)
	switch {
	case isStatus(err, 404):
		return assignment{}, fault("there is no role assignment %s in Intune: correct the target's configuration", s.c.Assignment)
	case err != nil:
		return assignment{}, err
	case !strings.EqualFold(w.ID, s.c.Assignment) || w.Members == nil:
		return assignment{}, &Fault{Why: nonsense}
	case !names(*w.Members, s.c.Group):
		return assignment{}, unnamed("Intune's role assignment " + orID(w.Name, w.ID))
	}
	for _, tag := range s.c.ScopeTags {
		if !slices.ContainsFunc(w.Tags, func(t struct {
			ID   string `json:"id"`
			Name string `json:"displayName"`
		}) bool {
			return t.ID == tag || strings.EqualFold(t.Name, tag)
		}) {
			return assignment{}, fault("Intune's role assignment %s does not have the scope tag %q: correct it, or the target's configuration", orID(w.Name, w.ID), tag)
		}
	}
	return assignment{w.ID, w.Name}, nil
}

func orID(name, id string) string {
	if name != "" {
		return name
	}
	return id
}

// IntuneAsPerson asks Intune as the person which role assignments they have
// (effective, for that sign-in). It tells two assignments of one role apart.
type IntuneAsPerson struct {
	*persons
	settings *intuneSettings
	exists   *Configured
	limits   Limits
}

// NewIntuneAsPerson makes the probe. The settings are still read as the
// application: an assignment that does not exist is nobody's lack.
func NewIntuneAsPerson(c IntuneConfig, t Tokens) (*IntuneAsPerson, error) {
	if t == nil {
		return nil, missingSetting("intune", "a way to ask as the person")
	}
	s, err := c.settings()
	if err != nil {
		return nil, err
	}
	exists, err := newConfigured("intune", c.Group, c.Directory, s.c.Client.Now, Limits{}, s.find)
	if err != nil {
		return nil, err
	}
	l := c.Limits.or(Limits{Batch: 1, Rate: time.Second, Timeout: 30 * time.Second, Confirm: 1, As: asPerson})
	l.Level = activation.L3
	return &IntuneAsPerson{newPersons(t, cmp.Or(c.Scope, IntuneScope)), s, exists, l}, nil
}

// Limits implements Probe.
func (p *IntuneAsPerson) Limits() Limits { return p.limits }

// Setup shows that the assignment is as it should be; its error is for people.
func (p *IntuneAsPerson) Setup(ctx context.Context) error { return p.exists.Setup(ctx) }

// Check implements Probe.
func (p *IntuneAsPerson) Check(ctx context.Context, who []activation.Person) ([]activation.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, p.limits.Timeout)
	defer cancel()
	now := p.settings.c.Client.Now
	begun := now()
	as, err := p.exists.shownAssignment(ctx)
	if err != nil {
		return doubtAll(who, err, activation.L3, begun, now())
	}
	answers, f := askEach(ctx, now, activation.L3, who, func(ctx context.Context, w activation.Person, _ time.Time) (activation.Answer, error) {
		token, err := p.bearer(ctx, w)
		if err != nil {
			return activation.Answer{}, err
		}
		sent := now()
		has, err := p.assigned(ctx, token)
		return yesNo(has, activation.L3, as.id, sent, now()), err
	})
	return answers, p.settings.ms.slowed(f)
}

// wireDetails is what Intune says of whoever calls, in both of its shapes. Only
// the first names assignments.
type wireDetails struct {
	Assignments *[]string `json:"roleAssignmentIds"`
	Definitions *[]struct {
		Name string `json:"roleDefinitionDisplayName"`
	} `json:"roleDefinitions"`
}

func (p *IntuneAsPerson) assigned(ctx context.Context, token string) (bool, error) {
	var body struct {
		wireDetails
		Value *wireDetails `json:"value"`
	}
	err := p.settings.ms.ask(ctx, request{at: p.settings.c.Base + "/beta/deviceManagement/getAssignedRoleDetails", bearer: token, as: asPerson}, &body)
	if err != nil {
		return false, err
	}
	d := body.wireDetails
	if body.Value != nil {
		d = *body.Value
	}
	switch {
	case d.Assignments != nil:
		return names(*d.Assignments, p.settings.c.Assignment), nil
	case d.Definitions == nil:
		return false, &Fault{Why: nonsense}
	case len(*d.Definitions) == 0:
		return false, nil // no role at all, so not through this assignment either
	}
	return false, &Fault{Why: "Intune names the person's roles, but not the assignment that each comes from"}
}
