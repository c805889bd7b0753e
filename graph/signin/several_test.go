package signin_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pagbot/activation"
	"pagbot/graph/signin"
)

// named asks for another group, with words of its own.
func named(name string) func(*activation.Activation) {
	return func(a *activation.Activation) {
		a.Group.Name, a.Reason = name, "because of "+name
	}
}

// One sign-in confirms what the page names, and nothing else: not another
// account's deed, not one of another kind, not one that is over.
func TestOneSignInForSeveral(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		me := w.person(w.requester)
		w.deeds.do = func(d *deed, _ signin.Token) bool {
			d.a.Phase = activation.AwaitingApproval
			if d.a.Group.Name == "vault" {
				d.a.Phase, d.a.Refusal = activation.Closed, &activation.Refusal{Code: activation.TooLong}
			}
			return true
		}
		first := w.ask(activation.Submit, me, activation.Session, named("db"))
		second := w.ask(activation.Submit, me, activation.Fresh, named("vault"))
		over := w.ask(activation.Submit, me, activation.Fresh, named("over"))
		foreign := w.ask(activation.Submit, w.person(w.approver), activation.Fresh, named("foreign"))
		other := w.ask(activation.End, me, activation.Session, named("other"))
		w.deeds.all[over.ID].a.Deeds = nil
		link := w.svc.Link(first, second, over, foreign, other)

		b := w.browser()
		p := w.open(b, link)
		w.shows(p, "Activate 2 groups?", "db", "vault", "2 hours", "because of db", "because of vault")
		w.click(b, toMicrosoft)
		if b.Page().URL.Query().Get("prompt") != "login" {
			t.Error("the one that needs a fresh proof got none")
		}
		p = w.login(b, w.requester, true)
		if p.Title == "Is this Slack user you?" {
			p = w.click(b, "Yes, that is me")
		}
		w.shows(p, "Activate 2 groups?", "Signed in as", "db", "vault")
		for _, word := range []string{"foreign", "other", "over"} {
			if strings.Contains(p.Text, "because of "+word) {
				t.Errorf("the page names %s: %s", word, p.Text)
			}
		}
		w.nothing()
		p = w.click(b, "Yes, activate all 2")
		w.shows(p, "Not all of it was accepted", "db", "Waiting for approval", "vault")
		slices.Sort(w.deeds.released)
		want := []string{first.Wait(), second.Wait()}
		slices.Sort(want)
		if !slices.Equal(w.deeds.released, want) {
			t.Errorf("released %v, want %v", w.deeds.released, want)
		}
		w.shows(w.open(w.browser(), link), "Waiting for approval")
	})
}

// What becomes fewer between the page and the click is not done; the rest is.
func TestOneOfSeveralIsWithdrawnMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		me := w.person(w.requester)
		w.deeds.do = func(d *deed, _ signin.Token) bool { d.a.Phase = activation.Provisioning; return true }
		first, second := w.ask(activation.Submit, me, activation.Fresh, named("db")), w.ask(activation.Submit, me, activation.Fresh, named("vault"))
		b := w.browser()
		w.shows(w.through(b, w.svc.Link(first, second), w.requester), "Activate 2 groups?")
		w.deeds.all[first.ID].a.Deeds = nil
		w.click(b, "Yes, activate all 2")
		if !slices.Equal(w.deeds.released, []string{second.Wait()}) {
			t.Errorf("released %v", w.deeds.released)
		}
	})
}

// If one can't be read, nothing is shown and nothing is done: what a page did
// not name must never be confirmed by it.
func TestSeveralNeedAllToBeRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		me := w.person(w.requester)
		b := w.browser()
		w.through(b, w.svc.Link(w.ask(activation.Submit, me, activation.Fresh, named("db")), w.ask(activation.Submit, me, activation.Fresh, named("vault"))), w.requester)
		w.deeds.fail = errors.New("the disk is full")
		w.shows(w.click(b, "Yes, activate all 2"), "Something broke here")
		w.deeds.fail = nil
		w.nothing()
	})
}

// The page waits for all of them, and says of which it does not know yet.
func TestSeveralThatTakeLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		me := w.person(w.requester)
		w.deeds.do = func(d *deed, _ signin.Token) bool { d.a.Phase = activation.Provisioning; return d.a.Group.Name == "db" }
		b := w.browser()
		w.through(b, w.svc.Link(w.ask(activation.Submit, me, activation.Fresh, named("db")), w.ask(activation.Submit, me, activation.Fresh, named("vault"))), w.requester)
		began := time.Now()
		w.shows(w.click(b, "Yes, activate all 2"), "Still working", "Accepted", "Entra has not answered yet")
		if took := time.Since(began); took > 30*time.Second {
			t.Errorf("the page took %s", took)
		}
	})
}
