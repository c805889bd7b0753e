package graph

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"pagbot/activation"
	"pagbot/graph/signin"
	"pagbot/sim/entra"
)

func TestSubmitIsActivatedOnce(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, all := w.through(w.asked())
		if len(all) != 1 || a.Phase != activation.Provisioning {
			t.Fatalf("%d attempts, phase %s: %+v", len(all), a.Phase, all[0])
		}
		q := a.Request
		if q.Kind() != activation.Granted || q.Justification != "Investigating INC0012345 [pag 7F3K]" || q.Ticket != "INC0012345" ||
			q.Length != activation.Duration(2*time.Hour) || q.Action != selfActivate || q.Access != activation.Member || q.Person.Object != w.requester.ID {
			t.Errorf("request %+v", q)
		}
		pass(5 * time.Second)
		i, err := w.reader.instanceOf(t.Context(), a)
		w.must(err)
		if i == nil || i.Ends.Sub(i.From) != 2*time.Hour {
			t.Errorf("instance %+v", i)
		}
		if n := w.creates("selfActivate"); n != 1 {
			t.Errorf("%d creates", n)
		}
	})
}

func TestSubmitUntil(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		until := time.Now().Add(3 * time.Hour).In(time.FixedZone("here", 2*3600))
		a, _ := w.through(w.asked(func(q *activation.Ask) { q.Length, q.Until = 0, until }))
		if !a.Request.Until.Equal(until) || a.Request.Length != 0 {
			t.Errorf("request %+v", a.Request)
		}
	})
}

func TestSubmitOwnership(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		_, err := w.AddEligibility(w.group.ID, "owner", w.requester.ID, time.Time{})
		w.must(err)
		a, _ := w.through(w.asked(func(q *activation.Ask) { q.Access = activation.Owner }))
		pass(5 * time.Second)
		is, err := w.reader.IsMember(t.Context(), w.group.ID, activation.Owner, []string{w.requester.ID})
		if err != nil || !is[w.requester.ID] || a.Request.Access != activation.Owner {
			t.Errorf("%v %v %+v", is, err, a.Request)
		}
	})
}

// Eligible through a group, the person activates for themselves.
func TestSubmitNested(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.must(w.RemoveEligibility(w.eligibility))
		team := w.AddGroup(entra.Group{Name: "team"})
		w.must(w.AddTie(team.ID, "member", w.requester.ID))
		_, err := w.AddEligibility(w.group.ID, "member", team.ID, time.Time{})
		w.must(err)
		a, _ := w.through(w.asked())
		if a.Phase != activation.Provisioning || a.Request.Person.Object != w.requester.ID {
			t.Errorf("%s %+v %+v", a.Phase, a.Refusal, a.Request)
		}
	})
}

// What is wrong with a warrant is found before anything is written.
func TestNothingIsWrittenWithoutAGoodWarrant(t *testing.T) {
	cases := map[activation.Code]func(*world, *activation.Activation){
		activation.WarrantBad:     func(_ *world, a *activation.Activation) { a.Deeds[0].Warrant.Seal = "broken" },
		activation.WarrantExpired: func(_ *world, _ *activation.Activation) { pass(15 * time.Minute) },
		activation.Changed:        func(_ *world, a *activation.Activation) { a.Length *= 2 },
		activation.WrongPerson: func(w *world, a *activation.Activation) {
			w.tokens[a.Deeds[0].Warrant.ID] = w.signIn(w.second, "", true)
		},
	}
	for code, spoil := range cases {
		t.Run(string(code), func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				a := w.asked()
				spoil(w, &a)
				if got := refusal(w.do(a)); got.Code != code {
					t.Errorf("refused with %+v", got)
				}
				if n := len(w.Writes()); n != 0 {
					t.Errorf("%d writes", n)
				}
			})
		})
	}
	t.Run("somebody else's warrant", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			a := w.asked()
			a.Deeds[0].Warrant = w.warrant(a, activation.Submit, w.second, "")
			if got := refusal(w.do(a)); got.Code != activation.WrongPerson || len(w.Writes()) != 0 {
				t.Errorf("refused with %+v after %d writes", got, len(w.Writes()))
			}
		})
	})
}

func TestWithoutATokenTheDeedWaits(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a := w.asked()
		x := a.Deeds[0].Warrant
		delete(w.tokens, x.ID)
		r := w.do(a)
		if r.Wait != x.Wait() || !r.Until.Equal(x.Expires) || r.Tell != (activation.StepUp{Warrant: x.ID}) {
			t.Errorf("report %+v", r)
		}
	})
}

// failing tells why there is no token.
type failing struct{ err error }

func (f failing) Token(context.Context, activation.Warrant, string) (signin.Token, error) {
	return signin.Token{}, f.err
}

func TestNoTokenForAReason(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a := w.asked()
		e := effect(a.Deeds[0].Warrant.ID)
		final := NewDeeds(w.reader, failing{activation.Refusal{Code: activation.NotBound}}, seal{})
		if r := final.Do(t.Context(), a, e); refusal(r).Code != activation.NotBound || !r.Finished() {
			t.Errorf("a refusal is final: %+v", r)
		}
		passing := NewDeeds(w.reader, failing{errors.New("the vault is locked")}, seal{})
		if r := passing.Do(t.Context(), a, e); r.Tell != nil || r.Again.IsZero() || r.Unsure || r.Err == nil {
			t.Errorf("anything else passes: %+v", r)
		}
		if len(w.Writes()) != 0 {
			t.Error("written without a token")
		}
	})
}

// PIM's authentication context: asked for once, then final.
func TestAuthenticationContext(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.settings(func(s *entra.Settings) { s.AuthContext = "c1" })
		a, all := w.through(w.asked())
		r := all[0]
		step, ok := r.Tell.(activation.StepUp)
		if !ok || r.Wait == "" || !strings.Contains(step.Claims, `"acrs"`) {
			t.Fatalf("report %+v", r)
		}
		if a.Deeds[0].Claims != step.Claims {
			t.Fatalf("deed %+v", a.Deeds[0])
		}
		id := a.Deeds[0].Warrant.ID
		w.tokens[id] = w.signIn(w.requester, step.Claims, true)
		b, _ := w.through(a)
		if b.Phase != activation.Provisioning {
			t.Errorf("with the claims: %s %+v", b.Phase, b.Refusal)
		}
	})
	inWorld(t, func(t *testing.T, w *world) {
		w.settings(func(s *entra.Settings) { s.AuthContext = "c1" })
		w.Turn(func(d *entra.Dials) { d.AcrsNever = true })
		a, _ := w.through(w.asked())
		w.tokens[a.Deeds[0].Warrant.ID] = w.signIn(w.requester, a.Deeds[0].Claims, true)
		_, all := w.through(a)
		if got := refusal(all[0]); got.Code != activation.NeedsContext {
			t.Errorf("a second refusal must be final: %+v", all[0])
		}
	})
}

func TestMFARule(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.settings(func(s *entra.Settings) { s.MFA = true })
		a := w.asked()
		id := a.Deeds[0].Warrant.ID
		w.tokens[id] = w.signIn(w.requester, "", false)
		a, all := w.through(a)
		if all[0].Tell != (activation.StepUp{Warrant: id, Claims: mfaClaims}) || all[0].Wait == "" {
			t.Fatalf("report %+v", all[0])
		}
		_, all = w.through(a) // the person came back without
		if got := refusal(all[0]); got.Code != activation.NeedsMFA {
			t.Errorf("refusal %+v", got)
		}
		w.tokens[id] = w.signIn(w.requester, mfaClaims, true)
		if b, _ := w.through(a); b.Phase != activation.Provisioning {
			t.Errorf("with MFA: %s", b.Phase)
		}
	})
}

// A token that Entra takes back mid-way sends the person to the browser again,
// whatever the challenge looks like; the SDK alone would panic on one of them.
func TestChallenges(t *testing.T) {
	for _, do := range []string{entra.DoCAE, entra.DoCAEUnpadded, entra.DoCAEUnquoted} {
		inWorld(t, func(t *testing.T, w *world) {
			a := w.asked()
			w.Inject(entra.Fault{Method: "POST", Path: "assignmentScheduleRequests", Do: do, Times: 1})
			a, all := w.through(a)
			if step, ok := all[0].Tell.(activation.StepUp); !ok || !json.Valid([]byte(step.Claims)) || !strings.Contains(step.Claims, "nbf") {
				t.Fatalf("%s: %+v", do, all[0])
			}
			if b, _ := w.through(a); b.Phase != activation.Provisioning || w.creates("selfActivate") != 1 {
				t.Errorf("%s: %s after %d creates", do, b.Phase, w.creates("selfActivate"))
			}
		})
	}
}

func TestRefusedToken(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a := w.asked()
		x := a.Deeds[0].Warrant
		bad := w.tokens[x.ID]
		bad.Value = "worn out"
		w.tokens[x.ID] = bad
		r := w.do(a)
		if r.Wait != x.Wait() || r.Tell != (activation.StepUp{Warrant: x.ID}) {
			t.Fatalf("report %+v", r)
		}
		e := effect(x.ID)
		e.Memory = r.Memory
		if r := w.deeds.Do(t.Context(), a, e); refusal(r).Code != activation.Broken {
			t.Errorf("a second refusal must be final: %+v", r)
		}
	})
}

func TestThrottled(t *testing.T) {
	for header, least := range map[string]time.Duration{"3": 3 * time.Second, "0.9": 900 * time.Millisecond, "3600": time.Hour, "": time.Second} {
		inWorld(t, func(t *testing.T, w *world) {
			a := w.asked()
			w.Inject(entra.Fault{Method: "POST", Path: "assignmentScheduleRequests", Do: entra.DoStatus, Status: 429, RetryAfter: header, Times: 1})
			began := time.Now()
			r := w.do(a)
			if r.After < least || r.After > least+time.Second || r.Unsure || time.Since(began) > time.Second {
				t.Errorf("Retry-After %q: report %+v after %v", header, r, time.Since(began))
			}
			if len(w.Writes()) > 1 {
				t.Errorf("%d writes", len(w.Writes()))
			}
		})
	}
}

func TestPolicyRefusals(t *testing.T) {
	cases := []struct {
		name  string
		turn  func(*world)
		code  activation.Code
		rules int
	}{
		{"no longer eligible", func(w *world) { w.must(w.RemoveEligibility(w.eligibility)) }, activation.NotEligible, 1},
		{"shorter maximum", func(w *world) { w.settings(func(s *entra.Settings) { s.MaxDuration = time.Hour }) }, activation.TooLong, 1},
		{"both", func(w *world) {
			w.must(w.RemoveEligibility(w.eligibility))
			w.settings(func(s *entra.Settings) { s.MaxDuration = time.Hour })
		}, activation.RulesFailed, 2},
		{"active in the portal", func(w *world) {
			_, err := w.Portal(w.requester.ID).Activate(w.group.ID, "member", time.Hour, "portal")
			w.must(err)
		}, activation.AlreadyActive, 0},
		{"waiting in the portal", func(w *world) {
			w.settings(w.approval)
			_, err := w.Portal(w.requester.ID).Activate(w.group.ID, "member", time.Hour, "portal")
			w.must(err)
		}, activation.AlreadyPending, 0},
		{"no licence", func(w *world) {
			w.Inject(entra.Fault{Method: "POST", Path: "assignmentScheduleRequests", Do: entra.DoStatus, Status: 403, Code: "AadPremiumLicenseRequired"})
		}, activation.LicenceMissing, 0},
		{"no consent", func(w *world) {
			w.Inject(entra.Fault{Method: "POST", Path: "assignmentScheduleRequests", Do: entra.DoStatus, Status: 403, Code: "PermissionScopeNotGranted"})
		}, activation.ConsentMissing, 0},
	}
	for _, shape := range []string{"plain", "wrapped"} {
		for _, c := range cases {
			t.Run(shape+"/"+c.name, func(t *testing.T) {
				inWorld(t, func(t *testing.T, w *world) {
					w.Turn(func(d *entra.Dials) { d.Shape = shape })
					a := w.asked()
					c.turn(w)
					pass(10 * time.Second)
					r := w.do(a)
					got := refusal(r)
					if got.Code != c.code || len(got.Rules) != c.rules {
						t.Errorf("report %+v", r)
					}
					if c.code == activation.AlreadyActive && got.Until.IsZero() {
						t.Error("doesn't say until when")
					}
					if r.Err == nil || !strings.Contains(errors.Join(r.Err).Error(), string(c.code)) {
						t.Errorf("the log would read %v", r.Err)
					}
				})
			})
		}
	}
}

// The real sign-in fits what is asked of it.
var (
	_ Tokens = (*signin.Service)(nil)
	_ Guard  = (*signin.Sealer)(nil)
)
