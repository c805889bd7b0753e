package app

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"pagbot/activation"
)

// Config is the whole configuration. pagbot.example.yaml shows every field;
// a key that is not here is refused with its line.
type Config struct {
	// State is the directory of the database, the audit trail and the control
	// socket. It is created with mode 0700.
	State string `yaml:"state"`

	Slack   SlackConfig    `yaml:"slack"`
	Entra   EntraConfig    `yaml:"entra"`
	SignIn  *SignInConfig  `yaml:"signin"`
	Groups  []GroupConfig  `yaml:"groups"`
	Targets []TargetConfig `yaml:"targets"`

	dir string // of the file, for relative paths
}

// StateDir is where the state lies.
func (c *Config) StateDir() string { return in(c.dir, c.State) }

// Secret is read from an environment variable or from a file, never from the
// configuration itself.
type Secret struct {
	Env  string `yaml:"env"`  // name of the variable
	File string `yaml:"file"` // path, relative to the configuration; trailing newlines are dropped
}

// SlackConfig is how the bot reaches Slack.
type SlackConfig struct {
	// AppToken is the app-level token (xapp-…) with connections:write.
	AppToken Secret `yaml:"app_token"`
	// BotToken is the bot token (xoxb-…) of the installation.
	BotToken Secret `yaml:"bot_token"`
	// API is the Web API's address; empty: https://slack.com/api/.
	API string `yaml:"api"`
}

// EntraConfig is how the bot reads Entra: the reader registration, with
// application permissions that read only.
type EntraConfig struct {
	// Tenant is the tenant's id (a GUID; names are not accepted, they change).
	Tenant string `yaml:"tenant"`
	// Graph is Microsoft Graph's root; empty: https://graph.microsoft.com.
	Graph string `yaml:"graph"`
	// Authority is the sign-in host; empty: https://login.microsoftonline.com/.
	Authority string `yaml:"authority"`
	// CA is a file with further certificates (PEM) that the authority and Graph
	// may use; for a test tenant behind a private authority.
	CA string `yaml:"ca"`

	Reader ReaderConfig `yaml:"reader"`
}

// ReaderConfig names one way for the reader to authenticate.
type ReaderConfig struct {
	// ClientID of the reader registration; with a managed identity, of that
	// identity (empty: the system-assigned one).
	ClientID string `yaml:"client_id"`
	// ClientSecret of the registration.
	ClientSecret *Secret `yaml:"client_secret"`
	// Certificate is a file with certificate and private key (PEM or PKCS #12).
	Certificate string `yaml:"certificate"`
	// ManagedIdentity uses the identity of the machine.
	ManagedIdentity bool `yaml:"managed_identity"`
	// WorkloadIdentity uses the federated token that Kubernetes projects.
	WorkloadIdentity bool `yaml:"workload_identity"`
}

// SignInConfig turns on acting as the person. Without it the bot watches only.
type SignInConfig struct {
	// URL is what people's browsers open; only they need to reach it.
	URL string `yaml:"url"`
	// Listen is the address that the pages are served on, behind a TLS proxy.
	Listen string `yaml:"listen"`
	// ClientID and ClientSecret of the sign-in registration (a confidential web
	// client with delegated scopes and assignment required).
	ClientID     string `yaml:"client_id"`
	ClientSecret Secret `yaml:"client_secret"`
	// Key is 32 bytes, base64: it seals warrants, links and kept tokens.
	Key Secret `yaml:"key"`
	// Custody of tokens: none or session (the default).
	Custody string `yaml:"custody"`
	// People is the file that maps Slack users to Entra accounts.
	People string `yaml:"people"`
}

// GroupConfig is one PIM-managed group that the bot looks after.
type GroupConfig struct {
	// Name is what people type; it should be the group's name in Entra.
	Name string `yaml:"name"`
	// Aliases are further names that people may type.
	Aliases []string `yaml:"aliases"`
	// ID is the group's object id in Entra.
	ID string `yaml:"id"`
	// Channel is the id of the (private) channel where its cards go.
	Channel string `yaml:"channel"`
	// Proof lowers or raises what an activation or approval needs: fresh or
	// session; empty: fresh where PIM asks for MFA, an authentication context or
	// an approval, and for owners.
	Proof activation.Proof `yaml:"proof"`
	// Warn is how long before the end its owner is warned; empty: 10m.
	Warn Duration `yaml:"warn"`
	// Targets are ids of the targets below where the group carries a role.
	Targets []string `yaml:"targets"`
}

// TargetConfig is a downstream system.
type TargetConfig struct {
	// ID is how groups name it.
	ID string `yaml:"id"`
	// Kind is entra or devops.
	Kind string `yaml:"kind"`
	// Name is what people read on cards.
	Name string `yaml:"name"`
	// Organization is the Azure DevOps organization.
	Organization string `yaml:"organization"`
	// API is the root of dev.azure.com and vssps.dev.azure.com; for a simulator.
	API string `yaml:"api"`
	// GoneWithin is when a removal that has not been seen is overdue: then the
	// channel is alarmed. Empty: 5m for entra, 60m for devops.
	GoneWithin Duration `yaml:"gone_within"`
}

// Duration is written like 90m or 1h30m.
type Duration time.Duration

// UnmarshalYAML implements yaml.Unmarshaler.
func (d *Duration) UnmarshalYAML(n *yaml.Node) error {
	v, err := time.ParseDuration(n.Value)
	if err != nil || v < 0 {
		return fmt.Errorf("line %d: %q is not a duration; write it like 90m or 1h30m", n.Line, n.Value)
	}
	*d = Duration(v)
	return nil
}

// Load reads and checks a configuration file.
func Load(path string) (*Config, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	c, err := parseConfig(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	c.dir = filepath.Dir(path)
	return c, nil
}

func parseConfig(b []byte) (*Config, error) {
	var c Config
	d := yaml.NewDecoder(bytes.NewReader(b))
	d.KnownFields(true)
	if err := d.Decode(&c); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, errors.New("is empty; start from pagbot.example.yaml")
		}
		return nil, plainYAML(err)
	}
	if d.Decode(&struct{}{}) != io.EOF {
		return nil, errors.New("holds more than one document")
	}
	return &c, c.validate()
}

var (
	yamlPrefix = regexp.MustCompile(`^yaml: (unmarshal errors:\s*)?`)
	yamlField  = regexp.MustCompile(`field (\S+) not found in type app\.(\w+)`)
	guid       = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
	channelID  = regexp.MustCompile(`^[CG][A-Z0-9]{2,}$`)
)

// plainYAML turns the decoder's words into a user's.
func plainYAML(err error) error {
	s := yamlPrefix.ReplaceAllString(err.Error(), "")
	s = yamlField.ReplaceAllString(s, "there is no setting called $1 here")
	return errors.New(strings.ReplaceAll(s, "\n  ", "; "))
}

func (c *Config) validate() error {
	var p problems
	p.need(c.State != "", "state: name a directory for the database, such as /var/lib/pagbot")
	p.need(guid.MatchString(c.Entra.Tenant), "entra.tenant: %q is not a tenant id (a GUID; Entra admin center > Overview)", c.Entra.Tenant)
	p.need(c.Entra.Reader.ways() == 1, "entra.reader: choose exactly one of client_secret, certificate, managed_identity, workload_identity")
	p.need(c.Slack.AppToken.set() && c.Slack.BotToken.set(), "slack: app_token and bot_token are both needed, each as {env: NAME} or {file: PATH}")
	if s := c.SignIn; s != nil {
		s.check(&p)
	}
	targets := map[string]bool{}
	for i := range c.Targets {
		c.Targets[i].check(&p, targets)
	}
	p.need(len(c.Groups) > 0, "groups: name at least one PIM-managed group")
	names, ids := map[string]bool{}, map[string]bool{}
	for i := range c.Groups {
		c.Groups[i].check(&p, targets, names, ids)
	}
	return errors.Join(p...)
}

func (s *SignInConfig) check(p *problems) {
	u, err := url.Parse(s.URL)
	p.need(err == nil && (u.Scheme == "https" || u.Scheme == "http" && loopback(u.Hostname())), "signin.url: %q must be https (http only on this machine itself)", s.URL)
	p.need(s.Listen != "", "signin.listen: name an address, such as 127.0.0.1:8080")
	p.need(s.ClientID != "" && s.ClientSecret.set(), "signin: client_id and client_secret of the sign-in registration are needed")
	p.need(s.Key.set(), "signin.key: needed, as {env: NAME} or {file: PATH}; make one with: openssl rand -base64 32")
	p.need(s.People != "", "signin.people: name the file that maps Slack users to Entra accounts")
	if s.Custody == "" {
		s.Custody = "session"
	}
	p.need(s.Custody == "none" || s.Custody == "session", "signin.custody: %q is neither none nor session", s.Custody)
}

func (t *TargetConfig) check(p *problems, seen map[string]bool) {
	p.need(t.ID != "" && !seen[t.ID], "targets: every target needs an id of its own (%q)", t.ID)
	seen[t.ID] = true
	within := Duration(5 * time.Minute)
	switch t.Kind {
	case "entra":
		defaultTo(&t.Name, "Entra ID")
	case "devops":
		p.need(t.Organization != "", "targets %s: a devops target needs its organization", t.ID)
		defaultTo(&t.Name, "Azure DevOps "+t.Organization)
		within = Duration(time.Hour)
	default:
		p.need(false, "targets %s: kind %q is not known; use entra or devops", t.ID, t.Kind)
	}
	if t.GoneWithin == 0 {
		t.GoneWithin = within
	}
}

func (g *GroupConfig) check(p *problems, targets, names, ids map[string]bool) {
	p.need(guid.MatchString(g.ID), "groups %s: id %q is not a group's object id (a GUID)", g.Name, g.ID)
	p.need(!ids[strings.ToLower(g.ID)], "groups %s: id %s stands twice", g.Name, g.ID)
	ids[strings.ToLower(g.ID)] = true
	for _, n := range append([]string{g.Name}, g.Aliases...) {
		p.need(n != "" && !names[strings.ToLower(n)], "groups: every name and alias must be there once (%q)", n)
		names[strings.ToLower(n)] = true
	}
	p.need(channelID.MatchString(g.Channel), "groups %s: channel %q is not a channel's id (open the channel's details in Slack; it begins with C)", g.Name, g.Channel)
	p.need(g.Proof == "" || g.Proof == activation.Fresh || g.Proof == activation.Session, "groups %s: proof %q is neither fresh nor session", g.Name, g.Proof)
	for _, t := range g.Targets {
		p.need(targets[t], "groups %s: there is no target %q below targets", g.Name, t)
	}
	if g.Warn == 0 {
		g.Warn = Duration(10 * time.Minute)
	}
}

type problems []error

func (p *problems) need(ok bool, format string, args ...any) {
	if !ok {
		*p = append(*p, fmt.Errorf(format, args...))
	}
}

func defaultTo(s *string, v string) {
	if *s == "" {
		*s = v
	}
}

func loopback(host string) bool { return host == "localhost" || host == "127.0.0.1" || host == "::1" }

func (s Secret) set() bool { return (s.Env == "") != (s.File == "") }

// read fetches a secret; what it says of a missing one names the field.
func (s Secret) read(field, dir string) (string, error) {
	if s.Env != "" {
		v := os.Getenv(s.Env)
		if v == "" {
			return "", fmt.Errorf("%s: the environment variable %s is not set", field, s.Env)
		}
		return v, nil
	}
	b, err := os.ReadFile(in(dir, s.File))
	if err != nil {
		return "", fmt.Errorf("%s: %w", field, err)
	}
	v := strings.TrimRight(string(b), "\r\n")
	if v == "" {
		return "", fmt.Errorf("%s: the file %s is empty", field, s.File)
	}
	return v, nil
}

// in resolves a path of the configuration against the configuration's folder.
func in(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
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
