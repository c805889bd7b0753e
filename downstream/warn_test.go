package downstream

import (
	"strings"
	"testing"
	"time"
)

func TestWarnings(t *testing.T) {
	yes, no := true, false
	intune := []Opens{{Kind: "intune", Name: "Intune SAW"}}
	for name, c := range map[string]struct {
		g    Carries
		code string // empty: no warning
		says string
	}{
		"nothing known":                {Carries{Group: "admins"}, "", ""},
		"sharepoint's role":            {Carries{Group: "admins", Roles: []string{"F28A1F50-f6e7-4571-818b-6a12f2af6b6c"}}, WarnSlowRole, "Make the group eligible"},
		"sharepoint's role, asked":     {Carries{Group: "admins", Asked: true, Roles: []string{"f28a1f50-f6e7-4571-818b-6a12f2af6b6c"}}, WarnSlowRole, "Ask for as long as you may"},
		"two roles of one system":      {Carries{Group: "admins", Roles: []string{"29232cdf-9323-42fd-ade2-1d097af3e4de", "31392ffb-586c-42d1-9346-e59415a2cc4e"}}, WarnSlowRole, "Exchange Administrator"},
		"purview, as configured":       {Carries{Group: "admins", Opens: []Opens{{Kind: "purview"}}}, WarnSlowRole, "opens Purview"},
		"a harmless role":              {Carries{Group: "admins", Roles: []string{"88d8e3e3-8f55-4a1e-953a-9b9898b8876b"}}, "", ""},
		"aks for half an hour":         {Carries{Group: "admins", Duration: 30 * time.Minute, Opens: []Opens{{Kind: "aks"}}}, WarnShort, "60 to 75 minutes"},
		"aks for an hour":              {Carries{Group: "admins", Duration: time.Hour, Opens: []Opens{{Kind: "aks"}}}, "", ""},
		"github for an hour":           {Carries{Group: "admins", Duration: time.Hour, Opens: []Opens{{Kind: "github", Name: "GitHub contoso"}}}, WarnNeverSeen, "GitHub contoso looks at the group about once an hour: an activation of 1 hour may end"},
		"github for two":               {Carries{Group: "admins", Duration: 2 * time.Hour, Opens: []Opens{{Kind: "github"}}}, "", ""},
		"github for nobody knows":      {Carries{Group: "admins", Opens: []Opens{{Kind: "github"}}}, "", ""},
		"two scopes, asked":            {Carries{Group: "saw", Asked: true, Opens: intune, Also: []Carries{{Group: "default", Opens: intune}}}, WarnTwoScopes, "While default is active too"},
		"two scopes, configured":       {Carries{Group: "saw", Opens: intune, Also: []Carries{{Group: "saw", Opens: intune}, {Group: "default", Opens: intune}, {Group: "devops"}}}, WarnTwoScopes, "saw and default both open Intune"},
		"one scope":                    {Carries{Group: "saw", Opens: intune, Also: []Carries{{Group: "devops", Opens: []Opens{{Kind: "devops"}}}}}, "", ""},
		"devops":                       {Carries{Group: "admins", Opens: []Opens{{Kind: "devops", Name: "Azure DevOps"}}}, WarnStanding, "each person's own"},
		"devops, asked, not known":     {Carries{Group: "admins", Asked: true, Opens: []Opens{{Kind: "devops"}}}, "", ""},
		"devops, asked, without":       {Carries{Group: "admins", Asked: true, Opens: []Opens{{Kind: "devops", Name: "Azure DevOps", Standing: &no}}}, WarnStanding, "doesn't know you yet"},
		"devops, with access":          {Carries{Group: "admins", Opens: []Opens{{Kind: "devops", Standing: &yes}}}, "", ""},
		"not role-assignable":          {Carries{Group: "admins", RoleAssignable: &no}, WarnCredentials, "Password Administrators can reset"},
		"role-assignable":              {Carries{Group: "admins", RoleAssignable: &yes}, "", ""},
		"not role-assignable, asked":   {Carries{Group: "admins", Asked: true, RoleAssignable: &no}, "", ""},
		"half an hour said as minutes": {Carries{Group: "admins", Duration: 90 * time.Second, Opens: []Opens{{Kind: "github"}}}, WarnNeverSeen, "of 1 minute may"},
	} {
		got := Warnings(c.g)
		if c.code == "" {
			if len(got) > 0 {
				t.Errorf("%s: %+v", name, got)
			}
			continue
		}
		if len(got) != 1 || got[0].Code != c.code || !strings.Contains(got[0].Text, c.says) {
			t.Errorf("%s: %+v, want %s %q", name, got, c.code, c.says)
		}
	}
}
