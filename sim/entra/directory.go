package entra

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// User is an account. One person may have several.
type User struct {
	ID         string   `json:"id"` // object id; made up when empty
	UPN        string   `json:"userPrincipalName"`
	Mail       string   `json:"mail"`
	Name       string   `json:"displayName"`
	OtherMails []string `json:"otherMails"`
	Guest      bool     `json:"guest"`
	Disabled   bool     `json:"disabled"`
	Admin      bool     `json:"admin"`           // carries directory roles: may consent, assign, read everything
	NoMFA      bool     `json:"noMfa,omitempty"` // registered no second factor

	SessionsValidFrom time.Time `json:"signInSessionsValidFromDateTime,omitzero"`
	PasswordChanged   time.Time `json:"lastPasswordChangeDateTime,omitzero"`
	disabled          time.Time // when, in wire time

	Attributes map[string]any `json:"attributes,omitempty"` // further properties, as Graph names them: employeeId …
}

// Group is a security group.
type Group struct {
	ID             string `json:"id"`
	Name           string `json:"displayName"`
	Description    string `json:"description"`
	RoleAssignable bool   `json:"isAssignableToRole"`
}

// tie is a stretch of membership or ownership, and what made it.
type tie struct {
	span
	by *row // nil: added directly
}

// AddUser creates an account and returns it with its id.
func (w *World) AddUser(u User) User {
	w.enter()
	defer w.mu.Unlock()
	u.ID = cmp.Or(u.ID, w.guid())
	u.Name = cmp.Or(u.Name, u.UPN)
	w.users = append(w.users, &u)
	return u
}

// AddGroup creates a group and returns it with its id.
func (w *World) AddGroup(g Group) Group {
	w.enter()
	defer w.mu.Unlock()
	g.ID = cmp.Or(g.ID, w.guid())
	w.groups = append(w.groups, &g)
	return g
}

// SetEnabled enables or disables an account.
func (w *World) SetEnabled(oid string, enabled bool) error {
	w.enter()
	defer w.mu.Unlock()
	u := w.user(oid)
	if u == nil {
		return fmt.Errorf("no user %s", oid)
	}
	u.Disabled, u.disabled = !enabled, w.wire()
	return nil
}

// AddTie makes a principal (user or group) a member or owner directly, past PIM.
func (w *World) AddTie(group, access, principal string) error {
	now := w.enter()
	defer w.mu.Unlock()
	if w.group(group) == nil || !w.known(principal) || !validAccess(access) {
		return fmt.Errorf("no such group, access or principal: %s %s %s", group, access, principal)
	}
	w.tie(edge{group, access, principal}, now, nil)
	return nil
}

// RemoveTie takes a principal out directly, past PIM: PIM's rows stay.
func (w *World) RemoveTie(group, access, principal string) error {
	now := w.enter()
	defer w.mu.Unlock()
	if !w.tied(edge{group, access, principal}, now) {
		return fmt.Errorf("%s is no %s of %s", principal, access, group)
	}
	w.untie(edge{group, access, principal}, now)
	return nil
}

// Member tells whether the directory's true history had the principal as a
// member, directly or through groups in it, at a time up to now.
func (w *World) Member(group, oid string, at time.Time) bool {
	w.enter()
	defer w.mu.Unlock()
	return w.within(group, oid, at, map[string]bool{})
}

func validAccess(a string) bool { return a == "member" || a == "owner" }

func (w *World) user(id string) *User {
	i := slices.IndexFunc(w.users, func(u *User) bool {
		return id != "" && (strings.EqualFold(u.ID, id) || strings.EqualFold(u.UPN, id))
	})
	if i < 0 {
		return nil
	}
	return w.users[i]
}

func (w *World) group(id string) *Group {
	i := slices.IndexFunc(w.groups, func(g *Group) bool { return strings.EqualFold(g.ID, id) })
	if i < 0 {
		return nil
	}
	return w.groups[i]
}

func (w *World) known(id string) bool { return w.user(id) != nil || w.group(id) != nil }

func (w *World) admin(oid string) bool {
	u := w.user(oid)
	return u != nil && u.Admin
}

func (w *World) tie(e edge, from time.Time, by *row) {
	w.ties[e] = append(w.ties[e], &tie{span: span{from: from}, by: by})
}

// untie ends every open tie of the edge.
func (w *World) untie(e edge, at time.Time) {
	for _, t := range w.ties[e] {
		if t.to.IsZero() {
			t.to = at
		}
	}
}

// untieRow ends the tie that one row made, and no other.
func (w *World) untieRow(r *row, at time.Time) {
	for _, t := range w.ties[r.edge] {
		if t.by == r && t.to.IsZero() {
			t.to = at
		}
	}
}

func (w *World) tied(e edge, at time.Time) bool {
	return slices.ContainsFunc(w.ties[e], func(t *tie) bool { return t.has(at) })
}

// direct lists who has an access to a group, in the order of their ids.
func (w *World) direct(group, access string, at time.Time) []string {
	var ids []string
	for e := range w.ties {
		if e.group == group && e.access == access && w.tied(e, at) {
			ids = append(ids, e.principal)
		}
	}
	slices.Sort(ids)
	return ids
}

// within tells whether a principal is a member of a group, transitively.
func (w *World) within(group, principal string, at time.Time, seen map[string]bool) bool {
	if seen[group] {
		return false
	}
	seen[group] = true
	return w.tied(edge{group, "member", principal}, at) || slices.ContainsFunc(w.groups, func(g *Group) bool {
		return w.tied(edge{group, "member", g.ID}, at) && w.within(g.ID, principal, at, seen)
	})
}

func (w *World) member(group, principal string, at time.Time) bool {
	return w.within(group, principal, at, map[string]bool{})
}

// below lists everything inside a group, transitively.
func (w *World) below(group string, at time.Time) []string {
	var all []string
	todo := []string{group}
	for len(todo) > 0 {
		for _, m := range w.direct(todo[0], "member", at) {
			if !slices.Contains(all, m) {
				all = append(all, m)
				todo = append(todo, m)
			}
		}
		todo = todo[1:]
	}
	return all
}
