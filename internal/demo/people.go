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
	{"A step-up: PIM wants an authentication context", (*Stage).strongerSignIn},
	{"What would come of it, before anybody is asked", (*Stage).check},
	{"The Home tab, and the form", (*Stage).homeForm},
	{"Two groups by one name, and one confirmation", (*Stage).several},
	{"Freshness for the approver, who has a session", (*Stage).freshApprover},
	{"Two of three must agree, and one who agrees twice counts once", (*Stage).quorum},
	{"No, with a reason", (*Stage).deny},
	{"Decided in the portal", (*Stage).portalDecision},
	{"Later: the start is scheduled in PIM", (*Stage).scheduled},
	{"Owner", (*Stage).owner},
	{"Switch: two groups that exclude each other", (*Stage).switchOver},
	{"Renewal, and its gap", (*Stage).renewal},
	{"The rule gone round, in the portal", (*Stage).bothInPortal},
	{"Taken away elsewhere", (*Stage).takenAway},
	{"Sessions revoked in Entra, and signed out by an administrator", (*Stage).sessionsEnd},
	{"A stolen Slack session, with proof switched off", (*Stage).stolenSucceeds},
	{"The same, with proof", (*Stage).stolenFails},
	{"When Entra is unwell: what the person reads", (*Stage).faults},
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

// phishing has the colleague try to get the requester's session, and their
// confirmation of a deed.
func (s *Stage) phishing(ctx context.Context) error {
	if err := s.wants(ctx, Colleague, "/pag signin", []string{"Sign in with your browser"}, "You are signed in"); err != nil {
		return err
	}
	s.tell("The colleague makes links and codes for themself, and talks the requester into using them.")
	return s.quiet(func() error {
		for _, bait := range []struct {
			command string
			words   []string
			page    string
		}{
			{"/pag signin", []string{"Sign in with your browser"}, "This account is not yours here"},
			{`/pag activate devops-admins 1h "an urgent fix"`, []string{DevOpsAdmins, "confirm with your sign-in"}, "Wrong account"},
		} {
			if err := s.types(ctx, Colleague, bait.command); err != nil {
				return err
			}
			m, err := s.sees(ctx, Colleague, s.Channel.ID, time.Minute, bait.words...)
			if err != nil {
				return err
			}
			if err := s.opens(Requester, Requester, m, bait.page); err != nil {
				return err
			}
		}
		if err := s.types(ctx, Colleague, "/pag deactivate devops-admins"); err != nil {
			return err
		}
		if _, err := s.sees(ctx, Colleague, s.Channel.ID, time.Minute, DevOpsAdmins, "is withdrawn"); err != nil {
			return err
		}
		return s.phishedCode(ctx)
	})
}

// phishedCode has the requester enter the colleague's device code.
func (s *Stage) phishedCode(ctx context.Context) error {
	if err := s.types(ctx, Colleague, "/pag signin device"); err != nil {
		return err
	}
	m, err := s.sees(ctx, Colleague, s.Channel.ID, time.Minute, "Microsoft's page for device codes")
	if err != nil {
		return err
	}
	b := s.browser(Requester)
	if _, err := b.Open(s.Place.Authority + "/" + s.Entra.Tenant() + "/oauth2/deviceauth"); err != nil {
		return err
	}
	s.tell("requester enters the code at Microsoft, in their own browser")
	code := deviceCode.FindString(s.Person(Colleague).Text(m))
	for len(b.Page().Forms) > 0 {
		fill := map[string]string{"otc": code, "account": "adm-" + Requester + "@contoso.example", "mfa": "yes"}
		for _, f := range b.Page().Forms[0].Fields {
			if v, ok := fill[f.Name]; ok {
				f.Value = v
			}
		}
		if _, err := b.Submit(b.Page().Forms[0].Buttons[0].Text); err != nil {
			return err
		}
	}
	s.print(Requester, "the browser", shown(b.Page()))
	_, err = s.sees(ctx, Colleague, "DM", 10*time.Minute, "no account of yours")
	return err
}
