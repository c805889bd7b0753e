// Package devops pretends to be Azure DevOps Services, as far as it tells who
// is a Project Collection Administrator: identities, transitive membership,
// access control lists and the caller's own permissions.
//
// The point of it is lateness. Each organization keeps a copy of who is in the
// Entra groups that sit inside its administrators, and follows Entra late:
// by an hourly tick with a phase of its own, or by a delay. It asks its
// [Directory] lazily, when somebody looks, so that time may be fake or scaled.
// The truth about its lateness is in [Organization.Knows] and
// [Organization.TrueEffect]: for tests only, as nobody sees it in reality.
//
//	devops.go   the world and its organizations    replica.go  what they know, and since when
//	http.go     the door, tokens, throttle         api.go      the calls
//	dials.go    limits and faults                  manage.go   management over HTTP
package devops

import (
	"cmp"
	"fmt"
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

// Caller is whom a bearer token stands for.
type Caller struct{ OID string }

// Config says which organizations there are.
type Config struct {
	Seed      uint64
	Now       func() time.Time // world time: ticks and delays; default time.Now
	Wire      func() time.Time // the throttle's; default Now
	Tenant    string           // Entra's tenant id, in descriptors
	Directory Directory
	Verify    func(token string) (Caller, error)
	Dials     *Dials // default: Usual()
	Orgs      []Org
}

// Org describes an organization.
type Org struct {
	Name    string
	Groups  []string      // Entra groups inside Project Collection Administrators
	Tick    time.Duration // how often the copy is refreshed; default an hour; with Grant set, unused
	Phase   time.Duration // of the ticks; negative or zero: by the seed
	Grant   Delay         // a copy without ticks: how late it learns …
	Revoke  Delay         // … and forgets
	Users   []User
	Readers []string // object ids of the service principals that were added
}

// Delay is drawn evenly between its ends.
type Delay struct{ Min, Max time.Duration }

// User is a person whom an organization may know.
type User struct {
	OID, UPN, Name string
	Standing       bool // ordinary access of their own
	SignedIn       bool // has been here: before that nothing is known of them
	Administrator  bool // directly, without any group
}

// World holds the organizations.
type World struct {
	now, wire func() time.Time
	tenant    string
	dir       Directory
	verify    func(string) (Caller, error)

	mu      sync.Mutex
	rand    *rand.Rand
	dials   Dials
	faults  []*armed
	orgs    []*Organization
	history []Record
	spent   map[string][]time.Time // calls in the throttle's window, by caller
}

// New makes the organizations. What the directory says now is what they know.
func New(c Config) (*World, error) {
	if c.Directory == nil || c.Verify == nil {
		return nil, fmt.Errorf("devops needs a Directory and a Verify")
	}
	w := &World{now: c.Now, wire: c.Wire, tenant: c.Tenant, dir: c.Directory, verify: c.Verify, dials: Usual(),
		rand: rand.New(rand.NewPCG(c.Seed, 0x6465766f7073)), spent: map[string][]time.Time{}}
	if w.now == nil {
		w.now = time.Now
	}
	if w.wire == nil {
		w.wire = w.now
	}
	if c.Dials != nil {
		w.dials = *c.Dials
	}
	for _, o := range c.Orgs {
		if o.Name == "" || strings.Contains(o.Name, "/") || w.Org(o.Name) != nil {
			return nil, fmt.Errorf("organization %q: a name of its own is needed", o.Name)
		}
		o.Tick = cmp.Or(o.Tick, time.Hour)
		if o.Phase <= 0 {
			o.Phase = time.Duration(w.rand.Int64N(int64(o.Tick)))
		}
		x := &Organization{Org: o, w: w, born: w.now(), sid: fmt.Sprintf("S-1-9-1551374245-%d-%d-%d-%d-0-0-0-0-1", w.rand.Uint32(), w.rand.Uint32(), w.rand.Uint32(), w.rand.Uint32()),
			pca: w.guid(), copies: map[string]*replica{}}
		x.Users = slices.Clone(x.Users)
		for range x.Users {
			x.ids = append(x.ids, w.guid())
		}
		w.orgs = append(w.orgs, x)
	}
	return w, nil
}

// Organization is one of them, alive.
type Organization struct {
	Org
	w      *World
	born   time.Time
	sid    string
	pca    string   // id of its administrators' group
	ids    []string // of its users, in their order
	copies map[string]*replica
}

// Org finds an organization by its name; nil if there is none.
func (w *World) Org(name string) *Organization {
	for _, o := range w.orgs {
		if strings.EqualFold(o.Name, name) {
			return o
		}
	}
	return nil
}

// SignIn is a person opening the organization's pages: it makes them known
// there, and re-evaluates their permissions at once. It needs ordinary access.
func (o *Organization) SignIn(oid string) error {
	o.w.mu.Lock()
	defer o.w.mu.Unlock()
	i, ok := o.user(oid)
	if !ok || !o.Users[i].Standing {
		return fmt.Errorf("TF400813: %s is not authorized to access %s", oid, o.Name)
	}
	o.Users[i].SignedIn = true
	o.copy(oid).reevaluate(o.w.now())
	return nil
}

func (o *Organization) user(oid string) (int, bool) {
	for i, u := range o.Users {
		if strings.EqualFold(u.OID, oid) {
			return i, true
		}
	}
	return 0, false
}

func (w *World) guid() string {
	a, b := w.rand.Uint64(), w.rand.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x", a>>32, a>>16&0xffff, a&0xfff, 0x8000|b>>48&0x3fff, b&0xffffffffffff)
}
