package store

import (
	"context"
	"fmt"
	"iter"

	"go.etcd.io/bbolt"
)

// Get loads a document; see [Store].
func (b *Bolt) Get(ctx context.Context, kind, key string) (Doc, error) {
	if err := ctx.Err(); err != nil {
		return Doc{}, err
	}
	var d Doc
	var ok bool
	if err := b.view(func(t *tx) { d, ok = t.doc(kind, key) }); err != nil {
		return Doc{}, err
	}
	if !ok {
		return Doc{}, fmt.Errorf("%w: %s/%s", ErrNone, kind, key)
	}
	return d, nil
}

// List gives a kind's documents in the order of their keys; see [Store].
func (b *Bolt) List(ctx context.Context, kind, index, after string, n int) ([]Doc, error) {
	if err := ctx.Err(); err != nil || n <= 0 {
		return nil, err
	}
	var list []Doc
	err := b.view(func(t *tx) {
		bucket, prefix := docBucket, under(kind)
		if index != "" {
			bucket, prefix = indexBucket, under(kind, index)
		}
		for key := range t.scan(bucket, prefix, after) {
			if len(list) == n {
				return
			}
			d, _ := t.doc(kind, key)
			list = append(list, d)
		}
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// page is how many entries are read in one transaction. A reader that kept one
// open over its caller's work would stop the file from growing, and so a caller
// that commits while it reads.
const page = 256

// Read gives a log's entries from a number on; see [Store].
func (b *Bolt) Read(ctx context.Context, log string, from uint64) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for {
			entries, err := b.entries(ctx, log, from)
			if err != nil {
				yield(Entry{}, err)
				return
			}
			for _, e := range entries {
				if !yield(e, nil) {
					return
				}
				from = e.Seq + 1
			}
			if len(entries) < page {
				return
			}
		}
	}
}

func (b *Bolt) entries(ctx context.Context, log string, from uint64) ([]Entry, error) {
	if err := ctx.Err(); err != nil || log == "" {
		return nil, err
	}
	var entries []Entry
	err := b.view(func(t *tx) {
		bucket := t.bucket(logBucket).Bucket([]byte(log))
		if bucket == nil {
			return
		}
		c := bucket.Cursor()
		for k, v := c.Seek([]byte(number(from))); k != nil && len(entries) < page; k, v = c.Next() {
			e, err := decodeEntry(log, k, v)
			t.failed("log", log, fmt.Sprint(e.Seq), err)
			entries = append(entries, e)
		}
	})
	return entries, err
}

func (t *tx) doc(kind, key string) (Doc, bool) {
	v := t.get(docBucket, under(kind)+key)
	if v == nil {
		return Doc{}, false
	}
	d, err := decodeDoc(kind, key, v)
	t.failed("doc", kind, key, err)
	return d, true
}

// rev is a document's revision, 0 if there is none.
func (t *tx) rev(kind, key string) uint64 {
	r := reader{rest: t.get(docBucket, under(kind)+key)}
	return r.uint()
}

func (t *tx) putDoc(d Doc) {
	old, _ := t.doc(d.Kind, d.Key)
	for _, i := range old.Index {
		t.delete(indexBucket, under(d.Kind, i)+d.Key)
	}
	if d.Body == nil {
		t.delete(docBucket, under(d.Kind)+d.Key)
		return
	}
	for _, i := range d.Index {
		t.put(indexBucket, under(d.Kind, i)+d.Key, nil)
	}
	d.Rev++
	t.put(docBucket, under(d.Kind)+d.Key, encodeDoc(d))
}

func (t *tx) append(e Entry) {
	if t.err != nil {
		return
	}
	t.wrote = true
	var bucket *bbolt.Bucket
	if bucket, t.err = t.bucket(logBucket).CreateBucketIfNotExists([]byte(e.Log)); t.err != nil {
		return
	}
	bucket.FillPercent = 1 // only ever written at its end
	var seq uint64
	if seq, t.err = bucket.NextSequence(); t.err != nil {
		return
	}
	e.At = or(e.At, t.now)
	t.err = bucket.Put([]byte(number(seq)), encodeEntry(e))
}
