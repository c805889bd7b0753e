package bot

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

// shared finds the data that tests may check against, beside or above the
// repository; the test skips itself where it is absent.
func shared(t testing.TB, name string) string {
	t.Helper()
	p, ok := sharedFile(t, name)
	if !ok {
		t.Skipf("no shared/data/%s here", name)
	}
	return p
}

func sharedFile(t testing.TB, name string) (string, bool) {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		p := filepath.Join(dir, "shared", "data", name)
		if _, err := os.Stat(p); err == nil {
			return p, true
		}
	}
	return "", false
}

var lookahead = regexp.MustCompile(`\(\?!(\[[^\]]*\]|[^()])*\)`)

// schema compiles a part of a shared JSON schema.
func schema(t testing.TB, name, part string) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.UseRegexpEngine(func(pattern string) (jsonschema.Regexp, error) {
		// Go has no lookahead; the two patterns that use one work without it.
		return regexp.Compile(lookahead.ReplaceAllString(pattern, ""))
	})
	s, err := c.Compile("file://" + filepath.ToSlash(shared(t, name)) + part)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// generic turns a value into what a JSON schema checks.
func generic(t testing.TB, v any) any {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	out, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func manifest(t *testing.T) map[string]any {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "manifest.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := yaml.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func entry(t *testing.T, m map[string]any, path ...string) any {
	t.Helper()
	var v any = m
	for _, p := range path {
		o, ok := v.(map[string]any)
		if !ok {
			t.Fatalf("the manifest has no %s", strings.Join(path, "."))
		}
		v = o[p]
	}
	return v
}

func TestManifestIsValid(t *testing.T) {
	if err := schema(t, "slack-manifest.schema.2.0.0.json", "").Validate(generic(t, manifest(t))); err != nil {
		t.Error(err)
	}
}

// calls lists the methods of slack-go's client that this package's code calls.
func calls(t *testing.T) map[string]bool {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]bool{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				if on, ok := s.X.(*ast.SelectorExpr); ok && on.Sel.Name == "API" {
					all[s.Sel.Name] = true
				}
			}
			return true
		})
	}
	return all
}

// needs is the bot scope of each method that slack-go's client has and we may
// call; source: Slack's method pages.
var needs = map[string][]string{
	"AuthTestContext":            nil,
	"GetConversationInfoContext": {"channels:read", "groups:read"},
	"GetUserInfoContext":         {"users:read"},
	"OpenViewContext":            nil,
	"PostMessageContext":         {"chat:write"},
	"PublishViewContext":         nil,
	"UpdateMessageContext":       {"chat:write"},
	"UploadFileContext":          {"files:write"}, // and the three methods that it calls
	"UpdateViewContext":          nil,
}

func TestManifestAsksForWhatTheCodeUses(t *testing.T) {
	want := map[string]bool{"commands": true}
	for method := range calls(t) {
		scopes, ok := needs[method]
		if !ok {
			t.Errorf("the code calls %s: say here which scope that needs", method)
		}
		for _, s := range scopes {
			want[s] = true
		}
	}
	m := manifest(t)
	var got []string
	for _, s := range entry(t, m, "oauth_config", "scopes", "bot").([]any) {
		got = append(got, s.(string))
	}
	slices.Sort(got)
	if w := slices.Sorted(maps.Keys(want)); !slices.Equal(got, w) {
		t.Errorf("manifest asks for scopes %v, the code needs %v", got, w)
	}
	if e := entry(t, m, "settings", "event_subscriptions", "bot_events"); fmt.Sprint(e) != "[app_home_opened]" {
		t.Errorf("Read handles app_home_opened, but the manifest subscribes to %v", e)
	}
	if on := entry(t, m, "features", "app_home", "home_tab_enabled"); on != true {
		t.Error("the Home tab is published, and not enabled")
	}
	if !strings.Contains(sayHelp, commandName(t, m)) {
		t.Errorf("the help does not speak of %s", commandName(t, m))
	}
	if on := entry(t, m, "settings", "interactivity", "is_enabled"); on != true {
		t.Error("buttons need interactivity")
	}
	if on := entry(t, m, "features", "app_home", "messages_tab_enabled"); on != true {
		t.Error("direct messages need the messages tab")
	}
}

func commandName(t *testing.T, m map[string]any) string {
	t.Helper()
	list := entry(t, m, "features", "slash_commands").([]any)
	if len(list) != 1 {
		t.Fatalf("commands: %v", list)
	}
	return list[0].(map[string]any)["command"].(string)
}
