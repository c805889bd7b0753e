package defender

import (
	"encoding/json"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"pagbot/sim/target"
)

// between is one person's only stay in a group.
type between struct{ from, to time.Time }

func (b between) Member(_, oid string, at time.Time) bool {
	return oid == "u" && !at.Before(b.from) && at.Before(b.to)
}

func visible(t *testing.T, w *World, token string) (status int, groups []string) {
	q := httptest.NewRequest("GET", "/api/machines?$top=1000", nil)
	q.Header.Set("Authorization", "Bearer "+token)
	r := httptest.NewRecorder()
	w.Handler().ServeHTTP(r, q)
	var page struct {
		Value []struct {
			Group string `json:"rbacGroupName"`
		} `json:"value"`
	}
	if err := json.Unmarshal(r.Body.Bytes(), &page); err != nil {
		t.Fatal(err)
	}
	for _, m := range page.Value {
		groups = append(groups, m.Group)
	}
	return r.Code, groups
}

// What a token was issued with lasts as long as it does; a new one shows the
// truth.
func TestATokenKeepsItsRoles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now().Add(time.Minute)
		var old time.Time
		w, err := New(Config{Seed: 1, Directory: between{start, start.Add(time.Hour)}, Verify: func(token string) (target.Caller, error) {
			c := target.Caller{OID: "u", App: token == "app", Issued: time.Now()}
			if token == "old" {
				c.Issued = old
			}
			return c, nil
		}, Roles: []Role{{ID: "r", Groups: []string{"g"}, DeviceGroups: []string{"Servers"}}},
			Devices: []Device{{"m1", "srv", "Servers"}, {"m2", "pc", "Clients"}}})
		if err != nil {
			t.Fatal(err)
		}
		if n, _ := visible(t, w, "new"); n != 403 {
			t.Errorf("before: %d", n)
		}
		if n, all := visible(t, w, "app"); n != 200 || len(all) != 2 {
			t.Errorf("an application sees %d, %v", n, all)
		}
		time.Sleep(time.Hour)
		old = time.Now()
		if n, all := visible(t, w, "new"); n != 200 || len(all) != 1 || all[0] != "Servers" {
			t.Errorf("with the role: %d, %v", n, all)
		}
		time.Sleep(20 * time.Minute)
		if n, _ := visible(t, w, "new"); n != 403 {
			t.Errorf("after, with a new token: %d", n)
		}
		if n, _ := visible(t, w, "old"); n != 200 {
			t.Errorf("after, with the old token: %d", n)
		}
		time.Sleep(time.Hour)
		if n, _ := visible(t, w, "old"); n != 403 {
			t.Errorf("the old token lasts: %d", n)
		}
	})
}
