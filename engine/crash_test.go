package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pagbot/activation"
	"pagbot/store"
)

// A crash happens at the n-th point of no return of a run: a commit, a claim
// or a call to the outside, which took effect or did not.
type crash struct {
	mu     sync.Mutex
	at     int  // number of the point; 0: never
	after  bool // the process dies after the point took effect
	seen   int
	point  string // where it died
	dead   bool
	cancel context.CancelFunc
}

var errDead = errors.New("the process is dead")

// pass runs one point; false means that the process died there.
func (c *crash) pass(point string, do func()) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dead {
		return false
	}
	c.seen++
	here := c.seen == c.at
	if !here || c.after {
		do()
	}
	if here {
		c.dead, c.point = true, point
		c.cancel()
	}
	return !here
}

// mortal is the real store of a process that may die.
type mortal struct {
	store.Store
	*crash
}

func (m mortal) Commit(ctx context.Context, t store.Turn) (err error) {
	if !m.pass("commit", func() { err = m.Store.Commit(context.WithoutCancel(ctx), t) }) {
		return errDead
	}
	return err
}

func (m mortal) Claim(ctx context.Context, lane, key string, n int) (jobs []store.Job, next time.Time, err error) {
	// A claim that finds nothing changes nothing: it is not a point.
	m.mu.Lock()
	dead := m.dead
	m.mu.Unlock()
	if dead {
		return nil, time.Time{}, errDead
	}
	jobs, next, err = m.Store.Claim(context.WithoutCancel(ctx), lane, key, n)
	if len(jobs) > 0 && !m.pass("claim "+lane, func() {}) {
		return nil, time.Time{}, errDead
	}
	return jobs, next, err
}

// run is one process: it delivers what Slack still has to deliver, and works
// until the activation is closed or the process dies.
type run struct {
	keep  func(e *Engine, ctx context.Context, id string, raw []byte) (acked bool)
	outer func(store.Store) store.Store // around the mortal store
}

var honest = run{
	keep:  func(e *Engine, ctx context.Context, id string, raw []byte) bool { return e.Keep(ctx, id, raw) == nil },
	outer: func(s store.Store) store.Store { return s },
}

type life struct {
	t     *testing.T
	path  string
	out   *outside
	acked map[string]bool
	c     *crash
}

// process runs one process to its death or to the end of the life.
func (l *life) process(r run) {
	b, err := store.Open(l.path, store.Options{Remember: Remember})
	if err != nil {
		l.t.Fatal(err)
	}
	defer b.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	l.c.mu.Lock()
	l.c.cancel = cancel
	l.c.mu.Unlock()
	e, err := New(Config{Store: r.outer(mortal{b, l.c}), Reader: l.out, Hands: hands(l.out), Workers: 1})
	if err != nil {
		l.t.Fatal(err)
	}
	l.out.alive = l.c.pass
	var wg sync.WaitGroup
	wg.Go(func() { e.Run(ctx) })
	wg.Go(func() {
		l.deliver(e, ctx, r, "e1", `{"Deed":"activate"}`)
		l.until(e, ctx, activation.Closed)
		cancel()
	})
	wg.Wait()
}

func (l *life) deliver(e *Engine, ctx context.Context, r run, id, raw string) {
	if !l.acked[id] && r.keep(e, ctx, id, []byte(raw)) {
		l.acked[id] = true
	}
}

func (l *life) until(e *Engine, ctx context.Context, p activation.Phase) {
	for range 2000 {
		if a, err := e.Load(ctx, "a1"); ctx.Err() != nil || err == nil && a.Phase == p {
			time.Sleep(5 * time.Minute) // what remains to be said is said
			return
		}
		time.Sleep(10 * time.Second)
	}
}

func keys(m map[string]int) []string {
	var ks []string
	for k := range m {
		ks = append(ks, k)
	}
	return ks
}

// faults compares what the outside remembers with what one untroubled life
// would have done.
func (l *life) faults(want map[string]int) (faults []string) {
	for _, k := range keys(l.out.writes) {
		if n := l.out.writes[k]; n != 1 {
			faults = append(faults, fmt.Sprintf("%s was sent %d times", k, n))
		}
	}
	if l.acked["e1"] && len(l.out.made) == 0 {
		faults = append(faults, "an acknowledged envelope was lost")
	}
	if len(l.out.made) > 0 {
		for k := range want {
			if l.out.said[k] == 0 {
				faults = append(faults, "never said: "+k)
			}
		}
	}
	b, err := store.Open(l.path, store.Options{Remember: Remember})
	if err != nil {
		return append(faults, err.Error())
	}
	defer b.Close()
	e, _ := New(Config{Store: b, Reader: l.out})
	a, err := e.Load(context.Background(), "a1")
	if err != nil || l.acked["e1"] && a.Phase != activation.Closed {
		faults = append(faults, fmt.Sprintf("left in phase %q (%v)", a.Phase, err))
	}
	return append(faults, replayed(e, "a1", a)...)
}

// replayed folds the journal and compares it with the snapshot.
func replayed(e *Engine, id string, a activation.Activation) []string {
	var b activation.Activation
	for entry, err := range e.Journal(context.Background(), id) {
		if err != nil {
			return []string{err.Error()}
		}
		ev, err := activation.Decode(entry.Body)
		if err != nil {
			return []string{err.Error()}
		}
		b = activation.Apply(b, ev)
	}
	if x, y := text(a), text(b); x != y {
		return []string{"the journal folds to " + y + ", the snapshot is " + x}
	}
	return nil
}

func text(a activation.Activation) string {
	b, err := json.Marshal(a)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// story is what became of one life.
type story struct {
	faults []string
	points int
	point  string // where the process died
	said   map[string]int
}

// live lives one life with a crash at one point (0: none). want are the
// messages of an untroubled life.
func live(t *testing.T, at int, after bool, r run, want map[string]int) (s story) {
	synctest.Test(t, func(t *testing.T) {
		l := &life{t: t, path: filepath.Join(memoryDir(t), "pagbot.db"), out: newOutside(time.Now), acked: map[string]bool{}, c: &crash{at: at, after: after}}
		first := l.c
		l.process(r)
		if first.dead {
			l.c = &crash{}
			l.process(r)
		}
		s = story{l.faults(want), first.seen, first.point, l.out.said}
	})
	return s
}

// memoryDir is a folder in memory where there is one: this test is about the
// order of writes, not about disks (the store's own tests are).
func memoryDir(t *testing.T) string {
	dir, err := os.MkdirTemp("/dev/shm", "pagbot")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// walk kills the process at every point by number, before and after it took
// effect, lets the next process finish the life, and lists what went wrong.
// It stops at the first fault that has enough of what is looked for.
func walk(t *testing.T, r run, enough string) (faults []string, points int) {
	calm := live(t, 0, false, honest, nil)
	if calm.points < 20 || len(calm.said) < 5 || len(calm.faults) > 0 {
		t.Fatalf("the untroubled life has %d points, says %v, and %v", calm.points, keys(calm.said), calm.faults)
	}
	for at := 1; at <= calm.points; at++ {
		for _, after := range []bool{false, true} {
			s := live(t, at, after, r, calm.said)
			for _, f := range s.faults {
				faults = append(faults, fmt.Sprintf("crash at point %d (%s, took effect: %v): %s", at, s.point, after, f))
				if enough != "" && strings.Contains(f, enough) {
					return faults, at
				}
			}
		}
	}
	return faults, calm.points
}

func TestCrashWalk(t *testing.T) {
	faults, points := walk(t, honest, "")
	for _, f := range faults {
		t.Error(f)
	}
	t.Logf("%d points, each before and after it took effect", points)
}

// The walk is worth something only if it catches those who cheat.

// TestCrashWalkCatchesAckBeforeKeep: a saboteur that acknowledges first loses
// an envelope at some point.
func TestCrashWalkCatchesAckBeforeKeep(t *testing.T) {
	cheat := honest
	cheat.keep = func(e *Engine, ctx context.Context, id string, raw []byte) bool {
		_ = e.Keep(ctx, id, raw)
		return true
	}
	caught(t, cheat, "an acknowledged envelope was lost")
}

// splitter commits what an event causes in a second transaction.
type splitter struct{ store.Store }

func (s splitter) Commit(ctx context.Context, t store.Turn) error {
	outbox := store.Turn{Add: t.Add, Replace: t.Replace}
	if len(t.Docs) == 0 {
		return s.Store.Commit(ctx, t)
	}
	t.Add, t.Replace = nil, nil
	if err := s.Store.Commit(ctx, t); err != nil {
		return err
	}
	return s.Store.Commit(ctx, outbox)
}

// TestCrashWalkCatchesOutboxAfterCommit: a saboteur that writes its effects
// after the commit forgets some.
func TestCrashWalkCatchesOutboxAfterCommit(t *testing.T) {
	cheat := honest
	cheat.outer = func(s store.Store) store.Store { return splitter{s} }
	caught(t, cheat, "left in phase")
}

func caught(t *testing.T, cheat run, want string) {
	t.Helper()
	faults, _ := walk(t, cheat, want)
	if !slices.ContainsFunc(faults, func(f string) bool { return strings.Contains(f, want) }) {
		t.Errorf("not caught; faults: %v", faults)
	}
}
