package activation

import "time"

// Wants reports whether an effect is still worth doing. It is asked before
// every attempt.
func Wants(a Activation, e Effect, now time.Time) bool {
	if e.Topic == TopicOverdue {
		t, _ := a.Target(e.Target)
		return !t.Removal.Settled()
	}
	switch e.Topic {
	case TopicRound:
		return a.Round()
	case TopicRemind, TopicMore, TopicRescue:
		return a.Phase == AwaitingApproval && now.Before(a.DecideBy())
	}
	switch e.Kind {
	case DoDeed:
		d, ok := a.Deed(e.Warrant)
		return ok && now.Before(d.Warrant.Expires) && a.timely(d.Warrant.Deed) && !(d.Warrant.Deed == Approve && a.Passed(now))
	case WatchPIM:
		return a.Open() && a.Phase != Verifying && a.Phase != Asked
	case WatchWho:
		return a.Nameless() && now.Before(a.Decision.At.Add(whoLong))
	case Probe:
		t, ok := a.Target(e.Target)
		return ok && a.Open() && !t.Span(e.Toward).Settled() && (a.Phase == Verifying) == (e.Toward == Removal)
	case Demand:
		t, ok := a.Target(e.Target)
		return ok && a.Phase == Active && (a.Ends.IsZero() || now.Before(a.Ends)) && t.Demanded.IsZero() && !t.Grant.Settled()
	case Whisper:
		return e.Until.IsZero() || now.Before(e.Until)
	case DM:
		running := a.Phase == Active || a.Phase == Ending
		switch e.Topic {
		case TopicWarning:
			return running && now.Before(a.Ends)
		case TopicActive:
			// A life that was missed is told from its end.
			return running && (a.Ends.IsZero() || now.Before(a.Ends))
		}
	case Succeed, Free:
		return a.Open()
	}
	return true
}

// timely reports whether PIM could still take a deed of that kind.
func (a Activation) timely(d Deed) bool {
	switch d {
	case Submit:
		return a.Phase == Asked
	case End:
		return a.Phase == Active || a.Phase == Ending
	case Cancel:
		return a.Phase == AwaitingApproval || a.Phase == Scheduled
	default:
		return a.Phase == AwaitingApproval
	}
}

// Controlled reports whether every target has said how it stands before PIM
// grants anything: yes, no, or that it can't tell.
func (a Activation) Controlled() bool {
	if a.After != "" {
		return true // what the targets say now may be of the one before
	}
	for _, t := range a.Targets {
		if s := t.Grant; !t.Owed && !s.Settled() && s.After.IsZero() && s.Doubt == "" {
			return false
		}
	}
	return true
}
