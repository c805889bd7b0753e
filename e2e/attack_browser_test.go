package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"pagbot/internal/demo"
	"pagbot/sim/browser"
)

// What may not come out of a browser: another's sign-in, an old one, one that
// was for something else, and anything at all without a click.

const continueButton = "Continue to Microsoft sign-in"

// opens goes to an address and returns what the page says.
func (w *town) opens(b *browser.Browser, address string) string {
	w.t.Helper()
	p, err := b.Open(address)
	if err != nil {
		w.t.Fatal(err)
	}
	return p.Title + ". " + p.Text
}

// clicks presses a button of the open page.
func (w *town) clicks(b *browser.Browser, button string) string {
	w.t.Helper()
	p, err := b.Submit(button)
	if err != nil {
		w.t.Fatal(err)
	}
	return p.Title + ". " + p.Text
}

// authenticates fills in the authority's page.
func (w *town) authenticates(b *browser.Browser, name string) string {
	w.t.Helper()
	for field, value := range map[string]string{"account": "adm-" + name + "@contoso.example", "mfa": "yes"} {
		if err := b.Fill(field, value); err != nil {
			w.t.Fatal(err)
		}
	}
	return w.clicks(b, "Sign in")
}

// TestAttackAnothersToken has other people open a link and sign in as
// themselves, approvers among them.
func TestAttackAnothersToken(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		link := w.voted(w.asked())
		w.nothing(func() {
			for _, name := range []string{demo.Second, demo.Requester} {
				w.told(w.confirms(name, w.browser(), link), "Wrong account", "adm-approver@contoso.example")
			}
		})
	})
}

// TestAttackStolenSlack has somebody use the Slack of people who have a session
// with the bot, for what wants a fresh sign-in: without a browser it stops.
func TestAttackStolenSlack(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		card := w.asked()
		w.signsIn(demo.Approver)
		w.nothing(func() {
			w.presses(demo.Approver, card, "approve")
			w.fills(demo.Approver, "I have their phone")
			w.newest(demo.Approver)
			w.rest(20 * time.Minute)
		})
	})
}

// TestAttackSignInLink has another open the link of `/pag signin`, which would
// give the one Slack user the other's session.
func TestAttackSignInLink(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		w.types(demo.Second, "/pag signin")
		link := w.newest(demo.Second)
		w.nothing(func() {
			w.told(w.confirms(demo.Requester, w.browser(), link), "This account is not yours here")
			w.types(demo.Requester, `/pag activate release-managers 1h "with whose session"`)
			w.newest(demo.Requester)
		})
	})
}

// TestAttackOldWarrant confirms 16 minutes after the click, having come however
// far before.
func TestAttackOldWarrant(t *testing.T) {
	for _, halt := range []string{"at the link", "at Microsoft", "at the last click"} {
		t.Run(halt, func(t *testing.T) {
			inTown(t, setup{}, func(w *town) {
				w.types(demo.Requester, `/pag activate devops-admins 2h "release 42 is stuck"`)
				link := w.newest(demo.Requester)
				w.nothing(func() {
					w.rest(13 * time.Minute)
					b := w.browser()
					w.opens(b, link)
					if halt != "at the link" {
						w.clicks(b, continueButton)
					}
					if halt == "at the last click" {
						w.authenticates(b, demo.Requester)
						if p := b.Page(); p.Forms[0].Buttons[0].Text == "Yes, that is me" {
							w.clicks(b, "Yes, that is me")
						}
					}
					w.rest(3 * time.Minute)
					w.goesOn(b, demo.Requester)
					w.told(w.confirms(demo.Requester, w.browser(), link), "This link has expired")
				})
				w.hears(demo.Requester, lapsed)
			})
		})
	}
}

// goesOn does whatever the open page asks for, to the end.
func (w *town) goesOn(b *browser.Browser, name string) {
	w.t.Helper()
	for range 8 {
		p := b.Page()
		if len(p.Forms) == 0 {
			return
		}
		if button := p.Forms[0].Buttons[0].Text; button == "Sign in" {
			w.authenticates(b, name)
		} else {
			w.clicks(b, button)
		}
	}
}

// TestAttackIntruder has somebody use the requester's Slack to ask for access,
// and the requester sign in for something else.
func TestAttackIntruder(t *testing.T) {
	intrude := func(w *town) {
		w.types(demo.Requester, `/pag activate release-managers 4h "nobody will notice"`)
		w.newest(demo.Requester)
	}
	t.Run("signs in", func(t *testing.T) {
		inTown(t, setup{}, func(w *town) {
			w.nothing(func() {
				intrude(w)
				w.signsIn(demo.Requester)
				w.rest(20 * time.Minute)
			})
		})
	})
	t.Run("confirms another deed", func(t *testing.T) {
		inTown(t, setup{found: noStepUp}, func(w *town) {
			intrude(w)
			w.types(demo.Requester, `/pag activate vault-readers 1h "what I want"`)
			link := w.newest(demo.Requester)
			w.told(w.confirms(demo.Requester, w.browser(), link), "PIM is activating vault-readers")
			w.rest(time.Minute)
			if all := w.Entra.Writes(); len(all) != 1 || all[0].Group != w.Groups[demo.Vault].ID {
				w.t.Errorf("the confirmed deed made these writes: %v", all)
			}
			w.nothing(func() { w.rest(20 * time.Minute) })
			if n := len(w.Entra.Writes()); n != 1 {
				w.t.Errorf("one confirmed deed made %d writes", n)
			}
		})
	})
}

// noStepUp takes the authentication context off, so that a session would do.
func noStepUp(w *demo.Worlds) {
	if err := w.Entra.SetSettings(w.Groups[demo.Vault].ID, "member", justified()); err != nil {
		panic(err)
	}
}

// TestAttackPrefetch fetches every address that a person comes by, as mail
// scanners and link previews do: nothing happens without a click.
func TestAttackPrefetch(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		link := w.voted(w.asked())
		b := w.browser()
		w.nothing(func() {
			fetch := func(address string) {
				for _, method := range []string{"GET", "HEAD", "OPTIONS", "PUT", "POST"} {
					w.fetches(method, address)
				}
				w.opens(b, address)
				w.opens(b, address)
			}
			fetch(link)
			w.clicks(b, continueButton)
			w.authenticates(b, demo.Approver)
			fetch(b.Page().URL.String()) // binds the account
			w.told(w.clicks(b, "Yes, that is me"), "Approve")
			fetch(b.Page().URL.String())
			w.told(b.Page().Title, "Approve")
		})
		w.told(w.clicks(b, "Yes, approve"), "Approved")
	})
}

// fetches makes a request as a stranger to the pages.
func (w *town) fetches(method, address string) *http.Response {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), method, address, strings.NewReader(""))
	if err != nil {
		w.t.Fatal(err)
	}
	tr := w.transport()
	defer tr.CloseIdleConnections()
	resp, err := tr.RoundTrip(req)
	if err != nil {
		w.t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp
}

// TestAttackOtherBrowser brings the answer to one browser's sign-in to another,
// and a form of another site into the right one.
func TestAttackOtherBrowser(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		link := w.voted(w.asked())
		mine, theirs := w.browser(), w.browser()
		w.opens(mine, link)
		w.clicks(mine, continueButton)
		w.authenticates(mine, demo.Approver)
		w.clicks(mine, "Yes, that is me")
		w.nothing(func() {
			step := mine.Page().URL.String()
			w.told(w.insistsOn(theirs, link, step), "This began in another browser")
			var callback string
			for _, v := range mine.Visits() {
				if strings.Contains(v.URL, "/callback?") {
					callback = v.URL
				}
			}
			for _, b := range []*browser.Browser{theirs, mine, w.browser()} {
				w.told(w.opens(b, callback), "This sign-in is over")
			}
			// The attacker begins, and the approver's browser ends what they began.
			w.opens(theirs, link)
			w.clicks(theirs, continueButton)
			victim := w.browser()
			w.opens(victim, link) // has a cookie of its own
			w.opens(victim, theirs.Page().URL.String())
			w.told(w.authenticates(victim, demo.Approver), "This began in another browser")
			w.goesOn(victim, demo.Approver)
			w.told(w.opens(theirs, strings.Split(callback, "?")[0]+"?code=stolen&state=made-up"), "This sign-in is over")
		})
	})
}

// insistsOn opens a step in a browser that has a cookie of its own, and presses
// whatever is to be pressed.
func (w *town) insistsOn(b *browser.Browser, link, step string) string {
	w.t.Helper()
	w.opens(b, link)
	page := w.opens(b, step)
	for _, f := range b.Page().Forms {
		page += w.clicks(b, f.Buttons[0].Text)
	}
	return page
}

// TestAttackForeignForm opens a page of the attacker's in the approver's
// browser, which sends the last form by itself.
func TestAttackForeignForm(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		link := w.voted(w.asked())
		b := w.browser()
		w.opens(b, link)
		w.clicks(b, continueButton)
		w.authenticates(b, demo.Approver)
		w.clicks(b, "Yes, that is me")
		step := b.Page().URL.String()
		stop := w.net.Serve("evil.test", http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Type", "text/html")
			fmt.Fprintf(rw, `<!doctype html><title>Win</title><form method="post" action="%s"><input name="form" value="x"><button>Win</button></form>`, step)
		}))
		defer stop()
		w.nothing(func() {
			w.opens(b, "http://evil.test/")
			w.told(w.clicks(b, "Win"), "Nothing was done")
		})
	})
}
