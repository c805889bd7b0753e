package e2e

import (
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"time"

	"pagbot/activation"
	"pagbot/internal/demo"
	"pagbot/sim/slack"
	"pagbot/store"
)

// wrote checks everything that reached Entra as a write, refused ones included:
// so many of each, and nothing else. A key is an action and, when it was
// refused, the status: "selfActivate", "selfDeactivate 400", "Approve".
func (w *town) wrote(want map[string]int) {
	w.t.Helper()
	got := map[string]int{}
	for _, r := range w.Entra.Writes() {
		action := r.Action
		switch {
		case strings.HasSuffix(r.Path, "/cancel"):
			action = "cancel"
		case strings.Contains(r.Body, `"Approve"`):
			action = "Approve"
		case strings.Contains(r.Body, `"Deny"`):
			action = "Deny"
		}
		if r.Status >= 400 {
			action += fmt.Sprint(" ", r.Status)
		}
		got[action]++
	}
	if !maps.Equal(got, want) {
		w.t.Errorf("written to Entra: %v, want %v", got, want)
	}
}

// book is the bot's store, read after the bot has stopped.
type book struct {
	*store.Bolt
	lives map[string]activation.Activation
}

// closes stops the bot and checks its book: every journal folds to what is
// stored, no job is left of what is over, and all that was published is true
// by the worlds' own oracles. all says that every activation must be over.
func (w *town) closes(all bool) map[string]activation.Activation {
	w.t.Helper()
	w.pass(20 * time.Minute) // what is over is dropped when its turn comes
	w.stop()
	b := w.reads(time.Now)
	open := 0
	for id, a := range b.lives {
		if a.Open() {
			open++
			if all {
				w.t.Errorf("%s is still %s: %+v", id, a.Phase, a.Targets)
			}
		}
		w.folds(b, a)
		for _, t := range a.Targets {
			if a.Access == activation.Member { // there is no oracle of owners
				w.grantHolds(a, t)
				w.removalHolds(a, t)
			}
		}
	}
	b.Close()
	if open == 0 {
		w.leavesNothing()
	}
	for _, name := range []string{demo.Requester, demo.Approver} {
		for _, channel := range []string{w.Channel.ID, w.mine(name)} {
			for _, m := range w.Person(name).Messages(channel) {
				w.saysTrue(name, m)
			}
		}
	}
	return b.lives
}

// reads opens the store of a stopped bot.
func (w *town) reads(now func() time.Time) book {
	w.t.Helper()
	db, err := store.Open(filepath.Join(w.cfg.StateDir(), "pagbot.db"), store.Options{Now: now})
	if err != nil {
		w.t.Fatal(err)
	}
	lives, err := livesIn(w.t.Context(), db)
	if err != nil {
		w.t.Fatal(err)
	}
	return book{db, lives}
}

func (w *town) folds(b book, a activation.Activation) {
	w.t.Helper()
	if err := foldsTo(w.t.Context(), b.Bolt, a); err != nil {
		w.t.Error(err)
	}
}

// leavesNothing: what is over leaves no work behind, now or ever.
func (w *town) leavesNothing() {
	w.t.Helper()
	b := w.reads(func() time.Time { return time.Now().Add(48 * time.Hour) })
	defer b.Close()
	left, err := jobsIn(w.t.Context(), b.Bolt)
	if err != nil || len(left) > 0 {
		w.t.Errorf("all is over, and these jobs are left: %v %v", left, err)
	}
}

// knows asks the oracle of a target.
func (w *town) knows(a activation.Activation, t activation.Target, at time.Time) bool {
	if t.Kind == "entra" {
		return w.Entra.Member(a.Group.ID, a.Person.Object, at)
	}
	if t.Kind != "devops" {
		return w.more.knows(t.Kind, a.Person.Object, at)
	}
	return w.DevOps.Org("contoso").Knows(a.Person.Object, at)
}

// ever reports whether the truth was so at some moment between two. What was
// answered held at some moment between the question and the answer: where a second
// on the wire is minutes of the world, it may come and go meanwhile.
func (w *town) ever(is bool, a activation.Activation, t activation.Target, from, to time.Time) bool {
	if w.knows(a, t, from) == is || w.knows(a, t, to) == is {
		return true
	}
	for at := from; at.Before(to); at = at.Add(time.Second) {
		if w.knows(a, t, at) == is {
			return true
		}
	}
	return false
}

// changed reports whether a change lies in the interval that was published: the
// one until the last question, the other between it and its answer.
func (w *town) changed(to bool, a activation.Activation, t activation.Target, s activation.Span) bool {
	return !s.After.IsZero() && w.ever(!to, a, t, s.After, s.Asked) && w.ever(to, a, t, s.Asked, s.By)
}

// grantHolds: the truth lies in the interval that was published.
func (w *town) grantHolds(a activation.Activation, t activation.Target) {
	w.t.Helper()
	s := t.Grant
	switch s.State {
	case activation.Effective:
		if !w.changed(true, a, t, s) {
			w.t.Errorf("%s: effective in (%s, %s], the truth is %v, %v", t.ID, s.After, s.By, w.knows(a, t, s.After), w.knows(a, t, s.By))
		}
	case activation.Works, activation.HadAlready:
		if !w.ever(true, a, t, s.Asked, s.By) {
			w.t.Errorf("%s: %s seen at %s, the truth is no", t.ID, s.State, s.By)
		}
	}
}

func (w *town) removalHolds(a activation.Activation, t activation.Target) {
	w.t.Helper()
	s := t.Removal
	switch s.State {
	case activation.Gone:
		if !w.changed(false, a, t, s) {
			w.t.Errorf("%s: gone in (%s, %s], the truth is %v, %v; it came in %+v", t.ID, s.After, s.By, w.knows(a, t, s.After), w.knows(a, t, s.By), t.Grant)
		}
	case activation.NeverCame:
		// "As far as I saw": whether it came while nobody looked, nobody can say.
		if !w.ever(false, a, t, s.Asked, s.By) {
			w.t.Errorf("%s: said not to be there at %s, but is", t.ID, s.By)
		}
	}
}

// saysTrue checks every version of a message against Azure DevOps' oracle at
// the moment when it was written.
func (w *town) saysTrue(name string, m slack.Message) {
	w.t.Helper()
	requester := w.Account(demo.Requester)
	org := w.DevOps.Org("contoso")
	for _, v := range w.Slack.Revisions(m.Channel, m.TS) {
		text := w.Person(name).Text(v)
		there := org.Knows(requester, v.At)
		if strings.Contains(text, "took effect in Azure DevOps") && !there {
			w.t.Errorf("said before it was true, at %s: %s", v.At, text)
		}
		if strings.Contains(text, "should have left Azure DevOps contoso") && !strings.Contains(text, "By now") && !there {
			w.t.Errorf("alarmed about what was gone, at %s: %s", v.At, text)
		}
		gone := strings.Contains(text, "Azure DevOps contoso: gone for new sessions") || strings.Contains(text, "never came")
		if gone && there {
			w.t.Errorf("said to be gone before it was, at %s: %s", v.At, text)
		}
	}
}
