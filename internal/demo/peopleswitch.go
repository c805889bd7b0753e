package demo

import (
	"context"
	"time"

	"pagbot/sim/slack"
)

// switchOver leaves a group for another that excludes it: what is asked for is
// refused by pagbot's own rule, and the refusal leads to the switch.
func (s *Stage) switchOver(ctx context.Context) error {
	if err := s.gets(ctx, Requester, `/pag activate site-east 2h "inventory"`, "You have", siteEast); err != nil {
		return err
	}
	m, err := s.refusedRival(ctx)
	if err != nil {
		return err
	}
	defer s.anew(Requester)()
	if err := s.fills(ctx, Requester, m, "switch", "Switch…", ""); err != nil {
		return err
	}
	if m, err = s.sees(ctx, Requester, "DM", time.Minute, "Switch from", siteWest, "Confirm both with one sign-in"); err != nil {
		return err
	}
	if err := s.opens(Requester, Requester, m); err != nil {
		return err
	}
	if _, err := s.sees(ctx, Requester, "DM", 10*time.Minute, siteEast, "ended at", "Now I ask for"); err != nil {
		return err
	}
	_, err = s.sees(ctx, Requester, "DM", 2*time.Minute, "You have", siteWest, "you had neither for")
	return err
}

// refusedRival asks for what the requester must not have beside what runs.
func (s *Stage) refusedRival(ctx context.Context) (m slack.Message, err error) {
	err = s.quiet(func() error {
		if err := s.types(ctx, Requester, `/pag activate site-west 2h "inventory in the west"`); err != nil {
			return err
		}
		m, err = s.sees(ctx, Requester, s.Channel.ID, time.Minute, "My rule, not PIM's", siteEast, siteWest)
		return err
	})
	return m, err
}

// renewal ends what runs and activates it anew; the gap is told before and after.
func (s *Stage) renewal(ctx context.Context) error {
	s.tell("Five minutes later: PIM ends nothing sooner.")
	time.Sleep(s.Clock.Wire(5 * time.Minute))
	defer s.anew(Requester)()
	if err := s.wants(ctx, Requester, `/pag renew site-west 2h "more shelves"`, []string{"Renew", siteWest, "no access, for about 15 s"}); err != nil {
		return err
	}
	_, err := s.sees(ctx, Requester, "DM", 2*time.Minute, "You have", siteWest, "you were without it for")
	return err
}

// bothInPortal goes round the rule, where PIM knows of none.
func (s *Stage) bothInPortal(ctx context.Context) error {
	s.tell("The requester activates site-east in the Entra portal, beside site-west.")
	if _, err := s.Entra.Portal(s.Account(Requester)).Activate(s.Groups[siteEast].ID, "member", time.Hour, "from the portal"); err != nil {
		return err
	}
	_, err := s.sees(ctx, Approver, s.Channel.ID, 10*time.Minute, siteEast, siteWest, "at once, which exclude each other here", "round this rule")
	return err
}
