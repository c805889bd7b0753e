package entra

import (
	"flag"
	"go/ast"
	goparser "go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/worlds-entra.md anew")

// testsIn are the tests of a package, and what they say.
func testsIn(t *testing.T, dir string) map[string]string {
	t.Helper()
	names := map[string]string{}
	files, _ := filepath.Glob(filepath.Join(dir, "*_test.go"))
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		set := token.NewFileSet()
		f, err := goparser.ParseFile(set, name, text, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil {
				names[fn.Name.Name] = string(text[set.Position(fn.Pos()).Offset:set.Position(fn.End()).Offset])
			}
		}
	}
	return names
}

// faultNames are the Do… constants, as sent.
func faultNames(t *testing.T) (names []string) {
	t.Helper()
	f, err := goparser.ParseFile(token.NewFileSet(), "dials.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(f, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok && len(v.Values) == 1 && strings.HasPrefix(v.Names[0].Name, "Do") {
			s, _ := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
			names = append(names, s)
		}
		return true
	})
	return names
}

// turns splits a row's dials.
func (f fact) turns() (dials, faults []string) {
	if rest, ok := strings.CutPrefix(f.dial, "Fault: "); ok {
		return nil, strings.Split(rest, ", ")
	}
	return strings.Split(f.dial, ", "), nil
}

// found is where a test is, and its name; it must be there.
func (f fact) found(t *testing.T, tests map[string]map[string]string, test string) (dir, name string) {
	t.Helper()
	dir, name, elsewhere := strings.Cut(test, ": ")
	if !elsewhere {
		dir, name = "sim/entra", test
	}
	if tests[dir] == nil {
		tests[dir] = testsIn(t, filepath.Join("..", "..", filepath.FromSlash(dir)))
	}
	if tests[dir][name] == "" {
		t.Errorf("%q: there is no test %s in %s", f.text, name, dir)
	}
	return dir, name
}

func TestTable(t *testing.T) {
	tests := map[string]map[string]string{}
	turned, struck := map[string]bool{"always": true}, map[string]bool{}
	for _, f := range book {
		shown, played, _ := strings.Cut(f.test, "; ")
		dir, name := f.found(t, tests, shown)
		if played != "" {
			f.found(t, tests, played)
		}
		dials, faults := f.turns()
		for _, d := range dials {
			turned[d] = true
			if d != "always" && !strings.Contains(tests[dir][name], d[strings.Index(d, ".")+1:]) {
				t.Errorf("%q: %s does not turn %s", f.text, name, d)
			}
			if !exists(d) {
				t.Errorf("%q: there is no dial %s", f.text, d)
			}
		}
		for _, d := range faults {
			struck[d] = true
		}
	}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[Dials]()) {
		if !turned[f.Name] {
			t.Errorf("the dial %s has no fact", f.Name)
		}
	}
	for _, name := range faultNames(t) {
		if !struck[name] {
			t.Errorf("the fault %q has no fact", name)
		}
		delete(struck, name)
	}
	if len(struck) > 0 {
		t.Errorf("there are no such faults: %v", struck)
	}
	written(t, asPage())
}

// exists tells whether something that a test may turn is there.
func exists(name string) bool {
	for _, in := range []any{Dials{}, &World{}} {
		v := reflect.TypeOf(in)
		if _, ok := v.MethodByName(name); ok || v.Kind() == reflect.Struct && has(v, name) {
			return true
		}
	}
	kind, field, _ := strings.Cut(name, ".")
	v := map[string]reflect.Type{"Policy": reflect.TypeFor[Policy](), "App": reflect.TypeFor[App](), "User": reflect.TypeFor[User](), "Config": reflect.TypeFor[Config]()}[kind]
	return name == "always" || v != nil && (field == "" || has(v, field))
}

func has(v reflect.Type, name string) bool {
	_, ok := v.FieldByName(name)
	return ok
}

// asPage is docs/worlds-entra.md.
func asPage() string {
	var b strings.Builder
	b.WriteString(`# The simulated Entra: what it knows of the real one

Generated from sim/entra/book_test.go: ` + "`go test ./sim/entra -run TestTable -update`" + `. The sections are those of the book of
facts about Microsoft Graph's PIM for Groups. *unsettled* is what only a real tenant could settle: there the dial has both ways.
Dials are turned by ` + "`World.Turn`" + ` or ` + "`PUT /dials`" + `, faults by ` + "`World.Inject`" + ` or ` + "`POST /faults`" + `; the others are fields and
methods of the Go API. *always* can't be turned off. Nothing of this was tried against a live tenant.

| book | fact | dial | shown by |
|---|---|---|---|
`)
	for _, f := range book {
		dial := f.dial
		if dial != "always" {
			dial = "`" + strings.ReplaceAll(dial, ", ", "`, `") + "`"
		}
		b.WriteString("| " + f.where + " | " + strings.Replace(f.text, unsettled, " *(unsettled)*", 1) + " | " + dial + " | " + f.test + " |\n")
	}
	b.WriteString("\n## Not simulated\n\n")
	for _, f := range missing {
		b.WriteString("- not simulated: " + f.text + " (" + f.where + ")\n")
	}
	return b.String()
}

// written compares the page with the file, or writes it.
func written(t *testing.T, page string) {
	t.Helper()
	name := filepath.Join("..", "..", "docs", "worlds-entra.md")
	if *update {
		if err := os.WriteFile(name, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if had, _ := os.ReadFile(name); string(had) != page {
		t.Errorf("%s is not what the table says: go test ./sim/entra -run TestTable -update", name)
	}
}
