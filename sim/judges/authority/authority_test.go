package authority

import (
	"bufio"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"pagbot/sim/browser"
	"pagbot/sim/entra"
)

const (
	redirect = "https://pag.example/signin/back"
	scope    = "https://graph.microsoft.com/PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup"
)

// line is what the client says.
type line struct {
	Open, Code         string
	Fresh, Cancel, Out bool
	Saw                string
	Done               bool
}

// judge is the client at work, and the browser that it asks for.
type judge struct {
	t       *testing.T
	world   *entra.World
	person  entra.User
	tls     *http.Client
	browser *browser.Browser
	in      io.Writer
	saw     map[string]map[string]any
}

// landing answers for the app's redirect page.
type landing struct{ next http.RoundTripper }

func (l landing) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host != "pag.example" {
		return l.next.RoundTrip(r)
	}
	rec := httptest.NewRecorder()
	_, _ = rec.WriteString("landed")
	return rec.Result(), nil
}

func TestOpenIDClient(t *testing.T) {
	if _, err := os.Stat("node_modules/openid-client"); err != nil {
		t.Skip("no node_modules: run npm ci in sim/judges/authority, and the certified client judges the authority")
	}
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("no node on the path")
	}
	w := entra.New(entra.Config{Seed: 11})
	key, cert := certificate(t)
	app := w.AddApp(entra.App{Name: "pagbot", Secret: "the app's secret & more", Certificates: []*x509.Certificate{cert}, Redirects: []string{redirect}, Delegated: []string{scope}})
	tool := w.AddApp(entra.App{Name: "tool", Public: true, Delegated: []string{scope}})
	s := httptest.NewTLSServer(w.Authority())
	defer s.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	j := &judge{t: t, world: w, person: w.AddUser(entra.User{UPN: "requester@contoso.example"}), tls: s.Client(), saw: map[string]map[string]any{}}
	j.browser = j.fresh()
	cmd := exec.CommandContext(t.Context(), node, "client.mjs")
	cmd.Env = append(os.Environ(), "NODE_EXTRA_CA_CERTS="+ca, "ISSUER="+s.URL+"/"+w.Tenant()+"/v2.0", "CLIENT="+app.ID, "SECRET="+app.Secret,
		"KEY="+key, "TOOL="+tool.ID, "REDIRECT="+redirect, "SCOPE="+scope)
	j.run(cmd)
	j.verdict()
}

// run starts the client and answers its lines.
func (j *judge) run(cmd *exec.Cmd) {
	j.t.Helper()
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	j.must(err)
	out, err := cmd.StdoutPipe()
	j.must(err)
	j.in = in
	j.must(cmd.Start())
	done := false
	for text := bufio.NewScanner(out); text.Scan(); {
		var l line
		j.must(json.Unmarshal(text.Bytes(), &l))
		done = done || l.Done
		switch {
		case l.Open != "":
			b, _ := json.Marshal(j.browse(l))
			_, err := j.in.Write(append(b, '\n'))
			j.must(err)
		case l.Saw != "":
			all := map[string]any{}
			j.must(json.Unmarshal(text.Bytes(), &all))
			j.saw[l.Saw] = all
		}
	}
	if err := cmd.Wait(); err != nil || !done {
		j.t.Fatalf("the client gave up: %v", err)
	}
}

func (j *judge) must(err error) {
	j.t.Helper()
	if err != nil {
		j.t.Fatal(err)
	}
}

func (j *judge) fresh() *browser.Browser {
	return browser.New(&http.Client{Transport: landing{j.tls.Transport}})
}

// browse does what a person does with an address, and returns where it ends.
func (j *judge) browse(l line) string {
	j.t.Helper()
	if !l.Out { // every sign-in is a new one, but for the sign-out and after
		j.browser = j.fresh()
	}
	p, err := j.browser.Open(l.Open)
	j.must(err)
	if l.Code != "" {
		j.must(j.browser.Fill("otc", l.Code))
		p, err = j.browser.Submit("Next")
		j.must(err)
	}
	if p.Title == "Sign in to your account" {
		j.must(j.browser.Fill("account", j.person.UPN))
		p, err = j.browser.Submit("Sign in")
		j.must(err)
	}
	if l.Code != "" {
		p, err = j.browser.Submit(map[bool]string{true: "Cancel", false: "Continue"}[l.Cancel])
		j.must(err)
	}
	return p.URL.String()
}

// verdict is what the client must have seen.
func (j *judge) verdict() {
	j.t.Helper()
	for _, how := range []string{"secret in the form", "secret in the header", "a signed assertion"} {
		s := j.saw[how]
		if s["oid"] != j.person.ID || s["sub"] != true || s["type"] != "bearer" || s["rotated"] != true || s["expires"] != true || s["again"] != "invalid_grant" {
			j.t.Errorf("%s: %v", how, s)
		}
	}
	for name, want := range map[string]string{"state": "OAUTH_INVALID_RESPONSE", "nonce": "OAUTH_JWT_CLAIM_COMPARISON_FAILED", "verifier": "invalid_grant",
		"silent": "login_required", "refresh": "invalid_grant", "secret": "invalid_client"} {
		if got := j.saw["attacks"][name]; got != want {
			j.t.Errorf("attack by %s: %v, want %s", name, got, want)
		}
	}
	if s := j.saw["device"]; s["oid"] != j.person.ID || s["life"] != 900.0 || s["refreshed"] != "bearer" || s["declined"] != "authorization_declined" {
		j.t.Errorf("device: %v", s)
	}
	if j.saw["app"]["type"] != "bearer" || j.saw["signed in"]["silent"] != "nothing" || j.saw["signed out"]["silent"] != "login_required" {
		j.t.Errorf("app %v, signed in %v, signed out %v", j.saw["app"], j.saw["signed in"], j.saw["signed out"])
	}
}

func certificate(t *testing.T) (string, *x509.Certificate) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	model := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, model, model, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})), cert
}
