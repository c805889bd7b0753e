package downstream

import (
	"encoding/json"
	"time"

	"pagbot/activation"
)

// memory is what one attempt leaves for the next. Losing it is harmless: an
// interval gets wider, a doubt is told again.
type memory struct {
	Turn time.Time `json:"turn,omitzero"` // what the rest belongs to
	// Last is when the last contrary answer of each level was asked for.
	Last map[activation.Level]time.Time `json:"last,omitempty"`
	// First and Run are the wanted answers in a row, where they must be confirmed.
	First *activation.Answer `json:"first,omitempty"`
	Run   int                `json:"run,omitempty"`
	// Doubts in a row, since when, and whether they were told.
	Doubts int       `json:"doubts,omitempty"`
	Since  time.Time `json:"since,omitzero"`
	Told   bool      `json:"told,omitempty"`
	Absent time.Time `json:"absent,omitzero"`  // nobody was found; asked for then, the last time
	Booked bool      `json:"booked,omitempty"` // it has a place in the line now
}

// measure is one look at one target in one direction: pure, it turns an answer
// into a report.
type measure struct {
	target  string
	toward  activation.Direction
	span    activation.Span
	turn    time.Time // PIM's grant or the end; zero: not granted yet
	begun   time.Time
	overdue time.Time // when a removal will be; zero: never
	now     time.Time
	limits  Limits // in world time
	world   func(time.Duration) time.Duration
	learned *Learned // nil: nothing
	memory  memory
	wanted  activation.Says
	control bool // before PIM granted: one sound answer is enough
	moving  bool // PIM may have granted it, and we don't know yet
}

func newMeasure(a activation.Activation, e activation.Effect) *measure {
	m := &measure{target: e.Target, toward: e.Toward, turn: a.From, begun: a.Began, wanted: activation.Yes}
	if e.Toward == activation.Removal {
		m.turn, m.wanted = a.Ended, activation.No
	}
	m.control = e.Toward == activation.Grant && m.turn.IsZero()
	m.moving = a.Phase == activation.Provisioning || a.Decision != nil
	if t, ok := a.Target(e.Target); ok {
		m.span = t.Span(e.Toward)
		if e.Toward == activation.Removal && t.Within > 0 {
			m.overdue = m.turn.Add(time.Duration(t.Within))
		}
	}
	// A memory that can't be read is a lost one.
	if json.Unmarshal(e.Memory, &m.memory) != nil {
		m.memory = memory{}
	}
	if !m.memory.Turn.Equal(m.turn) {
		m.memory = memory{Turn: m.turn, Last: m.memory.Last, Absent: m.memory.Absent}
	}
	if m.memory.Last == nil {
		m.memory.Last = map[activation.Level]time.Time{}
	}
	m.world = func(d time.Duration) time.Duration { return d }
	return m
}

// age is the time since the turn, or since the activation began while there is
// no turn yet.
func (m *measure) age() time.Duration {
	if m.control {
		return max(0, m.now.Sub(m.begun))
	}
	return m.now.Sub(m.turn)
}

// early says how long it is still too soon to ask: a contrary answer is known,
// and the other one was never seen so early.
func (m *measure) early() time.Duration {
	known := !m.span.After.IsZero() || len(m.memory.Last) > 0
	if m.control || !known {
		return 0
	}
	return m.limits.Quiet - m.age()
}

func (m *measure) report(r reply) activation.Report {
	a := r.answer
	if a.Absent {
		a = m.absent(a)
	}
	if a.Says == activation.CantTell {
		return m.doubt(a, r.retry)
	}
	m.memory.Doubts, m.memory.Since, m.memory.Told = 0, time.Time{}, false
	switch {
	case a.Says != m.wanted:
		return m.contrary(a)
	case m.control && m.moving:
		// This yes is neither a control nor an effect. Once PIM's time is
		// known, the next one will be.
		return m.again(m.next(0))
	case !m.control && a.Sent.Before(m.turn):
		return m.again(m.next(0))
	}
	return m.came(a)
}

// absent reads that nobody is there who could be the person. Once they were found
// there, in the same way, that is a no. Before, it is none yet: the way may be
// wrong. If they are found one day, it was one.
func (m *measure) absent(a activation.Answer) activation.Answer {
	switch {
	case m.toward == activation.Removal && !m.span.After.IsZero():
		a.Says, a.Why, a.Absent, a.Evidence = activation.No, "", false, "no account any more"
	case m.toward == activation.Grant && a.Sent.After(m.memory.Absent):
		m.memory.Absent = a.Sent
	}
	return a
}

// contrary remembers when the other answer was last asked for. Only the first
// is news, the one that ends a doubt that was told, and now and then one that
// says how long it takes already.
func (m *measure) contrary(a activation.Answer) activation.Report {
	m.memory.Run, m.memory.First = 0, nil
	if a.Sent.After(m.memory.Last[a.Level]) {
		m.memory.Last[a.Level] = a.Sent
	}
	if m.control {
		return activation.Report{Tell: m.tell(a, time.Time{})}
	}
	r := m.again(m.sooner(m.next(0), a))
	if m.span.After.IsZero() || m.span.Doubt != "" || m.span.Longer(m.turn, a.Sent) {
		r.Tell = m.tell(a, time.Time{})
	}
	return r
}

// came publishes the wanted answer once it is confirmed: the first of the run.
func (m *measure) came(a activation.Answer) activation.Report {
	if m.memory.First == nil || m.memory.First.Level != a.Level {
		m.memory.First, m.memory.Run = &a, 0
	}
	m.memory.Run++
	if m.memory.Run < m.limits.Confirm {
		return m.again(Next(0, Limits{Cache: m.limits.Cache, Rate: m.limits.Rate}, nil, 0, 0))
	}
	first := *m.memory.First
	return activation.Report{Tell: m.tell(first, m.last(first.Level))}
}

// last is the latest contrary answer that bounds an answer of that level: what
// the target had not received it could not allow, but not the reverse.
func (m *measure) last(most activation.Level) time.Time {
	last := m.memory.Absent
	for level, at := range m.memory.Last {
		if level <= most && at.After(last) {
			last = at
		}
	}
	return last
}

const (
	doubtsToTell = 3
	doubtToTell  = 2 * time.Minute
)

// doubt counts a can't tell; it is told once, when it lasts.
func (m *measure) doubt(a activation.Answer, retry time.Duration) activation.Report {
	if !a.Absent { // who is not there yet is no trouble of the target's
		m.memory.Doubts++
	}
	m.memory.Run = 0 // what did not come may have been another copy's no
	if m.memory.Since.IsZero() {
		m.memory.Since = m.now
	}
	var news activation.Input
	lasts := m.control || m.memory.Doubts >= doubtsToTell || m.now.Sub(m.memory.Since) >= doubtToTell
	if lasts && !m.memory.Told {
		m.memory.Told = true
		if m.span.Doubt != a.Why {
			news = m.tell(a, time.Time{})
		}
	}
	wait := m.next(m.world(retry))
	r := m.again(wait)
	if retry > 0 && wait <= m.world(retry) {
		r = m.after(retry)
	}
	r.Tell = news
	return r
}

func (m *measure) tell(a activation.Answer, last time.Time) activation.Input {
	return activation.Probed{Target: m.target, Direction: m.toward, Answer: a, Last: last}
}

func (m *measure) next(retry time.Duration) time.Duration {
	l := m.limits
	if m.control {
		l.Quiet = 0
	}
	return Next(m.age(), l, m.learned, m.memory.Doubts, retry)
}

// sooner is a wait without what this question took and the next will: the
// interval that is published begins when the one was sent, and ends when the
// other is answered, some of them later than the one before. What was planned to
// the moment, or is shared, stays.
func (m *measure) sooner(wait time.Duration, a activation.Answer) time.Duration {
	least := max(wait*3/4, m.limits.Cache, m.limits.Rate, m.limits.Quiet-m.age())
	if m.learned != nil || m.limits.Batch > 1 || m.age() < 0 || least >= wait {
		return wait
	}
	return max(wait-m.now.Sub(a.Sent)*5/2, least)
}

// afterOverdue is when a removal that is overdue is looked for; the alarm comes
// a little later (activation.EvSpan).
const afterOverdue = 30 * time.Second

// again comes back in world time.
func (m *measure) again(wait time.Duration) activation.Report {
	at := m.now.Add(wait)
	if m.limits.Batch > 1 && m.age() >= 0 {
		at = m.together(at)
	}
	// Right after it is overdue, before anybody is alarmed of what may be gone.
	least := m.now.Add(max(step, m.limits.Cache, m.limits.Rate))
	if o := m.overdue.Add(afterOverdue); !m.overdue.IsZero() && m.now.Before(o) && at.After(o) && !least.After(o) {
		at = o
	}
	return activation.Report{Again: at, Memory: m.remembered()}
}

// together makes looks fall together where one call serves several persons: on
// multiples of about an eighth of the wait. What is planned is hardly moved, and
// what had to wait for a cache waits no longer.
func (m *measure) together(at time.Time) time.Time {
	beat := step
	for m.learned == nil && beat*2 <= at.Sub(m.now)/8 {
		beat *= 2
	}
	sooner := at.Truncate(beat)
	if m.learned == nil && sooner.Sub(m.now) >= max(step, m.limits.Cache, m.limits.Rate, m.limits.Quiet-m.age()) || sooner.Equal(at) {
		return sooner
	}
	if m.limits.Cache > sooner.Sub(m.now) {
		return at
	}
	return sooner.Add(beat)
}

// after comes back in wire time, because the target asked for it.
func (m *measure) after(wait time.Duration) activation.Report {
	return activation.Report{After: wait, Memory: m.remembered()}
}

func (m *measure) remembered() json.RawMessage {
	b, err := json.Marshal(m.memory)
	if err != nil {
		return nil // nothing in it can fail; losing it would be harmless
	}
	return b
}
