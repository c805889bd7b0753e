package app

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/slack-go/slack"

	"pagbot/graph"
)

// Lines are what a person reads of an error: one line a problem, each once.
func Lines(err error) []string {
	var all []string
	for _, e := range joined(err) {
		if line := oneLine(e); !slices.Contains(all, line) {
			all = append(all, line)
		}
	}
	return all
}

// joined takes what errors.Join joined apart.
func joined(err error) []error {
	if err == nil {
		return nil
	}
	many, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var all []error
	for _, e := range many.Unwrap() {
		all = append(all, joined(e)...)
	}
	return all
}

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

// plainSlack says why auth.test did not succeed.
func plainSlack(api string, err error) error {
	var no slack.SlackErrorResponse
	var status slack.StatusCodeError
	var throttled *slack.RateLimitedError
	switch {
	case errors.As(err, &no):
		switch no.Err {
		case "invalid_auth", "not_authed":
			return fmt.Errorf("slack.bot_token: Slack does not know this token (%s): copy the Bot User OAuth Token from OAuth & Permissions", no.Err)
		case "token_revoked", "token_expired", "account_inactive", "user_removed_from_team":
			return fmt.Errorf("slack.bot_token: Slack takes this token no more (%s): install the app again and copy the new token from OAuth & Permissions", no.Err)
		}
		return fmt.Errorf("slack.bot_token: Slack refuses it (%s): look the word up under api.slack.com/methods/auth.test", no.Err)
	case errors.As(err, &throttled):
		return fmt.Errorf("slack: too many calls: start again in %s", throttled.RetryAfter)
	case errors.As(err, &status):
		return fmt.Errorf("slack.api: %s answers HTTP %d: see status.slack.com, and the proxy on the way", api, status.Code)
	case errors.As(err, new(*url.Error)):
		return fmt.Errorf("slack.api: %s can't be reached (%s): open the way there (proxy, firewall, DNS)", api, unreached(err))
	}
	return fmt.Errorf("slack.api: what answers at %s is not Slack (%w): correct the address, or the proxy on the way", api, err)
}

// unreached is the part of a network error that says why.
func unreached(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return unreachedText(err.Error())
}

func unreachedText(s string) string {
	switch {
	case strings.Contains(s, context.DeadlineExceeded.Error()), strings.Contains(s, "Client.Timeout"):
		return "no answer in time"
	case strings.Contains(s, "x509:"):
		return "its certificate is not trusted: " + s[strings.Index(s, "x509:")+len("x509: "):]
	}
	return s
}

// plain wraps a credential so that its errors, which are pages, are a sentence.
func plain[C azcore.TokenCredential](c C, err error) (azcore.TokenCredential, error) {
	if err != nil {
		return nil, fmt.Errorf("entra.reader: %s", tokenTrouble(err))
	}
	return terse{c, make(chan struct{}, 1)}, nil
}

type terse struct {
	azcore.TokenCredential
	turn chan struct{} // the credential serves one at a time, and the next one deaf to its deadline
}

// GetToken implements azcore.TokenCredential.
func (t terse) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return azcore.AccessToken{}, &noToken{"Entra does not answer in time", true, ctx.Err()}
	}
	token, err := t.TokenCredential.GetToken(ctx, o)
	if err != nil {
		text := tokenTrouble(err)
		err = &noToken{text, strings.Contains(text, farAway), err}
	}
	return token, err
}

// noToken is an error in fewer words.
type noToken struct {
	text string
	far  bool // there was no answer
	err  error
}

func (n *noToken) Error() string { return n.text }
func (n *noToken) Unwrap() error { return n.err }

var (
	aadsts  = regexp.MustCompile(`(AADSTS\d+: .*?)(?:(?: |\\r\\n)(?:Trace|Correlation) ID:|"|$)`) // Entra has used spaces and lines
	calling = regexp.MustCompile(`(?:Get|Post|GET|POST) "?(https?://[^/"]+)[^ ]*: (.*)`)
	trailer = regexp.MustCompile(`\.? ?To troubleshoot, visit .*$`)
	prefix  = regexp.MustCompile(`^\w+Credential: `)
)

const farAway = "can't be reached"

// tokenTrouble cuts the sentence that helps out of azidentity's pages.
func tokenTrouble(err error) string {
	s := oneLine(err)
	if m := aadsts.FindStringSubmatch(s); m != nil {
		return m[1]
	}
	s = trailer.ReplaceAllString(s, "")
	if m := calling.FindStringSubmatch(s); m != nil {
		return fmt.Sprintf("%s %s (%s)", m[1], farAway, unreachedText(m[2]))
	}
	return unreachedText(prefix.ReplaceAllString(s, ""))
}

// plainGraph keeps of the reader's findings what helps at the start; Graph's
// own words are for the log.
func plainGraph(err error) error {
	var none *noToken
	switch {
	case errors.As(err, &none) && none.far:
		return fmt.Errorf("no token for the reader: %s: open the way there (proxy, firewall, DNS)", none.text)
	case errors.As(err, &none):
		return fmt.Errorf("no token for the reader: %s: check entra.reader and entra.tenant", strings.TrimSuffix(none.text, "."))
	}
	var f *graph.Fault
	inner := errors.Unwrap(err)
	if inner == nil || !errors.As(inner, &f) || f.Status == 0 {
		return err
	}
	return fmt.Errorf("%s (HTTP %d)", strings.TrimSuffix(err.Error(), " ("+inner.Error()+")"), f.Status)
}

// goType is how the decoder of the mapping names its own types.
var goType = regexp.MustCompile(` (?:not found in|into) (?:type )?(?:struct|\[\]struct|map|\[\]|\*|signin\.).*$`)

// plainPeople leaves Go's words out of what is wrong with the mapping.
func plainPeople(err error) error {
	s := strings.TrimPrefix(oneLine(err), "people: ")
	s = strings.TrimPrefix(s, "yaml: unmarshal errors: ")
	s = strings.TrimPrefix(s, "yaml: ")
	s = goType.ReplaceAllString(s, " does not belong here: an entry has person, slack and accounts, an account object and name")
	return errors.New(strings.ReplaceAll(s, "cannot unmarshal !!", "a "))
}
