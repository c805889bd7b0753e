package entra

import (
	"bytes"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Whatever anybody sends, the world answers in the service's words: it never
// panics, and never blames itself.
func TestStrangeCalls(t *testing.T) {
	x := newTenant(t)
	x.approval()
	id := x.activate(201).body["id"].(string)
	x.powers()
	x.must(x.ChangeApp(x.reader.ID, func(a *App) {
		for _, r := range routes {
			a.Roles = append(a.Roles, strings.Fields(r.scopes)...)
		}
	}))
	words := []string{x.group.ID, strings.ToUpper(x.group.ID), x.requester.ID, x.requester.UPN, id, "", "none", "null", "stages", "principal", "approver", "createdBy", "graph.user", "$batch", "é"}
	word := rapid.SampledFrom(words)
	filters := rapid.SampledFrom([]string{"groupId eq '%'", "principalId eq '%'", "id in ('%','%')", "id eq", "not (id eq '%')", "x/y/z eq '%'", "a/any(t:t/id eq '%')", "any(", "mail eq null",
		"activityDateTime ge 2026-01-01", "groupId eq '%' or", "(((", "scopeId eq '%' and scopeType eq 'Group'", "startswith(", "status eq % and groupId eq '%'", "a in"})
	tokens := rapid.SampledFrom([]string{"", "aaa", "LTU", "LTVl", "OTk5", "eyJGcm9tIjotNX0", "eyJGcm9tIjo5OX0", "latest", "bnVsbA"})
	values := rapid.SampledFrom([]string{`null`, `""`, `"member"`, `"selfActivate"`, `"adminAssign"`, `"selfDeactivate"`, `"adminExtend"`, `{}`, `[]`, `[null]`, `-1`, `true`, `"PT2H"`, `"2026-03-02T10:00:00Z"`,
		`{"expiration":null}`, `{"expiration":{"type":"afterDuration","duration":"PT1H"}}`, `{"expiration":{"type":"afterDateTime"}}`, `"` + x.group.ID + `"`, `"` + x.requester.ID + `"`, `"` + strings.ToUpper(x.requester.ID) + `"`,
		`[{"id":"1","method":"GET","url":"/groups"}]`, `[{"id":"1","method":"\u0000","url":"%zz","dependsOn":["1"]}]`})
	names := rapid.SampledFrom([]string{"accessId", "groupId", "principalId", "action", "justification", "scheduleInfo", "ticketInfo", "isValidationOnly", "requests", "groupIds",
		"reviewResult", "securityEnabledOnly", "@odata.type"})
	people := []string{x.asReader(), x.as(x.requester), x.as(x.approver), x.as(x.owner), "", "a.b.c"}
	rapid.Check(t, func(t *rapid.T) {
		r := rapid.SampledFrom(routes).Draw(t, "route")
		path := r.path
		for strings.Contains(path, "{") {
			i, j := strings.Index(path, "{"), strings.Index(path, "}")
			path = path[:i] + url.PathEscape(word.Draw(t, "word")) + path[j+1:]
		}
		q := url.Values{}
		for _, k := range []string{"$filter", "$select", "$top", "$count", "$expand", "$skiptoken", "$deltatoken", "$orderby"} {
			switch {
			case rapid.Bool().Draw(t, "no"):
			case k == "$filter":
				q.Set(k, strings.ReplaceAll(filters.Draw(t, k), "%", word.Draw(t, "word")))
			case strings.HasSuffix(k, "token"):
				q.Set(k, tokens.Draw(t, k))
			default:
				q.Set(k, rapid.SampledFrom([]string{"", "true", "-3", "2", "id", "members", "group,principal", "policy($expand=rules)"}).Draw(t, k))
			}
		}
		var fields []string
		for range rapid.IntRange(0, 8).Draw(t, "fields") {
			fields = append(fields, `"`+names.Draw(t, "name")+`":`+values.Draw(t, "value"))
		}
		body := rapid.SampledFrom([]string{"{" + strings.Join(fields, ",") + "}", "", "null", "[", "3"}).Draw(t, "body")
		in := httptest.NewRequest(rapid.SampledFrom([]string{r.method, r.method, r.method, "PATCH"}).Draw(t, "method"),
			rapid.SampledFrom([]string{"/v1.0", "/beta", "/v3"}).Draw(t, "version")+path+"?"+q.Encode(), bytes.NewReader([]byte(body)))
		in.Header.Set("Authorization", "Bearer "+people[rapid.IntRange(0, len(people)-1).Draw(t, "who")])
		in.Header.Set("ConsistencyLevel", "eventual")
		rec := httptest.NewRecorder()
		x.Graph().ServeHTTP(rec, in)
		if rec.Code >= 500 {
			t.Fatalf("%s %s %s: %d %s", in.Method, in.URL, body, rec.Code, rec.Body)
		}
		x.at = x.at.Add(time.Duration(rapid.IntRange(0, 1000).Draw(t, "pass")) * time.Millisecond)
	})
}

// The same for the authority.
func TestStrangeSignIns(t *testing.T) {
	x := newTenant(t)
	x.must(x.ChangeApp(x.signin.ID, func(a *App) { a.Public = true }))
	paths := rapid.SampledFrom([]string{"GET oauth2/v2.0/authorize", "POST login", "POST consent", "POST oauth2/v2.0/token", "POST oauth2/v2.0/devicecode", "POST oauth2/deviceauth",
		"POST device", "GET oauth2/v2.0/logout", "POST oauth2/v2.0/logout", "GET v2.0/.well-known/openid-configuration", "GET nothing"})
	values := rapid.SampledFrom([]string{"", "x", x.signin.ID, x.signin.Redirects[0], "code", "openid " + sessionScope, "device_code", "refresh_token", "authorization_code", "client_credentials",
		"https://graph.microsoft.com/.default", "{", "[]", "null", challengeClaims, "none", "S256", x.requester.UPN, x.requester.ID, "cancel", "accept", "continue", "signin", "a.b.c", "signin-secret", "-1",
		"client_id=" + x.signin.ID + "&otc=ABC", "client_id=" + x.signin.ID + "&redirect_uri=https://pag.example/signin/back&scope=openid&response_type=code", "http://localhost:1/%zz"})
	names := []string{"client_id", "redirect_uri", "response_type", "scope", "claims", "prompt", "state", "code_challenge", "code_challenge_method", "max_age", "request", "account", "do", "user", "otc",
		"grant_type", "code", "refresh_token", "device_code", "client_secret", "client_assertion", "code_verifier", "post_logout_redirect_uri", "id_token_hint"}
	rapid.Check(t, func(t *rapid.T) {
		method, path, _ := strings.Cut(paths.Draw(t, "path"), " ")
		v := url.Values{}
		for _, k := range names {
			if rapid.Bool().Draw(t, k+"?") {
				v.Set(k, values.Draw(t, k))
			}
		}
		in := httptest.NewRequest(method, "/"+x.Tenant()+"/"+path+"?"+v.Encode(), strings.NewReader(v.Encode()))
		in.Header.Set("Cookie", cookieName+"=made-up")
		rec := httptest.NewRecorder()
		x.Authority().ServeHTTP(rec, in)
		if rec.Code >= 500 {
			t.Fatalf("%s %s: %d %s", method, in.URL, rec.Code, rec.Body)
		}
	})
}
