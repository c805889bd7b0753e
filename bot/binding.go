package bot

import (
	"context"
	"strings"
	"time"

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
	if b.SignIn == nil {
		return activation.Refusal{Code: activation.NotAllowedHere, Text: watching} // nobody has one here
	}
	r := activation.Refusal{Code: activation.NotBound}
	if _, ok := b.binder(); ok {
		r.Text = mayBind
	}
	return r
}

// CalledOff is the text of a NotBound that ends what waited for the browser of a
// person whose account was taken away, or who was signed out.
const CalledOff = "called off"

// Off is a deed that was called off.
type Off struct {
	Of   activation.Activation
	Deed activation.Deed
}

// signOut forgets a person's sign-in, calls off what waits for it, and says what
// stays all the same.
func (b *Bot) signOut(ctx context.Context, s someone, say teller) error {
	if err := b.SignIn.SignOut(ctx, s.slack); err != nil {
		return err
	}
	var off []Off
	var err error
	if b.CallOff != nil {
		off, err = b.CallOff(ctx, s.slack)
	}
	if err != nil {
		return err
	}
	left, err := b.open(ctx, s)
	if err != nil {
		return err
	}
	return say(plain(saySignedOut(off, left)))
}

func calledOff(r *activation.Refusal) bool {
	return r != nil && (r.Code == activation.SignedOut || r.Code == activation.NotBound && r.Text == CalledOff)
}

// mayBind says that a person may bind an account by themselves.
const mayBind = "sign in to be known"

// Coder is a SignIn that also signs in by device code.
type Coder interface {
	// DeviceCodes reports whether it does so here.
	DeviceCodes() bool
	// BeginDevice makes a code: what to enter, where, and until when.
	BeginDevice(ctx context.Context, u activation.SlackUser) (code, url string, until time.Time, err error)
}

// device begins a sign-in by device code.
func (b *Bot) device(ctx context.Context, s someone, say teller) error {
	x, ok := b.SignIn.(Coder)
	if !ok || !x.DeviceCodes() {
		return say(plain(sayNoDevice))
	}
	code, url, until, err := x.BeginDevice(ctx, s.slack)
	if r, no := refusal(err); no && r.Code == activation.NotBound {
		return say(plain(sayDeviceFirst))
	}
	if err != nil {
		return err
	}
	return say(plain(sayDevice(code, url, b.Now().Add(b.World(time.Until(until))))))
}

// TellDevice tells a person what became of a device code.
func (b *Bot) TellDevice(ctx context.Context, u activation.SlackUser, text string) {
	if err := b.direct(ctx, u.ID, plain(lit(text))); err != nil {
		b.Log.Warn("what became of a device code could not be told", "slack", u.ID, "err", err)
	}
}

// afterSignIn takes what somebody typed after signin: a code, or the wish for one.
func (b *Bot) afterSignIn(ctx context.Context, s someone, typed string, say teller) error {
	if strings.EqualFold(typed, "device") {
		return b.device(ctx, s, say)
	}
	return b.claim(ctx, s, typed, say)
}

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
