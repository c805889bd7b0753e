package bot

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"pagbot/activation"
)

// both makes the requester eligible for both groups.
func both(d *directory) {
	d.eligible[requester.Object] = []activation.Eligibility{{Group: admins, Access: activation.Member},
		{Group: activation.Group{ID: readers, Name: "db_readers"}, Access: activation.Member}}
}

// Several groups in one line are an activation each, begun together, and one
// link confirms all of them.
func TestSeveralAtOnce(t *testing.T) {
	presets := func(c *Config) {
		c.Presets = []Preset{{Name: "night", Groups: []string{"dba", "db_readers"}, Length: 2 * time.Hour}}
	}
	for _, typed := range []string{`/pag activate db_admins, DB_READERS,dba 2h "why" INC1`, `/pag activate night "why" INC1`} {
		play(t, presets, func(t *testing.T, w *world) {
			w.dir.change(both)
			w.command(requester.Slack.ID, typed)
			all, ok := w.heard()[0].(activation.Asks)
			if !ok || len(all) != 2 {
				t.Fatalf("%+v", all)
			}
			for i, q := range all {
				if q.Length != 2*time.Hour || q.Reason != "why" || q.Ticket != "INC1" || len(q.Batch) != 2 || q.Batch[i] != q.ID || q.Warrant.Proof != activation.Fresh || q.Reply == "" {
					t.Errorf("%+v", q)
				}
			}
			if all[0].Group != admins || all[1].Group.ID != readers || all[0].Tag == all[1].Tag || all[0].Warrant.ID == all[1].Warrant.ID {
				t.Errorf("%+v and %+v", all[0], all[1])
			}
			w.say()
			said := w.Person(requester.Slack.ID).Messages(general)
			if n := len(said); n != 1 {
				t.Errorf("%d answers", n)
			}
			has(t, "the answer", read(said[0]), "*db_admins* and *db_readers* for 2 h: confirm both with one sign-in", "/d/"+all[0].Warrant.ID+"+"+all[1].Warrant.ID)
		})
	}
}

// What is refused is refused by itself, and the others go on; what is not known
// asks for nothing at all.
func TestSeveralOfWhichOneIsRefused(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		w.command(requester.Slack.ID, `/pag activate db_admins,db_readers 2h "why"`)
		all := w.heard()[0].(activation.Asks)
		if len(all) != 2 || all[0].Batch != nil || all[1].Batch != nil {
			t.Errorf("%+v", all)
		}
		w.say()
		var texts []string
		for _, m := range w.Person(requester.Slack.ID).Messages(general) {
			texts = append(texts, read(m))
		}
		has(t, "the answers", strings.Join(texts, "\n"), "not eligible for *db_readers*", "*db_admins* for 2 h: confirm with your sign-in")
		has(t, "unknown", w.command(requester.Slack.ID, `/pag activate db_admins,frob 2h "why"`), "called “frob”")
		has(t, "none", w.command(requester.Slack.ID, `/pag activate , 2h "why"`), "I don't know a group")
		if in := w.heard(); len(in) != 0 {
			t.Errorf("asked all the same: %+v", in)
		}
	})
}

// withSession is a SignIn that holds a session of the requester.
type withSession struct{ stamp }

func (withSession) Kept(_ context.Context, p activation.Person) bool { return p.SameAccount(requester) }

func TestSeveralWithoutABrowser(t *testing.T) {
	session := func(c *Config) { c.SignIn = withSession{} }
	play(t, session, func(t *testing.T, w *world) {
		w.dir.change(both)
		w.dir.change(func(d *directory) { d.settings = activation.Settings{} })
		w.command(requester.Slack.ID, `/pag activate db_admins 3h "why"`)
		w.heard()
		w.say()
		has(t, "the answer to one", read(w.last(requester.Slack.ID, general)), "I'm asking Entra for *db_admins* for 3 h")
		w.command(requester.Slack.ID, `/pag activate db_admins,db_readers 2h "why"`)
		all := w.heard()[0].(activation.Asks)
		if slices.ContainsFunc(all, func(q activation.Ask) bool { return q.Warrant.Proof != activation.Session }) {
			t.Errorf("%+v", all)
		}
		w.say()
		said := w.Person(requester.Slack.ID).Messages(general)
		if len(said) != 2 || !strings.Contains(read(said[1]), "I'm asking Entra for *db_admins* and *db_readers* for 2 h") {
			t.Errorf("%d answers: %s", len(said), read(said[len(said)-1]))
		}
	})
}

func TestCheckSeveral(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		w.dir.change(both)
		got := w.command(requester.Slack.ID, `/pag check db_admins,db_readers 2h "why"`)
		if strings.Count(got, "Nothing forbids it") != 2 {
			t.Error(got)
		}
	})
}

// The form takes several groups, too: one ask for all, and what is wrong is the
// strictest rule, with the group whose it is.
func TestFormTakesSeveral(t *testing.T) {
	change := func(c *Config) { c.Groups[1].TicketForm, c.Groups[1].Ticket = "CHG1", regexp.MustCompile(`^CHG`) }
	play(t, change, func(t *testing.T, w *world) {
		w.dir.change(both)
		w.dir.change(func(d *directory) {
			d.of = map[string]activation.Settings{readers: {Max: activation.Duration(90 * time.Minute), NeedsTicket: true}}
		})
		p := w.Person(requester.Slack.ID)
		view := w.opens(requester.Slack.ID, "/pag activate")
		offered, err := p.Suggest(w.ctx, view.ID, "v", "db")
		if err != nil || len(offered) != 2 {
			t.Fatal(err, offered)
		}
		two := []any{offered[0]["value"], offered[1]["value"]}
		if err := w.picks(requester.Slack.ID, view.ID, two); err != nil {
			t.Fatal(err)
		}
		view = w.form(requester.Slack.ID)
		has(t, "the preview", p.ViewText(view), "Together: db_admins and db_readers", "not longer than 1 h 30 min, which db_readers allows", "a reason, for db_admins", "a ticket, for db_readers", "an approver must agree to db_admins")
		r, err := p.Submit(w.ctx, view.ID, map[string]any{inGroup: two, inLength: "8h0m0s", inReason: "why", inTicket: "INC1"})
		if err != nil || len(r.Errors) != 2 {
			t.Fatal(err, r)
		}
		has(t, "the length", r.Errors[inLength], "db_readers: ", "1 h 30 min or less")
		has(t, "the ticket", r.Errors[inTicket], "db_readers: ", "CHG1")
		if r, err = p.Submit(w.ctx, view.ID, map[string]any{inGroup: two, inLength: "1h0m0s", inReason: "why", inTicket: "CHG7"}); err != nil || r.Error != "" || len(r.Errors) > 0 {
			t.Fatal(err, r)
		}
		w.settle()
		all, ok := w.heard()[0].(activation.Asks)
		if !ok || len(all) != 2 || len(all[0].Batch) != 2 || all[1].Group.ID != readers || all[1].Length != time.Hour || all[1].Ticket != "CHG7" || all[0].Warrant.Proof != all[1].Warrant.Proof {
			t.Errorf("%+v", all)
		}
		w.say()
		has(t, "the answer", w.dm(requester.Slack.ID), "confirm both with one sign-in")
	})
}
