package downstream

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pagbot/activation"
	"pagbot/sim/devops"
	"pagbot/sim/pipe"
)

const (
	pagID    = "cccccccc-0000-4000-8000-000000000001"
	readerID = "dddddddd-0000-4000-8000-000000000001"
)

// stays is Entra's true history for the simulated organization.
type stays struct {
	has func(oid string, at time.Time) bool
}

func (s stays) Member(_, oid string, at time.Time) bool { return s.has(oid, at) }

// simulated serves a simulated Azure DevOps in the bubble, and makes a probe of
// it. front may stand between them and spoil answers.
func simulated(t *testing.T, o devops.Org, s stays, l Limits, front func(http.Handler) http.Handler) (*devops.World, *DevOps) {
	t.Helper()
	o.Name, o.Groups, o.Readers = "contoso", []string{pagID}, []string{readerID}
	for i, p := range []activation.Person{requester, colleague} {
		u := devops.User{OID: p.Object, UPN: p.Name, Name: p.Name, Standing: true, SignedIn: true}
		if i < len(o.Users) {
			u.Administrator = o.Users[i].Administrator
			o.Users[i] = u
		} else {
			o.Users = append(o.Users, u)
		}
	}
	w, err := devops.New(devops.Config{Seed: 1, Tenant: tenantID, Directory: s, Orgs: []devops.Org{o},
		Verify: func(token string) (devops.Caller, error) {
			if token != "app" {
				return devops.Caller{}, errors.New("not a token")
			}
			return devops.Caller{OID: readerID}, nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	h := w.Handler()
	if front != nil {
		h = front(h)
	}
	client := serve(t, map[string]http.Handler{"devops.test": h, "vssps.devops.test": h})
	d, err := NewDevOps(DevOpsConfig{Org: "contoso", DevBase: "http://devops.test", VSSPSBase: "http://vssps.devops.test", HTTP: client,
		Token: func(context.Context) (string, error) { return "app", nil }, Limits: l})
	if err != nil {
		t.Fatal(err)
	}
	return w, d
}

// serve makes hosts reachable in the bubble until the test ends.
func serve(t *testing.T, hosts map[string]http.Handler) *http.Client {
	n := &pipe.Net{}
	client := n.Client()
	var stops []func()
	for host, h := range hosts {
		stops = append(stops, n.Serve(host, h))
	}
	t.Cleanup(func() {
		client.CloseIdleConnections()
		for _, stop := range stops {
			stop()
		}
	})
	return client
}

// However many activations wait for one target, it is never asked faster than
// it allows: the simulated one would say 429.
func TestManyActivationsShareOneBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, d := simulated(t, devops.Org{}, stays{func(string, time.Time) bool { return false }}, Limits{}, nil)
		w.Turn(func(d *devops.Dials) { d.NoEntry = true }) // each person then costs several calls
		watch, err := NewWatch(Config{Probes: map[string]Probe{"devops": d}})
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		var noes atomic.Int64
		for i := range 60 {
			a := activation.Activation{Person: []activation.Person{requester, colleague}[i%2], Phase: activation.Active, Began: time.Now(), From: time.Now(),
				Targets: []activation.Target{{ID: "devops"}}}
			e := activation.Effect{Kind: activation.Probe, Target: "devops", Toward: activation.Grant}
			wg.Go(func() {
				for range 4 {
					r := watch.Do(t.Context(), a, e)
					if p, ok := r.Tell.(activation.Probed); ok && p.Answer.Says == activation.No {
						noes.Add(1)
					}
					e.Memory = r.Memory
					time.Sleep(time.Until(r.Again))
				}
			})
		}
		wg.Wait()
		calls, most := w.History(), 0
		for i, c := range calls {
			n := 0
			for _, later := range calls[i:] {
				if later.At.Sub(c.At) < 10*time.Second {
					n++
				}
			}
			most = max(most, n)
			if c.Status == http.StatusTooManyRequests {
				t.Errorf("at %v: throttled", c.At)
			}
		}
		if noes.Load() < 60 || most < 5 {
			t.Errorf("%d first noes of 60, at most %d calls in ten seconds", noes.Load(), most)
		}
		t.Logf("%d calls for 240 questions, at most %d in ten seconds", len(calls), most)
	})
}
