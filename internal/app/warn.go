package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"pagbot/activation"
	"pagbot/downstream"
)

// Warnings are what is known to surprise people about each configured group,
// one sentence each. What can't be read is not warned of.
func (a *App) Warnings(ctx context.Context) ([]string, error) {
	token, err := a.reading("")
	if err != nil {
		return nil, err
	}
	g, err := downstream.NewGraph(a.cfg.graphRoot(), token, a.client())
	if err != nil {
		return nil, err
	}
	all := make([]downstream.Carries, len(a.cfg.Groups))
	var reading errgroup.Group
	reading.SetLimit(8)
	for i, group := range a.cfg.Groups {
		reading.Go(func() error { all[i] = a.carries(ctx, g, group); return nil })
	}
	_ = reading.Wait()
	var lines []string
	for i, c := range all {
		if w := a.fewApprovers(ctx, a.cfg.Groups[i]); w != "" {
			lines = append(lines, w)
		}
		c.Also = all[i+1:] // so that two that widen each other are told once
		for _, w := range downstream.Warnings(c) {
			lines = append(lines, w.Text)
		}
	}
	return lines, nil
}

// fewApprovers is why a quorum protects nothing, or lets nobody in.
func (a *App) fewApprovers(ctx context.Context, g GroupConfig) string {
	s, err := a.reader.Settings(ctx, g.ID, activation.Member)
	if g.Quorum < 2 || err != nil {
		return ""
	}
	if !s.NeedsApproval {
		return fmt.Sprintf("%s has a quorum of %d, but its role settings in Entra want no approval: nobody is asked at all. Require approval there.", g.Name, g.Quorum)
	}
	if who, err := a.reader.Approvers(ctx, s); err == nil && len(s.Approvers) > 0 && len(who) < g.Quorum {
		return fmt.Sprintf("%s has a quorum of %d, but only %d can approve it in Entra: it is never reached. Name more approvers in its role settings, or lower it.", g.Name, g.Quorum, len(who))
	}
	return ""
}

// warned is what is known to surprise a person about an ask, while groups of
// theirs are active: from the configuration and from memory, and in a moment from
// the targets that know only who has been there.
func (a *App) warned(ctx context.Context, p activation.Person, group string, length time.Duration, also []string) (lines []string) {
	var c downstream.Carries
	for _, g := range a.cfg.Groups {
		switch {
		case g.ID == group:
			c.Group, c.Opens, c.Roles = g.Name, a.cfg.opens(g), a.rolesOf(g.ID)
			a.standing(ctx, p, g, c.Opens)
		case slices.Contains(also, g.ID):
			c.Also = append(c.Also, downstream.Carries{Group: g.Name, Opens: a.cfg.opens(g)})
		}
	}
	c.Asked, c.Duration = true, length
	for _, w := range downstream.Warnings(c) {
		lines = append(lines, w.Text)
	}
	return lines
}

// moment is how long an answer waits for what only its warnings need.
const moment = time.Second

// standing finds out where the person is not known yet. A target that takes
// longer is not warned of.
func (a *App) standing(ctx context.Context, p activation.Person, g GroupConfig, opens []downstream.Opens) {
	ctx, cancel := context.WithTimeout(ctx, moment)
	defer cancel()
	for i, t := range a.cfg.targetsOf(g) {
		probe, ok := a.targets[t.ID].(interface {
			Knows(context.Context, activation.Person) (bool, error)
		})
		if !ok {
			continue
		}
		if knows, err := probe.Knows(ctx, p); err == nil {
			opens[i].Standing = &knows
		}
	}
}

// rolesOf are the directory roles that a group was last seen to carry.
func (a *App) rolesOf(group string) []string {
	if known := a.roles.Load(); known != nil {
		return (*known)[group]
	}
	return nil
}

// learnRoles reads which directory roles the groups carry, at the start and
// every day, for the warnings' sake. Where the reader may not, nobody is warned
// of them.
func (a *App) learnRoles(ctx context.Context) {
	token, err := a.reading("")
	if err != nil {
		return
	}
	g, err := downstream.NewGraph(a.cfg.graphRoot(), token, a.client())
	if err != nil {
		return
	}
	for {
		known := map[string][]string{}
		for _, group := range a.cfg.Groups {
			if is, err := g.Assignable(ctx, group.ID); err != nil || !is {
				continue // no other group can carry one
			}
			if roles, err := g.Roles(ctx, group.ID); err == nil {
				known[group.ID] = roles
			}
		}
		a.roles.Store(&known)
		select {
		case <-time.After(24 * time.Hour):
		case <-ctx.Done():
			return
		}
	}
}

// opens lists the systems that a group opens, as it is configured.
func (c *Config) opens(g GroupConfig) (all []downstream.Opens) {
	for _, t := range c.targetsOf(g) {
		all = append(all, downstream.Opens{Kind: t.Kind, Name: t.Name})
	}
	for _, kind := range g.Opens {
		all = append(all, downstream.Opens{Kind: kind})
	}
	return all
}

// carries reads what a group carries, as far as the reader may.
func (a *App) carries(ctx context.Context, g *downstream.Graph, group GroupConfig) downstream.Carries {
	c := downstream.Carries{Group: group.Name}
	if is, err := g.Assignable(ctx, group.ID); err == nil {
		c.RoleAssignable = &is
	}
	if c.RoleAssignable == nil || *c.RoleAssignable { // no other group can carry one
		c.Roles, _ = g.Roles(ctx, group.ID)
	}
	if s, err := a.reader.Settings(ctx, group.ID, activation.Member); err == nil {
		c.Duration = time.Duration(s.Max)
	}
	c.Opens = a.cfg.opens(group)
	return c
}

// because is why a target could not be asked, without what only a log needs.
func because(err error) string {
	var f *downstream.Fault
	if errors.As(err, &f) {
		return f.Why
	}
	return oneLine(err)
}

// Examine makes first contact with everything, targets included, beside a bot
// that may be serving, and says what is worth knowing. The error is what keeps
// a bot from serving.
func Examine(ctx context.Context, cfg *Config, o Options) (worth []string, err error) {
	dir, err := os.MkdirTemp("", "pagbot-check-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	own := *cfg
	own.State = dir // the other one's database is its own
	a, err := Open(ctx, &own, o)
	if err != nil {
		return nil, err
	}
	defer a.Close()
	if err := a.Check(ctx); err != nil {
		return nil, err
	}
	asking, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for _, s := range a.setups {
		if err := s.ask(asking); err != nil {
			worth = append(worth, "Target "+s.target+" can't be asked: "+because(err)+".")
		}
	}
	more, err := a.Warnings(asking)
	return append(worth, more...), err
}
