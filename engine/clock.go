package engine

import (
	"context"
	"time"
)

// Clock is world time: what PIM, propagation and notices run on. The demo may
// speed it up. Wire time (tokens, Slack's limits, timeouts) is the machine's
// own and may not be; World and Wire convert between the two.
//
// It follows the machine's wall clock and not its monotonic one, which stands
// still while a virtual machine is paused, and never learns that the wall clock
// was set right: PIM and Slack would then live in another time for good.
type Clock struct {
	began time.Time // wire
	epoch time.Time // world, at began
	speed float64
}

// RealClock runs at the machine's pace.
func RealClock() Clock { return ScaledClock(time.Now(), 1) }

// ScaledClock starts at epoch and runs speed times as fast as the machine's.
func ScaledClock(epoch time.Time, speed float64) Clock { return SharedClock(time.Now(), epoch, speed) }

// SharedClock is a scaled clock that stood at epoch at a moment of the
// machine's time: several processes share it by sharing both.
func SharedClock(began, epoch time.Time, speed float64) Clock {
	return Clock{began: began.Round(0), epoch: epoch.Round(0), speed: speed}
}

// Origin is what a SharedClock of another process needs.
func (c Clock) Origin() (began, epoch time.Time, speed float64) { return c.began, c.epoch, c.speed }

// Now is the world's time.
func (c Clock) Now() time.Time {
	return c.epoch.Add(c.World(time.Now().Round(0).Sub(c.began))).UTC()
}

// World is how much world time passes in a span of wire time.
func (c Clock) World(wire time.Duration) time.Duration {
	if c.speed == 1 {
		return wire
	}
	return time.Duration(float64(wire) * c.speed)
}

// Wire is how much wire time passes in a span of world time.
func (c Clock) Wire(world time.Duration) time.Duration {
	if c.speed == 1 {
		return world
	}
	return time.Duration(float64(world) / c.speed)
}

// nap is how long a timer sleeps at most: it does not see that the wall clock
// was set or that the machine slept.
const nap = time.Minute

// until waits for a moment of the world, for a wake, or for the context's end,
// and may return early. A zero moment never comes.
func (c Clock) until(ctx context.Context, at time.Time, wake <-chan struct{}) {
	var due <-chan time.Time
	if !at.IsZero() {
		// One millisecond more, so that a coarse timer never wakes a little early.
		t := time.NewTimer(min(nap, max(0, c.Wire(at.Sub(c.Now())))+time.Millisecond))
		defer t.Stop()
		due = t.C
	}
	select {
	case <-due:
	case <-wake:
	case <-ctx.Done():
	}
}

// pause lets so much world time pass, or returns at the context's end.
func (c Clock) pause(ctx context.Context, world time.Duration) {
	t := time.NewTimer(c.Wire(world))
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
