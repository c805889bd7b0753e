package e2e

import (
	"pagbot/sim/devops"
	"pagbot/sim/target"
)

// systems are the further targets of a story.
type systems struct{}

func inDevOps(name string, turn func(*devops.Dials)) way {
	return way{name: name, turn: func(p *place) { p.DevOps.Turn(turn) }}
}

var openInTargets = []open{
	{dial: "Dials.NoEntry", story: life, ways: []way{
		inDevOps("zero bits", func(d *devops.Dials) { d.NoEntry = false }),
		inDevOps("no entry", func(d *devops.Dials) { d.NoEntry = true }),
	}},
	{dial: "Dials.AbsentEmpty", story: life, ways: []way{
		inDevOps("404", func(d *devops.Dials) { d.AbsentEmpty = false }),
		inDevOps("nothing", func(d *devops.Dials) { d.AbsentEmpty = true }),
	}},
	{dial: "Dials.Reevaluate", story: life, ways: []way{
		inDevOps("oneself", func(d *devops.Dials) { d.Reevaluate = target.BySelf }),
		inDevOps("anyone", func(d *devops.Dials) { d.Reevaluate = target.ByAnyone }),
		inDevOps("nobody", func(d *devops.Dials) { d.Reevaluate = target.ByNobody }),
	}},
}
