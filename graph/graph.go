// Package graph speaks Microsoft Graph: reads as the application (Reader), and
// does deeds as the person (Deeds). It is the only package that links the SDK,
// and of the SDK only the request builders of a few sub-packages, on a request
// adapter of its own.
//
// Answers are read as raw JSON and not through the SDK's models: those turn an
// enum in unexpected casing into nil without an error, follow a next link to
// any host, and panic when an error without a message is printed. Requests are
// plain JSON, too: one of the SDK's models keeps all others in the program, which
// makes it three times as large.
//
// Nothing is repeated by the SDK. Reads are repeated here, briefly; a write is
// sent once, and if its fate is unknown the engine looks before it sends it
// again.
package graph

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/microsoftgraph/msgraph-sdk-go/groups"
	pim "github.com/microsoftgraph/msgraph-sdk-go/identitygovernance"
	"github.com/microsoftgraph/msgraph-sdk-go/policies"
	"github.com/microsoftgraph/msgraph-sdk-go/users"

	"pagbot/activation"
)

// Config says where Graph is and who reads it.
type Config struct {
	Base       string // default https://graph.microsoft.com; national clouds have their own
	Tenant     string // id of the tenant, put into every person and group
	Credential azcore.TokenCredential
	Scope      string        // default Base + "/.default"
	HTTP       *http.Client  // its transport carries everything; default http.DefaultTransport
	Groups     []string      // ids of the configured groups, where nested eligibility is looked for
	Deadline   time.Duration // of one call; default 30 seconds
	Now        func() time.Time
}

func (c Config) withDefaults() Config {
	c.Base = strings.TrimRight(cmp.Or(c.Base, "https://graph.microsoft.com"), "/")
	c.Scope = cmp.Or(c.Scope, c.Base+"/.default")
	c.Deadline = cmp.Or(c.Deadline, 30*time.Second)
	if c.HTTP == nil {
		c.HTTP = &http.Client{}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

// Reader reads with application permissions. Its methods may be called from
// any goroutine.
type Reader struct {
	caller
	tenant string
	groups []string
	now    func() time.Time

	mu       sync.Mutex
	settings map[string]kept[activation.Settings]
	eligible map[string]kept[[]rawInstance]
	shared   map[string]*shared // by group
}

// kept is a cached answer.
type kept[T any] struct {
	value T
	until time.Time
}

// NewReader makes a reader. It calls nobody yet: Check does.
func NewReader(c Config) (*Reader, error) {
	c = c.withDefaults()
	if c.Credential == nil {
		return nil, errors.New("graph: no credential: give the reader a managed identity, a workload identity, a certificate or a secret")
	}
	if c.Tenant == "" {
		return nil, errors.New("graph: no tenant: give the tenant's id")
	}
	root, err := rootOf(c.Base)
	if err != nil {
		return nil, err
	}
	token := func(ctx context.Context, claims string) (string, error) {
		t, err := c.Credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{c.Scope}, Claims: claims, EnableCAE: true, TenantID: c.Tenant})
		return t.Token, err
	}
	return &Reader{
		caller: caller{newWire(root, c.HTTP.Transport, c.Deadline), token},
		tenant: c.Tenant, groups: c.Groups, now: c.Now,
		settings: map[string]kept[activation.Settings]{}, eligible: map[string]kept[[]rawInstance]{},
		shared: map[string]*shared{},
	}, nil
}

// rootOf reads the base. Plain http would show tokens to everybody on the way,
// so it is for loopback and for names ending in .test, which never are real.
func rootOf(base string) (*url.URL, error) {
	u, err := url.Parse(base + "/v1.0")
	if err != nil {
		return nil, fmt.Errorf("graph: base %q: %w", base, err)
	}
	host := u.Hostname()
	local := host == "localhost" || host == "127.0.0.1" || host == "::1" || strings.HasSuffix(host, ".test")
	if host == "" || u.Scheme != "https" && (u.Scheme != "http" || !local) {
		return nil, fmt.Errorf("graph: base %q: want https://host, such as https://graph.microsoft.com", base)
	}
	return u, nil
}

// The SDK's builders for a caller. They only make requests; send carries them.

func (c caller) pim() *pim.PrivilegedAccessGroupRequestBuilder {
	return pim.NewPrivilegedAccessGroupRequestBuilderInternal(c.at(), c.adapter(""))
}

func (c caller) policies() *policies.PoliciesRequestBuilder {
	return policies.NewPoliciesRequestBuilderInternal(c.at(), c.adapter(""))
}

func (c caller) group(id string) *groups.GroupItemRequestBuilder {
	return groups.NewGroupsRequestBuilderInternal(c.at(), c.adapter("")).ByGroupId(id)
}

func (c caller) users() *users.UsersRequestBuilder {
	return users.NewUsersRequestBuilderInternal(c.at(), c.adapter(""))
}

func (c caller) at() map[string]string { return map[string]string{"baseurl": c.root.String()} }
