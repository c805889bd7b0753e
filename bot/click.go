package bot

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/slack-go/slack"

	"pagbot/activation"
)

// The buttons' action ids, and the forms' callback ids.
const (
	actApprove = "approve"
	actDeny    = "deny"
	actFinish  = "finish"
	actOpen    = "open" // a link
	formVote   = "vote"
	formFinish = "finish"
)

// keyed is a block id that carries the effect whose message the block is in.
func keyed(key, version string) string { return "pag|" + key + "|" + version }

// keyOf reads a block id of ours.
func keyOf(blockID string) string {
	key, _ := strings.CutPrefix(blockID, "pag|")
	if i := strings.LastIndex(key, "|"); i >= 0 {
		key = key[:i]
	}
	return key
}

// about is what a form keeps of what it is about: an opaque id and what is
// wanted. Everything else is loaded when it is needed.
type about struct {
	ID   string          `json:"id"`
	Deed activation.Deed `json:"deed"`
	To   string          `json:"to,omitempty"` // what is switched to
}

// click understands a pressed button. All that it does is to open a form, made
// from the store and never from the message; so nothing of it must be kept.
func (b *Bot) click(ctx context.Context, k activation.Kept, i slack.InteractionCallback) (string, activation.Input, error) {
	if len(i.ActionCallback.BlockActions) == 0 {
		return "", nil, nil
	}
	act := i.ActionCallback.BlockActions[0]
	if i.View.CallbackID == formAsk {
		return "", nil, b.preview(ctx, k, i)
	}
	if act.ActionID == actAsk || act.ActionID == actAgain {
		return "", nil, b.clickAsk(ctx, k, i, act)
	}
	if act.ActionID == actOpen {
		return "", nil, b.clickOpen(ctx, i, act)
	}
	if act.ActionID == actRenew {
		return "", nil, b.clickRenew(ctx, k, i, act)
	}
	if kind, _, _ := strings.Cut(act.ActionID, "|"); kind == actSwitch || kind == actBack {
		return "", nil, b.clickSwitch(ctx, k, i, act)
	}
	deed, ok := map[string]activation.Deed{actApprove: activation.Approve, actDeny: activation.Deny, actFinish: activation.End}[act.ActionID]
	if !ok {
		return "", nil, nil
	}
	a, err := b.Engine.Load(ctx, act.Value)
	if err == nil && a.ID == "" {
		err = activation.Refusal{Code: activation.NotAllowedHere, Text: notKnown}
	}
	var form slack.ModalViewRequest
	if err == nil {
		form, err = b.form(ctx, callerOf(i), b.pressed(i, act), a, deed)
	}
	if err == nil {
		_, err = b.API.OpenViewContext(ctx, i.TriggerID, form)
	}
	return "", nil, b.clicked(ctx, k, i, a, err)
}

// pressed is what a click was made on; nil on a Home tab, which Slack shows and
// sends of nobody else's making than ours.
func (b *Bot) pressed(i slack.InteractionCallback, act *slack.BlockAction) *press {
	if i.Container.Type == "view" && i.View.Type == slack.VTHomeTab {
		return nil
	}
	return &press{activation: act.Value, key: keyOf(act.BlockID), channel: i.Container.ChannelID, message: i.Container.MessageTs,
		byUs: b.self != "" && i.Message.User == b.self && i.Message.Timestamp == i.Container.MessageTs}
}

// clickAsk opens the form in which one asks, empty or as an earlier ask was.
func (b *Bot) clickAsk(ctx context.Context, k activation.Kept, i slack.InteractionCallback, act *slack.BlockAction) error {
	var like activation.Activation
	w := wish{}
	var err error
	if act.ActionID == actAgain {
		if like, err = b.Engine.Load(ctx, act.Value); err == nil && like.ID == "" {
			err = activation.Refusal{Code: activation.NotAllowedHere, Text: notKnown}
		}
		w = wish{on: b.pressed(i, act), about: &like}
	}
	var s someone
	if err == nil {
		s, _, err = b.authorize(ctx, callerOf(i), w)
	}
	if err == nil {
		err = b.openAsk(ctx, i.TriggerID, s, like)
	}
	return b.clicked(ctx, k, i, like, err)
}

// clicked answers what went wrong with a click, if anything did.
func (b *Bot) clicked(ctx context.Context, k activation.Kept, i slack.InteractionCallback, a activation.Activation, err error) error {
	say := func(m message) error { return b.reply(ctx, i.ResponseURL, i.User.ID, m) }
	if r, ok := errors.AsType[activation.Refusal](err); ok && r.Text == oldCopy {
		say = func(m message) error { return b.replace(ctx, i.ResponseURL, m) }
	}
	switch why := triggerTrouble(err); {
	case err == nil:
		return nil
	case strings.Contains(why, "exchanged"):
		return nil // this envelope was read before, and the form is open
	case why != "":
		return say(plain(sayTooSlow))
	}
	return b.failed(ctx, k, err, a, say)
}

// form asks whether the person may, and makes the form in which they confirm.
func (b *Bot) form(ctx context.Context, c caller, p *press, a activation.Activation, d activation.Deed) (slack.ModalViewRequest, error) {
	var none slack.ModalViewRequest
	w := wish{on: p, about: &a, approve: d != activation.End}
	if p == nil && w.approve {
		return none, activation.Refusal{Code: activation.NotAllowedHere, Text: notOurs} // no Home tab has that button
	}
	s, who, err := b.authorize(ctx, c, w)
	if err != nil {
		return none, err
	}
	if b.SignIn == nil {
		return none, activation.Refusal{Code: activation.NotAllowedHere, Text: watching}
	}
	if d == activation.End {
		if !endable(a) {
			return none, activation.Refusal{Code: activation.NotActive}
		}
		return finishForm(a, b.Now()), nil
	}
	if a.Phase != activation.AwaitingApproval {
		return none, settledRefusal(a)
	}
	if d == activation.Approve && a.Passed(b.Now()) {
		return none, activation.Refusal{Code: activation.EndPassed, Until: a.Until}
	}
	if d == activation.Approve && a.Agrees(who) {
		return none, activation.Refusal{Code: activation.AlreadyAgreed} // before they type a reason once more
	}
	g, _ := b.group(a.Group.ID)
	return voteForm(a, d, activation.ProofFor(d, a.Access, a.Settings, g.Proof), s.accounts...), nil
}

func settledRefusal(a activation.Activation) activation.Refusal {
	if a.Decision != nil {
		return activation.Refusal{Code: activation.AlreadyDecided, By: a.Decision.By.Name}
	}
	return activation.Refusal{Code: activation.NotPending}
}

func callerOf(i slack.InteractionCallback) caller {
	team := i.User.TeamID
	if team == "" {
		team = i.Team.ID
	}
	return caller{i.User.ID, team, i.Enterprise.ID, i.APIAppID}
}

// submitted understands a confirmed form. The person is judged again: minutes
// may lie between the form and its confirmation.
func (b *Bot) submitted(ctx context.Context, k activation.Kept, i slack.InteractionCallback) (string, activation.Input, error) {
	if i.View.CallbackID == formAsk {
		return b.askedFor(ctx, k, i)
	}
	var on about
	if err := json.Unmarshal([]byte(i.View.PrivateMetadata), &on); err != nil || on.ID == "" {
		return "", nil, nil
	}
	a, err := b.Engine.Load(ctx, on.ID)
	if err == nil {
		var id string
		var in activation.Input
		if id, in, err = b.confirmed(ctx, k, i, on, a); err == nil {
			return id, in, nil
		}
	}
	return "", nil, b.failed(ctx, k, err, a, func(m message) error { return b.direct(ctx, i.User.ID, m) })
}

// askedFor understands a form in which somebody asks.
func (b *Bot) askedFor(ctx context.Context, k activation.Kept, i slack.InteractionCallback) (string, activation.Input, error) {
	say := func(m message) error { return b.direct(ctx, i.User.ID, m) }
	s, _, err := b.authorize(ctx, callerOf(i), wish{})
	if err == nil && b.SignIn == nil {
		err = activation.Refusal{Code: activation.NotAllowedHere, Text: watching}
	}
	if err == nil {
		o := filled(i.View)
		var id string
		var in activation.Input
		if id, in, err = b.ask(ctx, k, "", o, s, say); err == nil {
			return id, in, nil
		}
	}
	return "", nil, b.failed(ctx, k, err, activation.Activation{}, say)
}

func (b *Bot) confirmed(ctx context.Context, k activation.Kept, i slack.InteractionCallback, on about, a activation.Activation) (string, activation.Input, error) {
	if a.ID == "" {
		return "", nil, activation.Refusal{Code: activation.NotAllowedHere, Text: notKnown}
	}
	s, _, err := b.authorize(ctx, callerOf(i), wish{about: &a, approve: i.View.CallbackID == formVote})
	if err == nil && b.SignIn == nil {
		err = activation.Refusal{Code: activation.NotAllowedHere, Text: watching}
	}
	if err != nil {
		return "", nil, err
	}
	switch i.View.CallbackID {
	case formFinish:
		if endable(a) && deedToEnd(a) != on.Deed {
			return "", nil, activation.Refusal{Code: activation.Changed} // the form showed another deed
		}
		in, err := b.end(k, s, a)
		return a.ID, in, err
	case formRenew:
		say := func(m message) error { return b.direct(ctx, i.User.ID, m) }
		return b.renewal(ctx, k, "", renewed(i.View), a, s, say)
	case formSwitch:
		say := func(m message) error { return b.direct(ctx, i.User.ID, m) }
		return b.switched(ctx, k, i.View, on, a, s, say)
	case formVote:
		if on.Deed != activation.Approve && on.Deed != activation.Deny {
			return "", nil, nil
		}
		if a.Phase != activation.AwaitingApproval {
			return "", nil, settledRefusal(a)
		}
		reason := strings.TrimSpace(typed(i.View, "reason"))
		if err := fits(reason, ""); err != nil {
			return "", nil, err
		}
		p, err := deciding(i.View, s.accounts)
		if err != nil {
			return "", nil, err
		}
		g, _ := b.group(a.Group.ID)
		w := b.mint(k, a, on.Deed, reason, p, activation.ProofFor(on.Deed, a.Access, a.Settings, g.Proof))
		return a.ID, activation.Vote{By: p, Approve: on.Deed == activation.Approve, Reason: reason, Warrant: w}, nil
	}
	return "", nil, nil
}

// typed is what stands in a form's input.
func typed(v slack.View, block string) string {
	if v.State == nil {
		return ""
	}
	return v.State.Values[block]["v"].Value
}

// direct sends a message to one person that may be lost with the process.
func (b *Bot) direct(ctx context.Context, user string, m message) error {
	_, _, err := b.API.PostMessageContext(ctx, user, m.options()...)
	var no slack.SlackErrorResponse
	if errors.As(err, &no) && !passing[no.Err] {
		b.Log.Warn("a person can't be reached", "user", user, "err", err)
		return nil // nor later
	}
	return err
}

// triggerTrouble is Slack's word if a form could not be opened because its
// three seconds are over, or were used. The documents know several words.
func triggerTrouble(err error) string {
	var r slack.SlackErrorResponse
	if !errors.As(err, &r) {
		return ""
	}
	for _, word := range append([]string{r.Err}, r.ResponseMetadata.Messages...) {
		if strings.Contains(word, "trigger") {
			return word
		}
	}
	return ""
}

func slackErrorOf(err error) string {
	if err == nil {
		return ""
	}
	return slackError(err)
}

// TellBound tells a person that an Entra account was bound to their Slack user,
// so that a binding never happens behind their back.
func (b *Bot) TellBound(ctx context.Context, p activation.Person) {
	if err := b.direct(ctx, p.Slack.ID, plain(sayBound(p))); err != nil {
		b.Log.Warn("a new binding could not be told", "slack", p.Slack.ID, "err", err)
	}
}
