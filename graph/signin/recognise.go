package signin

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"pagbot/activation"
)

// Bind says how accounts that are not in the mapping file come to a Slack user.
// Whatever it allows, the account is read by the object id that signed in;
// guests and disabled accounts are nobody; and the person confirms once.
type Bind struct {
	// Attribute takes the account whose configured attribute holds the Slack
	// user's id.
	Attribute bool
	// Mail takes the account whose mail or user principal name is the Slack
	// profile's e-mail, in one of these domains. A Slack profile is no proof, so
	// the person must also type into Slack what their browser shows.
	Mail []string
}

func (b Bind) any() bool { return b.Attribute || len(b.Mail) > 0 }

func (b Bind) validate(d Directory, w Workspace) error {
	if b.any() && (d == nil || w == nil) {
		return errors.New("binding by attribute or e-mail needs the directory and the workspace")
	}
	for _, domain := range b.Mail {
		if domain == "" || strings.ContainsAny(domain, "@*/ ") || !strings.Contains(domain, ".") {
			return errors.New("signin.bind.mail: " + domain + " is not a domain: write it like contoso.example")
		}
	}
	return nil
}

// How an account came to its Slack user.
const (
	byFile      = "file"
	byAttribute = "attribute"
	byMail      = "mail"
)

// recognise finds out whether an account that the mapping doesn't have belongs
// to the Slack user for whom somebody signed in.
func (s *Service) recognise(ctx context.Context, f *flow, got activation.Person) (activation.Person, *page) {
	who := got
	who.Slack, who.Human = f.slack, "slack:"+slackKey(f.slack)
	mine := s.cfg.People.BySlack(f.slack)
	if len(mine) > 0 {
		who.Human = mine[0].Human // one Slack user is one person
	}
	stands, err := s.standing(ctx, who)
	if err != nil {
		return who, s.trouble("the account could not be read", err)
	}
	how := s.cfg.Bind.fits(stands, f.slack)
	switch {
	case stands.gone != "" || !stands.member.Active || !stands.account.Enabled:
		return who, pageNotMapped(got, f.slack)
	case stands.account.Guest:
		s.log(f, "refused: a guest", got)
		return who, pageGuest(got)
	case how == "":
		s.log(f, "refused: nothing says that this account is this Slack user's", got)
		return who, pageNotMapped(got, f.slack)
	}
	// A first account is the person's own business; what comes on top by nothing
	// but an address is an administrator's.
	if how == byMail && len(mine) > 0 {
		allowed, err := s.allowed(ctx, f.slack)
		if err != nil {
			return who, s.trouble("what was allowed could not be read", err)
		}
		if !allowed {
			s.log(f, "refused: a further account by e-mail", got)
			return who, pageNeedsAllowing(got, f.slack)
		}
	}
	who.Name, f.how, f.member = stands.account.UPN, how, stands.member
	return who, nil
}

// fits says by what an account is a Slack user's; empty: by nothing.
func (b Bind) fits(st standing, slack activation.SlackUser) string {
	if b.Attribute && st.account.Attribute == slack.ID {
		return byAttribute
	}
	mail := strings.ToLower(st.member.Mail)
	_, domain, ok := strings.Cut(mail, "@")
	listed := slices.ContainsFunc(b.Mail, func(d string) bool { return strings.EqualFold(d, domain) })
	same := strings.EqualFold(mail, st.account.Mail) || strings.EqualFold(mail, st.account.UPN)
	if ok && listed && same {
		return byMail
	}
	return ""
}

// still says why an account that was bound by evidence is bound no more, as
// soon as the evidence is gone.
func (s *Service) still(ctx context.Context, who activation.Person) (why string, err error) {
	how := s.cfg.People.how(who)
	if how == byFile {
		return "", nil
	}
	st, err := s.standing(ctx, who)
	switch {
	case err != nil:
		return "", err
	case st.gone != "":
		return st.gone, nil
	case !st.account.Enabled:
		return "the account is disabled", nil
	case !st.member.Active:
		return "the Slack user is deactivated", nil
	case st.account.Guest:
		return "the account is a guest's", nil
	case s.cfg.Bind.fits(st, who.Slack) != how:
		return "nothing says any more that the account is this Slack user's", nil
	}
	return "", nil
}

// AllowFor is how long an administrator's word is good.
const AllowFor = 24 * time.Hour

const kindAllow = "binding-allow"

// Allow lets a Slack user bind one more account, within AllowFor.
func (s *Service) Allow(ctx context.Context, slack activation.SlackUser) (until time.Time, err error) {
	until = time.Now().Add(AllowFor).UTC().Truncate(time.Second)
	_, rev, err := s.cfg.Box.Get(ctx, kindAllow, slackKey(slack))
	if err != nil {
		return until, err
	}
	at := until.Format(time.RFC3339)
	s.cfg.Log.Info("sign-in: allowed a further account", "slack", slack.ID, "until", at)
	return until, s.cfg.Box.Put(ctx, kindAllow, slackKey(slack), rev, []byte(at+" "+encode(s.cfg.Sealer.mac("allow", slackKey(slack), at))))
}

// allowed reports whether a Slack user may bind one more account.
func (s *Service) allowed(ctx context.Context, slack activation.SlackUser) (bool, error) {
	body, _, err := s.cfg.Box.Get(ctx, kindAllow, slackKey(slack))
	if err != nil || body == nil {
		return false, err
	}
	at, seal, _ := strings.Cut(string(body), " ")
	until, err := time.Parse(time.RFC3339, at)
	mac, bad := decode(seal)
	return err == nil && bad == nil && s.cfg.Sealer.fits(mac, "allow", slackKey(slack), at) && time.Now().Before(until), nil
}

// disallow takes back what was allowed, or used.
func (s *Service) disallow(ctx context.Context, slack activation.SlackUser) error {
	_, rev, err := s.cfg.Box.Get(ctx, kindAllow, slackKey(slack))
	if err != nil || rev == 0 {
		return err
	}
	return s.cfg.Box.Put(ctx, kindAllow, slackKey(slack), rev, nil)
}

// Binds reports whether people whom the mapping file doesn't have can be bound.
func (s *Service) Binds() bool { return s.cfg.Bind.any() }
