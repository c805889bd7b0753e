package saas

import (
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// What follows was caught by an outside reader; each test is named after its
// fact.

func (x *world) soqlOf(q string) (int, string) { return x.get(rows + url.QueryEscape(q)) }

// SOQL minds no line breaks, and answers with what was selected, no more.
func TestSOQLAnswersWhatWasSelected(t *testing.T) {
	x := newWorld(t)
	x.at = x.force.NextTick()
	const where = "\nWHERE Assignee.FederationIdentifier='a' AND PermissionSet.Name='DbAdmins'"
	for _, c := range []struct {
		fields    string
		has, lack []string
	}{
		{"Id,PermissionSet.Name,PermissionSetGroupId,IsActive,ExpirationDate", []string{`"IsActive":true`, `"ExpirationDate":null`, `"PermissionSetGroupId":null`, `"PermissionSet":{"Name":"DbAdmins"}`}, nil},
		{"Id", []string{`"Id":"0Pa1"`}, []string{"IsActive", "ExpirationDate", "PermissionSet"}},
		{"isactive", []string{`"IsActive":true`}, []string{`"Id"`}},
	} {
		code, body := x.soqlOf("SELECT " + c.fields + " FROM PermissionSetAssignment" + where)
		if code != 200 || !strings.Contains(body, `"totalSize":1`) {
			t.Errorf("%s: %d %s", c.fields, code, body)
		}
		for _, s := range c.has {
			if !strings.Contains(body, s) {
				t.Errorf("%s: no %s in %s", c.fields, s, body)
			}
		}
		for _, s := range c.lack {
			if strings.Contains(body, s) {
				t.Errorf("%s: %s in %s", c.fields, s, body)
			}
		}
	}
	if code, body := x.soqlOf("SELECT Id,Nonsense FROM PermissionSetAssignment" + where); code != 400 || !strings.Contains(body, "INVALID_FIELD") {
		t.Errorf("%d %s", code, body)
	}
}

// Salesforce's errors are lists with errorCode; only GitHub's are objects.
func TestSalesforceHasErrorsOfItsOwn(t *testing.T) {
	x := newWorld(t)
	r := httptest.NewRequest("GET", rows+"x", nil)
	rec := httptest.NewRecorder()
	x.Handler().ServeHTTP(rec, r)
	if rec.Code != 401 || !strings.Contains(rec.Body.String(), `[{"errorCode":"INVALID_SESSION_ID"`) {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	x.Turn(func(d *Dials) { d.Budget, d.Window = 1, time.Hour })
	_, _ = x.get(team)
	if code, body := x.get(rows + "x"); code != 403 || !strings.Contains(body, `[{"errorCode":"REQUEST_LIMIT_EXCEEDED"`) {
		t.Errorf("%d %s", code, body)
	}
	if code, body := x.get(team); code != 403 || !strings.Contains(body, `"message":"API rate limit exceeded"`) {
		t.Errorf("GitHub: %d %s", code, body)
	}
}

// A user has one profile: the group's, once Entra's cycle has brought it.
func TestSalesforceProfiles(t *testing.T) {
	x := newWorld(t)
	for _, want := range []string{ordinary, Profile} {
		if _, body := x.soqlOf("SELECT Profile.Name,IsActive FROM User WHERE FederationIdentifier='a'"); !strings.Contains(body, `"Profile":{"Name":"`+want+`"}`) || !strings.Contains(body, `"IsActive":true`) {
			t.Errorf("want %s: %s", want, body)
		}
		for _, name := range []string{ordinary, Profile} {
			if _, body := x.soqlOf("SELECT Id FROM User WHERE FederationIdentifier='a' AND Profile.Name='" + name + "' AND IsActive=true"); strings.Contains(body, `"totalSize":1`) != (name == want) {
				t.Errorf("has %s, asked for %s: %s", want, name, body)
			}
		}
		x.at = x.force.NextTick()
	}
	if _, body := x.soqlOf("SELECT Id FROM Profile WHERE Name='" + Profile + "'"); !strings.Contains(body, `"totalSize":1`) {
		t.Errorf("the profile itself: %s", body)
	}
}

// SOQL minds neither case nor spaces, and every condition counts: none is a
// silent "no", and none that is not understood is a silent "yes".
func TestSOQLConditionsCount(t *testing.T) {
	x := newWorld(t)
	x.at = x.force.NextTick()
	const mine = "Assignee.FederationIdentifier='a' AND PermissionSet.Name='DbAdmins'"
	for where, want := range map[string]string{
		mine: `"totalSize":1`, "assignee.federationidentifier = 'a'\nand permissionset.name = 'dbadmins'": `"totalSize":1`,
		mine + " AND IsActive = true": `"totalSize":1`, mine + " AND IsActive=false": `"totalSize":0`, mine + " AND ExpirationDate = null LIMIT 1": `"totalSize":1`,
		"PermissionSet.Name='DbAdmins'": `"totalSize":1`,
		"Assignee.FederationIdentifier='a' AND PermissionSet.Name='Other' AND Id='DbAdmins'": `"totalSize":0`,
		"Nonsense='x' AND " + mine:                                           "INVALID_FIELD",
		"Assignee.FederationIdentifier!='a' AND PermissionSet.Name='x'":      "MALFORMED_QUERY",
		"Assignee.FederationIdentifier='a' OR PermissionSet.Name='DbAdmins'": "MALFORMED_QUERY",
		"Assignee.FederationIdentifier='a":                                   "MALFORMED_QUERY",
		mine + ";":                                                           "MALFORMED_QUERY",
	} {
		if code, body := x.soqlOf("SELECT Id FROM PermissionSetAssignment WHERE " + where); !strings.Contains(body, want) || (code == 200) != strings.HasPrefix(want, `"`) {
			t.Errorf("%s: %d %s", where, code, body)
		}
	}
	if code, body := x.get("/services/data/v62.0/nothing"); code != 404 || !strings.Contains(body, `[{"errorCode":"NOT_FOUND"`) {
		t.Errorf("%d %s", code, body)
	}
}

// Who never signed in by SAML is not added by team sync, however long it takes.
func TestTeamSyncNeedsASignInBySAML(t *testing.T) {
	x := newWorld(t)
	x.at = x.github.NextTick()
	x.Turn(func(d *Dials) { d.Unlinked = true })
	if code, body := x.get(team + "/memberships/a_contoso"); code != 404 {
		t.Errorf("before: %d %s", code, body)
	}
	x.Turn(func(d *Dials) { d.Unlinked = false })
	if code, body := x.get(team + "/memberships/a_contoso"); code != 200 {
		t.Errorf("after: %d %s", code, body)
	}
}
