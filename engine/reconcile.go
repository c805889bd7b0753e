package engine

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"strings"
	"time"

	"pagbot/activation"
	"pagbot/store"
)

// PIM is what reconcile reads, with the reader's own permissions.
type PIM interface {
	Requests(ctx context.Context, group string) ([]activation.Request, error)
	Instances(ctx context.Context, group string) ([]activation.Instance, error)
	Settings(ctx context.Context, group string, access activation.Access) (activation.Settings, error)
	Person(ctx context.Context, object string) (activation.Person, error)
}

// Watched is a group whose activations are noticed wherever they are made.
type Watched struct {
	Group   activation.Group
	Targets map[activation.Access][]activation.Target
	Lead    time.Duration
	Remind  time.Duration
	Quorum  int
	// Excludes are the ids of groups that nobody must have at the same time.
	Excludes []string
}

// reconcile holds PIM's truth against ours, at the start and on a beat. Watch
// mode lives here: what is open in PIM and unknown to us is noticed.
func (e *Engine) reconcile(ctx context.Context) {
	for ctx.Err() == nil {
		for _, g := range e.Groups {
			if err := e.guarded(func() error { return e.notice(ctx, g) }); err != nil && ctx.Err() == nil {
				e.Log.Warn("not all of PIM could be read; noticed at the next beat", "group", g.Group.Name, "err", err)
			}
		}
		if err := e.guarded(func() error { return e.clashes(ctx) }); err != nil && ctx.Err() == nil {
			e.Log.Warn("what excludes each other was not looked for; it is at the next beat", "err", err)
		}
		e.Clock.pause(ctx, e.Beat)
	}
}

// notice compares one group. One activation that can't be read keeps none of
// the others from being noticed.
func (e *Engine) notice(ctx context.Context, g Watched) error {
	ctx, cancel := context.WithTimeout(ctx, handTime)
	defer cancel()
	at := e.Clock.Now()
	// The instances first: what is granted by then was asked for before, so that
	// its request can be among those that are read next.
	instances, err := e.PIM.Instances(ctx, g.Group.ID)
	if err != nil {
		return err
	}
	requests, err := e.PIM.Requests(ctx, g.Group.ID)
	if err != nil {
		return err
	}
	var errs []error
	for _, n := range notices(g, instances, requests, at) {
		if ctx.Err() != nil {
			return errors.Join(append(errs, ctx.Err())...) // the next beat goes on from here
		}
		if err := e.guarded(func() error { return e.noticed(ctx, g, n, at) }); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// notices lists what PIM holds open: what it grants, and what waits for an
// approver or its start.
func notices(g Watched, instances []activation.Instance, requests []activation.Request, at time.Time) (all []activation.Notice) {
	made := map[string]activation.Request{} // by schedule
	for _, r := range requests {
		// A schedule has further requests, such as its end's; the one that made it
		// is the activation's. Some answers leave the schedule out.
		if asks(r) && r.Schedule != "" {
			made[strings.ToLower(r.Schedule)] = r
		}
	}
	for _, i := range instances {
		if !i.Ends.IsZero() && !i.Ends.After(at) {
			continue // PIM's reads show it a little beyond its end
		}
		n := activation.Notice{Person: i.Person, Group: g.Group, Access: i.Access, Request: made[strings.ToLower(i.Schedule)], Instance: i}
		n.Request.Schedule = i.Schedule
		all = append(all, n)
	}
	for _, r := range requests {
		if k := r.Kind(); asks(r) && (k == activation.AtApproval || k == activation.InFuture) {
			all = append(all, activation.Notice{Person: r.Person, Group: g.Group, Access: r.Access, Request: r})
		}
	}
	return all
}

func asks(r activation.Request) bool { return strings.EqualFold(r.Action, "selfActivate") }

// noticed adopts one activation that PIM holds, unless it is known.
func (e *Engine) noticed(ctx context.Context, g Watched, n activation.Notice, at time.Time) error {
	known, err := e.known(ctx, n, at)
	if err != nil || known {
		return err
	}
	if n.Settings, err = e.PIM.Settings(ctx, g.Group.ID, n.Access); err != nil {
		return err
	}
	if n.Person, err = e.PIM.Person(ctx, n.Person.Object); err != nil {
		return err
	}
	n.ID = noticeID(n)
	n.Targets, n.Lead, n.Remind, n.Quorum = g.Targets[n.Access], g.Lead, g.Remind, g.Quorum
	_, err = e.Tell(ctx, n.ID, n)
	return err
}

// known reports whether an activation in PIM is one of ours: by PIM's ids, or
// because the same person's ask for the same access is on its way, or still
// open.
func (e *Engine) known(ctx context.Context, n activation.Notice, at time.Time) (bool, error) {
	for _, id := range []string{n.Request.ID, n.Request.Schedule} {
		if id == "" {
			continue
		}
		if ours, err := e.has(ctx, "pim:"+strings.ToLower(id)); err != nil || ours {
			return ours, err
		}
	}
	key := activation.Activation{Person: n.Person, Group: n.Group, Access: n.Access}.Key()
	open, err := e.Find(ctx, "key:"+key)
	if err != nil {
		return false, err
	}
	for _, a := range open {
		switch a.Phase {
		case activation.Verifying:
		case activation.Asked:
			if ours, err := e.arrived(ctx, a, n, at); err != nil || ours {
				return ours, err
			}
		default:
			return true, nil
		}
	}
	return false, nil
}

// arrived reports whether what PIM holds may be what an ask has submitted, its
// answer not stored yet, or lost. With the ask's tag it surely is, and the ask is
// told. Without any request (reads lag, or leave it out) it may be, if the
// submit ever left: whose it is shows as soon as the deed is settled.
func (e *Engine) arrived(ctx context.Context, a activation.Activation, n activation.Notice, at time.Time) (bool, error) {
	if n.Request.ID == "" {
		return e.sent(ctx, a)
	}
	if a.Tag == "" || !strings.HasSuffix(strings.TrimSpace(n.Request.Justification), "[pag "+a.Tag+"]") {
		return false, nil
	}
	saw := activation.Saw{Request: &n.Request, At: at}
	if n.Instance.Schedule != "" || !n.Instance.From.IsZero() {
		saw.Looked, saw.Present = true, &n.Instance
	}
	_, err := e.Tell(ctx, a.ID, saw)
	return true, err
}

// sent reports whether any deed of an activation has left the process: its
// warrant is spent before it does.
func (e *Engine) sent(ctx context.Context, a activation.Activation) (bool, error) {
	for _, d := range a.Deeds {
		_, err := e.Store.Get(ctx, kindSpent, d.Warrant.ID)
		if err == nil || !errors.Is(err, store.ErrNone) {
			return err == nil, err
		}
	}
	return false, nil
}

// noticeID is the same for the same activation in PIM, so that it is noticed
// once.
func noticeID(n activation.Notice) string {
	of := n.Request.ID
	if of == "" {
		of = n.Instance.Schedule
	}
	if of == "" { // an answer may leave out both: then by whose it is, and since when
		key := activation.Activation{Person: n.Person, Group: n.Group, Access: n.Access}.Key()
		of = key + n.Instance.From.UTC().Format(time.RFC3339Nano)
	}
	sum := sha256.Sum256([]byte("pim:" + strings.ToLower(of)))
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:])[:10])
}
