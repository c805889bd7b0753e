package signin

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"net/http"
	"strings"
	"sync"
	"time"

	"pagbot/activation"
)

// claims are browsers that wait for their code to be typed into Slack: that is
// how a person shows that the browser and the Slack user are both theirs. They
// live in memory; a restart asks for a new one.
type claims struct {
	mu sync.Mutex
	m  map[activation.SlackUser]*claim
}

type claim struct {
	who   activation.Person
	how   string
	code  string
	tries int
	until time.Time
}

const claimTries = 5

// put makes a code for an account to be bound; a newer one replaces it.
func (c *claims) put(who activation.Person, how string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.m == nil || len(c.m) > maxFlows {
		c.m = map[activation.SlackUser]*claim{}
	}
	code := rand.Text()[:8] // 40 bits, five tries
	c.m[who.Slack] = &claim{who: who, how: how, code: code, until: time.Now().Add(flowLife)}
	return code
}

// take checks a typed code, once it fits.
func (c *claims) take(slack activation.SlackUser, code string) (claim, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	got, ok := c.m[slack]
	if !ok {
		return claim{}, false
	}
	got.tries++
	typed := strings.ToUpper(strings.NewReplacer("-", "", " ", "").Replace(code))
	fits := subtle.ConstantTimeCompare([]byte(typed), []byte(got.code)) == 1 && time.Now().Before(got.until)
	if fits || got.tries >= claimTries || !time.Now().Before(got.until) {
		delete(c.m, slack)
	}
	return *got, fits
}

// Claim takes the code that a browser shows, typed by a Slack user, and binds
// the browser's account to them. The refusal NotBound: it is no such code, not
// theirs, or over.
func (s *Service) Claim(ctx context.Context, slack activation.SlackUser, code string) (activation.Person, error) {
	got, ok := s.claims.take(slack, code)
	if !ok {
		s.cfg.Log.Warn("sign-in: a code that fits no browser", "slack", slack.ID)
		return activation.Person{}, activation.Refusal{Code: activation.NotBound, Text: "this code fits no browser of yours: codes are good once, for ten minutes"}
	}
	if err := s.bind(ctx, got.who, got.how); err != nil {
		return activation.Person{}, err
	}
	s.cfg.Log.Info("sign-in: bound an account to a Slack user", "slack", slack.ID, "object", got.who.Object, "by", got.how)
	return got.who, nil
}

// confirmBinding binds at once what an administrator wrote down; what only an
// e-mail says waits for the code.
func (s *Service) confirmBinding(ctx context.Context, f *flow) *page {
	if f.how == byMail {
		f.code, f.stage = s.claims.put(f.who, f.how), claiming
		return nil
	}
	if err := s.bind(ctx, f.who, f.how); err != nil {
		return s.trouble("the binding could not be kept", err)
	}
	s.log(f, "bound an account to a Slack user", f.who)
	f.stage = bound
	return nil
}

// confirmClaim goes on once the code was typed.
func (s *Service) confirmClaim(ctx context.Context, f *flow) *page {
	known, err := s.binding(ctx, f.who)
	switch {
	case err != nil:
		return s.trouble("the bindings could not be read", err)
	case known:
		f.stage = bound
	default:
		f.waited++
	}
	return nil
}

// pageClaim shows the code. Whoever was sent here by somebody else must read
// that they are about to give themselves away.
func (s *Service) pageClaim(w http.ResponseWriter, r *http.Request, f *flow) page {
	return s.form(w, r, pageTypeCode(f))
}
