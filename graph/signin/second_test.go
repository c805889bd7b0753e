package signin_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"pagbot/activation"
)

// second puts oauth2-mock-server, an authority that somebody else wrote, where
// the simulated one stood. It returns a way to have its next tokens spoilt.
func (w *world) second() (spoil func(string)) {
	w.t.Helper()
	dir := filepath.Join("..", "..", "sim", "judges", "authority")
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "oauth2-mock-server")); err != nil {
		w.t.Skip("no node_modules: run npm ci in sim/judges/authority, and the sign-in is tried on a second authority")
	}
	node, err := exec.LookPath("node")
	if err != nil {
		w.t.Skip("no node on the path")
	}
	cmd := exec.Command(node, "server.mjs")
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	cmd.Env = append(os.Environ(), "ISSUER=https://login.example/"+w.entra.Tenant()+"/v2.0", "TENANT="+w.entra.Tenant(),
		"OBJECT="+w.requester.ID, "NAME="+w.requester.UPN, "SCOPE="+scope)
	in, err := cmd.StdinPipe()
	w.must(err)
	out, err := cmd.StdoutPipe()
	w.must(err)
	w.must(cmd.Start())
	w.t.Cleanup(func() {
		_ = in.Close() // it ends with its input
		_ = cmd.Wait()
	})
	address, err := bufio.NewReader(out).ReadString('\n')
	w.must(err)
	w.hosts["login.example"] = w.layout(strings.TrimSpace(address))
	w.restart()
	return func(what string) {
		_, err := io.WriteString(in, what+"\n")
		w.must(err)
	}
}

// layout gives the second authority Entra's addresses, and changes nothing else.
func (w *world) layout(address string) http.Handler {
	target, err := url.Parse(address)
	w.must(err)
	at := "/" + w.entra.Tenant()
	paths := map[string]string{at + "/v2.0/.well-known/openid-configuration": "/.well-known/openid-configuration",
		at + "/oauth2/v2.0/authorize": "/authorize", at + "/oauth2/v2.0/token": "/token"}
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.URL.Path = paths[r.In.URL.Path]
		},
		ModifyResponse: func(r *http.Response) error {
			if !strings.HasSuffix(r.Request.URL.Path, "openid-configuration") {
				return nil
			}
			var all map[string]any
			if err := json.NewDecoder(r.Body).Decode(&all); err != nil {
				return err
			}
			all["authorization_endpoint"], all["token_endpoint"] = "https://login.example"+at+"/oauth2/v2.0/authorize", "https://login.example"+at+"/oauth2/v2.0/token"
			b, err := json.Marshal(all)
			r.Body, r.ContentLength = readCloser{bytes.NewReader(b)}, int64(len(b))
			r.Header.Set("Content-Length", fmt.Sprint(len(b)))
			return err
		},
	}
}

// The whole way from a link to a deed, with another authority's tokens.
func TestSecondAuthority(t *testing.T) {
	w := newWorld(t)
	w.second()
	wt := w.ask(activation.Submit, w.person(w.requester), activation.Fresh)
	b := w.browser()
	p := w.through(b, w.svc.Link(wt), w.requester)
	w.shows(p, w.requester.UPN)
	p = w.click(b, "Yes, activate")
	if len(w.deeds.got) != 1 || w.deeds.got[0].Object != w.requester.ID {
		t.Fatalf("no deed was done: %s %s", p.Title, p.Text)
	}
}

// What it signs for another request or another tenant is not believed.
func TestSecondAuthoritySpoilt(t *testing.T) {
	for what, says := range map[string]string{"nonce": "belongs to another sign-in", "tenant": "of another organization"} {
		w := newWorld(t)
		w.second()(what)
		b := w.browser()
		w.open(b, w.svc.Link(w.ask(activation.Submit, w.person(w.requester), activation.Fresh)))
		w.shows(w.click(b, toMicrosoft), says, "Nothing was done")
		w.nothing()
	}
}
