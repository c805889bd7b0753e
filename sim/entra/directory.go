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
	disabled, created time.Time // when, in wire time
	changed           time.Time // in world time
	view              obj       // as Graph shows it; nil when something changed
	brief             map[string]obj

	Attributes map[string]any `json:"attributes,omitempty"` // further properties, as Graph names them: employeeId …
}

// Group is a security group.
type Group struct {
	ID             string `json:"id"`
	Name           string `json:"displayName"`
	Description    string `json:"description"`
	RoleAssignable bool   `json:"isAssignableToRole"`

	created time.Time
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
	u.created, u.changed = w.wire(), w.Now()
	w.users = append(w.users, &u)
	w.name(&u)
	return u
}

// IsGroup tells whether an object id is a group's.
func (w *World) IsGroup(id string) bool {
	w.enter()
	defer w.mu.Unlock()
	return w.group(id) != nil
}

// AddGroup creates a group and returns it with its id.
func (w *World) AddGroup(g Group) Group {
	w.enter()
	defer w.mu.Unlock()
	g.ID = cmp.Or(g.ID, w.guid())
	g.created = w.Now()
	w.groups = append(w.groups, &g)
	for field, v := range map[string]string{"id": g.ID, "displayname": g.Name} {
		m := mark{field, fold(v)}
		w.grouped[m] = append(w.grouped[m], &g)
	}
	return g
}

// name enters an account under everything that it is looked up by.
func (w *World) name(u *User) {
	add := func(field, v string) {
		if m := (mark{field, fold(v)}); v != "" {
			w.named[m] = append(w.named[m], u)
		}
	}
	add("id", u.ID)
	add("userprincipalname", u.UPN)
	add("mail", u.Mail)
	for _, m := range u.OtherMails {
		add("othermails", m)
	}
	employee, _ := u.Attributes["employeeId"].(string)
	add("employeeid", employee)
}

// SetEnabled enables or disables an account.
func (w *World) SetEnabled(oid string, enabled bool) error {
	w.enter()
	defer w.mu.Unlock()
	u := w.user(oid)
	if u == nil {
		return fmt.Errorf("no user %s", oid)
	}
	u.Disabled, u.disabled, u.changed = !enabled, w.wire(), w.Now()
	u.forget()
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
	w.noteTie(edge{group, access, principal}, now, true, caller{app: "an administrator"})
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
	w.noteTie(edge{group, access, principal}, now, false, caller{app: "an administrator"})
	return nil
}

// Member tells whether the directory's true history had the principal as a
// member, directly or through groups in it, at a time up to now.
func (w *World) Member(group, oid string, at time.Time) bool {
	w.enter()
	defer w.mu.Unlock()
	return w.member(group, oid, at)
}

// DirectMember is Member without groups in the group: what Entra's provisioning
// of applications sees.
func (w *World) DirectMember(group, oid string, at time.Time) bool {
	w.enter()
	defer w.mu.Unlock()
	return w.tied(edge{group, "member", oid}, at)
}

// Activated is DirectMember by an activation, and by nothing else: whom Entra's
// provisioning writes sooner than with its cycle.
func (w *World) Activated(group, oid string, at time.Time) bool {
	w.enter()
	defer w.mu.Unlock()
	b := w.bonds[edge{group, "member", oid}]
	return b != nil && slices.ContainsFunc(b.ties, func(t tie) bool { return t.has(at) && t.by != nil && t.by.kind == "activated" })
}

func validAccess(a string) bool { return a == "member" || a == "owner" }

func (w *World) user(id string) *User {
	for _, field := range []string{"id", "userprincipalname"} {
		if all := w.named[mark{field, fold(id)}]; len(all) > 0 {
			return all[0]
		}
	}
	return nil
}

func (w *World) group(id string) *Group {
	if all := w.grouped[mark{"id", fold(id)}]; len(all) > 0 {
		return all[0]
	}
	return nil
}

func (w *World) known(id string) bool { return w.user(id) != nil || w.group(id) != nil }

func (w *World) admin(oid string) bool {
	u := w.user(oid)
	return u != nil && u.Admin
}

// bond is one principal's one access to one group, in all its stretches.
type bond struct {
	edge
	user *User // who it is: one of the two
	in   *Group
	ties []tie
}

func (b *bond) has(at time.Time) bool {
	return b != nil && slices.ContainsFunc(b.ties, func(t tie) bool { return t.has(at) })
}

func (w *World) tie(e edge, from time.Time, by *row) {
	b := w.bonds[e]
	if b == nil {
		b = &bond{edge: e, user: w.user(e.principal), in: w.group(e.principal)}
		w.bonds[e] = b
		k := roleKey{e.group, e.access}
		w.inside[k] = sorted(w.inside[k], b, func(b *bond) string { return b.principal })
		if e.access == "member" {
			w.holds[e.principal] = sorted(w.holds[e.principal], b, func(b *bond) string { return b.group })
		}
	}
	b.ties = append(b.ties, tie{span: span{from: from}, by: by})
}

// untie ends every open tie of the edge.
func (w *World) untie(e edge, at time.Time) {
	w.end(e, at, func(tie) bool { return true })
}

// untieRow ends the tie that one row made, and no other.
func (w *World) untieRow(r *row, at time.Time) {
	w.end(r.edge, at, func(t tie) bool { return t.by == r })
}

func (w *World) end(e edge, at time.Time, which func(tie) bool) {
	b := w.bonds[e]
	for i := 0; b != nil && i < len(b.ties); i++ {
		if t := &b.ties[i]; t.to.IsZero() && which(*t) {
			t.to = at
		}
	}
}

func (w *World) tied(e edge, at time.Time) bool { return w.bonds[e].has(at) }

// holding lists who has an access to a group, in the order of their ids.
func (w *World) holding(group, access string, at time.Time) []*bond {
	var all []*bond
	for _, b := range w.inside[roleKey{group, access}] {
		if b.has(at) {
			all = append(all, b)
		}
	}
	return all
}

func (w *World) direct(group, access string, at time.Time) (ids []string) {
	for _, b := range w.holding(group, access, at) {
		ids = append(ids, b.principal)
	}
	return ids
}

// memberOf lists the groups that a principal is a direct member of.
func (w *World) memberOf(principal string, at time.Time) (ids []string) {
	for _, b := range w.holds[principal] {
		if b.has(at) {
			ids = append(ids, b.group)
		}
	}
	return ids
}

// above lists the groups that a principal is a member of, transitively.
func (w *World) above(principal string, at time.Time) []string {
	all := w.memberOf(principal, at)
	for i := 0; i < len(all); i++ {
		for _, g := range w.memberOf(all[i], at) {
			if !slices.Contains(all, g) {
				all = append(all, g)
			}
		}
	}
	return all
}

// member tells whether a principal is a member of a group, transitively.
func (w *World) member(group, principal string, at time.Time) bool {
	return w.tied(edge{group, "member", principal}, at) || slices.Contains(w.above(principal, at), group)
}

// sorted puts something into a list that is sorted by a name.
func sorted[T any](all []T, x T, name func(T) string) []T {
	i, there := slices.BinarySearchFunc(all, name(x), func(y T, s string) int { return strings.Compare(name(y), s) })
	if there {
		return all
	}
	return slices.Insert(all, i, x)
}

// below lists everything inside a group, transitively, itself left out.
func (w *World) below(group string, at time.Time) []*bond {
	var all []*bond
	seen := map[string]bool{}
	todo := []string{group}
	for i := 0; i < len(todo); i++ {
		for _, b := range w.holding(todo[i], "member", at) {
			if !seen[b.principal] {
				seen[b.principal] = true
				all = append(all, b)
				todo = append(todo, b.principal)
			}
		}
	}
	return all
}
