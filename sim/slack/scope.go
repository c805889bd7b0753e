package slack

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
)

// A scope is whom dials are for: an app or a connection. What was not turned
// for it is as above it: a connection has its app's, an app the World's.
type scope struct {
	turns []func(*Dials)
	dials *Dials // never changed, only replaced; guarded by the world's lock
}

// under reads the scope anew, below other dials.
func (s *scope) under(above *Dials) {
	s.dials = above
	if len(s.turns) == 0 {
		return
	}
	d := above.copy()
	for _, turn := range s.turns {
		turn(&d)
	}
	s.dials = &d
}

func (d *Dials) copy() Dials {
	c := *d
	c.Latency, c.PerMinute, c.EventRetries = maps.Clone(d.Latency), maps.Clone(d.PerMinute), slices.Clone(d.EventRetries)
	c.RefusedBlocks = slices.Clone(d.RefusedBlocks)
	return c
}

// Turn changes the World's dials.
func (w *World) Turn(turn func(*Dials)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.turn(turn)
}

func (w *World) turn(turn func(*Dials)) {
	d := w.dials.copy()
	turn(&d)
	w.dials = &d
	for _, a := range w.apps {
		a.retune(w.dials)
	}
}

func (a *app) retune(above *Dials) {
	a.under(above)
	for _, c := range a.conns {
		c.under(a.dials)
	}
}

// Dials returns a copy of the World's dials.
func (w *World) Dials() Dials {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.dials.copy()
}

// TurnApp changes dials for one app; nil gives it the World's again. What turn
// leaves alone stays the World's, also when that changes: turn is called again
// then.
func (w *World) TurnApp(id string, turn func(*Dials)) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	a := w.app(id)
	if a == nil {
		return fmt.Errorf("there is no app %q", id)
	}
	if err := a.add(turn, w.dials, "the World"); err != nil {
		return err
	}
	a.retune(w.dials)
	return nil
}

// TurnSocket changes dials for one connection, as TurnApp for an app.
func (w *World) TurnSocket(id int, turn func(*Dials)) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.socket(id)
	if c == nil {
		return fmt.Errorf("there is no socket %d", id)
	}
	if err := c.add(turn, c.app.dials, "the World", ""); err != nil {
		return err
	}
	c.under(c.app.dials)
	return nil
}

// add adds a change, unless it is of dials that are for wider scopes.
func (s *scope) add(turn func(*Dials), above *Dials, wider ...string) error {
	if turn == nil {
		s.turns = nil
		return nil
	}
	d := above.copy()
	turn(&d)
	is, was := reflect.ValueOf(d), reflect.ValueOf(*above)
	for i, f := range reflect.VisibleFields(is.Type()) {
		if slices.Contains(wider, f.Tag.Get("for")) && !reflect.DeepEqual(is.Field(i).Interface(), was.Field(i).Interface()) {
			return fmt.Errorf("%s can't be turned for so little: see who it is for in the table of dials", f.Tag.Get("json"))
		}
	}
	s.turns = append(s.turns, turn)
	return nil
}

// AppDials are the dials as they are for one app; false if there is none.
func (w *World) AppDials(id string) (Dials, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if a := w.app(id); a != nil {
		return a.dials.copy(), true
	}
	return Dials{}, false
}

// SocketDials are the dials as they are for one connection.
func (w *World) SocketDials(id int) (Dials, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c := w.socket(id); c != nil {
		return c.dials.copy(), true
	}
	return Dials{}, false
}

func (w *World) socket(id int) *conn {
	for _, a := range w.apps {
		for _, c := range a.conns {
			if c.id == id {
				return c
			}
		}
	}
	return nil
}

// tuned are an app's dials, for who does not hold the lock; the World's for
// none.
func (w *World) tuned(a *app) *Dials {
	w.mu.Lock()
	defer w.mu.Unlock()
	if a == nil {
		return w.dials
	}
	return a.dials
}

// tuned are a connection's dials, for who does not hold the lock.
func (c *conn) tuned() *Dials {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	return c.dials
}
