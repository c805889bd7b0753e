package slack

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
)

// A tuner shows and turns the dials of one of a kind.
type tuner struct {
	dials func(*World, string) (Dials, bool)
	turn  func(*World, string, func(*Dials)) error
}

var (
	ofApp    = tuner{(*World).AppDials, (*World).TurnApp}
	ofSocket = tuner{
		func(w *World, id string) (Dials, bool) { n, _ := strconv.Atoi(id); return w.SocketDials(n) },
		func(w *World, id string, turn func(*Dials)) error {
			n, _ := strconv.Atoi(id)
			return w.TurnSocket(n, turn)
		},
	}
)

func (t tuner) show(w *World, r *http.Request) (any, error) {
	d, found := t.dials(w, r.PathValue("id"))
	if !found {
		return nil, fmt.Errorf("there is no %q", r.PathValue("id"))
	}
	return d, nil
}

func (t tuner) reset(w *World, r *http.Request) (any, error) {
	if err := t.turn(w, r.PathValue("id"), nil); err != nil {
		return nil, err
	}
	return t.show(w, r)
}

// patch turns what the request's body names, whatever it was.
func (t tuner) patch(w *World, r *http.Request) (any, error) {
	raw, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return nil, err
	}
	read := func(d *Dials) error {
		strict := json.NewDecoder(bytes.NewReader(raw))
		strict.DisallowUnknownFields()
		return strict.Decode(d)
	}
	if err := read(new(Dials)); err != nil {
		return nil, fmt.Errorf("the request's JSON: %w", err)
	}
	if err := t.turn(w, r.PathValue("id"), func(d *Dials) { _ = read(d) }); err != nil { // it was readable just now
		return nil, err
	}
	return t.show(w, r)
}
