package downstream

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// msAPI asks Microsoft's own services: Graph, Azure Resource Manager, Defender.
// They share one shape of errors and of lists.
type msAPI struct {
	*caller
}

// request is one question. As is whose token goes along, for sentences.
type request struct {
	method string // empty: GET
	at     string
	bearer string
	as     string
	header map[string]string
	body   any
}

// The two that a token may be of.
const (
	asApplication = "the application"
	asPerson      = "the person"
)

func newMSAPI(h *http.Client, gap time.Duration) *msAPI {
	return &msAPI{newCaller(h, gap, broughtAlong)}
}

// broughtAlong finds the token that a request brings along: each may be of somebody
// else.
func broughtAlong(_ context.Context, q *http.Request) ([]string, error) {
	return []string{strings.TrimPrefix(q.Header.Get("Authorization"), "Bearer ")}, nil
}

// said is a refusal with the code that the service gives it.
type said struct {
	code string
	no   *status
}

// Error implements error.
func (s *said) Error() string { return s.no.Error() }

// Unwrap gives the bare refusal.
func (s *said) Unwrap() error { return s.no }

func (a *msAPI) ask(ctx context.Context, r request, into any) error {
	q, err := r.build(ctx)
	if err != nil {
		return err
	}
	got, body, secrets, err := a.send(q)
	if err != nil {
		return err
	}
	if f := refused(got, body, secrets); f != nil {
		f.After = retryAfter(got.Header.Get("Retry-After"), time.Now())
		return r.because(f, got.StatusCode, body)
	}
	if err := json.Unmarshal(body, into); err != nil {
		return &Fault{Why: nonsense, Err: errors.New("not the JSON that was expected")}
	}
	return nil
}

// because adds to a refusal the code that the service gives it, and who was
// refused.
func (r request) because(f *Fault, code int, body []byte) error {
	var no struct {
		Error struct {
			Code string `json:"code"`
		} `json:"error"`
	}
	var s *status
	if errors.As(f, &s) && json.Unmarshal(body, &no) == nil && no.Error.Code != "" {
		f.Err = &said{no.Error.Code, s}
	}
	if code == http.StatusForbidden {
		f.Why = r.as + " is not allowed to look there"
	}
	return f
}

func (r request) build(ctx context.Context) (*http.Request, error) {
	method, body := r.method, io.Reader(nil)
	if method == "" {
		method = http.MethodGet
	}
	if r.body != nil {
		b, err := json.Marshal(r.body)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(b)
	}
	q, err := http.NewRequestWithContext(ctx, method, r.at, body)
	if err != nil {
		return nil, err
	}
	q.Header.Set("Authorization", "Bearer "+r.bearer)
	if r.body != nil {
		q.Header.Set("Content-Type", "application/json")
	}
	for name, value := range maps.All(r.header) {
		q.Header.Set(name, value)
	}
	return q, nil
}

// saidCode is the service's code for its refusal, if it is of that status.
func saidCode(err error, code int) string {
	var s *said
	if errors.As(err, &s) && s.no.code == code {
		return s.code
	}
	return ""
}

// mostPages bounds a list that never ends.
const mostPages = 100

// everything reads a list to its end. A body without a value is not a list,
// and a next page on another host would be asked without our token.
func everything[T any](ctx context.Context, a *msAPI, r request) ([]T, error) {
	var all []T
	first := r.at
	for range mostPages {
		var page struct {
			Value *[]T   `json:"value"`
			Graph string `json:"@odata.nextLink"`
			ARM   string `json:"nextLink"`
		}
		if err := a.ask(ctx, r, &page); err != nil {
			return nil, err
		}
		if page.Value == nil {
			return nil, &Fault{Why: nonsense, Err: errors.New("a list without a value")}
		}
		all = append(all, *page.Value...)
		next := page.Graph + page.ARM
		switch {
		case next == "":
			return all, nil
		case next == r.at || !sameHost(next, first):
			return nil, &Fault{Why: nonsense, Err: errors.New("a list whose next page leads astray")}
		}
		r.at = next
	}
	return nil, &Fault{Why: nonsense, Err: errors.New("a list that never ends")}
}

func sameHost(a, b string) bool {
	x, errX := url.Parse(a)
	y, errY := url.Parse(b)
	return errX == nil && errY == nil && x.Scheme == y.Scheme && strings.EqualFold(x.Host, y.Host)
}

// baseOf is an address to build on, checked.
func baseOf(given, otherwise string) (string, error) {
	if given == "" {
		given = otherwise
	}
	return strings.TrimSuffix(given, "/"), safeBase(given)
}

// odata is a value in an OData filter.
func odata(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// slowed adds to a sound round that the service wants to be left alone.
func (a *msAPI) slowed(f *Fault) error {
	if after := a.slow(); f == nil && after > 0 {
		f = &Fault{Why: tooFast, After: after}
	}
	if f == nil {
		return nil // a nil *Fault in an error is not nil
	}
	return f
}

// token of an application, or why there is none.
func tokenOf(ctx context.Context, token func(context.Context) (string, error)) (string, error) {
	t, err := token(ctx)
	if err != nil {
		return "", &Fault{Why: "there is no token to ask with", Err: err}
	}
	return t, nil
}

// missingSetting is what a configuration of a target lacks.
func missingSetting(kind, what string) error { return fmt.Errorf("%s target: give %s", kind, what) }
