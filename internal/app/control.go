package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"pagbot/activation"
	"pagbot/bot"
	"pagbot/bot/socket"
	"pagbot/engine"
)

// The serving process answers on a unix socket that only its own user can
// open; status, journal and latency are clients of it.

func socketPath(state string) string { return filepath.Join(state, "pagbot.sock") }

type listener func(network, addr string) (net.Listener, error)

// ownListener listens on the machine; a unix socket is its user's alone.
func ownListener(network, addr string) (net.Listener, error) {
	if network != "unix" {
		return net.Listen(network, addr)
	}
	// The database's lock is held, so a socket that lies here is a dead one.
	if err := os.Remove(addr); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	l, err := net.Listen(network, addr)
	if err != nil {
		return nil, err
	}
	return l, os.Chmod(addr, 0o600)
}

// statusReport is what `pagbot status` prints.
type statusReport struct {
	Version string        `json:"version"`
	Since   time.Time     `json:"since"`
	Mode    string        `json:"mode"`
	Slack   socket.Health `json:"slack"`
	Open    []openLine    `json:"open"`
}

type openLine struct {
	ID     string           `json:"id"`
	Phase  activation.Phase `json:"phase"`
	Who    string           `json:"who"`
	Group  string           `json:"group"`
	Access string           `json:"access"`
	Ends   time.Time        `json:"ends,omitzero"`
}

// control is what the commands of other processes are answered with.
func (a *App) control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, r *http.Request) {
		s, err := a.status(r.Context())
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(s)
	})
	a.controlPeople(mux)
	mux.HandleFunc("GET /journal/{id}", func(w http.ResponseWriter, r *http.Request) { journal(w, r, a.Engine) })
	mux.HandleFunc("GET /latency", a.latency)
	return mux
}

func journal(w http.ResponseWriter, r *http.Request, e *engine.Engine) {
	var moments []bot.Moment
	for entry, err := range e.Journal(r.Context(), r.PathValue("id")) {
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		ev, err := activation.Decode(entry.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		moments = append(moments, bot.Moment{At: entry.At, Event: ev})
	}
	if len(moments) == 0 {
		http.Error(w, fmt.Sprintf("there is no activation %q: pagbot status lists the open ones, and every card shows its own", r.PathValue("id")), http.StatusNotFound)
		return
	}
	_, _ = io.WriteString(w, bot.Story(moments))
}

// Ask is the client's side of the control socket in a state directory.
func Ask(ctx context.Context, state, path string) ([]byte, error) {
	return exchange(ctx, state, http.MethodGet, path, nil)
}

func exchange(ctx context.Context, state, method, path string, form url.Values) ([]byte, error) {
	c := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socketPath(state))
	}}}
	req, err := http.NewRequestWithContext(ctx, method, "http://pagbot"+path, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := c.Do(req)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("the pagbot that serves from %s is another user's: ask as that user", state)
	case err != nil:
		return nil, fmt.Errorf("no pagbot is serving from %s: start one with pagbot serve, or name its configuration with --config", state)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = errors.New(strings.TrimSpace(string(b)))
	}
	return b, err
}

// AskStatus is what the process that serves from a state directory says of
// itself.
func AskStatus(ctx context.Context, state string) ([]byte, error) { return Ask(ctx, state, "/status") }

// AskJournal is one activation's story.
func AskJournal(ctx context.Context, state, id string) ([]byte, error) {
	return Ask(ctx, state, "/journal/"+url.PathEscape(id))
}
