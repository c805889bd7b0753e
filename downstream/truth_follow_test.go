package downstream

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pagbot/activation"
)

// followed is one life of an activation, as it was told and as it was.
type followed struct {
	*fate
	life
}

// moment is something that happens in a life by itself.
type moment struct {
	at time.Time
	do func()
}

// watchOver makes the Watch, as the process does when it starts.
func (l *followed) watchOver(t *testing.T) {
	w, err := NewWatch(Config{Probes: map[string]Probe{"target": l.fate}, History: l.history})
	if err != nil {
		t.Fatal(err)
	}
	l.w = w
}

// followFate has the Watch and the core live through a fate, until the removal
// has its last word.
func followFate(t *testing.T, f *fate) *followed {
	l := &followed{f, life{settled: map[activation.Direction]time.Time{}}}
	l.watchOver(t)
	ctx := t.Context()
	for _, m := range l.moments(t) {
		if l.a.Phase == activation.Closed {
			break
		}
		l.until(ctx, m.at)
		m.do()
	}
	return l
}

// moments are what happens in a life, in order.
func (l *followed) moments(t *testing.T) []moment {
	group := activation.Group{Tenant: tenantID, ID: "group"}
	n := activation.Notice{ID: "life", Person: requester, Group: group, Access: activation.Member,
		Targets:  []activation.Target{{ID: "target", Kind: "devops", Level: activation.L2, Within: activation.Duration(l.within)}},
		Request:  activation.Request{ID: "request", Status: "PendingApproval", Created: l.began},
		Instance: activation.Instance{ID: "instance", Person: requester, Group: group, From: l.from, Ends: l.ends}}
	present := n.Instance
	all := []moment{
		{l.from.Add(l.noticed), func() {
			if !l.control {
				l.tell(n)
			}
			l.tell(activation.Saw{Looked: true, Present: &present, At: time.Now()})
		}},
		{l.ends.Add(l.noticed), func() { l.tell(activation.Saw{Looked: true, At: time.Now()}) }},
		{l.ends.Add(l.within + l.noticed), func() { l.tell(activation.Tick{}) }},
		{l.ends.Add(activation.GiveUp + l.noticed), func() { l.tell(activation.Tick{}) }},
	}
	if l.control {
		n.Instance = activation.Instance{}
		all = append(all, moment{l.began, func() { l.tell(n) }})
	}
	for _, r := range l.restarts {
		all = append(all, moment{r.at, func() { l.restart(t, r) }})
	}
	slices.SortStableFunc(all, func(a, b moment) int { return a.at.Compare(b.at) })
	return all
}

// restart is the process dying and coming back: what it had under way is done
// again, at once if it was due meanwhile.
func (l *followed) restart(t *testing.T, r restart) {
	time.Sleep(time.Until(r.at.Add(r.down)))
	l.watchOver(t)
	for i := range l.jobs {
		if r.forgets {
			l.jobs[i].effect.Memory, l.jobs[i].due = nil, time.Now()
		}
	}
}

// liveOne lives one life in a bubble of its own.
func liveOne(t *testing.T, life uint64, all []nature, pasts [][]Latency, sabotage func(*fate)) (v verdict) {
	synctest.Test(t, func(t *testing.T) {
		f := drawFate(life, time.Now(), all, pasts)
		if sabotage != nil {
			sabotage(f)
		}
		l := followFate(t, f)
		v.grant(l)
		v.removal(l)
		time.Sleep(time.Minute) // calls that hang come back
	})
	return v
}
