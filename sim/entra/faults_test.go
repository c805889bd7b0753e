package entra

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pagbot/sim/pipe"
)

// over sends the requester's create over a connection.
func (x *tenant) over(ctx context.Context, c *http.Client) (int, string, error) {
	r, err := http.NewRequestWithContext(ctx, "POST", "http://graph.test"+base+"assignmentScheduleRequests", strings.NewReader(x.body(selfActivate, "PT1H")))
	x.must(err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+x.as(x.requester))
	res, err := c.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	return res.StatusCode, string(body), err
}

// An ambiguous answer: the caller can't know, the tenant does.
func TestAmbiguousWrites(t *testing.T) {
	for _, late := range []bool{false, true} {
		for _, do := range []string{DoStatus, DoHang, DoReset, DoCut, DoHTML, DoEmpty, DoSlow} {
			synctest.Test(t, func(t *testing.T) {
				ambiguous(t, Fault{Method: "POST", Path: "Requests", Do: do, Late: late, Times: 1, Delay: time.Minute})
			})
		}
	}
}

func ambiguous(t *testing.T, f Fault) {
	x := newTenantAt(t, time.Now)
	l := pipe.Listen()
	stop := pipe.Serve(l, x.Graph())
	defer stop()
	c := l.Client()
	defer c.CloseIdleConnections()
	x.Inject(f)
	start := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Second)
	defer cancel()
	status, body, err := x.over(ctx, c)
	broken := f.Do == DoHang || f.Do == DoReset || f.Do == DoCut
	if broken != (err != nil) || f.Do == DoHang && !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%+v: %d %q %v", f, status, body, err)
	}
	if took := map[string]time.Duration{DoHang: 100 * time.Second, DoSlow: time.Minute}[f.Do]; time.Since(start) != took {
		t.Errorf("%+v: took %v", f, time.Since(start))
	}
	acts := f.Late || f.Do == DoSlow
	if did := len(x.State()["requests"].([]obj)) == 1; did != acts {
		t.Errorf("%+v: acted %v", f, did)
	}
	h := x.Writes()
	if len(h) != 1 || h[0].Fault != f.Do || acts != (h[0].Status == 201) {
		t.Errorf("%+v: history %+v", f, h)
	}
}

func TestThrottling(t *testing.T) {
	x := newTenant(t)
	x.graph = x.Graph()
	path := base + "assignmentScheduleInstances?$filter=groupId eq '" + x.group.ID + "'"
	for _, after := range []string{"0", "1", "0.9", "3600", "", "Wed, 01 Apr 2026 09:00:00 GMT"} {
		disarm := x.Inject(Fault{Do: DoStatus, Status: 429, RetryAfter: after})
		r := x.call(x.asReader(), "GET", path, nil)
		if r.status != 429 || r.header.Get("Retry-After") != after || r.code() != "TooManyRequests" {
			t.Errorf("%q: %d %v %s", after, r.status, r.header, r.raw)
		}
		disarm()
		if r := x.call(x.asReader(), "GET", path, nil); r.status != 200 {
			t.Errorf("disarmed: %d", r.status)
		}
		h := x.History()
		if early := h[len(h)-1].Early; early != (after != "0" && after != "") {
			t.Errorf("%q: the next call is early: %v", after, early)
		}
		x.pass(24 * time.Hour)
	}
}

func TestFaultsStrikeWhomTheyMean(t *testing.T) {
	x := newTenant(t)
	x.graph = x.Graph()
	other := x.AddGroup(Group{Name: "other"})
	list := func(token, group string) int {
		return x.call(token, "GET", base+"assignmentScheduleInstances?$filter=groupId eq '"+group+"'", nil).status
	}
	x.Inject(Fault{Group: x.group.ID, User: x.owner.ID, Do: DoStatus, Skip: 1, Times: 1})
	want := []int{200, 200, 200, 503, 200}
	got := []int{list(x.as(x.owner), other.ID), list(x.asReader(), x.group.ID), list(x.as(x.owner), x.group.ID), list(x.as(x.owner), x.group.ID), list(x.as(x.owner), x.group.ID)}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("got %v, want %v", got, want)
		}
	}
	hit := func() (pattern string) {
		y := newTenant(t)
		y.graph = y.Graph()
		y.Inject(Fault{Do: DoStatus, P: 0.5})
		for range 40 {
			pattern += itoa(y.call(y.asReader(), "GET", "/v1.0/groups", nil).status / 100)
		}
		return pattern
	}
	a := hit()
	if a != hit() {
		t.Error("the same seed strikes differently")
	}
	if n := strings.Count(a, "5"); n < 10 || n > 30 {
		t.Errorf("half of 40 is not %d", n)
	}
}

func TestBrokenErrorBodies(t *testing.T) {
	x := newTenant(t)
	x.graph = x.Graph()
	for do, want := range map[string]string{DoBare: `{}`, DoString: `{"error":"boom"}`, DoNoMessage: `{"error":{"code":"BadRequest"}}`, DoEmpty: ``} {
		disarm := x.Inject(Fault{Do: do})
		if r := x.call(x.asReader(), "GET", "/v1.0/groups", nil); r.raw != want {
			t.Errorf("%s: %d %s", do, r.status, r.raw)
		}
		disarm()
	}
	x.Inject(Fault{Do: DoHTML})
	if r := x.call(x.asReader(), "GET", "/v1.0/groups", nil); r.status != 502 || r.header.Get("Content-Type") != "text/html" {
		t.Errorf("html: %d %v", r.status, r.header)
	}
}

func TestCAEChallenges(t *testing.T) {
	x := newTenant(t)
	for do, check := range map[string]func(string) bool{
		DoCAE:         func(h string) bool { return strings.Contains(h, `claims="`) && strings.HasSuffix(h, `="`) },
		DoCAEUnpadded: func(h string) bool { return strings.Contains(h, `claims="`) && !strings.HasSuffix(h, `="`) },
		DoCAEUnquoted: func(h string) bool { return !strings.Contains(h, `claims="`) },
	} {
		disarm := x.Inject(Fault{Do: do})
		r := x.call(x.asReader(), "GET", "/v1.0/groups", nil)
		h := r.header.Get("WWW-Authenticate")
		if r.status != 401 || !strings.HasPrefix(h, `Bearer realm=""`) || !strings.Contains(h, `error="insufficient_claims"`) || !check(h) {
			t.Errorf("%s: %d %s", do, r.status, h)
		}
		_, claims, _ := strings.Cut(h, "claims=")
		claims = strings.Trim(claims, `"`)
		if _, err := base64.StdEncoding.DecodeString(claims); (err == nil) != (do != DoCAEUnpadded) {
			t.Errorf("%s: %v", do, err)
		}
		disarm()
	}
}

func TestHistoryAndCounters(t *testing.T) {
	x := newTenant(t)
	x.activate(201)
	x.refused(asIs)
	x.call("", "POST", base+"assignmentScheduleRequests", x.request(selfActivate, "PT1H", "x"))
	x.call(x.asReader(), "POST", "/v1.0/users/"+x.requester.ID+"/checkMemberGroups", obj{"groupIds": []string{x.group.ID}})
	x.call(x.asReader(), "GET", "/v1.0/groups", nil, "Retry-Attempt", "2")
	h := x.History()
	if len(h) != 5 || h[4].Header["Retry-Attempt"] != "2" || h[0].OID != x.requester.ID || h[0].App != x.signin.ID || h[4].OID != "" {
		t.Fatalf("history: %+v", h)
	}
	w := x.Writes()
	if len(w) != 3 || w[0].Status != 201 || w[1].Code != "RoleAssignmentExists" || w[2].Status != 401 {
		t.Errorf("writes: %+v", w)
	}
	if n := x.Counters()[Creates{x.requester.ID, x.group.ID, selfActivate}]; n != 3 {
		t.Errorf("counted %d", n)
	}
	b, _ := json.Marshal(h)
	if strings.Contains(string(b), "Bearer") || strings.Contains(string(b), "eyJ") {
		t.Error("a token in the history")
	}
}

// What strikes one app of a tenant leaves the others alone, and is not used up
// by their calls; in a $batch, too.
func TestFaultsForOneApp(t *testing.T) {
	x := newTenant(t)
	x.Inject(Fault{App: x.reader.ID, Do: DoStatus, Status: 503, Times: 4})
	list, token := "/v1.0/groups", "/"+x.Tenant()+"/oauth2/v2.0/token"
	ask := func(a App, basic bool) int {
		form := url.Values{"grant_type": {"client_credentials"}, "client_id": {a.ID}, "client_secret": {a.Secret}, "scope": {"https://graph.microsoft.com/.default"}}
		if basic {
			form.Del("client_id")
			form.Del("client_secret")
		}
		r := httptest.NewRequest("POST", "https://login.test"+token, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if basic {
			r.SetBasicAuth(a.ID, a.Secret)
		}
		rec := httptest.NewRecorder()
		x.Authority().ServeHTTP(rec, r)
		return rec.Code
	}
	other := x.AddApp(App{Name: "other", Secret: "other-secret", Roles: []string{"Group.Read.All"}})
	if one, two := ask(other, false), ask(other, true); one != 200 || two != 200 {
		t.Errorf("it struck the other app at the authority: %d and %d", one, two)
	}
	if r := x.call(x.as(x.requester), "GET", list, nil); r.status == 503 {
		t.Error("it struck the other app at Graph")
	}
	if form, basic := ask(x.reader, false), ask(x.reader, true); form != 503 || basic != 503 {
		t.Errorf("at the authority it was let through: %d and %d", form, basic)
	}
	if r := x.call(x.asReader(), "GET", list, nil); r.status != 503 {
		t.Errorf("at Graph it was let through: %d", r.status)
	}
	if r := x.batch(obj{"id": "1", "method": "GET", "url": "/groups"}); r.status != 503 {
		t.Errorf("a batch: %d", r.status)
	}
	if r := x.call(x.asReader(), "GET", list, nil); r.status != 200 {
		t.Errorf("the fifth time: %d", r.status)
	}
	x.managed = x.Manage()
	if code, _ := x.manage("POST", "/faults", Fault{App: "none", Do: DoStatus}); code == 200 {
		t.Error("a fault for an app that is not there was taken")
	}
}
