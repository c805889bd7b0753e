package entra

import (
	"fmt"
	"regexp"
	"strings"
)

// filter is an OData $filter: and, or, not, brackets, eq, ne, lt, le, gt, ge,
// in, startsWith and any.
type filter struct {
	test func(obj) bool
	eq   map[string]string // what a conjunction fixes
}

func (f *filter) keep(rows []obj) []obj {
	kept := []obj{}
	for _, o := range rows {
		if f.test(o) {
			kept = append(kept, o)
		}
	}
	return kept
}

func (f *filter) fixed(field string) string { return f.eq[strings.ToLower(field)] }

var tokens = regexp.MustCompile(`'(?:[^']|'')*'|[(),]|[^\s(),]+`)

type parser struct {
	toks []string
	eq   map[string]string
	ors  int
}

func parseFilter(s string) (*filter, error) {
	p := &parser{toks: tokens.FindAllString(s, -1), eq: map[string]string{}}
	if len(p.toks) == 0 {
		return &filter{func(obj) bool { return true }, p.eq}, nil
	}
	test, err := p.or()
	if err == nil && len(p.toks) > 0 {
		err = fmt.Errorf("unexpected %q", p.toks[0])
	}
	if p.ors > 0 {
		clear(p.eq)
	}
	return &filter{test, p.eq}, err
}

func (p *parser) peek() string {
	if len(p.toks) == 0 {
		return ""
	}
	return p.toks[0]
}

func (p *parser) next() string {
	t := p.peek()
	if t != "" {
		p.toks = p.toks[1:]
	}
	return t
}

func (p *parser) or() (func(obj) bool, error) {
	left, err := p.and()
	for err == nil && strings.EqualFold(p.peek(), "or") {
		p.next()
		p.ors++
		var right func(obj) bool
		right, err = p.and()
		l := left
		left = func(o obj) bool { return l(o) || right(o) }
	}
	return left, err
}

func (p *parser) and() (func(obj) bool, error) {
	left, err := p.one()
	for err == nil && strings.EqualFold(p.peek(), "and") {
		p.next()
		var right func(obj) bool
		right, err = p.one()
		l := left
		left = func(o obj) bool { return l(o) && right(o) }
	}
	return left, err
}

func (p *parser) one() (func(obj) bool, error) {
	field := p.next()
	switch {
	case field == "(":
		inner, err := p.or()
		return inner, p.expect(")", err)
	case strings.EqualFold(field, "not"):
		p.ors++ // what stands under a not is not fixed
		inner, err := p.one()
		return func(o obj) bool { return !inner(o) }, err
	case strings.HasSuffix(field, "/any"):
		return p.any(strings.TrimSuffix(field, "/any"))
	case strings.EqualFold(field, "startswith"):
		err := p.expect("(", nil)
		name := p.next()
		err = p.expect(",", err)
		v := p.literal()
		return func(o obj) bool { return strings.HasPrefix(fold(value(o, name)), fold(v)) }, p.expect(")", err)
	}
	return p.compare(field)
}

func (p *parser) compare(field string) (func(obj) bool, error) {
	op := strings.ToLower(p.next())
	if op == "in" {
		err := p.expect("(", nil)
		var set []string
		for err == nil && p.peek() != ")" && p.peek() != "" {
			set = append(set, p.literal())
			if p.peek() == "," {
				p.next()
			}
		}
		return func(o obj) bool {
			for _, v := range set {
				if fold(value(o, field)) == fold(v) {
					return true
				}
			}
			return false
		}, p.expect(")", err)
	}
	if p.peek() == "" {
		return nil, fmt.Errorf("%s %s lacks a value", field, op)
	}
	v := p.literal()
	if op == "eq" {
		p.eq[strings.ToLower(field)] = v
		if field == "principal/id" || field == "group/id" {
			p.eq[strings.Replace(field, "/i", "i", 1)] = v
		}
	}
	holds, ok := map[string]func(int) bool{
		"eq": func(c int) bool { return c == 0 }, "ne": func(c int) bool { return c != 0 },
		"lt": func(c int) bool { return c < 0 }, "le": func(c int) bool { return c <= 0 },
		"gt": func(c int) bool { return c > 0 }, "ge": func(c int) bool { return c >= 0 }}[op]
	if !ok {
		return nil, fmt.Errorf("unknown operator %q", op)
	}
	return func(o obj) bool { return holds(strings.Compare(fold(value(o, field)), fold(v))) }, nil
}

// any parses field/any(x:x eq 'v').
func (p *parser) any(field string) (func(obj) bool, error) {
	err := p.expect("(", nil)
	if _, _, ok := strings.Cut(p.next(), ":"); !ok && err == nil {
		err = fmt.Errorf("any lacks its variable")
	}
	if !strings.EqualFold(p.next(), "eq") && err == nil {
		err = fmt.Errorf("any understands eq only")
	}
	v := p.literal()
	return func(o obj) bool {
		all, _ := o[field].([]string)
		for _, x := range all {
			if fold(x) == fold(v) {
				return true
			}
		}
		return false
	}, p.expect(")", err)
}

func (p *parser) expect(t string, err error) error {
	if got := p.next(); err == nil && got != t {
		return fmt.Errorf("expected %q, got %q", t, got)
	}
	return err
}

func (p *parser) literal() string {
	t := p.next()
	if len(t) >= 2 && t[0] == '\'' {
		return strings.ReplaceAll(t[1:len(t)-1], "''", "'")
	}
	return t
}

// value reads a field of a row; principal/id and group/id mean the row's own.
func value(o obj, field string) string {
	field = strings.Replace(strings.Replace(field, "principal/id", "principalId", 1), "group/id", "groupId", 1)
	switch v := o[field].(type) {
	case nil:
		return "null"
	case string:
		return v
	default:
		return fmt.Sprint(v)
	}
}

func fold(s string) string { return strings.ToLower(s) }
