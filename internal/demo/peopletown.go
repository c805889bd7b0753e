package demo

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"pagbot/sim/entra"
)

// The groups that only the story of the people has.
const (
	logReaders    = "log-readers"    // multifactor authentication
	backupReaders = "backup-readers" // the same
	dbAdmins      = "db-admins"      // two of three approvers, by pagbot's rule
	prodAdmins    = "prod-admins"    // an approval: what a thief wants
	auditAdmins   = "audit-admins"   // the same
	siteEast      = "site-east"      // nothing; it excludes the next
	siteWest      = "site-west"      // multifactor authentication
)

// faulty are groups of the colleague alone, one for each fault.
var faulty = []string{"reports-a", "reports-b", "reports-c", "reports-d", "reports-e", "reports-f", "reports-g", "reports-h", "reports-i"}

// owned and later are the same for being an owner, and for later starts.
var (
	owned = []string{"boards-a", "boards-b", "boards-c", "boards-d", "boards-e"}
	later = []string{"plans-a", "plans-b", "plans-c", "plans-d", "plans-e"}
)

// unwell are all groups that meet a fault.
func unwell() []string { return slices.Concat(faulty, owned, later) }

// settle gives the company what this story needs beyond the other's, and the bot
// a configuration of its own.
func (s *Stage) settle() error {
	approvers := func(names ...string) (all []entra.Approver) {
		for _, n := range names {
			all = append(all, entra.Approver{User: s.Account(n)})
		}
		return all
	}
	mfa := func(e *entra.Settings) { e.MFA = true }
	rules := map[string]func(*entra.Settings){
		logReaders: mfa, backupReaders: mfa, siteWest: mfa,
		siteEast:    func(*entra.Settings) {},
		dbAdmins:    func(e *entra.Settings) { e.Approval, e.Approvers = true, approvers(Approver, Second, Colleague) },
		prodAdmins:  func(e *entra.Settings) { e.Approval, e.Approvers = true, approvers(Approver) },
		auditAdmins: func(e *entra.Settings) { e.Approval, e.Approvers = true, approvers(Approver) },
	}
	for _, name := range unwell() {
		rules[name] = func(*entra.Settings) {}
	}
	for name, rule := range rules {
		g := s.Entra.AddGroup(entra.Group{Name: name, RoleAssignable: true})
		s.Groups[name] = g
		e := entra.DefaultSettings()
		e.Justification, e.MaxDuration = true, 4*time.Hour
		rule(&e)
		if err := s.Entra.SetSettings(g.ID, "member", e); err != nil {
			return err
		}
		if _, err := s.Entra.AddEligibility(g.ID, "member", s.Account(Requester), time.Time{}); err != nil {
			return err
		}
	}
	device := s.Entra.AddApp(entra.App{Name: "pagbot device", Public: true, Delegated: []string{"PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup"}})
	return errors.Join(s.eligible(), s.Entra.AddTie(s.Groups[Releasers].ID, "owner", s.Account(Second)),
		s.reconfigure(func(yaml string) string {
			yaml, _, _ = strings.Cut(yaml, "groups:\n")
			return strings.Replace(yaml, "  people: people.yaml\n", "  people: people.yaml\n  device_client: "+device.ID+"\n", 1) + s.peopleGroups()
		}))
}

// eligible is who else may activate what.
func (s *Stage) eligible() error {
	may := [][3]string{{Releasers, "owner", Requester}, {DevOpsAdmins, "member", Colleague}, {prodAdmins, "member", Colleague}, {auditAdmins, "member", Colleague}}
	for _, name := range unwell() {
		access := "member"
		if slices.Contains(owned, name) {
			access = "owner"
		}
		may = append(may, [3]string{name, access, Colleague})
	}
	for _, m := range may {
		if _, err := s.Entra.AddEligibility(s.Groups[m[0]].ID, m[1], s.Account(m[2]), time.Time{}); err != nil {
			return err
		}
	}
	return nil
}

// peopleGroups are the groups of this story's configuration.
func (s *Stage) peopleGroups() string {
	var b strings.Builder
	b.WriteString("groups:\n")
	group := func(name, more string) {
		fmt.Fprintf(&b, "  - {name: %s, id: %s, channel: %s, targets: [entra]%s}\n", name, s.Groups[name].ID, s.Channel.ID, more)
	}
	for _, name := range []string{Releasers, logReaders, backupReaders, DevOpsAdmins} {
		group(name, "")
	}
	group(Vault, ", proof: session")
	group(dbAdmins, ", quorum: 2")
	group(prodAdmins, ", proof: fresh")
	for _, name := range faulty {
		group(name, "")
	}
	for _, name := range append(owned, later...) {
		group(name, ", proof: session")
	}
	group(siteEast, fmt.Sprintf(", excludes: [%s]", siteWest))
	group(siteWest, "")
	group(auditAdmins, "")
	fmt.Fprintf(&b, "presets:\n  - {name: night-shift, members: [%s, %s], for: 1h}\n", DevOpsAdmins, backupReaders)
	b.WriteString("targets:\n  - {id: entra, kind: entra}\n")
	return b.String()
}

// reconfigure edits the bot's configuration; it counts from the next start.
func (s *Stage) reconfigure(edit func(string) string) error {
	old, err := os.ReadFile(s.Config)
	if err != nil {
		return err
	}
	changed := edit(string(old))
	if changed == string(old) {
		return errors.New("the configuration is not changed by that")
	}
	return os.WriteFile(s.Config, []byte(changed), 0o600)
}
