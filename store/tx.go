package store

import (
	"bytes"
	"fmt"
	"iter"
	"slices"
	"time"

	"go.etcd.io/bbolt"
)

// The buckets, and what is in them.
const (
	metaBucket  = "meta"   // format → version
	docBucket   = "docs"   // kind, key → Doc
	indexBucket = "index"  // kind, index, key → nothing
	logBucket   = "logs"   // log → a bucket of seq → Entry
	jobBucket   = "jobs"   // lane, key → row
	dueBucket   = "due"    // lane, time, added → key: what can be claimed from when
	untilBucket = "until"  // lane, time, added → key: whose waiting ends when
	lineBucket  = "line"   // lane, order, claimed first, added → key: who is next
	waitBucket  = "wait"   // wait, lane, key → nothing
	doneBucket  = "done"   // lane, key → when it was done
	fadeBucket  = "fading" // when it was done, lane, key → nothing
)

var buckets = []string{docBucket, indexBucket, logBucket, jobBucket, dueBucket, untilBucket, lineBucket, waitBucket, doneBucket, fadeBucket}

// tx is one transaction at one moment. The first failure sticks in err: from
// then on nothing is written, and the whole transaction is thrown away. That is
// for broken disks and damaged files; refusing a turn is not a failure.
type tx struct {
	b     *Bolt
	btx   *bbolt.Tx
	now   time.Time
	open  map[string]*bbolt.Bucket
	wrote bool
	err   error
}

func (b *Bolt) begin(btx *bbolt.Tx) *tx {
	return &tx{b: b, btx: btx, now: moment(b.now()), open: make(map[string]*bbolt.Bucket, len(buckets))}
}

// view runs a reader on what is committed.
func (b *Bolt) view(read func(*tx)) error {
	if err := b.enter(); err != nil {
		return err
	}
	defer b.inside.Done()
	return b.guard(func() error {
		return b.db.View(func(btx *bbolt.Tx) error {
			t := b.begin(btx)
			read(t)
			return t.err
		})
	})
}

func (t *tx) bucket(name string) *bbolt.Bucket {
	if t.open[name] == nil {
		t.open[name] = t.btx.Bucket([]byte(name))
	}
	return t.open[name]
}

func (t *tx) get(bucket, key string) []byte {
	return t.bucket(bucket).Get([]byte(key))
}

func (t *tx) put(bucket, key string, value []byte) {
	t.wrote = true
	if t.err == nil {
		t.err = t.bucket(bucket).Put([]byte(key), value)
	}
}

func (t *tx) delete(bucket, key string) {
	t.wrote = true
	if t.err == nil {
		t.err = t.bucket(bucket).Delete([]byte(key))
	}
}

// failed notes a record that cannot be read.
func (t *tx) failed(what, a, b string, err error) {
	if err != nil && t.err == nil {
		t.err = fmt.Errorf("store: %s: %s %s/%s: %w", t.b.path, what, a, b, err)
	}
}

// scan gives the keys under a prefix, without it, and their values, from the
// first that is after a key. The bucket must not change meanwhile.
func (t *tx) scan(bucket, prefix, after string) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		c, p, start := t.bucket(bucket).Cursor(), []byte(prefix), []byte(prefix+after)
		k, v := c.Seek(start)
		if after != "" && bytes.Equal(k, start) {
			k, v = c.Next()
		}
		for ; k != nil && bytes.HasPrefix(k, p); k, v = c.Next() {
			if !yield(string(k[len(p):]), v) {
				return
			}
		}
	}
}

// first gives the first key under a prefix, without it.
func (t *tx) first(bucket, prefix string) (rest string, value []byte, ok bool) {
	for k, v := range t.scan(bucket, prefix, "") {
		return k, v, true
	}
	return "", nil, false
}

// admit says whether a turn can be kept, and changes nothing.
func (t *tx) admit(turn Turn) error {
	for _, d := range turn.Docs {
		if rev := t.rev(d.Kind, d.Key); rev != d.Rev {
			return fmt.Errorf("%w: doc %s/%s is at revision %d, not %d", ErrStale, d.Kind, d.Key, rev, d.Rev)
		}
	}
	for _, j := range slices.Concat(turn.Done, turn.Defer) {
		if err := t.held(j); err != nil {
			return err
		}
	}
	done := set{}
	for _, j := range turn.Done {
		done[under(j.Lane, j.Key)] = true
	}
	for _, j := range turn.Add {
		if t.known(j, done[under(j.Lane, j.Key)]) {
			return fmt.Errorf("%w: job %s/%s", ErrKept, j.Lane, j.Key)
		}
	}
	return nil
}

// keep writes a turn that was admitted. Release comes last: after the turn no
// job waits for a name that it released.
func (t *tx) keep(turn Turn) {
	for _, d := range turn.Docs {
		t.putDoc(d)
	}
	for _, e := range turn.Log {
		t.append(e)
	}
	for _, j := range turn.Done {
		t.done(j)
	}
	for _, j := range turn.Defer {
		t.postpone(j)
	}
	for _, j := range turn.Replace {
		t.replace(j)
	}
	for _, j := range turn.Add {
		t.add(j)
	}
	for _, name := range turn.Release {
		t.release(name)
	}
}
