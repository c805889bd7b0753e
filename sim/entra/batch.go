package entra

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// batched is one request of a $batch.
type batched struct {
	ID        string            `json:"id"`
	Method    string            `json:"method"`
	URL       string            `json:"url"`
	Headers   map[string]string `json:"headers"`
	Body      json.RawMessage   `json:"body"`
	DependsOn []string          `json:"dependsOn"`
}

const maxBatch = 20

// batch answers many requests with one 200: each is throttled, refused and
// kept alone. What depends on nothing is done in any order.
func (w *World) batch(c *call) answer {
	var in struct {
		Requests []batched `json:"requests"`
	}
	if err := strict(c.body, &in); err != nil {
		return w.refused(c, refuse(400, "BadRequest", "Invalid batch payload format: "+err.Error()))
	}
	if wrong := wrongBatch(in.Requests); wrong != "" {
		return w.refused(c, refuse(400, "BadRequest", wrong))
	}
	todo := make([]batched, len(in.Requests))
	for i, n := range w.rand.Perm(len(todo)) {
		todo[i] = in.Requests[n]
	}
	status, out := map[string]int{}, []obj{}
	for len(todo) > 0 {
		ready := slices.IndexFunc(todo, func(b batched) bool {
			return !slices.ContainsFunc(b.DependsOn, func(id string) bool { return status[id] == 0 })
		})
		if ready < 0 {
			return w.refused(c, refuse(400, "BadRequest", "Circular dependency in the batch."))
		}
		b := todo[ready]
		todo = slices.Delete(todo, ready, ready+1)
		a := w.inner(c, b, slices.ContainsFunc(b.DependsOn, func(id string) bool { return status[id] >= 400 }))
		status[b.ID] = a.status
		out = append(out, batchAnswer(b.ID, a))
	}
	return answer{status: 200, body: obj{"responses": out}}
}

func wrongBatch(all []batched) string {
	ids := map[string]bool{}
	for _, b := range all {
		if b.ID == "" || b.Method == "" || b.URL == "" || ids[b.ID] {
			return "Invalid batch request: every request needs an id of its own, a method and a url."
		}
		ids[b.ID] = true
		header := slices.ContainsFunc(slices.Collect(maps.Keys(b.Headers)), func(h string) bool { return strings.EqualFold(h, "Content-Type") })
		if len(b.Body) > 0 && !header {
			return "Invalid batch request: request " + b.ID + " has a body, but no Content-Type header."
		}
	}
	for _, b := range all {
		for _, id := range b.DependsOn {
			if !ids[id] {
				return "Invalid batch request: " + b.ID + " depends on " + id + ", which is not in the batch."
			}
		}
	}
	switch {
	case len(all) == 0:
		return "Invalid batch request: it holds no requests."
	case len(all) > maxBatch:
		return "Number of batch request steps exceeds the maximum value of 20."
	}
	return ""
}

// inner carries out one request of a batch.
func (w *World) inner(c *call, b batched, failed bool) answer {
	if failed {
		return w.refused(c, refuse(424, "FailedDependency", "A request that this one depends on failed."))
	}
	u, err := url.Parse("/" + strings.TrimPrefix(b.URL, "/"))
	if err != nil || strings.HasPrefix(u.Path, "/$batch") {
		return w.refused(c, refuse(400, "BadRequest", "Invalid url: "+b.URL))
	}
	one := &call{method: strings.ToUpper(b.Method), path: "/" + c.version + u.Path, query: u.RawQuery, base: c.base, from: c.from,
		header: http.Header{"Authorization": c.header["Authorization"]}, body: b.Body, by: c.by, now: c.now, r: c.r, args: map[string]string{}}
	for k, v := range b.Headers {
		one.header.Set(k, v)
	}
	a, f := w.serve(one, "graph", func() answer { return w.route(one) })
	if f != nil && slices.Contains([]string{DoHang, DoReset, DoCut}, f.Do) {
		return w.refused(one, refuse(504, "GatewayTimeout", "The request timed out."))
	}
	return a
}

func batchAnswer(id string, a answer) obj {
	o := obj{"id": id, "status": a.status}
	headers := map[string]string{}
	for k, v := range a.header {
		headers[k] = v
	}
	if a.body != nil {
		o["body"] = a.body
		headers["Content-Type"] = "application/json"
	} else if a.raw != nil {
		o["body"] = string(a.raw)
	}
	if len(headers) > 0 {
		o["headers"] = headers
	}
	return o
}
