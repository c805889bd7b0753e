package entra

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Record is one call, as kept: without tokens, codes and secrets.
type Record struct {
	At     time.Time         `json:"at"`
	ID     string            `json:"id"`  // the answer's request-id
	Via    string            `json:"via"` // graph, authority or portal
	Method string            `json:"method"`
	Path   string            `json:"path"`
	Query  string            `json:"query,omitempty"`
	Body   string            `json:"body,omitempty"`
	Header map[string]string `json:"header,omitempty"` // those that matter; never Authorization or Cookie
	Status int               `json:"status"`           // what the service did, before a late fault spoilt the answer
	Code   string            `json:"code,omitempty"`
	OID    string            `json:"oid,omitempty"` // the person's account; empty: an app alone, or nobody
	App    string            `json:"app,omitempty"`
	Claims map[string]any    `json:"claims,omitempty"`
	Write  bool              `json:"write"`           // would change something, whether or not it was let
	Early  bool              `json:"early,omitempty"` // came before the Retry-After of an earlier answer was over
	Fault  string            `json:"fault,omitempty"` // what the caller saw instead
	Bare   bool              `json:"bare,omitempty"`  // came to Graph without Authorization
	Creates
}

// Creates says whom a create names; it is also the key of the counters.
type Creates struct {
	User   string `json:"user,omitempty"`
	Group  string `json:"group,omitempty"`
	Action string `json:"action,omitempty"`
}

// keep writes a call down.
func (w *World) keep(c *call, via string, a answer, f *Fault) {
	r := Record{At: c.now, ID: c.id, Via: via, Method: c.method, Path: c.path, Query: scrubbed(c.query), Body: string(c.body), Status: a.status, Code: a.code,
		OID: c.by.oid, App: c.by.app, Claims: c.by.claims, Header: map[string]string{}}
	for _, h := range []string{"User-Agent", "Retry-Attempt", "Content-Encoding", "Client-Request-Id", "Consistencylevel"} {
		if v := c.header.Get(h); v != "" {
			r.Header[h] = v
		}
	}
	if via == "authority" {
		r.Body = scrubbed(r.Body)
	} else {
		r.Write = writes(c, &r)
		r.Bare = c.header.Get("Authorization") == ""
	}
	r.Early = w.early(c, f)
	if f != nil {
		r.Fault = f.Do
	}
	w.remembers(r)
}

// remembers puts a record down, and forgets the oldest in good time.
func (w *World) remembers(r Record) {
	if len(w.history) >= 2*w.memory {
		w.history = append(w.history[:0], w.history[len(w.history)-w.memory:]...)
	}
	w.history = append(w.history, r)
}

// early tells whether a caller was told to wait, and didn't; and notes what
// this answer tells it. Who waits is a caller at one path.
func (w *World) early(c *call, f *Fault) bool {
	key, now := c.by.app+" "+c.by.oid+" "+c.path, w.wire()
	early := now.Before(w.hold[key])
	if f == nil || f.RetryAfter == "" {
		return early
	}
	if s, err := strconv.ParseFloat(f.RetryAfter, 64); err == nil {
		w.hold[key] = now.Add(time.Duration(s * float64(time.Second)))
	} else if t, err := http.ParseTime(f.RetryAfter); err == nil {
		w.hold[key] = t
	}
	return early
}

// writes tells whether a Graph call would change something, and notes whom a
// create names.
func writes(c *call, r *Record) bool {
	if c.method == "GET" || strings.HasSuffix(c.path, "MemberGroups") || strings.HasSuffix(c.path, "/$batch") {
		return false
	}
	if !strings.HasSuffix(c.path, "ScheduleRequests") {
		return true
	}
	var a ask
	if json.Unmarshal(c.body, &a) == nil {
		r.Creates = Creates{a.Principal, a.Group, lowerFirst(a.Action)}
	}
	return !a.ValidationOnly
}

// scrubbed blanks the values of a form or query that would let somebody in.
func scrubbed(form string) string {
	v, err := url.ParseQuery(form)
	if err != nil {
		return "unreadable, so not kept"
	}
	found := false
	for _, k := range []string{"client_secret", "client_assertion", "code", "code_verifier", "refresh_token", "flow", "device_code", "otc", "user_code", "id_token_hint"} {
		if v.Has(k) {
			v.Set(k, "scrubbed")
			found = true
		}
	}
	if v.Has("request") { // a form of ours carries the sign-in request along
		v.Set("request", scrubbed(v.Get("request")))
		found = true
	}
	if !found {
		return form
	}
	return v.Encode()
}

// History is every call so far, in order.
func (w *World) History() []Record {
	w.enter()
	defer w.mu.Unlock()
	return append([]Record(nil), w.history...)
}

// Writes are the calls to Graph that changed something, or tried to.
func (w *World) Writes() (all []Record) {
	for _, r := range w.History() {
		if r.Via == "graph" && r.Write {
			all = append(all, r)
		}
	}
	return all
}

// Counters count the creates that reached Graph, refused ones and repeats
// included, by user, group and action.
func (w *World) Counters() map[Creates]int {
	n := map[Creates]int{}
	for _, r := range w.Writes() {
		if r.Action != "" {
			n[r.Creates]++
		}
	}
	return n
}
