package entra

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// over sends the requester's create over a real connection.
func (x *tenant) over(s *httptest.Server, ctx context.Context) (int, string, error) {
	b, _ := json.Marshal(x.request(selfActivate, "PT1H", "INC1"))
	r, err := http.NewRequestWithContext(ctx, "POST", s.URL+base+"assignmentScheduleRequests", strings.NewReader(string(b)))
	x.must(err)
	r.Header.Set("Authorization", "Bearer "+x.as(x.requester))
	res, err := s.Client().Do(r)
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
		for _, do := range []string{DoStatus, DoHang, DoReset, DoCut, DoHTML, DoEmpty} {
			x := newTenant(t)
			s := httptest.NewServer(x.Graph())
			x.Inject(Fault{Method: "POST", Path: "assignmentScheduleRequests", Do: do, Late: late, Times: 1})
			ctx, cancel := context.WithCancel(t.Context())
			if do == DoHang {
				time.AfterFunc(50*time.Millisecond, cancel)
			}
			status, body, err := x.over(s, ctx)
			cancel()
			broken := do == DoHang || do == DoReset || do == DoCut
			if broken != (err != nil) {
				t.Errorf("%s late %v: %d %q %v", do, late, status, body, err)
			}
			if do == DoHang && !errors.Is(err, context.Canceled) {
				t.Errorf("hang: %v", err)
			}
			s.Close()
			if did := len(x.requests) == 1; did != late {
				t.Errorf("%s late %v: acted %v", do, late, did)
			}
			h := x.Writes()
			if len(h) != 1 || h[0].Fault != do || late != (h[0].Status == 201) {
				t.Errorf("%s late %v: history %+v", do, late, h)
			}
		}
	}
}

func TestThrottling(t *testing.T) {
	x := newTenant(t)
	x.graph = x.Graph()
	path := base + "assignmentScheduleInstances?$filter=groupId eq '" + x.group.ID + "'"
	for _, after := range []string{"0", "1", "0.9", "3600", "Mon, 02 Mar 2026 09:01:00 GMT", ""} {
		disarm := x.Inject(Fault{Do: DoStatus, Status: 429, RetryAfter: after})
		r := x.call(x.asReader(), "GET", path, nil)
		if r.status != 429 || r.header.Get("Retry-After") != after || r.code() != "TooManyRequests" {
			t.Errorf("%q: %d %v %s", after, r.status, r.header, r.raw)
		}
		disarm()
		if r := x.call(x.asReader(), "GET", path, nil); r.status != 200 {
			t.Errorf("disarmed: %d", r.status)
		}
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
