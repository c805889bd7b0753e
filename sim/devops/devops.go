// Package devops pretends to be Azure DevOps Services, as far as it tells who
// is a Project Collection Administrator: identities, transitive membership,
// access control lists and the caller's own permissions.
//
// The point of it is lateness. Each organization keeps a copy of who is in the
// Entra groups that sit inside its administrators, and follows Entra late:
// by an hourly tick with a phase of its own, or by a delay. Package target is
// the frame that keeps the copies. The truth about the lateness is in
// [Organization.Knows] and [Organization.TrueEffect]: for tests only, as nobody
// sees it in reality.
//
//	devops.go   the world and its organizations    api.go      the calls
//	http.go     the door, tokens, throttle         manage.go   dials, management over HTTP
package devops

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"pagbot/sim/target"
)

// The nouns of the frame.
type (
	Directory = target.Directory // Entra's true history
	Caller    = target.Caller    // whom a bearer token stands for
	Delay     = target.Delay     // drawn evenly between its ends
	Fault     = target.Fault     // something that goes wrong
	Record    = target.Record    // one call, as kept
)

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

// User is a person whom an organization may know.
type User struct {
	OID, UPN, Name string
	Standing       bool // ordinary access of their own
	SignedIn       bool // has been here: before that nothing is known of them
	Administrator  bool // directly, without any group
}

// World holds the organizations.
type World struct {
	*target.Frame
	tenant string
	dir    Directory
	dials  Dials
	orgs   []*Organization
}

// New makes the organizations. What the directory says now is what they know.
func New(c Config) (*World, error) {
	if c.Directory == nil || c.Verify == nil {
		return nil, fmt.Errorf("devops needs a Directory and a Verify")
	}
	w := &World{tenant: c.Tenant, dir: c.Directory, dials: Usual()}
	if c.Dials != nil {
		w.dials = *c.Dials
	}
	w.Frame = target.New(target.Config{Seed: c.Seed, Now: c.Now, Wire: c.Wire, Verify: c.Verify, Dials: &w.dials.Dials})
	for _, o := range c.Orgs {
		if o.Name == "" || strings.Contains(o.Name, "/") || w.Org(o.Name) != nil {
			return nil, fmt.Errorf("organization %q: a name of its own is needed", o.Name)
		}
		w.Do(func() { w.orgs = append(w.orgs, w.organization(o)) })
	}
	return w, nil
}

func (w *World) organization(o Org) *Organization {
	o.Tick = cmp.Or(o.Tick, time.Hour)
	if o.Phase <= 0 {
		o.Phase = w.Phase(o.Tick)
	}
	x := &Organization{Org: o, w: w, pca: w.GUID(),
		sid: fmt.Sprintf("S-1-9-1551374245-%d-%d-%d-%d-0-0-0-0-1", w.Uint32(), w.Uint32(), w.Uint32(), w.Uint32())}
	x.Users = slices.Clone(x.Users)
	for range x.Users {
		x.ids = append(x.ids, w.GUID())
	}
	x.copy = w.Copy(
		func() target.Follow {
			return target.Follow{Tick: x.Tick, Phase: x.Phase, Grant: x.Grant, Revoke: x.Revoke}
		},
		func(oid string, at time.Time) bool {
			return slices.ContainsFunc(x.Groups, func(g string) bool { return w.dir.Member(g, oid, at) })
		})
	return x
}

// Organization is one of them, alive.
type Organization struct {
	Org
	w    *World
	sid  string
	pca  string   // id of its administrators' group
	ids  []string // of its users, in their order
	copy *target.Copy
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
func (o *Organization) SignIn(oid string) (err error) {
	o.w.Do(func() {
		i, ok := o.user(oid)
		if !ok || !o.Users[i].Standing {
			err = fmt.Errorf("TF400813: %s is not authorized to access %s", oid, o.Name)
			return
		}
		o.Users[i].SignedIn = true
		o.copy.Reevaluate(oid, 0)
	})
	return err
}

func (o *Organization) user(oid string) (int, bool) {
	i := slices.IndexFunc(o.Users, func(u User) bool { return strings.EqualFold(u.OID, oid) })
	return i, i >= 0
}

// Knows is the oracle: whether the organization's (first) copy had the person
// as an administrator at a time up to now.
func (o *Organization) Knows(oid string, at time.Time) bool {
	directly := false
	o.w.Do(func() {
		i, ok := o.user(oid)
		directly = ok && o.Users[i].Administrator
	})
	return directly || o.copy.Knows(oid, at)
}

// TrueEffect is the oracle's last span of knowing: zero if there never was one;
// a zero from: since ever; a zero to: no end yet. Times that lie ahead are
// already decided.
func (o *Organization) TrueEffect(oid string) (from, to time.Time, ever bool) {
	return o.copy.TrueEffect(oid)
}

// NextTick is when the organization looks next; without ticks, soon.
func (o *Organization) NextTick() time.Time { return o.copy.NextTick() }
