package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"pagbot/internal/demo"
	"pagbot/sim/entra"
)

// lean is a town where Entra alone is asked whether access works: what Azure
// DevOps says is other stories'.
func lean(found ...func(*demo.Worlds)) setup {
	return setup{
		found: func(w *demo.Worlds) {
			for _, f := range found {
				f(w)
			}
		},
		yaml: func(_ *demo.Worlds, s string) string { return strings.ReplaceAll(s, "[entra, devops]", "[entra]") },
	}
}

// plainVault are vault-readers without a context, so that it can be added late.
var plainVault = settings(demo.Vault, func(_ *demo.Worlds, s *entra.Settings) { s.Justification = true })

// signsUntil confirms whatever asks a person to, until they read the words.
func (w *town) signsUntil(name, group string, words ...string) {
	w.t.Helper()
	for range 8 {
		w.pass(15 * time.Second)
		for _, channel := range []string{w.Channel.ID, w.mine(name)} {
			for _, m := range w.Person(name).Messages(channel) {
				text := w.Person(name).Text(m)
				if holds(text, words) {
					return
				}
				if !holds(text, []string{group, "Confirm in browser"}) {
					continue
				}
				more := w.link(m) + fmt.Sprint(strings.Contains(text, "stronger sign-in"))
				if !w.used[w.link(m)] || strings.HasSuffix(more, "true") && !w.used[more] {
					w.used[more] = true
					w.t.Log(w.confirms(name, w.browser(), w.link(m)))
				}
			}
		}
	}
	w.t.Fatalf("%s does not read %q; there is:\n%s\n%s", name, words, w.read(name, w.Channel.ID), w.read(name, w.mine(name)))
}

// TestUnsettledAsk: PIM's rules tighten between the form and the ask, the answer
// takes a while, and so does the access.
func TestUnsettledAsk(t *testing.T) {
	plays(t, lean(plainVault), func(w *town) {
		w.farAway()
		w.types(demo.Requester, `/pag activate vault-readers 2h "rotate keys"`)
		settings(demo.Vault, func(_ *demo.Worlds, s *entra.Settings) {
			s.Justification, s.Ticketing, s.AuthContext = true, true, "c1"
		})(w.Worlds)
		w.signsUntil(demo.Requester, demo.Vault, "wants a ticket number")
		w.did(map[string]int{})
		w.types(demo.Requester, `/pag activate vault-readers 30m "rotate keys" INC1`)
		w.signsUntil(demo.Requester, demo.Vault, "You have vault-readers")
		if !w.Entra.Member(w.Groups[demo.Vault].ID, w.Account(demo.Requester), time.Now()) {
			w.t.Error("said to have what Entra does not list")
		}
		w.sees(demo.Requester, w.mine(demo.Requester), 3*time.Hour, "Your vault-readers is over", "Entra ID: no longer listed")
		w.did(map[string]int{"selfActivate": 1})
		w.closes(true)
	})
}

// farAway lets every call to Graph travel, so that what was "now" is past when
// it arrives.
func (w *town) farAway() {
	w.t.Helper()
	near := w.Handlers()[w.Place.Graph]
	w.instead(w.Place.Graph, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		time.Sleep(150 * time.Millisecond) // virtual
		near.ServeHTTP(rw, r)
	}))
}

// TestUnsettledDuplicate: the same is asked for in the portal while the bot's
// ask is on its way.
func TestUnsettledDuplicate(t *testing.T) {
	plays(t, lean(), func(w *town) {
		w.types(demo.Requester, `/pag activate devops-admins 2h "release 42 is stuck"`)
		ask := w.sees(demo.Requester, w.Channel.ID, time.Minute, demo.DevOpsAdmins, "Confirm in browser")
		id, err := w.Entra.Portal(w.Account(demo.Requester)).Activate(w.Groups[demo.DevOpsAdmins].ID, "member", time.Hour, "in the portal")
		if err != nil {
			w.t.Fatal(err)
		}
		w.confirms(demo.Requester, w.browser(), w.link(ask))
		w.sees(demo.Requester, w.Channel.ID, time.Minute, "already", demo.DevOpsAdmins)
		if err := w.Entra.Portal(w.Account(demo.Second)).Decide(id, true, "go ahead"); err != nil {
			w.t.Fatal(err)
		}
		w.sees(demo.Requester, w.mine(demo.Requester), 2*time.Minute, "You have devops-admins")
		w.sees(demo.Requester, w.mine(demo.Requester), 2*time.Hour, "Your devops-admins is over", "Entra ID: no longer listed")
		w.did(map[string]int{}) // what was done, was done in the portal
		w.closes(true)
	})
}

// TestUnsettledSession: a kept session is refused in one way or another. The
// person confirms in the browser, unless that is barred, too.
func TestUnsettledSession(t *testing.T) {
	plays(t, lean(), func(w *town) {
		w.keepsSession(demo.Requester)
		w.pass(2 * time.Hour) // the access token is over: a refresh is needed
		w.Entra.SetVerdict(entra.Verdict{User: w.Account(demo.Requester), Number: 50173, Refresh: true})
		w.types(demo.Requester, `/pag activate release-managers 30m "release 42 is stuck"`)
		w.signsUntil(demo.Requester, demo.Releasers, "You have release-managers")
		w.did(map[string]int{"selfActivate": 1})
		w.Entra.SetVerdict(entra.Verdict{User: w.Account(demo.Approver), Number: 53003})
		w.types(demo.Approver, `/pag activate release-managers 30m "release 43"`)
		link := w.link(w.sees(demo.Approver, w.Channel.ID, time.Minute, demo.Releasers, "Confirm in browser"))
		page := w.goesTo(link, demo.Approver)
		if !holds(page, []string{"53003", "Conditional Access"}) && !holds(page, []string{"53003", "administrator"}) {
			w.t.Errorf("the page says %q", page)
		}
		w.pass(2 * time.Hour)
		w.did(map[string]int{"selfActivate": 1})
		w.closes(true)
	})
}

// goesTo opens a link and signs in as far as that leads.
func (w *town) goesTo(link, name string) string {
	w.t.Helper()
	b := w.browser()
	w.opens(b, link)
	w.clicks(b, continueButton)
	return w.authenticates(b, name)
}

// TestUnsettledDevice: signed in by a device code, for what wants more than that.
func TestUnsettledDevice(t *testing.T) {
	plays(t, lean(), func(w *town) {
		w.withDevices()
		w.keepsSession(demo.Requester) // which binds the account
		w.types(demo.Requester, "/pag signout")
		w.pass(10 * time.Second)
		w.device(demo.Requester, demo.Requester)
		w.sees(demo.Requester, w.mine(demo.Requester), time.Minute, "You are signed in as adm-requester@contoso.example, by device code")
		w.types(demo.Requester, `/pag activate vault-readers 1h "rotate keys"`)
		w.signsUntil(demo.Requester, demo.Vault, "You have vault-readers")
		w.sees(demo.Requester, w.mine(demo.Requester), 2*time.Hour, "Your vault-readers is over", "Entra ID: no longer listed")
		w.did(map[string]int{"selfActivate": 1})
		w.closes(true)
	})
}

// TestUnsettledLogin: for what wants a fresh sign-in, a browser that is signed
// in already may be asked for it, or not. Without it, nothing is done.
func TestUnsettledLogin(t *testing.T) {
	s := lean()
	targets := s.yaml
	s.yaml = func(w *demo.Worlds, y string) string {
		return strings.ReplaceAll(targets(w, y), ", proof: session", "")
	}
	plays(t, s, func(w *town) {
		b := w.browser()
		w.types(demo.Requester, "/pag signin")
		w.confirms(demo.Requester, b, w.link(w.sees(demo.Requester, w.Channel.ID, time.Minute, "[Sign in]")))
		w.pass(30 * time.Minute)
		w.types(demo.Requester, `/pag activate vault-readers 1h "rotate keys"`)
		link := w.link(w.sees(demo.Requester, w.Channel.ID, time.Minute, demo.Vault, "Confirm in browser"))
		w.opens(b, link)
		w.clicks(b, continueButton)
		if !w.Entra.Dials().LoginIsSilent {
			w.authenticates(b, demo.Requester)
			w.clicks(b, b.Page().Forms[0].Buttons[0].Text)
			w.sees(demo.Requester, w.mine(demo.Requester), time.Minute, "You have vault-readers")
			w.pass(2 * time.Hour)
			w.did(map[string]int{"selfActivate": 1})
			return
		}
		if page := b.Page().Text; !holds(page, []string{"Microsoft did not ask you just now", "Nothing was done"}) {
			w.t.Errorf("the page says %q", page)
		}
		w.pass(time.Hour)
		w.did(map[string]int{})
		w.closes(true)
	})
}
