package bot

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"pagbot/activation"
)

// The form in which a person renews, and the button that opens it.
const (
	formRenew = "renew"
	actRenew  = "renew"
)

// renew understands the command: it finds what runs and is meant.
func (b *Bot) renew(ctx context.Context, k activation.Kept, c slack.SlashCommand, o order, s someone, say teller) (string, activation.Input, error) {
	open, err := b.open(ctx, s)
	if err != nil {
		return "", nil, err
	}
	meant := func(p activation.Phase) []activation.Activation {
		return slices.DeleteFunc(slices.Clone(open), func(a activation.Activation) bool { return a.Phase != p || !b.meant(a, o) })
	}
	ending := meant(activation.Ending)
	if open = meant(activation.Active); len(open) == 0 {
		open = ending // told so
	}
	if len(open) != 1 {
		return "", nil, say(plain(sayWhichToRenew(open, o.group)))
	}
	if o.start != "" {
		return "", nil, say(plain(sayRenewAt))
	}
	if no := b.notRenewable(open[0]); no != "" {
		return "", nil, say(plain(no))
	}
	g, _ := b.group(open[0].Group.ID)
	if b.renewProof(ctx, open[0], g, s) == activation.Session {
		// No browser will ask: the form says what it costs, before it is done.
		return "", nil, b.opens(ctx, c.TriggerID, b.renewForm(open[0], o), say)
	}
	return b.renewal(ctx, k, c.ResponseURL, o, open[0], s, say)
}

// opens opens a form in answer to a command.
func (b *Bot) opens(ctx context.Context, trigger string, form slack.ModalViewRequest, say teller) error {
	_, err := b.API.OpenViewContext(ctx, trigger, form)
	return inTime(err, say)
}

// inTime answers for a form that came too late to be opened.
func inTime(err error, say teller) error {
	switch why := triggerTrouble(err); {
	case strings.Contains(why, "exchanged"):
		return nil // this envelope was read before, and the form is open
	case why != "":
		return say(plain(sayTooSlow))
	}
	return err
}

// clickRenew opens the form from the warning's button.
func (b *Bot) clickRenew(ctx context.Context, k activation.Kept, i slack.InteractionCallback, act *slack.BlockAction) error {
	a, err := b.Engine.Load(ctx, act.Value)
	if err == nil && a.ID == "" {
		err = activation.Refusal{Code: activation.NotAllowedHere, Text: notKnown}
	}
	if err == nil {
		_, _, err = b.authorize(ctx, callerOf(i), wish{on: b.pressed(i, act), about: &a})
	}
	if err == nil && b.SignIn == nil {
		err = activation.Refusal{Code: activation.NotAllowedHere, Text: watching}
	}
	if err == nil {
		if no := b.notRenewable(a); no != "" {
			return b.reply(ctx, i.ResponseURL, i.User.ID, plain(no))
		}
		_, err = b.API.OpenViewContext(ctx, i.TriggerID, b.renewForm(a, order{}))
	}
	return b.clicked(ctx, k, i, a, err)
}

// notRenewable says why an activation can't be renewed now, and what can be
// done instead; empty if it can.
func (b *Bot) notRenewable(a activation.Activation) string {
	switch floor := a.From.Add(activation.Floor); {
	case a.Phase != activation.Active:
		return sayNotRunning(a)
	case a.Settings.NeedsApproval:
		return sayRenewApproval(a)
	case b.Now().Before(floor):
		return sayRenewFloor(a, floor)
	}
	return ""
}

// renewProof is what both deeds of a renewal need: one page confirms both.
func (b *Bot) renewProof(ctx context.Context, a activation.Activation, g Group, s someone) activation.Proof {
	if !b.SignIn.Kept(ctx, a.Person) {
		return activation.Fresh
	}
	return activation.ProofFor(activation.Submit, a.Access, a.Settings, g.Proof)
}

// renewal makes the ask that takes the place of what runs, and its end.
func (b *Bot) renewal(ctx context.Context, k activation.Kept, reply string, o order, was activation.Activation, s someone, say teller) (string, activation.Input, error) {
	g, ok := b.group(was.Group.ID)
	p, mine := s.account(was)
	if !ok || !mine {
		return "", nil, activation.Refusal{Code: activation.NotActive}
	}
	if no := b.notRenewable(was); no != "" {
		return "", nil, say(plain(no))
	}
	q, err := b.gather(ctx, asBefore(o, was), g, someone{s.slack, []activation.Person{p}, s.zone}, k.At)
	if err != nil {
		return "", nil, err
	}
	if q.Facts.Settings.NeedsApproval {
		return "", nil, say(plain(sayRenewApproval(was))) // since it was activated
	}
	was.Settings = q.Facts.Settings
	id, in := b.inPlace(k, reply, q, was, p, b.renewProof(ctx, was, g, s))
	return id, in, nil
}

// inPlace makes an ask take the place of what is there: its end, or withdrawal,
// comes first. Both have warrants of their own, of the same click.
func (b *Bot) inPlace(k activation.Kept, reply string, q activation.Ask, was activation.Activation, p activation.Person, proof activation.Proof) (string, activation.Input) {
	q.ID, q.Tag, q.Reply, q.After = derive("ask", k.ID, 10), strings.ToUpper(derive("tag", k.ID, 4)), reply, was.ID
	q.Warrant = b.mint(k, asked(q), activation.Submit, "", p, proof)
	if activation.Judge(q, q.Facts, k.At).Refusal() != nil {
		return q.ID, q // refused and told like any other, and nothing ends
	}
	end := b.mintUntil(q.Warrant.Expires, b.part(k, 1), was, was.Leaving(), "", p, proof)
	return q.ID, activation.Renewal{Ask: q, Finish: activation.Finish{By: p, Warrant: end, Next: q.ID}}
}

// asBefore fills an order with what was asked for last time.
func asBefore(o order, was activation.Activation) order {
	o.access = was.Access
	if o.length == 0 && o.until == "" {
		o.length = wholeLength(was)
	}
	if o.reason == "" {
		o.reason = ownReason(was)
	}
	if o.ticket == "" {
		o.ticket = was.Ticket
	}
	return o
}

// renewForm says what a renewal costs, and asks for how long and why.
func (b *Bot) renewForm(a activation.Activation, o order) slack.ModalViewRequest {
	o = asBefore(o, a)
	like := a
	like.Length, like.Until, like.Reason, like.Ticket = activation.Duration(o.length), time.Time{}, o.reason, o.ticket
	blocks := append([]slack.Block{rich(sayRenewForm(a, b.relearns(a)))}, termInputs(like, o)...)
	form := modal(formRenew, "Renew access", "Renew", about{ID: a.ID, Deed: activation.Submit}, blocks...)
	form.Close = words("Cancel")
	return form
}

// termInputs ask for how long and why.
func termInputs(like activation.Activation, o order) (blocks []slack.Block) {
	for _, in := range askForm(like, false).Blocks.BlockSet {
		if i, ok := in.(*slack.InputBlock); ok && (i.BlockID == inLength || i.BlockID == inUntil || i.BlockID == inReason || i.BlockID == inTicket) {
			if t, ok := i.Element.(*slack.TimePickerBlockElement); ok && o.until != "" {
				t.InitialTime = fmt.Sprintf("%05s", o.until)
			}
			blocks = append(blocks, in)
		}
	}
	return blocks
}

// renewed reads that form.
func renewed(v slack.View) order {
	return filled(v)
}

// relearns names what must notice the gap and learn the access again, with how
// long that usually takes here.
func (b *Bot) relearns(a activation.Activation) []string {
	var all []string
	for _, t := range a.Targets {
		if t.Level == activation.L0 {
			continue
		}
		name := lit(t.Name)
		if b.Measures != nil {
			if s := b.Measures.Usually(t.ID, activation.Grant); s != "" {
				name += " (" + lit(s) + ")"
			}
		}
		all = append(all, name)
	}
	return all
}

// before is the activation whose place another one takes.
func (m *Mouth) before(ctx context.Context, a activation.Activation) (activation.Activation, bool) {
	if a.After == "" {
		return activation.Activation{}, false
	}
	was, err := m.Engine.Load(ctx, a.After)
	if err != nil || was.ID == "" {
		m.Log.Warn("what was before can't be read", "activation", a.ID, "err", err)
		return was, false
	}
	return was, true
}

// signRenewal asks for the one confirmation of both deeds.
func (m *Mouth) signRenewal(ctx context.Context, a activation.Activation, d activation.Pending) (message, bool) {
	was, ok := m.before(ctx, a)
	if !ok || d.Warrant.Deed != activation.Submit {
		return message{}, false
	}
	for _, e := range was.Deeds {
		if e.Warrant.Deed != was.Leaving() || !e.Needs {
			continue
		}
		if a.Switches() {
			g, _ := m.group(a.Group.ID)
			return linked(saySignSwitch(a, was, d, g.excludes(was.Group.ID), m.Now()), sayConfirm, m.SignIn.Link(d.Warrant, e.Warrant), a.ID), true
		}
		return linked(saySignRenewal(a, was, d, m.relearns(was)), sayConfirm, m.SignIn.Link(d.Warrant, e.Warrant), a.ID), true
	}
	return message{}, false
}

// gap says how long a renewal left the person without access.
func (m *Mouth) gap(ctx context.Context, a activation.Activation) string {
	was, ok := m.before(ctx, a)
	if ok && a.Switches() {
		return " " + saySwitched(was, a)
	}
	if !ok || was.Ended.IsZero() {
		return ""
	}
	return " " + sayGap(was.Ended, a.From)
}

// meanwhile says, beside what became of a renewal or switch, what the person still
// has.
func (m *Mouth) meanwhile(ctx context.Context, a activation.Activation) string {
	was, ok := m.before(ctx, a)
	if !ok {
		return ""
	}
	return " " + sayMeanwhile(was, a)
}
