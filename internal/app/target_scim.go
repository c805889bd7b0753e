package app

import (
	"context"
	"time"

	"pagbot/downstream"
)

// SCIMTarget is an application that Entra provisions by SCIM 2.0.
type SCIMTarget struct {
	// Base is the root of its SCIM service, such as https://app.example/scim/v2.
	Base string `yaml:"base"`
	// Group is the displayName of the group there.
	Group string `yaml:"group"`
	// Token is a bearer that may read users and groups.
	Token Secret `yaml:"token"`
	// Members is how it tells who is in a group: list (the group's own list, the
	// default), filter (a filter on members) or user (the user's list of groups).
	Members string `yaml:"members"`
	// Match is how people are found there: externalId (which then is their object
	// id, the default) or userName (which then is their user principal name).
	Match string `yaml:"match"`
}

func (s *SCIMTarget) config(token func(context.Context) (string, error)) downstream.SCIMConfig {
	return downstream.SCIMConfig{Base: s.Base, Group: s.Group, Members: s.Members, Match: s.Match, Token: token}
}

// scimKind says that an application has received a membership.
var scimKind = kind{
	within:  45 * time.Minute, // a removal waits for the next cycle of 40 minutes
	section: func(t *TargetConfig) bool { return t.SCIM != nil },
	check: func(t *TargetConfig, p *problems) {
		p.need(t.SCIM.Token.set(), "targets %s: the SCIM service's token is needed: %s", t.ID, secretForm)
		_, err := downstream.NewSCIM(t.SCIM.config(func(context.Context) (string, error) { return "", nil }))
		t.wrong(p, err)
		defaultTo(&t.Name, t.ID)
	},
	open: func(a *App, t TargetConfig, _ scope) (downstream.Probe, error) {
		token, err := a.token(t, "scim.token", t.SCIM.Token)
		if err != nil {
			return nil, err
		}
		c := t.SCIM.config(token)
		c.HTTP, c.Now = a.http, a.clock.Now
		return downstream.NewSCIM(c)
	},
}
