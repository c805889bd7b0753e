package e2e

import (
	"testing"
	"testing/synctest"
	"time"

	"pagbot/internal/demo"
	"pagbot/sim/slack"
)

// form waits for the form that opens in front of a person.
func (w *town) form(name string) slack.View {
	w.t.Helper()
	synctest.Wait()
	time.Sleep(time.Second) // virtual
	views := w.Person(name).Views()
	if len(views) == 0 {
		w.t.Fatalf("no form opens for %s; in the channel:\n%s", name, w.read(name, w.Channel.ID))
	}
	return views[len(views)-1]
}

// home is what a person's Home tab shows by now.
func (w *town) home(name string) string {
	w.t.Helper()
	time.Sleep(5 * time.Second) // virtual
	synctest.Wait()
	v, ok := w.Person(name).Home()
	if !ok {
		w.t.Fatalf("%s has no Home tab", name)
	}
	return w.Person(name).ViewText(v)
}

// TestAskFromHome: the Home tab leads to the form, the form to the ask, and the
// tab follows it; what is wrong stands in the form.
func TestAskFromHome(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		p := w.Person(demo.Requester)
		if err := p.OpenHome(); err != nil {
			w.t.Fatal(err)
		}
		if text := w.home(demo.Requester); !holds(text, []string{"nothing active", "devops-admins"}) {
			w.t.Fatal(text)
		}
		v, _ := p.Home()
		if r, err := p.Press(w.t.Context(), v.ID, "ask"); err != nil || r.Error != "" {
			w.t.Fatal(err, r)
		}
		form := w.form(demo.Requester)
		groups, err := p.Suggest(w.t.Context(), form.ID, "v", "devops-adm")
		if err != nil || len(groups) != 1 {
			w.t.Fatal(groups, err)
		}
		r, err := p.Submit(w.t.Context(), form.ID, map[string]any{"group": groups[0]["value"], "length": "1h0m0s"})
		if err != nil || r.Errors["reason"] == "" {
			w.t.Fatalf("%v %+v", err, r)
		}
		r, err = p.Submit(w.t.Context(), form.ID, map[string]any{"group": groups[0]["value"], "length": "1h0m0s", "reason": "release 42 is stuck"})
		if err != nil || r.Error != "" || len(r.Errors) > 0 {
			w.t.Fatalf("%v %+v", err, r)
		}
		link := w.sees(demo.Requester, p.DM(), time.Minute, "devops-admins", "Confirm in browser")
		w.confirms(demo.Requester, w.browser(), w.link(link))
		w.sees(demo.Approver, w.Channel.ID, time.Minute, "An approver is needed")
		if text := w.home(demo.Requester); !holds(text, []string{"An approver is needed", "Withdraw", "devops-admins for 1 h"}) {
			w.t.Error(text)
		}
		w.t.Log(w.home(demo.Requester))
	})
}

// TestCheck: a dry run tells what would come of an ask, from PIM's own rules,
// and writes nothing anywhere.
func TestCheck(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		w.types(demo.Requester, `/pag check devops-admins 2h "release 42 is stuck"`)
		w.sees(demo.Requester, w.Channel.ID, time.Minute, "PIM: you are eligible", "multifactor", "an approver must agree: @approver and @second", "pagbot: you confirm it", "Azure DevOps")
		w.types(demo.Requester, `/pag check release-managers 9h`)
		w.sees(demo.Requester, w.Channel.ID, time.Minute, "Ask for 4 h or less", "PIM wants a reason", "It would be refused")
		if n := len(w.Entra.Writes()); n != 0 {
			w.t.Errorf("a dry run wrote %d times", n)
		}
		if text := w.read(demo.Colleague, w.Channel.ID); text != "" {
			w.t.Errorf("others see of it:\n%s", text)
		}
	})
}

// TestLater: what is asked for later is PIM's from now on; it begins by itself,
// and until then it can be withdrawn.
func TestLater(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		ask := func() {
			w.types(demo.Requester, `/pag activate release-managers at 03:00 for 1h "release 42"`) // 02:00 UTC
			link := w.sees(demo.Requester, w.Channel.ID, time.Minute, "release-managers", "from", "for 1 h", "Confirm in browser")
			w.confirms(demo.Requester, w.browser(), w.link(link))
		}
		ask()
		card := w.sees(demo.Colleague, w.Channel.ID, time.Minute, "will get release-managers", "for 1 h")
		if n := len(w.Entra.Writes()); n != 1 {
			w.t.Errorf("PIM was written to %d times", n)
		}
		w.presses(demo.Requester, card, "finish")
		w.fills(demo.Requester, "", "will be withdrawn")
		w.sees(demo.Colleague, w.Channel.ID, time.Minute, "withdrawn", "Nothing was given")
		ask()
		w.sees(demo.Requester, w.Person(demo.Requester).DM(), 2*time.Hour+time.Minute, "You have release-managers", "until")
		if n := len(w.Entra.Writes()); n != 3 {
			w.t.Errorf("PIM was written to %d times: ask, withdraw, ask", n)
		}
		if at := time.Now().UTC(); at.Hour() != 2 || at.Minute() > 2 {
			w.t.Errorf("it began at %s", at)
		}
	})
}
