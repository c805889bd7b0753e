package target

import (
	"slices"
	"time"
)

// Follow is how a copy follows Entra: by ticks, by delays, or as Entra's
// provisioning does.
type Follow struct {
	Tick  time.Duration // how often everything is refreshed; zero: by delays only
	Phase time.Duration // of the ticks

	Grant  Delay // how late it learns …
	Revoke Delay // … and forgets; either set: no ticks

	// Push is provisioning: new members are written on demand, after a delay,
	// everything else at the tick.
	Push *Push
}

// Push is the fast path of Entra's provisioning for activated members. It is
// one budget for all groups of an application.
type Push struct {
	Delay  Delay         // the book: 2 to 10 minutes
	Window time.Duration // the book: 10 seconds
	Cliff  int           // so many a window are pushed, all others wait for the tick; the book: 5
	Fixed  bool          // windows begin every Window, instead of sliding
	Off    bool          // no fast path, as for a gallery connector without groups
}

// Provisioning is the book's cycle of 40 minutes with its fast path.
func Provisioning() Follow {
	return Follow{Tick: 40 * time.Minute, Push: &Push{Delay: Delay{2 * time.Minute, 10 * time.Minute}, Window: 10 * time.Second, Cliff: 5}}
}

func (f Follow) delayed() bool {
	return f.Push == nil && (f.Tick == 0 || f.Grant != Delay{} || f.Revoke != Delay{})
}

// Copy is what one body of knowledge has of Entra: of each key, a person or a
// person in a group, whether they are in.
type Copy struct {
	f      *Frame
	follow func() Follow
	in     func(key string, at time.Time) bool
	born   time.Time
	known  map[string]*replica
	keys   []string                            // in the order of their making
	pushes func(key string, at time.Time) bool // whom the fast path is for; nil: everybody
	pushed []time.Time
	cache  map[string][]entry
	job    *Job // of what Entra provisions; nil: nobody looks at its side
}

// Copy makes one. What in says now is what it has known since ever. Under
// provisioning name all keys at once, as they share a budget.
func (f *Frame) Copy(follow func() Follow, in func(key string, at time.Time) bool, keys ...string) *Copy {
	c := &Copy{f: f, follow: follow, in: in, born: f.now(), known: map[string]*replica{}, cache: map[string][]entry{}}
	for _, k := range keys {
		c.of(k)
	}
	return c
}

// Pushes says whom the fast path of provisioning is for.
func (c *Copy) Pushes(whom func(key string, at time.Time) bool) { c.pushes = whom }

// Assigned makes a copy of who is in any of some groups. It follows
// within 1 to 15 minutes both ways, unless follow says otherwise.
func (f *Frame) Assigned(d Directory, groups []string, follow *Follow) (c *Copy) {
	usual := Delay{Min: time.Minute, Max: 15 * time.Minute}
	if follow == nil {
		follow = &Follow{Grant: usual, Revoke: usual}
	}
	as := *follow
	f.Do(func() {
		c = f.Copy(func() Follow { return as }, func(oid string, at time.Time) bool {
			return slices.ContainsFunc(groups, func(g string) bool { return d.Member(g, oid, at) })
		})
	})
	return c
}

// replica is what a copy knows of one key, as spans of knowing. It is worked
// out up to a time when somebody asks.
type replica struct {
	c          *Copy
	key        string
	look, tick time.Time   // the next ones; zero: none
	forced     []time.Time // re-evaluations that are under way
	seen       bool        // what the last look saw
	known      []span      // the last may be open, or lie ahead
}

type span struct{ from, to time.Time }

func (s span) has(t time.Time) bool {
	return !t.Before(s.from) && (s.to.IsZero() || t.Before(s.to))
}

// lookEvery is how often a copy that hears of changes looks at the directory.
// It is fine enough for delays of seconds.
const lookEvery = time.Second

func (c *Copy) of(key string) *replica {
	r := c.known[key]
	if r == nil {
		r = &replica{c: c, key: key, seen: c.in(key, c.born)}
		if r.seen {
			r.known = []span{{}}
		}
		follow := c.follow()
		if follow.delayed() || follow.Push != nil && !follow.Push.Off { // else only ticks matter
			r.look = c.born
		}
		if !follow.delayed() {
			r.tick = c.firstTick()
		}
		c.known[key] = r
		c.keys = append(c.keys, key)
	}
	return r
}

func (c *Copy) firstTick() time.Time {
	follow := c.follow()
	if follow.delayed() {
		return c.born
	}
	tick := c.born.Truncate(follow.Tick).Add(follow.Phase)
	for !tick.After(c.born) {
		tick = tick.Add(follow.Tick)
	}
	for tick.Add(-follow.Tick).After(c.born) {
		tick = tick.Add(-follow.Tick)
	}
	return tick
}

// upTo works out what is known of a key by now. Where keys share a budget all
// of them are, in the order of time.
func (c *Copy) upTo(key string, now time.Time) *replica {
	r := c.of(key)
	if c.follow().Push == nil {
		for at := r.due(); !at.IsZero() && !at.After(now); at = r.due() {
			r.advance(at)
		}
		return r
	}
	for {
		next := r.due()
		for _, k := range c.keys {
			if at := c.known[k].due(); at.Before(next) {
				next = at
			}
		}
		if next.After(now) {
			return r
		}
		for _, k := range c.keys {
			if o := c.known[k]; o.due().Equal(next) {
				o.advance(next)
			}
		}
	}
}

// due is when something happens next.
func (r *replica) due() time.Time {
	var at time.Time
	for _, t := range append([]time.Time{r.look, r.tick}, r.forced...) {
		if !t.IsZero() && (at.IsZero() || t.Before(at)) {
			at = t
		}
	}
	return at
}

func (r *replica) advance(at time.Time) {
	saw := r.c.in(r.key, at)
	now := func(t time.Time) bool { return t.Equal(at) }
	whole := slices.ContainsFunc(r.forced, now)
	r.forced = slices.DeleteFunc(r.forced, now)
	follow := r.c.follow()
	if now(r.tick) {
		c := r.c.cycle(at, follow)
		r.tick, whole = c.next, whole || c.wrote
		if !c.wrote && saw != r.knows(at) {
			r.c.job.missed(r.key, saw, at)
		}
	}
	if now(r.look) {
		r.look = at.Add(lookEvery)
	}
	switch {
	case whole:
		r.set(saw, at)
	case saw && !r.seen:
		r.learn(at, follow)
	case !saw && r.seen:
		r.forget(at, follow)
	}
	r.seen = saw
}

// cycle is what happens at a tick.
func (c *Copy) cycle(at time.Time, follow Follow) cycle {
	if c.job == nil {
		return cycle{at, at.Add(follow.Tick), true}
	}
	return c.job.run(at, follow.Tick)
}

// set makes the copy say so from a time on. What was planned comes true now, or
// never.
func (r *replica) set(in bool, at time.Time) {
	if n := len(r.known); n > 0 && r.known[n-1].from.After(at) {
		r.known = r.known[:n-1]
	} else if n > 0 && r.known[n-1].to.After(at) {
		r.known[n-1].to = time.Time{}
	}
	if n := len(r.known); n > 0 && r.known[n-1].has(at) {
		if !in {
			r.known[n-1].to = at
		}
		return
	}
	if in {
		r.known = append(r.known, span{from: at})
	}
}

// learn plans the knowing. A person who comes back before they were forgotten
// was never gone.
func (r *replica) learn(at time.Time, follow Follow) {
	delay, soon := follow.Grant, true
	if follow.Push != nil {
		delay, soon = follow.Push.Delay, (r.c.pushes == nil || r.c.pushes(r.key, at)) && r.c.room(follow.Push, at) && (r.c.job == nil || !r.c.job.held())
	}
	if n := len(r.known); n > 0 && (r.known[n-1].to.IsZero() || r.known[n-1].to.After(at)) {
		r.known[n-1].to = time.Time{}
		return
	}
	if !soon {
		return // nobody is told: it arrives with the tick
	}
	r.known = append(r.known, span{from: at.Add(r.c.f.draw(delay, r.key, at))})
}

// room spends one of a window's pushes.
func (c *Copy) room(p *Push, at time.Time) bool {
	if p.Off {
		return false
	}
	since := at.Add(-p.Window)
	if p.Fixed {
		since = at.Truncate(p.Window).Add(-time.Nanosecond)
	}
	c.pushed = append(slices.DeleteFunc(c.pushed, func(t time.Time) bool { return !t.After(since) }), at)
	return len(c.pushed) <= p.Cliff
}

// forget plans the forgetting. What ended before it arrived is never seen.
func (r *replica) forget(at time.Time, follow Follow) {
	n := len(r.known)
	switch {
	case n == 0:
	case r.known[n-1].from.After(at):
		r.known = r.known[:n-1]
	case follow.Push == nil:
		r.known[n-1].to = at.Add(r.c.f.draw(follow.Revoke, r.key, at))
	}
}

func (r *replica) knows(at time.Time) bool {
	return slices.ContainsFunc(r.known, func(s span) bool { return s.has(at) })
}

// entry is an answer that is given again until it is old.
type entry struct {
	at, until time.Time
	says      bool
}

func (c *Copy) cached(key string, at time.Time) (says, ok bool) {
	for _, e := range slices.Backward(c.cache[key]) {
		if !at.Before(e.at) && at.Before(e.until) {
			return e.says, true
		}
	}
	return false, false
}

// Says is what the replica that answers a call says of a key: an answer of the
// cache, or else what it knows, which is then cached. In Do.
func (c *Copy) Says(call *Call, key string) bool {
	now := c.f.now()
	if says, ok := c.cached(key, now); ok {
		return says
	}
	says := c.upTo(key, now).knows(now.Add(-call.Lag))
	keep := c.f.dials.CachedNo
	if says {
		keep = c.f.dials.CachedYes
	}
	if keep > 0 {
		c.cache[key] = append(c.cache[key], entry{now, now.Add(keep), says})
	}
	return says
}

// SaidAt is what the first replica knew at a time up to now: rights that were
// frozen in a token are of the time of its issue. In Do.
func (c *Copy) SaidAt(key string, at time.Time) bool { return c.upTo(key, c.f.now()).knows(at) }

// Reevaluate looks at Entra after a while, at once if it is zero, and drops
// what is cached. In Do.
func (c *Copy) Reevaluate(key string, after time.Duration) {
	now := c.f.now()
	r := c.upTo(key, now)
	r.forced = append(r.forced, now.Add(after))
	for i := range c.cache[key] {
		e := &c.cache[key][i]
		if e.until.After(now.Add(after)) {
			e.until = now.Add(after)
		}
	}
	c.upTo(key, now)
}
