package signin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"

	"pagbot/activation"
)

// Deeds is the engine, as far as the pages need it.
type Deeds interface {
	// Find returns the activation of a warrant and the deed that waits for it.
	// If the deed waits no more, Pending is zero; ErrNoDeed if there never was
	// one.
	Find(ctx context.Context, warrant string) (activation.Activation, activation.Pending, error)
	// Release wakes what is blocked on wait (activation.Warrant.Wait).
	Release(ctx context.Context, wait string) error
	// Settled returns as soon as the deed waits no more, or with ctx's error.
	Settled(ctx context.Context, activation, warrant string) (activation.Activation, error)
}

// ErrNoDeed is Deeds.Find's answer for a warrant that nobody has heard of.
var ErrNoDeed = errors.New("no such deed")

// Box is the store, as far as custody and binding need it. Revision 0 creates,
// a nil body deletes, and what is missing reads as nil, 0, nil.
type Box interface {
	Get(ctx context.Context, kind, key string) (body []byte, rev uint64, err error)
	Put(ctx context.Context, kind, key string, rev uint64, body []byte) error
}

// Config is what a Service needs. Everything is required unless it says
// otherwise.
type Config struct {
	URL        string                  // where people's browsers reach the pages, such as https://pag.contoso.example
	Authority  string                  // such as https://login.microsoftonline.com/{tenant}
	Tenant     string                  // the only tenant whose accounts may sign in
	Client     string                  // application id of the sign-in registration
	Credential confidential.Credential // its secret or certificate
	Scopes     []string                // one by one, never .default
	Sealer     *Sealer
	Custody    Custody       // default session
	Ring       *Ring         // seals what is kept; not needed with custody none
	Idle       time.Duration // default and at most what the custody allows
	Absolute   time.Duration // default and at most what the custody allows
	People     *People
	Deeds      Deeds
	Box        Box

	Directory   Directory               // optional: what Entra says of accounts, so that sessions end when it says so
	Workspace   Workspace               // optional: what Slack says of users, for the same
	Bind        Bind                    // optional: how accounts that the mapping file doesn't have are bound
	Device      Device                  // optional: sign-in by device code
	Floors      Floors                  // optional: what was signed out, beside the database
	Bound       func(activation.Person) // optional: told of every new binding, to tell the person and the audit
	Unbound     func(activation.Person) // optional: told of every binding that is gone; must be quick
	HTTP        *http.Client            // optional: how to reach the authority
	NoDiscovery bool                    // optional: the authority is not one of Microsoft's own
	HostCookie  bool                    // optional: use the __Host- cookie on http://localhost too, for browsers that call it secure
	Zone        *time.Location          // optional: how pages show times; default UTC
	Now         func() time.Time        // optional: the world's clock, by which links and warrants live
	Log         *slog.Logger            // optional
}

// withDefaults fills in what was left out and refuses what cannot work.
func (c Config) withDefaults() (Config, error) {
	c.URL = strings.TrimRight(c.URL, "/")
	c.Authority = strings.TrimRight(c.Authority, "/")
	if c.Custody == "" {
		c.Custody = KeepSession
	}
	idle, absolute, _ := c.Custody.limits() // validate tells
	if c.Idle == 0 {
		c.Idle = idle
	}
	if c.Absolute == 0 {
		c.Absolute = absolute
	}
	if c.HTTP == nil {
		c.HTTP = &http.Client{Timeout: 20 * time.Second}
	}
	if c.Zone == nil {
		c.Zone = time.UTC
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c, c.validate()
}

func (c Config) validate() error {
	if err := browserURL(c.URL); err != nil {
		return err
	}
	if u, err := url.Parse(c.Authority); err != nil || u.Scheme != "https" || u.Host == "" || strings.Trim(u.Path, "/") == "" {
		return fmt.Errorf("authority %q: give it as https://login.microsoftonline.com/{tenant}", c.Authority)
	}
	if !guid.MatchString(c.Tenant) {
		return fmt.Errorf("tenant %q: give the tenant's id, a GUID", c.Tenant)
	}
	if c.Client == "" {
		return errors.New("client: give the application id of the sign-in registration")
	}
	if err := plainScopes(c.Scopes); err != nil {
		return err
	}
	if c.Device.Client != "" && strings.EqualFold(c.Device.Client, c.Client) {
		return errors.New("device codes need a registration of their own: public client flows would open the sign-in registration to everybody's phishing")
	}
	if c.Sealer == nil || c.People == nil || c.Deeds == nil || c.Box == nil {
		return errors.New("sign-in needs a sealer, the mapping of people, the deeds and a box")
	}
	return errors.Join(c.custody(), c.Bind.validate(c.Directory, c.Workspace))
}

func (c Config) custody() error {
	idle, absolute, err := c.Custody.limits()
	switch {
	case err != nil:
		return fmt.Errorf("custody: %w", err)
	case c.Custody == KeepNone:
		return nil
	case c.Ring == nil:
		return errors.New("custody needs the ring of keys that seal it")
	case c.Idle < time.Minute || c.Idle > idle:
		return fmt.Errorf("custody idle %v: choose one minute to %v", c.Idle, idle)
	case c.Absolute < c.Idle || c.Absolute > absolute:
		return fmt.Errorf("custody absolute %v: choose %v (idle) to %v", c.Absolute, c.Idle, absolute)
	}
	return nil
}

// browserURL accepts https, and http only where nobody is in between.
func browserURL(s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return fmt.Errorf("signin.url %q: give it as https://host, where browsers reach this bot", s)
	}
	if u.Scheme == "https" || u.Scheme == "http" && loopback(u.Hostname()) {
		return nil
	}
	return fmt.Errorf("signin.url %q: use https (http only on localhost): the sign-in's cookie and code must not travel in the clear", s)
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func plainScopes(scopes []string) error {
	if len(scopes) == 0 {
		return errors.New("scopes: name the delegated permissions one by one, such as https://graph.microsoft.com/PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup")
	}
	for _, s := range scopes {
		if s == "" || strings.Contains(s, ".default") || strings.ContainsAny(s, " \t") {
			return fmt.Errorf("scope %q: name the delegated permissions one by one; .default would take every consent there is", s)
		}
	}
	return nil
}
