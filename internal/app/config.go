package app

import (
	"time"

	"pagbot/activation"
)

// Config is the whole configuration. pagbot.example.yaml shows every field;
// a key that is not here is refused with its line.
type Config struct {
	// State is the directory of the database, the audit trail and the control
	// socket. It is created with mode 0700.
	State string `yaml:"state"`

	// Slack is the app, as it is installed in one workspace.
	Slack SlackConfig `yaml:"slack"`
	// Entra is the tenant, and how the bot reads it.
	Entra EntraConfig `yaml:"entra"`
	// SignIn turns on acting as the person. Left out: the bot watches only.
	SignIn *SignInConfig `yaml:"signin"`
	// Groups are the PIM-managed groups that the bot looks after; at least one.
	Groups []GroupConfig `yaml:"groups"`
	// Presets are names for groups that are often asked for together.
	Presets []PresetConfig `yaml:"presets"`
	// Targets are the systems where the groups carry roles.
	Targets []TargetConfig `yaml:"targets"`
	// HistoryDays is how many days of measurements are kept at hand, for
	// pictures, predictions and requirements; empty: 30.
	HistoryDays int `yaml:"history_days"`

	dir string // of the file, for relative paths
	sum string // of the file, to know it again
}

// StateDir is where the state lies.
func (c *Config) StateDir() string { return in(c.dir, c.State) }

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
	// Cloud is Microsoft's cloud that the tenant is in: public (the default),
	// us-government, us-dod or china. All addresses of Microsoft's follow from it.
	Cloud string `yaml:"cloud"`
	// Graph is Microsoft Graph's root; empty: that of the cloud.
	Graph string `yaml:"graph"`
	// Authority is the sign-in host; empty: that of the cloud.
	Authority string `yaml:"authority"`
	// CA is a file with further certificates (PEM) that the authority and Graph
	// may use; for a test tenant behind a private authority.
	CA string `yaml:"ca"`

	// Reader is the registration that reads, and how it authenticates.
	Reader ReaderConfig `yaml:"reader"`
	// Provisioner is a registration of its own that asks Entra to write new members
	// to applications at once; only needed where a target has provision_on_demand.
	Provisioner *ReaderConfig `yaml:"provisioner"`
}

// ReaderConfig names one way for the reader, or the provisioner, to
// authenticate.
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
	// ClientID of the sign-in registration: a confidential web client with
	// delegated scopes and assignment required.
	ClientID string `yaml:"client_id"`
	// ClientSecret of the sign-in registration.
	ClientSecret Secret `yaml:"client_secret"`
	// Key is 32 bytes, base64: it seals warrants, links, bindings and kept tokens.
	Key Secret `yaml:"key"`
	// OldKey is the key before Key: what it sealed is taken until pagbot keys
	// rotate has sealed all anew. Then leave it out again.
	OldKey *Secret `yaml:"old_key"`
	// KeyVault is the address of an RSA key in Azure Key Vault, such as
	// https://NAME.vault.azure.net/keys/KEY, which then also wraps what seals kept
	// tokens. The reader must be allowed to wrap and unwrap with it.
	KeyVault string `yaml:"key_vault"`
	// Custody of tokens: none, session (the default), or days such as 7d.
	Custody string `yaml:"custody"`
	// People is the file that maps Slack users to Entra accounts. With bind it
	// may be left out.
	People string `yaml:"people"`
	// Bind says how people who are not in that file come to their accounts.
	Bind BindConfig `yaml:"bind"`
	// DeviceClient is the application id of a third, public registration, which
	// turns on sign-in by device code (/pag signin device). Many tenants block it,
	// and people can be talked into entering a code: leave it out if browsers can
	// reach url.
	DeviceClient string `yaml:"device_client"`
}

// BindConfig is how people who are not in the file come to their accounts.
type BindConfig struct {
	// Attribute is the property of an Entra account that holds its person's Slack
	// user id: employeeId, extension_APP_NAME, or
	// onPremisesExtensionAttributes/extensionAttribute1.
	Attribute string `yaml:"attribute"`
	// Mail lists the domains, verified in the tenant, whose addresses bind: an
	// account whose mail or user principal name is the Slack profile's e-mail. The
	// person then types into Slack a code that their browser shows. The Slack app
	// needs the scope users:read.email for it.
	Mail []string `yaml:"mail"`
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
	// Ticket is a regular expression that every ask's ticket must match; empty:
	// any ticket will do, or none if PIM asks for none.
	Ticket string `yaml:"ticket"`
	// TicketExample is a ticket that matches, to be shown to who gave another.
	TicketExample string `yaml:"ticket_example"`
	// TicketCheck is the system that knows them; left out: none is asked.
	TicketCheck *TicketCheck `yaml:"ticket_check"`
	// Warn is how long before the end its owner is warned; empty: 10m.
	Warn Duration `yaml:"warn"`
	// Remind is how long a request waits for an approver before its approvers
	// are reminded in its card's thread; after four times as long they are again,
	// with Backup. Empty: 30m.
	Remind Duration `yaml:"remind"`
	// Quorum is how many different approvers must agree before PIM is told so;
	// empty: one, as in PIM itself. It is a guard rail: an approver in Entra goes
	// round it, which is told in the channel. One no is always enough.
	Quorum int `yaml:"quorum"`
	// Excludes are groups, by their names here, that nobody may have at the same
	// time as this one; to say it on one side is enough. PIM has no such rule: it
	// is a guard rail, and whoever goes round it in Entra is told of in the channel.
	Excludes []string `yaml:"excludes"`
	// Backup are ids of Slack users who are told of a request that still waits
	// at the second reminder; deciding stays with PIM's approvers.
	Backup []string `yaml:"backup"`
	// Targets are ids of the targets below where the group carries a role.
	Targets []string `yaml:"targets"`
	// Opens are further systems that the group opens, for warnings only: aks,
	// github, sharepoint, exchange or purview.
	Opens []string `yaml:"opens"`
}

// PresetConfig is a name that people may type in a group's place.
type PresetConfig struct {
	// Name is what people type.
	Name string `yaml:"name"`
	// Members are the groups it stands for, by their names here.
	Members []string `yaml:"members"`
	// For is how long they are asked for, unless something else is said; empty:
	// an hour, or less if PIM allows less.
	For Duration `yaml:"for"`
}

// TargetConfig is a downstream system.
type TargetConfig struct {
	// ID is how groups name it.
	ID string `yaml:"id"`
	// Kind is entra (what Entra itself lists: it proves nothing downstream),
	// devops (an Azure DevOps organization), scim (an application that Entra
	// provisions), aws (an AWS Identity Center), directory-role, azure, intune,
	// defender, or http (any other system).
	Kind string `yaml:"kind"`
	// Name is what people read on cards; empty: Entra ID, Azure DevOps and the
	// organization, AWS Identity Center, or the id.
	Name string `yaml:"name"`
	// Organization is the NAME of dev.azure.com/NAME; for devops.
	Organization string `yaml:"organization"`
	// API is the root of dev.azure.com and vssps.dev.azure.com; for a simulator.
	API string `yaml:"api"`
	// SCIM are the settings of a scim target.
	SCIM *SCIMTarget `yaml:"scim"`
	// HTTP are the settings of an http target.
	HTTP *HTTPTarget `yaml:"http"`
	// AWS are the settings of an aws target.
	AWS *AWSTarget `yaml:"aws"`
	// Role are the settings of a directory-role target.
	Role *RoleTarget `yaml:"directory-role"`
	// Azure are the settings of an azure target.
	Azure *AzureTarget `yaml:"azure"`
	// Intune are the settings of an intune target.
	Intune *IntuneTarget `yaml:"intune"`
	// Defender are the settings of a defender target.
	Defender *DefenderTarget `yaml:"defender"`
	// GoneWithin is when a removal that has not been seen is overdue: then the
	// channel is alarmed. Empty: 5m for entra, 60m for devops, 45m for scim and
	// aws, 5m for directory-role, 15m for azure, 30m for intune and defender; for
	// http it must be given.
	GoneWithin Duration `yaml:"gone_within"`
	// Sessions is how long a session of before may go on working after the target
	// itself has forgotten the person; cards say so. Empty: what is known of its kind, see docs/waiting.md.
	Sessions Duration `yaml:"sessions"`
	// Application is the enterprise application by which Entra writes to the
	// target, by any name: activations behind the same one take turns to begin.
	// Empty for scim and aws: one of the target's own.
	Application string `yaml:"application"`
	// OnDemand has Entra asked, once an activation, to write the new member to the
	// target at once; left out: it comes with Entra's own pace.
	OnDemand *OnDemandConfig `yaml:"provision_on_demand"`
	// Requires is how soon the target must follow an activation and its end: what
	// is measured is judged by it, in pictures and reports.
	Requires RequiresConfig `yaml:"requires"`
}

// OnDemandConfig is the enterprise application behind a target.
type OnDemandConfig struct {
	// ServicePrincipal is its object id, from its overview under Enterprise
	// applications.
	ServicePrincipal string `yaml:"service_principal"`
	// Job is the id of its synchronization job; empty: the only one.
	Job string `yaml:"job"`
	// Rule is the id of the job's rule that writes groups; empty: it is looked for.
	Rule string `yaml:"rule"`
}

// RequiresConfig is a requirement of a target.
type RequiresConfig struct {
	// Effective is within what time after the activation access must have taken
	// effect; empty: any time will do.
	Effective Duration `yaml:"effective"`
	// Gone is within what time after the end access must be gone; empty: any time
	// will do.
	Gone Duration `yaml:"gone"`
}

func (r RequiresConfig) durations() (effective, gone time.Duration) {
	return time.Duration(r.Effective), time.Duration(r.Gone)
}
