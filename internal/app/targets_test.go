package app

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"pagbot/activation"
	"pagbot/downstream"
)

func read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// withTargets is the example with other targets.
func withTargets(t *testing.T, targets string) (*Config, error) {
	t.Helper()
	head, _, ok := strings.Cut(read(t, example), "\ntargets:\n")
	if !ok {
		t.Fatal("the example has no targets")
	}
	provisioner := regexp.MustCompile(`(?m)^  # (provisioner:|  client_(?:id|secret): (?:5b0c|\{env: PAGBOT_PROV))`)
	head = provisioner.ReplaceAllString(head, "  $1")
	return parseConfig([]byte(strings.Replace(head, "targets: [entra, devops]", "targets: []", 1) + "\ntargets:\n" + targets))
}

// What is commented out in the example is a configuration, too.
func TestExampleOfEveryKindLoads(t *testing.T) {
	_, targets, _ := strings.Cut(read(t, example), "\ntargets:\n")
	c, err := withTargets(t, regexp.MustCompile(`(?m)^  # (- id|  )`).ReplaceAllString(targets, "  $1"))
	if err != nil {
		t.Fatal(err)
	}
	for name := range kinds {
		shown := false
		for _, target := range c.Targets {
			shown = shown || target.Kind == name
		}
		if !shown {
			t.Errorf("pagbot.example.yaml shows no target of kind %s", name)
		}
	}
}

// The worked examples of the manual are taken as they stand there, and so is
// the list of kinds.
func TestManualOfTargets(t *testing.T) {
	manual := read(t, "../../docs/targets.md")
	for name := range kinds {
		if !strings.Contains(manual, "\n### "+name+"\n") || !strings.Contains(manual, "| `"+name+"` |") {
			t.Errorf("docs/targets.md does not explain kind %s", name)
		}
	}
	for _, claim := range []string{"**listed**", "**received**", "**effective**", "**configured**"} {
		if !strings.Contains(manual, claim) {
			t.Errorf("docs/targets.md lacks the claim %s", claim)
		}
	}
	n := 0
	for _, block := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(manual, -1) {
		n++
		if _, err := withTargets(t, block[1]); err != nil {
			t.Errorf("%v in\n%s", err, block[1])
		}
	}
	for _, block := range regexp.MustCompile(`(?m)(^    .*\n)+`).FindAllString(manual, -1) {
		if !strings.Contains(block, "    - id:") {
			continue
		}
		n++
		if _, err := withTargets(t, block); err != nil {
			t.Errorf("%v in\n%s", err, block)
		}
	}
	if n != 5 {
		t.Errorf("%d examples were found", n)
	}
}

const (
	app    = "{id: app, kind: scim, scim: {base: 'https://app.example', group: g, token: {env: T}}}"
	center = "{id: aws, kind: aws, aws: {region: eu-central-1, store: d-1234567890, group: g, access_key: {env: A}, secret_key: {env: S}}}"
	system = "{id: sys, kind: http, gone_within: 1h, http: {url: 'https://sys.example/{{.User.OID}}', value: /v, yes: [a], no: [b]}}"
)

func TestTargetsAreRefused(t *testing.T) {
	for _, x := range []struct{ from, old, new, want string }{
		{app, "scim, scim", "ldap, scim", `targets app: kind "ldap" is not known: choose aws, azure, defender, devops, directory-role, entra, http, intune or scim`},
		{app, "scim, scim", "aws, scim", "targets app: the settings of kind scim stand at a target of kind aws"},
		{app, ", scim: {base: 'https://app.example', group: g, token: {env: T}}", "", "targets app: the settings of kind scim are missing"},
		{app, "https:", "http:", `targets app: "http://app.example" must be https`},
		{app, "https://app.example", "https://graph.microsoft.com/v1.0", "Entra's own side of provisioning"},
		{app, ", token: {env: T}", "", "targets app: the SCIM service's token is needed: write it as {env: NAME}, {file: PATH} or {credential: NAME}"},
		{app, "token: {env: T}", "token: abc", "a secret never stands in the configuration itself"},
		{app, "group: g", "group: g, members: guess", `targets app: members "guess" is not known`},
		{app, "group: g", "grup: g", "there is no setting called grup in a target's scim section"},
		{center, "eu-central-1", "Frankfurt", `targets aws: "Frankfurt" is not a region`},
		{center, ", secret_key: {env: S}", "", "targets aws: give an access key with its secret key, or a role with its token file"},
		{center, "access_key: {env: A}", "access_key: {}", "targets aws: access_key: write it as"},
		{system, "gone_within: 1h, ", "", "targets sys: say gone_within"},
		{system, "value: /v", "value: /v, method: POST", "targets sys: a POST may change something"},
		{system, "value: /v", "value: /v, proves: session", `targets sys: proves "session" is not known: choose received or effective`},
		{system, "value: /v", "value: /v, proves: listed", "choose kind entra"},
		{system, "value: /v", "value: /v, headers: {Authorization: abc}", "a secret never stands in the configuration itself"},
		{system, "value: /v", "value: /v, secrets: {t: {}}", "targets sys: secret t: write it as"},
		{system, "sys.example", "169.254.169.254", "keep their own credentials"},
		{system, "sys.example", "10.0.0.1", "inward: true"},
		{system, "/{{.User.OID}}", "/all", "same for everybody"},
		{system, "sys.example", "graph.microsoft.com", "configured and member"},
	} {
		if !strings.Contains(x.from, x.old) {
			t.Fatalf("%q is not in %s", x.old, x.from)
		}
		_, err := withTargets(t, "  - "+strings.Replace(x.from, x.old, x.new, 1)+"\n")
		if err == nil || !strings.Contains(err.Error(), x.want) || len(Lines(err)) != 1 {
			t.Errorf("%s for %s:\nsays %v\nwant %s", x.new, x.old, err, x.want)
		}
	}
	for _, good := range []string{app, center, system} {
		if _, err := withTargets(t, "  - "+good+"\n"); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
}

// Every kind is made as it is configured, with its secrets, and follows members
// only: owners of a group are followed where Entra lists them.
func TestTargetsAreMade(t *testing.T) {
	for name, value := range map[string]string{"T": "token", "A": "key", "S": "secret"} {
		t.Setenv(name, value)
	}
	declared := strings.Replace(strings.Replace(system, "sys", "eff", 2), "value: /v", "value: /v, proves: effective", 1)
	c, err := withTargets(t, "  - "+app+"\n  - "+center+"\n  - "+system+"\n  - "+declared+"\n")
	if err != nil {
		t.Fatal(err)
	}
	c.Groups[0].Targets = []string{"app", "aws", "sys", "eff"}
	a := &App{cfg: c, targets: map[string]downstream.Probe{}}
	if err := a.openTargets(t.Context()); err != nil {
		t.Fatal(err)
	}
	levels := map[string]activation.Level{}
	for _, target := range a.reaches(c.Groups[0])[activation.Member] {
		levels[target.ID] = target.Level
	}
	want := map[string]activation.Level{"app": activation.L1, "aws": activation.L1, "sys": activation.L1, "eff": activation.L2}
	for id, level := range want {
		if levels[id] != level {
			t.Errorf("%s: level %d, want %d", id, levels[id], level)
		}
	}
	if owners := a.reaches(c.Groups[0])[activation.Owner]; len(owners) != 0 || len(a.setups) != 2 {
		t.Errorf("owners are followed at %v, %d have a first contact", owners, len(a.setups))
	}
	t.Setenv("T", "")
	if err := a.openTargets(t.Context()); err == nil || !strings.Contains(err.Error(), "targets app: scim.token: the environment variable T is not set") {
		t.Errorf("without its secret: %v", err)
	}
}
