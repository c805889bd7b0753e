package downstream

import (
	"maps"
	"sync"
	"time"

	"pagbot/activation"
)

// plans are those of the lives that are followed now.
type plans struct {
	mu   sync.Mutex
	made map[turned]plan
}

type turned struct {
	target string
	toward activation.Direction
	turn   time.Time
}

type plan struct {
	at      time.Time
	learned *Learned
}

// fresh is how long a plan is followed before the past is asked again.
const fresh = time.Hour

// learned is the plan for one life; nil if its target's past teaches nothing.
func (w *Watch) learned(target string, toward activation.Direction, turn, now time.Time) *Learned {
	if w.c.History == nil {
		return nil
	}
	w.plans.mu.Lock()
	defer w.plans.mu.Unlock()
	of := turned{target, toward, turn}
	p, ok := w.plans.made[of]
	if !ok || now.Sub(p.at) > fresh {
		maps.DeleteFunc(w.plans.made, func(_ turned, p plan) bool { return now.Sub(p.at) > fresh })
		past := w.c.History(target, toward)
		p = plan{now, Learn(past, turn, w.lines[target].limits.Cache)}
		w.plans.made[of] = p
	}
	return p.learned
}
