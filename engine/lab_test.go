package engine

import (
	"context"
	"encoding/json"
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

// hand is a hand of which a test writes just what it needs.
type hand struct {
	do, look func(context.Context, activation.Activation, activation.Effect) activation.Report
}

func (h hand) Do(ctx context.Context, a activation.Activation, e activation.Effect) activation.Report {
	if h.do == nil {
		return activation.Report{}
	}
	return h.do(ctx, a, e)
}

func (h hand) Look(ctx context.Context, a activation.Activation, e activation.Effect) activation.Report {
	if h.look == nil {
		return activation.Report{Absent: true}
	}
	return h.look(ctx, a, e)
}

// submitted is PIM's answer to a submit.
func submitted(a activation.Activation, e activation.Effect) activation.Report {
	return activation.Report{Tell: activation.Done{Warrant: e.Warrant, Request: &activation.Request{ID: "r-" + a.ID, Status: "Provisioned"}}}
}

// lab is an engine on the real store, whose hands a test holds. All hands but
// the deeds' do nothing.
type lab struct {
	*Engine
	t    *testing.T
	ctx  context.Context
	db   *store.Bolt
	path string
	stop func() // ends the process and closes its store
}

func inLab(t *testing.T, deeds hand, change func(*Config), test func(l *lab)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := &lab{t: t, ctx: t.Context(), path: filepath.Join(memoryDir(t), "pagbot.db")}
		l.start(deeds, change)
		test(l)
		l.stop()
	})
}

func (l *lab) start(deeds hand, change func(*Config)) {
	db, err := store.Open(l.path, store.Options{Remember: Remember})
	if err != nil {
		l.t.Fatal(err)
	}
	c := Config{Store: db, Reader: newOutside(time.Now), Hands: hands(hand{}), Workers: 4}
	c.Hands[activation.DoDeed] = deeds
	if change != nil {
		change(&c)
	}
	if l.Engine, err = New(c); err != nil {
		l.t.Fatal(err)
	}
	l.db = db
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { l.Run(ctx) })
	l.stop = sync.OnceFunc(func() {
		cancel()
		wg.Wait()
		_ = db.Close()
	})
}

// ask begins the activation of an id, as an envelope would.
func (l *lab) ask(id string, proof activation.Proof, change ...func(*activation.Ask)) activation.Warrant {
	l.t.Helper()
	now := l.Clock.Now()
	q := activation.Ask{ID: id, Tag: strings.ToUpper(id), Person: requester, Group: group, Access: activation.Member, Length: length, Reason: "incident 42",
		Warrant: activation.Warrant{ID: "w-" + id, Actor: requester, Deed: activation.Submit, Proof: proof, Envelope: "e-" + id, Clicked: now, Expires: now.Add(15 * time.Minute)},
		Facts:   activation.Facts{Eligible: true, Lead: 10 * time.Minute}}
	for _, c := range change {
		c(&q)
	}
	if _, err := l.Tell(context.Background(), id, q); err != nil {
		l.t.Fatal(err)
	}
	return q.Warrant
}

func (l *lab) phase(id string) activation.Phase {
	l.t.Helper()
	a, err := l.Load(context.Background(), id)
	if err != nil {
		l.t.Fatal(err)
	}
	return a.Phase
}

func (l *lab) is(id string, want activation.Phase) {
	l.t.Helper()
	if got := l.phase(id); got != want {
		l.t.Errorf("%s is %q, not %q", id, got, want)
	}
}

// events lists the names of what happened to an activation, and checks that
// they fold to what is stored.
func (l *lab) events(id string) (names []string) {
	l.t.Helper()
	for entry, err := range l.Journal(context.Background(), id) {
		if err != nil {
			l.t.Fatal(err)
		}
		ev, err := activation.Decode(entry.Body)
		if err != nil {
			l.t.Fatal(err)
		}
		names = append(names, activation.Name(ev))
	}
	a, err := l.Load(context.Background(), id)
	if err != nil {
		l.t.Fatal(err)
	}
	for _, f := range replayed(l.Engine, id, a) {
		l.t.Error(f)
	}
	return names
}

func count(names []string, name string) (n int) {
	for _, s := range names {
		if s == name {
			n++
		}
	}
	return n
}

// tally counts calls by what they were.
type tally struct {
	mu   sync.Mutex
	seen []string
	now  int // under way
	most int // at once
}

func (t *tally) begin(what string) (end func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.seen = append(t.seen, what)
	t.now++
	t.most = max(t.most, t.now)
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.now--
	}
}

func (t *tally) calls() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.seen)
}

func raw(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // tests only give plain values
	}
	return b
}

// copied is a copy of a database that nobody has open.
func copied(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	to := path + ".copy"
	if err := os.WriteFile(to, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return to
}

// sleep lets time pass, and what is under way come to rest.
func (l *lab) sleep(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// wait keeps an envelope and waits for the answer.
func wait(ctx context.Context, e *Engine, id string, raw []byte) error {
	answer := make(chan error, 1)
	e.Keep(ctx, id, raw, func(err error) { answer <- err })
	return <-answer
}
