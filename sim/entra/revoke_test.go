package entra

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

// tokens signs somebody in and returns the first answer of the token endpoint.
func (l *login) tokens(u User, more ...string) reply {
	l.t.Helper()
	l.browser = l.newBrowser()
	plain := regexp.MustCompile(`claims=[^&]*&`).ReplaceAllString(l.start(), "") // MSAL's own declares cp1
	return l.tokenCall(append(append(l.who(), more...), "grant_type", "authorization_code", "code", l.signIn(plain, u, true).Get("code"),
		"redirect_uri", l.signin.Redirects[0], "code_verifier", verifier, "scope", "openid offline_access")...)
}

func (l *login) who() []string {
	return []string{"client_id", l.signin.ID, "client_secret", l.signin.Secret}
}

func (l *login) refresh(token string, more ...string) reply {
	l.t.Helper()
	return l.tokenCall(append(append(l.who(), more...), "grant_type", "refresh_token", "refresh_token", token, "scope", sessionScope+" offline_access")...)
}

const cp1Claims = `{"access_token":{"xms_cc":{"values":["cp1"]}}}`

func TestRevokedSessions(t *testing.T) {
	l := newLogin(t)
	plain, able, other := l.tokens(l.requester), l.tokens(l.requester, "claims", cp1Claims), l.tokens(l.approver)
	mine := base + "assignmentScheduleRequests/filterByCurrentUser(on='principal')"
	reads := func(r reply) reply { return l.call(r.body["access_token"].(string), "GET", mine, nil) }
	post := func(r reply) reply {
		return l.call(r.body["access_token"].(string), "POST", base+"assignmentScheduleRequests", l.request(selfActivate, "PT1H", "x"))
	}
	l.pass(time.Minute)
	l.Turn(func(d *Dials) { d.Hears = 15 * time.Minute })
	l.must(l.ChangeApp(l.reader.ID, func(a *App) { a.Roles = append(a.Roles, "User.RevokeSessions.All") }))
	if r := l.call(l.asReader(), "POST", "/v1.0/users/"+l.requester.ID+"/revokeSignInSessions", nil); r.status != 200 || r.body["value"] != true {
		t.Fatalf("revoke: %d %s", r.status, r.raw)
	}
	for name, r := range map[string]reply{"plain": plain, "able": able} {
		if got := l.refresh(r.body["refresh_token"].(string)); got.body["error"] != "invalid_grant" || got.body["error_codes"].([]any)[0] != 50173.0 {
			t.Errorf("%s: %v", name, got.body)
		}
	}
	if r := l.refresh(other.body["refresh_token"].(string)); r.status != 200 {
		t.Errorf("another person's: %v", r.body)
	}
	if r := reads(able); r.status != 200 {
		t.Errorf("Graph heard at once, though told to hear later: %s", r.raw)
	}
	l.pass(15 * time.Minute)
	for _, r := range []reply{reads(able), post(able)} {
		h := r.header.Get("WWW-Authenticate")
		_, claims, _ := strings.Cut(h, `claims="`)
		b, err := base64.StdEncoding.DecodeString(strings.TrimSuffix(claims, `"`))
		if r.status != 401 || err != nil || !strings.Contains(string(b), `{"nbf":{"essential":true,"value":"`+itoa(int(l.at.Add(-15*time.Minute).Unix()))) {
			t.Errorf("no challenge: %d %s %s", r.status, h, b)
		}
	}
	if r := reads(plain); r.status != 200 {
		t.Errorf("a token without cp1 lives on: %d", r.status)
	}
	fresh := l.tokens(l.requester, "claims", cp1Claims)
	if r := reads(fresh); r.status != 200 || l.refresh(fresh.body["refresh_token"].(string)).status != 200 {
		t.Errorf("after a new sign-in: %s", r.raw)
	}
	if l.RevokeSessions("nobody") == nil || l.ChangePassword("nobody") == nil {
		t.Error("revoked nobody's")
	}
	if r := l.call(l.asReader(), "POST", "/v1.0/users/nobody/revokeSignInSessions", nil); r.status != 404 {
		t.Errorf("nobody's: %d", r.status)
	}
}

// A browser's session from before the revocation is not used silently either.
func TestRevocationReachesTheBrowser(t *testing.T) {
	l := newLogin(t)
	l.signIn(l.start(), l.requester, true)
	l.pass(time.Minute)
	l.must(l.RevokeSessions(l.requester.ID))
	if got := l.land(l.browser.Open(l.start())); got != nil {
		t.Errorf("signed in silently after the revocation: %v", got)
	}
}

func TestGuestsCannotBeRevoked(t *testing.T) {
	l := newLogin(t)
	guest := l.AddUser(User{UPN: "guest_partner.example#EXT#@contoso.example", Guest: true})
	r := l.tokens(guest)
	l.pass(time.Minute)
	l.must(l.RevokeSessions(guest.ID))
	if r := l.refresh(r.body["refresh_token"].(string)); r.status != 200 {
		t.Errorf("a guest's sessions are their own tenant's: %v", r.body)
	}
}

func TestPasswordChange(t *testing.T) {
	l := newLogin(t)
	confidential := l.tokens(l.requester)
	app := l.AddApp(App{Name: "tool", Public: true, Delegated: []string{sessionScope}, Redirects: []string{"http://localhost"}})
	l.browser = l.newBrowser()
	address := strings.NewReplacer(l.signin.ID, app.ID, url.QueryEscape(l.signin.Redirects[0]), url.QueryEscape("http://localhost:8123")).Replace(l.start())
	p, err := l.browser.Open(address)
	l.must(err)
	l.must(l.browser.Fill("account", l.requester.UPN))
	_, err = l.browser.Submit("Sign in")
	if err == nil || !strings.Contains(err.Error(), "localhost:8123") {
		t.Fatalf("not sent to the tool: %v %s", err, p.URL)
	}
	visits := l.browser.Visits()
	code := codeIn(visits[len(visits)-1].URL + " " + err.Error())
	r := l.tokenCall("client_id", app.ID, "grant_type", "authorization_code", "code", code, "redirect_uri", "http://localhost:8123", "code_verifier", verifier, "scope", "offline_access")
	if r.status != 200 {
		t.Fatalf("a public client's code: %v", r.body)
	}
	renew := func(token any) reply {
		return l.tokenCall("client_id", app.ID, "grant_type", "refresh_token", "refresh_token", token.(string), "scope", sessionScope+" offline_access")
	}
	if r := l.tokenCall("client_id", app.ID, "client_secret", "made-up", "grant_type", "refresh_token", "refresh_token", r.body["refresh_token"].(string)); r.body["error_codes"].([]any)[0] != 700025.0 {
		t.Errorf("a public client with a secret: %v", r.body)
	}
	l.pass(time.Minute)
	l.must(l.ChangePassword(l.requester.ID))
	if r := renew(r.body["refresh_token"]); r.body["error_codes"].([]any)[0] != 50173.0 {
		t.Errorf("a public client's token survived a new password: %v", r.body)
	}
	if r := l.refresh(confidential.body["refresh_token"].(string)); r.status != 200 {
		t.Errorf("a confidential client's token did not: %v", r.body)
	}
}

// codeIn finds an authorization code in an address that nobody serves.
func codeIn(text string) string {
	_, rest, _ := strings.Cut(text, "code=")
	rest, _, _ = strings.Cut(rest, "&")
	return strings.Fields(strings.NewReplacer(`"`, " ", `\`, " ").Replace(rest) + " ")[0]
}

func TestSinglePageApplications(t *testing.T) {
	l := newLogin(t)
	l.must(l.ChangeApp(l.signin.ID, func(a *App) { a.SPA, a.Redirects = a.Redirects, nil }))
	bare := func(form ...string) reply { return l.tokenCall(append(form, "client_id", l.signin.ID)...) }
	code := l.signIn(l.start(), l.requester, false).Get("code")
	redeem := []string{"grant_type", "authorization_code", "code", code, "redirect_uri", l.signin.Redirects[0], "code_verifier", verifier, "scope", "offline_access"}
	if r := l.tokenCall(append(l.who(), redeem...)...); r.body["error_codes"].([]any)[0] != 700025.0 {
		t.Errorf("with a secret: %v", r.body)
	}
	r := bare(redeem...)
	if r.status != 200 {
		t.Fatalf("without: %v", r.body)
	}
	renew := func() reply {
		r = bare("grant_type", "refresh_token", "refresh_token", r.body["refresh_token"].(string), "scope", sessionScope+" offline_access")
		return r
	}
	l.pass(23 * time.Hour)
	if renew().status != 200 {
		t.Errorf("after 23 h: %v", r.body)
	}
	l.pass(2 * time.Hour)
	if renew().body["error_codes"].([]any)[0] != 700082.0 {
		t.Errorf("a day is a day, however often it is renewed: %v", r.body)
	}
	unproven := strings.Replace(l.start(), "code_challenge", "code_challenged", 1)
	l.browser = l.newBrowser()
	if got := l.land(l.browser.Open(unproven)); !strings.Contains(got.Get("error_description"), "AADSTS9002325") {
		t.Errorf("without PKCE: %v", got)
	}
}

func TestLogout(t *testing.T) {
	l := newLogin(t)
	r := l.tokens(l.requester)
	out := func(q ...string) string {
		return l.server.URL + "/" + l.Tenant() + "/oauth2/v2.0/logout?" + query(q...)
	}
	if got := l.land(l.browser.Open(out("post_logout_redirect_uri", "https://evil.example/", "id_token_hint", r.body["id_token"].(string)))); got != nil || !strings.Contains(l.browser.Page().Text, "signed out") {
		t.Errorf("sent to a stranger: %v", l.browser.Page().URL)
	}
	if got := l.land(l.browser.Open(l.start())); got != nil {
		t.Errorf("still signed in: %v", got)
	}
	got := l.land(l.browser.Open(out("post_logout_redirect_uri", l.signin.Redirects[0], "client_id", l.signin.ID, "state", "s1")))
	if got.Get("state") != "s1" {
		t.Errorf("not sent back: %v", got)
	}
	res, err := l.server.Client().PostForm(out(), url.Values{})
	l.must(err)
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Errorf("by POST: %d", res.StatusCode)
	}
	// The tokens live on: signing out ends the browser's session only.
	if l.refresh(r.body["refresh_token"].(string)).status != 200 {
		t.Error("the refresh token went with the session")
	}
}
