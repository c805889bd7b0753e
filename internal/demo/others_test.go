package demo

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"pagbot/sim/entra"
)

// others founds a company and serves what is beside it.
func others(t testing.TB) (*Worlds, *Others) {
	w, err := Found(Place{Slack: "http://slack.test", Graph: "http://graph.test", Authority: "https://login.test", DevOps: "http://devops.test", Pages: "http://pages.test"}, Clocks{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	o, err := w.ServeOthers(Clocks{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(o.Close)
	if err := w.Entra.ChangeApp(w.Reader.ID, func(a *entra.App) {
		a.Roles = append(a.Roles, "DeviceManagementRBAC.Read.All", deviceAPI+"/Machine.Read.All")
	}); err != nil {
		t.Fatal(err)
	}
	return w, o
}

// get asks a system, as anybody's client would.
func get(t testing.TB, address, token string) int {
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	return res.StatusCode
}

// application gets a token for the reader.
func application(t testing.TB, w *Worlds, scope string) string {
	return tokenOf(t, w, w.Reader.ID, w.Reader.Secret, scope)
}

// tokenOf gets a token for an application.
func tokenOf(t testing.TB, w *Worlds, id, secret, scope string) string {
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {secret}, "scope": {scope}}
	r := httptest.NewRequest(http.MethodPost, "https://login.test/"+w.Entra.Tenant()+"/oauth2/v2.0/token", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	rec := httptest.NewRecorder()
	w.Entra.Authority().ServeHTTP(rec, r)
	var got struct {
		Token string `json:"access_token"`
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &got); err != nil || got.Token == "" {
		t.Fatalf("%s: %d %s", scope, rec.Code, rec.Body)
	}
	return got.Token
}

// questions are one of each system, but for AWS, where every one is signed.
var questions = map[string]string{
	"azure":      subscription + "/providers/Microsoft.Authorization/permissions?api-version=2022-04-01",
	"intune":     "/beta/deviceManagement/getAssignedRoleDetails",
	"defender":   "/api/machines",
	"scim":       "/scim/v2/Groups",
	"github":     "/orgs/contoso/teams/db-admins",
	"salesforce": "/services/data/v62.0/query?q=SELECT+Id+FROM+PermissionSet+WHERE+Name='DbAdmins'",
}

// Each system takes the tokens that are for it, no others, and has an oracle
// that knows the people of the group.
func TestOthersTakeTheirOwnTokens(t *testing.T) {
	w, o := others(t)
	graph := application(t, w, entra.GraphAudience+"/.default")
	for name, path := range questions {
		x := o.Systems[name]
		own, foreign := x.Token, graph
		if x.Scope != "" {
			own = application(t, w, x.Scope)
		}
		if name == "intune" {
			foreign = application(t, w, armAudience+"/.default")
		}
		if code := get(t, x.API+path, own); code != 200 {
			t.Errorf("%s: %d with its own token", name, code)
		}
		if code := get(t, x.API+path, foreign); code != 401 {
			t.Errorf("%s: %d with another's token", name, code)
		}
	}
	for name, key := range map[string]string{"azure": w.Groups[Releasers].ID, "intune": intuneRoleID, "defender": "responders", "scim": provisionedAs, "aws": provisionedAs, "github": "github", "salesforce": "salesforce"} {
		oracle := o.Systems[name].Manage + "oracle/" + url.PathEscape(key) + "/"
		if code := get(t, oracle+w.Account(Requester), ""); code != 200 {
			t.Errorf("%s: the oracle says %d", name, code)
		}
		if code := get(t, strings.Replace(oracle, url.PathEscape(key), "nobody", 1)+"x", ""); code != 404 {
			t.Errorf("%s: the oracle says %d of nothing", name, code)
		}
	}
}

// Graph shows the provisioning of those that are provisioned, to the application
// that owns them and to nobody else.
func TestProvisioningIsGraphs(t *testing.T) {
	w, o := others(t)
	x, graph := o.Systems["provisioning"], w.Handlers()[w.Place.Graph]
	for token, want := range map[string]int{
		application(t, w, x.Scope): 403,
		tokenOf(t, w, x.More["client_id"], x.More["client_secret"], x.Scope): 200,
	} {
		for _, app := range []string{"scim", "aws"} {
			r := httptest.NewRequest(http.MethodGet, w.Place.Graph+"/v1.0/servicePrincipals/"+x.More[app]+"/synchronization/jobs", nil)
			r.Header.Set("Authorization", "Bearer "+token)
			rec := httptest.NewRecorder()
			if graph.ServeHTTP(rec, r); rec.Code != want {
				t.Errorf("%s: %d, want %d", app, rec.Code, want)
			}
		}
	}
}
