package probetest

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"pagbot/activation"
	"pagbot/downstream"
)

// Probe is what is held here.
type Probe = downstream.Probe

// faults are all that this kind must doubt, by name.
func (b *bench) faults() map[string]Reply {
	all := maps.Clone(Faults)
	maps.Copy(all, b.Suite.Faults)
	for name := range b.Spare {
		delete(all, name)
	}
	return all
}

// each plays every fault on probes that have asked nothing yet, and on probes
// that have, with access and, where it is cheap, without.
func (b *bench) each(without bool, run func(name string, r Reply, p Probe, truth activation.Says)) {
	for _, has := range []bool{false, true} {
		if !has && !without {
			continue // what is broken makes a false no, hardly a false yes
		}
		b.Give(Requester, has)
		truth := map[bool]activation.Says{true: yes, false: no}[has]
		all := b.faults()
		for _, name := range slices.Sorted(maps.Keys(all)) {
			for _, warm := range []bool{false, true} {
				p := b.Probe()
				if warm {
					b.expect(p, who(Requester), truth)
				}
				b.rest()
				run(name, all[name], p, truth)
				b.Front.Mend()
				b.rest()
				if a, _ := b.ask(p, Requester); a[0].Says != truth {
					b.Errorf("%s: after its end still %+v", name, a[0])
				}
				if b.Failed() {
					b.Fatalf("%s, warm %v, has access %v", name, warm, has)
				}
			}
		}
	}
}

// What is broken is neither a yes nor a no, whatever was true before.
func broken(b *bench) {
	b.each(true, func(name string, r Reply, p Probe, _ activation.Says) {
		b.Front.Break(r, 0, 0)
		got, err := b.ask(p, Requester, Colleague)
		for _, a := range got {
			if a.Says != activation.CantTell {
				b.Errorf("%s: %+v", name, a)
			}
		}
		if err == nil {
			b.Errorf("%s: nobody is told", name)
		}
	})
}

// A question takes several steps. Whichever of them breaks, for once or for
// good, the answer is the truth or none.
func brokenStep(b *bench) {
	b.each(false, func(name string, r Reply, p Probe, truth activation.Says) {
		if r.Do == "flood" {
			return // slow to play, and no other than what was played
		}
		for step := 0; step < 20; step++ {
			for _, times := range []int{1, 0} {
				if times == 1 && r.Status == 404 && b.NoIs404 {
					continue // it has said so
				}
				before := len(b.Front.Calls())
				b.Front.Break(r, step, times)
				got, _ := b.ask(p, Requester, Colleague)
				if a := got[0]; a.Says != truth && a.Says != activation.CantTell {
					b.Errorf("%s at request %d, times %d: %+v, the truth is %s", name, step, times, a, truth)
				}
				if a := got[1]; a.Says == yes {
					b.Errorf("%s at request %d, times %d: %+v about who has none", name, step, times, a)
				}
				b.Front.Mend()
				b.rest()
				if len(b.Front.Calls())-before <= step {
					return
				}
			}
		}
	})
}

func deadlines(b *bench) {
	for _, name := range []string{"hang", "stall"} {
		for step := range 3 {
			p := b.Probe()
			b.Front.Break(Faults[name], step, 0)
			ctx, cancel := context.WithTimeout(b.Context(), 3*time.Second)
			began := time.Now()
			_, err := b.within(ctx, p, Requester, Colleague)
			cancel()
			if took := time.Since(began); took > 3*time.Second || err == nil && took == 3*time.Second {
				b.Errorf("%s: took %v of three seconds, and says %v", name, took, err)
			}
			began = time.Now()
			_, _ = b.ask(p, Requester)
			if took := time.Since(began); took > p.Limits().Timeout {
				b.Errorf("%s: took %v of its own %v", name, took, p.Limits().Timeout)
			}
			b.Front.Mend()
			b.rest()
		}
	}
	p := b.Probe()
	gone, cancel := context.WithCancel(b.Context())
	cancel()
	if got, _ := b.within(gone, p, Requester); got[0].Says != activation.CantTell {
		b.Errorf("broken off before it began: %+v", got[0])
	}
}

// How long a target wants to be left alone is handed on.
func retryAfter(b *bench) {
	for _, name := range []string{"429", "503"} {
		for _, warm := range []bool{false, true} {
			p := b.Probe()
			if warm {
				b.expect(p, who(Requester), no)
				b.rest()
			}
			b.Front.Break(Faults[name], 0, 0)
			_, err := b.ask(p, Requester, Colleague)
			var f *downstream.Fault
			if !errors.As(err, &f) || f.After != 37*time.Second || f.Why == "" {
				b.Errorf("%s says %v, not how long to wait", name, err)
			}
			b.Front.Mend()
			b.rest()
		}
	}
}

// A redirect leads to a page for people; a credential does not go along.
func redirects(b *bench) {
	for _, code := range []int{301, 302, 303, 307, 308} {
		b.Front.Break(Reply{Status: code, Type: "text/html", Header: map[string]string{"Location": "https://" + elsewhere + "/"}}, 0, 0)
		_, _ = b.ask(b.Probe(), Requester)
		b.Front.Mend()
	}
	for _, c := range b.Front.Calls() {
		if c.Host == elsewhere {
			b.Fatalf("a redirect was followed: %s %s", c.Method, c.Host)
		}
	}
}

func onlyReads(b *bench) {
	p := b.Probe()
	b.expect(p, who(Requester, Colleague), no, no)
	b.Give(Requester, true)
	b.expect(p, who(Requester, Colleague), yes, no)
	_, _ = b.ask(p, Stranger)
	b.Front.Break(Faults["404"], 1, 0)
	_, _ = b.ask(b.Probe(), Requester)
	b.Front.Mend()
	read := b.Read
	if read == nil {
		read = func(q Request) bool { return q.Method == http.MethodGet || q.Method == http.MethodHead }
	}
	calls := b.Front.Calls()
	if len(calls) == 0 {
		b.Fatal("the front saw nothing: the probe asks around it")
	}
	for _, c := range calls {
		if !read(c) {
			b.Errorf("%s %s %s may change something", c.Method, c.Path, c.Body)
		}
	}
}

// secrets looks at what a probe puts where it is kept: the address. What it
// writes into answers and errors is looked at in every check.
func secrets(b *bench) {
	p := b.Probe()
	b.Give(Requester, true)
	b.expect(p, who(Requester, Colleague, Stranger), yes, no, b.Unknown)
	sent := false
	for _, c := range b.Front.Calls() {
		for _, s := range b.Secrets {
			if strings.Contains(c.Host+c.Path+c.Query, s) {
				b.Errorf("a credential is in an address, which proxies keep: %s", c.Path)
			}
			sent = sent || strings.Contains(c.Body, s)
			for _, values := range c.Header {
				sent = sent || strings.Contains(strings.Join(values, " "), s)
			}
		}
	}
	if len(b.Secrets) > 0 && !sent && b.Front.Aside == "" {
		b.Errorf("the credentials of the suite are not the probe's: nothing was proven about them")
	}
}
