package engine

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"sync"
	"time"

	"pagbot/activation"
	"pagbot/store"
)

// Patience of the intake, in wire time: how long an envelope that can't be
// understood yet (Entra does not answer) is tried again before the person is
// told so.
const (
	readAgain = 2 * time.Second
	readTries = 5
)

// pack makes the body of an inbox job: when the envelope came, a space, and the
// envelope as it came. It is plain, because a burst waits for it.
func pack(raw []byte, at time.Time) []byte {
	body := make([]byte, 0, len(time.RFC3339Nano)+1+len(raw))
	body = at.AppendFormat(body, time.RFC3339Nano)
	return append(append(body, ' '), raw...)
}

// unpack reads what pack wrote.
func unpack(body []byte) (raw []byte, at time.Time, err error) {
	when, raw, _ := bytes.Cut(body, []byte{' '})
	at, err = time.Parse(time.RFC3339Nano, string(when))
	return raw, at, err
}

// letter is an envelope that waits to be kept, and who waits for that.
type letter struct {
	job  store.Job
	kept func(error)
}

// tray holds the letters that came while others were being kept.
type tray struct {
	mu      sync.Mutex
	letters []letter
	open    bool // somebody is keeping
}

// Keep stores an envelope under its id and then calls kept, once, from some
// goroutine; it does not wait itself. After kept(nil) the envelope may be
// acknowledged: it will be decided, whatever happens to the process. One that
// is known already is nil, too.
//
// Envelopes that come while others are being kept are kept next, all in one
// turn, because a sync to disk takes as long for a hundred as for one.
//
// A crash before the commit leaves nothing, and Slack tells the person that
// nothing happened; a crash after it leaves the envelope, which is decided at
// the next start whether or not Slack has heard of it.
func (e *Engine) Keep(ctx context.Context, id string, raw []byte, kept func(error)) {
	if err := ctx.Err(); err != nil {
		kept(err)
		return
	}
	now := e.Clock.Now()
	e.keeping.Add(1)
	e.tray.mu.Lock()
	e.tray.letters = append(e.tray.letters, letter{store.Job{Lane: string(laneInbox), Key: id, Due: now, Body: pack(raw, now)}, kept})
	first := !e.tray.open
	e.tray.open = true
	e.tray.mu.Unlock()
	if first {
		go e.keepAll()
	}
}

// keepAll keeps until the tray is empty.
func (e *Engine) keepAll() {
	for {
		runtime.Gosched() // who reads from Slack goes first: what it has read is kept with this
		e.tray.mu.Lock()
		batch := e.tray.letters
		e.tray.letters = nil
		e.tray.open = len(batch) > 0
		e.tray.mu.Unlock()
		if len(batch) == 0 {
			return
		}
		e.keep(batch)
	}
}

// keep keeps letters in one turn, or, if the store minds one of them, each in
// its own.
func (e *Engine) keep(batch []letter) {
	jobs := make([]store.Job, len(batch))
	for i, l := range batch {
		jobs[i] = l.job
	}
	err := e.commit(context.Background(), store.Turn{Add: jobs})
	if len(batch) > 1 && (errors.Is(err, store.ErrKept) || errors.Is(err, store.ErrTurn)) {
		var each sync.WaitGroup
		for i := range batch {
			each.Go(func() { e.keep(batch[i : i+1]) })
		}
		each.Wait()
		return
	}
	if errors.Is(err, store.ErrKept) {
		err = nil
	}
	e.keeping.Add(-int32(len(batch)))
	for _, l := range batch {
		l.kept(err)
	}
}

// A rush is so many envelopes being kept at once that reading them waits.
const (
	rush     = 32
	rushTime = 250 * time.Millisecond // and not longer than this, in wire time
)

// afterYou lets a rush of envelopes be kept before those that are kept are
// read: Slack waits three seconds for an acknowledgement, and both take their
// turns at the same store.
func (e *Engine) afterYou(ctx context.Context) {
	const glance = 10 * time.Millisecond
	for waited := time.Duration(0); waited < rushTime && e.keeping.Load() >= rush; waited += glance {
		select {
		case <-time.After(glance):
		case <-ctx.Done():
			return
		}
	}
}

// read understands one kept envelope and commits what follows from it in one
// turn with the envelope's end.
func (e *Engine) read(ctx context.Context, j store.Job) error {
	raw, at, err := unpack(j.Body)
	if err != nil {
		return err
	}
	id, in, err := e.understand(ctx, activation.Kept{ID: j.Key, Raw: raw, At: at, Last: j.Tries+1 >= readTries})
	if err != nil && ctx.Err() != nil {
		return err // stopping: the lease runs out and the next process reads it
	}
	if err != nil && j.Tries+1 < readTries {
		e.Log.Warn("envelope can't be understood yet", "envelope", j.Key, "try", j.Tries+1, "err", err)
		j.Tries++
		j.Due = e.Clock.Now().Add(e.Clock.World(readAgain))
		return e.commit(ctx, store.Turn{Defer: []store.Job{j}})
	}
	if err != nil {
		e.Log.Error("envelope given up", "envelope", j.Key, "err", err)
	}
	if in == nil || err != nil {
		return e.commit(ctx, store.Turn{Done: []store.Job{j}})
	}
	switch in := in.(type) {
	case activation.Asks:
		return e.tellAll(ctx, in, fate{done: []store.Job{j}})
	case activation.Renewal:
		return e.renew(ctx, in, fate{done: []store.Job{j}})
	}
	_, err = e.tell(ctx, id, in, fate{done: []store.Job{j}})
	return err
}

// understand asks the reader, for a limited time. One that breaks on an
// envelope has not understood it: it is given up like any other, and not tried
// for ever.
func (e *Engine) understand(ctx context.Context, k activation.Kept) (id string, in activation.Input, err error) {
	ctx, cancel := context.WithTimeout(ctx, handTime)
	defer cancel()
	err = e.guarded(func() error {
		var err error
		id, in, err = e.Reader.Read(ctx, k)
		return err
	})
	return id, in, err
}
