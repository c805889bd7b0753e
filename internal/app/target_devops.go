package app

import (
	"time"

	"pagbot/downstream"
)

// devopsKind is an Azure DevOps organization, asked as the reader registration.
var devopsKind = kind{
	within:  time.Hour,
	section: func(t *TargetConfig) bool { return t.Organization != "" || t.API != "" },
	check: func(t *TargetConfig, p *problems) {
		p.need(orgName.MatchString(t.Organization), "targets %s: %q is not the name of an organization: give the NAME of dev.azure.com/NAME", t.ID, t.Organization)
		p.need(t.API == "" || safe(t.API), "targets %s: api %q is not an https address: leave it out for Azure DevOps itself", t.ID, t.API)
		defaultTo(&t.Name, "Azure DevOps "+t.Organization)
	},
	open: func(a *App, t TargetConfig, _ scope) (downstream.Probe, error) {
		cred, err := a.cfg.credential(a.http, a.secrets.reader)
		if err != nil {
			return nil, err
		}
		return downstream.NewDevOps(downstream.DevOpsConfig{Org: t.Organization, DevBase: t.API, VSSPSBase: t.API, HTTP: a.http, Now: a.clock.Now, Token: bearer(cred, downstream.DevOpsScope)})
	},
}
