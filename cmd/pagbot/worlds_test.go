package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"pagbot/sim/browser"
)

// newcomer is somebody who types docs/worlds.md into a shell, block by block.
type newcomer struct {
	t      *testing.T
	dir    string
	in     io.WriteCloser
	out    *bufio.Scanner
	errors strings.Builder
}

const blockIsOver = "== that was a block"

// Every block of docs/worlds.md does what the text says, in one shell, with the
// real program; Bolt's only where its judge may run.
func TestTheWorldsAsDocumented(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"sh", "curl", "jq"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("the document is for people who have %s", tool)
		}
	}
	doc, err := os.ReadFile("../../docs/worlds.md")
	if err != nil {
		t.Fatal(err)
	}
	r := openShell(t)
	bolt := false
	for _, block := range regexp.MustCompile("(?ms)^```(\\w+)\n(.*?)^```$").FindAllStringSubmatch(string(doc), -1) {
		switch body := block[2]; block[1] {
		case "sh":
			r.types(body, bolt)
		case "go":
			r.writes("main.go", body)
		case "js":
			r.writes("bolt.js", body)
			bolt = r.runsBolt()
		default:
			t.Errorf("nobody knows how to run %s", block[1])
		}
	}
}

// openShell opens a shell in a folder of its own, in which pagbot is this
// program and Go modules are where this module's are.
func openShell(t *testing.T) *newcomer {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	r := &newcomer{t: t, dir: t.TempDir()}
	r.writes("pagbot", "#!/bin/sh\n"+beMain+"=yes exec "+self+" \"$@\"\n")
	for _, name := range []string{"go.mod", "go.sum"} {
		b, err := os.ReadFile("../../" + name)
		if err != nil {
			t.Fatal(err)
		}
		r.writes(name, string(b))
	}
	sh := exec.Command("sh", "-eus")
	sh.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // to end all that it started with it
	sh.Dir, sh.Stderr = r.dir, &r.errors
	sh.Env = append(os.Environ(), "PATH="+r.dir+":"+os.Getenv("PATH"))
	if r.in, err = sh.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := sh.StdoutPipe()
	if err == nil {
		err = sh.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	r.out = bufio.NewScanner(out)
	r.out.Buffer(nil, 1<<20)
	fmt.Fprintln(r.in, `curl() { command curl --fail-with-body "$@"; echo; }`)
	t.Cleanup(func() {
		_ = syscall.Kill(-sh.Process.Pid, syscall.SIGTERM)
		_ = sh.Wait()
	})
	return r
}

func (r *newcomer) writes(name, body string) {
	r.t.Helper()
	if err := os.WriteFile(filepath.Join(r.dir, name), []byte(body), 0o700); err != nil {
		r.t.Fatal(err)
	}
}

// promised is what a block shows, by a word in it.
var promised = map[string][]string{
	"eligibilityScheduleInstances": {`"memberType"`, "Release managers", `"slug":"db-admins"`, `"totalSize":1`},
	"go run":                       {"signed in until"},
	"oracle":                       {`"request":`, `"nextTick":`, `"Page":1`, `"id":1`, `"warning":"superfluous_charset"`},
}

// types types a block, signs in where it asks for that, and reads on to its end.
func (r *newcomer) types(block string, bolt bool) {
	r.t.Helper()
	fmt.Fprintf(r.in, "%s\necho \"%s: $?\"\n", block, blockIsOver)
	var all []string
	for r.out.Scan() && !strings.HasPrefix(r.out.Text(), blockIsOver) {
		all = append(all, r.out.Text())
		if ask := regexp.MustCompile(`(https://\S+) and enter the code (\w+)`).FindStringSubmatch(r.out.Text()); ask != nil {
			r.signsIn(ask[1], ask[2])
		}
	}
	got := strings.Join(all, "\n")
	if r.out.Text() != blockIsOver+": 0" {
		r.t.Fatalf("%s\nended badly:\n%s\n%s", block, got, r.errors.String())
	}
	for word, want := range promised {
		for _, w := range want {
			if strings.Contains(block, word) && !strings.Contains(got, w) {
				r.t.Errorf("%s\nshows no %s:\n%s", block, w, got)
			}
		}
	}
	answer := "dispatch_failed" // nobody is connected
	if bolt {
		answer = "said hello"
	}
	if strings.Contains(block, "/command") && !strings.Contains(got, answer) {
		r.t.Errorf("/pag: want %s:\n%s", answer, got)
	}
}

func (r *newcomer) signsIn(page, code string) {
	r.t.Helper()
	var worlds struct {
		Entra struct{ CA string }
	}
	b, err := os.ReadFile(filepath.Join(r.dir, "worlds.json"))
	if err == nil {
		err = json.Unmarshal(b, &worlds)
	}
	ca, err2 := os.ReadFile(worlds.Entra.CA)
	if err != nil || err2 != nil {
		r.t.Fatal(err, err2)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	p := browser.New(&http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}})
	_, err = p.Open(page)
	for _, step := range []struct{ field, value, button string }{{"otc", code, "Next"}, {"account", "adm-requester@contoso.example", "Sign in"}, {"", "", "Continue"}} {
		if err == nil && step.field != "" {
			err = p.Fill(step.field, step.value)
		}
		if err == nil {
			_, err = p.Submit(step.button)
		}
	}
	if err != nil {
		r.t.Fatal(err)
	}
}

// runsBolt runs the document's Bolt app, if it is there, until the test is over.
func (r *newcomer) runsBolt() bool {
	r.t.Helper()
	modules, err := filepath.Abs("../../sim/judges/bolt/node_modules")
	if err != nil {
		r.t.Fatal(err)
	}
	if os.Getenv("PAGBOT_JUDGE") == "" {
		return false
	}
	node := exec.CommandContext(r.t.Context(), "node", "bolt.js")
	node.Dir, node.Env = r.dir, append(os.Environ(), "NODE_PATH="+modules)
	node.Stderr = &r.errors
	out, err := node.StdoutPipe()
	if err == nil {
		err = node.Start()
	}
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = node.Process.Kill(); _ = node.Wait() })
	lines := bufio.NewScanner(out)
	for lines.Scan() && !strings.Contains(lines.Text(), "Bolt is connected") {
	}
	if !strings.Contains(lines.Text(), "Bolt is connected") {
		_ = node.Wait()
		r.t.Fatalf("Bolt did not connect:\n%s", r.errors.String())
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	return true
}
