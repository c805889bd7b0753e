package demo

import (
	"context"
	"fmt"
	"strings"
	"time"

	"pagbot/sim/browser"
	"pagbot/sim/slack"
)

// glance is how long people of this story look at a page, in wire time.
const glance = 200 * time.Millisecond

// opens follows the link of a message with somebody's browser and account, and
// prints the page that asks, and the last one.
func (s *Stage) opens(who, account string, m slack.Message, words ...string) error {
	link := LinkOf(m)
	if link == "" {
		return fmt.Errorf("%s: no link in %q", who, m.Text)
	}
	b := s.browser(who)
	s.tell("%s opens the link and signs in as adm-%s@contoso.example", who, account)
	text, err := Confirm(b, link, "adm-"+account+"@contoso.example", func(button string) {
		if strings.HasPrefix(button, "Yes") {
			s.seen++
			s.print(who, "the browser", shown(b.Page()))
			fmt.Fprintf(s.Out, "          | %s presses  [%s]\n", who, button)
		}
		time.Sleep(glance)
	})
	if err != nil {
		return fmt.Errorf("%s in the browser: %w", who, err)
	}
	if !contains(text, words) {
		return fmt.Errorf("%s in the browser: it says %q, not %q", who, text, words)
	}
	s.seen++
	s.print(who, "the browser", shown(b.Page()))
	return nil
}

// browser is a person's own browser, with what it remembers.
func (s *Stage) browser(name string) *browser.Browser {
	if s.browsers[name] == nil {
		s.browsers[name] = browser.New(s.HTTP)
	}
	return s.browsers[name]
}

// shown is a page as it stands in a browser, without the line on top that all
// of ours have.
func shown(p *browser.Page) string {
	return strings.TrimPrefix(strings.Join(p.Lines, "\n"), "pagbot · privileged access\n")
}

// anew lets only what comes from now on count as seen, until the returned
// function is called.
func (s *Stage) anew(name string) func() {
	p := s.Person(name)
	for _, channel := range []string{s.Channel.ID, p.DM()} {
		for _, m := range p.Messages(channel) {
			s.after = max(s.after, m.TS)
		}
	}
	return func() { s.after = "" }
}

// wants types a command, waits for the answer with the words and a link, and
// goes through the browser to a page with the last words.
func (s *Stage) wants(ctx context.Context, name, command string, words []string, page ...string) error {
	defer s.anew(name)()
	if err := s.types(ctx, name, command); err != nil {
		return err
	}
	m, err := s.sees(ctx, name, s.Channel.ID, time.Minute, words...)
	if err != nil {
		return err
	}
	return s.opens(name, name, m, page...)
}

// gets types a command and reads the answer in the DM.
func (s *Stage) gets(ctx context.Context, name, command string, words ...string) error {
	defer s.anew(name)()
	if err := s.types(ctx, name, command); err != nil {
		return err
	}
	_, err := s.sees(ctx, name, "DM", 5*time.Minute, words...)
	return err
}

// fills presses a button of a card and fills in the form that opens.
func (s *Stage) fills(ctx context.Context, name string, card slack.Message, action, label, reason string) error {
	if err := s.presses(ctx, name, card, action, label); err != nil {
		return err
	}
	v, err := s.form(ctx, name)
	if err != nil {
		return err
	}
	return s.submits(ctx, name, v, reason)
}

// decides presses a button of a card and goes all the way to the last page.
func (s *Stage) decides(ctx context.Context, name string, card slack.Message, action, reason string, words []string, page ...string) error {
	defer s.anew(name)()
	label := map[string]string{"approve": "Approve", "deny": "Deny"}[action]
	if err := s.fills(ctx, name, card, action, label, reason); err != nil {
		return err
	}
	m, err := s.sees(ctx, name, "DM", time.Minute, words...)
	if err != nil {
		return err
	}
	return s.opens(name, name, m, page...)
}

// quiet makes sure that no write reached Entra while something was done.
func (s *Stage) quiet(do func() error) error {
	before := len(s.Entra.Writes())
	if err := do(); err != nil {
		return err
	}
	if n := len(s.Entra.Writes()) - before; n != 0 {
		return fmt.Errorf("%d writes reached Entra meanwhile", n)
	}
	s.tell("No write reached Entra meanwhile.")
	return nil
}
