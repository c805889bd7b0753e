package target

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// world is a small service on the frame: GET /{key} says yes or no.
type world struct {
	*Frame
	*Copy
	t      *testing.T
	at     time.Time
	dials  Dials
	in     map[string][]span
	follow Follow
}

func newWorld(t *testing.T, follow Follow, keys ...string) *world {
	x := &world{t: t, at: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC), dials: Usual(), in: map[string][]span{}, follow: follow}
	x.dials.Budget = 0
	x.Frame = New(Config{Seed: 7, Now: func() time.Time { return x.at }, Dials: &x.dials, Verify: func(token string) (Caller, error) {
		if oid, ok := strings.CutPrefix(token, "for:"); ok {
			return Caller{OID: oid}, nil
		}
		return Caller{}, fmt.Errorf("bad token")
	}})
	x.Copy = x.Frame.Copy(func() Follow { return x.follow }, func(key string, at time.Time) bool {
		for _, s := range x.in[key] {
			if s.has(at) {
				return true
			}
		}
		return false
	}, keys...)
	return x
}

// join makes a key a member after a while, until another; zero: for ever.
func (x *world) join(key string, after, until time.Duration) {
	s := span{from: x.at.Add(after)}
	if until > 0 {
		s.to = x.at.Add(until)
	}
	x.in[key] = append(x.in[key], s)
}

func (x *world) trouble(status int, code, message string) Answer {
	return Answer{Status: status, Body: Object{"error": code, "message": message}}
}

func (x *world) handler() http.Handler {
	return x.Handler(Service{Trouble: x.trouble, Answer: func(c *Call) Answer {
		if err := x.Bearer(c); err != nil {
			return x.trouble(401, "Unauthorized", err.Error())
		}
		if x.Throttled(c.By.OID) {
			return Answer{Status: 429, Header: map[string]string{"Retry-After": x.dials.RetryAfter}}
		}
		key := strings.TrimPrefix(c.URL.Path, "/")
		if c.Method == http.MethodPost {
			after, ok := x.MayReevaluate(c.By, key)
			if !ok {
				return x.trouble(403, "Forbidden", "not yours")
			}
			x.Reevaluate(key, after)
		}
		return Answer{Status: 200, Body: Object{"in": x.Says(c, key)}}
	}})
}

func (x *world) call(method, as, key string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "/"+key, nil)
	r.Header.Set("Authorization", "Bearer "+as)
	rec := httptest.NewRecorder()
	x.handler().ServeHTTP(rec, r)
	return rec
}

func (x *world) says(key string) bool {
	x.t.Helper()
	var out struct{ In bool }
	rec := x.call(http.MethodGet, "for:reader", key)
	if err := json.Unmarshal(rec.Body.Bytes(), &out); err != nil || rec.Code != 200 {
		x.t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	return out.In
}

func TestDelaysAreTheSeeds(t *testing.T) {
	push := Follow{Grant: Delay{time.Minute, 15 * time.Minute}, Revoke: Delay{time.Minute, 15 * time.Minute}}
	var first [2]time.Time
	for i, order := range [][]string{{"a", "b"}, {"b", "a"}} {
		x := newWorld(t, push)
		x.join("a", time.Minute, 0)
		x.join("b", time.Minute, 0)
		x.at = x.at.Add(time.Hour)
		from := map[string]time.Time{}
		for _, key := range order {
			from[key], _, _ = x.TrueEffect(key)
		}
		first[i] = from["a"]
		if late := from["a"].Sub(x.in["a"][0].from); late < time.Minute || late > 15*time.Minute || from["a"].Equal(from["b"]) {
			t.Errorf("%v after Entra, and b at the same time: %v", late, from["b"])
		}
	}
	if !first[0].Equal(first[1]) {
		t.Error("the delay depends on who looked first")
	}
}

// The cliff: five in ten seconds are pushed, the sixth waits for the tick; the
// removal does always.
func TestProvisioningCliff(t *testing.T) {
	keys := []string{"g/1", "g/2", "h/3", "g/4", "g/5", "h/6", "g/7"}
	follow := Provisioning()
	follow.Phase = 30 * time.Minute
	x := newWorld(t, follow, keys...)
	tick := x.NextTick()
	for i, k := range keys {
		x.join(k, time.Duration(i)*time.Second+time.Minute, 2*time.Hour)
	}
	x.in[keys[6]][0].from = x.at.Add(time.Minute + 20*time.Second) // alone again
	start := x.at.Add(time.Minute)
	x.at = tick.Add(time.Minute)
	for i, k := range keys {
		from, _, ever := x.TrueEffect(k)
		late := from.Sub(start)
		switch pushed := late >= 2*time.Minute && late < 11*time.Minute; {
		case !ever, i == 5 && !from.Equal(tick), i != 5 && !pushed:
			t.Errorf("%s: %v late (%v)", k, late, ever)
		}
	}
	x.at = start.Add(5 * time.Hour)
	for _, k := range keys {
		_, to, _ := x.TrueEffect(k)
		if over := to.Sub(tick) % (40 * time.Minute); to.IsZero() || over != 0 || to.Sub(start) < 2*time.Hour-2*time.Minute || to.Sub(start) > 2*time.Hour+40*time.Minute {
			t.Errorf("%s: removed at %v", k, to)
		}
	}
}

// Only activations are pushed: who was added otherwise waits for the tick, and
// spends none of the window.
func TestOnlyActivationsArePushed(t *testing.T) {
	keys := []string{"g/1", "g/2", "g/3", "g/4", "g/5", "g/6"}
	x := newWorld(t, Provisioning(), keys...)
	x.Pushes(func(key string, _ time.Time) bool { return key != "g/1" })
	tick := x.NextTick()
	if tick.Sub(x.at) < 15*time.Minute {
		t.Fatal("choose a seed with a later tick")
	}
	for _, k := range keys {
		x.join(k, time.Minute, 0)
	}
	x.at = tick.Add(time.Second)
	for i, k := range keys {
		if from, _, ever := x.TrueEffect(k); !ever || from.Equal(tick) != (i == 0) {
			t.Errorf("%s: %v, %v", k, from, ever)
		}
	}
}

// What came and went before its push, and between two ticks, is never seen.
func TestProvisioningNeverSees(t *testing.T) {
	x := newWorld(t, Provisioning(), "a")
	x.join("a", time.Minute, 2*time.Minute)
	x.at = x.at.Add(30 * time.Minute)
	if x.NextTick().Before(x.at) {
		t.Fatal("choose a seed with a later tick")
	}
	if _, _, ever := x.TrueEffect("a"); ever {
		t.Error("a membership of a minute was written")
	}
	off := newWorld(t, Follow{Tick: 40 * time.Minute, Push: &Push{Off: true, Window: time.Second, Cliff: 5}}, "a")
	off.join("a", time.Second, 0)
	tick := off.NextTick()
	off.at = tick
	if from, _, _ := off.TrueEffect("a"); !from.Equal(tick) {
		t.Errorf("without the fast path: %v, the tick is at %v", from, tick)
	}
}

func TestFixedWindow(t *testing.T) {
	at := time.Date(2026, 3, 2, 9, 0, 8, 0, time.UTC)
	for _, fixed := range []bool{false, true} {
		c, p := &Copy{}, &Push{Window: 10 * time.Second, Cliff: 2, Fixed: fixed}
		var got []bool
		for _, after := range []time.Duration{0, time.Second, 3 * time.Second} {
			got = append(got, c.room(p, at.Add(after)))
		}
		if !got[0] || !got[1] || got[2] != fixed {
			t.Errorf("fixed %v: %v", fixed, got)
		}
	}
}

// Asking early plants a no, which delays one's own yes; the oracle knows.
func TestCacheDelaysItsOwnYes(t *testing.T) {
	x := newWorld(t, Follow{Grant: Delay{time.Minute, time.Minute}})
	x.dials.CachedNo, x.dials.CachedYes = 5*time.Minute, 5*time.Minute
	start := x.at
	x.join("a", time.Second, 0)
	x.at = start.Add(30 * time.Second)
	if first, ok := x.First("a", true, start); !ok || !first.Equal(start.Add(time.Minute+time.Second)) {
		t.Errorf("nobody asked: a yes from %v on", first.Sub(start))
	}
	if x.says("a") {
		t.Error("known at once")
	}
	want := x.at.Add(5 * time.Minute)
	if first, ok := x.First("a", true, start); !ok || !first.Equal(want) {
		t.Errorf("the cached no ends at %v, not %v", first.Sub(start), want.Sub(start))
	}
	x.at = want.Add(-time.Nanosecond)
	if x.says("a") {
		t.Error("the cache was forgotten")
	}
	x.at = want
	if !x.says("a") || !x.Knows("a", want) {
		t.Error("the cache lasts")
	}
}

func TestReplicasDisagree(t *testing.T) {
	x := newWorld(t, Follow{Grant: Delay{time.Minute, time.Minute}, Revoke: Delay{time.Minute, time.Minute}})
	x.dials.Replicas, x.dials.Skew = 3, 10*time.Minute
	start := x.at
	x.join("a", time.Second, time.Hour)
	x.at = start.Add(12 * time.Minute)
	yes := 0
	for range 60 {
		if x.says("a") {
			yes++
		}
	}
	if yes < 25 || yes > 55 {
		t.Errorf("two of three replicas know: %d of 60", yes)
	}
	x.at = start.Add(2 * time.Hour)
	late := time.Minute + time.Second
	for _, c := range []struct {
		says        bool
		after, want time.Duration
	}{{true, 0, late}, {false, 0, 0}, {false, 30 * time.Minute, time.Hour + time.Minute}, {true, 62 * time.Minute, 62 * time.Minute}} {
		if first, ok := x.First("a", c.says, start.Add(c.after)); !ok || !first.Equal(start.Add(c.want)) {
			t.Errorf("first %v after %v: at %v, want %v", c.says, c.after, first.Sub(start), c.want)
		}
	}
	if first, ok := x.First("a", true, start.Add(2*time.Hour)); ok {
		t.Errorf("a yes again at %v", first)
	}
}

func TestReevaluation(t *testing.T) {
	x := newWorld(t, Follow{Tick: time.Hour, Phase: 40 * time.Minute})
	x.dials.CachedNo = time.Hour
	x.join("a", time.Second, 0)
	x.at = x.at.Add(time.Minute)
	if x.says("a") {
		t.Fatal("known before the tick")
	}
	for who, codes := range map[string][2]int{ByNobody: {403, 403}, BySelf: {403, 200}, ByAnyone: {200, 200}} {
		x.dials.Reevaluate = who
		x.dials.Takes = Delay{10 * time.Second, 10 * time.Second}
		if got := [2]int{x.call("POST", "for:reader", "a").Code, x.call("POST", "for:a", "a").Code}; got != codes {
			t.Errorf("%s: %v", who, got)
		}
	}
	x.at = x.at.Add(10*time.Second - time.Nanosecond)
	if x.says("a") {
		t.Error("sooner than it takes")
	}
	x.at = x.at.Add(time.Nanosecond)
	if !x.says("a") {
		t.Error("not re-evaluated, or the cached no survived")
	}
}

func TestRightsFrozenInAToken(t *testing.T) {
	x := newWorld(t, Follow{})
	x.join("a", time.Minute, 0)
	issued := x.at
	x.at = x.at.Add(time.Hour)
	x.Do(func() {
		if x.SaidAt("a", issued) || !x.SaidAt("a", x.at) {
			t.Error("what an old token carries is of its issue")
		}
	})
}

func TestDoor(t *testing.T) {
	x := newWorld(t, Follow{})
	if code := x.call("GET", "nonsense", "a").Code; code != 401 {
		t.Errorf("a bad token: %d", code)
	}
	x.dials.Budget = 2
	for i, want := range []int{200, 200, 429} {
		if rec := x.call("GET", "for:reader", "a"); rec.Code != want || want == 429 && rec.Header().Get("Retry-After") != "5" {
			t.Errorf("call %d: %d", i, rec.Code)
		}
	}
	x.at = x.at.Add(10 * time.Second)
	off := x.Inject(Fault{Do: DoCut})
	whole := `{"in":false}`
	if got := x.call("GET", "for:reader", "a").Body.String(); got != whole[:len(whole)/2] {
		t.Errorf("cut: %s", got)
	}
	off()
	if got := x.call("GET", "for:reader", "a").Body.String(); got != whole {
		t.Errorf("after the fault: %s", got)
	}
	for _, r := range x.History() {
		if strings.Contains(fmt.Sprint(r), "for:") {
			t.Error("a token in the history")
		}
	}
	if h := x.History(); len(h) != 6 || h[4].Fault != DoCut || h[1].OID != "reader" {
		t.Errorf("%+v", h)
	}
}

func TestManage(t *testing.T) {
	x := newWorld(t, Follow{Tick: time.Hour})
	m := x.Manage(&x.dials, func(name, key string) (*Copy, string) {
		if name == "here" {
			return x.Copy, key
		}
		return nil, ""
	})
	x.join("a", time.Second, 0)
	x.at = x.at.Add(time.Minute)
	for _, c := range []struct {
		method, path, body, want string
		code                     int
	}{
		{"GET", "/oracle/here/a", "", `"knows":false`, 200}, {"POST", "/reevaluate/here/a", "", "{}", 200}, {"GET", "/oracle/here/a", "", `"knows":true`, 200},
		{"PUT", "/dials", `{"CachedNo":1000}`, "{}", 200}, {"PUT", "/dials", `{"Colour":1}`, "Colour", 400}, {"POST", "/faults", `{"do":"html"}`, `"id":1`, 200},
		{"DELETE", "/faults/1", "", "{}", 200}, {"DELETE", "/faults/2", "", "no such", 404}, {"POST", "/faults", `{"make":1}`, "make", 400},
		{"GET", "/history", "", "[]", 200}, {"GET", "/oracle/elsewhere/a", "", "error", 404}, {"POST", "/reevaluate/elsewhere/a", "", "error", 404},
	} {
		rec := httptest.NewRecorder()
		m.ServeHTTP(rec, httptest.NewRequest(c.method, c.path, strings.NewReader(c.body)))
		if rec.Code != c.code || !strings.Contains(rec.Body.String(), c.want) && c.path != "/history" {
			t.Errorf("%s %s: %d %s", c.method, c.path, rec.Code, rec.Body)
		}
	}
	if x.dials.CachedNo != 1000 {
		t.Error("the dial did not turn")
	}
}
