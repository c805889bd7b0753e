package graph

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"pagbot/sim/entra"
)

// All of 250 groups, half of them through a team, in few round trips one after
// the other; and again when Graph refuses some of those that it was asked for
// at once.
func TestEligibleIn250Groups(t *testing.T) {
	const n, trip = 250, 200 * time.Millisecond
	for _, troubled := range []bool{false, true} {
		inWorld(t, func(t *testing.T, w *world) {
			w.Turn(func(d *entra.Dials) { d.Page = 100 })
			team := w.AddGroup(entra.Group{Name: "team"})
			w.must(w.AddTie(team.ID, "member", w.requester.ID))
			ids := []string{w.group.ID}
			for i := range n - 1 {
				g := w.AddGroup(entra.Group{Name: fmt.Sprint("group-", i)})
				ids = append(ids, g.ID)
				who := w.requester.ID
				if i%2 == 0 {
					who = team.ID
				}
				_, err := w.AddEligibility(g.ID, "member", who, time.Time{})
				w.must(err)
			}
			graph := w.Graph()
			far := w.serve(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
				time.Sleep(trip)
				graph.ServeHTTP(out, r)
			}))
			reader, err := NewReader(Config{Base: "http://graph.test", Tenant: w.Tenant(), Credential: credential{w}, HTTP: far, Groups: ids})
			w.must(err)
			if troubled {
				w.Inject(entra.Fault{Path: "eligibilityScheduleInstances", Skip: 20, Times: 9, Do: entra.DoStatus, Status: 429, RetryAfter: "1"})
			}
			began := time.Now()
			got, err := reader.Eligible(t.Context(), w.person(w.requester))
			if err != nil || len(got) != n {
				t.Fatalf("%d of %d: %v", len(got), n, err)
			}
			depth := int(time.Since(began) / trip)
			if !troubled {
				t.Logf("list_250_depth: %d", depth)
			}
			if depth > 3 && !troubled {
				t.Errorf("%d round trips one after the other", depth)
			}
		})
	}
}
