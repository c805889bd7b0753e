package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"pagbot/activation"
)

// outside is PIM, one target and Slack in thirty lines: it knows the truth,
// remembers every write, and can be made to die with the process before or
// after it did what it was asked.
type outside struct {
	mu     sync.Mutex
	now    func() time.Time
	alive  func(call string, do func()) bool // runs do unless the process dies first; false: died
	made   map[string]time.Time              // submitted, by tag
	ended  map[string]time.Time
	writes map[string]int // accepted and refused attempts, by deed and tag
	said   map[string]int // messages, by kind and topic
}

func newOutside(now func() time.Time) *outside {
	return &outside{now: now, made: map[string]time.Time{}, ended: map[string]time.Time{}, writes: map[string]int{}, said: map[string]int{},
		alive: func(_ string, do func()) bool { do(); return true }}
}

const (
	length  = time.Hour
	arrives = 10 * time.Minute
	leaves  = 5 * time.Minute
)

var (
	requester = activation.Person{Tenant: "t", Object: "requester", Name: "requester@contoso.example"}
	group     = activation.Group{Tenant: "t", ID: "g", Name: "db-admins"}
)

// Read implements Reader: the envelope's body is the deed, its id the rest.
func (o *outside) Read(_ context.Context, k activation.Kept) (string, activation.Input, error) {
	var body struct{ Deed activation.Deed }
	if err := json.Unmarshal(k.Raw, &body); err != nil {
		return "", nil, err
	}
	w := activation.Warrant{ID: "w-" + k.ID, Actor: requester, Deed: body.Deed, Proof: activation.Session, Envelope: k.ID, Clicked: k.At, Expires: k.At.Add(24 * time.Hour)}
	if body.Deed == activation.End {
		return "a1", activation.Finish{By: requester, Warrant: w}, nil
	}
	return "a1", activation.Ask{ID: "a1", Tag: "7F3K", Person: requester, Group: group, Access: activation.Member, Length: length,
		Reason: "incident 42", Warrant: w, Facts: activation.Facts{Eligible: true, Lead: 10 * time.Minute,
			Targets: []activation.Target{{ID: "devops", Kind: "devops", Name: "Azure DevOps", Level: activation.L2, Within: activation.Duration(time.Hour)}}}}, nil
}

// Do implements Hand for every kind.
func (o *outside) Do(ctx context.Context, a activation.Activation, e activation.Effect) (r activation.Report) {
	if !o.alive("do "+e.Key, func() { r = o.do(a, e) }) {
		<-ctx.Done() // the process is dead: nobody hears the answer
		return activation.Report{After: time.Second}
	}
	return r
}

// Look implements Hand.
func (o *outside) Look(ctx context.Context, a activation.Activation, e activation.Effect) (r activation.Report) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if e.Deed == activation.Submit && !o.made[a.Tag].IsZero() || e.Deed == activation.End && !o.ended[a.Tag].IsZero() {
		return o.done(a, e)
	}
	return activation.Report{Absent: true}
}

func (o *outside) done(a activation.Activation, e activation.Effect) activation.Report {
	return activation.Report{Tell: activation.Done{Warrant: e.Warrant, At: o.now(),
		Request: &activation.Request{ID: "r-" + a.Tag, Status: "Provisioned", Created: o.made[a.Tag]}}}
}

func (o *outside) do(a activation.Activation, e activation.Effect) activation.Report {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := o.now()
	from, granted := o.made[a.Tag]
	over := from.Add(length)
	if t, ok := o.ended[a.Tag]; ok {
		over = t
	}
	switch e.Kind {
	case activation.DoDeed:
		o.writes[string(e.Deed)+" "+a.Tag]++
		if e.Deed == activation.Submit {
			o.made[a.Tag] = now
		} else {
			o.ended[a.Tag] = now
		}
		return o.done(a, e)
	case activation.WatchPIM:
		saw := activation.Saw{Looked: true, At: now}
		if granted && now.Before(over) {
			saw.Present = &activation.Instance{From: from, Ends: from.Add(length)}
		}
		return activation.Report{Tell: saw, Again: soonest(now.Add(4*time.Minute), from.Add(length))}
	case activation.Probe:
		return o.probe(a, e, now, from, over)
	}
	said := string(e.Kind) + " " + string(e.Topic)
	o.said[said]++
	return activation.Report{Receipt: json.RawMessage(fmt.Sprintf(`{"n":%d}`, o.said[said]))}
}

func (o *outside) probe(a activation.Activation, e activation.Effect, now, from, over time.Time) activation.Report {
	ans := activation.Answer{Says: activation.No, Level: activation.L2, Sent: now, Received: now}
	if !from.IsZero() && !now.Before(from.Add(arrives)) && now.Before(over.Add(leaves)) {
		ans.Says, ans.Evidence = activation.Yes, "g"
	}
	r := activation.Report{Tell: activation.Probed{Target: e.Target, Direction: e.Toward, Answer: ans}}
	if a.From.IsZero() && e.Toward == activation.Grant {
		return r // the control
	}
	if wanted := (ans.Says == activation.Yes) == (e.Toward == activation.Grant); !wanted {
		r.Again = now.Add(3 * time.Minute)
	}
	return r
}

// soonest is the earlier of a beat and of a moment that is still to come.
func soonest(beat, moment time.Time) time.Time {
	if moment.After(beat.Add(-4*time.Minute)) && moment.Before(beat) {
		return moment
	}
	return beat
}

func hands(h Hand) map[activation.Kind]Hand {
	m := map[activation.Kind]Hand{}
	for _, k := range []activation.Kind{activation.DoDeed, activation.Card, activation.Thread, activation.DM, activation.AskSign,
		activation.Whisper, activation.WatchPIM, activation.Probe} {
		m[k] = h
	}
	return m
}
