package signin_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pagbot/graph/signin"
)

func TestConfigRefuses(t *testing.T) {
	w := newWorld(t)
	for says, change := range map[string]func(*signin.Config){
		"use https":                  func(c *signin.Config) { c.URL = "http://pag.example" },
		"signin.url \"pag\"":         func(c *signin.Config) { c.URL = "pag" },
		"authority":                  func(c *signin.Config) { c.Authority = "http://login.example/x" },
		"the tenant's id":            func(c *signin.Config) { c.Tenant = "contoso" },
		"application id":             func(c *signin.Config) { c.Client = "" },
		"one by one":                 func(c *signin.Config) { c.Scopes = nil },
		".default would":             func(c *signin.Config) { c.Scopes = []string{"https://graph.microsoft.com/.default"} },
		"a sealer":                   func(c *signin.Config) { c.Sealer = nil },
		"mapping":                    func(c *signin.Config) { c.People = nil },
		"choose none, session, or":   func(c *signin.Config) { c.Custody = "days" },
		"up to 30 days such as 7d":   func(c *signin.Config) { c.Custody = "31d" },
		"ring of keys":               func(c *signin.Config) { c.Ring = nil },
		"custody idle":               func(c *signin.Config) { c.Idle = 13 * time.Hour },
		"custody absolute":           func(c *signin.Config) { c.Absolute = 25 * time.Hour },
		"absolute 1h0m0s: choose 12": func(c *signin.Config) { c.Absolute = time.Hour },
	} {
		cfg := w.cfg
		change(&cfg)
		if _, err := signin.New(cfg); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", says, err)
		}
	}
	for _, good := range []string{"http://localhost:8080", "http://127.0.0.1:8080/", "http://[::1]:8080", "https://a.example/pag/"} {
		cfg := w.cfg
		cfg.URL = good
		if _, err := signin.New(cfg); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
}

// On loopback, without TLS, the whole way works too: with a plain cookie, or
// with the real one where the browser calls localhost secure.
func TestLoopbackAndPrefix(t *testing.T) {
	for _, hostCookie := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			const at = "http://localhost:8080/pag"
			w.app = w.entra.AddApp(entraApp(at + "/callback"))
			w.cfg.URL, w.cfg.Client, w.cfg.HostCookie = at, w.app.ID, hostCookie
			w.restart()
			w.hosts["localhost:8080"] = w.hosts[pagHost]
			b := w.browser()
			p := w.through(b, w.svc.Link(w.fresh()), w.requester)
			if p.Header.Get("Strict-Transport-Security") != "" {
				t.Error("HSTS without https")
			}
			if !strings.HasPrefix(p.URL.Path, "/pag/c/") {
				t.Errorf("at %s", p.URL)
			}
			w.click(b, "Yes, activate")
			if len(w.deeds.released) != 1 {
				t.Errorf("released %v", w.deeds.released)
			}
			req, err := http.NewRequest(http.MethodGet, w.svc.Link(w.fresh()), nil)
			w.must(err)
			res, err := w.hosts.RoundTrip(req)
			w.must(err)
			cookie := res.Header.Get("Set-Cookie")
			if strings.HasPrefix(cookie, "__Host-pagbot=") != hostCookie || strings.Contains(cookie, "Secure") != hostCookie {
				t.Errorf("cookie %q", cookie)
			}
		})
	}
}

// Links and warrants live by the world's clock, which a demo may speed up.
func TestTwoClocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		ahead := time.Duration(0)
		w.cfg.Now = func() time.Time { return time.Now().Add(ahead) }
		w.restart()
		link := w.svc.Link(w.fresh())
		b := w.browser()
		w.through(b, link, w.requester)
		ahead = 14 * time.Minute
		w.shows(w.open(b, b.Page().URL.String()), "Last step")
		ahead = 16 * time.Minute
		w.shows(w.click(b, "Yes, activate"), "This link has expired")
		w.nothing()
	})
}
