package signin_test

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"pagbot/activation"
)

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

// An old browser that doesn't say where a form came from: only the form's own
// proof is left, and it must suffice.
func TestForgedFormFromAnOldBrowser(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		link := w.svc.Link(w.fresh())
		w.open(w.browser(), link)
		cookie := regexp.MustCompile(`__Host-pagbot=[^;]+`).FindString(w.seen.String())
		for _, body := range []string{"", "form=", "form=made-up"} {
			req, err := http.NewRequest(http.MethodPost, link, strings.NewReader(body))
			w.must(err)
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			req.Header.Set("Cookie", cookie)
			if res, err := w.hosts.RoundTrip(req); err != nil || res.StatusCode != 403 {
				t.Errorf("%q: %d %v", body, res.StatusCode, err)
			}
		}
		// The proof leaked somehow, and the form stands on another site.
		proof := regexp.MustCompile(`name="form" value="([^"]+)"`).FindStringSubmatch(w.seen.String())[1]
		for site, want := range map[string]int{"cross-site": 403, "same-site": 403, "": 303} {
			req, err := http.NewRequest(http.MethodPost, link, strings.NewReader("form="+proof))
			w.must(err)
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			req.Header.Set("Cookie", cookie)
			req.Header.Set("Sec-Fetch-Site", site)
			if res, err := w.hosts.RoundTrip(req); err != nil || res.StatusCode != want {
				t.Errorf("%q: %d %v", site, res.StatusCode, err)
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
			style := regexp.MustCompile(`(?s)<style>(.*?)</style>`).FindStringSubmatch(w.seen.String())
			sum := sha256.Sum256([]byte(style[1]))
			if !strings.Contains(csp, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") {
				t.Errorf("%s: the policy forbids the page's own style", address)
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
