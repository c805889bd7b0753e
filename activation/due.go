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
		for _, r := range a.reminders() {
			if r.nth > a.Reminded {
				sooner(r.at)
			}
		}
		if a.Stuck == nil {
			sooner(a.undecided())
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

// Reminder is one of the messages that bring a waiting request to mind. There
// is one of each at most: who is asked too often stops reading.
type Reminder int

// The reminders, in their order.
const (
	First  Reminder = iota + 1 // the approvers, after Remind
	Second                     // and others, after four times as long
	Rescue                     // everybody and the requester, before PIM drops the request
)

// rescueLead is how long before PIM's end the rescue comes.
const rescueLead = 2 * time.Hour

type reminder struct {
	nth Reminder
	at  time.Time
}

// reminders lists when a request that waits is to be brought to mind.
func (a Activation) reminders() []reminder {
	since, by := a.requested(), a.DecideBy()
	rescue := by.Add(-min(rescueLead, by.Sub(since)/4))
	all := []reminder{{Rescue, rescue}}
	for nth, wait := range map[Reminder]Duration{First: a.Remind, Second: 4 * a.Remind} {
		if at := since.Add(time.Duration(wait)); wait > 0 && at.Before(rescue) {
			all = append(all, reminder{nth, at})
		}
	}
	return all
}

// overdueReminder is the last reminder whose time has come; those before it
// that were missed are not made up for.
func (a Activation) overdueReminder(now time.Time) (last Reminder) {
	for _, r := range a.reminders() {
		if !now.Before(r.at) {
			last = max(last, r.nth)
		}
	}
	return last
}

// DecideBy is until when a decision can give anything: until PIM drops the request,
// or the end that was asked for.
func (a Activation) DecideBy() time.Time {
	by := a.requested().Add(ApprovalWindow)
	if !a.Until.IsZero() && a.Until.Before(by) {
		return a.Until
	}
	return by
}

// Passed reports whether the end that was asked for has come while nobody decided.
func (a Activation) Passed(now time.Time) bool {
	return a.Phase == AwaitingApproval && !a.Until.IsZero() && !now.Before(a.Until)
}

// undecided is when something must be said of a request that nobody decided: PIM
// should have dropped it, or it can give nothing any more.
func (a Activation) undecided() time.Time {
	if by := a.DecideBy(); by.Equal(a.Until) {
		return by
	}
	return a.DecideBy().Add(grace)
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
