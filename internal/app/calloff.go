package app

import (
	"context"
	"errors"
	"strings"

	"pagbot/activation"
	"pagbot/bot"
)

// takenAway is why something is called off that nobody could finish any more.
var takenAway = activation.Refusal{Code: activation.NotBound, Text: bot.CalledOff}

// callOff refuses what waits for the browser of people who are to confirm it no
// more, and has them told: nobody else could finish it, and it must not lie
// there until somebody has their account again. What they have confirmed already
// is refused by the one who would do it.
func (a *App) callOff(ctx context.Context, gone func(activation.Person) bool, why activation.Refusal) (off []bot.Off, err error) {
	open, err := a.Engine.Find(ctx, "open")
	for _, x := range open {
		for _, d := range x.Deeds {
			if !d.Needs || !gone(d.Warrant.Actor) || a.pages.Confirmed(d.Warrant.ID) {
				continue
			}
			if _, lost := a.Engine.Tell(ctx, x.ID, activation.Done{Warrant: d.Warrant.ID, Refusal: &why}); lost != nil {
				err = errors.Join(err, lost)
				continue
			}
			a.note("called off "+string(d.Warrant.Deed), d.Warrant.Actor.Slack.ID, d.Warrant.Actor.Object)
			off = append(off, bot.Off{Of: x, Deed: d.Warrant.Deed})
		}
	}
	return off, err
}

// unbound calls off what a binding that is gone leaves waiting. The binding may
// be found gone in the middle of a deed, which must not wait for this.
func (a *App) unbound(p activation.Person) {
	a.note("binding gone", p.Slack.ID, p.Object)
	go func() {
		a.calledOff(func(q activation.Person) bool { return q.SameAccount(p) })
		if len(a.people.BySlack(p.Slack)) == 0 {
			a.bot.Forget(context.Background(), p.Slack)
		}
	}()
}

// strangers calls off what waits for people whom nothing binds any more, such as
// those who were taken out of the mapping file while nobody served.
func (a *App) strangers(p activation.Person) bool {
	q, ok := a.people.ByObject(p.Tenant, p.Object)
	return !ok || q.Slack != p.Slack
}

func (a *App) calledOff(gone func(activation.Person) bool) {
	if _, err := a.callOff(context.Background(), gone, takenAway); err != nil {
		a.log.Error("what waits for a person who is bound no more could not all be called off; tried again within the hour", "err", err)
	}
}

// signedOut calls off what waits for somebody who has just signed themselves out.
func (a *App) signedOut(ctx context.Context, u activation.SlackUser) ([]bot.Off, error) {
	a.note("signed themselves out", u.ID, "")
	return a.callOff(ctx, ofUser(u, ""), activation.Refusal{Code: activation.SignedOut})
}

// ofUser is everybody whom a command names: a Slack user, with one account or all.
func ofUser(u activation.SlackUser, object string) func(activation.Person) bool {
	return func(p activation.Person) bool {
		return p.Slack == u && (object == "" || strings.EqualFold(p.Object, object))
	}
}
