package activation

import "time"

// Timings of what an activation waits for by itself.
const (
	// ApprovalWindow is how long PIM holds a request; source: fixed, 24 hours.
	ApprovalWindow = 24 * time.Hour
	// GiveUp is how long after the end a removal is looked for.
	GiveUp = 24 * time.Hour
	// grace is how long PIM may take to do on its own what it promised, before
	// we say that something is stuck.
	grace = 10 * time.Minute
)

// Due is when an activation wants to be told the time (Tick), if ever. What it
// waits for from outside has jobs of its own.
func (a Activation) Due() (time.Time, bool) {
	var at time.Time
	sooner := func(t time.Time) {
		if at.IsZero() || t.Before(at) {
			at = t
		}
	}
	switch a.Phase {
	case Asked:
		if a.Stuck == nil {
			sooner(a.lastChance().Add(grace))
		}
	case Active, Ending:
		if !a.Warned && !a.Ends.IsZero() {
			sooner(a.warnAt())
		}
	case AwaitingApproval:
		if a.Stuck == nil {
			sooner(a.requested().Add(ApprovalWindow + grace))
		}
	case Provisioning:
		if a.Stuck == nil {
			sooner(a.promised().Add(grace))
		}
	case Verifying:
		for _, t := range a.Targets {
			if !t.Removal.Settled() && !t.Removal.Overdue && t.Within > 0 {
				sooner(a.Ended.Add(time.Duration(t.Within)))
			}
		}
		sooner(a.Ended.Add(GiveUp))
	}
	return at, !at.IsZero()
}

func (a Activation) warnAt() time.Time {
	lead := min(time.Duration(a.Lead), a.Ends.Sub(a.From)/4)
	return a.Ends.Add(-lead)
}

func (a Activation) requested() time.Time {
	if a.Request.Created.IsZero() {
		return a.Began
	}
	return a.Request.Created
}

// promised is since when PIM has all that it needs to grant the access.
func (a Activation) promised() time.Time {
	at := a.requested()
	if a.Request.Start.After(at) {
		at = a.Request.Start
	}
	if a.Decision != nil && a.Decision.At.After(at) {
		at = a.Decision.At
	}
	return at
}

// lastChance is when the last pending deed can be begun.
func (a Activation) lastChance() time.Time {
	at := a.Began
	for _, d := range a.Deeds {
		if d.Warrant.Expires.After(at) {
			at = d.Warrant.Expires
		}
	}
	return at
}
