package store

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// check refuses a turn that no state of the store could make sense of.
func (t Turn) check() error {
	c := checker{}
	docs, ended, made, slots := several(len(t.Docs)), several(len(t.Done)+len(t.Defer)), several(len(t.Add)), set{}
	for _, d := range t.Docs {
		c.names(d.Kind, d.Key)
		c.names(d.Index...)
		c.once(docs, "doc", d.Kind, d.Key)
		if d.Body == nil && d.Rev == 0 {
			c.add("doc %s/%s is new and has no body", d.Kind, d.Key)
		}
	}
	for _, e := range t.Log {
		c.names(e.Log)
	}
	for _, jobs := range [][]Job{t.Done, t.Defer} {
		for _, j := range jobs {
			c.job(j)
			c.once(ended, "finished job", j.Lane, j.Key)
		}
	}
	for _, j := range t.Replace {
		c.job(j)
		slots[under(j.Lane, j.Key)] = true
	}
	for _, j := range t.Add {
		c.job(j)
		c.once(made, "new job", j.Lane, j.Key)
		if len(slots) > 0 && slots[under(j.Lane, j.Key)] {
			c.add("job %s/%s is added and replaced", j.Lane, j.Key)
		}
	}
	c.names(t.Release...)
	if err := errors.Join(c...); err != nil {
		return fmt.Errorf("%w: %w", ErrTurn, err)
	}
	return nil
}

type (
	checker []error
	set     map[string]bool
)

func (c *checker) add(format string, args ...any) {
	*c = append(*c, fmt.Errorf(format, args...))
}

// several makes a set for names that could stand twice: one alone can't, and
// most turns of a burst hold one.
func several(n int) set {
	if n < 2 {
		return nil
	}
	return set{}
}

func (c *checker) once(seen set, what, a, b string) {
	if seen == nil {
		return
	}
	if seen[under(a, b)] {
		c.add("%s %s/%s is named twice", what, a, b)
	}
	seen[under(a, b)] = true
}

func (c *checker) job(j Job) {
	c.names(j.Lane, j.Key)
	c.optional(j.Order, j.Wait)
	if j.Tries < 0 {
		c.add("job %s/%s has %d tries", j.Lane, j.Key, j.Tries)
	}
}

func (c *checker) names(names ...string) {
	for _, n := range names {
		if n == "" {
			c.add("a name is empty")
		}
	}
	c.optional(names...)
}

func (c *checker) optional(names ...string) {
	for _, n := range names {
		if len(n) > MaxName {
			c.add("the name %.40q… has %d bytes, at most %d are kept", n, len(n), MaxName)
		}
		if !utf8.ValidString(n) || strings.Contains(n, sep) {
			c.add("the name %.40q is not UTF-8 without NUL", n)
		}
	}
}

// moment rounds a time to what is kept of it.
func moment(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// or is moment, with another time instead of zero.
func or(t, instead time.Time) time.Time {
	if t.IsZero() {
		return instead
	}
	return moment(t)
}
