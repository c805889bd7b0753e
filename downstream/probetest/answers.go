package probetest

import (
	"strings"
	"sync"
	"time"

	"pagbot/activation"
)

const (
	yes = activation.Yes
	no  = activation.No
)

// A probe that never says no measures nothing.
func negativeControl(b *bench) {
	p := b.Probe()
	for _, has := range []bool{false, true, false, true} {
		b.Give(Requester, has)
		want := map[bool]activation.Says{true: yes, false: no}[has]
		a := b.expect(p, who(Requester), want)[0]
		if a.Level != b.Level {
			b.Errorf("level %d, want %d", a.Level, b.Level)
		}
		if has && !strings.Contains(strings.ToLower(a.Evidence), strings.ToLower(b.Grants)) {
			b.Errorf("evidence %q does not name what granted it, %q", a.Evidence, b.Grants)
		}
		if got := b.expect(b.Probe(), who(Requester), want)[0]; got.Level != b.Level {
			b.Errorf("a fresh probe: level %d, want %d", got.Level, b.Level)
		}
		b.rest()
	}
}

func inOrder(b *bench) {
	p := b.Probe()
	b.Give(Colleague, true)
	for range 2 {
		b.expect(p, who(Requester, Colleague), no, yes)
		b.expect(p, who(Colleague, Requester), yes, no)
		b.expect(p, who(Colleague, Requester, Colleague), yes, no, yes)
		b.rest()
	}
	if got, err := b.ask(p); len(got) != 0 || err != nil {
		b.Errorf("asked about nobody: %v, %v", got, err)
	}
}

// crowd is n persons, every other of whom has access.
func crowd(n int) (all []activation.Person, want []activation.Says) {
	for i := range n {
		all = append(all, []activation.Person{Requester, Colleague}[i%2])
		want = append(want, []activation.Says{yes, no}[i%2])
	}
	return all, want
}

func moreThanABatch(b *bench) {
	b.Give(Requester, true)
	p := b.Probe()
	for _, n := range []int{max(1, p.Limits().Batch), 2*max(1, p.Limits().Batch) + 1} {
		all, want := crowd(n)
		b.expect(p, all, want...)
		b.rest()
	}
}

func batchIsCheaper(b *bench) {
	p := b.Probe()
	if p.Limits().Batch <= 1 {
		return
	}
	b.expect(p, who(Requester, Colleague), no, no) // from here on it knows them
	b.rest()
	before := len(b.Front.Calls())
	b.expect(p, who(Requester), no)
	one := len(b.Front.Calls()) - before
	all, want := crowd(2)
	want[0] = no
	b.expect(p, all, want...)
	if two := len(b.Front.Calls()) - before - one; two > 2*one || two == 2*one && !b.OneByOne {
		b.Errorf("two persons cost %d calls, one costs %d: that is no batch of %d", two, one, p.Limits().Batch)
	}
}

// Whom the target does not know is not "without access", unless the book says so.
func unknown(b *bench) {
	p := b.Probe()
	b.Give(Requester, true)
	if a := b.expect(p, who(Stranger), b.Unknown)[0]; a.Absent != b.Absent {
		b.Errorf("it says that nobody is there: %v", a.Absent)
	}
	b.expect(p, who(Requester, Stranger), yes, b.Unknown)
	if got, _ := b.ask(p, activation.Person{}); got[0].Says != activation.CantTell {
		b.Errorf("about nobody: %+v", got[0])
	}
}

// A name can be given to somebody else; an object id can't, and is the same in
// capitals.
func namesake(b *bench) {
	b.Give(Requester, true)
	p := b.Probe()
	b.expect(p, who(Requester), yes)
	if !b.ByName {
		other := Requester
		other.Object = Stranger.Object
		for _, p := range []Probe{p, b.Probe()} {
			if got, _ := b.ask(p, other); got[0].Says == yes {
				b.Errorf("the name was believed: %+v", got[0])
			}
		}
	}
	loud := Requester
	loud.Object = strings.ToUpper(loud.Object)
	b.expect(b.Probe(), who(loud), yes)
}

func atOnce(b *bench) {
	b.Give(Requester, true)
	p := b.Probe()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			got, err := p.Check(b.Context(), who(Requester, Colleague))
			if err != nil || len(got) != 2 || got[0].Says != yes || got[1].Says != no {
				b.Errorf("%+v, %v", got, err)
			}
		})
	}
	all.Wait()
}

// The truth changes while a request is under way. A no must have been true at
// some moment from Sent on, a yes at some moment up to Received.
func bounds(b *bench) {
	for _, warm := range []bool{false, true} {
		for _, late := range []bool{false, true} {
			for step := 0; b.boundsAt(step, warm, late); step++ {
			}
		}
	}
}

// boundsAt changes the truth at one request of a question; false: it has no so
// many.
func (b *bench) boundsAt(step int, warm, late bool) bool {
	b.Give(Requester, false)
	p := b.Probe()
	if warm {
		b.expect(p, who(Requester), no)
	}
	b.rest()
	var from, to time.Time
	b.Front.during(step, late, func() {
		from = time.Now()
		b.Give(Requester, true)
		to = time.Now()
		time.Sleep(time.Second)
	})
	got, _ := b.ask(p, Requester)
	a := got[0]
	b.Front.during(0, false, nil)
	switch {
	case from.IsZero():
	case a.Says == no && a.Sent.After(to):
		b.Errorf("request %d, late %v: a no from %v on, and it was so only until %v", step, late, a.Sent, to)
	case a.Says == yes && a.Received.Before(from):
		b.Errorf("request %d, late %v: a yes up to %v, and it was so only from %v on", step, late, a.Received, from)
	}
	b.Give(Requester, false)
	b.rest()
	return !from.IsZero()
}
