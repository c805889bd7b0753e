package app

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

const example = "../../pagbot.example.yaml"

func TestExampleLoads(t *testing.T) {
	c, err := Load(example)
	if err != nil {
		t.Fatal(err)
	}
	if c.SignIn == nil || len(c.Groups) == 0 || len(c.Targets) == 0 {
		t.Errorf("the example shows too little: %+v", c)
	}
}

// TestExampleIsWhole finds every setting that there is in the example, written
// or commented out.
func TestExampleIsWhole(t *testing.T) {
	b, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	for name := range settings(reflect.TypeFor[Config](), "", map[string]bool{}) {
		key := name[strings.LastIndex(name, ".")+1:]
		where := section(string(b), name)
		if key == "env" || key == "file" || key == "credential" {
			where = b // of every secret, shown once
		}
		if !regexp.MustCompile(`(?m)^[ #-]*` + key + `:|\{` + key + `: `).Match(where) {
			t.Errorf("pagbot.example.yaml does not show %s", name)
		}
	}
}

// section is the example from a setting's top key to the next top key.
func section(s, name string) []byte {
	top, _, _ := strings.Cut(name, ".")
	i := strings.Index("\n"+s, "\n"+top+":")
	if i < 0 {
		return nil
	}
	rest := s[i:]
	if end := regexp.MustCompile(`\n[a-z]`).FindStringIndex(rest); end != nil {
		rest = rest[:end[0]]
	}
	return []byte(rest)
}

// settings are the dotted names of all settings below a type.
func settings(t reflect.Type, prefix string, into map[string]bool) map[string]bool {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return into
	}
	for i := range t.NumField() {
		if key := t.Field(i).Tag.Get("yaml"); key != "" {
			into[prefix+key] = true
			settings(t.Field(i).Type, prefix+key+".", into)
		}
	}
	return into
}

// TestEverySettingIsExplained wants a comment at every setting's declaration.
func TestEverySettingIsExplained(t *testing.T) {
	n := 0
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(node ast.Node) bool {
			field, ok := node.(*ast.Field)
			if ok && field.Tag != nil && strings.Contains(field.Tag.Value, "yaml:") {
				n++
				if len(strings.Fields(field.Doc.Text())) < 4 {
					t.Errorf("%s: %v has no comment that explains it", file, field.Names)
				}
			}
			return true
		})
	}
	// By type, not by name: a type that is used twice is explained once.
	if want := fields(reflect.TypeFor[Config](), map[reflect.Type]bool{}); n != want {
		t.Errorf("%d settings are declared here, %d there are", n, want)
	}
}

func fields(t reflect.Type, seen map[reflect.Type]bool) int {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || seen[t] {
		return 0
	}
	seen[t] = true
	n := 0
	for i := range t.NumField() {
		if t.Field(i).Tag.Get("yaml") != "" {
			n += 1 + fields(t.Field(i).Type, seen)
		}
	}
	return n
}
