package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pagbot/internal/demo"
	"pagbot/sim/entra"
	"pagbot/sim/slack"
	"pagbot/store"
)

// contact is one thing that an administrator can have wrong, and the lines
// that the program must print about it: {name} stands for what differs from
// run to run.
type contact struct {
	name  string
	world func(*demo.Worlds)
	wrong func(*office)
	say   []string
}

var contacts = []contact{
	{name: "variable missing", wrong: func(o *office) { o.edit("{file: app-token}", "{env: PAGBOT_TEST_UNSET}") },
		say: []string{"slack.app_token: the environment variable PAGBOT_TEST_UNSET is not set: set it for this process"}},
	{name: "file missing, file empty", wrong: func(o *office) { o.edit("{file: key}", "{file: no-key}"); o.write("bot-token", "\n") },
		say: []string{"slack.bot_token: the file bot-token is empty: put the secret into it", "signin.key: there is no file {dir}/no-key: create it, or correct the path"}},
	{name: "tokens swapped", wrong: func(o *office) { o.write("app-token", o.App.BotToken); o.write("bot-token", o.App.AppToken) },
		say: []string{"slack.app_token is the bot token and slack.bot_token is the app-level token: swap them"}},
	{name: "bot token unknown", wrong: func(o *office) { o.write("bot-token", "xoxb-nonsense") },
		say: []string{"slack.bot_token: Slack does not know this token (invalid_auth): copy the Bot User OAuth Token from OAuth & Permissions"}},
	{name: "app removed", world: installed(func(a *slack.App) { a.Revoked = "token_revoked" }),
		say: []string{"slack.bot_token: Slack takes this token no more (token_revoked): install the app again and copy the new token from OAuth & Permissions"}},
	{name: "scope missing", world: installed(func(a *slack.App) {
		a.Scopes = []string{"commands", "chat:write", "files:write", "channels:read", "groups:read"}
	}),
		say: []string{"slack.bot_token lacks users:read: add that under OAuth & Permissions, Bot Token Scopes, and install the app again"}},
	{name: "app token unknown", wrong: func(o *office) { o.write("app-token", "xapp-1-A0PAGBOT-nonsense") },
		say: []string{"slack.app_token: Slack answers invalid_auth: the app-level token is wrong; make a new app-level token with the scope connections:write (Basic Information, App-Level Tokens) and configure that"}},
	{name: "app token without its scope", world: installed(func(a *slack.App) { a.AppScopes = []string{"authorizations:read"} }),
		say: []string{"slack.app_token: Slack answers missing_scope: the app-level token lacks the scope connections:write; make a new app-level token with the scope connections:write (Basic Information, App-Level Tokens) and configure that"}},
	{name: "Slack down", wrong: func(o *office) { o.down(o.Place.Slack) },
		say: []string{"slack.api: {slack}/api/ can't be reached (dial tcp {slackhost}: connect: connection refused): open the way there (proxy, firewall, DNS)"}},
	{name: "not Slack", wrong: func(o *office) { o.edit(o.Place.Slack+"/api/", o.Place.Graph) },
		say: []string{"slack.api: {graph}/ answers HTTP 401: see status.slack.com, and the proxy on the way"}},
	{name: "tenant wrong", wrong: func(o *office) { o.edit(o.Entra.Tenant(), nowhere) },
		say: []string{"there is no tenant " + nowhere + ": copy the tenant id from Entra's overview page (AADSTS90002)"}},
	{name: "reader's secret wrong", wrong: func(o *office) { o.write("reader-secret", "nonsense") },
		say: []string{"the reader's client secret is wrong (in tenant {tenant}): use the secret's value, not its id (AADSTS7000215)"}},
	{name: "reader unknown", wrong: func(o *office) { o.edit(o.Reader.ID, nowhere) },
		say: []string{"the reader app is not registered in tenant {tenant}: check its client id, and which tenant it was made in (AADSTS700016)"}},
	{name: "sign-in's secret wrong", wrong: func(o *office) { o.write("signin-secret", "nonsense") },
		say: []string{"signin.client_secret: it is wrong (in tenant {tenant}): use the secret's value, not its id (AADSTS7000215)"}},
	{name: "sign-in unknown", wrong: func(o *office) { o.edit(o.SignIn.ID, nowhere) },
		say: []string{"signin.client_id: the sign-in app is not registered in tenant {tenant}: check its client id, and which tenant it was made in (AADSTS700016)"}},
	{name: "reader without a permission", world: reader("PrivilegedAssignmentSchedule.Read.AzureADGroup"),
		say: []string{"the reader app lacks PrivilegedAssignmentSchedule.Read.AzureADGroup: add it as an application permission and grant admin consent (HTTP 403)"}},
	{name: "reader without two permissions", world: reader("User.Read.All", "RoleManagementPolicy.Read.AzureADGroup"),
		say: []string{"the reader app lacks User.Read.All: add it as an application permission and grant admin consent (HTTP 403)",
			"the reader app lacks RoleManagementPolicy.Read.AzureADGroup: add it as an application permission and grant admin consent (HTTP 403)"}},
	{name: "Graph down", wrong: func(o *office) { o.down(o.Place.Graph) },
		say: []string{"entra.graph: {graph} can't be reached (dial tcp {graphhost}: connect: connection refused): open the way there (proxy, firewall, DNS)"}},
	{name: "authority down", wrong: func(o *office) { o.down(o.Place.Authority) },
		say: []string{"no token for the reader: {authority} can't be reached (dial tcp {authorityhost}: connect: connection refused): open the way there (proxy, firewall, DNS)"}},
	{name: "authority not trusted", wrong: func(o *office) { o.edit(`ca: "ca.pem"`, "") },
		say: []string{"no token for the reader: {authority} can't be reached (its certificate is not trusted: certificate signed by unknown authority): open the way there (proxy, firewall, DNS)"}},
	{name: "group unknown", wrong: func(o *office) { o.edit(o.Groups[demo.Vault].ID, nowhere) },
		say: []string{"groups vault-readers: there is no group " + nowhere + " in tenant {tenant}: copy its object id from Entra"}},
	{name: "channel unknown", wrong: func(o *office) { o.edit("channel: C0PAGCARDS", "channel: C0NOWHERE") },
		say: []string{"group devops-admins: the bot does not see channel C0NOWHERE; check the id, and invite the bot there"}},
	{name: "bot not in a public channel", world: elsewhere(slack.Channel{}),
		say: []string{"group devops-admins: the bot is not in channel C0ELSEWHERE; invite it there"}},
	{name: "channel shared", world: elsewhere(slack.Channel{ExtShared: true, Members: []string{"bot"}}),
		say: []string{"group devops-admins: channel C0ELSEWHERE is shared with another organization, whose people could press its buttons; choose one of your own"}},
	{name: "channel archived", world: elsewhere(slack.Channel{Archived: true, Members: []string{"bot"}}),
		say: []string{"group devops-admins: channel C0ELSEWHERE is archived; choose a living one"}},
	{name: "mapping with an unknown key", wrong: func(o *office) { o.write("people.yaml", "people:\n  - person: x\n    slak: U1\n") },
		say: []string{"signin.people: people.yaml: line 3: field slak does not belong here: an entry has person, slack and accounts, an account object and name"}},
	{name: "mapping with half an entry", wrong: func(o *office) { o.write("people.yaml", "people:\n  - person: x\n") },
		say: []string{"signin.people: people.yaml: line 2: an entry needs person, slack (a user id such as U0REQUESTER) and at least one account"}},
	{name: "mapping missing", wrong: func(o *office) { o.edit("people: people.yaml", "people: nobody.yaml") },
		say: []string{"signin.people: there is no file {dir}/nobody.yaml: create it, or correct the path"}},
	{name: "port in use", wrong: func(o *office) { o.edit("listen: "+host(o.Place.Pages), "listen: "+host(o.Place.Slack)) },
		say: []string{"signin.listen: {slackhost} is in use by another program: stop that one, or choose another port"}},
	{name: "state in use", wrong: lock,
		say: []string{"store: {dir}/pagbot.db is in use by another process: stop that one, or give this one a file of its own"}},
	{name: "state is a file", wrong: func(o *office) { o.write("state", "") },
		say: []string{"state: mkdir {dir}/state: not a directory: let the user that runs pagbot write there, or name another directory"}},
	{name: "state open to all", wrong: func(o *office) {
		if err := os.Mkdir(filepath.Join(o.dir, "state"), 0o700); err != nil {
			o.t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(o.dir, "state"), 0o777); err != nil {
			o.t.Fatal(err)
		}
	}, say: []string{"state: every user of this machine may write into {dir}/state: chmod 700 it"}},
	{name: "state too long", wrong: func(o *office) { o.edit("state: state", "state: "+strings.Repeat("long", 30)) },
		say: []string{"state: the path {dir}/" + strings.Repeat("long", 30) + "/pagbot.sock is too long for a socket ({n} characters, at most 107): choose a shorter directory"}},
	{name: "key too short", wrong: func(o *office) { o.write("key", "c2hvcnQ=") },
		say: []string{"signin.key: it must be 32 bytes in base64: make one with openssl rand -base64 32"}},
	{name: "configuration missing", wrong: func(o *office) { o.config += ".none" },
		say: []string{"there is no configuration file {dir}/pagbot.yaml.none: name yours with --config, or start from pagbot.example.yaml"}},
	{name: "setting unknown", wrong: func(o *office) { o.edit("state: state", "state: state\nstte: x") },
		say: []string{"{dir}/pagbot.yaml: line 2: there is no setting called stte: see pagbot.example.yaml for all there are"}},
	{name: "both worlds", wrong: func(o *office) { o.down(o.Place.Slack); o.write("reader-secret", "nonsense") },
		say: []string{"slack.api: {slack}/api/ can't be reached (dial tcp {slackhost}: connect: connection refused): open the way there (proxy, firewall, DNS)",
			"the reader's client secret is wrong (in tenant {tenant}): use the secret's value, not its id (AADSTS7000215)"}},
}

const nowhere = "00000000-1111-2222-3333-444444444444"

func host(url string) string { return url[strings.Index(url, "//")+2:] }

// installed changes the installed app.
func installed(f func(*slack.App)) func(*demo.Worlds) {
	return func(w *demo.Worlds) { w.Slack.EditApp(w.App.ID, f) }
}

// reader makes the reader a registration without some permissions.
func reader(lacks ...string) func(*demo.Worlds) {
	return func(w *demo.Worlds) {
		roles := slices.DeleteFunc(slices.Clone(w.Reader.Roles), func(r string) bool { return slices.Contains(lacks, r) })
		w.Reader = w.Entra.AddApp(entra.App{Name: "lesser reader", Secret: "reader-secret", Roles: roles})
	}
}

// elsewhere moves the cards to another channel.
func elsewhere(c slack.Channel) func(*demo.Worlds) {
	return func(w *demo.Worlds) {
		c.ID, c.Team, c.Name = "C0ELSEWHERE", w.Team.ID, "elsewhere"
		if len(c.Members) > 0 {
			c.Members = []string{w.App.BotUser}
		}
		w.Channel = w.Slack.AddChannel(c)
	}
}

// lock is another process that has the state.
func lock(o *office) {
	b, err := store.Open(filepath.Join(o.dir, "pagbot.db"), store.Options{})
	if err != nil {
		o.t.Fatal(err)
	}
	o.t.Cleanup(func() { _ = b.Close() })
	o.edit("state: state", "state: .")
}

var logged = regexp.MustCompile(`(?m)^time=.*\n`)

// TestFirstContact runs the program with everything that can be wrong at the
// start: it must end with 1, and a line a problem that says what to do.
func TestFirstContact(t *testing.T) {
	for _, c := range contacts {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := found(t, c.world)
			if c.wrong != nil {
				c.wrong(o)
			}
			got := run(t, "serve", "--config", o.config)
			if got.code != 1 || got.out != "" {
				t.Errorf("exit code %d, output %q", got.code, got.out)
			}
			o.hidesSecrets(got.err)
			lines := strings.Split(strings.TrimSpace(logged.ReplaceAllString(got.err, "")), "\n")
			for i := range lines {
				lines[i] = strings.TrimPrefix(lines[i], "pagbot: ")
			}
			lines = o.once(lines)
			t.Log(strings.Join(lines, "\n"))
			if want := o.fill(c.say); !slices.Equal(lines, want) {
				t.Errorf("it says\n%s\nand not\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}

// once drops what is said of the other groups, which share a channel.
func (o *office) once(lines []string) []string {
	return slices.DeleteFunc(lines, func(s string) bool {
		return strings.HasPrefix(s, "group "+demo.Releasers) || strings.HasPrefix(s, "group "+demo.Vault)
	})
}

func (o *office) fill(say []string) []string {
	dir := o.dir
	words := strings.NewReplacer("{dir}", dir, "{tenant}", o.Entra.Tenant(), "{slack}", o.Place.Slack, "{slackhost}", host(o.Place.Slack),
		"{graph}", o.Place.Graph, "{graphhost}", host(o.Place.Graph), "{authority}", o.Place.Authority, "{authorityhost}", host(o.Place.Authority),
		"{n}", strconv.Itoa(len(dir)+len("/pagbot.sock")+1+120))
	var all []string
	for _, s := range say {
		all = append(all, words.Replace(s))
	}
	return all
}

// hidesSecrets wants no secret, no token and no stack in what was printed.
func (o *office) hidesSecrets(said string) {
	o.t.Helper()
	for _, secret := range []string{o.App.AppToken, o.App.BotToken, o.Reader.Secret + "\"", o.SignIn.Secret + "\"", "nonsense", "goroutine", ".go:", "eyJ"} {
		if strings.Contains(said, secret) {
			o.t.Errorf("%q is in what was printed:\n%s", secret, said)
		}
	}
}
