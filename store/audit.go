package store

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// segmentSize is how long a segment may get before the next one begins.
const segmentSize = 16 << 20

const segmentExt = ".jsonl"

// Audit is the audit trail: a log of the store once more, as files for people
// and their tools, that nothing in pagbot reads.
//
// A folder holds segments of JSON lines, named by the first line's number and
// day; a day or 16 MiB ends one. Each line carries the SHA-256 of the line
// before it, over all segments, so that none can be changed or taken out unseen
// ([VerifyAudit]). Lines cut off at the end show only against the store's log,
// or against a hash that was noted elsewhere.
//
// The trail is its own cursor: its last line says how far it got. So it misses
// nothing that the store kept, and repeats nothing, wherever a crash comes.
type Audit struct {
	dir   string
	limit int64
	file  *os.File // the last segment; nil before the first line
	size  int64
	last  line
	sum   string // of the last line
	fault error  // a write failed: what is on the disk is not known
}

// line is a line of the trail. Its fields are for ever.
type line struct {
	Seq  uint64          `json:"seq"`
	At   time.Time       `json:"at"`
	Prev string          `json:"prev"`           // SHA-256 of the line before, without its line end
	Body json.RawMessage `json:"body,omitempty"` // the entry's body if it is JSON
	Raw  []byte          `json:"raw,omitempty"`  // else this, in base64
}

// first is what the first line has for the hash of the one before.
var first = hex.EncodeToString(make([]byte, sha256.Size))

func sum(text []byte) string {
	s := sha256.Sum256(text)
	return hex.EncodeToString(s[:])
}

// OpenAudit opens the trail in a folder, which it creates if there is none. Half
// a line at the end, which a crash left, is cut off: it will be written again.
func OpenAudit(dir string) (*Audit, error) {
	a := &Audit{dir: dir, limit: segmentSize, sum: first}
	if err := os.Mkdir(dir, 0o700); err == nil {
		if err := syncDir(filepath.Dir(dir)); err != nil {
			return nil, err
		}
	} else if !errors.Is(err, os.ErrExist) {
		return nil, fmt.Errorf("audit: %w: create the folder, or let this user do so", err)
	}
	names, err := segments(dir)
	if err != nil {
		return nil, err
	}
	for len(names) > 0 && a.file == nil {
		if err := a.resume(filepath.Join(dir, names[len(names)-1])); err != nil {
			return nil, err
		}
		names = names[:len(names)-1]
	}
	return a, nil
}

// Close closes the trail's file.
func (a *Audit) Close() error {
	if a.file == nil {
		return nil
	}
	return a.file.Close()
}

// Head is the number and the hash of the last line: what to note elsewhere.
func (a *Audit) Head() (seq uint64, hash string) { return a.last.Seq, a.sum }

// resume takes up a segment at its end. One without a whole line is removed.
func (a *Audit) resume(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND, 0)
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	text, size, err := tail(f)
	switch {
	case err != nil:
	case text == nil:
		return errors.Join(f.Close(), os.Remove(path), syncDir(a.dir))
	default:
		a.last, err = parseLine(text)
	}
	if err == nil {
		err = errors.Join(f.Truncate(size), f.Sync())
	}
	if err != nil {
		_ = f.Close()
		return fmt.Errorf("audit: the end of %s cannot be read (%w): keep the folder for whoever looks into it, but move it away; a new trail then begins from the whole log", path, err)
	}
	a.file, a.size, a.sum = f, size, sum(text)
	return nil
}

// tail gives a file's last whole line, nil if there is none, and where it ends.
func tail(f *os.File) (text []byte, size int64, err error) {
	info, err := f.Stat()
	if err != nil {
		return nil, 0, err
	}
	for back := int64(64 << 10); ; back *= 4 {
		from := max(0, info.Size()-back)
		b := make([]byte, info.Size()-from)
		if _, err := f.ReadAt(b, from); err != nil && err != io.EOF {
			return nil, 0, err
		}
		end := bytes.LastIndexByte(b, '\n')
		begin := bytes.LastIndexByte(b[:max(0, end)], '\n')
		switch {
		case end >= 0 && (begin >= 0 || from == 0):
			return b[begin+1 : end], from + int64(end) + 1, nil
		case from == 0:
			return nil, 0, nil
		}
	}
}

func parseLine(text []byte) (line, error) {
	var l line
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&l); err != nil {
		return line{}, fmt.Errorf("not a line of the trail: %w", err)
	}
	return l, nil
}

// Follow writes the log's entries to the trail, those that there are and then,
// each time it is woken, those that have come. It ends with ctx or, after a last
// look, when wake is closed, and then without an error.
func (a *Audit) Follow(ctx context.Context, s Store, log string, wake <-chan struct{}) error {
	if err := a.agree(ctx, s, log); err != nil {
		return ended(ctx, err)
	}
	for open := true; ; {
		if err := a.catchUp(ctx, s, log); err != nil || !open {
			return ended(ctx, err)
		}
		select {
		case <-ctx.Done():
			return nil
		case _, open = <-wake:
		}
	}
}

func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil
	}
	return err
}

// agree wants the trail's last line to be an entry of this log. It is not if the
// store is an older copy, put back: what it then goes on to log would never
// reach the trail, or contradict it.
func (a *Audit) agree(ctx context.Context, s Store, log string) error {
	if a.last.Seq == 0 {
		return nil
	}
	for e, err := range s.Read(ctx, log, a.last.Seq) {
		if err != nil {
			return err
		}
		if text, err := a.render(e, a.last.Prev); err == nil && e.Seq == a.last.Seq && sum(text) == a.sum {
			return nil
		}
		break
	}
	return fmt.Errorf("audit: the last line of %s, %d, is not in the store's log: is the database an older copy? Rename the folder and keep it; a new trail then begins from the whole log", a.dir, a.last.Seq)
}

// catchUp writes what the trail lacks, a batch at a time.
func (a *Audit) catchUp(ctx context.Context, s Store, log string) error {
	var batch []Entry
	for e, err := range s.Read(ctx, log, a.last.Seq+1) {
		if err != nil {
			return err
		}
		if batch = append(batch, e); len(batch) == page {
			if err := a.write(batch); err != nil {
				return err
			}
			batch = batch[:0]
		}
	}
	return a.write(batch)
}

// write appends entries and waits for the disk.
func (a *Audit) write(batch []Entry) error {
	if a.fault != nil || len(batch) == 0 {
		return a.fault
	}
	if err := a.append(batch); err != nil {
		a.fault = fmt.Errorf("audit: %s could not be written (%w): see to the disk, then restart pagbot", a.dir, err)
	}
	return a.fault
}

func (a *Audit) append(batch []Entry) error {
	var out *bufio.Writer
	for _, e := range batch {
		text, err := a.render(e, a.sum)
		if err != nil {
			return err
		}
		if a.file == nil || a.size >= a.limit || day(e.At) != day(a.last.At) {
			if err := a.finish(out); err != nil {
				return err
			}
			if out, err = nil, a.begin(e); err != nil {
				return err
			}
		}
		if out == nil {
			out = bufio.NewWriterSize(a.file, 1<<20)
		}
		if _, err := out.Write(append(text, '\n')); err != nil {
			return err
		}
		a.size += int64(len(text)) + 1
		a.last, a.sum = line{Seq: e.Seq, At: e.At, Prev: a.sum}, sum(text)
	}
	return a.finish(out)
}

// finish puts on the disk what was written to the segment.
func (a *Audit) finish(out *bufio.Writer) error {
	if out == nil {
		return nil
	}
	return errors.Join(out.Flush(), a.file.Sync())
}

// begin begins a segment with an entry.
func (a *Audit) begin(e Entry) error {
	if err := a.Close(); err != nil {
		return err
	}
	name := fmt.Sprintf("%012d-%s%s", e.Seq, day(e.At), segmentExt)
	f, err := os.OpenFile(filepath.Join(a.dir, name), os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	a.file, a.size = f, 0
	return syncDir(a.dir)
}

// render makes an entry a line; equal entries make equal lines.
func (a *Audit) render(e Entry, prev string) ([]byte, error) {
	l := line{Seq: e.Seq, At: e.At, Prev: prev}
	if json.Valid(e.Body) {
		l.Body = e.Body
	} else {
		l.Raw = e.Body
	}
	return json.Marshal(l)
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }
