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

// caller makes one request at a time leave for a target, and tells an answer
// from everything that only looks like one.
type caller struct {
	http *http.Client
	// sign puts the credential into a request, and names what of it must not be
	// written down: a target may echo it.
	sign func(context.Context, *http.Request) (secrets []string, err error)
	gap  time.Duration
	// longest is more than any answer needs.
	longest int64

	mu    sync.Mutex
	next  time.Time // wire: no call before
	pause time.Time // wire: asked to slow down until then
}

func newCaller(client *http.Client, gap time.Duration, sign func(context.Context, *http.Request) ([]string, error)) *caller {
	if client == nil {
		client = http.DefaultClient
	}
	h := *client
	// A redirect leads to a sign-in page: it means bad credentials, and the
	// credential must not go along.
	h.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	h.Jar = nil
	return &caller{http: &h, sign: sign, gap: gap, longest: longestBody}
}

// bearerOf signs with a bearer token.
func bearerOf(token func(context.Context) (string, error)) func(context.Context, *http.Request) ([]string, error) {
	return func(ctx context.Context, q *http.Request) ([]string, error) {
		bearer, err := token(ctx)
		if err != nil {
			return nil, err
		}
		q.Header.Set("Authorization", "Bearer "+bearer)
		return []string{bearer}, nil
	}
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

// get asks and reads the answer as JSON.
func (c *caller) get(ctx context.Context, address string, into any) error {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	return c.ask(q, into)
}

// ask sends a request that only reads, whatever its method, and reads the
// answer as JSON.
func (c *caller) ask(q *http.Request, into any) error {
	a, body, secrets, err := c.send(q)
	if err != nil {
		return err
	}
	if f := refused(a, body, secrets); f != nil {
		f.After = retryAfter(a.Header.Get("Retry-After"), time.Now())
		return f
	}
	if err := json.Unmarshal(body, into); err != nil {
		return &Fault{Why: nonsense, Err: errors.New("not the JSON that was expected")}
	}
	return nil
}

// longestBody is more than any target's answer needs.
const longestBody = 4 << 20

// send sends a request when it may leave, and brings back whatever comes. The
// secrets are what must be kept out of an error.
func (c *caller) send(q *http.Request) (a *http.Response, body []byte, secrets []string, err error) {
	if after := c.slow(); after > 0 {
		return nil, nil, nil, &Fault{Why: tooFast, After: after}
	}
	if err := c.wait(q.Context()); err != nil {
		return nil, nil, nil, err
	}
	if q.Header.Get("Accept") == "" {
		q.Header.Set("Accept", "application/json")
	}
	q.Header.Set("Cache-Control", "no-cache")
	if secrets, err = c.sign(q.Context(), q); err != nil {
		return nil, nil, nil, &Fault{Why: "there is no token to ask with", Err: err}
	}
	a, err = c.http.Do(q)
	if err != nil {
		return nil, nil, nil, faultOf(bare(err))
	}
	defer a.Body.Close()
	body, err = io.ReadAll(io.LimitReader(a.Body, c.longest+1))
	if err == nil && int64(len(body)) > c.longest {
		err = errors.New("it does not end")
	}
	if err != nil {
		return nil, nil, nil, faultOf(err)
	}
	if after := retryAfter(a.Header.Get("Retry-After"), time.Now()); after > 0 {
		c.mu.Lock()
		c.pause = time.Now().Add(after)
		c.mu.Unlock()
	}
	return a, body, secrets, nil
}

const nonsense = "an answer that makes no sense"

// refused names what is not an answer: by its status, its kind of content, or
// an error inside.
func refused(a *http.Response, body []byte, secrets []string) *Fault {
	s := &status{a.StatusCode, excerpt(body, secrets)}
	switch code := a.StatusCode; {
	case code == http.StatusTooManyRequests:
		return &Fault{Why: tooFast, Err: s}
	case code == http.StatusUnauthorized:
		return &Fault{Why: "it does not accept our credentials", Err: s}
	case code == http.StatusForbidden:
		return &Fault{Why: "the application is not allowed to look there", Err: s}
	case code >= 500:
		return &Fault{Why: "it is out of order", Err: s}
	case code >= 300 && code < 400, code == http.StatusNonAuthoritativeInfo, page(a):
		// A page can have any status, so its number is not passed on.
		return &Fault{Why: "a web page came instead of an answer: it does not accept our credentials", Err: fmt.Errorf("HTTP %d %s", code, a.Header.Get("Content-Type"))}
	case code == http.StatusNotFound:
		return &Fault{Why: "it does not know what was asked for: the names in its settings may be wrong", Err: s}
	case code == http.StatusNoContent, code == http.StatusOK && len(bytes.TrimSpace(body)) == 0:
		return &Fault{Why: "an empty answer", Err: errEmpty}
	case code != http.StatusOK:
		return &Fault{Why: nonsense, Err: s}
	case errorInside(body):
		return &Fault{Why: "an error came instead of an answer", Err: s}
	}
	return nil
}

// page reports whether something for people came.
func page(a *http.Response) bool {
	kind, _, _ := mime.ParseMediaType(a.Header.Get("Content-Type"))
	return strings.HasSuffix(kind, "html")
}

// errorInside knows the errors that come with a 200: of Azure DevOps, of Graph,
// and of SCIM.
func errorInside(body []byte) bool {
	var in struct {
		Message string          `json:"message"`
		Type    string          `json:"typeKey"`
		Error   json.RawMessage `json:"error"`
		Detail  string          `json:"detail"`
	}
	return json.Unmarshal(body, &in) == nil && (in.Message != "" || in.Type != "" || in.Detail != "" || len(in.Error) > 0 && string(in.Error) != "null")
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

// excerpt is enough of a body for a log line, without the secrets that a target
// may have echoed into it.
func excerpt(body []byte, secrets []string) string {
	text := string(body[:min(len(body), 4000)])
	for _, secret := range secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "[secret]")
		}
	}
	return strings.ToValidUTF8(text[:min(len(text), 200)], "")
}
