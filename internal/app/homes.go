package app

import (
	"context"
	"errors"

	"pagbot/activation"
	"pagbot/store"
)

// homes remembers in the store who has opened their Home tab. Only people with
// an account are noted, so that there are never more than those.
type homes struct{ *store.Bolt }

const kindHome = "home"

// Note implements bot.Homes.
func (h homes) Note(ctx context.Context, user string) error {
	err := h.Commit(ctx, store.Turn{Docs: []store.Doc{{Kind: kindHome, Key: user, Index: []string{kindHome}, Body: []byte(`{}`)}}})
	if errors.Is(err, store.ErrStale) {
		return nil // it is
	}
	return err
}

// Has implements bot.Homes.
func (h homes) Has(ctx context.Context, user string) (bool, error) {
	_, err := h.Get(ctx, kindHome, user)
	if errors.Is(err, store.ErrNone) {
		return false, nil
	}
	return err == nil, err
}

// Forget implements bot.Homes.
func (h homes) Forget(ctx context.Context, user string) error {
	d, err := h.Get(ctx, kindHome, user)
	if errors.Is(err, store.ErrNone) {
		return nil
	}
	if err != nil {
		return err
	}
	return h.Commit(ctx, store.Turn{Docs: []store.Doc{{Kind: kindHome, Key: user, Rev: d.Rev}}})
}

// sweepHomes forgets who has no account any more.
func (a *App) sweepHomes(ctx context.Context) error {
	const page = 200
	for after := ""; ; {
		docs, err := a.db.List(ctx, kindHome, kindHome, after, page)
		if err != nil {
			return err
		}
		for _, d := range docs {
			after = d.Key
			if u := (activation.SlackUser{Team: a.team(), ID: d.Key}); len(a.people.BySlack(u)) == 0 {
				a.bot.Forget(ctx, u)
			}
		}
		if len(docs) < page {
			return nil
		}
	}
}
