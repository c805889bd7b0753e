package engine

import (
	"slices"
	"sync"

	"pagbot/activation"
	"pagbot/store"
)

// claim is a job that this process has in hand.
type claim struct {
	store.Job
	lane     activation.Lane
	released []string // meanwhile
	waits    string   // what the attempt left it waiting for
}

func (c *claim) name() string { return string(c.lane) + "/" + c.Key }

// inHand is every job in hand, so that a lease that runs out under a hand that
// hangs never makes a second hand of this process do the same deed, and so that
// a release is not lost on a job that only then begins to wait.
type inHand struct {
	mu     sync.Mutex
	claims map[string]*claim
}

// take is false if the job is in hand already.
func (h *inHand) take(c *claim) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.claims[c.name()] != nil {
		return false
	}
	h.claims[c.name()] = c
	return true
}

// drop lets go of a job and reports whether what it waits for was released
// while it was in hand.
func (h *inHand) drop(c *claim) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.claims, c.name())
	return c.waits != "" && slices.Contains(c.released, c.waits)
}

// release notes a name with everything in hand.
func (h *inHand) release(wait string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range h.claims {
		switch c.lane {
		case activation.LaneDeed, activation.LaneSay, activation.LaneWatch:
			c.released = append(c.released, wait)
		}
	}
}
