package entra

import (
	"strings"
	"testing"
	"time"
)

// follow walks a delta to its end: what it told, and the link for the next time.
func (x *tenant) follow(path string) (rows []map[string]any, next string) {
	x.t.Helper()
	for range 20 {
		r := x.call(x.asReader(), "GET", path, nil)
		if r.status != 200 {
			x.t.Fatalf("%s: %d %s", path, r.status, r.raw)
		}
		rows = append(rows, r.rows()...)
		if link, ok := r.body["@odata.deltaLink"].(string); ok {
			return rows, strings.TrimPrefix(link, "https://graph.microsoft.com")
		}
		path = strings.TrimPrefix(r.body["@odata.nextLink"].(string), "https://graph.microsoft.com")
	}
	x.t.Fatal("a delta without end")
	return nil, ""
}

func TestGroupsDelta(t *testing.T) {
	x := newTenant(t)
	other := x.AddGroup(Group{Name: "other"})
	x.must(x.AddTie(other.ID, "member", x.second.ID))
	x.pass(time.Minute)
	rows, all := x.follow("/v1.0/groups/delta()?$select=displayName,members")
	if len(rows) != 2 || rows[0]["securityEnabled"] != nil || rows[1]["members@delta"].([]any)[0].(map[string]any)["id"] != x.second.ID {
		t.Fatalf("at first: %v", rows)
	}
	_, one := x.follow("/v1.0/groups/delta?$select=members&$filter=id eq '" + x.group.ID + "'")
	if rows, _ := x.follow(one); len(rows) != 0 {
		t.Errorf("nothing happened: %v", rows)
	}
	x.activate(201)
	x.pass(time.Minute)
	x.must(x.RemoveTie(other.ID, "member", x.second.ID))
	x.pass(time.Second)
	rows, one = x.follow(one)
	if len(rows) != 1 || rows[0]["members@delta"].([]any)[0].(map[string]any)["@odata.type"] != "#microsoft.graph.user" {
		t.Fatalf("an activation: %v", rows)
	}
	if rows, _ := x.follow(all); len(rows) != 2 || rows[1]["members@delta"].([]any)[0].(map[string]any)["@removed"].(map[string]any)["reason"] != "deleted" {
		t.Errorf("of all groups: %v", rows)
	}
	x.Turn(func(d *Dials) { d.DeltaLag = time.Minute })
	x.pass(2*time.Hour + 2*time.Second) // it expired a minute ago; delta serves that time
	if rows, _ := x.follow(one); len(rows) != 1 {
		t.Errorf("the expiry, a minute late: %v", rows)
	}
	y := newTenant(t)
	y.Turn(func(d *Dials) { d.DeltaLag = time.Hour })
	y.activate(201)
	y.pass(2 * time.Hour)
	_, late := y.follow("/v1.0/groups/delta?$deltatoken=latest&$select=members")
	y.pass(30 * time.Minute)
	if rows, _ := y.follow(late); len(rows) != 0 {
		t.Errorf("the end came through too early: %v", rows)
	}
	y.pass(time.Hour)
	if rows, _ := y.follow(late); len(rows) != 1 {
		t.Errorf("the end never came through: %v", rows)
	}
}

func TestUsersDelta(t *testing.T) {
	x := newTenant(t)
	x.pass(time.Minute)
	x.Turn(func(d *Dials) { d.Page = 3 })
	rows, next := x.follow("/v1.0/users/delta?$select=accountEnabled")
	if len(rows) != 4 || rows[0]["accountEnabled"] != true || rows[0]["mail"] != nil {
		t.Errorf("all: %v", rows)
	}
	x.must(x.SetEnabled(x.second.ID, false))
	x.pass(time.Minute)
	if rows, _ := x.follow(next); len(rows) != 1 || rows[0]["id"] != x.second.ID || rows[0]["accountEnabled"] != false {
		t.Errorf("one was disabled: %v", rows)
	}
	for _, bad := range []string{"?$filter=displayName eq 'x'", "?$filter=id eq", "?$deltatoken=made-up"} {
		if r := x.call(x.asReader(), "GET", "/v1.0/users/delta"+bad, nil); r.status != 400 {
			t.Errorf("%s: %d", bad, r.status)
		}
	}
}
