package bot

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/slack-go/slack"

	"pagbot/activation"
)

// receipt is what Slack gave back for a message of ours. A card's receipt is
// also what a click is compared with.
type receipt struct {
	Channel string `json:"channel"`
	TS      string `json:"ts"`
	Hash    string `json:"hash"` // of what was sent last
}

// Mouth says what activations want said: it is the engine's hand for the say
// lane. Slots are rendered from the newest state when they are sent; appends
// are sent at least once, twice only if the answer to the first was lost.
type Mouth struct {
	*Bot
	pace pace
}

// NewMouth makes the hand that speaks through a bot.
func NewMouth(b *Bot) *Mouth { return &Mouth{Bot: b, pace: pace{next: map[string]time.Time{}}} }

// Look implements the engine's Hand: what was said can't be looked up without
// reading channels, which pagbot may not. So it is said again.
func (m *Mouth) Look(context.Context, activation.Activation, activation.Effect) activation.Report {
	return activation.Report{Absent: true}
}

// Do implements the engine's Hand. Whatever is said of an activation, its
// person's Home tab says it, too.
func (m *Mouth) Do(ctx context.Context, a activation.Activation, e activation.Effect) activation.Report {
	r := m.do(ctx, a, e)
	if r.Finished() && e.Kind != activation.Thread {
		m.refresh(ctx, a.Person)
	}
	return r
}

func (m *Mouth) do(ctx context.Context, a activation.Activation, e activation.Effect) activation.Report {
	switch e.Kind {
	case activation.Card:
		return m.sayCard(ctx, a, e)
	case activation.Thread:
		return m.thread(ctx, a, e)
	case activation.AskSign:
		return m.askSign(ctx, a, e)
	case activation.Whisper:
		return m.whisper(ctx, a, e)
	case activation.DM:
		to := m.slackOf(e.To)
		msg, ok := m.topic(ctx, a, e)
		switch {
		case to == "" && e.Topic == activation.TopicWarning:
			return m.thread(ctx, a, e) // whom nobody bound is warned below the card
		case to == "" || !ok:
			return activation.Report{} // nobody to tell: the card tells it
		}
		return m.put(ctx, to, m.naming(msg, e.To), e)
	}
	return activation.Report{Err: errors.New("the mouth can't say " + string(e.Kind))}
}

// noCard begins the refusal of an activation whose card can't be posted.
const noCard = "no card: "

// sayCard keeps the group's channel up to date, and tells the activation if
// that can't be done, and when it can again.
func (m *Mouth) sayCard(ctx context.Context, a activation.Activation, e activation.Effect) activation.Report {
	g, ok := m.group(a.Group.ID)
	if !ok && e.Receipt == nil {
		return activation.Report{Err: errors.New("the group is not configured any more")}
	} // one that stands in the channel must stay true all the same
	r := m.slot(ctx, g.Channel, m.card(a, m.decidersOf(ctx, a)...), e)
	silenced := a.Stuck != nil && strings.HasPrefix(a.Stuck.Why.Text, noCard)
	var no slack.SlackErrorResponse
	switch {
	case r.Err != nil && r.Finished() && errors.As(r.Err, &no) && a.Open():
		r.Tell = activation.Trouble{Why: activation.Refusal{Code: activation.Broken, Text: noCard + no.Err}}
	case r.Err == nil && r.Finished() && silenced:
		r.Tell = activation.Trouble{Cleared: true}
	}
	return r
}

// slackOf is the Slack user of an Entra account, if the binding knows it.
func (b *Bot) slackOf(p activation.Person) string {
	if q, ok := b.People.ByObject(p.Tenant, p.Object); ok && p.Slack.ID == "" {
		p = q
	}
	return p.Slack.ID
}

// put posts a message, or edits what was said in its slot before.
func (m *Mouth) put(ctx context.Context, channel string, msg message, e activation.Effect, more ...slack.MsgOption) activation.Report {
	if e.Slot {
		return m.slot(ctx, channel, msg, e, more...)
	}
	return m.append(ctx, channel, msg, e, more...)
}

// slot posts a message once and updates it from then on, if it differs.
func (m *Mouth) slot(ctx context.Context, channel string, msg message, e activation.Effect, more ...slack.MsgOption) activation.Report {
	var last receipt
	if e.Receipt != nil {
		if err := json.Unmarshal(e.Receipt, &last); err != nil {
			return activation.Report{Err: err}
		}
	}
	if last.Hash == msg.hash() {
		return activation.Report{}
	}
	if last.TS == "" {
		return m.append(ctx, channel, msg, e, more...)
	}
	if wait := m.pace.wait("update " + last.Channel); wait > 0 {
		return activation.Report{After: wait}
	}
	_, _, _, err := m.API.UpdateMessageContext(ctx, last.Channel, last.TS, msg.edited()...)
	switch slackErrorOf(err) {
	case "":
		last.Hash = msg.hash()
		return m.receipt(last)
	case "message_not_found", "cant_update_message", "edit_window_closed":
		return m.append(ctx, channel, msg, e, more...) // somebody deleted it: a new one takes its place
	}
	return trouble(err, e)
}

// append posts a message.
func (m *Mouth) append(ctx context.Context, channel string, msg message, e activation.Effect, more ...slack.MsgOption) activation.Report {
	if wait := m.pace.wait(channel); wait > 0 {
		return activation.Report{After: wait}
	}
	at, ts, err := m.API.PostMessageContext(ctx, channel, append(msg.options(), more...)...)
	if err != nil {
		return trouble(err, e)
	}
	return m.receipt(receipt{Channel: at, TS: ts, Hash: msg.hash()})
}

func (m *Mouth) receipt(r receipt) activation.Report {
	b, err := json.Marshal(r)
	return activation.Report{Receipt: b, Err: err}
}

// trouble sorts Slack's errors: later, or never.
func trouble(err error, e activation.Effect) activation.Report {
	var limited *slack.RateLimitedError
	var refused slack.SlackErrorResponse
	switch {
	case errors.As(err, &limited):
		return activation.Report{After: max(limited.RetryAfter, time.Second)}
	case errors.As(err, &refused) && !passing[refused.Err]:
		return activation.Report{Err: err}
	}
	// The message may have gone out; saying it twice is better than not at all.
	return again(err, e)
}

// again waits longer each time, up to five minutes.
func again(err error, e activation.Effect) activation.Report {
	var tried int
	if e.Memory != nil && json.Unmarshal(e.Memory, &tried) != nil {
		tried = 0
	}
	memory, _ := json.Marshal(tried + 1)
	return activation.Report{After: min(3*time.Second<<min(tried, 10), 5*time.Minute), Memory: memory, Err: err}
}

// passing are Slack's words for a trouble of its own.
var passing = map[string]bool{"internal_error": true, "fatal_error": true, "service_unavailable": true, "request_timeout": true, "ratelimited": true, "rate_limited": true}

func (m *Mouth) thread(ctx context.Context, a activation.Activation, e activation.Effect) activation.Report {
	raw, err := m.Engine.Receipt(ctx, a.ID, "card")
	if err != nil {
		return activation.Report{After: time.Second, Err: err}
	}
	var card receipt
	if raw != nil {
		if err := json.Unmarshal(raw, &card); err != nil {
			return activation.Report{Err: err}
		}
	}
	msg, ok := m.topic(ctx, a, e)
	if !ok {
		return activation.Report{}
	}
	if card.TS == "" {
		// No card could be posted: the channel must hear of it all the same.
		g, _ := m.group(a.Group.ID)
		r := m.append(ctx, g.Channel, msg, e)
		if to := m.slackOf(a.Person); r.Err != nil && r.Finished() && to != "" {
			return m.append(ctx, to, msg, e) // no channel either
		}
		return r
	}
	return m.put(ctx, card.Channel, msg, e, slack.MsgOptionTS(card.TS))
}

// whisper answers where the person typed, while Slack takes it; else in a DM.
func (m *Mouth) whisper(ctx context.Context, a activation.Activation, e activation.Effect) activation.Report {
	msg, ok := m.topic(ctx, a, e)
	if !ok {
		return activation.Report{}
	}
	msg = m.naming(msg, e.To)
	err := errGone
	if a.Reply != "" {
		err = m.answer(ctx, a.Reply, msg)
	}
	switch {
	case err == nil:
		return activation.Report{}
	case !errors.Is(err, errGone):
		return again(err, e)
	}
	if to := m.slackOf(e.To); to != "" {
		return m.append(ctx, to, msg, e)
	}
	return activation.Report{}
}

// topic renders the sentence of an effect; false: there is nothing to say any
// more.
func (m *Mouth) topic(ctx context.Context, a activation.Activation, e activation.Effect) (message, bool) {
	t, _ := a.Target(e.Target)
	switch e.Topic {
	case activation.TopicAsked:
		return m.asked(ctx, a, e)
	case activation.TopicRefused:
		return m.refused(ctx, a, e), true
	case activation.TopicActive:
		return plain(strings.TrimSpace(sayActive(a) + m.gap(ctx, a) + " " + m.usually(a))), true
	case activation.TopicEffective:
		return plain(sayEffective(a, t)), true
	case activation.TopicHad:
		return plain(sayHad(a, t)), true
	case activation.TopicDeclined:
		return plain(sayDeclined(a, t)), !t.Grant.Settled()
	case activation.TopicDecided:
		var left string
		if a.Decision != nil && !a.Decision.Approve {
			left = m.meanwhile(ctx, a)
		}
		return decided(a, e, left), a.Decision != nil
	case activation.TopicWarning:
		return m.withFinish(plain(sayWarning(a)), a, e.Key), true
	case activation.TopicEnded:
		if e.Kind == activation.Thread {
			return plain(sayRevoked(a)), true
		}
		return m.ended(ctx, a, e.Key), true
	case activation.TopicGone:
		return plain(sayGone(a)), true
	case activation.TopicOverdue:
		return plain(sayOverdue(a, t, who(a.Person))), true
	case activation.TopicClosed:
		return plain(sayClosed(a) + m.meanwhile(ctx, a)), true
	case activation.TopicClash:
		return plain(sayClash(a)), true
	case activation.TopicStuck:
		return plain(sayStuck(a)), a.Stuck != nil
	case activation.TopicAgreed:
		return agreed(a), len(a.Agreed) > 0
	case activation.TopicUnheard:
		return plain(sayUnheard(a, e.Target)), true
	case activation.TopicRound:
		return plain(sayRound(a)), true
	case activation.TopicRemind, activation.TopicMore, activation.TopicRescue:
		return m.reminder(ctx, a, e), true
	}
	return message{}, false
}

// asked tells whoever asked what comes next: their browser, or an approver.
func (m *Mouth) asked(ctx context.Context, a activation.Activation, e activation.Effect) (message, bool) {
	if len(a.Batch) > 0 {
		return m.askedTogether(ctx, a)
	}
	if d, ok := a.Deed(e.Warrant); ok && d.Needs && m.SignIn != nil {
		return m.signMessage(ctx, a, d), true
	}
	if d, ok := a.Deed(e.Warrant); ok && a.Phase == activation.Asked && m.SignIn != nil && !m.SignIn.Kept(ctx, d.Warrant.Actor) {
		return message{}, false // no sign-in is kept: the link comes in a moment
	}
	g, _ := m.group(a.Group.ID)
	s := sayAsked(a, g.Channel)
	if s == "" {
		return message{}, false
	}
	return plain(s + m.surprises(ctx, a)), true
}

// decided tells the requester or, in the thread, the others; with the
// approver's own words.
func decided(a activation.Activation, e activation.Effect, left string) message {
	if a.Decision == nil {
		return message{}
	}
	s := sayDecidedFor(a)
	if e.Kind == activation.DM {
		s = sayDecided(a) + left
	}
	if a.Decision.Reason == "" {
		return plain(s)
	}
	return plain(s, quoted(sayReasonLabel, a.Decision.Reason))
}

// agreed tells in the thread that one approver agrees, in their own words.
func agreed(a activation.Activation) message {
	if len(a.Agreed) == 0 {
		return message{}
	}
	last := a.Agreed[len(a.Agreed)-1]
	if last.Reason == "" {
		return plain(sayAgreed(a, last))
	}
	return plain(sayAgreed(a, last), quoted(sayReasonLabel, last.Reason))
}

// withFinish adds the buttons that end an activation, and that renew it where
// no approver is needed.
func (m *Mouth) withFinish(msg message, a activation.Activation, key string) message {
	if m.SignIn != nil {
		buttons := []slack.BlockElement{button(actFinish, a.ID, "End now", slack.StyleDanger)}
		if !a.Settings.NeedsApproval {
			buttons = append(buttons, button(actRenew, a.ID, "Renew…", slack.StyleDefault))
		}
		msg.blocks = append(msg.blocks, slack.NewActionBlock(keyed(key, "1"), buttons...))
	}
	return msg
}

// withAgain adds the button that asks for the same once more.
func (m *Mouth) withAgain(msg message, a activation.Activation, key string) message {
	if m.SignIn != nil && !a.Watched {
		msg.blocks = append(msg.blocks, slack.NewActionBlock(keyed(key, "1"), button(actAgain, a.ID, "Ask again…", slack.StyleDefault)))
	}
	return msg
}

// pace keeps one message a second a channel; source: Slack's limit for
// chat.postMessage. Wire time.
type pace struct {
	mu   sync.Mutex
	next map[string]time.Time
}

// wait takes the channel's next second, or says how long it is away.
func (p *pace) wait(channel string) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if wait := p.next[channel].Sub(now); wait > 0 {
		return wait
	}
	for c, t := range p.next {
		if t.Before(now) {
			delete(p.next, c)
		}
	}
	p.next[channel] = now.Add(time.Second)
	return 0
}
