package demo

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"pagbot/sim/slack"
)

// homeForm asks by the form that the Home tab opens: first without a reason,
// which the form itself complains of.
func (s *Stage) homeForm(ctx context.Context) error {
	person, group := s.Person(Colleague), faulty[len(faulty)-1]
	defer s.anew(Colleague)()
	s.tell("colleague opens the app's Home tab")
	if err := person.OpenHome(); err != nil {
		return err
	}
	home, err := s.home(ctx, person, group)
	if err != nil {
		return err
	}
	s.print(Colleague, "the Home tab", person.ViewText(home))
	s.tell("colleague presses  [Activate access…]")
	if r, err := person.Press(ctx, home.ID, "ask"); err != nil || r.Error != "" {
		return errors.Join(err, errors.New(r.Error))
	}
	form, err := s.form(ctx, Colleague)
	if err != nil {
		return err
	}
	s.tell("colleague picks %s, and forgets the reason", group)
	groups, err := person.Suggest(ctx, form.ID, "v", group)
	if err != nil || len(groups) != 1 {
		return errors.Join(err, fmt.Errorf("%d groups are offered for %s", len(groups), group))
	}
	values := map[string]any{"group": groups[0]["value"], "length": "30m0s"}
	r, err := person.Submit(ctx, form.ID, values)
	if err != nil || r.Errors["reason"] == "" {
		return errors.Join(err, fmt.Errorf("the form says %v", r.Errors))
	}
	s.seen++
	s.print(Colleague, "the form, below the reason", r.Errors["reason"])
	values["reason"] = "figures of November"
	if r, err = person.Submit(ctx, form.ID, values); err != nil || r.Error != "" || len(r.Errors) > 0 {
		return errors.Join(err, fmt.Errorf("the form says %v %s", r.Errors, r.Error))
	}
	_, err = s.sees(ctx, Colleague, "DM", 2*time.Minute, "You have", group)
	return err
}

// home waits until a person's Home tab shows a group that they may activate.
func (s *Stage) home(ctx context.Context, p *slack.Person, group string) (v slack.View, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err = s.Slack.Wait(ctx, func(snap slack.Snapshot) bool {
		v, _ = snap.Home(p.ID)
		return strings.Contains(p.ViewText(v), group)
	})
	s.seen++
	return v, err
}
