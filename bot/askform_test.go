package bot

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"pagbot/activation"
	sim "pagbot/sim/slack"
)

// form is the modal that a person has open.
func (w *world) form(user string) sim.View {
	w.t.Helper()
	w.settle()
	views := w.Person(user).Views()
	if len(views) == 0 {
		w.t.Fatalf("no form opens; the last answer: %s", read(w.last(user, general)))
	}
	return views[len(views)-1]
}

// opens types the command that opens the form.
func (w *world) opens(user, text string) sim.View {
	w.t.Helper()
	if _, err := w.Person(user).Command(w.ctx, general, text); err != nil {
		w.t.Fatal(err)
	}
	return w.form(user)
}

func offeredNames(options []map[string]any) (names []string) {
	for _, o := range options {
		text, _ := o["text"].(map[string]any)
		names = append(names, fmt.Sprint(text["text"]))
	}
	return names
}

// The form: opened by the command, its groups from what the person may
// activate, and what it sends is the same ask as a typed one.
func TestAskByForm(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		p := w.Person(requester.Slack.ID)
		view := w.opens(requester.Slack.ID, "/pag activate")
		offered, err := p.Suggest(w.ctx, view.ID, "v", "DB")
		if err != nil || !slices.Equal(offeredNames(offered), []string{"db_admins"}) {
			t.Fatalf("%v %v", offered, err)
		}
		r, err := p.Submit(w.ctx, view.ID, map[string]any{inGroup: offered[0]["value"], inLength: "2h0m0s", inReason: "restore the orders table", inTicket: "INC1"})
		if err != nil || r.Error != "" || len(r.Errors) > 0 {
			t.Fatalf("%v %+v", err, r)
		}
		w.settle()
		ask := w.heard()[0].(activation.Ask)
		if ask.Group != admins || ask.Access != activation.Member || ask.Length != 2*time.Hour || ask.Reason != "restore the orders table" || ask.Ticket != "INC1" || ask.Person != requester {
			t.Errorf("%+v", ask)
		}
		w.say()
		if got := w.dm(requester.Slack.ID); strings.Count(got, "Confirm in browser") != 1 {
			t.Errorf("the link: %s", got)
		}
		if n := len(p.Messages(p.DM())); n != 1 {
			t.Errorf("%d messages tell the same", n)
		}
	})
}

// What is wrong is said in the form, which stays open with all that was typed.
func TestFormSaysWhatIsWrong(t *testing.T) {
	change := func(c *Config) {
		c.Groups[0].Ticket, c.Groups[0].TicketForm = regexp.MustCompile(`^INC\d{7}$`), "INC0012345"
	}
	play(t, change, func(t *testing.T, w *world) {
		p := w.Person(requester.Slack.ID)
		view := w.opens(requester.Slack.ID, "/pag activate")
		group := may{Group{Group: admins}, activation.Member, requester}.value()
		for _, c := range []struct {
			values map[string]any
			input  string
			says   string
		}{
			{map[string]any{inGroup: group, inLength: "8h0m0s", inReason: "why", inTicket: "INC0012345"}, inLength, "Ask for 4 h or less"},
			{map[string]any{inGroup: group, inUntil: "00:30", inReason: "why", inTicket: "INC0012345"}, inUntil, "Ask for 4 h or less"},
			{map[string]any{inGroup: group, inUntil: "02:00", inTicket: "INC0012345"}, inReason, "wants a reason"},
			{map[string]any{inGroup: group, inReason: "why", inTicket: "CHG1"}, inTicket, "like INC0012345 is wanted here. (My rule, not PIM's.)"},
			{map[string]any{inGroup: may{Group{Group: activation.Group{ID: "gone"}}, activation.Member, requester}.value(), inReason: "why"}, inGroup, "don't look after"},
		} {
			// Each in a form of its own: what was typed into one stays there.
			r, err := p.Submit(w.ctx, view.ID, c.values)
			if err != nil || !strings.Contains(r.Errors[c.input], c.says) || len(r.Errors) != 1 {
				t.Errorf("%v: %v %+v", c.values, err, r)
			}
			if _, err := p.Dismiss(w.ctx, view.ID, false); err != nil {
				t.Fatal(err)
			}
			view = w.opens(requester.Slack.ID, "/pag activate")
		}
		w.settle()
		if in := w.heard(); len(in) != 0 {
			t.Errorf("told all the same: %+v", in)
		}
	})
}

// What the form could not know is refused by the one who decides, and said.
func TestFormIsJudgedAgain(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		view := w.opens(requester.Slack.ID, "/pag activate")
		w.dir.change(func(d *directory) {
			d.requests = []activation.Request{{Access: "member", Status: "PendingApproval"}}
		})
		r, err := w.Person(requester.Slack.ID).Submit(w.ctx, view.ID, map[string]any{inGroup: may{Group{Group: admins}, activation.Member, requester}.value(), inReason: "why"})
		if err != nil || r.Error != "" {
			t.Fatal(err, r)
		}
		w.settle()
		w.say()
		has(t, "the answer", w.dm(requester.Slack.ID), "waits already")
	})
}

// At 250 groups each can be found; an ack is never larger than Slack takes, and
// what is typed is answered from memory.
func TestOptionsAreComplete(t *testing.T) {
	const n = 250
	group := func(i int) activation.Group {
		return activation.Group{Tenant: admins.Tenant, ID: fmt.Sprintf("9409409a-0000-0000-0000-%012d", i), Name: fmt.Sprintf("管理者グループ-日本語の長い名前をもつ特権アクセスグループ-%03d", i)}
	}
	change := func(c *Config) {
		c.Groups = nil
		for i := range n {
			c.Groups = append(c.Groups, Group{Group: group(i), Channel: channel})
		}
	}
	play(t, change, func(t *testing.T, w *world) {
		w.dir.change(func(d *directory) {
			var all []activation.Eligibility
			for i := range n {
				all = append(all, activation.Eligibility{Group: group(i), Access: activation.Member})
			}
			d.eligible[requester.Object] = all
		})
		p := w.Person(requester.Slack.ID)
		view := w.opens(requester.Slack.ID, "/pag activate")
		w.dir.change(func(d *directory) { d.err = errBroken }) // nobody is asked any more
		list, _ := w.bot.remembered(requester.Slack.ID)
		if len(list) != n {
			t.Fatalf("%d of %d are known", len(list), n)
		}
		body, err := json.Marshal(options(list, "", false))
		if err != nil || len(body) > 20_000 {
			t.Errorf("an ack of %d bytes", len(body))
		}
		for i := range n {
			options, err := p.Suggest(w.ctx, view.ID, "v", fmt.Sprintf("-%03d", i))
			if err != nil || len(options) != 1 || !strings.HasSuffix(offeredNames(options)[0], fmt.Sprintf("-%03d", i)) {
				t.Fatalf("group %d: %v %v", i, options, err)
			}
		}
		if all, err := p.Suggest(w.ctx, view.ID, "v", ""); err != nil || len(all) < 50 {
			t.Errorf("%d options at first: %v", len(all), err)
		}
	})
}

// Who may nothing is offered nothing, and learns nothing.
func TestNoOptionsForOthers(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		view := w.opens(requester.Slack.ID, "/pag activate")
		payload := map[string]any{"type": "block_suggestion", "user": map[string]any{"id": member, "team_id": "T0CONTOSO"}, "team": map[string]any{"id": "T0CONTOSO"},
			"api_app_id": w.app.ID, "action_id": "v", "block_id": inGroup, "value": "", "view": map[string]any{"id": view.ID}}
		for _, user := range []string{member, "W0OUTSIDER", "U0NOBODY"} {
			payload["user"] = map[string]any{"id": user, "team_id": "T0CONTOSO"}
			raw, err := json.Marshal(map[string]any{"type": "interactive", "payload": payload})
			if err != nil {
				t.Fatal(err)
			}
			ack, done := w.bot.Quick(w.ctx, raw)
			answer, _ := ack.(map[string]any)
			if list, _ := answer["options"].([]*slack.OptionBlockObject); !done || len(list) != 0 {
				t.Errorf("%s is offered %v", user, ack)
			}
		}
	})
}

func TestAgain(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		w.put(scene(activation.Closed, closed(activation.Expired)))
		w.command(requester.Slack.ID, `/pag again`)
		ask := w.heard()[0].(activation.Ask)
		if ask.Group != admins || ask.Length != 2*time.Hour || ask.Reason != "restore the orders table" || ask.Ticket != "INC0012345" || ask.ID == "abcdefghij" {
			t.Errorf("%+v", ask)
		}
	})
	play(t, nil, func(t *testing.T, w *world) {
		w.put(scene(activation.Closed, closed(activation.Expired), func(a *activation.Activation) { a.Until = a.Began.Add(90 * time.Minute) }))
		w.command(requester.Slack.ID, `/pag again "another table"`)
		ask := w.heard()[0].(activation.Ask)
		if ask.Length != 90*time.Minute || !ask.Until.IsZero() || ask.Reason != "another table" {
			t.Errorf("%+v", ask)
		}
	})
}

// The Home tab tells what there is, follows it, and leads to the forms.
func TestHome(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		p := w.Person(requester.Slack.ID)
		home := func() string {
			w.settle()
			v, ok := p.Home()
			if !ok {
				t.Fatal("no Home tab")
			}
			return p.ViewText(v)
		}
		if err := p.OpenHome(); err != nil {
			t.Fatal(err)
		}
		has(t, "the tab", home(), "Activate access…", "nothing active", "What you may activate", "db_admins")
		a := scene(activation.Active)
		w.put(a)
		w.do(a.ID, activation.Effect{Key: "card", Kind: activation.Card, Slot: true})
		has(t, "the tab", home(), "has db_admins", "End now", "db_admins for 2 h")

		v, _ := p.Home()
		if r, err := p.Press(w.ctx, v.ID, actFinish); err != nil || r.Error != "" {
			t.Fatal(err, r)
		}
		has(t, "the form", p.ViewText(w.form(requester.Slack.ID)), "will end")
		if _, err := p.Submit(w.ctx, w.form(requester.Slack.ID).ID, nil); err != nil {
			t.Fatal(err)
		}
		w.settle()
		if in, ok := w.heard()[0].(activation.Finish); !ok || in.Warrant.Deed != activation.End {
			t.Errorf("%+v", in)
		}
		if r, err := p.Press(w.ctx, v.ID, actAgain); err != nil || r.Error != "" {
			t.Fatal(err, r)
		}
		if _, err := p.Submit(w.ctx, w.form(requester.Slack.ID).ID, nil); err != nil {
			t.Fatal("the form was not filled in: ", err)
		}
		w.settle()
		if ask, ok := w.heard()[0].(activation.Ask); !ok || ask.Reason != "restore the orders table" || ask.Length != 2*time.Hour {
			t.Errorf("%+v", ask)
		}
	})
}

// Whom nobody knows is told so there, too; and a click that says that it comes
// from a Home tab decides nothing.
func TestHomeOfOthers(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		p := w.Person(member)
		if err := p.OpenHome(); err != nil {
			t.Fatal(err)
		}
		w.settle()
		v, _ := p.Home()
		has(t, "the tab", p.ViewText(v), "don't know which Entra account is yours")

		w.put(scene(activation.AwaitingApproval))
		w.do("abcdefghij", activation.Effect{Key: "card", Kind: activation.Card, Slot: true})
		card := w.Person(approver.Slack.ID).Messages(channel)[0]
		forged := func(payload map[string]any) {
			payload["container"] = map[string]any{"type": "view", "view_id": "V1"}
			payload["view"] = map[string]any{"id": "V1", "type": "home"}
			delete(payload, "message")
		}
		if _, err := w.Person(approver.Slack.ID).Forge(w.ctx, sim.Click{Channel: channel, TS: card.TS, Action: actApprove}, forged); err != nil {
			t.Fatal(err)
		}
		w.settle()
		if n := len(w.Person(approver.Slack.ID).Views()); n != 0 {
			t.Error("a form to approve opened from a Home tab")
		}
	})
}

func TestHomeIsWhole(t *testing.T) {
	var list []may
	for i := range 250 {
		list = append(list, may{Group{Group: activation.Group{ID: fmt.Sprint(i), Name: fmt.Sprintf("group-%03d", i)}}, activation.Member, requester})
	}
	var open []activation.Activation
	for i := range 60 {
		open = append(open, scene(activation.Active, func(a *activation.Activation) { a.ID = fmt.Sprint("a", i) }))
	}
	b := &Bot{Config: Config{SignIn: stamp{}}}
	blocks := b.home(open, open[:5], list, true, false)
	if len(blocks) > 100 {
		t.Errorf("%d blocks, Slack takes 100", len(blocks))
	}
	text := showBlocks(t, blocks)
	for i := range 250 {
		if !strings.Contains(text, fmt.Sprintf("group-%03d", i)) {
			t.Errorf("group %d is missing", i)
		}
	}
	var out strings.Builder
	fmt.Fprintf(&out, "# home\n%s\n", showBlocks(t, b.home([]activation.Activation{scene(activation.Active), scene(activation.AwaitingApproval)}, open[:1], list[:3], true, true)))
	fmt.Fprintf(&out, "# nothing\n%s\n", showBlocks(t, b.home(nil, nil, nil, true, false)))
	fmt.Fprintf(&out, "# watching only\n%s\n", showBlocks(t, (&Bot{Config: Config{Portal: "https://entra.example/approve"}}).home(nil, open[:1], list[:1], true, false)))
	fmt.Fprintf(&out, "# not read yet\n%s\n", showBlocks(t, b.home(nil, nil, nil, false, false)))
	golden(t, "home.txt", out.String())
	golden(t, "askform.txt", showForm(t, askForm(activation.Activation{}, false))+"\n"+showForm(t, askForm(scene(activation.Closed, func(a *activation.Activation) { a.Length = activation.Duration(3 * time.Hour) }), true)))
	validForm(t, askForm(scene(activation.Closed), true))
}

// picks chooses a group in the form, which tells us so at once.
func (w *world) picks(user, view string, value any) error {
	r, err := w.Person(user).Act(w.ctx, sim.Click{View: view, Action: "v", Block: inGroup, Value: value})
	if err == nil && r.Error != "" {
		err = fmt.Errorf("slack says %s", r.Error)
	}
	w.settle()
	return err
}
