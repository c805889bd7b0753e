package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"pagbot/sim/browser"
	"pagbot/sim/slack"
)

// Bot is the process that a script starts, kills and starts again.
type Bot interface {
	Start(ctx context.Context) error
	Kill() error // as kill -9 does
}

// Clock is the world's, which may run faster than the machine's.
type Clock interface {
	Now() time.Time
	Wire(world time.Duration) time.Duration
}

// Stage is where a script is played: people act in the company, and what they
// see is printed as it is observed. Nothing is printed that was not seen.
type Stage struct {
	*Worlds
	Bot   Bot
	Clock Clock
	Out   io.Writer
	HTTP  *http.Client // the people's browsers' way to the pages and the authority

	Config string                                                    // path of the bot's configuration
	Run    func(ctx context.Context, args ...string) (string, error) // runs pagbot on the bot's machine

	browsers map[string]*browser.Browser
	systems  *systems // of the story of the targets
	seen     int
	after    string // nothing as old as this message counts as seen; empty: everything does
}

// tell prints a line of the story.
func (s *Stage) tell(format string, args ...any) {
	fmt.Fprintf(s.Out, "\n%s  %s\n", s.now(), fmt.Sprintf(format, args...))
}

// now is the time on the wall of the company, whose people are in one zone.
func (s *Stage) now() string { return s.Clock.Now().In(zone).Format("15:04:05") }

var zone = time.FixedZone("CET", 3600) // Europe/Berlin in winter, without a time zone database

// patience is how much wire time a wait gets on top of the world's: for
// browsers, and for Slack's one message a second.
const patience = 20 * time.Second

// reading is how long people read a page, in wire time.
const reading = 2 * time.Second

// sees waits until a person sees a message with all of the words, and prints
// it; within is world time. where is a channel's id, or "DM".
func (s *Stage) sees(ctx context.Context, name, where string, within time.Duration, words ...string) (slack.Message, error) {
	person := s.Person(name)
	channel, label := where, "#"+s.Channel.Name
	if where == "DM" {
		channel, label = person.DM(), "DM"
	}
	ctx, cancel := context.WithTimeout(ctx, s.Clock.Wire(within)+patience)
	defer cancel()
	var found slack.Message
	err := s.Slack.Wait(ctx, func(snap slack.Snapshot) bool {
		// The newest first: a card may be one of several on the same group.
		all := snap.Messages(person.ID, channel)
		for i := len(all) - 1; i >= 0; i-- {
			if text := person.Text(all[i]); all[i].TS > s.after && contains(text, words) {
				found = all[i]
				return true
			}
		}
		return false
	})
	if err != nil {
		return found, fmt.Errorf("%s does not see %q in %s after %s; the last there is:\n%s", name, words, label, within, s.last(person, channel))
	}
	s.seen++
	s.print(name, label, person.Text(found))
	return found, nil
}

func (s *Stage) print(name, label, text string) {
	head := fmt.Sprintf("%s  %s reads in %s", s.now(), name, label)
	fmt.Fprintf(s.Out, "%s\n", head)
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		fmt.Fprintf(s.Out, "          | %s\n", line)
	}
}

func (s *Stage) last(p *slack.Person, channel string) string {
	all := p.Messages(channel)
	if len(all) == 0 {
		return "(nothing)"
	}
	return p.Text(all[len(all)-1])
}

func contains(text string, words []string) bool {
	for _, w := range words {
		if !strings.Contains(text, w) {
			return false
		}
	}
	return true
}

// types runs a command in the card channel.
func (s *Stage) types(ctx context.Context, name, text string) error {
	s.tell("%s types  %s", name, text)
	r, err := s.Person(name).Command(ctx, s.Channel.ID, text)
	if err == nil && r.Error != "" {
		err = errors.New(r.Error)
	}
	return err
}

// presses clicks a button.
func (s *Stage) presses(ctx context.Context, name string, m slack.Message, action, label string) error {
	s.tell("%s presses  [%s]", name, label)
	r, err := s.Person(name).Click(ctx, m.Channel, m.TS, action)
	if err == nil && r.Error != "" {
		err = errors.New(r.Error)
	}
	return err
}

// form waits for the form in front of a person and prints it.
func (s *Stage) form(ctx context.Context, name string) (slack.View, error) {
	person := s.Person(name)
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var view slack.View
	err := s.Slack.Wait(ctx, func(snap slack.Snapshot) bool {
		for _, v := range snap.Views(person.ID) {
			view = v
		}
		return view.ID != ""
	})
	if err != nil {
		return view, fmt.Errorf("no form opens for %s", name)
	}
	s.seen++
	s.print(name, "a form", person.ViewText(view))
	return view, nil
}

// submits confirms a form, with a reason where it asks for one.
func (s *Stage) submits(ctx context.Context, name string, v slack.View, reason string) error {
	values := map[string]any{}
	if reason != "" {
		values["reason"] = reason
	}
	s.tell("%s confirms the form: %q", name, reason)
	r, err := s.Person(name).Submit(ctx, v.ID, values)
	if err == nil && (r.Error != "" || len(r.Errors) > 0) {
		err = fmt.Errorf("%s %v", r.Error, r.Errors)
	}
	return err
}

// confirms follows the link of a message in the person's browser, and prints
// what the last page says.
func (s *Stage) confirms(name string, m slack.Message, before ...func(button string)) error {
	b := s.browsers[name]
	if b == nil {
		b = browser.New(s.HTTP)
		s.browsers[name] = b
	}
	label, link := linkButton(m)
	if link == "" {
		return fmt.Errorf("%s: no link in %q", name, m.Text)
	}
	s.tell("%s presses  [%s], signs in as adm-%s@contoso.example, reads the page and confirms", name, label, name)
	// People read before they confirm; meanwhile the bot asks the targets what
	// the person can do already.
	time.Sleep(reading)
	text, err := Confirm(b, link, "adm-"+name+"@contoso.example", before...)
	if err != nil {
		return fmt.Errorf("%s in the browser: %w", name, err)
	}
	s.seen++
	s.print(name, "the browser", text)
	return nil
}

// LinkOf is the address behind a message's first link button.
func LinkOf(m slack.Message) string {
	_, url := linkButton(m)
	return url
}

// linkButton is that button: what stands on it, and where it leads.
func linkButton(m slack.Message) (label, url string) {
	for _, b := range m.Blocks {
		elements, _ := b["elements"].([]any)
		for _, e := range elements {
			if button, ok := e.(map[string]any); ok {
				if url, ok := button["url"].(string); ok {
					text, _ := button["text"].(map[string]any)
					label, _ = text["text"].(string)
					return label, url
				}
			}
		}
	}
	return "", ""
}
