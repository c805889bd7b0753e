package history

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"pagbot/activation"
	"pagbot/downstream"
	"pagbot/engine"
)

var now = time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)

// granted is an activation whose target followed within (after, by] minutes.
func granted(id string, from time.Time, after, by int) activation.Activation {
	at := func(m int) time.Time { return from.Add(time.Duration(m) * time.Minute) }
	return activation.Activation{ID: id, Seq: 5, Phase: activation.Active, Group: activation.Group{ID: "g1"}, From: from,
		Targets: []activation.Target{{ID: "devops", Grant: activation.Span{State: activation.Effective, After: at(after), By: at(by), Level: activation.L2}}}}
}

// ended is the same, after its end, with a removal within (after, by] minutes.
func ended(a activation.Activation, end time.Time, after, by int) activation.Activation {
	a.Seq, a.Phase, a.Ended = a.Seq+5, activation.Closed, end
	a.Targets = slices.Clone(a.Targets)
	a.Targets[0].Removal = activation.Span{State: activation.Gone, After: end.Add(time.Duration(after) * time.Minute), By: end.Add(time.Duration(by) * time.Minute), Level: activation.L2}
	return a
}

// shelf is a store of activations, listed by day as the engine does.
type shelf map[string][]activation.Activation

func (s shelf) add(a activation.Activation) {
	for _, t := range []time.Time{a.From, a.Ended} {
		if !t.IsZero() {
			s[engine.Day(t)] = append(s[engine.Day(t)], a)
		}
	}
}

func (s shelf) find(_ context.Context, index string) ([]activation.Activation, error) {
	return s[index], nil
}

func ids(all []downstream.Latency) (list []string) {
	for _, l := range all {
		list = append(list, l.Activation)
	}
	return list
}

func wants(t *testing.T, what string, got []downstream.Latency, want ...string) {
	t.Helper()
	if !slices.Equal(ids(got), want) {
		t.Errorf("%s: %v, want %v", what, ids(got), want)
	}
}

func TestBookLoadsItsDaysOnly(t *testing.T) {
	s := shelf{}
	s.add(granted("ancient", now.AddDate(0, 0, -31), 8, 9))
	s.add(ended(granted("long", now.AddDate(0, 0, -40), 8, 9), now.AddDate(0, 0, -2), 3, 4))
	s.add(granted("b", now.Add(-time.Hour), 8, 9))
	s.add(granted("a", now.Add(-2*time.Hour), 8, 9))
	b := NewBook(Config{Find: s.find, Now: func() time.Time { return now }})
	if err := b.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	wants(t, "effect", b.History("devops", activation.Grant), "a", "b")
	wants(t, "removal", b.History("devops", activation.Removal), "long")
	wants(t, "of another target", b.History("other", activation.Grant))
}

func TestBookFollowsWhatChanges(t *testing.T) {
	at := now
	b := NewBook(Config{Find: shelf{}.find, Now: func() time.Time { return at }, Days: 1})
	late, early := granted("late", now, 8, 9), granted("early", now.Add(-time.Minute), 8, 9)
	b.Note(late)
	before := b.History("devops", activation.Grant)
	b.Note(early)
	wants(t, "in order of the turn", b.History("devops", activation.Grant), "early", "late")
	wants(t, "what was given out stays as it was", before, "late")
	over := ended(late, now.Add(time.Hour), 3, 4)
	b.Note(over)
	b.Note(late) // told late
	wants(t, "removal", b.History("devops", activation.Removal), "late")
	wants(t, "each once", b.History("devops", activation.Grant), "early", "late")
	at = now.Add(24*time.Hour + time.Minute/2)
	wants(t, "a day later", b.History("devops", activation.Grant))
	wants(t, "an hour less", b.History("devops", activation.Removal), "late")
}

// A load beside the life of the engine counts nothing twice, whoever comes first.
func TestLoadBesideNotes(t *testing.T) {
	s := shelf{}
	var b *Book
	fresh, stale := granted("fresh", now, 8, 9), granted("stale", now.Add(-time.Minute), 8, 9)
	s.add(fresh)
	s.add(ended(stale, now.Add(time.Minute), 1, 2))
	find := func(ctx context.Context, day string) ([]activation.Activation, error) {
		b.Note(ended(fresh, now.Add(time.Hour), 3, 4)) // newer than what the store is about to say
		b.Note(stale)                                  // older
		return s.find(ctx, day)
	}
	b = NewBook(Config{Find: find, Now: func() time.Time { return now.Add(2 * time.Hour) }})
	if err := b.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	wants(t, "effect", b.History("devops", activation.Grant), "stale", "fresh")
	wants(t, "removal", b.History("devops", activation.Removal), "stale", "fresh")
}

// What taught nothing is kept apart: it belongs into a judgement, not into a
// schedule.
func TestBlind(t *testing.T) {
	b := NewBook(Config{Now: func() time.Time { return now.Add(48 * time.Hour) }})
	works := granted("works", now, 8, 9)
	works.Targets[0].Grant.State, works.Targets[0].Grant.After = activation.Works, time.Time{}
	had := granted("had", now, 8, 9)
	had.Targets[0].Grant.State = activation.HadAlready
	dark := ended(granted("dark", now, 8, 9), now.Add(time.Hour), -50, 0)
	dark.Targets[0].Removal.State = activation.NotProven
	never := ended(granted("never", now, -1, 9), now.Add(time.Hour), 0, 1)
	never.Targets[0].Grant.State, never.Targets[0].Removal.State = activation.Waiting, activation.NeverCame
	for _, a := range []activation.Activation{works, had, dark, never} {
		b.Note(a)
	}
	wants(t, "measured", b.History("devops", activation.Grant), "dark")
	wants(t, "blind effect", b.Blind("devops", activation.Grant), "never", "works")
	wants(t, "measured removal", b.History("devops", activation.Removal))
	wants(t, "blind removal", b.Blind("devops", activation.Removal), "dark")
}

// A book does not grow for ever.
func TestBookForgets(t *testing.T) {
	at := now
	b := NewBook(Config{Now: func() time.Time { return at }, Days: 1})
	for i := range 2000 {
		at = at.Add(10 * time.Minute)
		b.Note(granted(fmt.Sprint("a", i), at, 1, 2))
	}
	if n, kept := len(b.seen), len(b.lines[line{"devops", activation.Grant, false}]); n > 400 || kept > 400 {
		t.Errorf("%d activations and %d measurements are kept of a day with 144", n, kept)
	}
	if n := len(b.History("devops", activation.Grant)); n != 145 {
		t.Errorf("%d of the last day", n)
	}
}
