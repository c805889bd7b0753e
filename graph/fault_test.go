package graph

import (
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"pagbot/activation"
)

func TestExplain(t *testing.T) {
	const acrs = `{"access_token":{"acrs":{"essential":true, "value":"c1"}}}`
	cases := []struct {
		name   string
		status int
		body   string
		want   Fault
		code   activation.Code
	}{
		{"plain", 400, `{"error":{"code":"RoleAssignmentRequestPolicyValidationFailed","message":"The following policy rules failed: [\"JustificationRule\"]","innerError":{"date":"…","request-id":"r-1"}}}`,
			Fault{Code: "RoleAssignmentRequestPolicyValidationFailed", Text: `The following policy rules failed: ["JustificationRule"]`, Rules: []string{"JustificationRule"}, Ref: "r-1"}, activation.ReasonMissing},
		{"wrapped", 403, `{"error":{"code":"UnknownError","message":"{\"errorCode\":\"PermissionScopeNotGranted\",\"message\":\"missing permission scope X.\"}"}}`,
			Fault{Code: "PermissionScopeNotGranted", Text: "missing permission scope X."}, activation.ConsentMissing},
		{"acrs, wrapped", 400, `{"error":{"code":"UnknownError","message":"{\"errorCode\":\"RoleAssignmentRequestAcrsValidationFailed\",\"message\":\"&claims=%7B%22access_token%22%3A%7B%22acrs%22%3A%7B%22essential%22%3Atrue%2C%20%22value%22%3A%22c1%22%7D%7D%7D\"}"}}`,
			Fault{Code: "RoleAssignmentRequestAcrsValidationFailed", Text: "&claims=%7B%22access_token%22%3A%7B%22acrs%22%3A%7B%22essential%22%3Atrue%2C%20%22value%22%3A%22c1%22%7D%7D%7D", Claims: acrs}, activation.NeedsContext},
		{"acrs of another name", 400, `{"error":{"code":"GroupAssignmentRequestAcrsValidationFailed","message":"claims=%7B%7D&x"}}`,
			Fault{Code: "GroupAssignmentRequestAcrsValidationFailed", Text: "claims=%7B%7D&x", Claims: "{}"}, activation.NeedsContext},
		{"string", 500, `{"error":"boom"}`, Fault{Text: "boom"}, activation.Unavailable},
		{"bare", 400, `{}`, Fault{Text: "Bad Request"}, activation.Broken},
		{"no message", 400, `{"error":{"code":"RoleNotFound"}}`, Fault{Code: "RoleNotFound"}, activation.Broken},
		{"null", 404, `{"error":null}`, Fault{Text: "Not Found"}, activation.Broken},
		{"empty", 403, ``, Fault{Text: "Forbidden"}, activation.PermissionNeeded},
		{"html", 502, `<html>Bad gateway</html>`, Fault{Text: "Bad Gateway"}, activation.Unavailable},
		{"throttled", 429, `{"error":{"code":"TooManyRequests","message":"slow"}}`, Fault{Code: "TooManyRequests", Text: "slow"}, activation.Throttled},
		{"two rules", 400, `{"error":{"code":"RoleAssignmentRequestPolicyValidationFailed","message":"The following policy rules failed: [\"EligibilityRule\",\"ExpirationRule\"]"}}`,
			Fault{Code: "RoleAssignmentRequestPolicyValidationFailed", Text: `The following policy rules failed: ["EligibilityRule","ExpirationRule"]`, Rules: []string{"EligibilityRule", "ExpirationRule"}}, activation.RulesFailed},
		{"an unknown rule", 400, `{"error":{"code":"MoonPhaseRuleViolated","message":"no"}}`,
			Fault{Code: "MoonPhaseRuleViolated", Text: "no", Rules: []string{"MoonPhaseRuleViolated"}}, activation.RulesFailed},
	}
	for _, c := range cases {
		got := explain(answer{status: c.status, header: http.Header{}, body: []byte(c.body)})
		c.want.Status = c.status
		if !reflect.DeepEqual(*got, c.want) {
			t.Errorf("%s:\n got %+v\nwant %+v", c.name, *got, c.want)
		}
		if r := got.Refusal(); r.Code != c.code || r.Text == "" {
			t.Errorf("%s: %+v", c.name, r)
		}
	}
}

// Every code of the book has a word of ours.
func TestCodes(t *testing.T) {
	for code, want := range words {
		for _, body := range []string{`{"error":{"code":"` + code + `","message":"m"}}`, `{"error":{"code":"UnknownError","message":"{\"errorCode\":\"` + code + `\",\"message\":\"m\"}"}}`} {
			if got := explain(answer{status: 400, header: http.Header{}, body: []byte(body)}).Refusal(); got.Code != want {
				t.Errorf("%s: %+v", code, got)
			}
		}
	}
	for rule, want := range oneRule {
		body := `{"error":{"code":"RoleAssignmentRequestPolicyValidationFailed","message":"The following policy rules failed: [\"` + rule + `\"]"}}`
		if got := explain(answer{status: 400, header: http.Header{}, body: []byte(body)}).Refusal(); got.Code != want || len(got.Rules) != 1 {
			t.Errorf("%s: %+v", rule, got)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for s, want := range map[string]time.Duration{"": 0, "0": 0, "1": time.Second, "0.9": 900 * time.Millisecond, "3600": time.Hour, "-5": 0, "soon": 0, "1e300": 0, "NaN": 0,
		"Thu, 01 Jan 2026 00:01:00 GMT": time.Minute, "Wed, 31 Dec 2025 00:01:00 GMT": 0} {
		if got := retryAfter(http.Header{"Retry-After": {s}}, now); got != want {
			t.Errorf("%q: %v, not %v", s, got, want)
		}
	}
}

func FuzzExplain(f *testing.F) {
	for _, s := range []string{"", "{}", `{"error":"boom"}`, `{"error":{"code":1}}`, `{"error":{"message":"{"}}`, `{"error":{"code":"AcrsValidationFailed","message":"claims=%zz&"}}`,
		`{"error":{"code":"RoleAssignmentRequestPolicyValidationFailed","message":"failed: [1"}}`, "<html>", `[]`, `{"error":{"innerError":7,"code":"RoleAssignmentExists"}}`} {
		f.Add(400, s, `Bearer claims="eyJ9"`)
	}
	f.Fuzz(func(t *testing.T, status int, body, header string) {
		got := explain(answer{status: status, header: http.Header{challengeHeader: {header}, "Retry-After": {header}}, body: []byte(body)})
		if got.Status != status || got.Error() == "" || got.Refusal().Code == "" || got.After < 0 {
			t.Errorf("%+v", got)
		}
		if got.Claims != "" && !strings.HasPrefix(strings.TrimSpace(got.Claims), "{") {
			t.Errorf("claims %q", got.Claims)
		}
		got.Passing()
		if got.unsure() != (status < 400 || status >= 500) {
			t.Errorf("%d unsure: %v", status, got.unsure())
		}
	})
}
