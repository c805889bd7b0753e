package e2e

import (
	"strings"

	"pagbot/internal/demo"
	"pagbot/sim/slack"
)

// inSlack turns Slack's dials.
func inSlack(name string, turn func(*slack.Dials)) way {
	return way{name: name, turn: func(p *place) { p.Slack.Turn(turn) }}
}

// oneOrOther are the two ways of a dial that is on or off.
func oneOrOther(dial func(*slack.Dials) *bool) []way {
	set := func(v bool) func(*slack.Dials) { return func(d *slack.Dials) { *dial(d) = v } }
	return []way{inSlack("off", set(false)), inSlack("on", set(true))}
}

var openInSlack = []open{
	{dial: "ping_every", story: life, ways: []way{
		inSlack("8 s", func(d *slack.Dials) { d.PingEvery = 8 }),
		inSlack("never", func(d *slack.Dials) { d.PingEvery = 0 }),
		inSlack("29 s", func(d *slack.Dials) { d.PingEvery = 29 }),
	}},
	{dial: "true_channel_names", story: life, ways: oneOrOther(func(d *slack.Dials) *bool { return &d.TrueChannelNames })},
	{dial: "hide_confirmed", story: life, ways: oneOrOther(func(d *slack.Dials) *bool { return &d.HideConfirmed })},
	{dial: "home_event_scope", story: life, ways: []way{
		inSlack("none", func(d *slack.Dials) { d.HomeEventScope = "" }).seen((*town).homeIsCurrent),
		inSlack("im:history", func(d *slack.Dials) { d.HomeEventScope = "im:history" }),
	}},
}

// homeIsCurrent: the Home tab says what is true by now.
func (w *town) homeIsCurrent() {
	w.t.Helper()
	v, ok := w.Person(demo.Requester).Home()
	if text := w.Person(demo.Requester).ViewText(v); !ok || !strings.Contains(text, "nothing active") {
		w.t.Errorf("the Home tab says %q", text)
	}
}
