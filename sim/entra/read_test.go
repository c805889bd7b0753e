package entra

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestFilterIsRequired(t *testing.T) {
	x := newTenant(t)
	for _, name := range []string{"eligibilityScheduleInstances", "eligibilitySchedules", "assignmentScheduleInstances", "assignmentSchedules", "assignmentScheduleRequests"} {
		for filter, want := range map[string]int{"": 400, "?$filter=status eq 'PendingApproval'": 400, "?$filter=groupId eq 'G' or principalId eq 'P'": 400,
			"?$filter=groupId eq": 400, "?$filter=groupId eq '" + x.group.ID + "' and principalId eq 'P'": 200, "?filter=principalId eq 'P'": 200,
			"?$filter=principal/id eq 'P'": 200} {
			if r := x.call(x.asReader(), "GET", base+name+filter, nil); r.status != want {
				t.Errorf("%s%s: %d %s", name, filter, r.status, r.raw)
			}
		}
	}
}

// Microsoft prints most of these; the rest is what clients in the field send.
func TestFilterLanguage(t *testing.T) {
	row := obj{"status": "PendingApproval", "groupId": "G", "principalId": "it's", "n": "2026-01-01T00:00:00Z", "otherMails": []string{"a@b.c"}}
	for s, want := range map[string]bool{
		"groupId eq 'g'": true, "groupId ne 'G'": false, "groupId eq 'G' and status eq 'Denied'": false, "status eq 'Denied' or groupId eq 'G'": true,
		"principalId eq 'it''s'": true, "(status eq 'Denied' or groupId eq 'G') and principalId eq 'it''s'": true, "groupId in ('A','G')": true,
		"groupId in ('A', 'B')": false, "otherMails/any(x:x eq 'a@b.c')": true, "otherMails/any(x:x eq 'b')": false, "startsWith(status,'Pending')": true,
		"not (groupId eq 'G')": false, "n gt 2025-12-31T00:00:00Z": true, "n le 2025-12-31T00:00:00Z": false, "missing eq null": true,
	} {
		f, err := parseFilter(s)
		if err != nil || (len(f.keep([]obj{row})) == 1) != want {
			t.Errorf("%s: %v", s, err)
		}
	}
	for _, s := range []string{"groupId", "groupId eq", "groupId like 'x'", "(groupId eq 'x'", "groupId eq 'x' x", "groupId in ('x'", "a/any(eq 'x')", "and", "startsWith(a 'b')"} {
		if _, err := parseFilter(s); err == nil {
			t.Errorf("%s: accepted", s)
		}
	}
}

func TestWhoMayRead(t *testing.T) {
	x := newTenant(t)
	x.activate(201)
	x.pass(2 * time.Second)
	byGroup := base + "assignmentScheduleInstances?$filter=groupId eq '" + x.group.ID + "'"
	byPrincipal := base + "assignmentScheduleInstances?$filter=principalId eq '" + x.requester.ID + "'"
	for _, c := range []struct {
		token string
		path  string
		want  int
	}{
		{"", byGroup, 401}, {"no.token.here", byGroup, 401}, {x.as(x.requester), byPrincipal, 200}, {x.as(x.requester), byGroup, 200}, // by now a member
		{x.as(x.approver), byGroup, 403}, {x.as(x.approver), byPrincipal, 403}, {x.as(x.owner), byGroup, 200}, {x.asReader(), byPrincipal, 200},
		{x.as(x.requester), "/v1.0/me", 403}, {x.as(x.requester), "/v1.0/groups/" + x.group.ID, 403},
	} {
		if r := x.call(c.token, "GET", c.path, nil); r.status != c.want {
			t.Errorf("%s: %d, want %d: %s", c.path, r.status, c.want, r.raw)
		}
	}
	// Tokens of another tenant, for another resource, or too old.
	stranger := newTenant(t)
	stranger.tenant = "33333333-3333-4333-8333-333333333333"
	if r := x.call(stranger.as(stranger.requester), "GET", byPrincipal, nil); r.status != 401 || r.header.Get("WWW-Authenticate") == "" {
		t.Errorf("another tenant's token: %d", r.status)
	}
	old := x.asReader()
	x.pass(time.Hour)
	if r := x.call(old, "GET", byGroup, nil); r.status != 401 || r.code() != "InvalidAuthenticationToken" {
		t.Errorf("an expired token: %d", r.status)
	}
	if r := x.call(x.asReader(), "PUT", byGroup, obj{}); r.status != 405 {
		t.Errorf("a wrong method: %d", r.status)
	}
	if r := x.call(x.asReader(), "GET", "/v1.0/nothing", nil); r.status != 404 {
		t.Errorf("a wrong path: %d", r.status)
	}
}

func TestEveryCollection(t *testing.T) {
	x := newTenant(t)
	id := x.activate(201).body["id"].(string)
	x.pass(2 * time.Second)
	for _, name := range []string{"eligibilityScheduleInstances", "eligibilitySchedules", "assignmentScheduleInstances", "assignmentSchedules", "assignmentScheduleRequests"} {
		r := x.call(x.asReader(), "GET", base+name+"?$filter=groupId eq '"+x.group.ID+"'&$expand=group,principal", nil)
		if len(r.rows()) != 1 {
			t.Fatalf("%s: %s", name, r.raw)
		}
		row := r.rows()[0]
		if row["group"].(map[string]any)["displayName"] != "devops-admins" || row["principal"].(map[string]any)["id"] != x.requester.ID {
			t.Errorf("%s: not expanded: %v", name, row)
		}
		one := x.call(x.asReader(), "GET", base+name+"/"+row["id"].(string), nil)
		if one.status != 200 || one.body["groupId"] != x.group.ID {
			t.Errorf("%s: one: %s", name, one.raw)
		}
		if r := x.call(x.asReader(), "GET", base+name+"/none", nil); r.status != 404 {
			t.Errorf("%s: none: %d", name, r.status)
		}
	}
	mine := x.call(x.as(x.requester), "GET", base+"assignmentScheduleRequests/filterByCurrentUser(on='createdBy')?$filter=groupId eq '"+x.group.ID+"'", nil)
	if rows := mine.rows(); len(rows) != 1 || rows[0]["id"] != id {
		t.Errorf("mine: %s", mine.raw)
	}
	if r := x.call(x.as(x.requester), "GET", base+"assignmentScheduleInstances/filterByCurrentUser(on='approver')", nil); r.status != 400 {
		t.Errorf("an unknown on: %d", r.status)
	}
	if r := x.call(x.asReader(), "GET", base+"assignmentScheduleRequests/filterByCurrentUser(on='principal')", nil); len(r.rows()) != 0 {
		t.Errorf("an app has nothing of its own: %s", r.raw)
	}
	some := x.call(x.asReader(), "GET", base+"assignmentScheduleInstances?$filter=groupId eq '"+x.group.ID+"'&$select=id,endDateTime", nil)
	if row := some.rows()[0]; len(row) != 2 || row["endDateTime"] == nil {
		t.Errorf("$select: %v", row)
	}
	x.Turn(func(d *Dials) { d.ExpandNull = true })
	x.graph = x.Graph()
	r := x.call(x.asReader(), "GET", base+"assignmentScheduleInstances?$filter=groupId eq '"+x.group.ID+"'&$expand=group", nil)
	if g, there := r.rows()[0]["group"]; !there || g != nil {
		t.Errorf("expand null: %v", r.rows())
	}
}

// crowd makes 7 eligible users, and walks the pages.
func (x *tenant) crowd() (walk func() (rows, pages int, last reply)) {
	for i := range 6 {
		u := x.AddUser(User{UPN: fmt.Sprintf("user-%d@contoso.example", i)})
		_, err := x.AddEligibility(x.group.ID, "member", u.ID, time.Time{})
		x.must(err)
	}
	return func() (rows, pages int, last reply) {
		path := base + "eligibilityScheduleInstances?$filter=groupId eq '" + x.group.ID + "'"
		for path != "" && pages < 20 {
			last = x.call(x.asReader(), "GET", path, nil)
			rows += len(last.rows())
			pages++
			next, _ := last.body["@odata.nextLink"].(string)
			path = strings.TrimPrefix(next, "https://graph.microsoft.com")
		}
		return rows, pages, last
	}
}

func TestPages(t *testing.T) {
	x := newTenant(t)
	walk := x.crowd()
	if rows, pages, _ := walk(); rows != 7 || pages != 1 {
		t.Errorf("%d rows on %d pages", rows, pages)
	}
	x.Turn(func(d *Dials) { d.Page = 3 })
	if rows, pages, _ := walk(); rows != 7 || pages != 3 {
		t.Errorf("%d rows on %d pages", rows, pages)
	}
	x.Turn(func(d *Dials) { d.EmptyPage = true })
	if rows, pages, _ := walk(); rows != 7 || pages != 4 {
		t.Errorf("with an empty page: %d rows on %d pages", rows, pages)
	}
	x.Turn(func(d *Dials) { d.EmptyPage, d.RepeatLink = false, true })
	if _, pages, _ := walk(); pages != 20 {
		t.Errorf("a link to itself ends after %d pages", pages)
	}
	x.Turn(func(d *Dials) { d.RepeatLink, d.ForeignLink = false, "https://elsewhere.example" })
	r := x.call(x.asReader(), "GET", base+"eligibilityScheduleInstances?$filter=groupId eq '"+x.group.ID+"'", nil)
	if next := r.body["@odata.nextLink"].(string); !strings.HasPrefix(next, "https://elsewhere.example/v1.0/") {
		t.Errorf("next: %s", next)
	}
	x.Turn(func(d *Dials) { d.ForeignLink = "" })
	x.Inject(Fault{Path: "eligibilityScheduleInstances", Skip: 1, Do: DoStatus, Status: 500, Code: "InternalServerError"})
	if rows, pages, last := walk(); rows != 3 || pages != 2 || last.status != 500 {
		t.Errorf("an error on page 2: %d rows, %d pages, %d", rows, pages, last.status)
	}
}

func TestCompression(t *testing.T) {
	x := newTenant(t)
	x.Turn(func(d *Dials) { d.Gzip = true })
	send := func(body []byte, accept string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("POST", base+"assignmentScheduleRequests", bytes.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+x.as(x.requester))
		r.Header.Set("Content-Encoding", "gzip")
		r.Header.Set("Accept-Encoding", accept)
		rec := httptest.NewRecorder()
		x.Graph().ServeHTTP(rec, r)
		return rec
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	fmt.Fprintf(z, `{"accessId":"member","groupId":%q,"principalId":%q,"action":"selfActivate","justification":"x","scheduleInfo":{"expiration":{"type":"afterDuration","duration":"PT1H"}}}`,
		x.group.ID, x.requester.ID)
	_ = z.Close()
	if rec := send([]byte("{}"), ""); rec.Code != 400 {
		t.Errorf("a body that is no gzip: %d", rec.Code)
	}
	rec := send(b.Bytes(), "gzip")
	if rec.Code != 201 || rec.Header().Get("Content-Encoding") != "gzip" || rec.Header().Get("Content-Type") != graphType {
		t.Fatalf("%d %v", rec.Code, rec.Header())
	}
	r, err := gzip.NewReader(rec.Body)
	x.must(err)
	var out bytes.Buffer
	_, err = out.ReadFrom(r)
	x.must(err)
	if !strings.Contains(out.String(), `"status":"Provisioned"`) {
		t.Error(out.String())
	}
	if h := x.History(); !strings.Contains(h[len(h)-1].Body, "selfActivate") {
		t.Error("the history keeps the compressed body")
	}
}
