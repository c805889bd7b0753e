package devops

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"pagbot/sim/pipe"
	"pagbot/sim/target"
)

// shared finds a file of the shared data beside the repository, or "".
func shared(name string) string {
	dir, _ := os.Getwd()
	for ; dir != "/"; dir = filepath.Dir(dir) {
		if p := filepath.Join(dir, "shared", "data", name); exists(p) {
			return p
		}
	}
	return ""
}

func exists(p string) bool { _, err := os.Stat(p); return err == nil }

var descriptions = map[string]*openapi3.T{}

func description(t *testing.T, name string) *openapi3.T {
	if d := descriptions[name]; d != nil {
		return d
	}
	file := shared(name)
	if file == "" {
		return nil
	}
	d, err := openapi3.NewLoader().LoadFromFile(file)
	if err != nil {
		t.Fatal(err)
	}
	// On the wire a descriptor is a string.
	if s := d.Components.Schemas["IdentityDescriptor"]; s != nil {
		*s.Value = *openapi3.NewStringSchema()
	}
	descriptions[name] = d
	return d
}

// described holds an answer against Microsoft's description, as far as there
// is one. Lists come in an envelope of count and value, which it leaves out.
func described(t *testing.T, r *http.Request, rec *httptest.ResponseRecorder) {
	t.Helper()
	if rec.Code != 200 || !strings.HasPrefix(rec.Header().Get("Content-Type"), "application/json") {
		return
	}
	file, schema := "azure-devops-security.openapi.json", ""
	for part, name := range map[string]string{"/accesscontrollists/": "AccessControlList", "/securitynamespaces/": "SecurityNamespaceDescription",
		"permissionevaluationbatch": "PermissionEvaluationBatch", "/identities": "IdentityBase"} {
		if strings.Contains(r.URL.Path, part) && !strings.Contains(r.URL.Path, "membersof") {
			schema = name
		}
	}
	if schema == "IdentityBase" {
		file = "azure-devops-identities.openapi.json"
	}
	d := description(t, file)
	if d == nil || schema == "" {
		return
	}
	var v any
	if err := json.NewDecoder(bytes.NewReader(rec.Body.Bytes())).Decode(&v); err != nil {
		t.Fatal(err)
	}
	rows := []any{v}
	if schema != "PermissionEvaluationBatch" {
		rows = v.(map[string]any)["value"].([]any)
	}
	for _, row := range rows {
		known := d.Components.Schemas[schema].Value
		if err := known.VisitJSON(row); err != nil {
			t.Errorf("%s against the description: %v", r.URL.Path, err)
		}
		for k := range row.(map[string]any) {
			if known.Properties[k] == nil {
				t.Errorf("%s: %s is in no description", r.URL.Path, k)
			}
		}
	}
}

func TestDescriptionsAreThere(t *testing.T) {
	for _, name := range []string{"azure-devops-identities.openapi.json", "azure-devops-security.openapi.json"} {
		if description(t, name) == nil {
			t.Skipf("no shared/data/%s beside the repository: answers are not held against Microsoft's description", name)
		}
	}
}

func TestIdentities(t *testing.T) {
	x := newWorld(t, nil)
	me := x.requester()
	if me.Descriptor != `Microsoft.IdentityModel.Claims.ClaimsIdentity;`+tenantID+`\`+upn || !strings.HasPrefix(me.SubjectDescriptor, "aad.") ||
		me.Properties[oidProperty]["$value"] != alice {
		t.Errorf("%+v", me)
	}
	for _, q := range [][]string{{"descriptors", me.Descriptor}, {"identityIds", me.ID}, {"subjectDescriptors", me.SubjectDescriptor},
		{"searchFilter", "MailAddress", "filterValue", strings.ToUpper(upn)}, {"searchFilter", "DisplayName", "filterValue", "Requester"}} {
		if all := x.identities(q...); len(all) != 1 || all[0].ID != me.ID {
			t.Errorf("%v: %v", q, all)
		}
	}
	if all := x.identities("searchFilter", "LocalGroupName", "filterValue", upn); len(all) != 0 {
		t.Errorf("a person among the groups: %v", all)
	}
	x.join(time.Second, 0)
	x.pass(time.Hour)
	direct := x.identities("searchFilter", "General", "filterValue", upn, "queryMembership", "direct")
	if len(direct[0].MemberOf) != 0 {
		t.Error("direct membership sees through the Entra group")
	}
}

func TestWhoMayCall(t *testing.T) {
	x := newWorld(t, func(o *Org) { o.Users[1].Standing = false })
	path := vssps + "identities?searchFilter=General&filterValue=" + upn
	for _, c := range []struct {
		as, path string
		want     int
	}{
		{"", path + "&" + version, 401}, {"66666666-6666-4666-8666-666666666666", path + "&" + version, 401}, {bob, path + "&" + version, 401},
		{reader, path, 400}, {reader, strings.Replace(path, "contoso", "fabrikam", 1) + "&" + version, 404},
		{reader, strings.Replace(path, "vssps.", "", 1) + "&" + version, 404}, // the wrong host
		{reader, strings.Replace(path, "vssps.dev.azure.com", "127.0.0.1", 1) + "&" + version, 200},
		{reader, path + "&" + version + "&queryMembership=all", 400}, {alice, path + "&" + version, 200},
		{reader, dev + "accesscontrollists/00000000-0000-0000-0000-000000000000?" + version, 404}, {reader, dev + "nothing?" + version, 404},
	} {
		if rec := x.call(c.as, "GET", c.path, ""); rec.Code != c.want {
			t.Errorf("%s as %q: %d %s", c.path, c.as, rec.Code, rec.Body)
		}
	}
	// Trap: the caller's own permissions describe the application that asks.
	x.join(time.Second, 0)
	x.pass(time.Hour)
	if !x.own(alice) || x.own(reader) {
		t.Error("the evaluation is about the caller")
	}
	rec := x.call(alice, "GET", dev+"permissions/"+Collection+"/2?tokens=NAMESPACE:&"+version, "")
	if rec.Body.String() != `{"count":1,"value":[true]}` {
		t.Errorf("permissions: %s", rec.Body)
	}
	for _, r := range x.History() {
		if strings.Contains(r.Query+r.Path, "for:") {
			t.Error("a token in the history")
		}
	}
}

func TestAccessControlLists(t *testing.T) {
	x := newWorld(t, nil)
	all := x.call(reader, "GET", dev+"accesscontrollists/"+Collection+"?"+version, "").Body.String()
	if !strings.Contains(all, `"allow":31`) || strings.Contains(all, "extendedInfo") || strings.Contains(all, "ClaimsIdentity") {
		t.Errorf("unfiltered: %s", all)
	}
	if none := x.call(reader, "GET", dev+"accesscontrollists/"+Collection+"?token=OTHER:&"+version, "").Body.String(); none != `{"count":0,"value":[]}` {
		t.Errorf("another token: %s", none)
	}
	if x.allowed() != 0 {
		t.Error("no zero bits")
	}
	x.Turn(func(d *Dials) { d.NoEntry = true })
	if x.allowed() != -1 {
		t.Error("the dial leaves the entry out")
	}
	bits := x.call(reader, "GET", dev+"securitynamespaces/"+Collection+"?"+version, "").Body.String()
	if !strings.Contains(bits, `"bit":2,"displayName":"GENERIC_WRITE"`) {
		t.Errorf("namespace: %s", bits)
	}
}

func TestAbsentMembers(t *testing.T) {
	x := newWorld(t, nil)
	me, pca := x.requester().ID, x.o.pca
	ask := func() *httptest.ResponseRecorder {
		return x.call(reader, "GET", vssps+"identities/"+me+"/membersof/"+pca+"?queryMembership=expanded&api-version=7.1-preview.2", "")
	}
	if rec := ask(); rec.Code != 404 {
		t.Errorf("%d", rec.Code)
	}
	x.Turn(func(d *Dials) { d.AbsentEmpty = true })
	if rec := ask(); rec.Code != 200 || rec.Body.Len() != 0 {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
}

func TestReplicasDisagree(t *testing.T) {
	x := newWorld(t, nil)
	x.Turn(func(d *Dials) { d.Replicas, d.Skew = 2, 10*time.Minute })
	x.join(time.Second, 0)
	count := func() (yes int) {
		for range 40 {
			if x.allowed() == 31 {
				yes++
			}
		}
		return yes
	}
	x.pass(25 * time.Minute)
	if n := count(); n < 8 || n > 32 {
		t.Errorf("between the copies: %d of 40 say yes", n)
	}
	x.pass(5 * time.Minute)
	if n := count(); n != 40 {
		t.Errorf("after both: %d of 40", n)
	}
}

func TestThrottle(t *testing.T) {
	x := newWorld(t, nil)
	x.Turn(func(d *Dials) { *d = Usual() })
	path := vssps + "identities?searchFilter=General&filterValue=x&" + version
	for i := range 31 {
		rec := x.call(reader, "GET", path, "")
		if want := map[bool]int{true: 200, false: 429}[i < 30]; rec.Code != want || want == 429 && rec.Header().Get("Retry-After") != "5" {
			t.Fatalf("call %d: %d %v", i+1, rec.Code, rec.Header())
		}
	}
	if rec := x.call(alice, "GET", path, ""); rec.Code != 200 {
		t.Error("another caller pays for it")
	}
	x.pass(10 * time.Second)
	if rec := x.call(reader, "GET", path, ""); rec.Code != 200 {
		t.Errorf("ten seconds later: %d", rec.Code)
	}
}

func TestFaults(t *testing.T) {
	x := newWorld(t, nil)
	path := vssps + "identities?searchFilter=General&filterValue=x&" + version
	for _, f := range []Fault{{Do: target.DoHTML}, {Do: target.DoHTML, Status: 500}, {Do: target.DoStatus}, {Do: target.DoStatus, Status: 429, RetryAfter: "3600"}} {
		f.Times, f.Path = 1, "identities"
		x.Inject(f)
		rec := x.call(reader, "GET", path, "")
		want := f.Status
		if want == 0 {
			want = map[string]int{target.DoHTML: 200, target.DoStatus: 503}[f.Do]
		}
		html := strings.HasPrefix(rec.Header().Get("Content-Type"), "text/html")
		if rec.Code != want || html != (f.Do == target.DoHTML) || rec.Header().Get("Retry-After") != f.RetryAfter {
			t.Errorf("%+v: %d %v", f, rec.Code, rec.Header())
		}
		if rec := x.call(reader, "GET", path, ""); rec.Code != 200 {
			t.Errorf("%+v struck twice", f)
		}
	}
}

func TestFaultsOfTheWire(t *testing.T) {
	for do, want := range map[string]time.Duration{target.DoHang: time.Minute, target.DoReset: 0, target.DoSlow: 10 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			x := newWorld(t, nil)
			l := pipe.Listen()
			defer pipe.Serve(l, x.Handler())()
			c := l.Client()
			defer c.CloseIdleConnections()
			x.Inject(Fault{Do: do, Delay: 10 * time.Second})
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			r, _ := http.NewRequestWithContext(ctx, "GET", "http://dev.test/contoso/_apis/identities", nil)
			start := time.Now()
			res, err := c.Do(r)
			if err == nil {
				_ = res.Body.Close()
			}
			if (err == nil) != (do == target.DoSlow) || time.Since(start) != want {
				t.Errorf("%s: %v after %v", do, err, time.Since(start))
			}
		})
	}
}

func TestManagement(t *testing.T) {
	x := newWorld(t, nil)
	m := x.Manage()
	ask := func(method, path, body string) (int, string) {
		rec := httptest.NewRecorder()
		m.ServeHTTP(rec, httptest.NewRequest(method, path, strings.NewReader(body)))
		return rec.Code, rec.Body.String()
	}
	x.join(time.Second, 0)
	x.pass(20 * time.Minute)
	if code, out := ask("GET", "/oracle/contoso/"+alice, ""); code != 200 || !strings.Contains(out, `"knows":true`) || !strings.Contains(out, `"from":"2026-03-02T09:20:00Z"`) {
		t.Errorf("%d %s", code, out)
	}
	for _, c := range [][3]string{{"POST", "/signin/contoso/" + bob, ""}, {"PUT", "/dials", `{"NoEntry":true}`}, {"POST", "/faults", `{"do":"html"}`},
		{"DELETE", "/faults/1", ""}, {"GET", "/history", ""}} {
		if code, out := ask(c[0], c[1], c[2]); code != 200 {
			t.Errorf("%v: %d %s", c, code, out)
		}
	}
	for _, c := range [][3]string{{"POST", "/signin/contoso/" + reader, ""}, {"PUT", "/dials", `{"Colour":1}`}, {"GET", "/oracle/fabrikam/x", ""}, {"DELETE", "/faults/9", ""}} {
		if code, out := ask(c[0], c[1], c[2]); code < 400 {
			t.Errorf("%v: %d %s", c, code, out)
		}
	}
	if x.allowed() != 31 {
		t.Error("the fault stayed armed, or the tick was missed")
	}
}
