package keyvault

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// vault answers wrapkey and unwrapkey as Key Vault's REST interface does: the
// first call without a token is answered with a challenge.
type vault struct {
	mu       sync.Mutex
	versions []*rsa.PrivateKey
	forbid   bool
	calls    []string
	base     string
}

func (v *vault) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.mu.Lock()
	defer v.mu.Unlock()
	no := func(status int, code string) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"error":{"code":%q,"message":"no"}}`, code)
	}
	if r.Header.Get("Authorization") != "Bearer the-token" {
		w.Header().Set("WWW-Authenticate", `Bearer authorization="https://login.microsoftonline.com/6f0c9b1e-0d5e-4c3a-9a57-3f1d5f1f7a10", resource="https://vault.azure.net"`)
		no(401, "Unauthorized")
		return
	}
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	op := parts[len(parts)-1]
	version := len(v.versions)
	if len(parts) == 4 && parts[2] != "" {
		_, _ = fmt.Sscanf(parts[2], "%d", &version)
	}
	v.calls = append(v.calls, op)
	var in struct{ Alg, Value string }
	switch {
	case v.forbid:
		no(403, "Forbidden")
		return
	case parts[1] != "pagbot" || version > len(v.versions):
		no(404, "KeyNotFound")
		return
	case json.NewDecoder(r.Body).Decode(&in) != nil || in.Alg != "RSA-OAEP-256" || r.URL.Query().Get("api-version") == "":
		no(400, "BadParameter")
		return
	}
	key := v.versions[version-1]
	value, err := base64.RawURLEncoding.DecodeString(in.Value)
	if err == nil && op == "wrapkey" {
		value, err = rsa.EncryptOAEP(sha256.New(), rand.Reader, &key.PublicKey, value, nil)
	} else if err == nil {
		value, err = rsa.DecryptOAEP(sha256.New(), nil, key, value, nil)
	}
	if err != nil {
		no(400, "BadParameter")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"kid":"%s/keys/pagbot/%d","value":%q}`, v.base, version, base64.RawURLEncoding.EncodeToString(value))
}

// sign is a credential that knows one token.
type sign struct{ scopes []string }

func (s *sign) GetToken(_ context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	s.scopes = append(s.scopes, o.Scopes...)
	return azcore.AccessToken{Token: "the-token", ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// elsewhere sends what is for one host to another.
type elsewhere struct {
	client *http.Client
	to     string
}

func (e elsewhere) Do(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Host, r.Host = strings.TrimPrefix(e.to, "https://"), ""
	return e.client.Do(r)
}

const address = "https://contoso.vault.azure.net/keys/pagbot"

func open(t *testing.T) (*vault, *Vault, *sign) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	v := &vault{versions: []*rsa.PrivateKey{key}, base: "https://contoso.vault.azure.net"}
	s := httptest.NewTLSServer(v)
	t.Cleanup(s.Close)
	cred := &sign{}
	c, err := New(address, cred, azcore.ClientOptions{Transport: elsewhere{s.Client(), s.URL}, Retry: policy.RetryOptions{MaxRetries: -1}})
	if err != nil {
		t.Fatal(err)
	}
	return v, c, cred
}

func TestWrapAndUnwrap(t *testing.T) {
	v, c, cred := open(t)
	secret := bytes.Repeat([]byte{5}, 72)
	by, wrapped, err := c.Wrap(t.Context(), secret)
	if err != nil {
		t.Fatal(err)
	}
	if by != address+"/1" || bytes.Contains(wrapped, secret[:8]) {
		t.Errorf("wrapped by %s: %x", by, wrapped)
	}
	if cred.scopes[0] != "https://vault.azure.net/.default" {
		t.Errorf("asked for %v", cred.scopes)
	}
	// A newer version wraps; what the older wrapped still opens.
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	v.versions = append(v.versions, key)
	newer, again, err := c.Wrap(t.Context(), secret)
	if err != nil || newer != address+"/2" {
		t.Fatalf("%s %v", newer, err)
	}
	for by, wrapped := range map[string][]byte{by: wrapped, newer: again} {
		if got, err := c.Unwrap(t.Context(), by, wrapped); err != nil || !bytes.Equal(got, secret) {
			t.Errorf("%s: %x %v", by, got, err)
		}
	}
	if _, err := c.Unwrap(t.Context(), newer, wrapped); err == nil {
		t.Error("opened with another version's key")
	}
}

func TestRefusals(t *testing.T) {
	v, c, _ := open(t)
	_, wrapped, err := c.Wrap(t.Context(), []byte("secret"))
	if err != nil {
		t.Fatal(err)
	}
	for by, says := range map[string]string{
		"https://evil.example/keys/pagbot/1": "is configured",
		address:                              "is configured",
		address + "/1/../x":                  "is configured",
		address + "/9":                       "keep its older versions enabled",
	} {
		if _, err := c.Unwrap(t.Context(), by, wrapped); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", by, err)
		}
	}
	v.forbid = true
	if _, _, err := c.Wrap(t.Context(), []byte("x")); err == nil || !strings.Contains(err.Error(), "Key Vault Crypto Service Encryption User") || strings.Contains(err.Error(), "\n") {
		t.Errorf("forbidden: %v", err)
	}
}

func TestAddresses(t *testing.T) {
	for _, bad := range []string{"", "pagbot", "http://a.vault.azure.net/keys/k", "https://a.vault.azure.net/keys", "https://a.vault.azure.net/keys/k/1234", "https://a.vault.azure.net/secrets/k", "https://a.vault.azure.net/keys/k?x=1", "https://u@a.vault.azure.net/keys/k"} {
		if Valid(bad) == nil {
			t.Errorf("%q passed", bad)
		}
	}
	if err := Valid(address); err != nil {
		t.Error(err)
	}
}
