package downstream

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Carries is what is known of a group, and of an ask for it if there is one.
type Carries struct {
	Group          string
	RoleAssignable *bool         // nil: not known
	Roles          []string      // template ids of the directory roles that it carries
	Opens          []Opens       // the systems that it opens
	Duration       time.Duration // asked for, or else the longest that may be; zero: not known
	Also           []Carries     // other groups: of the same person and active; or, without an ask, configured
	Asked          bool          // a person asks: sentences are for them, not for who configures
}

// Opens is one system that a group opens.
type Opens struct {
	Kind     string // a kind of target, or one of the systems that only warnings know: see Systems
	Name     string // for people
	Standing *bool  // the person is known there, with access of their own; nil: not known
}

// Systems are what a group may open without a target, for the warnings' sake.
var Systems = []string{"aks", "github", "sharepoint", "exchange", "purview"}

// Warning is one thing to know before an activation.
type Warning struct {
	Code string // for programs
	Text string // one sentence or two, for people
}

// The warnings' codes.
const (
	WarnSlowRole    = "slow-role"
	WarnShort       = "shorter-than-access"
	WarnNeverSeen   = "may-never-be-seen"
	WarnTwoScopes   = "scopes-widen"
	WarnStanding    = "no-standing-access"
	WarnCredentials = "not-role-assignable"
)

// Warnings says what is known to surprise people about a group.
func Warnings(g Carries) []Warning {
	var all []Warning
	add := func(code, format string, args ...any) {
		all = append(all, Warning{code, fmt.Sprintf(format, args...)})
	}
	warnSlow(g, add)
	warnDuration(g, add)
	warnScopes(g, add)
	for _, o := range g.Opens {
		switch {
		case o.Kind != "devops" || o.Standing != nil && *o.Standing:
		case o.Standing != nil:
			add(WarnStanding, "%s doesn't know you yet: it needs ordinary access of your own and one sign-in there. Without it %s opens nothing for you there, and I can't tell when it works.", o.Name, g.Group)
		case !g.Asked:
			add(WarnStanding, "%s needs ordinary access of each person's own as well: %s alone opens nothing there. Give its members a licence and sign in once before the first activation.", o.Name, g.Group)
		}
	}
	if g.RoleAssignable != nil && !*g.RoleAssignable && !g.Asked {
		add(WarnCredentials, "%s is not role-assignable, so Authentication Administrators and Password Administrators can reset its members' credentials and come in as them: use a role-assignable group for what is worth protecting.", g.Group)
	}
	return all
}

// slowRoles are the directory roles that SharePoint, Exchange and Purview take
// over from Entra in their own time, by template id.
var slowRoles = map[string]struct{ role, system string }{
	"f28a1f50-f6e7-4571-818b-6a12f2af6b6c": {"SharePoint Administrator", "SharePoint"},
	"29232cdf-9323-42fd-ade2-1d097af3e4de": {"Exchange Administrator", "Exchange"},
	"31392ffb-586c-42d1-9346-e59415a2cc4e": {"Exchange Recipient Administrator", "Exchange"},
	"17315797-102d-40b4-93e0-432062caca18": {"Compliance Administrator", "Purview"},
	"e6d1a23a-da11-4be4-9570-befc86d067a7": {"Compliance Data Administrator", "Purview"},
}

type adder func(code, format string, args ...any)

// warnSlow is about roles that arrive hours late.
func warnSlow(g Carries, add adder) {
	told := map[string]bool{}
	tell := func(system, carries string) {
		if told[system] {
			return
		}
		told[system] = true
		if g.Asked {
			add(WarnSlowRole, "%s %s: that may take hours to work there, longer than a short activation lasts. Ask for as long as you may.", g.Group, carries)
			return
		}
		add(WarnSlowRole, "%s %s: such permissions may take hours to arrive through a group. Make the group eligible for the role instead of active, or use PIM for roles.", g.Group, carries)
	}
	for _, id := range g.Roles {
		if r, ok := slowRoles[strings.ToLower(id)]; ok {
			tell(r.system, fmt.Sprintf("carries the Entra role %s, which %s takes over in its own time", r.role, r.system))
		}
	}
	for _, o := range g.Opens {
		if system, ok := map[string]string{"sharepoint": "SharePoint", "exchange": "Exchange", "purview": "Purview"}[o.Kind]; ok {
			tell(system, "opens "+orID(o.Name, system))
		}
	}
}

const (
	aksLeast   = time.Hour // a token of a cluster can't be revoked
	githubSync = time.Hour // groups are fetched at least so often
)

// warnDuration is about activations that are shorter than the system is slow.
func warnDuration(g Carries, add adder) {
	if g.Duration <= 0 {
		return
	}
	for _, o := range g.Opens {
		switch {
		case o.Kind == "aks" && g.Duration < aksLeast:
			add(WarnShort, "%s gives out tokens that can't be taken back: whatever duration is chosen, access lasts 60 to 75 minutes.", orID(o.Name, "AKS"))
		case o.Kind == "github" && g.Duration <= githubSync:
			add(WarnNeverSeen, "%s looks at the group about once an hour: an activation of %s may end before it was ever seen. Choose more than an hour.", orID(o.Name, "GitHub's team sync"), plainDuration(g.Duration))
		}
	}
}

// warnScopes is about two scopes of Intune that are open at once.
func warnScopes(g Carries, add adder) {
	if !opens(g, "intune") {
		return
	}
	var others []string
	for _, o := range g.Also {
		if opens(o, "intune") && o.Group != g.Group {
			others = append(others, o.Group)
		}
	}
	if len(others) == 0 {
		return
	}
	names := strings.Join(others, " and ")
	if g.Asked {
		add(WarnTwoScopes, "While %s is active too, the two widen each other in Intune: what either lets you read, change or delete, you may in both scopes. End it first if you need only one.", names)
		return
	}
	add(WarnTwoScopes, "%s and %s both open Intune: held at once they widen each other, and what either lets people read, change or delete, they may in both scopes. Have people switch instead.", g.Group, names)
}

func opens(g Carries, kind string) bool {
	return slices.ContainsFunc(g.Opens, func(o Opens) bool { return o.Kind == kind })
}

// plainDuration is "30 minutes", or "1 hour".
func plainDuration(d time.Duration) string {
	n, unit := int(d/time.Minute), "minute"
	if d >= time.Hour && d%time.Hour == 0 {
		n, unit = int(d/time.Hour), "hour"
	}
	if n != 1 {
		unit += "s"
	}
	return fmt.Sprintf("%d %s", n, unit)
}
