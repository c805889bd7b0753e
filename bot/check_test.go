package bot

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"pagbot/activation"
)

// A dry run tells every rule and whose it is; what it says is what Judge says.
func TestVerdicts(t *testing.T) {
	var out strings.Builder
	for _, c := range []struct {
		title  string
		change func(*activation.Ask)
	}{
		{"everything is asked of everybody", func(q *activation.Ask) {}},
		{"refused by PIM and by pagbot", func(q *activation.Ask) {
			q.Length, q.Reason, q.Ticket = 9*time.Hour, "", "CHG1"
			q.Facts.Eligible, q.Facts.Closest, q.Facts.TicketUnfit = false, "db_readers", true
			q.Facts.Vain = []time.Time{noon, noon, noon}
		}},
		{"nothing is asked of anybody", func(q *activation.Ask) {
			q.Warrant.Proof = activation.Session
			q.Facts = activation.Facts{Eligible: true}
		}},
		{"active already", func(q *activation.Ask) { q.Facts.Active = after(time.Hour) }},
	} {
		q := activation.Ask{Person: requester, Group: admins, Access: activation.Member, Length: 2 * time.Hour, Reason: "why", Ticket: "INC0012345",
			Warrant: activation.Warrant{Proof: activation.Fresh}, Facts: activation.Facts{Eligible: true, TicketForm: "INC0012345", Targets: scene(activation.Asked).Targets,
				Settings: activation.Settings{Max: activation.Duration(4 * time.Hour), NeedsReason: true, NeedsTicket: true, NeedsMFA: true, Context: "c1", NeedsApproval: true}}}
		c.change(&q)
		v := activation.Judge(q, q.Facts, noon)
		text := sayVerdict(q, v, []string{who(approver)}, true)
		if refused := strings.Contains(text, "would be refused"); refused != (v.Refusal() != nil) {
			t.Errorf("%s: %s", c.title, text)
		}
		for _, r := range v.Rules {
			if !strings.Contains(text, fmt.Sprintf("%s: %s", r.Whose, sayRule(r, q, []string{who(approver)}))) {
				t.Errorf("%s: nothing of %s", c.title, r.Name)
			}
		}
		m := plain(text)
		valid(t, m)
		fmt.Fprintf(&out, "# %s\n%s\n", c.title, showBlocks(t, m.blocks))
	}
	golden(t, "check.txt", out.String())
}

func TestCheckAsksForNothing(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		got := w.command(requester.Slack.ID, `/pag check db_admins 2h "why"`)
		has(t, "the verdict", got, "for 2 h", "PIM: you are eligible", "PIM: an approver must agree: @U0APPROVER can decide", "pagbot: you confirm it", "Nothing forbids it")
		got = w.command(requester.Slack.ID, `/pag check db_readers 9h`)
		has(t, "the verdict", got, "not eligible for *db_readers*", "Ask for 4 h or less", "wants a reason", "It would be refused")
		has(t, "no group", w.command(requester.Slack.ID, `/pag check`), "what to check")
		has(t, "an unknown group", w.command(requester.Slack.ID, `/pag check db_admin`), "Did you mean")
		if in := w.heard(); len(in) != 0 {
			t.Errorf("told: %+v", in)
		}
	})
	watch := func(c *Config) { c.SignIn = nil }
	play(t, watch, func(t *testing.T, w *world) {
		has(t, "the verdict", w.command(requester.Slack.ID, `/pag check db_admins 2h "why"`), "Nothing forbids it. I only watch here")
	})
}

// Once a group is picked, the form says what would come of it, and keeps what
// was typed.
func TestPreview(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		p := w.Person(requester.Slack.ID)
		view := w.opens(requester.Slack.ID, "/pag activate")
		group := may{Group{Group: admins}, activation.Member, requester}.value()
		if _, err := p.Suggest(w.ctx, view.ID, "v", "db"); err != nil {
			t.Fatal(err)
		}
		if err := w.picks(requester.Slack.ID, view.ID, group); err != nil {
			t.Fatal(err)
		}
		view = w.form(requester.Slack.ID)
		has(t, "the form", p.ViewText(view), "for 1 h", "you are eligible", "wants a reason", "It would be refused")
		r, err := p.Submit(w.ctx, view.ID, map[string]any{inReason: "why"})
		if err != nil || len(r.Errors) > 0 {
			t.Fatal("what was picked is lost: ", err, r)
		}
		w.settle()
		if ask, ok := w.heard()[0].(activation.Ask); !ok || ask.Group != admins {
			t.Errorf("%+v", ask)
		}
	})
}

// TestCheckWarns of what may surprise people; not of what is refused anyway.
func TestCheckWarns(t *testing.T) {
	with := func(c *Config) {
		c.Warn = func(_ context.Context, _ activation.Person, group string, length time.Duration, also []string) []string {
			return []string{fmt.Sprintf("%v for %s beside %v", group == admins.ID, length, also)}
		}
	}
	play(t, with, func(t *testing.T, w *world) {
		w.put(scene(activation.Active, func(a *activation.Activation) { a.Group = activation.Group{Tenant: admins.Tenant, ID: "another"} }))
		has(t, "the verdict", w.command(requester.Slack.ID, `/pag check db_admins 2h "why"`), "Nothing forbids it", ":warning: true for 2h0m0s beside [another]")
		if got := w.command(requester.Slack.ID, `/pag check db_readers 9h`); strings.Contains(got, ":warning:") {
			t.Errorf("warned of what is refused: %s", got)
		}
		w.command(requester.Slack.ID, `/pag activate db_admins 2h "why"`)
		w.heard()
		w.say()
		has(t, "the answer", read(w.last(requester.Slack.ID, general)), "confirm with your sign-in", ":warning: true for 2h0m0s beside [another]")
		w.dir.change(both)
		w.command(requester.Slack.ID, `/pag activate db_readers,db_admins 2h "why"`)
		w.heard()
		w.say()
		has(t, "the answer for two", read(w.last(requester.Slack.ID, general)), "confirm both", "false for 2h0m0s beside [another]", "true for 2h0m0s beside [another "+readers+"]")
	})
}
