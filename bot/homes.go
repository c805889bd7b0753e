package bot

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/slack-go/slack"

	"pagbot/activation"
)

// A Home tab follows what happens, for whoever has opened it once, also before
// the last start: that is remembered as long as they have an account here. Slack
// takes a hundred tabs a minute, so they wait in line, each once, whatever has
// happened to its person meanwhile.

// Homes remembers, over restarts, which Slack users have opened their Home tab.
type Homes interface {
	Note(ctx context.Context, user string) error
	Has(ctx context.Context, user string) (bool, error)
	Forget(ctx context.Context, user string) error
}

// homePace keeps below Slack's limit for views.publish, with room for those who
// open theirs.
const homePace = time.Second

// hasOpened reports whether a person has a Home tab that should follow.
func (b *Bot) hasOpened(ctx context.Context, user string) bool {
	b.mu.Lock()
	seen := b.homes[user] != ""
	b.mu.Unlock()
	if seen || user == "" || b.Homes == nil {
		return seen
	}
	has, err := b.Homes.Has(ctx, user)
	if err != nil {
		b.Log.Warn("who has a Home tab can't be read", "slack", user, "err", err)
	}
	return has
}

// noteHome remembers that a person has opened their Home tab.
func (b *Bot) noteHome(ctx context.Context, user string) {
	if b.Homes == nil {
		return
	}
	if err := b.Homes.Note(ctx, user); err != nil {
		b.Log.Warn("that a Home tab was opened could not be noted; it follows until the next start", "slack", user, "err", err)
	}
}

// refresh has the Home tab of a person follow, if they have one.
func (b *Bot) refresh(ctx context.Context, p activation.Person) {
	user := b.slackOf(p)
	if !b.hasOpened(ctx, user) {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.follow(user, 0)
}

// follow puts a Home tab in line; the lock is held.
func (b *Bot) follow(user string, wait time.Duration) {
	if !slices.Contains(b.stale, user) {
		b.stale = append(b.stale, user)
	}
	if b.turn == nil {
		b.turn = time.AfterFunc(wait, b.freshen)
	}
}

// freshen brings the first in line up to date, and comes again for the next.
func (b *Bot) freshen() {
	b.mu.Lock()
	if len(b.stale) == 0 {
		b.turn = nil
		b.mu.Unlock()
		return
	}
	user := b.stale[0]
	b.stale = b.stale[1:]
	b.mu.Unlock()
	err := b.republish(user)
	var limited *slack.RateLimitedError
	b.mu.Lock()
	defer b.mu.Unlock()
	wait := homePace
	switch {
	case errors.As(err, &limited):
		wait = max(limited.RetryAfter, homePace)
		if !slices.Contains(b.stale, user) {
			b.stale = append(b.stale, user)
		}
	case err != nil:
		b.Log.Warn("a Home tab is not up to date; it follows with the next news", "slack", user, "err", err)
	}
	b.turn = time.AfterFunc(wait, b.freshen)
}

// republish shows a person's Home tab as it is now.
func (b *Bot) republish(user string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	s := someone{slack: activation.SlackUser{Team: b.Team(), ID: user}}
	if s.accounts = b.People.BySlack(s.slack); len(s.accounts) == 0 {
		b.Forget(ctx, s.slack)
		return nil
	}
	list, read := b.remembered(user)
	if !read { // since the start
		var err error
		if list, err = b.mayActivate(ctx, s); err != nil {
			return err
		}
	}
	return b.publish(ctx, s, list, true)
}

// Forget empties the Home tab of a Slack user who has no account here any more,
// and everything that is remembered of them.
func (b *Bot) Forget(ctx context.Context, u activation.SlackUser) {
	var err error
	if b.hasOpened(ctx, u.ID) {
		err = b.put(ctx, u.ID, plain(sayRefusal(b.unbound(), activation.Activation{})).blocks)
	}
	if b.Homes != nil {
		err = errors.Join(err, b.Homes.Forget(ctx, u.ID))
	}
	if err != nil {
		b.Log.Warn("the Home tab of somebody who is gone could not be emptied", "slack", u.ID, "err", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.homes, u.ID)
	delete(b.knows, u.ID)
	delete(b.users, u.ID)
}
