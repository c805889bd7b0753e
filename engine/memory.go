package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"pagbot/activation"
	"pagbot/store"
)

// Kinds of documents, and the log of everything.
const (
	kindActivation = "activation"
	kindReceipt    = "receipt"
	kindSpent      = "spent"
	// AuditLog has every event of every activation, in the order of commits.
	AuditLog = "audit"
)

func journalOf(id string) string { return "activation/" + id }

// audited is one line of the audit log.
type audited struct {
	Activation string          `json:"activation"`
	Event      json.RawMessage `json:"event"`
}

// document is an activation as it is stored, with everything it is found by.
func document(a activation.Activation, rev uint64) (store.Doc, error) {
	body, err := json.Marshal(a)
	d := store.Doc{Kind: kindActivation, Key: a.ID, Rev: rev, Body: body}
	if a.Open() {
		d.Index = append(d.Index, "open", "key:"+a.Key(), "person:"+account(a.Person))
	}
	for _, w := range a.Spent {
		d.Index = append(d.Index, "warrant:"+w)
	}
	for _, p := range a.Deeds {
		d.Index = append(d.Index, "warrant:"+p.Warrant.ID)
	}
	if a.Request.ID != "" {
		d.Index = append(d.Index, "pim:"+strings.ToLower(a.Request.ID))
	}
	if a.Request.Schedule != "" {
		d.Index = append(d.Index, "pim:"+strings.ToLower(a.Request.Schedule))
	}
	for _, t := range []time.Time{a.From, a.Ended} {
		if day := Day(t); !t.IsZero() && !slices.Contains(d.Index, day) {
			d.Index = append(d.Index, day)
		}
	}
	return d, err
}

// Day is the index under which Find has what began or ended on a moment's day,
// open or closed.
func Day(t time.Time) string { return "day:" + t.UTC().Format(time.DateOnly) }

func account(p activation.Person) string { return strings.ToLower(p.Tenant + "/" + p.Object) }

func (e *Engine) load(ctx context.Context, id string) (activation.Activation, uint64, error) {
	var a activation.Activation
	d, err := e.Store.Get(ctx, kindActivation, id)
	if errors.Is(err, store.ErrNone) {
		return a, 0, nil
	}
	if err != nil {
		return a, 0, err
	}
	a, err = e.opened(d)
	return a, d.Rev, err
}

// opened takes an activation out of its document.
func (e *Engine) opened(d store.Doc) (activation.Activation, error) {
	var a activation.Activation
	if err := json.Unmarshal(d.Body, &a); err != nil {
		return a, fmt.Errorf("activation %s: %w", d.Key, err)
	}
	if e.Named != nil {
		a = e.Named(a)
	}
	return a, nil
}

// Load returns an activation; its zero value if there is none of that id.
func (e *Engine) Load(ctx context.Context, id string) (activation.Activation, error) {
	a, _, err := e.load(ctx, id)
	return a, err
}

// Find lists activations by an index: "open", "key:" and an activation's Key,
// "person:tenant/object", "pim:" and a request's or schedule's id, or a Day. The
// first three list open ones only.
func (e *Engine) Find(ctx context.Context, index string) ([]activation.Activation, error) {
	const page = 200
	var all []activation.Activation
	for after := ""; ; {
		docs, err := e.Store.List(ctx, kindActivation, index, after, page)
		if err != nil {
			return nil, err
		}
		for _, d := range docs {
			a, err := e.opened(d)
			if err != nil {
				return nil, err
			}
			all = append(all, a)
			after = d.Key
		}
		if len(docs) < page {
			return all, nil
		}
	}
}

// Journal reads what happened to one activation, from its beginning.
func (e *Engine) Journal(ctx context.Context, id string) iter.Seq2[store.Entry, error] {
	return e.Store.Read(ctx, journalOf(id), 1)
}

// Receipt is what the outside gave back for an effect's key; nil if nothing.
func (e *Engine) Receipt(ctx context.Context, id, key string) (json.RawMessage, error) {
	d, err := e.Store.Get(ctx, kindReceipt, receiptOf(id, key))
	if errors.Is(err, store.ErrNone) {
		return nil, nil
	}
	return d.Body, err
}

func receiptOf(id, key string) string { return id + "/" + key }

// revision is what a document's revision is now; 0 if there is none.
func (e *Engine) revision(ctx context.Context, d store.Doc) (uint64, error) {
	had, err := e.Store.Get(ctx, d.Kind, d.Key)
	if errors.Is(err, store.ErrNone) {
		return 0, nil
	}
	return had.Rev, err
}

// has reports whether any activation is listed under an index.
func (e *Engine) has(ctx context.Context, index string) (bool, error) {
	docs, err := e.Store.List(ctx, kindActivation, index, "", 1)
	return len(docs) > 0, err
}

// Warrant finds the activation that a warrant is for, and its deed: zero if it
// waits no more. The boolean is false if nobody has heard of the warrant.
func (e *Engine) Warrant(ctx context.Context, warrant string) (activation.Activation, activation.Pending, bool, error) {
	all, err := e.Find(ctx, "warrant:"+warrant)
	if err != nil || len(all) == 0 {
		return activation.Activation{}, activation.Pending{}, false, err
	}
	d, _ := all[0].Deed(warrant)
	return all[0], d, true, nil
}

// Release lets everything go that waits for a named thing, or that is in hand
// and just about to wait for it.
func (e *Engine) Release(ctx context.Context, wait string) error {
	e.inHand.release(wait)
	return e.commit(ctx, store.Turn{Release: []string{wait}})
}

// Settled waits until a deed is done, refused or lapsed, or until the context
// ends, and returns the activation as it is then.
func (e *Engine) Settled(ctx context.Context, id, warrant string) (activation.Activation, error) {
	for {
		changed := e.next()
		a, err := e.Load(ctx, id)
		if err != nil {
			return a, err
		}
		if _, pending := a.Deed(warrant); !pending {
			return a, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return a, ctx.Err()
		}
	}
}

// Committed signals that something was committed since the last signal, until
// the context ends.
func (e *Engine) Committed(ctx context.Context) <-chan struct{} {
	out := make(chan struct{}, 1)
	changed := e.next()
	go func() {
		for {
			select {
			case <-changed:
			case <-ctx.Done():
				return
			}
			// Before the signal: who gets it sees all that was committed until now,
			// and what comes later closes this one.
			changed = e.next()
			select {
			case out <- struct{}{}:
			default:
			}
		}
	}()
	return out
}

// next is closed by the next commit.
func (e *Engine) next() <-chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.changed
}
