package demo

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"pagbot/sim/awsidc"
	"pagbot/sim/defender"
	"pagbot/sim/entra"
	"pagbot/sim/intune"
	"pagbot/sim/target"
)

// The groups that only the story of the targets has.
const (
	helpSAW     = "helpdesk-saw"     // Intune's help desk, for secure workstations only
	helpDefault = "helpdesk-default" // the same role, for all other devices
	responders  = "responders"       // Defender: the devices of Servers
)

// accounts are the AWS accounts that Identity Center opens, by a group each. All
// of them are behind one enterprise application.
var accounts = []string{"aws-audit", "aws-billing", "aws-deploy", "aws-logs", "aws-network", "aws-storage"}

const (
	sawAssignment     = "3a8a1f0e-52b1-4f0e-8a35-2c7e1f0b9d11"
	defaultAssignment = "77c0d2ab-19e4-4b57-9d0c-5d1f6a2e8c03"
	defenderAudience  = "https://api.securitycenter.microsoft.com"
	awsKey, awsSecret = "AKIADEMO", "only-for-a-demo"
)

// systems are what the story of the targets has besides the company's own.
type systems struct {
	intune, defender, aws string // where they are served
	servers               []*http.Server
}

func (y *systems) close() {
	for _, s := range y.servers {
		_ = s.Close()
	}
}

// serve serves a system on loopback, and says where.
func (y *systems) serve(h http.Handler) (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	y.servers = append(y.servers, s)
	go func() { _ = s.Serve(l) }()
	return "http://" + l.Addr().String(), nil
}

// expand gives the company the systems of this story, the groups that open
// them, and the bot a configuration that knows both.
func (s *Stage) expand() (*systems, error) {
	for _, name := range append([]string{helpSAW, helpDefault, responders}, accounts...) {
		who := Requester
		if strings.HasPrefix(name, "aws-") {
			who = Colleague
		}
		if err := s.eligibleFor(name, who); err != nil {
			return nil, err
		}
	}
	if err := s.Entra.ChangeApp(s.Reader.ID, func(a *entra.App) {
		a.Roles = append(a.Roles, "DeviceManagementRBAC.Read.All", "RoleManagement.Read.Defender")
	}); err != nil {
		return nil, err
	}
	if err := s.Entra.ChangeApp(s.SignIn.ID, func(a *entra.App) {
		a.Delegated = append(a.Delegated, "DeviceManagementRBAC.Read.All", defenderAudience+"/Machine.Read")
	}); err != nil {
		return nil, err
	}
	y := &systems{}
	return y, errors.Join(s.intune(y), s.defender(y), s.aws(y), s.configure(y))
}

// eligibleFor makes a group that a person may activate on their own.
func (s *Stage) eligibleFor(group, who string) error {
	g := s.Entra.AddGroup(entra.Group{Name: group, RoleAssignable: true})
	s.Groups[group] = g
	e := entra.DefaultSettings()
	e.Justification, e.MaxDuration = true, 4*time.Hour
	_, err := s.Entra.AddEligibility(g.ID, "member", s.Account(who), time.Time{})
	return errors.Join(err, s.Entra.SetSettings(g.ID, "member", e))
}

// played is how a person of this story shows themselves in their own browser:
// systems believe it, as they believe the authority's tokens.
const played = "played by the demo: "

// callers tells whom a bearer stands for.
func (s *Stage) callers(audiences ...string) func(string) (target.Caller, error) {
	return func(token string) (target.Caller, error) {
		if oid, ok := strings.CutPrefix(token, played); ok {
			return target.Caller{OID: oid, Issued: s.Clock.Now()}, nil
		}
		err := errors.New("no audience")
		for _, audience := range audiences {
			var c map[string]any
			if c, err = s.Entra.Verify(token, audience); err == nil {
				by := target.CallerOf(c)
				by.Issued = s.Clock.Now()
				return by, nil
			}
		}
		return target.Caller{}, err
	}
}

func minutes(least, most time.Duration) target.Delay {
	return target.Delay{Min: least * time.Minute, Max: most * time.Minute}
}

// intune has one role assigned twice, over different scopes.
func (s *Stage) intune(y *systems) error {
	follow := &target.Follow{Grant: minutes(2, 5), Revoke: minutes(2, 5)}
	role := func(id, name, group string, tag intune.Tag) intune.Assignment {
		return intune.Assignment{ID: id, Name: name, Role: "help-desk", RoleName: "Help Desk Operator", Groups: []string{s.Groups[group].ID}, Tags: []intune.Tag{tag}, Follow: follow}
	}
	w, err := intune.New(intune.Config{Seed: 1, Now: s.Clock.Now, Wire: time.Now, Directory: s.Entra, Verify: s.callers(entra.GraphAudience),
		Assignments: []intune.Assignment{role(sawAssignment, "Help desk (SAW)", helpSAW, intune.Tag{ID: "1", Name: "SAW"}), role(defaultAssignment, "Help desk (Default)", helpDefault, intune.Tag{ID: "0", Name: "Default"})},
		Policies:    []intune.Policy{{ID: "p1", Name: "Secure workstations", Tags: []string{"1"}}, {ID: "p2", Name: "Office laptops", Tags: []string{"0"}}}})
	if err == nil {
		y.intune, err = y.serve(w.Handler())
	}
	return err
}

// defender forgets late this morning: later than pagbot lets pass in silence.
func (s *Stage) defender(y *systems) error {
	dials := defender.Usual()
	dials.Keeps = 0 // tokens live by the machine's clock, which is slower here than the company's
	w, err := defender.New(defender.Config{Seed: 1, Now: s.Clock.Now, Wire: time.Now, Directory: s.Entra, Verify: s.callers(entra.GraphAudience, defenderAudience), Dials: &dials,
		Roles:   []defender.Role{{ID: "r1", Name: "Incident response", Groups: []string{s.Groups[responders].ID}, DeviceGroups: []string{"Servers"}, Follow: &target.Follow{Grant: minutes(3, 5), Revoke: minutes(33, 36)}}},
		Devices: []defender.Device{{ID: "d1", Name: "srv1.contoso.example", Group: "Servers"}, {ID: "d2", Name: "lap1.contoso.example", Group: "Laptops"}}})
	if err == nil {
		y.defender, err = y.serve(w.Handler())
	}
	return err
}

// aws is provisioned by Entra: five members in ten seconds within minutes, the
// next with a cycle of 40 minutes. One cycle is a quarter of an hour away.
func (s *Stage) aws(y *systems) error {
	follow := target.Provisioning()
	follow.Push.Delay = minutes(2, 5)
	cycle := s.Clock.Now().Add(15 * time.Minute)
	follow.Phase = cycle.Sub(cycle.Truncate(follow.Tick))
	var groups []awsidc.Group
	for _, name := range accounts {
		groups = append(groups, awsidc.Group{Name: name, PAG: s.Groups[name].ID})
	}
	w, err := awsidc.New(awsidc.Config{Seed: 1, Now: s.Clock.Now, Wire: time.Now, Directory: s.Entra, Store: "d-1234567890", Region: "eu-central-1",
		Keys: map[string]string{awsKey: awsSecret}, Follow: &follow, Groups: groups,
		Users: []awsidc.User{{OID: s.Account(Colleague), UPN: "adm-" + Colleague + "@contoso.example", Provisioned: true}}})
	if err == nil {
		y.aws, err = y.serve(w.Handler())
	}
	return err
}

// configure adds to pagbot.yaml what an administrator would.
func (s *Stage) configure(y *systems) error {
	old, err := os.ReadFile(s.Config)
	if err != nil {
		return err
	}
	dir := filepath.Dir(s.Config)
	if err := errors.Join(os.WriteFile(filepath.Join(dir, "aws-key"), []byte(awsKey), 0o600), os.WriteFile(filepath.Join(dir, "aws-secret"), []byte(awsSecret), 0o600)); err != nil {
		return err
	}
	head, rest, ok := strings.Cut(string(old), "targets:\n  - {id: entra")
	devops := fmt.Sprintf("organization: contoso, api: %s}", s.Place.DevOps)
	if !ok || !strings.Contains(rest, devops) {
		return errors.New("the configuration is not what it was")
	}
	rest = strings.Replace(rest, devops, strings.TrimSuffix(devops, "}")+", requires: {effective: 15m, gone: 60m}}", 1)
	var b strings.Builder
	b.WriteString(head)
	group := func(name, targets string) {
		fmt.Fprintf(&b, "  - {name: %s, id: %s, channel: %s, targets: [entra, %s]}\n", name, s.Groups[name].ID, s.Channel.ID, targets)
	}
	group(helpSAW, "intune-saw")
	group(helpDefault, "intune-default")
	group(responders, "defender-roles, defender")
	for _, name := range accounts {
		group(name, name)
	}
	fmt.Fprintf(&b, "presets:\n  - {name: all-accounts, members: [%s], for: 15m}\n", strings.Join(accounts, ", "))
	b.WriteString("targets:\n  - {id: entra" + rest)
	b.WriteString(y.yaml())
	return os.WriteFile(s.Config, []byte(b.String()), 0o600)
}

// yaml is the targets of this story, as pagbot.yaml has them.
func (y *systems) yaml() string {
	const within = "requires: {effective: 15m, gone: 60m}"
	var b strings.Builder
	for _, t := range [][3]string{{"intune-saw", sawAssignment, "SAW"}, {"intune-default", defaultAssignment, "Default"}} {
		fmt.Fprintf(&b, "  - {id: %s, kind: intune, name: Intune (%s), intune: {assignment: %s, scope_tags: [%s], as: person, api: %s}, %s}\n", t[0], t[2], t[1], t[2], y.intune, within)
	}
	fmt.Fprintf(&b, "  - {id: defender-roles, kind: defender, name: Defender's role, defender: {api: %s}}\n", y.defender)
	fmt.Fprintf(&b, "  - {id: defender, kind: defender, name: Microsoft Defender, defender: {as: person, device_groups: [Servers], api: %s}, requires: {effective: 15m, gone: 30m}}\n", y.defender)
	for _, name := range accounts {
		fmt.Fprintf(&b, "  - {id: %s, kind: aws, name: AWS %s, aws: {region: eu-central-1, store: d-1234567890, group: %s, access_key: {file: aws-key}, secret_key: {file: aws-secret}, endpoint: %s}, application: aws, %s}\n",
			name, strings.TrimPrefix(name, "aws-"), name, y.aws, within)
	}
	return b.String()
}
