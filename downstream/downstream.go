// Package downstream asks the systems behind a group whether a person's access
// is there yet, or gone: one file a kind of target, and when to look next.
//
// A [Probe] asks and never judges: it answers yes, no or can't tell, each with
// its level, its evidence and the two moments that bound the evaluation. The
// [Watch] turns answers into news of an activation: it keeps one budget a
// target, remembers the last contrary answer and asks again by [Next]. What
// the news means is decided in package activation.
//
// Two clocks: world time is what intervals are made of (Sent, Received, Cache,
// Quiet), wire time is what servers and sockets obey (Rate, Timeout,
// Retry-After). They differ only in a demo that runs faster.
package downstream

import (
	"context"
	"errors"
	"time"

	"pagbot/activation"
)

// Probe asks one target about persons. It only reads.
type Probe interface {
	// Check gives one answer for each of who, in their order, also when it
	// returns an error: the error is what the caller should know on top, such
	// as a *Fault that says how long to leave the target alone.
	Check(ctx context.Context, who []activation.Person) ([]activation.Answer, error)
	Limits() Limits
}

// Limits is what a probe can and may do.
type Limits struct {
	Level   activation.Level // the highest level that it can reach
	Batch   int              // persons in one call; zero: one
	Cache   time.Duration    // world: asking faster only reads the same answer again
	Quiet   time.Duration    // world: nothing was ever seen sooner than this after the turn
	Rate    time.Duration    // wire: the least time between calls
	Timeout time.Duration    // wire: of one call
	Confirm int              // consecutive answers that make a change, where replicas disagree; zero: one
	As      string           // as whom it asks, for people
}

// or fills what l leaves open from d.
func (l Limits) or(d Limits) Limits {
	if l.Batch <= 0 {
		l.Batch = d.Batch
	}
	if l.Cache <= 0 {
		l.Cache = d.Cache
	}
	if l.Quiet <= 0 {
		l.Quiet = d.Quiet
	}
	if l.Rate <= 0 {
		l.Rate = d.Rate
	}
	if l.Timeout <= 0 {
		l.Timeout = d.Timeout
	}
	if l.Confirm <= 0 {
		l.Confirm = d.Confirm
	}
	if l.As == "" {
		l.As = d.As
	}
	return l
}

// Fault is why a target could not be asked, in a few plain words.
type Fault struct {
	Why   string        // for people: "it asks us to slow down"
	After time.Duration // wire: leave the target alone so long; zero: it did not say
	Err   error         // for the log
}

// Error implements error, for logs.
func (f *Fault) Error() string {
	if f.Err == nil {
		return f.Why
	}
	return f.Why + ": " + f.Err.Error()
}

// Unwrap gives the cause.
func (f *Fault) Unwrap() error { return f.Err }

// faultOf reads any error as a fault. An error of another package may carry
// its Retry-After as a method; a refusal of Entra is named by its code.
func faultOf(err error) *Fault {
	var f *Fault
	if errors.As(err, &f) {
		return f
	}
	f = &Fault{Why: "it could not be asked", Err: err}
	var r activation.Refusal
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		f.Why = "no answer in time"
	case errors.Is(err, context.Canceled):
		f.Why = "the question was broken off"
	case errors.As(err, &r):
		f.Why = "Entra says: " + string(r.Code)
	}
	var later interface{ RetryAfter() time.Duration }
	if errors.As(err, &later) {
		f.After = min(max(later.RetryAfter(), 0), longestPause)
	}
	if f.After > 0 {
		f.Why = tooFast
	}
	return f
}

const (
	tooFast = "it asks us to slow down"
	// longestPause bounds a Retry-After: beyond it a header is a mistake.
	longestPause = time.Hour
)

// cantTell is the answer that is neither a yes nor a no.
func cantTell(why string, level activation.Level, sent, received time.Time) activation.Answer {
	return activation.Answer{Says: activation.CantTell, Level: level, Why: why, Sent: sent, Received: received}
}

// yesNo is a sound answer.
func yesNo(is bool, level activation.Level, evidence string, sent, received time.Time) activation.Answer {
	a := activation.Answer{Says: activation.No, Level: level, Evidence: evidence, Sent: sent, Received: received}
	if is {
		a.Says = activation.Yes
	}
	return a
}
