package app

import (
	"time"

	"pagbot/downstream"
)

// IntuneTarget is a role assignment of Intune.
type IntuneTarget struct {
	// Assignment is its id.
	Assignment string `yaml:"assignment"`
	// ScopeTags are the scope tags that it must have, by id or name.
	ScopeTags []string `yaml:"scope_tags"`
	// As whom it is asked: application (the default: configured, no more) or
	// person (effective; with their own kept sign-in).
	As As `yaml:"as"`
	// ScopeProof lets Intune be asked, as the person, which policies they see,
	// where it does not say which assignment a role comes from.
	ScopeProof bool `yaml:"scope_proof"`
	// API is another address than Microsoft Graph's; for a simulator.
	API string `yaml:"api"`
}

// intuneKind reads the assignment as the application, and asks for its effect
// as the person.
var intuneKind = kind{
	within:   30 * time.Minute,
	perGroup: true,
	section:  func(t *TargetConfig) bool { return t.Intune != nil },
	check: func(t *TargetConfig, p *problems) {
		s := t.Intune
		p.need(s.Assignment != "", "targets %s: name Intune's role assignment by its id: it is the end of its address in the admin center", t.ID)
		p.need(!s.ScopeProof || s.As == asPerson, "targets %s: scope_proof asks as the person: add as: person, or remove it", t.ID)
		s.As.check(t, p)
		t.address(s.API, p)
		defaultTo(&t.Name, "Intune")
	},
	open: func(a *App, t TargetConfig, s scope) (downstream.Probe, error) {
		token, err := a.reading("")
		if err != nil {
			return nil, err
		}
		c := downstream.IntuneConfig{Group: s.group, Assignment: t.Intune.Assignment, ScopeTags: t.Intune.ScopeTags, Base: a.graphAt(t.Intune.API), Token: token,
			Directory: a.reader, Client: a.client(), Scope: a.cfg.graphRoot() + "/DeviceManagementRBAC.Read.All"}
		if t.Intune.ScopeProof {
			c.ProofScope = a.cfg.graphRoot() + "/DeviceManagementConfiguration.Read.All"
		}
		if t.Intune.As == asPerson {
			return probe(downstream.NewIntuneAsPerson(c, &a.looks))
		}
		return probe(downstream.NewIntune(c))
	},
}
