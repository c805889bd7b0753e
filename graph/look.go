package graph

import (
	"context"
	"time"

	"pagbot/activation"
)

// Look finds out whether the deed of an attempt with unknown fate was done. It
// says Absent only when PIM's reads have had the time to show it.
func (d *Deeds) Look(ctx context.Context, a activation.Activation, e activation.Effect) activation.Report {
	t, ok := d.attempt(a, e)
	if !ok {
		return activation.Report{}
	}
	if t.mem.At.IsZero() {
		t.mem.At = t.now // the process that tried is gone: it was before now
	}
	r := t.look(ctx)
	if r.After > 0 {
		// After says of a deed that it was not done; a look must not.
		r.Again, r.After = t.now.Add(r.After), 0
	}
	return r
}

func (t attempt) look(ctx context.Context) activation.Report {
	switch t.w.Deed {
	case activation.Submit:
		return t.lookSubmit(ctx)
	case activation.End:
		return t.lookEnd(ctx)
	}
	return t.lookStatus(ctx)
}

// absent is certain only after the lag.
func (t attempt) absent() activation.Report {
	if t.now.Before(t.mem.At.Add(readLag)) {
		return t.later(nil)
	}
	return activation.Report{Absent: true, Memory: t.remember()}
}

func (t attempt) lookSubmit(ctx context.Context) activation.Report {
	q, err := t.ours(ctx)
	switch {
	case err != nil:
		return t.later(err)
	case q != nil:
		return t.done(q)
	}
	return t.absent()
}

// lookEnd believes the deactivation's own request, and that nothing is active
// once the lag is over.
func (t attempt) lookEnd(ctx context.Context) activation.Report {
	all, err := t.reader.requestsOf(ctx, t.a.Group.ID, t.a.Person.Object, selfDeactivate)
	if err != nil {
		return t.later(err)
	}
	since := t.w.Clicked.Add(-time.Minute) // PIM's clock is not ours
	for _, q := range all {
		if q.Access == t.a.Access && q.Created.After(t.a.From) && q.Created.After(since) && q.Kind() != activation.BrokenDown {
			return t.done(&q)
		}
	}
	i, err := t.reader.instanceOf(ctx, t.a)
	switch {
	case err != nil:
		return t.later(err)
	case i == nil && !t.now.Before(t.mem.At.Add(readLag)):
		return t.done(nil)
	}
	return t.absent()
}

// lookStatus reads what became of a request that was to be decided or cancelled.
func (t attempt) lookStatus(ctx context.Context) activation.Report {
	q, err := t.reader.Request(ctx, t.a.Request.ID)
	if err != nil {
		return t.later(err)
	}
	not := func(c activation.Code) activation.Report {
		return t.refused(activation.Refusal{Code: c, Text: q.Status})
	}
	k := q.Kind()
	if k == activation.AtApproval || k == activation.InFuture && t.w.Deed == activation.Cancel {
		return t.absent()
	}
	approved := k == activation.Granted || k == activation.InFuture || k == activation.UnderWay || k == activation.BrokenDown || k == activation.TakenBack
	switch d := t.w.Deed; {
	case d == activation.Cancel && k == activation.CalledOff,
		d == activation.Deny && k == activation.SaidNo,
		d == activation.Approve && approved && t.a.Lacks() <= 1:
		return t.done(&q)
	case d == activation.Cancel || k == activation.CalledOff:
		return not(activation.NotPending)
	}
	return not(activation.AlreadyDecided)
}
