package e2e

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"pagbot/internal/app"
	"pagbot/internal/demo"
	"pagbot/sim/browser"
	"pagbot/sim/entra"
	"pagbot/sim/slack"
)

// How people come to their accounts, lose their sessions, and sign in where no
// browser reaches the pages: through the real bot, as they read it.

// outsiders is a company whose outsider has an account that nobody has written
// down, and the same e-mail in Slack and in Entra.
func outsiders(w *demo.Worlds) {
	w.Slack.EditApp(w.App.ID, func(a *slack.App) { a.Scopes = append(a.Scopes, "users:read.email") })
	w.Slack.EditUser(w.People[demo.Outsider].Slack, func(u *slack.User) { u.Email = "outsider@contoso.example" })
	u := w.Entra.AddUser(entra.User{UPN: "outsider@contoso.example", Mail: "outsider@contoso.example"})
	if _, err := w.Entra.AddEligibility(w.Groups[demo.Releasers].ID, "member", u.ID, time.Time{}); err != nil {
		panic(err)
	}
}

// configured restarts the bot with a changed configuration.
func (w *town) configured(change func(*app.SignInConfig)) {
	w.t.Helper()
	w.stop()
	change(w.cfg.SignIn)
	w.start()
}

// answers is what the bot says to a command, to its person alone.
func (w *town) answers(name, text string) slack.Message {
	w.t.Helper()
	before := len(w.Person(name).Messages(w.Channel.ID))
	w.types(name, text)
	w.rest(5 * time.Second)
	all := w.Person(name).Messages(w.Channel.ID)[before:]
	if len(all) == 0 {
		w.t.Fatalf("%s gets no answer to %s", name, text)
	}
	return all[len(all)-1]
}

// to goes through Microsoft and the binding's question, with an account.
func (w *town) to(b *browser.Browser, link, upn string) *browser.Page {
	w.t.Helper()
	if _, err := b.Open(link); err != nil {
		w.t.Fatal(err)
	}
	for _, button := range []string{"Continue to Microsoft sign-in", "Sign in", "Yes, that is me"} {
		if button == "Sign in" {
			if err := b.Fill("account", upn); err != nil {
				w.t.Fatal(err)
			}
			_ = b.Fill("mfa", "yes")
		}
		if _, err := b.Submit(button); err != nil {
			w.t.Fatalf("%s: %v", b.Page().Text, err)
		}
	}
	return b.Page()
}

var typedCode = regexp.MustCompile(`/pag signin ([A-Z0-9]{4}-[A-Z0-9]{4})`)

// TestBindByMailAndCode is a person's first day: unknown, signed in, the code
// typed, known; and then the access that they came for.
func TestBindByMailAndCode(t *testing.T) {
	inTown(t, setup{found: outsiders}, func(w *town) {
		w.configured(func(c *app.SignInConfig) { c.Bind.Mail = []string{"contoso.example"} })
		w.told(w.Person(demo.Outsider).Text(w.answers(demo.Outsider, `/pag activate release-managers 20m "why"`)), "Type /pag signin|Type `/pag signin`")
		b := w.browser()
		p := w.to(b, w.link(w.answers(demo.Outsider, "/pag signin")), "outsider@contoso.example")
		code := typedCode.FindStringSubmatch(p.Text)
		if code == nil {
			t.Fatalf("no code on the page: %s", p.Text)
		}
		w.told(w.Person(demo.Colleague).Text(w.answers(demo.Colleague, "/pag signin "+code[1])), "fits no browser of yours")
		w.told(w.Person(demo.Outsider).Text(w.answers(demo.Outsider, "/pag signin "+strings.ToLower(code[1]))), "You are outsider@contoso.example from now on")
		if _, err := b.Submit("I have typed it"); err != nil {
			t.Fatal(err)
		}
		if p, err := b.Submit("Yes, sign me in"); err != nil || !strings.Contains(p.Text, "You are signed in") {
			t.Fatal(err, p)
		}
		w.types(demo.Outsider, `/pag activate release-managers 20m "why"`)
		w.sees(demo.Outsider, w.mine(demo.Outsider), time.Minute, "You have release-managers")
	})
}

// TestAttackMailOfAnother has a member put the address of somebody else, who
// has never signed in here, into their Slack profile, and that person sign in by
// the member's link and confirm.
func TestAttackMailOfAnother(t *testing.T) {
	inTown(t, setup{found: outsiders}, func(w *town) {
		victim := w.Entra.AddUser(entra.User{UPN: "admin@contoso.example", Mail: "admin@contoso.example"})
		if _, err := w.Entra.AddEligibility(w.Groups[demo.Releasers].ID, "member", victim.ID, time.Time{}); err != nil {
			t.Fatal(err)
		}
		w.Slack.EditUser(w.People[demo.Outsider].Slack, func(u *slack.User) { u.Email = "admin@contoso.example" })
		w.configured(func(c *app.SignInConfig) { c.Bind.Mail = []string{"contoso.example"} })
		w.nothing(func() {
			p := w.to(w.browser(), w.link(w.answers(demo.Outsider, "/pag signin")), victim.UPN)
			w.told(p.Text, "Give it to nobody")
			for _, guess := range []string{"AAAA-AAAA", "ABCD-EFGH", ""} {
				w.answers(demo.Outsider, "/pag signin "+guess)
			}
			w.told(w.Person(demo.Outsider).Text(w.answers(demo.Outsider, `/pag activate release-managers 20m "why"`)), "which Entra account is yours")
		})
	})
}

// TestRevokedSession: who has a session and is revoked in Entra is asked for
// their browser again.
func TestRevokedSession(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		w.keepsSession(demo.Requester)
		w.rest(time.Hour)
		if err := w.Entra.RevokeSessions(w.Account(demo.Requester)); err != nil {
			t.Fatal(err)
		}
		w.rest(2 * time.Minute)
		w.types(demo.Requester, `/pag activate release-managers 20m "why"`)
		w.signs(demo.Requester, w.Channel.ID, demo.Releasers)
		w.sees(demo.Requester, w.mine(demo.Requester), time.Minute, "You have release-managers")
	})
}

// TestDeviceCodeThroughTheBot signs in by device code; what waited for a
// browser still does, and a later command is done.
func TestDeviceCodeThroughTheBot(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		a := w.Entra.AddApp(entra.App{Name: "pagbot device", Public: true, Delegated: []string{"PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup"}})
		w.told(w.Person(demo.Requester).Text(w.answers(demo.Requester, "/pag signin device")), "no device codes here")
		w.configured(func(c *app.SignInConfig) { c.DeviceClient = a.ID })
		w.told(w.Person(demo.Requester).Text(w.answers(demo.Requester, "/pag signin device")), "with your browser once")
		w.keepsSession(demo.Requester)
		w.answers(demo.Requester, "/pag signout")
		waits := w.answers(demo.Requester, `/pag activate release-managers 20m "why"`)
		text := w.Person(demo.Requester).Text(w.answers(demo.Requester, "/pag signin device"))
		code := regexp.MustCompile(`\b[A-Z0-9]{9}\b`).FindString(text)
		b := w.browser()
		if _, err := b.Open("https://login.test/" + w.Entra.Tenant() + "/oauth2/deviceauth"); err != nil {
			t.Fatal(err)
		}
		w.nothing(func() {
			for _, fill := range []map[string]string{{"otc": code}, {"account": "adm-requester@contoso.example", "mfa": "yes"}, nil} {
				for k, v := range fill {
					if err := b.Fill(k, v); err != nil {
						t.Fatalf("%v: %s", err, b.Page().Text)
					}
				}
				if _, err := b.Submit(b.Page().Forms[0].Buttons[0].Text); err != nil {
					t.Fatal(err)
				}
			}
			w.rest(10 * time.Second)
			w.told(w.read(demo.Requester, w.mine(demo.Requester)), "You are signed in as adm-requester@contoso.example, by device code")
		})
		w.answers(demo.Requester, "/pag deactivate release-managers") // what waited is withdrawn
		_ = waits
		w.types(demo.Requester, `/pag activate release-managers 20m "why, again"`)
		w.sees(demo.Requester, w.mine(demo.Requester), time.Minute, "You have release-managers")
	})
}
