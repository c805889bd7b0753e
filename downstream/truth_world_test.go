package downstream

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"time"

	"pagbot/activation"
)

// fate is the world that one simulated activation meets, drawn from a seed: a
// target of a few replicas, each with its own delays, behind a cache and a
// network that breaks. It is the probe too, and it knows the truth.
type fate struct {
	r          *rand.Rand
	limits     Limits
	copies     int
	hides      bool          // while it is not effective, only what was received is told
	standing   bool          // the person has it through another group
	control    bool          // noticed while it waits for approval
	noticed    time.Duration // how late we see what PIM did
	cache      time.Duration // answers are given again for so long
	began      time.Time
	from, ends time.Time
	within     time.Duration
	come, gone [2][]time.Time // of each copy: received, and effective
	missing    bool           // the removal never happens
	storms     []storm
	restarts   []restart
	history    func(string, activation.Direction) []Latency
	turn       int
	given      []given
	signIns    []time.Time
	took       map[int64]time.Duration // of the calls, by when they were sent
	nature     string
	lie        lie
}

// storm is a time in which the target can't be asked.
type storm struct {
	from, to time.Time
	kind     int
}

// restart is when the process dies, for how long, and whether it forgets what it
// had learned.
type restart struct {
	at      time.Time
	down    time.Duration
	forgets bool
}

// given is an answer that is given again until it is old.
type given struct {
	from, until time.Time
	says        bool
}

// The ways in which a target fails.
const (
	hangs = iota
	aPage
	refuses
	errorIn200
	slowDown
	fails        // so many
	onlyReceived // it can't tell what is effective
)

// lie is what a probe must not do, so that the test is seen to notice.
type lie int

const (
	honest           lie = iota
	claimsMore           // calls what was received effective
	datesLater           // dates a contrary answer after it came
	takesDoubtsForNo     // reads a failure as a no
)

// never is after everything.
var never = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)

// one in n.
func (f *fate) one(n int) bool { return f.r.IntN(n) == 0 }

func (f *fate) between(low, high time.Duration) time.Duration { return between(f.r, low, high) }

// pasts are what was measured on a target of each nature.
func pasts(all []nature) [][]Latency {
	pasts := make([][]Latency, len(all))
	for i, n := range all {
		l := begin(n)
		for range 2 * enough {
			l.remember(l.live(policies[1].make()))
		}
		pasts[i] = l.past
	}
	return pasts
}

// drawFate makes the world of one life.
func drawFate(life uint64, began time.Time, all []nature, pasts [][]Latency) *fate {
	f := &fate{r: rand.New(rand.NewPCG(20260105, life)), began: began, copies: 1, took: map[int64]time.Duration{}}
	f.standing, f.control, f.missing = f.one(12), !f.one(4), f.one(30)
	f.from = began.Add(f.between(time.Minute, 40*time.Minute))
	f.ends = f.from.Add(f.between(15*time.Minute, 8*time.Hour))
	f.noticed = f.between(0, time.Minute)
	f.within = f.between(time.Minute, 90*time.Minute)
	f.limits = Limits{Level: activation.L2, Rate: f.between(0, time.Second)}
	switch {
	case f.one(5):
		f.copies = 2 + f.r.IntN(2)
	case f.one(5):
		f.cache = f.between(30*time.Second, 5*time.Minute)
		f.limits.Cache = f.cache
	case f.one(5):
		f.narrow()
	}
	if f.one(6) {
		f.limits.Batch = 8
	}
	f.limits.Confirm = f.copies
	f.delays(int(life)%len(all), all, pasts)
	f.trouble()
	return f
}

// delays draws when the target follows, in both directions.
func (f *fate) delays(i int, all []nature, pasts [][]Latency) {
	n := all[i]
	f.nature = n.name
	shift := map[activation.Direction]time.Duration{}
	draw := func(toward activation.Direction, turn time.Time) time.Duration {
		as := epoch.Add(f.between(0, 1000*time.Hour)) // the target's own time
		shift[toward] = turn.Sub(as)
		delay, _ := n.draw(f.r, as)
		if f.one(20) {
			delay += f.between(0, delay+time.Minute) // beyond what the book says
		}
		return delay
	}
	come, gone := f.from.Add(draw(activation.Grant, f.from)), f.ends.Add(draw(activation.Removal, f.ends))
	if f.one(4) { // the person signs in again, which makes the target look at once
		for _, turn := range []time.Time{f.from, f.ends} {
			f.signIns = append(f.signIns, turn.Add(f.between(time.Second, 20*time.Minute)))
		}
		come, gone = earlier(come, f.signIns[0]), earlier(gone, f.signIns[1])
	}
	if f.one(30) {
		come = never
	}
	if f.missing {
		gone = never
	}
	for range f.copies {
		c, g := come, gone
		if f.copies > 1 {
			c, g = c.Add(f.between(0, 3*time.Minute)), g.Add(f.between(0, 3*time.Minute))
		}
		f.come[1], f.gone[1] = append(f.come[1], c), append(f.gone[1], g)
		f.come[0], f.gone[0] = append(f.come[0], partOf(f.r, f.from, c)), append(f.gone[0], partOf(f.r, f.ends, g))
	}
	if f.one(40) { // plans cost the test its time
		f.history = func(_ string, toward activation.Direction) (past []Latency) {
			for _, l := range pasts[i] {
				l.At = l.At.Add(shift[toward])
				past = append(past, l)
			}
			return past
		}
	}
}

// partOf is a moment between two.
func partOf(r *rand.Rand, from, to time.Time) time.Time {
	if to.Equal(never) {
		return never
	}
	return from.Add(between(r, 0, to.Sub(from)))
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// narrow lets the target tell only what it received, for a while or whenever it
// has nothing else to tell.
func (f *fate) narrow() {
	if f.one(10) {
		f.hides = true
		return
	}
	for range 1 + f.r.IntN(3) {
		at := f.began.Add(f.between(0, f.ends.Sub(f.began)+2*time.Hour))
		f.storms = append(f.storms, storm{at, at.Add(f.between(0, time.Hour)), onlyReceived})
	}
}

// trouble draws storms and restarts: anywhere, or right where it hurts.
func (f *fate) trouble() {
	where := func() time.Time {
		switch at := []time.Time{f.come[1][0], f.gone[1][0]}[f.r.IntN(2)]; {
		case !at.Equal(never) && f.one(3):
			return at.Add(f.between(-2*time.Minute, 0))
		default:
			return f.began.Add(f.between(0, f.ends.Sub(f.began)+time.Hour))
		}
	}
	for f.one(8) {
		at := where()
		f.storms = append(f.storms, storm{at, at.Add(f.between(0, 10*time.Minute)), f.r.IntN(fails)})
	}
	for f.one(8) {
		f.restarts = append(f.restarts, restart{where(), f.between(0, 3*time.Minute), f.one(4)})
	}
}

// holds says what copy i has of the person, of what was received (0) or what is
// effective (1). What ended before it arrived is never seen.
func (f *fate) holds(layer, i int, now time.Time) bool {
	come, gone := f.come[layer][i], f.gone[layer][i]
	return f.standing || come.Before(f.ends) && !now.Before(come) && now.Before(gone)
}

// Limits implements Probe.
func (f *fate) Limits() Limits { return f.limits }

// Check implements Probe.
func (f *fate) Check(ctx context.Context, who []activation.Person) ([]activation.Answer, error) {
	sent := time.Now()
	f.travel()
	i := f.turn % f.copies
	f.turn++ // a question that breaks has reached a copy too
	level, layer := activation.L2, 1
	for _, s := range f.storms {
		if now := time.Now(); !now.Before(s.from) && now.Before(s.to) {
			if s.kind == onlyReceived {
				level, layer = activation.L1, 0
				continue
			}
			err := s.breaks(ctx)
			if f.lie == takesDoubtsForNo && ctx.Err() == nil {
				return []activation.Answer{yesNo(false, level, "", sent, time.Now())}, nil
			}
			answers, fault := doubtAll(who, err, f.limits.Level, sent, time.Now())
			return answers, fault
		}
	}
	if f.hides && !f.holds(1, i, time.Now()) || f.lie == claimsMore {
		level, layer = activation.L1, 0
	}
	is := f.says(layer, i)
	f.travel()
	if f.lie == claimsMore {
		level = activation.L2
	}
	a := yesNo(is, level, "evidence", sent, time.Now())
	if f.lie == datesLater && !is {
		a.Sent = a.Received.Add(10 * time.Second)
		a.Received = a.Sent
	}
	f.took[sent.UnixNano()] = time.Since(sent)
	return []activation.Answer{a}, nil
}

// travel is the way there, or back.
func (f *fate) travel() {
	most := 200 * time.Millisecond
	if f.one(50) {
		most = 2 * time.Second
	}
	time.Sleep(f.between(0, most))
}

// says evaluates, or gives an answer again.
func (f *fate) says(layer, i int) bool {
	now := time.Now()
	if n := len(f.given); n > 0 && now.Before(f.given[n-1].until) {
		return f.given[n-1].says
	}
	is := f.holds(layer, i, now)
	if f.cache > 0 {
		until := now.Add(f.cache)
		for _, at := range f.signIns {
			if at.After(now) {
				until = earlier(until, at)
			}
		}
		f.given = append(f.given, given{now, until, is})
	}
	return is
}

// served is when a change of copy i arrives where the person is served, which
// is after an older answer is no longer given.
func (f *fate) served(at time.Time, in bool) time.Time {
	for _, g := range f.given {
		if g.says != in && g.from.Before(at) && g.until.After(at) {
			return g.until
		}
	}
	return at
}

// breaks is how a target fails, as a probe sees it.
func (s storm) breaks(ctx context.Context) error {
	reply := func(status int, kind, body string) error {
		a := &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {kind}}}
		if f := refused(a, []byte(body), nil); f != nil {
			return f
		}
		return errors.New("this breaks nothing: " + body)
	}
	switch s.kind {
	case hangs:
		<-ctx.Done()
		return ctx.Err()
	case aPage:
		return reply(http.StatusOK, "text/html; charset=utf-8", "<!DOCTYPE html><html>Sign in</html>")
	case refuses:
		return reply(http.StatusForbidden, "application/json", `{"error":{"code":"Forbidden"}}`)
	case errorIn200:
		return reply(http.StatusOK, "application/json", `{"error":{"code":"InternalError","message":"canceled"}}`)
	}
	return &Fault{Why: tooFast, After: 37 * time.Second}
}

// silence is how much of an interval nobody could have been told in.
func (f *fate) silence(after, by time.Time) (sum time.Duration) {
	covers := func(from, to time.Time) {
		if from.Before(after) {
			from = after
		}
		sum += max(0, earlier(to, by).Sub(from))
	}
	covers(f.from, f.from.Add(f.noticed))
	covers(f.ends, f.ends.Add(f.noticed))
	for _, s := range f.storms {
		covers(s.from, s.to)
	}
	for _, s := range f.restarts {
		covers(s.at, s.at.Add(s.down))
	}
	return sum
}
