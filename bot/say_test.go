package bot

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pagbot/activation"
	sim "pagbot/sim/slack"
)

var card = activation.Effect{Key: "card", Kind: activation.Card, Slot: true}

// once does an effect a single time.
func (w *world) once(id string, e activation.Effect) activation.Report {
	a, _ := w.Load(w.ctx, id)
	e.Receipt, _ = w.Receipt(w.ctx, id, e.Key)
	r := w.mouth.Do(w.ctx, a, e)
	w.settled(id, e.Key, r)
	return r
}

func (w *world) calls(method string) int { return len(w.History(sim.Query{Name: method})) }

func TestACardIsPostedOnceAndThenUpdated(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		a := scene(activation.AwaitingApproval)
		w.posted(a)
		if r := w.once(a.ID, card); !r.Finished() || r.Receipt != nil || w.calls("chat.update") != 0 {
			t.Errorf("an equal card is not sent: %+v", r)
		}
		w.put(scene(activation.Active))
		w.do(a.ID, card)
		all := w.Person(member).Messages(channel)
		if len(all) != 1 || all[0].Revision != 2 || w.calls("chat.postMessage") != 1 {
			t.Fatalf("%d messages", len(all))
		}
		has(t, "the card", read(all[0]), "@U0REQUESTER has *db_admins* until")
		if strings.Contains(read(all[0]), "[Approve]") {
			t.Error("a settled card has its buttons still")
		}
		if entry := w.History(sim.Query{Name: "chat.postMessage"})[0].Request.(map[string]any); entry["unfurl_links"] != "false" || entry["unfurl_media"] != "false" {
			t.Errorf("links unfurl: %v", entry)
		}
	})
}

// What Slack does to a call, and what becomes of it.
func TestSlacksTroubles(t *testing.T) {
	status := func(n int) sim.Fault { return sim.Fault{Kind: "status", Status: n} }
	for name, c := range map[string]struct {
		fault  sim.Fault
		after  time.Duration // of the first report; 0: finished
		copies int           // of the message in the end
		tell   bool
	}{
		"429 with Retry-After":     {sim.Fault{Kind: "status", Status: 429, RetryAfter: 30}, 30 * time.Second, 1, false},
		"429 without":              {status(429), 3 * time.Second, 1, false},
		"503":                      {status(503), 3 * time.Second, 1, false},
		"500 after it was posted":  {sim.Fault{Kind: "status", Status: 500, After: true}, 3 * time.Second, 2, false},
		"a reset":                  {sim.Fault{Kind: "reset"}, 3 * time.Second, 1, false},
		"an empty answer":          {sim.Fault{Kind: "empty"}, 3 * time.Second, 1, false},
		"half an answer":           {sim.Fault{Kind: "bad_json", After: true}, 3 * time.Second, 2, false},
		"internal_error":           {sim.Fault{Kind: "error", Error: "internal_error"}, 3 * time.Second, 1, false},
		"ratelimited as an error":  {sim.Fault{Kind: "error", Error: "ratelimited"}, 3 * time.Second, 1, false},
		"channel_not_found":        {sim.Fault{Kind: "error", Error: "channel_not_found"}, 0, 0, true},
		"is_archived":              {sim.Fault{Kind: "error", Error: "is_archived"}, 0, 0, true},
		"not_in_channel":           {sim.Fault{Kind: "error", Error: "not_in_channel"}, 0, 0, true},
		"invalid_auth, of a token": {sim.Fault{Kind: "error", Error: "invalid_auth"}, 0, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, nil, func(t *testing.T, w *world) {
				a := scene(activation.AwaitingApproval)
				w.put(a)
				c.fault.Method = "chat.postMessage"
				w.Fail(c.fault)
				r := w.once(a.ID, card)
				if limited := c.fault.RetryAfter > 0; limited == (r.Err != nil) || r.After != c.after || r.Finished() != (c.after == 0) {
					t.Errorf("%+v", r)
				}
				if trouble, ok := r.Tell.(activation.Trouble); ok != c.tell || ok && !strings.HasPrefix(trouble.Why.Text, noCard) {
					t.Errorf("tells %+v", r.Tell)
				}
				time.Sleep(r.After)
				if c.after > 0 {
					w.do(a.ID, card)
				}
				if n := len(w.Person(member).Messages(channel)); n != c.copies {
					t.Errorf("%d copies", n)
				}
			})
		})
	}
}

// Whatever goes wrong again and again is tried at ever longer distances.
func TestPatience(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		a := scene(activation.Active)
		w.put(a)
		w.Fail(sim.Fault{Method: "chat.postMessage", Kind: "status", Status: 503, Count: 20})
		e, total := activation.Effect{Key: "dm/1", Kind: activation.DM, Topic: activation.TopicActive, To: requester}, time.Duration(0)
		for range 20 {
			r := w.once(a.ID, e)
			e.Memory, total = r.Memory, total+r.After
			time.Sleep(r.After)
		}
		if total < time.Hour || total > 2*time.Hour {
			t.Errorf("20 tries take %v", total)
		}
		if r := w.once(a.ID, e); !r.Finished() || r.Err != nil {
			t.Errorf("%+v", r)
		}
	})
}

// A card that can't be posted is told to its activation, which tells the
// people; and when it can again, too.
func TestChannelLostAndFound(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		a := scene(activation.Active)
		w.posted(a)
		w.EditChannel(channel, func(c *sim.Channel) { c.Archived = true })
		w.change(func(a *activation.Activation) { a.Phase = activation.Ending })
		w.do(a.ID, card)
		if got := w.only(t).Stuck; got == nil || !strings.Contains(got.Why.Text, "is_inactive") {
			t.Fatalf("stuck: %+v", got)
		}
		w.say() // the card once more, and the word in the thread: neither can be
		w.EditChannel(channel, func(c *sim.Channel) { c.Archived = false })
		w.do(a.ID, card)
		if got := w.only(t).Stuck; got != nil {
			t.Errorf("still stuck: %+v", got)
		}
	})
}

func TestThread(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		a := scene(activation.Provisioning, decidedBy(approver, true, true, "fine"))
		reply := activation.Effect{Key: "thread/7", Kind: activation.Thread, Topic: activation.TopicDecided}
		first := w.posted(a)
		w.do(a.ID, reply)
		if m := w.last(member, channel); m.Thread != first.TS {
			t.Errorf("not in the thread: %+v", m)
		}
		// Without a card the channel hears of it all the same, without a channel
		// the requester does.
		w.put(scene(activation.Provisioning, decidedBy(approver, true, true, "fine"), func(a *activation.Activation) { a.ID = "cardless" }))
		w.do("cardless", reply)
		if m := w.last(member, channel); m.Thread != "" {
			t.Errorf("in a thread: %+v", m)
		}
		w.EditChannel(channel, func(c *sim.Channel) { c.Archived = true })
		w.do("cardless", reply)
		has(t, "the DM", w.dm(requester.Slack.ID), "approved by @U0APPROVER")
		w.broken = errBroken
		if r := w.once(a.ID, reply); r.After != time.Second || !errors.Is(r.Err, errBroken) {
			t.Errorf("%+v", r)
		}
	})
}

func TestDirectMessages(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		a := scene(activation.Active)
		w.put(a)
		dm := activation.Effect{Key: "dm/1", Kind: activation.DM, Topic: activation.TopicActive}
		dm.To = activation.Person{Tenant: requester.Tenant, Object: strings.ToUpper(requester.Object)} // as PIM names them
		w.do(a.ID, dm)
		has(t, "the DM", w.dm(requester.Slack.ID), "You have *db_admins* until")
		dm.To = unknown
		if r := w.once(a.ID, dm); !r.Finished() || r.Err != nil || r.Receipt != nil {
			t.Errorf("to nobody: %+v", r)
		}
		dm.To, dm.Topic = requester, activation.TopicDecided
		if r := w.once(a.ID, dm); !r.Finished() || r.Receipt != nil {
			t.Errorf("nothing to say: %+v", r)
		}
		w.EditUser(requester.Slack.ID, func(u *sim.User) { u.Deleted = true })
		dm.Topic = activation.TopicActive
		time.Sleep(time.Second)
		if r := w.once(a.ID, dm); !r.Finished() || r.Err == nil || r.Tell != nil {
			t.Errorf("to somebody who left: %+v", r)
		}
	})
}

func TestAskSign(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		a := scene(activation.AwaitingApproval)
		warrant := stamp{}.Mint(activation.Warrant{Actor: approver, Deed: activation.Approve, Proof: activation.Fresh, Envelope: "e", Expires: time.Now().Add(15 * time.Minute)})
		ask := activation.Effect{Key: "signin/" + warrant.ID, Kind: activation.AskSign, Slot: true, Warrant: warrant.ID}
		w.put(a)
		if r := w.once(a.ID, ask); !r.Finished() || r.Receipt != nil {
			t.Errorf("it never needed one: %+v", r)
		}
		a.Deeds = []activation.Pending{{Warrant: warrant}}
		w.put(a)
		if r := w.once(a.ID, ask); !r.Finished() || r.Receipt != nil {
			t.Errorf("the kept session does: %+v", r)
		}
		a.Deeds[0].Needs = true
		w.put(a)
		w.do(a.ID, ask)
		has(t, "the DM", w.dm(approver.Slack.ID), "*not approved*", "Confirm in browser")
		a.Deeds[0].Claims = `{"access_token":{"acrs":{"value":"c1"}}}`
		w.put(a)
		w.do(a.ID, ask)
		has(t, "the DM", w.dm(approver.Slack.ID), "stronger sign-in")
		a.Deeds = nil
		w.put(a)
		w.do(a.ID, ask)
		has(t, "the DM", w.dm(approver.Slack.ID), "no longer good")
		if n := len(w.Person(approver.Slack.ID).Messages(w.Person(approver.Slack.ID).DM())); n != 1 {
			t.Errorf("%d messages for one deed", n)
		}
		a.Deeds = []activation.Pending{{Needs: true, Warrant: activation.Warrant{ID: "other", Actor: unknown}}}
		w.put(a)
		if r := w.once(a.ID, activation.Effect{Key: "signin/other", Kind: activation.AskSign, Warrant: "other"}); !r.Finished() || r.Err == nil {
			t.Errorf("nobody to ask: %+v", r)
		}
		w.bot.SignIn = nil
		if r := w.once(a.ID, activation.Effect{Key: "signin/other", Kind: activation.AskSign, Warrant: "other"}); !r.Finished() || r.Err == nil {
			t.Errorf("nowhere to sign in: %+v", r)
		}
	})
}

func TestWhisper(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		w.command(requester.Slack.ID, `/pag activate db_admins "why"`)
		ask := w.heard()[0].(activation.Ask)
		refusal := full(activation.BlockedByPolicy)
		e := activation.Effect{Key: "answer/1", Kind: activation.Whisper, Topic: activation.TopicRefused, To: requester, Refusal: &refusal, Deed: activation.Submit}
		for range 5 { // Slack takes five answers
			if r := w.once(ask.ID, e); !r.Finished() || r.Err != nil {
				t.Fatalf("%+v", r)
			}
		}
		has(t, "the answer", read(w.last(requester.Slack.ID, general)), "Conditional Access")
		if n := len(w.Person(requester.Slack.ID).Messages(w.Person(requester.Slack.ID).DM())); n != 0 {
			t.Error("it is answered where it was asked")
		}
		w.do(ask.ID, e)
		has(t, "the sixth is a DM", w.dm(requester.Slack.ID), "Conditional Access")
		w.Fail(fault("response_url", 503, 1))
		if r := w.once(ask.ID, e); r.After != 3*time.Second || r.Err == nil {
			t.Errorf("%+v", r)
		}
		time.Sleep(31 * time.Minute)
		w.change(func(a *activation.Activation) { a.Phase = activation.Active })
		e.Topic = activation.TopicAsked
		if r := w.once(ask.ID, e); !r.Finished() || r.Receipt != nil {
			t.Errorf("nothing to say any more: %+v", r)
		}
		w.change(func(a *activation.Activation) { a.Reply, a.Phase = "", activation.AwaitingApproval })
		w.do(ask.ID, e)
		has(t, "without a response URL", w.dm(requester.Slack.ID), "*An approver must agree*", "#"+channel)
		e.To = unknown
		if r := w.once(ask.ID, e); !r.Finished() || r.Receipt != nil {
			t.Errorf("nobody to tell: %+v", r)
		}
	})
}

// One message a second in a channel, and no channel waits for another.
func TestPace(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		began := time.Now()
		for i := range 5 {
			w.posted(scene(activation.AwaitingApproval, func(a *activation.Activation) { a.ID = fmt.Sprint("a", i) }))
		}
		if took := time.Since(began); took != 4*time.Second {
			t.Errorf("five cards take %v", took)
		}
		w.do("a0", activation.Effect{Key: "dm/1", Kind: activation.DM, Topic: activation.TopicActive, To: requester})
		w.put(scene(activation.Active, func(a *activation.Activation) { a.ID = "a1" }))
		w.do("a1", card)
		if took := time.Since(began); took != 4*time.Second {
			t.Errorf("a DM and an update wait for the channel: %v", took)
		}
		for _, e := range w.History(sim.Query{Name: "chat.postMessage"}) {
			if e.Status == 429 {
				t.Error("Slack had to slow us down")
			}
		}
		time.Sleep(time.Hour)
		w.do("a0", card)
		w.mouth.pace.wait("x")
		if n := len(w.mouth.pace.next); n > 2 {
			t.Errorf("%d channels are remembered for ever", n)
		}
	})
}

func TestMouthRefusesWhatItCantSay(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		a := scene(activation.Active)
		w.put(a)
		if r := w.once(a.ID, activation.Effect{Kind: activation.Probe}); r.Err == nil || !r.Finished() {
			t.Errorf("%+v", r)
		}
		if r := w.mouth.Look(w.ctx, a, card); !r.Absent {
			t.Errorf("said things are said again: %+v", r)
		}
		a.Group.ID = "gone from the configuration"
		w.put(a)
		if r := w.once(a.ID, card); r.Err == nil || !r.Finished() {
			t.Errorf("%+v", r)
		}
		a.Group.ID = admins.ID
		w.put(a)
		w.receipts[a.ID+"/card"] = []byte("{")
		if r := w.once(a.ID, card); r.Err == nil || !r.Finished() {
			t.Errorf("%+v", r)
		}
		if r := w.once(a.ID, activation.Effect{Key: "thread/1", Kind: activation.Thread}); r.Err == nil || !r.Finished() {
			t.Errorf("%+v", r)
		}
	})
}
