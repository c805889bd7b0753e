package activation

import "time"

// Groups may exclude each other: one person must not have both at once. PIM
// knows no such rule. It is pagbot's guard rail, and is tried three times: on the
// ask (Judge), right before the write against what PIM shows then (engine), and
// on what PIM grants, where somebody went round it (Clash).

// apart is how far the end of one must lie before the begin of the other: PIM
// takes some seconds for either.
const apart = time.Minute

// Reach is from when to when PIM grants an activation, or may come to grant it; a
// zero until is an end that nobody knows yet.
func (a Activation) Reach(now time.Time) (from, until time.Time) {
	if a.Phase == Active || a.Phase == Ending {
		return a.From, a.Ends
	}
	from = a.Starts()
	switch {
	case !a.Until.IsZero():
		until = a.Until
	case a.Phase == AwaitingApproval || a.Phase == Asked && a.Settings.NeedsApproval:
		// The length counts from the approval.
	case !from.IsZero():
		until = from.Add(time.Duration(a.Length))
	}
	if from.Before(now) {
		from = now
	}
	return from, until
}

// Meets reports whether PIM might grant both at once.
func (a Activation) Meets(b Activation, now time.Time) bool {
	from, until := a.Reach(now)
	begins, ends := b.Reach(now)
	before := func(end, begin time.Time) bool { return !end.IsZero() && !begin.Before(end.Add(apart)) }
	return !before(until, begins) && !before(ends, from)
}

// Excludes is the refusal of what meets this one.
func (a Activation) Excludes() Refusal {
	return Refusal{Code: Excluded, By: a.Group.Name, Until: a.Ends, Rival: a.ID}
}

// excluded is why an ask must wait for what excludes it; its zero value: nothing
// does. What ends first, to be switched from, does not count.
func (q Ask) excluded(rivals []Activation, now time.Time) Refusal {
	a := Activation{Phase: Asked, Start: q.Start, Until: q.Until, Length: Duration(q.Length), Settings: q.Facts.Settings}
	if a.Until.IsZero() && a.Start.IsZero() && !a.Settings.NeedsApproval {
		a.Until = now.Add(q.Length)
	}
	for _, r := range rivals {
		if r.ID != q.After && a.Meets(r, now) {
			return r.Excludes()
		}
	}
	return Refusal{}
}
