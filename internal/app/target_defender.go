package app

import (
	"cmp"
	"time"

	"pagbot/downstream"
)

// DefenderTarget is what the group carries in Microsoft Defender.
type DefenderTarget struct {
	// Role is the id of the role of unified role-based access control; empty:
	// whatever the group has.
	Role string `yaml:"role"`
	// As whom it is asked: application (the default: configured, no more) or
	// person (effective; with their own kept sign-in).
	As As `yaml:"as"`
	// DeviceGroups are the device groups that the person must then see.
	DeviceGroups []string `yaml:"device_groups"`
	// API is another address than Graph's and Defender's; for a simulator.
	API string `yaml:"api"`
}

// defenderKind reads the assignment as the application, or asks as the person
// which devices they see.
var defenderKind = kind{
	within:   30 * time.Minute,
	perGroup: true,
	section:  func(t *TargetConfig) bool { return t.Defender != nil },
	check: func(t *TargetConfig, p *problems) {
		s := t.Defender
		p.need(len(s.DeviceGroups) == 0 || s.As == asPerson, "targets %s: device_groups are what the person must see: add as: person, or remove them", t.ID)
		s.As.check(t, p)
		t.address(s.API, p)
		defaultTo(&t.Name, "Microsoft Defender")
	},
	open: func(a *App, t TargetConfig, s scope) (downstream.Probe, error) {
		token, err := a.reading("")
		if err != nil {
			return nil, err
		}
		in := a.cfg.Entra.cloud()
		c := downstream.DefenderConfig{Group: s.group, Role: t.Defender.Role, DeviceGroups: t.Defender.DeviceGroups, Graph: a.graphAt(t.Defender.API), Base: cmp.Or(t.Defender.API, in.defender), Resource: in.devices,
			Token: token, Directory: a.reader, Client: a.client()}
		if t.Defender.As == asPerson {
			return probe(downstream.NewDefenderAsPerson(c, &a.looks))
		}
		return probe(downstream.NewDefender(c))
	},
}
