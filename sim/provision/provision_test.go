package provision

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"pagbot/sim/target"
)

// world is one application behind Graph, in which people become members by hand.
type world struct {
	*World
	t  *testing.T
	at time.Time
	in map[string]time.Time // since when, by GROUP/PERSON
	c  *target.Copy
	j  *target.Job

	kind string // of bodies
}

const jobs = "/v1.0/servicePrincipals/sp/synchronization/jobs"

func newWorld(t *testing.T) *world {
	x := &world{t: t, at: time.Date(2026, 3, 2, 9, 1, 0, 0, time.UTC), kind: "application/json", in: map[string]time.Time{}}
	now := func() time.Time { return x.at }
	f := target.New(target.Config{Seed: 1, Now: now})
	follow := target.Provisioning()
	follow.Push.Off = true
	f.Do(func() {
		x.c = f.Copy(func() target.Follow { return follow }, func(key string, at time.Time) bool {
			since, ok := x.in[key]
			return ok && !at.Before(since)
		}, "g/a", "g/b")
		x.j = x.c.Provision()
	})
	var err error
	x.World, err = New(Config{Seed: 1, Now: now, Tenant: "t-1", Apps: []App{{Principal: "sp", Name: "AWS", JobID: "job", Rule: "rule#V2", Owners: []string{"owner"}, Job: x.j}, {Principal: "none", Jobless: true}},
		Verify: func(token string) (target.Caller, error) {
			oid, scopes, _ := strings.Cut(token, ":")
			return target.Caller{OID: oid, App: true, Scopes: strings.Fields(scopes)}, nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// call asks as somebody: OID:SCOPES.
func (x *world) call(as, method, path, body string) (int, map[string]any, http.Header) {
	x.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+as)
	r.Header.Set("Content-Type", x.kind)
	rw := httptest.NewRecorder()
	x.Handler().ServeHTTP(rw, r)
	var got map[string]any
	if err := json.Unmarshal(rw.Body.Bytes(), &got); err != nil {
		x.t.Fatalf("%s %s: %d %s", method, path, rw.Code, rw.Body)
	}
	return rw.Code, got, rw.Header()
}

// demands asks for members of g, and returns the status and what is said.
func (x *world) demands(as, rule string, members ...string) (int, string) {
	x.t.Helper()
	links := []obj{}
	for _, m := range members {
		kind := "User"
		if strings.HasPrefix(m, "group") {
			kind = "Group"
		}
		links = append(links, obj{"objectId": m, "objectTypeName": kind})
	}
	body, _ := json.Marshal(obj{"parameters": []obj{{"ruleId": rule, "subjects": []obj{{"objectId": "g", "objectTypeName": "Group", "links": obj{"members": links}}}}}})
	status, got, _ := x.call(as, "POST", jobs+"/job/provisionOnDemand", string(body))
	key, _ := got["key"].(string)
	return status, key
}

const writer = "bot:" + writeAll

// Whose an application is: its owner's, with the small permission; else the
// large ones are needed, and reading is not writing.
func TestPermissions(t *testing.T) {
	x := newWorld(t)
	for as, want := range map[string][2]int{"owner:" + ownedBy: {200, 200}, "other:" + ownedBy: {403, 403}, "bot:" + readAll: {200, 403}, writer: {200, 200}, "bot:User.Read.All": {403, 403}} {
		read, _, _ := x.call(as, "GET", jobs, "")
		write, _ := x.demands(as, "rule#V2", "a")
		if got := [2]int{read, write}; got != want {
			t.Errorf("%s: %v, want %v", as, got, want)
		}
	}
	if n, _, _ := x.call(writer, "GET", strings.Replace(jobs, "sp/", "gone/", 1), ""); n != 404 {
		t.Errorf("an application that is not there: %d", n)
	}
	if n, got, _ := x.call(writer, "GET", strings.Replace(jobs, "sp/", "none/", 1), ""); n != 200 || len(got["value"].([]any)) != 0 {
		t.Errorf("without provisioning: %d %v", n, got)
	}
}

// A demand's limits, and its answers: JSON inside of a string.
func TestDemandAnswers(t *testing.T) {
	x := newWorld(t)
	x.Turn(func(d *Dials) { d.Demands = 100 })
	x.in["g/a"] = x.at.Add(time.Second)
	x.at = x.at.Add(time.Minute)
	for _, c := range []struct {
		rule    string
		members []string
		status  int
		says    string
	}{
		{"rule#V2", []string{"a"}, 200, `"result":"Success"`},
		{"rule#V2", []string{"a"}, 200, `"errorCode":"RedundantExport"`},
		{"rule#V2", []string{"b"}, 200, `"errorCode":"NotEffectivelyEntitled"`},
		{"rule#V2", []string{"a", "b", "c", "d", "e", "f"}, 400, ""},
		{"rule#V2", []string{"group1"}, 200, `"result":"Failure"`},
		{"another", []string{"a"}, 400, ""},
	} {
		if status, key := x.demands(writer, c.rule, c.members...); status != c.status || !strings.Contains(key, c.says) {
			t.Errorf("%s %v: %d %s", c.rule, c.members, status, key)
		}
	}
	x.kind = "text/plain"
	if n, _ := x.demands(writer, "rule#V2", "a"); n != 400 {
		t.Errorf("a body that does not say that it is JSON: %d", n)
	}
	x.kind = "application/json"
	if !x.c.Knows("g/a", x.at) {
		t.Error("it was not written")
	}
	x.Change("sp", func(a *App) { a.OAuth = true })
	if n, _ := x.demands(writer, "rule#V2", "a"); n != 400 {
		t.Errorf("a running OAuth connector: %d", n)
	}
	x.Change("sp", func(a *App) { a.Stopped = true })
	if n, _ := x.demands(writer, "rule#V2", "a"); n != 200 {
		t.Errorf("a stopped one: %d", n)
	}
}

// Five demands in ten seconds, no more. Whether a refusal says for how long is
// not settled.
func TestDemandRate(t *testing.T) {
	x := newWorld(t)
	for i := range 7 {
		x.Turn(func(d *Dials) { d.NoRetryAfter = i == 6 })
		n, _, h := x.call(writer, "POST", jobs+"/job/provisionOnDemand", `{"parameters":[]}`)
		if (n == 429) != (i >= 5) || (h.Get("Retry-After") != "") != (i == 5) {
			t.Errorf("call %d: %d, Retry-After %q", i+1, n, h.Get("Retry-After"))
		}
	}
	x.Turn(func(d *Dials) { d.DemandWindow = time.Minute })
	x.at = x.at.Add(10 * time.Second)
	if n, _ := x.demands(writer, "rule#V2", "a"); n != 429 {
		t.Errorf("in a longer window: %d", n)
	}
	x.Turn(func(d *Dials) { d.DemandWindow, d.Demands = 10*time.Second, 1 })
	for i, want := range []int{200, 429} {
		if n, _ := x.demands(writer, "rule#V2", "a"); n != want {
			t.Errorf("ten seconds later, call %d: %d", i+1, n)
		}
	}
}

// A job says how it stands: active, in quarantine and why, paused; its schema
// names the rule.
func TestJobSaysHowItStands(t *testing.T) {
	x := newWorld(t)
	status := func() (code string, quarantine map[string]any) {
		t.Helper()
		n, got, _ := x.call("bot:"+readAll, "GET", jobs+"/job", "")
		if n != 200 {
			t.Fatal(n, got)
		}
		s := got["status"].(map[string]any)
		quarantine, _ = s["quarantine"].(map[string]any)
		return s["code"].(string), quarantine
	}
	if code, q := status(); code != "Active" || q != nil {
		t.Errorf("at first: %s %v", code, q)
	}
	x.j.Turn(func(d *target.JobDials) { d.Refuses, d.Quarantine = true, 1 })
	x.at = x.c.NextTick()
	if code, q := status(); code != "Quarantine" || q["currentBegan"] != x.at.Format(time.RFC3339) || q["error"].(map[string]any)["code"] == "" {
		t.Errorf("refused: %s %v", code, q)
	}
	x.Change("sp", func(a *App) { a.Stopped = true })
	if code, _ := status(); code != "Paused" {
		t.Errorf("stopped: %s", code)
	}
	_, got, _ := x.call("bot:"+readAll, "GET", jobs+"/job/schema", "")
	if rules := fmt.Sprint(got["synchronizationRules"]); !strings.Contains(rules, "rule#V2") || !strings.Contains(rules, "Group") {
		t.Errorf("the schema: %v", got)
	}
}

// The log has a row for what was written and for what could not be, minutes
// late, filtered with case, in pages.
func TestProvisioningLog(t *testing.T) {
	x := newWorld(t)
	x.in["g/a"] = x.at.Add(time.Second)
	x.j.Turn(func(d *target.JobDials) { d.Refuses, d.LogLag = true, 2*time.Minute })
	x.at = x.c.NextTick()
	x.j.Turn(func(d *target.JobDials) { d.Refuses = false })
	x.at = x.c.NextTick()
	rows := func(filter, more string) []any {
		t.Helper()
		n, got, _ := x.call("bot:"+auditAll, "GET", "/v1.0/auditLogs/provisioning?$filter="+url.QueryEscape(filter)+more, "")
		if n != 200 {
			t.Fatal(n, got)
		}
		if _, next := got["@odata.nextLink"]; next != (more == "&$top=1") {
			t.Errorf("%s %s: a next page: %v", filter, more, next)
		}
		return got["value"].([]any)
	}
	if all := rows("", ""); len(all) != 1 {
		t.Errorf("at once: %v", all)
	}
	x.at = x.at.Add(2 * time.Minute)
	for filter, want := range map[string]int{"": 2, "jobId eq 'job'": 2, "jobId eq 'JOB'": 0, "provisioningStatusInfo/status eq 'failure'": 1, "sourceIdentity/id eq 'g' and provisioningStatusInfo/status eq 'success'": 1,
		"contains(servicePrincipal/displayName,'AW')": 2, "activityDateTime gt " + x.at.Add(-5*time.Minute).Format(time.RFC3339): 1, "activityDateTime lt 2026-01-01T00:00:00Z": 0} {
		if got := rows(filter, ""); len(got) != want {
			t.Errorf("%s: %d rows, want %d", filter, len(got), want)
		}
	}
	first := rows("", "&$top=1")[0].(map[string]any)
	if rest := rows("", "&$skiptoken=1"); len(rest) != 1 || first["provisioningStatusInfo"].(map[string]any)["status"] != "success" {
		t.Errorf("the newest is %v, then %v", first, rest)
	}
	for as, path := range map[string]string{writer: "", "bot:" + auditAll: "?$filter=jobId+ne+'x'",
		"b:" + auditAll: "?$filter=foo+eq+'x'", "c:" + auditAll: "?$skiptoken=x", "d:" + auditAll: "?$top=x", "e:" + auditAll: "?$orderby=foo", "f:" + auditAll: "?$filter=sourceIdentity/foo+eq+'x'"} {
		if n, _, _ := x.call(as, "GET", "/v1.0/auditLogs/provisioning"+path, ""); n != map[bool]int{true: 403, false: 400}[path == ""] {
			t.Errorf("%s %s: %d", as, path, n)
		}
	}
}
