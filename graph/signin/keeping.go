package signin

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// Custody says what becomes of an ordinary sign-in's tokens: KeepNone,
// KeepSession, or a number of days such as "7d".
type Custody string

// The custodies, beside a number of days.
const (
	KeepNone    Custody = "none"    // every deed asks the person to sign in
	KeepSession Custody = "session" // sealed per person: 12 h at rest, 24 h in all
)

// MaxDays is the longest custody, and daysIdle how long one of days may rest:
// a weekend, and not a holiday.
const (
	MaxDays  = 30
	daysIdle = 3 * 24 * time.Hour
)

var someDays = regexp.MustCompile(`^([1-9][0-9]?)d$`)

// Valid says what is wrong with a custody, if anything.
func (c Custody) Valid() error {
	_, _, err := c.limits()
	return err
}

// limits are how long a session may rest, and how long it may last in all.
func (c Custody) limits() (idle, absolute time.Duration, err error) {
	switch c {
	case KeepNone:
		return 0, 0, nil
	case KeepSession:
		return 12 * time.Hour, 24 * time.Hour, nil
	}
	if m := someDays.FindStringSubmatch(string(c)); m != nil {
		if n, err := strconv.Atoi(m[1]); err == nil && n <= MaxDays {
			absolute = time.Duration(n) * 24 * time.Hour
			return min(daysIdle, absolute), absolute, nil
		}
	}
	return 0, 0, fmt.Errorf("%q is not known: choose none, session, or up to %d days such as 7d", c, MaxDays)
}

// keeps reports whether sessions are kept at all.
func (s *Service) keeps() bool { return s.cfg.Custody != KeepNone }
