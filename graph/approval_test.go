package graph

import (
	"strings"
	"testing"
	"time"

	"pagbot/activation"
	"pagbot/sim/entra"
)

// awaiting is an activation that waits for an approver.
func (w *world) awaiting() activation.Activation {
	w.t.Helper()
	w.settings(w.approval)
	a, _ := w.through(w.asked())
	if a.Phase != activation.AwaitingApproval {
		w.t.Fatalf("phase %s", a.Phase)
	}
	return a
}

const because = "The incident is real"

func (w *world) voted(a activation.Activation, approve bool, by entra.User) activation.Activation {
	w.t.Helper()
	d := activation.Deny
	if approve {
		d = activation.Approve
	}
	a = w.tell(a, activation.Vote{By: w.person(by), Approve: approve, Reason: because, Warrant: w.warrant(a, d, by, because)})
	if len(a.Deeds) == 0 {
		w.t.Fatalf("no vote is pending in %s", a.Phase)
	}
	return a
}

func TestDecide(t *testing.T) {
	for approve, standing := range map[bool]activation.Standing{true: activation.Granted, false: activation.SaidNo} {
		inWorld(t, func(t *testing.T, w *world) {
			a, all := w.through(w.voted(w.awaiting(), approve, w.approver))
			if len(all) != 1 || a.Decision == nil || a.Decision.Approve != approve || a.Decision.By.Object != w.approver.ID || !a.Decision.Here {
				t.Fatalf("decision %+v after %+v", a.Decision, all)
			}
			pass(10 * time.Second)
			q, err := w.reader.Request(t.Context(), a.Request.ID)
			if err != nil || q.Kind() != standing {
				t.Errorf("%+v %v", q, err)
			}
			last := w.Writes()[len(w.Writes())-1]
			if last.Method != "PATCH" || !strings.Contains(last.Path, "/stages/") || !strings.Contains(last.Body, because) {
				t.Errorf("write %+v", last)
			}
		})
	}
}

// decideRefusals are votes that decide nothing, and why.
var decideRefusals = []struct {
	name string
	code activation.Code
	by   string
	set  func(w *world, a activation.Activation) activation.Activation
}{
	{"decided in the portal before", activation.AlreadyDecided, "second-approver@contoso.example", func(w *world, a activation.Activation) activation.Activation {
		a = w.voted(a, true, w.approver)
		w.must(w.Portal(w.second.ID).Decide(a.Request.ID, false, "no"))
		return a
	}},
	{"no approver", activation.NotAssigned, "", func(w *world, a activation.Activation) activation.Activation {
		return w.voted(a, true, w.admin)
	}},
	{"cancelled", activation.NotPending, "", func(w *world, a activation.Activation) activation.Activation {
		a = w.voted(a, true, w.approver)
		w.must(w.Portal(w.requester.ID).Cancel(a.Request.ID))
		return a
	}},
	{"own request", activation.OwnRequest, "", func(w *world, a activation.Activation) activation.Activation {
		a = w.voted(a, true, w.approver)
		a.Deeds[0].Warrant = w.warrant(a, activation.Approve, w.requester, because)
		return a
	}},
	{"another reason than the warrant's", activation.Changed, "", func(w *world, a activation.Activation) activation.Activation {
		a = w.voted(a, true, w.approver)
		a.Deeds[0].Reason = "something else"
		return a
	}},
	{"expired", activation.NotPending, "", func(w *world, a activation.Activation) activation.Activation {
		pass(25 * time.Hour)
		return w.voted(a, true, w.approver)
	}},
	{"hidden, though it waits", activation.NotAssigned, "", func(w *world, a activation.Activation) activation.Activation {
		w.Inject(entra.Fault{Method: "GET", Path: "assignmentApprovals", Do: entra.DoStatus, Status: 404})
		return w.voted(a, true, w.approver)
	}},
	{"hidden when it was to be written", activation.NotAssigned, "", func(w *world, a activation.Activation) activation.Activation {
		w.Inject(entra.Fault{Method: "PATCH", Path: "assignmentApprovals", Do: entra.DoStatus, Status: 404})
		return w.voted(a, true, w.approver)
	}},
	{"gone, and over", activation.NotPending, "", func(w *world, a activation.Activation) activation.Activation {
		a = w.voted(a, true, w.approver)
		w.must(w.Portal(w.requester.ID).Cancel(a.Request.ID))
		w.Inject(entra.Fault{Method: "GET", Path: "assignmentApprovals", Do: entra.DoStatus, Status: 404})
		return a
	}},
}

func TestDecideRefusals(t *testing.T) {
	for _, c := range decideRefusals {
		t.Run(c.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				a := c.set(w, w.awaiting())
				before := len(w.Writes())
				_, all := w.through(a)
				last := all[len(all)-1]
				if got := refusal(last); got.Code != c.code || got.By != c.by {
					t.Errorf("report %+v", last)
				}
				for _, r := range w.Writes()[before:] {
					if did(r) {
						t.Errorf("wrote %s %s", r.Method, r.Path)
					}
				}
			})
		})
	}
}

// What PIM's request says now is compared with what the approver was shown.
func TestChangedRequestIsNotDecided(t *testing.T) {
	changes := map[string]func(*activation.Request){
		"person": func(q *activation.Request) { q.Person.Object = "someone-else" },
		"group":  func(q *activation.Request) { q.Group.ID = "another" },
		"access": func(q *activation.Request) { q.Access = activation.Owner },
		"length": func(q *activation.Request) { q.Length *= 2 },
		"end":    func(q *activation.Request) { q.Until = time.Now() },
		"ticket": func(q *activation.Request) { q.Ticket = "INC2" },
	}
	for name, change := range changes {
		inWorld(t, func(t *testing.T, w *world) {
			a := w.awaiting()
			change(&a.Request) // what was shown is not what PIM holds
			a = w.voted(a, true, w.approver)
			before := len(w.Writes())
			if r := w.do(a); refusal(r).Code != activation.Changed || len(w.Writes()) != before {
				t.Errorf("%s: %+v", name, r)
			}
		})
	}
}

// A race that the GET did not see ends in a 409; who was faster is said.
func TestConflict(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a := w.voted(w.awaiting(), true, w.approver)
		w.Inject(entra.Fault{Method: "PATCH", Do: entra.DoStatus, Status: 409, Times: 1})
		if r := w.do(a); refusal(r).Code != activation.AlreadyDecided {
			t.Errorf("report %+v", r)
		}
	})
}

func TestStepsWhereStagesAreUnknown(t *testing.T) {
	for _, status := range []int{404, 405} {
		inWorld(t, func(t *testing.T, w *world) {
			a := w.voted(w.awaiting(), true, w.approver)
			w.Inject(entra.Fault{Method: "PATCH", Path: "/stages/", Do: entra.DoStatus, Status: status})
			a, _ = w.through(a)
			if a.Decision == nil || !a.Decision.Approve {
				t.Errorf("%d: %s", status, a.Phase)
			}
		})
	}
	inWorld(t, func(t *testing.T, w *world) {
		a := w.voted(w.awaiting(), true, w.approver)
		w.Inject(entra.Fault{Method: "PATCH", Path: "/stages/", Do: entra.DoStatus, Status: 403, Code: "Authorization_RequestDenied"})
		if r := w.do(a); refusal(r).Code != activation.NotAssigned {
			t.Errorf("a 403 must not be tried elsewhere: %+v", r)
		}
	})
}

// Where two must agree, the first yes asks PIM whether its giver may decide and
// writes nothing; the second one writes. One human's two accounts are one voice.
func TestQuorum(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a := w.awaiting()
		a.Quorum = 2
		before := len(w.Writes())
		a, all := w.through(w.voted(a, true, w.approver))
		if n := len(w.Writes()); n != before || len(a.Agreed) != 1 || a.Decision != nil || a.Phase != activation.AwaitingApproval {
			t.Fatalf("%d writes, agreed %+v, decided %+v after %+v", n-before, a.Agreed, a.Decision, all)
		}
		second := w.voted(a, true, w.second)
		twice := second
		twice.Agreed = []activation.Agreed{{By: activation.Person{Object: "another account", Human: "second", Slack: second.Deeds[0].Warrant.Actor.Slack}}}
		twice.Agreed[0].By.Tenant, twice.Agreed[0].By.Object = second.Deeds[0].Warrant.Actor.Tenant, second.Deeds[0].Warrant.Actor.Object
		if b, _ := w.through(twice); len(w.Writes()) != before || b.Decision != nil {
			t.Fatalf("one human was enough: %+v", b.Decision)
		}
		a, _ = w.through(second)
		if a.Decision == nil || !a.Decision.Approve || len(w.Writes()) != before+1 {
			t.Errorf("the second yes: %+v", a.Decision)
		}
	})
	inWorld(t, func(t *testing.T, w *world) {
		a := w.awaiting()
		a.Quorum = 2
		if a, _ = w.through(w.voted(a, false, w.approver)); a.Outcome != activation.Denied {
			t.Errorf("one no is enough, and it is %s", a.Phase)
		}
	})
	// Who may not decide in PIM has no voice here either.
	inWorld(t, func(t *testing.T, w *world) {
		a := w.awaiting()
		a.Quorum = 2
		w.settings(func(s *entra.Settings) { w.approval(s); s.Approvers = []entra.Approver{{User: w.second.ID}} })
		if a, all := w.through(w.voted(a, true, w.approver)); len(a.Agreed) != 0 {
			t.Errorf("%+v after %+v", a.Agreed, all)
		}
	})
}
