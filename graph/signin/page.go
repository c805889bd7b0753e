package signin

import (
	"crypto/rand"
	"crypto/sha256"
	_ "embed" // the style
	"encoding/base64"
	"html"
	"io"
	"net/http"
	"strings"

	"pagbot/activation"
)

// page is everything that a page can show; html decides how.
type page struct {
	Status int    // default 200
	Tone   string // good, bad, wait; empty: asks something
	Title  string
	Lead   string
	Code   string // to be typed or copied
	Rows   []row  // the deed, or who is who
	Next   string // what to do now
	Action string // where the form leads; empty: no form
	Form   string // its proof of being ours
	Button string
	Again  string // a link of ours to begin again
	Label  string // of that link
	Small  string
	away   bool // its form leads to another site
}

type row struct{ Name, Value string }

//go:embed page.css
var pageCSS string

var styleHash = func() string {
	sum := sha256.Sum256([]byte(pageCSS))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}()

// markup is HTML in the making. It is made by hand and not by html/template:
// that calls methods by name, which keeps the linker from dropping any method
// of the Graph SDK and makes the program three times as large.
type markup struct{ strings.Builder }

// put writes pieces in turn: our own HTML, then text that is escaped, without
// what nobody would see, and so on.
func (m *markup) put(pieces ...string) {
	for i, p := range pieces {
		if i%2 == 1 {
			p = html.EscapeString(activation.Visible(p))
		}
		m.WriteString(p)
	}
}

// given writes like put, if there is a text to write.
func (m *markup) given(before, text, after string) {
	if text != "" {
		m.put(before, text, after)
	}
}

// address lets only addresses into links and forms that lead to a web site.
func address(s string) string {
	if strings.HasPrefix(s, "/") || strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://") {
		return s
	}
	return "#"
}

// html renders the page. Everything that is not ours goes through put's second,
// fourth, … piece, between tags or in quoted attributes.
func (p page) html() string {
	var m markup
	m.put(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>`, p.Title, `</title>
<style>`+pageCSS+`</style>
</head>
<body>
<main`)
	m.given(` class="`, p.Tone, `"`)
	m.put(`>
<p class="brand">pagbot · privileged access</p>
<h1>`, p.Title, "</h1>\n")
	m.given(`<p class="lead">`, p.Lead, "</p>\n")
	m.given(`<p class="code">`, p.Code, "</p>\n")
	if len(p.Rows) > 0 {
		m.put("<dl>")
		for _, r := range p.Rows {
			m.put("<div><dt>", r.Name, "</dt><dd>", r.Value, "</dd></div>")
		}
		m.put("</dl>\n")
	}
	m.given(`<p class="next">`, p.Next, "</p>\n")
	if p.Action != "" {
		m.put(`<form method="post" action="`, address(p.Action), `"><input type="hidden" name="form" value="`, p.Form, `"><button type="submit">`, p.Button, "</button></form>\n")
	}
	if p.Again != "" {
		m.put(`<p><a class="button" href="`, address(p.Again), `">`, p.Label, "</a></p>\n")
	}
	m.given(`<p class="small">`, p.Small, "</p>\n")
	m.put("</main>\n</body>\n</html>\n")
	return m.String()
}

// page turns a function that says what to show into a handler. An empty page
// has redirected already.
func (s *Service) page(show func(http.ResponseWriter, *http.Request) page) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
		s.headers(w.Header())
		pg := pageFramed
		if !framed(r) {
			pg = show(w, r)
		}
		if pg.Title == "" {
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", policy(pg))
		if pg.Status != 0 {
			w.WriteHeader(pg.Status)
		}
		_, _ = io.WriteString(w, pg.html()) // a browser that went away misses nothing
	}
}

// framed reports whether a browser says that it wants the page inside another.
// The headers forbid it, too; those that send neither word are told by them.
func framed(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Dest") {
	case "iframe", "frame", "embed", "object", "fencedframe":
		return true
	}
	return false
}

func (s *Service) headers(h http.Header) {
	h.Set("Content-Security-Policy", policy(page{}))
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("X-Robots-Tag", "noindex, nofollow")
	if s.https {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

// policy allows a page its own style and its own form and nothing else. The
// form that leads to Microsoft may be answered with a redirect to any https
// site: Chromium holds form-action against redirects too, and a federated
// tenant's sign-in goes on to a host that only Microsoft knows.
func policy(pg page) string {
	form := "'none'"
	if pg.Action != "" {
		form = "'self'"
	}
	if pg.away {
		form = "'self' https:"
	}
	return strings.Join([]string{"default-src 'none'", "style-src " + styleHash, "form-action " + form,
		"frame-ancestors 'none'", "base-uri 'none'"}, "; ")
}

func (p page) ptr() *page { return &p }

// retry lets the person begin again, from the same link.
func (p page) retry(base string, f *flow) page {
	p.Again, p.Label = base+"/d/"+f.link, "Try again"
	return p
}

// reference is what a person can read out to an administrator, who finds it in
// the log.
func reference() string { return rand.Text()[:6] }

// trouble is the page for what is nobody's refusal.
func (s *Service) trouble(what string, err error) *page {
	p := no(http.StatusServiceUnavailable, "Something broke here", "This page did nothing in Entra.", "Try again in a minute. If it stays, tell")
	return s.referred(p, what, err)
}

// unread is the same once a person has confirmed: what they wanted may be done.
func (s *Service) unread(err error) page {
	p := no(http.StatusServiceUnavailable, "What came of it is not known here", "You have confirmed. What came of it could not be read.", "Slack tells you. If it does not, tell")
	return *s.referred(p, "what became of a deed could not be read", err)
}

func (s *Service) referred(p page, what string, err error) *page {
	ref := reference()
	s.cfg.Log.Error("sign-in: "+what, "error", err, "reference", ref)
	p.Next += " your administrator this reference: " + ref + "."
	return &p
}
