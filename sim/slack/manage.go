package slack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// endpoints is the management API: JSON in and out, the same things as in Go.
// A wait=SECONDS on a GET blocks until there is something to answer.
var endpoints = []struct {
	pattern, doc string
	serve        func(*World, *http.Request) (any, error)
}{
	{"GET /manage/teams", "all workspaces", func(w *World, _ *http.Request) (any, error) { return w.Teams(), nil }},
	{"POST /manage/teams", "add a Team", adding((*World).AddTeam)},
	{"GET /manage/users", "all users", func(w *World, _ *http.Request) (any, error) { return w.Users(), nil }},
	{"POST /manage/users", "add a User", adding((*World).AddUser)},
	{"PATCH /manage/users/{id}", "change a User live", editing((*World).EditUser)},
	{"GET /manage/channels", "all channels and DMs", func(w *World, _ *http.Request) (any, error) { return w.Channels(), nil }},
	{"POST /manage/channels", "add a Channel", adding(func(w *World, c Channel) Channel { return w.AddChannel(c) })},
	{"PATCH /manage/channels/{id}", "change a Channel live", editing((*World).EditChannel)},
	{"POST /manage/channels/{id}/{do}", "share (with teams), accept or unshare it", manageShare},
	{"GET /manage/usergroups", "all user groups", func(w *World, _ *http.Request) (any, error) { return w.Usergroups(), nil }},
	{"POST /manage/usergroups", "add a Usergroup", adding((*World).AddUsergroup)},
	{"PATCH /manage/usergroups/{id}", "change a Usergroup live", editing((*World).EditUsergroup)},
	{"GET /manage/files", "all uploaded files", func(w *World, _ *http.Request) (any, error) { return w.Files(), nil }},
	{"GET /manage/apps", "all apps, with their tokens", func(w *World, _ *http.Request) (any, error) { return w.Apps(), nil }},
	{"POST /manage/apps", "install an App", adding((*World).AddApp)},
	{"POST /manage/manifests/{team}", "install an App from its manifest, YAML or JSON", installManifest},
	{"PATCH /manage/apps/{id}", "change an App live", editing((*World).EditApp)},
	{"GET /manage/dials", "the Dials", func(w *World, _ *http.Request) (any, error) { return w.Dials(), nil }},
	{"PATCH /manage/dials", "turn some of the Dials", turnDials},
	{"GET /manage/apps/{id}/dials", "the Dials as they are for one app", ofApp.show},
	{"PATCH /manage/apps/{id}/dials", "turn some for it alone; the rest follows the World's", ofApp.patch},
	{"DELETE /manage/apps/{id}/dials", "turn none for it", ofApp.reset},
	{"GET /manage/sockets/{id}/dials", "the Dials as they are for one connection", ofSocket.show},
	{"PATCH /manage/sockets/{id}/dials", "turn some for it alone; the rest follows its app's", ofSocket.patch},
	{"DELETE /manage/sockets/{id}/dials", "turn none for it", ofSocket.reset},
	{"GET /manage/facts", "what this Slack does as the real one does, and by which dial", func(*World, *http.Request) (any, error) { return Facts(), nil }},
	{"POST /manage/faults", "queue a Fault", manageFault},
	{"DELETE /manage/faults", "drop all queued faults", func(w *World, _ *http.Request) (any, error) { w.Heal(); return done{}, nil }},
	{"GET /manage/history", "entries by kind, name, user, app, after; wait", manageHistory},
	{"GET /manage/sockets", "registered connections", func(w *World, _ *http.Request) (any, error) { return w.Sockets(), nil }},
	{"POST /manage/sockets/{do}", "refresh, disconnect (reason), half_open, reset, ghost or reap; of socket id, of an app, or of all", manageSocket},
	{"POST /manage/redeliver", "send envelope_id again", redeliver},
	{"POST /manage/inject", "send any envelope: app, type, payload", inject},
	{"GET /manage/messages/{channel}/{ts}", "all versions of a message", revisions},
	{"GET /manage/people/{id}/messages", "what a person sees in channel (their DM if empty); contains, after (a ts), wait", personMessages},
	{"GET /manage/people/{id}/views", "a person's open modals; wait", personViews},
	{"GET /manage/people/{id}/home", "a person's Home tab of app; wait", personHome},
	{"POST /manage/people/{id}/{do}", "command, act, forge, submit, dismiss, suggest, shortcut, say, home, reload", personDoes},
}

type done struct{}

func (w *World) manage() {
	for _, e := range endpoints {
		w.mux.HandleFunc(e.pattern, func(rw http.ResponseWriter, r *http.Request) {
			out, err := e.serve(w, r)
			if err != nil {
				writeJSON(rw, http.StatusBadRequest, map[string]any{"error": err.Error(), "result": out})
				return
			}
			writeJSON(rw, http.StatusOK, out)
		})
	}
	w.mux.HandleFunc("GET /manage/{$}", func(rw http.ResponseWriter, _ *http.Request) {
		for _, e := range endpoints {
			_, _ = fmt.Fprintf(rw, "%-38s %s\n", e.pattern, e.doc)
		}
	})
}

// body decodes a request strictly, so that a misspelt name is noticed.
func body(r *http.Request, into any) error {
	d := json.NewDecoder(io.LimitReader(r.Body, 4<<20))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("the request's JSON: %w", err)
	}
	return nil
}

func adding[T any](add func(*World, T) T) func(*World, *http.Request) (any, error) {
	return func(w *World, r *http.Request) (any, error) {
		var v T
		if err := body(r, &v); err != nil {
			return nil, err
		}
		return add(w, v), nil
	}
}

func editing[T any](edit func(*World, string, func(*T)) bool) func(*World, *http.Request) (any, error) {
	return func(w *World, r *http.Request) (any, error) {
		raw, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		if err != nil {
			return nil, err
		}
		var after T
		found := edit(w, r.PathValue("id"), func(v *T) {
			after = *v
			d := json.NewDecoder(strings.NewReader(string(raw)))
			d.DisallowUnknownFields()
			if err = d.Decode(&after); err == nil {
				*v = after
			}
		})
		if !found {
			err = fmt.Errorf("there is no %q", r.PathValue("id"))
		}
		return after, err
	}
}

func turnDials(w *World, r *http.Request) (any, error) {
	d := w.Dials()
	if err := body(r, &d); err != nil {
		return nil, err
	}
	w.Turn(func(now *Dials) { *now = d })
	return d, nil
}

// waiting asks until a condition holds, at most as long as the request's wait
// says; it is no error if it never does.
func waiting(w *World, r *http.Request, until func() bool) {
	seconds, _ := strconv.ParseFloat(r.URL.Query().Get("wait"), 64)
	if seconds <= 0 {
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), Seconds(seconds).Duration())
	defer cancel()
	_ = w.Wait(ctx, func(Snapshot) bool { return until() })
}

func manageHistory(w *World, r *http.Request) (any, error) {
	q := r.URL.Query()
	after, _ := strconv.Atoi(q.Get("after"))
	query := Query{Kind: q.Get("kind"), Name: q.Get("name"), User: q.Get("user"), App: q.Get("app"), After: after}
	var out []Entry
	ask := func() bool { out = w.History(query); return len(out) > 0 }
	ask()
	waiting(w, r, ask)
	return out, nil
}

func manageShare(w *World, r *http.Request) (any, error) {
	var in struct {
		Teams []string `json:"teams"`
	}
	if err := body(r, &in); err != nil {
		return nil, err
	}
	id, did := r.PathValue("id"), false
	var out any = done{}
	switch do := r.PathValue("do"); do {
	case "share":
		out, did = w.StartShare(id, in.Teams...)
	case "accept":
		did = w.AcceptShare(id)
	case "unshare":
		did = w.EndShare(id)
	}
	if !did {
		return nil, fmt.Errorf("channel %q cannot %s", id, r.PathValue("do"))
	}
	return out, nil
}

func redeliver(w *World, r *http.Request) (any, error) {
	var in struct {
		ID string `json:"envelope_id"`
	}
	err := body(r, &in)
	if err == nil && !w.Redeliver(in.ID) {
		err = fmt.Errorf("no envelope %q, or no connection", in.ID)
	}
	return done{}, err
}

func inject(w *World, r *http.Request) (any, error) {
	var in struct {
		App     string         `json:"app"`
		Type    string         `json:"type"`
		Payload map[string]any `json:"payload"`
	}
	if err := body(r, &in); err != nil {
		return nil, err
	}
	return w.Inject(r.Context(), in.App, in.Type, in.Payload)
}

func revisions(w *World, r *http.Request) (any, error) {
	return w.Revisions(r.PathValue("channel"), r.PathValue("ts")), nil
}

// ShownMessage is a message with its text as the person reads it.
type ShownMessage struct {
	Message
	Shown string `json:"shown"`
}

// ShownView is a view with its text as the person reads it.
type ShownView struct {
	View
	Shown string `json:"shown"`
}

func personMessages(w *World, r *http.Request) (any, error) {
	p, q := w.Person(r.PathValue("id")), r.URL.Query()
	channel := q.Get("channel")
	if channel == "" {
		channel = p.DM(q.Get("app"))
	}
	var out []ShownMessage
	ask := func() bool {
		out = []ShownMessage{}
		for _, m := range p.Messages(channel) {
			shown := ShownMessage{m, p.Text(m)}
			if m.TS > q.Get("after") && strings.Contains(shown.Shown, q.Get("contains")) {
				out = append(out, shown)
			}
		}
		return len(out) > 0
	}
	ask()
	waiting(w, r, ask)
	return out, nil
}

func personViews(w *World, r *http.Request) (any, error) {
	p := w.Person(r.PathValue("id"))
	waiting(w, r, func() bool { return len(p.Views()) > 0 })
	out := []ShownView{}
	for _, v := range p.Views() {
		out = append(out, ShownView{v, p.ViewText(v)})
	}
	return out, nil
}

func personHome(w *World, r *http.Request) (any, error) {
	p, app := w.Person(r.PathValue("id")), r.URL.Query().Get("app")
	waiting(w, r, func() bool { _, ok := p.Home(app); return ok })
	v, ok := p.Home(app)
	if !ok {
		return nil, errors.New("nothing was published to this Home tab")
	}
	return ShownView{v, p.ViewText(v)}, nil
}

// deed is what a person does over the management API.
type deed struct {
	Click
	App      string         `json:"app,omitempty"`
	Text     string         `json:"text,omitempty"`
	Thread   string         `json:"thread_ts,omitempty"`
	Values   map[string]any `json:"values,omitempty"`
	Callback string         `json:"callback_id,omitempty"`
	All      bool           `json:"all,omitempty"`
	Payload  map[string]any `json:"payload,omitempty"` // forge: laid over the genuine payload
}

func personDoes(w *World, r *http.Request) (any, error) {
	var in deed
	if err := body(r, &in); err != nil {
		return nil, err
	}
	p, ctx := w.Person(r.PathValue("id")), r.Context()
	switch do := r.PathValue("do"); do {
	case "command":
		if in.Thread != "" {
			return nil, errors.New("slash commands cannot be used in threads")
		}
		return p.Command(ctx, in.Channel, in.Text)
	case "shortcut":
		return p.Shortcut(ctx, in.Callback, in.Click)
	case "act":
		return p.Act(ctx, in.Click)
	case "forge":
		return p.Forge(ctx, in.Click, func(payload map[string]any) { overlay(payload, in.Payload) })
	case "submit":
		return p.Submit(ctx, in.View, in.Values)
	case "dismiss":
		return p.Dismiss(ctx, in.View, in.All)
	case "suggest":
		return p.SuggestAt(ctx, in.Click, in.Text)
	case "say":
		return p.Say(in.Channel, in.Text, in.Thread)
	case "home":
		return done{}, p.OpenHome(in.App)
	case "reload":
		p.Reload()
		return done{}, nil
	default:
		return nil, fmt.Errorf("a person cannot %q", do)
	}
}

// overlay is a JSON merge patch: null deletes, objects merge, the rest replaces.
func overlay(onto, patch map[string]any) {
	for name, v := range patch {
		deeper, isObject := v.(map[string]any)
		below, was := onto[name].(map[string]any)
		switch {
		case v == nil:
			delete(onto, name)
		case isObject && was:
			overlay(below, deeper)
		default:
			onto[name] = v
		}
	}
}

// Latencies summarises how long acks took, sorted: for benchmarks.
func (w *World) Latencies(q Query) []time.Duration {
	q.Kind = "envelope"
	var all []time.Duration
	for _, e := range w.History(q) {
		if e.Acked {
			all = append(all, e.AckAfter.Duration())
		}
	}
	slices.Sort(all)
	return all
}
