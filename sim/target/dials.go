package target

import (
	"slices"
	"strings"
	"time"
)

// Dials are the limits and lies that every target may have. A simulator embeds
// them in its own.
type Dials struct {
	Budget     int           // calls a Window and caller; 0: no limit
	Window     time.Duration // of the throttle, in wire time
	RetryAfter string        // as sent with a 429 of the throttle
	Replicas   int           // copies that answer in turn, by chance; at least one
	Skew       time.Duration // each further copy is so much later than the one before
	CachedYes  time.Duration // a yes is given again so long …
	CachedNo   time.Duration // … and a no: asking early delays one's own yes
	Reevaluate string        // who may have a person re-evaluated: ByNobody, BySelf, ByAnyone
	Takes      Delay         // how long a re-evaluation takes
}

// Who may have a person re-evaluated on demand.
const (
	ByNobody = "nobody"
	BySelf   = "self"
	ByAnyone = "anyone"
)

// Usual is one honest replica without a cache, a throttle of 30 calls in ten
// seconds, and nobody who may have it look sooner.
func Usual() Dials {
	return Dials{Budget: 30, Window: 10 * time.Second, RetryAfter: "5", Replicas: 1, Reevaluate: ByNobody}
}

// MayReevaluate tells whether a caller may have a person re-evaluated, and how
// long it takes; in Do.
func (f *Frame) MayReevaluate(by Caller, oid string) (after time.Duration, ok bool) {
	switch f.dials.Reevaluate {
	case ByAnyone:
	case BySelf:
		if !strings.EqualFold(by.OID, oid) {
			return 0, false
		}
	default:
		return 0, false
	}
	return f.draw(f.dials.Takes, oid, f.now()), true
}

// Throttled spends one call of a caller's budget; in Do.
func (f *Frame) Throttled(who string) bool {
	if f.dials.Budget == 0 {
		return false
	}
	now := f.wire()
	recent := slices.DeleteFunc(f.spent[who], func(t time.Time) bool { return now.Sub(t) >= f.dials.Window })
	over := len(recent) >= f.dials.Budget
	if !over {
		recent = append(recent, now)
	}
	f.spent[who] = recent
	return over
}
