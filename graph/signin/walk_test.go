package signin_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pagbot/activation"
	"pagbot/graph/signin"
	"pagbot/sim/browser"
	"pagbot/sim/entra"
)

// walk is people who do anything with what they can get hold of, in any order:
// links, old addresses, each other's callbacks, forms, and time.
type walk struct {
	*world
	rand     *rand.Rand
	users    []entra.User
	browsers []*browser.Browser
	links    []string
	warrants []activation.Warrant
	asked    map[string]bool // "account warrant": who pressed the last button, for what
	moves    []string
}

func (x *walk) move() {
	i := x.rand.IntN(len(x.browsers))
	b := x.browsers[i]
	what := []string{"open", "click", "click", "click", "click", "click", "login", "login", "login", "back", "steal", "wait"}[x.rand.IntN(12)]
	x.moves = append(x.moves, fmt.Sprintf("%d %s", i, what))
	switch what {
	case "open":
		_, _ = b.Open(x.links[x.rand.IntN(len(x.links))])
	case "click":
		x.press(b)
	case "login":
		if p := b.Page(); p != nil && p.Title == "Sign in to your account" {
			if x.rand.IntN(3) == 0 { // else as the page proposes
				_ = b.Fill("account", x.users[x.rand.IntN(len(x.users))].UPN)
			}
			_ = b.Fill("mfa", "yes")
			_, _ = b.Submit("Sign in")
		}
	case "back":
		if v := b.Visits(); len(v) > 0 {
			_, _ = b.Open(v[x.rand.IntN(len(v))].URL)
		}
	case "steal":
		if v := x.browsers[x.rand.IntN(len(x.browsers))].Visits(); len(v) > 0 {
			_, _ = b.Open(v[x.rand.IntN(len(v))].URL)
		}
	case "wait":
		time.Sleep(time.Duration(x.rand.IntN(240)) * time.Second)
	}
}

// press presses the page's button, and notes it if it is the last one.
func (x *walk) press(b *browser.Browser) {
	p := b.Page()
	if p == nil || len(p.Forms) == 0 || p.Title == "Sign in to your account" {
		return
	}
	button := p.Forms[0].Buttons[0].Text
	if button == "Yes, activate" {
		for _, wt := range x.warrants {
			for _, u := range x.users {
				if strings.Contains(p.Text, "Signed in as "+u.UPN) && strings.Contains(p.Text, wt.Envelope) {
					x.asked[u.ID+" "+wt.ID] = true
				}
			}
		}
	}
	_, _ = b.Submit(button)
}

// check holds after every move.
func (x *walk) check() error {
	for _, got := range x.deeds.got {
		if got.Tenant != x.entra.Tenant() {
			return fmt.Errorf("a token of tenant %s", got.Tenant)
		}
	}
	woken := map[string]int{}
	for _, wait := range x.deeds.released {
		woken[wait]++
	}
	for _, wt := range x.warrants {
		n := woken[wt.Wait()]
		if n > 1 {
			return fmt.Errorf("%s was woken %d times", wt.ID, n)
		}
		if n == 1 && !x.asked[wt.Actor.Object+" "+wt.ID] {
			return fmt.Errorf("%s was woken, and %s never confirmed it", wt.ID, wt.Actor.Name)
		}
		if got, err := x.svc.Token(x.t.Context(), wt, ""); err == nil && (got.Object != wt.Actor.Object || n == 0) {
			return fmt.Errorf("a token of %s for %s, woken %d times", got.Object, wt.ID, n)
		}
	}
	return nil
}

func TestRandomWalks(t *testing.T) {
	woken := 0
	for seed := range uint64(30) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			x := &walk{world: w, rand: rand.New(rand.NewPCG(seed, 1)), users: []entra.User{w.requester, w.admin, w.approver, w.stranger},
				browsers: []*browser.Browser{w.browser(), w.browser(), w.browser()}, asked: map[string]bool{}}
			w.deeds.do = func(d *deed, _ signin.Token) bool { d.a.Phase = activation.Active; return true }
			for _, u := range []entra.User{w.requester, w.requester, w.admin, w.approver} {
				wt := w.ask(activation.Submit, w.person(u), activation.Fresh, func(a *activation.Activation) {
					a.Reason = fmt.Sprintf("env-a%d", len(w.deeds.all)+1) // to be recognised on the page
				})
				x.warrants = append(x.warrants, wt)
				x.links = append(x.links, w.svc.Link(wt))
			}
			for range 120 {
				x.move()
				if err := x.check(); err != nil {
					t.Fatalf("seed %d: %v, after\n%s", seed, err, strings.Join(x.moves, "\n"))
				}
			}
			woken += len(w.deeds.released)
		})
	}
	if woken == 0 {
		t.Error("nobody ever got through: the walks prove nothing")
	}
	t.Logf("%d deeds woken", woken)
}
