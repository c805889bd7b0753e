package demo

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"pagbot/sim/browser"
	"pagbot/sim/slack"
)

// scene is one part of the story; what it leaves is in the stage.
type scene struct {
	title string
	play  func(*Stage, context.Context) error
}

// scripts are the stories that can be played, by name.
var scripts = map[string][]scene{"story": story, "people": people, "targets": targets}

// speeds are how many times faster the world's time runs in a story, where it
// is not sixty.
var speeds = map[string]float64{"people": 20, "targets": 40}

// Speed is how many times faster the world's time runs in a story by default.
func Speed(name string) float64 { return cmp.Or(speeds[name], 60) }

// Scripts are the names of the stories, in order.
func Scripts() []string { return slices.Sorted(maps.Keys(scripts)) }

// story is two hours of the company: each scene bends the design in one way.
var story = []scene{
	{"A request, and an approver who has never signed in", (*Stage).request},
	{"kill -9 between approval and effect", (*Stage).kill},
	{"A step-up: Entra wants more than MFA", (*Stage).stepUp},
	{"Azure DevOps follows; the end; the proof", (*Stage).effect},
	{"Somebody who could work there anyway", (*Stage).had},
	{"Made in the portal, and followed the same way", (*Stage).portal},
	{"Ended before Azure DevOps ever said yes", (*Stage).never},
	{"Another approver was faster, in the portal; and Slack throttles the card", (*Stage).faster},
	{"An hour later: everything is gone, and that is proven", (*Stage).gone},
}

// Play plays one of the [Scripts] and fails unless every step was really observed.
func (s *Stage) Play(ctx context.Context, name string) error {
	s.browsers = map[string]*browser.Browser{}
	fmt.Fprintf(s.Out, "Contoso at %s. The bot, Slack, Entra and Azure DevOps speak real HTTP and WebSocket; only their people are played.\n", s.now())
	if err := s.Bot.Start(ctx); err != nil {
		return err
	}
	for i, sc := range scripts[name] {
		fmt.Fprintf(s.Out, "\n── %d. %s ──\n", i+1, sc.title)
		if err := sc.play(s, ctx); err != nil {
			return fmt.Errorf("scene %d, %s: %w", i+1, sc.title, err)
		}
	}
	fmt.Fprintf(s.Out, "\n%d things were seen, %d writes reached Entra.\n", s.seen, len(s.Entra.Writes()))
	return nil
}

func (s *Stage) request(ctx context.Context) error {
	if err := s.types(ctx, Requester, `/pag activate devops-admin 20m "pipeline 42 is stuck"`); err != nil {
		return err
	}
	if _, err := s.sees(ctx, Requester, s.Channel.ID, time.Minute, "don't know a group", DevOpsAdmins); err != nil {
		return err
	}
	if err := s.asks(ctx, Requester, DevOpsAdmins, 20, "pipeline 42 is stuck"); err != nil {
		return err
	}
	card, err := s.sees(ctx, Requester, s.Channel.ID, time.Minute, "An approver is needed")
	if err != nil {
		return err
	}
	if err := s.presses(ctx, Requester, card, "approve", "Approve"); err != nil {
		return err
	}
	if _, err := s.sees(ctx, Requester, s.Channel.ID, time.Minute, "your own request"); err != nil {
		return err
	}
	if err := s.votes(ctx, card, "the release can't wait"); err != nil {
		return err
	}
	_, err = s.sees(ctx, Requester, "DM", time.Minute, "You have", DevOpsAdmins)
	return err
}

// asks types a command and confirms it in the browser.
func (s *Stage) asks(ctx context.Context, name, group string, length int, reason string) error {
	if err := s.types(ctx, name, fmt.Sprintf("/pag activate %s %dm %q", group, length, reason)); err != nil {
		return err
	}
	m, err := s.sees(ctx, name, s.Channel.ID, time.Minute, group, fmt.Sprintf("%d min", length), "confirm with your sign-in")
	if err != nil {
		return err
	}
	return s.confirms(name, m)
}

// votes approves as the approver, from the card to the last page.
func (s *Stage) votes(ctx context.Context, card slack.Message, reason string) error {
	if err := s.presses(ctx, Approver, card, "approve", "Approve"); err != nil {
		return err
	}
	v, err := s.form(ctx, Approver)
	if err != nil {
		return err
	}
	if err := s.submits(ctx, Approver, v, reason); err != nil {
		return err
	}
	return s.signs(ctx)
}

func (s *Stage) signs(ctx context.Context) error {
	m, err := s.sees(ctx, Approver, "DM", time.Minute, "approve", "confirm with your sign-in")
	if err != nil {
		return err
	}
	return s.confirms(Approver, m)
}

func (s *Stage) kill(ctx context.Context) error {
	s.tell("The bot's process is killed, and starts again.")
	if err := s.Bot.Kill(); err != nil {
		return err
	}
	return s.Bot.Start(ctx)
}

func (s *Stage) stepUp(ctx context.Context) error {
	if err := s.types(ctx, Requester, "/pag signin"); err != nil {
		return err
	}
	m, err := s.sees(ctx, Requester, s.Channel.ID, time.Minute, "Sign in with your browser")
	if err != nil {
		return err
	}
	if err := s.confirms(Requester, m); err != nil {
		return err
	}
	s.tell("A kept sign-in is proof enough for vault-readers here; but PIM itself wants an authentication context.")
	if err := s.types(ctx, Requester, `/pag activate vault-readers 10m "rotate a key"`); err != nil {
		return err
	}
	if m, err = s.sees(ctx, Requester, s.Channel.ID, time.Minute, Vault, "stronger sign-in"); err != nil {
		return err
	}
	if err := s.confirms(Requester, m); err != nil {
		return err
	}
	_, err = s.sees(ctx, Requester, "DM", time.Minute, "You have", Vault)
	return err
}

func (s *Stage) effect(ctx context.Context) error {
	for _, words := range [][]string{
		{DevOpsAdmins, "took effect in Azure DevOps"},
		{"Your", DevOpsAdmins, "ends at"},
		{DevOpsAdmins, "ended at"},
	} {
		if _, err := s.sees(ctx, Requester, "DM", 90*time.Minute, words...); err != nil {
			return err
		}
	}
	_, err := s.sees(ctx, Second, s.Channel.ID, time.Minute, DevOpsAdmins, "Making sure that it is gone")
	return err
}

func (s *Stage) had(ctx context.Context) error {
	if err := s.asks(ctx, Approver, Releasers, 15, "look at a release"); err != nil {
		return err
	}
	_, err := s.sees(ctx, Approver, "DM", 5*time.Minute, "You already had this in Azure DevOps")
	return err
}

func (s *Stage) portal(ctx context.Context) error {
	s.tell("second-approver activates release-managers in the Entra portal, for an hour and a half.")
	if _, err := s.Entra.Portal(s.Account(Second)).Activate(s.Groups[Releasers].ID, "member", 90*time.Minute, "from the portal"); err != nil {
		return err
	}
	_, err := s.sees(ctx, Requester, s.Channel.ID, 5*time.Minute, Releasers, "noticed here", "@second-approver")
	return err
}

func (s *Stage) never(ctx context.Context) error {
	if err := s.asks(ctx, Colleague, Releasers, 50, "wrong group, sorry"); err != nil {
		return err
	}
	if _, err := s.sees(ctx, Colleague, "DM", time.Minute, "You have", Releasers); err != nil {
		return err
	}
	if err := s.types(ctx, Colleague, "/pag deactivate release-managers"); err != nil {
		return err
	}
	if _, err := s.sees(ctx, Colleague, "DM", time.Minute, "first 5 minutes"); err != nil {
		return err
	}
	_, err := s.sees(ctx, Colleague, "DM", 10*time.Minute, Releasers, "ended early")
	if err != nil {
		return err
	}
	_, err = s.sees(ctx, Colleague, "DM", 2*time.Hour, Releasers, "never came")
	return err
}

func (s *Stage) faster(ctx context.Context) error {
	if err := s.asks(ctx, Requester, DevOpsAdmins, 25, "pipeline 42, again"); err != nil {
		return err
	}
	card, err := s.sees(ctx, Approver, s.Channel.ID, time.Minute, "An approver is needed", "again")
	if err != nil {
		return err
	}
	if err := s.presses(ctx, Approver, card, "approve", "Approve"); err != nil {
		return err
	}
	v, err := s.form(ctx, Approver)
	if err != nil {
		return err
	}
	if err := s.submits(ctx, Approver, v, "fine"); err != nil {
		return err
	}
	m, err := s.sees(ctx, Approver, "DM", time.Minute, "approve", "confirm with your sign-in")
	if err != nil {
		return err
	}
	id, err := s.pending()
	if err != nil {
		return err
	}
	var portal error
	if err := s.confirms(Approver, m, func(button string) {
		if button != "Yes, approve" {
			return
		}
		s.tell("second-approver denies it in the portal, a moment before; and Slack answers 429 to the next three messages.")
		s.Slack.Fail(slack.Fault{Method: "chat.update", Kind: "status", Status: 429, RetryAfter: 2, Count: 3})
		portal = s.Entra.Portal(s.Account(Second)).Decide(id, false, "not again")
	}); err != nil {
		return err
	}
	if portal != nil {
		return portal
	}
	if _, err := s.sees(ctx, Approver, "DM", 5*time.Minute, "could not approve", "Too late"); err != nil {
		return err
	}
	if _, err := s.sees(ctx, Requester, "DM", 10*time.Minute, DevOpsAdmins, "Denied"); err != nil {
		return err
	}
	_, err = s.sees(ctx, Approver, s.Channel.ID, 10*time.Minute, DevOpsAdmins, "denied", "again")
	return err
}

// pending is the request that waits in PIM.
func (s *Stage) pending() (string, error) {
	b, err := json.Marshal(s.Entra.State()["requests"])
	if err != nil {
		return "", err
	}
	var requests []struct{ ID, Status string }
	if err := json.Unmarshal(b, &requests); err != nil {
		return "", err
	}
	for _, r := range requests {
		if r.Status == "PendingApproval" {
			return r.ID, nil
		}
	}
	return "", errors.New("no request waits in PIM")
}

func (s *Stage) gone(ctx context.Context) error {
	if _, err := s.sees(ctx, Requester, "DM", 2*time.Hour, DevOpsAdmins, "over and gone"); err != nil {
		return err
	}
	if _, err := s.sees(ctx, Second, "DM", time.Hour, Releasers, "took effect in Azure DevOps"); err != nil {
		return err
	}
	if _, err := s.sees(ctx, Second, s.Channel.ID, time.Minute, Releasers, "keeps what was there before"); err != nil {
		return err
	}
	if _, err := s.sees(ctx, Second, "DM", 2*time.Hour, Releasers, "over and gone"); err != nil {
		return err
	}
	_, err := s.sees(ctx, Second, s.Channel.ID, time.Minute, DevOpsAdmins, "and gone", "gone for new sessions")
	return err
}
