package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"

	"pagbot/internal/demo"
	"pagbot/sim/browser"
	"pagbot/sim/slack"
)

// crowd are the people who work while the bot is killed: they repeat what Slack
// says did not work, as people do, and remember what Slack acknowledged.
type crowd struct {
	*site
	mu      sync.Mutex
	n       int
	repeats int
	intents []*intent
}

// intent is one thing that a person wants, under a reason of its own.
type intent struct {
	who, group, reason string
	acked              time.Time
	typed              int    // how often: Slack may say of what arrived that it did not
	refused            string // what they were told instead
	ended              bool   // they asked for its end, and that was acknowledged
}

func newCrowd(s *site) *crowd { return &crowd{site: s} }

func (c *crowd) wants(who, group string) *intent {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
	i := &intent{who: who, group: group, reason: fmt.Sprintf("intent %d.", c.n)}
	c.intents = append(c.intents, i)
	return i
}

func (c *crowd) again() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.repeats++
}

// commands types until Slack says that it arrived: when, and how often.
func (c *crowd) commands(who, text string) (time.Time, int) {
	for typed := 1; ; typed++ {
		r, err := c.Person(who).Command(c.t.Context(), c.Channel.ID, text)
		if err == nil && r.Error == "" || c.t.Context().Err() != nil {
			return time.Now(), typed
		}
		c.again()
		<-time.After(100 * time.Millisecond)
	}
}

// short is how long everything is asked for.
const short = 10 * time.Minute

// newest is the newest message to a person since a moment that holds the words.
func (c *crowd) newest(who, channel string, since time.Time, words ...string) (slack.Message, bool) {
	all := c.Person(who).Messages(channel)
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].At.After(since) && holds(c.Person(who).Text(all[i]), words) {
			return all[i], true
		}
	}
	return slack.Message{}, false
}

// browse follows a link; pages may be away, and links used up.
func (c *crowd) browse(who string, m slack.Message) {
	if link := demo.LinkOf(m); link != "" {
		_, _ = demo.Confirm(browser.New(c.http), link, "adm-"+who+"@contoso.example")
	}
}

// signIn gives everybody a kept session before the trouble begins.
func (c *crowd) signIn() {
	for _, who := range []string{demo.Requester, demo.Approver, demo.Second} {
		at, _ := c.commands(who, "/pag signin")
		until(c.t.Context(), 10*time.Second, func() bool {
			m, ok := c.newest(who, c.Channel.ID, at.Add(-time.Minute), "Sign in with your browser")
			if ok {
				c.browse(who, m)
			}
			return ok
		})
	}
}

// asked is a request as PIM holds it.
type asked struct{ ID, Status, Justification string }

// request is PIM's own truth about an intention.
func (c *crowd) request(i *intent) asked {
	var state struct{ Requests []asked }
	body, err := json.Marshal(c.Entra.State())
	if err == nil {
		err = json.Unmarshal(body, &state)
	}
	if err != nil {
		c.t.Error(err)
	}
	for _, r := range state.Requests {
		if strings.HasPrefix(r.Justification, i.reason) {
			return r
		}
	}
	return asked{}
}

// works has one intention after the other, until the context ends; the last
// one is brought to its end.
func (c *crowd) works(ctx context.Context, who, group string) {
	for turn := 0; ctx.Err() == nil; turn++ {
		i := c.wants(who, group)
		if !c.asks(i) {
			<-time.After(time.Second)
			continue
		}
		if group == demo.DevOpsAdmins {
			c.decides(i, turn)
		}
		member := func() bool { return c.Entra.Member(c.Groups[group].ID, c.Account(who), c.clock.Now()) }
		if until(c.t.Context(), 2*time.Second, member) && turn%2 == 0 {
			c.commands(who, "/pag deactivate "+group)
			i.ended = true
		}
		if !until(c.t.Context(), 30*time.Second, func() bool { return !member() }) {
			c.t.Errorf("%s of %s never ends", i.reason, who)
		}
		<-time.After(300 * time.Millisecond)
	}
}

// cleans has everybody end or withdraw what stands of what broke, or was typed
// twice.
func (c *crowd) cleans() {
	done := map[[2]string]bool{}
	for _, i := range c.intents {
		if is := [2]string{i.who, i.group}; !done[is] {
			done[is] = true
			c.commands(i.who, "/pag deactivate "+i.group)
		}
	}
}

// asks for access until PIM has the request, or the person is told why not.
func (c *crowd) asks(i *intent) bool {
	since := time.Now()
	i.acked, i.typed = c.commands(i.who, fmt.Sprintf(`/pag activate %s %.0fm "%s"`, i.group, short.Minutes(), i.reason))
	has := until(c.t.Context(), 60*time.Second, func() bool {
		if c.request(i).ID != "" {
			return true
		}
		for _, channel := range []string{c.Channel.ID, c.mine(i.who)} {
			for _, no := range [][]string{{i.group, "already"}, {"Something broke"}, {"doesn't answer"}} {
				if m, ok := c.newest(i.who, channel, since, no...); ok {
					i.refused = c.Person(i.who).Text(m)
					return true
				}
			}
			if m, ok := c.newest(i.who, channel, since, i.group, "Confirm in browser"); ok {
				c.browse(i.who, m)
			}
		}
		return false
	})
	if !has {
		c.t.Errorf("%s of %s was acknowledged, and neither done nor answered:\n%s\n%s", i.reason, i.who, c.read(i.who, c.Channel.ID), c.tail())
	}
	return has && i.refused == ""
}

// decides is an approver who presses until PIM has a decision.
func (c *crowd) decides(i *intent, turn int) {
	who, action := []string{demo.Approver, demo.Second}[turn%2], []string{"approve", "approve", "deny"}[turn%3]
	if !until(c.t.Context(), 60*time.Second, func() bool { return c.request(i).Status != "PendingApproval" || c.votes(i, who, action) }) {
		c.t.Errorf("%s was never decided:\n%s\n%s", i.reason, c.read(who, c.mine(who)), c.tail())
	}
}

// votes presses the button, confirms the form and signs in, once.
func (c *crowd) votes(i *intent, who, action string) bool {
	since := time.Now()
	card, ok := c.newest(who, c.Channel.ID, time.Time{}, i.reason, "An approver is needed")
	if !ok {
		return false
	}
	if r, err := c.Person(who).Click(c.t.Context(), card.Channel, card.TS, action); err != nil || r.Error != "" {
		c.again()
		return false
	}
	form := func() bool { return len(c.Person(who).Views()) > 0 }
	if !until(c.t.Context(), 1500*time.Millisecond, form) {
		c.again() // forms live only seconds: the person presses again
		return false
	}
	view := c.Person(who).Views()[0]
	if r, err := c.Person(who).Submit(c.t.Context(), view.ID, map[string]any{"reason": "go"}); err != nil || r.Error != "" {
		c.again()
		_, _ = c.Person(who).Dismiss(c.t.Context(), view.ID, true)
		return false
	}
	// From here on it is kept: there will be a link, a word, or a decision.
	kept := until(c.t.Context(), 30*time.Second, func() bool {
		if c.request(i).Status != "PendingApproval" {
			return true
		}
		if m, ok := c.newest(who, c.mine(who), since, i.group, "Confirm in browser"); ok {
			c.browse(who, m)
		}
		_, no := c.newest(who, c.mine(who), since, "I could not")
		for _, channel := range []string{c.Channel.ID, c.mine(who)} {
			_, broke := c.newest(who, channel, since, "Something broke")
			no = no || broke
		}
		return no
	})
	if !kept {
		c.t.Errorf("a vote on %s was acknowledged, and neither done nor answered:\n%s\n%s", i.reason, c.read(who, c.mine(who)), c.tail())
	}
	return true
}

var tag = regexp.MustCompile(`\[pag [A-Z2-7]{4}\]`)

// settled checks the worlds' histories and the bot's book.
func (c *crowd) settled() {
	sent, taken, did := map[string][]string{}, map[string]bool{}, map[string]int{}
	for _, r := range c.Entra.Writes() {
		key := r.Action + " " + tag.FindString(r.Body)
		switch {
		case strings.Contains(r.Path, "/stages/"):
			key = "decide " + r.Path
		case strings.Contains(r.Code, "AcrsValidationFailed"):
			continue // the step-up: asked for, not done
		case r.Action == "selfDeactivate":
			continue
		}
		sent[key] = append(sent[key], fmt.Sprint(r.At.Format(time.TimeOnly), " ", r.Status, " ", r.Code))
		taken[key] = taken[key] || r.Status < 400
		for _, i := range c.intents {
			if r.Status < 400 && strings.Contains(r.Body, `"`+i.reason) {
				did[i.reason]++
			}
		}
	}
	for key, n := range sent {
		if len(n) > 1 && taken[key] { // of a refusal nothing stays in PIM: it is asked for again
			c.t.Errorf("%s was sent %d times: %v", key, len(n), n)
		}
	}
	c.endsWhatIsThere()
	for _, i := range c.intents {
		switch n := did[i.reason]; {
		case n > i.typed, n == 0 && i.refused == "":
			c.t.Errorf("%s of %s: done %d times, refused %q", i.reason, i.who, n, i.refused)
		case i.refused != "":
			c.t.Logf("%s of %s was answered: %s", i.reason, i.who, strings.ReplaceAll(i.refused, "\n", " "))
		}
	}
	c.bookHolds()
}

// endsWhatIsThere: no end is sent twice. One that PIM had too early is sent again,
// and one may be overtaken by the end of the time: all that is asked for is short.
func (c *crowd) endsWhatIsThere() {
	since := map[string]time.Time{} // what each person has of each group
	for _, r := range c.Entra.Writes() {
		key := r.Creates.User + " " + r.Creates.Group
		switch {
		case r.Status < 400 && r.Action == "selfActivate":
			since[key] = r.At
		case r.Status < 400 && r.Action == "selfDeactivate":
			delete(since, key)
		case r.Action == "selfDeactivate" && r.Code != "ActiveDurationTooShort" && (since[key].IsZero() || r.At.Sub(since[key]) < short):
			c.t.Errorf("an end was sent in vain: %+v", r)
		}
	}
}

func (c *crowd) bookHolds() {
	b := c.reads(c.clock.Now)
	for _, a := range b.lives {
		c.folds(b, a)
		if a.Open() {
			c.t.Errorf("%s is still %s", a.ID, a.Phase)
		}
		for _, t := range a.Targets {
			c.grantHolds(a, t)
			c.removalHolds(a, t)
		}
	}
	_ = b.Close()
	b = c.reads(func() time.Time { return c.clock.Now().Add(48 * time.Hour) })
	defer b.Close()
	left, err := jobsIn(c.t.Context(), b.Bolt)
	for _, job := range left {
		if err == nil && !strings.Contains(job, "waits for signin:") { // those end with their warrant
			c.t.Errorf("left over: %s", job)
		}
	}
	if err != nil {
		c.t.Error(err)
	}
}
