// Package saas pretends to be two well-known systems that no probe of ours was
// written for, as far as one question goes: the membership of a GitHub team,
// and the permission sets of a Salesforce user. They are what the general HTTP
// target is shown with.
//
//	saas.go  both, and GitHub   soql.go  Salesforce
//
// What they know follows Entra by package target: GitHub's team sync with a
// cycle, Salesforce by Entra's cycle of 40 minutes without its fast path.
package saas

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"pagbot/sim/target"
)

// Config says who is known.
type Config struct {
	Seed      uint64
	Now       func() time.Time // world time; default time.Now
	Wire      func() time.Time // the throttle's; default Now
	Directory target.Directory
	Token     string         // the bearer that both take
	PAG       string         // the Entra group behind the team and the permission set
	Follow    *target.Follow // default: as the books say of each
	Dials     *Dials         // default: Usual()
	Users     []User
}

// User is a person whom both systems know: the login is GitHub's.
type User struct{ OID, UPN, Login string }

// Dials are the limits and lies.
type Dials struct {
	target.Dials
	Unlinked     bool // nobody signed in at GitHub by SAML yet: team sync adds nobody
	Pending      bool // a team's new member has not accepted: pending is not effective
	NoPermission bool // Salesforce finds nothing for who may not look, and says so as success
}

// Usual are the book's values.
func Usual() Dials {
	d := Dials{Dials: target.Usual()}
	d.Budget, d.Window = 5000, time.Hour
	return d
}

// The names that both have for what the group carries.
const (
	Org           = "contoso"
	Team          = "db-admins"
	PermissionSet = "DbAdmins"
	Profile       = "DB Administrator"
)

// World is both systems.
type World struct {
	*target.Frame
	c      Config
	dials  Dials
	github *target.Copy
	force  *target.Copy
}

// New makes them. What the directory says now is known.
func New(c Config) (*World, error) {
	if c.Directory == nil || c.Token == "" {
		return nil, fmt.Errorf("saas needs a Directory and a Token")
	}
	w := &World{c: c, dials: Usual()}
	if c.Dials != nil {
		w.dials = *c.Dials
	}
	w.Frame = target.New(target.Config{Seed: c.Seed, Now: c.Now, Wire: c.Wire, Dials: &w.dials.Dials, Verify: func(token string) (target.Caller, error) {
		if token != c.Token {
			return target.Caller{}, fmt.Errorf("not the token")
		}
		return target.Caller{OID: "the application", App: true}, nil
	}})
	w.Do(func() {
		w.github = w.follow(target.Follow{Tick: time.Hour, Phase: w.Phase(time.Hour)})
		gallery := target.Provisioning()
		gallery.Phase, gallery.Push.Off = w.Phase(gallery.Tick), true
		w.force = w.follow(gallery)
	})
	return w, nil
}

func (w *World) follow(usual target.Follow) *target.Copy {
	if w.c.Follow != nil {
		usual = *w.c.Follow
	}
	return w.Copy(func() target.Follow { return usual }, func(oid string, at time.Time) bool { return w.c.Directory.Member(w.c.PAG, oid, at) })
}

// Turn changes the dials.
func (w *World) Turn(f func(*Dials)) { w.Do(func() { f(&w.dials) }) }

// Copy is the oracle of one of them: "github" or "salesforce"; nil for others.
func (w *World) copyOf(name, oid string) (*target.Copy, string) {
	switch name {
	case "github":
		return w.github, oid
	case "salesforce":
		return w.force, oid
	}
	return nil, ""
}

// TrueEffect is the oracle of github or salesforce; see [target.Copy.TrueEffect].
func (w *World) TrueEffect(name, oid string) (from, to time.Time, ever bool) {
	c, key := w.copyOf(name, oid)
	return c.TrueEffect(key)
}

// Manage serves scripts: see [target.Frame.Manage].
func (w *World) Manage() http.Handler { return w.Frame.Manage(&w.dials, w.copyOf) }

// Handler serves both, told apart by their paths.
func (w *World) Handler() http.Handler {
	return w.Frame.Handler(target.Service{Answer: w.serve, Trouble: trouble, Type: "application/json; charset=utf-8"})
}

func trouble(status int, _, message string) target.Answer {
	return target.Answer{Status: status, Body: target.Object{"message": message, "documentation_url": "https://docs.example", "status": fmt.Sprint(status)}}
}

func (w *World) serve(c *target.Call) target.Answer {
	force := strings.HasPrefix(c.URL.Path, "/services/data/v")
	if w.Bearer(c) != nil {
		if force {
			return grumble(401, "INVALID_SESSION_ID", "Session expired or invalid")
		}
		return trouble(401, "", "Bad credentials")
	}
	if w.Throttled(c.By.OID) {
		if force {
			return grumble(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
		}
		a := trouble(403, "", "API rate limit exceeded")
		a.Header = map[string]string{"Retry-After": w.dials.RetryAfter, "X-RateLimit-Remaining": "0"}
		return a
	}
	team := "/orgs/" + Org + "/teams/" + Team
	login, member := strings.CutPrefix(c.URL.Path, team+"/memberships/")
	switch {
	case c.Method != http.MethodGet:
		return trouble(405, "", "Method Not Allowed")
	case c.URL.Path == team:
		return target.Answer{Status: 200, Body: target.Object{"id": 1, "slug": Team, "name": Team, "privacy": "closed"}}
	case member:
		return w.membership(c, login)
	case force && strings.HasSuffix(c.URL.Path, "/query"):
		return w.soql(c, c.URL.Query().Get("q"))
	case force:
		return grumble(404, "NOT_FOUND", "The requested resource does not exist")
	}
	return trouble(404, "", "Not Found")
}

func (w *World) membership(c *target.Call, login string) target.Answer {
	for _, u := range w.c.Users {
		if strings.EqualFold(u.Login, login) && !w.dials.Unlinked && w.github.Says(c, u.OID) {
			state := "active"
			if w.dials.Pending {
				state = "pending"
			}
			return target.Answer{Status: 200, Body: target.Object{"url": c.URL.String(), "role": "member", "state": state}}
		}
	}
	return trouble(404, "", "Not Found")
}
