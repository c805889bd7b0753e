package slack

import (
	"fmt"
	"net/http"
	"slices"
)

func manageFault(w *World, r *http.Request) (any, error) {
	var f Fault
	if err := body(r, &f); err != nil {
		return nil, err
	}
	if _, ok := w.AppDials(f.App); f.App != "" && !ok {
		return nil, fmt.Errorf("there is no app %q", f.App)
	}
	kinds := []string{"", "status", "error", "hang", "reset", "empty", "bad_json"}
	if _, known := methods[f.Method]; !known && f.Method != "*" && f.Method != "response_url" || !slices.Contains(kinds, f.Kind) {
		return nil, fmt.Errorf("there is no method %q, or no kind %q", f.Method, f.Kind)
	}
	w.Fail(f)
	return f, nil
}

func manageSocket(w *World, r *http.Request) (any, error) {
	var in struct {
		ID     int    `json:"id"`
		App    string `json:"app"`
		Reason string `json:"reason"`
	}
	if err := body(r, &in); err != nil {
		return nil, err
	}
	ids := []int{in.ID}
	if in.App != "" {
		if _, ok := w.AppDials(in.App); !ok {
			return nil, fmt.Errorf("there is no app %q", in.App)
		}
		ids = w.socketsOf(in.App)
	}
	n := 0
	for _, id := range ids {
		did, err := w.befall(id, r.PathValue("do"), in.Reason)
		if err != nil {
			return nil, err
		}
		n += did
	}
	return map[string]int{"sockets": n}, nil
}

// befall does something to a socket (0: all), and counts.
func (w *World) befall(id int, do, reason string) (int, error) {
	switch do {
	case "refresh":
		return w.Refresh(id), nil
	case "disconnect":
		return w.Disconnect(id, reason), nil
	case "half_open":
		return w.HalfOpen(id), nil
	case "reset":
		return w.Reset(id), nil
	case "ghost":
		return w.MakeGhost(id), nil
	case "reap":
		return w.reap(id), nil
	}
	return 0, fmt.Errorf("a socket cannot %q", do)
}

// socketsOf are the ids of an app's registered connections.
func (w *World) socketsOf(app string) []int {
	var ids []int
	for _, s := range w.Sockets() {
		if s.App == app {
			ids = append(ids, s.ID)
		}
	}
	return ids
}
