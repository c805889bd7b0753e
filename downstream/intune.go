package downstream

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"time"
)

// IntuneConfig says which role assignment of Intune is asked about. Two of one
// role, such as for secure workstations and for all others, differ by nothing
// else.
type IntuneConfig struct {
	Group      string   // object id of the group that is a member of the assignment
	Assignment string   // id of the assignment
	ScopeTags  []string // ids or names of the scope tags that it must have; empty: not looked at
	Base       string   // empty: https://graph.microsoft.com
	Scope      string   // what a person's token is asked for; empty: IntuneScope
	// ProofScope is what a second token of the person is asked for, to see which
	// policies they see, where Intune does not name assignments; empty: not done.
	ProofScope string
	Token      func(context.Context) (string, error) // a bearer of the application, for Graph: reads the settings
	Directory  Directory                             // who is in the group
	Client     Client
	Limits     Limits // zero fields get defaults
}

// What a person's tokens are asked for: for their roles, and for policies.
const (
	IntuneScope      = "https://graph.microsoft.com/DeviceManagementRBAC.Read.All"
	IntuneProofScope = "https://graph.microsoft.com/DeviceManagementConfiguration.Read.All"
)

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
	Tags    []wireTag `json:"roleScopeTags"`
}

type wireTag struct {
	ID   string `json:"id"`
	Name string `json:"displayName"`
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
		if !slices.ContainsFunc(w.Tags, func(t wireTag) bool { return t.ID == tag || strings.EqualFold(t.Name, tag) }) {
			return assignment{}, fault("Intune's role assignment %s does not have the scope tag %q: correct it, or the target's configuration", orID(w.Name, w.ID), tag)
		}
	}
	as := assignment{id: w.ID, name: w.Name}
	for _, t := range w.Tags {
		as.tags = append(as.tags, t.ID)
	}
	return as, nil
}

func orID(name, id string) string {
	if name != "" {
		return name
	}
	return id
}
