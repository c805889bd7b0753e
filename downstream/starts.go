package downstream

import (
	"context"
	"slices"
	"sync"
	"time"

	"pagbot/activation"
)

// The cliff of Entra's provisioning (SCIM): of the activations behind one
// enterprise application that begin within ten seconds only the first five are
// written within minutes; the others wait for the next cycle, up to 40 minutes.
const (
	startsTogether = 5
	startsWithin   = 11 * time.Second // one more than the cliff: PIM's clock is not ours
)

// Pace is the earliest moment, not before now, for one more start after those
// that were or are to be (rising), so that none falls off the cliff.
func Pace(starts []time.Time, now time.Time) time.Time {
	if n := len(starts); n >= startsTogether {
		if at := starts[n-startsTogether].Add(startsWithin); at.After(now) {
			return at
		}
	}
	return now
}

// Hand is the engine's hand for deeds.
type Hand interface {
	Do(ctx context.Context, a activation.Activation, e activation.Effect) activation.Report
	Look(ctx context.Context, a activation.Activation, e activation.Effect) activation.Report
}

// Starts is a hand before another: it gives each activation behind an
// application its turn to begin, and says to the person when that is. What
// begins in the portal it does not see; nor, for some seconds, what began
// before a restart.
type Starts struct {
	Hand
	now func() time.Time

	mu   sync.Mutex
	apps map[string][]start
}

type start struct {
	warrant string
	at      time.Time
}

// NewStarts puts turns before a hand. now is world time.
func NewStarts(h Hand, now func() time.Time) *Starts {
	return &Starts{Hand: h, now: now, apps: map[string][]start{}}
}

// Do does the deed when it is its turn.
func (s *Starts) Do(ctx context.Context, a activation.Activation, e activation.Effect) activation.Report {
	apps := behind(a, e)
	if len(apps) > 0 {
		now := s.now()
		if at := s.turn(apps, e.Warrant, now); at.After(now) {
			return activation.Report{Again: at, Tell: activation.Trouble{Why: activation.Refusal{Code: activation.Paced, Until: at}}}
		}
	}
	r := s.Hand.Do(ctx, a, e)
	if !r.Finished() && !r.Unsure {
		s.giveBack(apps, e.Warrant)
	}
	return r
}

// giveBack returns the turn of what did not begin: a renewal looks each second
// whether PIM has room for it, and must not use up everybody's turns by that.
func (s *Starts) giveBack(apps []string, warrant string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, app := range apps {
		s.apps[app] = slices.DeleteFunc(s.apps[app], func(x start) bool { return x.warrant == warrant })
	}
}

// behind lists the applications to which Entra will write because of a deed.
func behind(a activation.Activation, e activation.Effect) (apps []string) {
	begins := e.Deed == activation.Approve || e.Deed == activation.Submit && !a.Settings.NeedsApproval
	if !begins || a.Access != activation.Member {
		return nil
	}
	for _, t := range a.Targets {
		if t.App != "" && !slices.Contains(apps, t.App) {
			apps = append(apps, t.App)
		}
	}
	return apps
}

// turn gives a warrant its turn in all of its applications at the same moment.
// A turn that was given stands until it has come.
func (s *Starts) turn(apps []string, warrant string, now time.Time) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := now
	for _, app := range apps {
		s.apps[app] = slices.DeleteFunc(s.apps[app], func(x start) bool { return now.Sub(x.at) > startsWithin })
		for i, x := range s.apps[app] {
			switch {
			case x.warrant != warrant:
			case now.Sub(x.at) < time.Second:
				return x.at
			default: // it may have begun then; now it is tried again
				s.apps[app][i].warrant = ""
			}
		}
	}
	for range apps { // the turn in one may have to wait for that in another
		for _, app := range apps {
			var starts []time.Time
			for _, x := range s.apps[app] {
				starts = append(starts, x.at)
			}
			at = Pace(starts, at)
		}
	}
	for _, app := range apps {
		s.apps[app] = append(s.apps[app], start{warrant, at})
		slices.SortStableFunc(s.apps[app], func(x, y start) int { return x.at.Compare(y.at) })
	}
	return at
}
