package store

import (
	"context"
	"slices"
	"strings"
	"time"
)

// Claim leases jobs that are due; see [Store].
//
// A claim that finds nothing costs no write. One that finds something is on the
// disk before it is answered: a crash before that leaves jobs that nobody began,
// a crash after it jobs that come back with Tries > 0.
func (b *Bolt) Claim(ctx context.Context, lane, key string, n int) ([]Job, time.Time, error) {
	if err := ctx.Err(); err != nil {
		return nil, time.Time{}, err
	}
	var jobs []Job
	var next time.Time
	var work bool
	err := b.view(func(t *tx) {
		next = t.next(lane, key)
		work = !next.IsZero() && !next.After(t.now)
	})
	if err != nil || !work {
		return nil, next, err
	}
	err = b.submit(ctx, func(t *tx) error {
		t.endWaits(lane)
		jobs = t.claim(lane, key, n)
		next = t.next(lane, key)
		return nil
	})
	if err != nil {
		return nil, time.Time{}, err
	}
	return jobs, next, nil
}

// next is when there is something to claim or a waiting to end.
func (t *tx) next(lane, key string) time.Time {
	if key != "" {
		return t.nextOf(lane, key)
	}
	var times []time.Time
	for _, bucket := range []string{dueBucket, untilBucket} {
		if k, _, ok := t.first(bucket, under(lane)); ok {
			times = append(times, instantFrom([]byte(k)))
		}
	}
	if len(times) == 0 {
		return time.Time{}
	}
	return slices.MinFunc(times, time.Time.Compare)
}

// nextOf is when a job can be claimed; zero if another must be done first.
func (t *tx) nextOf(lane, key string) time.Time {
	j, ok := t.row(lane, key)
	switch {
	case !ok:
		return time.Time{}
	case j.state == waiting:
		return j.Until
	case !t.isNext(j):
		return time.Time{}
	}
	return j.when()
}

func (t *tx) isNext(j row) bool {
	if j.Order == "" {
		return true
	}
	first, ok := t.head(j)
	return ok && first.Key == j.Key
}

// endWaits puts the jobs whose waiting ran out back into their lines.
func (t *tx) endWaits(lane string) {
	for _, key := range t.past(untilBucket, lane, most) {
		j, _ := t.row(lane, key)
		t.lift(j)
		j.state = ready
		t.place(j)
	}
}

// past gives the keys of the first n jobs whose time in a bucket has come.
func (t *tx) past(bucket, lane string, n int) []string {
	var keys []string
	for k, key := range t.scan(bucket, under(lane), "") {
		if len(keys) == n || instantFrom([]byte(k)).After(t.now) {
			break
		}
		keys = append(keys, string(key))
	}
	return keys
}

func (t *tx) claim(lane, key string, n int) []Job {
	var keys []string
	if key == "" {
		keys = t.past(dueBucket, lane, n)
	} else if at := t.nextOf(lane, key); n > 0 && !at.IsZero() && !at.After(t.now) {
		keys = []string{key}
	}
	var jobs []Job
	for _, key := range keys {
		j, _ := t.row(lane, key)
		t.lift(j)
		if j.held() { // its lease ran out
			j.Tries++
		}
		j.state, j.Fence, j.lease = claimed, t.counter(), t.now.Add(t.b.lease)
		t.place(j)
		jobs = append(jobs, j.Job)
	}
	return jobs
}

// loseLeases ends all claims at once.
func (t *tx) loseLeases() {
	var held []row
	for k, v := range t.scan(jobBucket, "", "") {
		lane, key, _ := strings.Cut(k, sep)
		j, err := decodeRow(lane, key, v)
		t.failed("job", lane, key, err)
		if j.held() {
			held = append(held, j)
		}
	}
	for _, j := range held {
		t.lift(j)
		j.lease = time.Unix(0, 0).UTC() // past by any clock
		t.place(j)
	}
}
