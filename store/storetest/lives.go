package storetest

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"pagbot/store"
)

// lives leads a store and the model through the same random lives, and wants
// the same answers. Few names, so that they meet; few moments, so that things
// become due in the same one.
func lives(t *testing.T, open Open) {
	rapid.Check(t, func(r *rapid.T) {
		c := &clock{at: start}
		l := &life{r: r, t: t, c: c, s: open(t, c.now), m: newModel(c.now)}
		r.Repeat(map[string]func(*rapid.T){
			"commit": l.commit,
			"claim":  l.claim,
			"finish": l.finish,
			"time":   l.time,
			"":       l.look,
		})
	})
}

type life struct {
	r *rapid.T
	t *testing.T
	c *clock
	s store.Store
	m *model

	held []store.Job // all that was ever claimed, also what is not held any more
}

func pick(r *rapid.T, what string, from ...string) string {
	return rapid.SampledFrom(from).Draw(r, what)
}

func (l *life) moment(r *rapid.T) time.Time {
	d := rapid.SampledFrom([]time.Duration{-time.Minute, 0, time.Minute, Lease, 2 * Lease}).Draw(r, "moment")
	return rapid.SampledFrom([]time.Time{{}, l.c.now().Add(d), start.Add(d)}).Draw(r, "from")
}

func (l *life) job(r *rapid.T) store.Job {
	return store.Job{
		Lane: pick(r, "lane", "deed", Remembered), Key: pick(r, "key", "a", "b", "c", "d"),
		Order: pick(r, "order", "", "x", "y"), Wait: pick(r, "wait", "", "", "429", "sign-in"),
		Due: l.moment(r), Until: l.moment(r), Tries: rapid.IntRange(0, 2).Draw(r, "tries"),
		Body: fmt.Appendf(nil, "%d", rapid.IntRange(0, 99).Draw(r, "body")),
	}
}

func (l *life) doc(r *rapid.T) store.Doc {
	d := store.Doc{Kind: pick(r, "kind", "ask", "person"), Key: pick(r, "doc", "a", "b", "c")}
	d.Rev = l.m.docs[d.Kind+"/"+d.Key].Rev
	if rapid.IntRange(0, 5).Draw(r, "stale") == 0 {
		d.Rev = rapid.Uint64Range(0, 3).Draw(r, "rev")
	}
	if d.Rev == 0 || rapid.IntRange(0, 3).Draw(r, "delete") > 0 {
		d.Body = []byte("body")
		d.Index = rapid.SliceOfN(rapid.SampledFrom([]string{"open", "mine"}), 0, 2).Draw(r, "index")
	}
	return d
}

func (l *life) commit(r *rapid.T) {
	turn := store.Turn{
		Docs:    rapid.SliceOfN(rapid.Custom(l.doc), 0, 2).Draw(r, "docs"),
		Add:     rapid.SliceOfN(rapid.Custom(l.job), 0, 3).Draw(r, "add"),
		Replace: rapid.SliceOfN(rapid.Custom(l.job), 0, 1).Draw(r, "replace"),
		Release: rapid.SliceOfN(rapid.SampledFrom([]string{"429", "sign-in"}), 0, 1).Draw(r, "release"),
	}
	turn.Log = slices.Repeat([]store.Entry{{Log: "audit", Body: []byte("line")}}, rapid.IntRange(0, 2).Draw(r, "log"))
	if len(l.held) > 0 && rapid.Bool().Draw(r, "ends") {
		turn.Done, turn.Defer = l.ends(r)
	}
	l.same(r, turn)
}

func (l *life) finish(r *rapid.T) {
	if len(l.held) == 0 {
		r.Skip("nothing was claimed")
	}
	var turn store.Turn
	turn.Done, turn.Defer = l.ends(r)
	l.same(r, turn)
}

// ends finishes one of the jobs that were claimed, mostly a late one.
func (l *life) ends(r *rapid.T) (done, postponed []store.Job) {
	j := l.held[len(l.held)-1-min(len(l.held)-1, rapid.IntRange(0, 3).Draw(r, "which"))]
	if rapid.Bool().Draw(r, "done") {
		return []store.Job{j}, nil
	}
	later := l.job(r)
	later.Lane, later.Key, later.Fence = j.Lane, j.Key, j.Fence
	return nil, []store.Job{later}
}

// same commits a turn to both.
func (l *life) same(r *rapid.T, turn store.Turn) {
	got, want := l.s.Commit(l.t.Context(), turn), l.m.commit(turn)
	if !errors.Is(got, want) {
		r.Fatalf("commit of %+v answered %v, want %v", turn, got, want)
	}
}

func (l *life) time(r *rapid.T) {
	l.c.pass(rapid.SampledFrom([]time.Duration{time.Microsecond, time.Minute, Lease, store.Memory}).Draw(r, "pass"))
}

func (l *life) claim(r *rapid.T) {
	lane, key := pick(r, "lane", "deed", Remembered), pick(r, "key", "", "", "a", "b", "c")
	n := rapid.IntRange(0, 3).Draw(r, "n")
	got, next, err := l.s.Claim(l.t.Context(), lane, key, n)
	if err != nil {
		r.Fatalf("claim: %v", err)
	}
	want := l.m.claim(lane, key, n)
	if len(got) != len(want) {
		r.Fatalf("claimed %+v\nwant %+v", got, want)
	}
	for i, j := range got {
		if j.Fence <= l.m.fence {
			r.Fatalf("fence %d after %d", j.Fence, l.m.fence)
		}
		l.m.held(lane, j.Key, j.Fence)
		want[i].Fence = j.Fence
		if !reflect.DeepEqual(j, want[i]) {
			r.Fatalf("claimed\n%+v, want\n%+v", j, want[i])
		}
	}
	l.held = append(l.held, got...)
	l.next(r, lane, key, next)
}

// next must not be late, and must not be now if there is nothing to claim. It
// may be too early: at the end of a wait of one who is then behind another.
func (l *life) next(r *rapid.T, lane, key string, next time.Time) {
	want := l.m.next(lane, key)
	late := !want.IsZero() && (next.IsZero() || next.After(want))
	idle := !next.IsZero() && !next.After(l.c.now()) && (want.IsZero() || want.After(l.c.now()))
	if late || idle {
		r.Fatalf("claim %s %q next at %v, want %v; it is %v", lane, key, next, want, l.c.now())
	}
}

// look compares all that can be looked at.
func (l *life) look(r *rapid.T) {
	for _, kind := range []string{"ask", "person"} {
		for _, index := range []string{"", "open", "mine"} {
			got, err := l.s.List(l.t.Context(), kind, index, "", 10)
			if want := l.m.list(kind, index); err != nil || !reflect.DeepEqual(got, want) {
				r.Fatalf("list %s %q: %+v, %v\nwant %+v", kind, index, got, err, want)
			}
		}
	}
	n := uint64(0)
	for e, err := range l.s.Read(l.t.Context(), "audit", 1) {
		if n++; err != nil || e.Seq != n {
			r.Fatalf("entry %d: %d, %v", n, e.Seq, err)
		}
	}
	if n != l.m.log {
		r.Fatalf("%d entries, want %d", n, l.m.log)
	}
}

func (m *model) list(kind, index string) []store.Doc {
	var list []store.Doc
	for _, key := range slices.Sorted(maps.Keys(m.docs)) {
		if d := m.docs[key]; d.Kind == kind && (index == "" || slices.Contains(d.Index, index)) {
			list = append(list, d)
		}
	}
	return list
}
