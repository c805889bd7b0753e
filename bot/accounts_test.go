package bot

import (
	"strings"
	"testing"

	"pagbot/activation"
)

// The accounts of one person: for the day, and for administration.
var (
	day   = activation.Person{Tenant: requester.Tenant, Object: "da1da1da-0000-0000-0000-000000000009", Name: "requester@contoso.example", Human: requester.Human, Slack: requester.Slack}
	chief = activation.Person{Tenant: requester.Tenant, Object: "c41efc41-0000-0000-0000-000000000009", Name: "adm_chief@contoso.example", Human: approver.Human, Slack: approver.Slack}
)

// twoAccounts gives the requester and the approver a second account each.
func twoAccounts(w *world) {
	w.who[requester.Slack.ID] = []activation.Person{day, requester}
	w.who[approver.Slack.ID] = []activation.Person{approver, chief}
}

// Which account asks: the eligible one, the one that was used last, the one that
// was named; and each message says which it was.
func TestWhichAccountAsks(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		twoAccounts(w)
		asks := func(typed string) activation.Person {
			t.Helper()
			w.command(requester.Slack.ID, typed)
			in := w.heard()
			if len(in) != 1 {
				t.Fatalf("%s: %+v", typed, in)
			}
			return in[0].(activation.Ask).Person
		}
		if p := asks(`/pag activate db_admins 1h "why"`); p != requester {
			t.Errorf("only one is eligible, but %s asks", p.Name)
		}
		w.dir.change(func(d *directory) { d.eligible[day.Object] = d.eligible[requester.Object] })
		w.say()
		has(t, "the answer", read(w.last(requester.Slack.ID, general)), "With your account", "adm_requester@contoso.example")
		for typed, want := range map[string]activation.Person{
			`/pag activate db_admins 1h "why"`:                                         requester, // used last
			`/pag activate db_admins account REQUESTER 1h "why"`:                       day,
			`/pag activate db_admins account adm 1h "why"`:                             requester,
			`/pag activate db_admins as owner account requester 1h "why"`:              day,
			`/pag activate db_admins with requester@contoso.example until 18:00 "why"`: day,
			`/pag activate db_admins as requester@contoso.example as owner 1h "why"`:   day,
		} {
			if p := asks(typed); p != want {
				t.Errorf("%s: %s asks", typed, p.Name)
			}
		}
		has(t, "nobody's", w.command(requester.Slack.ID, `/pag activate db_admins account frob 1h "why"`), "“frob” is not one of your accounts", "*requester@contoso.example* and *adm_requester@contoso.example*")
		has(t, "no name", w.command(requester.Slack.ID, `/pag activate db_admins account "why"`), "After `account` I need the name")
		has(t, "one only", w.command(approver.Slack.ID, `/pag activate db_admins account adm 1h "why"`), "is not one of your accounts")
		if in := w.heard(); len(in) != 0 {
			t.Errorf("asked all the same: %+v", in)
		}
		has(t, "the list", w.command(requester.Slack.ID, "/pag list"), "db_admins* with requester@contoso.example", "db_admins* with adm_requester@contoso.example", "GROUP account NAME")
	})
}

// Two activations of one group, with two accounts, are told apart.
func TestEndWithWhichAccount(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		twoAccounts(w)
		w.put(scene(activation.Active))
		w.put(scene(activation.Active, func(a *activation.Activation) { a.ID, a.Person = "second", day }))
		has(t, "which", w.command(requester.Slack.ID, "/pag deactivate db_admins"), "*db_admins* with requester@contoso.example and *db_admins* with adm_requester@contoso.example", "GROUP account NAME")
		w.command(requester.Slack.ID, "/pag deactivate db_admins account requester")
		if in, ok := w.heard()[0].(activation.Finish); !ok || in.By != day || in.Warrant.Actor != day {
			t.Errorf("%+v", in)
		}
		has(t, "the status", w.command(requester.Slack.ID, "/pag status"), "With requester@contoso.example.", "With adm_requester@contoso.example.")
		w.do("second", activation.Effect{Key: "card", Kind: activation.Card, Slot: true})
		has(t, "the card", read(w.last(approver.Slack.ID, channel)), "Account: requester@contoso.example.")
	})
}

// The form offers what each account may, the one used last first.
func TestFormOffersAccounts(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		twoAccounts(w)
		w.dir.change(func(d *directory) { d.eligible[day.Object] = d.eligible[requester.Object] })
		w.put(scene(activation.Closed, closed(activation.Expired)))
		view := w.opens(requester.Slack.ID, "/pag activate")
		p := w.Person(requester.Slack.ID)
		offered, err := p.Suggest(w.ctx, view.ID, "v", "db")
		if got := strings.Join(offeredNames(offered), ", "); err != nil || got != "db_admins with adm_requester, db_admins with requester" {
			t.Fatalf("%v %s", err, got)
		}
		if _, err := p.Submit(w.ctx, view.ID, map[string]any{inGroup: offered[1]["value"], inReason: "why"}); err != nil {
			t.Fatal(err)
		}
		w.settle()
		if q, ok := w.heard()[0].(activation.Ask); !ok || q.Person != day {
			t.Errorf("%+v", q)
		}
	})
}

// Of an approver's accounts only those that may decide are offered, and the
// chosen one decides.
func TestWhichAccountDecides(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		twoAccounts(w)
		w.put(scene(activation.AwaitingApproval))
		w.do("abcdefghij", activation.Effect{Key: "card", Kind: activation.Card, Slot: true})
		p := w.Person(approver.Slack.ID)
		decides := func(values map[string]any) (string, activation.Person) {
			t.Helper()
			if r, err := p.Click(w.ctx, channel, w.last(approver.Slack.ID, channel).TS, actApprove); err != nil || r.Error != "" {
				t.Fatal(err, r)
			}
			view := w.form(approver.Slack.ID)
			text := p.ViewText(view)
			if r, err := p.Submit(w.ctx, view.ID, values); err != nil || r.Error != "" {
				t.Fatal(err, r)
			}
			w.settle()
			return text, w.heard()[0].(activation.Vote).By
		}
		if text, by := decides(map[string]any{"reason": "known"}); strings.Contains(text, sayFormAccount) || by != approver {
			t.Errorf("%s decides: %s", by.Name, text)
		}
		w.dir.change(func(d *directory) { d.approvers = append(d.approvers, chief) })
		w.put(scene(activation.AwaitingApproval))
		text, by := decides(map[string]any{"reason": "known", inAccount: chief.Object})
		if has(t, "the form", text, sayFormAccount); by != chief {
			t.Errorf("%s decides", by.Name)
		}
	})
}
