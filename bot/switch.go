package bot

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"pagbot/activation"
)

// The form in which a person switches, the button that opens it, and the one that
// asks for what was left once more.
const (
	formSwitch = "switch"
	actSwitch  = "switch"
	actBack    = "back"
)

// excludes reports whether two groups exclude each other.
func (g Group) excludes(id string) bool {
	return slices.ContainsFunc(g.Excludes, func(o string) bool { return strings.EqualFold(o, id) })
}

// rivals fills in what stands in the way of an ask, by pagbot's own rule: with any
// account of the person.
func (b *Bot) rivals(ctx context.Context, f *activation.Facts, g Group, s someone) error {
	for _, id := range g.Excludes {
		if o, ok := b.group(id); ok {
			f.Excludes = append(f.Excludes, o.Group)
		}
	}
	if len(f.Excludes) == 0 {
		return nil
	}
	open, err := b.open(ctx, someone{accounts: b.People.BySlack(s.slack)})
	f.Rivals = slices.DeleteFunc(open, func(a activation.Activation) bool { return a.Phase == activation.Verifying || !g.excludes(a.Group.ID) })
	return err
}

// sides reads "FROM TO 1h …", or "TO 1h …": the second word is a group if it names
// one.
func (b *Bot) sides(o order) (order, string, error) {
	words := o.rest
	if len(words) > 1 && fold(words[0].text) == "from" {
		words = words[1:]
	}
	from, rest := "", words[1:]
	o.group = words[0].text
	if len(rest) > 1 && fold(rest[0].text) == "to" {
		from, o.group, rest = o.group, rest[1].text, rest[2:]
	} else if len(rest) > 0 && !rest[0].quoted {
		if g, _ := b.named(rest[0].text); g != nil {
			from, o.group, rest = o.group, rest[0].text, rest[1:]
		}
	}
	return o, from, o.options(rest)
}

// change understands the command: it finds what is to be left, and for what.
func (b *Bot) change(ctx context.Context, k activation.Kept, c slack.SlashCommand, o order, s someone, say teller) (string, activation.Input, error) {
	o, from, err := b.sides(o)
	if err != nil {
		return "", nil, say(plain(err.Error()))
	}
	to, closest := b.named(o.group)
	if to == nil {
		return "", nil, say(plain(sayUnknownGroup(o.group, closest)))
	}
	open, err := b.open(ctx, s)
	if err != nil {
		return "", nil, err
	}
	open = slices.DeleteFunc(open, func(a activation.Activation) bool {
		meant := from != "" && b.meant(a, order{group: from}) || from == "" && to.excludes(a.Group.ID)
		return !meant || a.Leaving() == "" || a.Group.ID == to.ID
	})
	switch {
	case len(open) != 1:
		return "", nil, say(plain(sayWhichToLeave(open, from, *to)))
	case o.start != "":
		return "", nil, say(plain(saySwitchAt))
	case b.notLeavable(open[0]) != "":
		return "", nil, say(plain(b.notLeavable(open[0])))
	}
	settings, err := b.Directory.Settings(ctx, to.ID, o.access)
	if err != nil {
		return "", nil, err
	}
	if b.switchProof(ctx, open[0], activation.ProofFor(activation.Submit, o.access, settings, to.Proof)) == activation.Session {
		// No browser will ask: the form says what it costs, before it is done.
		return "", nil, b.opens(ctx, c.TriggerID, b.switchForm(open[0], *to, o, settings), say)
	}
	return b.switching(ctx, k, c.ResponseURL, o, open[0], *to, s, say)
}

// notLeavable says why a switch can't begin with that one's end; empty if it can.
func (b *Bot) notLeavable(a activation.Activation) string {
	busy := slices.ContainsFunc(a.Deeds, func(d activation.Pending) bool { return d.Warrant.Deed == a.Leaving() })
	if a.Leaving() == "" || busy {
		return sayNotLeavable(a)
	}
	return ""
}

// switchProof is what both deeds need: one page confirms both.
func (b *Bot) switchProof(ctx context.Context, was activation.Activation, proof activation.Proof) activation.Proof {
	if !b.SignIn.Kept(ctx, was.Person) {
		return activation.Fresh
	}
	return proof
}

// switching makes the ask for the one group, and the end of the other.
func (b *Bot) switching(ctx context.Context, k activation.Kept, reply string, o order, was activation.Activation, to Group, s someone, say teller) (string, activation.Input, error) {
	p, mine := s.account(was)
	if !mine {
		return "", nil, activation.Refusal{Code: activation.NotActive}
	}
	if no := b.notLeavable(was); no != "" {
		return "", nil, say(plain(no))
	}
	q, err := b.gather(ctx, o, to, someone{s.slack, []activation.Person{p}, s.zone}, k.At)
	if err != nil {
		return "", nil, err
	}
	q.Leaves = was.Group
	id, in := b.inPlace(k, reply, q, was, p, b.switchProof(ctx, was, q.Warrant.Proof))
	return id, in, nil
}

// switchForm says what a switch costs, and asks for how long and why.
func (b *Bot) switchForm(was activation.Activation, to Group, o order, settings activation.Settings) slack.ModalViewRequest {
	next := activation.Activation{Person: was.Person, Group: to.Group, Access: o.access, Settings: settings, Length: activation.Duration(o.length), Reason: o.reason, Ticket: o.ticket}
	blocks := append([]slack.Block{rich(saySwitch(next, was, to.excludes(was.Group.ID), b.Now()))}, termInputs(next, o)...)
	form := modal(formSwitch, "Switch access", "Switch", about{was.ID, activation.Submit, may{to, o.access, was.Person}.value()}, blocks...)
	form.Close = words("Cancel")
	return form
}

// clickSwitch opens that form from a refusal, filled in with what was asked for;
// or the form that asks for what was left. Both are made from the store, for whom
// it is about: there is nothing that another message could make of the click.
func (b *Bot) clickSwitch(ctx context.Context, k activation.Kept, i slack.InteractionCallback, act *slack.BlockAction) error {
	a, err := b.Engine.Load(ctx, act.Value)
	if err == nil && a.ID == "" {
		err = activation.Refusal{Code: activation.NotAllowedHere, Text: notKnown}
	}
	var s someone
	if err == nil {
		s, _, err = b.authorize(ctx, callerOf(i), wish{about: &a})
	}
	if err == nil && b.SignIn == nil {
		err = activation.Refusal{Code: activation.NotAllowedHere, Text: watching}
	}
	to, home := strings.CutPrefix(act.ActionID, actSwitch+"|")
	switch {
	case err != nil:
	case act.ActionID == actBack:
		err = b.openAsk(ctx, i.TriggerID, s, a)
	case home:
		err = b.offerOther(ctx, i, a, to, s)
	default:
		err = b.offer(ctx, i, a, s)
	}
	return b.clicked(ctx, k, i, a, err)
}

// switchMost is how many groups to switch to are offered beside each other.
const switchMost = 3

// switches are buttons for what a person may have in the place of what they have.
// They are told apart by their action ids, as Slack wants.
func (b *Bot) switches(a activation.Activation, list []may) (buttons []slack.BlockElement) {
	for _, m := range list {
		if m.group.excludes(a.Group.ID) && m.account.SameAccount(a.Person) && b.notLeavable(a) == "" && len(buttons) < switchMost {
			label := "Switch to " + clip(bare(what(activation.Activation{Group: m.group.Group, Access: m.access})), 60) + "…"
			buttons = append(buttons, button(actSwitch+"|"+m.value(), a.ID, label, slack.StyleDefault))
		}
	}
	return buttons
}

// offerOther opens the form to switch from what a Home tab shows.
func (b *Bot) offerOther(ctx context.Context, i slack.InteractionCallback, was activation.Activation, to string, s someone) error {
	id, access, _ := chosen(to, s)
	g, known := b.group(id)
	if !known || !g.excludes(was.Group.ID) {
		return activation.Refusal{Code: activation.Changed}
	}
	return b.leave(ctx, i, was, g, order{access: access})
}

// leave opens the form to switch from one to another.
func (b *Bot) leave(ctx context.Context, i slack.InteractionCallback, was activation.Activation, to Group, o order) error {
	if no := b.notLeavable(was); no != "" {
		return complaint(no)
	}
	settings, err := b.Directory.Settings(ctx, to.ID, o.access)
	if err != nil {
		return err
	}
	_, err = b.API.OpenViewContext(ctx, i.TriggerID, b.switchForm(was, to, o, settings))
	return err
}

// offer opens the form to switch to what was refused.
func (b *Bot) offer(ctx context.Context, i slack.InteractionCallback, a activation.Activation, s someone) error {
	to, known := b.group(a.Group.ID)
	if a.Refusal == nil || !known {
		return activation.Refusal{Code: activation.Changed}
	}
	was, err := b.Engine.Load(ctx, a.Refusal.Rival)
	if err != nil {
		return err
	}
	if _, mine := s.account(was); !mine {
		return activation.Refusal{Code: activation.NotAllowedHere, Text: notKnown}
	}
	return b.leave(ctx, i, was, to, order{access: a.Access, length: wholeLength(a), reason: ownReason(a), ticket: a.Ticket})
}

// switched reads the form that was confirmed.
func (b *Bot) switched(ctx context.Context, k activation.Kept, v slack.View, on about, was activation.Activation, s someone, say teller) (string, activation.Input, error) {
	o := renewed(v)
	id, access, _ := chosen(on.To, s)
	to, ok := b.group(id)
	if !ok {
		return "", nil, activation.Refusal{Code: activation.Changed}
	}
	o.access = access
	return b.switching(ctx, k, "", o, was, to, s, say)
}

// refused tells of a refusal, and offers what can be done instead.
func (m *Mouth) refused(ctx context.Context, a activation.Activation, e activation.Effect) message {
	was, ok := m.before(ctx, a)
	text := sayDeedRefused(a, e) + m.otherAccount(a, e)
	var do slack.BlockElement
	switch {
	case ok:
		text += " " + sayMeanwhile(was, a)
		if a.Switches() && !was.Ended.IsZero() {
			do = button(actBack, was.ID, "Get "+clip(bare(what(was)), 50)+" back…", slack.StyleDefault)
		}
	case e.Refusal != nil && e.Refusal.Code == activation.Excluded && e.Deed == activation.Submit:
		rival, err := m.Engine.Load(ctx, e.Refusal.Rival)
		if err != nil || rival.Leaving() == "" || !rival.Person.SameAccount(a.Person) {
			text += " " + sayWaitForIt
			break
		}
		text += " " + sayMaySwitch(rival, a)
		do = button(actSwitch, a.ID, "Switch…", slack.StyleDefault)
	}
	msg := plain(strings.TrimSpace(text))
	if do != nil && m.SignIn != nil {
		msg.blocks = append(msg.blocks, slack.NewActionBlock(keyed(e.Key, "1"), do))
	}
	return msg
}

// ended tells the person that it is over; or, if another takes its place, that
// the first half is done.
func (m *Mouth) ended(ctx context.Context, a activation.Activation, key string) message {
	if a.Next != "" && a.Outcome == activation.EndedSoon {
		next, err := m.Engine.Load(ctx, a.Next)
		switch {
		case err != nil || next.Renews():
			return plain(sayMakesRoom(a))
		case next.Switches() && next.Open():
			return plain(sayLeft(a, next))
		}
	}
	return m.withAgain(plain(strings.TrimSpace(sayEnded(a)+" "+m.usually(a))), a, key)
}

// lingering names the systems in which what was left may still work, with until when.
func lingering(was activation.Activation, since time.Time) []string {
	var all []string
	for _, t := range was.Targets {
		if t.Level > activation.L0 && t.Within > 0 && t.Grant.State != activation.HadAlready && !t.Removal.Settled() {
			all = append(all, lit(t.Name)+" (until about "+clockOf(since.Add(time.Duration(t.Within)))+")")
		}
	}
	return all
}
