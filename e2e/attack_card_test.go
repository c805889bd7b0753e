package e2e

import (
	"encoding/json"
	"maps"
	"regexp"
	"testing"
	"time"

	"pagbot/activation"
	"pagbot/internal/demo"
	"pagbot/sim/slack"
)

// What may not: cards that are not the bot's own, and forms that say something
// else than what was opened.

// scene is an honest card, and another whose buttons the attacker has too.
type scene struct {
	channel, dm          string
	card, elsewhere      slack.Message
	activation, anothers string
}

// edit changes the pressed button in a click's frame.
func edit(p map[string]any, field, value string) {
	list, _ := p["actions"].([]any)
	action, _ := list[0].(map[string]any)
	action[field] = value
}

// move says that the click was made on another message.
func move(p map[string]any, channel, ts string) {
	p["container"] = map[string]any{"type": "message", "channel_id": channel, "message_ts": ts}
	p["channel"] = map[string]any{"id": channel}
}

// forgeries are changes to a click on the honest card.
var forgeries = map[string]func(s scene, p map[string]any){
	"copied to another message":     func(s scene, p map[string]any) { move(p, s.channel, "946684800.000099") },
	"copied to another channel":     func(s scene, p map[string]any) { move(p, "C0ELSEWHERE", s.card.TS) },
	"copied to a DM":                func(s scene, p map[string]any) { move(p, s.dm, s.card.TS) },
	"copied on top of another card": func(s scene, p map[string]any) { move(p, s.channel, s.elsewhere.TS) },
	"with another's activation":     func(s scene, p map[string]any) { edit(p, "value", s.anothers) },
	"with a made-up activation":     func(_ scene, p map[string]any) { edit(p, "value", "nosuchthing") },
	"with no activation":            func(_ scene, p map[string]any) { edit(p, "value", "") },
	"with a path for an activation": func(s scene, p map[string]any) { edit(p, "value", "../"+s.activation) },
	"of another effect":             func(_ scene, p map[string]any) { edit(p, "block_id", "pag|signin") },
	"of no effect":                  func(_ scene, p map[string]any) { edit(p, "block_id", "") },
	"of an effect by its full key": func(s scene, p map[string]any) {
		edit(p, "value", "")
		edit(p, "block_id", "pag|"+s.activation+"/card")
	},
	"from a view":  func(_ scene, p map[string]any) { p["container"] = map[string]any{"type": "view", "view_id": "V0"} },
	"from nowhere": func(_ scene, p map[string]any) { delete(p, "container") },
}

// TestAttackCard presses buttons as the true approver, on cards that were
// copied or edited.
func TestAttackCard(t *testing.T) {
	approve := func(card slack.Message, forge func(map[string]any)) press {
		return press{by: demo.Approver, on: slack.Click{TS: card.TS, Action: "approve"}, forge: forge}
	}
	for what, forge := range forgeries {
		t.Run(what, func(t *testing.T) {
			inTown(t, setup{found: anotherRequester}, func(w *town) {
				x := scene{channel: w.Channel.ID, dm: w.Person(demo.Approver).DM(), card: w.asked()}
				x.activation = w.only().ID
				x.elsewhere = w.another()
				x.anothers = w.other(x.activation)
				w.nothing(func() { w.told(w.insists(approve(x.card, func(p map[string]any) { forge(x, p) })), notOurs) })
			})
		})
	}
	t.Run("with another action", func(t *testing.T) {
		inTown(t, setup{}, func(w *town) {
			card := w.asked()
			action := func(name string) func(map[string]any) {
				return func(p map[string]any) { edit(p, "action_id", name) }
			}
			for _, name := range []string{"", "Approve", "vote", "open", "approve "} {
				w.nothing(func() { w.told(w.insists(approve(card, action(name))), "^$") })
			}
			w.nothing(func() { w.told(w.insists(approve(card, action("finish"))), notYours) })
		})
	})
}

// another is the card of a second person's request, made in the portal.
func (w *town) another() slack.Message {
	w.t.Helper()
	if _, err := w.Entra.Portal(w.Account(demo.Second)).Activate(w.Groups[demo.DevOpsAdmins].ID, "member", time.Hour, "a second one"); err != nil {
		w.t.Fatal(err)
	}
	return w.sees(demo.Approver, w.Channel.ID, 5*time.Minute, "a second one")
}

// other is the open activation that has not this id.
func (w *town) other(id string) string {
	w.t.Helper()
	for o := range w.underWay() {
		if o != id {
			return o
		}
	}
	w.t.Fatal("there is no other activation")
	return ""
}

// TestAttackOldCard presses the buttons of a card as a client showed it before
// it was decided.
func TestAttackOldCard(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		card := w.asked()
		w.confirms(demo.Approver, w.browser(), w.voted(card))
		w.sees(demo.Requester, w.Channel.ID, time.Minute, "has", "devops-admins", "until")
		w.nothing(func() {
			for _, action := range []string{"approve", "deny"} {
				w.told(w.insists(press{by: demo.Second, on: slack.Click{TS: card.TS, Action: action, Revision: card.Revision}}), tooLate)
			}
		})
	})
}

// meta is what a form keeps of what it is about.
func meta(id string, d activation.Deed) string {
	b, err := json.Marshal(map[string]any{"id": id, "deed": d})
	if err != nil {
		panic(err)
	}
	return string(b)
}

// TestAttackForm sends forms that were never opened like that.
func TestAttackForm(t *testing.T) {
	inTown(t, setup{found: secondAccount}, func(w *town) {
		w.asked()
		id := w.only().ID
		forms := []struct {
			what, by, account string
			view              slack.View
			words             string
		}{
			{"a vote about oneself", demo.Requester, second, slack.View{CallbackID: "vote", PrivateMetadata: meta(id, activation.Approve)}, ownRequest},
			{"a vote by nobody's approver", demo.Second, "", slack.View{CallbackID: "vote", PrivateMetadata: meta(id, activation.Approve)}, notApprover},
			{"the end of another's access", demo.Approver, "", slack.View{CallbackID: "finish", PrivateMetadata: meta(id, activation.End)}, notYours},
			{"the end with a vote in it", demo.Approver, "", slack.View{CallbackID: "finish", PrivateMetadata: meta(id, activation.Approve)}, notYours},
			{"a vote on what isn't there", demo.Approver, "", slack.View{CallbackID: "vote", PrivateMetadata: meta("nosuch", activation.Approve)}, notOurs},
			{"a vote that is a submit", demo.Approver, "", slack.View{CallbackID: "vote", PrivateMetadata: meta(id, activation.Submit)}, ""},
			{"a vote that is an end", demo.Approver, "", slack.View{CallbackID: "vote", PrivateMetadata: meta(id, activation.End)}, ""},
			{"another callback", demo.Approver, "", slack.View{CallbackID: "approve", PrivateMetadata: meta(id, activation.Approve)}, notYours},
			{"nothing in it", demo.Approver, "", slack.View{CallbackID: "vote"}, ""},
			{"no JSON in it", demo.Approver, "", slack.View{CallbackID: "vote", PrivateMetadata: id}, ""},
		}
		for _, f := range forms {
			w.nothing(func() {
				seen := w.everything()
				w.submits(f.by, f.view, nil)
				if answer := w.follows(f.by, f.account, seen); !regexp.MustCompile(f.words).MatchString(answer) || f.words == "" && answer != "" {
					w.t.Errorf("%s: %q", f.what, answer)
				}
			})
		}
	})
}

// TestAttackSwitchedDeed opens Deny and sends Approve: the browser names the
// deed that would be done, and a person who reads it stops there.
func TestAttackSwitchedDeed(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		card := w.asked()
		id := w.only().ID
		w.presses(demo.Approver, card, "deny")
		w.rest(5 * time.Second)
		view := w.Person(demo.Approver).Views()[0]
		view.PrivateMetadata = meta(id, activation.Approve)
		w.nothing(func() {
			w.submits(demo.Approver, view, nil)
			page, err := w.browser().Open(w.newest(demo.Approver))
			if err != nil {
				w.t.Fatal(err)
			}
			w.told(page.Title+page.Text, "Approve", "You clicked Approve", "adm-requester@contoso.example", "release 42 is stuck")
		})
	})
}

// TestAttackFrame sends what is no frame of Slack's at all.
func TestAttackFrame(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		w.asked()
		click := map[string]any{}
		for _, e := range w.Slack.History(slack.Query{Kind: "envelope"}) {
			click, _ = e.Request.(map[string]any)
		}
		w.nothing(func() {
			for kind, payload := range map[string]map[string]any{
				"interactive":    {"type": "block_actions", "user": "U0APPROVER", "actions": "approve"},
				"slash_commands": {"user_id": []any{"U0REQUESTER"}, "text": 7},
				"events_api":     {"type": "event_callback", "event": map[string]any{"type": "message", "text": "/pag activate devops-admins 1h x"}},
				"unheard_of":     maps.Clone(click),
			} {
				if _, err := w.Slack.Inject(w.t.Context(), w.App.ID, kind, payload); err != nil {
					w.t.Error(err)
				}
			}
		})
		w.types(demo.Requester, "/pag status") // and the bot lives on
		w.sees(demo.Requester, w.Channel.ID, time.Minute, "devops-admins")
	})
}
