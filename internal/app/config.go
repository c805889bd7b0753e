package app

import "pagbot/activation"

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
	// Targets are the systems where the groups carry roles.
	Targets []TargetConfig `yaml:"targets"`

	dir string // of the file, for relative paths
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
	// Graph is Microsoft Graph's root; empty: https://graph.microsoft.com.
	Graph string `yaml:"graph"`
	// Authority is the sign-in host; empty: https://login.microsoftonline.com/.
	Authority string `yaml:"authority"`
	// CA is a file with further certificates (PEM) that the authority and Graph
	// may use; for a test tenant behind a private authority.
	CA string `yaml:"ca"`

	// Reader is the registration that reads, and how it authenticates.
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
	// ClientID of the sign-in registration: a confidential web client with
	// delegated scopes and assignment required.
	ClientID string `yaml:"client_id"`
	// ClientSecret of the sign-in registration.
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
	// Opens are further systems that the group opens, for warnings only: aks,
	// github, sharepoint, exchange or purview.
	Opens []string `yaml:"opens"`
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
}
