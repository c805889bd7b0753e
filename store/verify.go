package store

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// VerifyAudit reads a whole trail and says where the first line stands that is
// not as it was written: changed, moved, added, or missing one before it. Half
// a line at the very end is what a crash leaves, and is no fault.
func VerifyAudit(dir string) error {
	names, err := segments(dir)
	if err != nil {
		return err
	}
	v := verifier{prev: first}
	for i, name := range names {
		if err := v.segment(filepath.Join(dir, name), i == len(names)-1); err != nil {
			return err
		}
	}
	return nil
}

// segments gives a folder's segments, the oldest first.
func segments(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	var names []string // in order: their numbers have leading zeroes
	for _, e := range entries {
		if filepath.Ext(e.Name()) == segmentExt {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// verifier remembers the line before.
type verifier struct {
	seq  uint64
	prev string
}

func (v *verifier) segment(path string, last bool) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	defer func() { _ = f.Close() }()
	r := bufio.NewReader(f)
	for n := 1; ; n++ {
		text, err := r.ReadBytes('\n')
		switch {
		case err == io.EOF && (len(text) == 0 || last):
			return nil
		case err == io.EOF:
			err = errors.New("it has no end")
		case err == nil:
			err = v.line(text[:len(text)-1])
		}
		if err != nil {
			return fmt.Errorf("audit: %s, line %d: %w", path, n, err)
		}
	}
}

func (v *verifier) line(text []byte) error {
	l, err := parseLine(text)
	switch {
	case err != nil:
		return err
	case l.Seq != v.seq+1:
		return fmt.Errorf("number %d follows %d: lines are missing", l.Seq, v.seq)
	case l.Prev != v.prev:
		return fmt.Errorf("the line before %d is not as it was written", l.Seq)
	}
	v.seq, v.prev = l.Seq, sum(text)
	return nil
}
