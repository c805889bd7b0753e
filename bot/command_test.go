package bot

import (
	"strings"
	"testing"
	"time"

	"pagbot/activation"
)

const readers = "9409409a-0000-0000-0000-000000000002"

// What is answered in place, privately, and becomes no input.
func TestCommandsAnsweredInPlace(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		for _, c := range []struct{ typed, says string }{
			{"/pag", "/pag activate GROUP"},
			{"/pag help", "/pag activate GROUP"},
			{"/pag frobnicate", "I don't know “frobnicate”"},
			{"/pag again", "not asked for anything"},
			{`/pag activate db_admin "why"`, "Did you mean *db_admins*?"},
			{`/pag activate readers "why"`, "Did you mean *db_readers*?"},
			{`/pag activate frobnicate "why"`, "called “frobnicate”. `/pag list`"},
			{"/pag list", "You may activate:\n• *db_admins*\n"},
			{"/pag status", "nothing active"},
			{"/pag deactivate", "nothing to end"},
			{"/pag deactivate db_readers", "nothing to end that is called “db_readers”"},
			{"/pag signin", "[Sign in → https://signin.example/s/U0REQUESTER]"},
			{"/pag signout", "forgotten your sign-in"},
		} {
			got := w.command(requester.Slack.ID, c.typed)
			has(t, c.typed, got, c.says)
			if in := w.heard(); len(in) != 0 {
				t.Errorf("%s is told to the engine: %+v", c.typed, in)
			}
		}
		if n := len(w.Person(approver.Slack.ID).Messages(general)); n != 0 {
			t.Errorf("others see %d answers", n)
		}
	})
}

// What the activation refuses, said with the next step.
func TestRefusedAsks(t *testing.T) {
	instance := func(ends time.Time) []activation.Instance {
		return []activation.Instance{{Person: requester, Group: admins, Access: activation.Member, From: time.Now(), Ends: ends}}
	}
	for name, c := range map[string]struct {
		typed  string
		change func(*directory)
		says   string
	}{
		"too long":       {`/pag activate db_admins 5h "why"`, nil, "Ask for 4 h or less"},
		"too short":      {`/pag activate db_admins 4m "why"`, nil, "five minutes or more"},
		"no reason":      {`/pag activate db_admins 1h`, nil, "PIM wants a reason"},
		"no ticket":      {`/pag activate db_admins 1h "why"`, func(d *directory) { d.settings.NeedsTicket = true }, "PIM wants a ticket"},
		"not eligible":   {`/pag activate db_readers "why"`, nil, "not eligible for *db_readers*. Did you mean *db_admins*?"},
		"not as owner":   {`/pag activate db_admins as owner "why"`, nil, "not eligible for *db_admins* (as owner)"},
		"active":         {`/pag activate db_admins "why"`, func(d *directory) { d.instances = instance(time.Now().Add(time.Hour)) }, "active already, until {2000-01-01 01:00 UTC}"},
		"assigned":       {`/pag activate db_admins "why"`, func(d *directory) { d.instances = instance(time.Time{}) }, "with no end set"},
		"request waits":  {`/pag activate db_admins "why"`, func(d *directory) { d.requests = []activation.Request{{Access: "member", Status: "PendingApproval"}} }, "waits already"},
		"past the limit": {`/pag activate db_admins until 00:59 "why"`, nil, "Ask for 4 h or less"}, // 01:00 in Berlin: tomorrow
	} {
		t.Run(name, func(t *testing.T) {
			play(t, nil, func(t *testing.T, w *world) {
				if c.change != nil {
					w.dir.change(c.change)
				}
				w.command(requester.Slack.ID, c.typed)
				w.say()
				has(t, name, read(w.last(requester.Slack.ID, general)), c.says)
				if a := w.only(t); a.Phase != activation.Closed {
					t.Errorf("it is %s", a.Phase)
				}
			})
		})
	}
}

func TestAskDetails(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		// PIM has not forgotten the last one yet: that is not active.
		w.dir.change(func(d *directory) {
			d.instances = []activation.Instance{{Access: activation.Member, Ends: time.Now().Add(-time.Second)}}
			d.settings = activation.Settings{Max: activation.Duration(30 * time.Minute)}
		})
		w.command(requester.Slack.ID, "/pag activate "+admins.ID)
		ask := w.heard()[0].(activation.Ask)
		if !ask.Facts.Active.IsZero() || ask.Length != 30*time.Minute || ask.Warrant.Proof != activation.Session {
			t.Errorf("%+v", ask)
		}
		w.say()
		if said := read(w.last(requester.Slack.ID, general)); strings.Contains(said, "I'm asking Entra") {
			t.Errorf("said before anybody has signed in: %s", said)
		}
		w.command(requester.Slack.ID, `/pag activate db_admins until 02:30 "why"`) // 01:30 UTC, in winter
		if ask := w.heard()[0].(activation.Ask); ask.Until.Format("15:04") != "01:30" || ask.Length != 0 {
			t.Errorf("until %v, for %v", ask.Until, ask.Length)
		}
	})
}

// Of several accounts the one that is eligible is taken.
func TestSeveralAccounts(t *testing.T) {
	second := activation.Person{Tenant: requester.Tenant, Object: "0b1ec7ed-0000-0000-0000-000000000009", Name: "_second_@contoso.example", Human: "requester", Slack: requester.Slack}
	play(t, nil, func(t *testing.T, w *world) {
		w.who[requester.Slack.ID] = []activation.Person{requester, second}
		w.dir.change(func(d *directory) {
			d.eligible = map[string][]activation.Eligibility{second.Object: {{Group: activation.Group{ID: strings.ToUpper(readers)}, Access: activation.Owner}}}
		})
		w.command(requester.Slack.ID, `/pag activate db_readers as owner "why"`)
		if ask := w.heard()[0].(activation.Ask); ask.Person != second || ask.Warrant.Actor != second || !ask.Facts.Eligible {
			t.Errorf("%+v", ask)
		}
		has(t, "the list", w.command(requester.Slack.ID, "/pag list"), "• *db_readers* (as owner) with _second_@contoso.example")
		w.dir.change(func(d *directory) { d.eligible = nil })
		w.command(requester.Slack.ID, `/pag activate db_readers "why"`)
		if ask := w.heard()[0].(activation.Ask); ask.Person != requester || ask.Facts.Eligible {
			t.Errorf("%+v", ask)
		}
	})
}

func TestDeactivate(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		me := requester.Slack.ID
		w.put(scene(activation.Active, func(a *activation.Activation) { a.ID, a.Ends = "active", time.Now().Add(3*time.Hour) }))
		has(t, "the answer", w.command(me, "/pag deactivate"), "Confirm with your sign-in, then I end your *db_admins*: the button comes as a direct message")
		f := w.heard()[0].(activation.Finish)
		if f.By != requester || f.Warrant.Deed != activation.End || f.Warrant.Proof != activation.Session || !f.Warrant.Expires.Equal(w.acts["active"].Ends) {
			t.Errorf("%+v", f)
		}
		w.put(scene(activation.AwaitingApproval, func(a *activation.Activation) { a.ID, a.Access = "pending", activation.Owner }))
		has(t, "the answer", w.command(me, "/pag deactivate"), "You have several", "(as owner)")
		has(t, "the answer", w.command(me, "/pag end dba as owner"), "Confirm with your sign-in, then I withdraw your request for *db_admins* (as owner)")
		if f := w.heard()[0].(activation.Finish); f.Warrant.Deed != activation.Cancel {
			t.Errorf("%+v", f)
		}
		has(t, "the status", w.command(me, "/pag status"), "is ending *db_admins*", "*An approver is needed.*")
		w.put(scene(activation.Provisioning, func(a *activation.Activation) { a.ID = "active" }))
		w.put(scene(activation.Verifying, func(a *activation.Activation) { a.ID = "pending" }))
		has(t, "the answer", w.command(me, "/pag deactivate"), "nothing to end")
	})
}

// A deed is not lost because its answer can't be said.
func TestDeactivateWithoutAnAnswer(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		w.put(scene(activation.Active, func(a *activation.Activation) { a.Ends = time.Now().Add(time.Hour) }))
		w.Fail(fault("response_url", 500, 9))
		w.command(requester.Slack.ID, "/pag deactivate")
		if in := w.heard(); len(in) != 1 {
			t.Fatalf("told %+v", in)
		}
	})
}

func TestWatchingOnly(t *testing.T) {
	play(t, func(c *Config) { c.SignIn = nil }, func(t *testing.T, w *world) {
		for _, typed := range []string{`/pag activate db_admins "why"`, "/pag deactivate", "/pag signin", "/pag signout"} {
			has(t, typed, w.command(requester.Slack.ID, typed), "I only watch here", "Entra<https://entra.example/approve>")
		}
		has(t, "list", w.command(requester.Slack.ID, "/pag list"), "*db_admins*")
		a := scene(activation.AwaitingApproval)
		card := w.posted(a)
		has(t, "the card", read(card), "[Decide in Entra → https://entra.example/approve]")
		p := w.Person(approver.Slack.ID)
		if r, err := p.Click(w.ctx, channel, card.TS, "open"); err != nil || r.URL != "https://entra.example/approve" {
			t.Errorf("%+v %v", r, err)
		}
		w.settle()
		if n := len(p.Messages(channel)); n != 1 || len(w.heard()) != 0 {
			t.Errorf("a link is the browser's: %d messages", n)
		}
		// A card from before the sign-in was taken out of the configuration.
		w.bot.SignIn = stamp{}
		old := w.posted(scene(activation.AwaitingApproval, func(a *activation.Activation) { a.ID = "old" }))
		w.bot.SignIn = nil
		if _, err := p.Click(w.ctx, channel, old.TS, "approve"); err != nil {
			t.Fatal(err)
		}
		w.settle()
		has(t, "the answer", read(w.last(p.ID, channel)), "I only watch here")
	})
}
