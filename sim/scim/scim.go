// Package scim pretends to be an application that Entra provisions by SCIM 2.0,
// as far as reading goes: users, groups, and who is in them.
//
// What it knows is what Entra's provisioning has written: activated members
// after 2 to 10 minutes, the sixth in ten seconds with the next cycle of 40
// minutes, and removals with a cycle always. A person whom nobody provisioned
// is not there at all until the first membership arrives. Package target is the
// frame; the truth is in [World.Knows] and [World.TrueEffect], for tests only.
//
//	scim.go  the world     api.go     the calls
//	dials.go the lies      filter.go  filters, as far as they are used
package scim

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"pagbot/sim/target"
)

// Config says what the application holds.
type Config struct {
	Seed      uint64
	Now       func() time.Time // world time; default time.Now
	Wire      func() time.Time // the throttle's; default Now
	Directory target.Directory
	Token     string         // the bearer that it takes
	Follow    *target.Follow // how Entra writes; default: the book's cycle with its cliff
	Dials     *Dials         // default: Usual()
	Groups    []Group
	Users     []User
}

// Group is one that Entra provisions: displayName here is its name there.
type Group struct {
	Name string
	PAG  string // object id in Entra
}

// User is a person in scope.
type User struct {
	OID, UPN    string
	Provisioned bool // is there already, by a base group
}

// World is the application.
type World struct {
	*target.Frame
	Job    *target.Job // Entra's side of it
	token  string
	dir    target.Directory
	dials  Dials
	groups []Group
	users  []User
	ids    map[string]string // of groups and users here, by name and object id
	copy   *target.Copy
	born   map[string]bool // users that were written once
}

// New makes the application. What the directory says now is there already.
func New(c Config) (*World, error) {
	if c.Directory == nil || c.Token == "" || len(c.Groups) == 0 {
		return nil, fmt.Errorf("scim needs a Directory, a Token and Groups")
	}
	w := &World{token: c.Token, dir: c.Directory, dials: Usual(), groups: c.Groups, users: c.Users, ids: map[string]string{}, born: map[string]bool{}}
	if c.Dials != nil {
		w.dials = *c.Dials
	}
	w.Frame = target.New(target.Config{Seed: c.Seed, Now: c.Now, Wire: c.Wire, Dials: &w.dials.Dials, Verify: w.verify})
	w.Do(func() {
		follow := c.Follow
		if follow == nil {
			usual := target.Provisioning()
			usual.Phase = w.Phase(usual.Tick)
			follow = &usual
		}
		var keys []string
		for _, g := range w.groups {
			w.ids["group "+g.Name] = w.GUID()
			for _, u := range w.users {
				keys = append(keys, key(g, u.OID))
			}
		}
		for _, u := range w.users {
			w.ids["user "+u.OID] = w.GUID()
		}
		w.copy = w.Copy(func() target.Follow { return *follow }, w.member, keys...)
		w.copy.Pushes(func(key string, at time.Time) bool {
			group, oid, _ := strings.Cut(key, "/")
			return target.Activated(w.dir)(group, oid, at)
		})
		w.Job = w.copy.Provision()
	})
	return w, nil
}

func (w *World) verify(token string) (target.Caller, error) {
	if token != w.token {
		return target.Caller{}, fmt.Errorf("not the token")
	}
	return target.Caller{OID: "the client", App: true}, nil
}

func key(g Group, oid string) string { return g.PAG + "/" + strings.ToLower(oid) }

func (w *World) member(key string, at time.Time) bool {
	group, oid, _ := strings.Cut(key, "/")
	return target.Direct(w.dir)(group, oid, at)
}

// Turn changes the dials.
func (w *World) Turn(f func(*Dials)) { w.Do(func() { f(&w.dials) }) }

func (w *World) group(name string) (Group, bool) {
	i := slices.IndexFunc(w.groups, func(g Group) bool { return strings.EqualFold(g.Name, name) })
	if i < 0 {
		return Group{}, false
	}
	return w.groups[i], true
}

// there tells whether a user exists here: provisioned, or written with a first
// membership.
func (w *World) there(c *target.Call, u User) bool {
	if u.Provisioned || w.born[u.OID] && !w.dials.Deprovisions {
		return true
	}
	w.born[u.OID] = false
	for _, g := range w.groups {
		if w.copy.Says(c, key(g, u.OID)) {
			w.born[u.OID] = true
		}
	}
	return w.born[u.OID]
}

// Knows is the oracle: whether a group here had the person at a time up to now.
func (w *World) Knows(group, oid string, at time.Time) bool {
	g, ok := w.group(group)
	return ok && w.copy.Knows(key(g, oid), at)
}

// TrueEffect is the oracle's last span of membership here; see
// [target.Copy.TrueEffect].
func (w *World) TrueEffect(group, oid string) (from, to time.Time, ever bool) {
	g, _ := w.group(group)
	return w.copy.TrueEffect(key(g, oid))
}

// NextTick is when the next cycle runs.
func (w *World) NextTick() time.Time { return w.copy.NextTick() }

// Manage serves scripts: see [target.Frame.Manage], named by group and object
// id. Re-evaluating is provisioning on demand.
func (w *World) Manage() http.Handler {
	return w.Frame.Manage(&w.dials, func(name, oid string) (*target.Copy, string) {
		if g, ok := w.group(name); ok {
			return w.copy, key(g, oid)
		}
		return nil, ""
	})
}
