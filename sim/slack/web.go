package slack

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"pagbot/sim/asjson"
)

type answer = map[string]any

// A refusal is ok:false. Its code is Slack's word.
type refusal struct {
	code string
	more answer
}

func (r refusal) Error() string { return r.code }

func refuse(code string) error { return refusal{code: code} }

func refuseWith(code string, messages []string) error {
	return refusal{code, answer{"response_metadata": answer{"messages": messages}}}
}

// A throttle is HTTP 429.
type throttle struct{ after time.Duration }

func (throttle) Error() string { return "ratelimited" }

// A call is one request to the Web API. Its methods and the method functions
// run under the world's lock.
type call struct {
	w      *World
	app    *app
	token  string
	method string
	args   map[string]any
}

func (c *call) str(name string) string {
	switch v := c.args[name].(type) {
	case string:
		return v
	case nil:
		return ""
	default:
		return fmt.Sprint(v)
	}
}

func (c *call) flag(name string) bool { s := c.str(name); return s == "true" || s == "1" }

func (c *call) has(name string) bool { v, ok := c.args[name]; return ok && v != nil && v != "" }

// object reads an argument that is JSON natively or, in a form, as a string.
func (c *call) object(name string, into any) error {
	v, ok := c.args[name]
	if !ok || v == nil || v == "" {
		return nil
	}
	s, isText := v.(string)
	if !isText {
		b, err := json.Marshal(v)
		if err != nil {
			return err
		}
		s = string(b)
	}
	return json.Unmarshal([]byte(s), into)
}

type method struct {
	scope string // any one of the names, separated by |
	tier  int    // calls a minute
	token string // xoxb unless set: xapp, any, none
	do    func(*call) (answer, error)
}

func (w *World) serveAPI(rw http.ResponseWriter, r *http.Request) {
	name, began := r.PathValue("method"), time.Now()
	args, token, err := arguments(r)
	if methods[name].token == "xapp" && r.Header.Get("Authorization") == "" {
		token = "" // an app token counts in the header alone
	}
	by := func() *app { return w.holder(token) }
	if !w.pause(r.Context(), w.latency(name, by)) {
		return
	}
	strike := w.fault(name, by)
	if strike != nil && !strike.After {
		w.noteCall(Entry{Name: name, Request: scrub(args), Status: strike.Status, Took: since(began)}, nil, token, nil, strike)
		w.hit(rw, r, strike)
		return
	}
	var out answer
	var a *app
	if err == nil {
		a, out, err = w.run(name, r.Method, token, args)
	}
	status, body := w.conclude(rw, name, a, out, err)
	w.noteCall(Entry{Name: name, Request: scrub(args), Status: status, Took: since(began)}, a, token, body, strike)
	if strike != nil {
		w.hit(rw, r, strike)
		return
	}
	writeJSON(rw, status, body)
}

func since(began time.Time) Seconds { return Seconds(time.Since(began).Seconds()) }

// run does one call under the lock: token, scope, limit, then the method.
func (w *World) run(name, verb, token string, args map[string]any) (*app, answer, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	m, ok := methods[name]
	if !ok {
		return nil, nil, refuse("unknown_method")
	}
	if m.token == "xapp" && verb != http.MethodPost {
		return nil, nil, refuse("insecure_request")
	}
	if m.token == "none" {
		out, err := m.do(&call{w: w, method: name, args: args})
		return nil, out, err
	}
	a, err := w.authenticate(m, token)
	if err != nil {
		return a, nil, err
	}
	scopes := a.granted(m)
	if m.scope != "" && !slices.ContainsFunc(strings.Split(m.scope, "|"), func(s string) bool { return slices.Contains(scopes, s) }) {
		return a, nil, refusal{"missing_scope", answer{"needed": strings.Split(m.scope, "|")[0], "provided": strings.Join(scopes, ",")}}
	}
	perMinute, ok := a.dials.PerMinute[name]
	if !ok {
		perMinute = m.tier
	}
	if after := w.take(name+" "+a.ID, float64(perMinute)/60, perMinute); after > 0 {
		return a, nil, throttle{after}
	}
	out, err := m.do(&call{w, a, token, name, args})
	w.touch()
	return a, out, err
}

func (w *World) authenticate(m method, token string) (*app, error) {
	if token == "" {
		return nil, refuse("not_authed")
	}
	a := w.holder(token)
	if a == nil {
		return nil, refuse("invalid_auth")
	}
	isApp, turn := token == a.AppToken, a.rotated(token)
	switch {
	case a.Revoked != "":
		return a, refuse(a.Revoked)
	case isApp && a.AppRevoked != "":
		return a, refuse(a.AppRevoked)
	case !isApp && a.BotRevoked != "":
		return a, refuse(a.BotRevoked)
	case turn != nil && turn.revoked:
		return a, refuse("token_revoked")
	case turn != nil && time.Now().After(turn.until):
		return a, refuse("token_expired")
	case m.token == "xapp" && !isApp, m.token == "" && isApp:
		return a, refuse("not_allowed_token_type")
	}
	return a, nil
}

// granted are the scopes of the token that a method takes.
func (a *app) granted(m method) []string {
	if m.token == "xapp" {
		return a.AppScopes
	}
	return a.Scopes
}

// holder finds the app of a token.
func (w *World) holder(token string) *app {
	for _, a := range w.apps {
		if token != "" && (a.BotToken == token || a.AppToken == token || a.rotated(token) != nil) {
			return a
		}
	}
	return nil
}

// A bucket limits a rate: level tokens left, filled up to its burst.
type bucket struct {
	level float64
	at    time.Time
}

// take takes a token, or says how long until there is one.
func (w *World) take(key string, perSecond float64, burst int) time.Duration {
	if perSecond <= 0 {
		return 0
	}
	now := time.Now()
	b := w.buckets[key]
	if b == nil {
		b = &bucket{level: float64(burst), at: now}
		w.buckets[key] = b
	}
	b.level = min(float64(burst), b.level+perSecond*now.Sub(b.at).Seconds())
	b.at = now
	if b.level >= 1-1e-9 { // so that waiting exactly Retry-After suffices
		b.level--
		return 0
	}
	return time.Duration((1 - b.level) / perSecond * float64(time.Second))
}

// conclude turns a method's result into status and body.
func (w *World) conclude(rw http.ResponseWriter, name string, a *app, out answer, err error) (int, answer) {
	if a != nil {
		rw.Header().Set("X-OAuth-Scopes", strings.Join(a.granted(methods[name]), ","))
		rw.Header().Set("X-Accepted-OAuth-Scopes", strings.ReplaceAll(methods[name].scope, "|", ","))
	}
	switch e := err.(type) {
	case nil:
		if out == nil {
			out = answer{}
		}
		out["ok"] = true
		if said := w.tuned(a).Warning; said != "" {
			out["warning"] = said
		}
		return http.StatusOK, out
	case throttle:
		if !w.tuned(a).NoRetryAfter {
			rw.Header().Set("Retry-After", strconv.Itoa(max(1, int(math.Ceil(e.after.Seconds())))))
		}
		return http.StatusTooManyRequests, answer{"ok": false, "error": "ratelimited"}
	case refusal:
		body := answer{"ok": false, "error": e.code}
		maps.Copy(body, e.more)
		return http.StatusOK, body
	default:
		return http.StatusOK, answer{"ok": false, "error": "internal_error"}
	}
}

// noteCall keeps a call of an app, or of whoever has the token.
func (w *World) noteCall(e Entry, a *app, token string, body answer, strike *Fault) {
	w.mu.Lock()
	defer w.mu.Unlock()
	e.Kind = "call"
	if a == nil {
		a = w.holder(token)
	}
	if a != nil {
		e.App = a.ID
	}
	if body != nil {
		e.Answer = body
		if u, ok := body["url"].(string); ok && strings.Contains(u, "ticket=") {
			e.Answer = answer{"ok": true, "url": "ws://****"} // the URL is a credential
		}
		if _, secret := body["access_token"]; secret {
			e.Answer = scrub(body)
		}
		e.Error, _ = body["error"].(string)
	}
	if strike != nil {
		e.Error = strings.TrimSpace("fault: " + strike.Kind + " " + strike.Error)
	}
	w.record(e)
}

// hit makes a fault happen to a request.
func (w *World) hit(rw http.ResponseWriter, r *http.Request, f *Fault) {
	if f.RetryAfter > 0 {
		rw.Header().Set("Retry-After", strconv.Itoa(int(f.RetryAfter)))
	}
	switch f.Kind {
	case "error":
		writeJSON(rw, http.StatusOK, answer{"ok": false, "error": f.Error})
	case "hang":
		select {
		case <-r.Context().Done():
		case <-w.ctx.Done():
		}
	case "reset":
		if nc, _, err := http.NewResponseController(rw).Hijack(); err == nil {
			reset(nc)
		}
	case "empty":
		rw.WriteHeader(http.StatusOK)
	case "bad_json":
		rw.Header().Set("Content-Type", "application/json; charset=utf-8")
		_, _ = io.WriteString(rw, `{"ok":tr`)
	default:
		status := f.Status
		if status == 0 {
			status = http.StatusInternalServerError
		}
		rw.Header().Set("Content-Type", "text/html; charset=utf-8")
		rw.WriteHeader(status)
		_, _ = fmt.Fprintf(rw, "<html><body>%d %s</body></html>", status, http.StatusText(status))
	}
}

// reset ends a connection with a TCP reset where the connection can.
func reset(nc net.Conn) {
	if l, ok := nc.(interface{ SetLinger(int) error }); ok {
		_ = l.SetLinger(0)
	}
	_ = nc.Close()
}

var buffers = sync.Pool{New: func() any { return new([]byte) }}

func writeJSON(rw http.ResponseWriter, status int, body any) {
	space := buffers.Get().(*[]byte)
	defer buffers.Put(space)
	*space = asjson.Append((*space)[:0], body)
	rw.Header().Set("Content-Type", "application/json; charset=utf-8")
	rw.WriteHeader(status)
	_, _ = rw.Write(*space)
}
