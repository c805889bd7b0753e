package house

import (
	"go/ast"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// named is a test as the documents name it: folder.TestName.
var named = regexp.MustCompile("`([a-z][a-z0-9/]*)\\.(Test[A-Za-z0-9]+)`")

// TestDocumentedTestsExist finds every test that a document calls a proof.
func TestDocumentedTestsExist(t *testing.T) {
	_, all := sources(t)
	have := map[string]bool{}
	for _, s := range all {
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && s.test && f.Recv == nil {
				have[s.dir+"."+f.Name.Name] = true
			}
		}
	}
	files, err := filepath.Glob(filepath.Join("..", "..", "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	proofs := 0
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range named.FindAllStringSubmatch(string(b), -1) {
			proofs++
			if !have[m[1]+"."+m[2]] {
				t.Errorf("%s names a test that is not there: %s", filepath.Base(file), m[0])
			}
		}
	}
	if proofs < 50 {
		t.Errorf("only %d tests are named", proofs)
	}
}

// TestEveryAttackHasATest wants a proof in each line of the tables of attacks.
func TestEveryAttackHasATest(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("..", "..", "docs", "security-model.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, tables, _ := strings.Cut(string(b), "## What somebody has who holds")
	tables, _, _ = strings.Cut(tables, "## Sessions")
	rows := 0
	for line := range strings.Lines(tables) {
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| they hold") || strings.HasPrefix(line, "| attack") {
			continue
		}
		if rows++; !named.MatchString(line) {
			t.Errorf("no test: %.90s", line)
		}
	}
	if rows < 25 {
		t.Errorf("only %d rows", rows)
	}
}
