package slack

import (
	"context"
	"maps"
	"strings"
	"time"
)

// Entry is one thing that came in or went out.
type Entry struct {
	Seq       int       `json:"seq"`
	At        time.Time `json:"at"`   // wire time
	Kind      string    `json:"kind"` // call, response_url, envelope, socket
	App       string    `json:"app,omitempty"`
	Name      string    `json:"name"` // method, envelope type, or what happened to a socket
	ID        string    `json:"id,omitempty"`
	User      string    `json:"user,omitempty"`    // who caused an envelope
	Socket    int       `json:"socket,omitempty"`  // the last it went to
	Request   any       `json:"request,omitempty"` // arguments, tokens scrubbed; an envelope's payload
	Answer    any       `json:"answer,omitempty"`  // response, or the ack's payload
	Status    int       `json:"status,omitempty"`
	Error     string    `json:"error,omitempty"`
	Delivered int       `json:"delivered,omitempty"` // how often it was sent
	Acked     bool      `json:"acked,omitempty"`
	Acks      int       `json:"acks,omitempty"` // how many came, late ones too
	AckAfter  Seconds   `json:"ack_after,omitempty"`
	Took      Seconds   `json:"took,omitempty"`
	Forged    bool      `json:"forged,omitempty"` // an envelope that Slack itself would not have sent
}

// Query selects from the history; empty fields match all.
type Query struct {
	Kind, Name, User, App string
	After                 int // only entries with a higher Seq
}

// History returns what happened, oldest first.
func (w *World) History(q Query) []Entry {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := []Entry{}
	for _, e := range w.history[min(max(q.After-w.forgotten, 0), len(w.history)):] {
		if fits(q.Kind, e.Kind) && fits(q.Name, e.Name) && fits(q.User, e.User) && fits(q.App, e.App) {
			all = append(all, *e)
		}
	}
	return all
}

func fits(want, is string) bool { return want == "" || want == is }

// record appends to the history; the caller holds the lock. Seq counts from
// one, so that Query.After is an index beyond what was forgotten.
func (w *World) record(e Entry) *Entry {
	e.Seq, e.At = w.forgotten+len(w.history)+1, time.Now()
	w.history = append(w.history, &e)
	if keep := w.dials.KeepHistory; keep > 0 && len(w.history) >= 2*keep {
		gone := len(w.history) - keep
		w.forgotten += gone
		w.history = append([]*Entry(nil), w.history[gone:]...)
	}
	w.touch()
	return &e
}

// scrub copies arguments without their secrets.
func scrub(args map[string]any) map[string]any {
	out := maps.Clone(args)
	for _, secret := range []string{"token", "client_secret", "ticket", "refresh_token", "access_token"} {
		if s, ok := out[secret].(string); ok {
			out[secret] = s[:min(5, len(s))] + strings.Repeat("*", 4)
		}
	}
	return out
}

// Snapshot is what a condition of Wait looks at.
type Snapshot struct{ w *World }

// Messages are what a person sees in a channel, oldest first.
func (s Snapshot) Messages(user, channel string) []Message { return s.w.Person(user).Messages(channel) }

// Views are a person's open modals, the top one last.
func (s Snapshot) Views(user string) []View { return s.w.Person(user).Views() }

// DM is what a person sees in the DM with the only, or the named, app.
func (s Snapshot) DM(user string, appID ...string) []Message {
	p := s.w.Person(user)
	return p.Messages(p.DM(appID...))
}

// Home is a person's Home tab of the only, or the named, app.
func (s Snapshot) Home(user string, appID ...string) (View, bool) {
	return s.w.Person(user).Home(appID...)
}

// History is World.History.
func (s Snapshot) History(q Query) []Entry { return s.w.History(q) }

// Sockets is World.Sockets.
func (s Snapshot) Sockets() []Socket { return s.w.Sockets() }

// Wait blocks until a condition holds; it is asked again after every change.
func (w *World) Wait(ctx context.Context, until func(Snapshot) bool) error {
	for {
		w.mu.Lock()
		if w.changed == nil {
			w.changed = make(chan struct{})
		}
		changed := w.changed
		w.mu.Unlock()
		if until(Snapshot{w}) {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		case <-w.ctx.Done():
			return w.ctx.Err()
		}
	}
}
