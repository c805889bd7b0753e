package engine

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pagbot/activation"
	"pagbot/store"
)

// plot is a whole life to be walked through.
type plot struct {
	name     string
	approval bool
	watched  bool
	excludes bool
	play     func(l *life, a actor)
	deeds    map[string]activation.Deed    // by envelope
	lives    map[string]activation.Outcome // by activation
	says     int                           // kinds of messages at least
	demands  int                           // of Entra, without a crash
}

var (
	portal1 = noticeID(activation.Notice{Instance: activation.Instance{Schedule: "portal-1"}})
	portal2 = noticeID(activation.Notice{Instance: activation.Instance{Schedule: "portal-2"}})
)

var plots = []plot{
	{
		name:  "with a kept session, written to its target on demand, to its end",
		deeds: map[string]activation.Deed{"e1": activation.Submit},
		lives: map[string]activation.Outcome{"a1": activation.Expired}, says: 5, demands: 1,
		play: func(l *life, a actor) {
			l.deliver(a, "e1", wish{Deed: activation.Submit, Proof: activation.Session, Now: true})
			l.until(a, "a1", activation.Closed)
			l.rest(a, 5*time.Minute)
		},
	},
	{
		name: "with sign-ins and an approval, ended early", approval: true,
		deeds: map[string]activation.Deed{"e1": activation.Submit, "e2": activation.Approve, "e3": activation.End},
		lives: map[string]activation.Outcome{"a1": activation.EndedSoon}, says: 6,
		play: func(l *life, a actor) {
			l.deliver(a, "e1", wish{Deed: activation.Submit, Proof: activation.Fresh})
			l.until(a, "a1", activation.AwaitingApproval)
			l.deliver(a, "e2", wish{Deed: activation.Approve, Proof: activation.Fresh})
			l.until(a, "a1", activation.Active)
			l.rest(a, 20*time.Minute)
			l.deliver(a, "e3", wish{Deed: activation.End, Proof: activation.Session})
			l.until(a, "a1", activation.Closed)
			l.rest(a, 5*time.Minute)
		},
	},
	{
		name: "withdrawn", approval: true,
		deeds: map[string]activation.Deed{"e1": activation.Submit, "e2": activation.Cancel},
		lives: map[string]activation.Outcome{"a1": activation.Withdrawn}, says: 3,
		play: func(l *life, a actor) {
			l.deliver(a, "e1", wish{Deed: activation.Submit, Proof: activation.Session})
			l.until(a, "a1", activation.AwaitingApproval)
			l.deliver(a, "e2", wish{Deed: activation.Cancel, Proof: activation.Session})
			l.until(a, "a1", activation.Closed)
			l.rest(a, 5*time.Minute)
		},
	},
	{
		name: "denied", approval: true,
		deeds: map[string]activation.Deed{"e1": activation.Submit, "e2": activation.Deny},
		lives: map[string]activation.Outcome{"a1": activation.Denied}, says: 3,
		play: func(l *life, a actor) {
			l.deliver(a, "e1", wish{Deed: activation.Submit, Proof: activation.Session})
			l.until(a, "a1", activation.AwaitingApproval)
			l.deliver(a, "e2", wish{Deed: activation.Deny, Proof: activation.Fresh})
			l.until(a, "a1", activation.Closed)
			l.rest(a, 5*time.Minute)
		},
	},
	{
		name:  "renewed, with one sign-in for both deeds",
		deeds: map[string]activation.Deed{"e1": activation.Submit, "e2": activation.Submit, "e2-end": activation.End},
		lives: map[string]activation.Outcome{"a1": activation.EndedSoon, "a1r": activation.Expired}, says: 6,
		play: func(l *life, a actor) {
			l.deliver(a, "e1", wish{Deed: activation.Submit, Proof: activation.Session})
			l.until(a, "a1", activation.Active)
			l.rest(a, 20*time.Minute)
			l.mark() // until here and from the new one's grant on it is as the first plot
			l.deliver(a, "e2", wish{Deed: renew, Proof: activation.Fresh})
			l.acked["e2-end"] = l.acked["e2"]
			l.until(a, "a1r", activation.Active)
			l.until(a, "a1", activation.Closed)
			l.mark()
			l.until(a, "a1r", activation.Closed)
			l.rest(a, 5*time.Minute)
		},
	},
	{
		name: "switched to what excludes it", excludes: true,
		deeds: map[string]activation.Deed{"e1": activation.Submit, "e2": activation.Submit, "e2-end": activation.End},
		lives: map[string]activation.Outcome{"a1": activation.EndedSoon, "a1s": activation.Expired}, says: 6,
		play: func(l *life, a actor) {
			l.deliver(a, "e1", wish{Deed: activation.Submit, Proof: activation.Session})
			l.until(a, "a1", activation.Active)
			l.rest(a, 20*time.Minute)
			l.mark() // as with the renewal
			l.deliver(a, "e2", wish{Deed: change, Proof: activation.Session})
			l.acked["e2-end"] = l.acked["e2"]
			l.until(a, "a1s", activation.Active)
			l.until(a, "a1", activation.Closed)
			l.mark()
			l.until(a, "a1s", activation.Closed)
			l.rest(a, 5*time.Minute)
		},
	},
	{
		name: "watched, and succeeded by another", watched: true,
		lives: map[string]activation.Outcome{portal1: activation.Revoked, portal2: activation.Expired}, says: 5,
		play: func(l *life, a actor) {
			l.portal(a, "portal-1", false)
			l.until(a, portal1, activation.Active)
			l.rest(a, time.Until(l.began.Add(20*time.Minute)))
			l.portal(a, "portal-1", true)
			l.until(a, portal1, activation.Verifying)
			l.portal(a, "portal-2", false)
			l.until(a, portal1, activation.Closed)
			l.until(a, portal2, activation.Closed)
			l.rest(a, 5*time.Minute)
		},
	},
}

func TestCrashWalk(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	kinds := map[activation.Kind]bool{}
	t.Run("plots", func(t *testing.T) {
		for _, p := range plots {
			t.Run(p.name, func(t *testing.T) {
				t.Parallel()
				faults, calm := walk(t, p, honest, "")
				for _, f := range faults {
					t.Error(f)
				}
				mu.Lock()
				defer mu.Unlock()
				maps.Copy(kinds, calm.kinds)
				t.Logf("%d points, of those that are its own each %d. before and after it took effect", calm.points, stride)
			})
		}
	})
	for k := range hands(nil) {
		if !kinds[k] {
			t.Errorf("no walk went over an effect of kind %q", k)
		}
	}
}

// The walk is worth something only if it catches those who cheat.

// TestCrashWalkCatchesAckBeforeKeep: a saboteur that acknowledges first loses
// an envelope at some point.
func TestCrashWalkCatchesAckBeforeKeep(t *testing.T) {
	cheat := honest
	cheat.keep = func(e *Engine, ctx context.Context, id string, raw []byte) bool {
		_ = wait(ctx, e, id, raw)
		return true
	}
	caught(t, cheat, "an acknowledged envelope was lost")
}

// splitter commits what an event causes in a second transaction.
type splitter struct{ store.Store }

func (s splitter) Commit(ctx context.Context, t store.Turn) error {
	outbox := store.Turn{Add: t.Add, Replace: t.Replace}
	if len(t.Docs) == 0 {
		return s.Store.Commit(ctx, t)
	}
	t.Add, t.Replace = nil, nil
	if err := s.Store.Commit(ctx, t); err != nil {
		return err
	}
	return s.Store.Commit(ctx, outbox)
}

// TestCrashWalkCatchesOutboxAfterCommit: a saboteur that writes its effects
// after the commit forgets some.
func TestCrashWalkCatchesOutboxAfterCommit(t *testing.T) {
	cheat := honest
	cheat.outer = func(s store.Store) store.Store { return splitter{s} }
	caught(t, cheat, "left in phase")
}

func caught(t *testing.T, cheat run, want string) {
	t.Helper()
	faults, _ := walk(t, plots[0], cheat, want)
	if !slices.ContainsFunc(faults, func(f string) bool { return strings.Contains(f, want) }) {
		t.Errorf("not caught; faults: %v", faults)
	}
}
