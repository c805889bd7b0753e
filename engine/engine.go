// Package engine carries an activation from input to effect: it keeps an
// envelope before Slack is told that it arrived, decides on it, and does what
// follows, each deed once.
//
// Three loops and one rule. Intake turns kept envelopes into inputs. Dispatch
// claims effects and hands them to who can do them. Reconcile holds PIM's truth
// against ours. The rule: no deed, and no word about access, leaves the process
// that is not in the store. Recovery is the normal path: after a crash the same
// loops find the same rows; a deed that an earlier process had claimed may have
// been done, so it is looked for before it is done again.
package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"pagbot/activation"
	"pagbot/store"
)

// Reader understands one kept envelope: which activation it is for, and what
// that activation is told. A nil input asks nothing of any activation. An
// error means that it can't be understood right now.
type Reader interface {
	Read(ctx context.Context, k activation.Kept) (id string, in activation.Input, err error)
}

// Hand does effects of one kind in the outside world, and looks whether one
// was done already.
type Hand interface {
	Do(ctx context.Context, a activation.Activation, e activation.Effect) activation.Report
	Look(ctx context.Context, a activation.Activation, e activation.Effect) activation.Report
}

// Config is what an engine needs.
type Config struct {
	Store   store.Store
	Clock   Clock
	Reader  Reader
	Hands   map[activation.Kind]Hand
	Groups  []Watched // that reconcile watches; empty: none
	PIM     PIM
	Beat    time.Duration // world time between two reconciliations; 0: 30 s
	Workers int           // per lane; 0: 8
	Log     *slog.Logger
	// Changed is told every activation as it was just committed, in no certain
	// order: Seq says which is newer. It must be quick. nil: nobody is told.
	Changed func(activation.Activation)
	// Named is asked of every activation that is read from the store what its
	// person and group are called: a row may say anything. nil: the row counts.
	Named func(activation.Activation) activation.Activation
}

func (c *Config) validate() error {
	if c.Store == nil || c.Reader == nil {
		return errors.New("engine: a store and a reader are needed")
	}
	if len(c.Groups) > 0 && c.PIM == nil {
		return errors.New("engine: groups to watch need a PIM to read")
	}
	if c.Clock == (Clock{}) {
		c.Clock = RealClock()
	}
	if c.Beat == 0 {
		c.Beat = 30 * time.Second
	}
	if c.Workers == 0 {
		c.Workers = 8
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Changed == nil {
		c.Changed = func(activation.Activation) {}
	}
	return nil
}

// Engine runs activations. Make it with New, start it with Run.
type Engine struct {
	Config
	lanes   map[activation.Lane]chan struct{} // wakes
	inHand  inHand
	began   time.Time // what was asked for earlier was asked of another process
	mu      sync.Mutex
	changed chan struct{} // closed and renewed at every commit
	keeping atomic.Int32  // envelopes that are being kept right now
	tray    tray
}

// Lanes of the engine's own, beside the activation's.
const (
	laneInbox activation.Lane = "inbox"
	laneDue   activation.Lane = "due"
)

// Remember are the lanes whose finished keys the store must remember for a
// day: an envelope that comes twice is one envelope.
var Remember = []string{string(laneInbox)}

// New makes an engine.
func New(c Config) (*Engine, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	e := &Engine{Config: c, lanes: map[activation.Lane]chan struct{}{}, changed: make(chan struct{}), inHand: inHand{claims: map[string]*claim{}}}
	e.began = e.Clock.Now()
	for _, l := range []activation.Lane{laneInbox, laneDue, activation.LaneDeed, activation.LaneSay, activation.LaneWatch} {
		e.lanes[l] = make(chan struct{}, 1)
	}
	return e, nil
}

// Run works until the context ends, and returns when everything in hand is
// finished or safely left in the store.
func (e *Engine) Run(ctx context.Context) {
	var wg sync.WaitGroup
	for lane := range e.lanes {
		wg.Go(func() { e.work(ctx, lane) })
	}
	if len(e.Groups) > 0 {
		wg.Go(func() { e.reconcile(ctx) })
	}
	wg.Wait()
}

// fate is what becomes of the job that led to an input; it is committed in the
// same turn.
type fate struct {
	done, deferred []store.Job
	receipt        *store.Doc // of whatever revision is there
}

func (f fate) empty() bool { return len(f.done)+len(f.deferred) == 0 && f.receipt == nil }

// Tell gives an activation an input and returns it as it is afterwards.
func (e *Engine) Tell(ctx context.Context, id string, in activation.Input) (activation.Activation, error) {
	return e.tell(ctx, id, in, fate{})
}

// tell loads, decides and commits, and does it again if a revision moved
// meanwhile: Decide runs outside the transaction. Whenever it must, somebody
// else has moved on, so this ends. A nil input only commits the fate.
func (e *Engine) tell(ctx context.Context, id string, in activation.Input, f fate) (activation.Activation, error) {
	for {
		a, rev, err := e.load(ctx, id)
		if err != nil {
			return a, err
		}
		if in, err = e.owing(ctx, in); err != nil {
			return a, err
		}
		next, t, err := e.turn(a, rev, id, in)
		if err != nil {
			return a, err
		}
		if len(t.Docs) == 0 && f.empty() {
			return a, nil
		}
		if a.ID == "" && next.Phase == activation.Asked {
			docs, err := e.asked(ctx, []activation.Activation{next})
			if err != nil {
				return a, err
			}
			t.Docs = append(t.Docs, docs...)
		}
		t.Done, t.Defer = f.done, f.deferred
		if f.receipt != nil {
			doc := *f.receipt
			if doc.Rev, err = e.revision(ctx, doc); err != nil {
				return a, err
			}
			t.Docs = append(t.Docs, doc)
		}
		// A crash before this line leaves the input's job as it was: claimed, so
		// it is taken up again. After it, everything that follows is in the store.
		switch err = e.commit(ctx, t); {
		case err == nil:
			if next.Seq != a.Seq {
				e.Changed(next)
			}
			if next.Phase == activation.Verifying && a.Phase != next.Phase {
				if err := e.overlaps(ctx, next); err != nil { // else found at the next tick
					e.Log.Warn("what keeps its targets open was not looked for", "activation", id, "err", err)
				}
			}
			return next, nil
		case errors.Is(err, store.ErrStale):
			continue
		default:
			return a, err
		}
	}
}

// turn decides an input and lists what must be stored with it.
func (e *Engine) turn(a activation.Activation, rev uint64, id string, in activation.Input) (activation.Activation, store.Turn, error) {
	var t store.Turn
	now := e.Clock.Now()
	var events []activation.Event
	if in != nil {
		events = activation.Decide(a, in, now)
	}
	if len(events) == 0 {
		return a, t, nil
	}
	_, waited := a.Due()
	for _, ev := range events {
		a = activation.Apply(a, ev)
		if err := e.record(&t, a, ev, now); err != nil {
			return a, t, err
		}
	}
	if a.ID != id {
		return a, t, fmt.Errorf("engine: activation %q was told what is for %q", id, a.ID)
	}
	doc, err := document(a, rev)
	if err != nil {
		return a, t, err
	}
	t.Docs = append(t.Docs, doc)
	due, waits := a.Due()
	if !waits && waited {
		due = now // rings once more, finds nothing, and is gone
	}
	if waits || waited {
		t.Replace = append(t.Replace, store.Job{Lane: string(laneDue), Key: a.ID, Due: due, Body: []byte(`{}`)})
	}
	return a, t, nil
}

// record adds one event and its effects to a turn. A slot that two events of a
// turn fill is filled once, with the newer.
func (e *Engine) record(t *store.Turn, a activation.Activation, ev activation.Event, now time.Time) error {
	body, err := activation.Encode(ev)
	if err != nil {
		return err
	}
	t.Log = append(t.Log, store.Entry{Log: journalOf(a.ID), At: now, Body: body})
	line, err := json.Marshal(audited{a.ID, body})
	if err != nil {
		return err
	}
	t.Log = append(t.Log, store.Entry{Log: AuditLog, At: now, Body: line})
	for _, f := range activation.Effects(a, ev) {
		job, err := e.job(a.ID, f)
		if err != nil {
			return err
		}
		if f.Slot {
			t.Replace = replaceSlot(t.Replace, job)
		} else {
			t.Add = append(t.Add, job)
		}
	}
	return nil
}

func replaceSlot(jobs []store.Job, job store.Job) []store.Job {
	for i := range jobs {
		if jobs[i].Lane == job.Lane && jobs[i].Key == job.Key {
			jobs[i] = job
			return jobs
		}
	}
	return append(jobs, job)
}

// task is the body of an effect's job.
type task struct {
	Activation string            `json:"activation"`
	Effect     activation.Effect `json:"effect"`
	Memory     json.RawMessage   `json:"memory,omitempty"`
}

func (e *Engine) job(id string, f activation.Effect) (store.Job, error) {
	body, err := json.Marshal(task{Activation: id, Effect: f})
	due := f.Due
	if due.IsZero() {
		due = e.Clock.Now()
	}
	return store.Job{Lane: string(f.Lane), Key: id + "/" + f.Key, Order: f.Order, Wait: f.Wait, Due: due, Until: f.Until, Body: body}, err
}

// commit stores a turn and wakes whoever waits for what is in it.
func (e *Engine) commit(ctx context.Context, t store.Turn) error {
	if err := e.Store.Commit(ctx, t); err != nil {
		return err
	}
	for _, jobs := range [][]store.Job{t.Add, t.Replace, t.Defer} {
		for _, j := range jobs {
			e.wake(activation.Lane(j.Lane))
		}
	}
	if len(t.Done) > 0 {
		// Finishing one lets the next of its order go.
		for _, j := range t.Done {
			e.wake(activation.Lane(j.Lane))
		}
	}
	if len(t.Release) > 0 {
		e.wake(activation.LaneDeed)
		e.wake(activation.LaneSay)
		e.wake(activation.LaneWatch)
	}
	e.mu.Lock()
	close(e.changed)
	e.changed = make(chan struct{})
	e.mu.Unlock()
	return nil
}

func (e *Engine) wake(lane activation.Lane) {
	select {
	case e.lanes[lane] <- struct{}{}:
	default:
	}
}
