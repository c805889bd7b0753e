package downstream

import (
	"time"

	"pagbot/activation"
)

// tally collects the answers of one Check.
type tally struct {
	answers []activation.Answer
	level   activation.Level
	now     func() time.Time
	begun   time.Time
	fault   *Fault
}

func newTally(n int, level activation.Level, now func() time.Time) *tally {
	return &tally{answers: make([]activation.Answer, n), level: level, now: now, begun: now()}
}

// open reports whether person i still has no answer.
func (t *tally) open(i int) bool { return t.answers[i].Says == "" }

// cannot gives up on person i.
func (t *tally) cannot(i int, err error) {
	f := faultOf(err)
	if t.fault == nil || f.After > t.fault.After {
		t.fault = f
	}
	t.doubt(i, f.Why)
}

// doubt is a can't tell that is nobody's fault.
func (t *tally) doubt(i int, why string) {
	t.answers[i] = cantTell(why, t.level, t.begun, t.now())
}

// absent is that nobody is there who could be person i.
func (t *tally) absent(i int) {
	t.doubt(i, "it does not know this person yet: an account is only written with the first access, or by a base group")
	t.answers[i].Absent = true
}

// cannotAll gives up on all who are open.
func (t *tally) cannotAll(err error) {
	for i := range t.answers {
		if t.open(i) {
			t.cannot(i, err)
		}
	}
}

// sound is a yes or a no.
func (t *tally) sound(i int, is bool, evidence string, sent, received time.Time) {
	t.answers[i] = yesNo(is, t.level, evidence, sent, received)
}

// result is what Check returns.
func (t *tally) result(c *caller) ([]activation.Answer, error) {
	if slow := c.slow(); t.fault == nil && slow > 0 {
		t.fault = &Fault{Why: tooFast, After: slow}
	}
	if t.fault == nil {
		return t.answers, nil // a nil *Fault in an error is not nil
	}
	return t.answers, t.fault
}
