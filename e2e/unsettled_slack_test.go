package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pagbot/activation"
	"pagbot/internal/demo"
	"pagbot/sim/slack"
)

// The stories that play what Slack leaves open.
const (
	sockets = "TestUnsettledSockets"
	away    = "TestUnsettledAway"
	answers = "TestUnsettledAnswers"
	shared  = "TestUnsettledShare"
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
	{dial: "stop_after_warning refresh_linger", story: sockets, ways: []way{
		inSlack("served until the end", func(d *slack.Dials) { d.StopAfterWarning, d.RefreshLinger = false, 2 }),
		inSlack("no more envelopes, cut at once", func(d *slack.Dials) { d.StopAfterWarning, d.RefreshLinger = true, 0 }),
		inSlack("long after", func(d *slack.Dials) { d.StopAfterWarning, d.RefreshLinger = false, 15 }),
	}},
	{dial: "ack_own_socket_only", story: sockets, ways: oneOrOther(func(d *slack.Dials) *bool { return &d.AckOwnSocketOnly })},
	{dial: "accept_continuation", story: sockets, ways: oneOrOther(func(d *slack.Dials) *bool { return &d.AcceptContinuation })},
	{dial: "cap_drops_oldest", story: sockets, ways: []way{
		inSlack("the new one", func(d *slack.Dials) { d.MaxConnections, d.CapDropsOldest = 3, false }),
		inSlack("the oldest", func(d *slack.Dials) { d.MaxConnections, d.CapDropsOldest = 3, true }),
	}},
	{dial: "ghost_life", story: sockets, ways: []way{
		inSlack("30 s", func(d *slack.Dials) { d.GhostLife = 30 }),
		inSlack("for ever", func(d *slack.Dials) { d.GhostLife = 0 }),
	}},
	{dial: "per_minute", story: sockets, ways: []way{
		inSlack("tier 3", func(d *slack.Dials) { d.PerMinute = map[string]int{"apps.connections.open": 50} }),
		inSlack("tier 1", func(d *slack.Dials) { d.PerMinute = map[string]int{"apps.connections.open": 1} }),
	}},
	{dial: "latency", story: sockets, ways: []way{
		inSlack("at once", func(d *slack.Dials) { d.Latency = nil }),
		inSlack("2 s", func(d *slack.Dials) { d.Latency = map[string]slack.Seconds{"apps.connections.open": 2} }),
	}},
	{dial: "redeliver_unacked", story: away, ways: []way{
		inSlack("never", func(d *slack.Dials) { d.RedeliverUnacked = 0 }),
		inSlack("three times", func(d *slack.Dials) { d.RedeliverUnacked = 3 }),
	}},
	{dial: "accept_late_acks", story: away, ways: oneOrOther(func(d *slack.Dials) *bool { return &d.AcceptLateAcks })},
	{dial: "event_retries", story: away, ways: []way{
		inSlack("as over HTTP", func(d *slack.Dials) { d.EventRetries = []slack.Seconds{0, 60, 300} }),
		inSlack("none", func(d *slack.Dials) { d.EventRetries = nil }),
	}},
	{dial: "delayed_events", story: away, ways: oneOrOther(func(d *slack.Dials) *bool { return &d.DelayedEvents })},
	{dial: "failures_switch_off", story: away, ways: oneOrOther(func(d *slack.Dials) *bool { return &d.FailuresSwitchOff })},
	{dial: "trigger_guide_errors", story: answers, ways: oneOrOther(func(d *slack.Dials) *bool { return &d.TriggerGuideErrors })},
	{dial: "response_used response_expired", story: answers, ways: []way{
		inSlack("used_url, expired_url", func(d *slack.Dials) { d.ResponseUsed, d.ResponseExpired = "used_url", "expired_url" }),
		inSlack("another word", func(d *slack.Dials) { d.ResponseUsed, d.ResponseExpired = "no_more", "too_old" }),
	}},
	{dial: "option_value_max", story: answers, ways: []way{
		inSlack("75", func(d *slack.Dials) { d.OptionValueMax = 75 }),
		inSlack("150", func(d *slack.Dials) { d.OptionValueMax = 150 }),
	}},
	{dial: "blocks_text_max", story: answers, ways: []way{
		inSlack("13,200", func(d *slack.Dials) { d.BlocksTextMax = 13200 }),
		inSlack("4,000", func(d *slack.Dials) { d.BlocksTextMax = 4000 }),
	}},
	{dial: "refused_blocks refuse_raw_number", story: answers, ways: []way{
		inSlack("all there", func(d *slack.Dials) { d.RefusedBlocks, d.RefuseNumbers = nil, false }),
		inSlack("young ones missing", func(d *slack.Dials) {
			d.RefusedBlocks, d.RefuseNumbers = strings.Fields("table data_table data_visualization alert card carousel container layout markdown"), true
		}),
	}},
	{dial: "old_channel_ids", story: shared, ways: oneOrOther(func(d *slack.Dials) *bool { return &d.OldChannelIDs })},
	{dial: "delete_alone", why: "the bot deletes no answer: it replaces them"},
	{dial: "visible_to_means_it", why: "the bot hides no button from anybody: who may press is asked at the press"},
	{dial: "away_refuses", why: "the bot sends no ephemeral messages but answers to what somebody did just now"},
	{dial: "metadata_max", why: "the bot's messages carry no metadata"},
	{dial: "metadata_scope", why: "the bot reads no metadata"},
	{dial: "chart_max", why: "the bot draws pictures, and no charts of Slack's"},
}

// homeIsCurrent: the Home tab says what is true by now.
func (w *town) homeIsCurrent() {
	w.t.Helper()
	v, ok := w.Person(demo.Requester).Home()
	if text := w.Person(demo.Requester).ViewText(v); !ok || !strings.Contains(text, "nothing active") {
		w.t.Errorf("the Home tab says %q", text)
	}
}

// TestUnsettledSockets: connections are refreshed, reset and left as ghosts
// while a person asks, again and again. Each ask is answered once, or the person
// sees that it was not taken.
func TestUnsettledSockets(t *testing.T) {
	plays(t, lean(), func(w *town) {
		w.pass(5 * time.Second) // its first connections
		w.Slack.Turn(func(d *slack.Dials) { d.Lifetime, d.WarningGap, d.DuplicateRate = 150, 10, .3 })
		w.Slack.Refresh(0)
		w.pass(time.Minute)
		w.keepsSession(demo.Requester)
		lost := 0
		for i := range 20 {
			switch i {
			case 4:
				w.Slack.MakeGhost(w.someSocket())
			case 8:
				w.Slack.Reset(0)
			case 12:
				w.Slack.Disconnect(w.someSocket(), "warning")
			case 16:
				w.Slack.ReapGhosts()
			}
			lost += w.repeats(demo.Requester, fmt.Sprintf("/pag deactivate nothing-%d", i))
			w.sees(demo.Requester, w.Channel.ID, time.Minute, fmt.Sprintf("“nothing-%d”", i))
			w.pass(10 * time.Second)
		}
		if lost > 15 {
			w.t.Errorf("20 commands met no connection %d times", lost)
		}
		w.t.Logf("20 commands, and %d times no connection", lost)
		w.Slack.Turn(func(d *slack.Dials) { d.Lifetime = 3600 })
		w.everyAckOnce()
		w.repeats(demo.Requester, `/pag activate release-managers 30m "release 42 is stuck"`)
		w.expires(demo.Releasers)
		w.oneCard("no longer listed")
	})
}

// repeats types a command until Slack takes it, as a person does, and counts how
// often it did not.
func (w *town) repeats(name, text string) (lost int) {
	w.t.Helper()
	for ; ; lost++ {
		r, err := w.Person(name).Command(w.t.Context(), w.Channel.ID, text)
		switch {
		case err == nil && r.Error == "":
			return lost
		case err != nil || lost == 10:
			w.t.Fatalf("%s: %v %s", text, err, r.Error)
		}
		w.pass(10 * time.Second)
	}
}

// TestUnsettledAway: people press and type while the bot is down, and repeat it
// when nothing comes of it. What comes late then, comes once.
func TestUnsettledAway(t *testing.T) {
	plays(t, lean(), func(w *town) {
		w.keepsSession(demo.Requester)
		w.stop()
		p := w.Person(demo.Requester)
		ask := `/pag activate release-managers 30m "release 42 is stuck"`
		if r, _ := p.Command(w.t.Context(), w.Channel.ID, ask); r.Error == "" {
			w.t.Error("nobody was there, and the person sees no error")
		}
		if err := p.OpenHome(); err != nil {
			w.t.Fatal(err)
		}
		w.pass(20 * time.Second)
		w.start()
		_, _ = p.Command(w.t.Context(), w.Channel.ID, ask)
		if err := p.OpenHome(); err != nil {
			w.t.Fatal(err)
		}
		w.sees(demo.Requester, w.mine(demo.Requester), time.Minute, "You have release-managers")
		w.pass(2 * time.Hour)
		w.homeIsCurrent()
		w.oneCard("no longer listed")
		w.did(map[string]int{"selfActivate": 1})
		w.closes(true)
	})
}

// TestUnsettledAnswers: forms whose moment has passed, answers that are taken no
// more, and everything that is long.
func TestUnsettledAnswers(t *testing.T) {
	plays(t, lean(), func(w *town) {
		card := w.awaits()
		w.Slack.Turn(func(d *slack.Dials) { d.TriggerLife = -1 })
		w.presses(demo.Approver, card, "approve")
		w.sees(demo.Approver, w.Channel.ID, time.Minute, "Please press the button again")
		w.Slack.Turn(func(d *slack.Dials) { d.TriggerLife, d.ResponseUses = 3, 0 })
		w.types(demo.Requester, "/pag status")
		w.sees(demo.Requester, w.mine(demo.Requester), time.Minute, "devops-admins", "An approver is needed")
		w.Slack.Turn(func(d *slack.Dials) { d.ResponseUses = 5 })
		w.types(demo.Requester, "/pag help")
		w.sees(demo.Requester, w.Channel.ID, time.Minute, "/pag activate GROUP")
		w.types(demo.Requester, "/pag list")
		w.sees(demo.Requester, w.Channel.ID, time.Minute, "You may activate")
		w.types(demo.Requester, "/pag activate")
		form := w.form(demo.Requester)
		if groups, err := w.Person(demo.Requester).Suggest(w.t.Context(), form.ID, "v", "release"); err != nil || len(groups) != 1 {
			w.t.Errorf("groups to choose from: %v %v", groups, err)
		}
		w.decides(demo.Second, w.current(card), "deny")
		w.sees(demo.Requester, w.mine(demo.Requester), time.Minute, "Denied by @second-approver")
		w.did(map[string]int{"selfActivate": 1, "decide": 1})
		w.outcome(activation.Denied)
	})
}

// TestUnsettledShare: somebody begins to share the channel of the cards with
// another company. What stands there is shown to nobody else from then on, and
// what the person must know reaches them.
func TestUnsettledShare(t *testing.T) {
	plays(t, lean(), func(w *town) {
		w.gets(demo.Releasers, "1h")
		if _, ok := w.Slack.StartShare(w.Channel.ID, "T0ELSEWHERE"); !ok {
			w.t.Fatal("the channel can't be shared")
		}
		w.sees(demo.Requester, w.mine(demo.Requester), 2*time.Hour, "Your release-managers is over", "Entra ID: no longer listed")
		w.did(map[string]int{"selfActivate": 1})
		w.closes(true)
	})
}
