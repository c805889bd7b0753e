package bot

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"pagbot/activation"
	sim "pagbot/sim/slack"
)

// The whole conversation, from the command to the end, in Slack's own protocol.
func TestConversation(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		if got := w.command(requester.Slack.ID, `/pag activate DBA 2h “restore the orders table” INC0012345`); got != "" {
			t.Errorf("Read itself said: %s", got)
		}
		ask := w.heard()[0].(activation.Ask)
		if ask.Person != requester || ask.Group != admins || ask.Length != 2*time.Hour || ask.Reason != "restore the orders table" || ask.Ticket != "INC0012345" ||
			ask.Warrant.Deed != activation.Submit || ask.Warrant.Proof != activation.Fresh || !ask.Warrant.Expires.Equal(ask.Warrant.Clicked.Add(15*time.Minute)) || !ask.Facts.Eligible {
			t.Fatalf("asked: %+v", ask)
		}
		w.say()
		has(t, "the answer", read(w.last(requester.Slack.ID, general)), "*db_admins* for 2 h", "Confirm in browser → https://signin.example/d/w-")
		if n := len(w.Person(approver.Slack.ID).Messages(general)); n != 0 {
			t.Error("the answer is for the requester alone")
		}
		w.submitted(ask)
		has(t, "the card", read(w.last(member, channel)), "@U0REQUESTER asks for *db_admins* for 2 h", "restore the orders table", "INC0012345", "[Approve] [Deny]")
		w.decide(t, "approve", "known incident")
		has(t, "the link", w.dm(approver.Slack.ID), "*not approved*", "Confirm in browser")
		w.decided(t)
		has(t, "the link afterwards", w.dm(approver.Slack.ID), "approved by @U0APPROVER")
		if strings.Contains(w.dm(approver.Slack.ID), "Confirm") {
			t.Error("the link is still offered")
		}
		has(t, "the card", read(w.Person(member).Messages(channel)[0]), "PIM is giving *db_admins* to @U0REQUESTER", "Approved by <@U0APPROVER>")
		has(t, "the thread", read(w.last(member, channel)), "approved by @U0APPROVER", "known incident")
		has(t, "the requester hears", w.dm(requester.Slack.ID), "Approved by @U0APPROVER", "known incident")
		w.provisioned()
		has(t, "the requester hears", w.dm(requester.Slack.ID), "You have *db_admins* until")
		w.ends(t)
	})
}

// submitted is PIM's answer to the ask.
func (w *world) submitted(ask activation.Ask) {
	w.tell(ask.ID, activation.Done{Warrant: ask.Warrant.ID, Request: &activation.Request{ID: "5e0e57ed-1", Status: "PendingApproval", Created: time.Now(),
		Length: activation.Duration(ask.Length)}, At: time.Now()})
	w.say()
	w.heard()
}

// decide presses a button of the card and confirms the form.
func (w *world) decide(t *testing.T, button, reason string) {
	t.Helper()
	p := w.Person(approver.Slack.ID)
	card := w.Person(approver.Slack.ID).Messages(channel)[0]
	if _, err := p.Click(w.ctx, channel, card.TS, button); err != nil {
		t.Fatal(err)
	}
	w.settle()
	if len(p.Views()) != 1 {
		t.Fatalf("no form is open; the approver reads %s", read(w.last(p.ID, channel)))
	}
	form := p.Views()[0]
	if strings.Contains(form.PrivateMetadata, "db_admins") || !strings.Contains(form.PrivateMetadata, w.only(t).ID) {
		t.Errorf("the form carries %s", form.PrivateMetadata)
	}
	if _, err := p.Submit(w.ctx, form.ID, map[string]any{"reason": reason}); err != nil {
		t.Fatal(err)
	}
	w.settle()
	w.say()
}

// decided is PIM's answer to the approver's deed.
func (w *world) decided(t *testing.T) {
	t.Helper()
	vote, ok := w.heard()[0].(activation.Vote)
	a := w.only(t)
	if !ok || vote.By != approver || !vote.Approve || vote.Reason != "known incident" || vote.Warrant.Digest != a.Terms(activation.Approve, vote.Reason).Digest() {
		t.Fatalf("voted: %+v", vote)
	}
	w.tell(a.ID, activation.Done{Warrant: vote.Warrant.ID, Request: &activation.Request{ID: "5e0e57ed-1", Status: "PendingProvisioning", Created: time.Now()}, At: time.Now()})
	w.say()
	w.heard()
}

func (w *world) provisioned() {
	a := w.only(w.t)
	w.tell(a.ID, activation.Saw{Looked: true, At: time.Now(), Present: &activation.Instance{ID: "i1", Person: requester, Group: admins, Access: activation.Member, From: time.Now(), Ends: time.Now().Add(2 * time.Hour)}})
	w.say()
	w.heard()
}

// ends presses the button under the warning.
func (w *world) ends(t *testing.T) {
	t.Helper()
	time.Sleep(110 * time.Minute)
	w.tell(w.only(t).ID, activation.Tick{})
	w.say()
	p := w.Person(requester.Slack.ID)
	has(t, "the warning", w.dm(p.ID), "ends at", "[End now]")
	w.heard()
	if _, err := p.Click(w.ctx, p.DM(), w.last(p.ID, p.DM()).TS, "finish"); err != nil {
		t.Fatal(err)
	}
	w.settle()
	if len(p.Views()) != 1 {
		t.Fatalf("no form is open: %s", w.dm(p.ID))
	}
	if _, err := p.Submit(w.ctx, p.Views()[0].ID, nil); err != nil {
		t.Fatal(err)
	}
	w.settle()
	f, ok := w.heard()[0].(activation.Finish)
	if !ok || f.By != requester || f.Warrant.Deed != activation.End || f.Warrant.Proof != activation.Session {
		t.Fatalf("%+v", f)
	}
	w.say()
	has(t, "the card", read(w.Person(member).Messages(channel)[0]), "@U0REQUESTER is ending *db_admins*")
}

// The same envelope read twice is the same input: ids, warrant and all.
func TestReplay(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		w.command(requester.Slack.ID, `/pag activate db_admins "why"`)
		ask := w.heard()[0].(activation.Ask)
		if ask.Length != time.Hour {
			t.Errorf("without a length it is %v", ask.Length)
		}
		time.Sleep(time.Minute)
		id, again, err := w.bot.Read(w.ctx, w.kept[0])
		if err != nil || id != ask.ID || !reflect.DeepEqual(again, activation.Input(ask)) {
			t.Errorf("again: %s %v\n%+v\n%+v", id, err, again, ask)
		}
		w.submitted(ask)
		w.decide(t, "approve", "ok")
		vote := w.heard()[0]
		click, submission := w.kept[len(w.kept)-2], w.kept[len(w.kept)-1]
		_, again, err = w.bot.Read(w.ctx, submission)
		if err != nil || !reflect.DeepEqual(again, vote) {
			t.Errorf("again: %v\n%+v\n%+v", err, again, vote)
		}
		before := len(w.Person(approver.Slack.ID).Messages(channel))
		if id, in, err := w.bot.Read(w.ctx, click); id != "" || in != nil || err != nil {
			t.Errorf("a click read again: %v %v %v", id, in, err)
		}
		if n := len(w.Person(approver.Slack.ID).Messages(channel)); n != before {
			t.Errorf("a click whose form is open is answered: %s", read(w.last(approver.Slack.ID, channel)))
		}
	})
}

// A form opens within three seconds or not at all; then the person is told.
func TestTriggerExpires(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		w.posted(scene(activation.AwaitingApproval))
		w.dir.change(func(d *directory) { d.slow = 4 * time.Second })
		p := w.Person(approver.Slack.ID)
		if _, err := p.Click(w.ctx, channel, w.last(p.ID, channel).TS, "approve"); err != nil {
			t.Fatal(err)
		}
		w.settle()
		if len(p.Views()) != 0 {
			t.Error("a form opened late")
		}
		has(t, "the answer", read(w.last(p.ID, channel)), "press the button again")
	})
}

// posted places an activation whose card is in the channel.
func (w *world) posted(a activation.Activation) sim.Message {
	w.t.Helper()
	w.put(a)
	if r := w.do(a.ID, activation.Effect{Key: "card", Kind: activation.Card, Slot: true}); r.Err != nil {
		w.t.Fatal(r.Err)
	}
	return w.last(approver.Slack.ID, channel)
}

func TestTroubleIsTriedAgainAndThenSaid(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		w.dir.change(func(d *directory) { d.err = errors.New("no route to host") })
		has(t, "the answer", w.command(requester.Slack.ID, `/pag activate db_admins "why"`), "Something broke on my side", "the reference ")
		if n := len(w.kept); n != 5 {
			t.Errorf("read %d times", n)
		}
		w.dir.change(func(d *directory) { d.err = activation.Refusal{Code: activation.Unavailable} })
		has(t, "the answer", w.command(requester.Slack.ID, `/pag list`), "Entra doesn't answer")
		w.dir.change(func(d *directory) { d.err = activation.Refusal{Code: activation.ConsentMissing} })
		has(t, "the answer", w.command(requester.Slack.ID, `/pag list`), "consent")
		w.dir.change(func(d *directory) { d.err = nil })
		w.Fail(sim.Fault{Method: "users.info", Kind: "status", Status: 503, Count: 2})
		has(t, "the answer", w.command(member, `/pag list`), "I don't know which Entra account is yours")
	})
}

// Where the response URL takes nothing any more, a DM does.
func TestDeadResponseURL(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		w.Fail(sim.Fault{Method: "response_url", Kind: "status", Status: 404, Count: 2})
		w.command(requester.Slack.ID, `/pag help`)
		has(t, "the DM", w.dm(requester.Slack.ID), "/pag activate GROUP")
		w.Fail(sim.Fault{Method: "response_url", Kind: "status", Status: 500})
		has(t, "later", w.command(approver.Slack.ID, `/pag help`)+w.dm(approver.Slack.ID), "/pag activate GROUP")
		w.Heal()
		w.Fail(sim.Fault{Method: "response_url", Kind: "status", Status: 410})
		w.Fail(sim.Fault{Method: "chat.postMessage", Kind: "error", Error: "channel_not_found"})
		w.command(requester.Slack.ID, `/pag help`)
		if w.failure != nil {
			t.Errorf("who can't be reached at all is not tried for ever: %v", w.failure)
		}
	})
}
