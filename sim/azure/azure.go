// Package azure pretends to be Azure's role-based access control: role
// assignments as Azure Resource Manager lists them, its checkaccess, the policy
// engine's own address, and what whoever calls may do.
//
// The list joins Entra's data of this moment: it says yes long before the
// engine does. The engine follows Entra late and lets its answers be cached; it
// believes whatever groups a caller sends along, and looks a person's own
// groups up only if it is asked to, or if the dial says that it does so anyway.
// The truth about its lateness is in [World.Copy]: for tests only.
package azure

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"pagbot/sim/target"
)

// Config says which assignments there are.
type Config struct {
	Seed      uint64
	Now       func() time.Time // world time; default time.Now
	Wire      func() time.Time // the throttle's; default Now
	Directory target.Directory
	Verify    func(token string) (target.Caller, error)
	Dials     *Dials // default: Usual()
	// Readers are the applications that may read assignments and ask the engine,
	// each at a scope and below; nil lets every application do so everywhere.
	Readers     map[string]string
	Assignments []Assignment
}

// Assignment gives a principal a role at a scope and all below it.
type Assignment struct {
	ID        string // empty: made up
	Principal string // an Entra group or a person
	Role      string // id of the role definition
	Actions   []string
	Data      []string // data actions
	Scope     string
	Deny      bool           // a deny assignment
	Follow    *target.Follow // how the engine follows Entra; default: up to 10 minutes both ways, hours for data actions at management groups
}

// Dials are the limits and lies of the service.
type Dials struct {
	target.Dials
	GroupsUnheard bool          // assignedTo() of a group finds nothing, instead of being refused
	ExpandsAnyway bool          // checkaccess looks up a person's groups although nobody asked it to
	Keeps         time.Duration // so long a token keeps the groups of its issue, for what its owner may do
}

// Usual are the book's values.
func Usual() Dials {
	d := Dials{Dials: target.Usual(), ExpandsAnyway: true, Keeps: 75 * time.Minute}
	d.Budget, d.CachedYes, d.CachedNo = 0, 5*time.Minute, 5*time.Minute
	return d
}

// World is the service.
type World struct {
	*target.Frame
	dials       Dials
	dir         target.Directory
	readers     map[string]string
	assignments []*held
}

type held struct {
	Assignment
	copy *target.Copy
	data *target.Copy // what is known for data actions
}

// New makes the service. What the directory says now is what it knows.
func New(c Config) (*World, error) {
	if c.Directory == nil || c.Verify == nil {
		return nil, fmt.Errorf("azure needs a Directory and a Verify")
	}
	w := &World{dials: Usual(), dir: c.Directory, readers: c.Readers}
	if c.Dials != nil {
		w.dials = *c.Dials
	}
	w.Frame = target.New(target.Config{Seed: c.Seed, Now: c.Now, Wire: c.Wire, Verify: c.Verify, Dials: &w.dials.Dials})
	for _, a := range c.Assignments {
		h := &held{Assignment: a}
		w.Do(func() {
			if h.ID == "" {
				h.ID = a.Scope + "/providers/Microsoft.Authorization/roleAssignments/" + w.GUID()
			}
			h.copy = w.follow(a, target.Delay{Max: 10 * time.Minute})
			if h.data = h.copy; management(a.Scope) {
				h.data = w.follow(a, target.Delay{Min: 2 * time.Hour, Max: 6 * time.Hour})
			}
		})
		w.assignments = append(w.assignments, h)
	}
	return w, nil
}

// follow makes what is known of an assignment, late both ways unless it says how.
func (w *World) follow(a Assignment, late target.Delay) *target.Copy {
	follow := target.Follow{Grant: late, Revoke: late}
	if a.Follow != nil {
		follow = *a.Follow
	}
	return w.Frame.Copy(func() target.Follow { return follow }, func(oid string, at time.Time) bool {
		return strings.EqualFold(a.Principal, oid) || w.dir.Member(a.Principal, oid, at)
	})
}

// Copy is what the engine knows of persons through the n-th assignment, by
// object id.
func (w *World) Copy(n int) *target.Copy { return w.assignments[n].copy }

// Assignment is the n-th assignment, with its id.
func (w *World) Assignment(n int) Assignment { return w.assignments[n].Assignment }

// Turn changes the dials.
func (w *World) Turn(f func(*Dials)) { w.Do(func() { f(&w.dials) }) }

// Manage serves scripts and the demo's page; see [target.Frame.Manage]. The
// oracle goes by principal and object id.
func (w *World) Manage() *http.ServeMux {
	return w.Frame.Manage(&w.dials, func(name, oid string) (*target.Copy, string) {
		i := slices.IndexFunc(w.assignments, func(h *held) bool { return strings.EqualFold(h.Principal, name) })
		if i < 0 {
			return nil, ""
		}
		return w.assignments[i].copy, oid
	})
}

// management reports whether a scope is a management group.
func management(scope string) bool {
	return strings.HasPrefix(strings.ToLower(scope), "/providers/microsoft.management/managementgroups/")
}

// covers reports whether a scope lies at or below another. All subscriptions
// lie in every management group.
func covers(above, below string) bool {
	above, below = strings.ToLower(above), strings.ToLower(below)
	if management(above) && strings.HasPrefix(below, "/subscriptions/") {
		return true
	}
	return above == below || strings.HasPrefix(below, strings.TrimSuffix(above, "/")+"/")
}

// permits reports whether a pattern such as Microsoft.Compute/*/read covers an
// action.
func permits(patterns []string, action string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		p, rest := strings.ToLower(p), strings.ToLower(action)
		parts := strings.Split(p, "*")
		if !strings.HasPrefix(rest, parts[0]) {
			return false
		}
		rest = rest[len(parts[0]):]
		for i, part := range parts[1:] {
			at := strings.Index(rest, part)
			if i == len(parts)-2 {
				return part == "" || strings.HasSuffix(rest, part)
			}
			if at < 0 {
				return false
			}
			rest = rest[at+len(part):]
		}
		return rest == ""
	})
}
