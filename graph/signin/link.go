package signin

import (
	"crypto/sha256"
	"encoding/json"
	"time"

	"pagbot/activation"
)

// link is what a link in Slack names: one warrant, or (for `/pag signin`) a
// Slack user who wants to sign in without a deed. It is not a secret that
// grants anything: it only says which page to show.
type link struct {
	Warrant string               `json:"w,omitempty"`
	Also    []string             `json:"a,omitempty"` // confirmed together with it
	Slack   activation.SlackUser `json:"s,omitzero"`
	Expires int64                `json:"e"` // Unix seconds
}

// Link is the address of the page that asks the person to confirm this
// warrant's deed, together with further ones that the page names. It is good
// until the warrant expires.
func (s *Service) Link(w activation.Warrant, also ...activation.Warrant) string {
	l := link{Warrant: w.ID, Expires: w.Expires.Unix()}
	for _, v := range also {
		l.Also = append(l.Also, v.ID)
	}
	return s.cfg.URL + "/d/" + s.cfg.Sealer.link(l)
}

// SignInLink is the address of the page for signing in without a deed.
func (s *Service) SignInLink(slack activation.SlackUser, expires time.Time) string {
	return s.cfg.URL + "/d/" + s.cfg.Sealer.link(link{Slack: slack, Expires: expires.Unix()})
}

func (s *Sealer) link(l link) string {
	body, err := json.Marshal(l)
	if err != nil {
		panic(err) // strings and a number only
	}
	return encode(append(s.mac("link", string(body)), body...))
}

// open reads a link that was sealed here.
func (s *Sealer) open(token string) (link, bool) {
	b, err := decode(token)
	if err != nil || len(b) <= sha256.Size {
		return link{}, false
	}
	mac, body := b[:sha256.Size], b[sha256.Size:]
	if !s.fits(mac, "link", string(body)) {
		return link{}, false
	}
	var l link
	return l, json.Unmarshal(body, &l) == nil
}

func (l link) expired(now time.Time) bool { return now.After(time.Unix(l.Expires, 0)) }
