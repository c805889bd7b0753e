package graph

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"pagbot/activation"
	"pagbot/graph/signin"
)

// counted keeps a yes here that is not the last one that is needed: PIM was
// asked whether its giver may decide, and is not told. In PIM the first yes would
// be enough. Where it would be the last, those who agreed before must still be
// who may decide.
func (t attempt) counted(ctx context.Context) (activation.Report, bool) {
	var lost []activation.Agreed
	if t.a.Lacks() <= 1 {
		var err error
		if lost, err = t.lost(ctx); err != nil {
			return t.later(err), true
		}
	}
	if t.a.Lacks() <= 1 && len(lost) == 0 {
		return activation.Report{}, false
	}
	v := activation.Agreed{By: t.w.Actor, Reason: t.p.Reason, Warrant: t.w.ID, At: t.now}
	return activation.Report{Tell: activation.Done{Warrant: t.w.ID, Counted: true, At: t.now, Lost: lost, Seal: t.guard.Voice(t.a, v)}}, true
}

// lost are the voices whose givers may not decide any more, as far as the reader
// can know: PIM tells only approvers themselves, one by one, so it is read from
// the role settings. Where these name nobody, PIM's default approvers decide,
// whom nothing lists: then only an account that is gone or disabled is found.
func (t attempt) lost(ctx context.Context) ([]activation.Agreed, error) {
	s, err := t.reader.readSettings(ctx, t.a.Group.ID, t.a.Access)
	if err != nil {
		return nil, fmt.Errorf("who may decide on %s: %w", t.a.Group.ID, err)
	}
	var lost []activation.Agreed
	for _, v := range t.a.Agreed {
		may, err := t.reader.mayDecide(ctx, s, v.By.Object)
		if err != nil {
			return nil, fmt.Errorf("whether %s may still decide: %w", v.By.Object, err)
		}
		if !may {
			lost = append(lost, v)
		}
	}
	return lost, nil
}

// mayDecide tells whether an account is an approver by the role settings.
func (r *Reader) mayDecide(ctx context.Context, s activation.Settings, object string) (bool, error) {
	a, err := r.Account(ctx, object, "")
	switch {
	case errors.Is(err, signin.ErrNoAccount):
		return false, nil
	case err != nil || !a.Enabled || len(s.Approvers) == 0:
		return err == nil && a.Enabled, err
	}
	for _, p := range s.Approvers {
		if p.Group == "" && strings.EqualFold(p.User, object) {
			return true, nil
		}
	}
	for _, p := range s.Approvers {
		if p.Group == "" {
			continue
		}
		if in, err := r.isIn(ctx, object, p.Group); err != nil || in {
			return in, err
		}
	}
	return false, nil
}
