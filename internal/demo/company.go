package demo

import (
	"encoding/base64"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Configure writes what an administrator of the company would write for the
// bot into a folder: the configuration, the mapping of people, the secrets.
// watch leaves the sign-in out. It returns the configuration's path.
func (w *Worlds) Configure(dir, listen, ca string, watch bool) (string, error) {
	files := map[string]string{
		"app-token":     w.App.AppToken,
		"bot-token":     w.App.BotToken,
		"reader-secret": w.Reader.Secret,
		"signin-secret": w.SignIn.Secret,
		"key":           base64.StdEncoding.EncodeToString([]byte("only for a company that is a demo")[:32]),
		"people.yaml":   w.mapping(),
		"pagbot.yaml":   w.configuration(listen, ca, watch),
	}
	for name, body := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o600); err != nil {
			return "", err
		}
	}
	return filepath.Join(dir, "pagbot.yaml"), nil
}

func (w *Worlds) mapping() string {
	var b strings.Builder
	b.WriteString("people:\n")
	for _, name := range slices.Sorted(maps.Keys(w.People)) {
		m := w.People[name]
		if len(m.Accounts) == 0 {
			continue // nobody bound them
		}
		fmt.Fprintf(&b, "  - person: %s\n    slack: %s\n    accounts:\n", name, m.Slack)
		for _, oid := range m.Accounts {
			fmt.Fprintf(&b, "      - {object: %s, name: adm-%s@contoso.example}\n", oid, name)
		}
	}
	return b.String()
}

func (w *Worlds) configuration(listen, ca string, watch bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, `state: state
slack:
  app_token: {file: app-token}
  bot_token: {file: bot-token}
  api: %s/api/
entra:
  tenant: %s
  graph: %s
  authority: %s/
  ca: %q
  reader:
    client_id: %s
    client_secret: {file: reader-secret}
`, w.Place.Slack, w.Entra.Tenant(), w.Place.Graph, w.Place.Authority, ca, w.Reader.ID)
	if !watch {
		fmt.Fprintf(&b, `signin:
  url: %s
  listen: %s
  client_id: %s
  client_secret: {file: signin-secret}
  key: {file: key}
  people: people.yaml
`, w.Place.Pages, listen, w.SignIn.ID)
	}
	b.WriteString("groups:\n")
	for _, g := range []string{DevOpsAdmins, Releasers, Vault} {
		more := "targets: [entra, devops]"
		if g == Vault {
			// A kept sign-in is tried first, so that PIM itself asks for more.
			more = "targets: [entra], proof: session"
		}
		fmt.Fprintf(&b, "  - {name: %s, id: %s, channel: %s, %s}\n", g, w.Groups[g].ID, w.Channel.ID, more)
	}
	fmt.Fprintf(&b, "targets:\n  - {id: entra, kind: entra}\n  - {id: devops, kind: devops, organization: contoso, api: %s}\n", w.Place.DevOps)
	return b.String()
}
