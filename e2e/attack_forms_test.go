package e2e

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"pagbot/activation"
	"pagbot/internal/demo"
	"pagbot/sim/slack"
)

// What may not come through the form in which people ask, the Home tab, and the
// commands that only look.

// askFrame is the frame of a filled in form; what of it is not a client's is the
// attacker's.
func (w *town) askFrame(by string, values map[string]any, as func(map[string]any)) map[string]any {
	state := map[string]any{}
	for input, v := range values {
		state[input] = map[string]any{"v": v}
	}
	p := map[string]any{"type": "view_submission", "team": map[string]any{"id": w.Team.ID}, "api_app_id": w.App.ID,
		"user": map[string]any{"id": w.People[by].Slack, "team_id": w.Team.ID},
		"view": map[string]any{"id": "V0MADEUP", "type": "modal", "callback_id": "ask", "private_metadata": "",
			"state": map[string]any{"values": state}}}
	if as != nil {
		as(p)
	}
	return p
}

// askForm sends such a frame and goes on wherever it leads.
func (w *town) askForm(by string, values map[string]any, as func(map[string]any)) string {
	w.t.Helper()
	seen := w.everything()
	if _, err := w.Slack.Inject(w.t.Context(), w.App.ID, "interactive", w.askFrame(by, values, as)); err != nil {
		w.t.Fatal(err)
	}
	return w.follows(by, "", seen)
}

func picks(values ...string) map[string]any {
	var options []any
	for _, v := range values {
		options = append(options, map[string]any{"value": v})
	}
	return map[string]any{"type": "multi_external_select", "selected_options": options}
}

func types(text string) map[string]any {
	return map[string]any{"type": "plain_text_input", "value": text}
}

// TestAttackAskForm sends forms that nobody was shown: with groups that were
// not offered, another's account, another's activation, far too many words.
func TestAttackAskForm(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		w.asked()
		theirs, devops, releasers := w.only().ID, w.Groups[demo.DevOpsAdmins].ID, w.Groups[demo.Releasers].ID
		requester := w.Account(demo.Requester)[:8]
		why := types("because I say so")
		metadata := func(p map[string]any) {
			p["view"].(map[string]any)["private_metadata"] = meta(theirs, activation.Approve)
		}
		long := types(strings.Repeat("x€<&", 1000))
		for what, f := range map[string]struct {
			by, words string
			values    map[string]any
			as        func(map[string]any)
		}{
			"not eligible":             {demo.Second, "not eligible", map[string]any{"group": picks(devops + "|m|"), "reason": why}, nil},
			"with another's account":   {demo.Second, "not eligible", map[string]any{"group": picks(devops + "|m|" + requester), "reason": why}, nil},
			"as owner":                 {demo.Second, "not eligible", map[string]any{"group": picks(devops + "|o|" + requester), "reason": why}, nil},
			"several, one not allowed": {demo.Second, "^$", map[string]any{"group": picks(devops + "," + releasers), "reason": why}, nil},
			"several chosen":           {demo.Second, "not eligible", map[string]any{"group": picks(devops+"|m|", devops+"|o|"+requester, devops+"|m|"), "reason": why}, nil},
			"more than there may be":   {demo.Second, "^$", map[string]any{"group": picks(slices.Repeat([]string{devops + "|m|"}, 11)...), "reason": why}, nil},
			"a group of nobody's":      {demo.Requester, "^$", map[string]any{"group": picks("00000000-0000-4000-8000-000000000000|m|"), "reason": why}, nil},
			"no group":                 {demo.Requester, "", map[string]any{"group": picks(""), "reason": why}, nil},
			"another's activation":     {demo.Second, "not eligible", map[string]any{"group": picks(devops + "|m|"), "reason": why}, metadata},
			"nobody's account":         {demo.Outsider, notBound, map[string]any{"group": picks(releasers + "|m|" + requester), "reason": why}, nil},
			"of another team":          {demo.Requester, notHere, map[string]any{"group": picks(releasers + "|m|"), "reason": why}, ofTeam("T0FABRIKAM")},
			"a long reason":            {demo.Requester, "500", map[string]any{"group": picks(releasers + "|m|"), "reason": long}, nil},
			"a long ticket":            {demo.Requester, "100", map[string]any{"group": picks(releasers + "|m|"), "reason": why, "ticket": long}, nil},
		} {
			w.nothing(func() {
				if answer := w.askForm(f.by, f.values, f.as); !regexp.MustCompile(f.words).MatchString(answer) {
					w.t.Errorf("%s: the answer is nothing like %q:\n%s", what, f.words, answer)
				}
			})
		}
	})
}

// TestAttackLongVote decides with far more words than the form takes.
func TestAttackLongVote(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		w.asked()
		id := w.only().ID
		w.nothing(func() {
			seen := w.everything()
			p := w.askFrame(demo.Approver, map[string]any{"reason": types(strings.Repeat("yes ", 1000))}, func(p map[string]any) {
				v := p["view"].(map[string]any)
				v["callback_id"], v["private_metadata"] = "vote", meta(id, activation.Approve)
			})
			if _, err := w.Slack.Inject(w.t.Context(), w.App.ID, "interactive", p); err != nil {
				w.t.Fatal(err)
			}
			w.told(w.follows(demo.Approver, "", seen), "500")
		})
	})
}

// homeClick presses the Home tab's button as another one.
func (w *town) homeClick(by, action, value string) string {
	w.t.Helper()
	p := w.Person(by)
	if err := p.OpenHome(); err != nil {
		w.t.Fatal(err)
	}
	w.home(by)
	v, _ := p.Home()
	return w.insists(press{by: by, on: slack.Click{View: v.ID, Action: "ask"}, forge: func(p map[string]any) {
		edit(p, "action_id", action)
		edit(p, "value", value)
	}})
}

// TestAttackHome presses buttons on one's own Home tab that are not on it:
// about the activations of others.
func TestAttackHome(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		w.asked()
		id := w.only().ID
		for action, words := range map[string]string{"again": notYours, "finish": notYours, "switch": notYours, "switch|any|m|": notYours, "approve": notHere + "|not the card"} {
			for _, by := range []string{demo.Second, demo.Approver} {
				w.nothing(func() { w.told(w.homeClick(by, action, id), words) })
				if text := w.formsOf(by); text != "" {
					w.t.Errorf("%s presses %s, and a form opens: %s", by, action, text)
				}
			}
		}
	})
}

// formsOf is all that stands in the forms in front of a person.
func (w *town) formsOf(name string) (text string) {
	for _, v := range w.Person(name).Views() {
		text += w.Person(name).ViewText(v)
	}
	return text
}

// TestAttackScheduled has others withdraw what is to begin later.
func TestAttackScheduled(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		w.types(demo.Requester, `/pag activate release-managers at 03:00 for 1h "release 42"`)
		w.confirms(demo.Requester, w.browser(), w.newest(demo.Requester))
		card := w.sees(demo.Colleague, w.Channel.ID, time.Minute, "will get release-managers")
		a := w.only()
		if a.Phase != activation.Scheduled {
			t.Fatal(a.Phase)
		}
		for _, by := range []string{demo.Colleague, demo.Approver} {
			w.signsIn(by)
			w.nothing(func() {
				w.told(w.insists(press{by: by, on: slack.Click{TS: card.TS, Action: "finish"}}), notYours)
				seen := w.everything()
				w.submits(by, slack.View{CallbackID: "finish", PrivateMetadata: meta(a.ID, activation.Cancel)}, nil)
				w.told(w.follows(by, "", seen), notYours)
				w.told(w.commands(by, "/pag deactivate release-managers"), "nothing|Nothing")
			})
		}
	})
}

// TestAttackSuggestions types into the form's list of groups as somebody who has
// become a guest, and draws pictures: they learn nothing.
func TestAttackSuggestions(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		w.types(demo.Requester, "/pag activate")
		form := w.form(demo.Requester)
		if all, err := w.Person(demo.Requester).Suggest(w.t.Context(), form.ID, "v", ""); err != nil || len(all) < 2 {
			t.Fatal(all, err)
		}
		w.rest(2 * time.Minute) // what Slack said of people is asked anew
		w.Slack.EditUser(w.People[demo.Requester].Slack, func(u *slack.User) { u.Restricted = true })
		if all, err := w.Person(demo.Requester).Suggest(w.t.Context(), form.ID, "v", ""); err != nil || len(all) > 0 {
			t.Errorf("a guest is offered %v %v", all, err)
		}
		from := w.lastEntry()
		for _, command := range []string{"/pag latency", "/pag latency devops-admins", "/pag check devops-admins 1h x", "/pag again", "/pag list", "/pag status"} {
			w.told(w.commands(demo.Requester, command), notHere)
		}
		for _, e := range w.Slack.History(slack.Query{After: from}) {
			if strings.HasPrefix(e.Name, "files.") || strings.HasPrefix(e.Name, "views.") {
				t.Errorf("a guest makes the bot call %s", e.Name)
			}
		}
	})
}
