package azure

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pagbot/sim/target"
)

// What follows was caught by an outside reader; each test is named after its
// fact.

const managed = "/providers/Microsoft.Management/managementGroups/all"

func withAssignments(t *testing.T, from time.Time, all ...Assignment) *World {
	w, err := New(Config{Seed: 1, Directory: since(from), Verify: func(token string) (target.Caller, error) {
		return target.Caller{OID: token, App: token == "app", Issued: time.Now()}, nil
	}, Assignments: all})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// A role at a management group reaches what lies in it; its data actions take
// hours to do so.
func TestDataActionsOfManagementGroupsTakeHours(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := withAssignments(t, time.Now().Add(time.Second), Assignment{Principal: "g", Role: "r", Scope: managed, Actions: []string{"*/read"}, Data: []string{"*/write"}})
		ask := func(action, data string) bool {
			_, body := call(t, w, "app", "arm.test", scope+"/providers/Microsoft.Authorization/checkaccess?api-version=2018-09-01-preview",
				`{"Subject":{"Attributes":{"ObjectId":"u"}},"Actions":[{"Id":"`+action+`","IsDataAction":`+data+`}],"Resource":{"Id":"`+scope+`"}}`)
			return strings.Contains(body, `"accessDecision":"Allowed"`)
		}
		time.Sleep(30 * time.Minute)
		if !ask("Microsoft.Storage/read", "false") || ask("Microsoft.Storage/write", "true") {
			t.Error("after half an hour an action is not allowed, or a data action is")
		}
		mine := scope + "/providers/Microsoft.Authorization/permissions?api-version=2022-04-01"
		if _, body := call(t, w, "u", "arm.test", mine, ""); !strings.Contains(body, `"actions":["*/read"]`) || !strings.Contains(body, `"dataActions":[]`) {
			t.Errorf("their own permissions: %s", body)
		}
		time.Sleep(6 * time.Hour)
		if !ask("Microsoft.Storage/write", "true") {
			t.Error("after hours a data action is not allowed")
		}
		if _, body := call(t, w, "u", "arm.test", mine, ""); !strings.Contains(body, `"dataActions":["*/write"]`) {
			t.Errorf("their own permissions: %s", body)
		}
	})
}

// The answer names what grants: a group, or the person.
func TestAnswersNameWhatGrants(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := withAssignments(t, time.Now(), Assignment{Principal: "g", Role: "r", Scope: "/subscriptions/s", Actions: []string{"*"}},
			Assignment{Principal: "p", Role: "r", Scope: "/subscriptions/s", Actions: []string{"*"}})
		for who, want := range map[string]string{"p": `"principalId":"p","principalType":"User"`, "u": `"principalId":"g","principalType":"Group"`} {
			_, body := call(t, w, "app", "arm.test", scope+"/providers/Microsoft.Authorization/checkaccess?api-version=2018-09-01-preview",
				`{"Subject":{"Attributes":{"ObjectId":"`+who+`"}},"Actions":[{"Id":"a/read"}],"Resource":{"Id":"`+scope+`"}}`)
			if !strings.Contains(body, want) {
				t.Errorf("%s: %s", who, body)
			}
		}
	})
}

// An api-version is a date; a filter names whom it is about.
func TestVersionsAndFiltersAreStrict(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, time.Now(), time.Now)
		const list = scope + "/providers/Microsoft.Authorization/roleAssignments?api-version="
		for query, want := range map[string]string{"2022-04-01&$filter=atScope()": `"principalId":"g"`, "foo&$filter=atScope()": "InvalidApiVersionParameter",
			"2022-4-1&$filter=atScope()": "InvalidApiVersionParameter", "2022-04-01&$filter=atScope() and assignedTo('')": "UnsupportedQuery"} {
			if code, body := call(t, w, "app", "arm.test", list+query, ""); !strings.Contains(body, want) || (code == 200) != strings.HasPrefix(want, `"`) {
				t.Errorf("%s: %d %s", query, code, body)
			}
		}
	})
}
