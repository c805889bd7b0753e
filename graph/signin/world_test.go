package signin_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"

	"pagbot/activation"
	"pagbot/graph/signin"
	"pagbot/sim/browser"
	"pagbot/sim/entra"
)

const (
	scope    = "https://graph.microsoft.com/PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup"
	team     = "T0CONTOSO"
	pagURL   = "https://pag.example"
	pagHost  = "pag.example"
	context1 = `{"access_token":{"acrs":{"essential":true, "value":"c1"}}}`
)

// hosts answers for several names at once, without a network, so that all runs
// in one bubble of virtual time.
type hosts map[string]http.Handler

func (h hosts) RoundTrip(r *http.Request) (*http.Response, error) {
	handler := h[r.URL.Host]
	if handler == nil {
		return nil, fmt.Errorf("no host %s", r.URL.Host)
	}
	in := r.Clone(r.Context())
	in.RequestURI, in.Host = r.URL.RequestURI(), r.URL.Host
	if r.URL.Scheme == "https" {
		in.TLS = &tls.ConnectionState{}
	}
	if in.Body == nil {
		in.Body = http.NoBody
	}
	rec := httptest.NewRecorder()
	handler.ServeHTTP(rec, in)
	res := rec.Result()
	res.Request = r
	return res, nil
}

// world is a tenant, the service, and everything that anybody could read.
type world struct {
	t         *testing.T
	entra     *entra.World
	app       entra.App
	requester entra.User
	admin     entra.User // the requester's second account
	approver  entra.User
	stranger  entra.User
	deeds     *deeds
	box       *box
	log       bytes.Buffer
	seen      bytes.Buffer // every page shown
	hosts     hosts
	cfg       signin.Config
	svc       *signin.Service
	sealer    *signin.Sealer
	key       []byte
	old       [][]byte
	root      signin.Root
}

func newWorld(t *testing.T, change ...func(*signin.Config)) *world {
	t.Helper()
	w := &world{t: t, entra: entra.New(entra.Config{Seed: 7}), box: &box{rows: map[string]boxed{}}, hosts: hosts{}}
	user := func(name string) entra.User { return w.entra.AddUser(entra.User{UPN: name + "@contoso.example"}) }
	w.requester, w.admin, w.approver, w.stranger = user("requester"), user("adm-requester"), user("approver"), user("stranger")
	w.app = w.entra.AddApp(entra.App{Name: "pagbot", Secret: "the-app-secret", Redirects: []string{pagURL + "/callback"}, Delegated: []string{scope}})
	w.hosts["login.example"] = w.entra.Authority()
	w.deeds = &deeds{w: w, all: map[string]*deed{}}
	w.key = bytes.Repeat([]byte{7}, signin.KeySize)
	w.sealer, _ = signin.NewSealer(w.key)
	secret, err := confidential.NewCredFromSecret(w.app.Secret)
	w.must(err)
	w.cfg = signin.Config{URL: pagURL, Authority: "https://login.example/" + w.entra.Tenant(), Tenant: w.entra.Tenant(),
		Client: w.app.ID, Credential: secret, Scopes: []string{scope}, Sealer: w.sealer, Deeds: w.deeds, Box: w.box,
		People: w.people(), HTTP: &http.Client{Transport: w.hosts}, NoDiscovery: true,
		Log: slog.New(slog.NewTextHandler(&w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	for _, f := range change {
		f(&w.cfg)
	}
	w.restart()
	t.Cleanup(w.noSecrets)
	return w
}

// restart makes the service anew, as a new process would.
func (w *world) restart() {
	w.t.Helper()
	if w.cfg.Custody != signin.KeepNone {
		ring, err := signin.OpenRing(w.t.Context(), w.box, w.root, w.cfg.Log, w.key, w.old...)
		w.must(err)
		w.cfg.Ring = ring
	}
	svc, err := signin.New(w.cfg)
	w.must(err)
	w.svc = svc
	w.hosts[pagHost] = svc.Handler()
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) people() *signin.People {
	p, err := signin.ParsePeople(strings.NewReader(fmt.Sprintf(`people:
- {person: requester, slack: U0REQUESTER, accounts: [{object: %s, name: requester@contoso.example}, {object: %s, name: adm-requester@contoso.example}]}
- {person: approver, slack: U0APPROVER, accounts: [{object: %s, name: approver@contoso.example}]}
`, w.requester.ID, w.admin.ID, w.approver.ID)), w.entra.Tenant(), team)
	w.must(err)
	return p
}

func (w *world) person(u entra.User) activation.Person {
	w.t.Helper()
	p, ok := w.cfg.People.ByObject(w.entra.Tenant(), u.ID)
	if !ok {
		w.t.Fatalf("%s is not mapped", u.UPN)
	}
	return p
}

func (w *world) browser() *browser.Browser {
	return browser.New(&http.Client{Transport: recorder{w, w.hosts}})
}

// recorder keeps all that the service showed.
type recorder struct {
	w    *world
	next http.RoundTripper
}

func (r recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := r.next.RoundTrip(req)
	if err == nil && req.URL.Host == pagHost {
		var b bytes.Buffer
		_, _ = b.ReadFrom(res.Body)
		res.Body = http.NoBody
		fmt.Fprintf(&r.w.seen, "%v\n%s\n", res.Header.Values("Set-Cookie"), b.String())
		res.Body = readCloser{bytes.NewReader(b.Bytes())}
	}
	return res, err
}

type readCloser struct{ *bytes.Reader }

func (readCloser) Close() error { return nil }

var jwt = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{10,}\.`)

// noSecrets looks for secrets in whatever left the service.
func (w *world) noSecrets() {
	for name, text := range map[string]string{"log": w.log.String(), "pages": w.seen.String(), "box": w.box.String()} {
		if jwt.MatchString(text) {
			w.t.Errorf("the %s hold a token: %.60s…", name, jwt.FindString(text))
		}
		for _, secret := range append(w.deeds.tokens(), w.app.Secret, "refresh_token") {
			if secret != "" && strings.Contains(text, secret) {
				w.t.Errorf("the %s hold a secret (%.12s…)", name, secret)
			}
		}
	}
}

// ask makes a deed that waits, as a click in Slack would.
func (w *world) ask(kind activation.Deed, actor activation.Person, proof activation.Proof, change ...func(*activation.Activation)) activation.Warrant {
	w.t.Helper()
	id := fmt.Sprintf("a%d", len(w.deeds.all)+1)
	requester, _ := w.cfg.People.ByObject(w.entra.Tenant(), w.requester.ID) // who may have left
	a := activation.Activation{ID: id, Phase: activation.Asked, Person: requester, Access: activation.Member,
		Group:  activation.Group{Tenant: w.entra.Tenant(), ID: "11111111-2222-4333-8444-555555555555", Name: "devops-admins"},
		Reason: "Deploy the hotfix", Ticket: "CHG-1042", Length: activation.Duration(2 * time.Hour)}
	for _, f := range change {
		f(&a)
	}
	reason := ""
	if kind == activation.Approve || kind == activation.Deny {
		a.Phase, reason = activation.AwaitingApproval, "I know about it"
		a.Request = activation.Request{ID: "req-" + id, Length: a.Length}
	}
	now := time.Now()
	wt := w.sealer.Mint(activation.Warrant{Actor: actor, Deed: kind, Digest: a.Terms(kind, reason).Digest(), Proof: proof,
		Envelope: "env-" + id, Clicked: now, Expires: now.Add(15 * time.Minute)})
	a.Deeds = []activation.Pending{{Warrant: wt, Reason: reason, Needs: true}}
	w.deeds.all[wt.ID] = &deed{a: a, done: make(chan struct{})}
	return wt
}

// login fills Microsoft's page, which must be open.
func (w *world) login(b *browser.Browser, u entra.User, mfa bool) *browser.Page {
	w.t.Helper()
	if p := b.Page(); p == nil || p.Title != "Sign in to your account" {
		w.t.Fatalf("Microsoft did not ask: %+v", p)
	}
	w.must(b.Fill("account", u.UPN))
	w.must(b.Fill("mfa", map[bool]string{true: "yes"}[mfa]))
	p, err := b.Submit("Sign in")
	w.must(err)
	return p
}

func (w *world) open(b *browser.Browser, address string) *browser.Page {
	w.t.Helper()
	p, err := b.Open(address)
	w.must(err)
	return p
}

func (w *world) click(b *browser.Browser, text string) *browser.Page {
	w.t.Helper()
	p, err := b.Click(text)
	w.must(err)
	return p
}

const toMicrosoft = "Continue to Microsoft sign-in"

// through goes from a link to the first page after Microsoft, binding if asked.
func (w *world) through(b *browser.Browser, address string, u entra.User) *browser.Page {
	w.t.Helper()
	w.open(b, address)
	p := w.click(b, toMicrosoft)
	if p.Title == "Sign in to your account" {
		p = w.login(b, u, true)
	}
	if p.Title == "Is this Slack user you?" {
		p = w.click(b, "Yes, that is me")
	}
	return p
}

func (w *world) shows(p *browser.Page, words ...string) {
	w.t.Helper()
	for _, s := range words {
		if !strings.Contains(p.Title+" "+p.Text, s) {
			w.t.Errorf("the page does not say %q: %s", s, p.Text)
		}
	}
}

// nothing makes sure that no deed was woken and no token can be had.
func (w *world) nothing() {
	w.t.Helper()
	if len(w.deeds.released) > 0 {
		w.t.Errorf("released %v", w.deeds.released)
	}
	for _, d := range w.deeds.all {
		for _, p := range d.a.Deeds {
			if _, err := w.svc.Token(w.t.Context(), p.Warrant, ""); !errors.Is(err, signin.ErrSignIn) {
				w.t.Errorf("a token for %s: %v", p.Warrant.ID, err)
			}
		}
	}
}

// deeds plays the engine: it does a deed when it is released, by what do says.
type deeds struct {
	w        *world
	mu       sync.Mutex
	all      map[string]*deed
	released []string
	got      []signin.Token
	do       func(*deed, signin.Token) bool // whether the deed settles
	fail     error
}

type deed struct {
	a    activation.Activation
	done chan struct{}
}

func (d *deeds) Find(_ context.Context, warrant string) (activation.Activation, activation.Pending, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fail != nil {
		return activation.Activation{}, activation.Pending{}, d.fail
	}
	x, ok := d.all[warrant]
	if !ok {
		return activation.Activation{}, activation.Pending{}, signin.ErrNoDeed
	}
	p, _ := x.a.Deed(warrant)
	return x.a, p, nil
}

func (d *deeds) Release(ctx context.Context, wait string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.released = append(d.released, wait)
	for _, x := range d.all {
		for _, p := range x.a.Deeds {
			if p.Warrant.Wait() != wait {
				continue
			}
			t, err := d.w.svc.Token(ctx, p.Warrant, p.Claims)
			if err != nil {
				return err
			}
			d.got = append(d.got, t)
			if d.do == nil || d.do(x, t) {
				x.a.Deeds = nil
				close(x.done)
			}
		}
	}
	return nil
}

func (d *deeds) Settled(ctx context.Context, id, warrant string) (activation.Activation, error) {
	d.mu.Lock()
	x, err := d.all[warrant], d.fail
	d.mu.Unlock()
	if err != nil {
		return activation.Activation{}, err
	}
	select {
	case <-x.done:
		return x.a, nil
	case <-ctx.Done():
		return x.a, ctx.Err()
	}
}

func (d *deeds) tokens() (all []string) {
	for _, t := range d.got {
		all = append(all, t.Value)
	}
	return all
}

const entraGraph = entra.GraphAudience

func entraVerdict(number int) entra.Verdict { return entra.Verdict{Number: number} }

func entraApp(redirect string) entra.App {
	return entra.App{Secret: "the-app-secret", Redirects: []string{redirect}, Delegated: []string{scope}}
}
