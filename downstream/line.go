package downstream

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"pagbot/activation"
)

const (
	// gather is how long a question waits for others that could go along.
	gather = 20 * time.Millisecond
	// width is how many calls to one target may be under way: more would only
	// wait for its gaps, and use up their time by that. A call that hangs keeps
	// its place until it really ends, so that a broken probe can't pile up.
	width = 2
)

// line is where questions to one target wait for their turn. However many
// activations ask, the target sees one stream of calls: batched, a gap apart,
// silent for as long as it wishes. It keeps wire time.
type line struct {
	probe  Probe
	limits Limits
	log    *slog.Logger
	places chan struct{}

	mu      sync.Mutex
	queue   []*question
	running bool
	next    time.Time // no call before
	pause   time.Time // the target wants to be left alone until then
	empty   chan struct{}
	took    time.Duration // by a call, lately
	horizon time.Time     // where the next place can be booked (book.go)
	room    int           // places left there

	roster roster
}

type question struct {
	ctx   context.Context // who asks may go away
	who   activation.Person
	reply chan reply
}

// reply is an answer, and how long the target wants to be left alone.
type reply struct {
	answer activation.Answer
	retry  time.Duration
}

func newLine(p Probe, log *slog.Logger) *line {
	l := p.Limits().or(Limits{Batch: 1, Timeout: 20 * time.Second, Confirm: 1})
	return &line{probe: p, limits: l, log: log, places: make(chan struct{}, width), empty: make(chan struct{}, 1),
		roster: roster{waits: map[string]waiter{}}}
}

// paused says how much longer the target wants to be left alone.
func (l *line) paused() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return max(0, time.Until(l.pause))
}

// ask waits for an answer about one person, before all others if it is urgent. It comes back without one when ctx
// ends, and with a can't tell when the line does not move.
func (l *line) ask(ctx context.Context, who activation.Person, urgent bool) (reply, error) {
	q := &question{ctx, who, make(chan reply, 1)}
	l.mu.Lock()
	if l.queue = append(l.queue, q); urgent {
		l.queue = slices.Insert(l.queue[:len(l.queue)-1], 0, q)
	}
	if !l.running {
		l.running = true
		go l.run()
	}
	l.mu.Unlock()
	patience := time.NewTimer(3 * l.limits.Timeout)
	defer patience.Stop()
	select {
	case r := <-q.reply:
		if ctx.Err() != nil && r.answer.Says == activation.CantTell {
			return reply{}, ctx.Err() // it was broken off because we went
		}
		return r, nil
	case <-ctx.Done():
		l.leave(q)
		return reply{}, ctx.Err()
	case <-patience.C:
		l.leave(q)
		return reply{answer: activation.Answer{Says: activation.CantTell, Why: "earlier questions to it still wait for an answer"}}, nil
	}
}

func (l *line) leave(q *question) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.queue = slices.DeleteFunc(l.queue, func(o *question) bool { return o == q })
	if len(l.queue) == 0 {
		select {
		case l.empty <- struct{}{}: // the runner need not wait any longer
		default:
		}
	}
}

// run sends the queue off, batch by batch, and ends as soon as it is empty: a
// line where nobody waits has no goroutine.
func (l *line) run() {
	for {
		if l.limits.Batch > 1 {
			l.rest(gather)
		}
		l.mu.Lock()
		wait := time.Until(l.next)
		l.mu.Unlock()
		if wait > 0 {
			l.rest(wait)
		}
		select {
		case l.places <- struct{}{}:
		case <-l.empty:
			if l.idle() {
				return
			}
			continue
		}
		batch, more := l.take()
		if len(batch) > 0 {
			go l.call(batch)
		} else {
			<-l.places
		}
		if !more {
			return
		}
	}
}

// rest waits, but not for a queue that everybody has left.
func (l *line) rest(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-l.empty:
	}
}

// idle dismisses the runner if nobody waits.
func (l *line) idle() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.running = len(l.queue) > 0
	return !l.running
}

// take gives the next batch and books the gap after it, and says whether more
// wait; if not, the runner is dismissed. While the target wants to be left
// alone, everybody who waits is sent away with that.
func (l *line) take() (batch []*question, more bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if pause := l.pause.Sub(now); pause > 0 {
		for _, q := range l.queue {
			q.reply <- reply{retry: pause}
		}
		l.queue = nil
	}
	if n := min(len(l.queue), l.limits.Batch); n > 0 && !now.Before(l.next) {
		batch = slices.Clone(l.queue[:n])
		l.queue = slices.Delete(l.queue, 0, n)
		l.next = now.Add(l.limits.Rate)
	}
	l.running = len(l.queue) > 0
	return batch, l.running
}

// call asks the probe and answers everybody, whatever the probe does. It is
// broken off when nobody waits for it any longer.
func (l *line) call(batch []*question) {
	ctx, cancel := context.WithTimeout(context.Background(), l.limits.Timeout)
	defer cancel()
	var left atomic.Int64
	left.Store(int64(len(batch)))
	for _, q := range batch {
		defer context.AfterFunc(q.ctx, func() {
			if left.Add(-1) == 0 {
				cancel()
			}
		})()
	}
	who := make([]activation.Person, len(batch))
	for i, q := range batch {
		who[i] = q.who
	}
	type outcome struct {
		answers []activation.Answer
		err     error
	}
	done := make(chan outcome, 1)
	go func() {
		defer func() { <-l.places }()
		began := time.Now()
		answers, err := l.check(ctx, who)
		l.heard(time.Since(began))
		l.heed(err) // before the place is free for another call
		done <- outcome{answers, err}
	}()
	var o outcome
	select {
	case o = <-done:
	case <-ctx.Done():
		o.err = ctx.Err()
	}
	l.deliver(batch, o.answers, o.err)
}

// check makes a panic of the probe an error.
func (l *line) check(ctx context.Context, who []activation.Person) (answers []activation.Answer, err error) {
	defer func() {
		if p := recover(); p != nil {
			l.log.Error("a probe broke", "panic", p, "stack", string(debug.Stack()))
			answers, err = nil, &Fault{Why: "the probe broke", Err: fmt.Errorf("%v", p)}
		}
	}()
	return l.probe.Check(ctx, who)
}

// heed leaves the target alone for as long as it asked.
func (l *line) heed(err error) {
	if err == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if until := time.Now().Add(faultOf(err).After); until.After(l.pause) {
		l.pause = until
	}
}

func (l *line) deliver(batch []*question, answers []activation.Answer, err error) {
	f := &Fault{Why: "no answer"}
	if err != nil {
		f = faultOf(err)
		l.log.Debug("a target could not be asked", "err", err)
	}
	for i, q := range batch {
		a := activation.Answer{Says: activation.CantTell, Why: f.Why}
		if len(answers) == len(batch) && answers[i].Says != "" {
			a = sound(answers[i], l.limits.Level)
		}
		r := reply{answer: a}
		if a.Says == activation.CantTell {
			r.retry = f.After
		}
		q.reply <- r
	}
}

// sound lets an answer through that can be published, and makes every other a
// can't tell: one without its moments, or above what its probe can know.
func sound(a activation.Answer, most activation.Level) activation.Answer {
	why := ""
	switch {
	case a.Says == activation.CantTell:
		return a
	case a.Says != activation.Yes && a.Says != activation.No:
		why = "the probe gave no answer that is known"
	case a.Sent.IsZero() || a.Received.Before(a.Sent):
		why = "the probe gave an answer without its moments"
	case a.Level > most:
		why = "the probe claimed more than it can know"
	case a.Says == activation.Yes && a.Evidence == "":
		why = "the probe gave a yes without evidence"
	default:
		return a
	}
	return cantTell(why, most, a.Sent, a.Received)
}
