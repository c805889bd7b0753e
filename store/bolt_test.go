package store_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"pagbot/store"
	"pagbot/store/storetest"
)

func open(t testing.TB, path string, now func() time.Time) *store.Bolt {
	t.Helper()
	b, err := store.Open(path, store.Options{Now: now, Remember: []string{storetest.Remembered}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func file(t testing.TB) string { return filepath.Join(t.TempDir(), "pagbot.db") }

func TestBolt(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, now func() time.Time) store.Store { return open(t, file(t), now) })
}

func add(key string) store.Turn { return store.Turn{Add: []store.Job{{Lane: "deed", Key: key}}} }

// What a process had claimed may have been done by it: the next one is told so,
// and is not made to wait for the lease.
func TestReopenLosesLeases(t *testing.T) {
	t.Parallel()
	path, at := file(t), time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	now := func() time.Time { return at }
	b := open(t, path, now)
	turn := store.Turn{Add: []store.Job{
		{Lane: "deed", Key: "begun", Order: "x"}, {Lane: "deed", Key: "behind", Order: "x"}, {Lane: "say", Key: "fresh"},
	}}
	if err := b.Commit(t.Context(), turn); err != nil {
		t.Fatal(err)
	}
	begun, _, _ := b.Claim(t.Context(), "deed", "", 9)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}

	at = at.Add(-time.Hour) // clocks are set back, too
	b = open(t, path, now)
	again, _, err := b.Claim(t.Context(), "deed", "", 9)
	if err != nil || len(begun) != 1 || len(again) != 1 || again[0].Key != "begun" {
		t.Fatalf("claimed %v, then %v, %v", begun, again, err)
	}
	if again[0].Tries != 1 || again[0].Fence <= begun[0].Fence {
		t.Errorf("tries %d, fence %d after %d; want 1 and a higher one", again[0].Tries, again[0].Fence, begun[0].Fence)
	}
	at = at.Add(time.Hour)
	if fresh, _, _ := b.Claim(t.Context(), "say", "", 9); len(fresh) != 1 || fresh[0].Tries != 0 {
		t.Errorf("a job that nobody began: %v", fresh)
	}
}

// Whatever a job went through, once it is done and forgotten no trace of it is
// in the file.
func TestLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	path, at := file(t), time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	b := open(t, path, func() time.Time { return at })
	commit := func(turn store.Turn) {
		t.Helper()
		if err := b.Commit(t.Context(), turn); err != nil {
			t.Fatal(err)
		}
	}
	var turn store.Turn
	for i := range 50 {
		turn.Docs = append(turn.Docs, store.Doc{Kind: "ask", Key: fmt.Sprint(i), Index: []string{"open", fmt.Sprint(i % 3)}, Body: []byte("x")})
		for _, lane := range []string{"deed", storetest.Remembered} {
			j := store.Job{Lane: lane, Key: fmt.Sprint(i), Order: []string{"", "x", "y"}[i%3], Wait: []string{"", "429"}[i%2]}
			if i%4 == 1 {
				j.Until = at.Add(time.Minute)
			}
			turn.Add = append(turn.Add, j)
		}
	}
	commit(turn)
	var next store.Turn
	for i, d := range turn.Docs {
		next.Docs = append(next.Docs, store.Doc{Kind: d.Kind, Key: d.Key, Rev: 1})
		next.Replace = append(next.Replace, turn.Add[2*i])
	}
	commit(next)
	for round := range 200 {
		for _, lane := range []string{"deed", storetest.Remembered} {
			jobs, _, err := b.Claim(t.Context(), lane, "", 3)
			if err != nil {
				t.Fatal(err)
			}
			switch round % 4 {
			case 0:
				commit(store.Turn{Defer: jobs})
			case 1:
				commit(store.Turn{Replace: jobs, Done: jobs, Release: []string{"429"}})
			case 2:
				commit(store.Turn{Done: jobs})
			}
		}
		at = at.Add(time.Minute)
	}
	at = at.Add(store.Memory)
	commit(store.Turn{Log: []store.Entry{{Log: "audit"}}})
	shut(t, b)
	change(t, path, func(tx *bbolt.Tx) error {
		return tx.ForEach(func(name []byte, bucket *bbolt.Bucket) error {
			if k, _ := bucket.Cursor().First(); k != nil && string(name) != "meta" && string(name) != "logs" {
				t.Errorf("%s still has %q", name, k)
			}
			return nil
		})
	})
}

func TestOpenSaysWhatToDo(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, want string
		make       func(t *testing.T, path string) string
	}{
		{"in use", "is in use by another process: stop that one", func(t *testing.T, path string) string {
			open(t, path, nil)
			return path
		}},
		{"no folder", "create it, or correct the path", func(t *testing.T, path string) string { return filepath.Join(path, "x", "pagbot.db") }},
		{"a folder", "does not open", func(t *testing.T, path string) string { return filepath.Dir(path) }},
		{"text", "put back its last backup", func(t *testing.T, path string) string {
			return written(t, path, []byte(strings.Repeat("not a database\n", 1000)))
		}},
		{"zeroes", "put back its last backup", func(t *testing.T, path string) string { return written(t, path, make([]byte, 1<<16)) }},
		{"another's database", "it holds something else", func(t *testing.T, path string) string {
			change(t, path, func(tx *bbolt.Tx) error { _, err := tx.CreateBucket([]byte("theirs")); return err })
			return path
		}},
		{"newer", "written by a newer pagbot (format 2, this one knows 1)", func(t *testing.T, path string) string {
			shut(t, open(t, path, nil))
			change(t, path, func(tx *bbolt.Tx) error {
				return tx.Bucket([]byte("meta")).Put([]byte("format"), binary.BigEndian.AppendUint64(nil, 2))
			})
			return path
		}},
		{"a damaged job", "put back its last backup", func(t *testing.T, path string) string {
			shut(t, open(t, path, nil))
			change(t, path, func(tx *bbolt.Tx) error { return tx.Bucket([]byte("jobs")).Put([]byte("deed\x00a"), []byte{1}) })
			return path
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, err := store.Open(c.make(t, file(t)), store.Options{})
			if err == nil {
				_ = b.Close()
				t.Fatal("opened")
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("%q does not say %q", err, c.want)
			}
		})
	}
}

// A copy that did not finish must not be taken for the whole, nor crash.
func TestOpenTruncated(t *testing.T) {
	t.Parallel()
	path := file(t)
	b := open(t, path, nil)
	for i := range 200 {
		if err := b.Commit(t.Context(), store.Turn{Docs: []store.Doc{{Kind: "ask", Key: fmt.Sprint(i), Body: make([]byte, 3000)}}}); err != nil {
			t.Fatal(err)
		}
	}
	shut(t, b)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for size := 4096; size < len(whole)/2; size += 12345 {
		cut := written(t, file(t), whole[:size])
		if b, err := store.Open(cut, store.Options{}); err == nil {
			_ = b.Close()
			t.Errorf("opened %d of %d bytes", size, len(whole))
		} else if !strings.Contains(err.Error(), "put back its last backup") {
			t.Errorf("%d of %d bytes: %v", size, len(whole), err)
		}
	}
}

func TestClose(t *testing.T) {
	t.Parallel()
	path := file(t)
	b := open(t, path, nil)
	var wg sync.WaitGroup
	var mu sync.Mutex
	kept := 0
	for w := range 32 {
		wg.Go(func() {
			for i := 0; ; i++ {
				err := b.Commit(t.Context(), add(fmt.Sprint(w, i)))
				if errors.Is(err, store.ErrClosed) {
					return
				}
				mu.Lock()
				if kept++; err != nil {
					t.Error(err)
				}
				if kept == 500 {
					go shut(t, b)
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	shut(t, b) // twice is fine, and waits for the first
	if _, err := b.Get(t.Context(), "ask", "a"); !errors.Is(err, store.ErrClosed) {
		t.Errorf("get: %v, want ErrClosed", err)
	}
	jobs, _, err := open(t, path, nil).Claim(t.Context(), "deed", "", 1<<20)
	if err != nil || len(jobs) != kept {
		t.Errorf("found %d jobs, %v; %d were kept", len(jobs), err, kept)
	}
}

// When the disk fails, nothing is answered as kept any more.
func TestDiskFails(t *testing.T) {
	t.Parallel()
	var f *os.File
	b, err := store.OpenThrough(file(t), func(name string, flag int, mode os.FileMode) (_ *os.File, err error) {
		f, err = os.OpenFile(name, flag, mode)
		return f, err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = b.Close() }()
	if err := b.Commit(t.Context(), add("a")); err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
	for _, key := range []string{"b", "c", "a"} {
		err := b.Commit(t.Context(), add(key))
		if err == nil || !strings.Contains(err.Error(), "see to the disk, then restart") {
			t.Errorf("%s: %v", key, err)
		}
	}
}

func written(t testing.TB, path string, b []byte) string {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func change(t testing.TB, path string, f func(*bbolt.Tx) error) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, nil)
	if err == nil {
		err = errors.Join(db.Update(f), db.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}

func shut(t testing.TB, b *store.Bolt) {
	if err := b.Close(); err != nil {
		t.Error(err)
	}
}
