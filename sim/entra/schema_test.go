package entra

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

// shared finds a file of the shared data beside the repository, or "".
func shared(name string) string {
	dir, _ := os.Getwd()
	for ; dir != "/"; dir = filepath.Dir(dir) {
		p := filepath.Join(dir, "shared", "data", name)
		if _, err := os.Stat(p); err == nil {
			return p
		}
	}
	return ""
}

var microsoft = sync.OnceValues(func() (routers.Router, error) {
	file := shared("graph-pim-openapi.json")
	if file == "" {
		return nil, nil
	}
	openapi3.DefineStringFormatValidator("duration", openapi3.NewRegexpFormatValidator(`^-?P`))
	text, err := merged(file)
	if err != nil {
		return nil, err
	}
	doc, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		return nil, err
	}
	return gorillamux.NewRouter(doc)
})

// merged is Microsoft's description, with what its slice lacks: that part is
// written down by hand, from the documentation's pages.
func merged(file string) ([]byte, error) {
	type description struct {
		Paths      map[string]any `json:"paths"`
		Components struct {
			Schemas map[string]any `json:"schemas"`
		} `json:"components"`
	}
	var more description
	var all map[string]any
	for name, into := range map[string]any{file: &all, "testdata/more-openapi.json": &more} {
		text, err := os.ReadFile(name)
		if err == nil {
			err = json.Unmarshal(text, into)
		}
		if err != nil {
			return nil, err
		}
	}
	maps.Copy(all["paths"].(map[string]any), more.Paths)
	maps.Copy(all["components"].(map[string]any)["schemas"].(map[string]any), more.Components.Schemas)
	return json.Marshal(all)
}

// The other tests hold their calls against the description in passing; this
// one says when they can't, and that the check sees what is wrong.
func TestDescription(t *testing.T) {
	if shared("graph-pim-openapi.json") == "" {
		t.Skip("no shared/data/graph-pim-openapi.json beside the repository: answers are not held against Microsoft's description")
	}
	for want, body := range map[string]string{"": `{"id":"x","status":"Provisioned"}`, "is in no description": `{"id":"x","statuss":"y"}`,
		"against the description": `{"id":"x","action":"dance"}`} {
		seen := &seeing{T: t}
		h := checked(seen, http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Type", graphType)
			_, _ = io.WriteString(rw, body)
		}))
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "https://graph.microsoft.com"+base+"assignmentScheduleRequests/x", nil))
		if want == "" != (seen.said == "") || !strings.Contains(seen.said, want) {
			t.Errorf("%s: %q", body, seen.said)
		}
	}
}

// seeing hears what a check would report.
type seeing struct {
	*testing.T
	said string
}

func (s *seeing) Errorf(f string, args ...any) { s.said += fmt.Sprintf(f, args...) }

// checked holds every v1.0 call of a test against Microsoft's own description:
// accepted requests and all answers. Without the file it checks nothing.
func checked(t testing.TB, h http.Handler) http.Handler {
	router, err := microsoft()
	if err != nil {
		t.Fatal(err)
	}
	if router == nil {
		return h
	}
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		// Faults of the service (5xx) are in no description.
		if rec.Code < 500 && strings.HasPrefix(r.URL.Path, "/v1.0/") && rec.Header().Get("Content-Type") == graphType && rec.Header().Get("Content-Encoding") == "" {
			compare(t, router, r, body, rec)
		}
		for k, v := range rec.Header() {
			rw.Header()[k] = v
		}
		rw.WriteHeader(rec.Code)
		_, _ = rw.Write(rec.Body.Bytes())
	})
}

func compare(t testing.TB, router routers.Router, r *http.Request, body []byte, rec *httptest.ResponseRecorder) {
	t.Helper()
	r = r.Clone(context.Background())
	r.Body = io.NopCloser(bytes.NewReader(body))
	route, params, err := router.FindRoute(r)
	if err != nil {
		if rec.Code < 400 {
			t.Errorf("%s %s answered %d, but Microsoft's description has no such path: %v", r.Method, r.URL.Path, rec.Code, err)
		}
		return
	}
	options := &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true}
	in := &openapi3filter.RequestValidationInput{Request: r, PathParams: params, Route: route, Options: options}
	if rec.Code < 400 {
		if err := openapi3filter.ValidateRequest(context.Background(), in); err != nil {
			t.Errorf("accepted a request that the description refuses: %v", err)
		}
	}
	header := rec.Header().Clone()
	header.Set("Content-Type", "application/json")
	// The service writes All for groups, where its description has all.
	answer := bytes.ReplaceAll(rec.Body.Bytes(), []byte(`"operations":["All"]`), []byte(`"operations":["all"]`))
	out := &openapi3filter.ResponseValidationInput{RequestValidationInput: in, Status: rec.Code, Header: header,
		Body: io.NopCloser(bytes.NewReader(answer)), Options: options}
	if err := openapi3filter.ValidateResponse(context.Background(), out); err != nil {
		t.Errorf("%s %s answered %d against the description: %v", r.Method, r.URL.Path, rec.Code, err)
	}
	var sent any
	if response := route.Operation.Responses.Status(rec.Code); rec.Code < 300 && rec.Body.Len() > 0 && response != nil && json.Unmarshal(rec.Body.Bytes(), &sent) == nil {
		spelt(t, r.URL.Path, sent, response.Value.Content.Get("application/json").Schema)
	}
}

// spelt finds names that the description doesn't have: it would let them pass,
// and the SDK would quietly put them aside.
func spelt(t testing.TB, at string, v any, schema *openapi3.SchemaRef) {
	t.Helper()
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			if schema.Value.Items != nil {
				spelt(t, at, x, schema.Value.Items)
			}
		}
	case map[string]any:
		known := properties(schema)
		for k, x := range v {
			switch {
			case strings.Contains(k, "@odata") || len(known) == 0:
			case known[k] == nil:
				t.Errorf("%s: %q is in no description", at, k)
			default:
				spelt(t, at+"."+k, x, known[k])
			}
		}
	}
}

func properties(s *openapi3.SchemaRef) map[string]*openapi3.SchemaRef {
	all := map[string]*openapi3.SchemaRef{}
	maps.Copy(all, s.Value.Properties)
	for _, part := range slices.Concat(s.Value.AllOf, s.Value.AnyOf, s.Value.OneOf) {
		maps.Copy(all, properties(part))
	}
	return all
}
