package slack

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"mime"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
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
	if !w.pause(r.Context(), w.latency(name)) {
		return
	}
	strike := w.fault(name)
	if strike != nil && !strike.After {
		w.noteCall(name, began, args, token, nil, strike)
		w.hit(rw, r, strike)
		return
	}
	var out answer
	var a *app
	if err == nil {
		a, out, err = w.run(name, r.Method, token, args)
	}
	status, body := w.conclude(rw, name, a, out, err)
	entry := w.noteCall(name, began, args, token, body, strike)
	w.mu.Lock()
	entry.Status = status
	if a != nil {
		entry.App = a.ID
	}
	w.mu.Unlock()
	if strike != nil {
		w.hit(rw, r, strike)
		return
	}
	writeJSON(rw, status, body)
}

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
	scopes := a.Scopes
	if strings.HasPrefix(token, "xapp-") {
		scopes = a.AppScopes
	}
	if m.scope != "" && !slices.ContainsFunc(strings.Split(m.scope, "|"), func(s string) bool { return slices.Contains(scopes, s) }) {
		return a, nil, refusal{"missing_scope", answer{"needed": strings.Split(m.scope, "|")[0], "provided": strings.Join(scopes, ",")}}
	}
	perMinute, ok := w.dials.PerMinute[name]
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

// arguments reads all wire forms: JSON with the token in the header only, forms
// with the token in the body or header, GET with arguments in the query. A
// token in a query is not looked at.
func arguments(r *http.Request) (map[string]any, string, error) {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	args := map[string]any{}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind == "application/json" {
		body, err := io.ReadAll(io.LimitReader(r.Body, 2<<20))
		if err != nil || len(strings.TrimSpace(string(body))) == 0 {
			return args, token, err
		}
		var v any
		if err := json.Unmarshal(body, &v); err != nil {
			return args, token, refuse("invalid_json")
		}
		o, ok := v.(map[string]any)
		if !ok {
			return args, token, refuse("json_not_object")
		}
		delete(o, "token")
		return o, token, nil
	}
	if err := parseForm(r, kind); err != nil {
		return args, token, refuse("invalid_form_data")
	}
	for name := range r.Form {
		args[name] = r.Form.Get(name)
	}
	if token == "" {
		token = r.PostForm.Get("token")
	}
	return args, token, nil
}

func parseForm(r *http.Request, kind string) error {
	if kind == "multipart/form-data" {
		return r.ParseMultipartForm(2 << 20)
	}
	return r.ParseForm()
}

// conclude turns a method's result into status and body.
func (w *World) conclude(rw http.ResponseWriter, name string, a *app, out answer, err error) (int, answer) {
	if a != nil {
		rw.Header().Set("X-OAuth-Scopes", strings.Join(a.Scopes, ","))
		rw.Header().Set("X-Accepted-OAuth-Scopes", strings.ReplaceAll(methods[name].scope, "|", ","))
	}
	switch e := err.(type) {
	case nil:
		body := answer{"ok": true}
		maps.Copy(body, out)
		if said := w.Dials().Warning; said != "" {
			body["warning"] = said
		}
		return http.StatusOK, body
	case throttle:
		if !w.Dials().NoRetryAfter {
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

func (w *World) noteCall(name string, began time.Time, args map[string]any, token string, body answer, strike *Fault) *Entry {
	w.mu.Lock()
	defer w.mu.Unlock()
	e := Entry{Kind: "call", Name: name, Request: scrub(args), Took: Seconds(time.Since(began).Seconds())}
	if a := w.holder(token); a != nil {
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
		e.Status = strike.Status
	}
	return w.record(e)
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

func writeJSON(rw http.ResponseWriter, status int, body any) {
	b, err := json.Marshal(body)
	if err != nil {
		status, b = http.StatusInternalServerError, []byte(`{"ok":false,"error":"internal_error"}`)
	}
	rw.Header().Set("Content-Type", "application/json; charset=utf-8")
	rw.WriteHeader(status)
	_, _ = rw.Write(b)
}
