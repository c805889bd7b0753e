package downstream_test

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pagbot/activation"
	"pagbot/downstream"
	"pagbot/downstream/probetest"
	"pagbot/sim/saas"
)

// posts is a system that is asked by POST.
func posts(roll *probetest.Roll) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		var in struct{ Who, Key string }
		if err := json.NewDecoder(q.Body).Decode(&in); err != nil || in.Key != bearer {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		may := any(roll.Member("", in.Who, time.Now()))
		if in.Who == probetest.Stranger.Object {
			may = nil
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"may": may})
	})
}

// asked is what a probe answers about somebody when the target says so.
func asked(t *testing.T, c downstream.HTTPConfig, p activation.Person, status int, body string) (a activation.Answer, seen *http.Request) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		front := &probetest.Front{Handler: http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			if !strings.HasSuffix(q.URL.Path, "/exists") {
				seen = q
			}
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		})}
		c.HTTP = front.Client()
		probe, err := downstream.NewHTTP(c)
		if err != nil {
			t.Fatal(err)
		}
		answers, _ := probe.Check(t.Context(), []activation.Person{p})
		a = answers[0]
	})
	return a, seen
}

func TestHTTPValues(t *testing.T) {
	c := downstream.HTTPConfig{URL: "https://api.example/{{.User.OID}}", Value: "/a~1b/0/state", Yes: []string{"on", "1", "true"}, No: []string{"off", "0", "false", "null"}}
	for body, want := range map[string]activation.Says{
		`"on"`: activation.Yes, `1`: activation.Yes, `true`: activation.Yes, `["x"]`: activation.Yes, `"off"`: activation.No, `0`: activation.No, `false`: activation.No,
		`null`: activation.No, `[]`: activation.No, `"On"`: activation.CantTell, `2`: activation.CantTell, `1.0`: activation.CantTell, `{}`: activation.CantTell, `["a","b"]`: activation.CantTell,
	} {
		if a, _ := asked(t, c, probetest.Requester, 200, `{"a/b":[{"state":`+body+`}]}`); a.Says != want {
			t.Errorf("%s: %+v", body, a)
		}
	}
	for _, body := range []string{`{"a/b":[]}`, `{"a/b":{"0":{"state":"on"}},"error":"x"}`, `{"a/b":[{"state":"on"}],"errors":[1]}`, `{"a/b":[{"state":"on"}]} trailing`, `[]`, `"on"`} {
		if a, _ := asked(t, c, probetest.Requester, 200, body); a.Says != activation.CantTell {
			t.Errorf("%s: %+v", body, a)
		}
	}
	if a, _ := asked(t, c, probetest.Requester, 200, `{"a/b":[{"state":"on"}],"error":null,"errors":[]}`); a.Says != activation.Yes {
		t.Errorf("no error is no error: %+v", a)
	}
}

func TestHTTPStatuses(t *testing.T) {
	c := downstream.HTTPConfig{URL: "https://api.example/members/{{.User.Local}}", Exists: "https://api.example/exists", YesStatus: 204, NoStatus: 404}
	if a, _ := asked(t, c, probetest.Requester, 204, ""); a.Says != activation.Yes || !strings.Contains(a.Evidence, "204") {
		t.Errorf("204: %+v", a)
	}
	// Everything is a 404, also what must exist.
	if a, _ := asked(t, c, probetest.Requester, 404, `{"message":"Not Found"}`); a.Says != activation.CantTell || !strings.Contains(a.Why, "exist") {
		t.Errorf("404: %+v", a)
	}
	for _, status := range []int{200, 201, 400, 401, 403, 500} {
		if a, _ := asked(t, c, probetest.Requester, status, `{}`); a.Says != activation.CantTell {
			t.Errorf("%d: %+v", status, a)
		}
	}
}

// What people are called can't change the question.
func TestHTTPEscapes(t *testing.T) {
	c := downstream.HTTPConfig{Method: "POST", PostReads: true, URL: "https://api.example/a/{{.User.UPN}}/b?q=x%20{{.User.UPN}}&t={{.User.Tenant}}", Body: `{"u":"{{.User.UPN}}"}`,
		Value: "/v", Yes: []string{"1"}, No: []string{"0"}}
	odd := activation.Person{Tenant: "t", Object: "o", Name: "ä/../?#&=%2e <b>+{{.}}@x.example"}
	a, q := asked(t, c, odd, 200, `{"v":1}`)
	if a.Says != activation.Yes || q.URL.Path != "/a/"+odd.Name+"/b" || q.URL.Query().Get("q") != "x "+odd.Name || q.URL.Query().Get("t") != "t" || len(q.URL.Query()) != 2 {
		t.Errorf("%+v %q %q", a, q.URL.Path, q.URL.RawQuery)
	}
	for _, name := range []string{"o'brien@x.example", `a"b@x`, `a\b@x`, "a`b@x", "a\r\nb@x", "..", ""} {
		if a, q := asked(t, c, activation.Person{Tenant: "t", Object: "o", Name: name}, 200, `{"v":1}`); a.Says != activation.CantTell || q != nil {
			t.Errorf("%q: asked, %+v", name, a)
		}
	}
}

func TestHTTPRefuses(t *testing.T) {
	good := downstream.HTTPConfig{URL: "https://api.example/{{.User.OID}}", Value: "/v", Yes: []string{"1"}, No: []string{"0"}}
	for words, spoil := range map[string]func(*downstream.HTTPConfig){
		"only reads":                     func(c *downstream.HTTPConfig) { c.Method = "DELETE" },
		"post_reads":                     func(c *downstream.HTTPConfig) { c.Method = "POST" },
		"no body":                        func(c *downstream.HTTPConfig) { c.Body = "{}" },
		"host is fixed":                  func(c *downstream.HTTPConfig) { c.URL = "https://{{.User.Local}}.example/" },
		"must be fixed":                  func(c *downstream.HTTPConfig) { c.URL = "https://api{{.User.Local}}.example/" },
		"https":                          func(c *downstream.HTTPConfig) { c.URL = "http://api.example/" },
		"as the person":                  func(c *downstream.HTTPConfig) { c.Level = activation.L3 },
		"mean yes":                       func(c *downstream.HTTPConfig) { c.Yes = nil },
		"can't say no":                   func(c *downstream.HTTPConfig) { c.No = nil },
		"yes and no":                     func(c *downstream.HTTPConfig) { c.No = []string{"1"} },
		"slash":                          func(c *downstream.HTTPConfig) { c.Value = "v" },
		"alone proves nothing":           func(c *downstream.HTTPConfig) { c.Value, c.Yes, c.No = "", nil, nil },
		"give an address in exists":      func(c *downstream.HTTPConfig) { c.NoStatus = 404 },
		"exists_value":                   func(c *downstream.HTTPConfig) { c.ExistsValue = "/id" },
		"status 403":                     func(c *downstream.HTTPConfig) { c.NoStatus = 403 },
		"status 203":                     func(c *downstream.HTTPConfig) { c.YesStatus = 203 },
		"never stands in the configurat": func(c *downstream.HTTPConfig) { c.Headers = map[string]string{"authorization": "Bearer abc"} },
		"there is no secret":             func(c *downstream.HTTPConfig) { c.Headers = map[string]string{"X": `{{secret "other"}}`} },
		"every proxy keeps":              func(c *downstream.HTTPConfig) { c.URL += `?key={{secret "s"}}` },
		"does not end":                   func(c *downstream.HTTPConfig) { c.URL += "{{" },
		"is no placeholder":              func(c *downstream.HTTPConfig) { c.URL += "{{.User.Password}}" },
		"no JSON":                        func(c *downstream.HTTPConfig) { c.Method, c.PostReads, c.Body = "POST", true, "{{.User.OID}}" },
		"keep their own credentials":     func(c *downstream.HTTPConfig) { c.URL, c.Inward = "https://169.254.169.254/", true },
		"inside a network":               func(c *downstream.HTTPConfig) { c.URL = "https://10.1.2.3/" },
		"this machine":                   func(c *downstream.HTTPConfig) { c.URL = "https://localhost/" },
	} {
		c := good
		c.Secrets = map[string]string{"s": "a secret"}
		spoil(&c)
		if _, err := downstream.NewHTTP(c); err == nil || !strings.Contains(err.Error(), words) || strings.Contains(err.Error(), "a secret\"") {
			t.Errorf("want %q: %v", words, err)
		}
	}
	for _, inward := range []string{"https://10.1.2.3/{{.User.OID}}", "http://localhost:1/{{.User.OID}}", "https://[fd12::1]/{{.User.OID}}"} {
		c := good
		c.URL, c.Inward = inward, true
		if _, err := downstream.NewHTTP(c); err != nil {
			t.Errorf("%s: %v", inward, err)
		}
	}
}

// A name may resolve to anywhere, any time; what is looked at is where the
// connection really leads.
func TestHTTPLooksWhereItConnects(t *testing.T) {
	calls := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		calls++
		_, _ = w.Write([]byte(`{"v":1}`))
	}))
	defer s.Close()
	for _, inward := range []bool{false, true} {
		rebound := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, s.Listener.Addr().String())
		}}
		defer rebound.CloseIdleConnections()
		p, err := downstream.NewHTTP(downstream.HTTPConfig{URL: "http://rebound.test/{{.User.OID}}", Value: "/v", Yes: []string{"1"}, No: []string{"0"}, Inward: inward, HTTP: &http.Client{Transport: rebound}})
		if err != nil {
			t.Fatal(err)
		}
		a, err := p.Check(t.Context(), []activation.Person{probetest.Requester})
		if want := map[bool]activation.Says{true: activation.Yes, false: activation.CantTell}[inward]; a[0].Says != want || (calls > 0) != inward {
			t.Errorf("inward %v: %+v, %v, %d calls", inward, a[0], err, calls)
		}
	}
}

func TestBasicCredentialsAreHidden(t *testing.T) {
	c := downstream.HTTPConfig{URL: "https://api.example/{{.User.OID}}", Headers: map[string]string{"Authorization": `{{basic "pagbot" "s"}}`}, Secrets: map[string]string{"s": "hush"},
		Value: "/v", Yes: []string{"1"}, No: []string{"0"}}
	synctest.Test(t, func(t *testing.T) {
		front := &probetest.Front{Handler: http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			if user, pass, _ := q.BasicAuth(); user != "pagbot" || pass != "hush" {
				t.Errorf("%q %q", user, pass)
			}
			w.WriteHeader(500)
			_, _ = w.Write([]byte(q.Header.Get("Authorization")))
		})}
		c.HTTP = front.Client()
		p, err := downstream.NewHTTP(c)
		if err != nil {
			t.Fatal(err)
		}
		_, err = p.Check(t.Context(), []activation.Person{probetest.Requester})
		if err == nil || strings.Contains(err.Error(), "cGFnYm90") {
			t.Errorf("%v", err)
		}
	})
}

// GitHub's pending is not effective. Who may not look sees zero rows in
// Salesforce, which is no no: what must exist is not shown either.
func TestHTTPLiesOfTheExamples(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, roll := saasWorld(t)
		front := &probetest.Front{Handler: w.Handler()}
		roll.Set(probetest.Requester.Object, true)
		settle()
		ask := func(c downstream.HTTPConfig) activation.Says {
			c.HTTP, c.Secrets = front.Client(), map[string]string{"token": bearer}
			p, err := downstream.NewHTTP(c)
			if err != nil {
				t.Fatal(err)
			}
			a, _ := p.Check(t.Context(), []activation.Person{probetest.Requester})
			return a[0].Says
		}
		w.Turn(func(d *saas.Dials) { d.Pending = true })
		if got := ask(gitHub); got != activation.No {
			t.Errorf("pending: %s", got)
		}
		w.Turn(func(d *saas.Dials) { d.NoPermission = true })
		if got := ask(salesforce); got != activation.CantTell {
			t.Errorf("zero rows: %s", got)
		}
	})
}

// TestTruthTraps: what only looks like an effect can't be configured as one.
func TestTruthTraps(t *testing.T) {
	post := func(url, body string) downstream.HTTPConfig {
		return downstream.HTTPConfig{Method: "POST", PostReads: true, URL: url, Body: body}
	}
	for _, x := range []struct {
		words string
		c     downstream.HTTPConfig
	}{
		{"configured and member", downstream.HTTPConfig{URL: "https://graph.microsoft.com/beta/roleManagement/directory/transitiveRoleAssignments?$filter=principalId eq '{{.User.OID}}'"}},
		{"configured and member", downstream.HTTPConfig{URL: "https://graph.microsoft.com/v1.0/groups/g/members/{{.User.OID}}"}},
		{"configured and member", downstream.HTTPConfig{URL: "https://management.azure.com/subscriptions/s/providers/Microsoft.Authorization/roleAssignments?$filter=assignedTo('{{.User.OID}}')"}},
		{"gets back what it said", post("https://aks.example/apis/authorization.k8s.io/v1/subjectaccessreviews", `{"spec":{"user":"{{.User.UPN}}"}}`)},
		{"gets back what it said", post("https://management.azure.com/x/providers/Microsoft.Authorization/checkaccess", `{"Subject":{"Attributes":{"ObjectId":"{{.User.OID}}","Groups":["g"]}}}`)},
		{"about whoever asks", post("https://aks.example/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", `{"spec":{"x":"{{.User.OID}}"}}`)},
		{"about whoever asks", post("https://dev.azure.com/o/_apis/security/permissionevaluationbatch", `{"x":"{{.User.OID}}"}`)},
		{"about whoever asks", downstream.HTTPConfig{URL: "https://dev.azure.com/o/_apis/permissions/ns/2?u={{.User.OID}}"}},
		{"about whoever asks", downstream.HTTPConfig{URL: "https://app.example/api/me"}},
		{"same for everybody", downstream.HTTPConfig{URL: "https://app.example/api/admins"}},
		{"same for everybody", post("https://app.example/api/may", `{"tenant":"{{.User.Tenant}}"}`)},
	} {
		x.c.Value, x.c.Yes, x.c.No = "/v", []string{"1"}, []string{"0"}
		if _, err := downstream.NewHTTP(x.c); err == nil || !strings.Contains(err.Error(), x.words) {
			t.Errorf("%s: %v, want %q", x.c.URL, err, x.words)
		}
	}
	// The policy engine that finds the groups itself is no trap.
	good := post("https://westus2.authorization.azure.net/x/checkaccess", `{"Subject":{"Attributes":{"ObjectId":"{{.User.OID}}"}}}`)
	good.Value, good.Yes, good.No = "/value/0/accessDecision", []string{"Allowed"}, []string{"NotAllowed"}
	if _, err := downstream.NewHTTP(good); err != nil {
		t.Error(err)
	}
}
