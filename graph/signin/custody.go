package signin

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"

	"pagbot/activation"
)

// Token returns a token for the deed of this warrant: the one that its own
// sign-in brought, or, where a session is proof enough, a kept one. claims is
// what Entra asked for in a step-up. ErrSignIn: ask the person.
func (s *Service) Token(ctx context.Context, w activation.Warrant, claims string) (Token, error) {
	if err := s.cfg.Sealer.Check(w); err != nil {
		return Token{}, err
	}
	who, ok := s.cfg.People.ByObject(w.Actor.Tenant, w.Actor.Object)
	if !ok || who.Slack != w.Actor.Slack {
		return Token{}, activation.Refusal{Code: activation.NotBound, Text: "the mapping does not give this account to this Slack user"}
	}
	if err := s.stillBound(ctx, who); err != nil {
		return Token{}, err
	}
	if t, ok := s.pocket.get(w.ID, claims); ok {
		return t, nil
	}
	// A step-up is never answered from what is kept: it asks the person.
	if w.Proof != activation.Session || claims != "" || !s.keeps() {
		return Token{}, ErrSignIn
	}
	if known, err := s.binding(ctx, who); err != nil || !known {
		return Token{}, errors.Join(err, ErrSignIn)
	}
	return s.keptToken(ctx, who, w.Clicked)
}

// stillBound refuses an account whose evidence is gone, and forgets it.
func (s *Service) stillBound(ctx context.Context, who activation.Person) error {
	why, err := s.still(ctx, who)
	if err != nil || why == "" {
		return err
	}
	_, err = s.Unbind(ctx, who.Slack, who.Object)
	return errors.Join(activation.Refusal{Code: activation.NotBound, Text: why}, err)
}

// keptToken refreshes silently. Only a deed comes here, and so only a deed
// renews a session.
func (s *Service) keptToken(ctx context.Context, who activation.Person, clicked time.Time) (Token, error) {
	ctx, cancel := context.WithTimeout(ctx, wireTime)
	defer cancel()
	var t Token
	err := s.vault.use(ctx, who, func(had *kept) error {
		why, err := s.over(ctx, who, had.SignedIn)
		if err != nil {
			return err
		}
		if why != "" {
			return ended(why)
		}
		refresh := s.refresh
		if !had.Device.IsZero() {
			if refresh = s.refreshDevice; !clicked.After(had.Device) {
				return errNotKept // a code that somebody entered decides nothing that waited for it
			}
		}
		t = Token{Tenant: who.Tenant, Object: who.Object}
		t.Value, t.Expires, err = refresh(ctx, had)
		return err
	})
	var no failure
	var why ended
	switch {
	case errors.Is(err, errNotKept):
		return Token{}, ErrSignIn
	case errors.As(err, &why):
		return Token{}, errors.Join(s.drop(ctx, who, string(why)), ErrSignIn)
	case errors.As(err, &no) && no.final():
		s.cfg.Log.Info("sign-in: a kept session is over", "slack", who.Slack.ID, "error", no)
		return Token{}, errors.Join(s.vault.forget(ctx, who.Slack, account(who.Tenant, who.Object)), ErrSignIn)
	case err != nil:
		return Token{}, fmt.Errorf("the kept session could not be used: %w", err)
	}
	return t, nil
}

// refresh gets an access token of a browser's session.
func (s *Service) refresh(ctx context.Context, had *kept) (string, time.Time, error) {
	b := &blob{data: had.Cache}
	client, err := s.cfg.newClient(b)
	if err != nil {
		return "", time.Time{}, wireError(err)
	}
	acc, err := client.Account(ctx, had.Home)
	if err != nil || acc.IsZero() {
		return "", time.Time{}, errNotKept
	}
	res, err := client.AcquireTokenSilent(ctx, s.cfg.Scopes, confidential.WithSilentAccount(acc))
	if err != nil {
		return "", time.Time{}, wireError(err)
	}
	had.Cache = b.data
	return res.AccessToken, res.ExpiresOn, nil
}

// ended says why a session is over although its time is not.
type ended string

func (e ended) Error() string { return "the session is over: " + string(e) }

// drop forgets an account's session.
func (s *Service) drop(ctx context.Context, who activation.Person, why string) error {
	s.cfg.Log.Info("sign-in: forgot a kept session", "slack", who.Slack.ID, "object", who.Object, "why", why)
	return s.vault.forget(ctx, who.Slack, account(who.Tenant, who.Object))
}

// SignOut forgets a Slack user's sessions, and a device code that would make one.
// Who they are stays known.
func (s *Service) SignOut(ctx context.Context, slack activation.SlackUser) error {
	s.cfg.Log.Info("sign-in: signed out", "slack", slack.ID)
	s.devices.drop(slack)
	return s.vault.forget(ctx, slack, "")
}

func equalFold(a, b string) bool { return a != "" && strings.EqualFold(a, b) }
