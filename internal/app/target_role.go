package app

import (
	"time"

	"pagbot/downstream"
)

// RoleTarget is a directory role that a role-assignable group carries.
type RoleTarget struct {
	// Role is the role's template id.
	Role string `yaml:"role"`
	// API is another address than Microsoft Graph's; for a simulator.
	API string `yaml:"api"`
}

// roleKind says that Entra's own list gives the role: configured.
var roleKind = kind{
	within:   5 * time.Minute,
	perGroup: true,
	section:  func(t *TargetConfig) bool { return t.Role != nil },
	check: func(t *TargetConfig, p *problems) {
		p.need(guid.MatchString(t.Role.Role), "targets %s: role %q is not a template id: copy the GUID from the role's description in Entra", t.ID, t.Role.Role)
		t.address(t.Role.API, p)
		defaultTo(&t.Name, "Entra role")
	},
	open: func(a *App, t TargetConfig, s scope) (downstream.Probe, error) {
		token, err := a.reading("")
		if err != nil {
			return nil, err
		}
		return probe(downstream.NewRoles(downstream.RolesConfig{Group: s.group, Role: t.Role.Role, Base: a.graphAt(t.Role.API), Token: token, Client: a.client()}))
	},
}
