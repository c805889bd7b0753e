// Package browser pretends to be a person's web browser, for scripts that sign
// in: it keeps cookies as browsers do, follows redirects one by one and writes
// each down, and fills and sends the forms that it finds. It runs no
// JavaScript, so a page that needs some fails here.
//
// It is as strict as the browsers that break sign-ins in the field: __Host- and
// Secure cookies, SameSite on cross-site requests, Origin and Referrer-Policy,
// and form-action policies, which hold for the redirects after a form too.
package browser

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const maxRedirects = 20

// Browser is one browser profile with one open page.
type Browser struct {
	client *http.Client
	jar    jar
	now    func() time.Time
	page   *Page
	visits []Visit
}

// Visit is one request that the browser made.
type Visit struct {
	Method, URL string
	Status      int
}

// New makes a browser on a client's transport and timeout; the client's own
// jar and redirect rule are not used. A nil client is http.DefaultClient.
func New(c *http.Client) *Browser {
	if c == nil {
		c = http.DefaultClient
	}
	bare := &http.Client{Transport: c.Transport, Timeout: c.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return &Browser{client: bare, now: time.Now}
}

// Open goes to an address as if it were typed, or came from another program:
// nobody's page is its initiator.
func (b *Browser) Open(address string) (*Page, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("open %q: not an address of the web", address)
	}
	return b.visit(request{method: "GET", url: u})
}

// Page is the open page; nil before the first.
func (b *Browser) Page() *Page { return b.page }

// Visits lists every request so far, redirects included.
func (b *Browser) Visits() []Visit { return append([]Visit(nil), b.visits...) }

// Click follows the link, or presses the button, with this text.
func (b *Browser) Click(text string) (*Page, error) {
	if b.page == nil {
		return nil, errors.New("click: no page is open")
	}
	for _, l := range b.page.Links {
		if strings.EqualFold(l.Text, text) {
			return b.visit(request{method: "GET", url: l.URL, from: b.page})
		}
	}
	return b.Submit(text)
}

// Fill sets a field. A checkbox takes "" for off and anything else for on.
func (b *Browser) Fill(name, value string) error {
	if b.page == nil {
		return errors.New("fill: no page is open")
	}
	for _, f := range b.page.Forms {
		found := false
		for _, x := range f.Fields {
			found = x.Name == name && x.set(value) || found
		}
		if found {
			return nil
		}
	}
	return fmt.Errorf("fill %q: no such field on %s, which has %v", name, b.page.URL, b.page.fields())
}

// Submit presses the button with this text and sends its form.
func (b *Browser) Submit(button string) (*Page, error) {
	if b.page == nil {
		return nil, errors.New("submit: no page is open")
	}
	for _, f := range b.page.Forms {
		for _, x := range f.Buttons {
			if strings.EqualFold(x.Text, button) {
				return b.send(f, x)
			}
		}
	}
	return nil, fmt.Errorf("press %q: no such button or link on %s (%q), which has %v", button, b.page.URL, b.page.Title, b.page.buttons())
}

func (b *Browser) send(f *Form, pressed Button) (*Page, error) {
	v := url.Values{}
	for _, x := range f.Fields {
		if x.on && x.Name != "" {
			v.Add(x.Name, x.Value)
		}
	}
	if pressed.Name != "" {
		v.Set(pressed.Name, pressed.Value)
	}
	to := *f.Action
	if f.Method == "GET" {
		to.RawQuery = v.Encode()
		return b.visit(request{method: "GET", url: &to, from: b.page, form: true})
	}
	return b.visit(request{method: "POST", url: &to, from: b.page, body: v.Encode(), form: true})
}

// request is one navigation, and who started it.
type request struct {
	method string
	url    *url.URL
	body   string
	from   *Page // nil: typed
	form   bool
	chain  []*url.URL // redirects so far
}

// visit makes a request and follows where it is sent.
func (b *Browser) visit(r request) (*Page, error) {
	for range maxRedirects {
		if r.form && !r.from.mayPost(r.url) {
			return nil, fmt.Errorf("%s forbids its form to go to %s (Content-Security-Policy form-action)", r.from.URL, r.url.Redacted())
		}
		resp, body, err := b.do(r)
		if err != nil {
			return nil, err
		}
		location := resp.Header.Get("Location")
		if resp.StatusCode < 300 || resp.StatusCode > 399 || location == "" {
			b.page, err = read(r.url, resp, body)
			return b.page, err
		}
		next, err := r.url.Parse(location)
		if err != nil {
			return nil, fmt.Errorf("%s redirects to %q: %w", r.url, location, err)
		}
		if next.Fragment == "" {
			next.Fragment = r.url.Fragment
		}
		r.chain = append(r.chain, r.url)
		r.url = next
		if resp.StatusCode == 303 || resp.StatusCode < 303 && r.method == "POST" {
			r.method, r.body = "GET", ""
		}
	}
	return nil, fmt.Errorf("more than %d redirects, the last to %s", maxRedirects, r.url)
}

func (b *Browser) do(r request) (*http.Response, []byte, error) {
	req, err := http.NewRequest(r.method, r.url.String(), strings.NewReader(r.body))
	if err != nil {
		return nil, nil, err
	}
	if r.body != "" || r.method == "POST" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	req.Header.Set("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
	req.Header.Set("User-Agent", "Mozilla/5.0 (scripted)")
	r.introduce(req.Header)
	for _, c := range b.jar.carried(r, b.now()) {
		req.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
	}
	resp, err := b.client.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, nil, err
	}
	b.visits = append(b.visits, Visit{r.method, r.url.String(), resp.StatusCode})
	b.jar.take(r.url, resp.Cookies(), b.now())
	return resp, body, nil
}

// introduce sets the headers by which a server can tell who started a
// navigation: Sec-Fetch-*, Referer and, on POST, Origin.
func (r request) introduce(h http.Header) {
	h.Set("Sec-Fetch-Mode", "navigate")
	h.Set("Sec-Fetch-Dest", "document")
	h.Set("Sec-Fetch-User", "?1")
	h.Set("Sec-Fetch-Site", r.relation())
	if r.from == nil {
		return
	}
	origin := r.from.URL.Scheme + "://" + r.from.URL.Host
	if r.from.noReferrer {
		origin = "null"
	} else if sameOrigin(r.from.URL, r.url) {
		clean := *r.from.URL
		clean.Fragment, clean.User = "", nil
		h.Set("Referer", clean.String())
	} else {
		h.Set("Referer", origin+"/")
	}
	if r.method == "POST" {
		h.Set("Origin", origin)
	}
}

// relation compares the target with everything that led to it.
func (r request) relation() string {
	led := r.chain
	if r.from != nil {
		led = append([]*url.URL{r.from.URL}, led...)
	} else if len(led) == 0 {
		return "none"
	}
	relation := "same-origin"
	if r.from == nil {
		return "none" // a typed address stays the person's own wish over redirects
	}
	for _, u := range led {
		switch {
		case site(u) != site(r.url) || u.Scheme != r.url.Scheme:
			return "cross-site"
		case !sameOrigin(u, r.url):
			relation = "same-site"
		}
	}
	return relation
}

func sameOrigin(a, b *url.URL) bool { return a.Scheme == b.Scheme && a.Host == b.Host }
