package entra

import (
	"bytes"
	"encoding/json"
	"mime"
	"slices"
	"strings"
)

// route is one line of Graph's table: who may call, and what answers.
type route struct {
	method, path string
	scopes       string // any of these, space-separated, delegated or application
	do           func(*World, *call) answer
}

const (
	readEligible  = "PrivilegedEligibilitySchedule.Read.AzureADGroup PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup"
	readAssigned  = "PrivilegedAssignmentSchedule.Read.AzureADGroup PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup"
	askAssigned   = "PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup PrivilegedAssignmentSchedule.Remove.AzureADGroup"
	askEligible   = "PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup PrivilegedEligibilitySchedule.Remove.AzureADGroup"
	readAudits    = "AuditLog.Read.All"
	readRoles     = "RoleManagement.Read.Directory RoleManagement.Read.All Directory.Read.All"
	readHeld      = "RoleAssignmentSchedule.Read.Directory RoleManagement.Read.Directory RoleManagement.Read.All"
	writeAssign   = "PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup"
	readPolicy    = "RoleManagementPolicy.Read.AzureADGroup RoleManagementPolicy.ReadWrite.AzureADGroup"
	readGroups    = "GroupMember.Read.All Group.Read.All Directory.Read.All"
	readUsers     = "User.Read.All User.ReadBasic.All Directory.Read.All"
	readMe        = "User.Read User.Read.All User.ReadBasic.All"
	revokeSession = "User.RevokeSessions.All User.ReadWrite.All Directory.ReadWrite.All"
	readBelongs   = readGroups + " & User.Read.All User.ReadBasic.All Directory.Read.All"
	readOwn       = readGroups + " & User.Read User.Read.All User.ReadBasic.All Directory.Read.All"
	writeMembers  = "GroupMember.ReadWrite.All Group.ReadWrite.All"
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
	{"GET", pag + "eligibilityScheduleRequests", readEligible, list(eligibilityRequests)},
	{"GET", pag + "eligibilityScheduleRequests/{id}", readEligible, get(eligibilityRequests)},
	{"POST", pag + "eligibilityScheduleRequests", askEligible, (*World).createOffer},
	{"POST", pag + "eligibilityScheduleRequests/{id}/cancel", askEligible, (*World).cancel},
	{"GET", pag + "eligibilityScheduleRequests/filterByCurrentUser(on='{on}')", readEligible, mine(eligibilityRequests)},
	{"GET", "/policies/roleManagementPolicyAssignments", readPolicy, (*World).listPolicies},
	{"GET", "/me", readMe, (*World).getMe},
	{"GET", "/users/delta", readUsers, deltas((*World).usersDelta, "users")},
	{"GET", "/users/delta()", readUsers, deltas((*World).usersDelta, "users")},
	{"GET", "/groups/delta", readGroups, deltas((*World).groupsDelta, "groups")},
	{"GET", "/groups/delta()", readGroups, deltas((*World).groupsDelta, "groups")},
	{"GET", "/users", readUsers, (*World).listUsers},
	{"GET", "/users/{id}", readUsers, (*World).getUser},
	{"POST", "/users/{id}/checkMemberGroups", readBelongs, (*World).checkGroups},
	{"POST", "/users/{id}/revokeSignInSessions", revokeSession, (*World).revokeSessions},
	{"POST", "/me/revokeSignInSessions", revokeSession, asMe((*World).revokeSessions)},
	{"GET", "/users/{id}/transitiveMemberOf", readBelongs, (*World).memberships},
	{"GET", "/users/{id}/transitiveMemberOf/graph.group", readBelongs, (*World).memberships},
	{"GET", "/groups", readGroups, (*World).listGroups},
	{"GET", "/groups/{id}", readGroups, (*World).getGroup},
	{"GET", "/groups/{id}/members", readGroups, (*World).listMembers},
	{"GET", "/groups/{id}/owners", readGroups, (*World).listOwners},
	{"GET", "/groups/{id}/transitiveMembers", readGroups, (*World).listBelow},
	{"GET", "/groups/{id}/members/{cast}", readGroups, (*World).listMembers},
	{"GET", "/groups/{id}/owners/{cast}", readGroups, (*World).listOwners},
	{"GET", "/groups/{id}/transitiveMembers/{cast}", readGroups, (*World).listBelow},
	{"POST", "/me/checkMemberGroups", readOwn, asMe((*World).checkGroups)},
	{"GET", "/me/transitiveMemberOf", readOwn, asMe((*World).memberships)},
	{"GET", "/me/transitiveMemberOf/graph.group", readOwn, asMe((*World).memberships)},
	{"GET", "/users/{id}/memberOf", readBelongs, (*World).directlyIn},
	{"POST", "/users/{id}/getMemberGroups", readBelongs, (*World).getGroups},
	{"GET", "/me/memberOf", readOwn, asMe((*World).directlyIn)},
	{"POST", "/me/getMemberGroups", readOwn, asMe((*World).getGroups)},
	{"GET", "/auditLogs/directoryAudits", readAudits, (*World).listAudits},
	{"GET", "/auditLogs/directoryAudits/{id}", readAudits, (*World).getAudit},
	{"GET", "/roleManagement/directory/roleDefinitions", readRoles, (*World).listRoles},
	{"GET", "/roleManagement/directory/roleAssignments", readRoles, roleRows("roleAssignments", roleAssignment)},
	{"GET", "/roleManagement/directory/roleAssignmentScheduleInstances", readHeld, roleRows("roleAssignmentScheduleInstances", roleInstance)},
	{"GET", "/roleManagement/directory/roleAssignmentSchedules", readHeld, roleRows("roleAssignmentSchedules", roleSchedule)},
	{"GET", "/roleManagement/directory/transitiveRoleAssignments", readRoles, (*World).transitiveRoles},
	{"POST", "/$batch", "", (*World).batch},
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
	have := strings.Split(path, "/")
	for i, r := range w.table {
		args, ok := w.patterns[i].match(have)
		if !ok {
			continue
		}
		if r.method != c.method {
			other = true
			continue
		}
		c.args = args
		if w.dials.NoLicence && strings.HasPrefix(path, pag) {
			return w.refused(c, refuse(403, "AadPremiumLicenseRequired", "The tenant needs to have Microsoft Entra ID P2 or Microsoft Entra ID Governance license."))
		}
		if no := granted(c.by, c.wanted(r.scopes), strings.HasPrefix(path, pag) || strings.HasPrefix(path, "/policies")); no != nil {
			return w.refused(c, no)
		}
		if kind, _, _ := mime.ParseMediaType(c.header.Get("Content-Type")); len(c.body) > 0 && kind != "application/json" {
			return w.refused(c, refuse(400, "BadRequest", "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format."))
		}
		if no := optional(c); no != nil {
			return w.refused(c, no)
		}
		return r.do(w, c)
	}
	if other {
		return w.refused(c, refuse(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target."))
	}
	return w.refused(c, refuse(404, "Request_ResourceNotFound", "Resource '"+path+"' does not exist."))
}

// wanted are a line's scopes: of themselves, people may also read as on /me.
func (c *call) wanted(scopes string) string {
	if scopes == readBelongs && c.by.oid != "" && strings.EqualFold(c.args["id"], c.by.oid) {
		return readOwn
	}
	return scopes
}

// granted compares a token's scopes with what a line wants: one of the words
// on each side of every &.
func granted(by caller, want string, pim bool) *refusal {
	for _, side := range strings.Split(want, "&") {
		words := strings.Fields(side)
		has := func(have string) bool {
			return slices.ContainsFunc(words, func(s string) bool { return strings.EqualFold(s, have) })
		}
		switch {
		case len(words) == 0 || slices.ContainsFunc(by.scopes, has):
		case pim:
			return refuse(403, "PermissionScopeNotGranted", "Authorization failed due to missing permission scope "+words[0]+".")
		default:
			return denied
		}
	}
	return nil
}

// pattern is a route's path, cut once.
type pattern []stretch

// stretch is one stretch of a path: fixed text, or an argument and what stands
// around it.
type stretch struct{ text, name, before, after string }

func cut(path string) (p pattern) {
	for _, s := range strings.Split(path, "/") {
		before, rest, ok := strings.Cut(s, "{")
		name, after, _ := strings.Cut(rest, "}")
		if !ok {
			before = ""
		}
		p = append(p, stretch{s, name, before, after})
	}
	return p
}

// match compares a path with a pattern: {name} takes the text up to what
// follows it in the pattern, and never a slash.
func (p pattern) match(have []string) (map[string]string, bool) {
	if len(p) != len(have) {
		return nil, false
	}
	for i, s := range p {
		h := have[i]
		switch {
		case s.name == "" && !strings.EqualFold(s.text, h),
			len(h) < len(s.before)+len(s.after) || !strings.HasPrefix(h, s.before) || !strings.HasSuffix(h, s.after),
			s.name != "" && s.before == "" && strings.Contains(h, "("): // a function, not an id
			return nil, false
		}
	}
	args := map[string]string{}
	for i, s := range p {
		if s.name != "" {
			args[s.name] = have[i][len(s.before) : len(have[i])-len(s.after)]
		}
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
	return w.created(c, a, r, "assignmentScheduleRequests")
}

// createOffer takes a new eligibility request.
func (w *World) createOffer(c *call) answer {
	var a ask
	if err := strict(c.body, &a); err != nil {
		return w.refused(c, refuse(400, "BadRequest", "Unable to read JSON request payload: "+err.Error()))
	}
	if !strings.EqualFold(a.Action, adminRemove) {
		if no := granted(c.by, strings.Fields(askEligible)[0], true); no != nil {
			return w.refused(c, no)
		}
	}
	r, no := w.submitOffer(c.by, a, c.now)
	if no != nil {
		return w.refused(c, no)
	}
	return w.created(c, a, r, "eligibilityScheduleRequests")
}

func (w *World) created(c *call, a ask, r *request, name string) answer {
	if a.ValidationOnly && w.dials.Validated == 204 {
		return answer{status: 204}
	}
	body := w.requestJSON(r, c.now)
	body["@odata.context"] = c.context("identityGovernance/privilegedAccess/group/" + name + "/$entity")
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
	if only := w.dials.StageNames; only != "" && !strings.EqualFold(only, c.args["stages"]) {
		return w.refused(c, refuse(404, "Request_ResourceNotFound", "Resource '"+c.args["stages"]+"' does not exist."))
	}
	if no := w.decide(c.by, c.args["id"], c.args["stage"], in.ReviewResult, in.Justification, c.now); no != nil {
		return w.refused(c, no)
	}
	return answer{status: 204}
}
