package entra

import (
	"net/url"
	"strings"
	"testing"
	"time"
)

// number is the AADSTS number of a token endpoint's refusal; 0 for none.
func (r reply) number() int {
	if all, ok := r.body["error_codes"].([]any); ok {
		return int(all[0].(float64))
	}
	return 0
}

// landsWith signs in with a browser's ticks and returns what the app got.
func (l *login) landsWith(u User, ticks ...string) url.Values {
	l.t.Helper()
	l.browser = l.newBrowser()
	_, err := l.browser.Open(l.start())
	l.must(err)
	l.must(l.browser.Fill("account", u.UPN))
	for _, name := range ticks {
		l.must(l.browser.Fill(name, "yes"))
	}
	return l.land(l.browser.Submit("Sign in"))
}

func TestConditionalAccess(t *testing.T) {
	l := newLogin(t)
	for _, c := range []struct {
		policy  Policy
		good    []string
		number  int // of a sign-in without
		renewed int // of a refresh, when the policy comes after the sign-in
	}{
		{Policy{Compliant: true}, []string{"compliant"}, 53000, 53000},
		{Policy{Joined: true, App: l.signin.ID}, []string{"joined"}, 53001, 53001},
		{Policy{From: []string{"203.0.113."}}, nil, 53003, 53003},
		{Policy{MFA: true, User: l.requester.ID}, []string{"mfa"}, 0, 50076}, // the page asks on
	} {
		before := l.landsWith(l.requester)
		r := l.tokenCall(append(l.who(), "grant_type", "authorization_code", "code", before.Get("code"), "redirect_uri", l.signin.Redirects[0], "code_verifier", verifier, "scope", "offline_access")...)
		lift := l.AddPolicy(c.policy)
		got := l.landsWith(l.requester)
		if want := "AADSTS" + itoa(c.number); c.number != 0 && !strings.Contains(got.Get("error_description"), want) || c.number == 0 && got != nil {
			t.Errorf("%+v: %v", c.policy, got)
		}
		if c.good != nil && l.landsWith(l.requester, c.good...).Get("code") == "" {
			t.Errorf("%+v: refused what satisfies it", c.policy)
		}
		if got := l.refresh(r.body["refresh_token"].(string)); got.number() != c.renewed {
			t.Errorf("%+v: refresh: %v", c.policy, got.body)
		}
		lift()
		if got := l.refresh(r.body["refresh_token"].(string)); got.status != 200 {
			t.Errorf("%+v: lifted: %v", c.policy, got.body)
		}
	}
	l.AddPolicy(Policy{Compliant: true, User: l.approver.ID})
	l.AddPolicy(Policy{Compliant: true, Context: "c9"})
	if l.landsWith(l.requester).Get("code") == "" {
		t.Error("a policy for others, or for a context that nobody asked for, struck")
	}
}

func TestUnregisteredForMFA(t *testing.T) {
	l := newLogin(t)
	bare := l.AddUser(User{UPN: "new@contoso.example", NoMFA: true})
	l.AddPolicy(Policy{MFA: true})
	if got := l.landsWith(bare, "mfa"); !strings.Contains(got.Get("error_description"), "AADSTS50079") {
		t.Errorf("%v", got)
	}
}

// A context may ask for more than a second factor.
func TestContextPolicy(t *testing.T) {
	l := newLogin(t)
	r := l.tokens(l.requester)
	token := r.body["refresh_token"].(string)
	l.AddPolicy(Policy{Context: "c1", Compliant: true})
	if got := l.refresh(token); got.status != 200 {
		t.Errorf("without the context: %v", got.body)
	}
	if got := l.refresh(token, "claims", challengeClaims); got.number() != 53000 {
		t.Errorf("with it: %v", got.body)
	}
}

func TestSignInFrequency(t *testing.T) {
	l := newLogin(t)
	l.AddPolicy(Policy{Frequency: time.Hour})
	r := l.tokens(l.requester)
	l.pass(2 * time.Hour)
	if got := l.land(l.browser.Open(l.start())); got != nil {
		t.Errorf("an old session passed: %v", got)
	}
	if got := l.refresh(r.body["refresh_token"].(string)); got.status != 200 {
		t.Errorf("a confidential client's refresh waits for the next sign-in: %v", got.body)
	}
	inBubble(t, func(p *phone) {
		p.AddPolicy(Policy{Frequency: time.Hour})
		token := p.deviceToken()
		time.Sleep(2 * time.Hour)
		if r := p.renew(token); r.number() != 70043 || r.body["error"] != "invalid_grant" {
			t.Errorf("a public client's does not: %v", r.body)
		}
	})
}

// deviceToken signs the requester in by device code: the refresh token.
func (p *phone) deviceToken() string {
	p.t.Helper()
	begun := p.form("devicecode", url.Values{"client_id": {p.app.ID}, "scope": {sessionScope + " offline_access"}})
	_, err := p.browser.Open(begun.body["verification_uri"].(string))
	p.must(err)
	p.must(p.browser.Fill("otc", begun.body["user_code"].(string)))
	_, err = p.browser.Submit("Next")
	p.must(err)
	p.signIn(p.requester, "mfa", "compliant")
	_, err = p.browser.Submit("Continue")
	p.must(err)
	r := p.form("token", url.Values{"grant_type": {"device_code"}, "client_id": {p.app.ID}, "device_code": {begun.body["device_code"].(string)}})
	token, _ := r.body["refresh_token"].(string)
	return token
}

func (p *phone) renew(token string) reply {
	return p.form("token", url.Values{"grant_type": {"refresh_token"}, "client_id": {p.app.ID}, "refresh_token": {token}, "scope": {sessionScope + " offline_access"}})
}

func TestDeviceCodeIsBlocked(t *testing.T) {
	inBubble(t, func(p *phone) {
		token := p.deviceToken()
		next := p.renew(token)
		p.AddPolicy(Policy{NoDeviceCode: true})
		// The session stays tracked through every refresh.
		for _, token := range []string{token, next.body["refresh_token"].(string)} {
			if r := p.renew(token); r.number() != 530036 || r.body["error"] != "invalid_grant" {
				t.Errorf("a policy that came later: %v", r.body)
			}
		}
		for _, name := range []string{"access_denied", "invalid_grant"} {
			p.Turn(func(d *Dials) { d.Names = map[int]string{53003: name} })
			d := p.code()
			if text := p.browser.Page().Text; !strings.Contains(text, "AADSTS53003") {
				t.Fatalf("not blocked: %s", text)
			}
			if _, err := d.AuthenticationResult(p.t.Context()); err == nil || !strings.Contains(err.Error(), `"error":"`+name+`"`) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// A device code tells nothing of the device that shows it.
func TestDeviceCodeIsNeverCompliant(t *testing.T) {
	inBubble(t, func(p *phone) {
		token := p.deviceToken()
		p.AddPolicy(Policy{Compliant: true})
		if r := p.renew(token); r.number() != 53000 {
			t.Errorf("%v", r.body)
		}
	})
}

func TestTokenLives(t *testing.T) {
	l := newLogin(t)
	life := func(more ...string) time.Duration {
		return time.Duration(l.tokens(l.requester, more...).body["expires_in"].(float64)) * time.Second
	}
	if d := life(); d != 3599*time.Second {
		t.Errorf("usually %v", d)
	}
	l.Turn(func(d *Dials) { d.TokenLife = 0 })
	for range 5 {
		if d := life(); d < time.Hour || d > 90*time.Minute {
			t.Errorf("drawn: %v", d)
		}
		if d := life("claims", cp1Claims); d < 20*time.Hour || d > 28*time.Hour {
			t.Errorf("with cp1: %v", d)
		}
	}
}

func TestLoopsAreDetected(t *testing.T) {
	l := newLogin(t)
	token := l.tokens(l.requester).body["refresh_token"].(string)
	l.Turn(func(d *Dials) { d.Loop = 3 })
	for range 3 {
		if r := l.refresh(token); r.status != 200 {
			t.Fatalf("%v", r.body)
		}
	}
	if r := l.refresh(token); r.number() != 50196 {
		t.Errorf("the fourth: %v", r.body)
	}
	l.pass(6 * time.Minute)
	if r := l.refresh(token); r.status != 200 {
		t.Errorf("later: %v", r.body)
	}
}

func TestFirstParty(t *testing.T) {
	l := newLogin(t)
	token := l.tokens(l.requester).body["refresh_token"].(string)
	l.must(l.ChangeApp(l.signin.ID, func(a *App) { a.FirstParty, a.Delegated = true, []string{"User.Read"} }))
	if r := l.refresh(token); r.number() != 65002 {
		t.Errorf("%v", r.body)
	}
	if got := l.land(l.browser.Open(l.start())); !strings.Contains(got.Get("error_description"), "AADSTS65002") {
		t.Errorf("%v", got)
	}
}
