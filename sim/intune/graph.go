package intune

import (
	"net/http"
	"regexp"
	"slices"
	"strings"

	"pagbot/sim/target"
)

type obj = target.Object

// Handler serves Graph's deviceManagement, in v1.0 and beta.
func (w *World) Handler() http.Handler {
	return w.Frame.Handler(target.Service{Answer: w.answer, Trouble: trouble, Type: "application/json;odata.metadata=minimal;charset=utf-8"})
}

// trouble is an error in Graph's shape.
func trouble(status int, code, message string) target.Answer {
	return target.Answer{Status: status, Body: obj{"error": obj{"code": code, "message": message}}}
}

func (w *World) answer(c *target.Call) target.Answer {
	if err := w.Bearer(c); err != nil {
		return target.Challenge(trouble(401, "InvalidAuthenticationToken", "Access token is empty or not valid."))
	}
	if w.Throttled(c.By.OID) {
		a := trouble(429, "TooManyRequests", "Too many requests.")
		a.Header = map[string]string{"Retry-After": w.dials.RetryAfter}
		return a
	}
	version, path, _ := strings.Cut(strings.TrimPrefix(c.URL.Path, "/"), "/")
	what, known := strings.CutPrefix(path, "deviceManagement/")
	if c.Method != http.MethodGet || version != "v1.0" && version != "beta" || !known {
		return trouble(404, "ResourceNotFound", "Resource not found.")
	}
	id, one := strings.CutPrefix(what, "roleAssignments/")
	needs := []string{"DeviceManagementRBAC.Read.All", "DeviceManagementRBAC.ReadWrite.All"}
	if what == "deviceCompliancePolicies" {
		needs = []string{"DeviceManagementConfiguration.Read.All", "DeviceManagementConfiguration.ReadWrite.All"}
	}
	switch {
	case c.By.Lacks(needs...):
		return trouble(403, "Forbidden", "Application is not authorized to perform this operation. Application must have one of the following scopes: "+strings.Join(needs, ", "))
	case slices.Contains(w.unlicensed, strings.ToLower(c.By.OID)):
		return trouble(403, "Forbidden", "The user is not licensed for Intune.")
	case one:
		return w.graph(c, version, "$metadata#deviceManagement/roleAssignments/$entity", w.getAssignment(c, id))
	case what == "getAssignedRoleDetails" && version == "beta":
		return w.graph(c, version, "$metadata#microsoft.graph.deviceAndAppManagementAssignedRoleDetails", w.details(c))
	case effective.MatchString(what):
		return w.graph(c, version, "$metadata#Collection(microsoft.graph.rolePermission)", w.permissions(c))
	case what == "deviceCompliancePolicies":
		return w.graph(c, version, "$metadata#deviceManagement/deviceCompliancePolicies", w.listPolicies(c))
	}
	return trouble(404, "ResourceNotFound", "Resource not found.")
}

// graph adds the context that Graph gives with every success.
func (w *World) graph(c *target.Call, version, context string, a target.Answer) target.Answer {
	if body, ok := a.Body.(obj); ok && a.Status == 200 {
		scheme := "http"
		if c.TLS != nil {
			scheme = "https"
		}
		body["@odata.context"] = scheme + "://" + c.Host + "/" + version + "/" + context
	}
	return a
}

// effective is the one function that has an argument.
var effective = regexp.MustCompile(`^getEffectivePermissions\(scope='[^']*'\)$`)

// unheeded refuses what a query names and this does not have.
func unheeded(c *target.Call, selects string, fields []string, expand string, navigations []string) *target.Answer {
	name := c.Option("$select", "$expand")
	if name == "" {
		name = target.Unknown(selects, fields...)
	}
	if name == "" {
		name = target.Unknown(expand, navigations...)
	}
	if name == "" {
		return nil
	}
	a := trouble(400, "BadRequest", "Parsing OData Select and Expand failed: '"+name+"' is not supported here.")
	return &a
}

// selected keeps what $select names; without one, all.
func selected(row obj, list string) obj {
	if list == "" {
		return row
	}
	out := obj{}
	for name := range strings.SplitSeq(list, ",") {
		if v, ok := row[strings.TrimSpace(name)]; ok {
			out[strings.TrimSpace(name)] = v
		}
	}
	return out
}

// getAssignment is settings: it does not change with who is in the groups.
func (w *World) getAssignment(c *target.Call, id string) target.Answer {
	h := w.assignment(id)
	if h == nil {
		return trouble(404, "ResourceNotFound", "The role assignment does not exist.")
	}
	q, expands := c.URL.Query(), []string{}
	if strings.HasPrefix(c.URL.Path, "/beta/") {
		expands = append(expands, "roleScopeTags")
	}
	if no := unheeded(c, q.Get("$select"), []string{"id", "displayName", "members", "resourceScopes"}, q.Get("$expand"), expands); no != nil {
		return *no
	}
	if !c.By.App && len(w.of(c)) == 0 {
		return trouble(403, "Forbidden", "The user is not authorized.")
	}
	body := selected(obj{"id": h.ID, "displayName": h.Name, "members": h.Groups, "resourceScopes": []string{}}, q.Get("$select"))
	if q.Get("$expand") != "" {
		tags := []obj{}
		for _, t := range h.Tags {
			tags = append(tags, obj{"id": t.ID, "displayName": t.Name})
		}
		body["roleScopeTags"] = tags
	}
	return target.Answer{Status: 200, Body: body}
}

// of are the assignments that the caller has, as the service knows.
func (w *World) of(c *target.Call) (all []*held) {
	if c.By.App {
		return nil // an application is in no group here
	}
	oid := strings.ToLower(c.By.OID)
	for _, h := range w.assignments {
		has := h.copy.Says(c, oid)
		if w.dials.RightsFromToken {
			has = h.copy.SaidAt(oid, c.By.Issued)
		}
		if has {
			all = append(all, h)
		}
	}
	return all
}

func (w *World) details(c *target.Call) target.Answer {
	roles, ids, definitions := []string{}, []string{}, []obj{}
	for _, h := range w.of(c) {
		ids = append(ids, h.ID)
		if !slices.Contains(roles, h.Role) {
			roles = append(roles, h.Role)
			definitions = append(definitions, obj{"roleDefinitionDisplayName": h.RoleName, "permissions": []string{readPolicies}})
		}
	}
	if w.dials.NewShape {
		return target.Answer{Status: 200, Body: obj{"value": obj{"@odata.type": "microsoft.graph.deviceAndAppManagementAssignedRoleDetail", "roleDefinitions": definitions, "permissions": []string{}}}}
	}
	return target.Answer{Status: 200, Body: obj{"value": obj{"@odata.type": "microsoft.graph.deviceAndAppManagementAssignedRoleDetails", "roleDefinitionIds": roles, "roleAssignmentIds": ids}}}
}

const readPolicies = "Microsoft.Intune_DeviceCompliancePolices_Read" // Intune's own spelling

func (w *World) permissions(c *target.Call) target.Answer {
	actions := []string{}
	if len(w.of(c)) > 0 {
		actions = append(actions, readPolicies)
	}
	return target.Answer{Status: 200, Body: obj{"value": []obj{{"resourceActions": []obj{{"allowedResourceActions": actions, "notAllowedResourceActions": []string{}}}}}}}
}

// listPolicies shows what any of the caller's assignments shows.
func (w *World) listPolicies(c *target.Call) target.Answer {
	all := w.of(c)
	if len(all) == 0 && !c.By.App {
		return trouble(403, "Forbidden", "The user is not authorized.")
	}
	q := c.URL.Query()
	if no := unheeded(c, q.Get("$select"), []string{"id", "displayName", "roleScopeTagIds"}, q.Get("$expand"), nil); no != nil {
		return *no
	}
	rows := []obj{}
	for _, p := range w.policies {
		seen := c.By.App || slices.ContainsFunc(all, func(h *held) bool {
			return slices.ContainsFunc(h.Tags, func(t Tag) bool { return slices.Contains(p.Tags, t.ID) })
		})
		if seen {
			rows = append(rows, selected(obj{"id": p.ID, "displayName": p.Name, "roleScopeTagIds": p.Tags}, q.Get("$select")))
		}
	}
	return target.Answer{Status: 200, Body: obj{"value": rows}}
}
