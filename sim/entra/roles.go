package entra

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Role is a directory role: what a group may carry besides its members.
type Role struct {
	ID   string `json:"id"`
	Name string `json:"displayName"`
}

// held is a directory role's assignment to a principal.
type held struct {
	id, schedule    string
	role, principal string
	created         time.Time
	span
}

// AddRole creates a directory role.
func (w *World) AddRole(r Role) Role {
	w.enter()
	defer w.mu.Unlock()
	r.ID = cmp.Or(r.ID, w.guid())
	w.roles = append(w.roles, r)
	return r
}

// AssignRole gives a directory role to a user, or to a group that was made to
// hold one; a zero end is permanent.
func (w *World) AssignRole(role, principal string, until time.Time) error {
	now := w.enter()
	defer w.mu.Unlock()
	g := w.group(principal)
	switch {
	case w.role(role) == nil || !w.known(principal):
		return fmt.Errorf("no such role or principal: %s %s", role, principal)
	case g != nil && !g.RoleAssignable:
		return fmt.Errorf("group %s can't hold a role: it is not isAssignableToRole", principal)
	}
	w.held = append(w.held, &held{id: w.guid(), schedule: w.guid(), role: role, principal: principal, created: now, span: span{now, until}})
	return nil
}

func (w *World) role(id string) *Role {
	for i := range w.roles {
		if w.roles[i].ID == id {
			return &w.roles[i]
		}
	}
	return nil
}

const roleBase = "roleManagement/directory/"

func (w *World) listRoles(c *call) answer {
	rows := []obj{}
	for _, r := range w.roles {
		rows = append(rows, obj{"id": r.ID, "displayName": r.Name, "description": r.Name, "isBuiltIn": true, "isEnabled": true, "templateId": r.ID})
	}
	return w.some(c, roleBase+"roleDefinitions", rows)
}

// roleRows serves the assignments in one of their shapes.
func roleRows(name string, shape func(*held) obj) func(*World, *call) answer {
	return func(w *World, c *call) answer {
		rows := []obj{}
		for _, h := range w.held {
			if h.has(c.now) {
				rows = append(rows, shape(h))
			}
		}
		return w.some(c, roleBase+name, rows)
	}
}

func roleAssignment(h *held) obj {
	return obj{"id": h.id, "principalId": h.principal, "roleDefinitionId": h.role, "directoryScopeId": "/", "appScopeId": nil}
}

func roleInstance(h *held) obj {
	return obj{"id": h.id, "principalId": h.principal, "roleDefinitionId": h.role, "directoryScopeId": "/", "appScopeId": nil, "assignmentType": "Assigned",
		"memberType": "Direct", "roleAssignmentOriginId": h.id, "roleAssignmentScheduleId": h.schedule, "startDateTime": when(h.from), "endDateTime": when(h.to)}
}

func roleSchedule(h *held) obj {
	return obj{"id": h.schedule, "principalId": h.principal, "roleDefinitionId": h.role, "directoryScopeId": "/", "appScopeId": nil, "assignmentType": "Assigned",
		"memberType": "Direct", "status": "Provisioned", "createdUsing": nil, "createdDateTime": when(h.created), "modifiedDateTime": nil, "scheduleInfo": scheduleInfo(h.from, h.to)}
}

// transitiveRoles is beta's list of what a principal holds, also by groups. It
// is an advanced query.
func (w *World) transitiveRoles(c *call) answer {
	f, no := c.filter()
	switch {
	case no != nil:
		return w.refused(c, no)
	case c.known(roleBase+"transitiveRoleAssignments", f) != nil:
		return w.refused(c, c.known(roleBase+"transitiveRoleAssignments", f))
	case c.version != "beta":
		return w.missing(c, "transitiveRoleAssignments")
	case c.header.Get("ConsistencyLevel") != "eventual":
		return w.missing(c, "transitiveRoleAssignments") // as if nothing were there
	case f.fixed("principalId") == "" || !strings.Contains(c.query, "count=true"):
		return w.refused(c, refuse(400, "Request_UnsupportedQuery", "This list needs $filter=principalId eq '…' and $count=true."))
	}
	who, at := f.fixed("principalId"), c.now.Add(-w.dials.RolesLag)
	if u := w.user(who); u != nil {
		who = u.ID
	}
	in := append(w.above(who, at), who)
	rows := []obj{}
	for _, h := range w.held {
		// Groups' rows carry their own ids, and meet the filter as if they were the principal's.
		as := roleAssignment(h)
		as["principalId"] = who
		if h.has(at) && slices.Contains(in, h.principal) && len(f.keep([]obj{as})) == 1 {
			rows = append(rows, roleAssignment(h))
		}
	}
	c.query = "$count=true" // the filter is met
	return w.page(c, "#"+roleBase+"transitiveRoleAssignments", rows)
}
