package devops

import (
	"net/http"

	"pagbot/sim/target"
)

// Manage serves scripts and the demo's page, as JSON, on loopback: what
// [target.Frame.Manage] has, named by organization and object id, and
//
//	POST /signin/{org}/{oid}       the person opens the organization's pages
func (w *World) Manage() http.Handler {
	m := w.Frame.Manage(&w.dials, func(name, oid string) (*target.Copy, string) {
		if o := w.Org(name); o != nil {
			return o.copy, oid
		}
		return nil, ""
	})
	m.HandleFunc("POST /signin/{org}/{oid}", func(rw http.ResponseWriter, r *http.Request) {
		o := w.Org(r.PathValue("org"))
		if o == nil {
			target.Reply(rw, 404, obj{"error": "no such organization"})
			return
		}
		target.Done(rw, o.SignIn(r.PathValue("oid")))
	})
	return m
}
