package bot

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"
	"golang.org/x/sync/errgroup"

	"pagbot/activation"
)

// warrantLife is how long a click or a typed command may wait for its
// sign-in. Wire time: people are not faster in a demo.
const warrantLife = 15 * time.Minute

// command understands what a person typed and answers it in place, privately,
// or turns it into an input.
func (b *Bot) command(ctx context.Context, k activation.Kept, c slack.SlashCommand) (string, activation.Input, error) {
	say := func(m message) error { return b.reply(ctx, c.ResponseURL, c.UserID, m) }
	o, err := parse(c.Text)
	if err != nil {
		return "", nil, say(plain(err.Error()))
	}
	if o.verb == "help" {
		return "", nil, say(plain(sayHelp))
	}
	if o.verb == "latency" {
		if err := b.latency(ctx, c, o, say); err != nil {
			return "", nil, b.failed(ctx, k, err, activation.Activation{}, say)
		}
		return "", nil, nil
	}
	s, _, err := b.authorize(ctx, caller{c.UserID, c.TeamID, c.EnterpriseID, c.APIAppID}, wish{})
	if err == nil {
		var id string
		var in activation.Input
		if id, in, err = b.obey(ctx, k, c, o, s, say); err == nil {
			return id, in, nil
		}
	}
	return "", nil, b.failed(ctx, k, err, activation.Activation{}, say)
}

// failed answers an error: a refusal is said at once, a trouble is tried again
// and said at last.
func (b *Bot) failed(ctx context.Context, k activation.Kept, err error, a activation.Activation, say teller) error {
	r, known := refusal(err)
	switch {
	case known && r.Text == watching:
		return say(plain(fmt.Sprintf(sayWatchOnly, b.Portal)))
	case known && (r.Code != activation.Unavailable && r.Code != activation.Throttled || k.Last):
		return say(plain(sayRefusal(r, a)))
	case k.Last:
		ref := strings.ToUpper(derive("ref", k.ID, 4))
		b.Log.Error("given up", "envelope", k.ID, "reference", ref, "err", err)
		return say(plain(sayRefusal(activation.Refusal{Code: activation.Broken, Ref: ref}, a)))
	}
	return err
}

// refusal finds the no in an error: one of our own, or Entra's in our words.
// What nobody has words for is trouble.
func refusal(err error) (activation.Refusal, bool) {
	var ours activation.Refusal
	if errors.As(err, &ours) {
		return ours, true
	}
	var theirs interface{ Refusal() activation.Refusal }
	if errors.As(err, &theirs) {
		ours = theirs.Refusal()
	}
	return ours, ours.Code != "" && ours.Code != activation.Broken
}

func (b *Bot) obey(ctx context.Context, k activation.Kept, c slack.SlashCommand, o order, s someone, say teller) (string, activation.Input, error) {
	switch o.verb {
	case "list":
		m, err := b.list(ctx, s)
		if err != nil {
			return "", nil, err
		}
		return "", nil, say(m)
	case "status":
		open, err := b.open(ctx, s)
		if err != nil {
			return "", nil, err
		}
		return "", nil, say(plain(sayStatus(open)))
	}
	if b.SignIn == nil {
		return "", nil, say(plain(fmt.Sprintf(sayWatchOnly, b.Portal)))
	}
	switch o.verb {
	case "signin":
		link := b.SignIn.SignInLink(s.slack, b.Now().Add(b.World(warrantLife)))
		return "", nil, say(linked(saySignIn, saySignInNow, link))
	case "signout":
		if err := b.SignIn.SignOut(ctx, s.slack); err != nil {
			return "", nil, err
		}
		return "", nil, say(plain(saySignedOut))
	case "deactivate":
		return b.finish(ctx, k, o, s, say)
	}
	return b.ask(ctx, k, c, o, s, say)
}

// ask gathers the facts for an ask. Whether they suffice is for Decide to say.
func (b *Bot) ask(ctx context.Context, k activation.Kept, c slack.SlashCommand, o order, s someone, say teller) (string, activation.Input, error) {
	g, closest := b.named(o.group)
	if g == nil {
		return "", nil, say(plain(sayUnknownGroup(o.group, closest)))
	}
	facts, p, err := b.facts(ctx, *g, o.access, s)
	if err != nil {
		return "", nil, err
	}
	q := activation.Ask{ID: derive("ask", k.ID, 10), Tag: strings.ToUpper(derive("tag", k.ID, 4)), Person: p, Group: g.Group, Access: o.access,
		Length: o.length, Reason: o.reason, Ticket: o.ticket, Reply: c.ResponseURL, Facts: facts}
	switch {
	case o.until != "":
		q.Length, q.Until = 0, nextClock(o.until, k.At, s.zone)
	case q.Length == 0:
		q.Length = usual(facts.Settings)
	}
	a := activation.Activation{Person: p, Group: q.Group, Access: q.Access, Length: activation.Duration(q.Length), Until: q.Until, Reason: q.Reason, Ticket: q.Ticket}
	q.Warrant = b.mint(k, a, activation.Submit, "", p, activation.ProofFor(activation.Submit, q.Access, facts.Settings, g.Proof))
	return q.ID, q, nil
}

// usual is the length when none was said: an hour, or less if PIM allows less.
func usual(s activation.Settings) time.Duration {
	if limit := time.Duration(s.Max); limit > 0 {
		return min(time.Hour, limit)
	}
	return time.Hour
}

// mint makes the warrant of one deed, the same for the same envelope.
func (b *Bot) mint(k activation.Kept, a activation.Activation, d activation.Deed, reason string, by activation.Person, proof activation.Proof) activation.Warrant {
	w := activation.Warrant{Actor: by, Deed: d, Digest: a.Terms(d, reason).Digest(), Proof: proof, Envelope: k.ID,
		Clicked: k.At, Expires: k.At.Add(b.World(warrantLife))}
	if d == activation.End && a.Ends.After(w.Expires) {
		w.Expires = a.Ends
	}
	return b.SignIn.Mint(w)
}

// facts reads what PIM knows of each of the person's accounts, all at once, and
// takes the account that is eligible; the first if none is.
func (b *Bot) facts(ctx context.Context, g Group, access activation.Access, s someone) (activation.Facts, activation.Person, error) {
	all := make([]activation.Facts, len(s.accounts))
	work, ctx := errgroup.WithContext(ctx)
	for i, p := range s.accounts {
		f := &all[i]
		f.Targets, f.Lead = g.Targets[access], g.Lead
		work.Go(func() (err error) { f.Settings, err = b.Directory.Settings(ctx, g.ID, access); return err })
		work.Go(func() error { return b.eligible(ctx, f, g, access, p) })
		work.Go(func() error { return b.running(ctx, f, g, access, p) })
		work.Go(func() error { return b.waiting(ctx, f, g, access, p) })
	}
	if err := work.Wait(); err != nil {
		return activation.Facts{}, activation.Person{}, err
	}
	i := max(0, slices.IndexFunc(all, func(f activation.Facts) bool { return f.Eligible || f.Pending || !f.Active.IsZero() }))
	return all[i], s.accounts[i], nil
}

func (b *Bot) eligible(ctx context.Context, f *activation.Facts, g Group, access activation.Access, p activation.Person) error {
	list, err := b.Directory.Eligible(ctx, p)
	best := -1
	for _, e := range list {
		if e.Access == access && strings.EqualFold(e.Group.ID, g.ID) {
			f.Eligible = true
		}
		other, ok := b.group(e.Group.ID)
		if d := distance(other.Name, g.Name); ok && (best < 0 || d < best) {
			best, f.Closest = d, other.Name
		}
	}
	return err
}

func (b *Bot) running(ctx context.Context, f *activation.Facts, g Group, access activation.Access, p activation.Person) error {
	list, err := b.Directory.InstancesOf(ctx, g.ID, p.Object)
	for _, i := range list {
		if i.Access == access {
			switch {
			case i.Ends.IsZero():
				f.Active = forever // assigned, not activated
			case i.Ends.After(b.Now()): // else PIM has not forgotten it yet
				f.Active = i.Ends
			}
		}
	}
	return err
}

func (b *Bot) waiting(ctx context.Context, f *activation.Facts, g Group, access activation.Access, p activation.Person) error {
	list, err := b.Directory.RequestsOf(ctx, g.ID, p.Object)
	for _, r := range list {
		if k := r.Kind(); r.Access == access && (k == activation.AtApproval || k == activation.InFuture) {
			f.Pending = true
		}
	}
	return err
}

// named finds a group by name, alias or id; else it names the closest, if one
// is at all like what was typed.
func (b *Bot) named(typed string) (*Group, string) {
	best, closest := -1, ""
	for i, g := range b.Groups {
		for _, n := range append([]string{g.Name, g.ID}, g.Aliases...) {
			if strings.EqualFold(n, strings.TrimPrefix(typed, "#")) {
				return &b.Groups[i], ""
			}
			if d := distance(n, typed); alike(n, typed, d) && (best < 0 || d < best) {
				best, closest = d, g.Name
			}
		}
	}
	return nil, closest
}

// finish ends, or withdraws, what the person has.
func (b *Bot) finish(ctx context.Context, k activation.Kept, o order, s someone, say teller) (string, activation.Input, error) {
	open, err := b.open(ctx, s)
	if err != nil {
		return "", nil, err
	}
	open = slices.DeleteFunc(open, func(a activation.Activation) bool {
		g, _ := b.group(a.Group.ID)
		named := o.group == "" || slices.ContainsFunc(append([]string{a.Group.Name, a.Group.ID}, g.Aliases...), func(n string) bool { return strings.EqualFold(n, o.group) })
		return !named || o.owner && a.Access != activation.Owner || !endable(a)
	})
	if len(open) != 1 {
		return "", nil, say(plain(sayWhichToEnd(open, o.group)))
	}
	in, err := b.end(k, s, open[0])
	if err != nil {
		return "", nil, err
	}
	if err := say(plain(sayEnding(open[0]))); err != nil {
		b.Log.Warn("the answer could not be said; the deed goes on", "envelope", k.ID, "err", err)
	}
	return open[0].ID, in, nil
}

func endable(a activation.Activation) bool { return deedToEnd(a) != "" }

// deedToEnd is what ends an activation where it stands.
func deedToEnd(a activation.Activation) activation.Deed {
	switch a.Phase {
	case activation.Active, activation.Ending:
		return activation.End
	case activation.AwaitingApproval, activation.Scheduled, activation.Asked:
		return activation.Cancel
	}
	return ""
}

func (b *Bot) end(k activation.Kept, s someone, a activation.Activation) (activation.Input, error) {
	p, ok := s.account(a)
	d := deedToEnd(a)
	if !ok || d == "" {
		return nil, activation.Refusal{Code: activation.NotActive}
	}
	return activation.Finish{By: p, Warrant: b.mint(k, a, d, "", p, activation.ProofFor(d, a.Access, a.Settings, ""))}, nil
}

// open lists what the person's accounts have open.
func (b *Bot) open(ctx context.Context, s someone) ([]activation.Activation, error) {
	var all []activation.Activation
	for _, p := range s.accounts {
		list, err := b.Engine.Find(ctx, "person:"+fold(p.Tenant+"/"+p.Object))
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	return all, nil
}

// list says what the person may activate and what they have.
func (b *Bot) list(ctx context.Context, s someone) (message, error) {
	var may []string
	for _, p := range s.accounts {
		list, err := b.Directory.Eligible(ctx, p)
		if err != nil {
			return message{}, err
		}
		for _, e := range list {
			if g, ok := b.group(e.Group.ID); ok {
				may = append(may, sayEligible(g.Name, e.Access, p, len(s.accounts) > 1))
			}
		}
	}
	open, err := b.open(ctx, s)
	return plain(sayList(may, open)), err
}

// teller says something to the person who sent an envelope.
type teller func(message) error

// reply answers where the person acted, or in a DM if Slack takes no more
// answers there.
func (b *Bot) reply(ctx context.Context, url, user string, m message) error {
	err := b.answer(ctx, url, m)
	if errors.Is(err, errGone) {
		return b.direct(ctx, user, m)
	}
	return err
}

// answer posts to a response URL: privately, where the person typed. Slack
// takes five such answers within 30 minutes.
func (b *Bot) answer(ctx context.Context, url string, m message) error {
	if url == "" {
		return errGone
	}
	return b.post(ctx, url, map[string]any{"response_type": "ephemeral", "replace_original": false, "text": m.text, "blocks": m.blocks})
}

// replace puts a message in the place of the one that was clicked.
func (b *Bot) replace(ctx context.Context, url string, m message) error {
	return b.post(ctx, url, map[string]any{"replace_original": true, "text": m.text, "blocks": m.blocks})
}

func (b *Bot) post(ctx context.Context, url string, what map[string]any) error {
	body, err := json.Marshal(what)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := b.HTTP.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= 500:
		return fmt.Errorf("the answer was not taken: %s", resp.Status)
	case resp.StatusCode >= 400:
		return errGone
	}
	return nil
}

// errGone says that a response URL takes no more answers.
var errGone = errors.New("the response URL is used up or too old")
