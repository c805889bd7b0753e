package graph

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"

	abs "github.com/microsoft/kiota-abstractions-go"
	khttp "github.com/microsoft/kiota-http-go"
	kjson "github.com/microsoft/kiota-serialization-json-go"
)

// wire is the way to Graph, shared by all callers.
type wire struct {
	root     *url.URL // with the version
	http     *http.Client
	deadline time.Duration
}

// bearer gives a token; claims, decoded JSON, are what Entra wants on top.
type bearer func(ctx context.Context, claims string) (string, error)

// caller is the wire as one principal: the reader, or one person for one deed.
type caller struct {
	*wire
	token bearer
}

// answer is what came back, read whole.
type answer struct {
	status int
	header http.Header
	body   []byte
}

const maxBody = 32 << 20

// newWire names every middleware: the SDK's own list comes from a map, and in
// most of its orders a retried body goes out broken. There is no retry handler
// (it repeats POSTs, and sleeps an hour if told so), no compression and no
// redirect (Graph sends none, and a token must not follow one).
func newWire(root *url.URL, base http.RoundTripper, deadline time.Duration) *wire {
	if base == nil {
		base = http.DefaultTransport
	}
	guarded := khttp.NewCustomTransportWithParentTransport(guard{root, base},
		khttp.NewParametersNameDecodingHandler(), khttp.NewUserAgentHandler())
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &wire{root, &http.Client{Transport: guarded, CheckRedirect: stay}, deadline}
}

// guard is the last to see a request and the first to see its answer.
type guard struct {
	root *url.URL
	base http.RoundTripper
}

const challengeHeader = "Pagbot-Challenge"

// RoundTrip lets requests with a token go to the configured host, and nothing
// else anywhere. It hides a 401's challenge from the SDK, which panics on
// claims without quotes; fault.go reads it.
func (g guard) RoundTrip(r *http.Request) (*http.Response, error) {
	if !sameHost(r.URL, g.root) {
		return nil, fmt.Errorf("refused to call %s://%s: only %s is configured", r.URL.Scheme, r.URL.Host, g.root.Host)
	}
	if r.Header.Get("Authorization") == "" {
		return nil, errors.New("refused to call Graph without a token")
	}
	resp, err := g.base.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if c := resp.Header.Values("Www-Authenticate"); len(c) > 0 {
		resp.Header[challengeHeader] = c
		resp.Header.Del("Www-Authenticate")
	}
	return resp, nil
}

func sameHost(a, b *url.URL) bool { return a.Scheme == b.Scheme && a.Host == b.Host }

// badge attaches the caller's token.
type badge struct {
	token  bearer
	claims string
}

// AuthenticateRequest implements the SDK's AuthenticationProvider.
func (b badge) AuthenticateRequest(ctx context.Context, r *abs.RequestInformation, _ map[string]any) error {
	t, err := b.token(ctx, b.claims)
	if err != nil {
		return &tokenError{err}
	}
	r.Headers.Remove("Authorization")
	r.Headers.Add("Authorization", "Bearer "+t)
	return nil
}

// tokenError says that nothing was sent, because there is no token.
type tokenError struct{ error }

func (e *tokenError) Unwrap() error { return e.error }

// adapter is the SDK's request adapter for this caller. The JSON factories are
// given by hand: otherwise only the SDK's root client registers them.
func (c caller) adapter(claims string) *khttp.NetHttpRequestAdapter {
	a, err := khttp.NewNetHttpRequestAdapterWithParseNodeFactoryAndSerializationWriterFactoryAndHttpClient(
		badge{c.token, claims}, kjson.NewJsonParseNodeFactory(), kjson.NewJsonSerializationWriterFactory(), c.http)
	if err != nil {
		panic(err) // only without a provider
	}
	a.SetBaseUrl(c.root.String())
	return a
}

// carry makes a read's request a write with a JSON body.
func carry(info *abs.RequestInformation, method abs.HttpMethod, body any) error {
	b, err := json.Marshal(body)
	info.Method = method
	info.SetStreamContentAndContentType(b, "application/json")
	return err
}

// once sends a request once. The error is always a *Fault.
func (c caller) once(ctx context.Context, info *abs.RequestInformation, claims string) (got answer, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.deadline)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			err = &Fault{Status: got.status, Err: fmt.Errorf("the Graph SDK panicked: %v", p)}
		}
	}()
	var cut error
	raw := abs.NewRequestHandlerOption()
	raw.SetResponseHandler(func(resp any, _ abs.ErrorMappings) (any, error) {
		r := resp.(*http.Response)
		defer r.Body.Close()
		got.status, got.header = r.StatusCode, r.Header
		got.body, cut = io.ReadAll(io.LimitReader(r.Body, maxBody))
		return nil, nil
	})
	info.AddRequestOptions([]abs.RequestOption{raw})
	if err := c.adapter(claims).SendNoContent(ctx, info, nil); err != nil {
		return got, noAnswer(err)
	}
	if cut != nil && got.status < 400 {
		return got, &Fault{Status: got.status, Err: fmt.Errorf("the answer broke off: %w", cut)}
	}
	if got.status >= 300 {
		return got, explain(got)
	}
	return got, nil
}

// Reads are repeated this often, and never after a longer pause than this: the
// caller knows better what can wait.
const (
	readTries = 3
	readPause = 5 * time.Second
)

// read sends a request that changes nothing, and repeats it briefly.
func (c caller) read(ctx context.Context, info *abs.RequestInformation) ([]byte, error) {
	claims, pause := "", time.Second
	for try := 1; ; try++ {
		got, err := c.once(ctx, info, claims)
		if err == nil {
			return got.body, nil
		}
		f := asFault(err)
		if f.Status == http.StatusUnauthorized && f.Claims != "" && claims == "" {
			claims = f.Claims // Entra wants a newer token: once
			continue
		}
		if f.After > 0 {
			pause = f.After
		}
		if try >= readTries || !f.Passing() || pause > readPause || ctx.Err() != nil {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(pause + rand.N(pause/4+1)):
		}
		pause *= 2
	}
}

// readInto reads one JSON object.
func (c caller) readInto(ctx context.Context, info *abs.RequestInformation, into any) error {
	body, err := c.read(ctx, info)
	if err != nil {
		return err
	}
	return decode(body, into)
}

// decode reads an answer that was a success. An empty one is none.
func decode(body []byte, into any) error {
	if err := json.Unmarshal(body, into); err != nil {
		return &Fault{Status: http.StatusOK, Err: fmt.Errorf("the answer can't be read: %w", err)}
	}
	return nil
}

const maxPages = 1000

// list reads a collection to its end. Every page must name a list, stay on the
// configured host, and be another one than those before.
func list[T any](ctx context.Context, c caller, info *abs.RequestInformation, err error) ([]T, error) {
	var all []T
	seen := map[string]bool{}
	for err == nil {
		var page struct {
			Value *[]T   `json:"value"`
			Next  string `json:"@odata.nextLink"`
		}
		if err = c.readInto(ctx, info, &page); err != nil {
			break
		}
		if page.Value == nil {
			return nil, &Fault{Status: http.StatusOK, Err: errors.New("the answer is no list")}
		}
		all = append(all, *page.Value...)
		if page.Next == "" {
			return all, nil
		}
		info, err = c.follow(page.Next, seen)
	}
	return nil, err
}

// follow makes the request for the next page.
func (c caller) follow(link string, seen map[string]bool) (*abs.RequestInformation, error) {
	u, err := url.Parse(link)
	switch {
	case err != nil:
	case !sameHost(u, c.root):
		err = fmt.Errorf("the next page is on another host (%s)", u.Host)
	case seen[link]:
		err = errors.New("the next page is one that was there before")
	case len(seen) >= maxPages:
		err = fmt.Errorf("more than %d pages", maxPages)
	}
	if err != nil {
		return nil, &Fault{Status: http.StatusOK, Err: fmt.Errorf("paging: %w", err)}
	}
	seen[link] = true
	info := abs.NewRequestInformation()
	info.Method = abs.GET
	info.SetUri(*u)
	info.Headers.TryAdd("Accept", "application/json")
	return info, nil
}
