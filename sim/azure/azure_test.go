package azure

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pagbot/sim/target"
)

// since is when one person came into the group.
type since time.Time

func (s since) Member(_, oid string, at time.Time) bool {
	return oid == "u" && !at.Before(time.Time(s))
}

const scope = "/subscriptions/s/resourceGroups/rg"

func newWorld(t *testing.T, from time.Time, issued func() time.Time) *World {
	w, err := New(Config{Seed: 1, Directory: since(from), Verify: func(token string) (target.Caller, error) {
		return target.Caller{OID: token, App: token == "app", Issued: issued()}, nil
	}, Assignments: []Assignment{{Principal: "g", Role: "r", Scope: "/subscriptions/s", Actions: []string{"Microsoft.Compute/*/action"}}}})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func call(t *testing.T, w *World, token, host, path, body string) (status int, answer string) {
	method := "GET"
	if body != "" {
		method = "POST"
	}
	q := httptest.NewRequest(method, "http://"+host+strings.ReplaceAll(path, " ", "+"), strings.NewReader(body))
	q.Header.Set("Authorization", "Bearer "+token)
	q.Header.Set("Content-Type", "application/json")
	r := httptest.NewRecorder()
	w.Handler().ServeHTTP(r, q)
	return r.Code, r.Body.String()
}

func decision(t *testing.T, w *World, attributes string) string {
	_, body := call(t, w, "app", "arm.test", scope+"/providers/Microsoft.Authorization/checkaccess?api-version=2018-09-01-preview",
		`{"Subject":{"Attributes":{"ObjectId":"u"`+attributes+`}},"Actions":[{"Id":"Microsoft.Compute/virtualMachines/start/action"}],"Resource":{"Id":"`+scope+`"}}`)
	var all []struct {
		Decision string `json:"accessDecision"`
	}
	if err := json.Unmarshal([]byte(body), &all); err != nil || len(all) != 1 {
		t.Fatalf("%v in %s", err, body)
	}
	return all[0].Decision
}

// The engine believes groups that a caller sends along, and its no is given
// again for five minutes.
func TestTheEngineBelievesAndCaches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, time.Now().Add(time.Second), time.Now)
		if d := decision(t, w, `,"Groups":["g"]`); d != "Allowed" {
			t.Errorf("with the group sent along: %s", d)
		}
		if d := decision(t, w, ""); d != "NotAllowed" {
			t.Errorf("before: %s", d)
		}
		time.Sleep(11 * time.Minute)
		if d := decision(t, w, ""); d != "Allowed" {
			t.Errorf("after: %s", d)
		}
		w.Turn(func(d *Dials) { d.ExpandsAnyway = false })
		if d := decision(t, w, ""); d != "NotAllowed" {
			t.Errorf("without looking at groups: %s", d)
		}
		if d := decision(t, w, `,"_claim_names":"{\"groups\":\"src1\"}"`); d != "Allowed" {
			t.Errorf("asked to look them up: %s", d)
		}
	})
}

// The list says what Entra says, at once; what a person may do is of their
// token's issue.
func TestTheListIsAheadAndTheTokenBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issued := time.Now()
		w := newWorld(t, time.Now().Add(time.Second), func() time.Time { return issued })
		list := scope + "/providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01&$filter=atScope() and assignedTo('u')"
		if _, body := call(t, w, "app", "arm.test", list, ""); strings.Contains(body, `"principalId":"g"`) {
			t.Errorf("before: %s", body)
		}
		time.Sleep(time.Second)
		if n, body := call(t, w, "app", "arm.test", list, ""); n != 200 || !strings.Contains(body, `"principalId":"g"`) {
			t.Errorf("at once: %d %s", n, body)
		}
		mine := scope + "/providers/Microsoft.Authorization/permissions?api-version=2022-04-01"
		time.Sleep(30 * time.Minute)
		if _, body := call(t, w, "u", "arm.test", mine, ""); strings.Contains(body, "Compute") {
			t.Errorf("with an old token: %s", body)
		}
		issued = time.Now()
		if _, body := call(t, w, "u", "arm.test", mine, ""); !strings.Contains(body, "Compute") {
			t.Errorf("with a new token: %s", body)
		}
		for path, want := range map[string]int{strings.Replace(list, "api-version", "x", 1): 400, strings.Replace(list, "atScope()", "whatever", 1): 400, "/subscriptions/s": 404} {
			if n, _ := call(t, w, "app", "arm.test", path, ""); n != want {
				t.Errorf("%s: %d, want %d", path, n, want)
			}
		}
	})
}

func TestPermits(t *testing.T) {
	for pattern, want := range map[string]bool{"*": true, "Microsoft.Compute/*": true, "*/action": true, "microsoft.compute/virtualmachines/start/action": true,
		"*/read": false, "Microsoft.Compute": false, "Microsoft.Compute/*/start/*": true, "Microsoft.Network/*": false} {
		if got := permits([]string{pattern}, "Microsoft.Compute/virtualMachines/start/action"); got != want {
			t.Errorf("%s: %v", pattern, got)
		}
	}
}
