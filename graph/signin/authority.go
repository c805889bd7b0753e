package signin

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/cache"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"

	"pagbot/activation"
)

// blob is a cache of one client, and so of one person: msal keeps one
// partition for everybody who shares a client.
type blob struct{ data []byte }

// Replace implements cache.ExportReplace.
func (b *blob) Replace(_ context.Context, c cache.Unmarshaler, _ cache.ReplaceHints) error {
	if len(b.data) == 0 {
		return nil
	}
	return c.Unmarshal(b.data)
}

// Export implements cache.ExportReplace.
func (b *blob) Export(_ context.Context, c cache.Marshaler, _ cache.ExportHints) (err error) {
	b.data, err = c.Marshal()
	return err
}

// newClient makes a client on a cache of its own.
func (c Config) newClient(b *blob) (confidential.Client, error) {
	return confidential.New(c.Authority, c.Client, c.Credential,
		confidential.WithCache(b),
		confidential.WithHTTPClient(c.HTTP),
		confidential.WithInstanceDiscovery(!c.NoDiscovery),
		// Without CP1, PIM refuses a token although it carries the context.
		confidential.WithClientCapabilities([]string{"CP1"}))
}

// authorize is where the browser goes to sign in. msal's URL has neither
// state nor nonce nor PKCE.
func (s *Service) authorize(ctx context.Context, f *flow, state string) (string, error) {
	scopes := append([]string{"openid", "profile", "offline_access"}, s.cfg.Scopes...)
	var opts []confidential.AuthCodeURLOption
	if f.who.Name != "" {
		opts = append(opts, confidential.WithLoginHint(f.who.Name))
	}
	if f.claims != "" {
		opts = append(opts, confidential.WithClaims(f.claims))
	}
	raw, err := f.client.AuthCodeURL(ctx, s.cfg.Client, s.redirect(), scopes, opts...)
	if err != nil {
		return "", err
	}
	u, err := url.Parse(raw)
	if err != nil {
		return "", err
	}
	q := u.Query()
	sum := sha256.Sum256([]byte(f.verifier))
	q.Set("state", state)
	q.Set("nonce", f.nonce)
	q.Set("code_challenge", encode(sum[:]))
	q.Set("code_challenge_method", "S256")
	q.Set("response_mode", "query")
	switch {
	case f.fresh:
		q.Set("prompt", "login")
	case f.who.Name == "":
		q.Set("prompt", "select_account") // which of several is the person's choice
	}
	u.RawQuery = q.Encode()
	return u.String(), nil
}

func (s *Service) redirect() string { return s.cfg.URL + "/callback" }

// idClaims is what we read of the id token. It came from the token endpoint
// over TLS, in answer to our own secret and verifier, which is what makes it
// true; nobody checks its signature.
type idClaims struct {
	Tenant   string `json:"tid"`
	Object   string `json:"oid"`
	Name     string `json:"preferred_username"`
	Audience string `json:"aud"`
	Nonce    string `json:"nonce"`
	AuthTime int64  `json:"auth_time"`
}

// redeem exchanges the code and finds out who signed in.
func (s *Service) redeem(ctx context.Context, f *flow, code string) (idClaims, error) {
	opts := []confidential.AcquireByAuthCodeOption{confidential.WithChallenge(f.verifier)}
	if f.claims != "" {
		opts = append(opts, confidential.WithClaims(f.claims))
	}
	res, err := f.client.AcquireTokenByAuthCode(ctx, code, s.redirect(), s.cfg.Scopes, opts...)
	if err != nil {
		return idClaims{}, wireError(err)
	}
	id, err := readIDToken(res.IDToken.RawToken)
	if err != nil {
		return idClaims{}, err
	}
	f.home = res.Account.HomeAccountID
	f.token = Token{Value: res.AccessToken, Expires: res.ExpiresOn, Tenant: id.Tenant, Object: id.Object}
	return id, nil
}

func readIDToken(raw string) (idClaims, error) {
	var id idClaims
	parts := strings.Split(raw, ".")
	if len(parts) < 2 {
		return id, errors.New("the authority sent no id token: does the registration allow openid?")
	}
	b, err := decode(strings.TrimRight(parts[1], "="))
	if err != nil || json.Unmarshal(b, &id) != nil {
		return id, errors.New("the authority sent an id token that cannot be read")
	}
	return id, nil
}

// failure is a no from the authority, reduced to what is safe to log: msal's
// own texts can hold requests, answers and tokens.
type failure struct {
	word string // OAuth's error, when the browser brought it
	code string // AADSTS number
}

func (f failure) Error() string {
	switch {
	case f.code != "":
		return "the authority answered AADSTS" + f.code
	case f.word != "":
		return "the authority answered " + f.word
	}
	return "the authority could not be reached or understood"
}

var (
	aadsts = regexp.MustCompile(`AADSTS(\d{4,7})`)
	words  = regexp.MustCompile(`^[a-z_]{1,40}$`)
	oauth  = regexp.MustCompile(`"error"\s*:\s*"([a-z_]{1,40})"`)
)

// wireError reduces an error of msal.
func wireError(err error) error {
	var f failure
	if m := aadsts.FindStringSubmatch(err.Error()); m != nil {
		f.code = m[1]
	}
	if m := oauth.FindStringSubmatch(err.Error()); m != nil {
		f.word = m[1]
	}
	return f
}

// browserError reduces the error that a browser brought back.
func browserError(q url.Values) failure {
	var f failure
	if words.MatchString(q.Get("error")) {
		f.word = q.Get("error")
	}
	if m := aadsts.FindStringSubmatch(q.Get("error_description")); m != nil {
		f.code = m[1]
	}
	if q.Get("error_subcode") == "cancel" {
		f.word = "cancelled"
	}
	return f
}

// final reports whether asking again without the person is pointless.
func (f failure) final() bool {
	return f.code != "" || slices.Contains([]string{"invalid_grant", "interaction_required", "consent_required", "login_required"}, f.word)
}

// Proof of presence: how old a sign-in may be, and how far clocks may differ.
const (
	freshFor = 10 * time.Minute
	skew     = 2 * time.Minute
)

// recent reports whether the person was really asked, just now.
func (id idClaims) recent(now time.Time) bool {
	at := time.Unix(id.AuthTime, 0)
	return id.AuthTime > 0 && now.Sub(at) <= freshFor && at.Sub(now) <= skew
}

// claimsFor is what to ask Entra for: what it asked of us, or the
// authentication context that the role settings are known to want.
func claimsFor(a activation.Activation, p activation.Pending) string {
	if p.Claims != "" || p.Warrant.Deed != activation.Submit || a.Settings.Context == "" {
		return p.Claims
	}
	b, err := json.Marshal(map[string]any{"access_token": map[string]any{
		"acrs": map[string]any{"essential": true, "value": a.Settings.Context}}})
	if err != nil {
		panic(err) // strings only
	}
	return string(b)
}

// sameClaims compares two claims requests as JSON, whatever their spelling.
func sameClaims(a, b string) bool {
	var x, y any
	if json.Unmarshal([]byte(a), &x) != nil || json.Unmarshal([]byte(b), &y) != nil {
		return a == b
	}
	p, errP := json.Marshal(x)
	q, errQ := json.Marshal(y)
	return errP == nil && errQ == nil && string(p) == string(q)
}
