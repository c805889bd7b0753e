package intune

import (
	"encoding/json"
	"errors"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"pagbot/sim/target"
)

// history is who was in which group since when, and until when.
type history map[string][2]time.Time

func (h history) Member(group, oid string, at time.Time) bool {
	s, ok := h[group+"/"+oid]
	return ok && !at.Before(s[0]) && (s[1].IsZero() || at.Before(s[1]))
}

func newWorld(t *testing.T, h history) *World {
	w, err := New(Config{Seed: 1, Directory: h, Verify: func(token string) (target.Caller, error) {
		if token == "" {
			return target.Caller{}, errors.New("none")
		}
		return target.Caller{OID: token, App: token == "app", Issued: time.Now()}, nil
	}, Assignments: []Assignment{
		{ID: "saw", Role: "r", RoleName: "Help desk", Groups: []string{"g1"}, Tags: []Tag{{"1", "SAW"}}},
		{ID: "default", Role: "r", RoleName: "Help desk", Groups: []string{"g2"}, Tags: []Tag{{"0", "Default"}}}},
		Policies: []Policy{{"p1", "SAW", []string{"1"}}, {"p2", "All", []string{"0"}}, {"p3", "Other", []string{"7"}}}})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func ask(t *testing.T, w *World, token, path string, into any) int {
	q := httptest.NewRequest("GET", path, nil)
	q.Header.Set("Authorization", "Bearer "+token)
	r := httptest.NewRecorder()
	w.Handler().ServeHTTP(r, q)
	if err := json.Unmarshal(r.Body.Bytes(), into); err != nil {
		t.Fatalf("%s: %v in %s", path, err, r.Body)
	}
	return r.Code
}

type details struct {
	Value struct {
		Assignments []string `json:"roleAssignmentIds"`
		Definitions []struct {
			Name string `json:"roleDefinitionDisplayName"`
		} `json:"roleDefinitions"`
	} `json:"value"`
}

type policies struct {
	Value []struct {
		ID string `json:"id"`
	} `json:"value"`
}

const (
	detailsPath  = "/beta/deviceManagement/getAssignedRoleDetails"
	policiesPath = "/v1.0/deviceManagement/deviceCompliancePolicies"
)

// Two assignments at once widen each other; each follows Entra in its own time.
func TestAssignmentsArriveAndWiden(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now().Add(time.Minute)
		w := newWorld(t, history{"g1/u": {start, start.Add(time.Hour)}, "g2/u": {start}})
		var d details
		var p policies
		if n := ask(t, w, "u", policiesPath, &p); n != 403 {
			t.Errorf("without any role: %d", n)
		}
		if n := ask(t, w, "u", detailsPath, &d); n != 200 || len(d.Value.Assignments) != 0 {
			t.Errorf("before: %d, %+v", n, d)
		}
		time.Sleep(17 * time.Minute)
		_ = ask(t, w, "u", detailsPath, &d)
		_ = ask(t, w, "u", policiesPath, &p)
		if len(d.Value.Assignments) != 2 || len(p.Value) != 2 {
			t.Errorf("both: %+v, %+v", d, p)
		}
		time.Sleep(time.Hour)
		_ = ask(t, w, "u", detailsPath, &d)
		_ = ask(t, w, "u", policiesPath, &p)
		if len(d.Value.Assignments) != 1 || d.Value.Assignments[0] != "default" || len(p.Value) != 1 || p.Value[0].ID != "p2" {
			t.Errorf("one left: %+v, %+v", d, p)
		}
		from, to, ever := w.Copy("saw").TrueEffect("u")
		if !ever || from.Sub(start) < time.Minute || from.Sub(start) > 15*time.Minute || to.Sub(start) < 61*time.Minute || to.Sub(start) > 75*time.Minute {
			t.Errorf("from %v to %v, %v after %v", from, to, from.Sub(start), start)
		}
	})
}

// An application is answered about itself, which is in no group: 200, and no error.
func TestAnApplicationHearsOfItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, history{"g1/u": {time.Now().Add(-time.Hour)}, "g1/app": {time.Now().Add(-time.Hour)}})
		var d details
		if n := ask(t, w, "app", detailsPath, &d); n != 200 || len(d.Value.Assignments) != 0 {
			t.Errorf("%d, %+v", n, d)
		}
		w.Turn(func(d *Dials) { d.NewShape = true })
		if _ = ask(t, w, "u", detailsPath, &d); len(d.Value.Assignments) != 0 || len(d.Value.Definitions) != 1 {
			t.Errorf("newer shape: %+v", d)
		}
	})
}
