package signin

import (
	"context"
	"encoding/json"
	"maps"
	"time"

	"pagbot/activation"
)

// A binding is the record that a person said, once, "I become that Slack
// user". It is sealed, since whoever can write the database must not be able to
// say it for them.
type boundAccount struct {
	Human string    `json:"human"`
	Name  string    `json:"name,omitempty"`
	At    time.Time `json:"at"`
	Seal  []byte    `json:"seal"`
}

func (b boundAccount) parts(slack activation.SlackUser, acc string) []string {
	return []string{slack.Team, slack.ID, acc, b.Human, b.Name, b.At.UTC().Format(time.RFC3339Nano)}
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

func (s *Service) bind(ctx context.Context, who activation.Person) error {
	if err := s.know(ctx, who.Slack); err != nil {
		return err
	}
	all, rev, err := s.bindings(ctx, who.Slack)
	if err != nil {
		return err
	}
	all[account(who.Tenant, who.Object)] = boundAccount{Human: who.Human, Name: who.Name, At: time.Now()}
	if err := s.writeBindings(ctx, who.Slack, rev, all); err != nil {
		return err
	}
	if s.cfg.Bound != nil {
		s.cfg.Bound(who)
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

func (s *Service) unbind(ctx context.Context, slack activation.SlackUser) error {
	_, rev, err := s.cfg.Box.Get(ctx, kindBinding, slackKey(slack))
	if err != nil || rev == 0 {
		return err
	}
	return s.writeBindings(ctx, slack, rev, nil)
}
