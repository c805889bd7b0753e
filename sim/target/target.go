// Package target is the frame that simulated targets are built on: systems
// that learn late who is in an Entra group, and that answer whoever asks.
//
// A simulator makes one [Frame], a [Copy] for each body of knowledge that
// follows Entra on its own, and serves a [Service] through [Frame.Handler].
// The frame keeps what is alike everywhere: a copy that learns after a delay
// and forgets after another, by ticks, or by Entra's provisioning with its
// cliff; answers cached per person; replicas that disagree; re-evaluation on
// demand; a throttle; faults; the history of requests; and the oracle.
//
// A copy asks its [Directory] lazily, when somebody looks, so that time may be
// fake or scaled. All chance is the seed's: a delay depends on the seed, the
// person and the moment, not on who looked first.
//
//	target.go  the frame          copy.go    what a copy knows, and since when
//	door.go    requests, history  oracle.go  the truth: for tests only
//	dials.go   limits and lies    fault.go   what goes wrong
//	manage.go  management over HTTP   job.go  Entra's side of provisioning
package target

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"
)

// Directory is Entra's true history: who was a member of a group, and when.
type Directory interface {
	Member(group, oid string, at time.Time) bool
}

// Direct is how Entra's provisioning sees a directory: it writes direct members
// and ignores groups in groups, as far as the directory tells them apart.
func Direct(d Directory) func(group, oid string, at time.Time) bool {
	if apart, ok := d.(interface {
		DirectMember(group, oid string, at time.Time) bool
	}); ok {
		return apart.DirectMember
	}
	return d.Member
}

// Activated tells who came by an activation, which alone is written sooner than
// with the cycle, as far as the directory tells that apart.
func Activated(d Directory) func(group, oid string, at time.Time) bool {
	if apart, ok := d.(interface {
		Activated(group, oid string, at time.Time) bool
	}); ok {
		return apart.Activated
	}
	return func(string, string, time.Time) bool { return true }
}

// Caller is whom a credential stands for.
type Caller struct {
	OID    string
	App    bool      // an application, as itself
	Issued time.Time // of its token, in world time: rights that are frozen in it are of then
	Scopes []string  // of its token: delegated ones, or the application's permissions
}

// CallerOf reads the claims of a token of Entra's. Its Issued is left to who
// knows both clocks.
func CallerOf(claims map[string]any) Caller {
	c := Caller{App: claims["idtyp"] == "app"}
	c.OID, _ = claims["oid"].(string)
	scp, _ := claims["scp"].(string)
	c.Scopes = append([]string{}, strings.Fields(scp)...) // known, if there are none
	switch roles := claims["roles"].(type) {
	case []string:
		c.Scopes = append(c.Scopes, roles...)
	case []any:
		for _, r := range roles {
			if s, ok := r.(string); ok {
				c.Scopes = append(c.Scopes, s)
			}
		}
	}
	return c
}

// Lacks reports whether the token was seen to have none of some scopes. Of a
// caller whose scopes are not known it is never said.
func (c Caller) Lacks(scopes ...string) bool { return c.Scopes != nil && !c.Has(scopes...) }

// Has reports whether the token has any of some scopes.
func (c Caller) Has(scopes ...string) bool {
	return slices.ContainsFunc(scopes, func(s string) bool { return slices.Contains(c.Scopes, s) })
}

// Config is what every simulated target needs.
type Config struct {
	Seed   uint64
	Now    func() time.Time // world time: ticks and delays; default time.Now
	Wire   func() time.Time // the throttle's; default Now
	Verify func(token string) (Caller, error)
	Dials  *Dials // live: the simulator's own dials embed them; default Usual()
}

// Frame is what simulated targets have in common.
type Frame struct {
	now, wire func() time.Time
	verify    func(string) (Caller, error)
	seed      uint64

	mu      sync.Mutex
	rand    *rand.Rand
	dials   *Dials
	faults  []*armed
	history []Record
	spent   map[string][]time.Time // calls in the throttle's window, by caller
}

// New makes the frame of a simulator.
func New(c Config) *Frame {
	f := &Frame{now: c.Now, wire: c.Wire, verify: c.Verify, seed: c.Seed, dials: c.Dials,
		rand: rand.New(rand.NewPCG(c.Seed, 0x746172676574)), spent: map[string][]time.Time{}}
	if f.now == nil {
		f.now = time.Now
	}
	if f.wire == nil {
		f.wire = f.now
	}
	if f.dials == nil {
		d := Usual()
		f.dials = &d
	}
	return f
}

// Now is the simulator's world time.
func (f *Frame) Now() time.Time { return f.now() }

// Do runs g while nothing is served: simulators change their own state in it.
// What says so below must be called in it, or while answering a [Call].
func (f *Frame) Do(g func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	g()
}

// GUID makes an id by the seed; in Do.
func (f *Frame) GUID() string {
	a, b := f.rand.Uint64(), f.rand.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x", a>>32, a>>16&0xffff, a&0xfff, 0x8000|b>>48&0x3fff, b&0xffffffffffff)
}

// Uint32 is a number by the seed; in Do.
func (f *Frame) Uint32() uint32 { return f.rand.Uint32() }

// Phase is when in a period of ticks a copy ticks, by the seed; in Do.
func (f *Frame) Phase(period time.Duration) time.Duration {
	return time.Duration(f.rand.Int64N(int64(period)))
}

// Delay is drawn evenly between its ends.
type Delay struct{ Min, Max time.Duration }

// draw is the delay of one event: the same whoever looks, and whenever.
func (f *Frame) draw(d Delay, key string, at time.Time) time.Duration {
	if d.Max <= d.Min {
		return d.Min
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(key))
	r := rand.New(rand.NewPCG(f.seed^h.Sum64(), uint64(at.UnixNano())))
	return d.Min + time.Duration(r.Int64N(int64(d.Max-d.Min)))
}
