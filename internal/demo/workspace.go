package demo

import (
	"embed"
	"fmt"
	"net/http"
	"path"
)

// workspace is a page to click in, over the simulated Slack's management API.
//
//go:embed workspace
var workspace embed.FS

var contentTypes = map[string]string{".html": "text/html; charset=utf-8", ".css": "text/css", ".js": "text/javascript"}

// desk serves a page that looks like a workspace, at / of the simulated Slack.
func (w *Worlds) desk() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", w.Slack.Handler())
	page := func(name string) http.HandlerFunc {
		return func(rw http.ResponseWriter, r *http.Request) {
			b, err := workspace.ReadFile("workspace/" + name + r.PathValue("name"))
			if err != nil {
				http.NotFound(rw, r)
				return
			}
			rw.Header().Set("Content-Type", contentTypes[path.Ext(name+r.PathValue("name"))])
			_, _ = rw.Write(b)
		}
	}
	mux.HandleFunc("GET /{$}", page("index.html"))
	mux.HandleFunc("GET /workspace/{name}", page(""))
	mux.HandleFunc("GET /workspace/clock", func(rw http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintf(rw, `{"now": %d}`, w.now().UnixMilli())
	})
	mux.HandleFunc("GET /workspace/files/{id}", func(rw http.ResponseWriter, r *http.Request) {
		content := w.Slack.Content(r.PathValue("id"))
		rw.Header().Set("Content-Type", http.DetectContentType(content))
		_, _ = rw.Write(content)
	})
	return mux
}
