package engine

import (
	"context"
	"testing"
	"time"

	"pagbot/activation"
)

// renewing is a lab in which a1 runs and is to be renewed by a2. The hand says
// how the end goes, and counts what is sent.
func renewing(t *testing.T, end func(activation.Effect) activation.Report, test func(l *lab, sent *tally, r activation.Renewal)) {
	var sent tally
	inLab(t, hand{do: func(_ context.Context, a activation.Activation, e activation.Effect) activation.Report {
		sent.begin(a.ID + " " + string(e.Deed))()
		if e.Deed == activation.End {
			return end(e)
		}
		return submitted(a, e)
	}}, nil, func(l *lab) {
		l.ask("a1", activation.Session)
		l.sleep(time.Second)
		from := time.Now()
		if _, err := l.Tell(l.ctx, "a1", activation.Saw{Looked: true, Present: &activation.Instance{From: from, Ends: from.Add(length)}, At: from}); err != nil {
			t.Fatal(err)
		}
		l.sleep(10 * time.Minute)
		w := activation.Warrant{ID: "w-a2", Actor: requester, Deed: activation.Submit, Proof: activation.Session, Clicked: time.Now(), Expires: time.Now().Add(15 * time.Minute)}
		r := activation.Renewal{Ask: activation.Ask{ID: "a2", Tag: "A2", After: "a1", Person: requester, Group: group, Access: activation.Member, Length: length, Reason: "more", Warrant: w,
			Facts: activation.Facts{Eligible: true, Active: from.Add(length)}}}
		w.ID, w.Deed = "w-end", activation.End
		r.Finish = activation.Finish{By: requester, Warrant: w, Next: "a2"}
		test(l, &sent, r)
	})
}

func (l *lab) renew(r activation.Renewal) {
	l.t.Helper()
	if err := l.Engine.renew(l.ctx, r, fate{}); err != nil {
		l.t.Fatal(err)
	}
}

// The new one is sent when the old one has ended, not before, and at once then.
func TestRenewalWaitsForTheEnd(t *testing.T) {
	started := time.Time{}
	renewing(t, func(e activation.Effect) activation.Report {
		if started.IsZero() {
			started = time.Now()
		}
		if time.Since(started) < time.Minute {
			return activation.Report{Again: started.Add(time.Minute)}
		}
		return activation.Report{Tell: activation.Done{Warrant: e.Warrant, Request: &activation.Request{Status: "Revoked"}, At: time.Now()}}
	}, func(l *lab, sent *tally, r activation.Renewal) {
		l.renew(r)
		l.sleep(59 * time.Second)
		l.is("a1", activation.Ending)
		l.is("a2", activation.Asked)
		l.sleep(2 * time.Second)
		l.is("a2", activation.Provisioning)
		if calls := sent.calls(); calls[len(calls)-1] != "a2 activate" {
			t.Errorf("%v", calls)
		}
		l.renew(r) // the same envelope again
		l.sleep(time.Minute)
		if n := len(sent.calls()); n != 4 {
			t.Errorf("sent: %v", sent.calls())
		}
		l.events("a1")
		l.events("a2")
	})
}

// What can't be ended is not renewed, and the new one is told at once.
func TestRenewalWithoutAnEnd(t *testing.T) {
	renewing(t, func(e activation.Effect) activation.Report {
		return activation.Report{Tell: activation.Done{Warrant: e.Warrant, Refusal: &activation.Refusal{Code: activation.RulesFailed}}}
	}, func(l *lab, sent *tally, r activation.Renewal) {
		l.renew(r)
		l.sleep(time.Second)
		l.is("a1", activation.Active)
		a, _ := l.Load(l.ctx, "a2")
		if a.Phase != activation.Closed || a.Refusal == nil || a.Refusal.Code != activation.NotEnded || len(sent.calls()) != 2 {
			t.Errorf("%s %v; sent: %v", a.Phase, a.Refusal, sent.calls())
		}
	})
}

// An ask that is refused ends nothing.
func TestRefusedRenewalEndsNothing(t *testing.T) {
	renewing(t, nil, func(l *lab, sent *tally, r activation.Renewal) {
		r.Ask.Facts.Eligible = false
		l.renew(r)
		l.sleep(time.Minute)
		l.is("a1", activation.Active)
		l.is("a2", activation.Closed)
		if len(sent.calls()) != 1 {
			t.Errorf("sent: %v", sent.calls())
		}
	})
}
