package bot

import (
	"context"

	"pagbot/activation"
)

// Binder is a SignIn that also takes people whom nobody has written down: they
// sign in, and may be asked to type into Slack what their browser shows.
type Binder interface {
	// Binds reports whether it does so here.
	Binds() bool
	// Claim takes such a code, and returns whose it was.
	Claim(ctx context.Context, u activation.SlackUser, code string) (activation.Person, error)
}

// binder is the SignIn, if it binds.
func (b *Bot) binder() (Binder, bool) {
	x, ok := b.SignIn.(Binder)
	return x, ok && x.Binds()
}

// unbound refuses who has no account, and says how they get one.
func (b *Bot) unbound() activation.Refusal {
	r := activation.Refusal{Code: activation.NotBound}
	if _, ok := b.binder(); ok {
		r.Text = mayBind
	}
	return r
}

// mayBind says that a person may bind an account by themselves.
const mayBind = "sign in to be known"

// claim takes a code that somebody typed after signin.
func (b *Bot) claim(ctx context.Context, s someone, code string, say teller) error {
	x, ok := b.binder()
	if !ok {
		return say(plain(sayNoCode))
	}
	who, err := x.Claim(ctx, s.slack, code)
	if r, no := refusal(err); no && r.Code == activation.NotBound {
		return say(plain(sayWrongCode))
	}
	if err != nil {
		return err
	}
	return say(plain(sayClaimed(who)))
}
