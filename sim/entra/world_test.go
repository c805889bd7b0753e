package entra

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// tenant is a small one, with a clock that tests push.
type tenant struct {
	*World
	t         *testing.T
	at        time.Time
	requester User
	approver  User
	second    User
	owner     User
	group     Group
	reader    App
	signin    App
	graph     http.Handler
	managed   http.Handler
	elig      string
}

const sessionScope = "PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup"

func newTenant(t *testing.T) *tenant {
	var x *tenant
	x = newTenantAt(t, func() time.Time {
		if x == nil {
			return monday
		}
		return x.at
	})
	return x
}

var monday = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func newTenantAt(t *testing.T, now func() time.Time) *tenant {
	x := &tenant{t: t, at: now()}
	x.World = New(Config{Seed: 1, Now: now})
	x.requester = x.AddUser(User{UPN: "requester@contoso.example", Mail: "requester@contoso.example", Name: "Requester"})
	x.approver = x.AddUser(User{UPN: "approver@contoso.example", Name: "Approver"})
	x.second = x.AddUser(User{UPN: "second-approver@contoso.example", Name: "Second approver"})
	x.owner = x.AddUser(User{UPN: "admin@contoso.example", Name: "Administrator", Admin: true})
	x.group = x.AddGroup(Group{Name: "devops-admins", RoleAssignable: true})
	x.reader = x.AddApp(App{Name: "reader", Secret: "reader-secret", Roles: []string{"PrivilegedEligibilitySchedule.Read.AzureADGroup",
		"PrivilegedAssignmentSchedule.Read.AzureADGroup", "RoleManagementPolicy.Read.AzureADGroup", "GroupMember.Read.All", "User.Read.All"}})
	x.signin = x.AddApp(App{Name: "pagbot", Secret: "signin-secret", Redirects: []string{"https://pag.example/signin/back"}, Delegated: []string{sessionScope}})
	var err error
	x.elig, err = x.AddEligibility(x.group.ID, "member", x.requester.ID, time.Time{})
	x.must(err)
	x.graph = checked(t, x.Graph())
	return x
}

func (x *tenant) must(err error) {
	x.t.Helper()
	if err != nil {
		x.t.Fatal(err)
	}
}

// approval turns approval on, by both approvers.
func (x *tenant) approval() {
	s := DefaultSettings()
	s.Approval, s.Approvers = true, []Approver{{User: x.approver.ID}, {User: x.second.ID}}
	x.must(x.SetSettings(x.group.ID, "member", s))
}

func (x *tenant) pass(d time.Duration) { x.at = x.at.Add(d) }

// as makes a token without the authority: a person's, for the sign-in app.
func (x *tenant) as(u User, more ...func(*grant)) string {
	x.enter()
	defer x.mu.Unlock()
	g := grant{app: x.app(x.signin.ID), user: x.user(u.ID), in: signIn{user: x.user(u.ID), at: x.at}}
	for _, f := range more {
		f(&g)
	}
	return x.accessToken(g, GraphAudience, []string{sessionScope}, x.at, tokenLife)
}

func (x *tenant) asReader() string {
	x.enter()
	defer x.mu.Unlock()
	return x.accessToken(grant{app: x.app(x.reader.ID)}, GraphAudience, nil, x.at, tokenLife)
}

type reply struct {
	status int
	header http.Header
	raw    string
	body   map[string]any
}

func (r reply) rows() (all []map[string]any) {
	list, _ := r.body["value"].([]any)
	for _, v := range list {
		all = append(all, v.(map[string]any))
	}
	return all
}

// code is the error's code, unwrapped.
func (r reply) code() string {
	e, _ := r.body["error"].(map[string]any)
	code, _ := e["code"].(string)
	message, _ := e["message"].(string)
	var in struct{ ErrorCode string }
	if json.Unmarshal([]byte(message), &in) == nil && in.ErrorCode != "" {
		return in.ErrorCode
	}
	return code
}

func (r reply) message() string {
	e, _ := r.body["error"].(map[string]any)
	m, _ := e["message"].(string)
	return m
}

func (x *tenant) call(token, method, path string, body any, headers ...string) reply {
	x.t.Helper()
	var in io.Reader
	if body != nil {
		b, _ := json.Marshal(body)
		in = bytes.NewReader(b)
	}
	if i := strings.Index(path, "?"); i > 0 {
		path = path[:i] + "?" + strings.NewReplacer(" ", "%20", "'", "%27", "(", "%28", ")", "%29").Replace(path[i+1:])
	}
	r := httptest.NewRequest(method, "https://graph.microsoft.com"+path, in)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	rec := httptest.NewRecorder()
	x.graph.ServeHTTP(rec, r)
	out := reply{status: rec.Code, header: rec.Header(), raw: rec.Body.String()}
	_ = json.Unmarshal(rec.Body.Bytes(), &out.body)
	return out
}

const base = "/v1.0" + pag

func (x *tenant) request(action, length, reason string) obj {
	o := obj{"@odata.type": "#microsoft.graph.privilegedAccessGroupAssignmentScheduleRequest", "accessId": "member", "groupId": x.group.ID,
		"principalId": x.requester.ID, "action": action, "justification": reason}
	if length != "" {
		o["scheduleInfo"] = obj{"startDateTime": x.at.Format(time.RFC3339), "expiration": obj{"type": "afterDuration", "duration": length}}
	}
	return o
}

// activate asks as the requester and insists on the answer's status.
func (x *tenant) activate(want int) reply {
	x.t.Helper()
	r := x.call(x.as(x.requester), "POST", base+"assignmentScheduleRequests", x.request(selfActivate, "PT2H", "INC1"))
	if r.status != want {
		x.t.Fatalf("activate: %d %s", r.status, r.raw)
	}
	return r
}

func (x *tenant) instances() []map[string]any {
	x.t.Helper()
	r := x.call(x.asReader(), "GET", base+"assignmentScheduleInstances?$filter=groupId eq '"+x.group.ID+"'", nil)
	if r.status != 200 {
		x.t.Fatalf("instances: %d %s", r.status, r.raw)
	}
	return r.rows()
}

func (x *tenant) status(id any) string {
	x.t.Helper()
	r := x.call(x.asReader(), "GET", base+"assignmentScheduleRequests/"+id.(string), nil)
	if r.status != 200 {
		x.t.Fatalf("request: %d %s", r.status, r.raw)
	}
	return r.body["status"].(string)
}

func (x *tenant) is(u User) bool { return x.Member(x.group.ID, u.ID, x.at) }

func query(kv ...string) string {
	v := url.Values{}
	for i := 0; i+1 < len(kv); i += 2 {
		v.Set(kv[i], kv[i+1])
	}
	return v.Encode()
}
