package store

import (
	"context"
	"fmt"
	"runtime"
)

// The group commit. A sync to disk takes as long for a hundred turns as for one,
// so one goroutine writes: it takes all that wait at the moment and commits them
// in one transaction. Nobody waits for company: who comes alone is written at
// once, who comes during a sync shares the next one.

// request is one caller's part of a transaction. do checks before it writes:
// if it answers an error it has changed nothing, and the others go on.
type request struct {
	do     func(*tx) error
	refuse error
	answer chan error
}

// most bounds a transaction's memory, not its waiting.
const most = 1024

// Commit keeps a turn; see [Store].
func (b *Bolt) Commit(ctx context.Context, turn Turn) error {
	if err := turn.check(); err != nil {
		return err
	}
	return b.submit(ctx, func(t *tx) error {
		if err := t.admit(turn); err != nil {
			return err
		}
		t.keep(turn)
		return nil
	})
}

// submit hands a request to the writer. Once the writer has it, its answer is
// awaited even if ctx ends: a caller is never left not knowing.
func (b *Bolt) submit(ctx context.Context, do func(*tx) error) error {
	if err := b.enter(); err != nil {
		return err
	}
	defer b.inside.Done()
	if err := ctx.Err(); err != nil {
		return err
	}
	r := &request{do: do, answer: make(chan error, 1)}
	select {
	case b.requests <- r:
		return <-r.answer
	case <-ctx.Done():
		return ctx.Err()
	}
}

// write is the writer. After a transaction that failed, nobody can say what of
// it is on the disk, so it is the last: a new process reads what is there.
func (b *Bolt) write() {
	defer close(b.idle)
	var broken error
	for r := range b.requests {
		batch := b.gather(r)
		if broken == nil {
			broken = b.guard(func() error { return b.transact(batch) })
		}
		for _, r := range batch {
			if broken != nil {
				r.refuse = fmt.Errorf("store: %s could not be written (%w): see to the disk, then restart pagbot", b.path, broken)
			}
			r.answer <- r.refuse
		}
	}
}

// gather takes all that wait. Those whose answers have just gone out get to run
// first: they are about to ask again, and then share a sync instead of leaving
// it to the quickest of them alone.
func (b *Bolt) gather(first *request) []*request {
	batch := []*request{first}
	runtime.Gosched()
	for len(batch) < most {
		select {
		case r := <-b.requests:
			batch = append(batch, r)
		default:
			return batch
		}
	}
	return batch
}

// transact runs a batch in one transaction, with one now.
//
// A crash before Commit returns leaves all of the batch or nothing of it, and
// nobody has been answered: whoever asked was going to ask again.
func (b *Bolt) transact(batch []*request) error {
	btx, err := b.db.Begin(true)
	if err != nil {
		return err
	}
	defer func() { _ = btx.Rollback() }() // does nothing after Commit
	t := b.begin(btx)
	for _, r := range batch {
		r.refuse = r.do(t)
		if t.err != nil {
			return t.err
		}
	}
	if !t.wrote {
		return nil
	}
	t.forget()
	if t.err != nil {
		return t.err
	}
	return btx.Commit()
}
