package engine

import (
	"context"
	"testing"
	"time"

	"pagbot/activation"
)

// controlled asks with a kept session while the target takes its time to say
// yes, and lets PIM grant it. It returns how long after the ask the deed was
// done, and what is known of the target in the end.
func controlled(t *testing.T, takes time.Duration, says activation.Says) (deed time.Duration, s activation.Span) {
	inLab(t, hand{}, func(c *Config) {
		var began time.Time
		c.Hands[activation.DoDeed] = hand{do: func(_ context.Context, a activation.Activation, e activation.Effect) activation.Report {
			deed = time.Since(a.Began)
			return submitted(a, e)
		}}
		c.Hands[activation.Probe] = hand{do: func(ctx context.Context, a activation.Activation, e activation.Effect) activation.Report {
			began = time.Now()
			time.Sleep(takes)
			answer := activation.Answer{Says: says, Level: activation.L2, Evidence: "other group", Sent: began, Received: time.Now(), Why: "it is broken"}
			return activation.Report{Tell: activation.Probed{Target: e.Target, Direction: e.Toward, Answer: answer}}
		}}
	}, func(l *lab) {
		l.ask("a1", activation.Session, func(q *activation.Ask) {
			q.Facts.Targets = []activation.Target{{ID: "devops", Kind: "devops", Level: activation.L2}}
		})
		l.sleep(5 * time.Second)
		from := time.Now().Add(-5 * time.Second).Add(deed)
		if _, err := l.Tell(l.ctx, "a1", activation.Saw{Looked: true, Present: &activation.Instance{From: from, Ends: from.Add(time.Hour)}, At: time.Now()}); err != nil {
			t.Fatal(err)
		}
		l.sleep(time.Minute)
		a, err := l.Load(l.ctx, "a1")
		if err != nil {
			t.Fatal(err)
		}
		s = a.Targets[0].Grant
	})
	return deed, s
}

// A kept session does the deed without a browser: still the target is heard
// first, or standing access would pass for what the deed brought.
func TestSubmitWaitsForTheControl(t *testing.T) {
	for _, c := range []struct {
		name  string
		takes time.Duration
		says  activation.Says
		most  time.Duration
		want  activation.State
	}{
		{"had it", 700 * time.Millisecond, activation.Yes, time.Second, activation.HadAlready},
		{"can't tell", 700 * time.Millisecond, activation.CantTell, time.Second, activation.Waiting},
		{"hangs", time.Minute, activation.Yes, controlTime + breath, activation.Works},
	} {
		deed, s := controlled(t, c.takes, c.says)
		if deed < min(c.takes, controlTime) || deed > c.most || s.State != c.want {
			t.Errorf("%s: the deed was done after %v, the target is %q, not %q", c.name, deed, s.State, c.want)
		}
	}
}
