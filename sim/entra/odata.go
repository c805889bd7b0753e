package entra

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// filter is an OData $filter: and, or, not, brackets, eq, ne, lt, le, gt, ge,
// in, startsWith and any.
type filter struct {
	cond
	eq     map[string]string // what a conjunction fixes
	fields []string          // that it names
}

// cond is a condition, and what it leaves: a row that passes has one of these
// marks, each a field's value, both in lower case. Without marks it may be any.
type cond struct {
	test  func(obj) bool
	any   []mark
	since time.Time // no row that passes is older, by its one date
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

	fields []string
}

func parseFilter(s string) (*filter, error) {
	p := &parser{toks: tokens.FindAllString(s, -1), eq: map[string]string{}}
	if len(p.toks) == 0 {
		return &filter{cond{test: func(obj) bool { return true }}, p.eq, nil}, nil
	}
	test, err := p.or()
	if err == nil && len(p.toks) > 0 {
		err = fmt.Errorf("unexpected %q", p.toks[0])
	}
	if p.ors > 0 {
		clear(p.eq)
	}
	return &filter{test, p.eq, p.fields}, err
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

func (p *parser) or() (cond, error) {
	left, err := p.and()
	for err == nil && strings.EqualFold(p.peek(), "or") {
		p.next()
		p.ors++
		var right cond
		right, err = p.and()
		left = either(left, right)
	}
	return left, err
}

func (p *parser) and() (cond, error) {
	left, err := p.one()
	for err == nil && strings.EqualFold(p.peek(), "and") {
		p.next()
		var right cond
		right, err = p.one()
		left = both(left, right)
	}
	return left, err
}

func either(a, b cond) cond {
	c := cond{test: func(o obj) bool { return a.test(o) || b.test(o) }}
	if a.any != nil && b.any != nil {
		c.any = slices.Concat(a.any, b.any)
	}
	return c
}

func both(a, b cond) cond {
	c := cond{test: func(o obj) bool { return a.test(o) && b.test(o) }, any: a.any, since: latest(a.since, b.since)}
	if a.any == nil {
		c.any = b.any
	}
	return c
}

func (p *parser) one() (cond, error) {
	field := p.next()
	switch {
	case field == "(":
		inner, err := p.or()
		return inner, p.expect(")", err)
	case strings.EqualFold(field, "not"):
		p.ors++ // what stands under a not is not fixed
		inner, err := p.one()
		return cond{test: func(o obj) bool { return !inner.test(o) }}, err
	case strings.HasSuffix(field, "/any"):
		return p.any(strings.TrimSuffix(field, "/any"))
	case strings.EqualFold(field, "startswith"):
		err := p.expect("(", nil)
		name := p.next()
		p.fields = append(p.fields, name)
		err = p.expect(",", err)
		v := p.literal()
		return cond{test: func(o obj) bool { return strings.HasPrefix(fold(value(o, name)), fold(v)) }}, p.expect(")", err)
	}
	return p.compare(field)
}

func (p *parser) compare(field string) (cond, error) {
	p.fields = append(p.fields, field)
	op := strings.ToLower(p.next())
	if op == "in" {
		err := p.expect("(", nil)
		set := []mark{}
		for err == nil && p.peek() != ")" && p.peek() != "" {
			set = append(set, mark{fold(field), fold(p.literal())})
			if p.peek() == "," {
				p.next()
			}
		}
		return cond{func(o obj) bool {
			return slices.Contains(set, mark{fold(field), fold(value(o, field))})
		}, set, time.Time{}}, p.expect(")", err)
	}
	if p.peek() == "" {
		return cond{}, fmt.Errorf("%s %s lacks a value", field, op)
	}
	v := p.literal()
	if op == "eq" {
		p.eq[strings.ToLower(field)] = v
		if low := strings.ToLower(field); low == "principal/id" || low == "group/id" {
			p.eq[strings.Replace(low, "/i", "i", 1)] = v
		}
	}
	holds, ok := map[string]func(int) bool{
		"eq": func(c int) bool { return c == 0 }, "ne": func(c int) bool { return c != 0 },
		"lt": func(c int) bool { return c < 0 }, "le": func(c int) bool { return c <= 0 },
		"gt": func(c int) bool { return c > 0 }, "ge": func(c int) bool { return c >= 0 }}[op]
	if !ok {
		return cond{}, fmt.Errorf("unknown operator %q", op)
	}
	compare := func(have string) int { return strings.Compare(fold(have), fold(v)) }
	at, err := time.Parse(time.RFC3339, v)
	if err == nil { // a date, to whatever fraction
		compare = func(have string) int {
			t, _ := time.Parse(time.RFC3339, have)
			return t.Compare(at)
		}
	}
	c := cond{test: func(o obj) bool { return holds(compare(value(o, field))) }}
	if op == "eq" && v != "null" {
		c.any = []mark{{fold(field), fold(v)}}
	}
	if strings.HasPrefix(op, "g") {
		c.since = at
	}
	return c, nil
}

// any parses field/any(x:x eq 'v') and field/any(x:x/name eq 'v').
func (p *parser) any(field string) (cond, error) {
	err := p.expect("(", nil)
	p.fields = append(p.fields, field)
	_, inner, ok := strings.Cut(p.next(), ":")
	if !ok && err == nil {
		err = fmt.Errorf("any lacks its variable")
	}
	_, inner, _ = strings.Cut(inner, "/")
	if !strings.EqualFold(p.next(), "eq") && err == nil {
		err = fmt.Errorf("any understands eq only")
	}
	v := fold(p.literal())
	test := func(o obj) bool {
		switch all := o[field].(type) {
		case []string:
			return slices.ContainsFunc(all, func(x string) bool { return fold(x) == v })
		case []obj:
			return slices.ContainsFunc(all, func(x obj) bool { return fold(value(x, inner)) == v })
		}
		return false
	}
	return cond{test: test, any: []mark{{fold(field), v}}}, p.expect(")", err)
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

// value reads a field of a row, however deep; principal/id and group/id mean
// the row's own.
func value(o obj, field string) string {
	switch strings.ToLower(field) {
	case "principal/id":
		field = "principalId"
	case "group/id":
		field = "groupId"
	}
	for {
		outer, inner, deep := strings.Cut(field, "/")
		if !deep {
			break
		}
		o, _ = member(o, outer).(obj)
		field = inner
	}
	switch v := member(o, field).(type) {
	case nil:
		return "null"
	case string:
		return v
	default:
		return fmt.Sprint(v)
	}
}

// member is a field of a row, in whatever case it is asked for.
func member(o obj, field string) any {
	if v, ok := o[field]; ok {
		return v
	}
	for k, v := range o {
		if strings.EqualFold(k, field) {
			return v
		}
	}
	return nil
}

func fold(s string) string { return strings.ToLower(s) }
