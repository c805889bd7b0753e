package engine

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pagbot/activation"
	"pagbot/store"
)

// pim is what PIM's reads show.
type pim struct {
	mu        sync.Mutex
	requests  []activation.Request
	instances []activation.Instance
	person    func(object string) (activation.Person, error)
	reads     int
}

func (p *pim) Requests(context.Context, string) ([]activation.Request, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.requests), nil
}

func (p *pim) Instances(context.Context, string) ([]activation.Instance, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reads++
	return slices.Clone(p.instances), nil
}

func (p *pim) Settings(context.Context, string, activation.Access) (activation.Settings, error) {
	return activation.Settings{}, nil
}

func (p *pim) Person(_ context.Context, object string) (activation.Person, error) {
	if p.person != nil {
		return p.person(object)
	}
	return activation.Person{Tenant: "t", Object: object}, nil
}

func (p *pim) shows(requests []activation.Request, instances ...activation.Instance) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests, p.instances = requests, instances
}

func person(object string) activation.Person { return activation.Person{Tenant: "t", Object: object} }

func granted(object, schedule string, from time.Time) activation.Instance {
	return activation.Instance{Schedule: schedule, Person: person(object), Group: group, Access: activation.Member, From: from, Ends: from.Add(length)}
}

func request(id, object, status, schedule, why string) activation.Request {
	return activation.Request{ID: id, Status: status, Person: person(object), Group: group, Access: activation.Member, Action: "selfActivate",
		Schedule: schedule, Justification: why, Created: time.Now()}
}

func watching(p PIM) func(*Config) {
	return func(c *Config) { c.Groups, c.PIM = []Watched{{Group: group, Lead: 10 * time.Minute}}, p }
}

func (l *lab) open() (who []string) {
	l.t.Helper()
	all, err := l.Find(l.ctx, "open")
	if err != nil {
		l.t.Fatal(err)
	}
	for _, a := range all {
		who = append(who, a.Person.Object)
	}
	slices.Sort(who)
	return who
}

// What is made in the portal is noticed once, however often it is seen and in
// whatever order its parts appear.
func TestNoticedOnce(t *testing.T) {
	var p pim
	inLab(t, hand{}, watching(&p), func(l *lab) {
		now := time.Now()
		waiting := request("r2", "second", "PendingApproval", "", "")
		p.shows([]activation.Request{request("r1", "first", "Provisioned", "", ""), waiting}, granted("first", "s1", now), granted("third", "", now))
		l.sleep(2 * time.Minute)
		waiting.Status, waiting.Schedule = "Provisioned", "s2"
		p.shows([]activation.Request{request("r1", "first", "Provisioned", "s1", ""), waiting}, granted("first", "s1", now), granted("second", "s2", now), granted("third", "", now))
		l.sleep(2 * time.Minute)
		if who := l.open(); !slices.Equal(who, []string{"first", "second", "third"}) {
			t.Error(who)
		}
		if all, err := l.Find(l.ctx, "pim:r1"); err != nil || len(all) > 1 {
			t.Errorf("%d of r1, %v", len(all), err)
		}
	})
}

// One whose person can't be read (deleted, or what else) keeps nobody else from
// being noticed, not even if reading it breaks us.
func TestOneThatCantBeReadHidesNoOther(t *testing.T) {
	p := &pim{person: func(object string) (activation.Person, error) {
		switch object {
		case "deleted":
			return activation.Person{}, errors.New("there is no such user")
		case "odd":
			panic("odd")
		}
		return person(object), nil
	}}
	inLab(t, hand{}, watching(p), func(l *lab) {
		p.shows(nil, granted("deleted", "s1", time.Now()), granted("odd", "s2", time.Now()), granted("last", "s3", time.Now()))
		l.sleep(time.Minute)
		if who := l.open(); !slices.Equal(who, []string{"last"}) {
			t.Error(who)
		}
	})
}

// A PIM that hangs or breaks is asked again.
func TestPIMThatHangs(t *testing.T) {
	p := &hanging{}
	inLab(t, hand{}, watching(p), func(l *lab) {
		l.sleep(5 * time.Minute)
		p.mu.Lock()
		p.healthy = true
		p.mu.Unlock()
		p.shows(nil, granted("first", "s1", time.Now()))
		l.sleep(handTime + time.Minute)
		if who := l.open(); !slices.Equal(who, []string{"first"}) {
			t.Error(who)
		}
	})
}

type hanging struct {
	pim
	healthy bool
	calls   int
}

func (h *hanging) Instances(ctx context.Context, g string) ([]activation.Instance, error) {
	h.mu.Lock()
	h.calls++
	calls, healthy := h.calls, h.healthy
	h.mu.Unlock()
	switch {
	case healthy:
		return h.pim.Instances(ctx, g)
	case calls%2 == 0:
		panic("broken")
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

// PIM's reads show an activation a little beyond its end: that is not news.
func TestEndedIsNotNoticed(t *testing.T) {
	var p pim
	inLab(t, hand{}, watching(&p), func(l *lab) {
		p.shows(nil, granted("late", "s1", time.Now().Add(-length-time.Second)))
		l.sleep(time.Minute)
		if who := l.open(); len(who) != 0 {
			t.Error(who)
		}
	})
}

// An instance without a schedule is not given the request of somebody else
// whose answer lacks one too.
// Two of whom PIM shows neither request nor schedule are two.
func TestNoticedWithoutAnyID(t *testing.T) {
	from := time.Now()
	p := &pim{}
	inLab(t, hand{}, watching(p), func(l *lab) {
		p.shows(nil, granted("o1", "", from), granted("o2", "", from))
		l.sleep(2 * time.Minute)
		if who := l.open(); len(who) != 2 {
			t.Errorf("noticed of two whose schedule PIM leaves out: %v", who)
		}
	})
}

func TestSparseAnswersAreNotMixedUp(t *testing.T) {
	var p pim
	inLab(t, hand{}, watching(&p), func(l *lab) {
		p.shows([]activation.Request{request("r1", "other", "Provisioned", "", "not mine")}, granted("first", "", time.Now()))
		l.sleep(time.Minute)
		all, err := l.Find(l.ctx, "open")
		if err != nil || len(all) != 1 || all[0].Person.Object != "first" || all[0].Request.ID != "" || all[0].Reason != "" {
			t.Errorf("%+v, %v", all, err)
		}
	})
}

// While our own submit is under way PIM may show what it made, without the
// request that would tell whose it is. It is not noticed as somebody else's;
// but if PIM then refuses ours, it was.
func TestSubmitUnderWayIsNotForeign(t *testing.T) {
	for _, taken := range []bool{true, false} {
		var p pim
		deeds := hand{do: func(_ context.Context, a activation.Activation, e activation.Effect) activation.Report {
			p.shows(nil, granted(requester.Object, "s1", time.Now()))
			time.Sleep(80 * time.Second) // two beats
			if taken {
				return submitted(a, e)
			}
			return activation.Report{Tell: activation.Done{Warrant: e.Warrant, Refusal: &activation.Refusal{Code: activation.AlreadyActive}}}
		}}
		inLab(t, deeds, watching(&p), func(l *lab) {
			l.ask("a1", activation.Session)
			l.sleep(79 * time.Second)
			if n := len(l.open()); n != 1 {
				t.Errorf("%d open while the submit is under way", n)
			}
			l.sleep(2 * time.Minute)
			if n := len(l.open()); n != 1 {
				t.Errorf("taken %v: %d open", taken, n)
			}
			if got, want := l.phase("a1"), map[bool]activation.Phase{true: activation.Provisioning, false: activation.Closed}[taken]; got != want {
				t.Errorf("taken %v: %s", taken, got)
			}
		})
	}
}

// An ask that waits for its sign-in has submitted nothing: what PIM shows was
// made elsewhere, and is noticed.
func TestForeignBesideAnAskThatWaits(t *testing.T) {
	var p pim
	inLab(t, hand{}, watching(&p), func(l *lab) {
		l.ask("a1", activation.Fresh)
		p.shows(nil, granted(requester.Object, "s1", time.Now()))
		l.sleep(time.Minute)
		if n := len(l.open()); n != 2 {
			t.Errorf("%d open", n)
		}
	})
}

// The answer to a submit is lost, and looking for it fails for good: what PIM
// shows under the ask's own tag is told to the ask.
func TestLostSubmitIsAdoptedByItsTag(t *testing.T) {
	var p pim
	deeds := hand{
		do: func(context.Context, activation.Activation, activation.Effect) activation.Report {
			p.shows([]activation.Request{request("r1", requester.Object, "Provisioned", "s1", "incident 42 [pag A1]")}, granted(requester.Object, "s1", time.Now()))
			return activation.Report{Unsure: true, Err: errors.New("connection reset")}
		},
		look: func(context.Context, activation.Activation, activation.Effect) activation.Report { panic("broken") },
	}
	inLab(t, deeds, watching(&p), func(l *lab) {
		l.ask("a1", activation.Session)
		l.sleep(time.Minute)
		if n := len(l.open()); n != 1 {
			t.Errorf("%d open", n)
		}
		a, err := l.Load(l.ctx, "a1")
		if err != nil || a.Phase != activation.Active || a.Request.ID != "r1" || len(a.Deeds) != 0 {
			t.Errorf("%s under %q, %v", a.Phase, a.Request.ID, err)
		}
		if got := strings.Join(l.events("a1"), " "); got != "asked submitted provisioned" {
			t.Error(got)
		}
	})
}

// A backup is put back: what was noticed after it is noticed again as the same,
// and what was known goes on.
func TestRestoredBackupIsCaughtUpWithPIM(t *testing.T) {
	var p pim
	inLab(t, hand{}, watching(&p), func(l *lab) {
		p.shows(nil, granted("first", "s1", time.Now()))
		l.sleep(time.Minute)
		l.stop()
		backup := l.path
		l.path = copied(t, backup)
		l.start(hand{}, watching(&p))
		p.shows(nil, granted("first", "s1", time.Now()), granted("second", "s2", time.Now()))
		l.sleep(time.Minute)
		lost, err := l.Find(l.ctx, "open")
		if err != nil {
			t.Fatal(err)
		}
		l.stop()
		l.path = backup
		l.start(hand{}, watching(&p))
		l.sleep(time.Minute)
		found, err := l.Find(l.ctx, "open")
		if err != nil || len(found) != 2 || found[0].ID != lost[0].ID || found[1].ID != lost[1].ID {
			t.Errorf("%v, %v", l.open(), err)
		}
	})
}

// The beat is the world's: PIM is not asked more often than that.
func TestBeat(t *testing.T) {
	var p pim
	inLab(t, hand{}, watching(&p), func(l *lab) {
		l.sleep(10*time.Minute + time.Second)
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.reads != 21 {
			t.Errorf("read %d times in ten minutes", p.reads)
		}
	})
	if _, err := New(Config{Store: &store.Bolt{}, Reader: newOutside(time.Now), Groups: []Watched{{}}}); err == nil {
		t.Error("watches groups without a PIM")
	}
}
