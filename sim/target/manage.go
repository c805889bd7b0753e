package target

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// Manage serves scripts and the demo's page, as JSON, on loopback. dials is the
// simulator's own set; copyOf finds a copy and its key by two names, or nil. A
// simulator adds what it has of its own to the mux.
//
//	GET  /history                  every call
//	GET  /oracle/{name}/{key}      {"knows","ever","from","to","nextTick"}: the truth
//	PUT  /dials                    only the named ones change
//	POST /faults  arms a Fault: {"id":1}       DELETE /faults/{id}
//	POST /reevaluate/{name}/{key}  the copy looks at once
func (f *Frame) Manage(dials any, copyOf func(name, key string) (*Copy, string)) *http.ServeMux {
	m := http.NewServeMux()
	disarm := map[int]func(){}
	m.HandleFunc("GET /history", func(rw http.ResponseWriter, _ *http.Request) { Reply(rw, 200, f.History()) })
	m.HandleFunc("GET /oracle/{name}/{key}", func(rw http.ResponseWriter, r *http.Request) {
		c, key := copyOf(r.PathValue("name"), r.PathValue("key"))
		if c == nil {
			Reply(rw, 404, Object{"error": "nothing is known of that name"})
			return
		}
		from, to, ever := c.TrueEffect(key)
		Reply(rw, 200, Object{"knows": c.Knows(key, f.now()), "ever": ever, "from": from, "to": to, "nextTick": c.NextTick()})
	})
	m.HandleFunc("POST /reevaluate/{name}/{key}", func(rw http.ResponseWriter, r *http.Request) {
		c, key := copyOf(r.PathValue("name"), r.PathValue("key"))
		if c == nil {
			Reply(rw, 404, Object{"error": "nothing is known of that name"})
			return
		}
		f.Do(func() { c.Reevaluate(key, 0) })
		Reply(rw, 200, Object{})
	})
	m.HandleFunc("PUT /dials", func(rw http.ResponseWriter, r *http.Request) {
		var err error
		f.Do(func() { err = exact(r, dials) })
		Done(rw, err)
	})
	m.HandleFunc("POST /faults", func(rw http.ResponseWriter, r *http.Request) {
		var x Fault
		if err := exact(r, &x); err != nil {
			Done(rw, err)
			return
		}
		off, id := f.Inject(x), 0
		f.Do(func() { id = len(disarm) + 1; disarm[id] = off })
		Reply(rw, 200, Object{"id": id})
	})
	m.HandleFunc("DELETE /faults/{id}", func(rw http.ResponseWriter, r *http.Request) {
		id, _ := strconv.Atoi(r.PathValue("id"))
		var off func()
		f.Do(func() { off = disarm[id] })
		if off == nil {
			Reply(rw, 404, Object{"error": "no such fault"})
			return
		}
		off()
		Reply(rw, 200, Object{})
	})
	return m
}

func exact(r *http.Request, into any) error {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	return d.Decode(into)
}

// Reply writes an answer of the management.
func Reply(rw http.ResponseWriter, status int, body any) {
	rw.Header().Set("Content-Type", "application/json")
	rw.WriteHeader(status)
	_ = json.NewEncoder(rw).Encode(body)
}

// Done says that a change was made, or why not.
func Done(rw http.ResponseWriter, err error) {
	if err != nil {
		Reply(rw, 400, Object{"error": err.Error()})
		return
	}
	Reply(rw, 200, Object{})
}
