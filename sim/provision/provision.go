// Package provision pretends to be the part of Microsoft Graph that shows
// Entra's provisioning: the synchronization jobs of enterprise applications,
// their quarantine, provisioning on demand with its limits, and the
// provisioning log.
//
// The provisioning itself is done by the simulated applications' own copies:
// each App here is given one's [target.Job]. Serve it on Graph's host, before
// the rest of Graph.
//
//	provision.go  the applications    graph.go  the calls    log.go  the log
package provision

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"pagbot/sim/target"
)

// Config says which applications there are.
type Config struct {
	Seed   uint64
	Now    func() time.Time // world time; default time.Now
	Wire   func() time.Time // the throttles'; default Now
	Verify func(token string) (target.Caller, error)
	Tenant string
	Dials  *Dials // default: Usual()
	Apps   []App
}

// App is an enterprise application that Entra provisions.
type App struct {
	Principal string // object id of its service principal
	Name      string
	JobID     string // made up when empty, as are the two below
	Rule      string
	Template  string
	Owners    []string    // object ids of the applications that own it, which Application.ReadWrite.OwnedBy minds
	Jobless   bool        // provisioning is not set up
	Stopped   bool        // its job is paused
	OAuth     bool        // its connector was authorized by OAuth: on demand only while the job is stopped
	Job       *target.Job // of the simulated application
}

// Dials are the limits and lies of Graph's side.
type Dials struct {
	target.Dials
	Demands      int           // on-demand calls a DemandWindow and caller; the book: 5
	DemandWindow time.Duration // the book: 10 seconds, in wire time
	NoRetryAfter bool          // a 429 of theirs says not for how long (unsettled)
}

// Usual are the book's values.
func Usual() Dials {
	d := Dials{Dials: target.Usual(), Demands: 5, DemandWindow: 10 * time.Second}
	d.Budget = 0
	return d
}

// World is Entra's provisioning, as Graph shows it.
type World struct {
	*target.Frame
	tenant  string
	dials   Dials
	apps    []*App
	demands map[string][]time.Time // by caller
	wire    func() time.Time
}

// New makes it.
func New(c Config) (*World, error) {
	if c.Verify == nil || len(c.Apps) == 0 {
		return nil, fmt.Errorf("provision needs Verify and Apps")
	}
	w := &World{tenant: c.Tenant, dials: Usual(), demands: map[string][]time.Time{}, wire: c.Wire}
	if c.Dials != nil {
		w.dials = *c.Dials
	}
	w.Frame = target.New(target.Config{Seed: c.Seed, Now: c.Now, Wire: c.Wire, Dials: &w.dials.Dials, Verify: c.Verify})
	if w.wire == nil {
		w.wire = w.Now
	}
	for _, a := range c.Apps {
		if a.Job == nil && !a.Jobless {
			return nil, fmt.Errorf("%s has no Job", a.Name)
		}
		w.Do(func() {
			a.Template = cmp.Or(a.Template, "scim")
			a.JobID = cmp.Or(a.JobID, a.Template+"."+strings.ReplaceAll(c.Tenant, "-", "")+"."+w.GUID())
			a.Rule = cmp.Or(a.Rule, w.GUID()+"#V2")
		})
		w.apps = append(w.apps, &a)
	}
	return w, nil
}

// Turn changes the dials.
func (w *World) Turn(f func(*Dials)) { w.Do(func() { f(&w.dials) }) }

// Change edits an application, as an administrator might.
func (w *World) Change(principal string, f func(*App)) {
	w.Do(func() {
		if a := w.app(principal); a != nil {
			f(a)
		}
	})
}

func (w *World) app(principal string) *App {
	i := slices.IndexFunc(w.apps, func(a *App) bool { return strings.EqualFold(a.Principal, principal) })
	if i < 0 {
		return nil
	}
	return w.apps[i]
}

// Manage serves scripts: see [target.Frame.Manage]. There is nothing to ask an
// oracle about here.
func (w *World) Manage() http.Handler {
	return w.Frame.Manage(&w.dials, func(string, string) (*target.Copy, string) { return nil, "" })
}

// Serves tells which of Graph's requests are for this handler.
func Serves(r *http.Request) bool {
	_, path, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	return strings.HasPrefix(path, "servicePrincipals/") && strings.Contains(path, "/synchronization/") || path == "auditLogs/provisioning"
}
