// Package awsidc pretends to be the identity store of an AWS IAM Identity
// Center that Entra provisions, as far as it tells who is in a group, and the
// security token service as far as a role is opened by a token.
//
// Members arrive by Entra's provisioning, with its cliff, and leave with its
// cycle; package target is the frame. Requests must be signed (Signature
// Version 4), as AWS refuses all others.
//
//	awsidc.go  the store     api.go  the operations     sign.go  signatures and roles
package awsidc

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"pagbot/sim/target"
)

// Config says what the store holds.
type Config struct {
	Seed      uint64
	Now       func() time.Time // world time; default time.Now
	Wire      func() time.Time // the throttle's; default Now
	Directory target.Directory
	Store     string            // its id, d-…
	Region    string            // requests must be signed for it
	Keys      map[string]string // secret keys by access key
	Roles     map[string]string // the token that opens a role
	Issuer    string            // of external ids
	Follow    *target.Follow    // how Entra writes; default: the book's cycle with its cliff
	Dials     *Dials            // default: Usual()
	Groups    []Group
	Users     []User
}

// Group is one that Entra provisions.
type Group struct{ Name, PAG string }

// User is a person in scope.
type User struct {
	OID, UPN    string
	Provisioned bool // is there already, by a base group
}

// Dials are the limits and lies of the store.
type Dials struct {
	target.Dials
	Apply        time.Duration // how long a write takes to show: the store is eventually consistent
	Deny         []string      // operations that the role may not call
	NoExternalID bool          // externalId is something else than the object id
	GoneIsFalse  bool          // a group that is not there answers "no member" instead of an error
}

// Usual are the book's values: 20 calls a second.
func Usual() Dials {
	d := Dials{Dials: target.Usual()}
	d.Budget, d.Window = 20, time.Second
	return d
}

// World is the store.
type World struct {
	*target.Frame
	Job    *target.Job // Entra's side of it
	c      Config
	dials  Dials
	groups []Group
	ids    map[string]string // of groups and users, by "group "+name and "user "+oid
	keys   map[string]string
	tokens map[string]string // session tokens by access key
	copy   *target.Copy
	born   map[string]bool // users that were written once
}

// New makes the store. What the directory says now is there already.
func New(c Config) (*World, error) {
	if c.Directory == nil || c.Store == "" || c.Region == "" {
		return nil, fmt.Errorf("awsidc needs a Directory, a Store and a Region")
	}
	w := &World{c: c, dials: Usual(), groups: slices.Clone(c.Groups), ids: map[string]string{}, keys: map[string]string{}, tokens: map[string]string{}, born: map[string]bool{}}
	if c.Dials != nil {
		w.dials = *c.Dials
	}
	for k, v := range c.Keys {
		w.keys[k] = v
	}
	w.Frame = target.New(target.Config{Seed: c.Seed, Now: c.Now, Wire: c.Wire, Dials: &w.dials.Dials})
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
			for _, u := range c.Users {
				keys = append(keys, key(g, u.OID))
			}
		}
		for _, u := range c.Users {
			w.ids["user "+u.OID] = w.GUID()
		}
		w.copy = w.Copy(func() target.Follow { return *follow }, func(key string, at time.Time) bool {
			group, oid, _ := strings.Cut(key, "/")
			return target.Direct(w.c.Directory)(group, oid, at)
		}, keys...)
		w.copy.Pushes(func(key string, at time.Time) bool {
			group, oid, _ := strings.Cut(key, "/")
			return target.Activated(w.c.Directory)(group, oid, at)
		})
		w.Job = w.copy.Provision()
	})
	return w, nil
}

func key(g Group, oid string) string { return g.PAG + "/" + strings.ToLower(oid) }

// Turn changes the dials.
func (w *World) Turn(f func(*Dials)) { w.Do(func() { f(&w.dials) }) }

// Remove deletes a group, as somebody's hand might.
func (w *World) Remove(name string) {
	w.Do(func() { w.groups = slices.DeleteFunc(w.groups, func(g Group) bool { return g.Name == name }) })
}

func (w *World) group(name string) (Group, bool) {
	for _, g := range w.c.Groups {
		if strings.EqualFold(g.Name, name) {
			return g, true
		}
	}
	return Group{}, false
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

// NextTick is when the next cycle of provisioning runs.
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
