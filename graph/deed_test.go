package graph

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"pagbot/activation"
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

// active is an activation that PIM grants.
func (w *world) active() activation.Activation {
	w.t.Helper()
	a, _ := w.through(w.asked())
	for a.Phase != activation.Active {
		pass(2 * time.Second)
		r := w.watch.Do(w.t.Context(), a, activation.Effect{Kind: activation.WatchPIM})
		a = w.tell(a, r.Tell)
	}
	return a
}

func (w *world) finishing(a activation.Activation, d activation.Deed) activation.Activation {
	w.t.Helper()
	a = w.tell(a, activation.Finish{By: w.person(w.requester), Warrant: w.warrant(a, d, w.requester, "")})
	if len(a.Deeds) != 1 {
		w.t.Fatalf("no %s is pending in %s", d, a.Phase)
	}
	return a
}

func TestEnd(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a := w.active()
		pass(10 * time.Minute)
		a, all := w.through(w.finishing(a, activation.End))
		if a.Outcome != activation.EndedSoon || len(all) != 1 || w.creates("selfDeactivate") != 1 {
			t.Errorf("%s after %d attempts", a.Outcome, len(all))
		}
		pass(5 * time.Second)
		if w.Member(w.group.ID, w.requester.ID, time.Now()) {
			t.Error("still a member")
		}
	})
}

func TestEndWaitsForMinuteFive(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a := w.active()
		a = w.finishing(a, activation.End)
		r := w.do(a)
		trouble, ok := r.Tell.(activation.Trouble)
		if !ok || trouble.Why.Code != activation.TooEarly || !r.Again.Equal(a.From.Add(5*time.Minute)) || !trouble.Why.Until.Equal(r.Again) {
			t.Fatalf("report %+v", r)
		}
		a, _ = w.through(a)
		if a.Outcome != activation.EndedSoon || time.Since(a.From) > 5*time.Minute+10*time.Second {
			t.Errorf("%s after %v", a.Outcome, time.Since(a.From))
		}
	})
}

func TestEndOfWhatIsGone(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a := w.active()
		pass(10 * time.Minute)
		a = w.finishing(a, activation.End)
		_, err := w.Portal(w.requester.ID).Deactivate(w.group.ID, "member")
		w.must(err)
		pass(20 * time.Second)
		if a, all := w.through(a); a.Outcome != activation.EndedSoon {
			t.Errorf("%+v", all)
		}
	})
}

// Right after an activation PIM may not know of it: not a reason to say gone.
func TestEndDoesNotBelieveAStray(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a := w.active()
		pass(10 * time.Minute)
		a = w.finishing(a, activation.End)
		w.Inject(entra.Fault{Method: "POST", Path: "assignmentScheduleRequests", Do: entra.DoStatus, Status: 400, Code: "RoleAssignmentDoesNotExist", Times: 1})
		a, all := w.through(a)
		if a.Outcome != activation.EndedSoon || len(all) != 2 || w.creates("selfDeactivate") != 1 {
			t.Errorf("%s, %+v", a.Outcome, all)
		}
	})
}

func TestCancel(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.settings(w.approval)
		a, _ := w.through(w.asked())
		if a.Phase != activation.AwaitingApproval {
			t.Fatalf("phase %s", a.Phase)
		}
		a, _ = w.through(w.finishing(a, activation.Cancel))
		if a.Outcome != activation.Withdrawn {
			t.Errorf("outcome %s", a.Outcome)
		}
		q, err := w.reader.Request(t.Context(), a.Request.ID)
		if err != nil || q.Kind() != activation.CalledOff {
			t.Errorf("%+v %v", q, err)
		}
	})
}

func TestCancelRaces(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.settings(w.approval)
		a, _ := w.through(w.asked())
		a = w.finishing(a, activation.Cancel)
		w.must(w.Portal(w.approver.ID).Decide(a.Request.ID, true, "fine"))
		if r := w.do(a); refusal(r).Code != activation.NotPending {
			t.Errorf("after the decision: %+v", r)
		}
	})
	inWorld(t, func(t *testing.T, w *world) {
		w.settings(w.approval)
		a, _ := w.through(w.asked())
		a = w.finishing(a, activation.Cancel)
		w.must(w.Portal(w.requester.ID).Cancel(a.Request.ID))
		if a, _ := w.through(a); a.Outcome != activation.Withdrawn {
			t.Errorf("cancelled in the portal too: %s", a.Outcome)
		}
	})
}
