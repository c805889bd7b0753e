package entra

import (
	"net/url"
	"slices"
	"strings"
	"time"
)

// userJSON is all of an account. It is made once and shared: who changes
// something makes it anew.
func (w *World) userJSON(u *User) obj {
	if u.view == nil {
		u.view = w.viewOf(u)
	}
	return u.view
}

func (w *World) viewOf(u *User) obj {
	kind := "Member"
	if u.Guest {
		kind = "Guest"
	}
	var mail any
	if u.Mail != "" {
		mail = u.Mail
	}
	validFrom := u.SessionsValidFrom
	if validFrom.IsZero() {
		validFrom = u.created
	}
	o := obj{"@odata.type": "#microsoft.graph.user", "createdDateTime": second(u.created), "signInSessionsValidFromDateTime": second(validFrom),
		"lastPasswordChangeDateTime": second(latest(u.created, u.PasswordChanged)), "employeeId": nil,
		"givenName": nil, "surname": nil, "jobTitle": nil, "mobilePhone": nil, "businessPhones": []string{}, "officeLocation": nil, "preferredLanguage": nil, "id": u.ID, "displayName": u.Name, "userPrincipalName": u.UPN, "mail": mail,
		"otherMails": append([]string{}, u.OtherMails...), "accountEnabled": !u.Disabled, "userType": kind}
	for k, at := range map[string]time.Time{"signInSessionsValidFromDateTime": u.SessionsValidFrom, "lastPasswordChangeDateTime": u.PasswordChanged} {
		if !at.IsZero() {
			o[k] = at.UTC().Format(time.RFC3339)
		}
	}
	for k, v := range u.Attributes {
		o[k] = v
	}
	return o
}

// usual are the properties of a user that come without being asked for.
var usual = []string{"id", "displayName", "givenName", "surname", "userPrincipalName", "mail", "jobTitle", "mobilePhone", "businessPhones", "officeLocation", "preferredLanguage"}

func shown(o obj, names []string) obj {
	if names == nil && o["@odata.type"] == "#microsoft.graph.user" {
		names = usual
	}
	return selected(o, names)
}

func second(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func (w *World) groupJSON(g *Group) obj {
	return obj{"@odata.type": "#microsoft.graph.group", "id": g.ID, "displayName": g.Name, "description": g.Description,
		"securityEnabled": true, "mailEnabled": false, "groupTypes": []string{}, "isAssignableToRole": g.RoleAssignable}
}

func (w *World) principalJSON(id string) obj {
	if g := w.group(id); g != nil {
		return w.groupJSON(g)
	}
	if u := w.user(id); u != nil {
		return w.userJSON(u)
	}
	return obj{"id": id}
}

// some answers a directory collection with $filter, $select and pages.
func (w *World) some(c *call, context string, rows []obj) answer {
	f, no := c.filter()
	if no == nil {
		no = c.known(context, f)
	}
	if no != nil {
		return w.refused(c, no)
	}
	q, _ := url.ParseQuery(c.query)
	rows = f.keep(rows)
	names := fields(q.Get("$select"))
	for i := range rows {
		rows[i] = shown(rows[i], names)
	}
	return w.page(c, "#"+context, rows)
}

// narrowed takes from an index what a filter leaves, if the filter says so.
func narrowed[T comparable](f *filter, index map[mark][]T, all []T, fields ...string) []T {
	if f.any == nil || slices.ContainsFunc(f.any, func(m mark) bool { return !slices.Contains(fields, m.kind) }) {
		return all
	}
	var few []T
	for _, m := range f.any {
		for _, x := range index[m] {
			if !slices.Contains(few, x) {
				few = append(few, x)
			}
		}
	}
	return few
}

func (w *World) single(c *call, context string, o obj) answer {
	if no := c.known(context, new(filter)); no != nil {
		return w.refused(c, no)
	}
	q, _ := url.ParseQuery(c.query)
	o = shown(o, fields(q.Get("$select")))
	delete(o, "@odata.type")
	o["@odata.context"] = c.context(context + "/$entity")
	return answer{status: 200, body: o}
}

func (w *World) missing(c *call, id string) answer {
	return w.refused(c, refuse(404, "Request_ResourceNotFound", "Resource '"+id+"' does not exist or one of its queried reference-property objects are not present."))
}

func (w *World) getMe(c *call) answer {
	if c.by.oid == "" {
		return w.refused(c, refuse(400, "BadRequest", "/me request is only valid with delegated authentication flow."))
	}
	return w.single(c, "users", w.userJSON(w.user(c.by.oid)))
}

func (w *World) getUser(c *call) answer {
	u := w.user(c.args["id"])
	if u == nil {
		return w.missing(c, c.args["id"])
	}
	return w.single(c, "users", w.userJSON(u))
}

func (w *World) listUsers(c *call) answer {
	all, rows := w.users, []obj{}
	if f, no := c.filter(); no == nil {
		all = narrowed(f, w.named, w.users, "id", "userprincipalname", "mail", "othermails", "employeeid")
	}
	for _, u := range all {
		rows = append(rows, w.userJSON(u))
	}
	return w.some(c, "users", rows)
}

func (w *World) listGroups(c *call) answer {
	all, rows := w.groups, []obj{}
	if f, no := c.filter(); no == nil {
		all = narrowed(f, w.grouped, w.groups, "id", "displayname")
	}
	for _, g := range all {
		rows = append(rows, w.groupJSON(g))
	}
	return w.some(c, "groups", rows)
}

func (w *World) getGroup(c *call) answer {
	g := w.group(c.args["id"])
	if g == nil {
		return w.missing(c, c.args["id"])
	}
	return w.single(c, "groups", w.groupJSON(g))
}

// principals answers with the accounts and groups behind bonds. Without a
// filter their selected properties are ready.
func (w *World) principals(c *call, all []*bond) answer {
	if w.group(c.args["id"]) == nil {
		return w.missing(c, c.args["id"])
	}
	if cast := c.args["cast"]; cast != "" && cast != "graph.user" && cast != "graph.group" {
		return w.missing(c, cast)
	}
	if no := c.known("directoryObjects", new(filter)); no != nil {
		return w.refused(c, no)
	}
	q, _ := url.ParseQuery(c.query)
	bare := !q.Has("$filter") && !q.Has("filter")
	names := fields(q.Get("$select"))
	rows := make([]obj, 0, len(all))
	for _, b := range all {
		switch {
		case c.args["cast"] != "" && c.args["cast"] != map[bool]string{true: "graph.user", false: "graph.group"}[b.user != nil]:
		case b.user != nil && bare:
			rows = append(rows, w.briefly(b.user, q.Get("$select"), names))
		case b.user != nil:
			rows = append(rows, w.userJSON(b.user))
		case bare:
			rows = append(rows, shown(w.groupJSON(b.in), names))
		default:
			rows = append(rows, w.groupJSON(b.in))
		}
	}
	if bare {
		return w.page(c, "#directoryObjects", rows)
	}
	return w.some(c, "directoryObjects", rows)
}

// briefly is a part of an account, made once like the whole.
func (w *World) briefly(u *User, list string, names []string) obj {
	o := u.brief[list]
	if o == nil {
		o = shown(w.userJSON(u), names)
		if u.brief == nil || len(u.brief) > 8 {
			u.brief = map[string]obj{}
		}
		u.brief[list] = o
	}
	return o
}

// forget drops what was made of an account, because it changed.
func (u *User) forget() { u.view, u.brief = nil, nil }

// groupID is the id that a path names, spelt as the directory does.
func (w *World) groupID(c *call) string {
	if g := w.group(c.args["id"]); g != nil {
		return g.ID
	}
	return ""
}

func (w *World) listMembers(c *call) answer {
	return w.principals(c, w.holding(w.groupID(c), "member", c.now))
}

func (w *World) listOwners(c *call) answer {
	return w.principals(c, w.holding(w.groupID(c), "owner", c.now))
}

func (w *World) listBelow(c *call) answer {
	return w.principals(c, w.below(w.groupID(c), c.now))
}

func (w *World) deleteMember(c *call) answer {
	e := edge{w.groupID(c), "member", c.args["user"]}
	if !w.tied(e, c.now) {
		return w.missing(c, e.principal)
	}
	w.untie(e, c.now)
	w.noteTie(e, c.now, false, c.by)
	return answer{status: 204}
}

// asMe makes a line of /users/{id} one of /me.
func asMe(do func(*World, *call) answer) func(*World, *call) answer {
	return func(w *World, c *call) answer {
		c.args["id"] = c.by.oid
		return do(w, c)
	}
}

// checkGroups answers which of at most 20 groups a user is in, transitively.
func (w *World) checkGroups(c *call) answer {
	var in struct{ GroupIDs []string }
	u := w.user(c.args["id"])
	switch err := strict(c.body, &in); {
	case u == nil:
		return w.missing(c, c.args["id"])
	case err != nil || len(in.GroupIDs) == 0 || len(in.GroupIDs) > 20:
		return w.refused(c, refuse(400, "Request_BadRequest", "groupIds must hold 1 to 20 ids."))
	}
	is := slices.DeleteFunc(in.GroupIDs, func(g string) bool { return !w.member(g, u.ID, c.now) })
	return answer{status: 200, body: obj{"@odata.context": c.context("Collection(Edm.String)"), "value": append([]string{}, is...)}}
}

// getGroups lists all groups that a user is in, transitively.
func (w *World) getGroups(c *call) answer {
	var in struct{ SecurityEnabledOnly *bool }
	u := w.user(c.args["id"])
	switch err := strict(c.body, &in); {
	case u == nil:
		return w.missing(c, c.args["id"])
	case err != nil || in.SecurityEnabledOnly == nil:
		return w.refused(c, refuse(400, "Request_BadRequest", "securityEnabledOnly must be given."))
	}
	return answer{status: 200, body: obj{"@odata.context": c.context("Collection(Edm.String)"), "value": append([]string{}, w.above(u.ID, c.now)...)}}
}

// directlyIn is /users/{id}/memberOf.
func (w *World) directlyIn(c *call) answer {
	u := w.user(c.args["id"])
	if u == nil {
		return w.missing(c, c.args["id"])
	}
	rows := []obj{}
	for _, g := range w.memberOf(u.ID, c.now) {
		rows = append(rows, w.groupJSON(w.group(g)))
	}
	return w.some(c, "directoryObjects", rows)
}

// memberships is /users/{id}/transitiveMemberOf, with and without the cast.
func (w *World) memberships(c *call) answer {
	u := w.user(c.args["id"])
	if u == nil {
		return w.missing(c, c.args["id"])
	}
	advanced := strings.Contains(c.query, "filter=")
	if advanced && (c.header.Get("ConsistencyLevel") != "eventual" || !strings.Contains(c.query, "count=true")) {
		return w.refused(c, refuse(400, "Request_UnsupportedQuery", "This filter needs the header ConsistencyLevel: eventual and $count=true."))
	}
	rows := []obj{}
	for _, g := range w.above(u.ID, c.now) {
		rows = append(rows, w.groupJSON(w.group(g)))
	}
	return w.some(c, "directoryObjects", rows)
}

// listPolicies serves role settings: scopeId and scopeType are mandatory.
func (w *World) listPolicies(c *call) answer {
	f, no := c.filter()
	if no == nil {
		no = c.known("policies/roleManagementPolicyAssignments", f, "policy")
	}
	if no != nil {
		return w.refused(c, no)
	}
	g := w.group(f.fixed("scopeId"))
	if f.fixed("scopeId") == "" || !strings.EqualFold(f.fixed("scopeType"), "Group") {
		return w.refused(c, refuse(400, "BadRequest", "The filter must name scopeId and scopeType eq 'Group'."))
	}
	if g == nil {
		return w.refused(c, refuse(404, "ResourceNotFound", "The resource is not found."))
	}
	q, _ := url.ParseQuery(c.query)
	expand := q.Get("$expand")
	rows := []obj{}
	for _, access := range []string{"member", "owner"} {
		rows = append(rows, w.policyAssignment(roleKey{g.ID, access}, strings.HasPrefix(expand, "policy"), strings.Contains(expand, "rules")))
	}
	return w.page(c, "#policies/roleManagementPolicyAssignments", f.keep(rows))
}
