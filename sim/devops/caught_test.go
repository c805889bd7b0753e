package devops

import (
	"strings"
	"testing"
)

// Caught by an outside reader: clients tell errors apart by their typeKey,
// which names the exception; only numbered errors have it in their message.
func TestErrorsNameTheirException(t *testing.T) {
	for key, want := range map[string][2]string{"TF400813": {"UnauthorizedRequestException", "TF400813: no"}, "VssResourceNotFoundException": {"VssResourceNotFoundException", "no"}} {
		body := trouble(400, key, "no").Body.(obj)
		name, _ := body["typeName"].(string)
		if body["typeKey"] != want[0] || body["message"] != want[1] || !strings.Contains(name, want[0]) {
			t.Errorf("%s: %v", key, body)
		}
	}
}

// What is in preview must be asked for as a preview, and a version is a number.
func TestPreviewsAreAskedFor(t *testing.T) {
	x := newWorld(t, nil)
	for v, want := range map[string]string{"7.2-preview.1": "", "7.2-preview": "", "7.1": "", "7.2": "VssInvalidPreviewVersionException", "latest": "VssVersionOutOfRangeException"} {
		rec := x.call(reader, "GET", dev+"securitynamespaces/"+Collection+"?api-version="+v, "")
		if want == "" && rec.Code != 200 || want != "" && (rec.Code != 400 || !strings.Contains(rec.Body.String(), want)) {
			t.Errorf("%s: %d %s", v, rec.Code, rec.Body)
		}
	}
}

// A word that is not in the service's list is refused, and so is a question
// about nobody: neither is an empty list, which would be taken for a no.
func TestUnknownWordsAreRefused(t *testing.T) {
	x := newWorld(t, nil)
	me, pca := x.requester(), x.o.pca
	const version = "&api-version=7.2-preview.1"
	for path, want := range map[string]int{
		vssps + "identities?searchFilter=General&filterValue=" + upn: 200, vssps + "identities?searchFilter=Foo&filterValue=" + upn: 400,
		vssps + "identities?searchFilter=General": 400, vssps + "identities?queryMembership=none": 400,
		vssps + "identities/" + me.ID + "/membersof/" + pca + "?queryMembership=expanded":     404, // no member yet
		vssps + "identities/" + me.ID + "/membersof/" + pca + "?queryMembership=transitively": 400,
		dev + "permissions/" + Collection + "/2?tokens=" + Token:                              200, dev + "permissions/" + pca + "/2?tokens=" + Token: 404,
	} {
		if rec := x.call(reader, "GET", path+version, ""); rec.Code != want {
			t.Errorf("%s: %d %s", path, rec.Code, rec.Body)
		}
	}
	ask := `{"evaluations":[{"securityNamespaceId":"` + Collection + `","token":"NAMESPACE:","permissions":2}]}`
	other := strings.Replace(ask, Collection, pca, 1)
	for _, c := range []struct {
		kind, body string
		want       int
	}{{"application/json; charset=utf-8", ask, 200}, {"application/json", other, 404}, {"text/plain", ask, 415}, {"", ask, 415}} {
		if rec := x.call(reader, "POST", dev+"security/permissionevaluationbatch?api-version=7.2-preview.1", c.body, c.kind); rec.Code != c.want {
			t.Errorf("%q %s: %d %s", c.kind, c.body, rec.Code, rec.Body)
		}
	}
	if rec := x.call(alice+" vso.code", "GET", dev+"securitynamespaces/"+Collection+"?"+version[1:], ""); rec.Code != 401 {
		t.Errorf("a person's token without user_impersonation: %d", rec.Code)
	}
}
