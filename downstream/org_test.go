package downstream

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"pagbot/activation"
)

// direct carries requests to a handler without any network, so that a whole
// conversation runs in virtual time.
type direct struct{ http.Handler }

func (d direct) RoundTrip(q *http.Request) (*http.Response, error) {
	done := make(chan *http.Response, 1)
	go func() {
		w := httptest.NewRecorder()
		d.ServeHTTP(w, q)
		a := w.Result()
		a.Request = q
		done <- a
	}()
	select {
	case a := <-done:
		return a, nil
	case <-q.Context().Done():
		return nil, q.Context().Err()
	}
}

const (
	pca        = `Microsoft.TeamFoundation.Identity;S-1-9-1551374245-1-0-0-0-0-1`
	validUsers = `Microsoft.TeamFoundation.Identity;S-1-9-1551374245-1-0-0-0-0-3`
	pcaID      = "11111111-aaaa-4aaa-8aaa-000000000001"
	tenantID   = "aaaaaaaa-0000-4000-8000-00000000000a"
)

var (
	requester = activation.Person{Tenant: tenantID, Object: "bbbbbbbb-0000-4000-8000-000000000001", Name: "requester@contoso.example"}
	colleague = activation.Person{Tenant: tenantID, Object: "bbbbbbbb-0000-4000-8000-000000000002", Name: "colleague@contoso.example"}
)

// member is what an organization holds of one person.
type member struct {
	person activation.Person
	has    func(now time.Time) bool // what the copy says that answers
	hidden func(now time.Time) bool // no entry in access control lists just now
	own    int                      // bits that are granted to the person directly
	deny   int
}

// org is a small Azure DevOps organization, wire shapes as the book gives them.
type org struct {
	mu      sync.Mutex
	members []*member
	absent  bool   // no entry in access control lists
	noGroup bool   // the group is gone
	gone404 bool   // membersof answers 404 instead of nothing
	fault   string // what goes wrong in every answer
	history []*http.Request
}

// newDevOps asks the small organization, without any network.
func newDevOps(t *testing.T, o *org) *DevOps {
	t.Helper()
	d, err := NewDevOps(DevOpsConfig{Org: "contoso", HTTP: &http.Client{Transport: direct{o}},
		Token: func(context.Context) (string, error) { return "app", nil }})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (o *org) join(p activation.Person, has func(time.Time) bool) *member {
	m := &member{person: p, has: has}
	o.members = append(o.members, m)
	return m
}

func (o *org) calls(part string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := 0
	for _, q := range o.history {
		if strings.Contains(q.URL.Path, part) {
			n++
		}
	}
	return n
}

func descriptorOf(p activation.Person) string {
	return `Microsoft.IdentityModel.Claims.ClaimsIdentity;` + p.Tenant + `\` + p.Name
}

// devopsFaults are what breaks plays.
var devopsFaults = []string{"hang", "html", "203", "error inside", "401", "403", "429", "503", "empty", "malformed", "half", "route", "redirect"}

// breaks plays a fault; false: there is none.
func (o *org) breaks(w http.ResponseWriter, q *http.Request) bool {
	o.mu.Lock()
	o.history = append(o.history, q)
	fault := o.fault
	o.mu.Unlock()
	put := func(status int, kind, body string) {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
	switch fault {
	case "":
		return false
	case "hang":
		<-q.Context().Done()
	case "html":
		put(200, "text/html; charset=utf-8", "<html><title>Sign in</title></html>")
	case "html 404":
		put(404, "text/html", "<html>not here</html>")
	case "203":
		put(203, "text/html", "<html>Azure DevOps Services | Sign In</html>")
	case "error inside":
		put(200, "application/json", `{"$id":"1","innerException":null,"message":"TF400733: The request has been canceled.","typeName":"Microsoft.TeamFoundation.Framework.Server.RequestCanceledException","typeKey":"RequestCanceledException","errorCode":0}`)
	case "401":
		put(401, "text/plain", "")
	case "403":
		put(403, "application/json", `{"message":"TF50309: The following account does not have sufficient permissions","typeKey":"AccessCheckException"}`)
	case "429":
		w.Header().Set("Retry-After", "37")
		put(429, "application/json", `{"message":"TF400733","typeKey":"RequestBlockedException"}`)
	case "503":
		put(503, "text/html", "<html>unavailable</html>")
	case "empty":
		put(200, "application/json", "")
	case "malformed":
		put(200, "application/json", `{"count":1,"value":[{"id":`)
	case "half":
		put(200, "application/json", `{"value":[]}`)
	case "route":
		put(404, "application/json", `{"message":"The controller for path was not found","typeKey":"HttpException"}`)
	case "redirect":
		w.Header().Set("Location", "https://login.elsewhere.test/signin")
		put(302, "text/html", "")
	default:
		panic("no such fault: " + fault)
	}
	return true
}

func (o *org) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	if o.breaks(w, q) {
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	path := q.URL.Path
	switch {
	case q.Method != http.MethodGet:
		w.WriteHeader(405)
	case q.Header.Get("Authorization") != "Bearer app":
		w.WriteHeader(401)
	case strings.HasSuffix(path, "/_apis/identities"):
		o.search(w, q)
	case strings.Contains(path, "/membersof/"):
		o.membersOf(w, path)
	case strings.Contains(path, "/_apis/securitynamespaces/"):
		write(w, []any{map[string]any{"namespaceId": collection, "name": "Collection", "actions": []any{
			map[string]any{"bit": 1, "name": "GENERIC_READ"}, map[string]any{"bit": 2, "name": "GENERIC_WRITE"},
			map[string]any{"bit": 4, "name": "CREATE_PROJECTS"}}}})
	case strings.Contains(path, "/_apis/accesscontrollists/"):
		o.lists(w, q)
	default:
		w.WriteHeader(404)
	}
}

func write[T any](w http.ResponseWriter, items []T) {
	_ = json.NewEncoder(w).Encode(map[string]any{"count": len(items), "value": items})
}

func (o *org) search(w http.ResponseWriter, q *http.Request) {
	found := []any{}
	value := q.URL.Query().Get("filterValue")
	if q.URL.Query().Get("searchFilter") == "LocalGroupName" {
		if value == "Project Collection Administrators" && !o.noGroup {
			found = append(found, map[string]any{"id": pcaID, "descriptor": pca, "isContainer": true, "providerDisplayName": `[contoso]\` + value})
		}
		write(w, found)
		return
	}
	for i, m := range o.members {
		if strings.EqualFold(m.person.Name, value) {
			oid := any(m.person.Object)
			if i%2 == 1 {
				oid = map[string]any{"$type": "System.String", "$value": m.person.Object}
			}
			f := map[string]any{"id": "id-" + m.person.Object, "descriptor": descriptorOf(m.person),
				"properties": map[string]any{objectProperty: oid}}
			if q.URL.Query().Get("queryMembership") == "expandedUp" {
				f["memberOf"] = []string{validUsers}
				if m.has(time.Now()) {
					f["memberOf"] = []string{validUsers, pca}
				}
			}
			found = append(found, f)
		}
	}
	write(w, found)
}

func (o *org) membersOf(w http.ResponseWriter, path string) {
	for _, m := range o.members {
		if strings.Contains(path, "/id-"+m.person.Object+"/membersof/"+pcaID) && m.has(time.Now()) {
			_ = json.NewEncoder(w).Encode(pca)
			return
		}
	}
	if o.gone404 {
		w.WriteHeader(404)
	}
}

func (o *org) lists(w http.ResponseWriter, q *http.Request) {
	entries := map[string]any{}
	asked := q.URL.Query().Get("descriptors")
	if asked == "" {
		entries[pca] = map[string]any{"descriptor": pca, "allow": 31, "deny": 0}
	}
	for _, m := range o.members {
		d := descriptorOf(m.person)
		if o.absent || m.hidden != nil && m.hidden(time.Now()) || !strings.Contains(","+asked+",", ","+d+",") {
			continue
		}
		allow := m.own
		if m.has(time.Now()) {
			allow = 31
		}
		entries[d] = map[string]any{"descriptor": d, "allow": m.own, "deny": 0,
			"extendedInfo": map[string]any{"effectiveAllow": allow, "effectiveDeny": m.deny, "inheritedAllow": 0}}
	}
	write(w, []any{map[string]any{"inheritPermissions": true, "token": "NAMESPACE:", "acesDictionary": entries, "includeExtendedInfo": true}})
}
