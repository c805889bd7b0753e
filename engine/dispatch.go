package engine

import (
	"context"
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
	if lane == activation.LaneWatch || lane == laneInbox {
		workers *= 8 // a target that hangs, or an answer of Entra, must not keep the others waiting
	}
	free := make(chan struct{}, workers)
	for ctx.Err() == nil {
		free <- struct{}{}
		<-free // at least one worker is free
		if lane == laneInbox {
			e.afterYou(ctx)
		}
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
	c := &claim{Job: j, lane: lane}
	if !e.inHand.take(c) {
		// Its lease ran out, and still it is in our own hand, whose answer counts.
		e.Log.Warn("still in hand although its lease ran out", "lane", lane, "job", j.Key)
		e.putBack(ctx, lane, j)
		return
	}
	err := e.guarded(func() error { return e.once(ctx, c) })
	if e.inHand.drop(c) && err == nil {
		// It came while the job was in hand: it would wait for what is there.
		err = e.commit(context.WithoutCancel(ctx), store.Turn{Release: []string{c.waits}})
	}
	switch {
	case err == nil, ctx.Err() != nil:
	case errors.Is(err, store.ErrFence):
		e.Log.Warn("job was taken over meanwhile", "lane", lane, "job", j.Key, "err", err)
	default:
		e.Log.Error("job", "lane", lane, "job", j.Key, "err", err)
		j.Tries++ // it may have begun: look before repeating
		e.putBack(ctx, lane, j)
	}
}

func (e *Engine) once(ctx context.Context, c *claim) error {
	switch c.lane {
	case laneInbox:
		return e.read(ctx, c.Job)
	case laneDue:
		return e.tick(ctx, c.Job)
	}
	return e.effect(ctx, c)
}

func (e *Engine) putBack(ctx context.Context, lane activation.Lane, j store.Job) {
	j.Due = e.in(mend)
	if err := e.commit(ctx, store.Turn{Defer: []store.Job{j}}); err != nil && ctx.Err() == nil {
		e.Log.Error("job stays leased until its lease ends", "lane", lane, "job", j.Key, "err", err)
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
	if err := e.overlaps(ctx, a); err != nil {
		return err
	}
	_, err = e.tell(ctx, j.Key, activation.Tick{}, fate{done: []store.Job{j}})
	return err
}
