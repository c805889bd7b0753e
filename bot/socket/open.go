package socket

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Fatal is Slack's refusal of the app-level token: no retry can help.
type Fatal struct {
	Code string // Slack's own word, such as invalid_auth
	Say  string // what to do
}

// Error is one line with what to do.
func (f *Fatal) Error() string {
	return fmt.Sprintf("socket: Slack answered %s: %s", f.Code, f.Say)
}

const newToken = "make a new app-level token with the scope connections:write (Basic Information, App-Level Tokens) and configure that"

var fatal = map[string]string{
	"invalid_auth":           "the app-level token is wrong; " + newToken,
	"not_authed":             "no app-level token arrived; " + newToken,
	"missing_args":           "no app-level token arrived; " + newToken,
	"not_allowed_token_type": "this is not an app-level token (they begin with xapp-); " + newToken,
	"missing_scope":          "the app-level token lacks the scope connections:write; " + newToken,
	"token_revoked":          "the app-level token was revoked; " + newToken,
	"token_expired":          "the app-level token has expired; " + newToken,
	"account_inactive":       "the app was removed from the workspace, or its workspace is gone; install the app again",
	"user_removed_from_team": "the one who installed the app left the workspace; install the app again",
	"team_disabled":          "the workspace is disabled; ask Slack or its owner",
	"forbidden_team":         "the app may not be used in this workspace; have an administrator approve it",
	"insecure_request":       "the call did not arrive as a POST over HTTPS; check the API's URL and the proxy",
}

// later is a refusal that names its own pause.
type later struct {
	wait time.Duration
	err  error
}

func (l *later) Error() string { return l.err.Error() }
func (l *later) Unwrap() error { return l.err }

// open asks Slack for a connection's URL. The URL holds a ticket that is as
// good as a password: it is returned, and shown to nobody.
func (l *Loop) open(ctx context.Context) (*url.URL, error) {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, l.cfg.APIURL+"apps.connections.open", http.NoBody)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+l.cfg.AppToken)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := l.cfg.Client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return nil, fmt.Errorf("apps.connections.open: %w", err)
	}
	return l.opened(res, body)
}

func (l *Loop) opened(res *http.Response, body []byte) (*url.URL, error) {
	var answer struct {
		OK         bool
		URL, Error string
	}
	if json.Unmarshal(body, &answer) != nil || !answer.OK {
		if say, ok := fatal[answer.Error]; ok {
			return nil, &Fatal{answer.Error, say}
		}
		err := fmt.Errorf("apps.connections.open: %s %s", res.Status, answer.Error)
		return nil, retryAfter(res, err)
	}
	u, err := url.Parse(answer.URL)
	if err != nil || u.Host == "" {
		return nil, errors.New("apps.connections.open: the answer holds no usable URL")
	}
	if u.Scheme != "wss" && !(u.Scheme == "ws" && strings.HasPrefix(l.cfg.APIURL, "http:")) {
		return nil, fmt.Errorf("apps.connections.open: the answer's URL has the scheme %q, expected wss", u.Scheme)
	}
	return u, nil
}

func retryAfter(res *http.Response, err error) error {
	if s, bad := strconv.Atoi(res.Header.Get("Retry-After")); bad == nil && s > 0 {
		return &later{min(time.Duration(s)*time.Second, maxRetry), err}
	}
	return err
}

// gate spaces out all calls of apps.connections.open of this loop, whatever
// the reason for them.
type gate struct {
	mu   sync.Mutex
	next time.Time
}

// pass waits until a call is due, and takes the turn.
func (g *gate) pass(ctx context.Context) error {
	for {
		g.mu.Lock()
		wait := time.Until(g.next)
		if wait <= 0 {
			g.next = time.Now().Add(jitter(spacing, spacing/2))
		}
		g.mu.Unlock()
		if wait <= 0 {
			return ctx.Err()
		}
		if err := pause(ctx, wait); err != nil {
			return err
		}
	}
}

// hold keeps everyone back for a while. It never shortens another's hold.
func (g *gate) hold(d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if t := time.Now().Add(d); t.After(g.next) {
		g.next = t
	}
}

func (g *gate) until() time.Time {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.next
}

func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// jitter is at least d, and up to spread longer.
func jitter(d, spread time.Duration) time.Duration { return d + rand.N(spread) }

// backoff is the full-jitter pause after so many failures in a row.
func backoff(failures int) time.Duration {
	if failures <= 0 {
		return 0
	}
	return rand.N(min(backoffMin<<min(failures-1, 16), backoffMax))
}
