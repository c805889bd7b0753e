package store_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pagbot/store"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// trail is a store with a log, and a folder for its audit trail.
type trail struct {
	*testing.T
	b   *store.Bolt
	dir string
	at  time.Time
}

func newTrail(t *testing.T) *trail {
	tr := &trail{T: t, at: noon}
	path := file(t)
	tr.b, tr.dir = open(t, path, func() time.Time { return tr.at }), filepath.Join(filepath.Dir(path), "audit")
	return tr
}

// log logs n more entries, an hour after the last ones.
func (t *trail) log(n int) {
	t.Helper()
	var turn store.Turn
	for i := range n {
		turn.Log = append(turn.Log, store.Entry{Log: "audit", Body: fmt.Appendf(nil, `{"what": "<asked> & %d"}`, i)})
	}
	if err := t.b.Commit(t.Context(), turn); err != nil {
		t.Fatal(err)
	}
	t.at = t.at.Add(time.Hour)
}

// follow opens the trail, lets it catch up and closes it.
func (t *trail) follow() error {
	t.Helper()
	a, err := store.OpenAudit(t.dir)
	if err != nil {
		return err
	}
	defer func() { _ = a.Close() }()
	a.LimitSegments(2000)
	awake := make(chan struct{})
	close(awake)
	return a.Follow(t.Context(), t.b, "audit", awake)
}

func (t *trail) must(err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (t *trail) files() []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(t.dir, "*"))
	t.must(err)
	return names
}

// text is the whole trail.
func (t *trail) text() string {
	t.Helper()
	var all bytes.Buffer
	for _, f := range t.files() {
		b, err := os.ReadFile(f)
		t.must(err)
		all.Write(b)
	}
	return all.String()
}

func TestAuditIsTheLog(t *testing.T) {
	t.Parallel()
	tr := newTrail(t)
	tr.must(tr.follow()) // nothing yet
	for range 30 {       // over more than a day, in segments of a few lines
		tr.log(5)
		tr.must(tr.follow())
		tr.must(tr.follow()) // repeats nothing
	}
	tr.must(tr.b.Commit(t.Context(), store.Turn{Log: []store.Entry{{Log: "audit", Body: []byte("no JSON \xff")}, {Log: "audit"}}}))
	tr.must(tr.follow())
	tr.must(store.VerifyAudit(tr.dir))

	lines := strings.Split(strings.TrimSuffix(tr.text(), "\n"), "\n")
	n := 0
	for e, err := range tr.b.Read(t.Context(), "audit", 1) {
		tr.must(err)
		var l struct {
			Seq  uint64
			At   time.Time
			Body struct{ What string }
			Raw  []byte
		}
		tr.must(json.Unmarshal([]byte(lines[n]), &l))
		n++
		if l.Seq != e.Seq || !l.At.Equal(e.At) {
			t.Fatalf("line %d is %s, want %d at %v", n, lines[n-1], e.Seq, e.At)
		}
		var body struct{ What string }
		if json.Unmarshal(e.Body, &body) == nil && body != l.Body || !json.Valid(e.Body) && !bytes.Equal(l.Raw, e.Body) {
			t.Fatalf("line %d is %s, want %q", n, lines[n-1], e.Body)
		}
	}
	if n != len(lines) || n != 152 {
		t.Errorf("%d entries in %d lines, want 152", n, len(lines))
	}
	if names := tr.files(); len(names) < 10 || filepath.Base(names[0]) != "000000000001-2026-03-01.jsonl" {
		t.Errorf("segments %v", names)
	}
}

// Wherever a crash cuts the trail, the next process makes it what it was to be.
func TestAuditAfterACrash(t *testing.T) {
	t.Parallel()
	tr := newTrail(t)
	tr.log(40)
	tr.must(tr.follow())
	want := tr.text()
	names := tr.files()
	last := names[len(names)-1]
	whole, err := os.ReadFile(last)
	tr.must(err)
	for size := range whole {
		tr.must(os.WriteFile(last, whole[:size], 0o600))
		tr.must(store.VerifyAudit(tr.dir))
		tr.must(tr.follow())
		if got := tr.text(); got != want {
			t.Fatalf("cut at %d: %d bytes, want %d", size, len(got), len(want))
		}
	}
	tr.must(os.Truncate(names[0], 0)) // a trail of nothing but a beginning
	for _, name := range names[1:] {
		tr.must(os.Remove(name))
	}
	tr.must(tr.follow())
	if got := tr.text(); got != want {
		t.Errorf("begun again: %d bytes, want %d", len(got), len(want))
	}
}

// Every byte of every line but the last is guarded by the line after it.
func TestAuditShowsTampering(t *testing.T) {
	t.Parallel()
	tr := newTrail(t)
	tr.log(20)
	tr.must(tr.follow())
	names := tr.files()
	for i, name := range names {
		whole, err := os.ReadFile(name)
		tr.must(err)
		guarded := len(whole)
		if i == len(names)-1 {
			guarded = bytes.LastIndexByte(whole[:len(whole)-1], '\n') + 1
		}
		for at := 0; at < guarded; at += 7 {
			bad := bytes.Clone(whole)
			bad[at] ^= 1
			tr.tampered(name, bad, "a changed byte")
		}
		if lines := bytes.SplitAfter(whole, []byte("\n")); len(lines) > 3 {
			tr.tampered(name, bytes.Join(append(lines[:1:1], lines[2:]...), nil), "a line taken out")
			tr.tampered(name, bytes.Join([][]byte{lines[0], lines[0], lines[1], lines[2]}, nil), "a line twice")
			tr.tampered(name, bytes.Join([][]byte{lines[1], lines[0], lines[2]}, nil), "lines changed places")
		}
		if i < len(names)-1 {
			tr.tampered(name, nil, "an emptied segment")
			tr.tampered(name, whole[:len(whole)-1], "a line without its end")
		}
		tr.must(os.WriteFile(name, whole, 0o600))
	}
	tr.must(os.Remove(names[0]))
	if store.VerifyAudit(tr.dir) == nil {
		t.Error("without its first segment the trail is said to be good")
	}
}

func (t *trail) tampered(name string, text []byte, what string) {
	t.Helper()
	t.must(os.WriteFile(name, text, 0o600))
	if store.VerifyAudit(t.dir) == nil {
		t.Errorf("%s in %s: the trail is said to be good", what, name)
	}
}

// A trail that is ahead of its store, or another's, is neither continued nor
// touched.
func TestAuditOfAnOlderStore(t *testing.T) {
	t.Parallel()
	tr, older, other := newTrail(t), newTrail(t), newTrail(t)
	tr.log(20)
	older.log(15)
	other.at = other.at.Add(time.Minute)
	other.log(25)
	tr.must(tr.follow())
	want := tr.text()
	for _, s := range []*trail{older, other} {
		s.dir = tr.dir
		if err := s.follow(); err == nil || !strings.Contains(err.Error(), "a new trail then begins") {
			t.Errorf("followed: %v", err)
		}
	}
	if tr.text() != want {
		t.Error("the trail was changed")
	}
}

func TestAuditDamagedAtTheEnd(t *testing.T) {
	t.Parallel()
	tr := newTrail(t)
	tr.log(3)
	tr.must(tr.follow())
	names := tr.files()
	f, err := os.OpenFile(names[len(names)-1], os.O_APPEND|os.O_WRONLY, 0)
	tr.must(err)
	_, err = f.WriteString("somebody's note\n")
	tr.must(err)
	tr.must(f.Close())
	if err := tr.follow(); err == nil || !strings.Contains(err.Error(), "move it away") {
		t.Errorf("opened: %v", err)
	}
}

// Followed live, the trail has an entry as soon as it was woken for it.
func TestAuditWakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTrail(t)
		a, err := store.OpenAudit(tr.dir)
		tr.must(err)
		defer func() { _ = a.Close() }()
		ctx, cancel := context.WithCancel(t.Context())
		wake, ended := make(chan struct{}), make(chan error, 1)
		go func() { ended <- a.Follow(ctx, tr.b, "audit", wake) }()
		for want := range uint64(5) {
			synctest.Wait()
			if got, _ := a.Head(); got != want {
				t.Fatalf("the trail is at %d, want %d", got, want)
			}
			tr.log(1)
			wake <- struct{}{}
		}
		cancel()
		tr.must(<-ended)
		tr.must(store.VerifyAudit(tr.dir))
	})
}
