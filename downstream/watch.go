package downstream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"time"

	"pagbot/activation"
)

// Config is what a Watch needs.
type Config struct {
	Probes map[string]Probe                       // by target id; targets with the very same probe share its budget
	Now    func() time.Time                       // world time; nil: time.Now
	World  func(wire time.Duration) time.Duration // how long that is in world time; nil: as long
	// History is what was measured before on a target, oldest first; nil: nothing
	// is learned. It is asked once a life and direction, and every hour again.
	History func(target string, toward activation.Direction) []Latency
	// Wake lets go what waits for a name (Report.Wait); nil: looks are made when
	// they are due, and no sooner.
	Wake func(name string)
	Log  *slog.Logger // nil: silent
}

func (c Config) validate() (Config, error) {
	for id, p := range c.Probes {
		if id == "" || p == nil {
			return c, fmt.Errorf("target %q has no probe", id)
		}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.World == nil {
		c.World = func(d time.Duration) time.Duration { return d }
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c, nil
}

// Watch follows activations on their targets: it does the watch lane's probe
// effects.
type Watch struct {
	c     Config
	lines map[string]*line
	plans plans
}

// NewWatch makes a Watch over the configured targets.
func NewWatch(c Config) (*Watch, error) {
	c, err := c.validate()
	if err != nil {
		return nil, err
	}
	w := &Watch{c: c, lines: map[string]*line{}, plans: plans{made: map[turned]plan{}}}
	for id, p := range c.Probes {
		for _, other := range w.lines {
			if reflect.TypeOf(p).Comparable() && other.probe == p {
				w.lines[id] = other
			}
		}
		if w.lines[id] == nil {
			w.lines[id] = newLine(p, c.Log.With("target", id))
		}
	}
	return w, nil
}

// Look does the same as Do: reading may be repeated freely.
func (w *Watch) Look(ctx context.Context, a activation.Activation, e activation.Effect) activation.Report {
	return w.Do(ctx, a, e)
}

// Do asks one target once about one activation in one direction, and reports
// what is new and when to ask again.
func (w *Watch) Do(ctx context.Context, a activation.Activation, e activation.Effect) activation.Report {
	if e.Kind != activation.Probe {
		return activation.Report{Err: fmt.Errorf("the watch of targets cannot do %q", e.Kind)}
	}
	m := newMeasure(a, e)
	if m.toward == activation.Removal && m.turn.IsZero() {
		return activation.Report{Err: errors.New("a removal is not measured before the end")}
	}
	l, ok := w.lines[e.Target]
	if !ok {
		m.now = w.c.Now()
		return m.report(reply{answer: cantTell("this target is no longer configured", activation.L0, m.now, m.now)})
	}
	m.limits = l.limits
	m.limits.Rate = w.c.World(l.limits.Rate)
	m.world = w.c.World
	m.now = w.c.Now()
	if !m.control {
		m.learned = w.learned(e.Target, e.Toward, m.turn, m.now)
	}
	name := nameOf(a, e)
	l.roster.drop(name)
	if wait := m.early(); wait > 0 {
		return m.again(wait)
	}
	if pause := l.paused(); pause > 0 {
		m.memory.Booked = false // when it is over everybody comes at once
		return m.after(pause)
	}
	if !m.memory.Booked && !m.control { // a deed waits for the control
		if wait := l.book(); wait > 0 {
			m.memory.Booked = true
			return m.after(wait)
		}
	}
	m.memory.Booked = false
	if p, ok := l.probe.(Dated); ok {
		p.Changed(a.Person, m.turn)
	}
	r, err := l.ask(ctx, a.Person, m.control)
	m.now = w.c.Now()
	if err != nil {
		// We are told to stop: nothing was learned.
		return activation.Report{Again: m.now, Memory: e.Memory, Err: err}
	}
	if r.answer.Says == "" {
		return m.after(r.retry)
	}
	return w.wave(l, name, m, m.report(r))
}

// wave lets a look that is not due yet wait for news of another, and spreads
// what is news itself.
func (w *Watch) wave(l *line, name string, m *measure, r activation.Report) activation.Report {
	switch {
	case w.c.Wake == nil || m.control:
	case r.Finished() && r.Tell != nil:
		for _, other := range l.roster.longest(l.limits.Batch, m.now) {
			w.c.Wake(other)
		}
	case !r.Again.IsZero():
		r.Wait, r.Until = name, r.Again
		l.roster.add(name, waiter{m.now, r.Again})
	}
	return r
}
