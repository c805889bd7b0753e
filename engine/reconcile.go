package engine

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"strings"
	"time"

	"pagbot/activation"
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
}

// reconcile holds PIM's truth against ours, at the start and on a beat. Watch
// mode lives here: what is open in PIM and unknown to us is noticed.
func (e *Engine) reconcile(ctx context.Context) {
	for ctx.Err() == nil {
		for _, g := range e.Groups {
			if err := e.notice(ctx, g); err != nil && ctx.Err() == nil {
				e.Log.Warn("PIM can't be read; noticed at the next beat", "group", g.Group.Name, "err", err)
			}
		}
		e.Clock.until(ctx, e.Clock.Now().Add(e.Beat), nil)
	}
}

func (e *Engine) notice(ctx context.Context, g Watched) error {
	requests, err := e.PIM.Requests(ctx, g.Group.ID)
	if err != nil {
		return err
	}
	instances, err := e.PIM.Instances(ctx, g.Group.ID)
	if err != nil {
		return err
	}
	schedules := map[string]activation.Request{}
	for _, r := range requests {
		// A schedule has further requests, such as its end's; the one that made it
		// is the activation's.
		if strings.EqualFold(r.Action, "selfActivate") {
			schedules[strings.ToLower(r.Schedule)] = r
		}
	}
	for _, i := range instances {
		r := schedules[strings.ToLower(i.Schedule)]
		n := activation.Notice{Person: i.Person, Group: g.Group, Access: i.Access, Request: r, Instance: i}
		if n.Request.Schedule == "" {
			n.Request.Schedule = i.Schedule
		}
		if err := e.noticed(ctx, g, n); err != nil {
			return err
		}
	}
	for _, r := range requests {
		if k := r.Kind(); k != activation.AtApproval && k != activation.InFuture || !strings.EqualFold(r.Action, "selfActivate") {
			continue
		}
		if err := e.noticed(ctx, g, activation.Notice{Person: r.Person, Group: g.Group, Access: r.Access, Request: r}); err != nil {
			return err
		}
	}
	return nil
}

// noticed adopts one activation that PIM holds, unless it is known.
func (e *Engine) noticed(ctx context.Context, g Watched, n activation.Notice) error {
	known, err := e.known(ctx, n)
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
	n.Targets, n.Lead = g.Targets[n.Access], g.Lead
	_, err = e.Tell(ctx, n.ID, n)
	return err
}

// known reports whether an activation in PIM is one of ours: by PIM's ids, or
// because the same person's ask for the same access is on its way (its answer
// may not be stored yet), or still open.
func (e *Engine) known(ctx context.Context, n activation.Notice) (bool, error) {
	for _, id := range []string{n.Request.ID, n.Request.Schedule} {
		if id == "" {
			continue
		}
		ours, err := e.Find(ctx, "pim:"+strings.ToLower(id))
		if err != nil || len(ours) > 0 {
			return len(ours) > 0, err
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
			if strings.HasSuffix(strings.TrimSpace(n.Request.Justification), "[pag "+a.Tag+"]") {
				return true, nil
			}
		default:
			return true, nil
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
	sum := sha256.Sum256([]byte("pim:" + strings.ToLower(of)))
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:])[:10])
}
