package devops

import "pagbot/sim/target"

// Dials are the limits and lies of the service.
type Dials struct {
	target.Dials
	NoEntry     bool // an access control list lacks those without bits, instead of saying 0
	AbsentEmpty bool // membersof answers a non-member with 200 and nothing, instead of 404
}

// Usual are the book's values.
func Usual() Dials { return Dials{Dials: target.Usual()} }

// Turn changes the dials.
func (w *World) Turn(f func(*Dials)) { w.Do(func() { f(&w.dials) }) }
