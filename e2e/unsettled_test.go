package e2e

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"pagbot/internal/demo"
)

// An open fact is one that the books of facts leave unsettled. The worlds have
// a dial for it, and the bot lives a whole life each way: whichever the real
// service turns out to be, what people read is true and what is done is done once.
type open struct {
	dial  string // as docs/worlds-*.md has it: where its fact stands, and that it is unsettled
	story string // the test that plays it; empty if nothing that the bot does can meet it
	ways  []way
	why   string // it can't be met
}

// way is one way in which an open fact may turn out.
type way struct {
	name string
	turn func(*place) // before the bot starts; nil: as the worlds are anyway
	sees func(*town)  // what shows that this way was met, or what only it brings
}

// seen adds what shows a way.
func (v way) seen(look func(*town)) way {
	v.sees = look
	return v
}

// place is what a way may turn: the company, and what else a story has in it.
type place struct {
	*demo.Worlds
	*systems
}

// opens are all open facts.
func opens() []open {
	return slices.Concat(openInSlack, openInEntra, openInTargets)
}

// plays has the bot live a story as often as one of its open facts has ways.
// Each life turns all of the dials; when one fails, every way of every dial is
// played alone, so that it is plain which of them it was.
func plays(t *testing.T, s setup, live func(*town)) {
	t.Parallel()
	var facts []open
	lives := 0
	for _, f := range opens() {
		if f.story == t.Name() {
			facts, lives = append(facts, f), max(lives, len(f.ways))
		}
	}
	if lives < 2 {
		t.Fatalf("%d lives: no open fact is played", lives)
	}
	lives = min(lives, mostLives)
	failed := make([]bool, lives)
	turned := make([]map[string]way, lives)
	if t.Run("together", func(t *testing.T) {
		for i := range lives {
			turned[i] = map[string]way{}
			for j, f := range facts {
				turned[i][f.dial] = f.ways[(i+j%2)%len(f.ways)] // not all firsts, then all seconds
			}
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				defer func() { failed[i] = t.Failed() }()
				liveWith(t, s, turned[i], live)
			})
		}
	}) {
		return
	}
	for i, bad := range failed {
		for dial, v := range turned[i] {
			if bad && v.turn != nil {
				t.Run("alone/"+dial+"="+v.name, func(t *testing.T) { liveWith(t, s, map[string]way{dial: v}, live) })
			}
		}
	}
}

// liveWith is one life with some dials turned.
func liveWith(t *testing.T, s setup, turned map[string]way, live func(*town)) {
	for _, dial := range slices.Sorted(maps.Keys(turned)) {
		t.Logf("%s: %s", dial, turned[dial].name)
	}
	found, p := s.found, &place{}
	s.also = func() map[string]http.Handler { return p.systems.handlers() }
	s.found = func(w *demo.Worlds) {
		if found != nil {
			found(w)
		}
		p.Worlds, p.systems = w, newSystems(w)
		for _, v := range turned {
			if v.turn != nil {
				v.turn(p)
			}
		}
	}
	inTown(t, s, func(w *town) {
		w.more = p.systems
		live(w)
		for dial, v := range turned {
			if v.sees != nil {
				w.t.Logf("looking for what %s=%s brings", dial, v.name)
				v.sees(w)
			}
		}
	})
}

// did checks what reached Entra as a write and was taken: so many of each, and
// nothing else. Refused ones don't count, but there must be few: nothing may go
// round in circles.
func (w *town) did(want map[string]int) {
	w.t.Helper()
	got, refused := map[string]int{}, 0
	for _, r := range w.Entra.Writes() {
		switch {
		case r.Status >= 400:
			refused++
		case strings.HasSuffix(r.Path, "/cancel"):
			got["cancel"]++
		case strings.Contains(r.Path, "/assignmentApprovals/"):
			got["decide"]++
		default:
			got[r.Action]++
		}
	}
	if !maps.Equal(got, want) || refused > 6 {
		w.t.Errorf("done in Entra: %v and %d refused, want %v: %+v", got, refused, want, w.Entra.Writes())
	}
}

// refused is seen where a write was refused with a status.
func refused(status int) func(*town) {
	return func(w *town) {
		for _, r := range w.Entra.Writes() {
			if r.Status == status {
				return
			}
		}
		w.t.Errorf("nothing was refused with %d: this way was not met", status)
	}
}
