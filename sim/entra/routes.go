package entra

import (
	"bytes"
	"encoding/json"
	"strings"
)

// route is one line of Graph's table: who may call, and what answers.
type route struct {
	method, path string
	scopes       string // any of these, space-separated, delegated or application
	do           func(*World, *call) answer
}

const (
	readEligible = "PrivilegedEligibilitySchedule.Read.AzureADGroup PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup"
	readAssigned = "PrivilegedAssignmentSchedule.Read.AzureADGroup PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup"
	askAssigned  = "PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup PrivilegedAssignmentSchedule.Remove.AzureADGroup"
	writeAssign  = "PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup"
	readPolicy   = "RoleManagementPolicy.Read.AzureADGroup RoleManagementPolicy.ReadWrite.AzureADGroup"
	readGroups   = "GroupMember.Read.All Group.Read.All Directory.Read.All"
	readUsers    = "User.Read.All User.ReadBasic.All Directory.Read.All"
	readMe       = "User.Read User.Read.All User.ReadBasic.All"
	writeMembers = "GroupMember.ReadWrite.All Group.ReadWrite.All"
)

const pag = "/identityGovernance/privilegedAccess/group/"

var routes = []route{
	{"GET", pag + "eligibilityScheduleInstances", readEligible, list(eligibilityInstances)},
	{"GET", pag + "eligibilityScheduleInstances/{id}", readEligible, get(eligibilityInstances)},
	{"GET", pag + "eligibilitySchedules", readEligible, list(eligibilitySchedules)},
	{"GET", pag + "eligibilitySchedules/{id}", readEligible, get(eligibilitySchedules)},
	{"GET", pag + "assignmentScheduleInstances", readAssigned, list(assignmentInstances)},
	{"GET", pag + "assignmentScheduleInstances/{id}", readAssigned, get(assignmentInstances)},
	{"GET", pag + "assignmentSchedules", readAssigned, list(assignmentSchedules)},
	{"GET", pag + "assignmentSchedules/{id}", readAssigned, get(assignmentSchedules)},
	{"GET", pag + "assignmentScheduleRequests", readAssigned, list(assignmentRequests)},
	{"GET", pag + "assignmentScheduleRequests/{id}", readAssigned, get(assignmentRequests)},
	{"POST", pag + "assignmentScheduleRequests", askAssigned, (*World).create},
	{"POST", pag + "assignmentScheduleRequests/{id}/cancel", writeAssign, (*World).cancel},
	{"GET", pag + "eligibilityScheduleInstances/filterByCurrentUser(on='{on}')", readEligible, mine(eligibilityInstances)},
	{"GET", pag + "eligibilitySchedules/filterByCurrentUser(on='{on}')", readEligible, mine(eligibilitySchedules)},
	{"GET", pag + "assignmentScheduleInstances/filterByCurrentUser(on='{on}')", readAssigned, mine(assignmentInstances)},
	{"GET", pag + "assignmentSchedules/filterByCurrentUser(on='{on}')", readAssigned, mine(assignmentSchedules)},
	{"GET", pag + "assignmentScheduleRequests/filterByCurrentUser(on='{on}')", readAssigned, mine(assignmentRequests)},
	{"GET", pag + "assignmentApprovals/filterByCurrentUser(on='{on}')", readAssigned, mine(assignmentApprovals)},
	{"GET", pag + "assignmentApprovals/{id}", readAssigned, (*World).getApproval},
	{"GET", pag + "assignmentApprovals/{id}/{stages}", readAssigned, (*World).getStages},
	{"GET", pag + "assignmentApprovals/{id}/{stages}/{stage}", readAssigned, (*World).getStage},
	{"PATCH", pag + "assignmentApprovals/{id}/{stages}/{stage}", writeAssign, (*World).patchStage},
	{"GET", "/policies/roleManagementPolicyAssignments", readPolicy, (*World).listPolicies},
	{"GET", "/me", readMe, (*World).getMe},
	{"GET", "/users", readUsers, (*World).listUsers},
	{"GET", "/users/{id}", readUsers, (*World).getUser},
	{"POST", "/users/{id}/checkMemberGroups", readGroups, (*World).checkGroups},
	{"GET", "/users/{id}/transitiveMemberOf", readGroups, (*World).memberships},
	{"GET", "/users/{id}/transitiveMemberOf/graph.group", readGroups, (*World).memberships},
	{"GET", "/groups", readGroups, (*World).listGroups},
	{"GET", "/groups/{id}", readGroups, (*World).getGroup},
	{"GET", "/groups/{id}/members", readGroups, (*World).listMembers},
	{"GET", "/groups/{id}/owners", readGroups, (*World).listOwners},
	{"GET", "/groups/{id}/transitiveMembers", readGroups, (*World).listBelow},
	{"GET", "/groups/{id}/members/{cast}", readGroups, (*World).listMembers},
	{"GET", "/groups/{id}/owners/{cast}", readGroups, (*World).listOwners},
	{"GET", "/groups/{id}/transitiveMembers/{cast}", readGroups, (*World).listBelow},
	{"POST", "/me/checkMemberGroups", readGroups, asMe((*World).checkGroups)},
	{"GET", "/me/transitiveMemberOf", readGroups, asMe((*World).memberships)},
	{"GET", "/me/transitiveMemberOf/graph.group", readGroups, asMe((*World).memberships)},
	{"DELETE", "/groups/{id}/members/{user}/$ref", writeMembers, (*World).deleteMember},
}

// route finds the line, checks the token's scopes, and acts.
func (w *World) route(c *call) answer {
	var path string
	c.version, path, _ = strings.Cut(strings.TrimPrefix(c.path, "/"), "/")
	path = strings.ReplaceAll("/"+path, "microsoft.graph.", "graph.")
	if c.version != "v1.0" && c.version != "beta" {
		return w.refused(c, refuse(400, "BadRequest", "Invalid version: "+c.version))
	}
	other := false
	for _, r := range append(routes, roleRoutes()...) {
		args, ok := match(r.path, path)
		if !ok {
			continue
		}
		if r.method != c.method {
			other = true
			continue
		}
		c.args = args
		if no := granted(c.by, r.scopes, strings.HasPrefix(path, pag) || strings.HasPrefix(path, "/policies")); no != nil {
			return w.refused(c, no)
		}
		return r.do(w, c)
	}
	if other {
		return w.refused(c, refuse(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target."))
	}
	return w.refused(c, refuse(404, "Request_ResourceNotFound", "Resource '"+path+"' does not exist."))
}

// granted compares a token's scopes with what a line wants.
func granted(by caller, want string, pim bool) *refusal {
	for _, s := range strings.Fields(want) {
		for _, have := range by.scopes {
			if strings.EqualFold(s, have) {
				return nil
			}
		}
	}
	if !pim {
		return denied
	}
	least := strings.Fields(want)[0]
	return refuse(403, "PermissionScopeNotGranted", "Authorization failed due to missing permission scope "+least+".")
}

// match compares a path with a pattern: {name} takes the text up to what
// follows it in the pattern, and never a slash.
func match(pattern, path string) (map[string]string, bool) {
	args := map[string]string{}
	want, have := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(want) != len(have) {
		return nil, false
	}
	for i, p := range want {
		before, rest, ok := strings.Cut(p, "{")
		if !ok {
			if !strings.EqualFold(p, have[i]) {
				return nil, false
			}
			continue
		}
		name, after, _ := strings.Cut(rest, "}")
		h := have[i]
		if len(h) < len(before)+len(after) || !strings.HasPrefix(h, before) || !strings.HasSuffix(h, after) {
			return nil, false
		}
		if before == "" && strings.Contains(h, "(") {
			return nil, false // a function, not an id
		}
		args[name] = h[len(before) : len(h)-len(after)]
	}
	return args, true
}

// strict decodes a body and refuses what it doesn't know; annotations such as
// @odata.type pass.
func strict(body []byte, into any) error {
	var loose obj
	if err := json.Unmarshal(body, &loose); err != nil {
		return err
	}
	bare, _ := json.Marshal(unannotated(loose))
	d := json.NewDecoder(bytes.NewReader(bare))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

func unannotated(o obj) obj {
	for k, v := range o {
		if in, ok := v.(obj); ok {
			unannotated(in)
		}
		if strings.Contains(k, "@") {
			delete(o, k)
		}
	}
	return o
}

// create takes a new assignment request.
func (w *World) create(c *call) answer {
	var a ask
	if err := strict(c.body, &a); err != nil {
		return w.refused(c, refuse(400, "BadRequest", "Unable to read JSON request payload: "+err.Error()))
	}
	removes := strings.EqualFold(a.Action, selfDeactivate) || strings.EqualFold(a.Action, adminRemove)
	if !removes {
		if no := granted(c.by, writeAssign, true); no != nil {
			return w.refused(c, no)
		}
	}
	r, no := w.submit(c.by, a, c.now)
	if no != nil {
		return w.refused(c, no)
	}
	if a.ValidationOnly && w.dials.Validated == 204 {
		return answer{status: 204}
	}
	body := w.requestJSON(r, c.now)
	body["@odata.context"] = c.context("identityGovernance/privilegedAccess/group/assignmentScheduleRequests/$entity")
	if a.ValidationOnly {
		return answer{status: w.dials.Validated, body: w.lie(body)}
	}
	return answer{status: 201, body: w.lie(body)}
}

func (w *World) cancel(c *call) answer {
	if no := w.withdraw(c.by, c.args["id"], c.now); no != nil {
		return w.refused(c, no)
	}
	return answer{status: 204}
}

func (w *World) getApproval(c *call) answer {
	r, no := w.approvalFor(c.by, c.args["id"], c.now)
	if no != nil {
		return w.refused(c, no)
	}
	body := w.approvalJSON(c.by, r, c.now)
	if c.version == "beta" {
		body["steps"] = body["stages"]
		delete(body, "stages")
	}
	return answer{status: 200, body: body}
}

func (w *World) getStages(c *call) answer {
	r, no := w.approvalFor(c.by, c.args["id"], c.now)
	if no == nil && !isStages(c) {
		no = refuse(404, "Request_ResourceNotFound", "Resource '"+c.args["stages"]+"' does not exist.")
	}
	if no != nil {
		return w.refused(c, no)
	}
	return answer{status: 200, body: obj{"value": []obj{w.stageJSON(c.by, r, c.now)}}}
}

// isStages accepts v1.0's name and beta's, on both.
func isStages(c *call) bool { return c.args["stages"] == "stages" || c.args["stages"] == "steps" }

func (w *World) getStage(c *call) answer {
	r, no := w.approvalFor(c.by, c.args["id"], c.now)
	if no == nil && (!isStages(c) || c.args["stage"] != r.stage.id && c.args["stage"] != r.id) {
		no = refuse(404, "ResourceNotFound", "The approval stage is not found.")
	}
	if no != nil {
		return w.refused(c, no)
	}
	return answer{status: 200, body: w.stageJSON(c.by, r, c.now)}
}

func (w *World) patchStage(c *call) answer {
	var in struct{ ReviewResult, Justification string }
	if err := strict(c.body, &in); err != nil || !isStages(c) {
		return w.refused(c, refuse(400, "BadRequest", "Unable to read JSON request payload."))
	}
	if no := w.decide(c.by, c.args["id"], c.args["stage"], in.ReviewResult, in.Justification, c.now); no != nil {
		return w.refused(c, no)
	}
	return answer{status: 204}
}
