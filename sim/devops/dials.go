package devops

import (
	"slices"
	"strings"
	"time"
)

// Dials are the limits and lies of the service.
type Dials struct {
	Budget      int           // calls a Window and caller; 0: no limit
	Window      time.Duration // of the throttle, in wire time
	RetryAfter  string        // as sent with a 429 of the throttle
	Replicas    int           // copies that answer in turn, by chance; at least one
	Skew        time.Duration // each further copy is so much later than the one before
	NoEntry     bool          // an access control list lacks those without bits, instead of saying 0
	AbsentEmpty bool          // membersof answers a non-member with 200 and nothing, instead of 404
}

// Usual are the book's values.
func Usual() Dials {
	return Dials{Budget: 30, Window: 10 * time.Second, RetryAfter: "5", Replicas: 1}
}

// Turn changes the dials.
func (w *World) Turn(f func(*Dials)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f(&w.dials)
}

// What a [Fault] may do.
const (
	DoStatus = "status" // Status (503) with the service's JSON
	DoHTML   = "html"   // Status (200) with a page: signed out, or a bad gateway
	DoHang   = "hang"   // nothing, until the caller gives up
	DoSlow   = "slow"   // the right answer, after Delay of real time
	DoReset  = "reset"  // the connection breaks
)

// Fault is something that goes wrong.
type Fault struct {
	Path       string `json:"path,omitempty"` // part of the path
	Skip       int    `json:"skip,omitempty"`
	Times      int    `json:"times,omitempty"` // 0: for ever
	Do         string `json:"do"`
	Status     int    `json:"status,omitempty"`
	RetryAfter string `json:"retryAfter,omitempty"`

	Delay time.Duration `json:"delay,omitempty"` // of DoSlow
}

type armed struct {
	Fault
	hits int
}

// Inject arms a fault; the returned function disarms it.
func (w *World) Inject(f Fault) (disarm func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	a := &armed{Fault: f}
	w.faults = append(w.faults, a)
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.faults = slices.DeleteFunc(w.faults, func(x *armed) bool { return x == a })
	}
}

func (w *World) fault(path string) *Fault {
	for _, a := range w.faults {
		if !strings.Contains(path, a.Path) {
			continue
		}
		a.hits++
		if a.hits > a.Skip && (a.Times == 0 || a.hits <= a.Skip+a.Times) {
			return &a.Fault
		}
	}
	return nil
}

// throttled spends one call of the caller's budget.
func (w *World) throttled(who string) bool {
	if w.dials.Budget == 0 {
		return false
	}
	now := w.wire()
	recent := slices.DeleteFunc(w.spent[who], func(t time.Time) bool { return now.Sub(t) >= w.dials.Window })
	over := len(recent) >= w.dials.Budget
	if !over {
		recent = append(recent, now)
	}
	w.spent[who] = recent
	return over
}
