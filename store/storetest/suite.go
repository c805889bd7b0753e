// Package storetest says what every store must do, as tests that any
// implementation of the port runs.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"pagbot/store"
)

// The stores that the suite opens lease for Lease, and only the lane Remembered
// remembers.
const (
	Lease      = 2 * time.Minute
	Remembered = "inbox"
)

// Open opens an empty store with a clock, closed when the test ends.
type Open func(t *testing.T, now func() time.Time) store.Store

// Run tests a store.
func Run(t *testing.T, open func(t *testing.T, now func() time.Time) store.Store) {
	groups := []map[string]func(*bench){docs, jobs, orders, claims}
	for _, group := range groups {
		for _, name := range slices.Sorted(keys(group)) {
			t.Run(name, func(t *testing.T) {
				t.Parallel() // most of the time they wait for a disk
				group[name](newBench(t, open))
			})
		}
	}
	t.Run("Lives", func(t *testing.T) {
		t.Parallel()
		lives(t, open)
	})
}

func keys(m map[string]func(*bench)) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// start is when the tests begin: it has what is lost when times are kept.
var start = time.Date(2026, 3, 1, 9, 0, 0, 123456000, time.FixedZone("", 3600))

// clock stands still until it is told.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// bench is a store under test, and short words for what the tests do with it.
type bench struct {
	*testing.T
	*clock
	s store.Store
}

func newBench(t *testing.T, open Open) *bench {
	c := &clock{at: start}
	return &bench{t, c, open(t, c.now)}
}

// at is the time so long after the start, as a store gives it.
func at(d time.Duration) time.Time { return start.Add(d).UTC() }

func (b *bench) commit(turn store.Turn) {
	b.Helper()
	if err := b.s.Commit(b.Context(), turn); err != nil {
		b.Fatalf("commit: %v", err)
	}
}

// refused commits what must be refused, for this reason and about this.
func (b *bench) refused(turn store.Turn, want error) {
	b.Helper()
	if err := b.s.Commit(b.Context(), turn); !errors.Is(err, want) {
		b.Fatalf("commit answered %v, want %v", err, want)
	}
}

func (b *bench) get(kind, key string) store.Doc {
	b.Helper()
	d, err := b.s.Get(b.Context(), kind, key)
	if err != nil {
		b.Fatalf("get %s/%s: %v", kind, key, err)
	}
	return d
}

func (b *bench) none(kind, key string) {
	b.Helper()
	if d, err := b.s.Get(b.Context(), kind, key); !errors.Is(err, store.ErrNone) {
		b.Fatalf("get %s/%s: %+v, %v; want ErrNone", kind, key, d, err)
	}
}

// listed wants these keys.
func (b *bench) listed(kind, index, after string, n int, want ...string) {
	b.Helper()
	list, err := b.s.List(b.Context(), kind, index, after, n)
	if err != nil {
		b.Fatalf("list: %v", err)
	}
	var got []string
	for _, d := range list {
		got = append(got, d.Key)
	}
	if !slices.Equal(got, want) {
		b.Fatalf("list %s %q after %q, %d: %q, want %q", kind, index, after, n, got, want)
	}
}

func (b *bench) read(log string, from uint64) []store.Entry {
	b.Helper()
	var all []store.Entry
	for e, err := range b.s.Read(b.Context(), log, from) {
		if err != nil {
			b.Fatalf("read %s: %v", log, err)
		}
		all = append(all, e)
	}
	return all
}

// claim wants these keys, in this order, and gives the jobs.
func (b *bench) claim(lane string, n int, want ...string) []store.Job {
	b.Helper()
	return b.claimKey(lane, "", n, want...)
}

func (b *bench) claimKey(lane, key string, n int, want ...string) []store.Job {
	b.Helper()
	jobs, _, err := b.s.Claim(b.Context(), lane, key, n)
	if err != nil {
		b.Fatalf("claim: %v", err)
	}
	var got []string
	for _, j := range jobs {
		got = append(got, j.Key)
	}
	if !slices.Equal(got, want) {
		b.Fatalf("claimed %q of %s, want %q", got, lane, want)
	}
	return jobs
}

// one claims the one job that there is.
func (b *bench) one(lane, want string) store.Job {
	b.Helper()
	return b.claim(lane, 10, want)[0]
}

// next wants this to be when to claim next.
func (b *bench) next(lane, key string, want time.Time) {
	b.Helper()
	_, next, err := b.s.Claim(b.Context(), lane, key, 0)
	if err != nil {
		b.Fatalf("claim: %v", err)
	}
	if !next.Equal(want) || next.Location() != time.UTC {
		b.Fatalf("claim next at %v, want %v", next, want)
	}
}

func same[T any](b *bench, what string, got, want T) {
	b.Helper()
	if !reflect.DeepEqual(got, want) {
		b.Fatalf("%s:\n got %+v\nwant %+v", what, got, want)
	}
}

// gone is a context that has ended.
func gone(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

func doc(kind, key string, rev uint64, index ...string) store.Doc {
	return store.Doc{Kind: kind, Key: key, Rev: rev, Index: index, Body: fmt.Appendf(nil, "%s after %d", key, rev)}
}

func job(lane, key string) store.Job {
	return store.Job{Lane: lane, Key: key, Body: []byte("do " + key)}
}

func ordered(key, order string) store.Job {
	j := job("deed", key)
	j.Order = order
	return j
}

func waits(key, wait string, until time.Time) store.Job {
	j := job("deed", key)
	j.Wait, j.Until = wait, until
	return j
}

func add(js ...store.Job) store.Turn     { return store.Turn{Add: js} }
func replace(js ...store.Job) store.Turn { return store.Turn{Replace: js} }
func done(js ...store.Job) store.Turn    { return store.Turn{Done: js} }
func postpone(js ...store.Job) store.Turn {
	return store.Turn{Defer: js}
}
