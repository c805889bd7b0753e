package entra

import (
	"crypto/tls"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"

	"pagbot/sim/browser"
	"pagbot/sim/pipe"
)

// served is a client of a tenant's two hosts, over TLS in memory.
type served struct {
	*http.Client
	shut func()
}

func serve(x *tenant) served {
	hosts := http.NewServeMux()
	hosts.Handle("login.test/", x.Authority())
	hosts.Handle("graph.test/", x.Graph())
	certs := httptest.NewUnstartedServer(nil)
	certs.StartTLS()
	config := certs.TLS.Clone()
	certs.Close()
	l := pipe.Listen()
	stop := pipe.Serve(tls.NewListener(l, config), hosts)
	transport := &http.Transport{DialContext: l.Dial, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	return served{&http.Client{Transport: transport}, func() {
		transport.CloseIdleConnections()
		stop()
	}}
}

func TestADayInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newTenantAt(t, time.Now)
		x.approval()
		client := serve(x)
		defer client.shut()
		secret, err := confidential.NewCredFromSecret(x.signin.Secret)
		x.must(err)
		msal, err := confidential.New("https://login.test/"+x.Tenant(), x.signin.ID, secret, confidential.WithHTTPClient(client.Client), confidential.WithInstanceDiscovery(false))
		x.must(err)
		address, err := msal.AuthCodeURL(t.Context(), x.signin.ID, x.signin.Redirects[0], []string{sessionScope})
		x.must(err)
		b := browser.New(&http.Client{Transport: landing{client.Transport}})
		_, err = b.Open(address)
		x.must(err)
		x.must(b.Fill("account", x.requester.UPN))
		p, err := b.Submit("Sign in")
		x.must(err)
		res, err := msal.AcquireTokenByAuthCode(t.Context(), p.URL.Query().Get("code"), x.signin.Redirects[0], []string{sessionScope})
		x.must(err)
		signedIn := x.claimsOf(res.AccessToken)["auth_time"]

		time.Sleep(3 * time.Hour) // the token is over: MSAL refreshes, the sign-in stays old
		again, err := msal.AcquireTokenSilent(t.Context(), []string{sessionScope}, confidential.WithSilentAccount(res.Account))
		x.must(err)
		if again.AccessToken == res.AccessToken || x.claimsOf(again.AccessToken)["auth_time"] != signedIn {
			t.Error("not refreshed, or refreshed into a new sign-in")
		}
		r, err := http.NewRequest("POST", "https://graph.test"+base+"assignmentScheduleRequests", strings.NewReader(x.body(selfActivate, "PT2H")))
		x.must(err)
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+again.AccessToken)
		created, err := client.Do(r)
		x.must(err)
		_ = created.Body.Close()
		if created.StatusCode != 201 {
			t.Fatalf("created: %d", created.StatusCode)
		}
		time.Sleep(20 * time.Hour)
		x.must(x.Portal(x.second.ID).Decide(x.requests.all[0].id, true, "the next morning"))
		time.Sleep(2 * time.Second)
		if !x.Member(x.group.ID, x.requester.ID, time.Now()) {
			t.Error("no member after the approval")
		}
		time.Sleep(2 * time.Hour)
		if x.Member(x.group.ID, x.requester.ID, time.Now()) {
			t.Error("still a member two hours later")
		}
	})
}

func (x *tenant) claimsOf(token string) map[string]any {
	x.t.Helper()
	c, err := x.Verify(token, GraphAudience)
	x.must(err)
	return c
}

func (x *tenant) body(action, length string) string {
	return string(must(json.Marshal(x.request(action, length, "INC1"))))
}
