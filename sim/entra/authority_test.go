package entra

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"

	"pagbot/sim/browser"
)

const challengeClaims = `{"access_token":{"acrs":{"essential":true, "value":"c1"}}}`

// login serves a tenant's authority over TLS, on a clock that is real enough
// for MSAL, and an app's redirect page beside it.
type login struct {
	*tenant
	server  *httptest.Server
	browser *browser.Browser
	client  confidential.Client
}

func newLogin(t *testing.T) *login {
	x := newTenant(t)
	x.at = time.Now() // MSAL compares with the machine's clock
	s := httptest.NewTLSServer(x.Authority())
	t.Cleanup(s.Close)
	l := &login{tenant: x, server: s}
	// The browser reaches the authority through the server's client, and the
	// app's redirect address without a network.
	l.browser = l.newBrowser()
	secret, err := confidential.NewCredFromSecret(x.signin.Secret)
	x.must(err)
	l.client, err = confidential.New(s.URL+"/"+x.Tenant(), x.signin.ID, secret, confidential.WithHTTPClient(s.Client()),
		confidential.WithInstanceDiscovery(false), confidential.WithClientCapabilities([]string{"CP1"}))
	x.must(err)
	return l
}

type landing struct{ next http.RoundTripper }

func (l landing) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host != "pag.example" {
		return l.next.RoundTrip(r)
	}
	rec := httptest.NewRecorder()
	_, _ = rec.WriteString("landed")
	return rec.Result(), nil
}

func (l *login) newBrowser() *browser.Browser {
	return browser.New(&http.Client{Transport: landing{l.server.Client().Transport}})
}

const verifier = "a-verifier-of-at-least-forty-three-characters-0"

// start is the address that the app sends a browser to.
func (l *login) start(more ...string) string {
	l.t.Helper()
	return l.startWith(nil, more...)
}

func (l *login) startWith(o []confidential.AuthCodeURLOption, more ...string) string {
	l.t.Helper()
	u, err := l.client.AuthCodeURL(l.t.Context(), l.signin.ID, l.signin.Redirects[0], []string{sessionScope}, o...)
	l.must(err)
	sum := sha256.Sum256([]byte(verifier))
	return u + "&" + query(append([]string{"state", "st-1", "nonce", "n-1", "code_challenge_method", "S256",
		"code_challenge", base64.RawURLEncoding.EncodeToString(sum[:])}, more...)...)
}

// land opens an address and returns the parameters the app got, if it did.
func (l *login) land(p *browser.Page, err error) url.Values {
	l.t.Helper()
	l.must(err)
	if p.URL.Host != "pag.example" {
		return nil
	}
	return p.URL.Query()
}

func (l *login) signIn(address string, u User, mfa bool) url.Values {
	l.t.Helper()
	p, err := l.browser.Open(address)
	l.must(err)
	if p.Title != "Sign in to your account" {
		l.t.Fatalf("no sign-in page but %q at %s", p.Title, p.URL)
	}
	l.must(l.browser.Fill("account", u.UPN))
	l.must(l.browser.Fill("mfa", map[bool]string{true: "yes"}[mfa]))
	return l.land(l.browser.Submit("Sign in"))
}

func (l *login) redeemCode(code string, o ...confidential.AcquireByAuthCodeOption) (confidential.AuthResult, error) {
	return l.client.AcquireTokenByAuthCode(l.t.Context(), code, l.signin.Redirects[0], []string{sessionScope},
		append([]confidential.AcquireByAuthCodeOption{confidential.WithChallenge(verifier)}, o...)...)
}

func (l *login) claims(token string) map[string]any {
	l.t.Helper()
	c, err := l.Verify(token, GraphAudience)
	l.must(err)
	return c
}

func TestCodeFlowWithMSAL(t *testing.T) {
	l := newLogin(t)
	got := l.signIn(l.start(), l.requester, true)
	if got.Get("state") != "st-1" || got.Get("code") == "" {
		t.Fatalf("landed with %v", got)
	}
	res, err := l.redeemCode(got.Get("code"))
	l.must(err)
	c := l.claims(res.AccessToken)
	if c["oid"] != l.requester.ID || c["tid"] != l.Tenant() || c["scp"] != sessionScope || strs(c["amr"])[1] != "mfa" || strs(c["xms_cc"])[0] != "cp1" {
		t.Errorf("claims: %v", c)
	}
	if res.Account.HomeAccountID != l.requester.ID+"."+l.Tenant() || !strings.Contains(payload(res.IDToken.RawToken), `"nonce":"n-1"`) {
		t.Errorf("account %s, id token %s", res.Account.HomeAccountID, payload(res.IDToken.RawToken))
	}
	if r := l.call(res.AccessToken, "GET", base+"assignmentScheduleRequests/filterByCurrentUser(on='principal')", nil); r.status != 200 {
		t.Errorf("Graph refuses the token: %d %s", r.status, r.raw)
	}
	if _, err := l.redeemCode(got.Get("code")); err == nil || !strings.Contains(err.Error(), "AADSTS54005") {
		t.Errorf("the code was good twice: %v", err)
	}
	for _, r := range l.History() {
		if strings.Contains(r.Body+r.Query, got.Get("code")) || strings.Contains(r.Body, verifier) || strings.Contains(r.Body, l.signin.Secret) {
			t.Errorf("a secret in the history: %+v", r)
		}
	}
}

func TestPKCEIsVerified(t *testing.T) {
	l := newLogin(t)
	got := l.signIn(l.start(), l.requester, false)
	_, err := l.client.AcquireTokenByAuthCode(t.Context(), got.Get("code"), l.signin.Redirects[0], []string{sessionScope}, confidential.WithChallenge("another-verifier"))
	if err == nil || !strings.Contains(err.Error(), "AADSTS501481") {
		t.Errorf("wrong verifier: %v", err)
	}
	l.pass(11 * time.Minute)
	if _, err := l.redeemCode(got.Get("code")); err == nil || !strings.Contains(err.Error(), "AADSTS70008") {
		t.Errorf("an old code: %v", err)
	}
}

func TestSilentSignIn(t *testing.T) {
	l := newLogin(t)
	first := l.signIn(l.start(), l.requester, true)
	res, err := l.redeemCode(first.Get("code"))
	l.must(err)
	at := l.claims(res.AccessToken)["auth_time"]
	l.pass(20 * time.Minute)
	silent := l.land(l.browser.Open(l.start("login_hint", l.requester.UPN)))
	if silent.Get("code") == "" {
		t.Fatal("the session was not used")
	}
	res, err = l.redeemCode(silent.Get("code"))
	l.must(err)
	if got := l.claims(res.AccessToken)["auth_time"]; got != at {
		t.Errorf("a silent sign-in moved auth_time: %v, was %v", got, at)
	}
	for _, more := range [][]string{{"prompt", "login"}, {"max_age", "600"}, {"login_hint", l.approver.UPN}} {
		if got := l.land(l.browser.Open(l.start(more...))); got != nil {
			t.Errorf("%v: not asked: %v", more, got)
		}
	}
	if got := l.land(l.newBrowser().Open(l.start("prompt", "none"))); got.Get("error") != "login_required" {
		t.Errorf("prompt=none without a session: %v", got)
	}
	fresh := l.signIn(l.start("prompt", "login"), l.requester, true)
	res, err = l.redeemCode(fresh.Get("code"))
	l.must(err)
	if got := l.claims(res.AccessToken)["auth_time"]; got != float64(l.at.Unix()) {
		t.Errorf("prompt=login left auth_time at %v", got)
	}
}

func TestClaimsAskForMFA(t *testing.T) {
	l := newLogin(t)
	l.signIn(l.start(), l.requester, false)
	if got := l.land(l.browser.Open(l.start("claims", challengeClaims))); got.Get("error") != "invalid_request" {
		t.Errorf("claims given twice, once by MSAL: %v", got)
	}
	address := l.startWith([]confidential.AuthCodeURLOption{confidential.WithClaims(challengeClaims)})
	p, err := l.browser.Open(address)
	l.must(err)
	if !strings.Contains(p.Text, "More information is required") {
		t.Fatalf("a session without MFA sufficed: %s", p.URL)
	}
	l.must(l.browser.Fill("account", l.requester.UPN))
	l.must(l.browser.Fill("mfa", ""))
	if got := l.land(l.browser.Submit("Sign in")); got != nil {
		t.Fatalf("let through without MFA: %v", got)
	}
	l.must(l.browser.Fill("account", l.requester.UPN))
	l.must(l.browser.Fill("mfa", "yes"))
	res, err := l.redeemCode(l.land(l.browser.Submit("Sign in")).Get("code"))
	l.must(err)
	if c := l.claims(res.AccessToken); strs(c["acrs"])[0] != "c1" || strs(c["xms_cc"])[0] != "cp1" {
		t.Errorf("claims: %v", c)
	}
}

// Whether claims let a session serve prompt=login, nobody knows.
func TestLoginMayBeSilent(t *testing.T) {
	for _, silent := range []bool{false, true} {
		l := newLogin(t)
		l.signIn(l.start(), l.requester, true)
		l.pass(20 * time.Minute)
		l.Turn(func(d *Dials) { d.LoginIsSilent = silent })
		address := l.startWith([]confidential.AuthCodeURLOption{confidential.WithClaims(challengeClaims)}, "prompt", "login", "max_age", "0")
		if got := l.land(l.browser.Open(address)); (got.Get("code") != "") != silent {
			t.Errorf("silent %v: %v", silent, got)
		}
		if got := l.land(l.browser.Open(l.start("prompt", "login"))); got != nil {
			t.Errorf("silent %v: not asked, without claims: %v", silent, got)
		}
	}
}

func TestVerdictsAndConsent(t *testing.T) {
	l := newLogin(t)
	for n, want := range map[int]string{53003: "access_denied", 50105: "access_denied", 65001: "consent_required"} {
		l.SetVerdict(Verdict{User: l.requester.ID, Number: n})
		l.browser = l.newBrowser()
		got := l.signIn(l.start(), l.requester, true)
		if got.Get("error") != want || !strings.Contains(got.Get("error_description"), "AADSTS"+itoa(n)) || got.Get("state") != "st-1" {
			t.Errorf("%d: %v", n, got)
		}
		l.SetVerdict(Verdict{User: l.requester.ID})
	}
	l.Turn(func(d *Dials) { d.ErrorsStay = true })
	l.SetVerdict(Verdict{Number: 53003})
	if p, err := l.browser.Open(l.start()); err != nil || !strings.Contains(p.Text, "AADSTS53003") {
		t.Errorf("the refusal did not stay: %v", err)
	}
	l.SetVerdict(Verdict{})
}

func TestConsent(t *testing.T) {
	l := newLogin(t)
	wants := strings.Replace(l.start(), sessionScope, "User.Read", 1)
	if got := l.signIn(wants, l.requester, true); got.Get("error") != "consent_required" || !strings.Contains(got.Get("error_description"), "AADSTS90094") {
		t.Errorf("a user without consent: %v", got)
	}
	l.browser = l.newBrowser()
	l.signIn(wants, l.owner, true)
	p := l.browser.Page()
	if p.Title != "Permissions requested" || !strings.Contains(p.Text, "https://graph.microsoft.com/User.Read") {
		t.Fatalf("no consent page: %s", p.Text)
	}
	if got := l.land(l.browser.Click("Accept")); got.Get("code") == "" {
		t.Errorf("accepted: %v", got)
	}
	l.browser = l.newBrowser()
	if got := l.signIn(wants, l.requester, true); got.Get("code") == "" {
		t.Errorf("the administrator's consent does not hold for others: %v", got)
	}
	l.browser = l.newBrowser()
	_, err := l.browser.Open(l.start())
	l.must(err)
	if got := l.land(l.browser.Click("Cancel")); got.Get("error") != "access_denied" {
		t.Errorf("cancelled: %v", got)
	}
}

func TestAssignmentRequiredAndDisabled(t *testing.T) {
	l := newLogin(t)
	res, err := l.redeemCode(l.signIn(l.start(), l.requester, true).Get("code"))
	l.must(err)
	l.must(l.ChangeApp(l.signin.ID, func(a *App) { a.Assigned = []string{l.approver.ID} }))
	l.browser = l.newBrowser()
	if got := l.signIn(l.start(), l.requester, true); !strings.Contains(got.Get("error_description"), "AADSTS50105") {
		t.Errorf("not assigned: %v", got)
	}
	l.must(l.ChangeApp(l.signin.ID, func(a *App) { a.Assigned = nil }))
	l.must(l.SetEnabled(l.requester.ID, false))
	l.browser = l.newBrowser()
	if got := l.signIn(l.start(), l.requester, true); !strings.Contains(got.Get("error_description"), "AADSTS50057") {
		t.Errorf("disabled: %v", got)
	}
	if r := l.call(res.AccessToken, "GET", base+"assignmentScheduleRequests/filterByCurrentUser(on='principal')", nil); r.status != 401 {
		t.Errorf("a disabled account's cp1 token still works: %d", r.status)
	}
	if r := l.call(l.as(l.requester), "GET", base+"assignmentScheduleRequests/filterByCurrentUser(on='principal')", nil); r.status != 200 {
		t.Errorf("a token without cp1 lives on: %d", r.status)
	}
}

func TestAuthorizeTrustsNoStranger(t *testing.T) {
	l := newLogin(t)
	for want, address := range map[string]string{
		"AADSTS700016": strings.Replace(l.start(), l.signin.ID, "11111111-1111-4111-8111-111111111111", 1),
		"AADSTS50011":  strings.Replace(l.start(), "pag.example", "evil.example", 1),
		"AADSTS90002":  strings.Replace(l.start(), l.Tenant(), "22222222-2222-4222-8222-222222222222", 1),
	} {
		p, err := l.browser.Open(address)
		l.must(err)
		if p.Status != 400 || !strings.Contains(p.Text, want) {
			t.Errorf("want %s: %d %s", want, p.Status, p.Text)
		}
	}
	for _, bad := range []string{strings.Replace(l.start(), "response_type=code", "response_type=token", 1), strings.Replace(l.start(), "S256", "plain", 1)} {
		if got := l.land(l.browser.Open(bad)); got.Get("error") != "invalid_request" {
			t.Errorf("%s: %v", bad, got)
		}
	}
}
