// Package store remembers. It keeps documents, logs and jobs behind one small
// port, [Store], and implements it with bbolt, [Bolt], for a bot that runs on
// one machine. Beside the database lies the audit trail, [Audit]: plain files
// that need no pagbot to be read.
//
// A [Turn] is everything that one decision changes: it is kept whole or not at
// all, and when Commit returns nil it survives a power cut. A [Job] is work that
// follows from a turn. Whoever does it claims it first, and the claim is durable
// too: a job whose doer died comes back with Tries > 0, which means that it may
// have been done.
//
// What each engine must do is written down as tests, in store/storetest.
package store

import (
	"context"
	"errors"
	"iter"
	"time"
)

// Doc is a document. Its revision counts its writes.
//
// In a turn, Rev is the revision that the caller loaded, and 0 says that the
// document must not exist yet; it is stored with Rev+1. A nil Body with Rev > 0
// deletes. A document that is created again begins at 1 again.
type Doc struct {
	Kind, Key string
	Rev       uint64
	Index     []string // what the document is listed under; replaced as a whole
	Body      []byte
}

// Entry is a line of a log. The store counts each log's entries from 1 without
// a gap, whatever Seq says, and stamps At by its own clock if it is zero.
type Entry struct {
	Log  string
	Seq  uint64
	At   time.Time
	Body []byte
}

// Job is work to be done once it is due. Its key is unique within its lane.
type Job struct {
	Lane, Key string

	// Order puts jobs of a lane in line: those of equal, non-empty Order are
	// claimed one at a time, the oldest first. One that is due later, or that is
	// claimed, holds up those behind it; one that waits steps aside. A job keeps
	// its order and its place in it for life.
	Order string

	// Wait blocks the job on a named thing until a turn releases that name.
	Wait string

	// Due is when the job may be claimed; zero is at once.
	Due time.Time

	// Until ends the waiting: then the job is back in line with Wait still set,
	// so that it can be dropped. Zero waits for ever.
	Until time.Time

	Body []byte

	// Tries > 0 says that some process may have begun the job. Claim adds one
	// when it hands out a job whose lease was lost; for the rest it is the
	// caller's to set.
	Tries int

	// Fence tells who holds the job: Claim gives it a new, higher one, and a
	// job that nobody has claimed has 0. Done and Defer must name it.
	Fence uint64
}

// Turn is what one decision changes, all of it or nothing. It may name a
// document, a finished job and a new job once each.
type Turn struct {
	Docs []Doc
	Log  []Entry

	// Add creates jobs, and is refused with ErrKept if one of them exists. In
	// lanes that remember (Options.Remember) that includes jobs done within the
	// last 24 hours, so that an envelope delivered twice is kept once.
	Add []Job

	// Done removes jobs.
	Done []Job

	// Defer puts jobs back with new Due, Wait, Until, Body and Tries.
	Defer []Job

	// Replace fills slots: it creates the job or overwrites it. If the job is
	// claimed meanwhile, its Done or Defer lets go of the claim and leaves the
	// newer job as it is, due again. The last one of a turn counts.
	Replace []Job

	// Release makes all jobs that wait for a name due now, also this turn's own.
	Release []string
}

// Store is the port: what the engine needs of a database.
//
// Times are kept to the microsecond and given back in UTC. Names (kinds, keys,
// indexes, lanes, …) are UTF-8 without NUL, at most [MaxName] bytes long.
type Store interface {
	// Commit keeps a turn. It answers ErrStale if a document's revision moved:
	// load again and decide again. ErrFence: the job is another's now. ErrKept:
	// a job to add exists. ErrTurn: the turn contradicts itself. If ctx ends
	// first, nothing was kept.
	Commit(ctx context.Context, t Turn) error

	// Get loads a document, or answers ErrNone.
	Get(ctx context.Context, kind, key string) (Doc, error)

	// List gives the first n documents of a kind after a key, in the order of
	// their keys: those listed under an index, or with index "" all.
	List(ctx context.Context, kind, index, after string, n int) ([]Doc, error)

	// Read gives a log's entries from a number on, that one included. It holds
	// nothing open between two entries; those appended meanwhile may follow.
	Read(ctx context.Context, log string, from uint64) iter.Seq2[Entry, error]

	// Claim leases up to n jobs of a lane that are due by the store's clock, the
	// longest due first; with a key only that job. A lease that runs out is
	// lost: the job can be claimed again. The time is when to claim next: zero
	// if nothing in the lane will become due by itself, and not after now if
	// there is more to claim already.
	Claim(ctx context.Context, lane, key string, n int) ([]Job, time.Time, error)
}

// The store's answers. They come wrapped with the name of what they are about.
var (
	ErrStale  = errors.New("changed since it was loaded")
	ErrFence  = errors.New("claimed by another")
	ErrKept   = errors.New("already kept")
	ErrNone   = errors.New("no such document")
	ErrTurn   = errors.New("not a valid turn")
	ErrClosed = errors.New("store is closed")
)

// MaxName is how long a name may be, in bytes.
const MaxName = 1024

// Memory is how long a lane that remembers refuses a key that was done.
const Memory = 24 * time.Hour
