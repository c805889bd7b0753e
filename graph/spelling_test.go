package graph

import (
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/microsoft/kiota-abstractions-go/serialization"
	"github.com/microsoft/kiota-abstractions-go/store"
	kjson "github.com/microsoft/kiota-serialization-json-go"
	"github.com/microsoftgraph/msgraph-sdk-go/models"

	"pagbot/sim/entra"
)

// strange lists what the SDK put aside because its types don't know it: names
// that the simulator misspelt.
func strange(v any, at string) (names []string) {
	if h, ok := v.(serialization.AdditionalDataHolder); ok && !reflect.ValueOf(v).IsNil() {
		for k := range h.GetAdditionalData() {
			if !strings.Contains(k, "@") {
				names = append(names, at+"."+k)
			}
		}
	}
	if b, ok := v.(store.BackedModel); ok && !reflect.ValueOf(v).IsNil() {
		for k, x := range b.GetBackingStore().Enumerate() {
			names = append(names, strange(x, at+"."+k)...)
		}
	}
	if s := reflect.ValueOf(v); s.Kind() == reflect.Slice {
		for i := range s.Len() {
			names = append(names, strange(s.Index(i).Interface(), at)...)
		}
	}
	return names
}

// Every list of the simulator, read with Microsoft's own types: they know every
// name in it, and it holds something.
func TestTheSDKKnowsEveryName(t *testing.T) {
	const pim = "/identityGovernance/privilegedAccess/group/"
	inWorld(t, func(t *testing.T, w *world) {
		w.must(w.ChangeApp(w.readerApp.ID, func(a *entra.App) {
			a.Roles = append(a.Roles, "AuditLog.Read.All", "RoleManagement.Read.Directory", "PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup")
		}))
		carrier := w.AddGroup(entra.Group{Name: "carrier", RoleAssignable: true})
		w.must(w.AssignRole(w.AddRole(entra.Role{Name: "Reader"}).ID, carrier.ID, time.Time{}))
		w.settings(w.approval)
		request, err := w.Portal(w.requester.ID).Activate(w.group.ID, "member", time.Hour, "INC1")
		w.must(err)
		w.must(w.Portal(w.approver.ID).Decide(request, true, "fine"))
		pass(10 * time.Minute)
		app, err := credential{w}.GetToken(t.Context(), policy.TokenRequestOptions{})
		w.must(err)
		person := w.signIn(w.approver, "", false).Value
		here := "?$filter=groupId%20eq%20'" + w.group.ID + "'&$expand=group,principal"
		for path, parse := range map[string]serialization.ParsableFactory{
			pim + "assignmentScheduleInstances" + here:         models.CreatePrivilegedAccessGroupAssignmentScheduleInstanceCollectionResponseFromDiscriminatorValue,
			pim + "assignmentSchedules" + here:                 models.CreatePrivilegedAccessGroupAssignmentScheduleCollectionResponseFromDiscriminatorValue,
			pim + "assignmentScheduleRequests" + here:          models.CreatePrivilegedAccessGroupAssignmentScheduleRequestCollectionResponseFromDiscriminatorValue,
			pim + "eligibilityScheduleInstances" + here:        models.CreatePrivilegedAccessGroupEligibilityScheduleInstanceCollectionResponseFromDiscriminatorValue,
			pim + "eligibilitySchedules" + here:                models.CreatePrivilegedAccessGroupEligibilityScheduleCollectionResponseFromDiscriminatorValue,
			pim + "assignmentApprovals/" + request + "/stages": models.CreateApprovalStageCollectionResponseFromDiscriminatorValue,
			"/policies/roleManagementPolicyAssignments?$filter=scopeType%20eq%20'Group'%20and%20scopeId%20eq%20'" + w.group.ID + "'&$expand=policy($expand=rules)": models.CreateUnifiedRoleManagementPolicyAssignmentCollectionResponseFromDiscriminatorValue,
			"/auditLogs/directoryAudits":                                       models.CreateDirectoryAuditCollectionResponseFromDiscriminatorValue,
			"/roleManagement/directory/roleAssignments":                        models.CreateUnifiedRoleAssignmentCollectionResponseFromDiscriminatorValue,
			"/roleManagement/directory/roleDefinitions":                        models.CreateUnifiedRoleDefinitionCollectionResponseFromDiscriminatorValue,
			"/roleManagement/directory/roleAssignmentSchedules":                models.CreateUnifiedRoleAssignmentScheduleCollectionResponseFromDiscriminatorValue,
			"/roleManagement/directory/roleAssignmentScheduleInstances":        models.CreateUnifiedRoleAssignmentScheduleInstanceCollectionResponseFromDiscriminatorValue,
			"/groups/" + w.group.ID + "/members":                               models.CreateDirectoryObjectCollectionResponseFromDiscriminatorValue,
			"/users?$select=id,accountEnabled,signInSessionsValidFromDateTime": models.CreateUserCollectionResponseFromDiscriminatorValue,
			"/users/delta()":  models.CreateUserCollectionResponseFromDiscriminatorValue,
			"/groups/delta()": models.CreateGroupCollectionResponseFromDiscriminatorValue,
		} {
			token := app.Token
			if strings.Contains(path, "Approvals") {
				token = person
			}
			w.known(path, token, parse)
		}
	})
}

// known reads an answer with a type of the SDK.
func (w *world) known(path, token string, parse serialization.ParsableFactory) {
	w.t.Helper()
	r := httptest.NewRequest("GET", "http://graph.test/v1.0"+path, nil)
	r.Header.Set("Authorization", "Bearer "+token)
	rec := httptest.NewRecorder()
	w.Graph().ServeHTTP(rec, r)
	text := rec.Body.Bytes()
	if rec.Code != 200 {
		w.t.Errorf("%s: %d %s", path, rec.Code, text)
		return
	}
	node, err := kjson.NewJsonParseNode(text)
	w.must(err)
	got, err := node.GetObjectValue(parse)
	w.must(err)
	if names := strange(got, ""); len(names) > 0 {
		w.t.Errorf("%s: the SDK doesn't know %v", path, names)
	}
	rows, err := got.(store.BackedModel).GetBackingStore().Get("value")
	if err != nil || reflect.ValueOf(rows).Len() == 0 {
		w.t.Errorf("%s: nothing in it: %s", path, text)
	}
}
