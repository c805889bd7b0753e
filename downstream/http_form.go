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
	"text/template"

	"pagbot/activation"
)

// form is a request with a hole for the person.
type form struct {
	method      string
	path, query *template.Template // of the address
	headers     map[string]*template.Template
	body        *template.Template
	hidden      []string
}

// secrets are what must not be written down.
func (q *form) secrets() []string { return q.hidden }

var (
	origin    = regexp.MustCompile(`^https?://[^/?#{}]+`)
	sensitive = []string{"authorization", "proxy-authorization", "cookie", "x-api-key", "api-key", "apikey", "x-auth-token"}
)

func newForm(c HTTPConfig, address string) (*form, error) {
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
	if err := allowedHost(u.Hostname(), c.Inward); err != nil {
		return nil, err
	}
	q := &form{method: c.Method, headers: map[string]*template.Template{}}
	for _, s := range c.Secrets {
		if s == "" {
			return nil, errors.New("a secret is empty")
		}
		q.hidden = append(q.hidden, s)
	}
	path, query, _ := strings.Cut(address, "?")
	var err error
	if q.path, err = parse(path, escapes{}); err != nil {
		return nil, err
	}
	if q.query, err = parse(query, escapes{}); err != nil {
		return nil, err
	}
	for name, text := range c.Headers {
		given := strings.Contains(text, "{{secret ") || strings.Contains(text, "{{basic ")
		if slices.Contains(sensitive, strings.ToLower(name)) && !given {
			return nil, fmt.Errorf("header %s: a secret never stands in the configuration itself: name it below secrets and write {{secret \"name\"}} here", name)
		}
		if q.headers[name], err = parse(text, q.credentials(c.Secrets)); err != nil {
			return nil, fmt.Errorf("header %s: %w", name, err)
		}
	}
	if c.Body != "" {
		if q.body, err = parse(c.Body, q.credentials(c.Secrets)); err != nil {
			return nil, err
		}
	}
	// A try on somebody shows what is wrong now, and not at night.
	_, err = q.about(context.Background(), activation.Person{Tenant: nobody, Object: nobody, Name: "nobody@example.test"})
	return q, err
}

type escapes = template.FuncMap

func parse(text string, f template.FuncMap) (*template.Template, error) {
	if _, ok := f["secret"]; !ok {
		refuse := func(...string) (string, error) {
			return "", errors.New("a secret does not belong into an address, which every proxy keeps: put it into a header")
		}
		f = template.FuncMap{"secret": refuse, "basic": refuse}
	}
	t, err := template.New("").Option("missingkey=error").Funcs(f).Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%q is no template: %w", text, err)
	}
	return t, nil
}

// credentials are what headers and bodies may use.
func (q *form) credentials(secrets map[string]string) template.FuncMap {
	get := func(name string) (string, error) {
		s, ok := secrets[name]
		if !ok {
			return "", fmt.Errorf("there is no secret %q: name it below secrets", name)
		}
		return s, nil
	}
	return template.FuncMap{"secret": get, "basic": func(user, name string) (string, error) {
		s, err := get(name)
		coded := base64.StdEncoding.EncodeToString([]byte(user + ":" + s))
		if !slices.Contains(q.hidden, coded) {
			q.hidden = append(q.hidden, coded)
		}
		return "Basic " + coded, err
	}}
}

// person is who a template is about; its fields come escaped for their place.
type person struct {
	p      activation.Person
	escape func(string) string
}

// User lets templates say {{.User.OID}}.
func (p person) User() person { return p }

// OID is the object id in Entra.
func (p person) OID() (string, error) { return p.give(strings.ToLower(p.p.Object), "object id") }

// UPN is the user principal name.
func (p person) UPN() (string, error) { return p.give(p.p.Name, "name") }

// Local is the name up to the @.
func (p person) Local() (string, error) {
	local, _, _ := strings.Cut(p.p.Name, "@")
	return p.give(local, "name")
}

// Tenant is the tenant's id.
func (p person) Tenant() (string, error) { return p.give(p.p.Tenant, "tenant") }

// give refuses values that could change the question, wherever they are put:
// query languages inside an address know quotes, whatever the escaping around.
func (p person) give(v, what string) (string, error) {
	switch {
	case v == "":
		return "", fmt.Errorf("this person has no %s to ask by", what)
	case strings.ContainsAny(v, `'"\`+"`") || strings.ContainsFunc(v, func(r rune) bool { return r < ' ' || r == 0x7f }) || v == "." || v == "..":
		return "", fmt.Errorf("this person's %s has a sign in it that could change the question", what)
	}
	return p.escape(v), nil
}

func inJSON(v string) string {
	b, _ := json.Marshal(v)
	return string(b[1 : len(b)-1])
}

// about is the question about one person.
func (q *form) about(ctx context.Context, p activation.Person) (*http.Request, error) {
	var err error
	fill := func(t *template.Template, escape func(string) string) string {
		var b strings.Builder
		if err == nil {
			err = plainTemplate(t.Execute(&b, person{p, escape}))
		}
		return b.String()
	}
	address := fill(q.path, url.PathEscape)
	if query := fill(q.query, url.QueryEscape); query != "" {
		address += "?" + query
	}
	var body []byte
	if q.body != nil {
		body = []byte(fill(q.body, inJSON))
		if err == nil && !json.Valid(body) {
			err = errors.New("the body is no JSON once it is filled in")
		}
	}
	headers := http.Header{}
	for name, t := range q.headers {
		headers.Set(name, fill(t, func(v string) string { return v }))
	}
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, q.method, address, bytes.NewReader(body))
	if err != nil {
		return nil, errors.New("the address is none once it is filled in")
	}
	r.Header = headers
	if q.body != nil && r.Header.Get("Content-Type") == "" {
		r.Header.Set("Content-Type", "application/json")
	}
	return r, nil
}

// plainTemplate is what a template's error says, without the template's words.
func plainTemplate(err error) error {
	var e template.ExecError
	if errors.As(err, &e) {
		for inner := e.Err; inner != nil; inner = errors.Unwrap(inner) {
			err = inner
		}
		// What the text package put before a function's own error.
		if _, after, ok := strings.Cut(err.Error(), ">: "); ok {
			return errors.New(after)
		}
	}
	return err
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
