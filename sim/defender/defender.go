// Package defender pretends to be Defender XDR, as far as it tells who may see
// which devices: unified role-based access control behind Microsoft Graph, and
// the devices of Defender for Endpoint.
//
// Each role follows Entra late, on its own, and a token that was issued to
// somebody with a role keeps it for a while. The list of devices answers for
// the bearer, filtered by their device groups; without any role it is
// forbidden; an application with Machine.Read.All sees everything. Roles of the
// older model are not shown in Graph. The truth is in [World.Copy]: for tests
// only.
package defender

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"pagbot/sim/target"
)

// Config says which roles and devices there are.
type Config struct {
	Seed      uint64
	Now       func() time.Time // world time; default time.Now
	Wire      func() time.Time // the throttle's; default Now
	Directory target.Directory
	Verify    func(token string) (target.Caller, error)
	Dials     *Dials // default: Usual()
	Roles     []Role
	Devices   []Device
}

// Role is a role assignment: it opens device groups to Entra groups.
type Role struct {
	ID, Name     string
	Definition   string // id of the role
	Groups       []string
	DeviceGroups []string
	Legacy       bool           // of the older model, which Graph does not show
	Follow       *target.Follow // how it follows Entra; default: 1 to 15 minutes both ways
}

// Device is a machine in one device group.
type Device struct {
	ID, Name string
	Group    string
}

// Dials are the limits and lies of the service.
type Dials struct {
	target.Dials
	Keeps time.Duration // so long a token keeps the roles of its issue
}

// Usual are the book's values.
func Usual() Dials {
	d := Dials{Dials: target.Usual(), Keeps: 75 * time.Minute}
	d.Budget, d.Window = 100, time.Minute
	return d
}

// World is the service.
type World struct {
	*target.Frame
	dials   Dials
	roles   []*held
	devices []Device
}

type held struct {
	Role
	copy *target.Copy
}

// New makes the service. What the directory says now is what it knows.
func New(c Config) (*World, error) {
	if c.Directory == nil || c.Verify == nil {
		return nil, fmt.Errorf("defender needs a Directory and a Verify")
	}
	w := &World{dials: Usual(), devices: slices.Clone(c.Devices)}
	if c.Dials != nil {
		w.dials = *c.Dials
	}
	w.Frame = target.New(target.Config{Seed: c.Seed, Now: c.Now, Wire: c.Wire, Verify: c.Verify, Dials: &w.dials.Dials})
	for _, r := range c.Roles {
		w.roles = append(w.roles, &held{r, w.Assigned(c.Directory, r.Groups, r.Follow)})
	}
	return w, nil
}

// Copy is what a role knows of persons, by object id; nil if there is none.
func (w *World) Copy(role string) *target.Copy {
	for _, h := range w.roles {
		if strings.EqualFold(h.ID, role) {
			return h.copy
		}
	}
	return nil
}

// Turn changes the dials.
func (w *World) Turn(f func(*Dials)) { w.Do(func() { f(&w.dials) }) }

// Manage serves scripts and the demo's page; see [target.Frame.Manage]. The
// oracle goes by role and object id.
func (w *World) Manage() *http.ServeMux {
	return w.Frame.Manage(&w.dials, func(name, oid string) (*target.Copy, string) { return w.Copy(name), oid })
}

type obj = target.Object

// Handler serves Graph's roleManagement/defender and Defender's own /api.
func (w *World) Handler() http.Handler {
	return w.Frame.Handler(target.Service{Answer: w.answer, Trouble: trouble})
}

func trouble(status int, code, message string) target.Answer {
	return target.Answer{Status: status, Body: obj{"error": obj{"code": code, "message": message}}}
}

func (w *World) answer(c *target.Call) target.Answer {
	if err := w.Bearer(c); err != nil {
		return target.Challenge(trouble(401, "Unauthorized", "Access token is empty or not valid."))
	}
	if w.Throttled(c.By.OID) {
		a := trouble(429, "TooManyRequests", "Too many requests.")
		a.Header = map[string]string{"Retry-After": w.dials.RetryAfter}
		return a
	}
	needs := []string{"Machine.Read", "Machine.ReadWrite"}
	switch {
	case c.URL.Path != "/api/machines":
		needs = []string{"RoleManagement.Read.Defender", "RoleManagement.ReadWrite.Defender", "RoleManagement.Read.All"}
	case c.By.App:
		needs = []string{"Machine.Read.All", "Machine.ReadWrite.All"}
	}
	switch {
	case c.By.Lacks(needs...):
		return trouble(403, "Forbidden", "API required roles: "+strings.Join(needs, ", ")+".")
	case c.Method == http.MethodGet && c.URL.Path == "/beta/roleManagement/defender/roleAssignments":
		return w.listRoles(c)
	case c.Method == http.MethodGet && c.URL.Path == "/api/machines":
		return w.listDevices(c)
	}
	return trouble(404, "ResourceNotFound", "Resource not found.")
}

// listRoles is settings: it does not change with who is in the groups.
func (w *World) listRoles(c *target.Call) target.Answer {
	if !c.By.App {
		return trouble(403, "Forbidden", "Insufficient privileges to complete the operation.")
	}
	if name := c.Option(); name != "" {
		return trouble(400, "BadRequest", "The query option '"+name+"' is not supported here.")
	}
	rows := []obj{}
	for _, h := range w.roles {
		if !h.Legacy {
			rows = append(rows, obj{"id": h.ID, "displayName": h.Name, "roleDefinitionId": h.Definition, "principalIds": h.Groups, "appScopeIds": []string{"/"}})
		}
	}
	return target.Answer{Status: 200, Body: obj{"value": rows}}
}

func (w *World) listDevices(c *target.Call) target.Answer {
	oid, some, open := strings.ToLower(c.By.OID), c.By.App, []string{}
	for _, h := range w.roles {
		has := h.copy.Says(c, oid)
		if !has && w.Now().Sub(c.By.Issued) < w.dials.Keeps {
			has = h.copy.SaidAt(oid, c.By.Issued)
		}
		if has {
			some, open = true, append(open, h.DeviceGroups...)
		}
	}
	if !some {
		return trouble(403, "Forbidden", "The user has no role that allows it.")
	}
	top, err := strconv.Atoi(cmp.Or(c.URL.Query().Get("$top"), "10000"))
	if name := c.Option("$top"); name != "" || err != nil || top < 1 || top > 10000 {
		return trouble(400, "BadRequest", "Of query options there is $top here, of 1 to 10000.")
	}
	rows := []obj{}
	for _, d := range w.devices {
		group := slices.IndexFunc(w.devices, func(o Device) bool { return o.Group == d.Group })
		if c.By.App || slices.Contains(open, d.Group) {
			rows = append(rows, obj{"id": d.ID, "computerDnsName": d.Name, "rbacGroupId": group + 1, "rbacGroupName": d.Group})
		}
	}
	return target.Answer{Status: 200, Body: obj{"value": rows[:min(top, len(rows))]}}
}
