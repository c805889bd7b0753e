package signin_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pagbot/activation"
	"pagbot/graph/signin"
	"pagbot/sim/entra"
)

// session signs a person in and returns a warrant of theirs for which a
// session is proof enough.
func (w *world) session(u entra.User) activation.Warrant {
	w.t.Helper()
	b := w.browser()
	w.through(b, w.svc.SignInLink(w.person(u).Slack, time.Now().Add(time.Hour)), u)
	w.shows(w.click(b, "Yes, sign me in"), "You are signed in")
	return w.ask(activation.End, w.person(u), activation.Session)
}

// token has one, of the right person, or the test fails.
func (w *world) token(wt activation.Warrant) {
	w.t.Helper()
	got, err := w.svc.Token(w.t.Context(), wt, "")
	if err != nil {
		w.t.Fatalf("no token: %v", err)
	}
	w.deeds.got = append(w.deeds.got, got) // so that noSecrets looks for it
	if c, err := w.entra.Verify(got.Value, entraGraph); err != nil || c["oid"] != wt.Actor.Object {
		w.t.Errorf("the token is %v's: %v", c["oid"], err)
	}
}

func (w *world) noToken(wt activation.Warrant, why string) {
	w.t.Helper()
	if got, err := w.svc.Token(w.t.Context(), wt, ""); !errors.Is(err, signin.ErrSignIn) || got.Value != "" {
		w.t.Errorf("%s: %v", why, err)
	}
}

func TestKeptSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		wt := w.session(w.requester)
		w.token(wt)
		w.restart() // a new process has the same key and the same box
		w.token(wt)
		time.Sleep(2 * time.Hour) // the access token is over; the refresh token is not
		w.token(wt)
		w.noToken(w.fresh(), "a kept session for a fresh proof")
		w.noToken(w.ask(activation.End, w.person(w.approver), activation.Session), "the session of another")
		w.noToken(w.ask(activation.End, w.person(w.admin), activation.Session), "the session of one's other account")
		if _, err := w.svc.Token(t.Context(), wt, context1); !errors.Is(err, signin.ErrSignIn) {
			t.Errorf("a kept session for a step-up: %v", err)
		}
	})
}

func TestSessionEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		wt := w.session(w.requester)
		for range 2 { // each deed renews it
			time.Sleep(11*time.Hour + 59*time.Minute)
			w.token(wt)
		}
		time.Sleep(3 * time.Minute)
		w.noToken(wt, "older than 24 h")
		wt = w.session(w.requester)
		time.Sleep(11 * time.Hour)
		if _, until, ok := w.svc.SignedIn(t.Context(), wt.Actor.Slack); !ok || time.Until(until) != time.Hour {
			t.Errorf("ends in %v, %v", time.Until(until), ok)
		}
		time.Sleep(2 * time.Hour) // having looked renews nothing
		w.noToken(wt, "unused for 13 h")
		if _, _, ok := w.svc.SignedIn(t.Context(), wt.Actor.Slack); ok {
			t.Error("still signed in")
		}
	})
}

func TestSignOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		wt := w.session(w.requester)
		second := w.session(w.admin)
		other := w.session(w.approver)
		before := w.box.copy()
		w.must(w.svc.SignOut(t.Context(), wt.Actor.Slack))
		w.noToken(wt, "signed out")
		w.noToken(second, "signed out, second account")
		w.token(other)
		for k := range w.box.copy() {
			if strings.HasPrefix(k, "custody") && strings.HasSuffix(k, "U0REQUESTER") {
				t.Errorf("%s is left", k)
			}
		}
		// The old session put back opens no more: its key is gone.
		w.box.set("custody T0CONTOSO/U0REQUESTER", before["custody T0CONTOSO/U0REQUESTER"])
		w.restart()
		w.noToken(wt, "a session from before the sign-out")
		w.must(w.svc.SignOut(t.Context(), activation.SlackUser{Team: team, ID: "U0NOBODY"}))
	})
}

func TestCustodyNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(c *signin.Config) { c.Custody = signin.KeepNone })
		wt := w.session(w.requester)
		w.noToken(wt, "custody none")
		b := w.browser()
		w.through(b, w.svc.Link(wt), w.requester)
		w.click(b, "Yes, end it")
		if len(w.deeds.got) != 1 {
			t.Errorf("%d tokens for the deed itself", len(w.deeds.got))
		}
		for k := range w.box.copy() {
			if strings.HasPrefix(k, "custody") {
				t.Errorf("kept %s", k)
			}
		}
	})
}

// A session that Entra has ended asks the person; trouble does not.
func TestEntraEndsASession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		wt := w.session(w.requester)
		time.Sleep(2 * time.Hour)
		authority := w.hosts["login.example"]
		delete(w.hosts, "login.example")
		if _, err := w.svc.Token(t.Context(), wt, ""); err == nil || errors.Is(err, signin.ErrSignIn) {
			t.Errorf("unreachable: %v", err)
		}
		w.hosts["login.example"] = authority
		w.token(wt)
		time.Sleep(2 * time.Hour)
		w.entra.SetVerdict(entra.Verdict{Number: 50173, Refresh: true})
		w.noToken(wt, "revoked")
		if _, _, ok := w.svc.SignedIn(t.Context(), wt.Actor.Slack); ok {
			t.Error("a revoked session is kept")
		}
	})
}

// rows of the custody documents, by account.
func rows(t *testing.T, body []byte) map[string]json.RawMessage {
	t.Helper()
	m := map[string]json.RawMessage{}
	if err := json.Unmarshal(body, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestSealedRowsDontMove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		wt := w.session(w.requester)
		victim := w.session(w.approver)
		acc := func(p activation.Person) string { return strings.ToLower(p.Tenant + "/" + p.Object) }
		good := w.box.copy()
		// Another's session, and its key, under one's own name.
		for _, kinds := range [][]string{{"custody"}, {"custody-key"}, {"custody", "custody-key"}} {
			for _, kind := range kinds {
				theirs := rows(t, good[kind+" T0CONTOSO/U0APPROVER"])[acc(victim.Actor)]
				b, err := json.Marshal(map[string]json.RawMessage{acc(wt.Actor): theirs})
				w.must(err)
				w.box.set(kind+" T0CONTOSO/U0REQUESTER", b)
			}
			w.restart()
			w.noToken(wt, "another's session moved by "+strings.Join(kinds, "+"))
			maps.DeleteFunc(w.box.rows, func(k string, _ boxed) bool { return strings.HasPrefix(k, "custody") })
			for k, v := range good {
				w.box.set(k, v)
			}
		}
		// One's own session under the name of one's other, mightier account.
		mine := w.ask(activation.End, w.person(w.admin), activation.Session)
		for _, kind := range []string{"custody", "custody-key"} {
			own := rows(t, good[kind+" T0CONTOSO/U0REQUESTER"])
			own[acc(mine.Actor)] = own[acc(wt.Actor)]
			b, err := json.Marshal(own)
			w.must(err)
			w.box.set(kind+" T0CONTOSO/U0REQUESTER", b)
		}
		w.box.set("binding T0CONTOSO/U0REQUESTER", []byte(strings.ReplaceAll(string(good["binding T0CONTOSO/U0REQUESTER"]), acc(wt.Actor), acc(mine.Actor))))
		w.restart()
		w.noToken(mine, "a session moved to another account")
		for k, v := range good {
			w.box.set(k, v)
		}
		w.token(wt)
	})
}

func TestTamperedAndRolledBackRows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		wt := w.session(w.requester)
		const row = "custody T0CONTOSO/U0REQUESTER"
		first := w.box.copy()
		time.Sleep(time.Hour)
		w.token(wt)
		later := w.box.copy()
		// Within a process, an older state of the same session is noticed.
		w.box.set(row, first[row])
		w.noToken(wt, "rolled back")
		w.box.set(row, later[row])
		w.token(wt)
		// A new sign-in makes every older state worthless, for all processes.
		w.session(w.requester)
		w.box.set(row, later[row])
		w.restart()
		w.noToken(wt, "rolled back to an earlier sign-in")
		w.session(w.requester)
		good := w.box.copy()
		for _, kind := range []string{"custody", "custody-key"} {
			key := kind + " T0CONTOSO/U0REQUESTER"
			var row map[string]struct {
				Version uint64 `json:"version"`
				Body    []byte `json:"body"`
			}
			w.must(json.Unmarshal(good[key], &row))
			acc := slices.Collect(maps.Keys(row))[0]
			for i := 0; i < len(row[acc].Body); i += 1 + len(row[acc].Body)/200 {
				row[acc].Body[i] ^= 1
				bad, err := json.Marshal(row)
				w.must(err)
				w.box.set(key, bad)
				w.noToken(wt, fmt.Sprintf("%s: byte %d changed", kind, i))
				row[acc].Body[i] ^= 1
			}
			w.box.set(key, []byte("{"))
			if _, err := w.svc.Token(t.Context(), wt, ""); err == nil || errors.Is(err, signin.ErrSignIn) {
				t.Errorf("%s that cannot be read: %v", kind, err)
			}
			w.box.set(key, good[key])
		}
		w.token(wt)
		// Another master key opens nothing, and breaks nothing.
		w.key = []byte(strings.Repeat("x", signin.KeySize))
		w.restart()
		w.noToken(wt, "another master key")
	})
}

// A person who is taken out of the mapping has nothing any more.
func TestRemovedPerson(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		wt := w.session(w.requester)
		people, err := signin.ParsePeople(strings.NewReader("people: [{person: approver, slack: U0APPROVER, accounts: [{object: "+w.approver.ID+"}]}]"), w.entra.Tenant(), team)
		w.must(err)
		w.cfg.People = people
		w.restart()
		if _, err := w.svc.Token(t.Context(), wt, ""); code(err) != activation.NotBound {
			t.Errorf("removed: %v", err)
		}
		if _, _, ok := w.svc.SignedIn(t.Context(), wt.Actor.Slack); ok {
			t.Error("still signed in")
		}
		b := w.browser()
		w.open(b, w.svc.Link(wt))
		w.click(b, toMicrosoft)
		w.shows(w.login(b, w.requester, true), "This account is not yours here")
	})
}

// An account passes to another Slack user, whose rows are made of the old ones.
func TestSessionDoesNotPassToAnotherSlackUser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.token(w.session(w.requester))
		for k, v := range w.box.copy() {
			w.box.set(strings.Replace(k, "U0REQUESTER", "U0HEIR", 1), v)
		}
		people, err := signin.ParsePeople(strings.NewReader("people: [{person: requester, slack: U0HEIR, accounts: [{object: "+w.requester.ID+"}]}]"), w.entra.Tenant(), team)
		w.must(err)
		w.cfg.People = people
		w.restart()
		w.noToken(w.ask(activation.End, w.person(w.requester), activation.Session), "the session of another Slack user")
	})
}

func TestSweep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.session(w.requester)
		w.session(w.admin)
		approver := w.session(w.approver)
		full := len(w.box.copy())
		w.must(w.svc.Sweep(t.Context()))
		if n := len(w.box.copy()); n != full {
			t.Fatalf("swept what is in use: %d rows of %d", n, full)
		}
		// The requester leaves.
		people, err := signin.ParsePeople(strings.NewReader("people: [{person: approver, slack: U0APPROVER, accounts: [{object: "+w.approver.ID+"}]}]"), w.entra.Tenant(), team)
		w.must(err)
		w.cfg.People = people
		w.restart()
		w.must(w.svc.Sweep(t.Context()))
		left := w.box.copy()
		for k, v := range left {
			if s := k + string(v); strings.Contains(s, "U0REQUESTER") || strings.Contains(s, w.requester.ID) || strings.Contains(s, w.admin.ID) {
				t.Errorf("left of who left: %s", s)
			}
		}
		w.token(approver)
		time.Sleep(13 * time.Hour)
		w.must(w.svc.Sweep(t.Context()))
		if w.box.copy()["custody T0CONTOSO/U0APPROVER"] != nil {
			t.Error("a session that is over is left")
		}
		// Custody is turned off.
		w.session(w.approver)
		w.cfg.Custody = signin.KeepNone
		w.restart()
		w.must(w.svc.Sweep(t.Context()))
		if w.box.copy()["custody T0CONTOSO/U0APPROVER"] != nil {
			t.Error("a session is left with custody none")
		}
		w.box.fail = errors.New("disk on fire")
		if err := w.svc.Sweep(t.Context()); err == nil {
			t.Error("a broken box went unnoticed")
		}
	})
}

// An account that passes to another human is asked anew whether it is theirs.
func TestBindingAsksAgainForAnotherHuman(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.session(w.requester)
		people, err := signin.ParsePeople(strings.NewReader("people: [{person: successor, slack: U0REQUESTER, accounts: [{object: "+w.requester.ID+"}]}]"), w.entra.Tenant(), team)
		w.must(err)
		w.cfg.People = people
		w.restart()
		w.noToken(w.ask(activation.End, w.person(w.requester), activation.Session), "the session of who had the account before")
		b := w.browser()
		w.open(b, w.svc.SignInLink(activation.SlackUser{Team: team, ID: "U0REQUESTER"}, time.Now().Add(time.Hour)))
		w.click(b, toMicrosoft)
		w.shows(w.login(b, w.requester, true), "Is this Slack user you?")
	})
}

func TestManyDeedsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		wt := w.session(w.requester)
		time.Sleep(2 * time.Hour)
		done := make(chan error)
		for range 8 {
			go func() {
				_, err := w.svc.Token(t.Context(), wt, "")
				done <- err
			}()
		}
		for range 8 {
			w.must(<-done)
		}
	})
}
