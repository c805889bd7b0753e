package target

import (
	"slices"
	"strings"
	"time"
)

// What a [Fault] may do.
const (
	DoStatus = "status" // Status (503) with the service's own shape of an error
	DoHTML   = "html"   // Status (200) with a page: signed out, or a bad gateway
	DoHang   = "hang"   // nothing, until the caller gives up
	DoSlow   = "slow"   // the right answer, after Delay of real time
	DoReset  = "reset"  // the connection breaks
	DoCut    = "cut"    // half of the right answer
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
func (f *Frame) Inject(x Fault) (disarm func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	a := &armed{Fault: x}
	f.faults = append(f.faults, a)
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.faults = slices.DeleteFunc(f.faults, func(x *armed) bool { return x == a })
	}
}

func (f *Frame) fault(path string) *Fault {
	for _, a := range f.faults {
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
