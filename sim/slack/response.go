package slack

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// A responseURL belongs to one payload: the place of a slash command, or the
// message of a click.
type responseURL struct {
	app     *app
	user    string
	channel string
	ts      string // the clicked message; empty for a slash command
	uses    int
	until   time.Time
}

// responseURL mints one; kind is commands or actions.
func (w *World) responseURL(kind string, r responseURL) string {
	r.until = time.Now().Add(r.app.dials.ResponseLife.Duration())
	path := fmt.Sprintf("/%s/%s/%d/%s", kind, r.app.Team, 10000000000+w.rng.Int64N(1e10), w.secret(15))
	w.urls[path] = &r
	return w.base + path
}

func (w *World) serveResponseURL(rw http.ResponseWriter, r *http.Request) {
	var args map[string]any
	bad := json.NewDecoder(http.MaxBytesReader(rw, r.Body, 1<<20)).Decode(&args)
	by := func() *app { return w.answering(r.URL.Path) }
	if !w.pause(r.Context(), w.latency("response_url", by)) {
		return
	}
	strike := w.fault("response_url", by)
	if strike != nil && !strike.After {
		w.noteResponse(args, strike.Status, "fault: "+strike.Kind)
		w.hit(rw, r, strike)
		return
	}
	status, err := http.StatusBadRequest, refuse("invalid_payload")
	if bad == nil && r.Method == http.MethodPost {
		status, err = w.respond(r.URL.Path, args)
	}
	code := ""
	if err != nil {
		code = err.Error()
	}
	w.noteResponse(args, status, code)
	switch {
	case strike != nil:
		w.hit(rw, r, strike)
	case err != nil:
		_, body := w.conclude(rw, "", nil, nil, err)
		writeJSON(rw, status, body)
	default:
		rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = rw.Write([]byte("ok"))
	}
}

// answering is the app that has a response URL.
func (w *World) answering(path string) *app {
	if u := w.urls[path]; u != nil {
		return u.app
	}
	return nil
}

func (w *World) noteResponse(args map[string]any, status int, code string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.record(Entry{Kind: "response_url", Name: "response_url", Request: scrub(args), Status: status, Error: code})
}

// respond does what a post to a response URL asks for.
func (w *World) respond(path string, args map[string]any) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	u := w.urls[path]
	switch {
	case u == nil:
		return http.StatusNotFound, refuse("no_service")
	case time.Now().After(u.until):
		return http.StatusNotFound, refuse(u.app.dials.ResponseExpired)
	case u.uses >= u.app.dials.ResponseUses:
		return http.StatusNotFound, refuse(u.app.dials.ResponseUsed)
	}
	c := &call{w: w, app: u.app, method: "response_url", args: args}
	ch := w.channels[u.channel]
	original := ch.live(u.ts)
	if c.flag("delete_original") && (len(args) == 1 || !u.app.dials.DeleteAlone) {
		u.uses++
		if original != nil && original.App == u.app.ID {
			w.remove(ch, original)
		}
		return http.StatusOK, nil
	}
	ct, err := c.content()
	if err != nil {
		return http.StatusBadRequest, err
	}
	if !ct.hasText && len(ct.blocks) == 0 {
		return http.StatusBadRequest, refuse("no_text")
	}
	u.uses++
	if c.flag("replace_original") && original != nil && original.App == u.app.ID {
		w.change(original, func(m *Message) { m.Text = ct.text; m.rewrite(ct) })
		return http.StatusOK, nil
	}
	thread := c.str("thread_ts")
	if c.flag("replace_original") {
		thread = "" // a thread is for new messages
	}
	w.answerPerson(u.app, ch, w.users[u.user], c.byApp(ct), c.str("response_type"), thread)
	return http.StatusOK, nil
}

// answerPerson shows an app's answer, in the channel or to one person.
func (w *World) answerPerson(a *app, ch *channel, u *User, m Message, kind, thread string) string {
	m.Thread = thread
	if kind == "in_channel" {
		return w.add(ch, m).TS
	}
	return w.whisper(ch, u, m)
}
