package bot

import (
	"context"
	"time"

	"pagbot/activation"
)

// stamp is a SignIn without a browser: it seals by numbering and signs nobody
// in.
type stamp struct{}

func (stamp) Mint(w activation.Warrant) activation.Warrant {
	w.ID = "w-" + derive(string(w.Deed), w.Envelope+w.Actor.Object+w.Digest, 8)
	w.Seal = "sealed"
	return w
}

func (stamp) Link(w activation.Warrant, also ...activation.Warrant) string {
	link := "https://signin.example/d/" + w.ID
	for _, v := range also {
		link += "+" + v.ID
	}
	return link
}

func (stamp) SignInLink(u activation.SlackUser, _ time.Time) string {
	return "https://signin.example/s/" + u.ID
}

func (stamp) SignOut(context.Context, activation.SlackUser) error { return nil }

func (stamp) Kept(context.Context, activation.Person) bool { return false }
