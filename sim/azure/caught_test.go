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

// An application reads a scope only with a right there: elsewhere, or of what
// there is not, it is refused, and sees no empty list. A question without
// actions, or that does not say that it is JSON, is none.
func TestReadingNeedsARightAtTheScope(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, err := New(Config{Seed: 1, Directory: since(time.Now()), Readers: map[string]string{"app": "/subscriptions/s"}, Verify: func(token string) (target.Caller, error) {
			return target.Caller{OID: token, App: true, Issued: time.Now()}, nil
		}, Assignments: []Assignment{{Principal: "g", Role: "r", Scope: "/subscriptions/s", Actions: []string{"*"}}}})
		if err != nil {
			t.Fatal(err)
		}
		const list, check = "/providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01&$filter=atScope()", "/providers/Microsoft.Authorization/checkaccess?api-version=2018-09-01-preview"
		ask := func(id, actions string) string {
			return `{"Subject":{"Attributes":{"ObjectId":"u"}},"Actions":[` + actions + `],"Resource":{"Id":"` + id + `"}}`
		}
		const start = `{"Id":"a/start/action"}`
		for _, c := range []struct {
			who, path, body, want string
			code                  int
		}{
			{"app", scope + list, "", `"principalId":"g"`, 200}, {"app", "/subscriptions/t" + list, "", "AuthorizationFailed", 403}, {"another", scope + list, "", "AuthorizationFailed", 403},
			{"app", scope + check, ask(scope, start), "accessDecision", 200}, {"app", scope + check, ask(scope, ""), "BadRequest", 400},
			{"app", "/subscriptions/t" + check, ask("/subscriptions/t", start), "AuthorizationFailed", 403}, {"app", scope + check, ask("/subscriptions/t", start), "AuthorizationFailed", 403},
			{"app", scope + strings.Replace(check, "2018-09-01-preview", "2022-04-01", 1), ask(scope, start), "InvalidApiVersionParameter", 400},
		} {
			if code, body := call(t, w, c.who, "arm.test", c.path, c.body); code != c.code || !strings.Contains(body, c.want) {
				t.Errorf("%s %s %s: %d %s", c.who, c.path, c.body, code, body)
			}
		}
	})
}
