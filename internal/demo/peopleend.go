package demo

import (
	"context"
	"fmt"
	"strings"
	"time"

	"pagbot/sim/entra"
	"pagbot/sim/slack"
)

func (s *Stage) takenAway(ctx context.Context) error {
	admin := s.Entra.AddUser(entra.User{UPN: "admin@contoso.example", Name: "administrator", Admin: true})
	s.tell("An administrator takes log-readers away from the requester, in the Entra portal.")
	if _, err := s.Entra.Portal(admin.ID).Remove(s.Groups[logReaders].ID, "member", s.Account(Requester), "no longer needed"); err != nil {
		return err
	}
	if _, err := s.sees(ctx, Requester, "DM", 5*time.Minute, "Your", logReaders, "taken away in Entra"); err != nil {
		return err
	}
	_, err := s.sees(ctx, Requester, s.Channel.ID, time.Minute, logReaders, "taken away in Entra")
	return err
}

func (s *Stage) sessionsEnd(ctx context.Context) error {
	if err := s.lists(ctx, Requester); err != nil {
		return err
	}
	s.tell("An administrator revokes the requester's sessions in Entra.")
	if err := s.Entra.RevokeSessions(s.Account(Requester)); err != nil {
		return err
	}
	if err := s.wants(ctx, Requester, `/pag activate reports-a 1h "figures"`, []string{faulty[0], "confirm with your sign-in"}, faulty[0]); err != nil {
		return err
	}
	if err := s.runs(ctx, "people", "signout", s.People[Approver].Slack); err != nil {
		return err
	}
	return s.runs(ctx, "people", "signout", s.People[Approver].Slack)
}

// lists prints who is known to the bot; somebody must have a session.
func (s *Stage) lists(ctx context.Context, name string) error {
	s.tell("On the bot's machine:  pagbot people list")
	out, err := s.Run(ctx, "people", "list")
	if err == nil && !contains(out, []string{s.Account(name), "SESSION UNTIL"}) {
		err = fmt.Errorf("%s is not in it: %s", name, out)
	}
	s.machine(out)
	return err
}

func (s *Stage) machine(out string) {
	s.seen++
	for line := range strings.SplitSeq(strings.TrimSpace(out), "\n") {
		fmt.Fprintf(s.Out, "          | %s\n", line)
	}
}

// runs is a command of an administrator.
func (s *Stage) runs(ctx context.Context, args ...string) error {
	s.tell("On the bot's machine:  pagbot %s", strings.Join(args, " "))
	out, err := s.Run(ctx, args...)
	s.machine(out)
	return err
}

// thief has somebody with the approver's Slack session, and nothing else, press
// Approve on a card.
func (s *Stage) thief(ctx context.Context, reason string) error {
	card, err := s.card(ctx, prodAdmins, reason, "An approver is needed")
	if err != nil {
		return err
	}
	s.tell("Somebody has the approver's Slack session, and nothing else of theirs. What follows is them.")
	return s.fills(ctx, Approver, card, "approve", "Approve", "looks good to me")
}

func (s *Stage) stolenSucceeds(ctx context.Context) error {
	if err := s.wants(ctx, Approver, "/pag signin", []string{"Sign in with your browser"}, "You are signed in"); err != nil {
		return err
	}
	s.tell("An administrator writes  proof: session  for prod-admins into the configuration, and restarts the bot.")
	if err := s.proof(ctx, "fresh", "session"); err != nil {
		return err
	}
	if err := s.types(ctx, Colleague, `/pag activate prod-admins 1h "I know somebody's phone"`); err != nil {
		return err
	}
	if err := s.thief(ctx, "I know somebody's phone"); err != nil {
		return err
	}
	if _, err := s.sees(ctx, Colleague, "DM", 2*time.Minute, "You have", prodAdmins); err != nil {
		return err
	}
	s.tell("The attack succeeded: PIM has the approver's yes, and the approver knows nothing of it.")
	return nil
}

func (s *Stage) proof(ctx context.Context, was, is string) error {
	if err := s.reconfigure(func(yaml string) string {
		return strings.Replace(yaml, ", proof: "+was+"}\n  - {name: reports-a", ", proof: "+is+"}\n  - {name: reports-a", 1)
	}); err != nil {
		return err
	}
	return s.restart(ctx)
}

func (s *Stage) stolenFails(ctx context.Context) error {
	s.tell("It is  proof: fresh  again, as it would be had nobody written anything.")
	if err := s.proof(ctx, "session", "fresh"); err != nil {
		return err
	}
	if err := s.wants(ctx, Requester, `/pag activate prod-admins 1h "the same once more"`, []string{prodAdmins, "confirm with your sign-in"}, "Waiting for approval"); err != nil {
		return err
	}
	return s.quiet(func() error {
		if err := s.thief(ctx, "the same once more"); err != nil {
			return err
		}
		var m slack.Message
		m, err := s.sees(ctx, Approver, "DM", time.Minute, "not approved", prodAdmins)
		if err != nil {
			return err
		}
		if err := s.opens("thief", Colleague, m, "Wrong account"); err != nil {
			return err
		}
		_, err = s.card(ctx, prodAdmins, "the same once more", "An approver is needed")
		return err
	})
}
