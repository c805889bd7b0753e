package signin

import (
	"sync"
	"time"
)

// pocketLife is how long a token waits for its deed at most.
const pocketLife = 10 * time.Minute

// pocket holds the tokens of confirmed sign-ins, each for one warrant. It is
// never written anywhere: if the process dies, the person is asked again.
type pocket struct {
	mu sync.Mutex
	m  map[string]pocketed
}

type pocketed struct {
	token  Token
	claims string
	drop   *time.Timer
}

func (p *pocket) put(warrant, claims string, t Token, until time.Time) {
	p.drop(warrant)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.m == nil {
		p.m = map[string]pocketed{}
	}
	p.m[warrant] = pocketed{t, claims, time.AfterFunc(time.Until(until), func() { p.drop(warrant) })}
}

// get returns the token of exactly this warrant, if it was asked for with at
// least these claims.
func (p *pocket) get(warrant, claims string) (Token, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	got, ok := p.m[warrant]
	if !ok || time.Now().After(got.token.Expires) || claims != "" && !sameClaims(claims, got.claims) {
		return Token{}, false
	}
	return got.token, true
}

// Confirmed reports whether a deed's person has confirmed it a moment ago, so
// that it is on its way.
func (s *Service) Confirmed(warrant string) bool {
	s.pocket.mu.Lock()
	defer s.pocket.mu.Unlock()
	_, ok := s.pocket.m[warrant]
	return ok
}

func (p *pocket) drop(warrant string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if got, ok := p.m[warrant]; ok {
		got.drop.Stop()
		delete(p.m, warrant)
	}
}
