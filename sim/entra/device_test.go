package entra

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"pagbot/sim/browser"
)

// phone is a public client of a bubble's tenant, by MSAL, and a browser.
type phone struct {
	*tenant
	served
	app     App
	msal    public.Client
	browser *browser.Browser
}

func inBubble(t *testing.T, f func(*phone)) {
	synctest.Test(t, func(t *testing.T) {
		x := newTenantAt(t, time.Now)
		p := &phone{tenant: x, served: serve(x)}
		defer p.shut()
		p.app = x.AddApp(App{Name: "a tool", Public: true, Delegated: []string{sessionScope}, Redirects: []string{"http://localhost/back"}})
		var err error
		p.msal, err = public.New(p.app.ID, public.WithAuthority("https://login.test/"+x.Tenant()), public.WithHTTPClient(p.Client),
			public.WithInstanceDiscovery(false), public.WithClientCapabilities([]string{"CP1"}))
		x.must(err)
		p.browser = browser.New(&http.Client{Transport: landing{p.Transport}})
		f(p)
	})
}

// code begins a sign-in by device code and opens the page.
func (p *phone) code() public.DeviceCode {
	p.t.Helper()
	d, err := p.msal.AcquireTokenByDeviceCode(p.t.Context(), []string{sessionScope})
	p.must(err)
	_, err = p.browser.Open(d.Result.VerificationURL)
	p.must(err)
	p.must(p.browser.Fill("otc", strings.ToLower(d.Result.UserCode)))
	_, err = p.browser.Submit("Next")
	p.must(err)
	return d
}

func (p *phone) signIn(u User, tick ...string) *browser.Page {
	p.t.Helper()
	p.must(p.browser.Fill("account", u.UPN))
	for _, name := range tick {
		p.must(p.browser.Fill(name, "yes"))
	}
	page, err := p.browser.Submit("Sign in")
	p.must(err)
	return page
}

func (p *phone) form(path string, v url.Values) reply {
	p.t.Helper()
	res, err := p.PostForm("https://login.test/"+p.Tenant()+"/oauth2/v2.0/"+path, v)
	p.must(err)
	return replied(p.t, res)
}

func TestDeviceCodeWithMSAL(t *testing.T) {
	inBubble(t, func(p *phone) {
		d := p.code()
		if page := p.signIn(p.requester, "mfa"); !strings.Contains(page.Title, "Are you trying to sign in to a tool?") {
			t.Fatalf("not asked: %s", page.Text)
		}
		got := make(chan public.AuthResult, 1)
		go func() {
			r, err := d.AuthenticationResult(p.t.Context())
			if err != nil {
				t.Error(err)
			}
			got <- r
		}()
		time.Sleep(time.Minute)
		if page, err := p.browser.Submit("Continue"); err != nil || !strings.Contains(page.Text, "You may now close this window") {
			t.Fatalf("%v %v", page, err)
		}
		r := <-got
		c := p.claimsOf(r.AccessToken)
		if c["oid"] != p.requester.ID || strs(c["amr"])[1] != "mfa" || r.Account.HomeAccountID != p.requester.ID+"."+p.Tenant() {
			t.Errorf("claims %v", c)
		}
		again, err := p.msal.AcquireTokenSilent(p.t.Context(), []string{sessionScope}, public.WithSilentAccount(r.Account), public.WithClaims(challengeClaims))
		p.must(err)
		if c := p.claimsOf(again.AccessToken); c["acrs"] != nil {
			t.Error("a device code's session satisfied an authentication context")
		}
		p.Turn(func(d *Dials) { d.DeviceAcrs = true })
		again, err = p.msal.AcquireTokenSilent(p.t.Context(), []string{sessionScope}, public.WithSilentAccount(r.Account), public.WithClaims(challengeClaims))
		p.must(err)
		if c := p.claimsOf(again.AccessToken); strs(c["acrs"])[0] != "c1" {
			t.Error("by dial it does")
		}
		for _, h := range p.History() {
			if strings.Contains(h.Body, d.Result.DeviceCode) || strings.Contains(h.Body, d.Result.UserCode) {
				t.Errorf("a code in the history: %+v", h)
			}
		}
	})
}

func TestDeviceCodeIsDeclined(t *testing.T) {
	inBubble(t, func(p *phone) {
		d := p.code()
		p.signIn(p.requester)
		page, err := p.browser.Submit("Cancel")
		p.must(err)
		if !strings.Contains(page.Text, "AADSTS65004") {
			t.Error(page.Text)
		}
		if _, err := d.AuthenticationResult(p.t.Context()); err == nil || !strings.Contains(err.Error(), "authorization_declined") {
			t.Errorf("declined: %v", err)
		}
		p.browser = browser.New(p.Client)
		d = p.code()
		p.must(p.browser.Fill("account", "nobody"))
		if page, err := p.browser.Submit("Cancel"); err != nil || page.Status != 400 {
			t.Errorf("%v %v", page, err)
		}
		if _, err := d.AuthenticationResult(p.t.Context()); err == nil || !strings.Contains(err.Error(), "access_denied") {
			t.Errorf("cancelled before: %v", err)
		}
	})
}

func TestDeviceCodeExpires(t *testing.T) {
	inBubble(t, func(p *phone) {
		d, err := p.msal.AcquireTokenByDeviceCode(p.t.Context(), []string{sessionScope})
		p.must(err)
		// MSAL stops at its own deadline, and says so in Go's words.
		if _, err := d.AuthenticationResult(p.t.Context()); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("MSAL: %v", err)
		}
		time.Sleep(time.Second)
		poll := url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "client_id": {p.app.ID}, "device_code": {d.Result.DeviceCode}}
		if r := p.form("token", poll); r.status != 400 || r.body["error"] != "expired_token" || r.body["error_codes"].([]any)[0] != 70019.0 {
			t.Errorf("expired: %v", r.body)
		}
		_, err = p.browser.Open(d.Result.VerificationURL)
		p.must(err)
		p.must(p.browser.Fill("otc", d.Result.UserCode))
		if page, err := p.browser.Submit("Next"); err != nil || !strings.Contains(page.Text, "That code didn't work") {
			t.Errorf("%v %v", page, err)
		}
		poll.Set("device_code", "guessed")
		if r := p.form("token", poll); r.body["error"] != "bad_verification_code" {
			t.Errorf("unknown: %v", r.body)
		}
	})
}

func TestDeviceCodePolling(t *testing.T) {
	inBubble(t, func(p *phone) {
		begun := p.form("devicecode", url.Values{"client_id": {p.app.ID}, "scope": {sessionScope + " openid offline_access"}})
		if begun.body["interval"] != 5.0 || begun.body["expires_in"] != 900.0 || begun.body["verification_uri_complete"] != nil {
			t.Fatalf("begun: %v", begun.body)
		}
		poll := url.Values{"grant_type": {"device_code"}, "client_id": {p.app.ID}, "device_code": {begun.body["device_code"].(string)}}
		says := func(want string, number float64) {
			t.Helper()
			if r := p.form("token", poll); r.status != 400 || r.body["error"] != want || r.body["error_codes"].([]any)[0] != number {
				t.Errorf("want %s: %v", want, r.body)
			}
		}
		says("authorization_pending", 70016)
		says("authorization_pending", 70016)
		p.Turn(func(d *Dials) { d.SlowDown = true })
		says("slow_down", 70016)
		time.Sleep(5 * time.Second)
		says("authorization_pending", 70016)
		_, err := p.browser.Open(begun.body["verification_uri"].(string))
		p.must(err)
		p.must(p.browser.Fill("otc", begun.body["user_code"].(string)))
		_, err = p.browser.Submit("Next")
		p.must(err)
		p.signIn(p.requester)
		_, err = p.browser.Submit("Continue")
		p.must(err)
		if r := p.form("token", poll); r.status != 200 || r.body["refresh_token"] == nil || r.body["id_token"] == nil {
			t.Errorf("done: %v", r.body)
		}
		says("invalid_grant", 54005)
		// An app that does not allow public client flows gets no device code without its secret.
		if r := p.form("devicecode", url.Values{"client_id": {p.signin.ID}, "scope": {sessionScope}}); r.body["error_codes"].([]any)[0] != 7000218.0 {
			t.Errorf("a confidential client: %v", r.body)
		}
		for _, bad := range []url.Values{{"client_id": {p.app.ID}}, {"client_id": {"none"}, "scope": {"x"}}, {"client_id": {p.app.ID}, "scope": {"https://other.example/x"}},
			{"client_id": {p.app.ID}, "scope": {"x"}, "claims": {"{"}}} {
			if r := p.form("devicecode", bad); r.status != 400 {
				t.Errorf("%v: %v", bad, r.body)
			}
		}
	})
}

// azidentity's credential goes the same way, and keeps its person.
func TestDeviceCodeWithAzidentity(t *testing.T) {
	inBubble(t, func(p *phone) {
		shown := make(chan azidentity.DeviceCodeMessage, 1)
		cred, err := azidentity.NewDeviceCodeCredential(&azidentity.DeviceCodeCredentialOptions{TenantID: p.Tenant(), ClientID: p.app.ID, DisableInstanceDiscovery: true,
			ClientOptions: azcore.ClientOptions{Transport: p.Client, Cloud: cloud.Configuration{ActiveDirectoryAuthorityHost: "https://login.test/"}},
			UserPrompt:    func(_ context.Context, m azidentity.DeviceCodeMessage) error { shown <- m; return nil }})
		p.must(err)
		got := make(chan azcore.AccessToken, 1)
		go func() {
			token, err := cred.GetToken(p.t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://graph.microsoft.com/" + sessionScope}, EnableCAE: true})
			if err != nil {
				p.t.Error(err)
			}
			got <- token
		}()
		m := <-shown
		_, err = p.browser.Open(m.VerificationURL)
		p.must(err)
		p.must(p.browser.Fill("otc", m.UserCode))
		_, err = p.browser.Submit("Next")
		p.must(err)
		p.signIn(p.requester)
		_, err = p.browser.Submit("Continue")
		p.must(err)
		if c := p.claimsOf((<-got).Token); c["oid"] != p.requester.ID || strs(c["xms_cc"])[0] != "cp1" {
			p.t.Errorf("claims %v", c)
		}
	})
}
