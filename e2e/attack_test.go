package e2e

import (
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pagbot/activation"
	"pagbot/internal/demo"
	"pagbot/sim/slack"
)

// The attacks. Each begins with honest steps, sends what an attacker would send
// (a frame on the socket, a request to the pages, a changed database), goes on
// wherever the bot lets it, and shows that PIM saw no write: not even one that
// it refused. .ci/guards takes each guard away and shows that a test goes red.

// nothing runs an attack and makes sure that it came to nothing, also where the
// attacker, or the test, could not go on.
func (w *town) nothing(attack func()) {
	w.t.Helper()
	writes, before := len(w.Entra.Writes()), w.underWay()
	defer func() {
		w.rest(45 * time.Second) // PIM's reads may lag by 30
		for _, r := range w.Entra.Writes()[writes:] {
			w.t.Errorf("a write reached Entra: %s %s by %s: %d %s", r.Method, r.Path, r.OID, r.Status, r.Body)
		}
		w.unmoved(before)
	}()
	attack()
}

// unmoved makes sure that no activation came nearer to access.
func (w *town) unmoved(before map[string]activation.Activation) {
	w.t.Helper()
	for id, was := range before {
		if is := w.life(id); is.Phase != was.Phase && is.Outcome != activation.Refused && is.Outcome != activation.Withdrawn {
			w.t.Errorf("activation %s of %s went from %s to %s", id, is.Group.Name, was.Phase, is.Phase)
		}
	}
	for id, is := range w.underWay() {
		if _, old := before[id]; !old && is.Phase != activation.Asked {
			w.t.Errorf("a new activation %s of %s is %s", id, is.Group.Name, is.Phase)
		}
	}
}

// underWay are the open activations.
func (w *town) underWay() map[string]activation.Activation {
	w.t.Helper()
	all, err := w.bot.Engine.Find(w.t.Context(), "open")
	if err != nil {
		w.t.Fatal(err)
	}
	lives := map[string]activation.Activation{}
	for _, a := range all {
		lives[a.ID] = a
	}
	return lives
}

func (w *town) life(id string) activation.Activation {
	w.t.Helper()
	a, err := w.bot.Engine.Load(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

// only is the one open activation.
func (w *town) only() activation.Activation {
	w.t.Helper()
	for _, a := range w.underWay() {
		return a
	}
	w.t.Fatal("no activation is open")
	return activation.Activation{}
}

// rest lets time pass until all that follows by itself has followed.
func (w *town) rest(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// asked lets the requester ask honestly and confirm; the card comes back on
// which the approvers are to decide.
func (w *town) asked() slack.Message {
	w.t.Helper()
	w.types(demo.Requester, `/pag activate devops-admins 2h "release 42 is stuck"`)
	w.confirms(demo.Requester, w.browser(), w.newest(demo.Requester))
	return w.sees(demo.Requester, w.Channel.ID, time.Minute, "devops-admins", "An approver is needed")
}

// voted goes on until the approver's approval waits for their browser, and
// returns its link.
func (w *town) voted(card slack.Message) string {
	w.t.Helper()
	return w.votedBy(demo.Approver, card)
}

func (w *town) votedBy(name string, card slack.Message) string {
	w.t.Helper()
	w.presses(name, card, "approve")
	w.fills(name, "release night")
	return w.newest(name)
}

// newest is the link that a person was sent last, in the channel or in a DM.
func (w *town) newest(name string) string {
	w.t.Helper()
	w.rest(5 * time.Second)
	var link, last string
	person := w.Person(name)
	for _, channel := range []string{w.Channel.ID, person.DM()} {
		for _, m := range person.Messages(channel) {
			if l, ok := linkOf(m); ok && m.TS > last {
				link, last = l, m.TS
			}
		}
	}
	if link == "" {
		w.t.Fatalf("%s was sent no link:\n%s", name, w.read(name, w.Channel.ID))
	}
	return link
}

// press is how an attacker uses a button.
type press struct {
	by      string               // whose client sends it
	on      slack.Click          // which button
	as      func(map[string]any) // changes who the frames say that they are from
	forge   func(map[string]any) // changes what else the click says
	form    func(*slack.View)    // changes the form that opens
	account string               // who signs in, if it comes to that; empty: their own
}

// insists presses, and goes on wherever the bot lets the attacker: through the
// form, the link and the browser. It returns all that they were told.
func (w *town) insists(p press) string {
	w.t.Helper()
	person, seen := w.Person(p.by), w.everything()
	if p.on.Channel == "" {
		p.on.Channel = w.Channel.ID
	}
	tamper := func(payload map[string]any) {
		for _, f := range []func(map[string]any){p.as, p.forge} {
			if f != nil {
				f(payload)
			}
		}
	}
	if r, err := person.Forge(w.t.Context(), p.on, tamper); err != nil || r.Error != "" {
		w.t.Fatalf("%s can't even press: %v %s", p.by, err, r.Error)
	}
	w.rest(5 * time.Second)
	for _, v := range person.Views() {
		if p.form != nil {
			p.form(&v)
		}
		w.submits(p.by, v, p.as)
	}
	return w.follows(p.by, p.account, seen)
}

// submits sends the frame of a form, as it is or changed.
func (w *town) submits(by string, v slack.View, as func(map[string]any)) {
	w.t.Helper()
	user := w.People[by].Slack
	payload := map[string]any{"type": "view_submission", "team": map[string]any{"id": w.Team.ID}, "api_app_id": w.App.ID,
		"user": map[string]any{"id": user, "team_id": w.Team.ID}, "view": map[string]any{"id": v.ID, "type": "modal", "callback_id": v.CallbackID,
			"private_metadata": v.PrivateMetadata, "state": map[string]any{"values": map[string]any{"reason": map[string]any{"v": map[string]any{
				"type": "plain_text_input", "value": "because I say so"}}}}}}
	if as != nil {
		as(payload)
	}
	if _, err := w.Slack.Inject(w.t.Context(), w.App.ID, "interactive", payload); err != nil {
		w.t.Fatal(err)
	}
}

// follows opens every link that is new since then, signs in, confirms, and
// returns what was said, in Slack and in the browser.
func (w *town) follows(by, account string, since map[string]bool) string {
	w.t.Helper()
	w.rest(10 * time.Second)
	if account == "" {
		account = "adm-" + by + "@contoso.example"
	}
	var told []string
	for key, m := range w.messages() {
		if since[key] {
			continue
		}
		told = append(told, w.Person(by).Text(m))
		if link, ok := linkOf(m); ok {
			page, err := demo.Confirm(w.browser(), link, account)
			if err != nil {
				page += err.Error()
			}
			told = append(told, page)
		}
	}
	w.rest(10 * time.Second)
	return strings.Join(told, "\n")
}

// everything is what anybody has been sent so far.
func (w *town) everything() map[string]bool {
	seen := map[string]bool{}
	for key := range w.messages() {
		seen[key] = true
	}
	return seen
}

// messages are those of the channel, ephemeral ones too, and of all DMs.
func (w *town) messages() map[string]slack.Message {
	all := map[string]slack.Message{}
	for name := range w.People {
		person := w.Person(name)
		for _, channel := range []string{w.Channel.ID, person.DM()} {
			for _, m := range person.Messages(channel) {
				all[channel+m.TS+m.At.String()] = m
			}
		}
	}
	return all
}

// linkOf finds the link to our pages in a message.
func linkOf(m slack.Message) (string, bool) {
	for _, b := range m.Blocks {
		elements, _ := b["elements"].([]any)
		for _, e := range elements {
			e, _ := e.(map[string]any)
			if url, ok := e["url"].(string); ok && strings.Contains(url, "/d/") {
				return url, true
			}
		}
	}
	return "", false
}

// How each no sounds. The sentences are the bot's to choose.
const (
	notHere     = `[Mm]embers of this workspace`
	notOurs     = notHere + `|not the card that counts|old copy of a message|don't know this request`
	ownRequest  = `on your own request`
	notApprover = `don't name you`
	notAssigned = `not yours to decide`
	notYours    = `somebody else's|only they can end`
	notBound    = `which Entra account is yours`
	tooLate     = `Too late`
	lapsed      = `didn't confirm in time`
	broke       = `Something broke on my side`
)

// told makes sure that an attacker was answered.
func (w *town) told(answer string, patterns ...string) {
	w.t.Helper()
	for _, p := range patterns {
		if !regexp.MustCompile(p).MatchString(answer) {
			w.t.Errorf("the answer is nothing like %q:\n%s", p, answer)
		}
	}
}

// hears waits until a person reads such a thing, in the channel or in a DM.
func (w *town) hears(name, pattern string) {
	w.t.Helper()
	w.rest(time.Minute)
	w.told(w.read(name, w.Channel.ID)+w.read(name, w.Person(name).DM()), pattern)
}

// TestAttackHonest shows that the attackers' tools work: where nothing forbids
// it, insisting leads to exactly the writes that an honest person makes.
func TestAttackHonest(t *testing.T) {
	inTown(t, setup{}, func(w *town) {
		card := w.asked()
		if n := len(w.Entra.Writes()); n != 1 {
			w.t.Fatalf("the ask made %d writes", n)
		}
		w.told(w.insists(press{by: demo.Approver, on: slack.Click{TS: card.TS, Action: "approve"}}), "Approved")
		if n := len(w.Entra.Writes()); n != 2 {
			w.t.Errorf("ask and approval made %d writes", n)
		}
		w.sees(demo.Requester, w.Channel.ID, time.Minute, "has", "devops-admins", "until")
	})
}
