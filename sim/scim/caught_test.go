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
