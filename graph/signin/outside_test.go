package signin_test

import (
	"io"
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

// send is a request of nobody's browser.
func (w *world) send(method, address, body string, header map[string]string) *http.Response {
	w.t.Helper()
	req, err := http.NewRequest(method, address, strings.NewReader(body))
	w.must(err)
	for k, v := range header {
		req.Header.Set(k, v)
	}
	res, err := w.hosts.RoundTrip(req)
	w.must(err)
	return res
}

// Links of all kinds, sent to people who are not whom they are for, who do all
// that they are asked: nothing is woken, kept or bound.
func TestPhishedLink(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.cfg.Bind = signin.Bind{Attribute: true, Mail: []string{"contoso.example"}}
		d := &town{accounts: map[string]signin.Account{}, members: map[string]signin.Member{
			"U0REQUESTER": {Name: "requester", Mail: "approver@contoso.example", Active: true}, // made to look like the victim
			"U0STRANGER":  {Name: "stranger", Mail: "approver@contoso.example", Active: true}}}
		for _, u := range []entra.User{w.requester, w.admin, w.approver, w.stranger} {
			d.accounts[u.ID] = signin.Account{UPN: u.UPN, Mail: u.UPN, Enabled: true}
		}
		w.cfg.Directory, w.cfg.Workspace = d, d
		w.restart()
		for _, link := range []string{w.svc.Link(w.fresh()), w.svc.Link(w.ask(activation.End, w.person(w.requester), activation.Session)),
			w.svc.SignInLink(w.person(w.requester).Slack, time.Now().Add(time.Hour)), w.svc.SignInLink(stranger, time.Now().Add(time.Hour))} {
			b := w.browser()
			p := w.through(b, link, w.approver) // mapped, to another Slack user
			for range 4 {
				if len(p.Forms) > 0 {
					p = w.click(b, p.Forms[0].Buttons[0].Text)
				}
			}
			if p.Status != 403 {
				t.Errorf("%s: %d %s", link, p.Status, p.Title)
			}
		}
		w.nobody()
	})
}

// A page that is shown inside another does nothing, whatever the browser makes
// of the headers that forbid it.
func TestFramed(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		b := w.browser()
		link := w.svc.Link(w.fresh())
		at := w.through(b, link, w.requester).URL.String() // the last page before the deed
		for _, dest := range []string{"iframe", "frame", "embed", "object"} {
			for _, address := range []string{link, at} {
				for _, method := range []string{"GET", "POST"} {
					res := w.send(method, address, "form=x", map[string]string{"Sec-Fetch-Dest": dest, "Sec-Fetch-Site": "same-origin", "Content-Type": "application/x-www-form-urlencoded"})
					body, _ := io.ReadAll(res.Body)
					if res.StatusCode != 403 || !strings.Contains(string(body), "This page stands alone") || strings.Contains(string(body), "<form") {
						t.Errorf("%s %s in %s: %d", method, address, dest, res.StatusCode)
					}
				}
			}
		}
		// What Microsoft sends back, and the redirects between our pages, as well.
		for _, address := range []string{link, at, pagURL + "/callback?state=x"} {
			h := w.send("GET", address, "", nil).Header
			if h.Get("X-Frame-Options") != "DENY" || !strings.Contains(h.Get("Content-Security-Policy"), "frame-ancestors 'none'") {
				t.Errorf("%s may be framed: %v", address, h)
			}
		}
	})
}

// Far too much of everything.
func TestOversizedInput(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		huge := strings.Repeat("A", 1<<20)
		link := w.svc.Link(w.fresh())
		b := w.browser()
		at := w.through(b, link, w.requester).URL.String()
		form := map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
		for _, r := range []struct{ method, address, body string }{
			{"GET", pagURL + "/d/" + huge, ""}, {"GET", pagURL + "/c/" + huge, ""}, {"POST", link, "form=" + huge}, {"POST", at, "form=" + huge},
			{"POST", at, strings.Repeat("a=b&", 1<<18)}, {"GET", pagURL + "/callback?" + url.Values{"state": {huge}, "code": {huge}, "error": {huge}, "error_description": {huge}}.Encode(), ""},
		} {
			if res := w.send(r.method, r.address, r.body, form); res.StatusCode < 400 {
				t.Errorf("%s %.60s: %d", r.method, r.address, res.StatusCode)
			}
		}
		if res := w.send("GET", link, "", map[string]string{"Cookie": "__Host-pagbot=" + huge}); res.StatusCode != 200 {
			t.Errorf("a huge cookie: %d", res.StatusCode)
		}
		// A code or an error of Microsoft's, grown on the way.
		for _, q := range []url.Values{{"code": {huge}}, {"error": {huge}, "error_description": {huge}}} {
			b := w.browser()
			w.open(b, w.svc.Link(w.fresh()))
			q.Set("state", w.click(b, toMicrosoft).URL.Query().Get("state"))
			if p := w.open(b, pagURL+"/callback?"+q.Encode()); p.Status < 400 || len(p.Text) > 2000 {
				t.Errorf("%d, %d characters", p.Status, len(p.Text))
			}
		}
		if w.log.Len() > 64<<10 {
			t.Errorf("%d bytes of log", w.log.Len())
		}
	})
}

// What stolen Slack sessions get where proof is switched off, and where it is
// not: that is why proof exists.
func TestStolenSlackSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.session(w.requester)
		w.session(w.approver)
		// The thief clicks as the person; these warrants are honestly minted.
		for _, deed := range []activation.Deed{activation.Submit, activation.Approve, activation.Deny} {
			who := w.requester
			if deed != activation.Submit {
				who = w.approver
			}
			w.token(w.ask(deed, w.person(who), activation.Session)) // proof off: it succeeds
			w.noToken(w.ask(deed, w.person(who), activation.Fresh), "a stolen Slack session for "+string(deed))
		}
	})
}
