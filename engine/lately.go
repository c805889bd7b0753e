package engine

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"pagbot/activation"
	"pagbot/store"
)

// kindLately are the ids of what an account asked for last, so that it can be
// asked for again. It is a view of the journal and stored with it.
const kindLately = "lately"

// latelyMost is how many asks are remembered of one account.
const latelyMost = 10

// Lately lists what an account (tenant/object) asked for last, the newest first.
func (e *Engine) Lately(ctx context.Context, account string) ([]activation.Activation, error) {
	_, ids, err := e.lately(ctx, strings.ToLower(account))
	if err != nil {
		return nil, err
	}
	var all []activation.Activation
	for _, id := range ids {
		a, err := e.Load(ctx, id)
		if err != nil {
			return nil, err
		}
		if a.ID != "" {
			all = append(all, a)
		}
	}
	return all, nil
}

func (e *Engine) lately(ctx context.Context, account string) (store.Doc, []string, error) {
	d, err := e.Store.Get(ctx, kindLately, account)
	if errors.Is(err, store.ErrNone) {
		return store.Doc{Kind: kindLately, Key: account}, nil, nil
	}
	if err != nil {
		return d, nil, err
	}
	var ids []string
	return d, ids, json.Unmarshal(d.Body, &ids)
}

// tellAll begins several activations in one commit: all that was asked for is
// there, or nothing.
func (e *Engine) tellAll(ctx context.Context, all activation.Asks, f fate) error {
	each := make([]told, len(all))
	for i, q := range all {
		each[i] = told{q.ID, q}
	}
	return e.tellEach(ctx, each, false, f)
}

// told is what one activation is told.
type told struct {
	id string
	in activation.Input
}

// tellEach tells several activations in one commit. linked: what is refused at
// once keeps those after it from being told.
func (e *Engine) tellEach(ctx context.Context, all []told, linked bool, f fate) error {
	for {
		t := store.Turn{Done: f.done}
		var fresh []activation.Activation
		for _, q := range all {
			a, rev, err := e.load(ctx, q.id)
			if err != nil {
				return err
			}
			in, err := e.owing(ctx, q.in)
			if err != nil {
				return err
			}
			next, one, err := e.turn(a, rev, q.id, in)
			if err != nil {
				return err
			}
			t.Docs, t.Log = append(t.Docs, one.Docs...), append(t.Log, one.Log...)
			t.Add, t.Replace = append(t.Add, one.Add...), append(t.Replace, one.Replace...)
			if a.ID == "" && next.Phase == activation.Asked {
				fresh = append(fresh, next)
			}
			if linked && !next.Open() {
				break
			}
		}
		docs, err := e.asked(ctx, fresh)
		if err != nil {
			return err
		}
		t.Docs = append(t.Docs, docs...)
		// A crash before this line leaves the envelope, which is read again.
		if err = e.commit(ctx, t); !errors.Is(err, store.ErrStale) {
			return err
		}
	}
}

// asked puts new asks in front of what their account asked for before.
func (e *Engine) asked(ctx context.Context, fresh []activation.Activation) ([]store.Doc, error) {
	var docs []store.Doc
	for _, a := range fresh {
		of := account(a.Person)
		i := slices.IndexFunc(docs, func(d store.Doc) bool { return d.Key == of })
		var ids []string
		var err error
		if i < 0 {
			var d store.Doc
			if d, ids, err = e.lately(ctx, of); err != nil {
				return nil, err
			}
			docs, i = append(docs, d), len(docs)
		} else if err = json.Unmarshal(docs[i].Body, &ids); err != nil {
			return nil, err
		}
		ids = append([]string{a.ID}, slices.DeleteFunc(ids, func(id string) bool { return id == a.ID })...)
		if docs[i].Body, err = json.Marshal(ids[:min(len(ids), latelyMost)]); err != nil {
			return nil, err
		}
	}
	return docs, nil
}
