package signin

import (
	"context"
	"encoding/json"
	"errors"
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
	bound, err := s.sweepBindings(ctx, slack, ours)
	if err != nil {
		return err
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
	if len(bound) == 0 {
		return s.unknow(ctx, slack)
	}
	return nil
}

// sweepBindings forgets those that neither the mapping nor any evidence
// supports, and returns those that stay.
func (s *Service) sweepBindings(ctx context.Context, slack activation.SlackUser, ours map[string]activation.Person) (map[string]boundAccount, error) {
	bound, rev, err := s.bindings(ctx, slack)
	if err != nil {
		return nil, err
	}
	n := len(bound)
	for acc, b := range bound {
		why := ""
		if who, ok := ours[acc]; !ok || who.Human != b.Human {
			why = "the mapping no longer has it"
		} else if why, err = s.unsupported(ctx, who); err != nil {
			return nil, err
		}
		if why != "" {
			s.cfg.Log.Info("sign-in: forgot a binding", "slack", slack.ID, "why", why)
			s.unlearn(slack, acc)
			delete(bound, acc)
		}
	}
	if len(bound) < n || rev != 0 && n == 0 {
		err = s.writeBindings(ctx, slack, rev, bound)
	}
	return bound, err
}

// unsupported says why a binding has lost its ground: its account or its Slack
// user is deleted, or its evidence gone.
func (s *Service) unsupported(ctx context.Context, who activation.Person) (string, error) {
	st, err := s.standing(ctx, who)
	if err != nil || st.gone != "" {
		return st.gone, err
	}
	return s.still(ctx, who)
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

// know notes that a Slack user has rows.
func (s *Service) know(ctx context.Context, slack activation.SlackUser) error {
	return s.changeKnown(ctx, func(all []activation.SlackUser) []activation.SlackUser {
		if slices.Contains(all, slack) {
			return all
		}
		return append(all, slack)
	})
}

// unknow forgets that there ever was such a Slack user.
func (s *Service) unknow(ctx context.Context, slack activation.SlackUser) error {
	return errors.Join(s.vault.forget(ctx, slack, ""), s.disallow(ctx, slack),
		s.changeKnown(ctx, func(all []activation.SlackUser) []activation.SlackUser {
			return slices.DeleteFunc(slices.Clone(all), func(u activation.SlackUser) bool { return u == slack })
		}))
}

// changeKnown changes the list of who has rows. Several may sign in for the
// first time at once, hence the second try.
func (s *Service) changeKnown(ctx context.Context, change func([]activation.SlackUser) []activation.SlackUser) error {
	var failed error
	for range 5 {
		all, rev, err := s.known(ctx)
		if err != nil {
			return err
		}
		now := change(all)
		if len(now) == len(all) {
			return nil
		}
		var body []byte
		if len(now) > 0 {
			if body, err = json.Marshal(now); err != nil {
				return err
			}
		}
		if failed = s.cfg.Box.Put(ctx, kindKnown, keyKnown, rev, body); failed == nil {
			return nil
		}
	}
	return failed
}
