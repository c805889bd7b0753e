package app

import (
	"os"
	"slices"
	"testing"

	"go.yaml.in/yaml/v3"
)

// TestScopes: what the start asks of the bot token is what manifest.yaml asks
// of whoever installs the app.
func TestScopes(t *testing.T) {
	b, err := os.ReadFile("../../manifest.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var m struct {
		OAuth struct {
			Scopes struct{ Bot []string }
		} `yaml:"oauth_config"`
	}
	if err := yaml.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	got, want := slices.Sorted(slices.Values(scopes)), slices.Sorted(slices.Values(m.OAuth.Scopes.Bot))
	if !slices.Equal(got, want) {
		t.Errorf("the start wants %v, the manifest %v", got, want)
	}
}
