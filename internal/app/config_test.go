package app

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// good is a configuration in which everything is written.
const good = `state: state
slack:
  app_token: {env: APP}
  bot_token: {file: bot}
  api: https://slack.test/api
entra:
  tenant: 6f0c9b1e-0d5e-4c3a-9a57-3f1d5f1f7a10
  graph: https://graph.test
  authority: https://login.test
  ca: ca.pem
  reader:
    client_id: 3c1a9a52-5a0c-4b7e-8a60-9a5d6f4d2e11
    client_secret: {env: READER}
signin:
  url: https://pag.test
  listen: 127.0.0.1:8080
  client_id: 8d2b7c64-1f3e-4a9b-b0c5-7e6f5d4c3b2a
  client_secret: {env: SIGNIN}
  key: {env: KEY}
  old_key: {credential: old}
  key_vault: https://contoso.vault.azure.net/keys/pagbot
  custody: none
  people: people.yaml
  bind:
    attribute: employeeId
    mail: [contoso.example]
groups:
  - name: db-admins
    aliases: [dba]
    id: 2b5ed229-4072-478d-9504-a047ebd4b07d
    channel: C0PAGCARDS
    proof: fresh
    warn: 20m
    targets: [entra, devops]
targets:
  - {id: entra, kind: entra, name: Entra}
  - id: devops
    kind: devops
    name: DevOps
    organization: contoso
    api: http://127.0.0.1:1
    gone_within: 1h30m
`

func TestEveryField(t *testing.T) {
	c, err := parseConfig([]byte(good))
	if err != nil {
		t.Fatal(err)
	}
	got := []any{c.State, c.Slack.AppToken.Env, c.Slack.BotToken.File, c.Slack.API, c.Entra.Tenant[:8], c.Entra.Graph, c.authority(), c.Entra.CA,
		c.Entra.Reader.ClientID[:8], c.Entra.Reader.ClientSecret.Env, c.SignIn.URL, c.SignIn.Listen, c.SignIn.ClientID[:8], c.SignIn.ClientSecret.Env,
		c.SignIn.Key.Env, c.SignIn.OldKey.Credential, c.SignIn.KeyVault, c.SignIn.Custody, c.SignIn.People, c.SignIn.Bind.Attribute, c.SignIn.Bind.Mail[0]}
	want := []any{"state", "APP", "bot", "https://slack.test/api/", "6f0c9b1e", "https://graph.test", "https://login.test/", "ca.pem",
		"3c1a9a52", "READER", "https://pag.test", "127.0.0.1:8080", "8d2b7c64", "SIGNIN", "KEY", "old", "https://contoso.vault.azure.net/keys/pagbot", "none", "people.yaml", "employeeId", "contoso.example"}
	if !slices.Equal(got, want) {
		t.Errorf("read\n%v, want\n%v", got, want)
	}
	g, d := c.Groups[0], c.Targets[1]
	if g.Name != "db-admins" || g.Aliases[0] != "dba" || g.ID[:8] != "2b5ed229" || g.Channel != "C0PAGCARDS" || g.Proof != "fresh" || time.Duration(g.Warn) != 20*time.Minute || len(g.Targets) != 2 {
		t.Errorf("group %+v", g)
	}
	if d.ID != "devops" || d.Kind != "devops" || d.Name != "DevOps" || d.Organization != "contoso" || d.API != "http://127.0.0.1:1" || time.Duration(d.GoneWithin) != 90*time.Minute {
		t.Errorf("target %+v", d)
	}
}

// TestDefaults leaves out whatever may be left out.
func TestDefaults(t *testing.T) {
	c, err := parseConfig([]byte(strip(good, "api:", "graph:", "authority:", "ca:", "custody:", "aliases:", "proof:", "warn:", "name: DevOps", "gone_within:")))
	if err != nil {
		t.Fatal(err)
	}
	if c.Slack.API != "https://slack.com/api/" || c.authority() != "https://login.microsoftonline.com/" || c.private() || c.SignIn.Custody != "session" {
		t.Errorf("%+v", c)
	}
	if g, d := c.Groups[0], c.Targets[1]; time.Duration(g.Warn) != 10*time.Minute || d.Name != "Azure DevOps contoso" || time.Duration(d.GoneWithin) != time.Hour {
		t.Errorf("%+v %+v", g, d)
	}
}

// strip drops the lines that begin with one of the words.
func strip(s string, words ...string) string {
	var out []string
	for line := range strings.Lines(s) {
		if !slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(strings.TrimSpace(line), w) }) {
			out = append(out, line)
		}
	}
	return strings.Join(out, "")
}

// replaced exchanges a part of the good configuration, which must be there.
func replaced(t *testing.T, from, to string) string {
	t.Helper()
	if !strings.Contains(good, from) {
		t.Fatalf("the good configuration has no %q", from)
	}
	return strings.Replace(good, from, to, 1)
}

// TestShape is what the file itself can be wrong in: the message names the line.
func TestShape(t *testing.T) {
	const token = "xoxb-0123456789"
	for _, c := range []struct{ name, from, to, want string }{
		{"unknown key", "state: state", "state: state\nstte: x", "line 2: there is no setting called stte: see pagbot.example.yaml"},
		{"unknown key below", "  api: https://slack.test/api", "  apii: x", "line 5: there is no setting called apii in slack"},
		{"in a group", "    warn: 20m", "    warm: 20m", "line 33: there is no setting called warm in a group"},
		{"in a target", "    organization: contoso", "    org: contoso", "line 40: there is no setting called org in a target"},
		{"key of two words", "state: state", "state: state\n\"a\\nb\": x", `line 2: there is no setting called "a\nb"`},
		{"twice", "state: state", "state: state\nstate: b", `line 2: "state" stands in line 1 already: remove one`},
		{"secret written out", "{file: bot}", token, "line 4: a secret never stands in the configuration itself: write it as {env: NAME}, {file: PATH} or {credential: NAME}"},
		{"secret as a key", "{file: bot}", "{" + token + "}", "line 4: a secret never stands in the configuration itself"},
		{"reader's secret written out", "{env: READER}", token, "line 13: a secret never stands in the configuration itself"},
		{"text for a list", "[dba]", "dba", "line 29: a list is expected here, not a text"},
		{"number for a list", "[entra, devops]", "3", "line 34: a list is expected here, not a number"},
		{"list for a text", "name: db-admins", "name: [a]", "line 28: a text is expected here, not a list"},
		{"section for a proof", "proof: fresh", "proof: {a: b}", "line 32: a text is expected here, not a section"},
		{"text for a section", "  api: https://slack.test/api\nentra:", "  api: https://slack.test/api\nentra: x\nother:", "line 6: a section (lines of name: value) is expected here, not a text"},
		{"text for a yes", "client_secret: {env: READER}", "managed_identity: perhaps", "line 13: true or false is expected here, not a text"},
		{"unknown requirement", "    gone_within: 1h30m", "    requires: {efective: 15m}", "line 42: there is no setting called efective in a target's requires"},
		{"text for a number", "state: state", "state: state\nhistory_days: many", "line 2: a number is expected here, not a text"},
		{"bad duration", "20m", "soon", `line 33: "soon" is not a duration; write it like 90m`},
		{"number for a duration", "20m", "20", `line 33: "20" is not a duration; write it like 90m`},
		{"negative duration", "1h30m", "-5m", `line 42: "-5m" is not a duration`},
		{"list for a duration", "1h30m", "[5m]", `line 42: "" is not a duration`},
		{"two documents", "state: state", "state: state\n---\na: b", "the file holds more than one document"},
		{"broken", "slack:", "slack: [", "is not YAML"},
		{"tab", "  app_token:", "\tapp_token:", "line 3: this is not YAML"},
	} {
		t.Run(c.name, func(t *testing.T) { refuses(t, replaced(t, c.from, c.to), c.want, token) })
	}
	for name, body := range map[string]string{"empty": "", "comment": "# nothing\n"} {
		t.Run(name, func(t *testing.T) { refuses(t, body, "the file is empty: start from pagbot.example.yaml", token) })
	}
	t.Run("a text", func(t *testing.T) {
		refuses(t, token+"0", "line 1: a section (lines of name: value) is expected here, not a text", token)
	})
}

func refuses(t *testing.T, body, want, secret string) {
	t.Helper()
	_, err := parseConfig([]byte(body))
	if err == nil {
		t.Fatal("accepted")
	}
	if !strings.Contains(err.Error(), want) {
		t.Errorf("says\n%v\nwant\n%s", err, want)
	}
	if strings.Contains(err.Error(), secret) {
		t.Errorf("tells a secret: %v", err)
	}
	foreign(t, err)
}

// jargon are the words of Go and of the decoder, which mean nothing to users.
var jargon = regexp.MustCompile(`app\.|activation\.|yaml: |unmarshal|!!|struct|\*|%!|<nil>`)

func foreign(t *testing.T, err error) {
	t.Helper()
	for _, line := range strings.Split(err.Error(), "\n") {
		if w := jargon.FindString(line); w != "" || strings.TrimSpace(line) == "" {
			t.Errorf("%q is in the words of Go: %q", line, w)
		}
	}
}

// TestRules is what a well-formed file can be wrong in.
func TestRules(t *testing.T) {
	for _, c := range []struct{ from, to, want string }{
		{"state: state", "state: ''", "state: name a directory"},
		{"{env: APP}", "{}", "slack.app_token: the app-level token (xapp-…) is needed: write it as {env: NAME}"},
		{"{env: APP}", "{env: A, file: b}", "slack.app_token"},
		{"{file: bot}", "{file: ''}", "slack.bot_token"},
		{"https://slack.test/api", "http://slack.example/api/", `slack.api: "http://slack.example/api/" is not an https address`},
		{"6f0c9b1e-0d5e-4c3a-9a57-3f1d5f1f7a10", "contoso.example", `entra.tenant: "contoso.example" is not a tenant id`},
		{"https://graph.test", "graph.test", "entra.graph"},
		{"https://login.test", "http://login.test", "entra.authority"},
		{"3c1a9a52-5a0c-4b7e-8a60-9a5d6f4d2e11", "''", `entra.reader.client_id: "" is not an application id`},
		{"client_secret: {env: READER}", "client_secret: {env: READER}\n    managed_identity: true", "entra.reader: choose exactly one"},
		{"    client_secret: {env: READER}\n", "", "entra.reader: choose exactly one"},
		{"{env: READER}", "{}", "entra.reader.client_secret: write it as"},
		{"https://pag.test", "http://pag.example", "signin.url"},
		{"https://pag.test", "https://", "signin.url"},
		{"127.0.0.1:8080", "8080", `signin.listen: "8080" is not an address to listen on: write it like 127.0.0.1:8080`},
		{"8d2b7c64-1f3e-4a9b-b0c5-7e6f5d4c3b2a", "pagbot", "signin.client_id"},
		{"{env: SIGNIN}", "{}", "signin.client_secret"},
		{"{env: KEY}", "{}", "signin.key: a key is needed: make one with openssl rand -base64 32"},
		{"custody: none", "custody: days", `signin.custody: "days" is not known`},
		{"people: people.yaml\n  bind:\n    attribute: employeeId\n    mail: [contoso.example]", "people: ''", "signin.people: name the file that maps Slack users to Entra accounts, or say with signin.bind"},
		{"custody: none", "custody: 31d", `signin.custody: "31d" is not known: choose none, session, or up to 30 days such as 7d`},
		{"custody: none", "custody: none\n  device_client: 3c1a9a52-5a0c-4b7e-8a60-9a5d6f4d2e11", "signin.device_client: with custody none"},
		{"custody: none", "device_client: 8d2b7c64-1f3e-4a9b-b0c5-7e6f5d4c3b2a", "is not the application id of a registration of its own"},
		{"{credential: old}", "{}", "signin.old_key: write it as"},
		{"https://contoso.vault.azure.net/keys/pagbot", "https://contoso.vault.azure.net/keys/pagbot/12", "signin.key_vault"},
		{"employeeId", "employee id", "signin.bind.attribute"},
		{"[contoso.example]", "['@contoso.example']", "signin.bind.mail"},
		{"name: db-admins", "name: ''", "groups: entry 1 has no name"},
		{"2b5ed229-4072-478d-9504-a047ebd4b07d", "db-admins", "groups db-admins: id"},
		{"[dba]", "[DB-Admins]", `groups db-admins: the name or alias "DB-Admins" stands twice`},
		{"C0PAGCARDS", "'#cards'", "groups db-admins: channel"},
		{"proof: fresh", "proof: none", "groups db-admins: proof"},
		{"[entra, devops]", "[entra, intune]", `groups db-admins: there is no target "intune"`},
		{"kind: entra,", "", `targets entra: kind "" is not known`},
		{"kind: entra,", "kind: entra, organization: x,", "targets entra: the settings of kind devops stand at a target of kind entra"},
		{"id: devops", "id: entra", `targets: the id "entra" stands twice`},
		{"id: devops", "id: ''", "targets: entry 2 has no id"},
		{"organization: contoso", "organization: ''", `targets devops: "" is not the name of an organization`},
		{"http://127.0.0.1:1", "http://devops.example", "targets devops: api"},
		{good[strings.Index(good, "groups:"):strings.Index(good, "targets:\n")], "", "groups: name at least one"},
		{"targets:\n  - {", "  - {name: b, id: 2B5ED229-4072-478d-9504-a047ebd4b07d, channel: C0PAGCARDS}\ntargets:\n  - {", "groups b: the id 2B5ED229-4072-478d-9504-a047ebd4b07d stands twice"},
		{"targets:\n  - {", "  - {name: b, id: 2b5ed229-4072-478d-9504-a047ebd4b07e, channel: C0PAGCARDS, excludes: [c]}\ntargets:\n  - {", `groups b: excludes: there is no group "c"`},
		{"targets:\n  - {", "  - {name: b, id: 2b5ed229-4072-478d-9504-a047ebd4b07e, channel: C0PAGCARDS, excludes: [B]}\ntargets:\n  - {", "groups b: excludes: a group can't exclude itself"},
		{"targets:\n  - {", "  - {name: b, id: 2b5ed229-4072-478d-9504-a047ebd4b07e, channel: C0PAGCARDS, excludes: [DB-admins]}\npresets:\n  - {name: all, members: [b, db-admins]}\ntargets:\n  - {",
			"presets all: b and db-admins exclude each other"},
	} {
		t.Run(c.want, func(t *testing.T) { refuses(t, replaced(t, c.from, c.to), c.want, "\x00") })
	}
}

// TestAllAtOnce tells every problem in a line of its own, with the file's name.
func TestAllAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pagbot.yaml")
	body := replaced(t, "C0PAGCARDS", "cards")
	body = strings.Replace(body, "custody: none", "custody: days", 1)
	if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Load(path)
	lines := Lines(err)
	if len(lines) != 2 || !strings.HasPrefix(lines[0], path+": signin.custody") || !strings.HasPrefix(lines[1], path+": groups db-admins") {
		t.Errorf("%q", lines)
	}
	_, err = Load(path + ".none")
	if err == nil || !strings.Contains(err.Error(), "there is no configuration file "+path+".none: name yours with --config") {
		t.Error(err)
	}
}

func FuzzConfig(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte("slack: {app_token: !!binary x}\n<<: &a {b: *a}\n"))
	f.Add([]byte("groups: [{warn: ~, name: &x y, aliases: [*x]}]\n---\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := parseConfig(b)
		if (c == nil) == (err == nil) {
			t.Fatalf("%v and %v", c, err)
		}
		if err == nil {
			if again := c.validate(); again != nil {
				t.Errorf("valid once, then not: %v", again)
			}
			return
		}
		for _, line := range Lines(err) {
			if strings.ContainsAny(line, "\n\r") || strings.TrimSpace(line) == "" || strings.Contains(line, "unmarshal") || strings.Contains(line, "app.") && !strings.Contains(string(b), "app.") {
				t.Errorf("%q", line)
			}
		}
	})
}

// TestCredential reads a secret that systemd gives, and nothing beside it.
func TestCredential(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "pagbot-key"), []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("CREDENTIALS_DIRECTORY", dir)
	if got, err := (Secret{Credential: "pagbot-key"}).read("signin.key", ""); err != nil || got != "secret" {
		t.Errorf("%q %v", got, err)
	}
	for _, name := range []string{"none", "../" + filepath.Base(dir) + "/pagbot-key", "."} {
		if got, err := (Secret{Credential: name}).read("signin.key", ""); err == nil || !strings.HasPrefix(err.Error(), "signin.key: ") {
			t.Errorf("%s: %q %v", name, got, err)
		}
	}
	t.Setenv("CREDENTIALS_DIRECTORY", "")
	if _, err := (Secret{Credential: "pagbot-key"}).read("signin.key", ""); err == nil || !strings.Contains(err.Error(), "LoadCredentialEncrypted=pagbot-key:") {
		t.Errorf("without systemd: %v", err)
	}
}

// TestExcludesBothWays: to say it on one side is enough.
func TestExcludesBothWays(t *testing.T) {
	c, err := parseConfig([]byte(replaced(t, "targets:\n  - {", "  - {name: b, id: 2b5ed229-4072-478d-9504-a047ebd4b07e, channel: C0PAGCARDS, excludes: [DB-admins]}\ntargets:\n  - {")))
	if err != nil {
		t.Fatal(err)
	}
	if a, b := c.excluded(c.Groups[0]), c.excluded(c.Groups[1]); len(a) != 1 || a[0] != c.Groups[1].ID || len(b) != 1 || b[0] != c.Groups[0].ID {
		t.Errorf("%q and %q", a, b)
	}
}
