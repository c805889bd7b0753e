package store_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"sync"
	"testing"

	"pagbot/store"
)

// The child of the crash tests is this test binary again: some writers that
// each commit turn after turn and say so once a turn was answered.
const (
	childFile    = "STORE_CHILD_FILE"
	childTurns   = "STORE_CHILD_TURNS"
	childNoSync  = "STORE_CHILD_NOSYNC"
	childWriters = 4
)

func TestMain(m *testing.M) {
	if path := os.Getenv(childFile); path != "" {
		if err := child(path, os.Getenv(childNoSync) != ""); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func child(path string, unsynced bool) error {
	open := store.Open
	if unsynced {
		open = store.Unsynced
	}
	b, err := open(path, store.Options{})
	if err != nil {
		return err
	}
	turns := 1 << 30
	if s := os.Getenv(childTurns); s != "" {
		_, _ = fmt.Sscan(s, &turns)
	}
	faults := make([]error, childWriters)
	var wg sync.WaitGroup
	for w := range childWriters {
		wg.Go(func() { faults[w] = childWriter(b, w, turns) })
	}
	wg.Wait()
	return errors.Join(append(faults, b.Close())...)
}

// childWriter writes turns of many parts, which must not come apart.
func childWriter(b *store.Bolt, w, turns int) error {
	name, ctx := fmt.Sprint(w), context.Background()
	d, err := b.Get(ctx, "count", name)
	if err != nil && !errors.Is(err, store.ErrNone) {
		return err
	}
	for rev := d.Rev; turns > 0; turns-- {
		next := store.Turn{
			Docs: []store.Doc{{Kind: "count", Key: name, Rev: rev, Body: []byte("x")}},
			Log:  []store.Entry{{Log: name, Body: make([]byte, rand.IntN(500))}},
			Add:  []store.Job{{Lane: name, Key: fmt.Sprint(rev + 1)}},
		}
		if err := b.Commit(ctx, next); err != nil {
			return err
		}
		rev++
		if _, err := fmt.Printf("%d %d\n", w, rev); err != nil {
			return err
		}
	}
	return nil
}

// check opens a file that a crash left and compares it with what was answered:
// all of that must be there, at most the turns that were under way besides.
func check(path string, acked [childWriters]uint64) error {
	b, err := store.Unsynced(path, store.Options{})
	if err != nil {
		return err
	}
	defer func() { _ = b.Close() }()
	for w := range childWriters {
		name, ctx := fmt.Sprint(w), context.Background()
		d, err := b.Get(ctx, "count", name)
		if err != nil && !errors.Is(err, store.ErrNone) {
			return err
		}
		if d.Rev < acked[w] || d.Rev > acked[w]+1 {
			return fmt.Errorf("writer %d: found %d turns, %d were answered", w, d.Rev, acked[w])
		}
		lines := uint64(0)
		for e, err := range b.Read(ctx, name, 1) {
			if lines++; err != nil || e.Seq != lines {
				return fmt.Errorf("writer %d: entry %d has number %d, %v", w, lines, e.Seq, err)
			}
		}
		jobs, _, err := b.Claim(ctx, name, "", 1<<20)
		if err != nil || uint64(len(jobs)) != d.Rev || lines != d.Rev {
			return fmt.Errorf("writer %d: at turn %d there are %d entries and %d jobs, %v", w, d.Rev, lines, len(jobs), err)
		}
	}
	return nil
}

func childCommand(t *testing.T, path string, more ...string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe)
	cmd.Env = append(append(os.Environ(), childFile+"="+path), more...)
	cmd.Stderr = os.Stderr
	return cmd
}

// TestKill kills a writing process again and again, always on the same file.
// (It cannot show that anything was synced: the kernel outlives the process.
// For that there is TestPowerLoss.)
func TestKill(t *testing.T) {
	t.Parallel()
	kills := 60
	if testing.Short() {
		kills = 10
	}
	path := file(t)
	var acked [childWriters]uint64
	for range kills {
		killOnce(t, path, &acked)
		// The check claims jobs, as a recovering process would; it must not
		// touch the file that goes on.
		if err := check(copied(t, path), acked); err != nil {
			t.Fatal(err)
		}
		acked = found(t, path)
	}
	t.Logf("%d kills, turns answered: %v", kills, acked)
}

// killOnce lets a child write until it has said some turns, kills it, and notes
// all that it said.
func killOnce(t *testing.T, path string, acked *[childWriters]uint64) {
	t.Helper()
	cmd := childCommand(t, path)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	for left := 1 + rand.IntN(100); ; left-- {
		line, err := lines.ReadString('\n')
		if err != nil {
			break // what it did not finish to say, it did not say
		}
		note(t, line, acked)
		if left == 0 {
			_ = cmd.Process.Kill()
		}
	}
	_ = cmd.Wait()
}

func note(t *testing.T, line string, acked *[childWriters]uint64) {
	t.Helper()
	var w int
	var n uint64
	if _, err := fmt.Sscan(line, &w, &n); err != nil {
		t.Fatalf("the child said %q", line)
	}
	acked[w] = n
}

func found(t *testing.T, path string) (revs [childWriters]uint64) {
	t.Helper()
	b := open(t, path, nil)
	defer shut(t, b)
	for w := range childWriters {
		d, err := b.Get(t.Context(), "count", fmt.Sprint(w))
		if err != nil && !errors.Is(err, store.ErrNone) {
			t.Fatal(err)
		}
		revs[w] = d.Rev
	}
	return revs
}

func copied(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return written(t, file(t), b)
}
