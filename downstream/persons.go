package downstream

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"pagbot/activation"
)

// Tokens gives tokens of persons themselves, for probes that ask as them.
type Tokens interface {
	// Token is one for a scope, and no later than when it was issued (world
	// time). One that is older than after is of no use. ErrNoSignIn: the person
	// would have to sign in.
	Token(ctx context.Context, who activation.Person, scope string, after time.Time) (token string, issued time.Time, err error)
}

// ErrNoSignIn says that nothing is kept of the person to ask with.
var ErrNoSignIn = errors.New("no sign-in of the person is kept")

// Dated is a probe whose answers depend on how old a person's token is. It is
// told, before it is asked, when the person's access last changed.
type Dated interface {
	Changed(who activation.Person, at time.Time)
}

const (
	needsSignIn = "it can only be asked with the person's own sign-in, and none is kept: /pag signin"
	staleSignIn = "the person's sign-in is older than the change, so its answer would be of before"
)

// persons asks as persons, with tokens that were issued after the last change:
// an older one tells how things were before it.
type persons struct {
	tokens Tokens
	scope  string

	mu      sync.Mutex
	changed map[string]time.Time
}

func newPersons(t Tokens, scope string) *persons {
	return &persons{tokens: t, scope: scope, changed: map[string]time.Time{}}
}

func accountOf(p activation.Person) string { return strings.ToLower(p.Tenant + "/" + p.Object) }

// Changed implements Dated. A change is never forgotten for an earlier one.
func (s *persons) Changed(who activation.Person, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k := accountOf(who); at.After(s.changed[k]) {
		s.changed[k] = at
	}
}

// bearer is a token of the person that is new enough, or the reason why not. If
// rights are frozen in it, what it may do is the truth of its issue: no answer to
// it may pass for one of later.
func (s *persons) bearer(ctx context.Context, who activation.Person) (token string, issued time.Time, err error) {
	if who.Object == "" {
		return "", issued, fault("this person has no object id")
	}
	s.mu.Lock()
	after := s.changed[accountOf(who)]
	s.mu.Unlock()
	token, issued, err = s.tokens.Token(ctx, who, s.scope, after)
	switch {
	case errors.Is(err, ErrNoSignIn):
		return "", issued, &Fault{Why: needsSignIn, Err: err}
	case err != nil:
		return "", issued, &Fault{Why: "the person's sign-in could not be used", Err: err}
	case token == "" || issued.IsZero() || issued.Before(after):
		return "", issued, &Fault{Why: staleSignIn}
	}
	// An application's token would be answered too, about the application.
	c, ok := claimsOf(token)
	if ok && (c.Kind == "app" || c.Object != "" && !strings.EqualFold(c.Object, who.Object)) {
		return "", issued, &Fault{Why: "the token is not the person's own, so its answer would be about somebody else"}
	}
	return token, issued, nil
}

// tokenClaims are read to refuse a token, never to believe one.
type tokenClaims struct {
	Kind   string `json:"idtyp"`
	Object string `json:"oid"`
	Scopes string `json:"scp"`
}

func claimsOf(token string) (tokenClaims, bool) {
	var c tokenClaims
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return c, false
	}
	b, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	return c, err == nil && json.Unmarshal(b, &c) == nil
}

// allows reports whether a token carries a scope, so that a refusal can't be
// for the lack of it.
func allows(token, scope string) bool {
	c, ok := claimsOf(token)
	return ok && slices.ContainsFunc(strings.Fields(c.Scopes), func(s string) bool { return strings.EqualFold(s, scope) })
}
