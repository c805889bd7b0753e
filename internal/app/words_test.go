package app

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"

	"github.com/slack-go/slack"
)

// TestTokenTrouble reads azidentity's pages as they come.
func TestTokenTrouble(t *testing.T) {
	const rule = "\n--------------------------------------------------------------------------------\n"
	for _, c := range []struct{ name, is, want string }{
		{"refused", "ClientSecretCredential authentication failed. \nPOST https://login.test/t/oauth2/v2.0/token" + rule + "RESPONSE 401: 401 Unauthorized" + rule +
			`{ "error_description": "AADSTS7000222: The provided client secret keys for app 'x' are expired. Trace ID: a Correlation ID: b Timestamp: c" }` + rule + "To troubleshoot, visit https://aka.ms/x",
			"AADSTS7000222: The provided client secret keys for app 'x' are expired."},
		{"in lines", `{ "error_description": "AADSTS7000222: The provided client secret keys are expired.\r\nTrace ID: a\r\nCorrelation ID: b\r\nTimestamp: c" }`,
			"AADSTS7000222: The provided client secret keys are expired."},
		{"without a trace", `{"error_description":"AADSTS53003: Blocked."}`, "AADSTS53003: Blocked."},
		{"no way", "ClientSecretCredential: unable to resolve an endpoint: server response error:\n Get \"https://login.test/t/v2.0/.well-known/openid-configuration?\": dial tcp: lookup login.test: no such host. To troubleshoot, visit https://aka.ms/x#y",
			"https://login.test can't be reached (dial tcp: lookup login.test: no such host)"},
		{"late", "ClientSecretCredential: unable to resolve an endpoint: server response error:\n context deadline exceeded. To troubleshoot, visit https://aka.ms/x", "no answer in time"},
		{"no identity here", "ManagedIdentityCredential: failed to authenticate a system assigned identity. To troubleshoot, visit https://aka.ms/x", "failed to authenticate a system assigned identity"},
	} {
		if got := tokenTrouble(errors.New(c.is)); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestLines(t *testing.T) {
	one, two := errors.New("one"), errors.New("two,\n  in\tlines")
	for want, err := range map[string]error{"": nil, "one": one, "one|two, in lines": errors.Join(one, errors.Join(two, one)), "so: one": fmt.Errorf("so: %w", one)} {
		if got := strings.Join(Lines(err), "|"); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestPlainListen: each of the system's refusals says what to do.
func TestPlainListen(t *testing.T) {
	for err, want := range map[syscall.Errno]string{syscall.EADDRINUSE: "stop that one", syscall.EACCES: "above 1023", syscall.EADDRNOTAVAIL: "no address of this machine", syscall.EMFILE: "can't listen on :1"} {
		if got := plainListen(":1", err).Error(); !strings.HasPrefix(got, "signin.listen: ") || !strings.Contains(got, want) {
			t.Errorf("%v: %q", err, got)
		}
	}
}

// TestPlainSlack asks servers that are not Slack, or Slack in a bad mood.
func TestPlainSlack(t *testing.T) {
	for name, c := range map[string]struct {
		status       int
		header, body string
		want         string
	}{
		"page":      {200, "", "<html>", "slack.api: what answers at {} is not Slack ("},
		"down":      {503, "", "", "slack.api: {} answers HTTP 503: see status.slack.com"},
		"throttled": {429, "7", "", "slack: too many calls: start again in 7s"},
		"unknown":   {200, "", `{"ok":false,"error":"ekm_access_denied"}`, "slack.bot_token: Slack refuses it (ekm_access_denied)"},
		"expired":   {200, "", `{"ok":false,"error":"token_expired"}`, "slack.bot_token: Slack takes this token no more (token_expired)"},
	} {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if c.header != "" {
					w.Header().Set("Retry-After", c.header)
				}
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.body))
			}))
			defer s.Close()
			api := slack.New("xoxb-secret", slack.OptionAPIURL(s.URL+"/"))
			_, err := api.AuthTestContext(t.Context())
			got := plainSlack(s.URL+"/", err).Error()
			if want := strings.Replace(c.want, "{}", s.URL+"/", 1); !strings.HasPrefix(got, want) || strings.Contains(got, "xoxb") {
				t.Errorf("%q, want %q", got, want)
			}
		})
	}
}
