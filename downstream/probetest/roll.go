package probetest

import (
	"strings"
	"sync"
	"time"
)

// Roll is Entra's true history of one group, or of several that are one here.
// It is the directory of simulators that follow Entra.
type Roll struct {
	mu      sync.Mutex
	changes map[string][]time.Time // of a person, in turn: in, out, in
}

// Set makes a person a member, or none, from now on.
func (r *Roll) Set(oid string, in bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.changes == nil {
		r.changes = map[string][]time.Time{}
	}
	key := strings.ToLower(oid)
	if len(r.changes[key])%2 == 1 != in {
		r.changes[key] = append(r.changes[key], time.Now())
	}
}

// Member tells whether a person was a member at a time.
func (r *Roll) Member(_, oid string, at time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	in := false
	for _, c := range r.changes[strings.ToLower(oid)] {
		if c.After(at) {
			break
		}
		in = !in
	}
	return in
}
