package signin

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"

	"pagbot/activation"
)

// Looks gives tokens of persons for looking into other systems as them, out of
// the sessions that custody keeps. A look is no deed: it renews no session, and
// nothing that it gets is stored.
type Looks struct {
	s  *Service
	mu sync.Mutex
	m  map[string]looked
}

// looked is a token for looking, and no later than when it was issued.
type looked struct {
	token  Token
	issued time.Time // of the world
}

// lookLife is how long a token is looked with, in the world's time: rights that are frozen in it
// must not hide a change for long, and what was seen with it is believed to be
// of its issue, so that a longer life makes every published interval wider.
const lookLife = 30 * time.Second

// Looks returns the service as a giver of such tokens.
func (s *Service) Looks() *Looks { return &Looks{s: s, m: map[string]looked{}} }

// Token is one for a delegated scope of the sign-in registration, issued after
// a moment of the world. ErrSignIn: nothing is kept of the person.
func (l *Looks) Token(ctx context.Context, who activation.Person, scope string, after time.Time) (string, time.Time, error) {
	who, ok := l.s.cfg.People.ByObject(who.Tenant, who.Object)
	if !ok || !l.s.keeps() {
		return "", time.Time{}, ErrSignIn
	}
	if err := l.s.stillBound(ctx, who); err != nil {
		return "", time.Time{}, err
	}
	if known, err := l.s.binding(ctx, who); err != nil || !known {
		return "", time.Time{}, errors.Join(err, ErrSignIn)
	}
	defer l.s.vault.lock(who.Slack)()
	_, had, err := l.s.vault.load(ctx, who) // no token outlives its session
	if errors.Is(err, errNotKept) {
		l.drop(who, scope)
		return "", time.Time{}, ErrSignIn
	}
	if err != nil {
		return "", time.Time{}, err
	}
	// What ended a session for deeds ends it for looks; the next deed forgets it.
	if why, err := l.s.over(ctx, who, had.SignedIn); err != nil || why != "" {
		l.drop(who, scope)
		return "", time.Time{}, errors.Join(err, ErrSignIn)
	}
	if t, ok := l.kept(who, scope, after); ok {
		return t.token.Value, t.issued, nil
	}
	t, err := l.refresh(ctx, who, had, scope)
	return t.token.Value, t.issued, err
}

func lookKey(who activation.Person, scope string) string {
	return account(who.Tenant, who.Object) + " " + scope
}

func (l *Looks) kept(who activation.Person, scope string, after time.Time) (looked, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t, ok := l.m[lookKey(who, scope)]
	return t, ok && !t.issued.Before(after) && l.s.cfg.Now().Sub(t.issued) < lookLife && time.Now().Before(t.token.Expires)
}

func (l *Looks) drop(who activation.Person, scope string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.m, lookKey(who, scope))
}

// refresh redeems the session's refresh token for the other resource. What the
// session's cache becomes by that is thrown away.
func (l *Looks) refresh(ctx context.Context, who activation.Person, had kept, scope string) (looked, error) {
	ctx, cancel := context.WithTimeout(ctx, wireTime)
	defer cancel()
	cache, err := withoutAccess(had.Cache)
	if err != nil {
		return looked{}, err
	}
	client, err := l.s.cfg.newClient(&blob{data: cache})
	if err != nil {
		return looked{}, wireError(err)
	}
	acc, err := client.Account(ctx, had.Home)
	if err != nil || acc.IsZero() {
		return looked{}, ErrSignIn
	}
	t := looked{issued: l.s.cfg.Now()} // before it is asked for, so that it is no younger
	res, err := client.AcquireTokenSilent(ctx, []string{scope}, confidential.WithSilentAccount(acc))
	switch {
	case err != nil:
		return looked{}, wireError(err)
	case res.Metadata.TokenSource != confidential.TokenSourceIdentityProvider:
		return looked{}, errors.New("the token may be of before the change")
	}
	t.token = Token{Value: res.AccessToken, Expires: res.ExpiresOn, Tenant: who.Tenant, Object: who.Object}
	l.mu.Lock()
	defer l.mu.Unlock()
	for k, old := range l.m {
		if t.issued.Sub(old.issued) >= lookLife {
			delete(l.m, k)
		}
	}
	l.m[lookKey(who, scope)] = t
	return t, nil
}

// withoutAccess leaves the access tokens out of a session's cache: one of
// before the change may be among them, and msal would answer with it.
func withoutAccess(cache []byte) ([]byte, error) {
	var parts map[string]json.RawMessage
	if err := json.Unmarshal(cache, &parts); err != nil {
		return nil, errNotKept
	}
	delete(parts, "AccessToken")
	return json.Marshal(parts)
}
