package devops

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// Manage serves scripts and the demo's page, as JSON, on loopback.
//
//	GET  /history                  every call
//	GET  /oracle/{org}/{oid}       {"knows","from","to","nextTick"}: the truth
//	PUT  /dials                    only the named ones change
//	POST /faults  arms a Fault: {"id":1}       DELETE /faults/{id}
//	POST /signin/{org}/{oid}       the person opens the organization's pages
func (w *World) Manage() http.Handler {
	m := http.NewServeMux()
	disarm := map[int]func(){}
	m.HandleFunc("GET /history", func(rw http.ResponseWriter, _ *http.Request) { reply(rw, 200, w.History()) })
	m.HandleFunc("GET /oracle/{org}/{oid}", func(rw http.ResponseWriter, r *http.Request) {
		o := w.Org(r.PathValue("org"))
		if o == nil {
			reply(rw, 404, obj{"error": "no such organization"})
			return
		}
		from, to, ever := o.TrueEffect(r.PathValue("oid"))
		reply(rw, 200, obj{"knows": o.Knows(r.PathValue("oid"), w.now()), "ever": ever, "from": from, "to": to, "nextTick": o.NextTick()})
	})
	m.HandleFunc("PUT /dials", func(rw http.ResponseWriter, r *http.Request) {
		var err error
		w.Turn(func(d *Dials) { err = exact(r, d) })
		reply(rw, status(err), obj{"error": text(err)})
	})
	m.HandleFunc("POST /faults", func(rw http.ResponseWriter, r *http.Request) {
		var f Fault
		if err := exact(r, &f); err != nil {
			reply(rw, 400, obj{"error": err.Error()})
			return
		}
		off := w.Inject(f)
		w.mu.Lock()
		id := len(disarm) + 1
		disarm[id] = off
		w.mu.Unlock()
		reply(rw, 200, obj{"id": id})
	})
	m.HandleFunc("DELETE /faults/{id}", func(rw http.ResponseWriter, r *http.Request) {
		id, _ := strconv.Atoi(r.PathValue("id"))
		w.mu.Lock()
		off := disarm[id]
		w.mu.Unlock()
		if off == nil {
			reply(rw, 404, obj{"error": "no such fault"})
			return
		}
		off()
		reply(rw, 200, obj{})
	})
	m.HandleFunc("POST /signin/{org}/{oid}", func(rw http.ResponseWriter, r *http.Request) {
		o := w.Org(r.PathValue("org"))
		if o == nil {
			reply(rw, 404, obj{"error": "no such organization"})
			return
		}
		err := o.SignIn(r.PathValue("oid"))
		reply(rw, status(err), obj{"error": text(err)})
	})
	return m
}

func exact(r *http.Request, into any) error {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	return d.Decode(into)
}

func reply(rw http.ResponseWriter, status int, body any) {
	rw.Header().Set("Content-Type", "application/json")
	rw.WriteHeader(status)
	_ = json.NewEncoder(rw).Encode(body)
}

func status(err error) int {
	if err != nil {
		return 400
	}
	return 200
}

func text(err error) string {
	if err != nil {
		return err.Error()
	}
	return ""
}
