package downstream

import (
	"context"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pagbot/activation"
	"pagbot/sim/devops"
	"pgregory.net/rapid"
)

// life is one activation followed in virtual time, by a loop that does with
// effects and reports what the engine does.
type life struct {
	a       activation.Activation
	w       *Watch
	jobs    []job
	settled map[activation.Direction]time.Time // when each direction had its last word
	looks   int
}

type job struct {
	effect activation.Effect
	due    time.Time
}

func (l *life) tell(in activation.Input) {
	now := time.Now()
	for _, ev := range activation.Decide(l.a, in, now) {
		l.a = activation.Apply(l.a, ev)
		if s, ok := ev.(activation.EvSpan); ok && s.Span.Settled() {
			l.settled[s.Direction] = now
		}
		for _, e := range activation.Effects(l.a, ev) {
			if e.Kind == activation.Probe {
				l.jobs = slices.DeleteFunc(l.jobs, func(j job) bool { return j.effect.Key == e.Key })
				l.jobs = append(l.jobs, job{e, now})
			}
		}
	}
}

// until lets the watch lane work until a moment.
func (l *life) until(ctx context.Context, at time.Time) {
	for {
		slices.SortStableFunc(l.jobs, func(a, b job) int { return a.due.Compare(b.due) })
		if len(l.jobs) == 0 || l.jobs[0].due.After(at) {
			time.Sleep(time.Until(at))
			return
		}
		j := l.jobs[0]
		l.jobs = l.jobs[1:]
		time.Sleep(time.Until(j.due))
		if !activation.Wants(l.a, j.effect, time.Now()) {
			continue
		}
		r := l.w.Do(ctx, l.a, j.effect)
		l.looks++
		if !r.Finished() {
			j.effect.Memory = r.Memory
			j.due = r.Again
			if r.After > 0 {
				j.due = time.Now().Add(r.After)
			}
			l.jobs = append(l.jobs, j)
		}
		if r.Tell != nil {
			l.tell(r.Tell)
		}
	}
}

// weather is what one life meets on its way.
type weather struct {
	seed     uint64
	control  bool          // noticed while it waits for approval
	standing bool          // the person has it through another group
	period   time.Duration // of the target's ticks
	phases   []time.Duration
	length   time.Duration
	noticed  time.Duration // how late we see what PIM did
	faults   float64
	hides    bool // no entry while there is no permission
	world    bool // the simulated Azure DevOps over HTTP, with its own oracle
}

func drawWeather(t *rapid.T) weather {
	d := func(name string, least, most time.Duration) time.Duration {
		return time.Duration(rapid.Int64Range(int64(least), int64(most)).Draw(t, name))
	}
	x := weather{
		seed: rapid.Uint64().Draw(t, "seed"), control: rapid.Bool().Draw(t, "control"),
		standing: rapid.IntRange(0, 5).Draw(t, "standing") == 0,
		period:   d("period", time.Minute, time.Hour), length: d("length", 5*time.Minute, 4*time.Hour),
		noticed: d("noticed", 0, time.Minute), faults: rapid.SampledFrom([]float64{0, 0.1, 0.5}).Draw(t, "faults"),
		hides: rapid.Bool().Draw(t, "hides"), world: rapid.IntRange(0, 3).Draw(t, "world") == 0,
	}
	x.phases = []time.Duration{d("phase", 0, x.period)}
	if rapid.IntRange(0, 3).Draw(t, "flaps") == 0 {
		x.hides, x.faults, x.world = false, 0, false // every question then reaches the next copy
		x.phases = append(x.phases, d("other phase", 0, x.period))
	}
	return x
}

// truth is the oracle: what each copy of the target holds at which time.
type truth struct {
	weather
	began, from, ends time.Time
	came, went        time.Time // as the simulated world tells it
}

// tick is when the first tick of copy i after a moment is.
func (x truth) tick(i int, after time.Time) time.Time {
	since := after.Sub(x.began) - x.phases[i]
	n := since / x.period
	if since > 0 || since%x.period == 0 && since >= 0 {
		n++
	}
	return x.began.Add(x.phases[i] + n*x.period)
}

// holds says whether copy i lets the person in at a moment.
func (x truth) holds(i int, now time.Time) bool {
	come, gone := x.tick(i, x.from), x.tick(i, x.ends)
	return x.standing || !now.Before(come) && now.Before(gone)
}

// change is when the first, and the last, copy turned.
func (x truth) change(turn time.Time) (first, last time.Time) {
	if x.world {
		if turn.Equal(x.from) {
			return x.came, x.came
		}
		return x.went, x.went
	}
	for i := range x.phases {
		at := x.tick(i, turn)
		if i == 0 || at.Before(first) {
			first = at
		}
		if at.After(last) {
			last = at
		}
	}
	return first, last
}

// never reports whether the activation was over before a copy saw it.
func (x truth) never() bool {
	if x.world {
		return x.came.After(x.ends.Add(x.period))
	}
	return !x.tick(0, x.from).Before(x.tick(0, x.ends))
}

// misleading is a past that has nothing to do with what comes: a plan may cost
// time and looks, never the truth.
func (x truth) misleading(string, activation.Direction) []Latency {
	r := rand.New(rand.NewPCG(x.seed, 2))
	all := make([]Latency, r.IntN(80))
	for i := range all {
		after := time.Duration(r.Int64N(int64(x.period)))
		all[i] = Latency{At: x.began.Add(time.Duration(i-100) * time.Hour), After: after, By: after + time.Duration(r.Int64N(int64(time.Minute)))}
		if r.IntN(10) == 0 {
			all[i].By = 0
		}
	}
	return all
}

// rough is a network that is slow and breaks.
func rough(h http.Handler, x weather) http.Handler {
	r := rand.New(rand.NewPCG(x.seed, 1))
	var mu sync.Mutex
	return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		mu.Lock()
		before, after := time.Duration(r.IntN(2000))*time.Millisecond, time.Duration(r.IntN(2000))*time.Millisecond
		broken := r.Float64() < x.faults
		fault := devopsFaults[r.IntN(len(devopsFaults))]
		mu.Unlock()
		time.Sleep(before)
		if broken {
			(&org{fault: fault}).breaks(w, q)
		} else {
			h.ServeHTTP(w, q)
		}
		time.Sleep(after)
	})
}

// small is the target as a handler of our own, which can also flap.
func small(t *testing.T, x *truth) Probe {
	o := &org{}
	turn := 0
	m := o.join(requester, func(now time.Time) bool {
		turn++
		return x.holds(turn%len(x.phases), now)
	})
	if x.hides {
		m.hidden = func(now time.Time) bool { return !x.holds(0, now) }
	}
	d, err := NewDevOps(DevOpsConfig{Org: "contoso", HTTP: &http.Client{Transport: direct{rough(o, x.weather)}},
		Token:  func(context.Context) (string, error) { return "app", nil },
		Limits: Limits{Confirm: len(x.phases)}})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// whole is the target as the simulated Azure DevOps. tell asks its oracle.
func whole(t *testing.T, x *truth) (p Probe, tell func()) {
	o := devops.Org{Tick: x.period, Phase: x.phases[0], Users: []devops.User{{Administrator: x.standing}}}
	s := stays{func(oid string, at time.Time) bool {
		return oid == requester.Object && !at.Before(x.from) && at.Before(x.ends)
	}}
	w, d := simulated(t, o, s, Limits{}, func(h http.Handler) http.Handler { return rough(h, x.weather) })
	w.Turn(func(d *devops.Dials) { d.NoEntry, d.AbsentEmpty = x.hides, x.seed%2 == 0 })
	return d, func() {
		ever := false
		if x.came, x.went, ever = w.Org("contoso").TrueEffect(requester.Object); !ever {
			x.came = x.ends.Add(1000 * time.Hour)
			x.went = x.came
		}
	}
}

func follow(t *testing.T, x *truth) *life {
	var probe Probe
	if x.world {
		var tell func()
		probe, tell = whole(t, x)
		defer func() { tell() }()
	} else {
		probe = small(t, x)
	}
	w, err := NewWatch(Config{Probes: map[string]Probe{"devops": probe}, History: x.misleading})
	if err != nil {
		t.Fatal(err)
	}
	l := &life{w: w, settled: map[activation.Direction]time.Time{}}
	group := activation.Group{Tenant: tenantID, ID: "group"}
	n := activation.Notice{ID: "life", Person: requester, Group: group, Access: activation.Member,
		Targets:  []activation.Target{{ID: "devops", Kind: "devops", Level: activation.L2}},
		Request:  activation.Request{ID: "request", Status: "PendingApproval", Created: x.began},
		Instance: activation.Instance{ID: "instance", Person: requester, Group: group, From: x.from, Ends: x.ends}}
	ctx := t.Context()
	if x.control {
		n.Instance = activation.Instance{}
		l.tell(n)
	}
	l.until(ctx, x.from.Add(x.noticed))
	if !x.control {
		l.tell(n)
	}
	l.tell(activation.Saw{Looked: true, Present: &activation.Instance{From: x.from, Ends: x.ends}, At: time.Now()})
	l.until(ctx, x.ends.Add(x.noticed))
	l.tell(activation.Saw{Looked: true, At: time.Now()})
	l.until(ctx, x.ends.Add(12*time.Hour))
	return l
}

// Over random lives in random weather, what is published is true.
func TestWhatIsPublishedIsTrue(t *testing.T) {
	seen := map[activation.State]int{}
	rapid.Check(t, func(r *rapid.T) {
		x := truth{weather: drawWeather(r)}
		var l *life
		synctest.Test(t, func(t *testing.T) {
			x.began = time.Now()
			x.from = x.began.Add(40 * time.Minute)
			x.ends = x.from.Add(x.length)
			l = follow(t, &x)
		})
		target := l.a.Targets[0]
		seen[target.Grant.State]++
		seen[target.Removal.State]++
		r.Logf("%d looks, grant %+v, removal %+v", l.looks, target.Grant, target.Removal)
		granted(r, x, target.Grant)
		removed(r, x, target)
		confirmed(r, x, l)
	})
	t.Logf("states seen: %v", seen)
	for _, s := range []activation.State{activation.Effective, activation.Gone, activation.HadAlready, activation.NeverCame} {
		if lives := seen[activation.Effective] + seen[activation.Gone] + seen[activation.Works]; seen[s] == 0 && lives >= 90 {
			t.Errorf("no life ever came to %q: the test proves nothing of it", s)
		}
	}
}

func granted(r *rapid.T, x truth, s activation.Span) {
	first, last := x.change(x.from)
	switch s.State {
	case activation.Effective:
		if x.standing {
			r.Fatalf("false effective: they had it all along")
		}
		if s.By.Before(first) || !s.After.Before(last) || len(x.phases) == 1 && !s.After.Before(first) {
			r.Fatalf("truth in [%v, %v], published (%v, %v]", first, last, s.After, s.By)
		}
		if s.Asked.Before(x.from) {
			r.Fatalf("effective by a question of %v, before PIM granted it", s.Asked)
		}
	case activation.Works:
		if !x.standing && s.By.Before(first) {
			r.Fatalf("works at %v, came at %v", s.By, first)
		}
		if x.control && x.faults == 0 {
			r.Fatalf("works, though there was time for a control")
		}
	case activation.HadAlready:
		if !x.standing {
			r.Fatalf("had it already? it came at %v", first)
		}
	default:
		if x.faults == 0 && (x.standing || last.Add(20*time.Minute).Before(x.ends)) {
			r.Fatalf("grant is %q", s.State)
		}
	}
}

func removed(r *rapid.T, x truth, t activation.Target) {
	first, last := x.change(x.ends)
	s := t.Removal
	switch s.State {
	case activation.Gone:
		if x.standing {
			r.Fatalf("false gone: they have it still")
		}
		if s.By.Before(first) || !s.After.Before(last) || len(x.phases) == 1 && !s.After.Before(first) {
			r.Fatalf("truth in [%v, %v], published (%v, %v]", first, last, s.After, s.By)
		}
	case activation.NeverCame:
		if t.Grant.State == activation.Effective || x.standing {
			r.Fatalf("never came? grant was %q", t.Grant.State)
		}
		if s.By.Before(first) && !x.never() {
			r.Fatalf("never came at %v, but it was there until %v", s.By, first)
		}
	case activation.HadAlready:
		if !x.standing {
			r.Fatalf("removal %q", s.State)
		}
	default:
		if !x.standing && x.faults < 0.5 {
			r.Fatalf("12 hours after the end the removal is %q (%s)", s.State, s.Doubt)
		}
	}
}

// confirmed: where copies disagree, nothing is said before they agree.
func confirmed(r *rapid.T, x truth, l *life) {
	if len(x.phases) == 1 || x.standing {
		return
	}
	_, came := x.change(x.from)
	_, gone := x.change(x.ends)
	t := l.a.Targets[0]
	if at := l.settled[activation.Grant]; t.Grant.State == activation.Effective && at.Before(came) {
		r.Fatalf("effective was said at %v, the last copy came at %v", at, came)
	}
	if at := l.settled[activation.Removal]; t.Removal.State == activation.Gone && at.Before(gone) {
		r.Fatalf("gone was said at %v, the last copy went at %v", at, gone)
	}
}
