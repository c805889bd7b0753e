package app

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"pagbot/activation"
	"pagbot/downstream"
)

var (
	guid      = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
	channelID = regexp.MustCompile(`^[CG][A-Z0-9]{2,}$`)
	orgName   = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9-]{0,48}[A-Za-z0-9])?$`)
)

// problems collects all that is wrong, so that one start tells all of it.
type problems []error

func (p *problems) add(err error) {
	if err != nil {
		*p = append(*p, err)
	}
}

func (p *problems) need(ok bool, format string, args ...any) {
	if !ok {
		*p = append(*p, fmt.Errorf(format, args...))
	}
}

// validate fills in what was left out and says all that can't work.
func (c *Config) validate() error {
	var p problems
	p.need(c.State != "", "state: name a directory for the database, such as /var/lib/pagbot")
	c.Slack.check(&p)
	c.Entra.check(&p)
	if c.SignIn != nil {
		c.SignIn.check(&p)
	}
	targets := map[string]bool{}
	for i := range c.Targets {
		c.Targets[i].check(&p, i+1, targets)
		keeps := c.SignIn != nil && c.SignIn.Custody != "none"
		p.need(keeps || !c.Targets[i].asksPersons(), "targets %s: as: person needs a signin section whose custody keeps sessions: add one, or ask as the application", c.Targets[i].ID)
	}
	p.need(len(c.Groups) > 0, "groups: name at least one PIM-managed group")
	names, ids := map[string]bool{}, map[string]bool{}
	for i := range c.Groups {
		c.Groups[i].check(&p, i+1, targets, names, ids)
	}
	return errors.Join(p...)
}

func (s *SlackConfig) check(p *problems) {
	p.need(s.AppToken.set(), "slack.app_token: the app-level token (xapp-…) is needed: %s", secretForm)
	p.need(s.BotToken.set(), "slack.bot_token: the bot token (xoxb-…) is needed: %s", secretForm)
	defaultTo(&s.API, "https://slack.com/api/")
	s.API = strings.TrimSuffix(s.API, "/") + "/"
	p.need(safe(s.API), "slack.api: %q is not an https address: leave it out for Slack itself", s.API)
}

func (e *EntraConfig) check(p *problems) {
	p.need(guid.MatchString(e.Tenant), "entra.tenant: %q is not a tenant id: copy the GUID from the Entra admin center's overview", e.Tenant)
	p.need(e.Graph == "" || safe(e.Graph), "entra.graph: %q is not an https address: leave it out for https://graph.microsoft.com", e.Graph)
	p.need(e.Authority == "" || safe(e.Authority) && strings.HasPrefix(e.Authority, "https:"), "entra.authority: %q is not an https address: leave it out for %s", e.Authority, publicAuthority)
	r := e.Reader
	p.need(r.ways() == 1, "entra.reader: choose exactly one of client_secret, certificate, managed_identity, workload_identity")
	p.need(r.ClientSecret == nil || r.ClientSecret.set(), "entra.reader.client_secret: %s", secretForm)
	known := guid.MatchString(r.ClientID)
	needed := r.ClientSecret != nil || r.Certificate != ""
	p.need(known || r.ClientID == "" && !needed, "entra.reader.client_id: %q is not an application id: copy the GUID from the reader's app registration", r.ClientID)
}

func (s *SignInConfig) check(p *problems) {
	p.need(safe(s.URL), "signin.url: %q is not where browsers could reach the pages: give an https address (http only on this machine itself)", s.URL)
	_, _, err := net.SplitHostPort(s.Listen)
	p.need(err == nil, "signin.listen: %q is not an address to listen on: write it like 127.0.0.1:8080", s.Listen)
	p.need(guid.MatchString(s.ClientID), "signin.client_id: %q is not an application id: copy the GUID from the sign-in app registration", s.ClientID)
	p.need(s.ClientSecret.set(), "signin.client_secret: the secret of the sign-in registration is needed: %s", secretForm)
	p.need(s.Key.set(), "signin.key: a key is needed: make one with openssl rand -base64 32, and %s", secretForm)
	p.need(s.People != "", "signin.people: name the file that maps Slack users to Entra accounts")
	defaultTo(&s.Custody, "session")
	p.need(s.Custody == "none" || s.Custody == "session", "signin.custody: %q is not known: choose none or session", s.Custody)
}

func (g *GroupConfig) check(p *problems, n int, targets, names, ids map[string]bool) {
	p.need(g.Name != "", "groups: entry %d has no name: give it the group's name in Entra", n)
	p.need(guid.MatchString(g.ID), "groups %s: id %q is not an object id: copy the GUID from the group's overview in Entra", g.Name, g.ID)
	id := strings.ToLower(g.ID)
	p.need(id == "" || !ids[id], "groups %s: the id %s stands twice: give every group one entry", g.Name, g.ID)
	ids[id] = true
	for _, name := range append([]string{g.Name}, g.Aliases...) {
		key := strings.ToLower(name)
		p.need(key == "" || !names[key], "groups %s: the name or alias %q stands twice: people could not tell the two apart", g.Name, name)
		names[key] = true
	}
	p.need(channelID.MatchString(g.Channel), "groups %s: channel %q is not a channel's id: copy it from the end of the channel's details in Slack (it begins with C)", g.Name, g.Channel)
	p.need(g.Proof == "" || g.Proof == activation.Fresh || g.Proof == activation.Session, "groups %s: proof %q is not known: choose fresh or session, or leave it out", g.Name, g.Proof)
	for _, t := range g.Targets {
		p.need(targets[t], "groups %s: there is no target %q: name one that stands below targets", g.Name, t)
	}
	for _, o := range g.Opens {
		p.need(slices.Contains(downstream.Systems, o), "groups %s: opens %q is not known: choose from %s", g.Name, o, strings.Join(downstream.Systems, ", "))
	}
	defaultTo(&g.Warn, Duration(10*time.Minute))
}

func defaultTo[T comparable](v *T, otherwise T) {
	var zero T
	if *v == zero {
		*v = otherwise
	}
}

// safe reports whether secrets may travel to an address: by https, or without
// leaving this machine. Names that end in .test are no real ones.
func safe(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	near := err == nil && ip.IsLoopback() || u.Hostname() == "localhost" || strings.HasSuffix(u.Hostname(), ".test")
	return u.Scheme == "https" || u.Scheme == "http" && near
}

func (r ReaderConfig) ways() int {
	n := 0
	for _, way := range []bool{r.ClientSecret != nil, r.Certificate != "", r.ManagedIdentity, r.WorkloadIdentity} {
		if way {
			n++
		}
	}
	return n
}
