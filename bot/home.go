package bot

import (
	"context"
	"encoding/json"
	"slices"
	"sort"

	"github.com/slack-go/slack"

	"pagbot/activation"
)

// homeEvent is Slack's word that a person opened our Home tab.
type homeEvent struct {
	Team  string `json:"team_id"`
	App   string `json:"api_app_id"`
	Event struct {
		Type string `json:"type"`
		User string `json:"user"`
		Tab  string `json:"tab"`
	} `json:"event"`
	Authorizations []struct {
		Enterprise string `json:"enterprise_id"`
	} `json:"authorizations"`
}

// opened shows a person their Home tab, and from then on keeps it up to date.
func (b *Bot) opened(ctx context.Context, k activation.Kept, raw json.RawMessage) error {
	var e homeEvent
	if err := json.Unmarshal(raw, &e); err != nil || e.Event.Type != "app_home_opened" || e.Event.Tab != "home" {
		return nil
	}
	c := caller{user: e.Event.User, team: e.Team, app: e.App}
	if len(e.Authorizations) > 0 {
		c.enterprise = e.Authorizations[0].Enterprise
	}
	s, _, err := b.authorize(ctx, c, wish{})
	if err == nil {
		// What they may activate comes a moment later: the tab is not empty until then.
		list, read := b.remembered(c.user)
		if err = b.publish(ctx, s, list, read); err == nil {
			b.noteHome(ctx, c.user)
			if list, err = b.mayActivate(ctx, s); err == nil {
				return b.publish(ctx, s, list, true)
			}
		}
	}
	return b.failed(ctx, k, err, activation.Activation{}, func(m message) error { return b.put(ctx, c.user, m.blocks) })
}

// publish renders a person's Home tab.
func (b *Bot) publish(ctx context.Context, s someone, list []may, read bool) error {
	open, err := b.open(ctx, s)
	if err != nil {
		return err
	}
	last, err := b.lately(ctx, s)
	if err != nil {
		return err
	}
	return b.put(ctx, s.slack.ID, b.home(open, last, list, read, len(s.accounts) > 1))
}

// put publishes a Home tab, if it is another than the one that is there.
func (b *Bot) put(ctx context.Context, user string, blocks []slack.Block) error {
	hash := message{blocks: blocks}.hash()
	b.mu.Lock()
	same := b.homes[user] == hash
	b.mu.Unlock()
	if same {
		return nil
	}
	view := slack.HomeTabViewRequest{Type: slack.VTHomeTab, Blocks: slack.Blocks{BlockSet: blocks}}
	if _, err := b.API.PublishViewContext(ctx, slack.PublishViewContextRequest{UserID: user, View: view}); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.homes) > 10_000 {
		clear(b.homes)
	}
	b.homes[user] = hash
	return nil
}

// againMost is how many earlier asks are offered to be repeated.
const againMost = 3

// lately are the person's last asks, each thing once, the newest first.
func (b *Bot) lately(ctx context.Context, s someone) ([]activation.Activation, error) {
	var all []activation.Activation
	for _, p := range s.accounts {
		list, err := b.Engine.Lately(ctx, p.Tenant+"/"+p.Object)
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	sort.SliceStable(all, func(i, k int) bool { return all[i].Began.After(all[k].Began) })
	var some []activation.Activation
	for _, a := range all {
		_, looked := b.group(a.Group.ID)
		if looked && !slices.ContainsFunc(some, func(o activation.Activation) bool { return o.Key() == a.Key() }) {
			some = append(some, a)
		}
	}
	return some, nil
}

// home is the tab: what a person has, what they may have, and the way there.
func (b *Bot) home(open, last []activation.Activation, list []may, read, several bool) []slack.Block {
	var blocks []slack.Block
	if b.SignIn != nil {
		blocks = append(blocks, slack.NewActionBlock("ask", button(actAsk, "ask", sayHomeAsk, slack.StylePrimary)))
	} else {
		blocks = append(blocks, rich(sayHomeWatch(b.Portal)))
	}
	blocks = append(blocks, heading(sayHomeOpen))
	if len(open) == 0 {
		blocks = append(blocks, rich(sayStatus(nil, false)))
	}
	for i, a := range open {
		if i == linesMost {
			blocks = append(blocks, rich(sayMore(len(open)-i)))
			break
		}
		blocks = append(blocks, rich(sayMine(a, several)))
		if t := sayTargets(a); t != "" {
			blocks = append(blocks, rich(t))
		}
		if label := sayEndButton(a); label != "" && b.SignIn != nil {
			buttons := append([]slack.BlockElement{button(actFinish, a.ID, label, slack.StyleDefault)}, b.switches(a, list)...)
			blocks = append(blocks, slack.NewActionBlock("end|"+a.ID, buttons...))
		}
	}
	if b.SignIn != nil && len(last) > 0 {
		blocks = append(blocks, heading(sayHomeAgain))
		for _, a := range last[:min(len(last), againMost)] {
			blocks = append(blocks, slack.NewActionBlock("again|"+a.ID, button(actAgain, a.ID, clip(bare(sayAgain(a, several)), 75), slack.StyleDefault)))
		}
	}
	blocks = append(blocks, heading(sayHomeMay))
	for _, text := range sayMay(list, read, several) {
		blocks = append(blocks, rich(text))
	}
	return blocks
}

func heading(s string) slack.Block { return slack.NewHeaderBlock(words(s)) }
