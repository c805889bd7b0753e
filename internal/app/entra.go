package app

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	azcloud "github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
	"github.com/slack-go/slack"

	"pagbot/activation"
	"pagbot/bot"
	"pagbot/downstream"
	"pagbot/graph/signin"
	"pagbot/store"
)

func (c *Config) authority() string {
	a := c.Entra.Authority
	if a == "" {
		a = c.Entra.cloud().authority
	}
	return strings.TrimSuffix(a, "/") + "/"
}

// private reports whether the authority is none of Microsoft's clouds, whose
// own discovery knows nothing of it.
func (c *Config) private() bool {
	at := c.authority()
	return at != "https://login.partner.microsoftonline.cn/" && !slices.ContainsFunc(clouds, func(c cloud) bool { return c.authority == at })
}

func (c *Config) in(path string) string {
	if path == "" {
		return ""
	}
	return in(c.dir, path)
}

func (c *Config) targetsOf(g GroupConfig) []TargetConfig {
	var all []TargetConfig
	for _, id := range g.Targets {
		for _, t := range c.Targets {
			if t.ID == id {
				all = append(all, t)
			}
		}
	}
	return all
}

// transport reaches Slack, Entra and the targets; ca adds certificates to the
// system's own.
func transport(ca string) (*http.Transport, error) {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 16
	t.DialContext = downstream.Dialer().DialContext
	t.ResponseHeaderTimeout = 30 * time.Second
	if ca != "" {
		pem, err := readFile("entra.ca", ca)
		if err != nil {
			return nil, err
		}
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool()
		}
		if !pool.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("entra.ca: %s holds no certificate: it must be PEM, beginning with -----BEGIN CERTIFICATE-----", ca)
		}
		t.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	return t, nil
}

// credential is how the reader authenticates; secret is its client secret, if
// it has one.
func (c *Config) credential(h *http.Client, secret string) (azcore.TokenCredential, error) {
	return c.credentialOf(c.Entra.Reader, "reader", h, secret)
}

// credentialOf is how a registration authenticates that is no person's.
func (c *Config) credentialOf(r ReaderConfig, which string, h *http.Client, secret string) (azcore.TokenCredential, error) {
	// What is down is asked again by whoever needed it; a start says so soon.
	retry := policy.RetryOptions{MaxRetries: 2, RetryDelay: 300 * time.Millisecond, MaxRetryDelay: time.Second}
	o := azcore.ClientOptions{Transport: h, Cloud: azcloud.Configuration{ActiveDirectoryAuthorityHost: c.authority()}, Retry: retry}
	private := c.private()
	switch {
	case r.ClientSecret != nil:
		return plain(azidentity.NewClientSecretCredential(c.Entra.Tenant, r.ClientID, secret, &azidentity.ClientSecretCredentialOptions{ClientOptions: o, DisableInstanceDiscovery: private}))
	case r.Certificate != "":
		field := "entra." + which + ".certificate"
		b, err := readFile(field, c.in(r.Certificate))
		if err != nil {
			return nil, err
		}
		certs, key, err := azidentity.ParseCertificates(b, nil)
		if err != nil {
			return nil, fmt.Errorf("%s: %s does not hold a certificate with its private key (PEM or PKCS #12, without a password)", field, r.Certificate)
		}
		return plain(azidentity.NewClientCertificateCredential(c.Entra.Tenant, r.ClientID, certs, key, &azidentity.ClientCertificateCredentialOptions{ClientOptions: o, DisableInstanceDiscovery: private}))
	case r.WorkloadIdentity:
		return plain(azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{ClientOptions: o, ClientID: r.ClientID, TenantID: c.Entra.Tenant, DisableInstanceDiscovery: private}))
	}
	m := &azidentity.ManagedIdentityCredentialOptions{ClientOptions: o}
	if r.ClientID != "" {
		m.ID = azidentity.ClientID(r.ClientID)
	}
	return plain(azidentity.NewManagedIdentityCredential(m))
}

// bearer gives tokens of the reader for another resource.
func bearer(cred azcore.TokenCredential, scope string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		t, err := cred.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{scope}})
		return t.Token, err
	}
}

// The delegated scopes of the sign-in registration, one by one.
func signInScopes(graph string) []string {
	return []string{graph + "/PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup"}
}

// pages are the sign-in pages with the sealer that mints their warrants.
type pages struct {
	*signin.Service
	*signin.Sealer
}

// BeginDevice implements bot.Coder.
func (p *pages) BeginDevice(ctx context.Context, u activation.SlackUser) (code, url string, until time.Time, err error) {
	c, err := p.DeviceCode(ctx, u)
	return c.Code, c.URL, c.Expires, err
}

// openSignIn makes the pages and reads who is who. Without a sign-in section
// nobody is bound and there are no pages.
func (a *App) openSignIn(ctx context.Context, e *lateEngine, api *slack.Client) (bot.People, *pages, error) {
	c := a.cfg.SignIn
	if c == nil {
		return nobody{}, nil, nil
	}
	people, err := a.openPeople()
	if err != nil {
		return nil, nil, err
	}
	cred, err := confidential.NewCredFromSecret(a.secrets.signIn)
	if err != nil {
		return nil, nil, err
	}
	sealer, err := signin.NewSealer(a.secrets.key, a.secrets.oldKeys...)
	if err != nil {
		return nil, nil, err
	}
	ring, err := a.openRing(ctx)
	if err != nil {
		return nil, nil, err
	}
	service, err := signin.New(signin.Config{URL: c.URL, Authority: a.cfg.authority() + a.cfg.Entra.Tenant, Tenant: a.cfg.Entra.Tenant, Client: c.ClientID, Credential: cred,
		Scopes: signInScopes(a.cfg.graphRoot()), Sealer: sealer, Custody: signin.Custody(c.Custody), Ring: ring, People: people,
		Directory: accounts{a.reader, c.Bind.Attribute}, Workspace: members{api, a.me}, Bind: signin.Bind{Attribute: c.Bind.Attribute != "", Mail: c.Bind.Mail},
		Device: signin.Device{Client: c.DeviceClient, Done: a.tellDevice},
		Floors: floorFile(filepath.Join(a.cfg.StateDir(), "signed-out.json")),
		Deeds:  deeds{e}, Box: box{a.db}, Bound: a.tellBound, Unbound: a.unbound, HTTP: a.http, NoDiscovery: a.cfg.private(), Now: a.clock.Now, Log: a.log})
	if c.DeviceClient != "" {
		a.log.Warn("sign-in by device code is on: people can be talked into entering a code that somebody else began, and many tenants block it; leave signin.device_client out if their browsers can reach signin.url")
	}
	if err == nil {
		err = service.Load(ctx)
	}
	if err != nil {
		return nil, nil, err
	}
	a.people = people
	return people, &pages{service, sealer}, nil
}

// nobody is the mapping of a bot that only watches.
type nobody struct{}

func (nobody) BySlack(activation.SlackUser) []activation.Person { return nil }

func (nobody) ByObject(string, string) (activation.Person, bool) { return activation.Person{}, false }

// deeds is the engine as the pages need it.
type deeds struct{ *lateEngine }

func (d deeds) Find(ctx context.Context, warrant string) (activation.Activation, activation.Pending, error) {
	a, p, known, err := d.Warrant(ctx, warrant)
	if err == nil && !known {
		err = signin.ErrNoDeed
	}
	return a, p, err
}

// box is the store as custody and binding need it.
type box struct{ *store.Bolt }

func (b box) Get(ctx context.Context, kind, key string) ([]byte, uint64, error) {
	d, err := b.Bolt.Get(ctx, kind, key)
	if errors.Is(err, store.ErrNone) {
		return nil, 0, nil
	}
	return d.Body, d.Rev, err
}

func (b box) Put(ctx context.Context, kind, key string, rev uint64, body []byte) error {
	return b.Commit(ctx, store.Turn{Docs: []store.Doc{{Kind: kind, Key: key, Rev: rev, Body: body}}})
}
