package demo

import (
	"context"
	"fmt"
	"time"

	"pagbot/sim/slack"
)

func (s *Stage) strongerSignIn(ctx context.Context) error {
	s.tell("A session is tried first for vault-readers here; PIM itself asks for more.")
	return s.wants(ctx, Requester, `/pag activate vault-readers 1h "rotate a key"`, []string{Vault, "stronger sign-in"}, "vault-readers")
}

func (s *Stage) check(ctx context.Context) error {
	return s.quiet(func() error {
		if err := s.types(ctx, Requester, `/pag check db-admins 9h "migration 7"`); err != nil {
			return err
		}
		_, err := s.sees(ctx, Requester, s.Channel.ID, time.Minute, "If you ask for", dbAdmins, "It would be refused")
		return err
	})
}

func (s *Stage) several(ctx context.Context) error {
	if err := s.wants(ctx, Requester, `/pag activate night-shift "release night"`, []string{"confirm both with one sign-in"}, DevOpsAdmins, backupReaders); err != nil {
		return err
	}
	_, err := s.sees(ctx, Requester, "DM", time.Minute, "You have", backupReaders)
	return err
}

// card waits for the card of a request, by its reason.
func (s *Stage) card(ctx context.Context, group, reason string, words ...string) (slack.Message, error) {
	return s.sees(ctx, Approver, s.Channel.ID, 2*time.Minute, append(words, group, reason)...)
}

func (s *Stage) freshApprover(ctx context.Context) error {
	if err := s.wants(ctx, Approver, "/pag signin", []string{"Sign in with your browser"}, "You are signed in"); err != nil {
		return err
	}
	card, err := s.card(ctx, DevOpsAdmins, "release night", "An approver is needed")
	if err != nil {
		return err
	}
	if err := s.decides(ctx, Approver, card, "approve", "it is tonight", []string{"not approved", DevOpsAdmins}, "Approved"); err != nil {
		return err
	}
	_, err = s.sees(ctx, Requester, "DM", 2*time.Minute, "You have", DevOpsAdmins)
	return err
}

func (s *Stage) quorum(ctx context.Context) error {
	if err := s.wants(ctx, Requester, `/pag activate db-admins 1h "migration 7"`, []string{dbAdmins, "confirm with your sign-in"}, "Waiting for approval"); err != nil {
		return err
	}
	card, err := s.card(ctx, dbAdmins, "migration 7", "2 approvers are needed")
	if err != nil {
		return err
	}
	if err := s.decides(ctx, Approver, card, "approve", "planned", []string{"not approved", dbAdmins}, "Your yes counts"); err != nil {
		return err
	}
	if card, err = s.card(ctx, dbAdmins, "migration 7", "1 of 2 approvers agreed"); err != nil {
		return err
	}
	if err := s.presses(ctx, Approver, card, "approve", "Approve"); err != nil {
		return err
	}
	if _, err := s.sees(ctx, Approver, s.Channel.ID, time.Minute, "it counts once"); err != nil {
		return err
	}
	if err := s.decides(ctx, Second, card, "approve", "I have seen the plan", []string{"not approved", dbAdmins}, "Approved"); err != nil {
		return err
	}
	_, err = s.sees(ctx, Requester, "DM", 2*time.Minute, "You have", dbAdmins)
	return err
}

func (s *Stage) deny(ctx context.Context) error {
	if err := s.wants(ctx, Colleague, `/pag activate devops-admins 1h "just looking"`, []string{DevOpsAdmins, "confirm with your sign-in"}, "Waiting for approval"); err != nil {
		return err
	}
	card, err := s.card(ctx, DevOpsAdmins, "just looking", "An approver is needed")
	if err != nil {
		return err
	}
	if err := s.decides(ctx, Approver, card, "deny", "not without a ticket", []string{"not denied", DevOpsAdmins}, "Denied"); err != nil {
		return err
	}
	_, err = s.sees(ctx, Colleague, "DM", 2*time.Minute, "Denied by @approver", "not without a ticket")
	return err
}

func (s *Stage) portalDecision(ctx context.Context) error {
	if err := s.wants(ctx, Colleague, `/pag activate devops-admins 1h "ticket 4711"`, []string{DevOpsAdmins, "confirm with your sign-in"}, "Waiting for approval"); err != nil {
		return err
	}
	if _, err := s.card(ctx, DevOpsAdmins, "ticket 4711", "An approver is needed"); err != nil {
		return err
	}
	id, err := s.pending()
	if err != nil {
		return err
	}
	s.tell("second-approver approves it in the Entra portal.")
	if err := s.Entra.Portal(s.Account(Second)).Decide(id, true, "fine"); err != nil {
		return err
	}
	if _, err := s.sees(ctx, Colleague, "DM", 5*time.Minute, "You have", DevOpsAdmins); err != nil {
		return err
	}
	_, err = s.card(ctx, DevOpsAdmins, "ticket 4711", "Approved in Entra")
	return err
}

func (s *Stage) scheduled(ctx context.Context) error {
	defer s.anew(Colleague)()
	start := s.Clock.Now().In(zone).Add(3 * time.Minute).Format("15:04")
	if err := s.types(ctx, Colleague, fmt.Sprintf(`/pag activate release-managers at %s for 30m "the release"`, start)); err != nil {
		return err
	}
	if _, err := s.sees(ctx, Colleague, s.Channel.ID, time.Minute, "will get", Releasers); err != nil {
		return err
	}
	_, err := s.sees(ctx, Colleague, "DM", 10*time.Minute, "You have", Releasers)
	return err
}

func (s *Stage) owner(ctx context.Context) error {
	if err := s.wants(ctx, Requester, `/pag activate release-managers as owner 1h "new members"`, []string{"(as owner)", "confirm with your sign-in"}, "release-managers"); err != nil {
		return err
	}
	_, err := s.sees(ctx, Requester, "DM", 2*time.Minute, "You have", "(as owner)")
	return err
}
