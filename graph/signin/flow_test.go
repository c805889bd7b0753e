package signin_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pagbot/activation"
	"pagbot/graph/signin"
)

func TestFirstDeedWithFreshProof(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var bound []activation.Person
		w.cfg.Bound = func(p activation.Person) { bound = append(bound, p) }
		w.restart()
		w.deeds.do = func(d *deed, _ signin.Token) bool {
			d.a.Phase, d.a.Ends = activation.Active, time.Now().Add(2*time.Hour)
			return true
		}
		wt := w.ask(activation.Submit, w.person(w.admin), activation.Fresh, func(a *activation.Activation) { a.Person = w.person(w.admin) })
		b := w.browser()
		p := w.open(b, w.svc.Link(wt))
		w.shows(p, "Activate devops-admins?", "devops-admins", "member", "adm-requester@contoso.example (you)", "2 hours", "Deploy the hotfix", "CHG-1042")
		w.click(b, toMicrosoft)
		if at := b.Page().URL.Query(); at.Get("prompt") != "login" || at.Get("code_challenge_method") != "S256" || at.Get("login_hint") != w.admin.UPN {
			t.Errorf("asked Microsoft with %v", at)
		}
		p = w.login(b, w.admin, true)
		w.shows(p, "Is this Slack user you?", "You, adm-requester@contoso.example, become Slack user U0REQUESTER in T0CONTOSO.")
		if p.URL.RawQuery != "" {
			t.Errorf("a code in the address: %s", p.URL)
		}
		w.nothing()
		p = w.click(b, "Yes, that is me")
		w.shows(p, "Activate devops-admins?", "Signed in as adm-requester@contoso.example", "devops-admins", "CHG-1042")
		w.nothing()
		p = w.click(b, "Yes, activate")
		w.shows(p, "Activated", "devops-admins", "until")
		if len(w.deeds.released) != 1 || w.deeds.released[0] != wt.Wait() {
			t.Fatalf("released %v", w.deeds.released)
		}
		got := w.deeds.got[0]
		c, err := w.entra.Verify(got.Value, entraGraph)
		if err != nil || c["oid"] != w.admin.ID || got.Object != w.admin.ID || got.Tenant != w.entra.Tenant() {
			t.Errorf("the token is %v's, %+v: %v", c["oid"], got.Object, err)
		}
		if len(bound) != 1 || bound[0].Object != w.admin.ID || bound[0].Slack.ID != "U0REQUESTER" {
			t.Errorf("told of bindings %v", bound)
		}
		p = w.open(w.browser(), w.svc.Link(wt))
		w.shows(p, "Nothing waits for you here", "devops-admins is active")
		if len(p.Forms) > 0 {
			t.Error("a link that is done still has a button")
		}
		// Fresh proof leaves nothing behind.
		if _, err := w.svc.Token(t.Context(), wt, ""); !errors.Is(err, signin.ErrSignIn) {
			t.Errorf("the token outlived its deed: %v", err)
		}
		if _, _, in := w.svc.SignedIn(t.Context(), w.person(w.admin).Slack); in {
			t.Error("a fresh proof was kept")
		}
	})
}

func TestOutcomes(t *testing.T) {
	for name, c := range map[string]struct {
		deed activation.Deed
		do   func(*activation.Activation)
		says []string
	}{
		"waiting":      {activation.Submit, func(a *activation.Activation) { a.Phase = activation.AwaitingApproval }, []string{"Waiting for approval"}},
		"provisioning": {activation.Submit, func(a *activation.Activation) { a.Phase = activation.Provisioning }, []string{"Accepted", "Slack tells you"}},
		"later":        {activation.Submit, func(a *activation.Activation) { a.Phase = activation.Scheduled }, []string{"Accepted for later"}},
		"refused": {activation.Submit, func(a *activation.Activation) {
			a.Phase, a.Refusal = activation.Closed, &activation.Refusal{Code: activation.TooLong, Max: activation.Duration(time.Hour), Rules: []string{"ExpirationRule"}}
		}, []string{"longer than PIM allows", "1 hour", "ExpirationRule"}},
		"unknown refusal": {activation.Submit, func(a *activation.Activation) {
			a.Phase, a.Refusal = activation.Closed, &activation.Refusal{Code: "of a later version", Ref: "7F3K"}
		}, []string{"It was refused", "7F3K"}},
		"approved": {activation.Approve, func(a *activation.Activation) {
			a.Decision = &activation.Decision{Approve: true, Here: true}
		}, []string{"Approved", "requester@contoso.example gets devops-admins"}},
		"denied":       {activation.Deny, func(a *activation.Activation) { a.Decision = &activation.Decision{Here: true} }, []string{"Denied"}},
		"too late":     {activation.Approve, func(a *activation.Activation) { a.Decision = &activation.Decision{} }, []string{"Already decided"}},
		"not accepted": {activation.Approve, func(a *activation.Activation) {}, []string{"not taken"}},
		"ended":        {activation.End, func(a *activation.Activation) { a.Phase = activation.Verifying }, []string{"Ended"}},
		"withdrawn": {activation.Cancel, func(a *activation.Activation) {
			a.Phase, a.Outcome = activation.Closed, activation.Withdrawn
		}, []string{"Withdrawn"}},
		"not ended":     {activation.End, func(a *activation.Activation) { a.Phase = activation.Active }, []string{"Not ended", "devops-admins is still active", "Slack shows why"}},
		"not withdrawn": {activation.Cancel, func(a *activation.Activation) { a.Phase = activation.AwaitingApproval }, []string{"Not withdrawn", "stands", "Slack shows why"}},
		"called off": {activation.Submit, func(a *activation.Activation) {
			a.Phase, a.Refusal = activation.Closed, &activation.Refusal{Code: activation.SignedOut}
		}, []string{"You have signed out", "Nothing was done", "called off"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.deeds.do = func(d *deed, _ signin.Token) bool { c.do(&d.a); return true }
				actor := w.person(w.requester)
				u := w.requester
				if c.deed == activation.Approve || c.deed == activation.Deny {
					actor, u = w.person(w.approver), w.approver
				}
				b := w.browser()
				w.through(b, w.svc.Link(w.ask(c.deed, actor, activation.Fresh)), u)
				p := w.click(b, b.Page().Forms[0].Buttons[0].Text)
				w.shows(p, c.says...)
				again := w.open(b, p.URL.String())
				if again.Text != p.Text {
					t.Errorf("a reload says %q", again.Text)
				}
			})
		})
	}
}

func TestStillWorking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.deeds.do = func(*deed, signin.Token) bool { return false }
		wt := w.ask(activation.Submit, w.person(w.requester), activation.Fresh)
		b := w.browser()
		w.through(b, w.svc.Link(wt), w.requester)
		began := time.Now()
		w.shows(w.click(b, "Yes, activate"), "Still working", "Slack tells you")
		if took := time.Since(began); took != 15*time.Second {
			t.Errorf("waited %v", took)
		}
		// The deed may need its token again, and for no longer than ten minutes.
		if _, err := w.svc.Token(t.Context(), wt, ""); err != nil {
			t.Error(err)
		}
		time.Sleep(10 * time.Minute)
		if _, err := w.svc.Token(t.Context(), wt, ""); !errors.Is(err, signin.ErrSignIn) {
			t.Errorf("the token is still there: %v", err)
		}
	})
}

// A step-up comes in the middle of a deed: the page leads on to a second
// sign-in with the claims that Entra asked for.
func TestStepUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.deeds.do = func(d *deed, tok signin.Token) bool {
			c, err := w.entra.Verify(tok.Value, entraGraph)
			w.must(err)
			if c["acrs"] == nil {
				d.a.Deeds[0].Claims = context1
				return false
			}
			d.a.Phase = activation.Provisioning
			return true
		}
		wt := w.ask(activation.Submit, w.person(w.requester), activation.Session)
		b := w.browser()
		w.open(b, w.svc.Link(wt))
		w.click(b, toMicrosoft)
		w.login(b, w.requester, false)
		w.click(b, "Yes, that is me")
		w.shows(w.click(b, "Yes, activate"), "One more check")
		if _, err := w.svc.Token(t.Context(), wt, context1); !errors.Is(err, signin.ErrSignIn) {
			t.Errorf("the first token passed for a step-up: %v", err)
		}
		w.shows(w.click(b, "Continue"), "Microsoft wants to be surer that it is you before this goes on")
		w.click(b, toMicrosoft)
		w.login(b, w.requester, true)
		w.shows(w.click(b, "Yes, activate"), "Accepted")
		if len(w.deeds.got) != 2 {
			t.Fatalf("%d tokens", len(w.deeds.got))
		}
		// What is kept is the ordinary session of the first round.
		other := w.ask(activation.Submit, w.person(w.requester), activation.Session)
		tok, err := w.svc.Token(t.Context(), other, "")
		w.must(err)
		if c, err := w.entra.Verify(tok.Value, entraGraph); err != nil || c["acrs"] != nil {
			t.Errorf("a step-up token was kept: %v %v", c, err)
		}
	})
}

// Where the role settings are known to want a context, it is asked for at once.
func TestKnownContextIsAskedForAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		wt := w.ask(activation.Submit, w.person(w.requester), activation.Fresh, func(a *activation.Activation) { a.Settings.Context = "c1" })
		b := w.browser()
		w.through(b, w.svc.Link(wt), w.requester)
		w.click(b, "Yes, activate")
		c, err := w.entra.Verify(w.deeds.got[0].Value, entraGraph)
		if acrs, _ := c["acrs"].([]any); err != nil || len(acrs) != 1 || acrs[0] != "c1" {
			t.Errorf("claims %v: %v", c, err)
		}
	})
}

func TestSignInWithoutADeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		slack := w.person(w.approver).Slack
		b := w.browser()
		p := w.open(b, w.svc.SignInLink(slack, time.Now().Add(time.Hour)))
		w.shows(p, "Sign in to pagbot?", "U0APPROVER")
		w.through(b, p.URL.String(), w.approver)
		w.shows(b.Page(), "Signed in as approver@contoso.example")
		w.shows(w.click(b, "Yes, sign me in"), "You are signed in")
		who, until, ok := w.svc.SignedIn(t.Context(), slack)
		if !ok || who.Object != w.approver.ID || time.Until(until) != 12*time.Hour {
			t.Errorf("signed in: %v until %v, %v", who.Name, until, ok)
		}
		if len(w.deeds.released) > 0 {
			t.Errorf("released %v", w.deeds.released)
		}
	})
}

func TestAuthoritySaysNo(t *testing.T) {
	for number, says := range map[int]string{65001: "not allowed yet", 90094: "not allowed yet", 50105: "not assigned", 53003: "Conditional Access",
		53000: "device is not accepted", 50076: "second factor", 50079: "second factor first", 500011: "not set up correctly",
		50057: "account is disabled", 53001: "device is not accepted", 50173: "sign in anew", 50196: "too many sign-ins", 65004: "did not agree"} {
		t.Run(says, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.entra.SetVerdict(entraVerdict(number))
				b := w.browser()
				p := w.through(b, w.svc.Link(w.ask(activation.Submit, w.person(w.requester), activation.Fresh)), w.requester)
				w.shows(p, says, "Nothing was done", "reference", "AADSTS")
				w.nothing()
				// Begin again works once the obstacle is gone.
				w.entra.SetVerdict(entraVerdict(0))
				w.shows(w.click(b, "Try again"), "Activate devops-admins?")
			})
		})
	}
}

func TestCancelledAtMicrosoft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		b := w.browser()
		w.open(b, w.svc.Link(w.ask(activation.Submit, w.person(w.requester), activation.Fresh)))
		w.click(b, toMicrosoft)
		w.shows(w.click(b, "Cancel"), "You did not agree")
		w.nothing()
	})
}

// What was confirmed may have been done: if it can't be read any more, the page
// does not say that nothing was.
func TestUnreadAfterConfirming(t *testing.T) {
	for button, n := range map[string]int{"Yes, activate": 1, "Yes, activate all 2": 2} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			me := w.person(w.requester)
			var all []activation.Warrant
			for _, name := range []string{"db", "vault"}[:n] {
				all = append(all, w.ask(activation.Submit, me, activation.Fresh, named(name)))
			}
			b := w.browser()
			w.through(b, w.svc.Link(all[0], all[1:]...), w.requester)
			w.deeds.do = func(*deed, signin.Token) bool {
				w.deeds.fail = errors.New("disk on fire")
				return true
			}
			p := w.click(b, button)
			w.shows(p, "You have confirmed", "could not be read", "reference")
			if strings.Contains(p.Text, "Nothing was done") || strings.Contains(p.Text, "did nothing") || p.Status != 503 {
				t.Errorf("%d: %s", p.Status, p.Text)
			}
			w.deeds.fail = nil
		})
	}
}

func TestTroubleHasAReference(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		wt := w.ask(activation.Submit, w.person(w.requester), activation.Fresh)
		b := w.browser()
		w.through(b, w.svc.Link(wt), w.requester)
		w.deeds.fail = errors.New("disk on fire")
		p := w.click(b, "Yes, activate")
		w.shows(p, "Something broke here", "reference")
		if p.Status != 503 {
			t.Errorf("status %d", p.Status)
		}
		w.deeds.fail = nil
		w.nothing()
		// The authority is down.
		delete(w.hosts, "login.example")
		w.open(b, w.svc.Link(wt))
		w.shows(w.click(b, toMicrosoft), "Something broke here")
	})
}
