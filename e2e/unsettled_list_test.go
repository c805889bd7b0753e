package e2e

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pagbot/internal/demo"
	"pagbot/sim/devops"
)

var update = flag.Bool("update", false, "write docs/worlds-unsettled.md anew")

// books are where the worlds say what they know, what is unsettled of it, and
// which dial has it both ways; the worlds' own tests keep them true.
var books = []struct {
	name, file, mark string
	facts            []open
}{
	{"Slack", "worlds-slack.md", "**Open:**", openInSlack},
	{"Entra", "worlds-entra.md", "*(unsettled)*", openInEntra},
	{"targets", "worlds-targets.md", "(unsettled)", openInTargets},
}

// row is a line of one of the worlds' tables.
type row struct{ where, text, test string }

// openRows are the unsettled lines of a document, by their dial.
func openRows(t *testing.T, file, mark string) map[string]row {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "docs", file))
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]row{}
	for line := range strings.Lines(string(b)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		if len(cells) != 4 || !strings.Contains(cells[1], mark) {
			continue
		}
		dial := strings.ReplaceAll(strings.TrimSpace(cells[2]), "`", "")
		text := strings.TrimSpace(strings.ReplaceAll(cells[1], mark, ""))
		rows[dial] = row{strings.Trim(cells[0], " `"), strings.Join(strings.Fields(text), " "), strings.Trim(cells[3], " `")}
	}
	if len(rows) < 5 {
		t.Fatalf("%s has only %d facts that are marked %s", file, len(rows), mark)
	}
	return rows
}

// TestUnsettledList holds the table of open facts to the worlds' own: each dial
// of an unsettled fact is turned here both ways, or it is said why that would
// show nothing; and the worlds name the test that plays it.
func TestUnsettledList(t *testing.T) {
	stories := storiesHere(t)
	page := &strings.Builder{}
	page.WriteString(unsettledHead)
	for _, b := range books {
		rows := openRows(t, b.file, b.mark)
		fmt.Fprintf(page, "\n## %s\n\n| book | fact | dial | ways | lived in |\n|---|---|---|---|---|\n", b.name)
		for _, f := range b.facts {
			r, known := rows[f.dial]
			delete(rows, f.dial)
			if !known {
				t.Errorf("docs/%s knows no unsettled fact with the dial %q", b.file, f.dial)
			}
			f.judged(t, stories)
			if named := strings.Contains(r.test, "e2e: "+f.story); f.story != "" && !named || f.story == "" && strings.Contains(r.test, "e2e: ") {
				t.Errorf("docs/%s: %q says it is shown by %s, and is played by %q", b.file, f.dial, r.test, f.story)
			}
			fmt.Fprintf(page, "| %s | %s | `%s` | %s | %s |\n", r.where, r.text, f.dial, f.named(), f.lived())
		}
		for dial := range rows {
			t.Errorf("docs/%s: %q is unsettled, and the bot lives it neither way: give it a row in e2e/unsettled_*_test.go", b.file, dial)
		}
	}
	page.WriteString(unsettledRest)
	writtenAs(t, filepath.Join("..", "docs", "worlds-unsettled.md"), page.String())
}

// judged checks one row by itself.
func (f open) judged(t *testing.T, stories map[string]bool) {
	t.Helper()
	if f.story == "" {
		if f.why == "" || len(f.ways) > 0 {
			t.Errorf("%s is played nowhere, and it isn't said why", f.dial)
		}
		return
	}
	if !stories[f.story] || len(f.ways) < 2 || f.why != "" {
		t.Errorf("%s: %d ways in %q", f.dial, len(f.ways), f.story)
	}
	// Each way leaves the dials otherwise than the others do.
	seen := map[string]string{}
	for _, v := range f.ways {
		is := f.turned(t, v)
		if other, twice := seen[is]; twice {
			t.Errorf("%s: %q and %q are the same way: %s", f.dial, other, v.name, is)
		}
		seen[is] = v.name
	}
}

// turned is what a way makes of the dials that its row names.
func (f open) turned(t *testing.T, v way) string {
	t.Helper()
	w, err := demo.Found(demo.Place{}, demo.Clocks{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	p := &place{w, newSystems(w)}
	if v.turn != nil {
		v.turn(p)
	}
	all := map[string]any{}
	var d devops.Dials
	w.DevOps.Turn(func(x *devops.Dials) { d = *x })
	for prefix, dials := range map[string]any{"": w.Slack.Dials(), " ": w.Entra.Dials(), "Dials.": d} {
		r := reflect.ValueOf(dials)
		for _, field := range reflect.VisibleFields(r.Type()) {
			all[prefix+field.Name], all[prefix+field.Tag.Get("json")] = r.FieldByIndex(field.Index).Interface(), r.FieldByIndex(field.Index).Interface()
		}
	}
	maps.Copy(all, p.systems.dials())
	is := ""
	for _, name := range strings.FieldsFunc(f.dial, func(r rune) bool { return r == ' ' || r == ',' }) {
		value, ok := all[name]
		if inEntra, also := all[" "+name]; also {
			value, ok = inEntra, true
		}
		if !ok {
			t.Errorf("there is no dial %s", name)
		}
		is += fmt.Sprintf("%s=%v ", name, value)
	}
	return is
}

func (f open) named() string {
	var names []string
	for _, v := range f.ways {
		names = append(names, v.name)
	}
	return strings.Join(names, " · ")
}

func (f open) lived() string {
	if f.story == "" {
		return "not met: " + f.why
	}
	return f.story
}

var storyName = regexp.MustCompile(`^func (TestUnsettled\w+)\(`)

// storiesHere are the tests that play open facts.
func storiesHere(t *testing.T) map[string]bool {
	t.Helper()
	files, err := filepath.Glob("unsettled_*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range strings.Split(string(b), "\n\n") {
			_, f, _ = strings.Cut("\n"+f, "\nfunc ")
			if m := storyName.FindStringSubmatch("func " + f); m != nil && strings.Contains(f, "plays(t, ") {
				found[m[1]] = true
			}
		}
	}
	played := map[string]bool{}
	for _, f := range opens() {
		played[f.story] = true
	}
	for _, s := range slices.Sorted(maps.Keys(found)) {
		if !played[s] {
			t.Errorf("%s plays nothing", s)
		}
	}
	return found
}

// writtenAs compares a document with what it should be, or writes it.
func writtenAs(t *testing.T, file, text string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if b, err := os.ReadFile(file); err != nil || string(b) != text {
		t.Errorf("%s is not what the tables say: go test ./e2e -run TestUnsettledList -update (%v)", file, err)
	}
}
