package bot

import (
	"strings"
	"testing"
	"time"

	"pagbot/activation"
	sim "pagbot/sim/slack"
)

func fault(method string, status, count int) sim.Fault {
	return sim.Fault{Method: method, Kind: "status", Status: status, Count: count}
}

// Whom nobody lets in, by any way: command, button, form.
func TestOutsidersAreRefusedFirst(t *testing.T) {
	for name, c := range map[string]struct {
		user  func(*sim.User)
		world func(*world)
		says  string // empty: let in
	}{
		"a member":               {},
		"an admin":               {user: func(u *sim.User) { u.Admin, u.Owner = true, true }},
		"a multi-channel guest":  {user: func(u *sim.User) { u.Restricted = true }, says: "no guests"},
		"a single-channel guest": {user: func(u *sim.User) { u.UltraRestricted = true }, says: "no guests"},
		"a bot":                  {user: func(u *sim.User) { u.Bot = true }, says: "no bots"},
		"an app's user":          {user: func(u *sim.User) { u.AppUser = true }, says: "no bots"},
		"a workflow's bot":       {user: func(u *sim.User) { u.WorkflowBot = true }, says: "no bots"},
		"a connector's bot":      {user: func(u *sim.User) { u.ConnectorBot = true }, says: "no bots"},
		"a stranger":             {user: func(u *sim.User) { u.Stranger = true }, says: "nobody from outside"},
		"somebody who left":      {user: func(u *sim.User) { u.Deleted = true }, says: "Only full members"},
		"answered as another":    {user: func(u *sim.User) { u.ID = "U0OTHER" }, says: "Something broke"},
		"another team's":         {user: func(u *sim.User) { u.Team = "T0FABRIKAM" }, says: "nobody from outside"},
		"unbound":                {world: func(w *world) { delete(w.who, approver.Slack.ID) }, says: "which Entra account"},
		"a failed look-up":       {world: func(w *world) { w.Fail(sim.Fault{Method: "users.info", Kind: "status", Status: 503, Count: 99}) }, says: "Something broke"},
		"no such user": {world: func(w *world) {
			w.Fail(sim.Fault{Method: "users.info", Kind: "error", Error: "user_not_found", Count: 3})
		}, says: "nobody from outside"},
		"revoked token": {world: func(w *world) {
			w.Fail(sim.Fault{Method: "users.info", Kind: "error", Error: "token_revoked", Count: 99})
		}, says: "Something broke"},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, nil, func(t *testing.T, w *world) {
				a := scene(activation.AwaitingApproval)
				card := w.posted(a)
				raw := w.raw(t, approver.Slack.ID, card) // what Slack sends, taken while all was well
				time.Sleep(2 * time.Minute)              // the look-up of then is forgotten
				if c.user != nil {
					w.EditUser(approver.Slack.ID, c.user)
				}
				if c.world != nil {
					c.world(w)
				}
				for _, way := range []string{"command", "button", "form"} {
					say, in := w.gate(raw[way])
					switch {
					case c.says == "" && way == "form" && in == nil:
						t.Errorf("%s: the form is refused: %s", way, say)
					case c.says != "" && in != nil:
						t.Errorf("%s: let in: %+v", way, in)
					}
					if c.says != "" {
						has(t, way, say, c.says)
					}
				}
			})
		})
	}
}

// raw are the envelopes of a command, a click and a form of a person.
func (w *world) raw(t *testing.T, user string, card sim.Message) map[string]activation.Kept {
	t.Helper()
	p, out := w.Person(user), map[string]activation.Kept{}
	if _, err := p.Command(w.ctx, general, "/pag list"); err != nil {
		t.Fatal(err)
	}
	w.settle()
	out["command"] = w.kept[len(w.kept)-1]
	if _, err := p.Click(w.ctx, channel, card.TS, "approve"); err != nil {
		t.Fatal(err)
	}
	w.settle()
	out["button"] = w.kept[len(w.kept)-1]
	if _, err := p.Submit(w.ctx, p.Views()[0].ID, map[string]any{"reason": "fine"}); err != nil {
		t.Fatal(err)
	}
	w.settle()
	out["form"] = w.kept[len(w.kept)-1]
	w.heard()
	w.put(scene(activation.AwaitingApproval))
	return out
}

// gate reads an envelope to the last try, and returns what was said to the
// person in answer, and told to the engine.
func (w *world) gate(k activation.Kept) (string, activation.Input) {
	before := w.History(sim.Query{})
	k.Last = true
	_, in, err := w.bot.Read(w.ctx, k)
	if err != nil {
		return "error: " + err.Error(), in
	}
	var said string
	for _, e := range w.History(sim.Query{After: len(before)}) {
		if e.Name == "response_url" || e.Name == "chat.postMessage" {
			args, _ := e.Request.(map[string]any)
			text, _ := args["text"].(string)
			said += text
		}
	}
	return said, in
}

// Which clicks on which messages count.
func TestOnlyOurOwnNewestMessages(t *testing.T) {
	other := func(a *activation.Activation) { a.ID = "zzzzzzzzzz" }
	set := func(path ...string) func(map[string]any) { // the last of path is the value
		return func(p map[string]any) {
			for _, key := range path[:len(path)-2] {
				p = p[key].(map[string]any)
			}
			p[path[len(path)-2]] = path[len(path)-1]
		}
	}
	action := func(key, value string) func(map[string]any) {
		return func(p map[string]any) { p["actions"].([]any)[0].(map[string]any)[key] = value }
	}
	for name, c := range map[string]struct {
		tamper func(map[string]any)
		says   string // empty: the form opens
	}{
		"the card":                     {},
		"another message":              {set("container", "message_ts", "1.000001"), "not the card that counts"},
		"another channel":              {set("container", "channel_id", general), "not the card that counts"},
		"no message":                   {set("container", "message_ts", ""), "not the card that counts"},
		"another activation's button":  {action("value", "zzzzzzzzzz"), "not the card that counts"},
		"an unknown activation":        {action("value", "unheard of"), "don't know this request"},
		"no activation":                {action("value", ""), "don't know this request"},
		"an unknown block":             {action("block_id", "sJ4kd"), "not the card that counts"},
		"another effect's block":       {action("block_id", "pag|dm/7|1"), "not the card that counts"},
		"a block with nothing in it":   {action("block_id", ""), "not the card that counts"},
		"another version of the block": {action("block_id", "pag|card|older"), ""},
		"another app":                  {set("api_app_id", "A0OTHER"), "Only full members"},
		"another team's person":        {set("user", "team_id", "T0FABRIKAM"), "Only full members"},
		"a person of another id":       {set("user", "id", "W0OUTSIDER"), "Only full members"},
		"nobody":                       {set("user", "id", ""), "Only full members"},
		"the requester":                {set("user", "id", requester.Slack.ID), "can't decide on your own request"},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, nil, func(t *testing.T, w *world) {
				w.posted(scene(activation.Active, other))
				card := w.posted(scene(activation.AwaitingApproval))
				p := w.Person(approver.Slack.ID)
				if _, err := p.Forge(w.ctx, sim.Click{Channel: channel, TS: card.TS, Action: "approve"}, c.tamper); err != nil {
					t.Fatal(err)
				}
				w.settle()
				if open := len(p.Views()) > 0; open != (c.says == "") {
					t.Errorf("a form is open: %v", open)
				}
				if c.says != "" {
					has(t, "the answer", read(w.last(p.ID, channel)), c.says)
				}
			})
		})
	}
}

// A card that was deleted and posted anew: the old one is a memory of some
// client, and no longer counts.
func TestOldCard(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		a := scene(activation.AwaitingApproval)
		old := w.posted(a)
		if _, _, err := w.bot.API.DeleteMessageContext(w.ctx, channel, old.TS); err != nil {
			t.Fatal(err)
		}
		a.Ticket = "INC2"
		if next := w.posted(a); next.TS == old.TS {
			t.Fatal("no new card")
		}
		p := w.Person(approver.Slack.ID)
		if _, err := p.Act(w.ctx, sim.Click{Channel: channel, TS: old.TS, Action: "approve", Revision: 1}); err != nil {
			t.Fatal(err)
		}
		w.settle()
		if len(p.Views()) != 0 {
			t.Error("a form opened from an old card")
		}
		has(t, "the answer", read(w.last(p.ID, channel)), "an old copy")
	})
}

// A card whose answer was lost stands in the channel twice. A click on the copy
// that does not count puts a word in its place.
func TestSecondCopy(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		a := scene(activation.AwaitingApproval)
		w.Fail(sim.Fault{Method: "chat.postMessage", Kind: "status", Status: 500, After: true})
		w.posted(a)
		p := w.Person(approver.Slack.ID)
		all := p.Messages(channel)
		if len(all) != 2 {
			t.Fatalf("%d cards", len(all))
		}
		for _, m := range all {
			if _, err := p.Click(w.ctx, channel, m.TS, "approve"); err != nil {
				t.Fatal(err)
			}
			w.settle()
		}
		if len(p.Views()) != 1 {
			t.Errorf("%d forms", len(p.Views()))
		}
		all = p.Messages(channel)
		has(t, "the copy", read(all[0]), "an old copy")
		has(t, "the card", read(all[1]), "[Approve] [Deny]")
		if len(all) != 2 || strings.Contains(read(all[0]), "[") {
			t.Errorf("%d messages, the copy has its buttons still: %s", len(all), read(all[0]))
		}
	})
}

func TestWhoMayDecideAndEnd(t *testing.T) {
	for name, c := range map[string]struct {
		user, button string
		phase        activation.Phase
		change       func(*world)
		says         string
	}{
		"not an approver": {approver.Slack.ID, "deny", activation.AwaitingApproval, func(w *world) { w.dir.approvers = []activation.Person{unknown, {}} }, "don't name you as an approver"},
		"the requester's second": {approver.Slack.ID, "approve", activation.AwaitingApproval, func(w *world) {
			w.who[approver.Slack.ID] = []activation.Person{approver, {Object: "x", Human: "requester"}}
		}, "your own request"},
		"decided meanwhile":       {approver.Slack.ID, "approve", activation.Provisioning, nil, "adm_approver@contoso.example was quicker"},
		"nothing to decide":       {approver.Slack.ID, "approve", activation.Active, func(w *world) { w.change(func(a *activation.Activation) { a.Decision = nil }) }, "not waiting for an answer"},
		"settings unreadable":     {approver.Slack.ID, "approve", activation.AwaitingApproval, func(w *world) { w.dir.err = activation.Refusal{Code: activation.PermissionNeeded} }, "lack a permission"},
		"somebody else's access":  {approver.Slack.ID, "finish", activation.Active, nil, "This is the access of adm_requester@contoso.example"},
		"over already":            {requester.Slack.ID, "finish", activation.Verifying, nil, "*db_admins* is not active any more"},
		"the store does not tell": {approver.Slack.ID, "approve", activation.AwaitingApproval, func(w *world) { w.broken = errBroken }, "Something broke"},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, nil, func(t *testing.T, w *world) {
				shown := activation.AwaitingApproval
				if c.button == "finish" {
					shown = activation.Active
				}
				card := w.posted(scene(shown))
				a := scene(c.phase, decidedBy(approver, true, true, ""))
				a.ID = scene(shown).ID
				w.put(a)
				if c.change != nil {
					c.change(w)
				}
				p := w.Person(c.user)
				if _, err := p.Click(w.ctx, channel, card.TS, c.button); err != nil {
					t.Fatal(err)
				}
				w.settle()
				if len(p.Views()) != 0 {
					t.Error("a form opened")
				}
				has(t, "the answer", read(w.last(p.ID, channel)), c.says)
			})
		})
	}
}

// change changes the only activation.
func (w *world) change(f func(*activation.Activation)) {
	a := w.only(w.t)
	f(&a)
	w.put(a)
}

// Between the form and its confirmation things change.
func TestFormsAreJudgedAgain(t *testing.T) {
	for name, c := range map[string]struct {
		button string
		phase  activation.Phase
		change func(*world)
		says   string
	}{
		"no approver any more": {"approve", activation.AwaitingApproval, func(w *world) { w.dir.approvers = nil }, "don't name you as an approver"},
		"decided meanwhile": {"deny", activation.AwaitingApproval, func(w *world) {
			w.change(decidedBy(unknown, true, false, ""))
			w.change(func(a *activation.Activation) { a.Phase = activation.Active })
		}, "was quicker"},
		"forgotten":              {"approve", activation.AwaitingApproval, func(w *world) { w.acts = map[string]activation.Activation{} }, "don't know this request"},
		"a store that fails":     {"approve", activation.AwaitingApproval, func(w *world) { w.broken = errBroken }, "Something broke"},
		"active, not withdrawn":  {"finish", activation.Active, func(w *world) { w.change(func(a *activation.Activation) { a.Phase = activation.AwaitingApproval }) }, "no longer holds what you were shown"},
		"ended meanwhile":        {"finish", activation.Active, func(w *world) { w.change(func(a *activation.Activation) { a.Phase = activation.Verifying }) }, "not active any more"},
		"no sign-in any more":    {"finish", activation.Active, func(w *world) { w.bot.SignIn = nil }, "I only watch here"},
		"somebody else's by now": {"finish", activation.Active, func(w *world) { w.change(func(a *activation.Activation) { a.Person = approver }) }, "only they can end or withdraw it"},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, nil, func(t *testing.T, w *world) {
				card := w.posted(scene(c.phase, func(a *activation.Activation) { a.Ends = time.Now().Add(time.Hour) }))
				p, values := w.Person(approver.Slack.ID), map[string]any{"reason": "fine"}
				if c.button == "finish" {
					p, values = w.Person(requester.Slack.ID), nil
				}
				if _, err := p.Click(w.ctx, channel, card.TS, c.button); err != nil {
					t.Fatal(err)
				}
				w.settle()
				if len(p.Views()) != 1 {
					t.Fatal(read(w.last(p.ID, channel)))
				}
				c.change(w)
				if _, err := p.Submit(w.ctx, p.Views()[0].ID, values); err != nil {
					t.Fatal(err)
				}
				w.settle()
				if in := w.heard(); len(in) != 0 {
					t.Errorf("told %+v", in)
				}
				has(t, "the DM", w.dm(p.ID), c.says)
			})
		})
	}
}
