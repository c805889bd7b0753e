package app

import (
	"cmp"
	"strings"
	"time"

	"pagbot/downstream"
)

// AzureTarget is a role of Azure that the group has at a scope.
type AzureTarget struct {
	// Scope is where the role is assigned: /subscriptions/…
	Scope string `yaml:"scope"`
	// Role is the id of the role definition; empty: whatever the group has there.
	Role string `yaml:"role"`
	// Ask is how Azure is asked: assigned (the default: configured, no more),
	// check (Resource Manager's checkaccess: effective) or pdp (the policy
	// engine's own address, given as api: effective).
	Ask string `yaml:"ask"`
	// Action is what must be allowed, for check and pdp.
	Action string `yaml:"action"`
	// DataAction says that the action is one of the data plane.
	DataAction bool `yaml:"data_action"`
	// ExpandsGroups says that checkaccess was seen to count a person's groups, so
	// that its no can be believed from the start.
	ExpandsGroups bool `yaml:"expands_groups"`
	// API is another address than Resource Manager's.
	API string `yaml:"api"`
}

func (s *AzureTarget) effective() bool {
	return s.Ask == downstream.AzureCheck || s.Ask == downstream.AzurePDP
}

// azureKind joins role assignments with Entra's groups, or asks the policy
// engine.
var azureKind = kind{
	within:   15 * time.Minute,
	perGroup: true,
	section:  func(t *TargetConfig) bool { return t.Azure != nil },
	check: func(t *TargetConfig, p *problems) {
		s := t.Azure
		p.need(strings.HasPrefix(s.Scope, "/"), "targets %s: scope %q is not one of Azure: write it like /subscriptions/ID/resourceGroups/NAME", t.ID, s.Scope)
		p.need(s.Ask == "" || s.Ask == downstream.AzureAssigned || s.effective(), "targets %s: ask %q is not known: choose assigned, check or pdp", t.ID, s.Ask)
		p.need(!s.effective() || s.Action != "", "targets %s: name the action that must be allowed, such as Microsoft.Compute/virtualMachines/start/action", t.ID)
		p.need(s.Ask != downstream.AzurePDP || s.API != "", "targets %s: name the policy engine's address in your region as api, such as https://westus2.authorization.azure.net", t.ID)
		t.address(s.API, p)
		defaultTo(&t.Name, "Azure")
	},
	open: func(a *App, t TargetConfig, s scope) (downstream.Probe, error) {
		in := a.cfg.Entra.cloud()
		resource := in.azure + "/.default"
		if t.Azure.Ask == downstream.AzurePDP {
			resource = downstream.PDPScope
		}
		token, err := a.reading(resource)
		if err != nil {
			return nil, err
		}
		c := t.Azure
		return probe(downstream.NewAzure(downstream.AzureConfig{Group: s.group, Scope: c.Scope, Role: c.Role, Ask: c.Ask, Action: c.Action, Data: c.DataAction,
			Expands: c.ExpandsGroups, Base: cmp.Or(c.API, in.azure), Token: token, Client: a.client()}))
	},
}
