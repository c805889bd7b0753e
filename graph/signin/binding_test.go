package signin_test

import (
	"strings"
	"testing"

	"pagbot/activation"
	"pagbot/graph/signin"
)

const (
	one   = "aaaaaaaa-0000-4000-8000-000000000001"
	two   = "aaaaaaaa-0000-4000-8000-000000000002"
	three = "aaaaaaaa-0000-4000-8000-000000000003"
)

func TestPeople(t *testing.T) {
	p, err := signin.ParsePeople(strings.NewReader(`people:
  - person: requester
    slack: U0REQUESTER
    accounts:
      - {object: `+one+`, name: requester@contoso.example}
      - {object: `+two+`, name: adm-requester@contoso.example}
  - {person: approver, slack: W0APPROVER, accounts: [{object: `+three+`}]}
`), "tenant", "T0")
	if err != nil {
		t.Fatal(err)
	}
	got := p.BySlack(activation.SlackUser{Team: "T0", ID: "U0REQUESTER"})
	want := activation.Person{Tenant: "tenant", Object: two, Name: "adm-requester@contoso.example", Human: "requester", Slack: activation.SlackUser{Team: "T0", ID: "U0REQUESTER"}}
	if len(got) != 2 || got[1] != want {
		t.Errorf("%+v", got)
	}
	if who, ok := p.ByObject("TENANT", strings.ToUpper(three)); !ok || who.Human != "approver" {
		t.Errorf("%+v %v", who, ok)
	}
	if _, ok := p.ByObject("another", three); ok {
		t.Error("an account of another tenant")
	}
	if got := p.BySlack(activation.SlackUser{Team: "T1", ID: "U0REQUESTER"}); got != nil {
		t.Errorf("a user of another team: %+v", got)
	}
}

func TestPeopleRefuses(t *testing.T) {
	for name, c := range map[string]struct{ yaml, says string }{
		"unknown key":         {"people:\n- {person: a, slack: U0A, mail: x, accounts: [{object: " + one + "}]}", "line 2: field mail not found"},
		"unknown top":         {"persons: []", "line 1: field persons not found"},
		"nothing":             {"", "nobody is listed"},
		"no slack":            {"people:\n- {person: a, accounts: [{object: " + one + "}]}", "line 2"},
		"a name for slack":    {"people:\n- {person: a, slack: '@a', accounts: [{object: " + one + "}]}", "line 2"},
		"no accounts":         {"people:\n- {person: a, slack: U0A}", "line 2"},
		"a name for object":   {"people:\n- {person: a, slack: U0A, accounts: [{object: a@contoso.example}]}", "line 2"},
		"object twice":        {"people:\n- {person: a, slack: U0A, accounts: [{object: " + one + "}]}\n- {person: b, slack: U0B, accounts: [{object: " + strings.ToUpper(one) + "}]}", "line 3: object " + strings.ToUpper(one) + " belongs to a already"},
		"object twice in one": {"people:\n- {person: a, slack: U0A, accounts: [{object: " + one + "}, {object: " + one + "}]}", "line 2"},
		"slack twice":         {"people:\n- {person: a, slack: U0A, accounts: [{object: " + one + "}]}\n\n- {person: b, slack: U0A, accounts: [{object: " + two + "}]}", "line 4: Slack user U0A is a already"},
		"person twice":        {"people:\n- {person: a, slack: U0A, accounts: [{object: " + one + "}]}\n- {person: a, slack: U0B, accounts: [{object: " + two + "}]}", "line 3: person a is in line 2"},
		"two documents":       {"people:\n- {person: a, slack: U0A, accounts: [{object: " + one + "}]}\n---\npeople: []", "one document only"},
		"no yaml":             {"people: [", "line 1"},
		"key twice":           {"people: []\npeople: []", "already defined"},
	} {
		if _, err := signin.ParsePeople(strings.NewReader(c.yaml), "tenant", "T0"); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
