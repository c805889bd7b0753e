package graph

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"pagbot/activation"
)

// Fault is why a call to Graph did not succeed.
type Fault struct {
	Status int // HTTP; 0: there was no answer
	Code   string
	Text   string        // Graph's message
	Rules  []string      // of PIM's policy, that failed
	Claims string        // decoded JSON: what Entra wants of the person first
	After  time.Duration // Retry-After
	Ref    string        // Graph's request id
	Err    error         // what broke, if Graph did not say
}

// Error implements error, for logs.
func (f *Fault) Error() string {
	parts := []string{"graph"}
	if f.Status != 0 {
		parts = append(parts, strconv.Itoa(f.Status))
	}
	for _, s := range []string{f.Code, f.Text} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	if f.Err != nil {
		parts = append(parts, f.Err.Error())
	}
	if f.Ref != "" {
		parts = append(parts, "request "+f.Ref)
	}
	return strings.Join(parts, ": ")
}

// Unwrap gives what broke.
func (f *Fault) Unwrap() error { return f.Err }

// Passing reports whether the same read may succeed soon.
func (f *Fault) Passing() bool {
	var none *tokenError
	return f.Status == http.StatusTooManyRequests || f.Status >= 500 || f.Status == 0 && !errors.As(f.Err, &none)
}

// unsure reports whether a write may have been done although its answer was
// not a success: no answer, a broken one, or a server's own failure.
func (f *Fault) unsure() bool {
	var none *tokenError
	return (f.Status < 400 || f.Status >= 500) && !errors.As(f.Err, &none)
}

// asFault reads any error of this package.
func asFault(err error) *Fault {
	var f *Fault
	if errors.As(err, &f) {
		return f
	}
	return &Fault{Err: err}
}

func noAnswer(err error) *Fault {
	var u *url.Error
	if errors.As(err, &u) {
		err = fmt.Errorf("no answer: %w", u.Err) // without the address, which names people
	}
	return &Fault{Err: err}
}

// explain reads an answer that is no success. Bodies come in two shapes, empty,
// as HTML, with a string or nothing where the error should be.
func explain(a answer) *Fault {
	f := &Fault{Status: a.status, After: retryAfter(a.header, time.Now())}
	f.Claims = challenge(a.header[challengeHeader])
	var body struct{ Error json.RawMessage }
	var e struct {
		Code, Message string
		InnerError    struct {
			RequestID string `json:"request-id"`
		}
	}
	if json.Unmarshal(a.body, &body) == nil && json.Unmarshal(body.Error, &e) != nil {
		_ = json.Unmarshal(body.Error, &e.Message) // {"error":"boom"}; anything else stays empty
	}
	f.Code, f.Text, f.Ref = e.Code, e.Message, e.InnerError.RequestID
	if strings.HasPrefix(strings.TrimSpace(f.Text), "{") {
		var in struct{ ErrorCode, Message string }
		if json.Unmarshal([]byte(f.Text), &in) == nil && in.ErrorCode != "" {
			f.Code, f.Text = in.ErrorCode, in.Message
		}
	}
	if f.Text == "" && f.Code == "" {
		f.Text = http.StatusText(a.status)
	}
	f.Rules = rulesIn(f.Code, f.Text)
	if c := claimsIn(f.Text); c != "" && isAcrs(f.Code) {
		f.Claims = c
	}
	return f
}

// isAcrs matches a part of the code: that of groups was never captured.
func isAcrs(code string) bool { return strings.Contains(code, "AcrsValidationFailed") }

// claimsIn reads PIM's "&claims=%7B…".
func claimsIn(text string) string {
	_, rest, ok := strings.Cut(text, "claims=")
	if !ok {
		return ""
	}
	rest, _, _ = strings.Cut(rest, "&")
	c, err := url.PathUnescape(rest) // a plus is a plus
	if err != nil || !isObject(c) {
		return ""
	}
	return c
}

var claimsPart = regexp.MustCompile(`claims\s*=\s*"?([A-Za-z0-9+/_=-]+)"?`)

// challenge reads the claims of a 401: base64, with or without padding and quotes.
func challenge(headers []string) string {
	for _, h := range headers {
		m := claimsPart.FindStringSubmatch(h)
		if m == nil {
			continue
		}
		text := strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(m[1], "="))
		if c, err := base64.RawStdEncoding.DecodeString(text); err == nil && isObject(string(c)) {
			return string(c)
		}
	}
	return ""
}

func isObject(s string) bool {
	var o map[string]json.RawMessage
	return json.Unmarshal([]byte(s), &o) == nil && o != nil
}

// rulesIn reads `The following policy rules failed: ["A","B"]`.
func rulesIn(code, text string) []string {
	var rules []string
	if i := strings.IndexByte(text, '['); i >= 0 && code == "RoleAssignmentRequestPolicyValidationFailed" {
		_ = json.NewDecoder(strings.NewReader(text[i:])).Decode(&rules)
	}
	if strings.HasSuffix(code, "RuleViolated") {
		rules = []string{code}
	}
	return rules
}

// retryAfter reads seconds, also fractions of them, or a date.
func retryAfter(h http.Header, now time.Time) time.Duration {
	s := h.Get("Retry-After")
	if n, err := strconv.ParseFloat(s, 64); err == nil && n > 0 && n < 1e6 {
		return time.Duration(n * float64(time.Second))
	}
	if t, err := http.ParseTime(s); err == nil && t.After(now) {
		return t.Sub(now)
	}
	return 0
}

// words translates Graph's codes. A code that is not here is Broken.
var words = map[string]activation.Code{
	"RoleAssignmentExists":                 activation.AlreadyActive,
	"RoleAssignmentRequestExists":          activation.AlreadyPending,
	"PendingRoleAssignmentRequest":         activation.AlreadyPending,
	"ConcurrentActivationInProgress":       activation.AlreadyPending,
	"RoleAssignmentApprovalRequired":       activation.AlreadyPending,
	"ActiveDurationTooShort":               activation.TooShort,
	"InvalidRoleAssignmentRequestSchedule": activation.RulesFailed,
	"StartTimeInPast":                      activation.RulesFailed,
	"InvalidStartDateTime":                 activation.RulesFailed,
	"RoleAssignmentDoesNotExist":           activation.NotActive,
	"EligibilityNotFound":                  activation.NotEligible,
	"PermissionScopeNotGranted":            activation.ConsentMissing,
	"Authorization_RequestDenied":          activation.PermissionNeeded,
	"InsufficientPermissions":              activation.PermissionNeeded,
	"UnauthorizedAccessException":          activation.PermissionNeeded,
	"AadPremiumLicenseRequired":            activation.LicenceMissing,
}

// oneRule translates a policy rule that failed alone.
var oneRule = map[string]activation.Code{
	"JustificationRule": activation.ReasonMissing,
	"TicketingRule":     activation.TicketMissing,
	"MfaRule":           activation.NeedsMFA,
	"ExpirationRule":    activation.TooLong,
	"EligibilityRule":   activation.NotEligible,
}

// Refusal is the fault in pagbot's words.
func (f *Fault) Refusal() activation.Refusal {
	return activation.Refusal{Code: f.code(), Rules: f.Rules, Ref: f.Ref, Text: f.Error()}
}

func (f *Fault) code() activation.Code {
	switch {
	case f.Status == http.StatusTooManyRequests:
		return activation.Throttled
	case f.Status == 0 || f.Status >= 500 || f.Status < 400:
		return activation.Unavailable
	case isAcrs(f.Code):
		return activation.NeedsContext
	case f.Status == http.StatusUnauthorized && f.Claims != "":
		return activation.BlockedByPolicy
	case len(f.Rules) == 1 && oneRule[f.Rules[0]] != "":
		return oneRule[f.Rules[0]]
	case len(f.Rules) > 0 || f.Code == "RoleAssignmentRequestPolicyValidationFailed":
		return activation.RulesFailed
	case words[f.Code] != "":
		return words[f.Code]
	case f.Status == http.StatusForbidden:
		return activation.PermissionNeeded
	}
	return activation.Broken
}

// RetryAfter is how long Graph asked to be left alone, in wire time.
func (f *Fault) RetryAfter() time.Duration { return f.After }
