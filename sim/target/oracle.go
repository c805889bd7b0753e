package target

import (
	"slices"
	"time"
)

// Knows is the oracle: whether the (first) replica knew a key at a time up to
// now, caches left aside.
func (c *Copy) Knows(key string, at time.Time) bool {
	c.f.mu.Lock()
	defer c.f.mu.Unlock()
	return c.SaidAt(key, at)
}

// TrueEffect is the oracle's last span of knowing: zero if there never was one;
// a zero from: since ever; a zero to: no end yet. Times that lie ahead are
// already decided.
func (c *Copy) TrueEffect(key string) (from, to time.Time, ever bool) {
	c.f.mu.Lock()
	defer c.f.mu.Unlock()
	r := c.upTo(key, c.f.now())
	if len(r.known) == 0 {
		return time.Time{}, time.Time{}, false
	}
	last := r.known[len(r.known)-1]
	return last.from, last.to, true
}

// First is the oracle's word on answers: the first moment from after on at
// which any replica would say so of a key, caches included; false if none is
// decided yet.
func (c *Copy) First(key string, says bool, after time.Time) (time.Time, bool) {
	c.f.mu.Lock()
	defer c.f.mu.Unlock()
	r := c.upTo(key, c.f.now())
	edges := []time.Time{after}
	lags := c.f.lags()
	for _, s := range r.known {
		for _, lag := range lags {
			edges = append(edges, s.from.Add(lag))
			if !s.to.IsZero() {
				edges = append(edges, s.to.Add(lag))
			}
		}
	}
	for _, e := range c.cache[key] {
		edges = append(edges, e.at, e.until)
	}
	slices.SortFunc(edges, time.Time.Compare)
	for _, at := range edges {
		if at.Before(after) {
			continue
		}
		if cached, ok := c.cached(key, at); ok {
			if cached == says {
				return at, true
			}
			continue
		}
		if slices.ContainsFunc(lags, func(lag time.Duration) bool { return r.knows(at.Add(-lag)) == says }) {
			return at, true
		}
	}
	return time.Time{}, false
}

// lags are how late each replica is.
func (f *Frame) lags() []time.Duration {
	all := make([]time.Duration, max(1, f.dials.Replicas))
	for i := range all {
		all[i] = time.Duration(i) * f.dials.Skew
	}
	return all
}

// NextTick is when everything is refreshed next; without ticks, soon.
func (c *Copy) NextTick() time.Time {
	c.f.mu.Lock()
	defer c.f.mu.Unlock()
	t, now, follow := c.firstTick(), c.f.now(), c.follow()
	if c.job != nil && c.job.catchUp().Before(c.job.ran.next) {
		return c.job.ran.next
	}
	step := follow.Tick
	if follow.delayed() {
		step = lookEvery
	}
	if behind := now.Sub(t); behind >= 0 {
		t = t.Add((behind/step + 1) * step)
	}
	return t
}
