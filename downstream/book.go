package downstream

import "time"

// However many wait for one target, it sees one stream of calls, at its own
// pace; and nobody's question keeps a worker of the engine for long. Who would
// have to wait books a place and comes back for it: first come, first served,
// so that the one who has waited longest for an answer is asked about first.
//
// With N persons who wait, nobody waits longer between two looks than their
// schedule says plus N × Rate / Batch: each has at most one question in line.

// hold is how long a question may wait in the line itself.
const hold = time.Second

// pace is the time between two calls: as the target allows, or as it manages.
func (l *line) pace() time.Duration { return max(l.limits.Rate, l.took/width) }

// book gives a place in the line, and how long it is until then; zero: at once.
func (l *line) book() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	free := now
	if l.next.After(now) {
		free = l.next
	}
	free = free.Add(time.Duration(len(l.queue)/l.limits.Batch) * l.pace())
	if l.horizon.Before(free) {
		l.horizon, l.room = free, l.limits.Batch
	}
	at := l.horizon
	if l.room--; l.room <= 0 {
		l.horizon, l.room = at.Add(l.pace()), l.limits.Batch
	}
	if wait := at.Sub(now); wait > hold {
		return wait
	}
	return 0
}

// ahead is how long the next place is away.
func (l *line) ahead() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return max(0, time.Until(l.horizon), time.Until(l.pause))
}

// heard takes note of how long the target took for a call.
func (l *line) heard(took time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.took += (took - l.took) / 4
}
