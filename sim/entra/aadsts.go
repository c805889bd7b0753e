package entra

import (
	"fmt"
	"time"
)

// authError is a refusal of the authority, by its AADSTS number.
type authError struct {
	number int
	text   string
	name   string // OAuth's, where it isn't the number's
}

func trouble(number int, text string) *authError { return &authError{number: number, text: text} }

// names are the OAuth errors that go with the numbers, at the token endpoint.
var oauth = map[int]string{
	700016: "unauthorized_client", 7000215: "invalid_client", 7000222: "invalid_client", 700027: "invalid_client", 7000218: "invalid_client",
	50011: "invalid_request", 90002: "invalid_request", 900144: "invalid_request", 900561: "invalid_request", 9000411: "invalid_request", 1002012: "invalid_scope", 70003: "unsupported_grant_type", 70011: "invalid_scope",
	500011: "invalid_resource", 501481: "invalid_grant", 54005: "invalid_grant", 70008: "invalid_grant", 9002313: "invalid_grant",
	50057: "invalid_grant", 50105: "invalid_grant", 53003: "invalid_grant", 530036: "invalid_grant", 50173: "invalid_grant",
	700082: "invalid_grant", 70043: "invalid_grant", 65001: "invalid_grant", 50076: "interaction_required", 50079: "interaction_required",
	50058: "login_required", 65004: "access_denied", 90094: "consent_required", 65002: "invalid_grant", 50196: "invalid_grant",
	70016: "authorization_pending", 70018: "bad_verification_code", 70019: "expired_token", 53000: "interaction_required", 53001: "interaction_required",
	700025: "invalid_client", 9002325: "invalid_request",
}

// backNames are those that differ when the browser carries them to the app.
var backNames = map[int]string{53003: "access_denied", 50105: "access_denied", 50057: "access_denied", 65001: "consent_required"}

var texts = map[int]string{
	53003:  "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.",
	530036: "The refresh token was refused by the authentication flows check.",
	50057:  "The user account is disabled.",
	50076:  "Due to a configuration change made by your administrator, or because you moved to a new location, you must use multi-factor authentication to access the resource.",
	50079:  "The user must enroll in multi-factor authentication to access the resource.",
	50105:  "The signed in user is not assigned to a role for the application. Your administrator has configured the application to block users unless they are specifically granted access.",
	50173:  "The provided grant has expired due to it being revoked, a fresh auth token is needed.",
	65001:  "The user or administrator has not consented to use the application. Send an interactive authorization request for this user and resource.",
	50196:  "The server terminated an operation because it encountered a client request loop.",
	53000:  "Device is not in required device state: {state}. Conditional Access policy requires a compliant device, and the device is not compliant.",
	53001:  "Device is not in required device state: {state}. Conditional Access policy requires a domain joined device, and the device is not domain joined.",
	65002:  "Consent between first party application and first party resource must be configured via preauthorization.",
	70016:  "OAuth 2.0 device flow error. Authorization is pending. Continue polling.",
	65004:  "User declined to consent to access the app.",
	70043:  "The refresh token has expired or is invalid due to sign-in frequency checks by Conditional Access.",
	90094:  "Admin consent is required for the permissions requested by this application.",
	700082: "The refresh token has expired due to inactivity.",
}

func (e *authError) describe(w *World, now time.Time) (text, trace, correlation string) {
	trace, correlation = w.guid(), w.guid()
	words := orElse(e.text, texts[e.number])
	return fmt.Sprintf("AADSTS%d: %s\r\nTrace ID: %s\r\nCorrelation ID: %s\r\nTimestamp: %s", e.number, words, trace, correlation,
		now.UTC().Format("2006-01-02 15:04:05Z")), trace, correlation
}

// tokenError is the token endpoint's body. Refusals are 400, bad client
// credentials 401.
func (w *World) tokenError(e *authError, now time.Time) answer {
	text, trace, correlation := e.describe(w, now)
	name := orElse(w.oauthName(e), "invalid_grant")
	status := 400
	if name == "invalid_client" {
		status = 401
	}
	return answer{status: status, code: fmt.Sprintf("AADSTS%d", e.number), header: jsonHeader,
		body: obj{"error": name, "error_description": text, "error_codes": []int{e.number}, "timestamp": now.UTC().Format("2006-01-02 15:04:05Z"),
			"trace_id": trace, "correlation_id": correlation, "error_uri": fmt.Sprintf("https://login.microsoftonline.com/error?code=%d", e.number)}}
}

// unwell is the token endpoint in trouble: OAuth's body, whatever the status.
func (w *World) unwell(f Fault, status int) answer {
	a := w.tokenError(trouble(90033, orElse(f.Message, "A transient error has occurred. Please try again.")), w.wire())
	a.status = status
	a.header = map[string]string{"Content-Type": jsonHeader["Content-Type"]}
	if f.RetryAfter != "" {
		a.header["Retry-After"] = f.RetryAfter
	}
	a.body.(obj)["error"] = orElse(f.Code, "temporarily_unavailable")
	return a
}

var jsonHeader = map[string]string{"Content-Type": "application/json; charset=utf-8"}

// Verdict is a refusal of the authority that is set for an account, an app or
// both: 53003 (Conditional Access), 50076, 50173 and so on.
type Verdict struct {
	User    string `json:"user,omitempty"` // "" everybody
	App     string `json:"app,omitempty"`  // "" every app
	Number  int    `json:"number"`         // AADSTS; 0 lifts the verdicts for this user and app
	Refresh bool   `json:"refresh"`        // only refreshes are refused, not sign-ins
}

// SetVerdict sets a verdict.
func (w *World) SetVerdict(v Verdict) {
	w.enter()
	defer w.mu.Unlock()
	kept := w.auth.verdicts[:0]
	for _, o := range w.auth.verdicts {
		if v.Number != 0 || o.User != v.User || o.App != v.App {
			kept = append(kept, o)
		}
	}
	if v.Number != 0 {
		kept = append(kept, v)
	}
	w.auth.verdicts = kept
}

// oauthName is the OAuth error of a refusal. Where the book doesn't know which
// one goes with a number, the dial decides.
func (w *World) oauthName(e *authError) string {
	return orElse(e.name, orElse(w.dials.Names[e.number], oauth[e.number]))
}

// barred tells what stands against a person's token for an app.
func (w *World) barred(s visit) *authError {
	a, u := s.app, s.in.user
	for _, v := range w.auth.verdicts {
		if (v.User == "" || v.User == u.ID) && (v.App == "" || v.App == a.ID) && (s.refresh || !v.Refresh) {
			return trouble(v.Number, "")
		}
	}
	if u.Disabled {
		return trouble(50057, "")
	}
	if e := w.conditions(s); e != nil {
		return e
	}
	if a.Assigned == nil {
		return nil
	}
	for _, id := range a.Assigned {
		if id == u.ID {
			return nil
		}
	}
	return trouble(50105, "")
}
