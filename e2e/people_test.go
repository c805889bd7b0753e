package e2e

import (
	"testing/synctest"
	"time"

	"pagbot/internal/demo"
	"pagbot/sim/devops"
	"pagbot/sim/entra"
	"pagbot/sim/slack"
)

// mine is where the bot writes to a person alone.
func (w *town) mine(name string) string { return w.Person(name).DM() }

// signs opens the link of the message that holds the words, signs in and
// confirms, and returns what the last page says.
func (w *town) signs(name, channel string, words ...string) string {
	w.t.Helper()
	ask := w.sees(name, channel, time.Minute, append(words, "Confirm in browser")...)
	return w.confirms(name, w.browser(), w.link(ask))
}

// keepsSession signs a person in ahead of anything that they want done.
func (w *town) keepsSession(name string) {
	w.t.Helper()
	w.types(name, "/pag signin")
	ask := w.sees(name, w.Channel.ID, time.Minute, "Sign in with your browser", "[Sign in]")
	w.confirms(name, w.browser(), w.link(ask))
}

// gets takes the requester all the way to a granted activation of a group that
// needs no approver.
func (w *town) gets(group, length string) {
	w.t.Helper()
	w.types(demo.Requester, "/pag activate "+group+" "+length+` "release 42 is stuck"`)
	w.signs(demo.Requester, w.Channel.ID, group)
	w.sees(demo.Requester, w.mine(demo.Requester), time.Minute, "You have "+group)
}

// awaits brings a request for devops-admins before its approvers, and returns
// the card that they see.
func (w *town) awaits() slack.Message {
	w.t.Helper()
	w.types(demo.Requester, `/pag activate devops-admins 2h "release 42 is stuck"`)
	w.signs(demo.Requester, w.Channel.ID, demo.DevOpsAdmins)
	return w.sees(demo.Approver, w.Channel.ID, time.Minute, demo.DevOpsAdmins, "An approver is needed")
}

// decides presses a button of a card, gives a reason in the form, and confirms
// in the browser. It returns what the last page says.
func (w *town) decides(name string, card slack.Message, action string) string {
	w.t.Helper()
	w.presses(name, card, action)
	w.fills(name, "release night", demo.DevOpsAdmins, "release 42 is stuck")
	not := map[string]string{"approve": "not approved", "deny": "not denied"}[action]
	return w.signs(name, w.mine(name), not, demo.DevOpsAdmins, "@requester")
}

// pass lets time go by.
func (w *town) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// wholeLife waits for the whole life of an activation that works in Azure DevOps:
// the requester is told when it does, when its end is near, when it ended and
// when it is gone.
func (w *town) wholeLife() {
	w.t.Helper()
	dm := w.mine(demo.Requester)
	w.sees(demo.Requester, dm, 2*time.Hour, "took effect in Azure DevOps")
	w.sees(demo.Requester, dm, 4*time.Hour, "ends at", "End now")
	w.sees(demo.Requester, dm, time.Hour, "ended at")
	w.sees(demo.Requester, dm, 2*time.Hour, "over and gone")
	w.sees(demo.Requester, w.Channel.ID, time.Minute, "and gone")
}

// settings changes a group's role settings before the bot starts.
func settings(group string, change func(*demo.Worlds, *entra.Settings)) func(*demo.Worlds) {
	return func(w *demo.Worlds) {
		s := entra.DefaultSettings()
		s.MaxDuration = 4 * time.Hour
		change(w, &s)
		if err := w.Entra.SetSettings(w.Groups[group].ID, "member", s); err != nil {
			panic(err)
		}
	}
}

// current is a message as it stands now.
func (w *town) current(m slack.Message) slack.Message {
	all := w.Slack.Revisions(m.Channel, m.TS)
	return all[len(all)-1]
}

// buttons are the action ids of a message's buttons.
func buttons(m slack.Message) (ids []string) {
	for _, b := range m.Blocks {
		elements, _ := b["elements"].([]any)
		for _, e := range elements {
			if id, ok := e.(map[string]any)["action_id"].(string); ok {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// signsIfAsked signs the requester in again where no session was kept.
func (w *town) signsIfAsked() {
	w.t.Helper()
	w.pass(10 * time.Second)
	for _, m := range w.Person(demo.Requester).Messages(w.mine(demo.Requester)) {
		if holds(w.Person(demo.Requester).Text(m), []string{"Confirm in browser"}) {
			w.confirms(demo.Requester, w.browser(), w.link(m))
		}
	}
}

// lateToForget makes Azure DevOps a copy without ticks, which forgets two and a
// half hours late.
func lateToForget(w *demo.Worlds) {
	o := w.DevOps.Org("contoso")
	o.Grant, o.Revoke = devops.Delay{Min: 10 * time.Minute, Max: 12 * time.Minute}, devops.Delay{Min: 150 * time.Minute, Max: 160 * time.Minute}
}
