package app

import (
	"strings"
	"testing"
)

// inCloud is the good configuration with addresses left to its cloud.
func inCloud(cloud, more string) (*Config, error) {
	text := strip(good, "graph:", "authority:", "key_vault:")
	text = strings.Replace(text, "entra:\n", "entra:\n  cloud: "+cloud+"\n", 1)
	return parseConfig([]byte(text + more))
}

func TestCloudsAddresses(t *testing.T) {
	for cloud, portal := range map[string]string{"public": "https://entra.microsoft.com/", "us-government": "https://entra.microsoft.us/", "us-dod": "https://entra.microsoft.us/", "china": "https://portal.azure.cn/"} {
		c, err := inCloud(cloud, "")
		if err != nil {
			t.Errorf("%s: %v", cloud, err)
			continue
		}
		in := c.Entra.cloud()
		if !strings.HasPrefix(in.approve(), portal) || c.private() || signInScopes(c.graphRoot())[0] != in.graph+"/PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup" {
			t.Errorf("%s: %+v", cloud, in)
		}
		for what, address := range map[string]string{"authority": c.authority(), "graph": c.graphRoot(), "portal": in.portal, "azure": in.azure, "defender": in.defender + in.devices} {
			for _, other := range []string{"microsoftonline.com", "microsoft.com", "azure.com", "windows.net"} {
				if cloud != "public" && strings.Contains(address, other) {
					t.Errorf("%s: the %s is %s", cloud, what, address)
				}
			}
		}
	}
	c := Config{Entra: EntraConfig{Graph: "https://dod-graph.microsoft.us/"}}
	if got := c.Entra.cloud().name; got != "us-dod" {
		t.Errorf("Graph's address tells the cloud, and not %s", got)
	}
}

func TestNotInEveryCloud(t *testing.T) {
	for what, c := range map[string]struct{ cloud, more, words string }{
		"unknown":      {"moon", "", "us-dod"},
		"devops":       {"china", "  - {id: d2, kind: devops, organization: contoso}\n", "not offered in the cloud china"},
		"defender":     {"china", "  - {id: x, kind: defender, defender: {as: person}}\n", "not offered in the cloud china"},
		"pdp":          {"us-dod", "  - {id: x, kind: azure, azure: {scope: /subscriptions/one, ask: pdp, action: a/b, api: \"https://x.authorization.azure.net\"}}\n", "choose check"},
		"public vault": {"us-government", "", "in another cloud"},
	} {
		_, err := inCloud(c.cloud, c.more)
		if what == "public vault" {
			text := strings.Replace(strip(good, "graph:", "authority:"), "entra:\n", "entra:\n  cloud: "+c.cloud+"\n", 1)
			_, err = parseConfig([]byte(text))
		}
		if err == nil || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s: %v, which says nothing of %q", what, err, c.words)
		}
	}
}
