package signin_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"pagbot/activation"
	"pagbot/graph/signin"
)

// One page names both deeds of a renewal, in their order, and one sign-in
// confirms both.
func TestRenewalOnOnePage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		me := w.person(w.requester)
		w.deeds.do = func(d *deed, _ signin.Token) bool {
			d.a.Phase = activation.Provisioning
			if d.a.Next != "" {
				d.a.Phase = activation.Verifying
			}
			return true
		}
		end := w.ask(activation.End, me, activation.Fresh, named("db"), func(a *activation.Activation) { a.Next = "next" })
		now := w.deeds.all[end.ID].a.ID
		next := w.ask(activation.Submit, me, activation.Fresh, named("db"), func(a *activation.Activation) { a.After = now })
		b := w.browser()
		p := w.through(b, w.svc.Link(next, end), w.requester)
		w.shows(p, "Renew db?", "ends now what would run until", "activates it anew for 2 hours", "no access, for about 15 seconds")
		if first, then := strings.Index(p.Text, "ends now"), strings.Index(p.Text, "activates it anew"); first > then {
			t.Errorf("the deeds are not in their order: %s", p.Text)
		}
		w.nothing()
		w.shows(w.click(b, "Yes, end it and activate it anew"), "Confirmed", "Ended", "Accepted")
		if len(w.deeds.released) != 2 || !slices.Contains(w.deeds.released, end.Wait()) {
			t.Errorf("released %v", w.deeds.released)
		}
	})
}

// An end is on the page of an activation only if that renews what ends: no
// other deed rides along. And where nothing takes its place any more, nothing
// is ended.
func TestNoOtherEndRidesAlong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		me := w.person(w.requester)
		w.deeds.do = func(d *deed, _ signin.Token) bool { d.a.Phase = activation.Provisioning; return true }
		mine := w.ask(activation.End, me, activation.Fresh, named("db"))
		other := w.ask(activation.End, me, activation.Fresh, named("vault"))
		foreign := w.ask(activation.End, w.person(w.approver), activation.Fresh, named("foreign"))
		after := func(of activation.Warrant) func(*activation.Activation) {
			return func(a *activation.Activation) { a.After = w.deeds.all[of.ID].a.ID }
		}
		plain := w.ask(activation.Submit, me, activation.Fresh, named("db"))
		next := w.ask(activation.Submit, me, activation.Fresh, named("db"), after(mine))
		robs := w.ask(activation.Submit, me, activation.Fresh, named("foreign"), after(foreign))
		for name, link := range map[string]string{"no renewal": w.svc.Link(plain, mine), "another's end": w.svc.Link(next, other), "a foreign account's": w.svc.Link(robs, foreign)} {
			if p := w.open(w.browser(), link); strings.Contains(p.Text, "ends now") || !strings.Contains(p.Text, "Activate ") {
				t.Errorf("%s: %s", name, p.Text)
			}
		}
		w.deeds.all[next.ID].a.Deeds = nil
		if p := w.open(w.browser(), w.svc.Link(next, mine)); strings.Contains(p.Text, "End ") {
			t.Errorf("offers the end alone: %s", p.Text)
		}
		w.nothing()
	})
}
