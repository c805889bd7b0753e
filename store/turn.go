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
	docs, ended, made, slots := set{}, set{}, set{}, set{}
	for _, d := range t.Docs {
		c.names(d.Kind, d.Key)
		c.names(d.Index...)
		c.once(docs, "doc", d.Kind, d.Key)
		c.that(d.Body != nil || d.Rev > 0, "doc %s/%s is new and has no body", d.Kind, d.Key)
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
		c.that(!slots[under(j.Lane, j.Key)], "job %s/%s is added and replaced", j.Lane, j.Key)
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

func (c *checker) that(ok bool, format string, args ...any) {
	if !ok {
		*c = append(*c, fmt.Errorf(format, args...))
	}
}

func (c *checker) once(seen set, what, a, b string) {
	c.that(!seen[under(a, b)], "%s %s/%s is named twice", what, a, b)
	seen[under(a, b)] = true
}

func (c *checker) job(j Job) {
	c.names(j.Lane, j.Key)
	c.optional(j.Order, j.Wait)
	c.that(j.Tries >= 0, "job %s/%s has %d tries", j.Lane, j.Key, j.Tries)
}

func (c *checker) names(names ...string) {
	for _, n := range names {
		c.that(n != "", "a name is empty")
	}
	c.optional(names...)
}

func (c *checker) optional(names ...string) {
	for _, n := range names {
		c.that(len(n) <= MaxName, "the name %.40q… has %d bytes, at most %d are kept", n, len(n), MaxName)
		c.that(utf8.ValidString(n) && !strings.Contains(n, sep), "the name %.40q is not UTF-8 without NUL", n)
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
