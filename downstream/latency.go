package downstream

import (
	"time"

	"pagbot/activation"
)

// Latency is one measurement, as a delay after its turn (PIM's start, or the
// end of the activation): the change came within (After, By].
type Latency struct {
	Activation string
	Group      string // id
	Target     string // id, as configured
	Toward     activation.Direction
	Level      activation.Level
	At         time.Time     // the turn
	After      time.Duration // the last contrary answer was asked for so long after the turn; 0: at the turn
	By         time.Duration // the first wanted answer was received; 0: not seen as long as anyone looked, that is until After
}

// Censored reports whether the change was not seen: it took longer than After.
func (l Latency) Censored() bool { return l.By == 0 }

// Latencies are the measurements of an activation from which something can be
// learned: those with a no before the yes, or the reverse, and those that were
// given up. A target that had it already, or that was first asked after the
// change, tells nothing.
func Latencies(a activation.Activation) []Latency {
	var all []Latency
	for _, t := range a.Targets {
		for _, toward := range []activation.Direction{activation.Grant, activation.Removal} {
			if l, ok := latency(a, t, toward); ok {
				all = append(all, l)
			}
		}
	}
	return all
}

func latency(a activation.Activation, t activation.Target, toward activation.Direction) (Latency, bool) {
	s, turn := t.Span(toward), a.From
	if toward == activation.Removal {
		turn = a.Ended
	}
	l := Latency{Activation: a.ID, Group: a.Group.ID, Target: t.ID, Toward: toward, Level: s.Level, At: turn}
	if !s.After.IsZero() {
		l.After = max(s.After.Sub(turn), 0)
	}
	seen := s.State == activation.Effective || s.State == activation.Gone
	// What another activation keeps open (Via) may have been gone by itself. One
	// that never came may come later still: it is known how long it took at least.
	waited := s.State == activation.NotProven || s.State == activation.Superseded && s.Via == "" || NeverGranted(a, t) && toward == activation.Grant
	if waited && !s.Still.IsZero() {
		l.After = max(l.After, s.Still.Sub(turn))
	}
	if seen {
		l.By = max(s.By.Sub(turn), 1)
	}
	return l, !turn.IsZero() && (seen || waited && l.After > 0)
}

// NeverGranted reports whether an activation ended before a target ever said
// yes.
func NeverGranted(a activation.Activation, t activation.Target) bool {
	return !a.Ended.IsZero() && (t.Grant.State == activation.Waiting || t.Grant.State == activation.NeverCame)
}
