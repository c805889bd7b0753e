package socket

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// slot sees to it that one of the connections is always there. It owns no
// connection longer than it watches it.
type slot struct {
	loop     *Loop
	id       int
	handling context.Context
	failures int  // in a row
	second   bool // had a connection before
	retired  *conn
}

// Why a connection is replaced, beside the reasons that Slack gives.
const (
	whyGone   = "gone"
	whyAged   = "aged"
	whySilent = "silent"
	whyWrite  = "write failed"
)

// run returns nil when ctx ends, and an error only when it is no use to go on.
func (s *slot) run(ctx context.Context) error {
	var old *conn
	var why string
	for {
		c, err := s.connect(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		case old != nil:
			s.retire(old, why)
		}
		why = s.watch(ctx, c)
		old = c
	}
}

// connect tries until there is a connection on which Slack has said hello.
func (s *slot) connect(ctx context.Context) (*conn, error) {
	for {
		err := pause(ctx, backoff(s.failures))
		if err == nil {
			err = s.loop.gate.pass(ctx)
		}
		if err != nil {
			return nil, err
		}
		c, err := s.try(ctx)
		var no *Fatal
		if err == nil || errors.As(err, &no) {
			return c, err
		}
		s.refused(err)
	}
}

// refused takes a failed attempt into account. A refusal that names its own
// pause holds all slots back, and is not made longer by a backoff.
func (s *slot) refused(err error) {
	var pause *later
	if errors.As(err, &pause) {
		s.loop.gate.hold(pause.wait)
	} else if !errors.Is(err, errTurnedAway) {
		s.failures++
	}
	s.loop.count(func(st *Counts) { st.Refused++; st.Trouble = err.Error() })
	s.loop.cfg.Log.Warn("no connection to Slack yet; it will be tried again", "slot", s.id, "err", err)
}

// errTurnedAway: Slack's first word was a disconnect with a reason that the
// gate already holds for.
var errTurnedAway = errors.New("the connection was turned away")

// try opens one connection and waits for its first word.
func (s *slot) try(ctx context.Context) (*conn, error) {
	s.loop.count(func(st *Counts) { st.Opens++ })
	u, err := s.loop.open(ctx)
	if err != nil {
		return nil, err
	}
	ws, wire, err := s.loop.dial(ctx, u)
	if err != nil {
		return nil, err
	}
	c := s.loop.adopt(s, ws, wire)
	hello, err := c.greeting(ctx)
	if err != nil {
		c.leave()
		return nil, err
	}
	c.life = hello.life()
	s.loop.greet(c, hello)
	return c, nil
}

// greeting waits for Slack's first word.
func (c *conn) greeting(ctx context.Context) (f frame, err error) {
	t := time.NewTimer(helloTimeout)
	defer t.Stop()
	select {
	case f = <-c.first:
	case <-c.gone:
		select {
		case f = <-c.first: // said, and closed at once
		default:
			return f, errors.New("the connection ended before Slack's hello")
		}
	case <-t.C:
		return f, fmt.Errorf("no hello from Slack within %v", helloTimeout)
	case <-ctx.Done():
		return f, ctx.Err()
	}
	switch {
	case f.Type == "hello":
		return f, nil
	case holds(f.Reason):
		return f, fmt.Errorf("%w: %s", errTurnedAway, f.Reason)
	}
	return f, fmt.Errorf("disconnected at once: %s", f.Reason)
}

// watch returns when the connection should be replaced, or when ctx ends.
func (s *slot) watch(ctx context.Context, c *conn) (why string) {
	var aged <-chan time.Time
	if d := s.lifetime(c.life); d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		aged = t.C
	}
	select {
	case <-ctx.Done():
		return ""
	case why = <-c.asked:
	case <-c.gone:
		why = whyGone
	case <-aged:
		why = whyAged
	}
	s.loop.state(c, Replacing)
	s.judge(why, time.Since(c.born))
	c.log.Info("replacing the connection", "why", why, "age", time.Since(c.born), "failures", s.failures)
	return why
}

// lifetime is how long a connection is kept before it is replaced without
// being asked. Each slot but the first cuts its first one short, so that the
// connections never grow old together.
func (s *slot) lifetime(slack time.Duration) time.Duration {
	d := slack - min(jitter(minMargin, maxMargin-minMargin), slack/4)
	if !s.second {
		s.second = true
		d -= d * time.Duration(s.id) / time.Duration(s.loop.cfg.Connections)
	}
	return d
}

// judge keeps the count of failures. Only a minute of life proves that things
// are well; but a connection that Slack gave some time to and then asked back,
// or that merely grew old, is no failure either.
func (s *slot) judge(why string, age time.Duration) {
	failed := why == whyGone || why == whySilent || why == whyWrite
	switch {
	case age >= settled:
		s.failures = 0
	case !failed && age >= polite:
		s.failures = max(0, s.failures-1)
	default:
		s.failures++
	}
}

// retire ends a connection whose replacement is there. Slack may close it in
// its own time, as who closes crosses what is under way; but a slot has only
// one that waits for that, so that the loop never holds more than three a slot.
func (s *slot) retire(c *conn, why string) {
	if s.retired != nil {
		s.retired.leave()
	}
	s.retired = c
	grace := graceAsked
	switch why {
	case whyAged:
		grace = time.Until(c.born.Add(c.life)) + graceAged
	case whySilent, whyWrite, whyGone:
		grace = 0
	}
	s.loop.state(c, Retiring)
	s.loop.tasks.Go(func() {
		c.await(grace, s.loop.hurry)
		c.leave()
	})
}

// await returns when the connection is over, d has passed, or it is hurried.
func (c *conn) await(d time.Duration, hurry <-chan struct{}) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-c.over:
	case <-t.C:
	case <-hurry:
	}
}

// holds says whether a reason of Slack's keeps everyone from opening.
func holds(reason string) bool { return reason == "link_disabled" || reason == "too_many_websockets" }

// heed acts on the reasons that concern all connections; every other one, also
// one that we don't know, is a matter of the connection that it came on.
func (l *Loop) heed(reason string) {
	switch reason {
	case "link_disabled":
		l.gate.hold(jitter(linkPause, 2*time.Minute))
		l.alarm("Socket Mode is switched off in the app's settings (api.slack.com/apps, Socket Mode): switch it on again")
	case "too_many_websockets":
		l.gate.hold(jitter(capPause, capPause))
		l.alarm("the app already holds Slack's 10 connections: is it running elsewhere too? Dead connections leave Slack's count by themselves")
		l.closeSurplus()
	}
}

func (l *Loop) alarm(say string) {
	l.count(func(s *Counts) { s.Alarm = say })
	l.cfg.Log.Error(say)
}

// closeSurplus ends the grace of every connection that is already replaced.
func (l *Loop) closeSurplus() {
	for {
		select {
		case l.hurry <- struct{}{}:
		default:
			return
		}
	}
}
