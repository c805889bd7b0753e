package scim

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"pagbot/sim/target"
)

type obj = target.Object

const (
	userSchema  = "urn:ietf:params:scim:schemas:core:2.0:User"
	groupSchema = "urn:ietf:params:scim:schemas:core:2.0:Group"
	listSchema  = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
	errorSchema = "urn:ietf:params:scim:api:messages:2.0:Error"
)

// Handler serves SCIM below any base.
func (w *World) Handler() http.Handler {
	return w.Frame.Handler(target.Service{Answer: w.serve, Trouble: trouble, Type: "application/scim+json; charset=utf-8"})
}

func trouble(status int, code, message string) target.Answer {
	body := obj{"schemas": []string{errorSchema}, "status": strconv.Itoa(status), "detail": message}
	if code != "" {
		body["scimType"] = code
	}
	return target.Answer{Status: status, Body: body}
}

func (w *World) serve(c *target.Call) target.Answer {
	if w.Bearer(c) != nil {
		a := trouble(401, "", "Authorization failure")
		a.Header = map[string]string{"WWW-Authenticate": `Bearer realm="scim"`}
		return a
	}
	if w.Throttled(c.By.OID) {
		a := trouble(429, "", "Too many requests")
		a.Header = map[string]string{"Retry-After": w.dials.RetryAfter}
		return a
	}
	c.Lag += w.dials.Apply
	kind, id := resource(c.URL.Path)
	switch {
	case kind == "users" && c.Method == http.MethodPost:
		return w.create(c)
	case c.Method != http.MethodGet:
		return trouble(403, "", "this token reads only")
	case kind == "serviceproviderconfig":
		return target.Answer{Status: 200, Body: w.config()}
	case kind == "users" && id != "":
		return one(c, w.usersWhere(c, []term{{"id", id}}), id)
	case kind == "groups" && id != "":
		return one(c, w.groupsWhere(c, []term{{"id", id}}), id)
	case kind == "users" || kind == "groups":
		return w.search(c, kind)
	}
	return trouble(404, "", "there is no "+c.URL.Path)
}

// config is what the application tells of itself: all that RFC 7643 demands.
func (w *World) config() obj {
	no := obj{"supported": false}
	return obj{"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"}, "patch": obj{"supported": true},
		"bulk": obj{"supported": false, "maxOperations": 0, "maxPayloadSize": 0}, "filter": obj{"supported": true, "maxResults": w.dials.Page},
		"changePassword": no, "sort": no, "etag": no,
		"authenticationSchemes": []obj{{"type": "oauthbearertoken", "name": "OAuth Bearer Token", "description": "A token in the Authorization header"}}}
}

// resource is the end of a path: a kind of resource, and perhaps an id.
func resource(path string) (kind, id string) {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	for i, p := range parts {
		switch k := strings.ToLower(p); k {
		case "users", "groups", "serviceproviderconfig":
			switch len(parts) - i {
			case 1:
			case 2:
				id = parts[i+1]
			default:
				return "", "" // nothing lies below a resource
			}
			return k, id
		}
	}
	return "", ""
}

// create is what Entra does to a user who is missing; here it only shows that
// a name is taken.
func (w *World) create(c *target.Call) target.Answer {
	var in struct {
		UserName string `json:"userName"`
	}
	if json.Unmarshal(c.Bytes, &in) != nil || in.UserName == "" {
		return trouble(400, "invalidValue", "userName is required")
	}
	if len(w.usersWhere(c, []term{{"username", in.UserName}})) > 0 {
		return trouble(409, "uniqueness", "a user "+in.UserName+" exists already")
	}
	return trouble(403, "", "this token reads only")
}

func one(c *target.Call, found []obj, id string) target.Answer {
	if len(found) == 0 {
		return trouble(404, "", "Resource "+id+" not found")
	}
	return target.Answer{Status: 200, Body: chosen(c, found[0])}
}

func (w *World) search(c *target.Call, kind string) target.Answer {
	q := c.URL.Query()
	terms, err := parse(q.Get("filter"))
	if err != nil {
		return trouble(400, "invalidFilter", err.Error())
	}
	known := map[string][]string{"users": {"id", "username", "externalid"}, "groups": {"id", "displayname", "externalid", "members", "members.value"}}[kind]
	if i := slices.IndexFunc(terms, func(t term) bool { return !slices.Contains(known, t.attr) }); i >= 0 {
		return trouble(400, "invalidFilter", terms[i].attr+" can't be filtered by")
	}
	for _, name := range []string{"startIndex", "count"} {
		if _, err := strconv.Atoi(q.Get(name)); err != nil && q.Has(name) {
			return trouble(400, "invalidValue", name+" is a number")
		}
	}
	if w.dials.Filters == Refused && slices.ContainsFunc(terms, aboutMembers) {
		return trouble(400, "invalidFilter", "members can't be filtered by")
	}
	var rows []obj
	if kind == "users" {
		rows = w.usersWhere(c, terms)
	} else {
		rows = w.groupsWhere(c, terms)
	}
	total := len(rows)
	start, _ := strconv.Atoi(q.Get("startIndex"))
	count, err := strconv.Atoi(q.Get("count"))
	if err != nil || count > w.dials.Page {
		count = w.dials.Page
	}
	start = min(max(start, 1), total+1)
	rows = rows[start-1 : min(start-1+max(count, 0), total)]
	page := []obj{}
	for _, r := range rows {
		page = append(page, chosen(c, r))
	}
	return target.Answer{Status: 200, Body: obj{"schemas": []string{listSchema}, "totalResults": total, "startIndex": start, "itemsPerPage": len(page), "Resources": page}}
}

// chosen leaves of a resource what attributes and excludedAttributes say.
func chosen(c *target.Call, r obj) obj {
	list := func(name string) (all []string) {
		for _, a := range strings.Split(strings.ToLower(c.URL.Query().Get(name)), ",") {
			if a, _, _ = strings.Cut(strings.TrimSpace(a), "."); a != "" {
				all = append(all, a)
			}
		}
		return all
	}
	want, not := list("attributes"), list("excludedAttributes")
	out := obj{}
	for k, v := range r {
		name := strings.ToLower(k)
		always := name == "id" || name == "schemas"
		if always || !slices.Contains(not, name) && (len(want) == 0 || slices.Contains(want, name)) {
			out[k] = v
		}
	}
	return out
}

func aboutMembers(t term) bool { return t.attr == "members" || t.attr == "members.value" }

func (w *World) usersWhere(c *target.Call, terms []term) (found []obj) {
	for _, u := range w.users {
		external := u.OID
		if w.dials.NoExternalID {
			external, _, _ = strings.Cut(u.UPN, "@")
		}
		id := w.ids["user "+u.OID]
		values := map[string]string{"id": id, "username": u.UPN, "externalid": external}
		if !w.there(c, u) || slices.ContainsFunc(terms, func(t term) bool { return !t.is(values) }) {
			continue
		}
		r := obj{"schemas": []string{userSchema}, "id": id, "userName": u.UPN, "externalId": external, "active": true, "meta": obj{"resourceType": "User"}}
		groups := []obj{}
		for _, g := range w.groups {
			if w.copy.Says(c, key(g, u.OID)) {
				groups = append(groups, obj{"value": w.ids["group "+g.Name], "display": g.Name})
			}
		}
		if !w.dials.NoGroups && (len(groups) > 0 || !w.dials.OmitEmpty) {
			r["groups"] = groups
		}
		found = append(found, r)
	}
	return found
}

func (w *World) groupsWhere(c *target.Call, terms []term) (found []obj) {
	for _, g := range w.groups {
		id := w.ids["group "+g.Name]
		members := w.members(c, g)
		values := map[string]string{"id": id, "displayname": g.Name, "externalid": g.PAG}
		fits := func(t term) bool {
			if aboutMembers(t) {
				return w.dials.Filters == Ignored || slices.ContainsFunc(members, func(m obj) bool { return m["value"] == t.value })
			}
			return t.is(values)
		}
		if slices.ContainsFunc(terms, func(t term) bool { return !fits(t) }) {
			continue
		}
		r := obj{"schemas": []string{groupSchema}, "id": id, "displayName": g.Name, "externalId": g.PAG, "meta": obj{"resourceType": "Group"}}
		switch w.dials.Members {
		case Cut:
			members = members[:min(len(members), w.dials.Most)]
		case Empty:
			members = []obj{}
		}
		if w.dials.Members != Omit && (len(members) > 0 || !w.dials.OmitEmpty) {
			r["members"] = members
		}
		found = append(found, r)
	}
	return found
}

func (w *World) members(c *target.Call, g Group) []obj {
	all := []obj{}
	for _, u := range w.users {
		if w.copy.Says(c, key(g, u.OID)) {
			all = append(all, obj{"value": w.ids["user "+u.OID], "display": u.UPN})
		}
	}
	return all
}
