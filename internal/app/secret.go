package app

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"pagbot/graph/signin"
)

// Secret is read from an environment variable or from a file, never from the
// configuration itself.
type Secret struct {
	// Env is the name of the variable.
	Env string `yaml:"env"`
	// File is a path, relative to the configuration's folder; line ends at the
	// file's end are dropped.
	File string `yaml:"file"`
}

const secretForm = "write it as {env: NAME} or {file: PATH}"

func (s Secret) set() bool { return (s.Env == "") != (s.File == "") }

// read fetches a secret; what it says of a missing one names the field.
func (s Secret) read(field, dir string) (string, error) {
	if s.Env != "" {
		v := os.Getenv(s.Env)
		if v == "" {
			return "", fmt.Errorf("%s: the environment variable %s is not set: set it for this process", field, s.Env)
		}
		return v, nil
	}
	b, err := readFile(field, in(dir, s.File))
	if err != nil {
		return "", err
	}
	v := strings.TrimRight(string(b), "\r\n")
	if v == "" {
		return "", fmt.Errorf("%s: the file %s is empty: put the secret into it", field, s.File)
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
	signIn             string
	key                []byte
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
	if c.SignIn != nil {
		read(&s.signIn, c.SignIn.ClientSecret, "signin.client_secret")
		var key string
		read(&key, c.SignIn.Key, "signin.key")
		if key != "" {
			var err error
			s.key, err = sealKey(key)
			p.add(err)
		}
	}
	return s, errors.Join(p...)
}

func sealKey(s string) ([]byte, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(s))
	if err != nil || len(key) != signin.KeySize {
		return nil, errors.New("signin.key: it must be 32 bytes in base64: make one with openssl rand -base64 32")
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
