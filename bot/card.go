package bot

import (
	"github.com/slack-go/slack"
	"strings"

	"pagbot/activation"
)

// card renders an activation as its group's channel sees it: a headline, the
// reason, a line per target, and the buttons that its phase allows. It is made
// of the activation, of what is usual here, and of the names of who can decide.
func (b *Bot) card(a activation.Activation, deciders ...string) message {
	headline := sayHeadline(a)
	blocks := []slack.Block{rich(headline), quoted(sayReasonLabel, ownWords(a))}
	if a.Ticket != "" {
		blocks = append(blocks, quoted(sayTicketLabelOf(a), a.Ticket))
	}
	if len(deciders) > 0 {
		blocks = append(blocks, rich(sayDeciders(deciders)))
	}
	if lines := sayTargets(a); lines != "" {
		blocks = append(blocks, rich(lines))
	}
	if a.Stuck != nil {
		blocks = append(blocks, rich(sayStuck(a)))
	}
	if n := b.sayCardNote(a); n != "" {
		blocks = append(blocks, note(n))
	}
	if n := strings.TrimSpace(b.usually(a) + " " + b.looks(a)); n != "" {
		blocks = append(blocks, note(n))
	}
	if buttons := b.buttons(a); len(buttons) > 0 {
		// Slack wants a new block id when a message changes.
		version := message{blocks: blocks}.hash()
		blocks = append(blocks, slack.NewActionBlock(keyed("card", version), buttons...))
	}
	return message{text: notification(headline), blocks: blocks}
}

func (b *Bot) buttons(a activation.Activation) []slack.BlockElement {
	switch {
	case a.Phase == activation.AwaitingApproval && b.SignIn == nil:
		open := button(actOpen, "", "Decide in Entra", slack.StyleDefault)
		open.URL = b.Portal
		return []slack.BlockElement{open}
	case a.Phase == activation.AwaitingApproval:
		return []slack.BlockElement{button(actApprove, a.ID, "Approve", slack.StylePrimary), button(actDeny, a.ID, "Deny", slack.StyleDanger),
			button(actFinish, a.ID, "Withdraw", slack.StyleDefault)}
	case a.Phase == activation.Scheduled && b.SignIn != nil:
		return []slack.BlockElement{button(actFinish, a.ID, "Withdraw", slack.StyleDefault)}
	case (a.Phase == activation.Active || unconfirmed(a)) && b.SignIn != nil:
		return []slack.BlockElement{button(actFinish, a.ID, "End now", slack.StyleDefault)}
	}
	return nil
}
