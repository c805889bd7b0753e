package engine

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.etcd.io/bbolt"
	"pgregory.net/rapid"

	"pagbot/activation"
	"pagbot/store"
)

// fault is what goes wrong with one call to the outside.
type fault int

const (
	well fault = iota
	throttled
	lostBefore // the answer is lost, and nothing was done
	lostAfter  // the answer is lost, and it was done
	breaksBefore
	breaksAfter
	hangs // deaf to its context, beyond the lease
)

var faults = []fault{well, throttled, lostBefore, lostAfter, breaksBefore, breaksAfter, hangs}

// troubled is a call with the fault that is next.
func (o *outside) troubled(e activation.Effect, call func() activation.Report) (r activation.Report) {
	o.mu.Lock()
	f := well
	if next := o.faults[e.Lane]; len(next) > 0 {
		f, o.faults[e.Lane] = next[0], next[1:]
	}
	o.mu.Unlock()
	switch f {
	case breaksBefore:
		panic("before it began")
	case throttled:
		return activation.Report{After: 7 * time.Second}
	}
	if f != lostBefore {
		r = call()
	}
	switch f {
	case breaksAfter:
		panic("after it was done")
	case hangs:
		time.Sleep(3 * time.Minute)
	case lostBefore, lostAfter:
		return activation.Report{Unsure: true, Again: o.now().Add(5 * time.Second)}
	}
	return r
}

// step is one thing that happens.
type step struct {
	what what
	n    int // which
	wish wish
	wait time.Duration
}

type what int

const (
	envelope what = iota
	again         // an envelope that was delivered before
	signIn
	pass // time does
	kill // the process, at the n-th point from now, before or after it took effect
	killed
	away // the process, for a while
	portalEnds
)

// whats are drawn from; what comes more often stands there more often.
var whats = []what{envelope, envelope, envelope, again, signIn, signIn, pass, kill, killed, away, portalEnds}

func drawStep(t *rapid.T) step {
	s := step{what: rapid.SampledFrom(whats).Draw(t, "what"), n: rapid.IntRange(0, 30).Draw(t, "n")}
	s.wait = rapid.SampledFrom([]time.Duration{0, time.Second, 20 * time.Second, 10 * time.Minute, time.Hour}).Draw(t, "wait")
	s.wish = wish{
		Deed:  rapid.SampledFrom([]activation.Deed{activation.Submit, activation.Submit, activation.Approve, activation.Deny, activation.End, activation.Cancel, renew, change, change}).Draw(t, "deed"),
		Proof: rapid.SampledFrom([]activation.Proof{activation.Session, activation.Fresh}).Draw(t, "proof"),
		ID:    rapid.SampledFrom([]string{"a1", "a2", "a3", "a4"}).Draw(t, "id"),
		Now:   rapid.Bool().Draw(t, "now"),
	}
	s.wish.Who = map[string]string{"a1": "requester", "a2": "requester", "a3": "colleague", "a4": "requester"}[s.wish.ID]
	return s
}

// town is where random things happen to one process after another.
type town struct {
	t         *testing.T
	path      string
	out       *outside
	delivered []wish
	acked     map[int]bool
	c         *crash
	e         *Engine
	stop      func() // the process, and looks into what it left
}

func (w *town) start() {
	db, err := store.Open(w.path, store.Options{Remember: Remember})
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	w.c = &crash{cancel: cancel}
	w.out.mu.Lock()
	w.out.alive, w.out.pocket = w.c.pass, map[string]bool{}
	w.out.mu.Unlock()
	conf := Config{Store: mortal{db, w.c}, Reader: w.out, Hands: hands(w.out), Workers: 2}
	exclusive(&conf, w.out)
	if w.e, err = New(conf); err != nil {
		w.t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() { w.e.Run(ctx) })
	w.stop = func() {
		cancel()
		wg.Wait()
		w.folds(db)
		if err := db.Close(); err != nil {
			w.t.Error(err)
		}
		w.never()
	}
}

func (w *town) take(s step) {
	switch s.what {
	case envelope:
		w.delivered = append(w.delivered, s.wish)
		w.deliver(len(w.delivered) - 1)
	case again:
		if len(w.delivered) > 0 {
			w.deliver(s.n % len(w.delivered))
		}
	case signIn:
		w.signIn(s.n)
	case kill:
		w.c.mu.Lock()
		w.c.at, w.c.after = w.c.seen+1+s.n/2, s.n%2 == 0
		w.c.mu.Unlock()
	case killed:
		w.stop()
		w.start()
	case away:
		w.stop()
		time.Sleep(s.wait)
		w.start()
	case portalEnds:
		w.out.mu.Lock()
		if g := w.out.grants[strings.ToUpper(s.wish.ID)]; g != nil && g.holds(time.Now()) != nil {
			g.ended = time.Now()
		}
		w.out.mu.Unlock()
	}
	time.Sleep(s.wait)
	w.c.mu.Lock()
	dead := w.c.dead
	w.c.mu.Unlock()
	if dead {
		w.stop()
		w.start()
	}
}

func (w *town) deliver(i int) {
	if wait(context.Background(), w.e, fmt.Sprint("e", i), raw(w.delivered[i])) == nil {
		w.acked[i] = true
	}
}

// signIn is one of those who are asked to sign in, or all of them (n < 0).
func (w *town) signIn(n int) {
	open, err := w.e.Find(context.Background(), "open")
	if err != nil {
		w.t.Error(err)
	}
	var all []activation.Warrant
	for _, a := range open {
		for _, d := range a.Deeds {
			if d.Needs {
				all = append(all, d.Warrant)
			}
		}
	}
	for i, x := range all {
		if n < 0 || i == n%len(all) {
			w.out.signIn(x.ID)
			_ = w.e.Release(context.Background(), x.Wait()) // a process that dies now loses the sign-in too
		}
	}
}

// folds compares each activation with its journal, and asks that what is open
// has something that will move it.
func (w *town) folds(db *store.Bolt) {
	e, err := New(Config{Store: db, Reader: w.out})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, id := range []string{"a1", "a2", "a3", "a4", "a1r", "a2r", "a3r", "a4r", "a1s", "a2s", "a3s", "a4s"} {
		a, err := e.Load(context.Background(), id)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, f := range replayed(e, id, a) {
			w.t.Error(f)
		}
	}
}

// never looks into a database that nobody has open, and at the outside, for
// what must never be.
func (w *town) never() {
	db, err := bbolt.Open(w.path, 0o600, &bbolt.Options{ReadOnly: true, Timeout: time.Second})
	if err != nil {
		w.t.Fatal(err)
	}
	defer db.Close()
	jobs := map[string]bool{} // by activation
	open := map[string]bool{}
	err = db.View(func(tx *bbolt.Tx) error {
		c := tx.Bucket([]byte("jobs")).Cursor()
		for k, _ := c.First(); k != nil; k, _ = c.Next() {
			lane, key, _ := strings.Cut(string(k), "\x00")
			id, _, _ := strings.Cut(key, "/")
			jobs[id] = jobs[id] || lane == "due" || lane == "deed" || lane == "watch"
		}
		c = tx.Bucket([]byte("index")).Cursor()
		for k, _ := c.First(); k != nil; k, _ = c.Next() {
			if parts := strings.Split(string(k), "\x00"); parts[1] == "open" {
				open[parts[2]] = true
			}
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	for id := range open {
		if !jobs[id] {
			w.t.Errorf("%s is open and nothing will move it", id)
		}
	}
	for _, id := range w.out.early {
		w.t.Errorf("%s was sent while what is before it was there", id)
	}
	for _, id := range w.out.both {
		w.t.Errorf("%s gave two groups at once that exclude each other", id)
	}
	for _, what := range w.out.amiss {
		w.t.Error(what)
	}
	for deed, n := range w.out.writes {
		if n > 1 {
			w.t.Errorf("%s was done %d times", deed, n)
		}
	}
}

// Whatever happens in whatever order: each deed is done once at most, what was
// acknowledged is decided, journals fold to what is stored, what is open will
// move by itself, and in the end everything is closed.
func TestRandomLives(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		steps := rapid.SliceOfN(rapid.Custom(drawStep), 5, 40).Draw(rt, "steps")
		faulty := map[activation.Lane][]fault{}
		for _, lane := range []activation.Lane{activation.LaneDeed, activation.LaneSay, activation.LaneWatch} {
			faulty[lane] = rapid.SliceOfN(rapid.SampledFrom(faults), 0, 20).Draw(rt, string(lane)+" faults")
		}
		approval := rapid.Bool().Draw(rt, "approval")
		ok := t.Run("", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &town{t: t, path: filepath.Join(memoryDir(t), "pagbot.db"), out: newOutside(time.Now), acked: map[int]bool{}}
				w.out.faults, w.out.approval = faulty, approval
				w.start()
				for _, s := range steps {
					w.take(s)
				}
				w.end()
			})
		})
		if !ok {
			rt.Fatal("see above")
		}
	})
}

// end lets everything come to its end undisturbed.
func (w *town) end() {
	w.stop()
	w.out.faults = nil
	w.start()
	for range 10 {
		w.signIn(-1)
		time.Sleep(6 * time.Hour)
	}
	for i := range w.delivered {
		if id := fmt.Sprint("e", i); w.acked[i] && !w.out.read[id] {
			w.t.Errorf("envelope %s was acknowledged and lost", id)
		}
	}
	open, err := w.e.Find(context.Background(), "open")
	for _, a := range open {
		w.t.Errorf("%s is still %s: %s", a.ID, a.Phase, text(a))
	}
	if err != nil {
		w.t.Error(err)
	}
	w.stop()
}
