package downstream

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"pagbot/activation"
)

// form is a request with holes for the person: the syntax of Go's templates, as
// far as it is needed, without their package, whose reflection would make the
// program a third bigger.
type form struct {
	method      string
	path, query text // of the address
	headers     map[string]text
	body        text
	hidden      []string
}

// secrets are what must not be written down.
func (q *form) secrets() []string { return q.hidden }

var (
	origin    = regexp.MustCompile(`^https?://[^/?#{}]+`)
	sensitive = []string{"authorization", "proxy-authorization", "cookie", "x-api-key", "api-key", "apikey", "x-auth-token"}
)

func newForm(c HTTPConfig, address string, r reach) (*form, error) {
	host := origin.FindString(address)
	if host == "" {
		return nil, fmt.Errorf("%q does not begin with an address whose host is fixed, such as https://api.example/", address)
	}
	if err := safeBase(host); err != nil {
		return nil, err
	}
	if rest := address[len(host):]; rest != "" && rest[0] != '/' && rest[0] != '?' {
		return nil, fmt.Errorf("the host of %q must be fixed: people's values belong behind it", address)
	}
	u, _ := url.Parse(host)
	if err := r.host(u.Hostname()); err != nil {
		return nil, err
	}
	q := &form{method: c.Method, headers: map[string]text{}}
	for _, s := range c.Secrets {
		if s == "" {
			return nil, errors.New("a secret is empty")
		}
		q.hidden = append(q.hidden, s)
	}
	path, query, _ := strings.Cut(address, "?")
	var err error
	if q.path, err = parse(path, noSecrets); err != nil {
		return nil, err
	}
	if q.query, err = parse(query, noSecrets); err != nil {
		return nil, err
	}
	for name, value := range c.Headers {
		given := strings.Contains(value, "{{secret ") || strings.Contains(value, "{{basic ")
		if slices.Contains(sensitive, strings.ToLower(name)) && !given {
			return nil, fmt.Errorf("header %s: a secret never stands in the configuration itself: name it below secrets and write {{secret \"name\"}} here", name)
		}
		if q.headers[name], err = parse(value, q.credentials(c.Secrets)); err != nil {
			return nil, fmt.Errorf("header %s: %w", name, err)
		}
	}
	if q.body, err = parse(c.Body, q.credentials(c.Secrets)); err != nil {
		return nil, err
	}
	// A try on somebody shows what is wrong now, and not at night.
	_, err = q.about(context.Background(), activation.Person{Tenant: nobody, Object: nobody, Name: "nobody@example.test"})
	return q, err
}

// text is literal pieces, with a hole after each but the last.
type text struct {
	pieces []string
	holes  []string // the name of a field of the person
}

var (
	hole  = regexp.MustCompile(`\{\{\s*(.*?)\s*\}\}`)
	call  = regexp.MustCompile(`^(secret|basic)((?:\s+"[^"]*")+)$`)
	words = regexp.MustCompile(`"([^"]*)"`)
)

// parse fills in the credentials, and leaves holes for the person.
func parse(s string, credential func(name string, args []string) (string, error)) (text, error) {
	t := text{pieces: []string{""}}
	literal := func(v string) { t.pieces[len(t.pieces)-1] += v }
	at := 0
	for _, m := range hole.FindAllStringSubmatchIndex(s, -1) {
		literal(s[at:m[0]])
		at = m[1]
		inside := s[m[2]:m[3]]
		if c := call.FindStringSubmatch(inside); c != nil {
			var args []string
			for _, w := range words.FindAllStringSubmatch(c[2], -1) {
				args = append(args, w[1])
			}
			v, err := credential(c[1], args)
			if err != nil {
				return t, err
			}
			literal(v)
			continue
		}
		field, ok := strings.CutPrefix(inside, ".User.")
		if !ok || fields[field] == nil {
			return t, fmt.Errorf("{{%s}} is no placeholder: there are {{.User.OID}}, {{.User.UPN}}, {{.User.Local}} and {{.User.Tenant}}, and in headers and bodies {{secret \"name\"}} and {{basic \"user\" \"name\"}}", inside)
		}
		t.holes, t.pieces = append(t.holes, field), append(t.pieces, "")
	}
	literal(s[at:])
	if strings.Contains(hole.ReplaceAllString(s, ""), "{{") {
		return t, fmt.Errorf("%q has a placeholder that does not end: write it like {{.User.OID}}", s)
	}
	return t, nil
}

func noSecrets(string, []string) (string, error) {
	return "", errors.New("a secret does not belong into an address, which every proxy keeps: put it into a header")
}

// credentials are what headers and bodies may use.
func (q *form) credentials(secrets map[string]string) func(string, []string) (string, error) {
	return func(name string, args []string) (string, error) {
		if want := map[string]int{"secret": 1, "basic": 2}[name]; len(args) != want {
			return "", errors.New("write {{secret \"name\"}} or {{basic \"user\" \"name\"}}")
		}
		s, ok := secrets[args[len(args)-1]]
		if !ok {
			return "", fmt.Errorf("there is no secret %q: name it below secrets", args[len(args)-1])
		}
		if name == "secret" {
			return s, nil
		}
		coded := base64.StdEncoding.EncodeToString([]byte(args[0] + ":" + s))
		q.hidden = append(q.hidden, coded)
		return "Basic " + coded, nil
	}
}

// fields are what a hole may be filled with.
var fields = map[string]func(activation.Person) (value, what string){
	"OID": func(p activation.Person) (string, string) { return strings.ToLower(p.Object), "object id" },
	"UPN": func(p activation.Person) (string, string) { return p.Name, "name" },
	"Local": func(p activation.Person) (string, string) {
		local, _, _ := strings.Cut(p.Name, "@")
		return local, "name"
	},
	"Tenant": func(p activation.Person) (string, string) { return p.Tenant, "tenant" },
}

// fill puts a person into the holes, escaped for their place.
func (t text) fill(p activation.Person, escape func(string) string) (string, error) {
	var b strings.Builder
	for i, piece := range t.pieces {
		b.WriteString(piece)
		if i == len(t.holes) {
			break
		}
		v, what := fields[t.holes[i]](p)
		if err := harmless(v, what); err != nil {
			return "", err
		}
		b.WriteString(escape(v))
	}
	return b.String(), nil
}

// harmless refuses values that could change the question, wherever they are
// put: query languages inside an address know quotes, whatever the escaping
// around.
func harmless(v, what string) error {
	switch {
	case v == "":
		return fmt.Errorf("this person has no %s to ask by", what)
	case strings.ContainsAny(v, `'"\`+"`") || strings.ContainsFunc(v, func(r rune) bool { return r < ' ' || r == 0x7f }) || v == "." || v == "..":
		return fmt.Errorf("this person's %s has a sign in it that could change the question", what)
	}
	return nil
}

func inJSON(v string) string {
	b, _ := json.Marshal(v)
	return string(b[1 : len(b)-1])
}

// about is the question about one person.
func (q *form) about(ctx context.Context, p activation.Person) (*http.Request, error) {
	address, err := q.path.fill(p, url.PathEscape)
	if err != nil {
		return nil, err
	}
	query, err := q.query.fill(p, url.QueryEscape)
	if err != nil {
		return nil, err
	}
	if query != "" {
		address += "?" + query
	}
	body, err := q.body.fill(p, inJSON)
	if err != nil {
		return nil, err
	}
	if body != "" && !json.Valid([]byte(body)) {
		return nil, errors.New("the body is no JSON once it is filled in")
	}
	r, err := http.NewRequestWithContext(ctx, q.method, address, strings.NewReader(body))
	if err != nil {
		return nil, errors.New("the address is none once it is filled in")
	}
	for name, t := range q.headers {
		value, err := t.fill(p, func(v string) string { return v })
		if err != nil {
			return nil, err
		}
		r.Header.Set(name, value)
	}
	if body != "" && r.Header.Get("Content-Type") == "" {
		r.Header.Set("Content-Type", "application/json")
	}
	return r, nil
}

func decode(body []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var doc any
	if err := d.Decode(&doc); err != nil {
		return nil, errors.New("no JSON")
	}
	if d.More() {
		return nil, errors.New("more than one JSON value")
	}
	return doc, nil
}

// scalar is the text of the value at a JSON pointer (RFC 6901). A list stands
// for its length; an object is no value.
func scalar(doc any, pointer string) (string, bool) {
	for _, step := range strings.Split(pointer, "/")[1:] {
		step = strings.NewReplacer("~1", "/", "~0", "~").Replace(step)
		switch at := doc.(type) {
		case map[string]any:
			v, ok := at[step]
			if !ok {
				return "", false
			}
			doc = v
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(at) || strconv.Itoa(i) != step {
				return "", false
			}
			doc = at[i]
		default:
			return "", false
		}
	}
	switch v := doc.(type) {
	case nil:
		return "null", true
	case bool:
		return strconv.FormatBool(v), true
	case json.Number:
		return v.String(), true
	case string:
		return v, true
	case []any:
		return strconv.Itoa(len(v)), true
	}
	return "", false
}
