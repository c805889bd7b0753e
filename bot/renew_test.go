package bot

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pagbot/activation"
)

// runs places an activation that needs no approver and runs for two hours.
func (w *world) runs(since time.Duration) activation.Activation {
	a := scene(activation.Active)
	a.Settings = activation.Settings{Max: activation.Duration(4 * time.Hour), NeedsReason: true}
	a.From = time.Now().Add(-since)
	a.Ends = a.From.Add(2 * time.Hour)
	w.put(a)
	w.dir.change(func(d *directory) {
		d.settings = a.Settings
		d.instances = []activation.Instance{{Person: requester, Group: admins, Access: activation.Member, From: a.From, Ends: a.Ends}}
	})
	return a
}

func (w *world) renewal(t *testing.T) activation.Renewal {
	t.Helper()
	for _, in := range w.heard() {
		if r, ok := in.(activation.Renewal); ok {
			return r
		}
	}
	t.Fatalf("nothing is renewed; the last answer: %s", read(w.last(requester.Slack.ID, general)))
	return activation.Renewal{}
}

// Without a session one link confirms both deeds, which live equally long; the
// cost is said before.
func TestRenewByCommand(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		a := w.runs(20 * time.Minute)
		w.command(requester.Slack.ID, `/pag renew dba 1h "one more table"`)
		r := w.renewal(t)
		if r.Ask.After != a.ID || r.Finish.Next != r.Ask.ID || r.Ask.Length != time.Hour || r.Ask.Reason != "one more table" || r.Ask.Ticket != a.Ticket {
			t.Errorf("%+v", r)
		}
		end := r.Finish.Warrant
		if end.Deed != activation.End || end.Proof != activation.Fresh || r.Ask.Warrant.Proof != activation.Fresh || !end.Expires.Equal(r.Ask.Warrant.Expires) || end.ID == r.Ask.Warrant.ID {
			t.Errorf("%+v and %+v", r.Ask.Warrant, end)
		}
		if end.Digest != a.Terms(activation.End, "").Digest() {
			t.Error("the end is not of what runs")
		}
		w.say()
		said := w.Person(requester.Slack.ID).Messages(general)
		if len(said) != 1 {
			t.Fatalf("%d answers", len(said))
		}
		has(t, "the answer", read(said[0]), "Renew *db_admins*, for 1 h from then on?", "no access, for about 15 s", "learn it again", "Azure DevOps contoso", "full 4 h", "/d/"+r.Ask.Warrant.ID+"+"+end.ID)
		has(t, "deactivate", w.command(requester.Slack.ID, "/pag deactivate"), "withdrawing your request")
		w.say()
		if now, _ := w.Load(w.ctx, r.Ask.ID); now.Outcome != activation.Withdrawn {
			t.Errorf("the renewal is %s", now.Phase)
		}
	})
}

// With a session no browser asks: the form says the cost first, and nothing is
// told to anybody until it is confirmed.
func TestRenewByForm(t *testing.T) {
	play(t, func(c *Config) { c.SignIn = withSession{} }, func(t *testing.T, w *world) {
		a := w.runs(20 * time.Minute)
		view := w.opens(requester.Slack.ID, `/pag renew db_admins until 3:30`)
		p := w.Person(requester.Slack.ID)
		has(t, "the form", p.ViewText(view), "no access, for about 15 s", "learn it again")
		if in := w.heard(); len(in) > 0 {
			t.Errorf("told already: %+v", in)
		}
		if r, err := p.Submit(w.ctx, view.ID, map[string]any{inReason: "one more table"}); err != nil || len(r.Errors) > 0 {
			t.Fatalf("%+v %v", r, err)
		}
		w.settle()
		r := w.renewal(t)
		if r.Ask.Warrant.Proof != activation.Session || r.Finish.Warrant.Proof != activation.Session || r.Ask.Reason != "one more table" || r.Ask.After != a.ID || r.Ask.Until.IsZero() {
			t.Errorf("%+v", r)
		}
	})
}

// What can't be renewed is said, with what is possible, and nothing is ended.
func TestNotRenewed(t *testing.T) {
	for name, c := range map[string]struct {
		since  time.Duration
		change func(*activation.Activation)
		typed  string
		want   []string
	}{
		"too young":       {4 * time.Minute, nil, "/pag renew", []string{"first 5 minutes", "can be renewed from"}},
		"approval":        {time.Hour, func(a *activation.Activation) { a.Settings.NeedsApproval = true }, "/pag renew", []string{"RoleAssignmentExists", "/pag deactivate"}},
		"being ended":     {time.Hour, func(a *activation.Activation) { a.Phase = activation.Ending }, "/pag renew db_admins", []string{"is being ended already"}},
		"another":         {time.Hour, nil, "/pag renew db_readers", []string{"nothing running that is called “db_readers”"}},
		"later":           {time.Hour, nil, "/pag renew dba at 18:00", []string{"renew it now, not later"}},
		"as owner":        {time.Hour, nil, "/pag renew dba as owner", []string{"nothing running"}},
		"too long":        {time.Hour, nil, `/pag renew dba 9h "why"`, []string{"longer than PIM allows"}},
		"somebody else's": {time.Hour, func(a *activation.Activation) { a.Person = approver }, "/pag renew", []string{"nothing running"}},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, nil, func(t *testing.T, w *world) {
				a := w.runs(c.since)
				if c.change != nil {
					c.change(&a)
					w.put(a)
				}
				said := w.command(requester.Slack.ID, c.typed)
				w.say()
				has(t, "the answer", said+read(w.last(requester.Slack.ID, general)), c.want...)
				if now, _ := w.Load(w.ctx, a.ID); len(now.Deeds) > 0 || now.Phase != a.Phase {
					t.Errorf("it is %s, with %v", now.Phase, now.Deeds)
				}
			})
		})
	}
}

// The warning's button is good only to whom it was sent.
func TestRenewIsNobodyElses(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		a := w.runs(time.Hour)
		w.do(a.ID, activation.Effect{Key: "dm/9", Kind: activation.DM, Topic: activation.TopicWarning, To: requester})
		has(t, "the warning", w.dm(requester.Slack.ID), "[End now]", "[Renew…]")
		m := w.last(requester.Slack.ID, w.Person(requester.Slack.ID).DM())
		if _, err := w.Person(requester.Slack.ID).Click(w.ctx, m.Channel, m.TS, actRenew); err != nil {
			t.Fatal(err)
		}
		has(t, "the form", w.Person(requester.Slack.ID).ViewText(w.form(requester.Slack.ID)), "no access, for about 15 s")
		w.who[requester.Slack.ID] = []activation.Person{approver} // bound to another account meanwhile
		view := w.form(requester.Slack.ID)
		if _, err := w.Person(requester.Slack.ID).Submit(w.ctx, view.ID, nil); err != nil {
			t.Fatal(err)
		}
		w.settle()
		has(t, "the answer", w.dm(requester.Slack.ID), "only they can")
		if in := w.heard(); len(in) > 0 {
			t.Errorf("told: %+v", in)
		}
	})
}

// Every sentence about renewals, to be read.
func TestRenewalWords(t *testing.T) {
	was := scene(activation.Active, func(a *activation.Activation) { a.Settings.NeedsApproval = false })
	next := scene(activation.Asked, func(a *activation.Activation) { a.After, a.Length = was.ID, activation.Duration(time.Hour) })
	ended := scene(activation.Verifying, func(a *activation.Activation) { a.Ended, a.Next = after(time.Hour), "next" })
	works := scene(activation.Active, func(a *activation.Activation) {
		a.After, a.Targets[1].Grant = was.ID, activation.Span{State: activation.Works, Level: activation.L2, By: after(time.Hour)}
	})
	pending := activation.Pending{Warrant: activation.Warrant{Expires: after(75 * time.Minute)}}
	slow := []string{lit("Azure DevOps contoso usually 7–22 min here, 41 seen")}
	var out strings.Builder
	for _, s := range [][2]string{
		{"form", sayRenewForm(was, slow)},
		{"link", saySignRenewal(next, was, pending, slow)},
		{"link, nothing behind", saySignRenewal(next, was, pending, nil)},
		{"first half done", sayMakesRoom(ended)},
		{"gap", sayGap(ended.Ended, ended.Ended.Add(14*time.Second+300*time.Millisecond))},
		{"gap, by clocks that differ", sayGap(ended.Ended, ended.Ended.Add(-time.Second))},
		{"works", sayEffective(works, works.Targets[1])},
		{"refused, and runs", sayMeanwhile(was, next)},
		{"refused, and over", sayMeanwhile(ended, next)},
		{"which", sayWhichToRenew([]activation.Activation{was, ended}, "")},
		{"nothing", sayWhichToRenew(nil, "")},
		{"none of that name", sayWhichToRenew(nil, "db")},
		{"being ended", sayNotRunning(scene(activation.Ending))},
		{"to be ended, not confirmed", sayNotRunning(scene(activation.Ending, func(a *activation.Activation) {
			a.Deeds = []activation.Pending{{Warrant: activation.Warrant{ID: "w1", Deed: activation.End}, Needs: true}}
		}))},
		{"over", sayNotRunning(ended)},
		{"approval", sayRenewApproval(scene(activation.Active))},
		{"too young", sayRenewFloor(was, after(15*time.Minute))},
		{"the end is near", sayWarning(was)},
	} {
		fmt.Fprintf(&out, "# %s\n%s\n", s[0], show(t, plain(s[1])))
	}
	golden(t, "renew.txt", out.String())
}
