package target

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Object is a JSON object.
type Object = map[string]any

// Record is one call, as kept: without its token.
type Record struct {
	At     time.Time `json:"at"`
	Method string    `json:"method"`
	Path   string    `json:"path"`
	Query  string    `json:"query,omitempty"`
	Op     string    `json:"op,omitempty"` // where the path does not say it
	Body   string    `json:"body,omitempty"`
	OID    string    `json:"oid,omitempty"`
	Status int       `json:"status"`
	Fault  string    `json:"fault,omitempty"`
}

// History is every call so far, in order.
func (f *Frame) History() []Record {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]Record(nil), f.history...)
}

// Call is one request.
type Call struct {
	*http.Request
	Bytes []byte        // the body
	By    Caller        // set by Bearer, or by the service
	Op    string        // for the history, where the path does not say it
	Lag   time.Duration // of the replica that answers
}

// JSON reports whether a request's body, if it has one, says that it is JSON.
func (c *Call) JSON() bool {
	kind, _, _ := mime.ParseMediaType(c.Header.Get("Content-Type"))
	return len(c.Bytes) == 0 || kind == "application/json"
}

// Unknown is the first word of a list that there is not; "" if all are known.
func Unknown(list string, known ...string) string {
	for word := range strings.SplitSeq(list, ",") {
		if word = strings.TrimSpace(word); word != "" && !slices.Contains(known, word) {
			return word
		}
	}
	return ""
}

// Option is a query option of OData's that a service does not take here: what
// would be passed over is better refused. "" if there is none.
func (c *Call) Option(takes ...string) string {
	for name := range c.URL.Query() {
		if strings.HasPrefix(name, "$") && !slices.Contains(takes, name) {
			return name
		}
	}
	return ""
}

// Answer is what goes back.
type Answer struct {
	Status int
	Body   any    // as JSON; nil: nothing
	Page   string // instead of a body; HTML, if Header names no other type
	Header map[string]string
}

// Service is what a simulator is beyond the frame.
type Service struct {
	Answer  func(*Call) Answer                            // one call at a time, within Do
	Trouble func(status int, code, message string) Answer // an error in the service's shape
	Type    string                                        // of its content; default application/json
	Page    string                                        // what it shows where no JSON comes
}

// Challenge is what Microsoft's services add to a 401: where to get a token.
func Challenge(a Answer) Answer {
	a.Header = map[string]string{"WWW-Authenticate": `Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", error="invalid_token", error_description="The authentication failed."`}
	return a
}

// ErrNoToken is a request without a bearer token.
var ErrNoToken = errors.New("no bearer token")

// Bearer finds out who calls, by their token.
func (f *Frame) Bearer(c *Call) error {
	token, ok := strings.CutPrefix(c.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return ErrNoToken
	}
	by, err := f.verify(token)
	if err == nil {
		c.By = by
	}
	return err
}

// Handler serves a service: it keeps the history and plays the faults.
func (f *Frame) Handler(s Service) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		f.mu.Lock()
		x := f.fault(r.URL.Path)
		lags := f.lags()
		c := &Call{Request: r, Bytes: body, Lag: lags[f.rand.IntN(len(lags))]}
		a := s.Answer(c)
		if x != nil {
			a = s.spoil(a, x)
		}
		rec := Record{At: f.now(), Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, Op: c.Op, Body: string(body), OID: c.By.OID, Status: a.Status}
		if x != nil {
			rec.Fault = x.Do
		}
		f.history = append(f.history, rec)
		f.mu.Unlock()
		if x != nil {
			x.play(r)
		}
		s.send(rw, a, x != nil && x.Do == DoCut)
	})
}

// spoil changes an answer as a fault wants it.
func (s Service) spoil(a Answer, x *Fault) Answer {
	status := func(d int) int {
		if x.Status != 0 {
			return x.Status
		}
		return d
	}
	switch x.Do {
	case DoSlow, DoCut:
		return a
	case DoHTML:
		a = Answer{Status: status(200), Page: s.Page}
		if a.Page == "" {
			a.Page = "<!DOCTYPE html><html><head><title>Sign in</title></head><body>Sign in</body></html>"
		}
	case DoStatus:
		a = s.Trouble(status(503), "InternalError", "An Internal Error Occurred.")
	default:
		a = Answer{Status: x.Status}
	}
	if a.Header == nil {
		a.Header = map[string]string{}
	}
	if x.RetryAfter != "" {
		a.Header["Retry-After"] = x.RetryAfter
	}
	return a
}

// play is the part of a fault that takes time, or the connection.
func (x *Fault) play(r *http.Request) {
	switch x.Do {
	case DoHang:
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	case DoReset:
		panic(http.ErrAbortHandler)
	case DoSlow:
		select {
		case <-time.After(x.Delay):
		case <-r.Context().Done():
		}
	}
}

func (s Service) send(rw http.ResponseWriter, a Answer, cut bool) {
	for k, v := range a.Header {
		rw.Header().Set(k, v)
	}
	if a.Page != "" {
		if rw.Header().Get("Content-Type") == "" {
			rw.Header().Set("Content-Type", "text/html; charset=utf-8")
		}
		rw.WriteHeader(a.Status)
		_, _ = io.WriteString(rw, a.Page)
		return
	}
	var b []byte
	if a.Body != nil {
		b, _ = json.Marshal(a.Body)
		kind := s.Type
		if kind == "" {
			kind = "application/json"
		}
		rw.Header().Set("Content-Type", kind)
	}
	if cut {
		b = b[:len(b)/2]
	}
	rw.WriteHeader(a.Status)
	_, _ = rw.Write(b)
}
