package bot

import (
	"strings"
	"testing"
	"time"

	"pagbot/activation"
)

// done is PIM's answer to an ask: it waits for an approver.
func done(w *world, q activation.Ask) {
	r := activation.Request{ID: "5e0e57ed-0000-0000-0000-" + q.ID, Status: "PendingApproval", Created: time.Now()}
	w.tell(q.ID, activation.Done{Warrant: q.Warrant.ID, Request: &r, At: time.Now()})
	w.say()
}

// asksInForm asks for what the values name, by the form, and returns the asks.
func asksInForm(w *world, groups ...may) []activation.Ask {
	w.t.Helper()
	var values []any
	for _, m := range groups {
		values = append(values, m.value())
	}
	p := w.Person(requester.Slack.ID)
	view := w.opens(requester.Slack.ID, "/pag activate")
	if r, err := p.Submit(w.ctx, view.ID, map[string]any{inGroup: values, inReason: "why"}); err != nil || len(r.Errors) > 0 {
		w.t.Fatal(err, r)
	}
	w.settle()
	w.say()
	switch in := w.heard()[0].(type) {
	case activation.Asks:
		return in
	case activation.Ask:
		return []activation.Ask{in}
	}
	return nil
}

var (
	ofAdmins  = may{Group{Group: admins}, activation.Member, requester}
	ofReaders = may{Group{Group: activation.Group{ID: readers}}, activation.Member, requester}
)

// A link in a message is replaced, with words, when it leads nowhere any more.
func TestNoDeadLinks(t *testing.T) {
	ends := map[string]struct {
		then func(w *world, q activation.Ask)
		says string
	}{
		"withdrawn": {func(w *world, _ activation.Ask) { w.command(requester.Slack.ID, "/pag deactivate db_admins") }, "You withdrew *db_admins* for 1 h before Entra was asked."},
		"expired":   {func(w *world, q activation.Ask) { w.tell(q.ID, activation.Lapse{Warrant: q.Warrant.ID}) }, "not confirmed in time, so Entra was not asked. `/pag again`"},
		"confirmed": {done, "Entra has your request for *db_admins* for 1 h. *An approver must agree*"},
	}
	for what, c := range ends {
		play(t, nil, func(t *testing.T, w *world) {
			q := asksInForm(w, ofAdmins)[0]
			p := w.Person(requester.Slack.ID)
			link := w.last(requester.Slack.ID, p.DM())
			has(t, what, read(link), "Confirm in browser")
			c.then(w, q)
			w.say()
			now := read(p.Messages(p.DM())[0])
			if has(t, what, now, c.says); strings.Contains(now, "Confirm in browser") {
				t.Errorf("%s: %s", what, now)
			}
		})
		// What answers a command can only be changed by a click on it: one that was
		// made before, or the next.
		for _, before := range []bool{true, false} {
			play(t, nil, func(t *testing.T, w *world) {
				w.command(requester.Slack.ID, `/pag activate db_admins 1h "why"`)
				w.say()
				p := w.Person(requester.Slack.ID)
				press := func() {
					if _, err := p.Click(w.ctx, general, p.Messages(general)[0].TS, actOpen); err != nil {
						t.Fatal(err)
					}
					w.settle()
				}
				if before {
					press()
					has(t, what, read(p.Messages(general)[0]), "Confirm in browser")
				}
				c.then(w, w.heard()[0].(activation.Ask))
				w.say()
				if !before {
					press()
				}
				now := read(p.Messages(general)[0])
				if has(t, what, now, c.says); strings.Contains(now, "Confirm in browser") {
					t.Errorf("%s, clicked before: %v: %s", what, before, now)
				}
			})
		}
	}
}

// One link for several is good until the last of them is settled.
func TestOneLinkForSeveral(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		w.dir.change(both)
		all := asksInForm(w, ofAdmins, ofReaders)
		p := w.Person(requester.Slack.ID)
		link := func() string { return read(p.Messages(p.DM())[0]) }
		has(t, "at first", link(), "*db_admins* and *db_readers* for 1 h: confirm both")
		done(w, all[0])
		has(t, "one is settled", link(), "*db_readers* for 1 h: confirm with your sign-in", "Confirm in browser")
		done(w, all[1])
		if has(t, "both are", link(), "your request for *db_admins*", "your request for *db_readers*"); strings.Contains(link(), "Confirm in browser") {
			t.Error(link())
		}
		if n := len(p.Messages(p.DM())); n != 1 {
			t.Errorf("%d messages", n)
		}
	})
}
