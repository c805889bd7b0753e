package app

import (
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"pagbot/graph/signin"
)

// Secret is read from an environment variable, from a file or from systemd's
// credentials, never from the configuration itself.
type Secret struct {
	// Env is the name of the variable.
	Env string `yaml:"env"`
	// File is a path, relative to the configuration's folder; line ends at the
	// file's end are dropped.
	File string `yaml:"file"`
	// Credential is the name that LoadCredential= or LoadCredentialEncrypted= in
	// the service's unit gives it.
	Credential string `yaml:"credential"`
}

const secretForm = "write it as {env: NAME}, {file: PATH} or {credential: NAME}"

func (s Secret) set() bool {
	n := 0
	for _, way := range []string{s.Env, s.File, s.Credential} {
		if way != "" {
			n++
		}
	}
	return n == 1
}

// read fetches a secret; what it says of a missing one names the field.
func (s Secret) read(field, dir string) (string, error) {
	if s.Env != "" {
		v := os.Getenv(s.Env)
		if v == "" {
			return "", fmt.Errorf("%s: the environment variable %s is not set: set it for this process", field, s.Env)
		}
		return v, nil
	}
	path := in(dir, s.File)
	if s.Credential != "" {
		from := os.Getenv("CREDENTIALS_DIRECTORY")
		if from == "" || filepath.Base(s.Credential) != s.Credential {
			return "", fmt.Errorf("%s: systemd gives this process no credential %q: add LoadCredentialEncrypted=%s:PATH to its unit", field, s.Credential, s.Credential)
		}
		path = filepath.Join(from, s.Credential)
	}
	b, err := readFile(field, path)
	if err != nil {
		return "", err
	}
	v := strings.TrimRight(string(b), "\r\n")
	if v == "" {
		return "", fmt.Errorf("%s: the file %s is empty: put the secret into it", field, cmp.Or(s.File, path))
	}
	return v, nil
}

// readFile reads a file that a field of the configuration names.
func readFile(field, path string) ([]byte, error) {
	b, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s: there is no file %s: create it, or correct the path", field, path)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("%s: the file %s may not be read: let the user that runs pagbot read it", field, path)
	case err != nil:
		return nil, fmt.Errorf("%s: the file can't be read: %w", field, err)
	}
	return b, nil
}

// secrets are all that the configuration only points to.
type secrets struct {
	appToken, botToken string
	reader             string // empty: the reader has another way
	provisioner        string // likewise
	signIn             string
	key                []byte
	oldKeys            [][]byte // what key's predecessor sealed is still taken
}

// secrets reads them all, and says of all that are missing.
func (c *Config) secrets() (secrets, error) {
	var s secrets
	var p problems
	read := func(into *string, from Secret, field string) {
		v, err := from.read(field, c.dir)
		p.add(err)
		*into = v
	}
	read(&s.appToken, c.Slack.AppToken, "slack.app_token")
	read(&s.botToken, c.Slack.BotToken, "slack.bot_token")
	if len(p) == 0 {
		p.add(tokenKinds(s.appToken, s.botToken))
	}
	if r := c.Entra.Reader.ClientSecret; r != nil {
		read(&s.reader, *r, "entra.reader.client_secret")
	}
	if w := c.Entra.Provisioner; w != nil && w.ClientSecret != nil {
		read(&s.provisioner, *w.ClientSecret, "entra.provisioner.client_secret")
	}
	if c.SignIn != nil {
		read(&s.signIn, c.SignIn.ClientSecret, "signin.client_secret")
		key := func(from Secret, field string) []byte {
			var text string
			if read(&text, from, field); text == "" {
				return nil
			}
			k, err := sealKey(text, field)
			p.add(err)
			return k
		}
		s.key = key(c.SignIn.Key, "signin.key")
		if c.SignIn.OldKey != nil {
			s.oldKeys = [][]byte{key(*c.SignIn.OldKey, "signin.old_key")}
		}
	}
	return s, errors.Join(p...)
}

func sealKey(s, field string) ([]byte, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(s))
	if err != nil || len(key) != signin.KeySize {
		return nil, fmt.Errorf("%s: it must be 32 bytes in base64: make one with openssl rand -base64 32", field)
	}
	return key, nil
}

func tokenKinds(appToken, botToken string) error {
	isApp, isBot := strings.HasPrefix(appToken, "xapp-"), strings.HasPrefix(botToken, "xoxb-")
	switch {
	case strings.HasPrefix(appToken, "xoxb-") && strings.HasPrefix(botToken, "xapp-"):
		return errors.New("slack.app_token is the bot token and slack.bot_token is the app-level token: swap them")
	case !isApp && !isBot:
		return errors.New("slack.app_token must begin with xapp- (Basic Information, App-Level Tokens) and slack.bot_token with xoxb- (OAuth & Permissions): copy both from the app's settings")
	case !isApp:
		return errors.New("slack.app_token: an app-level token begins with xapp-: make one under Basic Information, App-Level Tokens, with the scope connections:write")
	case !isBot:
		return errors.New("slack.bot_token: a bot token begins with xoxb-: install the app and copy it from OAuth & Permissions")
	}
	return nil
}

// appID is the Slack app's id, which stands in its app-level token.
func appID(token string) string {
	if p := strings.Split(token, "-"); len(p) > 2 && strings.HasPrefix(p[2], "A") {
		return p[2]
	}
	return ""
}
