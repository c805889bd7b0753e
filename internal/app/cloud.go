package app

import (
	"net/url"
	"slices"
	"strings"

	"pagbot/downstream"
)

// cloud is where one of Microsoft's clouds has what the bot asks.
type cloud struct {
	name      string
	authority string
	graph     string
	portal    string // where people decide in a browser
	azure     string // Resource Manager
	defender  string // Defender's API; empty: it is not offered there
	devices   string // what tokens for it are of
	vaults    string // what the hosts of its key vaults end with
}

// The first is the default. Which Graph root is whose is well known, and not
// settled in writing; so are the hosts of Defender in the clouds of the US
// government. Whoever finds another there names it: graph, authority and each
// target's api come first.
var clouds = []cloud{
	{"public", "https://login.microsoftonline.com/", "https://graph.microsoft.com", "https://entra.microsoft.com", "https://management.azure.com",
		"https://api.security.microsoft.com", "https://api.securitycenter.microsoft.com", ".vault.azure.net"},
	{"us-government", "https://login.microsoftonline.us/", "https://graph.microsoft.us", "https://entra.microsoft.us", "https://management.usgovcloudapi.net",
		"https://api-gov.security.microsoft.us", "https://api-gov.securitycenter.microsoft.us", ".vault.usgovcloudapi.net"},
	{"us-dod", "https://login.microsoftonline.us/", "https://dod-graph.microsoft.us", "https://entra.microsoft.us", "https://management.usgovcloudapi.net",
		"https://api-gov.security.microsoft.us", "https://api-gov.securitycenter.microsoft.us", ".vault.usgovcloudapi.net"},
	{"china", "https://login.chinacloudapi.cn/", "https://microsoftgraph.chinacloudapi.cn", "https://portal.azure.cn", "https://management.chinacloudapi.cn",
		"", "", ".vault.azure.cn"},
}

// cloud is the one that the tenant is in: as it is said, else as Graph's address
// says.
func (e *EntraConfig) cloud() cloud {
	i := slices.IndexFunc(clouds, func(c cloud) bool { return c.name == e.Cloud })
	if e.Cloud == "" {
		i = slices.IndexFunc(clouds, func(c cloud) bool { return c.graph == strings.TrimSuffix(e.Graph, "/") })
	}
	return clouds[max(i, 0)]
}

func (c cloud) public() bool { return c.name == clouds[0].name }

// approve is where PIM's requests for groups are decided in a browser.
func (c cloud) approve() string {
	return c.portal + "/#view/Microsoft_Azure_PIMCommon/ApproveRequestMenuBlade/~/aadgroup"
}

// check says what can't be in that cloud.
func (c *Config) checkCloud(p *problems) {
	e := c.Entra
	known := e.Cloud == "" || slices.ContainsFunc(clouds, func(c cloud) bool { return c.name == e.Cloud })
	p.need(known, "entra.cloud: %q is not known: choose public, us-government, us-dod or china", e.Cloud)
	in := e.cloud()
	if s := c.SignIn; s != nil && s.KeyVault != "" && known {
		u, err := url.Parse(s.KeyVault)
		for _, other := range clouds {
			p.need(err != nil || other.vaults == in.vaults || !strings.HasSuffix(u.Hostname(), other.vaults), "signin.key_vault: %s is in another cloud than the tenant (%s)", s.KeyVault, in.name)
		}
	}
	for _, t := range c.Targets {
		switch {
		case in.public():
		case t.Kind == "devops":
			p.need(t.API != "", "targets %s: Azure DevOps is not offered in the cloud %s: leave the target out, or name its address as api", t.ID, in.name)
		case t.Defender != nil && t.Defender.As == asPerson:
			p.need(in.defender != "" || t.Defender.API != "", "targets %s: Defender is not offered in the cloud %s: leave the target out", t.ID, in.name)
		case t.Azure != nil:
			p.need(t.Azure.Ask != downstream.AzurePDP, "targets %s: ask pdp is known in the public cloud only: choose check", t.ID)
		}
	}
}
