package bot

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"pagbot/activation"
	sim "pagbot/sim/slack"
)

// shelf is a Homes that outlives the bot.
type shelf struct {
	mu  sync.Mutex
	has map[string]bool
}

func (s *shelf) Note(_ context.Context, user string) error   { return s.set(user, true) }
func (s *shelf) Forget(_ context.Context, user string) error { return s.set(user, false) }

func (s *shelf) set(user string, has bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.has[user] = has
	return nil
}

func (s *shelf) Has(_ context.Context, user string) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.has[user], nil
}

// home is what a person's Home tab shows; empty: nothing was ever published.
func (w *world) home(user string) string {
	w.settle()
	v, ok := w.Person(user).Home()
	if !ok {
		return ""
	}
	return w.Person(user).ViewText(v)
}

// Who opened their Home tab before the start sees it follow, and nobody else's
// is published; who has no account any more finds it empty, and is forgotten.
func TestHomeFollowsOverRestarts(t *testing.T) {
	kept := &shelf{has: map[string]bool{}}
	over := func(c *Config) { c.Homes = kept }
	play(t, over, func(t *testing.T, w *world) {
		if err := w.Person(requester.Slack.ID).OpenHome(); err != nil {
			t.Fatal(err)
		}
		if w.home(requester.Slack.ID); !kept.has[requester.Slack.ID] || kept.has[approver.Slack.ID] {
			t.Errorf("%v", kept.has)
		}
		if err := w.Person(member).OpenHome(); err != nil {
			t.Fatal(err)
		}
		if w.home(member); kept.has[member] {
			t.Error("who has no account is noted")
		}
	})
	play(t, over, func(t *testing.T, w *world) {
		news := func(a activation.Activation) {
			w.put(a)
			w.do(a.ID, activation.Effect{Key: "card", Kind: activation.Card, Slot: true})
		}
		news(scene(activation.Active))
		news(scene(activation.Active, func(a *activation.Activation) { a.ID, a.Person = "second", approver }))
		has(t, "the tab", w.home(requester.Slack.ID), "has db_admins", "What you may activate", "• db_admins")
		if got := w.home(approver.Slack.ID); got != "" {
			t.Errorf("published to who never opened it: %s", got)
		}
		delete(w.who, requester.Slack.ID)
		news(scene(activation.Closed, closed(activation.Expired)))
		has(t, "without an account", w.home(requester.Slack.ID), "don't know which Entra account is yours")
		if kept.has[requester.Slack.ID] {
			t.Error("not forgotten")
		}
	})
}

// However many have news at once, and however often: Slack takes a hundred tabs
// a minute, and what it turned away comes later.
func TestHomesWaitInLine(t *testing.T) {
	const n = 30
	kept := &shelf{has: map[string]bool{}}
	play(t, func(c *Config) { c.Homes = kept }, func(t *testing.T, w *world) {
		w.Fail(sim.Fault{Method: "views.publish", Kind: "status", Status: 429, RetryAfter: 7, Count: 1})
		person := func(i int) activation.Person {
			return activation.Person{Tenant: admins.Tenant, Object: fmt.Sprint("object-", i), Name: fmt.Sprint("person-", i), Slack: activation.SlackUser{Team: "T0CONTOSO", ID: fmt.Sprint("U0PERSON", i)}}
		}
		began := time.Now()
		for i := range n {
			p := person(i)
			w.AddUser(sim.User{ID: p.Slack.ID, Team: "T0CONTOSO", Name: p.Name})
			w.who[p.Slack.ID], kept.has[p.Slack.ID] = []activation.Person{p}, true
			w.put(scene(activation.Active, func(a *activation.Activation) { a.ID, a.Person = p.Name, p }))
		}
		for range 5 {
			for i := range n {
				w.bot.refresh(w.ctx, person(i))
			}
		}
		time.Sleep(n*homePace + 10*time.Second)
		var times []time.Time
		for _, e := range w.History(sim.Query{Name: "views.publish"}) {
			times = append(times, e.At)
		}
		if len(times) != n+1 || times[len(times)-1].Sub(began) < n*homePace {
			t.Errorf("%d tabs in %v", len(times), times[len(times)-1].Sub(began))
		}
		for i := range n {
			if v, ok := w.Person(person(i).Slack.ID).Home(); !ok || !strings.Contains(w.Person(person(i).Slack.ID).ViewText(v), "has db_admins") {
				t.Errorf("person %d sees nothing", i)
			}
		}
	})
}
