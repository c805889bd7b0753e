package downstream_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"pagbot/activation"
	"pagbot/downstream"
	"pagbot/downstream/probetest"
	"pagbot/sim/azure"
	"pagbot/sim/defender"
	"pagbot/sim/intune"
	"pagbot/sim/target"
)

// slow is a target with the book's delays and the truth about it.
type slow struct {
	probe downstream.Probe
	copy  *target.Copy
}

// lates are the targets that allow late, by name.
var lates = map[string]func(t *testing.T, seed uint64, roll *probetest.Roll) slow{
	"intune": func(t *testing.T, seed uint64, roll *probetest.Roll) slow {
		w, err := intune.New(intune.Config{Seed: seed, Directory: roll, Verify: door, Assignments: []intune.Assignment{{ID: sawID, Role: roleID, Groups: []string{pagID}}}})
		must(t, w, err)
		return slow{intuneProbe(t, w, sawID, pagID, sessions{}), w.Copy(sawID)}
	},
	"defender": func(t *testing.T, seed uint64, roll *probetest.Roll) slow {
		w, err := defender.New(defender.Config{Seed: seed, Directory: roll, Verify: door, Roles: []defender.Role{{ID: sawID, Groups: []string{pagID}, DeviceGroups: []string{"Servers"}}},
			Devices: []defender.Device{{ID: "m1", Name: "srv1", Group: "Servers"}}})
		must(t, w, err)
		return slow{defenderProbe(t, w, "Machine.Read", downstream.DefenderConfig{DeviceGroups: []string{"Servers"}, Devices: token}), w.Copy(sawID)}
	},
	"azure": func(t *testing.T, seed uint64, roll *probetest.Roll) slow {
		w, err := azure.New(azure.Config{Seed: seed, Directory: roll, Verify: door, Assignments: []azure.Assignment{{Principal: pagID, Role: roleID, Scope: scope, Actions: []string{"*"}}}})
		must(t, w, err)
		front := &probetest.Front{Handler: w.Handler()}
		return slow{azureProbe(t, front, downstream.AzureConfig{Ask: downstream.AzureCheck, Action: startVM, Expands: true}), w.Copy(0)}
	},
}

// follow asks until the wanted answer is news, and returns it.
func follow(t *testing.T, w *downstream.Watch, a activation.Activation, toward activation.Direction, wanted activation.Says) activation.Probed {
	t.Helper()
	e := activation.Effect{Kind: activation.Probe, Target: "target", Toward: toward}
	for began := time.Now(); time.Since(began) < 3*time.Hour; {
		r := w.Do(t.Context(), a, e)
		n, ok := r.Tell.(activation.Probed)
		if ok && n.Answer.Says == wanted {
			return n
		}
		if ok && n.Answer.Says == activation.CantTell {
			t.Fatalf("%s: %+v", toward, n.Answer)
		}
		if toward == activation.Grant && a.From.IsZero() {
			t.Fatalf("the control says %+v", r)
		}
		e.Memory = r.Memory
		time.Sleep(max(r.After, time.Until(r.Again)))
	}
	t.Fatalf("%s: never %s", toward, wanted)
	return activation.Probed{}
}

// Each life has a control, an activation that is waited for, and an end that is
// waited for. What is published must hold the truth, as it was served: no
// effect before there was one, nothing gone that still worked.
func TestTruthMicrosoftIntervals(t *testing.T) {
	t.Parallel()
	const lives = 40
	figures := map[string]int{"effects_said": 0, "removals_said": 0, "false_effective": 0, "false_gone": 0, "interval_misses": 0}
	for name, make := range lates {
		for seed := range uint64(lives) {
			synctest.Test(t, func(t *testing.T) {
				roll := &probetest.Roll{}
				s := make(t, seed, roll)
				w, err := downstream.NewWatch(downstream.Config{Probes: map[string]downstream.Probe{"target": s.probe}})
				must(t, w, err)
				oid := probetest.Requester.Object
				a := activation.Activation{Person: probetest.Requester, Phase: activation.AwaitingApproval, Began: time.Now(), Targets: []activation.Target{{ID: "target", Level: s.probe.Limits().Level}}}
				control := follow(t, w, a, activation.Grant, activation.No)
				time.Sleep(time.Duration(seed) * 7 * time.Second)
				a.Phase, a.From = activation.Active, time.Now()
				a.Targets[0].Grant = activation.Span{State: activation.Waiting, After: control.Answer.Sent}
				roll.Set(oid, true)
				judge(t, figures, follow(t, w, a, activation.Grant, activation.Yes), control.Answer.Sent, s.copy, oid, true, a.From)
				time.Sleep(time.Hour)
				a.Phase, a.Ended = activation.Verifying, time.Now()
				roll.Set(oid, false)
				judge(t, figures, follow(t, w, a, activation.Removal, activation.No), a.Ended, s.copy, oid, false, a.Ended)
			})
			if t.Failed() {
				t.Fatalf("%s, life %d", name, seed)
			}
		}
	}
	for name, n := range figures {
		fmt.Printf("microsoft_%s: %d\n", name, n)
		if want := map[string]int{"effects_said": lives * len(lates), "removals_said": lives * len(lates)}[name]; n != want {
			t.Errorf("%s is %d, want %d", name, n, want)
		}
	}
}

// judge holds one published interval against the oracle.
func judge(t *testing.T, figures map[string]int, n activation.Probed, before time.Time, c *target.Copy, oid string, in bool, since time.Time) {
	t.Helper()
	said, wrong := "effects_said", "false_effective"
	if !in {
		said, wrong = "removals_said", "false_gone"
	}
	figures[said]++
	after := before
	if n.Last.After(after) {
		after = n.Last
	}
	truth, known := c.First(oid, in, since)
	from, to, _ := c.TrueEffect(oid)
	knew := from
	if !in {
		knew = to
	}
	switch {
	case !known || n.Answer.Received.Before(knew):
		figures[wrong]++
		t.Errorf("%s at %v, the truth is %v", said, n.Answer.Received, knew)
	case !truth.After(after) || truth.After(n.Answer.Received):
		figures["interval_misses"]++
		t.Errorf("in (%v, %v], the truth is %v", after, n.Answer.Received, truth)
	}
}
