// Package history knows how long targets took to follow, here, lately. It keeps
// the measurements of the last days in memory, so that a question costs nothing
// like the reading of activations, and says what can honestly be said of them:
// ranges, predictions, and whether a requirement is met.
package history

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"pagbot/activation"
	"pagbot/downstream"
	"pagbot/engine"
)

// Config is what a book needs.
type Config struct {
	// Find lists activations by an index; the engine's.
	Find func(ctx context.Context, index string) ([]activation.Activation, error)
	Now  func() time.Time
	Days int // how far back; 0: 30
}

// Book has the measurements of the last days. Fill it with Load, keep it with
// Note.
type Book struct {
	Config
	mu    sync.Mutex
	seen  map[string]noted // by activation
	lines map[line][]downstream.Latency
}

// line is one target in one direction; blind are the times when nothing could
// be learned.
type line struct {
	target string
	toward activation.Direction
	blind  bool
}

// noted is what an activation has put into the book.
type noted struct {
	seq  uint64
	last time.Time // of its measurements
	all  []downstream.Latency
}

// NewBook makes an empty book.
func NewBook(c Config) *Book {
	if c.Days <= 0 {
		c.Days = 30
	}
	return &Book{Config: c, seen: map[string]noted{}, lines: map[line][]downstream.Latency{}}
}

// Load reads the activations that the store has of the last days, a day at a
// time: what is older is not even looked at.
func (b *Book) Load(ctx context.Context) error {
	for day := b.from(); !day.After(b.Now().Add(24 * time.Hour)); day = day.Add(24 * time.Hour) {
		list, err := b.Find(ctx, engine.Day(day))
		if err != nil {
			return err
		}
		b.mu.Lock()
		for _, a := range list {
			b.note(a, func(l downstream.Latency) { b.lines[lineOf(l)] = append(b.lines[lineOf(l)], l) })
		}
		b.mu.Unlock()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for k := range b.lines {
		// A new slice: a reader may hold the old one.
		b.lines[k] = slices.SortedStableFunc(slices.Values(b.lines[k]), older)
	}
	return nil
}

// Note takes in what an activation has taught by now. It is told of every
// change; most bring nothing new.
func (b *Book) Note(a activation.Activation) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.note(a, b.put) {
		b.forget()
	}
}

// note puts the measurements of an activation in the place of those that it had
// brought before, and reports whether they differ. The caller has the lock.
func (b *Book) note(a activation.Activation, put func(downstream.Latency)) bool {
	all := measured(a)
	had, known := b.seen[a.ID]
	if len(all) == 0 && !known || known && had.seq >= a.Seq {
		return false
	}
	n := noted{seq: a.Seq, all: all}
	for _, l := range all {
		if l.At.After(n.last) {
			n.last = l.At
		}
	}
	b.seen[a.ID] = n
	if slices.Equal(had.all, all) {
		return false
	}
	for _, l := range had.all {
		k := lineOf(l)
		b.lines[k] = slices.DeleteFunc(slices.Clone(b.lines[k]), func(o downstream.Latency) bool { return o.Activation == a.ID })
	}
	for _, l := range all {
		put(l)
	}
	return true
}

// measured is what an activation has taught, and where it taught nothing
// although it was looked for: see [downstream.Latency], with neither end.
func measured(a activation.Activation) []downstream.Latency {
	all := downstream.Latencies(a)
	for _, t := range a.Targets {
		if s := t.Grant; !a.From.IsZero() && (s.State == activation.Works || downstream.NeverGranted(a, t) && !s.After.After(a.From)) {
			all = append(all, downstream.Latency{Activation: a.ID, Group: a.Group.ID, Target: t.ID, Toward: activation.Grant, Level: s.Level, At: a.From})
		}
		if s := t.Removal; s.State == activation.NotProven && !s.After.After(a.Ended) {
			all = append(all, downstream.Latency{Activation: a.ID, Group: a.Group.ID, Target: t.ID, Toward: activation.Removal, Level: s.Level, At: a.Ended})
		}
	}
	return all
}

// put adds a measurement in its place. Slices that were given out stay as they
// are: what is appended lies behind their end, all else is done in a copy.
func (b *Book) put(l downstream.Latency) {
	k := lineOf(l)
	i, _ := slices.BinarySearchFunc(b.lines[k], l, older)
	if i == len(b.lines[k]) {
		b.lines[k] = append(b.lines[k], l)
		return
	}
	b.lines[k] = slices.Insert(slices.Clone(b.lines[k]), i, l)
}

// forget drops what is older than the book reaches, once that is as much as it
// keeps, so that it costs little.
func (b *Book) forget() {
	from := b.from()
	for k, all := range b.lines {
		if i := first(all, from); i > 100 && 2*i > len(all) {
			b.lines[k] = slices.Clone(all[i:])
			for id, n := range b.seen {
				if n.last.Before(from) {
					delete(b.seen, id)
				}
			}
		}
	}
}

// History is what is known of a target in one direction, the oldest first. It
// is not to be changed.
func (b *Book) History(target string, toward activation.Direction) []downstream.Latency {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.recent(line{target, toward, false})
}

// Blind are the times of the last days when a target was asked and nothing
// could be learned: it could not be told all the time, or was there before
// anybody had asked. They have no end, neither After nor By.
func (b *Book) Blind(target string, toward activation.Direction) []downstream.Latency {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.recent(line{target, toward, true})
}

func (b *Book) recent(k line) []downstream.Latency {
	all := b.lines[k]
	return slices.Clip(all[first(all, b.from()):])
}

func (b *Book) from() time.Time { return b.Now().Add(-time.Duration(b.Days) * 24 * time.Hour) }

func lineOf(l downstream.Latency) line { return line{l.Target, l.Toward, l.After == 0 && l.By == 0} }

func older(x, y downstream.Latency) int {
	return cmp.Or(x.At.Compare(y.At), cmp.Compare(x.Activation, y.Activation))
}

// first is the place of the first that is not before a moment.
func first(all []downstream.Latency, from time.Time) int {
	i, _ := slices.BinarySearchFunc(all, from, func(l downstream.Latency, t time.Time) int { return l.At.Compare(t) })
	return i
}
