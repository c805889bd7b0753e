// Package intune pretends to be Intune's role-based access control behind
// Microsoft Graph: role assignments with their members and scope tags, what
// whoever calls is assigned, and the policies that they see.
//
// Each role assignment follows Entra late, on its own. Functions about "the
// user" answer for the bearer: an application's token gets the application's
// own assignments, which are none, with a 200 and not an error. Policies are
// shown by the scope tags of all assignments together, as Intune does it: two
// that are active at once widen each other. The truth about the lateness is in
// [World.Copy]: for tests only.
package intune

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"pagbot/sim/target"
)

// Config says which assignments and policies there are.
type Config struct {
	Seed        uint64
	Now         func() time.Time // world time; default time.Now
	Wire        func() time.Time // the throttle's; default Now
	Directory   target.Directory
	Verify      func(token string) (target.Caller, error)
	Dials       *Dials // default: Usual()
	Assignments []Assignment
	Policies    []Policy
	Unlicensed  []string // object ids of people without a licence: a group gives them a role, and they may do nothing
}

// Assignment is a role assignment: who has a role, over what.
type Assignment struct {
	ID, Name string
	Role     string // id of the role definition
	RoleName string
	Groups   []string // Entra groups that are its members
	Tags     []Tag
	Follow   *target.Follow // how it follows Entra; default: the book's 1 to 15 minutes both ways
}

// Tag is a scope tag.
type Tag struct{ ID, Name string }

// Policy is a compliance policy with its scope tags' ids.
type Policy struct {
	ID, Name string
	Tags     []string
}

// Dials are the limits and lies of the service.
type Dials struct {
	target.Dials
	NewShape        bool // getAssignedRoleDetails in its newer shape, which names no assignments
	RightsFromToken bool // rights are those of the moment when the token was issued
}

// Usual are the book's values.
func Usual() Dials {
	d := Dials{Dials: target.Usual()}
	d.Budget, d.Window = 100, 20*time.Second
	return d
}

// World is the service.
type World struct {
	*target.Frame
	dials       Dials
	assignments []*held
	policies    []Policy
	unlicensed  []string
}

// held is an assignment and what it knows.
type held struct {
	Assignment
	copy *target.Copy
}

// New makes the service. What the directory says now is what it knows.
func New(c Config) (*World, error) {
	if c.Directory == nil || c.Verify == nil {
		return nil, fmt.Errorf("intune needs a Directory and a Verify")
	}
	w := &World{dials: Usual(), policies: slices.Clone(c.Policies)}
	if c.Dials != nil {
		w.dials = *c.Dials
	}
	w.Frame = target.New(target.Config{Seed: c.Seed, Now: c.Now, Wire: c.Wire, Verify: c.Verify, Dials: &w.dials.Dials})
	for _, a := range c.Assignments {
		w.assignments = append(w.assignments, &held{a, w.Assigned(c.Directory, a.Groups, a.Follow)})
	}
	for _, oid := range c.Unlicensed {
		w.unlicensed = append(w.unlicensed, strings.ToLower(oid))
	}
	return w, nil
}

// Copy is what an assignment knows of persons, by object id; nil if there is
// no such assignment.
func (w *World) Copy(assignment string) *target.Copy {
	if h := w.assignment(assignment); h != nil {
		return h.copy
	}
	return nil
}

func (w *World) assignment(id string) *held {
	for _, h := range w.assignments {
		if strings.EqualFold(h.ID, id) {
			return h
		}
	}
	return nil
}

// Turn changes the dials.
func (w *World) Turn(f func(*Dials)) { w.Do(func() { f(&w.dials) }) }

// Manage serves scripts and the demo's page; see [target.Frame.Manage]. The
// oracle goes by assignment and object id.
func (w *World) Manage() *http.ServeMux {
	return w.Frame.Manage(&w.dials, func(name, oid string) (*target.Copy, string) {
		if h := w.assignment(name); h != nil {
			return h.copy, oid
		}
		return nil, ""
	})
}
