package store_test

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestPowerLoss cuts the power at every few of a child's system calls: what was
// synced is on the disk, of what was written since a random half of the pages.
// Each such image must open and hold all that the child had said by then.
func TestPowerLoss(t *testing.T) {
	t.Parallel()
	trace := traced(t)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	chance := rand.New(rand.NewPCG(seed, 0))
	images, failures := cutPower(t, trace, 3, func() bool { return chance.IntN(2) == 0 })
	if images < 100 {
		t.Fatalf("only %d images: is the trace read right?", images)
	}
	for _, err := range failures[:min(3, len(failures))] {
		t.Error(err)
	}
	t.Logf("%d images, %d bad", images, len(failures))
}

// TestPowerLossIsNoticed: without syncs the same test must fail, even if what
// was never synced is lost tidily, all of it.
func TestPowerLossIsNoticed(t *testing.T) {
	t.Parallel()
	images, failures := cutPower(t, traced(t, childNoSync+"=1"), 10, func() bool { return false })
	if len(failures) == 0 {
		t.Fatalf("%d images of a store that does not sync are all good", images)
	}
	t.Logf("%d images, %d bad, such as: %v", images, len(failures), failures[0])
}

// call is what a system call did to the file, or what the child said.
type call struct {
	at   int64
	data []byte // written there
	cut  bool   // the file was made at long
	sync bool
	said string
}

var traceLine = regexp.MustCompile(`(pwrite64|write|ftruncate)\(\d+<([^>]*)>, (?:"", \d+(?:, (\d+))?|(\d+))|(fdatasync|fsync)\(\d+<([^>]*)>\) += 0|(fdatasync|fsync)\(\d+<([^>]*)> <unfinished|<\.\.\. (fdatasync|fsync) resumed>\) += 0`)

// traced runs a child under strace and gives what it did, in order.
func traced(t *testing.T, env ...string) []call {
	t.Helper()
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is not installed: no power-loss images (apt-get install strace)")
	}
	path := file(t)
	log := filepath.Join(filepath.Dir(path), "trace")
	cmd := childCommand(t, path, append(env, childTurns+"=30")...)
	cmd.Args = append([]string{strace, "-f", "-y", "-xx", "-s", "8000000", "-o", log, "-e", "trace=pwrite64,fdatasync,fsync,ftruncate,write"}, cmd.Path)
	cmd.Path = strace
	if out, err := cmd.Output(); err != nil {
		t.Skipf("strace cannot trace here: %v %s", err, out)
	}
	f, err := os.Open(log)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 64<<20)
	var calls []call
	syncing := false // a sync of the database has begun and not ended
	for lines.Scan() {
		if c, ok := parse(t, lines.Text(), path, &syncing); ok {
			calls = append(calls, c)
		}
	}
	if lines.Err() != nil {
		t.Fatal(lines.Err())
	}
	return calls
}

// parse reads a line of the trace. Only one goroutine writes to the file, so
// that its calls do not overlap; a write counts when it begins, a sync when it
// has ended.
func parse(t *testing.T, line, path string, syncing *bool) (call, bool) {
	// What is written is megabytes of hex, which the expression need not see.
	head, rest, _ := strings.Cut(line, `, "`)
	data, tail, written := strings.Cut(rest, `"`)
	if written {
		line = head + `, ""` + tail
	}
	m := traceLine.FindStringSubmatch(line)
	if m == nil {
		return call{}, false
	}
	ours := func(s string) bool { return text(t, s) == path }
	switch {
	case m[1] == "write" && strings.HasPrefix(text(t, m[2]), "pipe:"):
		return call{said: text(t, data)}, true
	case m[1] == "pwrite64" && ours(m[2]):
		at, _ := strconv.ParseInt(m[3], 10, 64)
		return call{at: at, data: []byte(text(t, data))}, true
	case m[1] == "ftruncate" && ours(m[2]):
		at, _ := strconv.ParseInt(m[4], 10, 64)
		return call{at: at, cut: true}, true
	case m[5] != "" && ours(m[6]):
		return call{sync: true}, true
	case m[7] != "" && ours(m[8]):
		*syncing = true
	case m[9] != "" && *syncing:
		*syncing = false
		return call{sync: true}, true
	}
	return call{}, false
}

// text undoes strace's -xx.
func text(t *testing.T, s string) string {
	t.Helper()
	if !strings.HasPrefix(s, `\x`) {
		return s
	}
	b, err := hex.DecodeString(strings.ReplaceAll(s, `\x`, ""))
	if err != nil {
		t.Fatalf("trace: %v", err)
	}
	return string(b)
}

// cutPower makes an image after every few calls and checks it. It begins with
// the first sync: before that there is no database, and nothing was said.
func cutPower(t *testing.T, calls []call, every int, survives func() bool) (images int, failures []error) {
	t.Helper()
	dir := t.TempDir()
	var disk []byte
	var since []call
	var acked [childWriters]uint64
	synced := false
	for i, c := range calls {
		switch {
		case c.said != "":
			note(t, c.said, &acked)
		case c.sync:
			for _, c := range since {
				disk = written4k(disk, c, func() bool { return true })
			}
			since, synced = nil, true
		default:
			since = append(since, c)
		}
		if !synced || i%every != 0 {
			continue
		}
		image := bytes.Clone(disk)
		for _, c := range since {
			image = written4k(image, c, survives)
		}
		images++
		if err := check(written(t, filepath.Join(dir, fmt.Sprint(i)), image), acked); err != nil {
			failures = append(failures, fmt.Errorf("power cut after call %d: %w", i, err))
		}
		_ = os.Remove(filepath.Join(dir, fmt.Sprint(i)))
	}
	return images, failures
}

// written4k does a call to an image, those pages of it that survive.
func written4k(image []byte, c call, survives func() bool) []byte {
	if c.cut {
		return sized(image, int(c.at))
	}
	const page = 4096
	for off := 0; off < len(c.data); off += page {
		end := min(off+page, len(c.data))
		if survives() {
			at := int(c.at) + off
			image = sized(image, max(len(image), at+end-off))
			copy(image[at:], c.data[off:end])
		}
	}
	return image
}

func sized(b []byte, n int) []byte {
	if n <= len(b) {
		return b[:n]
	}
	return append(b, make([]byte, n-len(b))...)
}
