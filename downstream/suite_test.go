package downstream

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pagbot/activation"
)

// kind is one kind of probe with a world behind it, for the suite that every
// kind must pass.
type kind struct {
	probe  Probe
	give   func(p activation.Person, has bool) // from now on, without delay
	fault  func(name string)
	writes func() int // requests so far that were not reads
}

// world makes a kind in which the requester is known and has nothing.
type world struct {
	name   string
	level  activation.Level
	faults []string // that must give a can't tell
	make   func(t *testing.T) kind
}

var worlds = []world{
	{"entra members", activation.L0, slices.Collect(maps.Keys(entraFaults)), func(t *testing.T) kind { return entraKind(t, activation.Member) }},
	{"entra owners", activation.L0, slices.Collect(maps.Keys(entraFaults)), func(t *testing.T) kind { return entraKind(t, activation.Owner) }},
	{"devops by access control list", activation.L2, devopsFaults, func(t *testing.T) kind { return devopsKind(t, false) }},
	{"devops by membership", activation.L1, append([]string{"html 404"}, devopsFaults...), func(t *testing.T) kind { return devopsKind(t, true) }},
}

var devopsFaults = []string{"hang", "html", "203", "error inside", "401", "403", "429", "503", "empty", "malformed", "half", "route", "redirect"}

// newDevOps asks the small organization, without any network.
func newDevOps(t *testing.T, o *org) *DevOps {
	t.Helper()
	d, err := NewDevOps(DevOpsConfig{Org: "contoso", HTTP: &http.Client{Transport: direct{o}},
		Token: func(context.Context) (string, error) { return "app", nil }})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// each runs a test for every kind of probe, in virtual time.
func each(t *testing.T, f func(t *testing.T, w world, k kind)) {
	for _, w := range worlds {
		t.Run(w.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { f(t, w, w.make(t)) })
		})
	}
}

func check(t *testing.T, k kind, who ...activation.Person) []activation.Answer {
	t.Helper()
	before := time.Now()
	got, err := k.probe.Check(t.Context(), who)
	if err != nil {
		t.Fatalf("Check: %v", err)
	}
	if len(got) != len(who) {
		t.Fatalf("%d answers about %d persons", len(got), len(who))
	}
	for _, a := range got {
		if a.Sent.Before(before) || a.Received.Before(a.Sent) || a.Received.After(time.Now()) {
			t.Errorf("evaluated in [%v, %v], asked in [%v, %v]", a.Sent, a.Received, before, time.Now())
		}
	}
	return got
}

func TestNegativeControl(t *testing.T) {
	each(t, func(t *testing.T, w world, k kind) {
		if a := check(t, k, requester)[0]; a.Says != activation.No || a.Level != w.level {
			t.Errorf("before: %+v", a)
		}
		k.give(requester, true)
		if a := check(t, k, requester)[0]; a.Says != activation.Yes || a.Level != w.level || a.Evidence == "" {
			t.Errorf("after: %+v", a)
		}
		k.give(requester, false)
		if a := check(t, k, requester)[0]; a.Says != activation.No {
			t.Errorf("gone: %+v", a)
		}
		if w.level > k.probe.Limits().Level {
			t.Errorf("limits promise %v, answered %v", k.probe.Limits().Level, w.level)
		}
	})
}

func TestAnswersAreInOrder(t *testing.T) {
	each(t, func(t *testing.T, w world, k kind) {
		k.give(colleague, true)
		for _, who := range [][]activation.Person{{requester, colleague}, {colleague, requester}, {colleague, requester, colleague}} {
			for i, a := range check(t, k, who...) {
				want := activation.No
				if who[i] == colleague {
					want = activation.Yes
				}
				if a.Says != want {
					t.Errorf("%s: %+v, want %s", who[i].Name, a, want)
				}
			}
		}
	})
}

// What is broken is neither a yes nor a no, whatever was true before, both when
// the probe has never answered and when it has.
func TestFaultsAreDoubts(t *testing.T) {
	each(t, func(t *testing.T, w world, _ kind) {
		for _, fault := range w.faults {
			for _, warm := range []bool{false, true} {
				for _, has := range []bool{false, true} {
					k := w.make(t)
					k.give(requester, has)
					if warm {
						check(t, k, requester)
					}
					k.fault(fault)
					got, err := k.probe.Check(t.Context(), []activation.Person{requester, colleague})
					if len(got) != 2 {
						t.Fatalf("%s: %d answers", fault, len(got))
					}
					for _, a := range got {
						if a.Says != activation.CantTell || a.Why == "" {
							t.Errorf("%s, warm %v, has %v: %+v", fault, warm, has, a)
						}
					}
					var f *Fault
					if fault == "429" && (!errors.As(err, &f) || f.After != 37*time.Second) {
						t.Errorf("429 says %v, not how long to wait", err)
					}
					k.fault("")
					time.Sleep(time.Minute)
					if a := check(t, k, requester)[0]; a.Says == activation.CantTell {
						t.Errorf("%s: after its end still %+v", fault, a)
					}
				}
			}
		}
	})
}

func TestDeadlineIsKept(t *testing.T) {
	each(t, func(t *testing.T, w world, k kind) {
		k.fault("hang")
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		began := time.Now()
		_, err := k.probe.Check(ctx, []activation.Person{requester, colleague})
		if took := time.Since(began); took > 3*time.Second || err == nil {
			t.Errorf("took %v, %v", took, err)
		}
		began = time.Now()
		_, _ = k.probe.Check(t.Context(), []activation.Person{requester})
		if took := time.Since(began); took > k.probe.Limits().Timeout {
			t.Errorf("took %v of its own %v", took, k.probe.Limits().Timeout)
		}
	})
}

func TestOnlyReads(t *testing.T) {
	each(t, func(t *testing.T, w world, k kind) {
		check(t, k, requester, colleague)
		k.give(requester, true)
		check(t, k, requester)
		if n := k.writes(); n > 0 {
			t.Errorf("%d writes", n)
		}
	})
}
