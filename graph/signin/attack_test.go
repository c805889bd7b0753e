package signin_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pagbot/activation"
	"pagbot/graph/signin"
	"pagbot/sim/entra"
)

// bubble runs an attack in virtual time and makes sure that it came to nothing:
// nothing woken, no token for any deed.
func bubble(t *testing.T, attack func(*testing.T, *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		attack(t, w)
		w.nothing()
	})
}

// fresh is a deed of the requester's that wants fresh proof.
func (w *world) fresh() activation.Warrant {
	return w.ask(activation.Submit, w.person(w.requester), activation.Fresh)
}

// callbackOf lets Microsoft answer, and keeps its answer from the service.
func (w *world) callbackOf(address string, u entra.User) string {
	w.t.Helper()
	mine := w.hosts[pagHost]
	b := w.browser()
	w.open(b, address)
	w.click(b, toMicrosoft)
	w.hosts[pagHost] = http.NotFoundHandler()
	defer func() { w.hosts[pagHost] = mine }()
	return w.login(b, u, true).URL.String()
}

func TestStateIsGoodOnce(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		b := w.browser()
		w.open(b, w.svc.Link(w.fresh()))
		w.click(b, toMicrosoft)
		w.login(b, w.requester, true)
		var callback string
		for _, v := range b.Visits() {
			if strings.Contains(v.URL, "/callback?") {
				callback = v.URL
			}
		}
		w.shows(w.open(b, callback), "This sign-in is over")
	})
}

func TestStateIsGoodForTenMinutes(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		b := w.browser()
		w.open(b, w.svc.Link(w.fresh()))
		w.click(b, toMicrosoft)
		time.Sleep(11 * time.Minute)
		w.shows(w.login(b, w.requester, true), "This sign-in is over")
	})
}

func TestStateOfAnotherBrowser(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		// The attacker begins, and has the victim's browser finish; or the
		// victim begins, and the attacker finishes.
		callback := w.callbackOf(w.svc.Link(w.fresh()), w.requester)
		other := w.browser()
		w.open(other, w.svc.Link(w.fresh())) // has a cookie of its own
		w.shows(w.open(other, callback), "This began in another browser")
		callback = w.callbackOf(w.svc.Link(w.fresh()), w.requester)
		w.shows(w.open(w.browser(), callback), "This began in another browser")
	})
}

func TestCallbackWithoutState(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		callback := w.callbackOf(w.svc.Link(w.fresh()), w.requester)
		u, err := url.Parse(callback)
		w.must(err)
		q := u.Query()
		for _, state := range []string{"", "made-up"} {
			q.Set("state", state)
			u.RawQuery = q.Encode()
			w.shows(w.open(w.browser(), u.String()), "This sign-in is over")
		}
	})
}

// A code of another session fails at the verifier, even of the same person.
func TestInjectedCode(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		stolen, err := url.Parse(w.callbackOf(w.svc.Link(w.fresh()), w.requester))
		w.must(err)
		b := w.browser()
		w.open(b, w.svc.Link(w.fresh()))
		state := w.click(b, toMicrosoft).URL.Query().Get("state")
		q := url.Values{"state": {state}, "code": {stolen.Query().Get("code")}}
		w.shows(w.open(b, pagURL+"/callback?"+q.Encode()), "Microsoft did not finish", "AADSTS501481")
	})
}

func TestCodeForAnotherNonce(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		b := w.browser()
		w.open(b, w.svc.Link(w.fresh()))
		at := w.click(b, toMicrosoft).URL
		q := at.Query()
		q.Set("nonce", "an-attackers")
		at.RawQuery = q.Encode()
		w.open(b, at.String())
		w.shows(w.login(b, w.requester, true), "That sign-in was not for this")
	})
}

func TestTamperedLinks(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		good := w.svc.Link(w.fresh())
		other := w.svc.Link(w.ask(activation.Submit, w.person(w.admin), activation.Fresh))
		at := strings.LastIndex(good, "/") + 1
		for i := at; i < len(good); i++ {
			c := byte('A')
			if good[i] == c {
				c = 'B'
			}
			p := w.open(w.browser(), good[:i]+string(c)+good[i+1:])
			if p.Status != 404 {
				t.Fatalf("character %d changed, and the page says %q", i-at, p.Title)
			}
		}
		for _, bad := range []string{good[:at], good[:at+20], good[:at+40] + other[at+40:], good + "A", good + "/", good + "=", good + "%00"} {
			if p := w.open(w.browser(), bad); len(p.Forms) > 0 || p.Status < 400 {
				t.Errorf("%s: %d %q", bad, p.Status, p.Title)
			}
		}
	})
}

func TestExpiredLink(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		link := w.svc.Link(w.fresh())
		b := w.browser()
		w.through(b, link, w.requester)
		time.Sleep(16 * time.Minute)
		w.shows(w.open(w.browser(), link), "This link has expired")
		w.shows(w.click(b, "Yes, activate"), "This page was used already")
		link = w.svc.SignInLink(w.person(w.requester).Slack, time.Now().Add(time.Minute))
		time.Sleep(2 * time.Minute)
		w.shows(w.open(w.browser(), link), "This link has expired")
	})
}

// The warrant ends while the person stands before the last button.
func TestWarrantExpiresOnThePage(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		b := w.browser()
		link := w.svc.Link(w.fresh())
		time.Sleep(14 * time.Minute)
		w.through(b, link, w.requester)
		time.Sleep(2 * time.Minute)
		w.shows(w.click(b, "Yes, activate"), "This link has expired")
	})
}

func TestWrongAccount(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		// By a stranger, by an approver, and by another account of the same human.
		for _, u := range []entra.User{w.stranger, w.approver, w.admin} {
			p := w.through(w.browser(), w.svc.Link(w.fresh()), u)
			w.shows(p, "Wrong account", "You are signed in as "+u.UPN+", this needs requester@contoso.example", "Nothing was done")
		}
		p := w.through(w.browser(), w.svc.SignInLink(w.person(w.requester).Slack, time.Now().Add(time.Hour)), w.approver)
		w.shows(p, "This account is not yours here", "U0REQUESTER")
		p = w.through(w.browser(), w.svc.SignInLink(w.person(w.requester).Slack, time.Now().Add(time.Hour)), w.stranger)
		w.shows(p, "ask your administrator")
		if len(w.box.rows) > 0 {
			t.Errorf("kept %s", w.box)
		}
	})
}

func TestOtherTenant(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		// The sign-in app is there in another tenant too, with the same account id.
		other := entra.New(entra.Config{Seed: 99})
		u := other.AddUser(entra.User{ID: w.requester.ID, UPN: w.requester.UPN})
		other.AddApp(entra.App{ID: w.app.ID, Secret: w.app.Secret, Redirects: w.app.Redirects, Delegated: []string{scope}})
		w.hosts["login.example"] = other.Authority()
		w.cfg.Authority = "https://login.example/" + other.Tenant()
		w.restart()
		w.shows(w.through(w.browser(), w.svc.Link(w.fresh()), u), "of another organization")
	})
}

// A session of this morning is no proof, whoever strips prompt=login.
func TestOldSessionIsNoFreshProof(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		b := w.browser()
		w.through(b, w.svc.Link(w.fresh()), w.requester)
		time.Sleep(30 * time.Minute)
		w.open(b, w.svc.Link(w.fresh()))
		at := w.click(b, toMicrosoft).URL
		q := at.Query()
		q.Del("prompt")
		at.RawQuery = q.Encode()
		w.shows(w.open(b, at.String()), "did not ask you just now", "auth_time")
	})
}

// Proof ages while the person looks at the page.
func TestFreshProofAgesOnThePage(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		b := w.browser()
		w.open(b, w.svc.Link(w.fresh()))
		w.click(b, toMicrosoft)
		w.login(b, w.requester, true)
		time.Sleep(6 * time.Minute)
		w.click(b, "Yes, that is me")
		time.Sleep(5 * time.Minute)
		w.shows(w.click(b, "Yes, activate"), "did not ask you just now")
	})
}

// The victim signs in for their own deed while an intruder's ask, in the
// victim's name, waits as well.
func TestOnlyTheLinksOwnDeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		intruders := w.ask(activation.Submit, w.person(w.requester), activation.Fresh, func(a *activation.Activation) { a.Reason = "intruder" })
		mine := w.fresh()
		b := w.browser()
		w.through(b, w.svc.Link(mine), w.requester)
		w.click(b, "Yes, activate")
		if len(w.deeds.released) != 1 || w.deeds.released[0] != mine.Wait() {
			t.Errorf("released %v", w.deeds.released)
		}
		if _, err := w.svc.Token(t.Context(), intruders, ""); !errors.Is(err, signin.ErrSignIn) {
			t.Errorf("a token for the intruder's deed: %v", err)
		}
	})
}

// Whoever fetches all that can be fetched changes nothing.
func TestPrefetchChangesNothing(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		link := w.svc.Link(w.fresh())
		scanner := w.browser()
		for range 30 {
			w.open(scanner, link)
		}
		b := w.browser()
		p := w.through(b, link, w.requester)
		for range 30 {
			w.open(b, p.URL.String())
			w.shows(w.open(scanner, p.URL.String()), "another browser")
		}
		req, err := http.NewRequest(http.MethodHead, link, nil)
		w.must(err)
		if res, err := w.hosts.RoundTrip(req); err != nil || res.StatusCode != 200 {
			t.Errorf("HEAD: %v %v", res.StatusCode, err)
		}
	})
}

func TestConfirmIsGoodOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		b := w.browser()
		p := w.through(b, w.svc.Link(w.fresh()), w.requester)
		step := p.URL.String()
		w.click(b, "Yes, activate")
		w.shows(w.open(b, step), "This page was used already")
		if n := len(w.deeds.released); n != 1 {
			t.Errorf("released %d times", n)
		}
	})
}

func TestForgedForms(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		link := w.svc.Link(w.fresh())
		b := w.browser()
		p := w.through(b, link, w.requester)
		evil := http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Type", "text/html")
			_, _ = rw.Write([]byte(`<form method=post action="` + p.URL.String() + `"><button>Win</button></form><form method=post action="` + link + `"><button>Start</button></form>`))
		})
		for _, host := range []string{"evil.example", "evil.pag.example"} { // cross-site, then same-site: both without the form's proof
			w.hosts[host] = evil
			for _, button := range []string{"Win", "Start"} {
				w.open(b, "https://"+host+"/")
				if got := w.click(b, button); got.Status != 403 {
					t.Errorf("%s from %s: %d %q", button, host, got.Status, got.Title)
				}
			}
		}
	})
}

func TestHeaders(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		b := w.browser()
		link := w.svc.Link(w.fresh())
		for _, address := range []string{link, pagURL + "/callback", pagURL + "/c/x", pagURL + "/", w.through(b, link, w.requester).URL.String()} {
			h := w.open(b, address).Header
			csp := h.Get("Content-Security-Policy")
			for _, part := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action '", "style-src 'sha256-"} {
				if !strings.Contains(csp, part) {
					t.Errorf("%s: %s lacks %s", address, csp, part)
				}
			}
			for k, v := range map[string]string{"X-Frame-Options": "DENY", "Cache-Control": "no-store", "Referrer-Policy": "no-referrer",
				"X-Content-Type-Options": "nosniff", "Strict-Transport-Security": "max-age=31536000"} {
				if h.Get(k) != v {
					t.Errorf("%s: %s is %q", address, k, h.Get(k))
				}
			}
			if strings.Contains(csp, "script-src") || strings.Contains(csp, "unsafe") {
				t.Errorf("%s: %s", address, csp)
			}
		}
		if !strings.Contains(w.seen.String(), "__Host-pagbot=") || !strings.Contains(w.seen.String(), "HttpOnly; Secure; SameSite=Lax") {
			t.Error("no __Host- cookie")
		}
	})
}

// No request to a page of ours can lead a browser anywhere but to ourselves
// and the authority.
func TestNoOpenRedirect(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		link := w.svc.Link(w.fresh())
		for _, address := range []string{link + "?next=https://evil.example/", pagURL + "/callback?state=x&redirect_uri=https://evil.example",
			pagURL + "//evil.example/", pagURL + "/c/https:%2f%2fevil.example", pagURL + "/d/%2f%2fevil.example", pagURL + `/\evil.example`} {
			b := w.browser()
			if p := w.open(b, address); p.URL.Host != pagHost {
				t.Errorf("%s leads to %s", address, p.URL)
			}
			for _, l := range b.Page().Links {
				if l.URL.Host != pagHost {
					t.Errorf("%s links to %s", address, l.URL)
				}
			}
		}
	})
}

func TestTextIsOnlyText(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		const x = `"><script>alert(1)</script><form action=https://evil.example><button>Win</button></form><img src=x onerror=a()>`
		wt := w.ask(activation.Submit, w.person(w.requester), activation.Fresh, func(a *activation.Activation) {
			a.Reason, a.Ticket, a.Group.Name, a.Person.Name = x, x, x, x
		})
		b := w.browser()
		w.through(b, w.svc.Link(wt), w.requester)
		if p := b.Page(); len(p.Forms) != 1 || !strings.Contains(p.Text, "<script>alert(1)</script>") {
			t.Errorf("%d forms: %s", len(p.Forms), p.Text)
		}
		if s := w.seen.String(); strings.Contains(s, "<script") || strings.Contains(s, "<img") {
			t.Error("markup of a person's in the page")
		}
		// What Microsoft sends back is a stranger's text too.
		w.open(b, w.svc.Link(w.fresh()))
		state := w.click(b, toMicrosoft).URL.Query().Get("state")
		w.open(b, pagURL+"/callback?"+url.Values{"state": {state}, "error": {x}, "error_description": {x}}.Encode())
		if s := w.seen.String(); strings.Contains(s, "<script") || strings.Contains(w.log.String(), "script") {
			t.Error("markup of an error in a page or the log")
		}
	})
}

func TestMadeUpRows(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		wt := w.fresh()
		link := w.svc.Link(wt)
		d := w.deeds.all[wt.ID]
		good := d.a
		for name, change := range map[string]func(*activation.Pending){
			"actor":   func(p *activation.Pending) { p.Warrant.Actor = w.person(w.approver) },
			"slack":   func(p *activation.Pending) { p.Warrant.Actor.Slack.ID = "U0APPROVER" },
			"deed":    func(p *activation.Pending) { p.Warrant.Deed = activation.Approve },
			"digest":  func(p *activation.Pending) { p.Warrant.Digest = "x" },
			"proof":   func(p *activation.Pending) { p.Warrant.Proof = activation.Session },
			"expires": func(p *activation.Pending) { p.Warrant.Expires = p.Warrant.Expires.Add(time.Hour) },
			"seal":    func(p *activation.Pending) { p.Warrant.Seal = "" },
		} {
			bad := good
			bad.Deeds = []activation.Pending{good.Deeds[0]}
			change(&bad.Deeds[0])
			d.a = bad
			p := w.open(w.browser(), link)
			w.shows(p, "cannot be trusted")
			if _, err := w.svc.Token(t.Context(), bad.Deeds[0].Warrant, ""); code(err) != activation.WarrantBad {
				t.Errorf("%s: %v", name, err)
			}
		}
		// The warrant is sound, but the deed it would do is another by now.
		d.a = good
		d.a.Length = activation.Duration(8 * time.Hour)
		w.shows(w.open(w.browser(), link), "This has changed since you asked")
		d.a = good
	})
}

// A row that says "bound" makes nobody of a stranger.
func TestMadeUpBinding(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		key := strings.ToLower(w.entra.Tenant() + "/" + w.stranger.ID)
		row := []byte(`{"` + key + `":{"human":"requester","at":"2026-01-01T00:00:00Z"}}`)
		w.must(w.box.Put(t.Context(), "binding", team+"/U0REQUESTER", 0, row))
		link := w.svc.SignInLink(activation.SlackUser{Team: team, ID: "U0REQUESTER"}, time.Now().Add(time.Hour))
		w.shows(w.through(w.browser(), link, w.stranger), "This account is not yours here")
		made := w.sealer.Mint(activation.Warrant{Actor: activation.Person{Tenant: w.entra.Tenant(), Object: w.stranger.ID,
			Slack: activation.SlackUser{Team: team, ID: "U0REQUESTER"}}, Deed: activation.Submit, Proof: activation.Session, Expires: time.Now().Add(time.Hour)})
		if _, err := w.svc.Token(t.Context(), made, ""); code(err) != activation.NotBound {
			t.Errorf("a token for a stranger: %v", err)
		}
	})
}

func code(err error) activation.Code {
	var r activation.Refusal
	_ = errors.As(err, &r)
	return r.Code
}

func TestCrowdedLink(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		b := w.browser()
		link := w.svc.Link(w.fresh())
		for range 20 {
			w.open(b, link)
			w.click(b, toMicrosoft)
		}
		w.open(b, link)
		w.shows(w.click(b, toMicrosoft), "Too many sign-ins")
		w.open(b, w.svc.Link(w.fresh())) // nobody else is kept out
		if w.click(b, toMicrosoft).Title != "Sign in to your account" {
			t.Error("another link is closed too")
		}
	})
}
