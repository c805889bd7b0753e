package downstream

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// caller makes one GET at a time leave for Azure DevOps, and tells an answer
// from everything that only looks like one.
type caller struct {
	http  *http.Client
	token func(context.Context) (string, error)
	gap   time.Duration

	mu    sync.Mutex
	next  time.Time // wire: no call before
	pause time.Time // wire: asked to slow down until then
}

func newCaller(c DevOpsConfig) *caller {
	h := *c.HTTP
	// A redirect leads to a sign-in page: it means bad credentials, and the
	// bearer must not go along.
	h.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	h.Jar = nil
	return &caller{http: &h, token: c.Token, gap: c.Limits.Rate}
}

// status is an answer that is an error by its number.
type status struct {
	code int
	text string
}

// Error implements error.
func (s *status) Error() string { return fmt.Sprintf("HTTP %d %s", s.code, s.text) }

var errEmpty = errors.New("an empty answer")

func isEmpty(err error) bool { return errors.Is(err, errEmpty) }

func isStatus(err error, code int) bool {
	var s *status
	return errors.As(err, &s) && s.code == code
}

// wait keeps the gap between calls.
func (c *caller) wait(ctx context.Context) error {
	c.mu.Lock()
	now := time.Now()
	at := now
	if c.next.After(now) {
		at = c.next
	}
	c.next = at.Add(c.gap)
	c.mu.Unlock()
	if !at.After(now) {
		return ctx.Err()
	}
	t := time.NewTimer(at.Sub(now))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// slow says how much longer the organization wants to be left alone; it asks
// so also in answers that are otherwise good.
func (c *caller) slow() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return max(0, time.Until(c.pause))
}

func (c *caller) get(ctx context.Context, address string, into any) error {
	if after := c.slow(); after > 0 {
		return &Fault{Why: tooFast, After: after}
	}
	if err := c.wait(ctx); err != nil {
		return err
	}
	bearer, err := c.token(ctx)
	if err != nil {
		return &Fault{Why: "there is no token to ask with", Err: err}
	}
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	q.Header.Set("Authorization", "Bearer "+bearer)
	q.Header.Set("Accept", "application/json")
	q.Header.Set("Cache-Control", "no-cache")
	q.Header.Set("X-TFS-FedAuthRedirect", "Suppress") // a 401 instead of a sign-in page, where honoured
	a, err := c.http.Do(q)
	if err != nil {
		return faultOf(bare(err))
	}
	defer a.Body.Close()
	body, err := io.ReadAll(io.LimitReader(a.Body, 4<<20))
	if err != nil {
		return faultOf(err)
	}
	return c.read(a, body, into)
}

func (c *caller) read(a *http.Response, body []byte, into any) error {
	after := retryAfter(a.Header.Get("Retry-After"), time.Now())
	if after > 0 {
		c.mu.Lock()
		c.pause = time.Now().Add(after)
		c.mu.Unlock()
	}
	if f := refused(a, body); f != nil {
		f.After = after
		return f
	}
	var inside struct {
		Message string `json:"message"`
		Type    string `json:"typeKey"`
	}
	if json.Unmarshal(body, &inside) == nil && (inside.Message != "" || inside.Type != "") {
		return &Fault{Why: "an error came instead of an answer", Err: &status{a.StatusCode, inside.Type + " " + excerpt([]byte(inside.Message))}}
	}
	if err := json.Unmarshal(body, into); err != nil {
		return &Fault{Why: nonsense, Err: err}
	}
	return nil
}

const nonsense = "an answer that makes no sense"

// refused names what is not an answer by its status or its kind of content.
func refused(a *http.Response, body []byte) *Fault {
	kind, _, _ := mime.ParseMediaType(a.Header.Get("Content-Type"))
	s := &status{a.StatusCode, excerpt(body)}
	switch code := a.StatusCode; {
	case code == http.StatusTooManyRequests:
		return &Fault{Why: tooFast, Err: s}
	case code == http.StatusUnauthorized:
		return &Fault{Why: "it does not accept our credentials", Err: s}
	case code == http.StatusForbidden:
		return &Fault{Why: "the application is not allowed to look there", Err: s}
	case code >= 500:
		return &Fault{Why: "it is out of order", Err: s}
	case code >= 300 && code < 400, code == http.StatusNonAuthoritativeInfo, strings.HasSuffix(kind, "html"):
		// A page can have any status, so its number is not passed on.
		return &Fault{Why: "a web page came instead of an answer: it does not accept our credentials", Err: fmt.Errorf("HTTP %d %s", code, kind)}
	case code == http.StatusNotFound:
		return &Fault{Why: "it does not know what was asked for", Err: s}
	case code == http.StatusNoContent, code == http.StatusOK && len(bytes.TrimSpace(body)) == 0:
		return &Fault{Why: "an empty answer", Err: errEmpty}
	case code != http.StatusOK:
		return &Fault{Why: nonsense, Err: s}
	}
	return nil
}

// bare leaves out the address, which has a person's name in it.
func bare(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// retryAfter reads the header's two forms: seconds, or a date.
func retryAfter(h string, now time.Time) time.Duration {
	var after time.Duration
	if s, err := strconv.Atoi(strings.TrimSpace(h)); err == nil {
		after = time.Duration(min(max(s, 0), int(longestPause/time.Second))) * time.Second
	} else if at, err := http.ParseTime(h); err == nil {
		after = at.Sub(now)
	}
	return min(max(after, 0), longestPause)
}

// excerpt is enough of a body for a log line.
func excerpt(body []byte) string {
	return strings.ToValidUTF8(string(body[:min(len(body), 200)]), "")
}
