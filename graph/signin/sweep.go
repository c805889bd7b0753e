package signin

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"

	"pagbot/activation"
)

// Who has rows is itself a row, since a Box cannot list.
const (
	kindKnown = "signin-known"
	keyKnown  = "all"
)

// Sweep forgets what has no owner any more: sessions that are over, sessions
// and bindings of accounts that the mapping no longer gives to their Slack
// user. Nothing of it could be used; this makes sure that it isn't there
// either. Call it at start and now and then.
func (s *Service) Sweep(ctx context.Context) error {
	known, _, err := s.known(ctx)
	for _, slack := range known {
		err = errors.Join(err, s.sweep(ctx, slack))
	}
	return err
}

func (s *Service) sweep(ctx context.Context, slack activation.SlackUser) error {
	ours := map[string]activation.Person{}
	for _, who := range s.cfg.People.BySlack(slack) {
		ours[account(who.Tenant, who.Object)] = who
	}
	bound, rev, err := s.bindings(ctx, slack)
	if err != nil {
		return err
	}
	n := len(bound)
	maps.DeleteFunc(bound, func(acc string, b boundAccount) bool { return ours[acc].Human != b.Human })
	if len(bound) < n {
		s.cfg.Log.Info("sign-in: forgot bindings that the mapping no longer has", "slack", slack.ID)
		if err := s.writeBindings(ctx, slack, rev, bound); err != nil {
			return err
		}
	}
	caches, _, err := s.cfg.rows(ctx, kindCaches, slack)
	if err != nil {
		return err
	}
	for acc := range caches {
		why := "its account is bound no more"
		if _, still := bound[acc]; still {
			if why, err = s.done(ctx, ours[acc]); err != nil {
				return err
			}
		}
		if why != "" {
			s.cfg.Log.Info("sign-in: forgot a kept session", "slack", slack.ID, "why", why)
			if err := s.vault.forget(ctx, slack, acc); err != nil {
				return err
			}
		}
	}
	return nil
}

// done says why a session that lies in the store is good for nothing, if so.
func (s *Service) done(ctx context.Context, who activation.Person) (why string, err error) {
	if !s.keeps() {
		return "custody is none", nil
	}
	had, err := s.vault.look(ctx, who)
	switch {
	case errors.Is(err, errNotKept):
		return "its time is over", nil
	case err != nil:
		return "", err
	}
	return s.over(ctx, who, had.SignedIn)
}

func (s *Service) known(ctx context.Context) (all []activation.SlackUser, rev uint64, err error) {
	body, rev, err := s.cfg.Box.Get(ctx, kindKnown, keyKnown)
	if err == nil && body != nil {
		err = json.Unmarshal(body, &all)
	}
	return all, rev, err
}

// know notes that a Slack user has rows. Several may sign in for the first
// time at once, hence the second try.
func (s *Service) know(ctx context.Context, slack activation.SlackUser) error {
	var failed error
	for range 5 {
		all, rev, err := s.known(ctx)
		if err != nil || slices.Contains(all, slack) {
			return err
		}
		body, err := json.Marshal(append(all, slack))
		if err != nil {
			return err
		}
		if failed = s.cfg.Box.Put(ctx, kindKnown, keyKnown, rev, body); failed == nil {
			return nil
		}
	}
	return failed
}
