package app

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Duration is written like 90m or 1h30m.
type Duration time.Duration

// UnmarshalYAML implements yaml.Unmarshaler.
func (d *Duration) UnmarshalYAML(n *yaml.Node) error {
	v, err := time.ParseDuration(n.Value)
	if err != nil || v <= 0 {
		return &yaml.TypeError{Errors: []string{fmt.Sprintf("line %d: %q is not a duration; write it like 90m or 1h30m", n.Line, n.Value)}}
	}
	*d = Duration(v)
	return nil
}

// Load reads and checks a configuration file. Its error says all that is
// wrong, one line a problem.
func Load(path string) (*Config, error) {
	b, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("there is no configuration file %s: name yours with --config, or start from pagbot.example.yaml", path)
	case err != nil:
		return nil, fmt.Errorf("the configuration can't be read: %w", err)
	}
	c, err := parseConfig(b)
	if err != nil {
		var p problems
		for _, line := range Lines(err) {
			p.add(fmt.Errorf("%s: %s", path, line))
		}
		return nil, errors.Join(p...)
	}
	c.dir, c.sum = filepath.Dir(path), fmt.Sprintf("%x\n", sha256.Sum256(b))
	return c, nil
}

func parseConfig(b []byte) (*Config, error) {
	var c Config
	d := yaml.NewDecoder(bytes.NewReader(b))
	d.KnownFields(true)
	if err := d.Decode(&c); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, errors.New("the file is empty: start from pagbot.example.yaml")
		}
		return nil, plainYAML(err)
	}
	if d.Decode(&yaml.Node{}) != io.EOF {
		return nil, errors.New("the file holds more than one document: remove everything from the second --- on")
	}
	if err := c.validate(); err != nil {
		return nil, err
	}
	return &c, nil
}

// What the decoder says, and what a user is told instead.
var (
	yamlField  = regexp.MustCompile(`(?s)^line (\d+): field (.*) not found in type app\.(\w+)$`)
	yamlAgain  = regexp.MustCompile(`(?s)^line (\d+): mapping key (".*") already defined at line (\d+)$`)
	yamlType   = regexp.MustCompile("(?s)^line (\\d+): cannot unmarshal (!!\\w+|!)\\S*(?: `.*`)? into (\\S+)$")
	yamlSyntax = regexp.MustCompile(`^yaml: line (\d+): (.*)$`)
)

// plainYAML turns the decoder's words into a user's, who knows neither Go nor
// its types. Values are not repeated: one may be a secret.
func plainYAML(err error) error {
	var types *yaml.TypeError
	if !errors.As(err, &types) {
		if m := yamlSyntax.FindStringSubmatch(err.Error()); m != nil {
			return fmt.Errorf("line %s: this is not YAML (%s): look at the indentation, quotes and colons there", m[1], m[2])
		}
		return fmt.Errorf("this is not a configuration (%s): start from pagbot.example.yaml", strings.NewReplacer("yaml: ", "", "!!", "").Replace(err.Error()))
	}
	var p problems
	for _, s := range types.Errors {
		p.add(errors.New(plainType(s)))
	}
	return errors.Join(p...)
}

func plainType(s string) string {
	if m := yamlField.FindStringSubmatch(s); m != nil {
		switch {
		case m[3] == "Secret":
			return fmt.Sprintf("line %s: a secret never stands in the configuration itself: %s", m[1], secretForm)
		case m[3] == "Config":
			return fmt.Sprintf("line %s: there is no setting called %s: see pagbot.example.yaml for all there are", m[1], shown(m[2]))
		}
		return fmt.Sprintf("line %s: there is no setting called %s in %s: see pagbot.example.yaml for all there are", m[1], shown(m[2]), places[m[3]])
	}
	if m := yamlAgain.FindStringSubmatch(s); m != nil {
		return fmt.Sprintf("line %s: %s stands in line %s already: remove one of the two", m[1], m[2], m[3])
	}
	if m := yamlType.FindStringSubmatch(s); m != nil {
		if strings.HasSuffix(m[3], "app.Secret") {
			return fmt.Sprintf("line %s: a secret never stands in the configuration itself: %s", m[1], secretForm)
		}
		return fmt.Sprintf("line %s: %s is expected here, not %s", m[1], wanted(m[3]), found(m[2]))
	}
	return s
}

// shown keeps a key that somebody wrote in one line.
func shown(key string) string {
	if q := strconv.Quote(key); q != `"`+key+`"` {
		return q
	}
	return key
}

// places are the sections, by the name of their type.
var places = map[string]string{"SlackConfig": "slack", "EntraConfig": "entra", "ReaderConfig": "entra.reader", "SignInConfig": "signin", "BindConfig": "signin.bind", "GroupConfig": "a group", "TargetConfig": "a target",
	"SCIMTarget": "a target's scim section", "HTTPTarget": "a target's http section", "AWSTarget": "a target's aws section",
	"RoleTarget": "a target's directory-role section", "AzureTarget": "a target's azure section", "IntuneTarget": "a target's intune section", "DefenderTarget": "a target's defender section", "RequiresConfig": "a target's requires", "OnDemandConfig": "a target's provision_on_demand"}

func wanted(goType string) string {
	switch {
	case strings.HasPrefix(goType, "[]"):
		return "a list"
	case goType == "bool":
		return "true or false"
	case goType == "int":
		return "a number"
	case goType == "string" || strings.HasPrefix(goType, "activation."):
		return "a text"
	}
	return "a section (lines of name: value)"
}

func found(tag string) string {
	switch tag {
	case "!!map":
		return "a section"
	case "!!seq":
		return "a list"
	case "!!int", "!!float":
		return "a number"
	case "!!bool":
		return "true or false"
	case "!!null":
		return "nothing"
	}
	return "a text"
}

// in resolves a path of the configuration against the configuration's folder.
func in(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}
