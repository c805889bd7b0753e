package e2e

import (
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pagbot/activation"
	"pagbot/internal/app"
	"pagbot/internal/demo"
	"pagbot/sim/browser"
	"pagbot/sim/entra"
	"pagbot/sim/slack"
	"pagbot/store"
)

// Who may not become somebody: guests, rows of the database, device codes; and
// a page that stands inside another.

// byMail lets people bind themselves by their address.
func byMail(c *app.SignInConfig) { c.Bind.Mail = []string{"contoso.example"} }

// goesAllTheWay signs in with an account, types whatever code there is to type,
// and asks for access; it returns all that it was told.
func (w *town) goesAllTheWay(name, upn string) string {
	w.t.Helper()
	b := w.browser()
	link := w.link(w.answers(name, "/pag signin"))
	page, err := demo.Confirm(b, link, upn, func(button string) {
		if code := typedCode.FindStringSubmatch(b.Page().Text); code != nil && strings.Contains(button, "typed") {
			w.answers(name, "/pag signin "+code[1])
		}
	})
	if err != nil {
		page += err.Error()
	}
	seen := w.everything()
	w.types(name, `/pag activate release-managers 20m "why"`)
	w.rest(3 * time.Second)
	return page + "\n" + w.follows(name, upn, seen)
}

// TestAttackGuest is a guest of the tenant with the very address of their Slack
// profile; and shows that it is the guest that is refused.
func TestAttackGuest(t *testing.T) {
	for _, kind := range []string{"Guest", "Member"} {
		t.Run(kind, func(t *testing.T) {
			inTown(t, setup{found: func(w *demo.Worlds) {
				outsiders(w)
				w.Slack.EditUser(w.People[demo.Outsider].Slack, func(u *slack.User) { u.Email = "visitor@contoso.example" })
				u := w.Entra.AddUser(entra.User{UPN: "visitor@contoso.example", Mail: "visitor@contoso.example", Guest: kind == "Guest"})
				if _, err := w.Entra.AddEligibility(w.Groups[demo.Releasers].ID, "member", u.ID, time.Time{}); err != nil {
					panic(err)
				}
			}}, func(w *town) {
				w.configured(byMail)
				if kind == "Member" {
					w.told(w.goesAllTheWay(demo.Outsider, "visitor@contoso.example"), "You have release-managers")
					return
				}
				w.nothing(func() { w.told(w.goesAllTheWay(demo.Outsider, "visitor@contoso.example"), notBound) })
			})
		})
	}
}

// TestAttackMadeUpBinding writes into the database that a member is bound to an
// account by the address that they have put into their profile.
func TestAttackMadeUpBinding(t *testing.T) {
	var object string
	inTown(t, setup{found: func(w *demo.Worlds) {
		outsiders(w)
		object = w.Entra.AddUser(entra.User{UPN: "admin@contoso.example", Mail: "admin@contoso.example"}).ID
		w.Slack.EditUser(w.People[demo.Outsider].Slack, func(u *slack.User) { u.Email = "admin@contoso.example" })
	}}, func(w *town) {
		w.configured(byMail)
		who := w.Team.ID + "/" + w.People[demo.Outsider].Slack
		w.nothing(func() {
			w.meddle(func(db *store.Bolt) error {
				row, err := json.Marshal(map[string]any{strings.ToLower(w.Entra.Tenant() + "/" + object): map[string]any{
					"human": "slack:" + who, "name": "admin@contoso.example", "how": "mail", "at": time.Now().UTC(), "seal": []byte("made up")}})
				if err != nil {
					return err
				}
				known, err := json.Marshal([]map[string]string{{"team": w.Team.ID, "id": w.People[demo.Outsider].Slack}})
				if err != nil {
					return err
				}
				return errorsOf(w.puts(db, "binding", who, row), w.puts(db, "signin-known", "all", known))
			})
			w.told(w.commands(demo.Outsider, `/pag activate release-managers 20m "why"`), notBound)
		})
	})
}

// puts writes one document over whatever is there.
func (w *town) puts(db *store.Bolt, kind, key string, body []byte) error {
	d, err := db.Get(w.t.Context(), kind, key)
	if errors.Is(err, store.ErrNone) {
		d, err = store.Doc{Kind: kind, Key: key}, nil
	}
	d.Body = body
	return errorsOf(err, db.Commit(w.t.Context(), store.Turn{Docs: []store.Doc{d}}))
}

var deviceCode = regexp.MustCompile(`\b[A-Z0-9]{9}\b`)

// withDevices turns device codes on.
func (w *town) withDevices() {
	a := w.Entra.AddApp(entra.App{Name: "pagbot device", Public: true, Delegated: []string{"PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup"}})
	w.configured(func(c *app.SignInConfig) { c.DeviceClient = a.ID })
}

// device types for a device code as one person and has another enter it.
func (w *town) device(by, enters string) {
	w.t.Helper()
	code := deviceCode.FindString(w.Person(by).Text(w.answers(by, "/pag signin device")))
	b := w.browser()
	w.opens(b, "https://login.test/"+w.Entra.Tenant()+"/oauth2/deviceauth")
	for _, fill := range []map[string]string{{"otc": code}, {"account": "adm-" + enters + "@contoso.example", "mfa": "yes"}, nil} {
		for k, v := range fill {
			if err := b.Fill(k, v); err != nil {
				w.t.Fatalf("%v: %s", err, b.Page().Text)
			}
		}
		w.clicks(b, b.Page().Forms[0].Buttons[0].Text)
	}
	w.rest(10 * time.Second)
}

// TestAttackDeviceCode has another person enter one's code.
func TestAttackDeviceCode(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		w.withDevices()
		w.keepsSession(demo.Colleague)
		w.keepsSession(demo.Requester)
		w.answers(demo.Requester, "/pag signout")
		w.nothing(func() {
			w.device(demo.Colleague, demo.Requester)
			w.told(w.read(demo.Colleague, w.mine(demo.Colleague)), "no account of yours")
			w.types(demo.Requester, `/pag activate release-managers 20m "with whose session"`)
			w.newest(demo.Requester)
		})
	})
}

// TestAttackDeviceOnWaiting has the very person enter a code while something
// waits that they did not ask for.
func TestAttackDeviceOnWaiting(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		w.withDevices()
		w.keepsSession(demo.Requester)
		w.answers(demo.Requester, "/pag signout")
		w.types(demo.Requester, `/pag activate release-managers 4h "nobody will notice"`)
		w.newest(demo.Requester)
		id := w.only().ID
		w.nothing(func() {
			w.device(demo.Requester, demo.Requester)
			w.told(w.read(demo.Requester, w.mine(demo.Requester)), "You are signed in as adm-requester@contoso.example, by device code")
			w.rewrite(id, func(*activation.Activation) {}) // tried again, as by whoever can write the database
			w.rest(10 * time.Second)
		})
	})
}

// framing is a browser's way out that says, once it is on, that the page stands
// in another.
type framing struct {
	http.RoundTripper
	on *atomic.Bool
}

func (f framing) RoundTrip(r *http.Request) (*http.Response, error) {
	if f.on.Load() {
		r = r.Clone(r.Context())
		r.Header.Set("Sec-Fetch-Dest", "iframe")
	}
	return f.RoundTripper.RoundTrip(r)
}

// TestAttackFramed shows the last page inside another site's, where people
// press what they don't see.
func TestAttackFramed(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		w.types(demo.Requester, `/pag activate release-managers 1h "release 42"`)
		link := w.newest(demo.Requester)
		var on atomic.Bool
		b := browser.New(&http.Client{Transport: framing{w.transport(), &on}})
		w.opens(b, link)
		w.clicks(b, continueButton)
		w.authenticates(b, demo.Requester)
		w.clicks(b, "Yes, that is me")
		w.nothing(func() {
			on.Store(true)
			w.told(w.clicks(b, b.Page().Forms[0].Buttons[0].Text), "stands alone")
			w.told(w.opens(w.framed(), link), "stands alone")
		})
	})
}

func (w *town) framed() *browser.Browser {
	var on atomic.Bool
	on.Store(true)
	return browser.New(&http.Client{Transport: framing{w.transport(), &on}})
}
