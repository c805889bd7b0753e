package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"pagbot/activation"
)

// outside is PIM, one target and Slack, very small: it knows the truth,
// remembers every write, and can be made to die with the process before or
// after it did what it was asked.
type outside struct {
	mu       sync.Mutex
	now      func() time.Time
	alive    func(call string, do func()) bool // runs do unless the process dies first; false: died
	approval bool                              // PIM wants one
	grants   map[string]*grant                 // by tag, or by schedule if made in the portal
	pocket   map[string]bool                   // warrants of this process's sign-ins
	writes   map[string]int                    // by deed and warrant
	said     map[string]int                    // messages, by kind and topic
	kinds    map[activation.Kind]bool          // of effect that were done
	read     map[string]bool                   // envelopes
	early    []string                          // renewals and switches that were sent while what is before them was there
	demands  map[string]int                    // by activation: how often its member was to be written at once
	amiss    []string                          // demands that should not have been made
	both     []string                          // what gave a person two groups at once that exclude each other
	faults   map[activation.Lane][]fault       // of the calls to come; then all goes well
}

// grant is what PIM holds of one activation.
type grant struct {
	who, group  string
	status      string
	asked       time.Time
	from, ended time.Time
	written     time.Time // to the target, on demand
}

func newOutside(now func() time.Time) *outside {
	return &outside{now: now, grants: map[string]*grant{}, pocket: map[string]bool{}, writes: map[string]int{}, demands: map[string]int{}, said: map[string]int{}, kinds: map[activation.Kind]bool{}, read: map[string]bool{},
		alive: func(_ string, do func()) bool { do(); return true }}
}

const (
	length  = time.Hour
	arrives = 10 * time.Minute
	writes  = 2 * time.Second // what is demanded arrives after them
	leaves  = 5 * time.Minute
)

var (
	requester = activation.Person{Tenant: "t", Object: "requester", Name: "requester@contoso.example"}
	approver  = activation.Person{Tenant: "t", Object: "approver", Name: "approver@contoso.example"}
	group     = activation.Group{Tenant: "t", ID: "g", Name: "db-admins"}
	other     = activation.Group{Tenant: "t", ID: "g2", Name: "db-readers"} // excludes that one
	devops    = activation.Target{ID: "devops", Kind: "devops", Name: "Azure DevOps", Level: activation.L2, Within: activation.Duration(time.Hour)}
)

// renew is the wish for both deeds of a renewal, and change for those of a switch.
const (
	renew  activation.Deed = "renew"
	change activation.Deed = "switch"
)

// exclusive has two groups that exclude each other. Nothing is noticed: a test's
// lives are asked for.
func exclusive(c *Config, p PIM) {
	c.Groups, c.PIM, c.Beat = []Watched{{Group: group, Excludes: []string{other.ID}}, {Group: other, Excludes: []string{group.ID}}}, p, 1000*time.Hour
}

// groupOf is the group of an activation, by its id.
func groupOf(id string) activation.Group {
	if strings.HasPrefix(id, "a4") != strings.HasSuffix(id, "s") {
		return other
	}
	return group
}

// wish is the body of an envelope.
type wish struct {
	Deed  activation.Deed
	Proof activation.Proof
	ID    string `json:",omitempty"` // of the activation; empty: a1
	Now   bool   `json:",omitempty"` // have Entra asked to write the member to the target at once
	Who   string `json:",omitempty"` // empty: the requester
}

// Read implements Reader: the envelope's body is the deed, its id the rest.
func (o *outside) Read(_ context.Context, k activation.Kept) (string, activation.Input, error) {
	w := wish{ID: "a1", Who: requester.Object}
	if err := json.Unmarshal(k.Raw, &w); err != nil {
		return "", nil, err
	}
	o.mu.Lock()
	o.read[k.ID] = true
	o.mu.Unlock()
	who := activation.Person{Tenant: "t", Object: w.Who, Name: w.Who + "@contoso.example"}
	warrant := activation.Warrant{ID: "w-" + k.ID, Actor: who, Deed: w.Deed, Proof: w.Proof, Envelope: k.ID, Clicked: k.At, Expires: k.At.Add(23 * time.Hour)}
	switch w.Deed {
	case activation.End, activation.Cancel:
		return w.ID, activation.Finish{By: who, Warrant: warrant}, nil
	case activation.Approve, activation.Deny:
		warrant.Actor = approver
		return w.ID, activation.Vote{By: approver, Approve: w.Deed == activation.Approve, Reason: "fine", Warrant: warrant}, nil
	}
	id, after := w.ID, ""
	switch w.Deed {
	case renew:
		id, after, warrant.Deed = w.ID+"r", w.ID, activation.Submit
	case change:
		id, after, warrant.Deed = w.ID+"s", w.ID, activation.Submit
	}
	ask := activation.Ask{ID: id, Tag: strings.ToUpper(id), After: after, Person: who, Group: groupOf(id), Access: activation.Member, Length: length,
		Reason: "incident 42", Warrant: warrant, Facts: activation.Facts{Eligible: true, Lead: 10 * time.Minute, Targets: []activation.Target{devops}}}
	ask.Facts.Targets[0].OnDemand = w.Now
	if after == "" {
		return id, ask, nil
	}
	end := warrant
	end.ID, end.Deed = end.ID+"-end", activation.End
	o.mu.Lock()
	if g := o.grants[strings.ToUpper(after)]; g != nil && g.status == "PendingApproval" {
		end.Deed = activation.Cancel
	}
	o.mu.Unlock()
	if left := groupOf(after); left != ask.Group {
		ask.Leaves = left
	}
	return id, activation.Renewal{Ask: ask, Finish: activation.Finish{By: who, Warrant: end, Next: id}}, nil
}

// Do implements Hand for every kind.
func (o *outside) Do(ctx context.Context, a activation.Activation, e activation.Effect) activation.Report {
	return o.troubled(e, func() (r activation.Report) {
		if !o.alive("do "+e.Key, func() { r = o.do(a, e) }) {
			<-ctx.Done() // the process is dead: nobody hears the answer
			return activation.Report{After: time.Second}
		}
		return r
	})
}

// Look implements Hand.
func (o *outside) Look(_ context.Context, a activation.Activation, e activation.Effect) activation.Report {
	return o.troubled(e, func() activation.Report {
		o.mu.Lock()
		defer o.mu.Unlock()
		g := o.of(a)
		if g == nil || g.status == "PendingApproval" && e.Deed != activation.Submit || e.Deed == activation.End && g.ended.IsZero() {
			return activation.Report{Absent: true}
		}
		return o.done(a, e)
	})
}

func (o *outside) of(a activation.Activation) *grant {
	if a.Watched {
		return o.grants[a.Request.Schedule]
	}
	return o.grants[a.Tag]
}

func (o *outside) request(a activation.Activation) *activation.Request {
	g := o.of(a)
	return &activation.Request{ID: "r-" + a.ID, Status: g.status, Created: g.asked, Length: activation.Duration(length)}
}

func (o *outside) done(a activation.Activation, e activation.Effect) activation.Report {
	return activation.Report{Tell: activation.Done{Warrant: e.Warrant, At: o.now(), Request: o.request(a)}}
}

func (o *outside) do(a activation.Activation, e activation.Effect) activation.Report {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := o.now()
	o.kinds[e.Kind] = true
	switch e.Kind {
	case activation.DoDeed:
		return o.deed(a, e, now)
	case activation.WatchPIM:
		return o.look(a, now)
	case activation.Probe:
		return o.probe(a, e, now)
	case activation.Demand:
		return o.demand(a, e, now)
	}
	said := string(e.Kind) + " " + string(e.Topic)
	o.said[said]++
	return activation.Report{Receipt: json.RawMessage(fmt.Sprintf(`{"n":%d}`, o.said[said]))}
}

// deed writes to PIM, if the person has proven who they are.
func (o *outside) deed(a activation.Activation, e activation.Effect, now time.Time) activation.Report {
	d, pending := a.Deed(e.Warrant)
	if !pending {
		return activation.Report{}
	}
	if d.Warrant.Proof == activation.Fresh && !o.pocket[e.Warrant] {
		return activation.Report{Tell: activation.StepUp{Warrant: e.Warrant}, Wait: d.Warrant.Wait(), Until: d.Warrant.Expires}
	}
	if no := o.refuses(a, e, now); no != "" {
		return activation.Report{Tell: activation.Done{Warrant: e.Warrant, At: now, Refusal: &activation.Refusal{Code: no}}}
	}
	o.writes[string(e.Deed)+" "+e.Warrant]++
	g := o.of(a)
	switch e.Deed {
	case activation.Submit:
		if was := o.grants[strings.ToUpper(a.After)]; was != nil && was.holds(now) != nil {
			o.early = append(o.early, a.ID)
		}
		g = &grant{who: a.Person.Object, group: a.Group.ID, status: "Provisioned", asked: now, from: now}
		if o.approval {
			g.status, g.from = "PendingApproval", time.Time{}
		}
		o.grants[a.Tag] = g
	case activation.Approve:
		g.status, g.from = "Provisioned", now
	case activation.Deny:
		g.status = "Denied"
	case activation.Cancel:
		g.status = "Canceled"
	case activation.End:
		g.ended = now
	}
	for _, also := range o.grants {
		if also.who == g.who && also.group != g.group && also.holds(now) != nil && g.holds(now) != nil {
			o.both = append(o.both, a.ID)
		}
	}
	return o.done(a, e)
}

// refuses is PIM's no: it has one activation of a person at a time, and what is
// decided or over is so.
func (o *outside) refuses(a activation.Activation, e activation.Effect, now time.Time) activation.Code {
	g := o.of(a)
	switch {
	case e.Deed == activation.Submit && g == nil:
		for _, other := range o.grants {
			if other.who == a.Person.Object && other.group == a.Group.ID && (other.status == "PendingApproval" || other.holds(now) != nil) {
				return activation.AlreadyActive
			}
		}
	case e.Deed == activation.End && g.holds(now) == nil:
		return activation.NotActive
	case (e.Deed == activation.Cancel || e.Deed == activation.Approve || e.Deed == activation.Deny) && g.status != "PendingApproval":
		return activation.NotPending
	}
	return ""
}

// holds is the instance of a grant, if PIM grants it now.
func (g *grant) holds(now time.Time) *activation.Instance {
	if g.from.IsZero() || !now.Before(g.over()) {
		return nil
	}
	return &activation.Instance{From: g.from, Ends: g.from.Add(length)}
}

func (g *grant) over() time.Time {
	if !g.ended.IsZero() {
		return g.ended
	}
	return g.from.Add(length)
}

func (o *outside) look(a activation.Activation, now time.Time) activation.Report {
	g := o.of(a)
	if g.status == "PendingApproval" && now.Sub(g.asked) > activation.ApprovalWindow {
		g.status = "Failed"
	}
	saw := activation.Saw{Looked: !g.from.IsZero(), Present: g.holds(now), At: now}
	if !a.Watched {
		saw.Request = o.request(a)
	}
	return activation.Report{Tell: saw, Again: soonest(now.Add(4*time.Minute), g.from.Add(length))}
}

func (o *outside) probe(a activation.Activation, e activation.Effect, now time.Time) activation.Report {
	ans := activation.Answer{Says: activation.No, Level: activation.L2, Sent: now, Received: now}
	for _, g := range o.grants {
		if g.who == a.Person.Object && g.group == a.Group.ID && !g.from.IsZero() && (!now.Before(g.from.Add(arrives)) || !g.written.IsZero() && now.After(g.written)) && now.Before(g.over().Add(leaves)) {
			ans.Says, ans.Evidence = activation.Yes, "g"
		}
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

// demand has the target know at once. It is as naive as can be about whom it is
// asked for.
func (o *outside) demand(a activation.Activation, e activation.Effect, now time.Time) activation.Report {
	o.demands[a.ID]++
	switch x, _ := a.Target(e.Target); {
	case !x.Demanded.IsZero():
		o.amiss = append(o.amiss, a.ID+" was demanded again after the answer was kept")
	case a.Phase != activation.Active, !a.Ends.IsZero() && !now.Before(a.Ends):
		o.amiss = append(o.amiss, a.ID+" was demanded when it was over")
	}
	if g := o.of(a); g.holds(now) != nil {
		g.written = now.Add(writes)
	}
	return activation.Report{Tell: activation.Demanded{Target: e.Target, At: now}}
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
		activation.Whisper, activation.WatchPIM, activation.Probe, activation.Demand} {
		m[k] = h
	}
	return m
}

// The portal's side of PIM, for reconcile.

func (o *outside) Requests(context.Context, string) ([]activation.Request, error) { return nil, nil }

func (o *outside) Instances(_ context.Context, of string) (all []activation.Instance, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for schedule, g := range o.grants {
		if i := g.holds(o.now()); i != nil && g.group == of {
			i.Schedule, i.Person, i.Group, i.Access = schedule, activation.Person{Tenant: "t", Object: g.who}, activation.Group{Tenant: "t", ID: of}, activation.Member
			all = append(all, *i)
		}
	}
	return all, nil
}

func (o *outside) Settings(context.Context, string, activation.Access) (activation.Settings, error) {
	return activation.Settings{}, nil
}

func (o *outside) Person(context.Context, string) (activation.Person, error) { return requester, nil }

// portal activates or ends there.
func (o *outside) portal(schedule string, end bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch now := o.now(); {
	case end && o.grants[schedule].ended.IsZero():
		o.grants[schedule].ended = now
	case !end && o.grants[schedule] == nil:
		o.grants[schedule] = &grant{who: requester.Object, group: group.ID, status: "Provisioned", asked: now, from: now}
	}
}

// signIn is a person whose browser proves, for this process, who they are.
func (o *outside) signIn(warrant string) (again bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	again, o.pocket[warrant] = o.pocket[warrant], true
	return again
}
