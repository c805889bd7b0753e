// Command guards builds what .ci/guards tries: one overlay that holds the sources
// with and without every guard, so that one build serves all of them. Which guard
// is missing says PAGBOT_GUARD when the tests run. Of a function that a guard's
// copy changes, both ways stay, and the first thing that it does is to choose.
//
//	go run ./e2e/guards DIR GUARD…
//
// A GUARD is a folder with the changed files below src; DIR gets overlay.json.
// Guards that change more than functions are printed: they need a build of their
// own.
package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: go run ./e2e/guards DIR GUARD…")
		os.Exit(2)
	}
	if err := weave(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// weave writes the overlay of all guards that can share one.
func weave(dir string, guards []string) error {
	woven := map[string]*text{}
	for _, guard := range guards {
		ways, err := changes(guard, woven)
		if err != nil {
			fmt.Println(guard) // alone, the compiler says what is wrong with it
			continue
		}
		for _, w := range ways {
			w.in.add(filepath.Base(guard), w)
		}
	}
	replace := map[string]string{}
	for name, t := range woven {
		at := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(at, t.woven(), 0o600); err != nil {
			return err
		}
		here, err := filepath.Abs(name)
		if err != nil {
			return err
		}
		replace[here] = at
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "overlay.json"), overlay, 0o600)
}

// changes reads what a guard's copies change: each function's other way.
func changes(guard string, woven map[string]*text) ([]way, error) {
	var all []way
	src := filepath.Join(guard, "src")
	err := filepath.WalkDir(src, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(src, p)
		if err != nil {
			return err
		}
		if woven[name] == nil {
			if woven[name], err = read(name); err != nil {
				return err
			}
		}
		without, err := read(p)
		if err != nil {
			return err
		}
		ways, err := woven[name].differs(without)
		all = append(all, ways...)
		return err
	})
	return all, err
}

// text is a source file, and what is put into it.
type text struct {
	src  []byte
	file *ast.File
	at   func(token.Pos) int
	puts []put
	more bytes.Buffer // the other ways
}

// put replaces what stands from one place up to another.
type put struct {
	from, to int
	text     string
}

// way is a function, and the same one in a guard's copy.
type way struct {
	in, other *text
	f, g      *ast.FuncDecl
}

func read(name string) (*text, error) {
	src, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, src, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	return &text{src: src, file: file, at: func(p token.Pos) int { return fset.Position(p).Offset }}, nil
}

func (t *text) of(n ast.Node) string { return string(t.src[t.at(n.Pos()):t.at(n.End())]) }

// differs lists the functions whose bodies differ; anything else that differs is
// an error.
func (t *text) differs(other *text) ([]way, error) {
	var ways []way
	if len(t.file.Decls) != len(other.file.Decls) {
		return nil, fmt.Errorf("other declarations")
	}
	for i, d := range t.file.Decls {
		e := other.file.Decls[i]
		if t.of(d) == other.of(e) {
			continue
		}
		f, ok := d.(*ast.FuncDecl)
		g, too := e.(*ast.FuncDecl)
		if !ok || !too || f.Type.TypeParams != nil || f.Body == nil || t.head(f) != other.head(g) {
			return nil, fmt.Errorf("more than the inside of a function")
		}
		ways = append(ways, way{t, other, f, g})
	}
	return ways, nil
}

// head is all of a function but its body.
func (t *text) head(f *ast.FuncDecl) string {
	return string(t.src[t.at(f.Type.Func):t.at(f.Body.Lbrace)])
}

// add puts the other way behind the file, and the choice at the function's start.
func (t *text) add(guard string, w way) {
	name := w.f.Name.Name + "Without" + guard
	body := w.other.of(w.g)
	from := w.other.at(w.g.Name.Pos()) - w.other.at(w.g.Pos())
	fmt.Fprintf(&t.more, "\n%s%s%s\n", body[:from], name, body[from+len(w.g.Name.Name):])

	call := name
	if w.f.Recv != nil {
		call = t.names(w.f.Recv.List[0])[0] + "." + name
	}
	var args []string
	for _, l := range w.f.Type.Params.List {
		args = append(args, t.names(l)...)
		if _, many := l.Type.(*ast.Ellipsis); many {
			args[len(args)-1] += "..."
		}
	}
	call += "(" + strings.Join(args, ", ") + ")"
	if w.f.Type.Results != nil {
		call = "return " + call
	} else {
		call += "; return"
	}
	at := t.at(w.f.Body.Lbrace) + 1
	t.puts = append(t.puts, put{at, at, fmt.Sprintf(" if guardsOS.Getenv(\"PAGBOT_GUARD\") == %q { %s };", guard, call)})
}

// names are what something that a function takes is called; what has no name, or
// a blank, gets one.
func (t *text) names(l *ast.Field) []string {
	if len(l.Names) == 0 {
		return []string{t.call(t.at(l.Type.Pos()), 0, " ")}
	}
	var all []string
	for _, n := range l.Names {
		if n.Name == "_" {
			all = append(all, t.call(t.at(n.Pos()), 1, ""))
		} else {
			all = append(all, n.Name)
		}
	}
	return all
}

// call puts a name there, once, in place of so many bytes.
func (t *text) call(at, instead int, after string) string {
	p := put{at, at + instead, fmt.Sprintf("guardsArg%d%s", at, after)}
	if !slices.Contains(t.puts, p) {
		t.puts = append(t.puts, p)
	}
	return strings.TrimSpace(p.text)
}

// woven is the file with all that was put into it; lines keep their numbers.
func (t *text) woven() []byte {
	if len(t.puts) == 0 {
		return t.src
	}
	at := t.at(t.file.Name.End())
	puts := append(t.puts, put{at, at, `; import guardsOS "os"`})
	slices.SortStableFunc(puts, func(p, q put) int { return cmp.Compare(p.from, q.from) })
	var out bytes.Buffer
	last := 0
	for _, p := range puts {
		out.Write(t.src[last:p.from])
		out.WriteString(p.text)
		last = p.to
	}
	out.Write(t.src[last:])
	out.Write(t.more.Bytes())
	return out.Bytes()
}
