package demo

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"
)

// people is the story of who acts: each scene is one way of being, or not being,
// the person whose access it is.
var people = []scene{
	{"The company of this story", (*Stage).newCompany},
	{"Sign in once; then a group that a session is enough for", (*Stage).signInOnce},
	{"Fresh proof: PIM asks for multifactor authentication here", (*Stage).freshProof},
	{"Phishing: a sign-in link, and a device code, given to somebody else", (*Stage).phishing},
}

// newCompany starts the bot with this story's configuration.
func (s *Stage) newCompany(ctx context.Context) error {
	if err := s.settle(); err != nil {
		return err
	}
	s.tell("The bot is configured for further groups, and starts anew:")
	fmt.Fprint(s.Out, s.peopleGroups())
	return s.restart(ctx)
}

func (s *Stage) restart(ctx context.Context) error {
	if err := s.Bot.Kill(); err != nil {
		return err
	}
	return s.Bot.Start(ctx)
}

func (s *Stage) signInOnce(ctx context.Context) error {
	if err := s.wants(ctx, Requester, "/pag signin", []string{"Sign in with your browser"}, "You are signed in"); err != nil {
		return err
	}
	visits := len(s.browser(Requester).Visits())
	if err := s.gets(ctx, Requester, `/pag activate release-managers 30m "release 42"`, "You have", Releasers); err != nil {
		return err
	}
	if len(s.browser(Requester).Visits()) != visits {
		return errors.New("the browser was used again")
	}
	s.tell("No browser was needed: the session that is kept here is proof enough for this group.")
	return nil
}

func (s *Stage) freshProof(ctx context.Context) error {
	if err := s.wants(ctx, Requester, `/pag activate log-readers 1h "look for error 42"`, []string{logReaders, "confirm with your sign-in"}); err != nil {
		return err
	}
	_, err := s.sees(ctx, Requester, "DM", time.Minute, "You have", logReaders)
	return err
}

var deviceCode = regexp.MustCompile(`\b[A-Z0-9]{9}\b`)

// phishing has the colleague try to get the requester's session.
func (s *Stage) phishing(ctx context.Context) error {
	if err := s.wants(ctx, Colleague, "/pag signin", []string{"Sign in with your browser"}, "You are signed in"); err != nil {
		return err
	}
	return s.quiet(func() error {
		s.tell("The colleague makes a link of their own, and talks the requester into opening it.")
		if err := s.types(ctx, Colleague, `/pag activate release-managers 30m "by whom?"`); err != nil {
			return err
		}
		return nil
	})
}
