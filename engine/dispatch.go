package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"pagbot/activation"
	"pagbot/store"
)

// work claims what is due in a lane, with so many workers at most, until the
// context ends.
func (e *Engine) work(ctx context.Context, lane activation.Lane) {
	var wg sync.WaitGroup
	defer wg.Wait()
	workers := e.Workers
	if lane == activation.LaneWatch {
		workers *= 8 // a target that hangs must not keep the others waiting
	}
	free := make(chan struct{}, workers)
	for ctx.Err() == nil {
		free <- struct{}{}
		<-free // at least one worker is free
		jobs, next, err := e.Store.Claim(ctx, string(lane), "", workers-len(free))
		if err != nil {
			if ctx.Err() == nil {
				e.Log.Error("claim", "lane", lane, "err", err)
			}
			next = e.Clock.Now().Add(e.Clock.World(time.Second))
		}
		for _, j := range jobs {
			free <- struct{}{}
			wg.Go(func() {
				defer func() { <-free; e.wake(lane) }()
				e.attempt(ctx, lane, j)
			})
		}
		if len(jobs) == 0 {
			e.Clock.until(ctx, next, e.lanes[lane])
		}
	}
}

// attempt does one job and survives whatever it does.
func (e *Engine) attempt(ctx context.Context, lane activation.Lane, j store.Job) {
	var err error
	switch lane {
	case laneInbox:
		err = e.guarded(func() error { return e.read(ctx, j) })
	case laneDue:
		err = e.guarded(func() error { return e.tick(ctx, j) })
	default:
		err = e.guarded(func() error { return e.effect(ctx, j) })
	}
	switch {
	case err == nil, ctx.Err() != nil:
	case errors.Is(err, store.ErrFence):
		e.Log.Warn("job was taken over meanwhile", "lane", lane, "job", j.Key)
	default:
		e.Log.Error("job", "lane", lane, "job", j.Key, "err", err)
		j.Tries++ // it may have begun: look before repeating
		j.Due = e.Clock.Now().Add(e.Clock.World(10 * time.Second))
		if err := e.commit(ctx, store.Turn{Defer: []store.Job{j}}); err != nil {
			e.Log.Error("job stays leased until its lease ends", "job", j.Key, "err", err)
		}
	}
}

func (e *Engine) guarded(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	return f()
}

// tick tells an activation the time, or moves the alarm if it isn't time yet.
func (e *Engine) tick(ctx context.Context, j store.Job) error {
	a, err := e.Load(ctx, j.Key)
	if err != nil {
		return err
	}
	if due, ok := a.Due(); ok && e.Clock.Now().Before(due) {
		j.Due = due
		return e.commit(ctx, store.Turn{Defer: []store.Job{j}})
	}
	_, err = e.tell(ctx, j.Key, activation.Tick{}, fate{done: []store.Job{j}})
	return err
}

// effect does one effect: look whether it is still wanted, look whether it was
// done, do it, and store what came of it.
func (e *Engine) effect(ctx context.Context, j store.Job) error {
	var t task
	if err := json.Unmarshal(j.Body, &t); err != nil {
		return err
	}
	a, err := e.Load(ctx, t.Activation)
	if err != nil {
		return err
	}
	f := t.Effect
	f.Memory = t.Memory
	if f.Kind == activation.Succeed {
		return e.succeed(ctx, j, a)
	}
	hand := e.Hands[f.Kind]
	if hand == nil {
		return fmt.Errorf("no hand for effects of kind %q", f.Kind)
	}
	if f.Receipt, err = e.Receipt(ctx, a.ID, f.Key); err != nil {
		return err
	}
	wanted := activation.Wants(a, f, e.Clock.Now())
	if p, pending := a.Deed(f.Warrant); f.Lane == activation.LaneDeed && pending && e.maybeDone(j, p) {
		// It may have been done, by a process that is no more or by a call whose
		// answer was lost. Also a warrant that has died meanwhile may have been used.
		if r := hand.Look(ctx, a, f); !r.Absent {
			return e.settle(ctx, j, t, r)
		}
	}
	switch {
	case !wanted && f.Kind == activation.DoDeed:
		_, err := e.tell(ctx, a.ID, activation.Lapse{Warrant: f.Warrant}, fate{done: []store.Job{j}})
		return err
	case !wanted:
		return e.commit(ctx, store.Turn{Done: []store.Job{j}})
	case f.Kind == activation.DoDeed:
		if r, ok, err := e.spend(ctx, j, f); !ok {
			if err != nil {
				return err
			}
			return e.settle(ctx, j, t, r)
		}
	}
	// A crash from here on leaves a claimed job: the next process looks first.
	return e.settle(ctx, j, t, hand.Do(ctx, a, f))
}

// maybeDone reports whether an earlier process may have done a deed: it had
// begun it, or the database may be an older copy that knows nothing of it. In
// the second case a deed that wants a fresh sign-in is confirmed anew anyway.
func (e *Engine) maybeDone(j store.Job, p activation.Pending) bool {
	return j.Tries > 0 || p.Warrant.Proof == activation.Session && p.Warrant.Clicked.Before(e.began)
}

// spend marks a warrant as used by this job before the deed leaves the
// process. The same job may try again within the warrant's life; another may
// not, even after a restored backup.
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
func (e *Engine) settle(ctx context.Context, j store.Job, t task, r activation.Report) error {
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
		d, err := e.receipt(ctx, t.Activation, t.Effect.Key, r.Receipt)
		if err != nil {
			return err
		}
		f.docs = append(f.docs, d)
	}
	if r.Finished() {
		f.done = append(f.done, j)
	} else {
		again, err := e.later(j, t, r)
		if err != nil {
			return err
		}
		f.deferred = append(f.deferred, again)
	}
	if r.Tell != nil {
		_, err := e.tell(ctx, t.Activation, r.Tell, f)
		return err
	}
	return e.commit(ctx, store.Turn{Docs: f.docs, Done: f.done, Defer: f.deferred})
}

// later is the job for the next attempt.
func (e *Engine) later(j store.Job, t task, r activation.Report) (store.Job, error) {
	now := e.Clock.Now()
	if r.Memory != nil {
		t.Memory = r.Memory
	}
	body, err := json.Marshal(t)
	j.Body, j.Wait, j.Due = body, r.Wait, r.Again
	if r.After > 0 {
		j.Due = now.Add(e.Clock.World(r.After))
	}
	if j.Due.IsZero() {
		j.Due = now
		if r.Unsure {
			j.Due = now.Add(e.Clock.World(2 * time.Second))
		}
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
		if began := o.Phase == activation.Verifying || o.Phase == activation.Active || o.Phase == activation.Ending; began && o.ID != a.ID && !o.From.After(a.From) {
			if _, err := e.Tell(ctx, o.ID, activation.Replaced{By: a.ID}); err != nil {
				return err
			}
		}
	}
	return e.commit(ctx, store.Turn{Done: []store.Job{j}})
}
