package entra

import (
	"fmt"
	"testing"
)

func (x *tenant) batch(requests ...obj) reply {
	x.t.Helper()
	return x.call(x.asReader(), "POST", "/v1.0/$batch", obj{"requests": requests})
}

// answers are a batch's, by id.
func (r reply) answers() map[string]map[string]any {
	by := map[string]map[string]any{}
	list, _ := r.body["responses"].([]any)
	for _, v := range list {
		by[v.(map[string]any)["id"].(string)] = v.(map[string]any)
	}
	return by
}

func TestBatch(t *testing.T) {
	x := newTenant(t)
	body := obj{"groupIds": []string{x.group.ID}}
	r := x.batch(
		obj{"id": "1", "method": "GET", "url": "/groups/" + x.group.ID},
		obj{"id": "2", "method": "GET", "url": "groups/none", "dependsOn": []string{"1"}},
		obj{"id": "3", "method": "POST", "url": "/users/" + x.requester.ID + "/checkMemberGroups", "headers": obj{"Content-Type": "application/json"}, "body": body},
		obj{"id": "4", "method": "GET", "url": "/groups", "dependsOn": []string{"2"}},
		obj{"id": "5", "method": "GET", "url": "/users?$filter=mail%20eq%20'requester@contoso.example'"},
		obj{"id": "6", "method": "POST", "url": "/me/revokeSignInSessions"},
	)
	a := r.answers()
	for id, want := range map[string]float64{"1": 200, "2": 404, "3": 200, "4": 424, "5": 200, "6": 403} {
		if a[id]["status"] != want {
			t.Errorf("%s: %v, want %v", id, a[id], want)
		}
	}
	if r.status != 200 || a["1"]["body"].(map[string]any)["displayName"] != "devops-admins" || len(a["5"]["body"].(map[string]any)["value"].([]any)) != 1 {
		t.Errorf("bodies: %s", r.raw)
	}
	if h := x.History(); len(h) != 6 { // five that were done, and the batch itself
		t.Errorf("the history has %d calls", len(h))
	}
}

func TestBatchIsThrottledOneByOne(t *testing.T) {
	x := newTenant(t)
	x.Inject(Fault{Path: "/groups", Do: DoStatus, Status: 429, RetryAfter: "7", Times: 1})
	x.Inject(Fault{Path: "/users", Do: DoHang})
	r := x.batch(obj{"id": "1", "method": "GET", "url": "/groups"}, obj{"id": "2", "method": "GET", "url": "/groups"}, obj{"id": "3", "method": "GET", "url": "/users"})
	a := r.answers()
	slow := a["1"]
	if slow["status"] == 200.0 {
		slow = a["2"]
	}
	if r.status != 200 || r.header.Get("Retry-After") != "" || slow["status"] != 429.0 || slow["headers"].(map[string]any)["Retry-After"] != "7" {
		t.Errorf("outer %d, inner %v", r.status, a)
	}
	if a["1"]["status"] == a["2"]["status"] || a["3"]["status"] != 504.0 {
		t.Errorf("one is throttled, the other not, the third hangs: %v", a)
	}
}

func TestBatchHasNoOrder(t *testing.T) {
	x := newTenant(t)
	var all []obj
	for i := range 20 {
		all = append(all, obj{"id": fmt.Sprint(i), "method": "GET", "url": "/groups/none"})
	}
	moved := false
	for i, v := range x.batch(all...).body["responses"].([]any) {
		moved = moved || v.(map[string]any)["id"] != fmt.Sprint(i)
	}
	if !moved {
		t.Error("twenty requests came back in their order")
	}
	x.graph = x.Graph() // the description has the limit too
	if r := x.batch(append(all, obj{"id": "20", "method": "GET", "url": "/groups"})...); r.status != 400 {
		t.Errorf("21 requests: %d", r.status)
	}
}

func TestWrongBatches(t *testing.T) {
	x := newTenant(t)
	x.graph = x.Graph()
	get := func(id, on string) obj {
		return obj{"id": id, "method": "GET", "url": "/groups", "dependsOn": []string{on}}
	}
	for name, all := range map[string][]obj{
		"none": {}, "no id": {{"method": "GET", "url": "/groups"}}, "twice the same": {{"id": "1", "method": "GET", "url": "/me"}, {"id": "1", "method": "GET", "url": "/me"}},
		"a circle": {get("1", "2"), get("2", "1")}, "depends on nothing": {get("1", "2")},
		"a body of no type": {{"id": "1", "method": "POST", "url": "/me/checkMemberGroups", "body": obj{}}},
		"unknown names":     {{"id": "1", "method": "GET", "url": "/me", "colour": "red"}},
	} {
		if r := x.batch(all...); r.status != 400 || r.code() != "BadRequest" {
			t.Errorf("%s: %d %s", name, r.status, r.raw)
		}
	}
	if a := x.batch(obj{"id": "1", "method": "POST", "url": "/$batch"}).answers(); a["1"]["status"] != 400.0 {
		t.Errorf("a batch in a batch: %v", a)
	}
	if r := x.call("", "POST", "/v1.0/$batch", obj{"requests": []obj{}}); r.status != 401 {
		t.Errorf("without a token: %d", r.status)
	}
}
