package downstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"pagbot/activation"
)

// HTTP asks any system one question that its operator wrote down: an address
// with the person in it, a place in the answer, and what there means yes and
// what no. Everything else is can't tell. What an answer proves is declared by
// the operator: that it was received, or that it is effective on a new session.
type HTTP struct {
	c      HTTPConfig
	ask    *form
	exists *form
	http   *caller

	mu    sync.Mutex
	shown time.Time // wire: when what is asked about was last seen to exist
}

// HTTPConfig is the question.
type HTTPConfig struct {
	Method   string            // GET (empty); POST only with PostReads
	URL      string            // with placeholders; people's values are escaped
	Headers  map[string]string // with placeholders; credentials by {{secret "name"}}
	Body     string            // JSON with placeholders, for POST
	Secrets  map[string]string // by name
	Value    string            // JSON pointer; empty: the status is the answer
	Yes, No  []string          // what the value is then; a list stands for its length
	Evidence string            // JSON pointer to the id of what granted it; may be empty
	// PostReads declares that the POST changes nothing there, however often it
	// is sent.
	PostReads bool
	YesStatus int    // default 200
	NoStatus  int    // zero: a no has YesStatus too, and its value tells
	Exists    string // an address, asked in the same way, that shows that what is asked about exists; needed with NoStatus
	// ExistsValue is a JSON pointer into that answer: where it is 0, false, null
	// or nothing, we may not look, or there is nothing to be a member of.
	ExistsValue string
	// Level is what the operator declares; zero: L1. L3 can't be declared, as
	// nobody asks as the person here.
	Level  activation.Level
	Inward bool             // the system is in our own network
	HTTP   *http.Client     // nil: http.DefaultClient; redirects are never followed
	Now    func() time.Time // world time; nil: time.Now
	Limits Limits           // zero fields get defaults
}

// NewHTTP makes the probe.
func NewHTTP(c HTTPConfig) (*HTTP, error) {
	c, err := c.validate()
	if err != nil {
		return nil, fmt.Errorf("http target: %w", err)
	}
	h := &HTTP{c: c}
	if h.ask, err = newForm(c, c.URL, reach{all: c.Inward}); err == nil {
		err = truthful(c, h.ask)
	}
	if err == nil && c.Exists != "" {
		bare := c
		bare.Method, bare.Body = http.MethodGet, ""
		h.exists, err = newForm(bare, c.Exists, reach{all: c.Inward})
	}
	if err != nil {
		return nil, fmt.Errorf("http target: %w", err)
	}
	client := *c.HTTP
	client.Transport = guarded(client.Transport, reach{all: c.Inward})
	h.http = newCaller(&client, c.Limits.Rate, func(context.Context, *http.Request) ([]string, error) { return h.ask.secrets(), nil })
	return h, nil
}

func (c HTTPConfig) validate() (HTTPConfig, error) {
	if c.Method == "" {
		c.Method = http.MethodGet
	}
	if c.YesStatus == 0 {
		c.YesStatus = http.StatusOK
	}
	if c.Level == activation.L0 {
		c.Level = activation.L1
	}
	if err := c.method(); err != nil {
		return c, err
	}
	if err := c.meaning(); err != nil {
		return c, err
	}
	if c.Level > activation.L2 {
		return c, errors.New("nobody asks as the person here, so an answer proves at most that access is effective on a new session (L2)")
	}
	if c.HTTP == nil {
		c.HTTP = http.DefaultClient
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.Limits = c.Limits.or(Limits{Batch: 5, Rate: time.Second, Timeout: 20 * time.Second, Confirm: 1, As: "its own credential"})
	c.Limits.Level = c.Level
	return c, nil
}

func (c HTTPConfig) method() error {
	switch {
	case c.Method != http.MethodGet && c.Method != http.MethodPost:
		return fmt.Errorf("method %s may change something: a probe only reads, so choose GET, or POST with post_reads: true", c.Method)
	case c.Method == http.MethodPost && !c.PostReads:
		return errors.New("a POST may change something, and is sent again and again: say post_reads: true if this one only reads")
	case c.Method == http.MethodGet && c.Body != "":
		return errors.New("a GET has no body: choose POST with post_reads: true, or remove the body")
	}
	return nil
}

// meaning refuses what could not tell a yes from a no.
func (c HTTPConfig) meaning() error {
	both := func(v string) bool { return slices.Contains(c.No, v) }
	switch {
	case c.ExistsValue != "" && (c.Exists == "" || c.ExistsValue[0] != '/'):
		return errors.New("exists_value is a JSON pointer, such as /id, into the answer of the address in exists")
	case c.Value != "" && !strings.HasPrefix(c.Value, "/"), c.Evidence != "" && !strings.HasPrefix(c.Evidence, "/"):
		return errors.New("a JSON pointer begins with a slash, such as /state")
	case c.Value != "" && len(c.Yes) == 0:
		return errors.New("say which values mean yes")
	case c.Value != "" && len(c.No) == 0 && c.NoStatus == 0:
		return errors.New("say which values, or which status, mean no: a probe that can't say no measures nothing")
	case c.Value == "" && (len(c.Yes) > 0 || len(c.No) > 0):
		return errors.New("yes and no are values: say where in the answer, with value")
	case c.Value == "" && c.YesStatus == http.StatusOK:
		return errors.New("a status of 200 alone proves nothing, as sign-in pages have it too: say where in the answer the value is")
	case c.Value == "" && c.NoStatus == 0:
		return errors.New("say which status means no: a probe that can't say no measures nothing")
	case slices.ContainsFunc(c.Yes, both):
		return errors.New("the same value means yes and no")
	case c.YesStatus < 200 || c.YesStatus > 299 || c.YesStatus == http.StatusNonAuthoritativeInfo:
		return fmt.Errorf("status %d is no yes", c.YesStatus)
	case c.NoStatus != 0 && c.NoStatus != http.StatusNotFound && (c.NoStatus < 200 || c.NoStatus > 299 || c.NoStatus == c.YesStatus):
		return fmt.Errorf("status %d is no answer about a person: a no is 404 or a success, and 401, 403, 429 and 5xx are troubles of ours", c.NoStatus)
	case c.NoStatus == http.StatusNotFound && c.Exists == "":
		return errors.New("a 404 says as well that the group, team or address is wrong: give an address in exists that shows that it is there")
	}
	return nil
}

// Limits implements Probe.
func (h *HTTP) Limits() Limits { return h.c.Limits }

// Check implements Probe.
func (h *HTTP) Check(ctx context.Context, who []activation.Person) ([]activation.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, h.c.Limits.Timeout)
	defer cancel()
	t := newTally(len(who), h.c.Level, h.c.Now)
	asked := map[string]int{} // who stands twice in the question is asked about once
	for i, p := range who {
		key := strings.ToLower(p.Tenant+"/"+p.Object) + "/" + p.Name
		if j, ok := asked[key]; ok {
			t.answers[i] = t.answers[j]
			continue
		}
		asked[key] = i
		h.one(ctx, t, i, p)
	}
	return t.result(h.http)
}

func (h *HTTP) one(ctx context.Context, t *tally, i int, p activation.Person) {
	q, err := h.ask.about(ctx, p)
	if err != nil {
		t.doubt(i, err.Error())
		return
	}
	sent := h.c.Now()
	is, evidence, err := h.answer(q)
	received := h.c.Now()
	if err == nil && !is {
		err = h.stillThere(ctx, p)
	}
	if err != nil {
		t.cannot(i, err)
		return
	}
	t.sound(i, is, evidence, sent, received)
}

// answer sends one question and reads what comes.
func (h *HTTP) answer(q *http.Request) (is bool, evidence string, err error) {
	a, body, secrets, err := h.http.send(q)
	if err != nil {
		return false, "", err
	}
	if a.StatusCode == h.c.NoStatus && isAnswer(a, body) {
		return false, "status " + strconv.Itoa(a.StatusCode), nil
	}
	if a.StatusCode == h.c.YesStatus && h.c.Value == "" && isAnswer(a, body) {
		return true, "declared: status " + strconv.Itoa(a.StatusCode), nil
	}
	if a.StatusCode != h.c.YesStatus || h.c.Value == "" {
		return false, "", trouble(a, body, secrets)
	}
	if page(a) || len(body) == 0 || failed(body) {
		return false, "", trouble(a, body, secrets)
	}
	return h.value(body, secrets)
}

// isAnswer tells an API's word from a page that anything on the way may serve.
func isAnswer(a *http.Response, body []byte) bool {
	return a.StatusCode == http.StatusNoContent && len(body) == 0 || json.Valid(body) && !page(a)
}

// failed knows a 200 with an error inside, however it looks.
func failed(body []byte) bool {
	var in struct {
		Error  any `json:"error"`
		Errors any `json:"errors"`
	}
	if json.Unmarshal(body, &in) != nil {
		return false
	}
	no := func(v any) bool {
		list, ok := v.([]any)
		return v == nil || v == false || v == "" || ok && len(list) == 0
	}
	return !no(in.Error) || !no(in.Errors)
}

// trouble is why what came is no answer.
func trouble(a *http.Response, body []byte, secrets []string) *Fault {
	f := refused(a, body, secrets)
	if f == nil {
		f = &Fault{Why: nonsense, Err: &status{a.StatusCode, excerpt(body, secrets)}}
	}
	f.After = retryAfter(a.Header.Get("Retry-After"), time.Now())
	return f
}

func (h *HTTP) value(body []byte, secrets []string) (bool, string, error) {
	doc, err := decode(body)
	if err != nil {
		return false, "", &Fault{Why: nonsense, Err: err}
	}
	value, ok := scalar(doc, h.c.Value)
	switch {
	case !ok:
		return false, "", &Fault{Why: "its answer has no value where one was to be", Err: errors.New("nothing at " + h.c.Value)}
	case slices.Contains(h.c.No, value):
		return false, "declared: " + h.c.Value + " is " + value, nil
	case !slices.Contains(h.c.Yes, value):
		return false, "", &Fault{Why: "its answer means neither yes nor no", Err: fmt.Errorf("at %s: %q", h.c.Value, excerpt([]byte(value), secrets))}
	}
	evidence := "declared: " + h.c.Value + " is " + value
	if id, ok := scalar(doc, h.c.Evidence); ok && h.c.Evidence != "" {
		evidence += ", " + strings.Join(strings.Fields(excerpt([]byte(id), secrets)), " ")
	}
	return true, evidence, nil
}

// stillThere shows that what is asked about exists, so that its absence is not
// read as the person's.
func (h *HTTP) stillThere(ctx context.Context, p activation.Person) error {
	if h.exists == nil {
		return nil
	}
	h.mu.Lock()
	fresh := time.Since(h.shown) < shownFor
	h.mu.Unlock()
	if fresh && h.c.NoStatus != http.StatusNotFound { // a 404 is said of anything that is missing
		return nil
	}
	q, err := h.exists.about(ctx, p)
	if err != nil {
		return &Fault{Why: err.Error()}
	}
	a, body, secrets, err := h.http.send(q)
	if err != nil {
		return err
	}
	if a.StatusCode != http.StatusOK || page(a) || !shows(body, h.c.ExistsValue) {
		f := trouble(a, body, secrets)
		f.Why = "what is asked about can't be shown to exist: " + f.Why
		return f
	}
	h.mu.Lock()
	h.shown = time.Now()
	h.mu.Unlock()
	return nil
}

// shows reports whether an answer has what was looked for.
func shows(body []byte, pointer string) bool {
	doc, err := decode(body)
	if err != nil || doc == nil || failed(body) {
		return false
	}
	if pointer == "" {
		_, object := doc.(map[string]any)
		return object && string(body) != "{}"
	}
	value, ok := scalar(doc, pointer)
	return ok && !slices.Contains([]string{"0", "false", "null", ""}, value)
}
