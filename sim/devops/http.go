package devops

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

type obj = map[string]any

// Record is one call, as kept: without its token.
type Record struct {
	At     time.Time `json:"at"`
	Method string    `json:"method"`
	Path   string    `json:"path"`
	Query  string    `json:"query,omitempty"`
	Body   string    `json:"body,omitempty"`
	OID    string    `json:"oid,omitempty"`
	Status int       `json:"status"`
	Fault  string    `json:"fault,omitempty"`
}

// History is every call so far, in order.
func (w *World) History() []Record {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]Record(nil), w.history...)
}

// answer is what goes back.
type answer struct {
	status int
	body   any
	page   string // instead of a body
	header map[string]string
}

// call is one request to one organization.
type call struct {
	o    *Organization
	r    *http.Request
	rest string // of the path, after the organization and _apis
	by   Caller
	body []byte
	lag  time.Duration // of the copy that answers
}

// Handler serves both hosts, vssps.dev.azure.com and dev.azure.com; under their
// real names it also insists on the right one.
func (w *World) Handler() http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.mu.Lock()
		f := w.fault(r.URL.Path)
		c := &call{r: r, body: body}
		a := w.serve(c)
		if f != nil && f.Do != DoSlow {
			a = spoilt(f)
		}
		rec := Record{At: w.now(), Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, Body: string(body), OID: c.by.OID, Status: a.status}
		if f != nil {
			rec.Fault = f.Do
		}
		w.history = append(w.history, rec)
		w.mu.Unlock()
		if f != nil && f.Do == DoHang {
			<-r.Context().Done()
		}
		if f != nil && f.Do == DoSlow {
			select {
			case <-time.After(f.Delay):
			case <-r.Context().Done():
			}
		}
		if f != nil && (f.Do == DoHang || f.Do == DoReset) {
			panic(http.ErrAbortHandler)
		}
		send(rw, a)
	})
}

func spoilt(f *Fault) answer {
	a := answer{status: f.Status, header: map[string]string{}}
	switch f.Do {
	case DoHTML:
		a.page = "<!DOCTYPE html><html><head><title>Azure DevOps Services | Sign In</title></head><body>Sign in</body></html>"
		if a.status == 0 {
			a.status = 200
		}
	case DoStatus:
		if a.status == 0 {
			a.status = 503
		}
		a = trouble(a.status, "TF400898", "An Internal Error Occurred.")
		a.header = map[string]string{}
	}
	if f.RetryAfter != "" {
		a.header["Retry-After"] = f.RetryAfter
	}
	return a
}

func send(rw http.ResponseWriter, a answer) {
	for k, v := range a.header {
		rw.Header().Set(k, v)
	}
	if a.page != "" {
		rw.Header().Set("Content-Type", "text/html; charset=utf-8")
		rw.WriteHeader(a.status)
		_, _ = io.WriteString(rw, a.page)
		return
	}
	var b []byte
	if a.body != nil {
		b, _ = json.Marshal(a.body)
		rw.Header().Set("Content-Type", "application/json; charset=utf-8; api-version="+"7.1")
	}
	rw.WriteHeader(a.status)
	_, _ = rw.Write(b)
}

// trouble is an error in the service's shape.
func trouble(status int, key, message string) answer {
	return answer{status: status, body: obj{"$id": "1", "innerException": nil, "message": key + ": " + message,
		"typeName": "Microsoft.VisualStudio.Services.Common.VssServiceException, Microsoft.VisualStudio.Services.Common",
		"typeKey":  "VssServiceException", "errorCode": 0, "eventId": 3000}}
}

// serve checks who asks and what for.
func (w *World) serve(c *call) answer {
	token, ok := strings.CutPrefix(c.r.Header.Get("Authorization"), "Bearer ")
	by, err := Caller{}, error(nil)
	if ok {
		by, err = w.verify(token)
	}
	if !ok || err != nil {
		a := trouble(401, "TF400813", "The user '' is not authorized to access this resource.")
		a.header = map[string]string{"WWW-Authenticate": `Bearer authorization_uri="https://login.microsoftonline.com/` + w.tenant + `"`}
		return a
	}
	c.by = by
	name, rest, _ := strings.Cut(strings.TrimPrefix(c.r.URL.Path, "/"), "/_apis/")
	if c.o = w.Org(name); c.o == nil {
		return trouble(404, "VS800075", "The organization '"+name+"' does not exist.")
	}
	if i, known := c.o.user(by.OID); !slices.Contains(c.o.Readers, by.OID) && (!known || !c.o.Users[i].Standing) {
		return trouble(401, "TF400813", "The user '"+by.OID+"' is not authorized to access this resource.")
	}
	if w.throttled(by.OID) {
		a := trouble(429, "TF400733", "The request has been canceled: Request was blocked due to exceeding usage of resource.")
		a.header = map[string]string{"Retry-After": w.dials.RetryAfter}
		return a
	}
	if c.r.URL.Query().Get("api-version") == "" {
		return trouble(400, "VssVersionNotSpecifiedException", "No api-version was supplied for the request.")
	}
	c.rest = rest
	c.lag = time.Duration(w.rand.IntN(max(1, w.dials.Replicas))) * w.dials.Skew
	return c.route()
}

func (c *call) route() answer {
	parts := strings.Split(c.rest, "/")
	host := strings.HasPrefix(c.r.Host, "vssps.")
	elsewhere := strings.HasSuffix(c.r.Host, "dev.azure.com") && host != (parts[0] == "identities")
	is := func(method string, n int, names ...string) bool {
		for i, name := range names {
			if i >= len(parts) || !strings.EqualFold(parts[i], name) && name != "*" {
				return false
			}
		}
		return c.r.Method == method && len(parts) == n && !elsewhere
	}
	switch {
	case is("GET", 1, "identities"):
		return c.identities()
	case is("GET", 4, "identities", "*", "membersof", "*"):
		return c.membersOf(parts[1], parts[3])
	case is("GET", 2, "accesscontrollists", "*"):
		return c.accessControl(parts[1])
	case is("GET", 2, "securitynamespaces", "*"):
		return c.namespace(parts[1])
	case is("POST", 2, "security", "permissionevaluationbatch"):
		return c.evaluate()
	case is("GET", 3, "permissions", "*", "*"):
		return c.permissions(parts[1], parts[2])
	}
	return trouble(404, "VssResourceNotFoundException", "The resource cannot be found: "+c.rest)
}
