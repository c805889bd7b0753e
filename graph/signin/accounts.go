package signin

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"pagbot/activation"
)

// Bound is one of a person's accounts: how it is theirs, since when they have
// confirmed it, and until when a session of it is kept.
type Bound struct {
	activation.Person
	How   string    // file, attribute or mail
	Since time.Time // zero: it never signed in here
	Until time.Time // zero: no session
}

// Accounts lists a Slack user's accounts, those of the mapping file first. Which
// of them acts is the person's choice when they ask.
func (s *Service) Accounts(ctx context.Context, slack activation.SlackUser) ([]Bound, error) {
	bindings, _, err := s.bindings(ctx, slack)
	if err != nil {
		return nil, err
	}
	var all []Bound
	for _, who := range s.cfg.People.BySlack(slack) {
		b := Bound{Person: who, How: s.cfg.People.how(who)}
		if had, ok := bindings[account(who.Tenant, who.Object)]; ok && had.Human == who.Human {
			b.Since = had.At
			b.Name = cmp.Or(b.Name, had.Name)
		}
		if s.keeps() {
			until, err := s.vault.peek(ctx, who)
			if err != nil && !errors.Is(err, errNotKept) {
				return nil, err
			}
			if err == nil {
				b.Until = until
			}
		}
		all = append(all, b)
	}
	return all, nil
}

// Everybody lists the accounts of all Slack users, in the order of their ids.
func (s *Service) Everybody(ctx context.Context) ([]Bound, error) {
	var all []Bound
	for _, u := range s.cfg.People.Users() {
		own, err := s.Accounts(ctx, u)
		if err != nil {
			return nil, err
		}
		all = append(all, own...)
	}
	return all, nil
}

// SignOutAll forgets every session, and says how many Slack users had any.
func (s *Service) SignOutAll(ctx context.Context) (n int, err error) {
	known, _, err := s.known(ctx)
	for _, slack := range known {
		rows, _, lost := s.cfg.rows(ctx, kindCaches, slack)
		err = errors.Join(err, lost, s.SignOut(ctx, slack))
		if len(rows) > 0 {
			n++
		}
	}
	return n, err
}

// Kept reports whether a session of this account is kept.
func (s *Service) Kept(ctx context.Context, who activation.Person) bool {
	if !s.keeps() {
		return false
	}
	_, err := s.vault.peek(ctx, who)
	return err == nil
}

// SignedIn returns the account whose session is kept for a Slack user, and
// until when if no deed renews it: of several, the one that lasts longest.
func (s *Service) SignedIn(ctx context.Context, slack activation.SlackUser) (activation.Person, time.Time, bool) {
	all, err := s.Accounts(ctx, slack)
	if err != nil || len(all) == 0 {
		return activation.Person{}, time.Time{}, false
	}
	best := slices.MaxFunc(all, func(a, b Bound) int { return a.Until.Compare(b.Until) })
	if best.Until.IsZero() {
		return activation.Person{}, time.Time{}, false
	}
	return best.Person, best.Until, true
}
