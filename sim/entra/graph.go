package entra

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"pagbot/sim/asjson"
)

type obj = map[string]any

// call is one HTTP request, read whole.
type call struct {
	id                  string // the answer's request-id
	method, path, query string
	base                string // scheme and host that the caller used
	version             string // v1.0 or beta
	from                string // address of who calls
	header              http.Header
	body                []byte
	by                  caller
	now                 time.Time
	args                map[string]string
	r                   *http.Request
}

// answer is what goes back, before a fault spoils it.
type answer struct {
	status int
	body   any // JSON; nil none
	raw    []byte
	header map[string]string
	code   string // of the error, for the history
	echo   string // client-request-id
	id     string // request-id
}

// refusal is an error in the service's words.
type refusal struct {
	status        int
	code, message string
	challenge     string // WWW-Authenticate, if it isn't the usual one
}

func (r *refusal) with(challenge string) *refusal {
	r.challenge = challenge
	return r
}

func refuse(status int, code, message string) *refusal {
	return &refusal{status: status, code: code, message: message}
}

// Error makes a refusal an error for those who use the library directly.
func (r *refusal) Error() string { return r.code + ": " + r.message }

const graphType = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"

// Graph serves Microsoft Graph: /v1.0/… and /beta/….
func (w *World) Graph() http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		c, no := w.read(r)
		w.deliver(rw, c, "graph", func() answer {
			if no != nil {
				return w.refused(c, no)
			}
			c.by, no = w.authenticate(c)
			if no != nil {
				a := w.refused(c, no)
				a.header = map[string]string{"WWW-Authenticate": orElse(no.challenge, `Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize"`)}
				return a
			}
			return w.route(c)
		})
	})
}

// read takes a request in: body, compression, version.
func (w *World) read(r *http.Request) (*call, *refusal) {
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	c := &call{method: r.Method, path: r.URL.Path, query: r.URL.RawQuery, base: scheme + "://" + r.Host, header: r.Header, r: r, args: map[string]string{}}
	c.body, _ = io.ReadAll(r.Body)
	if r.Header.Get("Content-Encoding") != "gzip" {
		return c, nil
	}
	z, err := gzip.NewReader(bytes.NewReader(c.body))
	if err == nil {
		c.body, err = io.ReadAll(z)
	}
	if err != nil {
		return c, refuse(400, "BadRequest", "Unable to read the gzip request body.")
	}
	return c, nil
}

// deliver runs a call under the lock, and sends the answer outside it.
func (w *World) deliver(rw http.ResponseWriter, c *call, via string, act func() answer) {
	a, f, zip := w.locked(c, via, act)
	send(rw, c, a, f, zip)
}

func (w *World) locked(c *call, via string, act func() answer) (a answer, f *Fault, zip bool) {
	c.now = w.enter()
	defer w.mu.Unlock() // a call that breaks takes nobody else with it
	a, f = w.serve(c, via, act)
	if !w.dials.NoEcho {
		a.echo = c.header.Get("Client-Request-Id")
	}
	if via == "graph" && (f == nil || f.Do != DoHTML) { // that page is some proxy's
		a.id = c.id
	}
	return a, f, w.dials.Gzip && strings.Contains(c.header.Get("Accept-Encoding"), "gzip")
}

// serve runs a call, spoils its answer if a fault says so, and keeps it.
func (w *World) serve(c *call, via string, act func() answer) (answer, *Fault) {
	c.id = guid(w.calls)
	early := func() *Fault { // faults look at the caller too
		if via == "graph" && len(w.faults) > 0 {
			c.by, _ = w.authenticate(c)
		}
		return w.fault(c)
	}()
	if early == nil && via == "graph" {
		early = w.throttled(c)
	}
	var a answer
	if early == nil || early.Late || early.Do == DoSlow {
		a = act()
	}
	did := a
	if early != nil {
		a = w.spoil(c, via, *early, a)
	}
	if early != nil && !early.Late && early.Do != DoSlow {
		did = a
	}
	w.keep(c, via, did, early)
	return a, early
}

// throttled refuses, by dial, what comes too fast.
func (w *World) throttled(c *call) *Fault {
	if w.dials.PerSecond == 0 {
		return nil
	}
	c.by, _ = w.authenticate(c)
	p, now := w.pace[c.by.app], w.wire()
	if now.Sub(p.since) >= time.Second {
		p = pace{since: now}
	}
	p.calls++
	w.pace[c.by.app] = p
	if p.calls <= w.dials.PerSecond {
		return nil
	}
	return &Fault{Do: DoStatus, Status: 429, Message: "Too many requests.", RetryAfter: w.dials.RetryAfter}
}

// pace is how many calls of an app were answered since a moment.
type pace struct {
	since time.Time
	calls int
}

// spoil turns an answer into what the fault makes of it.
func (w *World) spoil(c *call, via string, f Fault, a answer) answer {
	status := func(d int) int {
		if f.Status != 0 {
			return f.Status
		}
		return d
	}
	header := map[string]string{}
	if f.RetryAfter != "" {
		header["Retry-After"] = f.RetryAfter
	}
	switch f.Do {
	case DoStatus:
		if via == "authority" {
			return w.unwell(f, status(503))
		}
		a = w.refused(c, refuse(status(503), orElse(f.Code, codes[status(503)]), orElse(f.Message, "The service is temporarily unavailable.")))
		a.header = header
	case DoHTML:
		a = answer{status: status(502), raw: []byte("<html><body><h1>Bad gateway</h1></body></html>"), header: map[string]string{"Content-Type": "text/html"}}
	case DoBare:
		a = answer{status: status(400), body: obj{}}
	case DoString:
		a = answer{status: status(400), body: obj{"error": "boom"}}
	case DoNoMessage:
		a = answer{status: status(400), body: obj{"error": obj{"code": orElse(f.Code, "BadRequest")}}}
	case DoEmpty:
		a = answer{status: status(200)}
	case DoCAE, DoCAEUnpadded, DoCAEUnquoted:
		a = w.refused(c, refuse(401, "InvalidAuthenticationToken", "Continuous access evaluation resulted in challenge."))
		a.header = map[string]string{"WWW-Authenticate": challenge(f.Do, "1")}
	}
	return a
}

var codes = map[int]string{429: "TooManyRequests", 503: "ServiceUnavailable", 504: "GatewayTimeout", 500: "InternalServerError", 404: "ResourceNotFound", 415: "UnsupportedMediaType"}

func orElse(s, other string) string {
	if s != "" {
		return s
	}
	return other
}

// challenge is a CAE header. The padding of the good one matters: the claims'
// length is no multiple of three.
func challenge(kind, since string) string {
	b := base64.StdEncoding.EncodeToString([]byte(`{"access_token":{"nbf":{"essential":true,"value":"` + since + `"}}}`))
	if kind == DoCAEUnpadded {
		b = strings.TrimRight(b, "=")
	}
	quote := `"`
	if kind == DoCAEUnquoted {
		quote = ""
	}
	return `Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", error="insufficient_claims", claims=` + quote + b + quote
}

// wait is a pause that the caller's giving up ends.
func wait(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// buffers are for answers on their way out.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// send writes an answer, or breaks the connection.
func send(rw http.ResponseWriter, c *call, a answer, f *Fault, zip bool) {
	if f != nil && f.Do == DoHang {
		<-c.r.Context().Done()
	}
	if f != nil && f.Do == DoSlow {
		wait(c.r.Context(), f.Delay)
	}
	if f != nil && (f.Do == DoHang || f.Do == DoReset || f.Do == DoCut && a.status == 0) {
		panic(http.ErrAbortHandler)
	}
	body := a.raw
	if a.body != nil {
		space := buffers.Get().(*[]byte)
		body = asjson.Append((*space)[:0], a.body)
		defer func() {
			*space = body
			buffers.Put(space)
		}()
	}
	h := rw.Header()
	if len(body) > 0 {
		h.Set("Content-Type", graphType)
	}
	for k, v := range a.header {
		h.Set(k, v)
	}
	if a.id != "" {
		h.Set("request-id", a.id)
	}
	if a.echo != "" {
		h.Set("client-request-id", a.echo)
	}
	if f != nil && f.Do == DoCut && len(body) > 1 {
		h.Set("Content-Length", itoa(len(body)))
		rw.WriteHeader(a.status)
		_, _ = rw.Write(body[:len(body)/2])
		_ = http.NewResponseController(rw).Flush()
		panic(http.ErrAbortHandler)
	}
	if zip && len(body) > 0 {
		h.Set("Content-Encoding", "gzip")
		rw.WriteHeader(a.status)
		z := gzip.NewWriter(rw)
		_, _ = z.Write(body)
		_ = z.Close()
		return
	}
	rw.WriteHeader(a.status)
	_, _ = rw.Write(body)
}

// refused puts a refusal into the body shape that the service (or the dial)
// uses for it: plain, or JSON inside an UnknownError's message.
func (w *World) refused(c *call, no *refusal) answer {
	if w.dials.RefusedAs != 0 && no.status == 400 && strings.Contains(c.path, pag) {
		no = refuse(w.dials.RefusedAs, no.code, no.message)
	}
	wrapped := no.code == "PermissionScopeNotGranted" || strings.Contains(no.code, "AcrsValidationFailed")
	switch w.dials.Shape {
	case "plain":
		wrapped = false
	case "wrapped":
		wrapped = no.status == 400 || no.status == 403
	}
	code, message := no.code, no.message
	if wrapped {
		b := new(strings.Builder)
		e := json.NewEncoder(b)
		e.SetEscapeHTML(false)
		_ = e.Encode(struct {
			ErrorCode string `json:"errorCode"`
			Message   string `json:"message"`
		}{code, message})
		code, message = "UnknownError", strings.TrimSpace(b.String())
	}
	inner := obj{"date": w.wire().UTC().Format("2006-01-02T15:04:05"), "request-id": c.id, "client-request-id": c.header.Get("Client-Request-Id")}
	return answer{status: no.status, code: no.code, body: obj{"error": obj{"code": code, "message": message, "innerError": inner}}}
}
