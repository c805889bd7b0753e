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
	"pagbot/graph/signin"
	"pagbot/internal/keyvault"
)

var (
	guid      = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
	channelID = regexp.MustCompile(`^[CG][A-Z0-9]{2,}$`)
	userID    = regexp.MustCompile(`^[UW][A-Z0-9]{2,}$`)
	orgName   = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9-]{0,48}[A-Za-z0-9])?$`)
)

// problems collects all that is wrong, so that one start tells all of it.
type problems []error

func (p *problems) add(err error) {
	if err != nil {
		*p = append(*p, err)
	}
}

// addAs names the setting that an error is about.
func (p *problems) addAs(setting string, err error) {
	if err != nil {
		p.add(fmt.Errorf("%s: %w", setting, err))
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
	c.checkCloud(&p)
	if c.SignIn != nil {
		c.SignIn.check(&p)
	}
	targets := map[string]bool{}
	for i := range c.Targets {
		c.Targets[i].check(&p, i+1, targets)
		keeps := c.SignIn != nil && c.SignIn.Custody != "none"
		p.need(c.Targets[i].OnDemand == nil || c.Entra.Provisioner != nil, "targets %s: provision_on_demand writes, which the reader must not: give entra.provisioner a registration of its own", c.Targets[i].ID)
		p.need(keeps || !c.Targets[i].asksPersons(), "targets %s: as: person needs a signin section whose custody keeps sessions: add one, or ask as the application", c.Targets[i].ID)
	}
	defaultTo(&c.HistoryDays, 30)
	p.need(c.HistoryDays > 0 && c.HistoryDays <= 400, "history_days: %d days are not possible: choose 1 to 400", c.HistoryDays)
	p.need(len(c.Groups) > 0, "groups: name at least one PIM-managed group")
	names, ids := map[string]bool{}, map[string]bool{}
	for i := range c.Groups {
		c.Groups[i].check(&p, i+1, targets, names, ids)
	}
	c.exclude(&p)
	presets := map[string]bool{}
	for i, s := range c.Presets {
		s.check(&p, i+1, names, presets)
		for _, pair := range c.excluding(s.Members) {
			p.need(false, "presets %s: %s and %s exclude each other, so that nobody could have both: leave one out", s.Name, pair[0], pair[1])
		}
	}
	return errors.Join(p...)
}

func (s PresetConfig) check(p *problems, n int, groups, seen map[string]bool) {
	key := strings.ToLower(s.Name)
	p.need(s.Name != "", "presets: entry %d has no name: give it one that people can type", n)
	p.need(s.Name == "" || !groups[key] && !seen[key], "presets %s: a group or preset has that name: people could not tell the two apart", s.Name)
	p.need(len(s.Members) > 0, "presets %s: it stands for no group: name some below members", s.Name)
	for _, m := range s.Members {
		p.need(groups[strings.ToLower(m)], "presets %s: there is no group %q: name one that stands below groups", s.Name, m)
	}
	seen[key] = true
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
	p.need(e.Graph == "" || safe(e.Graph), "entra.graph: %q is not an https address: leave it out for %s", e.Graph, e.cloud().graph)
	p.need(e.Authority == "" || safe(e.Authority) && strings.HasPrefix(e.Authority, "https:"), "entra.authority: %q is not an https address: leave it out for %s", e.Authority, e.cloud().authority)
	e.Reader.check(p, "reader")
	if w := e.Provisioner; w != nil {
		w.check(p, "provisioner")
		same := strings.EqualFold(w.ClientID, e.Reader.ClientID) && (w.ClientID != "" || w.ManagedIdentity == e.Reader.ManagedIdentity)
		p.need(!same, "entra.provisioner: it is the reader's own registration, which must not write: make another one")
	}
}

func (r ReaderConfig) check(p *problems, which string) {
	p.need(r.ways() == 1, "entra.%s: choose exactly one of client_secret, certificate, managed_identity, workload_identity", which)
	p.need(r.ClientSecret == nil || r.ClientSecret.set(), "entra.%s.client_secret: %s", which, secretForm)
	known := guid.MatchString(r.ClientID)
	needed := r.ClientSecret != nil || r.Certificate != ""
	p.need(known || r.ClientID == "" && !needed, "entra.%s.client_id: %q is not an application id: copy the GUID from the %[1]s's app registration", which, r.ClientID)
}

func (s *SignInConfig) check(p *problems) {
	p.need(safe(s.URL), "signin.url: %q is not where browsers could reach the pages: give an https address (http only on this machine itself)", s.URL)
	_, _, err := net.SplitHostPort(s.Listen)
	p.need(err == nil, "signin.listen: %q is not an address to listen on: write it like 127.0.0.1:8080", s.Listen)
	p.need(guid.MatchString(s.ClientID), "signin.client_id: %q is not an application id: copy the GUID from the sign-in app registration", s.ClientID)
	p.need(s.ClientSecret.set(), "signin.client_secret: the secret of the sign-in registration is needed: %s", secretForm)
	p.need(s.Key.set(), "signin.key: a key is needed: make one with openssl rand -base64 32, and %s", secretForm)
	p.need(s.OldKey == nil || s.OldKey.set(), "signin.old_key: %s", secretForm)
	if s.KeyVault != "" {
		p.addAs("signin.key_vault", keyvault.Valid(s.KeyVault))
	}
	p.need(s.People != "" || s.Bind.Attribute != "" || len(s.Bind.Mail) > 0, "signin.people: name the file that maps Slack users to Entra accounts, or say with signin.bind how they come to them")
	p.need(attribute.MatchString(s.Bind.Attribute), "signin.bind.attribute: %q is not a property of an account: write it like employeeId, extension_APP_NAME or onPremisesExtensionAttributes/extensionAttribute1", s.Bind.Attribute)
	for _, d := range s.Bind.Mail {
		p.need(domainName.MatchString(d), "signin.bind.mail: %q is not a domain: write it like contoso.example", d)
	}
	d := s.DeviceClient
	p.need(d == "" || guid.MatchString(d) && !strings.EqualFold(d, s.ClientID), "signin.device_client: %q is not the application id of a registration of its own: device codes need a public client, and the sign-in registration must not be one", d)
	p.need(d == "" || s.Custody != "none", "signin.device_client: with custody none nothing is kept that a device code could bring: leave one of the two out")
	defaultTo(&s.Custody, "session")
	p.addAs("signin.custody", signin.Custody(s.Custody).Valid())
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
	pattern, err := regexp.Compile(g.Ticket)
	p.need(err == nil, "groups %s: ticket %q is not a regular expression: write it like ^INC[0-9]{7}$", g.Name, g.Ticket)
	p.need(err != nil || g.Ticket == "" || pattern.MatchString(g.TicketExample), "groups %s: ticket_example %q does not match ticket: give one that does, people are shown it", g.Name, g.TicketExample)
	if g.TicketCheck != nil {
		g.TicketCheck.check(g, p)
	}
	p.need(g.Quorum >= 0 && g.Quorum <= 10, "groups %s: quorum %d is not a number of approvers: choose 1 to 10", g.Name, g.Quorum)
	for _, u := range g.Backup {
		p.need(userID.MatchString(u), "groups %s: backup %q is not a person's id: copy it from their profile in Slack (it begins with U or W)", g.Name, u)
	}
	defaultTo(&g.Warn, Duration(10*time.Minute))
	defaultTo(&g.Remind, Duration(30*time.Minute))
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
