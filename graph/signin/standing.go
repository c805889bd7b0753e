package signin

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"pagbot/activation"
)

// Account is an account as the directory has it now, read by the reader
// registration by its object id, never by a name.
type Account struct {
	UPN, Mail string
	Guest     bool
	Enabled   bool
	Revoked   time.Time // sessions that began before are over
	Attribute string    // the configured attribute's value
}

// Directory is Entra, as far as custody and binding need it.
type Directory interface {
	// Account reads one account; ErrNoAccount if there is none any more.
	Account(ctx context.Context, object string) (Account, error)
}

// Member is a Slack user as Slack has them now.
type Member struct {
	Name   string // as people call them
	Team   string // their workspace, as people call it
	Mail   string // of the profile: anybody who runs the workspace may change it
	Active bool   // a full member, not deactivated, no guest, no bot
}

// Workspace is Slack, as far as custody and binding need it.
type Workspace interface {
	// Member reads one user; ErrNoAccount if there is none any more.
	Member(ctx context.Context, u activation.SlackUser) (Member, error)
}

// ErrNoAccount says that there is no such account or user (any more).
var ErrNoAccount = errors.New("there is no such account")

// standings remembers for a minute what both sides said of an account, so that
// several deeds at once ask once.
type standings struct {
	mu sync.Mutex
	m  map[string]standing
}

type standing struct {
	account Account
	member  Member
	gone    string // why there is nobody
	at      time.Time
}

const standingLife = time.Minute

// standing asks Entra and Slack about an account and its Slack user.
func (s *Service) standing(ctx context.Context, who activation.Person) (standing, error) {
	key := slackKey(who.Slack) + " " + account(who.Tenant, who.Object)
	s.stand.mu.Lock()
	got, ok := s.stand.m[key]
	s.stand.mu.Unlock()
	if ok && time.Since(got.at) < standingLife {
		return got, nil
	}
	got, err := s.askStanding(ctx, who)
	if err != nil {
		return got, err
	}
	s.stand.mu.Lock()
	defer s.stand.mu.Unlock()
	if s.stand.m == nil || len(s.stand.m) > maxFlows {
		s.stand.m = map[string]standing{}
	}
	s.stand.m[key] = got
	return got, nil
}

// askStanding asks both at once.
func (s *Service) askStanding(ctx context.Context, who activation.Person) (got standing, err error) {
	got.at = time.Now()
	var noAccount, noMember error
	var both sync.WaitGroup
	if d := s.cfg.Directory; d != nil {
		both.Go(func() { got.account, noAccount = d.Account(ctx, who.Object) })
	}
	if w := s.cfg.Workspace; w != nil {
		both.Go(func() { got.member, noMember = w.Member(ctx, who.Slack) })
	}
	both.Wait()
	switch {
	case errors.Is(noAccount, ErrNoAccount):
		got.gone = "the account is deleted"
	case errors.Is(noMember, ErrNoAccount):
		got.gone = "the Slack user is deleted"
	case noAccount != nil:
		return got, fmt.Errorf("the account could not be looked up: %w", noAccount)
	case noMember != nil:
		return got, fmt.Errorf("the Slack user could not be looked up: %w", noMember)
	}
	return got, nil
}

// over says why a session that a person began at some time is over by now.
func (s *Service) over(ctx context.Context, who activation.Person, signedIn time.Time) (why string, err error) {
	got, err := s.standing(ctx, who)
	switch {
	case err != nil || got.gone != "":
		return got.gone, err
	case s.cfg.Directory != nil && !got.account.Enabled:
		return "the account is disabled", nil
	case s.cfg.Directory != nil && got.account.Revoked.After(signedIn):
		return "the account's sessions were revoked", nil
	case s.cfg.Workspace != nil && !got.member.Active:
		return "the Slack user is deactivated", nil
	}
	return "", nil
}
