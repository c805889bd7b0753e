package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"sync"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// format is the version of what lies in the file. A newer one is refused: an
// older pagbot would not understand it and might lose what it does not know.
const format = 1

// Options of a store.
type Options struct {
	// Now is the store's clock, by default time.Now.
	Now func() time.Time

	// Lease is how long a claimed job is its claimer's, by default 2 minutes.
	Lease time.Duration

	// Remember names the lanes that refuse a key for 24 h after it was done.
	Remember []string

	noSync   bool // for the tests that prove that they would notice
	openFile func(string, int, os.FileMode) (*os.File, error)
}

// Bolt is the store in one bbolt file, for one process.
type Bolt struct {
	db       *bbolt.DB
	path     string
	now      func() time.Time
	lease    time.Duration
	remember []string

	requests chan *request // to the writer, see commit.go
	idle     chan struct{} // closed when the writer has ended

	door   sync.Mutex // guards closed, and inside against it
	closed bool
	inside sync.WaitGroup // calls under way
	once   sync.Once      // closes
	fault  error          // in closing
}

var _ Store = (*Bolt)(nil)

// Open opens the store in a file, which it creates if there is none. Jobs that
// an earlier process had claimed can be claimed again at once: only one process
// has the file, so that one is gone.
func Open(path string, o Options) (*Bolt, error) {
	b := &Bolt{
		path: path, now: o.Now, lease: o.Lease, remember: slices.Clone(o.Remember),
		requests: make(chan *request), idle: make(chan struct{}),
	}
	if b.now == nil {
		b.now = time.Now
	}
	if b.lease <= 0 {
		b.lease = 2 * time.Minute
	}
	if err := b.guard(func() error { return b.open(o) }); err != nil {
		return nil, err
	}
	go b.write()
	return b, nil
}

// Close waits for the calls under way and closes the file.
func (b *Bolt) Close() error {
	b.once.Do(func() {
		b.door.Lock()
		b.closed = true
		b.door.Unlock()

		b.inside.Wait()
		close(b.requests)
		<-b.idle
		b.fault = b.db.Close()
	})
	return b.fault
}

// enter counts a call as under way; who enters leaves by b.inside.Done.
func (b *Bolt) enter() error {
	b.door.Lock()
	defer b.door.Unlock()
	if b.closed {
		return ErrClosed
	}
	b.inside.Add(1)
	return nil
}

// open opens the file and makes it ready.
func (b *Bolt) open(o Options) (err error) {
	defer func() {
		if err != nil && b.db != nil {
			_ = b.db.Close()
		}
	}()
	_, missing := os.Stat(b.path)
	b.db, err = bbolt.Open(b.path, 0o600, &bbolt.Options{
		Timeout: time.Second, FreelistType: bbolt.FreelistMapType, NoSync: o.noSync, OpenFile: o.openFile,
	})
	if err != nil {
		return b.explain(err)
	}
	if err := b.prepare(); err != nil {
		return err
	}
	if missing != nil { // else a power cut could take the new file's name
		return syncDir(filepath.Dir(b.path))
	}
	return nil
}

// guard runs what touches the file. A damaged one makes bbolt panic or read
// beyond its end; both become an error that says what to do.
func (b *Bolt) guard(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			err = b.damaged(fmt.Errorf("%v", r))
		}
	}()
	return f()
}

// explain says what to do about a file that does not open.
func (b *Bolt) explain(err error) error {
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return fmt.Errorf("store: %s is in use by another process: stop that one, or give this one a file of its own", b.path)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("store: the folder of %s does not exist: create it, or correct the path", b.path)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("store: %w: let this user read and write the file and its folder", err)
	case errors.As(err, new(*fs.PathError)), errors.As(err, new(syscall.Errno)):
		return fmt.Errorf("store: %s does not open: %w", b.path, err)
	}
	return b.damaged(err) // all else that bbolt minds is in the file
}

func (b *Bolt) damaged(err error) error {
	return fmt.Errorf("store: %s is damaged or no database of pagbot (%w): put back its last backup; without one move it away, and pagbot starts empty", b.path, err)
}

// prepare brings the file to this version's shape and frees old claims.
func (b *Bolt) prepare() error {
	btx, err := b.db.Begin(true)
	if err != nil {
		return fmt.Errorf("store: %s: %w", b.path, err)
	}
	defer func() { _ = btx.Rollback() }()
	if err := b.whole(btx); err != nil {
		return err
	}
	if err := b.accept(btx); err != nil {
		return err
	}
	for _, name := range buckets {
		if _, err := btx.CreateBucketIfNotExists([]byte(name)); err != nil {
			return fmt.Errorf("store: %s: %w", b.path, err)
		}
	}
	t := b.begin(btx)
	t.loseLeases()
	if t.err != nil {
		return b.damaged(t.err)
	}
	return btx.Commit()
}

// whole notices a file that was cut short, by a copy that did not finish.
func (b *Bolt) whole(btx *bbolt.Tx) error {
	info, err := os.Stat(b.path)
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	if info.Size() < btx.Size() {
		return b.damaged(fmt.Errorf("%d bytes long, should have %d", info.Size(), btx.Size()))
	}
	return nil
}

// accept checks the format version, and writes it into a new file.
func (b *Bolt) accept(btx *bbolt.Tx) error {
	meta := btx.Bucket([]byte(metaBucket))
	if meta == nil {
		if first, _ := btx.Cursor().First(); first != nil {
			return b.damaged(errors.New("it holds something else"))
		}
		var err error
		if meta, err = btx.CreateBucket([]byte(metaBucket)); err != nil {
			return fmt.Errorf("store: %s: %w", b.path, err)
		}
		return meta.Put([]byte("format"), []byte(number(format)))
	}
	v := meta.Get([]byte("format"))
	if len(v) != 8 {
		return b.damaged(errors.New("no format version"))
	}
	if n := binary.BigEndian.Uint64(v); n > format {
		return fmt.Errorf("store: %s was written by a newer pagbot (format %d, this one knows %d): run that one, or put back a backup from before the upgrade", b.path, n, format)
	}
	return nil
}

// syncDir makes the names in a folder durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	defer func() { _ = d.Close() }()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	return nil
}
