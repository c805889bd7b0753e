package store

import (
	"slices"
	"time"
)

// Lanes that remember keep the key of a done job for a while, so that the same
// one cannot be added again.

// known says whether a job cannot be added; ends says that the same turn ends
// the one that is there.
func (t *tx) known(j Job, ends bool) bool {
	if kept, ok := t.row(j.Lane, j.Key); ok {
		return !ends || kept.state == outdated || t.remembers(j.Lane)
	}
	v := t.get(doneBucket, under(j.Lane)+j.Key)
	return v != nil && t.remembers(j.Lane) && t.now.Before(instantFrom(v).Add(Memory))
}

func (t *tx) memorize(j Job) {
	key := under(j.Lane) + j.Key
	if v := t.get(doneBucket, key); v != nil {
		t.delete(fadeBucket, string(v)+key)
	}
	t.put(doneBucket, key, []byte(instant(t.now)))
	t.put(fadeBucket, instant(t.now)+key, nil)
}

// forget removes what need not be remembered any longer, a little with each
// transaction: more than one adds, and never so much that anyone waits for it.
func (t *tx) forget() {
	var old []string
	for k := range t.scan(fadeBucket, "", "") {
		if t.now.Before(instantFrom([]byte(k)).Add(Memory)) || len(old) == 2*most {
			break
		}
		old = append(old, k)
	}
	for _, k := range old {
		t.delete(fadeBucket, k)
		t.delete(doneBucket, k[len(instant(time.Time{})):])
	}
}

func (t *tx) remembers(lane string) bool { return slices.Contains(t.b.remember, lane) }
