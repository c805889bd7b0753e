package store

import (
	"encoding/binary"
	"errors"
	"strings"
	"time"
)

// What lies in the database, byte by byte. A change here is a new format
// version (see bolt.go).

// sep ends each part of a composed key. Names hold none, so that keys sort as
// their parts do and under(a) is a prefix of exactly what belongs to a.
const sep = "\x00"

func under(parts ...string) string {
	return strings.Join(parts, sep) + sep
}

// instant is a time as eight bytes that sort as time does.
func instant(t time.Time) string {
	return number(uint64(t.UnixMicro()) ^ 1<<63)
}

func instantFrom(b []byte) time.Time {
	return time.UnixMicro(int64(binary.BigEndian.Uint64(b) ^ 1<<63)).UTC()
}

func number(n uint64) string {
	return string(binary.BigEndian.AppendUint64(nil, n))
}

// writer appends values, each of which says how long it is.
type writer []byte

func (w *writer) uint(n uint64)    { *w = binary.AppendUvarint(*w, n) }
func (w *writer) time(t time.Time) { *w = binary.AppendVarint(*w, t.UnixMicro()) }
func (w *writer) text(s string)    { w.uint(uint64(len(s))); *w = append(*w, s...) }
func (w *writer) bytes(b []byte)   { w.uint(uint64(len(b))); *w = append(*w, b...) }

// reader takes them off again; after the first that does not fit, all are zero.
type reader struct {
	rest []byte
	bad  bool
}

var errDamaged = errors.New("a record is damaged")

func (r *reader) took(n int) bool {
	if n <= 0 || n > len(r.rest) {
		r.rest, r.bad = nil, true
		return false
	}
	r.rest = r.rest[n:]
	return true
}

func (r *reader) uint() uint64 {
	v, n := binary.Uvarint(r.rest)
	r.took(n)
	return v
}

func (r *reader) time() time.Time {
	v, n := binary.Varint(r.rest)
	if !r.took(n) {
		return time.Time{}
	}
	return time.UnixMicro(v).UTC()
}

// bytes copies: what bbolt hands out is valid only within its transaction.
func (r *reader) bytes() []byte {
	n := r.uint()
	if n > uint64(len(r.rest)) {
		r.rest, r.bad = nil, true
		return nil
	}
	b := append([]byte{}, r.rest[:n]...)
	r.rest = r.rest[n:]
	return b
}

func (r *reader) text() string { return string(r.bytes()) }

func (r *reader) err() error {
	if r.bad || len(r.rest) > 0 {
		return errDamaged
	}
	return nil
}

func encodeDoc(d Doc) []byte {
	var w writer
	w.uint(d.Rev)
	w.uint(uint64(len(d.Index)))
	for _, i := range d.Index {
		w.text(i)
	}
	w.bytes(d.Body)
	return w
}

func decodeDoc(kind, key string, b []byte) (Doc, error) {
	r := reader{rest: b}
	d := Doc{Kind: kind, Key: key, Rev: r.uint()}
	for n := r.uint(); n > 0 && !r.bad; n-- {
		d.Index = append(d.Index, r.text())
	}
	d.Body = r.bytes()
	return d, r.err()
}

func encodeEntry(e Entry) []byte {
	var w writer
	w.time(e.At)
	w.bytes(e.Body)
	return w
}

func decodeEntry(log string, seq, b []byte) (Entry, error) {
	if len(seq) != 8 {
		return Entry{}, errDamaged
	}
	r := reader{rest: b}
	e := Entry{Log: log, Seq: binary.BigEndian.Uint64(seq), At: r.time(), Body: r.bytes()}
	return e, r.err()
}

func encodeRow(j row) []byte {
	var w writer
	w.uint(uint64(j.state))
	w.uint(j.added)
	w.time(j.lease)
	w.text(j.Order)
	w.text(j.Wait)
	w.time(j.Due)
	w.time(j.Until)
	w.uint(uint64(j.Tries))
	w.uint(j.Fence)
	w.bytes(j.Body)
	return w
}

func decodeRow(lane, key string, b []byte) (row, error) {
	r := reader{rest: b}
	j := row{state: state(r.uint()), added: r.uint(), lease: r.time()}
	j.Lane, j.Key = lane, key
	j.Order, j.Wait = r.text(), r.text()
	j.Due, j.Until = r.time(), r.time()
	j.Tries, j.Fence = int(r.uint()), r.uint()
	j.Body = r.bytes()
	return j, r.err()
}
