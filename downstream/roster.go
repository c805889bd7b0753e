package downstream

import (
	"sync"
	"time"

	"pagbot/activation"
)

// roster is who waits for a look at one target that is not due yet.
//
// Many targets follow in ticks: whoever turned before a tick is there after it.
// So the news of one is a reason to look at the one who waited longest, whose
// news is a reason to look at the next, and so on until somebody's is no news:
// on a target without ticks that is one look too many.
type roster struct {
	mu    sync.Mutex
	waits map[string]waiter
}

type waiter struct {
	asked time.Time // when the last answer came
	until time.Time // when the next look is due anyway
}

func (r *roster) add(name string, w waiter) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waits[name] = w
}

func (r *roster) drop(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.waits, name)
}

// longest takes out those who have waited longest, and forgets who is not
// coming any more.
func (r *roster) longest(n int, now time.Time) (names []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for range n {
		longest := ""
		for name, w := range r.waits {
			if now.Sub(w.until) > time.Hour {
				delete(r.waits, name) // its activation is over
				continue
			}
			if o := r.waits[longest]; longest == "" || w.asked.Before(o.asked) || w.asked.Equal(o.asked) && name < longest {
				longest = name
			}
		}
		if longest == "" {
			return names
		}
		delete(r.waits, longest)
		names = append(names, longest)
	}
	return names
}

// nameOf is what a look that is not due yet waits for.
func nameOf(a activation.Activation, e activation.Effect) string {
	return "look/" + a.ID + "/" + e.Target + "/" + string(e.Toward)
}

// Every says how often a target is looked at, at the least, for a turn of that
// age; cards may say it. It grows while more
// wait for the same target than it can be asked about.
func (w *Watch) Every(target string, age time.Duration) time.Duration {
	l, ok := w.lines[target]
	if !ok {
		return 0
	}
	most := soonCap
	if age > soon {
		most = lateCap
	}
	return max(most, l.limits.Cache) + w.c.World(l.ahead())
}
