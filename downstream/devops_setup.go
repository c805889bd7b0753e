package downstream

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"time"

	"pagbot/activation"
)

// DevOpsConfig says which organization is asked, and as whom.
type DevOpsConfig struct {
	Org        string                                // its name, as in dev.azure.com/NAME
	Group      string                                // the group there that holds the role; empty: Project Collection Administrators
	DevBase    string                                // empty: https://dev.azure.com
	VSSPSBase  string                                // empty: https://vssps.dev.azure.com
	Token      func(context.Context) (string, error) // a bearer of the application, for DevOpsScope
	HTTP       *http.Client                          // nil: http.DefaultClient; redirects are never followed
	Now        func() time.Time                      // world time; nil: time.Now
	Namespace  string                                // security namespace; empty: Collection
	ACLToken   string                                // token in it; empty: NAMESPACE:
	Permission string                                // its name in the namespace; empty: GENERIC_WRITE
	Bits       int                                   // instead of Permission; zero: as the namespace says
	Limits     Limits                                // zero fields get defaults
}

// DevOpsScope is what Token's bearer is asked for; source: Azure DevOps' own
// application id.
const DevOpsScope = "499b84ac-1321-427f-aa17-267ca6975798/.default"

const collection = "3e65f728-f8bc-4ecd-8764-7e378b19bfa7"

// suppressed asks for a 401 instead of a sign-in page, where it is honoured.
func suppressed(sign func(context.Context, *http.Request) ([]string, error)) func(context.Context, *http.Request) ([]string, error) {
	return func(ctx context.Context, q *http.Request) ([]string, error) {
		q.Header.Set("X-TFS-FedAuthRedirect", "Suppress")
		return sign(ctx, q)
	}
}

var orgName = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9-]{0,48}[A-Za-z0-9])?$`)

func (c DevOpsConfig) validate() (DevOpsConfig, error) {
	if !orgName.MatchString(c.Org) {
		return c, fmt.Errorf("azure devops target: %q is not the name of an organization; give NAME of dev.azure.com/NAME", c.Org)
	}
	if c.Token == nil {
		return c, fmt.Errorf("azure devops target %s: give an application identity to ask as", c.Org)
	}
	def := func(s *string, d string) {
		if *s == "" {
			*s = d
		}
	}
	def(&c.Group, "Project Collection Administrators")
	def(&c.DevBase, "https://dev.azure.com")
	def(&c.VSSPSBase, "https://vssps.dev.azure.com")
	def(&c.Namespace, collection)
	def(&c.ACLToken, "NAMESPACE:")
	def(&c.Permission, "GENERIC_WRITE")
	for _, base := range []*string{&c.DevBase, &c.VSSPSBase} {
		if err := safeBase(*base); err != nil {
			return c, fmt.Errorf("azure devops target %s: %w", c.Org, err)
		}
		*base = strings.TrimSuffix(*base, "/")
	}
	if c.HTTP == nil {
		c.HTTP = http.DefaultClient
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.Limits = c.Limits.or(Limits{Batch: 8, Rate: 350 * time.Millisecond, Timeout: 20 * time.Second, Confirm: 1, As: "the application"})
	c.Limits.Level = activation.L2
	return c, nil
}

// safeBase refuses addresses that would carry a bearer in the clear; the
// simulators' (loopback, and the reserved .test) are let through.
func safeBase(base string) error {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("%q is not a base address", base)
	}
	host := u.Hostname()
	ip, err := netip.ParseAddr(host)
	near := err == nil && ip.IsLoopback() || host == "localhost" || strings.HasSuffix(host, ".test")
	if u.Scheme != "https" && (u.Scheme != "http" || !near) {
		return fmt.Errorf("%q must be https: a credential is sent there", base)
	}
	return nil
}

// organization is what Setup found out once.
type organization struct {
	group, descriptor string // the container, shown to exist
	bits              int
	lists             bool // access control lists can be read
}

// Setup finds the group and the permission that stand for the role, and shows
// that both exist. Its error is one sentence for people.
func (d *DevOps) Setup(ctx context.Context) error {
	org, err := d.findGroup(ctx)
	if err != nil {
		return fmt.Errorf("azure devops organization %s: %w", d.c.Org, err)
	}
	err = d.findPermission(ctx, &org)
	if err != nil && !notPermitted(err) {
		return fmt.Errorf("azure devops organization %s: %w", d.c.Org, err)
	}
	org.lists = err == nil
	d.mu.Lock()
	d.found, d.shown = &org, time.Now()
	d.mu.Unlock()
	return nil
}

func (d *DevOps) ready(ctx context.Context) error {
	d.mu.Lock()
	ok := d.found != nil
	d.mu.Unlock()
	if ok {
		return nil
	}
	return d.Setup(ctx)
}

func (d *DevOps) organization() organization {
	d.mu.Lock()
	defer d.mu.Unlock()
	return *d.found
}

// Level is what the organization lets this application reach: L2, or L1 where
// it may not read access control lists. Before Setup it is L0.
func (d *DevOps) Level() activation.Level {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.found == nil:
		return activation.L0
	case d.found.lists:
		return activation.L2
	}
	return activation.L1
}

func (d *DevOps) findGroup(ctx context.Context) (organization, error) {
	all, err := d.identities(ctx, "LocalGroupName", d.c.Group, "none")
	if err != nil {
		return organization{}, err
	}
	var org organization
	for _, f := range all {
		if !f.named(d.c.Group) {
			continue
		}
		if org.group != "" {
			return org, fault("several groups are called %q; give the full name, as [scope]\\name", d.c.Group)
		}
		org = organization{group: f.ID, descriptor: f.Descriptor}
	}
	if org.group == "" || org.descriptor == "" {
		return org, fault("there is no group %q that this application can see; check the name, and that the application was added to the organization", d.c.Group)
	}
	return org, nil
}

// findPermission reads the bit of the permission and shows that the token has
// an access control list.
func (d *DevOps) findPermission(ctx context.Context, org *organization) error {
	actions, err := d.actions(ctx)
	if err != nil {
		return err
	}
	org.bits = d.c.Bits
	all := 0
	for _, a := range actions {
		all |= a.Bit
		if d.c.Bits == 0 && strings.EqualFold(a.Name, d.c.Permission) {
			org.bits = a.Bit
		}
	}
	if org.bits == 0 {
		return fault("security namespace %s has no permission %q", d.c.Namespace, d.c.Permission)
	}
	if org.bits&^all != 0 {
		return fault("security namespace %s has no permission with the bits %d", d.c.Namespace, org.bits)
	}
	lists, err := d.accessLists(ctx, nil)
	if err != nil {
		return err
	}
	if !lists.has(d.c.ACLToken) {
		return fault("security namespace %s has no access control list for the token %q", d.c.Namespace, d.c.ACLToken)
	}
	ace, ok := lists.entry(d.c.ACLToken, org.descriptor)
	if ok && ace.Allow&org.bits != org.bits {
		return fault("the group %q does not hold the permission that is looked for (bits %d of %q); name another in the configuration", d.c.Group, org.bits, d.c.ACLToken)
	}
	return nil
}

func fault(format string, a ...any) *Fault { return &Fault{Why: fmt.Sprintf(format, a...)} }

// notPermitted reports whether the organization refused to let us read
// something, rather than to answer at all.
func notPermitted(err error) bool { return isStatus(err, http.StatusForbidden) }
