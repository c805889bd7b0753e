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
	keep:  func(e *Engine, ctx context.Context, id string, raw []byte) bool { return wait(ctx, e, id, raw) == nil },
	outer: func(s store.Store) store.Store { return s },
}

type life struct {
	t     *testing.T
	path  string
	plot  plot
	out   *outside
	acked map[string]bool
	began time.Time
	c     *crash
	doubt int   // demands that may have been made, and whose answer is lost
	marks []int // points at which the plot's own part begins and ends; none: all of it
}

// mark says that what is new in a plot begins or ends here.
func (l *life) mark() {
	l.c.mu.Lock()
	defer l.c.mu.Unlock()
	l.marks = append(l.marks, l.c.seen)
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
	conf := Config{Store: r.outer(mortal{b, l.c}), Reader: l.out, Hands: hands(l.out), Workers: 1}
	if l.plot.watched {
		conf.Groups, conf.PIM = []Watched{{Group: group, Targets: map[activation.Access][]activation.Target{activation.Member: {devops}}, Lead: 10 * time.Minute}}, l.out
		conf.Beat = 2 * time.Minute
	}
	if l.plot.excludes {
		exclusive(&conf, l.out)
	}
	e, err := New(conf)
	if err != nil {
		l.t.Fatal(err)
	}
	l.out.alive, l.out.pocket = l.c.pass, map[string]bool{}
	var wg sync.WaitGroup
	wg.Go(func() { e.Run(ctx) })
	wg.Go(func() { l.people(e, ctx) })
	wg.Go(func() {
		l.plot.play(l, actor{e, ctx, r})
		cancel()
	})
	wg.Wait()
}

// people sign in for what waits for them, and again if the process with their
// sign-in died.
func (l *life) people(e *Engine, ctx context.Context) {
	for ctx.Err() == nil {
		changed := e.next()
		open, _ := e.Find(ctx, "open")
		for _, a := range open {
			for _, d := range a.Deeds {
				if d.Needs && !l.out.signIn(d.Warrant.ID) {
					_ = e.Release(ctx, d.Warrant.Wait()) // a process that dies now loses the sign-in too
				}
			}
		}
		time.Sleep(20 * time.Second)
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
}

// actor plays a plot against one process.
type actor struct {
	*Engine
	ctx context.Context
	run run
}

func (l *life) deliver(a actor, id string, w wish) {
	if !l.acked[id] && a.run.keep(a.Engine, a.ctx, id, raw(w)) {
		l.acked[id] = true
	}
}

// portal is what somebody does there while this process lives.
func (l *life) portal(a actor, schedule string, end bool) {
	if a.ctx.Err() == nil {
		l.out.portal(schedule, end)
	}
}

// until waits for a phase, or one behind it; for two days at most.
func (l *life) until(a actor, id string, p activation.Phase) {
	ctx, cancel := context.WithTimeout(a.ctx, 48*time.Hour)
	defer cancel()
	for ctx.Err() == nil {
		changed := a.next()
		got, err := a.Load(ctx, id)
		if err == nil && slices.Index(activation.Phases, got.Phase) >= slices.Index(activation.Phases, p) {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
}

// rest lets time pass in which what remains to be said is said.
func (l *life) rest(a actor, d time.Duration) {
	select {
	case <-time.After(d):
	case <-a.ctx.Done():
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
	for _, id := range l.out.early {
		faults = append(faults, id+" was sent while what is before it was there")
	}
	for _, id := range l.out.both {
		faults = append(faults, id+" gave two groups at once that exclude each other")
	}
	for e, d := range l.plot.deeds {
		if l.acked[e] && l.out.writes[string(d)+" w-"+e] == 0 {
			faults = append(faults, "an acknowledged envelope was lost: "+e)
		}
	}
	faults = append(faults, l.out.amiss...)
	if n := l.out.demands["a1"]; n > l.plot.demands+l.doubt || len(l.out.grants) > 0 && n < l.plot.demands {
		faults = append(faults, fmt.Sprintf("Entra was asked %d times to write it at once", n))
	}
	if len(l.out.grants) > 0 {
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
	for id, outcome := range l.plot.lives {
		a, err := e.Load(context.Background(), id)
		if lived := l.acked["e1"] || l.plot.watched; err != nil || lived && (a.Phase != activation.Closed || a.Outcome != outcome) {
			faults = append(faults, fmt.Sprintf("left in phase %q, %q (%v)", a.Phase, a.Outcome, err))
		}
		if id == portal1 && a.Phase == activation.Closed && a.Targets[0].Removal.State != activation.Superseded {
			faults = append(faults, "was not told of its successor")
		}
		faults = append(faults, replayed(e, id, a)...)
	}
	return faults
}

// unanswered is how many demands were made of which the dead process kept no
// answer, wherever it died: they may be made again.
func (l *life) unanswered() int {
	if l.out.demands["a1"] == 0 {
		return 0
	}
	b, err := store.Open(l.path, store.Options{Remember: Remember})
	if err != nil {
		l.t.Fatal(err)
	}
	defer b.Close()
	e, _ := New(Config{Store: b, Reader: l.out})
	if a, err := e.Load(context.Background(), "a1"); err != nil || !a.Targets[0].Demanded.IsZero() {
		return 0
	}
	return 1
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
	kinds  map[activation.Kind]bool
	marks  []int
}

// live lives one life with a crash at one point (0: none). want are the
// messages of an untroubled life.
func live(t *testing.T, p plot, at int, after bool, r run, want map[string]int) (s story) {
	synctest.Test(t, func(t *testing.T) {
		l := &life{t: t, path: filepath.Join(memoryDir(t), "pagbot.db"), plot: p, out: newOutside(time.Now), acked: map[string]bool{}, began: time.Now(), c: &crash{at: at, after: after}}
		l.out.approval = p.approval
		first := l.c
		l.process(r)
		if first.dead {
			l.doubt = l.unanswered()
			l.c = &crash{}
			l.process(r)
		}
		s = story{l.faults(want), first.seen, first.point, l.out.said, l.out.kinds, l.marks}
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
// It stops at the first fault that has enough of what is looked for; without
// that, the race detector makes the steps longer.
func walk(t *testing.T, p plot, r run, enough string) (faults []string, calm story) {
	calm = live(t, p, 0, false, honest, nil)
	if calm.points < 20 || len(calm.said) < p.says || len(calm.faults) > 0 {
		t.Fatalf("the untroubled life has %d points, says %v, and %v", calm.points, keys(calm.said), calm.faults)
	}
	from, to := 1, calm.points
	if len(calm.marks) == 2 {
		from, to = calm.marks[0]+1, calm.marks[1]
	}
	step := stride
	if enough != "" {
		step = 1
	}
	for at := from; at <= to; at += step {
		for _, after := range []bool{false, true} {
			s := live(t, p, at, after, r, calm.said)
			for _, f := range s.faults {
				faults = append(faults, fmt.Sprintf("crash at point %d (%s, took effect: %v): %s", at, s.point, after, f))
				if enough != "" && strings.Contains(f, enough) {
					return faults, calm
				}
			}
		}
	}
	return faults, calm
}
