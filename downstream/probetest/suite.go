// Package probetest says what every probe must keep, whatever it asks: its
// deadline, a no told from a can't tell, no trace left at the target, a
// negative control, evidence with its level and the id of what granted it,
// answers in the order of the question, Retry-After handed on, moments that
// bound the evaluation, and no credential in anything that is written down.
//
// A probe and its simulator go in as a [Suite]: one call of [Run] in a test of
// package downstream_test, which is all that a new kind of target needs here.
// Its requests pass through a [Front], which counts them and breaks them in
// every way that a network or a target can; [Roll] is Entra's true history for
// simulators that follow it.
package probetest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pagbot/activation"
	"pagbot/downstream"
)

// Tenant is the tenant of all persons here.
const Tenant = "aaaaaaaa-0000-4000-8000-00000000000a"

// The persons of every suite. A target knows the first two and has given them
// nothing; the stranger it has never heard of.
var (
	Requester = activation.Person{Tenant: Tenant, Object: "bbbbbbbb-0000-4000-8000-000000000001", Name: "requester@contoso.example"}
	Colleague = activation.Person{Tenant: Tenant, Object: "bbbbbbbb-0000-4000-8000-000000000002", Name: "colleague@contoso.example"}
	Stranger  = activation.Person{Tenant: Tenant, Object: "bbbbbbbb-0000-4000-8000-000000000003", Name: "stranger@contoso.example"}
)

// Suite is one kind of probe, as it is asked here.
type Suite struct {
	Name     string
	Level    activation.Level            // of its sound answers
	OneByOne bool                        // a batch saves no calls here
	Unknown  activation.Says             // about the stranger; empty: can't tell
	Absent   bool                        // of whom it says that nobody is there
	NoIs404  bool                        // a lone 404 is the target's word for no
	ByName   bool                        // the target knows persons by name only
	Faults   map[string]Reply            // on top of Faults: what this target says when it is broken
	Spare    map[string]string           // faults that are none here, and why
	New      func(t *testing.T) World    // called in a bubble of virtual time
	Extra    map[string]func(*testing.T) // further tests of this kind, in a bubble each
}

// World is a target and how to make probes of it.
type World struct {
	Probe   func() downstream.Probe // a fresh one, which has asked nothing yet
	Front   *Front                  // what all its requests pass through
	Grants  string                  // the id of what grants: the evidence of a yes has it
	Secrets []string                // credentials that the probe uses
	// Give grants or takes away, and returns when the target knows.
	Give func(p activation.Person, has bool)
	// Read tells requests that change nothing; nil: GET and HEAD.
	Read func(Request) bool
}

// Run holds a kind of probe against all that every probe must keep.
func Run(t *testing.T, s Suite) {
	if s.Unknown == "" {
		s.Unknown = activation.CantTell
	}
	t.Run(s.Name, func(t *testing.T) {
		t.Parallel() // each has bubbles and a world of its own
		for _, c := range checks {
			t.Run(c.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { c.run(&bench{T: t, Suite: s, World: s.New(t)}) })
			})
		}
		for name, run := range s.Extra {
			t.Run(name, func(t *testing.T) { synctest.Test(t, run) })
		}
	})
}

var checks = []struct {
	name string
	run  func(*bench)
}{
	{"the negative control", negativeControl},
	{"answers in order", inOrder},
	{"more than a batch", moreThanABatch},
	{"a batch is cheaper", batchIsCheaper},
	{"whom it does not know", unknown},
	{"a namesake", namesake},
	{"many at once", atOnce},
	{"moments bound the evaluation", bounds},
	{"everything is broken", broken},
	{"a step is broken", brokenStep},
	{"deadlines", deadlines},
	{"Retry-After", retryAfter},
	{"redirects", redirects},
	{"only reads", onlyReads},
	{"no credential is written down", secrets},
}

// bench is one check of one suite.
type bench struct {
	*testing.T
	Suite
	World
}

// ask asks a probe, and holds what every answer must be.
func (b *bench) ask(p downstream.Probe, who ...activation.Person) ([]activation.Answer, error) {
	b.Helper()
	return b.within(b.Context(), p, who...)
}

func (b *bench) within(ctx context.Context, p downstream.Probe, who ...activation.Person) ([]activation.Answer, error) {
	b.Helper()
	before := time.Now()
	got, err := p.Check(ctx, who)
	after := time.Now()
	if len(got) != len(who) {
		b.Fatalf("%d answers about %d persons", len(got), len(who))
	}
	for i, a := range got {
		sound := a.Says == activation.Yes || a.Says == activation.No
		switch {
		case !sound && a.Says != activation.CantTell:
			b.Errorf("%s: %q is no answer", who[i].Name, a.Says)
		case !sound && a.Why == "":
			b.Errorf("%s: can't tell, and does not say why", who[i].Name)
		case strings.ContainsAny(a.Why+a.Evidence+a.Via, "\r\n"):
			b.Errorf("%s: more than a line: %+v", who[i].Name, a)
		case a.Level > p.Limits().Level:
			b.Errorf("%s: level %d, and %d is the most it may claim", who[i].Name, a.Level, p.Limits().Level)
		case a.Says == activation.Yes && a.Evidence == "":
			b.Errorf("%s: a yes without evidence", who[i].Name)
		}
		if a.Sent.Before(before) || a.Received.Before(a.Sent) || a.Received.After(after) {
			b.Errorf("%s: evaluated in [%v, %v], asked in [%v, %v]", who[i].Name, a.Sent, a.Received, before, after)
		}
	}
	b.clean(got, err)
	return got, err
}

// expect asks about persons and wants one answer each.
func (b *bench) expect(p downstream.Probe, who []activation.Person, want ...activation.Says) []activation.Answer {
	b.Helper()
	got, err := b.ask(p, who...)
	if err != nil && !slices.Contains(want, activation.CantTell) {
		b.Errorf("Check: %v", err)
	}
	for i, a := range got {
		if a.Says != want[i] {
			b.Errorf("%s: %+v, want %s", who[i].Name, a, want[i])
		}
	}
	return got
}

// rest lets throttles and pauses pass.
func (b *bench) rest() { time.Sleep(time.Minute) }

func who(p ...activation.Person) []activation.Person { return p }

// written is an answer, or an error with all that it wraps, as text.
func written(answers []activation.Answer, err error) string {
	var all strings.Builder
	fmt.Fprintf(&all, "%+v", answers)
	for wrapped := []error{err}; len(wrapped) > 0; wrapped = wrapped[1:] {
		e := wrapped[0]
		if e == nil {
			continue
		}
		fmt.Fprintf(&all, "\n%v\n%+v", e, e)
		switch u := e.(type) {
		case interface{ Unwrap() error }:
			wrapped = append(wrapped, u.Unwrap())
		case interface{ Unwrap() []error }:
			wrapped = append(wrapped, u.Unwrap()...)
		}
	}
	return all.String()
}

// clean wants no credential in what may be logged or kept.
func (b *bench) clean(answers []activation.Answer, err error) {
	b.Helper()
	text := written(answers, err)
	for _, s := range b.Secrets {
		if s != "" && strings.Contains(text, s) {
			b.Errorf("a credential is written down: %s", strings.ReplaceAll(text, s, "<THE CREDENTIAL>"))
		}
	}
}
