package slack_test

import (
	"os"
	"strings"
	"testing"

	"pagbot/sim/slack"
)

// An app behaves as its manifest says, and a bad manifest installs nothing.
func TestManifest(t *testing.T) {
	ours, err := os.ReadFile("../../manifest.yaml")
	if err != nil {
		t.Fatal(err)
	}
	stage(t, func(t *testing.T, s *scene) {
		a, err := s.Install("T0CONTOSO", ours)
		if err != nil || len(a.Commands) != 1 || !a.Commands[0].Escape || a.Deaf || a.NoHome || a.NoMessages || !a.QuietTab || a.NoSocketMode {
			t.Fatalf("%+v %v", a, err)
		}
		if _, err := s.Person(requester).Say(s.Person(requester).DM(a.ID), "hello?", ""); err == nil {
			t.Error("the messages tab is read only")
		}
		for want, raw := range map[string]string{
			"missing required field: display_information": `{}`,
			"must be less than 36 characters":             `{"display_information":{"name":"` + strings.Repeat("x", 36) + `"}}`,
			"invalid additional property: colour":         `{"display_information":{"name":"x"},"colour":"red"}`,
			"no more than 50 items":                       `{"display_information":{"name":"x"},"features":{"slash_commands":[` + repeat(51, `{"command":"/x","description":"x"}`) + `]}}`,
			"no more than 10 items":                       `{"display_information":{"name":"x"},"features":{"shortcuts":[` + repeat(11, `{"name":"x","type":"global","callback_id":"x","description":"x"}`) + `]}}`,
			"must be like /name":                          `{"display_information":{"name":"x"},"features":{"slash_commands":[{"command":"pag","description":"x"}]}}`,
		} {
			if _, err := s.Install("T0CONTOSO", []byte(raw)); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want %s", err, want)
			}
		}
		var made slack.App
		if code := s.manage("POST", "manifests/T0CONTOSO", map[string]any{"display_information": map[string]any{"name": "second"}}, &made); code != 200 || !made.Deaf {
			t.Errorf("%d %+v", code, made)
		}
	})
}
