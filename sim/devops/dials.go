package devops

import (
	"time"

	"pagbot/sim/target"
)

// Dials are the limits and lies of the service.
type Dials struct {
	target.Dials
	NoEntry     bool // an access control list lacks those without bits, instead of saying 0
	AbsentEmpty bool // membersof answers a non-member with 200 and nothing, instead of 404
}

// Usual are the book's values. Who may have permissions re-evaluated by a call
// is unsettled; the person is.
func Usual() Dials {
	d := Dials{Dials: target.Usual()}
	d.Reevaluate, d.Takes = target.BySelf, target.Delay{Min: 5 * time.Second, Max: 30 * time.Second}
	return d
}

// Turn changes the dials.
func (w *World) Turn(f func(*Dials)) { w.Do(func() { f(&w.dials) }) }
