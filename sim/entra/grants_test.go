package entra

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// tokenCall posts a form to the token endpoint.
func (l *login) tokenCall(form ...string) reply {
	l.t.Helper()
	res, err := l.server.Client().PostForm(l.server.URL+"/"+l.Tenant()+"/oauth2/v2.0/token", func() url.Values { v, _ := url.ParseQuery(query(form...)); return v }())
	l.must(err)
	return replied(l.t, res)
}

func replied(t *testing.T, res *http.Response) reply {
	t.Helper()
	defer func() { _ = res.Body.Close() }()
	out := reply{status: res.StatusCode, header: res.Header}
	if err := json.NewDecoder(res.Body).Decode(&out.body); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestRefreshTokens(t *testing.T) {
	l := newLogin(t)
	code := l.signIn(l.start(), l.requester, true).Get("code")
	who := []string{"client_id", l.signin.ID, "client_secret", l.signin.Secret}
	first := l.tokenCall(append(who, "grant_type", "authorization_code", "code", code, "redirect_uri", l.signin.Redirects[0], "code_verifier", verifier, "scope", "openid offline_access")...)
	token, _ := first.body["refresh_token"].(string)
	if first.status != 200 || token == "" {
		t.Fatalf("no refresh token: %v", first.body)
	}
	refresh := func(token, scope string) reply {
		return l.tokenCall(append(who, "grant_type", "refresh_token", "refresh_token", token, "scope", scope+" openid offline_access")...)
	}
	second := refresh(token, sessionScope)
	if second.status != 200 || second.body["refresh_token"] == token {
		t.Errorf("not rotated: %v", second.body)
	}
	// An old session's MFA satisfies an authentication context in silence,
	// until the dial makes it ask. (MSAL's confidential client won't send claims
	// with a refresh token; other clients do.)
	stepUp := func() reply {
		return l.tokenCall(append(who, "grant_type", "refresh_token", "refresh_token", token, "scope", sessionScope, "claims", challengeClaims)...)
	}
	if r := stepUp(); r.status != 200 || strs(l.claims(r.body["access_token"].(string))["acrs"])[0] != "c1" {
		t.Errorf("step-up by refresh: %v", r.body)
	}
	l.Turn(func(d *Dials) { d.StepUpAsks = true })
	if r := stepUp(); r.body["error"] != "interaction_required" || r.body["error_codes"].([]any)[0] != 50076.0 {
		t.Errorf("the dial did not ask for interaction: %v", r.body)
	}
	if again := refresh(token, sessionScope); again.status != 200 {
		t.Errorf("the old token was revoked, but the service leaves it: %v", again.body)
	}
	if other := refresh(token, DevOpsAudience+"/user_impersonation"); other.status != 400 || other.body["error_codes"].([]any)[0] != 65001.0 {
		t.Errorf("another resource without consent: %v", other.body)
	}
	l.must(l.ChangeApp(l.signin.ID, func(a *App) { a.Delegated = append(a.Delegated, DevOpsAudience+"/user_impersonation") }))
	if other := refresh(token, DevOpsAudience+"/user_impersonation"); other.status != 200 {
		t.Errorf("another resource: %v", other.body)
	} else if c, err := l.Verify(other.body["access_token"].(string), DevOpsAudience); err != nil || c["scp"] != "user_impersonation" {
		t.Errorf("another resource's token: %v %v", c, err)
	}
	l.SetVerdict(Verdict{User: l.requester.ID, Number: 50173, Refresh: true})
	if r := refresh(token, sessionScope); r.body["error"] != "invalid_grant" || r.status != 400 {
		t.Errorf("revoked: %v", r.body)
	}
	l.SetVerdict(Verdict{User: l.requester.ID})
	l.pass(91 * 24 * time.Hour)
	if r := refresh(token, sessionScope); r.body["error_codes"].([]any)[0] != 700082.0 {
		t.Errorf("after 91 days: %v", r.body)
	}
}

func TestTokenEndpointRefusals(t *testing.T) {
	l := newLogin(t)
	for _, c := range []struct {
		form   []string
		status int
		number float64
	}{
		{[]string{"client_id", "nobody", "client_secret", "x", "grant_type", "client_credentials"}, 400, 700016},
		{[]string{"client_id", l.reader.ID, "client_secret", "wrong", "grant_type", "client_credentials"}, 401, 7000215},
		{[]string{"client_id", l.reader.ID, "grant_type", "client_credentials"}, 401, 7000218},
		{[]string{"client_id", l.reader.ID, "client_secret", l.reader.Secret, "grant_type", "password"}, 400, 70003},
		{[]string{"client_id", l.reader.ID, "client_secret", l.reader.Secret, "grant_type", "client_credentials", "scope", "https://graph.microsoft.com/User.Read.All"}, 400, 1002012},
		{[]string{"client_id", l.reader.ID, "client_secret", l.reader.Secret, "grant_type", "client_credentials", "scope", "https://other.example/.default"}, 400, 500011},
	} {
		if r := l.tokenCall(c.form...); r.status != c.status || r.body["error_codes"].([]any)[0] != c.number {
			t.Errorf("%v: %d %v", c.form, r.status, r.body)
		}
	}
	l.Inject(Fault{Path: "/token", Do: DoStatus, Status: 500, Times: 1})
	if r := l.tokenCall("client_id", l.reader.ID); r.status != 500 {
		t.Errorf("fault: %d", r.status)
	}
}

func TestClientCredentialsWithAzidentity(t *testing.T) {
	l := newLogin(t)
	options := azcore.ClientOptions{Transport: l.server.Client(), Cloud: cloud.Configuration{ActiveDirectoryAuthorityHost: l.server.URL}}
	secret, err := azidentity.NewClientSecretCredential(l.Tenant(), l.reader.ID, l.reader.Secret,
		&azidentity.ClientSecretCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: true})
	l.must(err)
	key, cert := certificate(t)
	l.must(l.ChangeApp(l.reader.ID, func(a *App) { a.Certificates = []*x509.Certificate{cert} }))
	certified, err := azidentity.NewClientCertificateCredential(l.Tenant(), l.reader.ID, []*x509.Certificate{cert}, key,
		&azidentity.ClientCertificateCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: true})
	l.must(err)
	for _, cred := range []azcore.TokenCredential{secret, certified} {
		token, err := cred.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://graph.microsoft.com/.default"}, EnableCAE: true})
		l.must(err)
		if r := l.call(token.Token, "GET", base+"eligibilityScheduleInstances?$filter=groupId eq '"+l.group.ID+"'", nil); len(r.rows()) != 1 {
			t.Errorf("%d %s", r.status, r.raw)
		}
	}
	token, err := secret.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{DevOpsAudience + "/.default"}})
	l.must(err)
	if _, err := l.Verify(token.Token, DevOpsAudience); err != nil {
		t.Error(err)
	}
	if r := l.call(token.Token, "GET", "/v1.0/groups/"+l.group.ID, nil); r.status != 401 {
		t.Errorf("Graph took another resource's token: %d", r.status)
	}
	l.must(l.ChangeApp(l.reader.ID, func(a *App) { a.Certificates = nil }))
	again, _ := azidentity.NewClientCertificateCredential(l.Tenant(), l.reader.ID, []*x509.Certificate{cert}, key,
		&azidentity.ClientCertificateCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: true})
	if _, err := again.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://graph.microsoft.com/.default"}}); err == nil {
		t.Error("an unregistered certificate was taken")
	}
}

func certificate(t *testing.T) (*rsa.PrivateKey, *x509.Certificate) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	model := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, model, model, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return key, cert
}

// payload is the readable middle of a JWT.
func payload(jwt string) string {
	parts := strings.Split(jwt, ".")
	if len(parts) != 3 {
		return "not a JWT: " + jwt
	}
	b, _ := b64.DecodeString(parts[1])
	return string(b)
}
