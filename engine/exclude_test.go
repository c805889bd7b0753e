package engine

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"pagbot/activation"
)

// pims is PIM with a word for each group.
type pims struct {
	pim
	mu  sync.Mutex
	of  map[string][]activation.Instance
	ask map[string][]activation.Request
	err error
}

func (p *pims) Instances(_ context.Context, g string) ([]activation.Instance, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.of[g]), p.err
}

func (p *pims) Requests(_ context.Context, g string) ([]activation.Request, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.ask[g]), p.err
}

func (p *pims) change(f func(*pims)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f(p)
}

// excluding is a lab with two groups that exclude each other.
func excluding(t *testing.T, beat time.Duration, test func(l *lab, p *pims, sent *tally)) {
	t.Helper()
	var sent tally
	p := &pims{of: map[string][]activation.Instance{}, ask: map[string][]activation.Request{}}
	inLab(t, hand{do: func(_ context.Context, a activation.Activation, e activation.Effect) activation.Report {
		sent.begin(a.ID + " " + string(e.Deed))()
		return submitted(a, e)
	}}, func(c *Config) { exclusive(c, p); c.Beat = beat }, func(l *lab) {
		l.sleep(time.Second)
		test(l, p, &sent)
	})
}

func (p *pims) grants(g activation.Group, object string, from time.Time) {
	p.change(func(p *pims) {
		i := granted(object, "s-"+g.ID, from)
		i.Group = g
		p.of[g.ID] = []activation.Instance{i}
	})
}

const never = 1000 * time.Hour

// What nobody has noticed yet is seen right before the write, which is not made.
func TestExcludedElsewhere(t *testing.T) {
	for name, shows := range map[string]func(p *pims){
		"active": func(p *pims) { p.grants(other, requester.Object, time.Now().Add(-time.Hour/2)) },
		"requested": func(p *pims) {
			p.ask[other.ID] = []activation.Request{request("r9", requester.Object, "PendingApproval", "", "x")}
		},
		"to come": func(p *pims) {
			r := request("r9", requester.Object, "Granted", "", "x")
			r.Start, r.Length = time.Now().Add(20*time.Minute), activation.Duration(length)
			p.ask[other.ID] = []activation.Request{r}
		},
	} {
		t.Run(name, func(t *testing.T) {
			excluding(t, never, func(l *lab, p *pims, sent *tally) {
				shows(p)
				l.ask("a1", activation.Session)
				l.sleep(5 * time.Second)
				a, _ := l.Load(l.ctx, "a1")
				if a.Refusal == nil || a.Refusal.Code != activation.Excluded || len(sent.calls()) > 0 {
					t.Errorf("%s %v; sent: %v", a.Phase, a.Refusal, sent.calls())
				}
			})
		})
	}
}

// Somebody else's, and what is over, stand in nobody's way; nor does PIM's
// silence let anything through.
func TestNotExcluded(t *testing.T) {
	excluding(t, never, func(l *lab, p *pims, sent *tally) {
		p.grants(other, "colleague", time.Now())
		p.change(func(p *pims) { p.err = errors.New("503") })
		l.ask("a1", activation.Session)
		l.sleep(time.Minute)
		if n := len(sent.calls()); n > 0 {
			t.Errorf("sent without knowing: %v", sent.calls())
		}
		p.change(func(p *pims) { p.err = nil })
		l.sleep(10 * time.Second)
		l.is("a1", activation.Provisioning)
	})
}

// What was left is shown a little longer than it is there: it is waited for, and
// not for ever.
func TestSwitchWaitsForPIM(t *testing.T) {
	for name, lag := range map[string]time.Duration{"forgotten": 20 * time.Second, "never forgotten": time.Hour} {
		t.Run(name, func(t *testing.T) {
			excluding(t, never, func(l *lab, p *pims, sent *tally) {
				l.ask("a4", activation.Session, func(q *activation.Ask) { q.Group = other })
				l.sleep(5 * time.Second)
				from := time.Now()
				p.grants(other, requester.Object, from)
				i := granted(requester.Object, "s", from)
				if _, err := l.Tell(l.ctx, "a4", activation.Saw{Looked: true, Present: &i, At: from}); err != nil {
					t.Fatal(err)
				}
				l.sleep(10 * time.Minute)
				in := switching(l.Clock.Now())
				l.renew(in)
				l.sleep(10 * time.Second)
				l.is("a4", activation.Closed)
				l.is("a1", activation.Asked)
				l.sleep(lag)
				if lag < time.Hour {
					p.change(func(p *pims) { p.of = nil })
					l.sleep(2 * time.Second)
					l.is("a1", activation.Provisioning)
					return
				}
				a, _ := l.Load(l.ctx, "a1")
				if a.Refusal == nil || a.Refusal.Code != activation.Excluded || slices.Contains(sent.calls(), "a1 activate") {
					t.Errorf("%s %v; sent: %v", a.Phase, a.Refusal, sent.calls())
				}
			})
		})
	}
}

// switching is the switch from a4 to a1.
func switching(now time.Time) activation.Renewal {
	w := activation.Warrant{ID: "w-a1", Actor: requester, Deed: activation.Submit, Proof: activation.Session, Clicked: now, Expires: now.Add(15 * time.Minute)}
	r := activation.Renewal{Ask: activation.Ask{ID: "a1", Tag: "A1", After: "a4", Leaves: other, Person: requester, Group: group, Access: activation.Member, Length: length, Reason: "more",
		Warrant: w, Facts: activation.Facts{Eligible: true}}}
	w.ID, w.Deed = "w-end", activation.End
	r.Finish = activation.Finish{By: requester, Warrant: w, Next: "a1"}
	return r
}

// Of two asks at the same moment one is sent at most; and an approver can't give
// through us what the requester must not have beside the other.
func TestExcludedTogether(t *testing.T) {
	excluding(t, never, func(l *lab, p *pims, sent *tally) {
		l.ask("a1", activation.Session)
		l.ask("a4", activation.Session, func(q *activation.Ask) { q.Group = other })
		l.sleep(10 * time.Second)
		if n := len(sent.calls()); n > 1 {
			t.Errorf("sent: %v", sent.calls())
		}
	})
	excluding(t, never, func(l *lab, p *pims, sent *tally) {
		n := activation.Notice{ID: "n1", Person: requester, Group: group, Access: activation.Member, Request: request("r1", requester.Object, "PendingApproval", "", "x")}
		if _, err := l.Tell(l.ctx, "n1", n); err != nil {
			t.Fatal(err)
		}
		p.grants(other, requester.Object, time.Now())
		vote := func(d activation.Deed) {
			w := activation.Warrant{ID: "w-" + string(d), Actor: approver, Deed: d, Proof: activation.Session, Clicked: time.Now(), Expires: time.Now().Add(time.Hour)}
			if _, err := l.Tell(l.ctx, "n1", activation.Vote{By: approver, Approve: d == activation.Approve, Reason: "fine", Warrant: w}); err != nil {
				t.Fatal(err)
			}
			l.sleep(5 * time.Second)
		}
		vote(activation.Approve)
		l.is("n1", activation.AwaitingApproval)
		vote(activation.Deny)
		if got := sent.calls(); !slices.Equal(got, []string{"n1 deny"}) {
			t.Errorf("sent: %v", got)
		}
	})
}

// Both at once, made in the portal, is an alarm on each, once; one after the
// other, although PIM still shows the first, is none.
func TestClash(t *testing.T) {
	excluding(t, 30*time.Second, func(l *lab, p *pims, _ *tally) {
		p.grants(group, requester.Object, time.Now())
		l.sleep(10 * time.Minute)
		p.grants(other, requester.Object, time.Now())
		p.change(func(p *pims) { delete(p.of, group.ID) }) // the lag is over before the other is 30 s old
		l.sleep(5 * time.Minute)
		clashed := func() (n int) {
			open, _ := l.Find(l.ctx, "open")
			for _, a := range open {
				n += count(l.events(a.ID), "clashed")
			}
			return n
		}
		if n := clashed(); n != 0 {
			t.Errorf("%d alarms about what was never there at once", n)
		}
		p.grants(group, requester.Object, time.Now())
		l.sleep(5 * time.Minute)
		if n := clashed(); n != 2 {
			t.Errorf("%d alarms, not one on each", n)
		}
	})
}
