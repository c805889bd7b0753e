package target

import (
	"strings"
	"time"
)

// Job is Entra's own side of a provisioned copy: the synchronization job of one
// enterprise application, with its cycles, its quarantine, what is written on
// demand, and its log. Keys of such a copy are GROUP/PERSON.
type Job struct {
	c     *Copy
	dials JobDials

	ran    cycle     // the last one
	good   time.Time // the last that wrote
	failed int       // in a row that came to nothing
	began  time.Time // of the quarantine; zero: none
	rows   []Write   // of what was not written
	tokens int       // counted to make cycle ids
}

// JobDials are how an application takes what Entra writes, and what is not
// settled about Entra's side.
type JobDials struct {
	Refuses       bool          // the application takes nothing from Entra: say, its credential there has expired
	Quarantine    int           // after so many cycles in a row that came to nothing; how many is not published
	DemandHeld    bool          // in quarantine nothing is written on demand either (unsettled)
	DemandRemoves bool          // a person who is no member any more is taken out on demand (unsettled)
	DemandShares  bool          // what is written on demand is of the budget of the fast path (unsettled)
	DemandLag     time.Duration // how old the directory is that a demand reads
	LogLag        time.Duration // how late a row shows in the log; the book: 0 to 3 minutes
}

// cycle is one run over everything.
type cycle struct {
	at, next time.Time
	wrote    bool
}

// Least and most time between cycles of a job in quarantine, and how long it
// lives there.
const (
	quarantineMost = 24 * time.Hour
	quarantineLife = 28 * 24 * time.Hour
)

// Provision makes a copy's job; in Do.
func (c *Copy) Provision() *Job {
	c.job = &Job{c: c, dials: JobDials{Quarantine: 3, LogLag: time.Minute}}
	return c.job
}

// Turn changes the dials from now on: what was to be written until now was.
func (j *Job) Turn(f func(*JobDials)) {
	j.c.f.Do(func() {
		j.catchUp()
		f(&j.dials)
		if j.dials.Refuses {
			j.unplan()
		}
	})
}

// catchUp works out everything up to now.
func (j *Job) catchUp() (now time.Time) {
	now = j.c.f.now()
	for _, k := range j.c.keys {
		if j.c.upTo(k, now); j.c.follow().Push != nil {
			break // that was all of them
		}
	}
	return now
}

// unplan drops what was about to be written soon: it is tried with a cycle.
func (j *Job) unplan() {
	for _, k := range j.c.keys {
		r := j.c.known[k]
		if n := len(r.known); n > 0 && r.known[n-1].from.After(j.c.f.now()) {
			r.known = r.known[:n-1]
		}
	}
}

// run is the cycle of a moment, whichever key comes to it first.
func (j *Job) run(at time.Time, usual time.Duration) cycle {
	if j.ran.at.Equal(at) {
		return j.ran
	}
	j.tokens++
	j.ran = cycle{at: at, next: at.Add(usual), wrote: !j.dials.Refuses && !j.disabled(at)}
	if j.ran.wrote {
		j.good, j.failed, j.began = at, 0, time.Time{}
		return j.ran
	}
	j.failed++
	if j.failed >= j.dials.Quarantine && j.began.IsZero() {
		j.began = at
	}
	if !j.began.IsZero() { // rarer and rarer, down to once a day
		wait := usual
		for range j.failed - j.dials.Quarantine + 1 {
			wait = min(wait*2, quarantineMost)
		}
		j.ran.next = at.Add(wait)
	}
	return j.ran
}

// disabled: a job that is in quarantine for four weeks runs no more.
func (j *Job) disabled(at time.Time) bool {
	return !j.began.IsZero() && at.Sub(j.began) > quarantineLife
}

// held reports whether nothing is written between cycles.
func (j *Job) held() bool { return j.dials.Refuses || !j.began.IsZero() }

// missed keeps a row of what a cycle could not write.
func (j *Job) missed(key string, in bool, at time.Time) {
	group, oid, _ := strings.Cut(key, "/")
	j.rows = append(j.rows, Write{At: at, Group: group, OID: oid, Added: in, Code: refusedCode})
}

// Write is one row of the log: a person was written into a group, or out of it,
// or was not, for a reason.
type Write struct {
	At         time.Time
	Group, OID string
	Added      bool
	Code       string // why not; empty: it was written
}

// refusedCode is of our own making: each connector has its own.
const refusedCode = "InvalidCredentials"

// Log is what can be read by now, in no order.
func (j *Job) Log() (rows []Write) {
	j.c.f.Do(func() {
		until := j.catchUp().Add(-j.dials.LogLag)
		add := func(w Write) {
			if !w.At.IsZero() && !w.At.After(until) {
				rows = append(rows, w)
			}
		}
		for _, k := range j.c.keys {
			group, oid, _ := strings.Cut(k, "/")
			for _, s := range j.c.known[k].known {
				add(Write{At: s.from, Group: group, OID: oid, Added: true})
				add(Write{At: s.to, Group: group, OID: oid})
			}
		}
		for _, w := range j.rows {
			add(w)
		}
	})
	return rows
}

// JobState is how a job stands.
type JobState struct {
	Tick           time.Duration // between cycles, as usual
	Last, LastGood time.Time     // cycles
	Next           time.Time
	Quarantined    time.Time // since when; zero: it is not
	Failed         int       // cycles in a row
	Disabled       bool
}

// State is how the job stands now.
func (j *Job) State() (s JobState) {
	j.c.f.Do(func() {
		now := j.catchUp()
		s = JobState{Tick: j.c.follow().Tick, Last: j.ran.at, LastGood: j.good, Next: j.ran.next, Quarantined: j.began, Failed: j.failed, Disabled: j.disabled(now)}
	})
	return s
}

// What comes of a demand.
const (
	DemandDone    = "Success"
	DemandSkipped = "Skipped"
	DemandFailed  = "Failure"
)

// Demand writes persons of a group now, as far as they would be written anyway.
func (j *Job) Demand(group string, members []string) (result, code string) {
	j.c.f.Do(func() {
		now := j.catchUp()
		switch {
		case j.dials.Refuses:
			result, code = DemandFailed, refusedCode
			return
		case j.dials.DemandHeld && !j.began.IsZero(), j.disabled(now):
			result, code = DemandFailed, "JobInQuarantine"
			return
		}
		result, code = DemandSkipped, "RedundantExport"
		for _, oid := range members {
			switch was, why := j.demand(group+"/"+strings.ToLower(oid), now); {
			case was == DemandDone:
				result, code = was, ""
			case result != DemandDone && why != "RedundantExport":
				code = why
			}
		}
	})
	return result, code
}

func (j *Job) demand(key string, now time.Time) (result, code string) {
	r := j.c.known[key]
	if r == nil {
		return DemandSkipped, "NotEffectivelyEntitled"
	}
	in, has := j.c.in(key, now.Add(-j.dials.DemandLag)), r.knows(now)
	switch {
	case in && has:
		return DemandSkipped, "RedundantExport"
	case !in && !(has && j.dials.DemandRemoves):
		return DemandSkipped, "NotEffectivelyEntitled"
	}
	if p := j.c.follow().Push; p != nil && j.dials.DemandShares {
		j.c.room(p, now)
	}
	r.set(in, now)
	r.seen = in
	return DemandDone, ""
}
