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

// nobody makes sure that nothing is kept or bound.
func (w *world) nobody() {
	w.t.Helper()
	for k := range w.box.copy() {
		if k != "custody-ring all" {
			w.t.Errorf("kept %s", k)
		}
	}
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
		p := w.open(other, callback)
		w.shows(p, "This began in another browser")
		if p.URL.Path != "/callback" {
			t.Errorf("the code was redeemed: at %s", p.URL)
		}
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
			w.shows(p, "Wrong account", "Signed in as "+u.UPN+" Needed requester@contoso.example", "Nothing was done")
		}
		p := w.through(w.browser(), w.svc.SignInLink(w.person(w.requester).Slack, time.Now().Add(time.Hour)), w.approver)
		w.shows(p, "This account is not yours here", "U0REQUESTER")
		p = w.through(w.browser(), w.svc.SignInLink(w.person(w.requester).Slack, time.Now().Add(time.Hour)), w.stranger)
		w.shows(p, "ask your administrator")
		w.nobody()
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

// What counts is when the person was asked, not when the browser came back.
func TestFreshProofIsAsOldAsTheSignIn(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		b := w.browser()
		w.through(b, w.svc.Link(w.fresh()), w.requester)
		time.Sleep(8 * time.Minute)
		w.open(b, w.svc.Link(w.fresh()))
		at := w.click(b, toMicrosoft).URL
		q := at.Query()
		q.Del("prompt")
		at.RawQuery = q.Encode()
		w.shows(w.open(b, at.String()), "Last step")
		time.Sleep(3 * time.Minute)
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
