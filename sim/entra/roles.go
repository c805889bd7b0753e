package entra

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// RoleAssignment gives a directory role to a user or to a role-assignable group.
type RoleAssignment struct {
	ID        string
	Role      string // template id of the role
	Principal string
	Scope     string // directoryScopeId; default "/"
}

// roleBook is the directory roles: who has which, and how late the transitive
// list is.
type roleBook struct {
	all      []RoleAssignment
	lag      time.Duration // of the transitive list
	flapping bool          // it answers from two replicas in turn, one without the lag
	asked    int
}

const readRoles = "RoleManagement.Read.Directory RoleManagement.Read.All RoleManagement.ReadWrite.Directory Directory.Read.All"

// roleRoutes are Graph's, as far as they tell who has a directory role.
func roleRoutes() []route {
	return []route{
		{"GET", "/roleManagement/directory/roleAssignments", readRoles, (*World).listRoles},
		{"GET", "/roleManagement/directory/transitiveRoleAssignments", readRoles, (*World).listRolesReaching},
	}
}

// AddRoleAssignment gives a directory role. A group must be role-assignable.
func (w *World) AddRoleAssignment(a RoleAssignment) (RoleAssignment, error) {
	w.enter()
	defer w.mu.Unlock()
	g := w.group(a.Principal)
	if g != nil && !g.RoleAssignable || g == nil && w.user(a.Principal) == nil {
		return a, fmt.Errorf("%s can't carry a directory role", a.Principal)
	}
	a.ID, a.Scope = cmp.Or(a.ID, w.guid()), cmp.Or(a.Scope, "/")
	w.roles.all = append(w.roles.all, a)
	return a, nil
}

// RemoveRoleAssignment takes a directory role away.
func (w *World) RemoveRoleAssignment(id string) {
	w.enter()
	defer w.mu.Unlock()
	w.roles.all = slices.DeleteFunc(w.roles.all, func(a RoleAssignment) bool { return a.ID == id })
}

// SetRoleLag says how late the transitive list is, and whether two replicas
// that disagree answer in turn.
func (w *World) SetRoleLag(lag time.Duration, flapping bool) {
	w.enter()
	defer w.mu.Unlock()
	w.roles.lag, w.roles.flapping = lag, flapping
}

func (a RoleAssignment) json() obj {
	return obj{"id": a.ID, "roleDefinitionId": a.Role, "principalId": a.Principal, "directoryScopeId": a.Scope}
}

// listRoles lists direct assignments.
func (w *World) listRoles(c *call) answer {
	f, no := c.filter()
	if no != nil {
		return w.refused(c, no)
	}
	rows := []obj{}
	for _, a := range w.roles.all {
		rows = append(rows, a.json())
	}
	return w.rolePage(c, f.keep(rows))
}

// listRolesReaching lists what reaches one principal, through groups too; the
// rows name the group.
func (w *World) listRolesReaching(c *call) answer {
	if c.version != "beta" || !strings.EqualFold(c.header.Get("ConsistencyLevel"), "eventual") {
		return w.refused(c, refuse(404, "Request_ResourceNotFound", "Resource not found for the segment 'transitiveRoleAssignments'."))
	}
	f, no := c.filter()
	if no != nil {
		return w.refused(c, no)
	}
	who := f.fixed("principalId")
	if who == "" {
		return w.refused(c, refuse(400, "Request_BadRequest", "A filter on principalId is required."))
	}
	at := c.now.Add(-w.roles.lag)
	if w.roles.asked++; w.roles.flapping && w.roles.asked%2 == 0 {
		at = c.now
	}
	rows := []obj{}
	for _, a := range w.roles.all {
		if !strings.EqualFold(a.Principal, who) && (w.group(a.Principal) == nil || !w.member(a.Principal, strings.ToLower(who), at)) {
			continue
		}
		o := a.json()
		o["principalId"] = who // for the filter: it asks who is reached
		if len(f.keep([]obj{o})) > 0 {
			rows = append(rows, a.json())
		}
	}
	return w.rolePage(c, rows)
}

func (w *World) rolePage(c *call, rows []obj) answer {
	const what = "roleManagement/directory/roleAssignments"
	a := w.page(c, what, rows)
	a.body.(obj)["@odata.context"] = c.context(what)
	return a
}
