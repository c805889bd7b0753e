package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"pagbot/activation"
)

// warrantLife is how long a click or a typed command may wait for its
// sign-in. Wire time: people are not faster in a demo.
const warrantLife = 15 * time.Minute

// command understands what a person typed and answers it in place, privately,
// or turns it into an input.
func (b *Bot) command(ctx context.Context, k activation.Kept, c slack.SlashCommand) (string, activation.Input, error) {
	say := func(m message) error { return b.reply(ctx, c.ResponseURL, c.UserID, m) }
	o, err := parse(c.Text)
	if err != nil {
		return "", nil, say(plain(err.Error()))
	}
	if o.verb == "help" && b.SignIn == nil {
		return "", nil, say(plain(fmt.Sprintf(sayWatchOnly, b.Portal)))
	}
	if o.verb == "help" {
		return "", nil, say(plain(sayHelp))
	}
	if o.verb == "latency" {
		if err := b.latency(ctx, c, o, say); err != nil {
			return "", nil, b.failed(ctx, k, err, activation.Activation{}, say)
		}
		return "", nil, nil
	}
	s, _, err := b.authorize(ctx, caller{c.UserID, c.TeamID, c.EnterpriseID, c.APIAppID}, wish{enter: o.verb == "signin"})
	if err == nil {
		s, err = s.with(o.account)
	}
	if err == nil {
		var id string
		var in activation.Input
		if id, in, err = b.obey(ctx, k, c, o, s, say); err == nil {
			return id, in, nil
		}
	}
	return "", nil, b.failed(ctx, k, err, activation.Activation{}, say)
}

// failed answers an error: a refusal is said at once, a trouble is tried again
// and said at last.
func (b *Bot) failed(ctx context.Context, k activation.Kept, err error, a activation.Activation, say teller) error {
	r, known := refusal(err)
	if wrong, ok := errors.AsType[complaint](err); ok {
		return say(plain(wrong.Error()))
	}
	switch {
	case known && r.Text == watching:
		return say(plain(fmt.Sprintf(sayWatchOnly, b.Portal)))
	case known && (r.Code != activation.Unavailable && r.Code != activation.Throttled || k.Last):
		return say(plain(sayRefusal(r, a)))
	case k.Last:
		ref := strings.ToUpper(derive("ref", k.ID, 4))
		b.Log.Error("given up", "envelope", k.ID, "reference", ref, "err", err)
		return say(plain(sayRefusal(activation.Refusal{Code: activation.Broken, Ref: ref}, a)))
	}
	return err
}

// refusal finds the no in an error: one of our own, or Entra's in our words.
// What nobody has words for is trouble.
func refusal(err error) (activation.Refusal, bool) {
	var ours activation.Refusal
	if errors.As(err, &ours) {
		return ours, true
	}
	var theirs interface{ Refusal() activation.Refusal }
	if errors.As(err, &theirs) {
		ours = theirs.Refusal()
	}
	return ours, ours.Code != "" && ours.Code != activation.Broken
}

func (b *Bot) obey(ctx context.Context, k activation.Kept, c slack.SlashCommand, o order, s someone, say teller) (string, activation.Input, error) {
	switch o.verb {
	case "list":
		m, err := b.list(ctx, s)
		if err != nil {
			return "", nil, err
		}
		return "", nil, say(m)
	case "status":
		open, err := b.open(ctx, s)
		if err != nil {
			return "", nil, err
		}
		return "", nil, say(plain(sayStatus(open, len(s.accounts) > 1)))
	}
	if o.verb == "check" {
		return "", nil, b.check(ctx, k, o, s, say)
	}
	if b.SignIn == nil {
		return "", nil, say(plain(fmt.Sprintf(sayWatchOnly, b.Portal)))
	}
	switch o.verb {
	case "signin":
		if o.code != "" {
			return "", nil, b.afterSignIn(ctx, s, o.code, say)
		}
		link := b.SignIn.SignInLink(s.slack, b.Now().Add(b.World(warrantLife)))
		return "", nil, say(linked(saySignIn, saySignInNow, link, ""))
	case "signout":
		return "", nil, b.signOut(ctx, s, say)
	case "deactivate":
		return b.finish(ctx, k, o, s, say)
	case "renew":
		return b.renew(ctx, k, c, o, s, say)
	case "switch":
		return b.change(ctx, k, c, o, s, say)
	}
	if o.verb == "again" {
		last, err := b.lately(ctx, s)
		if err != nil {
			return "", nil, err
		}
		if len(last) == 0 {
			return "", nil, say(plain(sayNoAgain))
		}
		o, s = repeated(o, last[0], s)
	}
	if o.group == "" {
		return "", nil, inTime(b.openAsk(ctx, c.TriggerID, s, activation.Activation{}), say)
	}
	return b.ask(ctx, k, c.ResponseURL, o, s, say)
}

// repeated is an order for what was asked for before, with other words if some
// were given.
func repeated(o order, last activation.Activation, s someone) (order, someone) {
	o.group, o.access, o.length = last.Group.ID, last.Access, wholeLength(last)
	if o.reason == "" {
		o.reason = ownReason(last)
	}
	if o.ticket == "" {
		o.ticket = last.Ticket
	}
	if p, ok := s.account(last); ok {
		s.accounts = []activation.Person{p}
	}
	return o, s
}

// finish ends, or withdraws, what the person has.
func (b *Bot) finish(ctx context.Context, k activation.Kept, o order, s someone, say teller) (string, activation.Input, error) {
	open, err := b.open(ctx, s)
	if err != nil {
		return "", nil, err
	}
	waits := slices.Clone(open)
	open = slices.DeleteFunc(open, func(a activation.Activation) bool {
		renewed := slices.ContainsFunc(waits, func(n activation.Activation) bool { return n.ID == a.Next && n.Phase == activation.Asked })
		return renewed || !b.meant(a, o) || !endable(a)
	})
	if len(open) != 1 {
		return "", nil, say(plain(sayWhichToEnd(open, o.group)))
	}
	in, err := b.end(k, s, open[0])
	if err != nil {
		return "", nil, err
	}
	if err := say(plain(sayEnding(open[0], b.SignIn.Kept(ctx, open[0].Person)))); err != nil {
		b.Log.Warn("the answer could not be said; the deed goes on", "envelope", k.ID, "err", err)
	}
	return open[0].ID, in, nil
}

// meant reports whether an order names an activation, or none at all.
func (b *Bot) meant(a activation.Activation, o order) bool {
	g, _ := b.group(a.Group.ID)
	names := append([]string{a.Group.Name, a.Group.ID}, g.Aliases...)
	named := o.group == "" || slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, o.group) })
	return named && (!o.owner || a.Access == activation.Owner)
}

func endable(a activation.Activation) bool { return deedToEnd(a) != "" }

// deedToEnd is what ends an activation where it stands.
func deedToEnd(a activation.Activation) activation.Deed {
	switch a.Phase {
	case activation.Active, activation.Ending:
		return activation.End
	case activation.AwaitingApproval, activation.Scheduled, activation.Asked:
		return activation.Cancel
	}
	return ""
}

func (b *Bot) end(k activation.Kept, s someone, a activation.Activation) (activation.Input, error) {
	p, ok := s.account(a)
	d := deedToEnd(a)
	if !ok || d == "" {
		return nil, activation.Refusal{Code: activation.NotActive}
	}
	return activation.Finish{By: p, Warrant: b.mint(k, a, d, "", p, activation.ProofFor(d, a.Access, a.Settings, ""))}, nil
}

// open lists what the person's accounts have open.
func (b *Bot) open(ctx context.Context, s someone) ([]activation.Activation, error) {
	var all []activation.Activation
	for _, p := range s.accounts {
		list, err := b.Engine.Find(ctx, "person:"+fold(p.Tenant+"/"+p.Object))
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	return all, nil
}

// list says what the person may activate and what they have.
func (b *Bot) list(ctx context.Context, s someone) (message, error) {
	list, err := b.mayActivate(ctx, s)
	if err != nil {
		return message{}, err
	}
	var lines []string
	for _, m := range list {
		lines = append(lines, sayEligible(m.group.Name, m.access, m.account, len(s.accounts) > 1))
	}
	open, err := b.open(ctx, s)
	return plain(sayList(lines, open, len(s.accounts) > 1)), err
}
