package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"pagbot/activation"
	"pagbot/store"
)

// Patience with hands, in wire time.
const (
	// handTime is how long a hand, a reader or PIM may take. It ends before the
	// lease of a job does (2 minutes), so that a call that hangs is given up, and
	// looked for, by the one who made it.
	handTime = 90 * time.Second
	// breath is the least time between two attempts at one job: a hand that
	// wants to be asked again at once must not keep a processor busy.
	breath = 100 * time.Millisecond
	// mend is how long something broken is left alone.
	mend = 10 * time.Second
	// controlTime is how long a submit waits for the targets' word on how they
	// stand. With a kept session it would else be done before they are asked, and
	// a yes that comes then could not be told from one that it brought.
	controlTime = 2 * time.Second
	// sayTries is how often a message that breaks its hand is tried before those
	// behind it are let through.
	sayTries = 10
)

// effect does one effect: look whether it is still wanted, look whether it was
// done, do it, and store what came of it.
func (e *Engine) effect(ctx context.Context, c *claim) error {
	var t task
	if err := json.Unmarshal(c.Body, &t); err != nil {
		return err
	}
	a, err := e.Load(ctx, t.Activation)
	if err != nil {
		return err
	}
	f := t.Effect
	f.Memory = t.Memory
	switch f.Kind {
	case activation.Succeed:
		return e.succeed(ctx, c.Job, a)
	case activation.Free:
		return e.free(ctx, c.Job, a)
	}
	if f.Receipt, err = e.Receipt(ctx, a.ID, f.Key); err != nil {
		return err
	}
	wanted := activation.Wants(a, f, e.Clock.Now())
	if p, pending := a.Deed(f.Warrant); pending && f.Kind == activation.DoDeed {
		if r, stop := e.look(ctx, c, a, f, p); stop {
			return e.settle(ctx, c, t, r)
		}
	}
	switch {
	case !wanted && f.Kind == activation.DoDeed:
		_, err := e.tell(ctx, a.ID, activation.Lapse{Warrant: f.Warrant}, fate{done: []store.Job{c.Job}})
		return err
	case !wanted:
		return e.commit(ctx, store.Turn{Done: []store.Job{c.Job}})
	case f.Deed == activation.Submit && !a.Controlled() && e.Clock.Now().Before(a.Began.Add(e.Clock.World(controlTime))):
		return e.settle(ctx, c, t, activation.Report{After: breath})
	case f.Kind == activation.DoDeed:
		switch r, held, err := e.held(ctx, a, f); {
		case err != nil:
			return err
		case held:
			return e.settle(ctx, c, t, r)
		}
		if r, ok, err := e.spend(ctx, c.Job, f); !ok {
			if err != nil {
				return err
			}
			return e.settle(ctx, c, t, r)
		}
		// Only once it is spent: of two that exclude each other, and are about to be
		// sent, at least one sees the other.
		switch r, barred, err := e.barred(ctx, a, f); {
		case err != nil:
			return err
		case barred:
			return e.settle(ctx, c, t, r)
		}
	}
	// A crash from here on leaves a claimed job: the next process looks first.
	return e.settle(ctx, c, t, e.ask(ctx, c, a, f, Hand.Do))
}

// look finds out whether a deed was done already. It may have been, by a
// process that is no more or by a call whose answer was lost; also a warrant
// that has died meanwhile may have been used. What was asked for before this
// process began may have been done by a life that a restored backup knows
// nothing of; only a submit is looked for then, which has a tag of its own.
func (e *Engine) look(ctx context.Context, c *claim, a activation.Activation, f activation.Effect, p activation.Pending) (activation.Report, bool) {
	restored := f.Deed == activation.Submit && p.Warrant.Clicked.Before(e.began)
	if c.Tries == 0 && !restored {
		return activation.Report{}, false
	}
	r := e.ask(ctx, c, a, f, Hand.Look)
	if r.After > 0 {
		// After says of a deed that it was not done; a look must not.
		r.Again, r.After = e.Clock.Now().Add(e.Clock.World(r.After)), 0
	}
	if c.Tries == 0 {
		return r, r.Tell != nil || r.Err != nil
	}
	return r, !r.Absent
}

// ask lets a hand do or look, for a limited time, and survives it.
func (e *Engine) ask(ctx context.Context, c *claim, a activation.Activation, f activation.Effect,
	what func(Hand, context.Context, activation.Activation, activation.Effect) activation.Report) (r activation.Report) {
	hand := e.Hands[f.Kind]
	if hand == nil {
		return activation.Report{Again: e.in(mend), Err: fmt.Errorf("no hand for effects of kind %q", f.Kind)}
	}
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		r = activation.Report{Unsure: true, Again: e.in(mend), Err: fmt.Errorf("panic: %v\n%s", p, debug.Stack())}
		if f.Lane == activation.LaneSay && c.Tries >= sayTries {
			r.Unsure, r.Again = false, time.Time{}
		}
	}()
	if f.Lane != activation.LaneWatch {
		var let context.CancelFunc
		ctx, let = lingering(ctx)
		defer let()
	}
	ctx, cancel := context.WithTimeout(ctx, handTime)
	defer cancel()
	return what(hand, ctx, a, f)
}

// farewell is how long, in wire time, a write to the outside may still take
// when the process is asked to stop: an answer that is cut off is a message
// said twice, or a deed to be looked for.
const farewell = 5 * time.Second

// lingering is a context that outlives another by the farewell.
func lingering(ctx context.Context) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(farewell, cancel) })
	return longer, func() { stop(); cancel() }
}

// in is the world's time after a span of wire time.
func (e *Engine) in(wire time.Duration) time.Time { return e.Clock.Now().Add(e.Clock.World(wire)) }

// spend marks a warrant as used by this job before the deed leaves the
// process. The same job may try again within the warrant's life; another may
// not.
func (e *Engine) spend(ctx context.Context, j store.Job, f activation.Effect) (activation.Report, bool, error) {
	doc := store.Doc{Kind: kindSpent, Key: f.Warrant, Body: []byte(j.Key)}
	err := e.Store.Commit(ctx, store.Turn{Docs: []store.Doc{doc}})
	if err == nil {
		return activation.Report{}, true, nil
	}
	if !errors.Is(err, store.ErrStale) {
		return activation.Report{}, false, err
	}
	was, err := e.Store.Get(ctx, kindSpent, f.Warrant)
	if err != nil || string(was.Body) == j.Key {
		return activation.Report{}, err == nil, err
	}
	no := activation.Refusal{Code: activation.WarrantBad, Text: "the warrant was spent by " + string(was.Body)}
	return activation.Report{Tell: activation.Done{Warrant: f.Warrant, Refusal: &no, At: e.Clock.Now()}}, false, nil
}

// settle stores what came of an attempt, together with the news it brought.
func (e *Engine) settle(ctx context.Context, c *claim, t task, r activation.Report) error {
	if ctx.Err() != nil && r.Tell == nil && r.Receipt == nil {
		return ctx.Err() // stopping: what was cut short is not news
	}
	// What was done must be stored even if the process is asked to stop now.
	ctx = context.WithoutCancel(ctx)
	if r.Err != nil {
		e.Log.Warn("effect", "activation", t.Activation, "effect", t.Effect.Key, "err", r.Err)
	}
	var f fate
	if r.Receipt != nil {
		f.receipt = &store.Doc{Kind: kindReceipt, Key: receiptOf(t.Activation, t.Effect.Key), Body: r.Receipt}
	}
	if r.Finished() {
		f.done = []store.Job{c.Job}
	} else {
		again, err := e.later(c.Job, t, r)
		if err != nil {
			return err
		}
		f.deferred, c.waits = []store.Job{again}, again.Wait
	}
	_, err := e.tell(ctx, t.Activation, r.Tell, f)
	if errors.Is(err, store.ErrFence) {
		// Another has the job by now. What was done or learned is true all the same.
		_, news := e.tell(ctx, t.Activation, r.Tell, fate{receipt: f.receipt})
		err = errors.Join(err, news)
	}
	return err
}

// later is the job for the next attempt.
func (e *Engine) later(j store.Job, t task, r activation.Report) (store.Job, error) {
	if r.Memory != nil {
		t.Memory = r.Memory
	}
	body, err := json.Marshal(t)
	j.Body, j.Wait, j.Due = body, r.Wait, r.Again
	if r.After > 0 {
		j.Due = e.in(r.After)
	}
	if j.Due.IsZero() && r.Unsure {
		j.Due = e.in(2 * time.Second)
	}
	if soonest := e.in(breath); j.Due.Before(soonest) {
		j.Due = soonest
	}
	if !r.Until.IsZero() {
		j.Until = r.Until
	}
	switch {
	case r.Unsure:
		j.Tries++
	case r.Wait != "" || r.After > 0:
		j.Tries = 0 // it surely was not done
	}
	return j, err
}

// succeed tells older activations of the same key that a new one began.
func (e *Engine) succeed(ctx context.Context, j store.Job, a activation.Activation) error {
	others, err := e.Find(ctx, "key:"+a.Key())
	if err != nil {
		return err
	}
	for _, o := range others {
		// Strictly older: of two that hold the same grant neither ends the other.
		if began := o.Phase == activation.Verifying || o.Phase == activation.Active || o.Phase == activation.Ending; began && o.ID != a.ID && o.From.Before(a.From) {
			if _, err := e.Tell(ctx, o.ID, activation.Replaced{By: a.ID}); err != nil {
				return err
			}
		}
	}
	return e.commit(ctx, store.Turn{Done: []store.Job{j}})
}
