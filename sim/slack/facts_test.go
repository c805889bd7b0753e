package slack_test

import (
	"cmp"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pagbot/sim/slack"
)

var update = flag.Bool("update", false, "write docs/worlds-slack.md anew")

const factsDoc = "../../docs/worlds-slack.md"

// TestTable holds the table of facts to its word: each named test exists, each
// dial is in it, it names no dial that is not there, and the document is it.
func TestTable(t *testing.T) {
	tests, dials, used := testNames(t), dialNames(), map[string]bool{}
	for _, f := range slack.Facts() {
		shown, _, _ := strings.Cut(f.Test, "; ")
		if _, err := os.Stat("../../" + shown); !tests[shown] && err != nil {
			t.Errorf("%q: there is no %s", f.Text, shown)
		}
		for _, d := range strings.Fields(f.Dial) {
			used[d] = true
			loose := f.Dial == "always" || f.Dial == "fault" || strings.HasPrefix(f.Dial, "edit ")
			if !loose && !slices.Contains(dials, d) {
				t.Errorf("%q: there is no dial %q", f.Text, d)
			}
			if loose && f.Open {
				t.Errorf("%q is open, and has no dial for both ways", f.Text)
			}
		}
	}
	for _, d := range dials {
		if !used[d] {
			t.Errorf("dial %q is for no fact", d)
		}
	}
	doc := factsMarkdown()
	if *update {
		if err := os.MkdirAll(filepath.Dir(factsDoc), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(factsDoc, []byte(doc), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if is, err := os.ReadFile(factsDoc); err != nil || string(is) != doc {
		t.Errorf("docs/worlds-slack.md is old (%v): go test ./sim/slack -run TestTable -update", err)
	}
}

// testNames are the test functions of this folder.
func testNames(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	files, err := filepath.Glob("*_test.go")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range parsed.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil {
				names[f.Name.Name] = true
			}
		}
	}
	return names
}

func dialNames() []string {
	var all []string
	for f := range reflect.TypeFor[slack.Dials]().Fields() {
		all = append(all, f.Tag.Get("json"))
	}
	return all
}

func factsMarkdown() string {
	var b strings.Builder
	b.WriteString(`# What the simulated Slack does as the real one does

Made by ` + "`go test ./sim/slack -run TestTable -update`" + ` from the table in the code. The first column is the
section of the book of facts. Dials are turned with ` + "`PATCH /manage/dials`" + `; "always" needs none, "fault" is
` + "`POST /manage/faults`" + ` or ` + "`POST /manage/sockets/{do}`" + `, for one app where ` + "`app`" + ` names it, "edit …" changes that thing live. **Open** facts are not settled: the dial has them
both ways. Everything the simulator offers to people and operators is listed at ` + "`GET /manage/`" + `.

| § | fact | dial | test |
|---|---|---|---|
`)
	for _, f := range slack.Facts() {
		text, dial := f.Text, f.Dial
		if f.Open {
			text = "**Open:** " + text
		}
		if dial != "always" && dial != "fault" && !strings.HasPrefix(dial, "edit ") {
			dial = "`" + strings.ReplaceAll(dial, " ", "` `") + "`"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", f.About, text, dial, f.Test)
	}
	b.WriteString("\n## Not simulated\n\n")
	for _, line := range slack.NotSimulated() {
		b.WriteString("- " + line + "\n")
	}
	b.WriteString("\n## The dials, as a healthy Slack has them\n\n" +
		"Each can be turned for one app, too, those of a connection for one connection: `PATCH /manage/apps/{id}/dials`,\n" +
		"`PATCH /manage/sockets/{id}/dials`. What is not turned there follows the World's.\n\n| dial | default | of |\n|---|---|---|\n")
	v := reflect.ValueOf(slack.Defaults())
	for i, name := range dialNames() {
		fmt.Fprintf(&b, "| `%s` | %v | %s |\n", name, v.Field(i).Interface(), cmp.Or(v.Type().Field(i).Tag.Get("for"), "an app"))
	}
	return b.String()
}
