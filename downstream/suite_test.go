package downstream

import (
	"context"
	"errors"
	"net/http"
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
	{"entra", activation.L0, []string{"hang", "403", "429", "503", "empty"}, entraKind},
	{"devops by access control list", activation.L2, devopsFaults, func(t *testing.T) kind { return devopsKind(t, false) }},
	{"devops by membership", activation.L1, append([]string{"html 404"}, devopsFaults...), func(t *testing.T) kind { return devopsKind(t, true) }},
}

var devopsFaults = []string{"hang", "html", "203", "error inside", "401", "403", "429", "503", "empty", "malformed", "half", "route", "redirect"}

func newDevOps(t *testing.T, o *org) *DevOps {
	t.Helper()
	d, err := NewDevOps(DevOpsConfig{Org: "contoso", HTTP: &http.Client{Transport: direct{o}},
		Token: func(context.Context) (string, error) { return "app", nil }})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func devopsKind(t *testing.T, absent bool) kind {
	o := &org{absent: absent}
	has := map[string]bool{}
	for _, p := range []activation.Person{requester, colleague} {
		o.join(p, func(time.Time) bool { return has[p.Object] })
	}
	return kind{newDevOps(t, o), func(p activation.Person, is bool) { has[p.Object] = is }, o.set, func() int {
		n := 0
		for _, q := range o.history {
			if q.Method != http.MethodGet {
				n++
			}
		}
		return n
	}}
}

// directory answers as Entra's reader does.
type directory struct {
	has   map[string]bool
	fault string
}

type throttled struct{ error }

func (throttled) RetryAfter() time.Duration { return 37 * time.Second }

func (d *directory) IsMember(ctx context.Context, group string, _ activation.Access, objects []string) (map[string]bool, error) {
	switch d.fault {
	case "hang":
		<-ctx.Done()
		return nil, ctx.Err()
	case "403":
		return nil, activation.Refusal{Code: activation.PermissionNeeded}
	case "429":
		return nil, throttled{activation.Refusal{Code: activation.Throttled}}
	case "503":
		return nil, activation.Refusal{Code: activation.Unavailable}
	case "empty":
		return map[string]bool{}, nil
	}
	is := map[string]bool{}
	for _, o := range objects {
		is[o] = d.has[o]
	}
	return is, nil
}

func entraKind(t *testing.T) kind {
	d := &directory{has: map[string]bool{}}
	p, err := NewEntra(EntraConfig{Group: "cccccccc-0000-4000-8000-000000000001", Directory: d})
	if err != nil {
		t.Fatal(err)
	}
	return kind{p, func(p activation.Person, is bool) { d.has[p.Object] = is }, func(f string) { d.fault = f }, func() int { return 0 }}
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
