package app

import (
	"strings"

	"pagbot/graph"
)

// openDemands makes the hand that has Entra write new members at once, where a
// target is configured so. Targets of one application share its turns.
func (a *App) openDemands() (*graph.Demands, error) {
	apps, shared := map[string]*graph.Provisioner{}, map[OnDemandConfig]*graph.Provisioner{}
	for _, t := range a.cfg.Targets {
		if t.OnDemand == nil {
			continue
		}
		key := *t.OnDemand
		key.ServicePrincipal = strings.ToLower(key.ServicePrincipal)
		if shared[key] == nil {
			cred, err := a.cfg.credentialOf(*a.cfg.Entra.Provisioner, "provisioner", a.http, a.secrets.provisioner)
			if err != nil {
				return nil, err
			}
			p, err := graph.NewProvisioner(graph.Config{Base: a.cfg.graphRoot(), Tenant: a.cfg.Entra.Tenant, Credential: cred, HTTP: a.http},
				graph.Application{Principal: key.ServicePrincipal, Job: key.Job, Rule: key.Rule})
			if err != nil {
				return nil, err
			}
			shared[key] = p
			a.setups = append(a.setups, setup{"provisioning on demand of " + t.ID, p.Setup})
		}
		apps[t.ID] = shared[key]
	}
	return graph.NewDemands(a.reader, apps), nil
}
