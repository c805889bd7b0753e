package store

import (
	"fmt"
	"strings"
	"time"
)

// state is where a job stands.
type state uint8

const (
	ready    state = iota // in line, to be claimed from when() on
	waiting               // blocked on a name, out of line
	claimed               // somebody does it, until its lease runs out
	outdated              // claimed, and replaced since
)

// row is a job as it is kept.
//
// What can be claimed from when on stands in one sorted bucket, so that a claim
// reads just what it takes. Of the jobs in one line only the first stands there,
// a claimed one until its lease runs out. Whatever changes a job therefore takes
// it from its place before, and puts it to its place afterwards.
type row struct {
	Job
	state state
	added uint64 // counts all jobs of all lanes: who is older
	lease time.Time
}

func (j row) held() bool { return j.state == claimed || j.state == outdated }

// when says from when on the job can be claimed, if it is its turn.
func (j row) when() time.Time {
	switch {
	case j.held():
		return j.lease
	case j.Wait != "": // in line although it waits: the waiting ran out
		return j.Until
	}
	return j.Due
}

func (j row) line() string { return under(j.Lane, j.Order) }

// spot is where the job stands in its line: claimed before all others.
func (j row) spot() string {
	if j.held() {
		return j.line() + "0" + number(j.added)
	}
	return j.line() + "1" + number(j.added)
}

func (j row) due() string   { return under(j.Lane) + instant(j.when()) + number(j.added) }
func (j row) until() string { return under(j.Lane) + instant(j.Until) + number(j.added) }

func (t *tx) row(lane, key string) (row, bool) {
	v := t.get(jobBucket, under(lane)+key)
	if v == nil {
		return row{}, false
	}
	j, err := decodeRow(lane, key, v)
	t.failed("job", lane, key, err)
	return j, true
}

// place writes a row and all that leads to it.
func (t *tx) place(j row) {
	t.put(jobBucket, under(j.Lane)+j.Key, encodeRow(j))
	if j.Wait != "" {
		t.put(waitBucket, under(j.Wait, j.Lane)+j.Key, nil)
	}
	switch {
	case j.state == waiting && j.Until.IsZero(): // nothing but a release leads to it
	case j.state == waiting:
		t.put(untilBucket, j.until(), []byte(j.Key))
	case j.Order == "":
		t.put(dueBucket, j.due(), []byte(j.Key))
	default:
		t.inLine(j, func() { t.put(lineBucket, j.spot(), []byte(j.Key)) })
	}
}

// lift takes away all that leads to a row, as it is kept; the row stays, and is
// then placed anew or deleted.
func (t *tx) lift(j row) {
	if j.Wait != "" {
		t.delete(waitBucket, under(j.Wait, j.Lane)+j.Key)
	}
	switch {
	case j.state == waiting && j.Until.IsZero():
	case j.state == waiting:
		t.delete(untilBucket, j.until())
	case j.Order == "":
		t.delete(dueBucket, j.due())
	default:
		t.inLine(j, func() { t.delete(lineBucket, j.spot()) })
	}
}

// inLine changes a job's line, and lets whoever is first then be the one of the
// line that is due.
func (t *tx) inLine(j row, change func()) {
	if first, ok := t.head(j); ok {
		t.delete(dueBucket, first.due())
	}
	change()
	if first, ok := t.head(j); ok {
		t.put(dueBucket, first.due(), []byte(first.Key))
	}
}

func (t *tx) head(j row) (row, bool) {
	_, key, ok := t.first(lineBucket, j.line())
	if !ok {
		return row{}, false
	}
	return t.row(j.Lane, string(key))
}

// settle gives an unclaimed row its state.
func (t *tx) settle(j row) {
	j.Fence, j.lease, j.state = 0, time.Time{}, ready
	if j.Wait != "" {
		j.state = waiting
	}
	t.place(j)
}

// counter numbers jobs and claims: none is ever given twice.
func (t *tx) counter() uint64 {
	n, err := t.bucket(jobBucket).NextSequence()
	t.failed("job", "counter", "", err)
	return n
}

// normal is a caller's job as it is kept.
func (t *tx) normal(j Job) Job {
	j.Due = or(j.Due, t.now)
	j.Until = or(j.Until, time.Time{})
	return j
}

func (t *tx) add(j Job) {
	t.settle(row{Job: t.normal(j), added: t.counter()})
}

func (t *tx) replace(j Job) {
	old, ok := t.row(j.Lane, j.Key)
	if !ok {
		t.add(j)
		return
	}
	t.lift(old)
	order, fence := old.Order, old.Fence
	old.Job = t.normal(j)
	old.Order = order
	if !old.held() {
		t.settle(old)
		return
	}
	old.Fence, old.state = fence, outdated
	t.place(old)
}

// held refuses who does not hold the job as it is now.
func (t *tx) held(j Job) error {
	kept, ok := t.row(j.Lane, j.Key)
	if !ok {
		return fmt.Errorf("%w: job %s/%s is gone", ErrFence, j.Lane, j.Key)
	}
	if kept.Fence != j.Fence {
		return fmt.Errorf("%w: job %s/%s has fence %d, not %d", ErrFence, j.Lane, j.Key, kept.Fence, j.Fence)
	}
	return nil
}

func (t *tx) done(j Job) {
	kept, _ := t.row(j.Lane, j.Key)
	t.lift(kept)
	if kept.state == outdated {
		t.settle(kept)
		return
	}
	t.delete(jobBucket, under(j.Lane)+j.Key)
	if t.remembers(j.Lane) {
		t.memorize(j)
	}
}

func (t *tx) postpone(j Job) {
	kept, _ := t.row(j.Lane, j.Key)
	t.lift(kept)
	if kept.state != outdated {
		order := kept.Order
		kept.Job = t.normal(j)
		kept.Order = order
	}
	t.settle(kept)
}

func (t *tx) release(name string) {
	type id struct{ lane, key string }
	var freed []id
	for rest := range t.scan(waitBucket, under(name), "") {
		lane, key, _ := strings.Cut(rest, sep)
		freed = append(freed, id{lane, key})
	}
	for _, f := range freed {
		j, _ := t.row(f.lane, f.key)
		t.lift(j)
		j.Wait, j.Due = "", t.now
		if j.state == waiting {
			j.state = ready
		}
		t.place(j)
	}
}
