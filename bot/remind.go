package bot

import (
	"context"

	"github.com/slack-go/slack"

	"pagbot/activation"
)

// reminder brings a request that waits to mind: the approvers in the thread,
// later others too, and at last the requester.
func (m *Mouth) reminder(ctx context.Context, a activation.Activation, e activation.Effect) message {
	if e.Kind == activation.DM {
		msg := plain(sayRescueMine(a))
		if m.SignIn != nil {
			msg.blocks = append(msg.blocks, slack.NewActionBlock(keyed(e.Key, "1"), button(actFinish, a.ID, "Withdraw", slack.StyleDefault)))
		}
		return msg
	}
	names := m.approverNames(ctx, a)
	switch e.Topic {
	case activation.TopicRemind:
		return plain(sayRemind(a, names))
	case activation.TopicMore:
		return plain(sayRemindMore(a, names, m.backup(a)))
	}
	return plain(sayRescue(a, names, m.backup(a)))
}

func (m *Mouth) backup(a activation.Activation) []string {
	g, _ := m.group(a.Group.ID)
	var names []string
	for _, id := range g.Backup {
		names = append(names, who(activation.Person{Slack: activation.SlackUser{ID: id}}))
	}
	return names
}
