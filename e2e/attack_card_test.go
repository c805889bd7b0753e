package e2e

import (
	"encoding/json"
	"maps"
	"testing"
	"time"

	"pagbot/activation"
	"pagbot/internal/demo"
	"pagbot/sim/slack"
)

// What may not: cards that are not the bot's own, and forms that say something
// else than what was opened.

// edited changes the pressed button in a click's frame.
func edited(change func(action map[string]any)) func(map[string]any) {
	return func(p map[string]any) {
		list, _ := p["actions"].([]any)
		action, _ := list[0].(map[string]any)
		change(action)
	}
}

// moved says that the click was made on another message.
func moved(channel, ts string) func(map[string]any) {
	return func(p map[string]any) {
		p["container"] = map[string]any{"type": "message", "channel_id": channel, "message_ts": ts}
		p["channel"] = map[string]any{"id": channel}
	}
}

// TestAttackCard presses buttons as the true approver, on cards that were
// copied or edited.
func TestAttackCard(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		card := w.asked()
		id := w.only().ID
		// A second card, whose buttons the attacker has too.
		portal := w.Entra.Portal(w.Account(demo.Second))
		if _, err := w.Entra.AddEligibility(w.Groups[demo.DevOpsAdmins].ID, "member", w.Account(demo.Second), time.Time{}); err != nil {
			w.t.Fatal(err)
		}
		if _, err := portal.Activate(w.Groups[demo.DevOpsAdmins].ID, "member", time.Hour, "an honest one"); err != nil {
			w.t.Fatal(err)
		}
		honest := w.sees(demo.Approver, w.Channel.ID, 5*time.Minute, "an honest one")
		value := func(v string) func(map[string]any) { return edited(func(a map[string]any) { a["value"] = v }) }
		block := func(b string) func(map[string]any) { return edited(func(a map[string]any) { a["block_id"] = b }) }
		both := func(v, b string) func(map[string]any) {
			return edited(func(a map[string]any) { a["value"], a["block_id"] = v, b })
		}
		answered := map[string]func(map[string]any){
			"copied to another message":             moved(w.Channel.ID, "946684800.000099"),
			"copied to another channel":             moved("C0ELSEWHERE", card.TS),
			"copied to a DM":                        moved(w.Person(demo.Approver).DM(), card.TS),
			"copied on top of another card":         moved(w.Channel.ID, honest.TS),
			"with the other card's activation":      value(w.other(id)),
			"with a made-up activation":             value("nosuchthing"),
			"with no activation":                    value(""),
			"with a path for an activation":         value("../" + id),
			"of another effect":                     block("pag|signin"),
			"of no effect":                          block(""),
			"of the other's effect by its full key": both("", "pag|"+id+"/card"),
			"from a view":                           func(p map[string]any) { p["container"] = map[string]any{"type": "view", "view_id": "V0"} },
			"from nowhere":                          func(p map[string]any) { delete(p, "container") },
		}
		for what, forge := range answered {
			w.nothing(func() {
				answer := w.insists(press{by: demo.Approver, on: slack.Click{TS: card.TS, Action: "approve"}, forge: forge})
				if !holds(answer, []string{notHere}) {
					w.t.Errorf("a card %s: %q", what, answer)
				}
			})
		}
		for _, what := range []string{"", "Approve", "vote", "open", "approve "} {
			w.nothing(func() {
				w.insists(press{by: demo.Approver, on: slack.Click{TS: card.TS, Action: "approve"}, forge: edited(func(a map[string]any) { a["action_id"] = what })})
			})
		}
		w.nothing(func() { // "End now" on what is somebody else's
			w.told(w.insists(press{by: demo.Approver, on: slack.Click{TS: card.TS, Action: "approve"}, forge: edited(func(a map[string]any) { a["action_id"] = "finish" })}), "somebody else's")
		})
	})
}

// other is the open activation that has not this id.
func (w *town) other(id string) string {
	w.t.Helper()
	for o := range w.lives() {
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
				w.told(w.insists(press{by: demo.Second, on: slack.Click{TS: card.TS, Action: action, Revision: card.Revision}}), "decided this already")
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
			{"a vote about oneself", demo.Requester, second, slack.View{CallbackID: "vote", PrivateMetadata: meta(id, activation.Approve)}, "own request"},
			{"a vote by nobody's approver", demo.Second, "", slack.View{CallbackID: "vote", PrivateMetadata: meta(id, activation.Approve)}, "don't name you"},
			{"the end of another's access", demo.Approver, "", slack.View{CallbackID: "finish", PrivateMetadata: meta(id, activation.End)}, "somebody else's"},
			{"the end with a vote in it", demo.Approver, "", slack.View{CallbackID: "finish", PrivateMetadata: meta(id, activation.Approve)}, "somebody else's"},
			{"a vote on what isn't there", demo.Approver, "", slack.View{CallbackID: "vote", PrivateMetadata: meta("nosuch", activation.Approve)}, notHere},
			{"a vote that is a submit", demo.Approver, "", slack.View{CallbackID: "vote", PrivateMetadata: meta(id, activation.Submit)}, ""},
			{"a vote that is an end", demo.Approver, "", slack.View{CallbackID: "vote", PrivateMetadata: meta(id, activation.End)}, ""},
			{"another callback", demo.Approver, "", slack.View{CallbackID: "approve", PrivateMetadata: meta(id, activation.Approve)}, "somebody else's"},
			{"nothing in it", demo.Approver, "", slack.View{CallbackID: "vote"}, ""},
			{"no JSON in it", demo.Approver, "", slack.View{CallbackID: "vote", PrivateMetadata: id}, ""},
		}
		for _, f := range forms {
			w.nothing(func() {
				seen := w.everything()
				w.submits(f.by, f.view, nil)
				if answer := w.follows(f.by, f.account, seen); !holds(answer, []string{f.words}) || f.words == "" && answer != "" {
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
			dm := w.sees(demo.Approver, w.Person(demo.Approver).DM(), time.Minute, "approve", "devops-admins")
			page, err := w.browser().Open(w.link(dm))
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
