package bot

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pagbot/activation"
)

const readersID = "9409409a-0000-0000-0000-000000000002"

// exclusive has the two groups of the world exclude each other.
func exclusive(c *Config) {
	c.Groups[0].Excludes, c.Groups[1].Excludes = []string{readersID}, []string{admins.ID}
}

// leaves places what runs of db_admins, and makes db_readers free to be asked for.
func (w *world) leaves(since time.Duration) activation.Activation {
	a := w.runs(since)
	w.dir.change(func(d *directory) {
		d.instances = nil
		d.eligible[requester.Object] = append(d.eligible[requester.Object], activation.Eligibility{Group: activation.Group{Tenant: admins.Tenant, ID: readersID, Name: "db_readers"}, Access: activation.Member})
	})
	return a
}

// What excludes the ask is refused with whose rule it is, and with a button that
// leads to the switch, filled in with what was asked for.
func TestSwitchFromRefusal(t *testing.T) {
	play(t, func(c *Config) { exclusive(c); c.SignIn = withSession{} }, func(t *testing.T, w *world) {
		a := w.leaves(20 * time.Minute)
		w.command(requester.Slack.ID, `/pag activate db_readers 30m "look at a table" INC7`)
		w.say()
		m := w.last(requester.Slack.ID, general)
		has(t, "the answer", read(m), "My rule, not PIM's", "*db_admins*", "`/pag switch ``db_admins`` ``db_readers`", "[Switch…]")
		w.heard()
		if _, err := w.Person(requester.Slack.ID).Click(w.ctx, m.Channel, m.TS, actSwitch); err != nil {
			t.Fatal(err)
		}
		view := w.form(requester.Slack.ID)
		has(t, "the form", w.Person(requester.Slack.ID).ViewText(view), "First db_admins ends, at once", "I ask for db_readers", "neither, for about 15 s", "at no time both", "look at a table")
		if r, err := w.Person(requester.Slack.ID).Submit(w.ctx, view.ID, nil); err != nil || len(r.Errors) > 0 {
			t.Fatalf("%+v %v", r, err)
		}
		w.settle()
		r := w.renewal(t)
		if r.Ask.After != a.ID || r.Ask.Leaves.ID != admins.ID || r.Ask.Group.ID != readersID || r.Ask.Length != 30*time.Minute || r.Ask.Reason != "look at a table" || r.Ask.Ticket != "INC7" ||
			r.Finish.Warrant.Deed != activation.End || r.Finish.Next != r.Ask.ID {
			t.Errorf("%+v", r)
		}
		if r.Ask.Warrant.Digest != asked(r.Ask).Terms(activation.Submit, "").Digest() {
			t.Error("the warrant is not of the switch")
		}
		w.say()
		has(t, "the answer", w.dm(requester.Slack.ID), "I'm switching you from *db_admins* to *db_readers*")
	})
}

// The Home tab offers what a person may switch to, for what they have; a click goes
// the same way as the command.
func TestSwitchFromHome(t *testing.T) {
	play(t, func(c *Config) { exclusive(c); c.SignIn = withSession{} }, func(t *testing.T, w *world) {
		a := w.leaves(20 * time.Minute)
		p := w.Person(requester.Slack.ID)
		if err := p.OpenHome(); err != nil {
			t.Fatal(err)
		}
		w.settle()
		v, _ := p.Home()
		has(t, "the tab", p.ViewText(v), "[End now] [Switch to db_readers…]")
		to := may{w.bot.Groups[1], activation.Member, requester}.value()
		if r, err := p.Press(w.ctx, v.ID, actSwitch+"|"+to); err != nil || r.Error != "" {
			t.Fatal(err, r)
		}
		view := w.form(requester.Slack.ID)
		has(t, "the form", p.ViewText(view), "First db_admins ends, at once", "I ask for db_readers", "neither, for about 15 s")
		if r, err := p.Submit(w.ctx, view.ID, map[string]any{"reason": "look at a table"}); err != nil || len(r.Errors) > 0 {
			t.Fatalf("%+v %v", r, err)
		}
		w.settle()
		if r := w.renewal(t); r.Ask.After != a.ID || r.Ask.Leaves.ID != admins.ID || r.Ask.Group.ID != readersID || r.Finish.Next != r.Ask.ID {
			t.Errorf("%+v", r)
		}
	})
}

// Only what excludes what is there is offered, to the account that has it, while
// it can still be left; and few, so that the tab stays legible.
func TestHomeOffersSwitches(t *testing.T) {
	no := Group{Group: activation.Group{ID: "no", Name: "no"}}
	list := []may{{no, activation.Member, requester}}
	for i := range 5 {
		g := Group{Group: activation.Group{ID: fmt.Sprint(i), Name: fmt.Sprint("group-", i)}, Excludes: []string{admins.ID}}
		list = append(list, may{g, activation.Member, approver}, may{g, activation.Owner, requester})
	}
	b := &Bot{Config: Config{SignIn: stamp{}}}
	if got := showBlocks(t, b.home([]activation.Activation{scene(activation.Active)}, nil, list, true, false)); !strings.Contains(got, "[End now] [Switch to group-0 (as owner)…] [Switch to group-1 (as owner)…] [Switch to group-2 (as owner)…]\n") {
		t.Error(got)
	}
	leaving := scene(activation.Ending, func(a *activation.Activation) {
		a.Deeds = []activation.Pending{{Warrant: activation.Warrant{Deed: activation.End}}}
	})
	for _, a := range []activation.Activation{leaving, scene(activation.Verifying)} {
		if got := showBlocks(t, b.home([]activation.Activation{a}, nil, list, true, false)); strings.Contains(got, "Switch") {
			t.Error(got)
		}
	}
	if got := showBlocks(t, (&Bot{}).home([]activation.Activation{scene(activation.Active)}, nil, list, true, false)); strings.Contains(got, "Switch") {
		t.Error("offered where nobody signs in: ", got)
	}
}

// Without a session one link confirms both deeds.
func TestSwitchByCommand(t *testing.T) {
	for _, typed := range []string{`/pag switch db_admins db_readers 1h "why"`, `/pag switch from dba to db_readers 1h "why"`, `/pag switch db_readers 1h "why"`} {
		play(t, exclusive, func(t *testing.T, w *world) {
			w.leaves(2 * time.Minute)
			w.command(requester.Slack.ID, typed)
			r := w.renewal(t)
			w.say()
			has(t, typed, read(w.last(requester.Slack.ID, general)), "Switch from *db_admins* to *db_readers*, for 1 h?", "first 5 minutes", "until then nothing changes", "/d/"+r.Ask.Warrant.ID+"+"+r.Finish.Warrant.ID)
		})
	}
}

// What can't be switched is said, and nothing is told to anybody.
func TestNotSwitched(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*activation.Activation)
		typed  string
		want   []string
	}{
		"nothing to leave":  {func(a *activation.Activation) { a.Phase = activation.Verifying }, "/pag switch db_readers", []string{"nothing that excludes *db_readers*"}},
		"none of that name": {nil, "/pag switch db_readers db_admins", []string{"nothing to leave that is called “db_readers”"}},
		"unknown":           {nil, "/pag switch db_admins to db_reader 1h", []string{"Did you mean *db_readers*?"}},
		"later":             {nil, "/pag switch db_admins db_readers at 18:00", []string{"switch now, not later"}},
		"usage":             {nil, "/pag switch", []string{"FROM TO"}},
		"being ended": {func(a *activation.Activation) {
			a.Phase, a.Deeds = activation.Ending, []activation.Pending{{Warrant: activation.Warrant{Deed: activation.End}}}
		}, "/pag switch db_readers", []string{"being ended"}},
		"too long":     {nil, `/pag switch db_readers 9h "why"`, []string{"longer than PIM allows"}},
		"both at once": {nil, `/pag activate db_admins,db_readers 1h "why"`, []string{"asked for nothing", "My rule, not PIM's"}},
		"check":        {nil, `/pag check db_readers 1h "why"`, []string{"pagbot: My rule, not PIM's: nobody has *db_readers* and *db_admins*", "It would be refused"}},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, exclusive, func(t *testing.T, w *world) {
				a := w.leaves(time.Hour)
				if c.change != nil {
					c.change(&a)
					w.put(a)
				}
				said := w.command(requester.Slack.ID, c.typed)
				w.say()
				has(t, "the answer", said+read(w.last(requester.Slack.ID, general)), c.want...)
				if now, _ := w.Load(w.ctx, a.ID); len(now.Deeds) != len(a.Deeds) || now.Phase != a.Phase {
					t.Errorf("it is %s, with %v", now.Phase, now.Deeds)
				}
			})
		})
	}
}

// A request that waits is withdrawn first.
func TestSwitchFromRequest(t *testing.T) {
	play(t, exclusive, func(t *testing.T, w *world) {
		a := w.leaves(time.Hour)
		a.Phase, a.From, a.Ends = activation.AwaitingApproval, time.Time{}, time.Time{}
		w.put(a)
		w.command(requester.Slack.ID, `/pag switch db_readers 1h "why"`)
		if r := w.renewal(t); r.Finish.Warrant.Deed != activation.Cancel {
			t.Errorf("%+v", r.Finish)
		}
		w.say()
		has(t, "the answer", read(w.last(requester.Slack.ID, general)), "First your request for *db_admins* is withdrawn")
	})
}

// Every sentence about switches, to be read.
func TestSwitchWords(t *testing.T) {
	was := scene(activation.Active, func(a *activation.Activation) { a.Settings.NeedsApproval = false })
	waits := scene(activation.AwaitingApproval)
	next := scene(activation.Asked, func(a *activation.Activation) {
		a.After, a.Leaves, a.Group.Name, a.Length, a.Settings.NeedsApproval = was.ID, was.Group, "db_readers", activation.Duration(time.Hour), false
	})
	approved := next
	approved.Settings.NeedsApproval = true
	ended := scene(activation.Verifying, func(a *activation.Activation) { a.Ended, a.Next = after(time.Hour), "next" })
	withdrawn := scene(activation.Closed, func(a *activation.Activation) { a.Ended, a.Outcome = time.Time{}, activation.Withdrawn })
	active := next
	active.Phase, active.From, active.Ends = activation.Active, ended.Ended.Add(21*time.Second), after(2*time.Hour)
	clash := scene(activation.Active, func(a *activation.Activation) { a.Clash.Name = "db_readers" })
	pending := activation.Pending{Warrant: activation.Warrant{Expires: after(75 * time.Minute)}}
	no := was.Excludes()
	var out strings.Builder
	for _, s := range [][2]string{
		{"excluded", sayExcluded(no, next)},
		{"excluded, no end known", sayExcluded(waits.Excludes(), next)},
		{"offer", sayMaySwitch(was, next)},
		{"offer to withdraw", sayMaySwitch(waits, next)},
		{"form", saySwitch(next, was, true, after(30*time.Minute))},
		{"form, too young", saySwitch(next, was, true, was.From.Add(time.Minute))},
		{"form, an approver is needed", saySwitch(approved, was, true, after(30*time.Minute))},
		{"form, no rule", saySwitch(next, waits, false, after(30*time.Minute))},
		{"link", saySignSwitch(next, was, pending, true, after(time.Hour))},
		{"on its way", saySwitching(next)},
		{"first half done", sayLeft(ended, next)},
		{"first half done, an approver is needed", sayLeft(ended, approved)},
		{"done", saySwitched(ended, active)},
		{"done, from a request", saySwitched(withdrawn, active)},
		{"refused, and has it still", sayLeftBehind(was, next)},
		{"refused, and the request stands", sayLeftBehind(waits, next)},
		{"refused, and has neither", sayLeftBehind(ended, next)},
		{"refused, and asked for neither", sayLeftBehind(withdrawn, next)},
		{"could not be left", sayRefusal(activation.Refusal{Code: activation.NotEnded}, next)},
		{"being left", sayNotLeavable(was)},
		{"on its way to PIM", sayNotLeavable(scene(activation.Provisioning))},
		{"over", sayNotLeavable(ended)},
		{"which", sayWhichToLeave([]activation.Activation{was, waits}, "", Group{Group: next.Group})},
		{"both at once", sayTogether("db_admins", "db_readers")},
		{"gone round", sayClash(clash)},
	} {
		fmt.Fprintf(&out, "# %s\n%s\n", s[0], show(t, plain(s[1])))
	}
	golden(t, "switch.txt", out.String())
}
