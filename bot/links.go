package bot

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/slack-go/slack"

	"pagbot/activation"
)

// A link by which a deed is confirmed stands in a direct message, which is kept
// up to date; or in the private answer to a command, which Slack lets nobody
// change but by a click on it. So a click on the link is remembered, and what
// comes of the deed takes the answer's place; and a click on a link that leads
// nowhere any more replaces it at once.

// pressedLink is where a clicked answer can be changed.
type pressedLink struct {
	url string
	at  time.Time // wire
}

// replyLife is how long Slack takes answers to a click.
const replyLife = 30 * time.Minute

// askSign sends the link of a deed, and later says in the same message what
// became of it.
func (m *Mouth) askSign(ctx context.Context, a activation.Activation, e activation.Effect) activation.Report {
	d, waits := a.Deed(e.Warrant)
	switch {
	case !waits:
		return m.settleLink(ctx, a, e)
	case m.SignIn == nil:
		return activation.Report{Err: errors.New("a deed waits for a sign-in, and none is configured")}
	case !d.Needs:
		return activation.Report{}
	}
	to := m.slackOf(d.Warrant.Actor)
	if to == "" {
		return activation.Report{Err: errors.New("no Slack user is known for the person who must sign in")}
	}
	return m.slot(ctx, to, m.naming(m.signMessage(ctx, a, d), d.Warrant.Actor), e)
}

func (m *Mouth) signMessage(ctx context.Context, a activation.Activation, d activation.Pending) message {
	if msg, ok := m.signRenewal(ctx, a, d); ok {
		return msg
	}
	if len(a.Batch) > 0 && d.Warrant.Deed == activation.Submit && d.Claims == "" {
		if msg, ok := m.askedTogether(ctx, a); ok {
			return msg
		}
	}
	s := saySignFor(a, d)
	if d.Warrant.Deed == activation.Submit {
		s += m.surprises(ctx, a)
	}
	return linked(s, sayConfirm, m.SignIn.Link(d.Warrant), a.ID)
}

// settleLink replaces the link of a deed that waits no more.
func (m *Mouth) settleLink(ctx context.Context, a activation.Activation, e activation.Effect) activation.Report {
	if url := m.answered(ctx, a); url != "" {
		if err := m.replace(ctx, url, m.linkNow(ctx, a, e.Warrant)); err != nil {
			m.Log.Warn("an answer with a link that is over could not be changed", "activation", a.ID, "err", err)
		}
	}
	receipted := e
	if e.Receipt == nil && a.Follows() {
		receipted.Receipt = m.leadersLink(ctx, a)
	}
	if receipted.Receipt == nil {
		return activation.Report{} // it never needed one
	}
	var last receipt
	if err := json.Unmarshal(receipted.Receipt, &last); err != nil {
		return activation.Report{Err: err}
	}
	r := m.slot(ctx, last.Channel, m.linkNow(ctx, a, e.Warrant), receipted)
	if e.Receipt == nil {
		r.Receipt = nil // it is the leader's
	}
	return r
}

// leadersLink is the receipt of the message that asked for the whole batch.
func (m *Mouth) leadersLink(ctx context.Context, a activation.Activation) json.RawMessage {
	first, err := m.Engine.Load(ctx, a.Batch[0])
	if err != nil {
		return nil
	}
	for _, w := range first.Spent {
		if raw, err := m.Engine.Receipt(ctx, first.ID, "signin/"+w); err == nil && raw != nil {
			return raw
		}
	}
	return nil
}

// linkNow is what stands where a link stood. One for several is good as long as
// one of them waits.
func (b *Bot) linkNow(ctx context.Context, a activation.Activation, warrant string) message {
	own := !a.Watched && len(a.Spent) > 0 && a.Spent[0] == warrant
	if !own || len(a.Batch) < 2 {
		return plain(saySignedFor(a, own))
	}
	if b.waits(ctx, a) {
		if msg, ok := b.askedTogether(ctx, a); ok {
			return msg
		}
	}
	return plain(saySignedForAll(b.batch(ctx, a)))
}

// clickOpen hears that a link was clicked. The browser has it; here it only
// matters where the answer that holds it can be changed.
func (b *Bot) clickOpen(ctx context.Context, i slack.InteractionCallback, act *slack.BlockAction) error {
	if !i.Container.IsEphemeral || act.Value == "" || i.ResponseURL == "" {
		return nil
	}
	s, _, err := b.authorize(ctx, callerOf(i), wish{})
	if _, no := refusal(err); no {
		return nil
	}
	if err != nil {
		return err
	}
	a, err := b.Engine.Load(ctx, act.Value)
	if _, own := s.account(a); err != nil || !own {
		return err
	}
	if b.waits(ctx, a) {
		b.remember(a.ID, i.ResponseURL)
		return nil
	}
	var warrant string
	if len(a.Spent) > 0 {
		warrant = a.Spent[0]
	}
	return b.replace(ctx, i.ResponseURL, b.linkNow(ctx, a, warrant))
}

// waits reports whether a link for an ask, or for several, leads to one that
// still waits.
func (b *Bot) waits(ctx context.Context, a activation.Activation) bool {
	for _, o := range b.batch(ctx, a) {
		if slices.ContainsFunc(o.Deeds, func(d activation.Pending) bool { return d.Warrant.Deed == activation.Submit && d.Needs }) {
			return true
		}
	}
	return false
}

func (b *Bot) remember(id, url string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.links == nil || len(b.links) > 10_000 {
		b.links = map[string]pressedLink{}
	}
	b.links[id] = pressedLink{url, time.Now()}
}

// answered takes the place where the answer to an ask can be changed, once its
// link leads nowhere any more; empty if it is not known.
func (b *Bot) answered(ctx context.Context, a activation.Activation) (url string) {
	if b.waits(ctx, a) {
		return ""
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, id := range append([]string{a.ID}, a.Batch...) {
		if l := b.links[id]; time.Since(l.at) < replyLife {
			url = l.url
		}
		delete(b.links, id)
	}
	return url
}
