package downstream

import (
	"context"
	"net/http"
	"time"

	"pagbot/activation"
)

// each asks about one person after the other and keeps the worst fault. f is
// told when its question began.
func askEach(ctx context.Context, now func() time.Time, level activation.Level, who []activation.Person,
	f func(ctx context.Context, p activation.Person, sent time.Time) (activation.Answer, error)) ([]activation.Answer, *Fault) {
	answers := make([]activation.Answer, len(who))
	var worst *Fault
	for i, p := range who {
		sent := now()
		a, err := f(ctx, p, sent)
		if err != nil {
			fault := faultOf(err)
			if worst == nil || fault.After > worst.After {
				worst = fault
			}
			a = cantTell(fault.Why, level, sent, now())
		}
		answers[i] = a
	}
	return answers, worst
}

// doubtAll gives everybody the same can't tell.
func doubtAll(who []activation.Person, err error, level activation.Level, sent, received time.Time) ([]activation.Answer, *Fault) {
	f := faultOf(err)
	answers := make([]activation.Answer, len(who))
	for i := range answers {
		answers[i] = cantTell(f.Why, level, sent, received)
	}
	return answers, f
}

// configured makes an answer one about configuration: the target's settings
// name the group, and Entra lists the person. The target itself was not asked.
func configured(a activation.Answer) activation.Answer {
	a.Level, a.Configured = activation.L0, true
	return a
}

// Client is how a probe reaches its service, and whose clock it keeps.
type Client struct {
	HTTP *http.Client     // nil: http.DefaultClient; redirects are never followed
	Now  func() time.Time // world time; nil: time.Now
}

func (c Client) withDefaults() Client {
	if c.HTTP == nil {
		c.HTTP = http.DefaultClient
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

const graphBase = "https://graph.microsoft.com"
