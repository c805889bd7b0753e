package entra

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
)

var iso = regexp.MustCompile(`^P(?:(\d+)Y)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$`)

// parseDuration reads an ISO 8601 duration. Weeks beside other parts are no
// valid ISO 8601, but the Graph SDK writes them: P365D becomes P52W1D.
func parseDuration(s string, mixedWeeks bool) (time.Duration, error) {
	m := iso.FindStringSubmatch(s)
	if m == nil || s == "P" || s[len(s)-1] == 'T' {
		return 0, fmt.Errorf("no duration: %q", s)
	}
	if m[2] != "" && m[2]+m[3]+m[4]+m[5] != m[2] && !mixedWeeks {
		return 0, fmt.Errorf("weeks stand alone: %q", s)
	}
	const day = 24 * time.Hour
	var d time.Duration
	for i, unit := range []time.Duration{365 * day, 7 * day, day, time.Hour, time.Minute, time.Second} {
		n, _ := strconv.Atoi(m[i+1])
		d += time.Duration(n) * unit
	}
	return d, nil
}

// isoDuration writes days for whole days, else hours, minutes and seconds.
func isoDuration(d time.Duration) string {
	if d > 0 && d%(24*time.Hour) == 0 {
		return fmt.Sprintf("P%dD", d/(24*time.Hour))
	}
	s := "PT"
	for _, u := range []struct {
		unit   time.Duration
		letter string
	}{{time.Hour, "H"}, {time.Minute, "M"}, {time.Second, "S"}} {
		if n := d / u.unit; n > 0 {
			s += strconv.Itoa(int(n)) + u.letter
			d -= n * u.unit
		}
	}
	return s
}
