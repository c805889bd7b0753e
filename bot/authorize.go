package bot

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"pagbot/activation"
)

// caller is who Slack says sent an envelope, by ids only.
type caller struct {
	user, team, enterprise, app string
}

// Why a click is turned away, beside who made it.
const (
	notOurs  = "a click on a message that is not ours"
	oldCopy  = "a click on an older copy of our own message"
	notKnown = "no such activation"
	watching = "nobody acts here"
)

// press is what a click was made on.
type press struct {
	activation, key  string // whose card or message, and of which effect
	channel, message string
	byUs             bool // Slack says that our bot posted the message
}

// wish is what somebody wants to do; the zero wish is only to be known.
type wish struct {
	on      *press                 // a click on a message
	about   *activation.Activation // approve, deny, finish
	approve bool                   // decides about somebody else's request
	look    bool                   // at what is nobody's own: no account is needed
	enter   bool                   // only to sign in, for which nobody need be known
}

// someone is a person that was let in.
type someone struct {
	slack    activation.SlackUser
	accounts []activation.Person
	zone     *time.Location
}

// account is the one of the person's accounts that an activation belongs to.
func (s someone) account(a activation.Activation) (activation.Person, bool) {
	i := slices.IndexFunc(s.accounts, a.Person.SameAccount)
	if i < 0 {
		return activation.Person{}, false
	}
	return s.accounts[i], true
}

// authorize is the one gate for every way in: command, button, form. It lets a
// member of our own workspace through whose accounts are known, who pressed a
// message that we posted, and who may do what they wish. It refuses first and
// fails closed. The error is a Refusal, or a look-up that may work later.
func (b *Bot) authorize(ctx context.Context, c caller, w wish) (someone, activation.Person, error) {
	var nobody activation.Person
	s, err := b.member(ctx, c)
	if err != nil {
		return s, nobody, err
	}
	s.accounts = b.People.BySlack(s.slack)
	if w.look {
		return s, nobody, nil
	}
	if len(s.accounts) == 0 {
		if _, ok := b.binder(); ok && w.enter {
			return s, nobody, nil
		}
		return s, nobody, b.unbound()
	}
	if w.on != nil {
		if err := b.ours(ctx, *w.on); err != nil {
			b.Log.Warn("a click on what we did not post", "user", c.user, "channel", w.on.channel, "message", w.on.message, "activation", w.on.activation)
			return s, nobody, err
		}
	}
	switch {
	case w.about == nil:
		return s, s.accounts[0], nil
	case w.approve:
		var err error
		if s.accounts, err = b.approver(ctx, s, *w.about); err != nil {
			return s, nobody, err
		}
		return s, s.accounts[0], nil
	}
	p, ok := s.account(*w.about)
	if !ok {
		return s, nobody, activation.Refusal{Code: activation.WrongPerson, By: w.about.Person.Name}
	}
	return s, p, nil
}

// member lets in living members of our own team or enterprise, and nobody who
// is a guest, a bot, a stranger, or of whom Slack tells us nothing.
func (b *Bot) member(ctx context.Context, c caller) (someone, error) {
	no := activation.Refusal{Code: activation.NotAllowedHere}
	s := someone{slack: activation.SlackUser{Team: b.Team(), ID: c.user}, zone: time.UTC}
	if b.AppID != "" && c.app != b.AppID || c.user == "" {
		return s, no
	}
	if !b.within(c.team, c.enterprise) {
		return s, no
	}
	u, err := b.user(ctx, c.user)
	if err != nil {
		if e := slackError(err); e == "user_not_found" || e == "user_not_visible" {
			return s, no
		}
		return s, err
	}
	foreign := !b.within(u.TeamID, u.Enterprise.EnterpriseID)
	if foreign || u.Deleted || u.IsBot || u.IsAppUser || u.IsWorkflowBot || u.IsConnectorBot ||
		u.IsRestricted || u.IsUltraRestricted || u.IsStranger || u.IsInvitedUser {
		return s, no
	}
	s.zone = zoneOf(u)
	return s, nil
}

// zoneOf is the time zone that a person's clock is in. On a machine without zones,
// as in many containers, it is the offset that Slack names for now.
func zoneOf(u *slack.User) *time.Location {
	z, err := time.LoadLocation(u.TZ)
	if err != nil || u.TZ == "" {
		return time.FixedZone(u.TZ, u.TZOffset)
	}
	return z
}

func (b *Bot) within(team, enterprise string) bool {
	if b.enterprise != "" {
		return enterprise == b.enterprise
	}
	return b.team != "" && team == b.team
}

// looked is a user as Slack showed them.
type looked struct {
	user *slack.User
	at   time.Time // wire
}

const userLife = time.Minute

func (b *Bot) user(ctx context.Context, id string) (*slack.User, error) {
	b.mu.Lock()
	l, ok := b.users[id]
	b.mu.Unlock()
	if ok && time.Since(l.at) < userLife {
		return l.user, nil
	}
	u, err := b.API.GetUserInfoContext(ctx, id)
	if err != nil {
		return nil, err
	}
	if u == nil || u.ID != id {
		return nil, errors.New("users.info answered about somebody else")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.users) > 10_000 {
		clear(b.users)
	}
	b.users[id] = looked{u, time.Now()}
	return u, nil
}

// ours reports whether a message is the very one that we posted for that
// activation and effect: a copy, a forward or an edited look-alike is not.
func (b *Bot) ours(ctx context.Context, p press) error {
	no := activation.Refusal{Code: activation.NotAllowedHere, Text: notOurs}
	raw, err := b.Engine.Receipt(ctx, p.activation, p.key)
	// Slack may be faster with a click than we are with noting what we posted.
	for tries := 0; err == nil && raw == nil && tries < 10; tries++ {
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
		raw, err = b.Engine.Receipt(ctx, p.activation, p.key)
	}
	if err != nil {
		return err
	}
	var r receipt
	switch {
	case raw == nil || json.Unmarshal(raw, &r) != nil || r.TS == "" || r.Channel != p.channel:
		return no
	case r.TS == p.message:
		return nil
	case p.byUs && p.message < r.TS:
		// Posted before the one that counts: the answer to it was lost.
		no.Text = oldCopy
	}
	return no
}

// approver lets a person decide on somebody else's request, with those of their
// accounts that are among the approvers whom PIM's role settings name now. There
// is at least one if there is no error.
func (b *Bot) approver(ctx context.Context, s someone, a activation.Activation) ([]activation.Person, error) {
	if slices.ContainsFunc(s.accounts, a.Person.Same) {
		return nil, activation.Refusal{Code: activation.OwnRequest}
	}
	settings, err := b.Directory.Settings(ctx, a.Group.ID, a.Access)
	if err != nil {
		return nil, err
	}
	approvers, err := b.Directory.Approvers(ctx, settings)
	if err != nil {
		return nil, err
	}
	var own []activation.Person
	for _, p := range s.accounts {
		if slices.ContainsFunc(approvers, func(q activation.Person) bool { return strings.EqualFold(p.Object, q.Object) }) {
			own = append(own, p)
		}
	}
	if len(own) == 0 {
		return nil, activation.Refusal{Code: activation.NotApprover}
	}
	return own, nil
}
