package signin

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"pagbot/activation"
)

// mapping is the file. One entry is one human with one Slack user and any
// number of accounts, since separate admin accounts are the normal case.
type mapping struct {
	People []struct {
		Person   string `yaml:"person"` // our key for the human
		Slack    string `yaml:"slack"`  // Slack's user id, U… or W…
		Accounts []struct {
			Object string `yaml:"object"` // Entra's object id
			Name   string `yaml:"name"`   // to be shown, never compared
		} `yaml:"accounts"`
	} `yaml:"people"`
}

var (
	slackID = regexp.MustCompile(`^[UW][A-Z0-9]{2,}$`)
	guid    = regexp.MustCompile(`^(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
)

// ParsePeople reads the mapping of one tenant's accounts to one Slack team's
// users. It refuses what it doesn't know, and whatever would make two humans
// of one account or of one Slack user.
func ParsePeople(r io.Reader, tenant, team string) (*People, error) {
	raw, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	var m mapping
	dec := yaml.NewDecoder(strings.NewReader(string(raw)))
	dec.KnownFields(true)
	if err := dec.Decode(&m); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("people: %w", err)
	}
	if len(m.People) == 0 {
		return nil, errors.New("people: nobody is listed: add `people: [{person: …, slack: U…, accounts: [{object: …, name: …}]}]`")
	}
	if err := dec.Decode(new(any)); !errors.Is(err, io.EOF) {
		return nil, errors.New("people: one document only: remove everything after the second `---`")
	}
	p := NoPeople()
	lines := entryLines(raw)
	humans := map[string]int{}
	for i, e := range m.People {
		line := lines[i]
		if e.Person == "" || !slackID.MatchString(e.Slack) || len(e.Accounts) == 0 {
			return nil, fmt.Errorf("people: line %d: an entry needs person, slack (a user id such as U0REQUESTER) and at least one account", line)
		}
		if first := humans[e.Person]; first != 0 {
			return nil, fmt.Errorf("people: line %d: person %s is in line %d already: put all accounts under one entry", line, e.Person, first)
		}
		humans[e.Person] = line
		user := activation.SlackUser{Team: team, ID: e.Slack}
		if len(p.bySlack[user]) > 0 {
			return nil, fmt.Errorf("people: line %d: Slack user %s is %s already: one Slack user is one person", line, e.Slack, p.bySlack[user][0].Human)
		}
		for _, a := range e.Accounts {
			if err := p.add(activation.Person{Tenant: tenant, Object: a.Object, Name: a.Name, Human: e.Person, Slack: user}); err != nil {
				return nil, fmt.Errorf("people: line %d: %w", line, err)
			}
		}
	}
	return p, nil
}

// entryLines finds the line of each entry, which the strict decoder forgets.
func entryLines(raw []byte) []int {
	var doc struct {
		People []yaml.Node `yaml:"people"`
	}
	if err := yaml.Unmarshal(raw, &doc); err != nil {
		return nil // cannot be: the strict decoder has read it
	}
	lines := make([]int, len(doc.People))
	for i, n := range doc.People {
		lines[i] = n.Line
	}
	return lines
}
