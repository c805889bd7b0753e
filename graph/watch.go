package graph

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"pagbot/activation"
)

// Watch looks at what PIM holds of an activation. It is the engine's hand for
// activation.WatchPIM, and speaks only when there is news.
type Watch struct{ reader *Reader }

// NewWatch makes the hand.
func NewWatch(r *Reader) *Watch { return &Watch{r} }

// watched is what a look leaves for the next.
type watched struct {
	Phase  activation.Phase `json:"phase,omitempty"`
	Looks  int              `json:"looks,omitempty"`   // in this phase
	Last   time.Time        `json:"last,omitzero"`     // when the last look's answer was asked for
	Missed time.Time        `json:"missed,omitzero"`   // first look that found no instance
	Failed int              `json:"failed,omitempty"`  // looks in a row that failed
	Told   bool             `json:"trouble,omitempty"` // that they fail
}

// patience is how many looks in a row may fail before somebody is told.
const patience = 5

// Do looks once. It says when to look again, or nothing if nothing is left to see.
func (w *Watch) Do(ctx context.Context, a activation.Activation, e activation.Effect) activation.Report {
	if e.Kind != activation.WatchPIM || !watching(a) {
		return activation.Report{}
	}
	now := w.reader.now()
	var m watched
	if len(e.Memory) > 0 {
		_ = json.Unmarshal(e.Memory, &m) // without a memory the looks are as at first
	}
	if m.Phase != a.Phase {
		m.Phase, m.Looks, m.Missed = a.Phase, 0, time.Time{}
	}
	m.Looks++
	saw, err := w.look(ctx, a, now, &m)
	if err != nil {
		return m.failed(err, now)
	}
	r := activation.Report{Again: m.again(a, now)}
	switch {
	case news(a, saw):
		r.Tell = saw
	case m.Told:
		r.Tell, m.Told = activation.Trouble{Cleared: true}, false
	}
	m.Failed = 0
	r.Memory = m.keep()
	return r
}

// Look is Do: looking twice changes nothing.
func (w *Watch) Look(ctx context.Context, a activation.Activation, e activation.Effect) activation.Report {
	return w.Do(ctx, a, e)
}

func watching(a activation.Activation) bool {
	return a.Open() && a.Phase != activation.Asked && a.Phase != activation.Verifying
}

func granted(a activation.Activation) bool {
	return a.Phase == activation.Active || a.Phase == activation.Ending
}

// look reads what the phase makes worth reading.
func (w *Watch) look(ctx context.Context, a activation.Activation, now time.Time, m *watched) (activation.Saw, error) {
	saw := activation.Saw{At: now}
	old := m.old(a, now)
	if a.Request.ID != "" && !granted(a) {
		q, err := w.reader.seenRequest(ctx, a, old)
		switch {
		case NotFound(err) && now.Before(a.Request.Created.Add(readLag)):
			// too young for PIM's reads
		case err != nil:
			return saw, err
		default:
			saw.Request = &q
		}
		if saw.Request != nil && q.Kind() == activation.AtApproval {
			return saw, nil // nothing can be granted yet
		}
	}
	i, at, err := w.reader.seenInstance(ctx, a, old)
	if err != nil {
		return saw, err
	}
	saw.At, saw.Present, m.Last = at, i, at
	saw.Looked = i != nil || m.gone(a, at)
	if i != nil {
		m.Missed = time.Time{}
	}
	return saw, nil
}

// old is how old an answer about the whole group may be that tells enough of
// this activation. What changes at any moment now is asked for itself.
func (m *watched) old(a activation.Activation, now time.Time) time.Duration {
	const beat = 30 * time.Second // of those who read the group
	switch quiet := a.Ends.IsZero() || a.Ends.Sub(now) > time.Minute; {
	case a.Phase == activation.Active && quiet && m.Missed.IsZero():
		return min(beat+beat/2, now.Sub(m.Last)) // never back to an answer from before the last
	case a.Phase == activation.AwaitingApproval && m.growing(5*time.Second, beat) == beat:
		return beat
	}
	return 0
}

// gone decides whether finding no instance means that there is none: past the
// end it does; before, PIM's reads must have had the time to show it, and say
// so twice.
func (m *watched) gone(a activation.Activation, now time.Time) bool {
	if !granted(a) {
		return false
	}
	if !a.Ends.IsZero() && !now.Before(a.Ends) {
		return true
	}
	if m.Missed.IsZero() {
		m.Missed = now
	}
	return !now.Before(m.Missed.Add(readLag)) && !now.Before(a.From.Add(readLag))
}

// news compares with what the activation holds already.
func news(a activation.Activation, s activation.Saw) bool {
	if s.Request != nil && s.Request.Status != a.Request.Status {
		return true
	}
	switch {
	case s.Present != nil:
		return !granted(a) || !s.Present.Ends.Equal(a.Ends)
	case s.Looked:
		return granted(a)
	}
	return false
}

// again is when the next look is worth it.
func (m *watched) again(a activation.Activation, now time.Time) time.Time {
	after := func(d time.Duration) time.Time { return now.Add(d) }
	switch a.Phase {
	case activation.AwaitingApproval:
		return after(m.growing(5*time.Second, 30*time.Second))
	case activation.Scheduled:
		if until := a.Request.Start.Sub(now); until > 0 {
			return after(min(until, time.Minute)) // it may be cancelled meanwhile
		}
	case activation.Active:
		if !m.Missed.IsZero() {
			return after(readLag)
		}
		switch left := a.Ends.Sub(now); {
		case a.Ends.IsZero() || left > time.Minute:
			return after(time.Minute)
		case left > 0:
			return a.Ends
		default:
			// PIM's reads may show it for a while after its end.
			return after(min(max(2*time.Second, -left/4), 30*time.Second))
		}
	}
	return after(m.growing(2*time.Second, 30*time.Second))
}

// growing starts short and grows by a quarter with each look of the phase.
func (m *watched) growing(from, to time.Duration) time.Duration {
	d := from
	for range min(m.Looks-1, 40) {
		d += d / 4
	}
	return min(d, to)
}

// failed says so once it is no accident any more, and goes on looking.
func (m *watched) failed(err error, now time.Time) activation.Report {
	m.Failed++
	r := activation.Report{Again: now.Add(m.growing(2*time.Second, 30*time.Second)), Err: err}
	if f := asFault(err); f.Status == http.StatusTooManyRequests && f.After > 0 {
		r.Again, r.After = time.Time{}, f.After
	}
	if m.Failed >= patience && !m.Told {
		r.Tell, m.Told = activation.Trouble{Why: asFault(err).Refusal()}, true
	}
	r.Memory = m.keep()
	return r
}

func (m *watched) keep() json.RawMessage {
	b, err := json.Marshal(m)
	if err != nil {
		panic(err) // times, numbers and words only
	}
	return b
}
