package graph

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"pagbot/activation"
)

// Demands is the engine's hand for activation.Demand: it has Entra write new
// members at once to the applications that are configured so. What it can't get
// done delays and refuses nothing else: the cycle will write it.
type Demands struct {
	reader *Reader
	apps   map[string]*Provisioner // by target
}

// NewDemands makes the hand. The reader says when a member is listed.
func NewDemands(r *Reader, apps map[string]*Provisioner) *Demands { return &Demands{r, apps} }

const (
	demandTries = 5
	// What provisioning reads may lag behind the rest of Entra by a few minutes.
	unlisted   = 5 * time.Second // between looks whether the member is listed
	unlistedBy = 5 * time.Minute // then each look is a try
	demandWait = time.Minute     // after an answer that may be another in a while
)

// demandMemory is what an attempt leaves for the next. Losing it asks more often.
type demandMemory struct {
	Tries int `json:"tries"`
}

// Look is Do: a demand may be repeated freely.
func (d *Demands) Look(ctx context.Context, a activation.Activation, e activation.Effect) activation.Report {
	return d.Do(ctx, a, e)
}

// Do asks once, when the member is listed and it is our turn. Whom the group does
// not list is never asked for, also not by a bot that comes back and knows of no
// end yet: what provisioning reads is older, and would write who has left.
func (d *Demands) Do(ctx context.Context, a activation.Activation, e activation.Effect) activation.Report {
	p := d.apps[e.Target]
	if p == nil || a.Access != activation.Member {
		return activation.Report{} // not configured any more
	}
	now := d.reader.now()
	switch in, err := d.reader.IsMember(ctx, a.Group.ID, a.Access, []string{a.Person.Object}); {
	case err == nil && in[a.Person.Object]:
	case now.Sub(a.From) < unlistedBy, ctx.Err() != nil:
		return activation.Report{Again: now.Add(unlisted), Err: err}
	case err != nil:
		return d.after(ctx, p, e, err)
	default:
		return d.after(ctx, p, e, &skipped{"the group does not list the person"})
	}
	if wait := p.turn(time.Now()); wait > 0 {
		return activation.Report{After: wait}
	}
	err := p.demand(ctx, a.Group.ID, a.Person.Object)
	if ctx.Err() != nil && err != nil {
		return activation.Report{Again: now, Err: err} // broken off: nothing was learned
	}
	return d.after(ctx, p, e, err)
}

// after is what follows from an answer.
func (d *Demands) after(ctx context.Context, p *Provisioner, e activation.Effect, err error) activation.Report {
	now := d.reader.now()
	told := activation.Demanded{Target: e.Target, At: now}
	if err == nil {
		return activation.Report{Tell: told}
	}
	var m demandMemory
	_ = json.Unmarshal(e.Memory, &m)
	m.Tries++
	memory, _ := json.Marshal(m)
	no, final := p.refusal(err)
	if q, ok := p.quarantine(ctx, no); ok {
		no, final = q, true
	}
	switch f := asFault(err); {
	case final || m.Tries >= demandTries:
		told.Refusal = &no
		return activation.Report{Tell: told, Err: err}
	case f.After > 0:
		return activation.Report{After: f.After, Memory: memory, Err: err}
	}
	return activation.Report{Again: now.Add(demandWait), Memory: memory, Err: err}
}

// refusal is an error in pagbot's words, and whether asking again is in vain.
func (p *Provisioner) refusal(err error) (no activation.Refusal, final bool) {
	var s *skipped
	switch {
	case errors.As(err, &no):
		return no, true
	case errors.As(err, &s):
		return activation.Refusal{Code: activation.NotProvisioned, Text: err.Error()}, false
	}
	f := asFault(err)
	no = f.Refusal()
	if f.Status == http.StatusNotFound {
		p.mu.Lock()
		p.job, p.rule = "", "" // it may have been set up anew
		p.mu.Unlock()
		no.Code = activation.NotProvisioned
	}
	return no, !f.Passing()
}
