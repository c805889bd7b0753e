package devops

import (
	"time"
)

// replica is what an organization knows of one person's membership, as spans
// of knowing. It is worked out up to a time when somebody asks.
type replica struct {
	o     *Organization
	oid   string
	next  time.Time // the next look at the directory
	seen  bool      // what the last look saw
	known []span    // the last may be open, or lie ahead
}

type span struct{ from, to time.Time }

func (s span) has(t time.Time) bool {
	return !t.Before(s.from) && (s.to.IsZero() || t.Before(s.to))
}

// lookEvery is how often a copy without ticks looks at the directory. It is
// fine enough for delays of seconds.
const lookEvery = time.Second

// copy is the organization's copy for a person, up to now. What the directory
// said when the organization was made was known since ever.
func (o *Organization) copy(oid string) *replica {
	r := o.copies[oid]
	if r == nil {
		r = &replica{o: o, oid: oid, seen: o.in(oid, o.born)}
		if r.seen {
			r.known = []span{{}}
		}
		r.next = o.firstLook()
		o.copies[oid] = r
	}
	r.advance(o.w.now())
	return r
}

func (o *Organization) delayed() bool { return o.Grant != Delay{} || o.Revoke != Delay{} }

func (o *Organization) firstLook() time.Time {
	if o.delayed() {
		return o.born
	}
	tick := o.born.Truncate(o.Tick).Add(o.Phase)
	for !tick.After(o.born) {
		tick = tick.Add(o.Tick)
	}
	for tick.Add(-o.Tick).After(o.born) {
		tick = tick.Add(-o.Tick)
	}
	return tick
}

// in asks the directory about all groups that matter.
func (o *Organization) in(oid string, at time.Time) bool {
	for _, g := range o.Groups {
		if o.w.dir.Member(g, oid, at) {
			return true
		}
	}
	return false
}

// advance does the looks that have fallen due.
func (r *replica) advance(now time.Time) {
	step := r.o.Tick
	if r.o.delayed() {
		step = lookEvery
	}
	for !r.next.After(now) {
		at := r.next
		r.next = at.Add(step)
		saw := r.o.in(r.oid, at)
		switch {
		case !r.o.delayed():
			r.set(saw, at)
		case saw && !r.seen:
			r.learn(at)
		case !saw && r.seen:
			r.forget(at)
		}
		r.seen = saw
	}
}

// set makes the copy say so from a time on.
func (r *replica) set(in bool, at time.Time) {
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
func (r *replica) learn(at time.Time) {
	if n := len(r.known); n > 0 && r.known[n-1].to.After(at) {
		r.known[n-1].to = time.Time{}
		return
	}
	r.known = append(r.known, span{from: at.Add(r.o.w.draw(r.o.Grant))})
}

// forget plans the forgetting. What ended before it arrived is never seen.
func (r *replica) forget(at time.Time) {
	n := len(r.known)
	if n == 0 {
		return
	}
	if r.known[n-1].from.After(at) {
		r.known = r.known[:n-1]
		return
	}
	r.known[n-1].to = at.Add(r.o.w.draw(r.o.Revoke))
}

// reevaluate looks at once: a portal sign-in.
func (r *replica) reevaluate(now time.Time) {
	r.seen = r.o.in(r.oid, now)
	if n := len(r.known); n > 0 && r.known[n-1].from.After(now) {
		r.known = r.known[:n-1] // a planned knowing comes true now, or never
	} else if n > 0 && r.known[n-1].to.After(now) {
		r.known[n-1].to = time.Time{}
	}
	r.set(r.seen, now)
}

func (w *World) draw(d Delay) time.Duration {
	if d.Max <= d.Min {
		return d.Min
	}
	return d.Min + time.Duration(w.rand.Int64N(int64(d.Max-d.Min)))
}

func (r *replica) knows(at time.Time) bool {
	for _, s := range r.known {
		if s.has(at) {
			return true
		}
	}
	return false
}

// Knows is the oracle: whether the organization's (first) copy had the person
// as an administrator at a time up to now.
func (o *Organization) Knows(oid string, at time.Time) bool {
	o.w.mu.Lock()
	defer o.w.mu.Unlock()
	if i, ok := o.user(oid); ok && o.Users[i].Administrator {
		return true
	}
	return o.copy(oid).knows(at)
}

// TrueEffect is the oracle's last span of knowing: zero if there never was one;
// a zero from: since ever; a zero to: no end yet. Times that lie ahead are
// already decided.
func (o *Organization) TrueEffect(oid string) (from, to time.Time, ever bool) {
	o.w.mu.Lock()
	defer o.w.mu.Unlock()
	r := o.copy(oid)
	if len(r.known) == 0 {
		return time.Time{}, time.Time{}, false
	}
	last := r.known[len(r.known)-1]
	return last.from, last.to, true
}

// NextTick is when the organization looks next; without ticks, soon.
func (o *Organization) NextTick() time.Time {
	o.w.mu.Lock()
	defer o.w.mu.Unlock()
	t, now := o.firstLook(), o.w.now()
	for !t.After(now) {
		t = t.Add(o.Tick)
	}
	return t
}
