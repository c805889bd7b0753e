package browser

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Page is what a person sees.
type Page struct {
	URL    *url.URL
	Status int
	Header http.Header
	Title  string
	Text   string   // as shown, white space squeezed
	Lines  []string // the same, as it stands below one another
	Forms  []*Form
	Links  []Link

	noReferrer bool
	formAction []string // nil: no policy
}

// Form is a form with its fields and buttons.
type Form struct {
	Action  *url.URL
	Method  string
	Fields  []*Field
	Buttons []Button
}

// Field is something to fill in.
type Field struct {
	Name, Kind, Value string
	on                bool // sent at all: not an unticked box
}

// Button sends its form.
type Button struct{ Text, Name, Value string }

// Link leads elsewhere.
type Link struct {
	Text string
	URL  *url.URL
}

func (f *Field) set(v string) bool {
	switch f.Kind {
	case "checkbox":
		f.on = v != ""
	case "hidden":
		return false // a person can't
	case "radio":
		f.on = f.Value == v
		return f.on
	default:
		f.Value = v
	}
	return true
}

func read(u *url.URL, resp *http.Response, body []byte) (*Page, error) {
	p := &Page{URL: u, Status: resp.StatusCode, Header: resp.Header,
		noReferrer: strings.Contains(resp.Header.Get("Referrer-Policy"), "no-referrer") && !strings.Contains(resp.Header.Get("Referrer-Policy"), "no-referrer-when")}
	for _, d := range strings.Split(strings.Join(resp.Header.Values("Content-Security-Policy"), ";"), ";") {
		if f := strings.Fields(d); len(f) > 0 && strings.EqualFold(f[0], "form-action") {
			p.formAction = append([]string{}, f[1:]...)
		}
	}
	if !strings.Contains(resp.Header.Get("Content-Type"), "html") {
		p.Text = string(body)
		return p, nil
	}
	root, err := parse(body)
	if err != nil {
		return nil, fmt.Errorf("the page at %s: %w", u.Redacted(), err)
	}
	p.walk(root, nil)
	p.Text, p.Lines = text(root), lines(root)
	return p, nil
}

func (p *Page) walk(n *node, f *Form) {
	f = p.element(n, f)
	for _, c := range n.children {
		p.walk(c, f)
	}
}

// element notes what a person can use of an element, and returns the form that
// its children belong to.
func (p *Page) element(n *node, f *Form) *Form {
	switch n.name {
	case "title":
		p.Title = text(n)
	case "a":
		if u, err := p.URL.Parse(attr(n, "href")); err == nil && has(n, "href") {
			p.Links = append(p.Links, Link{text(n), u})
		}
	case "form":
		u, err := p.URL.Parse(attr(n, "action"))
		if err != nil {
			return nil
		}
		f = &Form{Action: u, Method: "GET"}
		if strings.EqualFold(attr(n, "method"), "post") {
			f.Method = "POST"
		}
		p.Forms = append(p.Forms, f)
	case "input", "textarea", "select", "button":
		if f != nil && !has(n, "disabled") {
			f.add(n)
		}
	}
	return f
}

func (f *Form) add(n *node) {
	kind := strings.ToLower(attr(n, "type"))
	switch {
	case n.name == "button" && (kind == "" || kind == "submit"):
		f.Buttons = append(f.Buttons, Button{text(n), attr(n, "name"), attr(n, "value")})
	case n.name == "button":
	case kind == "submit":
		f.Buttons = append(f.Buttons, Button{attr(n, "value"), attr(n, "name"), attr(n, "value")})
	case kind == "checkbox" || kind == "radio":
		v := attr(n, "value")
		if v == "" {
			v = "on"
		}
		f.Fields = append(f.Fields, &Field{attr(n, "name"), kind, v, has(n, "checked")})
	case n.name == "textarea":
		f.Fields = append(f.Fields, &Field{attr(n, "name"), "textarea", text(n), true})
	case n.name == "select":
		f.Fields = append(f.Fields, &Field{attr(n, "name"), "select", chosen(n), true})
	default:
		f.Fields = append(f.Fields, &Field{attr(n, "name"), kind, attr(n, "value"), true})
	}
}

// chosen is a select's selected option, else its first.
func chosen(n *node) string {
	first, found := "", false
	for _, o := range n.within("option") {
		v := text(o)
		if has(o, "value") {
			v = attr(o, "value")
		}
		if has(o, "selected") {
			return v
		}
		if !found {
			first, found = v, true
		}
	}
	return first
}

// mayPost tells whether the page's policy lets its form go there.
func (p *Page) mayPost(to *url.URL) bool {
	if p.formAction == nil {
		return true
	}
	return slices.ContainsFunc(p.formAction, func(s string) bool {
		origin := to.Scheme + "://" + to.Host
		return s == "*" || s == to.Scheme+":" || s == "'self'" && sameOrigin(p.URL, to) || s == to.Host ||
			strings.HasPrefix(to.String()+"/", strings.TrimSuffix(s, "/")+"/") && strings.HasPrefix(s, origin)
	})
}

func (p *Page) fields() (names []string) {
	for _, f := range p.Forms {
		for _, x := range f.Fields {
			if x.Kind != "hidden" {
				names = append(names, x.Name)
			}
		}
	}
	return names
}

func (p *Page) buttons() (texts []string) {
	for _, f := range p.Forms {
		for _, b := range f.Buttons {
			texts = append(texts, b.Text)
		}
	}
	for _, l := range p.Links {
		texts = append(texts, l.Text)
	}
	return texts
}

// unseen are the elements that nobody reads.
var unseen = []string{"script", "style", "head", "title"}

// text is what is shown of a node.
func text(n *node) string {
	words := strings.Fields(n.text)
	for _, c := range n.children {
		if !slices.Contains(unseen, c.name) {
			words = append(words, strings.Fields(text(c))...)
		}
	}
	return strings.Join(words, " ")
}

// breaks are the elements that begin a new line.
var breaks = []string{"p", "h1", "h2", "div", "form", "li", "button", "label", "br"}

// lines is the text as it stands below one another; a button is [in brackets],
// and a term is followed by a colon.
func lines(root *node) (all []string) {
	line := ""
	end := func() {
		if line != "" {
			all, line = append(all, line), ""
		}
	}
	var visit func(*node)
	visit = func(n *node) {
		if slices.Contains(unseen, n.name) {
			return
		}
		block := slices.Contains(breaks, n.name)
		if block {
			end()
		}
		line = strings.TrimSpace(line + " " + strings.Join(strings.Fields(n.text), " "))
		for _, c := range n.children {
			visit(c)
		}
		switch n.name {
		case "dt":
			line += ":"
		case "button":
			line = "[" + line + "]"
		}
		if block {
			end()
		}
	}
	visit(root)
	end()
	return all
}
