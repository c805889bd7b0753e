package scim

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
)

// Caught by an outside reader: a 401 says how to come in (RFC 6750), and the
// service tells all that RFC 7643 has it tell of itself.
func TestWhatTheRFCsDemand(t *testing.T) {
	x := newWorld(t)
	rec := httptest.NewRecorder()
	x.Handler().ServeHTTP(rec, httptest.NewRequest("GET", "https://app.test/scim/v2/Groups", nil))
	if !strings.HasPrefix(rec.Header().Get("WWW-Authenticate"), "Bearer") || rec.Code != 401 {
		t.Errorf("%d %v", rec.Code, rec.Header())
	}
	r := httptest.NewRequest("GET", "https://app.test/scim/v2/ServiceProviderConfig", nil)
	r.Header.Set("Authorization", "Bearer the token")
	rec = httptest.NewRecorder()
	x.Handler().ServeHTTP(rec, r)
	var says map[string]any
	if err := json.Unmarshal(rec.Body.Bytes(), &says); err != nil {
		t.Fatal(err)
	}
	for _, needed := range []string{"patch", "bulk", "filter", "changePassword", "sort", "etag", "authenticationSchemes"} {
		if says[needed] == nil {
			t.Errorf("no %s in %s", needed, rec.Body)
		}
	}
}

// An attribute that nobody has is no empty list; ids mind their case, names do
// not; and nothing lies below a resource.
func TestUnknownAttributesAreRefused(t *testing.T) {
	x := newWorld(t)
	group := x.ids["group "+x.groups[0].Name]
	for path, want := range map[string]string{
		`/Groups?filter=nickName eq "x"`: "invalidFilter", `/Groups?filter=userName eq "x"`: "invalidFilter", `/Users?filter=displayName eq "x" and members eq "y"`: "invalidFilter",
		`/Groups?filter=displayname eq "` + x.groups[0].Name + `"`: `"totalResults":1`, `/Groups/` + group: `"id":"` + group, `/Groups/` + group + `/members`: `"status":"404"`,
		`/Groups?filter=id eq "` + group + `"`: `"totalResults":1`, `/Groups?filter=id eq "` + strings.ToUpper(group) + `"`: `"totalResults":0`, `/Groups?startIndex=x`: "invalidValue", `/Groups?count=all`: "invalidValue",
	} {
		r := httptest.NewRequest("GET", "https://app.test/scim/v2"+strings.ReplaceAll(strings.ReplaceAll(path, " ", "%20"), `"`, "%22"), nil)
		r.Header.Set("Authorization", "Bearer the token")
		rec := httptest.NewRecorder()
		if x.Handler().ServeHTTP(rec, r); !strings.Contains(rec.Body.String(), want) {
			t.Errorf("%s: %d %s", path, rec.Code, rec.Body)
		}
	}
}
