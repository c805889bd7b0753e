package demo

import (
	"errors"
	"fmt"
	"os"
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
)

// faulty are groups of the colleague alone, one for each fault.
var faulty = []string{"reports-a", "reports-b", "reports-c", "reports-d", "reports-e"}

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
		logReaders: mfa, backupReaders: mfa,
		dbAdmins:   func(e *entra.Settings) { e.Approval, e.Approvers = true, approvers(Approver, Second, Colleague) },
		prodAdmins: func(e *entra.Settings) { e.Approval, e.Approvers = true, approvers(Approver) },
	}
	for _, name := range faulty {
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
	may := [][3]string{{Releasers, "owner", Requester}, {DevOpsAdmins, "member", Colleague}, {prodAdmins, "member", Colleague}}
	for _, name := range faulty {
		may = append(may, [3]string{name, "member", Colleague})
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
