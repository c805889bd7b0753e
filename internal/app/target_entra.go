package app

import (
	"time"

	"pagbot/downstream"
)

// entraKind is what Entra itself lists: it proves nothing downstream.
var entraKind = kind{
	within: 5 * time.Minute, perGroup: true, owners: true,
	check: func(t *TargetConfig, _ *problems) { defaultTo(&t.Name, "Entra ID") },
	open: func(a *App, _ TargetConfig, s scope) (downstream.Probe, error) {
		return downstream.NewEntra(downstream.EntraConfig{Group: s.group, Access: s.access, Directory: a.reader, Now: a.clock.Now})
	},
}
