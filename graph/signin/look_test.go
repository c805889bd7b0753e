package signin_test

import (
	"bytes"
	"errors"
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pagbot/activation"
	"pagbot/graph/signin"
	"pagbot/sim/entra"
)

const readScope = "https://graph.microsoft.com/DeviceManagementRBAC.Read.All"

// look has a token for looking, of the right person and scope.
func (w *world) look(l *signin.Looks, who activation.Person, after time.Time) (string, time.Time) {
	w.t.Helper()
	token, issued, err := l.Token(w.t.Context(), who, readScope, after)
	if err != nil {
		w.t.Fatalf("no token: %v", err)
	}
	w.deeds.got = append(w.deeds.got, signin.Token{Value: token}) // so that noSecrets looks for it
	c, err := w.entra.Verify(token, entraGraph)
	scopes, _ := c["scp"].(string)
	if err != nil || c["oid"] != who.Object || !strings.Contains(scopes, "DeviceManagementRBAC.Read.All") {
		w.t.Errorf("the token is %v's for %v: %v", c["oid"], scopes, err)
	}
	if iat, _ := c["iat"].(float64); time.Unix(int64(iat), 0).Before(issued.Truncate(time.Second)) {
		w.t.Errorf("issued at %v, and said to be of %v", time.Unix(int64(iat), 0), issued)
	}
	return token, issued
}

func (w *world) noLook(l *signin.Looks, who activation.Person, why string) {
	w.t.Helper()
	if token, _, err := l.Token(w.t.Context(), who, readScope, time.Time{}); !errors.Is(err, signin.ErrSignIn) || token != "" {
		w.t.Errorf("%s: %v", why, err)
	}
}

func (w *world) consent() {
	w.must(w.entra.ChangeApp(w.app.ID, func(a *entra.App) { a.Delegated = append(a.Delegated, readScope) }))
}

// A look has a token that is younger than the change, however fresh the last
// one is.
func TestLooksAreYoungerThanTheChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.consent()
		who := w.session(w.requester).Actor
		l := w.svc.Looks()
		first, at := w.look(l, who, time.Time{})
		time.Sleep(20 * time.Second)
		if again, issued := w.look(l, who, at); again != first || !issued.Equal(at) {
			t.Error("a token that would do was not used")
		}
		change := time.Now()
		second, issued := w.look(l, who, change)
		if second == first || issued.Before(change) {
			t.Errorf("issued %v, the change was %v", issued, change)
		}
		time.Sleep(time.Minute)
		if third, _ := w.look(l, who, change); third == second {
			t.Error("rights frozen in a token are looked with for ever")
		}
	})
}

// A look renews nothing, and ends with the session.
func TestLooksRenewNoSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.consent()
		who := w.session(w.requester).Actor
		l := w.svc.Looks()
		w.noLook(l, w.person(w.admin), "another account of theirs")
		before := w.box.copy()
		for range 11 {
			w.look(l, who, time.Now())
			time.Sleep(time.Hour)
		}
		if !maps.EqualFunc(before, w.box.copy(), bytes.Equal) {
			t.Error("looking wrote something")
		}
		time.Sleep(time.Hour + time.Minute)
		w.noLook(l, who, "unused for 12 h, but for looks")
		who = w.session(w.requester).Actor
		w.look(l, who, time.Time{})
		w.must(w.svc.SignOut(t.Context(), who.Slack))
		w.noLook(l, who, "signed out a moment ago")
	})
}

// The session's refresh token is good for another resource than the one that
// it was made for, one token each.
func TestLooksIntoAnotherResource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const other = entra.DevOpsAudience + "/user_impersonation"
		w := newWorld(t)
		w.consent()
		w.must(w.entra.ChangeApp(w.app.ID, func(a *entra.App) { a.Delegated = append(a.Delegated, other) }))
		who := w.session(w.requester).Actor
		l := w.svc.Looks()
		token, _, err := l.Token(t.Context(), who, other, time.Time{})
		w.must(err)
		w.deeds.got = append(w.deeds.got, signin.Token{Value: token})
		if c, err := w.entra.Verify(token, entra.DevOpsAudience); err != nil || c["oid"] != who.Object {
			t.Errorf("%v: %v", c, err)
		}
		w.look(l, who, time.Time{})
	})
}

func TestLooksWithoutConsentOrCustody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		who := w.session(w.requester).Actor
		_, _, err := w.svc.Looks().Token(t.Context(), who, readScope, time.Time{})
		if err == nil || errors.Is(err, signin.ErrSignIn) || !strings.Contains(err.Error(), "AADSTS65001") {
			t.Errorf("nobody consented: %v", err)
		}
		w.token(w.ask(activation.End, who, activation.Session)) // deeds are not the worse for it
		none := newWorld(t, func(c *signin.Config) { c.Custody = signin.KeepNone })
		none.consent()
		none.noLook(none.svc.Looks(), none.person(none.requester), "nothing is kept")
	})
}
