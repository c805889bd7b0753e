package bot

import (
	"context"
	"slices"

	"github.com/slack-go/slack"

	"pagbot/activation"
)

// checkMost is how many groups one check may name: Slack takes a message of
// some 13,000 characters.
const checkMost = 4

// check answers what would come of an ask: every rule, whose it is, and how it
// stands. It asks PIM for nothing but what PIM knows, and leaves no trace.
func (b *Bot) check(ctx context.Context, k activation.Kept, o order, s someone, say teller) error {
	groups, err := b.groupsOf(&o)
	if err == nil && len(groups) > checkMost {
		err = complain(sayCheckMost, checkMost)
	}
	if err != nil {
		return say(plain(err.Error()))
	}
	var answer message
	for i, g := range groups {
		text, err := b.verdict(ctx, k, o, g, s)
		if err != nil {
			return err
		}
		if i == 0 {
			answer = plain(text)
			continue
		}
		answer.blocks = append(answer.blocks, slack.NewDividerBlock(), rich(text))
	}
	return say(answer)
}

// verdict is what a check says of one group.
func (b *Bot) verdict(ctx context.Context, k activation.Kept, o order, g Group, s someone) (string, error) {
	q, err := b.gather(ctx, o, g, s, k.At)
	if err != nil {
		return "", err
	}
	var approvers []string
	if q.Facts.Settings.NeedsApproval {
		approvers = b.approverNames(ctx, asked(q))
	}
	v := activation.Judge(q, q.Facts, k.At)
	text := sayVerdict(q, v, approvers, b.SignIn != nil)
	if v.Refusal() != nil {
		return text, nil
	}
	warnings, err := b.warnings(ctx, asked(q))
	return text + sayWarnings(warnings), err
}

// limits says what several groups together want of one ask. Nobody asks PIM about
// the person yet: they may be choosing still.
func (b *Bot) limits(ctx context.Context, o order, choices []choice, s someone) (string, error) {
	asks, err := b.wantedAll(ctx, o, choices, s.zone)
	if err != nil {
		return "", err
	}
	return sayLimits(asks, strictest(asks, b.Now())), nil
}

// warnings are what may surprise the person about what they ask for, together.
func (b *Bot) warnings(ctx context.Context, all ...activation.Activation) ([]string, error) {
	var lines, also []string
	for _, a := range all {
		lines = append(lines, b.tooFew(ctx, a)...)
	}
	if b.Warn == nil || len(all) == 0 {
		return lines, nil
	}
	p := all[0].Person
	open, err := b.Engine.Find(ctx, "person:"+fold(p.Tenant+"/"+p.Object))
	if err != nil {
		return lines, err
	}
	for _, a := range open {
		if a.Phase == activation.Active && a.Access == activation.Member {
			also = append(also, a.Group.ID)
		}
	}
	for _, a := range all {
		if a.Access != activation.Member {
			continue
		}
		others := slices.DeleteFunc(slices.Clone(also), func(id string) bool { return id == a.Group.ID })
		lines = append(lines, b.Warn(ctx, a.Person, a.Group.ID, wholeLength(a), others)...)
		also = append(also, a.Group.ID) // the next one is asked for beside it
	}
	return lines, nil
}

// surprises are the warnings as the end of an answer, which goes out without
// them if they can't be had.
func (b *Bot) surprises(ctx context.Context, all ...activation.Activation) string {
	lines, err := b.warnings(ctx, all...)
	if err != nil {
		b.Log.Warn("an ask goes without its warnings", "err", err)
	}
	return sayWarnings(lines)
}

// preview shows in the form, once a group is picked, what would come of the ask
// as it is filled in so far. The form is there without it; so it may be lost.
func (b *Bot) preview(ctx context.Context, k activation.Kept, i slack.InteractionCallback) error {
	s, _, err := b.authorize(ctx, callerOf(i), wish{})
	if err != nil {
		return err
	}
	o := filled(i.View)
	choices, err := b.choices(&o, s)
	if err != nil {
		return nil // said when it is sent
	}
	var text string
	if len(choices) == 1 {
		one := choices[0]
		text, err = b.verdict(ctx, k, o.of(one), one.group, one.who)
	} else {
		text, err = b.limits(ctx, o, choices, s)
	}
	if err != nil {
		if !k.Last {
			return err
		}
		text = sayNoPreview
	}
	form := askForm(activation.Activation{}, len(s.accounts) > 1)
	shown := rich(text).(*slack.RichTextBlock)
	shown.BlockID = "verdict|" + message{blocks: []slack.Block{shown}}.hash()
	form.Blocks.BlockSet = append(form.Blocks.BlockSet, shown)
	if _, err = b.API.UpdateViewContext(ctx, form, "", i.View.Hash, i.View.ID); err != nil {
		b.Log.Debug("a form moved on before it could be annotated", "err", err)
	}
	return nil
}
