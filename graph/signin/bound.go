package signin

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"time"

	"pagbot/activation"
)

// A binding is the record that a person said, once, "I become that Slack
// user". It is sealed, since whoever can write the database must not be able to
// say it for them.
type boundAccount struct {
	Human string    `json:"human"`
	Name  string    `json:"name,omitempty"`
	How   string    `json:"how"` // file, attribute or mail
	At    time.Time `json:"at"`
	Seal  []byte    `json:"seal"`
}

func (b boundAccount) parts(slack activation.SlackUser, acc string) []string {
	return []string{slack.Team, slack.ID, acc, b.Human, b.Name, b.How, b.At.UTC().Format(time.RFC3339Nano)}
}

const kindBinding = "binding"

func (s *Service) bindings(ctx context.Context, slack activation.SlackUser) (map[string]boundAccount, uint64, error) {
	all := map[string]boundAccount{}
	body, rev, err := s.cfg.Box.Get(ctx, kindBinding, slackKey(slack))
	if err == nil && body != nil {
		err = json.Unmarshal(body, &all)
	}
	maps.DeleteFunc(all, func(acc string, b boundAccount) bool {
		return !s.cfg.Sealer.fits(b.Seal, "binding", b.parts(slack, acc)...)
	})
	return all, rev, err
}

// binding reports whether this account was bound to its Slack user before, as
// the same human.
func (s *Service) binding(ctx context.Context, who activation.Person) (bool, error) {
	all, _, err := s.bindings(ctx, who.Slack)
	got, ok := all[account(who.Tenant, who.Object)]
	return ok && got.Human == who.Human, err
}

// bind keeps a binding. One account has one Slack user: who comes second is
// refused, and so is who changed hands while the page was open.
func (s *Service) bind(ctx context.Context, who activation.Person, how string) error {
	if err := s.know(ctx, who.Slack); err != nil {
		return err
	}
	all, rev, err := s.bindings(ctx, who.Slack)
	if err != nil {
		return err
	}
	if how != byFile && !s.cfg.People.learn(who, how) {
		return activation.Refusal{Code: activation.NotBound, Text: "this account is somebody else's meanwhile"}
	}
	acc := account(who.Tenant, who.Object)
	all[acc] = boundAccount{Human: who.Human, Name: who.Name, How: how, At: time.Now()}
	if err := s.writeBindings(ctx, who.Slack, rev, all); err != nil {
		s.cfg.People.unlearn(acc)
		return err
	}
	if s.cfg.Bound != nil {
		s.cfg.Bound(who)
	}
	if how == byMail {
		return s.disallow(ctx, who.Slack)
	}
	return nil
}

func (s *Service) writeBindings(ctx context.Context, slack activation.SlackUser, rev uint64, all map[string]boundAccount) error {
	if len(all) == 0 {
		return s.cfg.Box.Put(ctx, kindBinding, slackKey(slack), rev, nil)
	}
	for acc, b := range all {
		b.Seal = s.cfg.Sealer.mac("binding", b.parts(slack, acc)...)
		all[acc] = b
	}
	body, err := json.Marshal(all)
	if err != nil {
		return err
	}
	return s.cfg.Box.Put(ctx, kindBinding, slackKey(slack), rev, body)
}

// resealBindings seals a Slack user's bindings with the sealer's newest key.
func (s *Service) resealBindings(ctx context.Context, slack activation.SlackUser) (int, error) {
	all, rev, err := s.bindings(ctx, slack)
	if err != nil || rev == 0 {
		return 0, err
	}
	return len(all), s.writeBindings(ctx, slack, rev, all)
}

// Unbind forgets a Slack user's bindings and sessions: of one account, or of
// all if object is empty. What the mapping file says stays said.
func (s *Service) Unbind(ctx context.Context, slack activation.SlackUser, object string) (n int, err error) {
	acc := ""
	if object != "" {
		acc = account(s.cfg.Tenant, object)
	}
	all, rev, err := s.bindings(ctx, slack)
	if err != nil {
		return 0, err
	}
	for a := range all {
		if acc == "" || a == acc {
			s.unlearn(slack, a)
			delete(all, a)
			n++
		}
	}
	if rev != 0 {
		err = s.writeBindings(ctx, slack, rev, all)
	}
	s.cfg.Log.Info("sign-in: unbound", "slack", slack.ID, "object", object, "bindings", n)
	err = errors.Join(err, s.disallow(ctx, slack), s.vault.forget(ctx, slack, acc))
	if err == nil && len(all) == 0 {
		err = s.unknow(ctx, slack)
	}
	return n, err
}

// unlearn takes an account away from its Slack user, and says so.
func (s *Service) unlearn(slack activation.SlackUser, acc string) {
	s.cfg.People.unlearn(acc)
	if s.cfg.Unbound != nil {
		tenant, object, _ := strings.Cut(acc, "/")
		s.cfg.Unbound(activation.Person{Tenant: tenant, Object: object, Slack: slack})
	}
}

// Load reads who is bound by more than the mapping file. Call it once, before
// anybody is served.
func (s *Service) Load(ctx context.Context) error {
	known, _, err := s.known(ctx)
	if err != nil {
		return err
	}
	for _, slack := range known {
		all, _, err := s.bindings(ctx, slack)
		if err != nil {
			return err
		}
		for acc, b := range all {
			tenant, object, _ := strings.Cut(acc, "/")
			who := activation.Person{Tenant: tenant, Object: object, Name: b.Name, Human: b.Human, Slack: slack}
			if b.How != byFile && !s.cfg.People.learn(who, b.How) {
				s.cfg.Log.Warn("sign-in: an account is bound twice; the first counts", "slack", slack.ID, "object", object)
			}
		}
	}
	return nil
}
