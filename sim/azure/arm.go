package azure

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"pagbot/sim/target"
)

type obj = target.Object

// Handler serves management.azure.com, and on hosts that are named
// authorization.… the policy engine's own address.
func (w *World) Handler() http.Handler {
	return w.Frame.Handler(target.Service{Answer: w.answer, Trouble: trouble, Type: "application/json; charset=utf-8"})
}

// trouble is an error in Resource Manager's shape.
func trouble(status int, code, message string) target.Answer {
	return target.Answer{Status: status, Body: obj{"error": obj{"code": code, "message": message}}}
}

// engine reports whether a host is the policy engine's own.
func engine(host string) bool { return strings.Contains("."+host, ".authorization.") }

func (w *World) answer(c *target.Call) target.Answer {
	if err := w.Bearer(c); err != nil {
		return target.Challenge(trouble(401, "AuthenticationFailed", "Authentication failed."))
	}
	if !c.By.App && c.By.Lacks("user_impersonation") {
		return trouble(403, "InvalidAuthenticationToken", "The access token has no scope that Resource Manager takes.")
	}
	if w.Throttled(c.By.OID) {
		a := trouble(429, "TooManyRequests", "Too many requests.")
		a.Header = map[string]string{"Retry-After": w.dials.RetryAfter}
		return a
	}
	scope, what, ok := strings.Cut(c.URL.Path, "/providers/Microsoft.Authorization/")
	version := c.URL.Query().Get("api-version")
	switch {
	case !ok:
		return trouble(404, "ResourceNotFound", "The resource was not found.")
	case version == "":
		return trouble(400, "MissingApiVersionParameter", "The api-version query parameter (?api-version=) is required for all requests.")
	case !dated.MatchString(version):
		return trouble(400, "InvalidApiVersionParameter", "The api-version '"+version+"' is invalid.")
	case c.Method == http.MethodGet && what == "roleAssignments" && !engine(c.Host):
		if !w.reads(c, scope) {
			return unauthorized(c, "roleAssignments/read", scope)
		}
		return w.list(c, scope)
	case c.Method == http.MethodGet && what == "permissions" && !engine(c.Host):
		return w.permissions(c, scope)
	case c.Method == http.MethodPost && what == "checkaccess" && !strings.HasSuffix(version, "-preview"):
		return trouble(400, "InvalidApiVersionParameter", "The api-version '"+version+"' is invalid.")
	case c.Method == http.MethodPost && what == "checkaccess":
		return w.check(c, scope)
	}
	return trouble(404, "ResourceNotFound", "The resource was not found.")
}

// reads reports whether an application may look at a scope.
func (w *World) reads(c *target.Call, scope string) bool {
	at, reader := w.readers[c.By.OID]
	return w.readers == nil || !c.By.App || reader && covers(at, scope)
}

func unauthorized(c *target.Call, action, scope string) target.Answer {
	return trouble(403, "AuthorizationFailed", "The client '"+c.By.OID+"' with object id '"+c.By.OID+"' does not have authorization to perform action 'Microsoft.Authorization/"+action+"' over scope '"+scope+"' or the scope is invalid.")
}

var assignedTo = regexp.MustCompile(`^atScope\(\)(?: and assignedTo\('([^']+)'\))?$`)

// dated is how versions look.
var dated = regexp.MustCompile(`^\d{4}-\d\d-\d\d(-preview)?$`)

// list joins what Entra says now.
func (w *World) list(c *target.Call, scope string) target.Answer {
	m := assignedTo.FindStringSubmatch(c.URL.Query().Get("$filter"))
	if m == nil {
		return trouble(400, "UnsupportedQuery", "The filter is not supported.")
	}
	if g, ok := w.dir.(interface{ IsGroup(id string) bool }); ok && g.IsGroup(m[1]) {
		if w.dials.GroupsUnheard {
			return target.Answer{Status: 200, Body: obj{"value": []obj{}}}
		}
		return trouble(400, "InvalidPrincipalId", "assignedTo() takes the object id of a user or a service principal.")
	}
	rows := []obj{}
	for _, h := range w.assignments {
		if h.Deny || !covers(h.Scope, scope) || m[1] != "" && !strings.EqualFold(h.Principal, m[1]) && !w.dir.Member(h.Principal, m[1], w.Now()) {
			continue
		}
		rows = append(rows, obj{"id": h.ID, "type": "Microsoft.Authorization/roleAssignments", "properties": obj{
			"roleDefinitionId": "/providers/Microsoft.Authorization/roleDefinitions/" + h.Role, "principalId": h.Principal, "scope": h.Scope}})
	}
	return target.Answer{Status: 200, Body: obj{"value": rows}}
}

// question is the body of checkaccess.
type question struct {
	Subject struct {
		Attributes struct {
			ObjectID string   `json:"ObjectId"`
			Groups   []string `json:"Groups"`
			Names    string   `json:"_claim_names"`
		}
	}
	Actions []struct {
		ID   string `json:"Id"`
		Data bool   `json:"IsDataAction"`
	}
	Resource struct {
		ID string `json:"Id"`
	}
}

// check is the policy engine.
func (w *World) check(c *target.Call, scope string) target.Answer {
	var q question
	if err := json.Unmarshal(c.Bytes, &q); err != nil || !c.JSON() || q.Subject.Attributes.ObjectID == "" || q.Resource.ID == "" || len(q.Actions) == 0 {
		return trouble(400, "BadRequest", "The request is not valid.")
	}
	if !c.By.App || !w.reads(c, scope) || !w.reads(c, q.Resource.ID) {
		return unauthorized(c, "checkAccess/read", scope)
	}
	decisions := []obj{}
	for _, a := range q.Actions {
		d := obj{"accessDecision": "NotAllowed", "actionId": a.ID, "isDataAction": a.Data, "roleAssignment": nil, "denyAssignment": nil, "timeToLiveInMs": 300000}
		if h := w.granting(c, q, a.ID, a.Data, false); h != nil {
			d["accessDecision"] = "Allowed"
			d["roleAssignment"] = obj{"id": h.ID, "roleDefinitionId": h.Role, "principalId": h.Principal, "principalType": h.kind(q.Subject.Attributes.ObjectID)}
		}
		if h := w.granting(c, q, a.ID, a.Data, true); h != nil {
			d["accessDecision"], d["roleAssignment"], d["denyAssignment"] = "NotAllowed", nil, obj{"id": h.ID}
		}
		decisions = append(decisions, d)
	}
	if engine(c.Host) {
		return target.Answer{Status: 200, Body: obj{"value": decisions, "nextLink": ""}}
	}
	return target.Answer{Status: 200, Body: decisions}
}

// kind is what an assignment's principal is, to whom it grants something.
func (h *held) kind(oid string) string {
	if strings.EqualFold(h.Principal, oid) {
		return "User"
	}
	return "Group"
}

// granting finds an assignment that decides an action.
func (w *World) granting(c *target.Call, q question, action string, data, deny bool) *held {
	who := q.Subject.Attributes
	looks := strings.Contains(who.Names, "groups") || w.dials.ExpandsAnyway && !engine(c.Host)
	i := slices.IndexFunc(w.assignments, func(h *held) bool {
		patterns, known := h.Actions, h.copy
		if data {
			patterns, known = h.Data, h.data
		}
		if h.Deny != deny || !covers(h.Scope, q.Resource.ID) || !permits(patterns, action) {
			return false
		}
		// It believes the caller.
		said := slices.ContainsFunc(who.Groups, func(g string) bool { return strings.EqualFold(g, h.Principal) })
		return said || strings.EqualFold(h.Principal, who.ObjectID) || looks && known.Says(c, strings.ToLower(who.ObjectID))
	})
	if i < 0 {
		return nil
	}
	return w.assignments[i]
}

// permissions are the caller's own. The groups in their token are of its issue.
func (w *World) permissions(c *target.Call, scope string) target.Answer {
	rows := []obj{}
	for _, h := range w.assignments {
		at := w.Now()
		if at.Sub(c.By.Issued) < w.dials.Keeps {
			at = c.By.Issued
		}
		if h.Deny || !covers(h.Scope, scope) {
			continue
		}
		row := obj{"actions": []string{}, "notActions": []string{}, "dataActions": []string{}, "notDataActions": []string{}}
		own, oid := strings.EqualFold(h.Principal, c.By.OID), strings.ToLower(c.By.OID)
		does, reads := own || h.copy.SaidAt(oid, at), own || h.data.SaidAt(oid, at)
		if does {
			row["actions"] = append([]string{}, h.Actions...)
		}
		if reads {
			row["dataActions"] = append([]string{}, h.Data...)
		}
		if does || reads {
			rows = append(rows, row)
		}
	}
	return target.Answer{Status: 200, Body: obj{"value": rows}}
}
