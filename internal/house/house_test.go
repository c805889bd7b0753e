package house

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	maxFile      = 400
	maxFunction  = 60
	maxInterface = 5
)

// mayImport lists, per package, which of our own packages it may import. A
// package that is not listed may import none.
var mayImport = map[string][]string{
	"activation":           {},
	"store":                {},
	"store/storetest":      {"store"},
	"downstream/probetest": {"activation", "downstream"},
	"engine":               {"activation", "store"},
	"bot":                  {"activation", "bot/socket"},
	"bot/socket":           {},
	"graph":                {"activation", "graph/signin"},
	"graph/signin":         {"activation"},
	"downstream":           {"activation"},
	"sim/azure":            {"sim/target"},
	"sim/defender":         {"sim/target"},
	"sim/intune":           {"sim/target"},
	"sim/slack":            {"sim/pipe", "sim/asjson"},
	"sim/slack/official":   {"sim/slack"},
	"sim/entra":            {"sim/pipe", "sim/asjson"},
	"sim/asjson":           {},
	"sim/target":           {},
	"sim/devops":           {"sim/target"},
	"sim/scim":             {"sim/target"},
	"sim/provision":        {"sim/target"},
	"sim/awsidc":           {"sim/target"},
	"sim/saas":             {"sim/target"},
	"sim/browser":          {"sim/pipe"},
}

// mayTest lists what a package's tests may import on top: the simulators are
// real servers, so every package that talks to the outside is tested on them.
var mayTest = map[string][]string{
	"store":                {"store/storetest"},
	"engine":               {"store/storetest"},
	"bot":                  {"sim/slack", "sim/slack/official", "sim/pipe"},
	"bot/socket":           {"sim/slack", "sim/pipe"},
	"graph":                {"sim/entra", "sim/pipe", "sim/provision", "sim/target", "graph/signin"},
	"graph/signin":         {"sim/entra", "sim/browser", "sim/pipe"},
	"downstream":           {"sim/devops", "sim/entra", "sim/pipe", "downstream/probetest", "sim/awsidc", "sim/azure", "sim/defender", "sim/intune", "sim/saas", "sim/scim", "sim/target"},
	"sim/entra":            {"sim/browser"},
	"sim/slack":            {"sim/slack/official"},
	"sim/judges/bolt":      {"sim/slack", "sim/slack/official"},
	"sim/devops":           {"sim/entra", "sim/pipe"},
	"sim/judges/authority": {"sim/entra", "sim/browser"},
}

// free packages wire everything together and may import what they like.
var free = []string{"cmd/pagbot", "e2e"}

// linksSDK names the packages that may reach the Graph SDK.
var linksSDK = []string{"graph", "cmd/pagbot", "e2e"}

var badNames = []string{"util", "utils", "common", "types", "models", "helpers"}

type source struct {
	dir, name string
	file      *ast.File
	lines     int
	test      bool
}

func sources(t *testing.T) (*token.FileSet, []source) {
	t.Helper()
	fset := token.NewFileSet()
	var all []source
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, p)
		rel = filepath.ToSlash(rel)
		if d.IsDir() && rel != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules" || d.Name() == "testdata") {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(p, ".go") {
			return nil
		}
		f, err := parser.ParseFile(fset, p, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		all = append(all, source{path.Dir(rel), rel, f, fset.File(f.Pos()).LineCount(), strings.HasSuffix(rel, "_test.go")})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return fset, all
}

func TestImportDirections(t *testing.T) {
	_, all := sources(t)
	for _, s := range all {
		if slices.Contains(free, s.dir) || strings.HasPrefix(s.dir, "internal/") {
			continue
		}
		allowed := slices.Clone(mayImport[s.dir])
		if s.test {
			allowed = append(allowed, mayTest[s.dir]...)
			allowed = append(allowed, s.dir)
		}
		for _, imp := range s.file.Imports {
			p, _ := strconv.Unquote(imp.Path.Value)
			ours, ok := strings.CutPrefix(p, "pagbot/")
			if ok && !slices.Contains(allowed, ours) {
				t.Errorf("%s imports %s; %q may import only %v", s.name, p, s.dir, allowed)
			}
			sdk := strings.Contains(p, "microsoftgraph/msgraph-sdk-go") || strings.Contains(p, "microsoft/kiota")
			if sdk && !slices.Contains(linksSDK, s.dir) {
				t.Errorf("%s imports %s; only %v may link the SDK", s.name, p, linksSDK)
			}
			if s.dir == "activation" && !s.test && strings.Contains(strings.Split(p, "/")[0], ".") {
				t.Errorf("%s imports %s; activation is standard library only", s.name, p)
			}
		}
	}
}

// pureForbidden are imports that would let a clock, chance, I/O, a logger or a
// context into the core.
var pureForbidden = []string{"context", "os", "io", "net", "net/http", "math/rand", "math/rand/v2", "crypto/rand", "log", "log/slog", "sync"}

func TestCoreIsPure(t *testing.T) {
	fset, all := sources(t)
	for _, s := range all {
		if s.dir != "activation" || s.test {
			continue
		}
		for _, imp := range s.file.Imports {
			p, _ := strconv.Unquote(imp.Path.Value)
			if slices.Contains(pureForbidden, p) {
				t.Errorf("%s imports %s: the core has no %s", s.name, p, p)
			}
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				t.Errorf("%s: the core starts no goroutine", fset.Position(n.Pos()))
			case *ast.SelectorExpr:
				if x, ok := n.X.(*ast.Ident); ok && x.Name == "time" && slices.Contains([]string{"Now", "Since", "Until", "After", "Sleep", "NewTimer", "NewTicker"}, n.Sel.Name) {
					t.Errorf("%s: the core has no clock (time.%s)", fset.Position(n.Pos()), n.Sel.Name)
				}
			}
			return true
		})
	}
}

func TestSizes(t *testing.T) {
	fset, all := sources(t)
	for _, s := range all {
		if s.lines > maxFile {
			t.Errorf("%s has %d lines, at most %d", s.name, s.lines, maxFile)
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if n.Body == nil {
					return true
				}
				size := fset.Position(n.End()).Line - fset.Position(n.Pos()).Line + 1
				if size > maxFunction {
					t.Errorf("%s: %s has %d lines, at most %d", fset.Position(n.Pos()), n.Name.Name, size, maxFunction)
				}
			case *ast.InterfaceType:
				if n.Methods.NumFields() > maxInterface {
					t.Errorf("%s: an interface with %d methods, at most %d", fset.Position(n.Pos()), n.Methods.NumFields(), maxInterface)
				}
			}
			return true
		})
	}
}

func TestDocumented(t *testing.T) {
	fset, all := sources(t)
	documented := map[string]bool{}
	for _, s := range all {
		if s.file.Doc != nil {
			documented[s.dir] = true
		}
	}
	for _, s := range all {
		if slices.Contains(badNames, path.Base(s.dir)) {
			t.Errorf("%s: %q says nothing about what the package does", s.name, path.Base(s.dir))
		}
		if !documented[s.dir] {
			t.Errorf("package %s has no package comment", s.dir)
			documented[s.dir] = true
		}
		if s.test {
			continue
		}
		for _, d := range s.file.Decls {
			undocumented(s.file.Name.Name, d, func(pos token.Pos, name string) {
				t.Errorf("%s: exported %s has no comment", fset.Position(pos), name)
			})
		}
	}
}

// undocumented reports the exported names of one declaration that have neither
// a comment of their own nor one on the group that they stand in.
func undocumented(pkg string, d ast.Decl, report func(token.Pos, string)) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Name.IsExported() && d.Doc == nil && (d.Recv == nil || exportedReceiver(d)) && pkg != "main" {
			report(d.Pos(), d.Name.Name)
		}
	case *ast.GenDecl:
		for _, sp := range d.Specs {
			switch sp := sp.(type) {
			case *ast.TypeSpec:
				if sp.Name.IsExported() && d.Doc == nil && sp.Doc == nil && sp.Comment == nil {
					report(sp.Pos(), sp.Name.Name)
				}
			case *ast.ValueSpec:
				if sp.Names[0].IsExported() && d.Doc == nil && sp.Doc == nil && sp.Comment == nil {
					report(sp.Pos(), sp.Names[0].Name)
				}
			}
		}
	}
}

func exportedReceiver(d *ast.FuncDecl) bool {
	typ := d.Recv.List[0].Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	id, ok := typ.(*ast.Ident)
	return ok && id.IsExported()
}

// Time in tests is fake: a package whose tests never enter a bubble of virtual
// time has no business sleeping.
func TestNoSleepingTests(t *testing.T) {
	fset, all := sources(t)
	bubbles := map[string]bool{}
	for _, s := range all {
		if s.test && slices.ContainsFunc(s.file.Imports, func(i *ast.ImportSpec) bool { return i.Path.Value == `"testing/synctest"` }) {
			bubbles[s.dir] = true
		}
	}
	for _, s := range all {
		if !s.test || bubbles[s.dir] {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if x, ok := sel.X.(*ast.Ident); ok && x.Name == "time" && sel.Sel.Name == "Sleep" {
				t.Errorf("%s: sleeps outside a bubble", fset.Position(n.Pos()))
			}
			return true
		})
	}
}

var secret = regexp.MustCompile(`xox[bpas]-[0-9]{8,}|xapp-[0-9]-[A-Z0-9]{8,}-[0-9]{8,}|-----BEGIN [A-Z ]*PRIVATE KEY|eyJ[A-Za-z0-9_-]{40,}\.eyJ`)

func TestNoSecretsInTestdata(t *testing.T) {
	checked := 0
	err := filepath.WalkDir(filepath.Join("..", ".."), func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.Contains(filepath.ToSlash(p), "/testdata/") {
			return err
		}
		checked++
		b, err := os.ReadFile(p)
		if err == nil && secret.Match(b) {
			err = fmt.Errorf("%s: looks like a secret", p)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	t.Logf("%d files under testdata", checked)
}
