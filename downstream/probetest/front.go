package probetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
)

// Request is one that a probe sent.
type Request struct {
	Method, Host, Path, Query string
	Header                    http.Header
	Body                      string
}

// Front stands between a probe and its target, as a transport without any
// network, so that a whole conversation runs in virtual time.
type Front struct {
	Handler http.Handler // the target
	Aside   string       // a host that is neither counted nor broken: where tokens come from

	mu    sync.Mutex
	calls []Request
	play  *Reply
	skip  int
	times int
	stop  func() // runs before the target answers the next request
	after int
}

// Client asks through the front.
func (f *Front) Client() *http.Client { return &http.Client{Transport: f} }

// Calls are the requests so far.
func (f *Front) Calls() []Request {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]Request(nil), f.calls...)
}

// Break breaks what is asked from now on, after skip requests; times is how
// many: zero for all.
func (f *Front) Break(r Reply, skip, times int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.play, f.skip, f.times = &r, skip, times
}

// Mend ends it.
func (f *Front) Mend() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.play = nil
}

// before lets something happen while a request is under way, after skip others.
func (f *Front) before(skip int, do func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stop, f.after = do, skip
}

// note keeps a request, and says what becomes of it.
func (f *Front) note(q *http.Request, body []byte) (play *Reply, first func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, Request{q.Method, q.URL.Host, q.URL.Path, q.URL.RawQuery, q.Header.Clone(), string(body)})
	if f.stop != nil {
		if f.after--; f.after < 0 {
			first, f.stop = f.stop, nil
		}
	}
	if f.play != nil {
		if f.skip--; f.skip < 0 {
			play = f.play
			if f.times > 0 {
				if f.times--; f.times == 0 {
					f.play = nil
				}
			}
		}
	}
	return play, first
}

// RoundTrip implements http.RoundTripper.
func (f *Front) RoundTrip(q *http.Request) (*http.Response, error) {
	var body []byte
	if q.Body != nil {
		body, _ = io.ReadAll(q.Body)
		_ = q.Body.Close()
	}
	if q.URL.Host == f.Aside && f.Aside != "" {
		return serve(f.Handler, q, body)
	}
	play, first := f.note(q, body)
	if first != nil {
		first()
	}
	if play == nil {
		return serve(f.Handler, q, body)
	}
	return play.give(q, body)
}

// serve carries a request to a handler.
func serve(h http.Handler, q *http.Request, body []byte) (*http.Response, error) {
	r := q.Clone(q.Context())
	r.Body, r.RequestURI = io.NopCloser(bytes.NewReader(body)), q.URL.RequestURI()
	if r.Host == "" {
		r.Host = q.URL.Host
	}
	done := make(chan *http.Response, 1)
	go func() {
		w := httptest.NewRecorder()
		defer func() {
			a := w.Result()
			if recover() != nil {
				a = nil // the connection broke
			} else {
				a.Request = q
			}
			done <- a
		}()
		h.ServeHTTP(w, r)
	}()
	select {
	case a := <-done:
		if a == nil {
			return nil, io.ErrUnexpectedEOF
		}
		return a, nil
	case <-q.Context().Done():
		return nil, q.Context().Err()
	}
}

// Reply is how a broken target answers.
type Reply struct {
	Status int // zero: as Do says
	Type   string
	Header map[string]string
	Body   string
	Do     string // "hang", "reset", "stall" after the body, "flood" after it, "echo" of the request in it
}

// Faults are what every probe must take for neither a yes nor a no.
var Faults = map[string]Reply{
	"hang":            {Do: "hang"},
	"reset":           {Do: "reset"},
	"stall":           {Status: 200, Type: "application/json", Body: `{"value":[`, Do: "stall"},
	"flood":           {Status: 200, Type: "application/json", Body: `{"value":[`, Do: "flood"},
	"a page":          {Status: 200, Type: "text/html; charset=utf-8", Body: "<!DOCTYPE html><html><title>Sign in</title></html>"},
	"a page as JSON":  {Status: 200, Type: "application/json", Body: "<html>Sign in</html>"},
	"a page for 404":  {Status: 404, Type: "text/html", Body: "<html>not here</html>"},
	"203":             {Status: 203, Type: "text/html", Body: "<html>Sign In</html>"},
	"redirect":        {Status: 302, Type: "text/html", Header: map[string]string{"Location": "https://" + elsewhere + "/signin"}},
	"400":             {Status: 400, Type: "application/json", Body: `{"error":{"code":"BadRequest","message":"no"}}`},
	"401":             {Status: 401, Type: "application/json", Body: `{"error":{"code":"Unauthorized","message":"no"}}`},
	"401 echo":        {Status: 401, Type: "application/json", Do: "echo"},
	"403":             {Status: 403, Type: "application/json", Body: `{"error":{"code":"Forbidden","message":"no"}}`},
	"404":             {Status: 404, Type: "application/json", Body: `{"error":{"code":"NotFound","message":"no"}}`},
	"409":             {Status: 409, Type: "application/json", Body: `{"error":{"code":"Conflict","message":"no"}}`},
	"429":             {Status: 429, Type: "application/json", Header: map[string]string{"Retry-After": "37"}, Body: `{"error":{"code":"TooManyRequests","message":"no"}}`},
	"500 echo":        {Status: 500, Type: "text/plain", Do: "echo"},
	"503":             {Status: 503, Type: "text/html", Header: map[string]string{"Retry-After": "37"}, Body: "<html>unavailable</html>"},
	"204":             {Status: 204},
	"nothing":         {Status: 200, Type: "application/json"},
	"null":            {Status: 200, Type: "application/json", Body: "null"},
	"an empty object": {Status: 200, Type: "application/json", Body: "{}"},
	"an empty list":   {Status: 200, Type: "application/json", Body: "[]"},
	"half":            {Status: 200, Type: "application/json", Body: `{"count":1,"totalResults":1,"value":[{"id":`},
	"text":            {Status: 200, Type: "application/json", Body: `"yes"`},
	"error inside":    {Status: 200, Type: "application/json", Body: `{"error":{"code":"InternalError","message":"The request has been canceled."}}`},
}

// elsewhere is where a redirect leads to; nobody follows it.
const elsewhere = "login.elsewhere.test"

var errReset = errors.New("connection reset by peer")

func (r *Reply) give(q *http.Request, body []byte) (*http.Response, error) {
	switch r.Do {
	case "hang":
		<-q.Context().Done()
		return nil, q.Context().Err()
	case "reset":
		return nil, errReset
	}
	text := r.Body
	if r.Do == "echo" {
		text = fmt.Sprintf("not understood: %v %v %s", q.Header, q.URL, body)
	}
	a := &http.Response{StatusCode: r.Status, Status: http.StatusText(r.Status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {r.Type}}, ContentLength: -1, Request: q}
	for k, v := range r.Header {
		a.Header.Set(k, v)
	}
	a.Body = io.NopCloser(io.MultiReader(strings.NewReader(text), &tail{q.Context(), r.Do}))
	return a, nil
}

// tail is what follows a body: nothing, never, or without end.
type tail struct {
	ctx context.Context
	do  string
}

func (t *tail) Read(p []byte) (int, error) {
	switch t.do {
	case "stall":
		<-t.ctx.Done()
		return 0, t.ctx.Err()
	case "flood":
		for i := range p {
			p[i] = ' '
		}
		return len(p), t.ctx.Err()
	}
	return 0, io.EOF
}
