package bot

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pagbot/activation"
)

// The card calls who can decide when it is posted: those whom Slack can call
// first, each person once, a few, and nobody who can't decide.
func TestCardNamesWhoCanDecide(t *testing.T) {
	card := func(w *world, a activation.Activation) string {
		w.put(a)
		w.do(a.ID, activation.Effect{Key: "card", Kind: activation.Card, Slot: true})
		return read(w.last(approver.Slack.ID, channel))
	}
	play(t, nil, func(t *testing.T, w *world) {
		twoAccounts(w)
		many := []activation.Person{requester, {Tenant: day.Tenant, Object: day.Object}, unknown}
		for i := range 6 {
			many = append(many, activation.Person{Tenant: admins.Tenant, Object: fmt.Sprint("object-", i), Name: fmt.Sprintf("approver-%d@contoso.example", i)})
		}
		w.dir.change(func(d *directory) { d.approvers = append(many, approver, chief) })
		got := card(w, scene(activation.AwaitingApproval))
		has(t, "the card", got, "Can decide: @U0APPROVER, "+unknown.Name+", approver-0@contoso.example, approver-1@contoso.example, approver-2@contoso.example and 3 others.")
		if strings.Contains(got, ", "+day.Name) || strings.Count(got, "U0APPROVER") != 1 || strings.Contains(got, chief.Name) {
			t.Error(got)
		}
		w.dir.change(func(d *directory) { d.err = errBroken })
		has(t, "from memory", card(w, scene(activation.AwaitingApproval, func(a *activation.Activation) { a.ID, a.Reason = "second", "another" })), "Can decide: @U0APPROVER")
		if got := w.mouth.decidersOf(w.ctx, quorum(approver)); len(got) != 7 || got[0] != who(unknown) {
			t.Error("who has agreed is called again: ", got)
		}
	})
	for what, change := range map[string]func(*directory){
		"unreadable": func(d *directory) { d.err = errBroken },
		"hanging":    func(d *directory) { d.slow = 10 * time.Second },
		"empty":      func(d *directory) { d.approvers = nil },
		"self":       func(d *directory) { d.approvers = []activation.Person{requester} },
	} {
		play(t, nil, func(t *testing.T, w *world) {
			w.dir.change(change)
			began := time.Now()
			got := card(w, scene(activation.AwaitingApproval))
			if has(t, what, got, "An approver is needed"); strings.Contains(got, "Can decide") || time.Since(began) > 3*time.Second {
				t.Errorf("%s, after %v: %s", what, time.Since(began), got)
			}
			w.settle()
		})
	}
}

// Whoever asks for what nobody could approve reads it before it is submitted: in
// the dry run, and beside the link. What can't be read is not said.
func TestTooFewToDecide(t *testing.T) {
	nobody, few := "name nobody else whose account is enabled", "wants 2 approvers to agree, and PIM's role settings name 1 who could"
	for what, c := range map[string]struct {
		approvers []activation.Person
		err       error
		quorum    int
		says      string
	}{
		"none left":      {nil, nil, 0, nobody},
		"oneself":        {[]activation.Person{requester}, nil, 0, nobody},
		"one":            {[]activation.Person{approver}, nil, 0, ""},
		"one of two":     {[]activation.Person{approver, requester}, nil, 2, few},
		"cannot be read": {nil, errBroken, 2, ""},
	} {
		play(t, func(b *Config) { b.Groups[0].Quorum = c.quorum }, func(t *testing.T, w *world) {
			w.dir.change(func(d *directory) { d.approvers, d.unread = c.approvers, c.err })
			got := w.command(requester.Slack.ID, `/pag check db_admins 1h "why"`)
			w.command(requester.Slack.ID, `/pag activate db_admins 1h "why"`)
			a := w.only(t)
			w.do(a.ID, activation.Effect{Key: "whisper/1", Kind: activation.Whisper, Topic: activation.TopicAsked, To: requester, Warrant: a.Deeds[0].Warrant.ID})
			link := w.last(requester.Slack.ID, general)
			reminder, empty := sayRescue(a, w.mouth.approverNames(w.ctx, a), []string{"@lead"}), "I know of nobody who can decide. @lead, please have an administrator"
			if strings.Contains(reminder, empty) != (c.says == nobody) {
				t.Errorf("%s: %s", what, reminder)
			}
			for _, text := range []string{got, read(link)} {
				if c.says != "" {
					has(t, what, text, ":warning:", c.says)
				} else if strings.Contains(text, ":warning:") {
					t.Errorf("%s: %s", what, text)
				}
			}
		})
	}
}

// Who asks has the approvers read before the card is due.
func TestAskWarmsTheNames(t *testing.T) {
	play(t, nil, func(t *testing.T, w *world) {
		w.command(requester.Slack.ID, `/pag activate db_admins 1h "why"`)
		a := w.only(t)
		w.dir.change(func(d *directory) { d.err = errBroken })
		if names := w.bot.callable(a, w.bot.approversOf(w.ctx, a, 0)); len(names) != 1 || names[0] != "<@U0APPROVER>" {
			t.Error(names)
		}
	})
}
