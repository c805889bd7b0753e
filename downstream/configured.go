package downstream

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"pagbot/activation"
)

// Configured is a probe that can only say "configured": an assignment in the
// target names the group, and Entra lists the person in it. Both can be true
// while the target still refuses.
type Configured struct {
	group  string
	dir    Directory
	now    func() time.Time
	limits Limits
	// find reads the assignment that names the group. Its error says what is
	// wrong with it: a group that is not named is no "no" about a person.
	find func(ctx context.Context) (assignment, error)

	mu    sync.Mutex
	had   assignment
	shown time.Time // wire
}

// assignment is what gives the group its role in a target.
type assignment struct {
	id   string
	name string // for people
	tags []string
}

func newConfigured(kind, group string, dir Directory, now func() time.Time, l Limits, find func(context.Context) (assignment, error)) (*Configured, error) {
	switch {
	case group == "":
		return nil, missingSetting(kind, "the object id of the group")
	case dir == nil:
		return nil, missingSetting(kind, "a directory to read")
	}
	if now == nil {
		now = time.Now
	}
	l = l.or(Limits{Batch: 20, Rate: 500 * time.Millisecond, Timeout: 20 * time.Second, Confirm: 1, As: asApplication})
	l.Level = activation.L0
	return &Configured{group: group, dir: dir, now: now, limits: l, find: find}, nil
}

// Limits implements Probe.
func (j *Configured) Limits() Limits { return j.limits }

// Check implements Probe.
func (j *Configured) Check(ctx context.Context, who []activation.Person) ([]activation.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, j.limits.Timeout)
	defer cancel()
	sent := j.now()
	as, err := j.shownAssignment(ctx)
	if err != nil {
		return doubtAll(who, err, activation.L0, sent, j.now())
	}
	members := Entra{EntraConfig{Group: j.group, Access: activation.Member, Directory: j.dir, Now: j.now, Limits: j.limits}}
	answers, err := members.Check(ctx, who)
	for i, a := range answers {
		if a.Says != activation.CantTell {
			a.Evidence = as.id
			answers[i] = configured(a)
		}
	}
	return answers, err
}

// Setup shows that the target's settings are as they should be; its error is
// one sentence for people.
func (j *Configured) Setup(ctx context.Context) error {
	_, err := j.shownAssignment(ctx)
	return err
}

// shownAssignment is believed for a while: settings change seldom.
func (j *Configured) shownAssignment(ctx context.Context) (assignment, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.shown.IsZero() && time.Since(j.shown) < shownFor {
		return j.had, nil
	}
	as, err := j.find(ctx)
	if err != nil {
		return as, err
	}
	j.had, j.shown = as, time.Now()
	return as, nil
}

// names reports whether a list of object ids has the group's.
func names(ids []string, group string) bool {
	for _, id := range ids {
		if strings.EqualFold(id, group) {
			return true
		}
	}
	return false
}

func unnamed(what string) *Fault {
	return &Fault{Why: fmt.Sprintf("%s does not name this group, so the group gives nothing there: correct it, or the target's configuration", what)}
}
