package entra

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"
)

func (w *World) userJSON(u *User) obj {
	kind := "Member"
	if u.Guest {
		kind = "Guest"
	}
	var mail any
	if u.Mail != "" {
		mail = u.Mail
	}
	o := obj{"@odata.type": "#microsoft.graph.user", "id": u.ID, "displayName": u.Name, "userPrincipalName": u.UPN, "mail": mail,
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
	if no != nil {
		return w.refused(c, no)
	}
	q, _ := url.ParseQuery(c.query)
	rows = f.keep(rows)
	for i := range rows {
		rows[i] = selected(rows[i], q.Get("$select"))
	}
	return w.page(c, "#"+context, rows)
}

func (w *World) single(c *call, context string, o obj) answer {
	q, _ := url.ParseQuery(c.query)
	o = selected(o, q.Get("$select"))
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
	rows := []obj{}
	for _, u := range w.users {
		rows = append(rows, w.userJSON(u))
	}
	return w.some(c, "users", rows)
}

func (w *World) listGroups(c *call) answer {
	rows := []obj{}
	for _, g := range w.groups {
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

func (w *World) principals(c *call, ids []string) answer {
	if w.group(c.args["id"]) == nil {
		return w.missing(c, c.args["id"])
	}
	rows := []obj{}
	for _, id := range ids {
		if o := w.principalJSON(id); c.args["cast"] == "" || o["@odata.type"] == "#microsoft."+c.args["cast"] {
			rows = append(rows, o)
		}
	}
	return w.some(c, "directoryObjects", rows)
}

func (w *World) listMembers(c *call) answer {
	return w.principals(c, w.direct(c.args["id"], "member", c.now))
}

func (w *World) listOwners(c *call) answer {
	return w.principals(c, w.direct(c.args["id"], "owner", c.now))
}

func (w *World) listBelow(c *call) answer {
	return w.principals(c, w.below(c.args["id"], c.now))
}

func (w *World) deleteMember(c *call) answer {
	e := edge{c.args["id"], "member", c.args["user"]}
	if !w.tied(e, c.now) {
		return w.missing(c, e.principal)
	}
	w.untie(e, c.now)
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
	switch err := json.Unmarshal(c.body, &in); {
	case u == nil:
		return w.missing(c, c.args["id"])
	case err != nil || len(in.GroupIDs) == 0 || len(in.GroupIDs) > 20:
		return w.refused(c, refuse(400, "Request_BadRequest", "groupIds must hold 1 to 20 ids."))
	}
	is := slices.DeleteFunc(in.GroupIDs, func(g string) bool { return !w.member(g, u.ID, c.now) })
	return answer{status: 200, body: obj{"@odata.context": c.context("Collection(Edm.String)"), "value": append([]string{}, is...)}}
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
	for _, g := range w.groups {
		if w.member(g.ID, u.ID, c.now) {
			rows = append(rows, w.groupJSON(g))
		}
	}
	return w.some(c, "directoryObjects", rows)
}

// listPolicies serves role settings: scopeId and scopeType are mandatory.
func (w *World) listPolicies(c *call) answer {
	f, no := c.filter()
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
