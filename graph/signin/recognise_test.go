package signin_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pagbot/activation"
	"pagbot/graph/signin"
	"pagbot/sim/browser"
	"pagbot/sim/entra"
)

var stranger = activation.SlackUser{Team: team, ID: "U0STRANGER"}

// evidence binds by both, and knows nobody from a file.
func evidence(c *signin.Config) {
	c.People = signin.NoPeople()
	c.Bind = signin.Bind{Attribute: true, Mail: []string{"contoso.example"}}
}

// arrive signs in by a Slack user's link and returns the first page after
// Microsoft.
func (w *world) arrive(b *browser.Browser, slack activation.SlackUser, u entra.User) *browser.Page {
	w.t.Helper()
	w.open(b, w.svc.SignInLink(slack, time.Now().Add(time.Hour)))
	w.click(b, toMicrosoft)
	return w.login(b, u, true)
}

// code is what a page asks to be typed into Slack.
func code8(p *browser.Page) string {
	_, rest, _ := strings.Cut(p.Text, "/pag signin ")
	word, _, _ := strings.Cut(rest, " ")
	return word
}

func (w *world) unbound(u entra.User) {
	w.t.Helper()
	if who, ok := w.cfg.People.ByObject(w.entra.Tenant(), u.ID); ok {
		w.t.Errorf("%s is %s's", u.UPN, who.Slack.ID)
	}
	w.nobody()
}

func TestBindByAttribute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told, gone []activation.Person
		w, d := withTown(t, evidence, func(c *signin.Config) {
			c.Bound = func(p activation.Person) { told = append(told, p) }
			c.Unbound = func(p activation.Person) { gone = append(gone, p) }
		})
		d.accounts[w.stranger.ID] = signin.Account{UPN: w.stranger.UPN, Enabled: true, Attribute: "U0STRANGER"}
		b := w.browser()
		w.shows(w.arrive(b, stranger, w.stranger), "Is this Slack user you?", "stranger@contoso.example", "@stranger (U0STRANGER)", "Contoso")
		if len(told) > 0 {
			t.Error("bound before it was confirmed")
		}
		w.shows(w.click(b, "Yes, that is me"), "Last step")
		w.shows(w.click(b, "Yes, sign me in"), "You are signed in")
		if len(told) != 1 || told[0].Object != w.stranger.ID || told[0].Human != "slack:T0CONTOSO/U0STRANGER" {
			t.Errorf("told of %+v", told)
		}
		end := func() activation.Warrant { return w.ask(activation.End, w.person(w.stranger), activation.Session) }
		w.token(end())
		// A new process knows them, too.
		w.cfg.People = signin.NoPeople()
		w.restart()
		w.must(w.svc.Load(t.Context()))
		wt := end()
		w.token(wt)
		// A further account of theirs, and no guest's.
		d.accounts[w.admin.ID] = signin.Account{UPN: w.admin.UPN, Enabled: true, Attribute: "U0STRANGER"}
		w.shows(w.arrive(w.browser(), stranger, w.admin), "Is this Slack user you?")
		time.Sleep(2 * time.Minute)
		d.accounts[w.admin.ID] = signin.Account{UPN: w.admin.UPN, Enabled: true, Guest: true, Attribute: "U0STRANGER"}
		w.shows(w.arrive(w.browser(), stranger, w.admin), "Guests can't act here")
		// The attribute is taken away: at once there is nobody.
		d.accounts[w.stranger.ID] = signin.Account{UPN: w.stranger.UPN, Enabled: true}
		time.Sleep(2 * time.Minute)
		if _, err := w.svc.Token(t.Context(), wt, ""); code(err) != activation.NotBound {
			t.Errorf("without the attribute: %v", err)
		}
		w.unbound(w.stranger)
		if len(gone) != 1 || !strings.EqualFold(gone[0].Object, w.stranger.ID) || gone[0].Slack != stranger {
			t.Errorf("told of %+v, who are gone", gone)
		}
	})
}

func TestBindByMail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, d := withTown(t, evidence)
		b := w.browser()
		w.shows(w.arrive(b, stranger, w.stranger), "Is this Slack user you?")
		p := w.click(b, "Yes, that is me")
		w.shows(p, "Now show that @stranger is you", "Give it to nobody")
		typed := code8(p)
		w.shows(w.click(b, "I have typed it"), "It has not arrived yet", typed)
		w.unbound(w.stranger)
		who, err := w.svc.Claim(t.Context(), stranger, strings.ToLower(typed))
		if err != nil || who.Object != w.stranger.ID {
			t.Fatalf("%+v %v", who, err)
		}
		w.shows(w.click(b, "I have typed it"), "Last step")
		w.shows(w.click(b, "Yes, sign me in"), "You are signed in")
		wt := w.ask(activation.End, w.person(w.stranger), activation.Session)
		w.token(wt)
		if _, err := w.svc.Claim(t.Context(), stranger, typed); code(err) != activation.NotBound {
			t.Errorf("the code a second time: %v", err)
		}
		// A second account with the same address needs an administrator's word,
		// which is good once.
		d.accounts[w.admin.ID] = signin.Account{UPN: w.admin.UPN, Mail: "stranger@contoso.example", Enabled: true}
		w.shows(w.arrive(w.browser(), stranger, w.admin), "An administrator must allow this", "pagbot people allow U0STRANGER")
		w.box.set("binding-allow T0CONTOSO/U0STRANGER", []byte("2030-01-01T00:00:00Z AAAA"))
		w.shows(w.arrive(w.browser(), stranger, w.admin), "An administrator must allow this")
		_, err = w.svc.Allow(t.Context(), stranger)
		w.must(err)
		b = w.browser()
		w.arrive(b, stranger, w.admin)
		_, err = w.svc.Claim(t.Context(), stranger, code8(w.click(b, "Yes, that is me")))
		w.must(err)
		all, err := w.svc.Accounts(t.Context(), stranger)
		if err != nil || len(all) != 2 || all[0].How != "mail" || all[0].Human != all[1].Human {
			t.Errorf("%+v %v", all, err)
		}
		d.accounts[w.approver.ID] = signin.Account{UPN: w.approver.UPN, Mail: "stranger@contoso.example", Enabled: true}
		time.Sleep(2 * time.Minute)
		w.shows(w.arrive(w.browser(), stranger, w.approver), "An administrator must allow this")
		// The Slack profile has another address now.
		d.members["U0STRANGER"] = signin.Member{Name: "stranger", Mail: "other@contoso.example", Active: true}
		time.Sleep(2 * time.Minute)
		w.must(w.svc.Sweep(t.Context()))
		w.unbound(w.stranger)
	})
}

// Somebody sets their Slack e-mail to the address of an administrator who has
// never signed in here, and sends them the link. Even who signs in and confirms
// is not bound: the attacker has not seen the code.
func TestMailOfAnUnlinkedAdministrator(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, d := withTown(t, evidence)
		d.members["U0STRANGER"] = signin.Member{Name: "stranger", Team: "Contoso", Mail: w.admin.UPN, Active: true}
		victim := w.browser()
		w.shows(w.arrive(victim, stranger, w.admin), "Is this Slack user you?")
		p := w.click(victim, "Yes, that is me")
		typed := code8(p)
		for i := range 5 {
			if _, err := w.svc.Claim(t.Context(), stranger, fmt.Sprintf("AAAA-AAA%d", i)); code(err) != activation.NotBound {
				t.Errorf("a guess: %v", err)
			}
		}
		if _, err := w.svc.Claim(t.Context(), stranger, typed); code(err) != activation.NotBound {
			t.Error("the right code after five wrong ones")
		}
		w.unbound(w.admin)
		// The attacker's own browser, with the attacker's own account, is not the
		// administrator's.
		w.shows(w.arrive(w.browser(), stranger, w.stranger), "not yours here")
		w.unbound(w.admin)
	})
}

func TestCodeIsTheSlackUsersAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _ := withTown(t, evidence)
		b := w.browser()
		w.arrive(b, stranger, w.stranger)
		typed := code8(w.click(b, "Yes, that is me"))
		if _, err := w.svc.Claim(t.Context(), activation.SlackUser{Team: team, ID: "U0APPROVER"}, typed); code(err) != activation.NotBound {
			t.Errorf("typed by another: %v", err)
		}
		time.Sleep(11 * time.Minute)
		if _, err := w.svc.Claim(t.Context(), stranger, typed); code(err) != activation.NotBound {
			t.Errorf("typed too late: %v", err)
		}
		if _, err := w.svc.Claim(t.Context(), stranger, strings.Repeat("A", 1<<20)); code(err) != activation.NotBound {
			t.Errorf("an oversized code: %v", err)
		}
		w.unbound(w.stranger)
	})
}

func TestEvidenceRefuses(t *testing.T) {
	for name, change := range map[string]func(*world, *town){
		"a guest with the same mail": func(w *world, d *town) {
			d.accounts[w.stranger.ID] = signin.Account{UPN: "stranger_elsewhere#EXT#@contoso.example", Mail: "stranger@contoso.example", Guest: true, Enabled: true}
		},
		"disabled": func(w *world, d *town) {
			d.accounts[w.stranger.ID] = signin.Account{UPN: w.stranger.UPN, Mail: w.stranger.UPN}
		},
		"deleted": func(w *world, d *town) { delete(d.accounts, w.stranger.ID) },
		"a domain that is not listed": func(w *world, d *town) {
			d.members["U0STRANGER"] = signin.Member{Mail: "stranger@elsewhere.example", Active: true}
			d.accounts[w.stranger.ID] = signin.Account{UPN: w.stranger.UPN, Mail: "stranger@elsewhere.example", Enabled: true}
		},
		"a listed domain only at the end": func(w *world, d *town) {
			d.members["U0STRANGER"] = signin.Member{Mail: "stranger@x.contoso.example", Active: true}
			d.accounts[w.stranger.ID] = signin.Account{Mail: "stranger@x.contoso.example", Enabled: true}
		},
		"two at signs": func(w *world, d *town) {
			d.members["U0STRANGER"] = signin.Member{Mail: "a@elsewhere.example@contoso.example", Active: true}
			d.accounts[w.stranger.ID] = signin.Account{Mail: "a@elsewhere.example@contoso.example", Enabled: true}
		},
		"no address on either side": func(w *world, d *town) {
			d.members["U0STRANGER"] = signin.Member{Active: true}
			d.accounts[w.stranger.ID] = signin.Account{Enabled: true}
		},
		"another's Slack id in the attribute": func(w *world, d *town) {
			d.members["U0STRANGER"] = signin.Member{Mail: "x@contoso.example", Active: true}
			d.accounts[w.stranger.ID] = signin.Account{Enabled: true, Attribute: "u0stranger"}
		},
		"deactivated in Slack": func(w *world, d *town) {
			d.members["U0STRANGER"] = signin.Member{Mail: w.stranger.UPN}
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			w, d := withTown(t, evidence)
			change(w, d)
			p := w.arrive(w.browser(), stranger, w.stranger)
			if p.Status != 403 || len(p.Forms) > 0 {
				t.Errorf("%s: %d %s", name, p.Status, p.Title)
			}
			w.shows(p, "Nothing was done")
			w.unbound(w.stranger)
		})
	}
}

// Whoever writes the database can neither bind nor allow.
func TestMadeUpEvidence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, d := withTown(t, evidence)
		d.accounts[w.admin.ID] = signin.Account{UPN: w.admin.UPN, Mail: "stranger@contoso.example", Enabled: true, Attribute: "U0STRANGER"}
		key := strings.ToLower(w.entra.Tenant() + "/" + w.admin.ID)
		w.box.set("signin-known all", []byte(`[{"team":"T0CONTOSO","id":"U0STRANGER"}]`))
		w.box.set("binding T0CONTOSO/U0STRANGER", []byte(`{"`+key+`":{"human":"x","how":"mail","at":"2026-01-01T00:00:00Z","seal":"AAAA"}}`))
		w.box.set("binding-allow T0CONTOSO/U0STRANGER", []byte("2030-01-01T00:00:00Z AAAA"))
		w.must(w.svc.Load(t.Context()))
		if _, ok := w.cfg.People.ByObject(w.entra.Tenant(), w.admin.ID); ok {
			t.Error("a row that nobody sealed binds")
		}
		w.must(w.svc.Sweep(t.Context()))
		w.nobody()
		// A sealed one of another Slack user, under one's own name.
		d.accounts[w.stranger.ID] = signin.Account{UPN: w.stranger.UPN, Enabled: true, Attribute: "U0STRANGER"}
		b := w.browser()
		w.arrive(b, stranger, w.stranger)
		w.click(b, "Yes, that is me")
		rows := w.box.copy()
		w.box.set("binding T0CONTOSO/U0APPROVER", rows["binding T0CONTOSO/U0STRANGER"])
		w.box.set("signin-known all", []byte(`[{"team":"T0CONTOSO","id":"U0APPROVER"},{"team":"T0CONTOSO","id":"U0STRANGER"}]`))
		w.cfg.People = signin.NoPeople()
		w.restart()
		w.must(w.svc.Load(t.Context()))
		if who := w.person(w.stranger); who.Slack != stranger {
			t.Errorf("bound to %s", who.Slack.ID)
		}
	})
}

// Of two Slack users who would have one account, one gets it.
func TestOneAccountOneSlackUser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, d := withTown(t, evidence)
		other := activation.SlackUser{Team: team, ID: "U0APPROVER"}
		d.members["U0APPROVER"] = d.members["U0STRANGER"]
		var codes []string
		for _, u := range []activation.SlackUser{stranger, other} {
			b := w.browser()
			w.arrive(b, u, w.stranger)
			codes = append(codes, code8(w.click(b, "Yes, that is me")))
		}
		var won sync.Map
		var all sync.WaitGroup
		for i, u := range []activation.SlackUser{stranger, other} {
			all.Go(func() {
				if _, err := w.svc.Claim(context.Background(), u, codes[i]); err == nil {
					won.Store(u, true)
				}
			})
		}
		all.Wait()
		n := 0
		won.Range(func(u, _ any) bool {
			n++
			if got := w.person(w.stranger); got.Slack != u {
				t.Errorf("%v won, and %v has it", u, got.Slack)
			}
			return true
		})
		if n != 1 {
			t.Errorf("%d have it", n)
		}
		w.shows(w.arrive(w.browser(), other, w.stranger), "") // whatever it says
	})
}

// A warrant's own link never binds by evidence: who has no account can't ask.
func TestDeedLinkBindsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, d := withTown(t, func(c *signin.Config) { c.Bind = signin.Bind{Attribute: true} })
		d.accounts[w.stranger.ID] = signin.Account{UPN: w.stranger.UPN, Enabled: true, Attribute: "U0REQUESTER"}
		b := w.browser()
		w.open(b, w.svc.Link(w.fresh()))
		w.click(b, toMicrosoft)
		w.shows(w.login(b, w.stranger, true), "Wrong account")
		w.unbound(w.stranger)
		// Nor does it bring back who was taken out of the mapping since.
		wt := w.fresh()
		w.cfg.People = signin.NoPeople()
		w.restart()
		d.accounts[w.requester.ID] = signin.Account{UPN: w.requester.UPN, Enabled: true, Attribute: "U0REQUESTER"}
		b = w.browser()
		w.open(b, w.svc.Link(wt))
		w.click(b, toMicrosoft)
		w.shows(w.login(b, w.requester, true), "not yours here")
		w.unbound(w.requester)
	})
}

// What the mapping file says of an account goes before what was bound.
func TestFileGoesBeforeEvidence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, d := withTown(t, evidence)
		d.accounts[w.requester.ID] = signin.Account{UPN: w.requester.UPN, Enabled: true, Attribute: "U0STRANGER"}
		b := w.browser()
		w.arrive(b, stranger, w.requester)
		w.click(b, "Yes, that is me")
		if who := w.person(w.requester); who.Slack != stranger {
			t.Fatalf("bound to %v", who.Slack)
		}
		w.cfg.People = w.people()
		w.restart()
		w.must(w.svc.Load(t.Context()))
		if who := w.person(w.requester); who.Slack.ID != "U0REQUESTER" {
			t.Errorf("the file's account is %v's", who.Slack)
		}
		if own := w.cfg.People.BySlack(stranger); len(own) != 0 {
			t.Errorf("still theirs, too: %+v", own)
		}
	})
}

func TestUnbind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, d := withTown(t, evidence)
		for _, u := range []entra.User{w.stranger, w.admin} {
			d.accounts[u.ID] = signin.Account{UPN: u.UPN, Enabled: true, Attribute: "U0STRANGER"}
			b := w.browser()
			w.arrive(b, stranger, u)
			w.click(b, "Yes, that is me")
			w.click(b, "Yes, sign me in")
		}
		mine, admins := w.ask(activation.End, w.person(w.stranger), activation.Session), w.ask(activation.End, w.person(w.admin), activation.Session)
		w.token(mine)
		n, err := w.svc.Unbind(t.Context(), stranger, w.admin.ID)
		if err != nil || n != 1 {
			t.Fatal(n, err)
		}
		if _, err := w.svc.Token(t.Context(), admins, ""); code(err) != activation.NotBound {
			t.Errorf("unbound: %v", err)
		}
		w.token(mine)
		if n, err = w.svc.Unbind(t.Context(), stranger, ""); err != nil || n != 1 {
			t.Fatal(n, err)
		}
		w.unbound(w.stranger)
		if all, err := w.svc.Everybody(t.Context()); err != nil || len(all) != 0 {
			t.Errorf("%+v %v", all, err)
		}
	})
}
