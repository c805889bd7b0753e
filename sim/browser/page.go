package browser

import (
	"bytes"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
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
	root, err := html.Parse(bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	p.walk(root, nil)
	p.Text, p.Lines = text(root), lines(root)
	return p, nil
}

func (p *Page) walk(n *html.Node, f *Form) {
	if n.Type == html.ElementNode {
		f = p.element(n, f)
	}
	for c := range n.ChildNodes() {
		p.walk(c, f)
	}
}

// element notes what a person can use of an element, and returns the form that
// its children belong to.
func (p *Page) element(n *html.Node, f *Form) *Form {
	switch n.DataAtom {
	case atom.Title:
		p.Title = text(n)
	case atom.A:
		if u, err := p.URL.Parse(attr(n, "href")); err == nil && has(n, "href") {
			p.Links = append(p.Links, Link{text(n), u})
		}
	case atom.Form:
		u, err := p.URL.Parse(attr(n, "action"))
		if err != nil {
			return nil
		}
		f = &Form{Action: u, Method: "GET"}
		if strings.EqualFold(attr(n, "method"), "post") {
			f.Method = "POST"
		}
		p.Forms = append(p.Forms, f)
	case atom.Input, atom.Textarea, atom.Select, atom.Button:
		if f != nil && !has(n, "disabled") {
			f.add(n)
		}
	}
	return f
}

func (f *Form) add(n *html.Node) {
	kind := strings.ToLower(attr(n, "type"))
	switch {
	case n.DataAtom == atom.Button && (kind == "" || kind == "submit"):
		f.Buttons = append(f.Buttons, Button{text(n), attr(n, "name"), attr(n, "value")})
	case n.DataAtom == atom.Button:
	case kind == "submit":
		f.Buttons = append(f.Buttons, Button{attr(n, "value"), attr(n, "name"), attr(n, "value")})
	case kind == "checkbox" || kind == "radio":
		v := attr(n, "value")
		if v == "" {
			v = "on"
		}
		f.Fields = append(f.Fields, &Field{attr(n, "name"), kind, v, has(n, "checked")})
	case n.DataAtom == atom.Textarea:
		f.Fields = append(f.Fields, &Field{attr(n, "name"), "textarea", text(n), true})
	case n.DataAtom == atom.Select:
		f.Fields = append(f.Fields, &Field{attr(n, "name"), "select", chosen(n), true})
	default:
		f.Fields = append(f.Fields, &Field{attr(n, "name"), kind, attr(n, "value"), true})
	}
}

// chosen is a select's selected option, else its first.
func chosen(n *html.Node) string {
	first, found := "", false
	for o := range n.Descendants() {
		if o.DataAtom != atom.Option {
			continue
		}
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

// text is what is shown of a node.
func text(n *html.Node) string {
	var words []string
	var visit func(*html.Node)
	visit = func(n *html.Node) {
		switch {
		case n.DataAtom == atom.Script || n.DataAtom == atom.Style || n.DataAtom == atom.Head && n.Parent != nil && n.Parent.DataAtom == atom.Html:
			return
		case n.Type == html.TextNode:
			words = append(words, strings.Fields(n.Data)...)
		}
		for c := range n.ChildNodes() {
			visit(c)
		}
	}
	visit(n)
	return strings.Join(words, " ")
}

// breaks are the elements that begin a new line.
var breaks = []atom.Atom{atom.P, atom.H1, atom.H2, atom.Div, atom.Form, atom.Li, atom.Button, atom.Label, atom.Br}

// lines is the text as it stands below one another; a button is [in brackets],
// and a term is followed by a colon.
func lines(root *html.Node) (all []string) {
	line := ""
	end := func() {
		if line != "" {
			all, line = append(all, line), ""
		}
	}
	var visit func(*html.Node)
	visit = func(n *html.Node) {
		block := slices.Contains(breaks, n.DataAtom)
		switch {
		case n.DataAtom == atom.Script || n.DataAtom == atom.Style || n.DataAtom == atom.Head:
			return
		case n.Type == html.TextNode && strings.TrimSpace(n.Data) != "":
			line = strings.TrimSpace(line + " " + strings.Join(strings.Fields(n.Data), " "))
		}
		if block {
			end()
		}
		for c := range n.ChildNodes() {
			visit(c)
		}
		switch {
		case n.DataAtom == atom.Dt:
			line += ":"
		case n.DataAtom == atom.Button:
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

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, key string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == key })
}
